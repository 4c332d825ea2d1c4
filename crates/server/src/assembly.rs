//! Puts connectors, engine and front ends together.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use inflowave_access::{Access, AccessStatements, Rule, Superuser};
use inflowave_config::{Catalog, Config, LogFormat};
use inflowave_engine::{
    CatalogPolicy, CatalogSpec, Engine, EngineBuilder, METASTORE_DOMAINS, Runtimes,
};
use inflowave_metastore::{Domain, Metastore};
use inflowave_pg_catalog::PgCatalog;
use inflowave_pg_frontend as pg;
use inflowave_query_api::QueryService;
use inflowave_telemetry as telemetry;
use inflowave_types::{Error, Result, SqlState};
use tokio_util::sync::CancellationToken;

use crate::{configured, output};

/// The tables of the metastore.
pub fn domains() -> Vec<Domain> {
    [METASTORE_DOMAINS, inflowave_access::METASTORE_DOMAINS].concat()
}

/// The rules of the configuration.
///
/// # Errors
/// `F0000` for one that cannot be read.
pub fn rules(config: &Config) -> Result<Vec<Rule>> {
    let rules = config.access.rules.iter().map(|rule| rule.parse::<Rule>());
    rules
        .collect::<Result<_>>()
        .map_err(|e: Error| in_file(config, e))
}

fn in_file(config: &Config, error: Error) -> Error {
    let file = config.file.as_deref().unwrap_or(Path::new("configuration"));
    error.context(file.display())
}

/// The users, roles and grants that the metastore keeps, behind the rules of the configuration.
///
/// # Errors
/// `F0000` for a rule or a password that cannot be read.
pub fn access(config: &Config, metastore: &Arc<Metastore>) -> Result<Arc<Access>> {
    let superuser = superuser(config)?;
    Access::open(
        Arc::clone(metastore),
        rules(config)?,
        superuser.into_iter().collect(),
    )
}

/// The superuser of the configuration.
fn superuser(config: &Config) -> Result<Option<Superuser>> {
    let configured = &config.access;
    let in_file = |e: Error| in_file(config, e);
    let Some(name) = &configured.superuser else {
        return Ok(None);
    };
    let password = configured.superuser_password.as_ref();
    Ok(Some(Superuser {
        name: name.clone(),
        password: password
            .map(|p| config.resolve(p))
            .transpose()
            .map_err(in_file)?,
    }))
}

/// The same for a command in the server's own process and folder: who can read these may do
/// everything.
///
/// # Errors
/// As [`access`].
pub fn access_of_command(
    config: &Config,
    metastore: &Arc<Metastore>,
    user: &str,
) -> Result<Arc<Access>> {
    let mut superusers: Vec<Superuser> = superuser(config)?.into_iter().collect();
    if superusers.iter().all(|s| s.name != user) {
        superusers.push(Superuser {
            name: user.to_owned(),
            password: None,
        });
    }
    Access::open(Arc::clone(metastore), Vec::new(), superusers)
}

/// The name of who runs a command.
pub fn own_user() -> String {
    std::env::var("USER").unwrap_or_else(|_| "inflowave".to_owned())
}

fn builder(runtimes: Runtimes, config: &Config) -> EngineBuilder {
    Engine::builder(runtimes, config.server.limits.clone())
        .connectors(inflowave_bundle::connectors())
        .extension(Arc::new(PgCatalog::default()))
        .log_statements(config.log.statements)
        .sessions_reserved(config.server.limits.sessions_reserved)
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

/// An engine with every connector of this build, the configured catalogs, what `metastore` keeps, and
/// `access` over all of them; without it everyone may do everything.
pub async fn engine(
    runtimes: Runtimes,
    config: &Config,
    metastore: Arc<Metastore>,
    access: Option<Arc<Access>>,
) -> Result<Engine> {
    let connectors = inflowave_bundle::connectors();
    for catalog in &config.catalogs {
        configured::check(config, catalog, &connectors)?;
    }
    let mut builder = builder(runtimes, config).metastore(metastore);
    if let Some(access) = access {
        builder = builder
            .extension(Arc::new(AccessStatements(Arc::clone(&access))))
            .authority(access);
    }
    let engine = builder.build(&config.server.data_dir.join("spill"))?;
    for catalog in &config.catalogs {
        open(&engine, config, catalog).await?;
    }
    engine.restore().await?;
    Ok(engine)
}

/// The metastore of a server: nobody else writes to it.
pub fn metastore(config: &Config) -> Result<Arc<Metastore>> {
    Metastore::open(&config.server.data_dir, &domains()).map(Arc::new)
}

/// The same for a command: beside a running server it reads what that one keeps.
pub fn metastore_or_reader(config: &Config) -> Result<Arc<Metastore>> {
    let dir = &config.server.data_dir;
    let opened = match Metastore::open(dir, &domains()) {
        Err(held) if held.sqlstate() == SqlState::ObjectInUse => {
            Metastore::open_read_only(dir, &domains())
        }
        other => other,
    };
    opened.map(Arc::new)
}

/// Listens, says where, and serves until the process is asked to end.
pub async fn serve(
    engine: Engine,
    config: &Config,
    door: pg::Door,
    listen: SocketAddr,
) -> Result<()> {
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
    let served = pg::serve(listener, service, door, limits, shutdown).await;
    tracing::info!("server stopped");
    served
}

/// Who comes in, as it is configured.
///
/// # Errors
/// `F0000` for certificates that cannot be read.
pub fn door(config: &Config, access: Arc<Access>) -> Result<pg::Door> {
    Ok(pg::Door {
        authenticator: access,
        tls: tls(config)?.map(Arc::new),
    })
}

/// # Errors
/// `F0000` naming the file that cannot be read.
pub fn tls(config: &Config) -> Result<Option<pg::Tls>> {
    let tls = &config.tls;
    match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => pg::Tls::load(pg::TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            client_authorities: tls.client_authorities.clone(),
        })
        .map(Some),
        (None, None) if tls.client_authorities.is_none() => Ok(None),
        _ => {
            let error = Error::new(
                SqlState::ConfigFileError,
                "[tls] has to have both certificate and key",
            );
            Err(in_file(config, error).with_hint("Each is the path of a file in PEM."))
        }
    }
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
