//! `inflowave serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    let metastore = assembly::metastore(&config)?;
    let access = assembly::access(&config, &metastore)?;
    let door = assembly::door(&config, Arc::clone(&access))?;
    let nobody = !access.can_anybody_log_in();
    let engine = assembly::engine(runtimes, &config, metastore, Some(access)).await?;
    if nobody {
        tracing::warn!(
            "nobody can log in: name a superuser in [access], or stop the server and run \
             inflowave sql \"CREATE USER name SUPERUSER PASSWORD '..'\""
        );
    }
    assembly::serve(engine, &config, door, listen).await
}
