//! InfloWave in process: the session that every front end uses, its batches drained.

use std::path::Path;

use async_trait::async_trait;
use inflowave_config::Limits;
use inflowave_engine::{CatalogSpec, Engine, Runtimes};
use inflowave_query_api::{QueryService, Session, SessionStart};
use inflowave_types::Secret;

use super::{Answer, Reader, arrow};
use crate::{Result, Servers, data};

pub struct Ours {
    session: Box<dyn Session>,
    sql: String,
    column: usize,
}

impl Ours {
    /// Runs `sql` and checks `column` of its rows.
    pub async fn open(engine: &Engine, sql: String, column: usize) -> Result<Box<dyn Reader>> {
        let session = engine
            .open_session(SessionStart {
                user: "bench".to_owned(),
                client: "in process".to_owned(),
                protocol: "command",
                ..SessionStart::default()
            })
            .await?;
        Ok(Box::new(Ours {
            session,
            sql,
            column,
        }))
    }
}

#[async_trait]
impl Reader for Ours {
    fn name(&self) -> &'static str {
        "InfloWave"
    }

    async fn read(&mut self) -> Result<Answer> {
        let mut answer = Answer::default();
        for statement in self.session.split(&self.sql)? {
            let prepared = self.session.prepare(&statement, None).await?;
            let mut portal = self.session.execute(prepared).await?;
            while let Some(batch) = portal.next().await? {
                arrow::add(&mut answer, &batch, self.column)?;
            }
        }
        Ok(answer)
    }
}

/// The engine with the catalogs `pg`, `mysql`, `sqlite` and `parquet`, with the limits of a server
/// that is configured with nothing.
pub async fn engine(servers: &Servers, folder: &Path, runtimes: Runtimes) -> Result<Engine> {
    let engine = Engine::builder(runtimes, Limits::default())
        .connectors(inflowave_bundle::connectors())
        .build(&folder.join("spill"))?;
    let path = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    for (name, connector, param, value) in [
        ("pg", "postgres", "url", servers.postgres.clone()),
        ("mysql", "mysql", "url", servers.mysql.clone()),
        ("sqlite", "sqlite", "path", path(data::sqlite_file(folder))),
        (
            "parquet",
            "files",
            "path",
            path(data::parquet_folder(folder)),
        ),
    ] {
        engine
            .open_catalog(CatalogSpec {
                name: name.to_owned(),
                connector: connector.to_owned(),
                params: vec![(param.to_owned(), Secret::new(value))],
                base_dir: folder.to_owned(),
            })
            .await?;
    }
    Ok(engine)
}
