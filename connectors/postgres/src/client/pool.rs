//! The pool of one source's sessions. It is empty until a query wants one.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, Object, PoolError, RecycleError, RecycleResult, TimeoutType,
};
use inflowave_types::{Error, Result, SqlState};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::session::{Server, Session};
use crate::error::Site;
use crate::params::Settings;

/// A session lent by the pool.
pub(crate) type Pooled = Object<Sessions>;

/// A session that rested longer is asked before it is used: a firewall may have forgotten it.
const REST_MAX: Duration = Duration::from_secs(10);

pub(crate) struct Pool {
    pool: managed::Pool<Sessions>,
    site: Site,
    size_max: usize,
    acquire_timeout: Duration,
    server: Arc<OnceLock<Server>>,
}

impl Pool {
    pub(crate) fn new(settings: Settings, site: Site, io: Handle) -> Pool {
        let (size_max, acquire_timeout) = (settings.pool_size_max, settings.acquire_timeout);
        let server = Arc::new(OnceLock::new());
        let sessions = Sessions {
            settings,
            site: site.clone(),
            io,
            server: Arc::clone(&server),
        };
        // Connecting and checking have time limits of their own, with messages of their own.
        let pool = managed::Pool::builder(sessions)
            .max_size(size_max)
            .wait_timeout(Some(acquire_timeout))
            .queue_mode(managed::QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build();
        Pool {
            // The only error of the builder is a time limit without a runtime.
            pool: pool.unwrap_or_else(|e| unreachable!("{e}")),
            site,
            size_max,
            acquire_timeout,
            server,
        }
    }

    /// What the first session that was opened learned of the server; nothing before.
    pub(crate) fn server(&self) -> Server {
        self.server.get().copied().unwrap_or_default()
    }

    /// # Errors
    /// `08001`, `08004`; `53300` if none is free in time.
    pub(crate) async fn get(&self) -> Result<Pooled> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(TimeoutType::Wait) => self
                .site
                .error(
                    SqlState::TooManyConnections,
                    format_args!(
                        "all {} connections were in use for {} ms",
                        self.size_max,
                        self.acquire_timeout.as_millis()
                    ),
                )
                .with_hint("Raise \"pool_size_max\" or \"acquire_timeout_ms\" of the catalog.")
                .retryable(),
            other => self.site.error(SqlState::InternalError, other),
        })
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.pool.status().size
    }
}

/// Opens and checks sessions for the pool.
pub(crate) struct Sessions {
    settings: Settings,
    site: Site,
    io: Handle,
    server: Arc<OnceLock<Server>>,
}

impl managed::Manager for Sessions {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session> {
        let session = Session::open(&self.settings, &self.site, &self.io).await?;
        self.server.get_or_init(|| session.server);
        Ok(session)
    }

    async fn recycle(&self, session: &mut Session, metrics: &Metrics) -> RecycleResult<Error> {
        session.used = true;
        if session.client.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        if session.suspect || metrics.last_used() > REST_MAX {
            session.suspect = true;
            match timeout(self.settings.connect_timeout, session.check()).await {
                Ok(Ok(())) => session.suspect = false,
                _ => return Err(RecycleError::message("does not answer")),
            }
        }
        Ok(())
    }
}
