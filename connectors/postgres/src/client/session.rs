//! One session: connected, logged in, read-only, with settings on which the decoders rely.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use inflowave_types::{Result, SqlState};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::error::Site;
use crate::params::{HostName, Settings};

/// As the server tells it in `server_version_num`.
const OLDEST_VERSION: u32 = 120_000;

/// Sent when a session opens. The last row tells what the server made of it.
///
/// The search path holds `pg_catalog` only, so that no table or operator of a user can take the
/// place of one that our SQL means.
const START: &str = "\
SET default_transaction_read_only = on;
SET standard_conforming_strings = on;
SET client_encoding = 'UTF8';
SET search_path = pg_catalog;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 1;
SET bytea_output = 'hex';
SET lc_monetary = 'C';
SET statement_timeout = 0;
SELECT current_setting('server_version_num'), current_setting('server_version'),
       current_setting('default_transaction_read_only'),
       current_setting('standard_conforming_strings'), current_setting('client_encoding'),
       current_setting('server_encoding')";

/// A session and what is needed to cancel what it runs.
pub(crate) struct Session {
    pub client: Client,
    /// The task that reads and writes the socket.
    driver: AbortHandle,
    peer: Peer,
    connect_timeout: Duration,
    pub server: Server,
    /// Something went wrong or still runs: it is asked before it is used again.
    pub suspect: bool,
    /// It has served before, so the server may have closed it meanwhile.
    pub used: bool,
}

/// What a session learned of its server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Server {
    /// `server_version_num`, such as 150004; 0 when it is not known.
    pub version: u32,
    /// The database keeps its texts in UTF-8.
    pub is_utf8: bool,
}

/// The address that answered, so that a cancel reaches the same server.
enum Peer {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

impl Session {
    /// # Errors
    /// `08001` if nothing answers, `08004` if the server refuses or is too old.
    pub(crate) async fn open(settings: &Settings, site: &Site, io: &Handle) -> Result<Session> {
        match timeout(settings.connect_timeout, connect(settings, site, io)).await {
            Ok(session) => session,
            Err(_) => Err(site.unreachable(format_args!(
                "no answer within {} ms",
                settings.connect_timeout.as_millis()
            ))),
        }
    }

    /// A round trip that proves that the session is there and idle.
    pub(crate) async fn check(&self) -> Result<(), tokio_postgres::Error> {
        self.client.check_connection().await
    }

    /// Asks the server to stop what this session runs. When it returns, the server has passed the
    /// request on: it closes the connection of a cancel request only then, so that a later query
    /// of this session cannot be hit by it.
    pub(crate) async fn cancel(&self) -> io::Result<()> {
        let cancel = async {
            let mut stream: Box<dyn Stream> = match &self.peer {
                Peer::Tcp(address) => Box::new(TcpStream::connect(address).await?),
                #[cfg(unix)]
                Peer::Unix(path) => Box::new(tokio::net::UnixStream::connect(path).await?),
            };
            let token = self.client.cancel_token();
            token
                .cancel_query_raw(&mut stream, NoTls)
                .await
                .map_err(io::Error::other)?;
            // Nothing is sent back but the end, or a reset.
            let _ = stream.read(&mut [0u8; 16]).await;
            Ok(())
        };
        timeout(self.connect_timeout, cancel).await?
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A sound session says goodbye; one whose state is unknown would first wait for the end of
        // what it runs.
        if self.suspect {
            self.driver.abort();
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

async fn connect(settings: &Settings, site: &Site, io: &Handle) -> Result<Session> {
    match &settings.host {
        HostName::Tcp(host) => {
            let addresses: Vec<SocketAddr> = lookup_host((host.as_str(), settings.port))
                .await
                .map_err(|e| {
                    site.unreachable(format_args!("cannot resolve the host \"{host}\": {e}"))
                })?
                .collect();
            let mut last = None;
            for address in addresses {
                let attempt = login(
                    settings,
                    site,
                    io,
                    Peer::Tcp(address),
                    Some((host, address.ip())),
                );
                match attempt.await {
                    // Another address of the host will not be of another opinion.
                    Err(e) if e.sqlstate() == SqlState::ConnectionUnableToEstablish => {
                        last = Some(e);
                    }
                    decided => return decided,
                }
            }
            Err(last.unwrap_or_else(|| {
                site.unreachable(format_args!("the host \"{host}\" has no address"))
            }))
        }
        #[cfg(unix)]
        HostName::Unix(folder) => {
            let socket = folder.join(format!(".s.PGSQL.{}", settings.port));
            login(settings, site, io, Peer::Unix(socket), None).await
        }
    }
}

async fn login(
    settings: &Settings,
    site: &Site,
    io: &Handle,
    peer: Peer,
    address: Option<(&str, IpAddr)>,
) -> Result<Session> {
    let mut config = settings.login.clone();
    config.port(settings.port);
    match (address, &settings.host) {
        (Some((host, ip)), _) => {
            config.host(host).hostaddr(ip);
        }
        #[cfg(unix)]
        (None, HostName::Unix(folder)) => {
            config.host_path(folder);
        }
        (None, HostName::Tcp(host)) => {
            config.host(host);
        }
    }
    let (client, connection) = config
        .connect(NoTls)
        .await
        .map_err(|e| site.connecting(&e))?;
    let driver = io.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a session at PostgreSQL ended");
        }
    });
    let mut session = Session {
        client,
        driver: driver.abort_handle(),
        peer,
        connect_timeout: settings.connect_timeout,
        server: Server::default(),
        suspect: false,
        used: false,
    };
    session.server = prepare(&session.client, site).await?;
    Ok(session)
}

/// Sets and verifies the session's settings.
async fn prepare(client: &Client, site: &Site) -> Result<Server> {
    let answer = client
        .simple_query(START)
        .await
        .map_err(|e| site.connecting(&e))?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let text = |index: usize| {
        row.and_then(|r| r.try_get(index).ok().flatten())
            .unwrap_or("")
    };
    let version: u32 = text(0).parse().unwrap_or(0);
    if version < OLDEST_VERSION {
        return Err(site
            .rejected(&format!("its version is \"{}\"", text(1)))
            .with_hint("PostgreSQL 12 or later is needed."));
    }
    for (name, wanted, got) in [
        ("default_transaction_read_only", "on", text(2)),
        ("standard_conforming_strings", "on", text(3)),
        ("client_encoding", "UTF8", text(4)),
    ] {
        if got != wanted {
            return Err(site.rejected(&format!(
                "its setting {name} is \"{got}\" and cannot be made \"{wanted}\""
            )));
        }
    }
    Ok(Server {
        version,
        is_utf8: text(5) == "UTF8",
    })
}
