//! What one client may ask of this server before it is refused.

use std::sync::Arc;
use std::time::Duration;

use inflowave_query_api::{Authenticator, TrustLoopback};

use crate::tls::Tls;

/// How clients come in: who has to prove what, and whether the connection can be encrypted.
#[derive(Clone)]
pub struct Door {
    pub authenticator: Arc<dyn Authenticator>,
    /// Without it the request for encryption is refused.
    pub tls: Option<Arc<Tls>>,
}

impl Door {
    /// Believes everybody on this machine: for demonstrations and tests.
    pub fn open() -> Door {
        Door {
            authenticator: Arc::new(TrustLoopback),
            tls: None,
        }
    }
}

/// The limits of the wire itself; those of statements and sessions are the engine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections that have not finished their start-up, at once; further ones wait in the
    /// listener's backlog. Sessions are limited by the engine.
    pub handshakes_max: usize,
    /// How long a connection may take to finish its start-up while others wait for its place; it is
    /// closed then.
    pub handshake_patience: Duration,
    /// A packet before the session exists, in bytes (PostgreSQL: 10,000).
    pub startup_bytes_max: usize,
    /// A message of a session, in bytes. A longer one is read to its end without being kept, and
    /// answered with 54000.
    pub message_bytes_max: usize,
    /// What is read ahead from a client while its query runs, in bytes.
    pub pipelined_bytes_max: usize,
    /// Portals that a connection has at once. Each that is suspended holds a running query.
    pub portals_max: usize,
    /// What the `Bind` messages of all portals of a connection take, in bytes: the values of their
    /// parameters live as long as they do.
    pub portal_bytes_max: usize,
    /// The name of a prepared statement or a portal, in bytes.
    pub name_bytes_max: usize,
    /// From accepting a connection to its start-up packet.
    pub startup_timeout: Duration,
    /// How long a client may take no byte of an answer.
    pub write_stall_timeout: Duration,
    /// How long a connection may take to end once the server stops.
    pub shutdown_grace: Duration,
    /// Silence after which the kernel asks whether the client's host is still there.
    pub keepalive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            handshakes_max: 128,
            handshake_patience: Duration::from_secs(2),
            startup_bytes_max: 10_000,
            message_bytes_max: 16 << 20,
            pipelined_bytes_max: 256 << 10,
            portals_max: 100,
            portal_bytes_max: 64 << 20,
            name_bytes_max: 256,
            startup_timeout: Duration::from_secs(30),
            write_stall_timeout: Duration::from_secs(300),
            shutdown_grace: Duration::from_secs(5),
            keepalive: Duration::from_secs(60),
        }
    }
}
