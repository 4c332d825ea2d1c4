//! The engine: what all sessions share.

use std::fmt::{self, Debug};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use inflowave_config::Limits;
use inflowave_connector_api::Connector;
use inflowave_federation::FederationPlanner;
use inflowave_metastore::{Domain, Metastore};
use inflowave_query_api::{QueryService, Session, SessionStart};
use inflowave_types::{Error, Result, SessionId, SqlState};
use parking_lot::Mutex;

use crate::authority::{Authority, Unrestricted};
use crate::catalog::{CatalogPolicy, CatalogSpec, Catalogs, Opener, store};
use crate::runtime_tables::{Runtime, RuntimeTables};
use crate::session::EngineSession;
use crate::{Extension, Registry};

/// Bytes of stack of each thread that plans or executes.
const CPU_STACK_BYTES: usize = 16 << 20;
/// Consumers named when memory runs out.
const CONSUMERS_NAMED: usize = 5;

/// The tables that the engine keeps in the metastore.
pub const METASTORE_DOMAINS: &[Domain] = &[store::DOMAIN];

/// The two runtimes; their owner is the composition root.
#[derive(Debug, Clone)]
pub struct Runtimes {
    /// Front ends and drivers.
    pub io: tokio::runtime::Handle,
    /// Planning and execution.
    pub cpu: tokio::runtime::Handle,
}

impl Runtimes {
    /// A runtime for planning and execution: as many threads as cores, with large stacks.
    ///
    /// # Errors
    /// `58030` if threads cannot be started.
    pub fn cpu() -> Result<tokio::runtime::Runtime> {
        tokio::runtime::Builder::new_multi_thread()
            .thread_name("inflowave-cpu")
            .thread_stack_size(CPU_STACK_BYTES)
            .enable_all()
            .build()
            .map_err(|e| Error::new(SqlState::IoError, format!("cannot start threads: {e}")))
    }
}

/// What every session shares; a session holds only its own changes.
pub(crate) struct Shared {
    pub base: SessionState,
    pub catalogs: Arc<Catalogs>,
    pub registry: Arc<Registry>,
    pub runtimes: Runtimes,
    pub limits: Limits,
    pub extensions: Vec<Arc<dyn Extension>>,
    pub authority: Arc<dyn Authority>,
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

impl Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("catalogs", &self.shared.catalogs.names())
            .finish_non_exhaustive()
    }
}

/// Puts an engine together.
pub struct EngineBuilder {
    runtimes: Runtimes,
    limits: Limits,
    connectors: Vec<Arc<dyn Connector>>,
    extensions: Vec<Arc<dyn Extension>>,
    policy: CatalogPolicy,
    metastore: Option<Arc<Metastore>>,
    authority: Arc<dyn Authority>,
    sessions_reserved: usize,
    log_statements: bool,
}

impl Engine {
    pub fn builder(runtimes: Runtimes, limits: Limits) -> EngineBuilder {
        EngineBuilder {
            runtimes,
            limits,
            connectors: Vec::new(),
            extensions: Vec::new(),
            policy: CatalogPolicy::default(),
            metastore: None,
            authority: Arc::new(Unrestricted),
            sessions_reserved: 0,
            log_statements: false,
        }
    }

    /// Opens a catalog of the configuration and adds it. A source that is down is added all the
    /// same.
    ///
    /// # Errors
    /// `22023` and `42704` naming the catalog, the parameter and the valid choices.
    pub async fn open_catalog(&self, spec: CatalogSpec) -> Result<()> {
        self.shared.catalogs.open(spec).await
    }

    /// Opens the catalogs and views that SQL has made, once those of the configuration are there.
    /// None of them can keep the server from starting.
    ///
    /// # Errors
    /// Those of the metastore.
    pub async fn restore(&self) -> Result<()> {
        self.shared.catalogs.restore().await
    }

    pub fn catalogs(&self) -> &Catalogs {
        &self.shared.catalogs
    }

    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }
}

#[async_trait]
impl QueryService for Engine {
    async fn open_session(&self, start: SessionStart) -> Result<Box<dyn Session>> {
        let session = EngineSession::open(Arc::clone(&self.shared), start)?;
        Ok(Box::new(session))
    }

    fn cancel(&self, session: SessionId, key: &[u8]) {
        self.shared.registry.cancel(session, key);
    }
}

impl EngineBuilder {
    #[must_use]
    pub fn connectors(mut self, connectors: impl IntoIterator<Item = Arc<dyn Connector>>) -> Self {
        self.connectors.extend(connectors);
        self
    }

    #[must_use]
    pub fn extension(mut self, extension: Arc<dyn Extension>) -> Self {
        self.extensions.push(extension);
        self
    }

    /// What catalogs made by SQL may reach. Without it they reach no file and no secret.
    #[must_use]
    pub fn policy(mut self, policy: CatalogPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Where catalogs and views are kept. Without one they end with the process.
    #[must_use]
    pub fn metastore(mut self, metastore: impl Into<Arc<Metastore>>) -> Self {
        self.metastore = Some(metastore.into());
        self
    }

    /// Who may do what. Without one everyone may do everything.
    #[must_use]
    pub fn authority(mut self, authority: Arc<dyn Authority>) -> Self {
        self.authority = authority;
        self
    }

    /// Sessions that only superusers may open, of all that there may be.
    #[must_use]
    pub fn sessions_reserved(mut self, sessions: usize) -> Self {
        self.sessions_reserved = sessions;
        self
    }

    /// Whether the log holds the texts of statements. They can hold data, so that it does not
    /// unless it is told to.
    #[must_use]
    pub fn log_statements(mut self, log_statements: bool) -> Self {
        self.log_statements = log_statements;
        self
    }

    /// `spill_dir` is where queries write what does not fit into memory.
    ///
    /// # Errors
    /// `58030` if the folder cannot be made; `XX000` for extensions that contradict each other.
    pub fn build(mut self, spill_dir: &Path) -> Result<Engine> {
        let limits = self.limits;
        let registry = Registry::new(limits.sessions_max, limits.history_rows_max)
            .reserving(self.sessions_reserved)
            .logging_statements(self.log_statements);
        let registry = Arc::new(registry);
        let runtime = Arc::new(Runtime {
            registry: Arc::clone(&registry),
            connectors: self.connectors.clone(),
            catalogs: Mutex::default(),
        });
        let tables = RuntimeTables(Arc::clone(&runtime));
        self.extensions.insert(0, Arc::new(tables));
        let system_tables = self.extensions.iter().flat_map(|e| e.system_tables());
        let opener = Opener {
            connectors: self.connectors,
            policy: self.policy,
            metadata_ttl: Duration::from_secs(limits.metadata_ttl_s),
            io: self.runtimes.io.clone(),
        };
        let store = match self.metastore {
            Some(store) => store,
            None => Arc::new(Metastore::in_memory(METASTORE_DOMAINS)?),
        };
        let catalogs = Arc::new(Catalogs::new(
            system_tables.collect(),
            opener,
            store,
            Arc::clone(&self.authority),
        ));
        *runtime.catalogs.lock() = Arc::downgrade(&catalogs);
        let base = base(&limits, spill_dir, &catalogs, &self.extensions)?;
        Ok(Engine {
            shared: Arc::new(Shared {
                base,
                catalogs,
                registry,
                runtimes: self.runtimes,
                limits,
                extensions: self.extensions,
                authority: self.authority,
            }),
        })
    }
}

fn base(
    limits: &Limits,
    spill_dir: &Path,
    catalogs: &Arc<Catalogs>,
    extensions: &[Arc<dyn Extension>],
) -> Result<SessionState> {
    let spill = |e: std::io::Error| {
        Error::new(
            SqlState::IoError,
            format!(
                "cannot use \"{}\" for spill files: {e}",
                spill_dir.display()
            ),
        )
        .with_hint("Set server.data_dir to a folder that can be written.")
    };
    std::fs::create_dir_all(spill_dir).map_err(spill)?;
    let memory = usize::try_from(limits.memory_bytes_max).unwrap_or(usize::MAX);
    let named = std::num::NonZeroUsize::new(CONSUMERS_NAMED).unwrap_or(std::num::NonZeroUsize::MIN);
    let runtime_env = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(TrackConsumersPool::new(
            FairSpillPool::new(memory),
            named,
        )))
        .with_disk_manager_builder(
            DiskManagerBuilder::default()
                .with_mode(DiskManagerMode::Directories(vec![spill_dir.to_owned()]))
                .with_max_temp_directory_size(limits.spill_bytes_max),
        )
        .build_arc()
        .map_err(|e| inflowave_pg_semantics::to_error(&e, ""))?;
    let mut config = inflowave_pg_semantics::configure(SessionConfig::new())
        .with_batch_size(limits.batch_rows)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false);
    config.options_mut().sql_parser.recursion_limit =
        datafusion::common::config::ConfigNonZeroUsize::try_new(limits.statement_depth_max)
            .map_err(|e| inflowave_pg_semantics::to_error(&e, ""))?;
    let mut builder = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(runtime_env)
        .with_catalog_list(Arc::<Catalogs>::clone(catalogs))
        .with_query_planner(Arc::new(FederationPlanner));
    builder = inflowave_pg_semantics::register(builder);
    for extension in extensions {
        for rule in extension.analyzer_rules() {
            builder = builder.with_analyzer_rule(rule);
        }
        let functions = builder.scalar_functions().get_or_insert_default();
        functions.extend(extension.functions());
        let functions = builder.table_functions().get_or_insert_default();
        for function in extension.table_functions() {
            functions.insert(function.name().to_owned(), function);
        }
    }
    Ok(builder.build())
}
