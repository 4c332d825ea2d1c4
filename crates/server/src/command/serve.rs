//! `inflowave serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use inflowave_config::Config;
use inflowave_engine::Runtimes;
use inflowave_telemetry as telemetry;
use inflowave_types::Result;

use crate::assembly;

pub async fn serve(
    runtimes: Runtimes,
    config: &Path,
    data_dir: Option<PathBuf>,
    pg_listen: Option<SocketAddr>,
) -> Result<()> {
    let mut config = Config::read(config)?;
    assembly::start_log(&config, telemetry::SERVER_FILTER)?;
    if let Some(dir) = data_dir {
        config.server.data_dir = dir;
    }
    let listen = pg_listen.unwrap_or(config.server.pg_listen);
    let engine = assembly::engine(runtimes, &config, assembly::metastore(&config)?).await?;
    assembly::serve(engine, &config, listen).await
}
