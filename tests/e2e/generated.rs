//! Random queries: pushed = local = PostgreSQL, from committed seeds.
//!
//! `INFLOWAVE_QUERIES` sets how many for each source, `INFLOWAVE_SEED` the first seed.

use std::collections::BTreeMap;
use std::ops::Range;

use inflowave_testkit::generate::{Grammar, Universe};
use inflowave_testkit::oracle::{self, World};
use inflowave_testkit::provision::{
    Fixture, MYSQL_ENV, MySqlCollation, MySqlFixture, POSTGRES_ENV, POSTGRES_ICU_ENV,
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

async fn world(fixture: &mut dyn Fixture) -> World {
    let tables = trap::tables();
    fixture.provision(&tables).await.unwrap();
    let spec = fixture.catalog();
    let schemas = BTreeMap::from([("src".to_owned(), spec.schema.clone())]);
    World {
        service: server::service(vec![("src".to_owned(), spec)]).await.unwrap(),
        universe: Universe::of_one("src", held(fixture, &tables)),
        schemas,
    }
}

#[test]
fn sqlite_pushed_equals_local() {
    server::run(async {
        let mut fixture = SqliteFixture::new().unwrap();
        let world = world(&mut fixture).await;
        let summary = oracle::pushed_equals_local(&world, &Grammar::default(), seeds()).await;
        eprintln!("sqlite: {summary}");
        summary.assert_clean(REFUSED_PERCENT_MAX);
    });
}

#[test]
fn mysql_pushed_equals_local() {
    server::run(async {
        let Some(mut fixture) = MySqlFixture::from_env(MySqlCollation::default()).await.unwrap()
        else {
            skip!("mysql", format!("{MYSQL_ENV} is not set").as_str());
        };
        let world = world(&mut fixture).await;
        let summary = oracle::pushed_equals_local(&world, &Grammar::default(), seeds()).await;
        eprintln!("mysql: {summary}");
        summary.assert_clean(REFUSED_PERCENT_MAX);
    });
}

#[test]
fn postgres_pushed_equals_local() {
    postgres_pushed(POSTGRES_ENV);
}

#[test]
fn postgres_with_a_linguistic_collation_pushed_equals_local() {
    postgres_pushed(POSTGRES_ICU_ENV);
}

fn postgres_pushed(variable: &str) {
    server::run(async {
        let Some(mut fixture) = PostgresFixture::from_env(variable).await.unwrap() else {
            skip!("postgres", format!("{variable} is not set").as_str());
        };
        let world = world(&mut fixture).await;
        let summary = oracle::pushed_equals_local(&world, &Grammar::default(), seeds()).await;
        eprintln!("{variable}: {summary}");
        summary.assert_clean(REFUSED_PERCENT_MAX);
    });
}

#[test]
fn we_answer_as_postgresql_does() {
    server::run(async {
        let Some(mut fixture) = PostgresFixture::from_env(POSTGRES_ENV).await.unwrap() else {
            skip!("postgres", format!("{POSTGRES_ENV} is not set").as_str());
        };
        let world = world(&mut fixture).await;
        let native = fixture.native().await.unwrap();
        let names = world
            .universe
            .members()
            .iter()
            .map(|m| fixture.table_name(&m.table.name))
            .collect();
        let summary =
            oracle::source_oracle(&world, &Grammar::default(), seeds(), &native, names).await;
        eprintln!("postgres as oracle: {summary}");
        summary.assert_clean(REFUSED_PERCENT_MAX);
    });
}
