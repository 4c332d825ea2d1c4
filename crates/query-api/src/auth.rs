//! Who wants in: what a front end asks before it opens a session.

use std::net::IpAddr;

use inflowave_types::{Error, Result, SqlState};

/// A client that wants to connect, and how it came.
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    pub user: String,
    pub database: String,
    /// `None` for one that did not come over a network.
    pub address: Option<IpAddr>,
    /// `None` over a connection that is not encrypted.
    pub tls: Option<TlsPeer>,
}

/// What is known of an encrypted connection.
#[derive(Debug, Clone, Default)]
pub struct TlsPeer {
    /// The common name of the certificate that the client showed, if it was verified.
    pub client_name: Option<String>,
    /// What `SCRAM-SHA-256-PLUS` binds to: `tls-server-end-point` of RFC 5929.
    pub server_end_point: Option<Vec<u8>>,
}

/// How a client has to prove who it is.
pub enum Method {
    /// It is believed.
    Trust,
    /// It is told this, whatever it could prove.
    Reject(Error),
    /// By SASL.
    Sasl(Box<dyn Exchange>),
    /// By its password, as it is: only where the connection is encrypted.
    Password(Box<dyn PasswordCheck>),
}

/// A SASL exchange of two rounds (SCRAM).
pub trait Exchange: Send {
    /// The names of the mechanisms, the best first.
    fn mechanisms(&self) -> Vec<&'static str>;

    /// Answers the client's first message.
    ///
    /// # Errors
    /// `08P01` for a message that cannot be understood, `28000` and `28P01`.
    fn first(&mut self, mechanism: &str, message: &[u8]) -> Result<Vec<u8>>;

    /// Answers the client's last message.
    ///
    /// # Errors
    /// As [`Exchange::first`]; `28P01` for a proof that is wrong.
    fn last(&mut self, message: &[u8]) -> Result<Vec<u8>>;
}

pub trait PasswordCheck: Send {
    /// # Errors
    /// `28P01`.
    fn check(&self, password: &str) -> Result<()>;
}

/// Decides how clients prove who they are.
pub trait Authenticator: Send + Sync + 'static {
    /// What this client has to do. Whether its user exists is not told.
    fn method(&self, attempt: &Attempt) -> Method;
}

/// Believes everybody who comes from this machine: for demonstrations and tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrustLoopback;

impl Authenticator for TrustLoopback {
    fn method(&self, attempt: &Attempt) -> Method {
        match attempt.address {
            Some(address) if !address.to_canonical().is_loopback() => Method::Reject(
                Error::new(
                    SqlState::InvalidAuthorization,
                    format!("connections from {address} are not served"),
                )
                .with_hint(
                    "This server serves its own machine only: nobody has to prove who they are.",
                ),
            ),
            _ => Method::Trust,
        }
    }
}
