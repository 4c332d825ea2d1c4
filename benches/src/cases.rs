//! The cases: what is measured against whom.

mod aggregate;
mod filter;
mod join;
mod scan;

use std::path::{Path, PathBuf};

use inflowave_engine::{Engine, Runtimes};
use tokio::runtime::Handle;

use crate::data::{self, SCHEMA, Scale};
use crate::reader::{Reader, mysql, ours, parquet, postgres, sqlite};
use crate::{Result, Servers};

/// One comparison.
pub struct Case {
    pub name: String,
    pub source: &'static str,
    pub ours: Box<dyn Reader>,
    pub peers: Vec<Box<dyn Reader>>,
}

impl Case {
    pub fn is_about(&self, text: &str) -> bool {
        self.name.contains(text) || self.source.contains(text)
    }
}

/// Everything that a case needs to make its readers.
pub struct Place {
    engine: Engine,
    postgres: String,
    mysql: String,
    sqlite: PathBuf,
    parquet: PathBuf,
    cpu: Handle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Postgres,
    MySql,
    Sqlite,
    Parquet,
}

/// A statement over `invoices`: `{t}` stands for the table, `{sum}` for the sum of its amounts.
struct Question {
    name: String,
    sql: String,
    /// The column that is added up.
    column: usize,
}

impl Place {
    pub async fn open(servers: &Servers, folder: &Path, runtimes: Runtimes) -> Result<Place> {
        let cpu = runtimes.cpu.clone();
        Ok(Place {
            engine: ours::engine(servers, folder, runtimes).await?,
            postgres: servers.postgres.clone(),
            mysql: servers.mysql.clone(),
            sqlite: data::sqlite_file(folder),
            parquet: data::parquet_folder(folder),
            cpu,
        })
    }

    /// The question put to a source by us and by its own client.
    async fn case(&self, question: &Question, source: Source) -> Result<Case> {
        let column = question.column;
        let said =
            |table: &str, sum: &str| question.sql.replace("{t}", table).replace("{sum}", sum);
        let ours = said(&source.qualified(), "sum(amount)");
        let theirs = said(&source.native(), source.sum());
        let peer = match source {
            Source::Postgres => postgres::Postgres::open(&self.postgres, theirs, column).await?,
            Source::MySql => mysql::MySql::open(&self.mysql, theirs, column).await?,
            Source::Sqlite => sqlite::Sqlite::open(&self.sqlite, theirs, column),
            Source::Parquet => {
                parquet::Parquet::open(&self.parquet, self.cpu.clone(), theirs, column).await?
            }
        };
        Ok(Case {
            name: question.name.clone(),
            source: source.name(),
            ours: ours::Ours::open(&self.engine, ours, column).await?,
            peers: vec![peer],
        })
    }
}

impl Source {
    const ALL: [Source; 4] = [
        Source::Postgres,
        Source::MySql,
        Source::Sqlite,
        Source::Parquet,
    ];

    fn name(self) -> &'static str {
        match self {
            Source::Postgres => "PostgreSQL",
            Source::MySql => "MariaDB",
            Source::Sqlite => "SQLite",
            Source::Parquet => "Parquet",
        }
    }

    /// `invoices` as we name it.
    fn qualified(self) -> String {
        match self {
            Source::Postgres => format!("pg.{SCHEMA}.invoices"),
            Source::MySql => format!("mysql.{SCHEMA}.invoices"),
            Source::Sqlite => "sqlite.main.invoices".to_owned(),
            Source::Parquet => "parquet.files.invoices".to_owned(),
        }
    }

    /// `invoices` as the source names it.
    fn native(self) -> String {
        match self {
            Source::Postgres | Source::MySql => format!("{SCHEMA}.invoices"),
            Source::Sqlite | Source::Parquet => "invoices".to_owned(),
        }
    }

    /// The sum of the amounts in a type that its client reads in one way: PostgreSQL's driver knows
    /// no numeric, and SQLite's `sum` is an integer where all that it adds happen to be whole.
    fn sum(self) -> &'static str {
        match self {
            Source::Postgres => "sum(amount)::text",
            Source::Sqlite => "total(amount)",
            Source::MySql | Source::Parquet => "sum(amount)",
        }
    }
}

/// Every case, in the order of the table of results.
pub async fn all(place: &Place, scale: Scale) -> Result<Vec<Case>> {
    let mut cases = scan::cases(place).await?;
    cases.extend(filter::cases(place, scale).await?);
    cases.extend(aggregate::cases(place).await?);
    cases.extend(join::cases(place).await?);
    Ok(cases)
}
