//! The listener: binding, accepting, one task per connection, an orderly end.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use inflowave_query_api::QueryService;
use inflowave_types::{Error, Result, SqlState};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connection::{self, Served};
use crate::limits::{Door, Limits};

/// How long the accept loop rests after an error such as "too many open files".
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens; port 0 lets the system choose.
///
/// # Errors
/// `58030` if the system refuses.
pub async fn bind(addr: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(addr).await.map_err(|e| {
        Error::new(
            SqlState::IoError,
            format!("cannot listen on {addr} for the Postgres wire: {e}"),
        )
        .with_hint("Choose another address with pg_listen; port 0 takes a free port.")
    })
}

/// Serves connections until `shutdown` is cancelled, then ends those that are left.
pub async fn serve(
    listener: TcpListener,
    service: Arc<dyn QueryService>,
    door: Door,
    limits: Limits,
    shutdown: CancellationToken,
) -> Result<()> {
    let mut handshakes = Handshakes::new(&limits);
    let (door, limits) = (Arc::new(door), Arc::new(limits));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => {
                report(ended);
                continue;
            }
            accepted = accept(&listener, &mut handshakes) => accepted,
        };
        match accepted {
            Ok((stream, peer, handshake)) => {
                tune(&stream, &limits);
                let served = Served {
                    peer,
                    service: Arc::clone(&service),
                    door: Arc::clone(&door),
                    limits: Arc::clone(&limits),
                    shutdown: shutdown.child_token(),
                    handshake,
                };
                connections.spawn(connection::run(stream, served));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let drained = tokio::time::timeout(limits.shutdown_grace, async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    });
    if drained.await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "connections did not end in time"
        );
        connections.shutdown().await;
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    handshakes: &mut Handshakes,
) -> std::io::Result<(TcpStream, SocketAddr, Arc<Handshake>)> {
    let permit = handshakes.room().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, handshakes.begin(permit)))
}

/// A connection that has no session yet.
pub struct Handshake {
    /// Cancelled if it takes long while others wait.
    pub give_way: CancellationToken,
    begun: Instant,
    _permit: OwnedSemaphorePermit,
}

/// Those that there are, the oldest first: some may have ended.
struct Handshakes {
    places: Arc<Semaphore>,
    all: VecDeque<Weak<Handshake>>,
    patience: Duration,
}

impl Handshakes {
    fn new(limits: &Limits) -> Handshakes {
        Handshakes {
            places: Arc::new(Semaphore::new(limits.handshakes_max.max(1))),
            all: VecDeque::new(),
            patience: limits.handshake_patience,
        }
    }

    fn begin(&mut self, permit: OwnedSemaphorePermit) -> Arc<Handshake> {
        let handshake = Arc::new(Handshake {
            give_way: CancellationToken::new(),
            begun: Instant::now(),
            _permit: permit,
        });
        self.all.retain(|known| known.strong_count() > 0);
        self.all.push_back(Arc::downgrade(&handshake));
        handshake
    }

    /// A place for one more. While all are taken, who has taken long gives way: connections that say
    /// nothing keep nobody out for long. May be dropped at any time.
    async fn room(&mut self) -> Result<OwnedSemaphorePermit, tokio::sync::AcquireError> {
        loop {
            let place = Arc::clone(&self.places).acquire_owned();
            let oldest = self.all.iter().find_map(Weak::upgrade);
            let Some(oldest) = oldest.filter(|oldest| !oldest.give_way.is_cancelled()) else {
                return place.await;
            };
            let patience = oldest.begun + self.patience;
            let give_way = oldest.give_way.clone();
            // Not held here: its place would not be given back.
            drop(oldest);
            tokio::select! {
                biased;
                place = place => return place,
                () = tokio::time::sleep_until(patience) => give_way.cancel(),
            }
        }
    }
}

/// A refused socket option costs latency or a late notice of a dead host, never an answer.
fn tune(stream: &TcpStream, limits: &Limits) {
    let keepalive = TcpKeepalive::new()
        .with_time(limits.keepalive)
        .with_interval(Duration::from_secs(10));
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&keepalive) {
        tracing::debug!(%error, "no TCP keepalive");
    }
}

fn report(ended: Result<(), JoinError>) {
    match ended {
        Err(error) if error.is_panic() => tracing::error!(%error, "a connection's task panicked"),
        _ => {}
    }
}
