//! The listener: binding, accepting, one task per connection, an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use inflowave_query_api::QueryService;
use inflowave_types::{Error, Result, SqlState};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
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
    let handshakes = Arc::new(Semaphore::new(limits.handshakes_max.max(1)));
    let (door, limits) = (Arc::new(door), Arc::new(limits));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => {
                report(ended);
                continue;
            }
            accepted = accept(&listener, &handshakes) => accepted,
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
                    _handshake: handshake,
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
    handshakes: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(handshakes)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
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
