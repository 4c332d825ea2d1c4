//! Puts connectors, engine and front ends together.

use std::net::SocketAddr;
use std::sync::Arc;

use inflowave_config::{Catalog, Config};
use inflowave_engine::{CatalogSpec, Engine, Runtimes};
use inflowave_pg_frontend as pg;
use inflowave_query_api::QueryService;
use inflowave_types::Result;
use tokio_util::sync::CancellationToken;

use crate::output;

/// An engine with every connector of this build and no catalog yet.
pub fn bare(runtimes: Runtimes, config: &Config) -> Result<Engine> {
    Engine::builder(runtimes, config.server.limits.clone())
        .connectors(inflowave_bundle::connectors())
        .build(&config.server.data_dir.join("spill"))
}

/// A configured catalog, as the engine opens it.
pub fn spec(config: &Config, catalog: &Catalog) -> CatalogSpec {
    CatalogSpec {
        name: catalog.name.clone(),
        connector: catalog.connector.clone(),
        params: catalog.params.clone(),
        base_dir: config.base_dir.clone(),
    }
}

/// An engine with every connector of this build and the configured catalogs.
pub async fn engine(runtimes: Runtimes, config: &Config) -> Result<Engine> {
    let engine = bare(runtimes, config)?;
    for catalog in &config.catalogs {
        engine.open_catalog(spec(config, catalog)).await?;
    }
    Ok(engine)
}

/// Listens, says where, and serves until the process is asked to end.
pub async fn serve(engine: Engine, config: &Config, listen: SocketAddr) -> Result<()> {
    let listener = pg::bind(listen).await?;
    let address = listener.local_addr().unwrap_or(listen);
    output::line(&format!("listening for the Postgres wire on {address}"));
    let shutdown = CancellationToken::new();
    let asked = shutdown.clone();
    tokio::spawn(async move {
        asked_to_end().await;
        asked.cancel();
    });
    let limits = pg::Limits {
        message_bytes_max: config.server.limits.statement_bytes_max,
        ..pg::Limits::default()
    };
    let service: Arc<dyn QueryService> = Arc::new(engine);
    pg::serve(listener, service, limits, shutdown).await
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
