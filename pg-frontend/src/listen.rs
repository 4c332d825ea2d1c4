//! The listener: binding to loopback, accepting, one task per connection, an orderly end.

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

use crate::connection;
use crate::limits::Limits;

/// How long the accept loop rests after an error such as "too many open files".
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on a loopback address; port 0 lets the system choose.
///
/// # Errors
/// `22023` for an address that other hosts can reach; `58030` if the system refuses.
pub async fn bind(addr: SocketAddr) -> Result<TcpListener> {
    require_loopback(addr)?;
    TcpListener::bind(addr).await.map_err(|e| {
        Error::new(
            SqlState::IoError,
            format!("cannot listen on {addr} for the Postgres wire: {e}"),
        )
        .with_hint("Choose another address with pg_listen; port 0 takes a free port.")
    })
}

/// Serves connections until `shutdown` is cancelled, then ends those that are left.
///
/// # Errors
/// `22023` if the listener is not on loopback.
pub async fn serve(
    listener: TcpListener,
    service: Arc<dyn QueryService>,
    limits: Limits,
    shutdown: CancellationToken,
) -> Result<()> {
    let addr = listener.local_addr().map_err(|e| {
        Error::new(
            SqlState::IoError,
            format!("cannot read the listener's address: {e}"),
        )
    })?;
    require_loopback(addr)?;
    let handshakes = Arc::new(Semaphore::new(limits.handshakes_max.max(1)));
    let limits = Arc::new(limits);
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
            Ok((stream, peer, permit)) => {
                tune(&stream, &limits);
                connections.spawn(connection::run(
                    stream,
                    peer,
                    Arc::clone(&service),
                    Arc::clone(&limits),
                    shutdown.clone(),
                    permit,
                ));
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

/// Until authentication exists, whoever can connect can read every source.
fn require_loopback(addr: SocketAddr) -> Result<()> {
    if addr.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Error::new(
        SqlState::InvalidParameterValue,
        format!("will not listen on {addr}: only loopback addresses are allowed"),
    )
    .with_hint(
        "Use 127.0.0.1 or [::1]; authentication does not exist yet, so every client that can \
         connect can read every source.",
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_served() {
        for loopback in [
            "127.0.0.1:0",
            "127.9.9.9:5480",
            "[::1]:0",
            "[::ffff:127.0.0.1]:0",
        ] {
            assert_eq!(require_loopback(loopback.parse().unwrap()), Ok(()));
        }
        for open in [
            "0.0.0.0:5480",
            "[::]:5480",
            "192.168.1.4:5480",
            "[::ffff:10.0.0.1]:0",
        ] {
            let error = require_loopback(open.parse().unwrap()).unwrap_err();
            assert_eq!(error.sqlstate(), SqlState::InvalidParameterValue);
            assert!(error.hint().unwrap().contains("authentication"), "{open}");
        }
    }
}
