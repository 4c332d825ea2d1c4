//! An engine for tests: the two runtimes live as long as the test binary.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use inflowave_config::{Limits, Secrets};
use inflowave_connector_api::Connector;
use inflowave_engine::{CatalogPolicy, CatalogSpec, Engine, METASTORE_DOMAINS, Runtimes};
use inflowave_metastore::Metastore;
use inflowave_pg_catalog::PgCatalog;
use inflowave_pg_frontend as pg;
use inflowave_query_api::{QueryService, Session, SessionStart};
use inflowave_testkit::provision;
use inflowave_types::{Error, Result, Secret, SqlState};
use tokio::runtime::Runtime;
use tokio_postgres::{CancelToken, Client, NoTls};
use tokio_util::sync::CancellationToken;

/// How long a state is waited for before a test fails.
pub const DEADLINE: Duration = Duration::from_secs(30);

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
    engine_of(limits, inflowave_bundle::connectors())
}

/// An engine with these connectors and no catalog.
pub fn engine_of(limits: Limits, connectors: Vec<Arc<dyn Connector>>) -> Result<Engine> {
    let (io, cpu) = runtimes();
    let runtimes = Runtimes {
        io: io.handle().clone(),
        cpu: cpu.handle().clone(),
    };
    Engine::builder(runtimes, limits)
        .connectors(connectors)
        .extension(Arc::new(PgCatalog::default()))
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

/// A server that keeps what SQL makes: its store is `DIR/data`, and catalogs made by SQL may read
/// files of `DIR` and the bucket `allowed` of the stand-in for S3. What ran before over the same folder is waited for.
pub async fn keeping(
    dir: &Path,
    limits: Limits,
    configured: &[(&str, provision::CatalogSpec)],
) -> Engine {
    let (io, cpu) = runtimes();
    let runtimes = Runtimes {
        io: io.handle().clone(),
        cpu: cpu.handle().clone(),
    };
    let data_dir = dir.join("data");
    let deadline = Instant::now() + DEADLINE;
    let metastore = loop {
        match Metastore::open(&data_dir, METASTORE_DOMAINS) {
            Ok(metastore) => break metastore,
            Err(e) if e.sqlstate() == SqlState::ObjectInUse && Instant::now() < deadline => {
                tokio::task::yield_now().await;
            }
            Err(e) => panic!("{e:?}"),
        }
    };
    let engine = Engine::builder(runtimes, limits)
        .connectors(inflowave_bundle::connectors())
        .extension(Arc::new(PgCatalog::default()))
        .metastore(metastore)
        .policy(CatalogPolicy {
            secrets: Secrets {
                file_roots: vec![dir.to_owned()],
                ..Secrets::default()
            },
            file_roots: vec![dir.to_owned()],
            url_roots: ["s3://allowed", "postgres://", "mysql://"]
                .map(str::to_owned)
                .into_iter()
                .chain(std::env::var("INFLOWAVE_TEST_S3"))
                .collect(),
            data_dir: Some(data_dir.clone()),
            base_dir: dir.to_owned(),
            config_file: Some(dir.join("inflowave.toml")),
        })
        .build(&data_dir.join("spill"))
        .unwrap();
    for (name, spec) in configured {
        open(&engine, name, spec).await.unwrap();
    }
    engine.restore().await.unwrap();
    engine
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

/// A service on a port of its own; it stops listening when dropped.
pub struct Listening {
    pub address: SocketAddr,
    shutdown: CancellationToken,
}

impl Listening {
    pub async fn start(service: Arc<dyn QueryService>) -> Listening {
        let listener = pg::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let until = shutdown.clone();
        tokio::spawn(pg::serve(
            listener,
            service,
            pg::Door::open(),
            pg::Limits::default(),
            until,
        ));
        Listening { address, shutdown }
    }

    pub async fn connect(&self, database: &str) -> Client {
        let port = self.address.port();
        let place = format!("host=127.0.0.1 port={port} user=tester dbname={database}");
        let (client, connection) = tokio_postgres::connect(&place, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

/// Cancels what a connection runs, until something is cancelled: the server ignores a request that
/// comes before the query. It never ends.
pub async fn cancelling(token: &CancelToken) {
    loop {
        token.cancel_query(NoTls).await.unwrap();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
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

/// The same with NULL as `-` and cells separated by `|`.
pub async fn lines(session: &mut dyn Session, sql: &str) -> Vec<String> {
    let rows = texts(session, sql)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    rows.into_iter()
        .map(|row| {
            let cells: Vec<_> = row
                .into_iter()
                .map(|c| c.unwrap_or_else(|| "-".to_owned()))
                .collect();
            cells.join("|")
        })
        .collect()
}

/// The error of a statement.
pub async fn error(session: &mut dyn Session, sql: &str) -> Error {
    match texts(session, sql).await {
        Ok(rows) => panic!("{sql}: no error but {rows:?}"),
        Err(error) => error,
    }
}
