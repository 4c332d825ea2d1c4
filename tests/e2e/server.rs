//! An engine for tests: the two runtimes live as long as the test binary.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use inflowave_config::Limits;
use inflowave_engine::{CatalogSpec, Engine, Runtimes};
use inflowave_query_api::{QueryService, Session, SessionStart};
use inflowave_testkit::provision;
use inflowave_types::{Result, Secret};
use tokio::runtime::Runtime;

fn runtimes() -> &'static (Runtime, Runtime) {
    static RUNTIMES: OnceLock<(Runtime, Runtime)> = OnceLock::new();
    RUNTIMES.get_or_init(|| {
        let io = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        (io, Runtimes::cpu().unwrap())
    })
}

/// Runs a test where drivers and front ends run.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    runtimes().0.block_on(test)
}

/// An engine with every connector and no catalog.
pub fn engine(limits: Limits) -> Result<Engine> {
    let (io, cpu) = runtimes();
    let runtimes = Runtimes {
        io: io.handle().clone(),
        cpu: cpu.handle().clone(),
    };
    Engine::builder(runtimes, limits)
        .connectors(inflowave_bundle::connectors())
        .build(&std::env::temp_dir().join("inflowave-test-spill"))
}

/// Opens one catalog as `inflowave.toml` would.
pub async fn open(engine: &Engine, name: &str, spec: &provision::CatalogSpec) -> Result<()> {
    let params = spec
        .params
        .iter()
        .map(|(k, v)| (k.clone(), Secret::new(v.clone())));
    engine
        .open_catalog(CatalogSpec {
            name: name.to_owned(),
            connector: spec.connector.to_owned(),
            params: params.collect(),
            base_dir: PathBuf::from("."),
        })
        .await
}

/// What the testkit asks for.
pub async fn service(
    catalogs: Vec<(String, provision::CatalogSpec)>,
) -> Result<Arc<dyn QueryService>> {
    let engine = engine(Limits::default())?;
    for (name, spec) in &catalogs {
        open(&engine, name, spec).await?;
    }
    Ok(Arc::new(engine))
}

/// A session of `database`.
pub async fn session(service: &dyn QueryService, database: &str) -> Box<dyn Session> {
    service
        .open_session(SessionStart {
            user: "tester".to_owned(),
            database: Some(database.to_owned()),
            client: "in process".to_owned(),
            protocol: "command",
            ..SessionStart::default()
        })
        .await
        .unwrap()
}

/// The rows of a statement as texts, NULL as `None`.
pub async fn texts(session: &mut dyn Session, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    use inflowave_pg_frontend::encode::{TextFormat, text};
    let mut rows = Vec::new();
    for statement in session.split(sql)? {
        let prepared = session.prepare(&statement, None).await?;
        let mut portal = session.execute(prepared).await?;
        while let Some(batch) = portal.next().await? {
            for row in 0..batch.num_rows() {
                let mut cells = Vec::new();
                for column in batch.columns() {
                    let mut cell = String::new();
                    let there = text::cell(column, row, &TextFormat::default(), &mut cell)?;
                    cells.push(there.then_some(cell));
                }
                rows.push(cells);
            }
        }
    }
    Ok(rows)
}
