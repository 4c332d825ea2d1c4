//! The `.slt` files: behaviour that needs no recompilation to be added to.
//!
//! `tests/slt/` runs over a SQLite file (`lite`) and Parquet files (`lake`); `tests/slt/servers/`
//! also over PostgreSQL (`pg`) and MySQL (`my`). All four hold the trap tables of the testkit. The
//! schemas of the servers are named anew each time: `${pg}` stands for catalog and schema there.

use std::path::Path;

use inflowave_testkit::generate::render::quoted;
use inflowave_testkit::provision::{
    CatalogSpec, FilesFixture, Fixture, MYSQL_ENV, MySqlCollation, MySqlFixture, POSTGRES_ENV,
    PostgresFixture, SqliteFixture,
};
use inflowave_testkit::{skip, slt, trap};

use crate::server;

/// Provisioned fixtures, and the catalogs over them.
#[derive(Default)]
struct Sources {
    fixtures: Vec<Box<dyn Fixture>>,
    catalogs: Vec<(String, CatalogSpec)>,
}

impl Sources {
    async fn add(&mut self, name: &str, mut fixture: Box<dyn Fixture>) {
        fixture.provision(&trap::tables()).await.unwrap();
        self.catalogs.push((name.to_owned(), fixture.catalog()));
        self.fixtures.push(fixture);
    }

    async fn run(&self, folder: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let service = server::service(self.catalogs.clone()).await.unwrap();
        let variables: Vec<(String, String)> = self
            .catalogs
            .iter()
            .map(|(name, spec)| (name.clone(), format!("{name}.{}", quoted(&spec.schema))))
            .collect();
        let mut failures = Vec::new();
        for file in slt::files(&folder).unwrap() {
            if let Err(failure) = slt::run_file(&service, "lite", &variables, &file).await {
                failures.push(format!("{}: {failure}", file.display()));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    }
}

async fn in_process() -> Sources {
    let mut sources = Sources::default();
    sources
        .add("lite", Box::new(SqliteFixture::new().unwrap()))
        .await;
    sources
        .add("lake", Box::new(FilesFixture::new().unwrap()))
        .await;
    sources
}

#[test]
fn slt_files_over_sqlite_and_parquet() {
    server::run(async {
        in_process().await.run("slt").await;
    });
}

#[test]
fn slt_files_over_four_sources() {
    server::run(async {
        let Some(postgres) = PostgresFixture::from_env(POSTGRES_ENV).await.unwrap() else {
            skip!("postgres", format!("{POSTGRES_ENV} is not set").as_str());
        };
        let Some(mysql) = MySqlFixture::from_env(MySqlCollation::Default)
            .await
            .unwrap()
        else {
            skip!("mysql", format!("{MYSQL_ENV} is not set").as_str());
        };
        let mut sources = in_process().await;
        sources.add("pg", Box::new(postgres)).await;
        sources.add("my", Box::new(mysql)).await;
        sources.run("slt/servers").await;
    });
}
