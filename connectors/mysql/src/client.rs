//! The pool of sessions of one catalog, and the way to stop what one of them runs.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, PoolError, RecycleError, TimeoutType};
use inflowave_dialect::MySql;
use inflowave_types::{Error, Result, SqlState};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Row, Statement, Value};
use tokio_util::task::AbortOnDropHandle;

use crate::error::Speaker;
use crate::params::Settings;
use crate::session::Session;

/// The largest row that is read.
pub const ROW_BYTES_MAX: usize = 256 << 20;

/// A connection that lay longer than this is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(1);

/// A question about metadata must be answered within this time.
const METADATA_TIMEOUT: Duration = Duration::from_secs(60);

/// A pooled session. Dropped, it goes back into the pool, or is cut off if it is not
/// [`Session::clean`].
pub struct Lease {
    /// `None` only while it is being dropped.
    object: Option<managed::Object<Manager>>,
}

/// All connections of one catalog.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    pool: managed::Pool<Manager>,
}

/// What every connection needs to know.
pub struct Shared {
    pub catalog: String,
    pub settings: Settings,
    pub io: tokio::runtime::Handle,
    opts: Opts,
    /// As the last new session found it.
    pub dialect: RwLock<MySql>,
}

impl Client {
    /// A pool without a connection in it.
    ///
    /// # Errors
    /// `XX000` if the pool cannot be built.
    pub fn new(catalog: String, settings: Settings, io: tokio::runtime::Handle) -> Result<Client> {
        let opts = OptsBuilder::default()
            .ip_or_hostname(settings.host.clone())
            .tcp_port(settings.port)
            .user(settings.user.clone())
            .pass(settings.password.as_ref().map(|p| p.reveal().to_owned()))
            .db_name(settings.database.clone())
            .tcp_keepalive(Some(Duration::from_secs(60)))
            // A hop to a local socket would leave the address that the user wrote.
            .prefer_socket(false)
            // Given here, they cost no question at login; 0 seconds is: never expires by itself.
            .max_allowed_packet(Some(ROW_BYTES_MAX))
            .wait_timeout(Some(0))
            .stmt_cache_size(16);
        let zero_dates_null = settings.mapping.zero_dates_null;
        let shared = Arc::new(Shared {
            catalog,
            opts: opts.into(),
            io,
            settings,
            dialect: RwLock::new(MySql {
                zero_dates_null,
                ..MySql::default()
            }),
        });
        let pool = managed::Pool::builder(Manager {
            shared: Arc::clone(&shared),
        })
        .max_size(shared.settings.pool_size_max)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(shared.settings.acquire_timeout))
        .recycle_timeout(Some(shared.settings.connect_timeout))
        .build()
        .map_err(|e| Error::internal(e.to_string()))?;
        Ok(Client { shared, pool })
    }

    pub fn speaker(&self) -> Speaker<'_> {
        self.shared.speaker()
    }

    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// What is known of the server's dialect: nothing before the first session.
    pub fn dialect(&self) -> MySql {
        let known = self.shared.dialect.read();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn catalog(&self) -> &str {
        &self.shared.catalog
    }

    pub fn io(&self) -> &tokio::runtime::Handle {
        &self.shared.io
    }

    /// A free session, or a new one. To be called on the I/O runtime.
    ///
    /// # Errors
    /// `08001`, `08004`; `53300` if no session became free in time.
    pub async fn acquire(&self) -> Result<Lease> {
        let waited = |what: &str| {
            self.speaker()
                .say(
                    SqlState::TooManyConnections,
                    format!(
                        "{what} within {} ms",
                        self.settings().acquire_timeout.as_millis()
                    ),
                )
                .with_hint("Raise pool_size_max or acquire_timeout_ms of the catalog.")
                .retryable()
        };
        match self.pool.get().await {
            Ok(object) => Ok(Lease {
                object: Some(object),
            }),
            Err(PoolError::Backend(error)) => Err(error),
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(waited(&format!(
                "none of its {} connections became free",
                self.settings().pool_size_max
            ))),
            Err(other) => Err(Error::internal(other.to_string())),
        }
    }

    /// A session and `sql` prepared on it. A pooled connection that turns out to be dead says
    /// nothing of the server, so then the others are let go too and a new one is tried.
    ///
    /// # Errors
    /// As of [`Client::acquire`] and of the server.
    pub async fn prepared(&self, sql: &str) -> Result<(Lease, Statement)> {
        let mut lease = self.acquire().await?;
        let first = lease.session()?.prepare(sql).await;
        if !lease.session()?.clean {
            drop(lease);
            self.pool.retain(|_, _| false);
            lease = self.acquire().await?;
            let second = lease.session()?.prepare(sql).await;
            return Ok((lease, second?));
        }
        Ok((lease, first?))
    }

    /// Rows of a small question, read at once.
    ///
    /// # Errors
    /// As of [`Client::acquire`] and of the server.
    pub async fn rows(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>> {
        let client = self.clone();
        self.on_io(METADATA_TIMEOUT, async move {
            let (mut lease, statement) = client.prepared(sql).await?;
            let session = lease.session()?;
            session.clean = false;
            let rows = session.conn()?.exec::<Row, _, _>(&statement, params).await;
            session.clean = matches!(rows, Ok(_) | Err(mysql_async::Error::Server(_)));
            rows.map_err(|e| client.speaker().running(&e))
        })
        .await
    }

    /// # Errors
    /// `08001`, `08004`, `08006`, `53300`.
    pub async fn ping(&self) -> Result<()> {
        let client = self.clone();
        let deadline = self.settings().connect_timeout + self.settings().acquire_timeout;
        self.on_io(deadline, async move {
            let mut lease = client.acquire().await?;
            lease.session()?.clean = false;
            let answer = lease.session()?.conn()?.ping().await;
            lease.session()?.clean = answer.is_ok();
            answer.map_err(|e| client.speaker().running(&e))
        })
        .await
    }

    /// Runs `work` on the I/O runtime, where the sockets live; dropping the future stops it.
    async fn on_io<T: Send + 'static>(
        &self,
        deadline: Duration,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let work = self.io().spawn(tokio::time::timeout(deadline, work));
        match AbortOnDropHandle::new(work).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(self
                .speaker()
                .lost(&format!("no answer within {} ms", deadline.as_millis()))),
            Err(join) => Err(Error::internal(format!(
                "a task of the driver ended: {join}"
            ))),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("catalog", &self.shared.catalog)
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub fn speaker(&self) -> Speaker<'_> {
        Speaker {
            catalog: &self.catalog,
            settings: &self.settings,
        }
    }

    /// A connection as the server gives it.
    async fn connect(&self) -> Result<Conn> {
        let deadline = self.settings.connect_timeout;
        match tokio::time::timeout(deadline, Conn::new(self.opts.clone())).await {
            Ok(connected) => connected.map_err(|e| self.speaker().connecting(&e)),
            Err(_) => Err(self
                .speaker()
                .unreachable(&format!("no answer within {} ms", deadline.as_millis()))),
        }
    }

    /// Stops what the connection `id` runs, over another one outside of the pool.
    pub async fn kill_query(&self, id: u32) -> Result<()> {
        let mut conn = self.connect().await?;
        // Without such a thread the query has ended by itself (1094), and that was the wish.
        match conn.query_drop(format!("KILL QUERY {id}")).await {
            Ok(()) => {}
            Err(mysql_async::Error::Server(e)) if e.code == 1094 => {}
            Err(e) => return Err(self.speaker().running(&e)),
        }
        conn.disconnect()
            .await
            .map_err(|e| self.speaker().running(&e))
    }
}

/// Makes and checks sessions for the pool.
pub struct Manager {
    shared: Arc<Shared>,
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session> {
        let conn = self.shared.connect().await?;
        let mut session = Session::new(conn, Arc::clone(&self.shared));
        let deadline = self.shared.settings.connect_timeout;
        match tokio::time::timeout(deadline, session.set_up()).await {
            Ok(Ok(())) => Ok(session),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(self
                .shared
                .speaker()
                .unreachable("the server did not answer the set-up of the session")),
        }
    }

    async fn recycle(
        &self,
        session: &mut Session,
        metrics: &Metrics,
    ) -> managed::RecycleResult<Error> {
        if !session.clean || session.conn()?.is_disconnected() {
            return Err(RecycleError::message("the session was left in mid-query"));
        }
        if metrics.last_used() > PING_AFTER {
            let conn = session.conn()?;
            conn.ping()
                .await
                .map_err(|e| RecycleError::Backend(self.shared.speaker().running(&e)))?;
        }
        Ok(())
    }
}

impl Lease {
    pub fn session(&mut self) -> Result<&mut Session> {
        self.object
            .as_deref_mut()
            .ok_or_else(|| Error::internal("a lease without a session"))
    }

    /// Stops the query that runs on it, and then the connection: what is left of the result is
    /// never read. Its place in the pool stays taken until the source has let go.
    pub async fn kill(mut self) {
        let Ok(session) = self.session() else { return };
        session.clean = false;
        let shared = Arc::clone(session.shared());
        let Ok(id) = session.conn().map(|conn| conn.id()) else {
            return;
        };
        let deadline = shared.settings.connect_timeout * 2;
        match tokio::time::timeout(deadline, shared.kill_query(id)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(catalog = %shared.catalog, connection = id, %error, "the query at the source could not be cancelled");
            }
            Err(_) => {
                tracing::warn!(catalog = %shared.catalog, connection = id, "cancelling the query at the source timed out");
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.object.take()
            && !object.clean
        {
            drop(managed::Object::take(object));
        }
    }
}
