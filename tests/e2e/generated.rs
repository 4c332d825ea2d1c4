//! Random queries: pushed = local = PostgreSQL, from committed seeds.
//!
//! `INFLOWAVE_QUERIES` sets how many for each source, `INFLOWAVE_SEED` the first seed.

use std::ops::Range;

use inflowave_testkit::generate::Grammar;
use inflowave_testkit::oracle::{self, World};
use inflowave_testkit::provision::{
    FilesFixture, Fixture, MYSQL_ENV, MySqlCollation, MySqlFixture, POSTGRES_ENV, POSTGRES_ICU_ENV,
    PostgresFixture, SqliteFixture, held,
};
use inflowave_testkit::{skip, trap};

use crate::server;

const QUERIES: u64 = 1000;
const SEED: u64 = 20_261_123;
/// What of the queries we may refuse with 0A000: functions and forms that come later.
const REFUSED_PERCENT_MAX: usize = 5;

fn seeds() -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse().ok());
    let first = number("INFLOWAVE_SEED").unwrap_or(SEED);
    first..first + number("INFLOWAVE_QUERIES").unwrap_or(QUERIES)
}

/// Every query of the seeds three ways: pushed, local, and by PostgreSQL over a copy of the rows.
async fn three_ways(name: &str, fixture: &mut dyn Fixture) {
    let Some(mut copy) = PostgresFixture::from_env(POSTGRES_ENV).await.unwrap() else {
        skip!(name, format!("{POSTGRES_ENV} is not set").as_str());
    };
    let tables = trap::tables();
    fixture.provision(&tables).await.unwrap();
    let spec = fixture.catalog();
    let held = held(fixture, &tables);
    let universe = trap::universe("src", &spec.schema, &held);
    let world = World {
        service: server::service(vec![("src".to_owned(), spec)])
            .await
            .unwrap(),
        universe,
    };
    let grammar = Grammar::default();
    let summary = oracle::pushed_equals_local(&world, &grammar, seeds()).await;
    println!("{name}: pushed = local: {summary}");
    summary.assert_clean(REFUSED_PERCENT_MAX);
    let names = oracle::mirrored(&mut copy, "src", &held).await.unwrap();
    let native = copy.native().await.unwrap();
    let summary = oracle::source_oracle(&world, &grammar, seeds(), &native, names).await;
    println!("{name}: ours = PostgreSQL: {summary}");
    summary.assert_clean(REFUSED_PERCENT_MAX);
}

#[test]
fn sqlite() {
    server::run(async {
        three_ways("sqlite", &mut SqliteFixture::new().unwrap()).await;
    });
}

#[test]
fn sqlite_strict() {
    server::run(async {
        three_ways("sqlite, strict", &mut SqliteFixture::strict().unwrap()).await;
    });
}

#[test]
fn files() {
    server::run(async {
        three_ways("files", &mut FilesFixture::new().unwrap()).await;
    });
}

#[test]
fn mysql() {
    server::run(async {
        let fixture = MySqlFixture::from_env(MySqlCollation::default()).await;
        let Some(mut fixture) = fixture.unwrap() else {
            skip!("mysql", format!("{MYSQL_ENV} is not set").as_str());
        };
        three_ways("mysql", &mut fixture).await;
    });
}

#[test]
fn postgres() {
    postgres_of(POSTGRES_ENV);
}

#[test]
fn postgres_with_a_linguistic_collation() {
    postgres_of(POSTGRES_ICU_ENV);
}

fn postgres_of(variable: &str) {
    server::run(async {
        let Some(mut fixture) = PostgresFixture::from_env(variable).await.unwrap() else {
            skip!("postgres", format!("{variable} is not set").as_str());
        };
        three_ways(variable, &mut fixture).await;
    });
}
