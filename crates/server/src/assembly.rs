//! Puts connectors, engine and front ends together.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use inflowave_config::{Catalog, Config, LogFormat};
use inflowave_engine::{
    CatalogPolicy, CatalogSpec, Engine, EngineBuilder, METASTORE_DOMAINS, Runtimes,
};
use inflowave_metastore::Metastore;
use inflowave_pg_catalog::PgCatalog;
use inflowave_pg_frontend as pg;
use inflowave_query_api::QueryService;
use inflowave_telemetry as telemetry;
use inflowave_types::{Error, Result, SqlState};
use tokio_util::sync::CancellationToken;

use crate::{configured, output};

fn builder(runtimes: Runtimes, config: &Config) -> EngineBuilder {
    Engine::builder(runtimes, config.server.limits.clone())
        .connectors(inflowave_bundle::connectors())
        .extension(Arc::new(PgCatalog::default()))
        .log_statements(config.log.statements)
        .policy(CatalogPolicy {
            secrets: config.secrets.clone(),
            file_roots: config.server.file_roots.clone(),
            url_roots: config.server.url_roots.clone(),
            data_dir: Some(config.server.data_dir.clone()),
            base_dir: config.base_dir.clone(),
            config_file: config.file.clone(),
        })
}

/// Starts the log as it is configured; `filter` is for a configuration that says nothing of it.
///
/// # Errors
/// `F0000` for a filter that cannot be read.
pub fn start_log(config: &Config, filter: &str) -> Result<()> {
    let configured = &config.log.filter;
    if !configured.is_empty() {
        telemetry::filter(configured).map_err(|e| {
            let file = config.file.as_deref().unwrap_or(Path::new("configuration"));
            Error::new(
                SqlState::ConfigFileError,
                format!("{}: log.filter: {}", file.display(), e.message()),
            )
            .with_hint(e.hint().unwrap_or_default())
        })?;
    }
    telemetry::start(&telemetry::Log {
        format: match config.log.format {
            LogFormat::Text => telemetry::Format::Text,
            LogFormat::Json => telemetry::Format::Json,
        },
        filter: match configured.as_str() {
            "" => filter.to_owned(),
            configured => configured.to_owned(),
        },
    })
}

/// An engine with every connector of this build and no catalog yet.
pub fn bare(runtimes: Runtimes, config: &Config) -> Result<Engine> {
    builder(runtimes, config).build(&config.server.data_dir.join("spill"))
}

/// Opens a configured catalog.
///
/// # Errors
/// `22023` for a parameter that can never work, with the place of its section in the file.
pub async fn open(engine: &Engine, config: &Config, catalog: &Catalog) -> Result<()> {
    let spec = CatalogSpec {
        name: catalog.name.clone(),
        connector: catalog.connector.clone(),
        params: catalog.params.clone(),
        base_dir: config.base_dir.clone(),
    };
    let opened = engine.open_catalog(spec).await;
    opened.map_err(|e| e.context(config.place(catalog.line)))
}

/// An engine with every connector of this build, the configured catalogs, and what `metastore`
/// keeps.
pub async fn engine(runtimes: Runtimes, config: &Config, metastore: Metastore) -> Result<Engine> {
    let connectors = inflowave_bundle::connectors();
    for catalog in &config.catalogs {
        configured::check(config, catalog, &connectors)?;
    }
    let engine = builder(runtimes, config)
        .metastore(metastore)
        .build(&config.server.data_dir.join("spill"))?;
    for catalog in &config.catalogs {
        open(&engine, config, catalog).await?;
    }
    engine.restore().await?;
    Ok(engine)
}

/// The metastore of a server: nobody else writes to it.
pub fn metastore(config: &Config) -> Result<Metastore> {
    Metastore::open(&config.server.data_dir, METASTORE_DOMAINS)
}

/// The same for a command: beside a running server it reads what that one keeps.
pub fn metastore_or_reader(config: &Config) -> Result<Metastore> {
    let dir = &config.server.data_dir;
    match Metastore::open(dir, METASTORE_DOMAINS) {
        Err(held) if held.sqlstate() == SqlState::ObjectInUse => {
            Metastore::open_read_only(dir, METASTORE_DOMAINS)
        }
        other => other,
    }
}

/// Listens, says where, and serves until the process is asked to end.
pub async fn serve(engine: Engine, config: &Config, listen: SocketAddr) -> Result<()> {
    let listener = pg::bind(listen).await?;
    let address = listener.local_addr().unwrap_or(listen);
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "server started");
    output::line(&format!("listening for the Postgres wire on {address}"));
    let shutdown = CancellationToken::new();
    let asked = shutdown.clone();
    tokio::spawn(async move {
        asked_to_end().await;
        tracing::info!("server asked to stop");
        asked.cancel();
    });
    let limits = pg::Limits {
        message_bytes_max: config.server.limits.statement_bytes_max,
        ..pg::Limits::default()
    };
    let service: Arc<dyn QueryService> = Arc::new(engine);
    let served = pg::serve(listener, service, limits, shutdown).await;
    tracing::info!("server stopped");
    served
}

async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
