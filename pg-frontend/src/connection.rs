//! One connection, from its first byte to its last: a state machine over messages.
//!
//! The read half stays polled while a query runs or an answer is written, so that a client that
//! went away ends its query at once. After an error in the extended protocol all is skipped to the
//! next `Sync`.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use inflowave_query_api::{Attempt, QueryService, Session, Terminate, TlsPeer, TransactionStatus};
use inflowave_types::{Error, SqlState};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::authenticate::authenticate;
use crate::extended::Extended;
use crate::limits::{Door, Limits};
use crate::listen::Handshake;
use crate::message::{self, Severity};
use crate::read::{Frame, Reader};
use crate::startup::{self, Opening};
use crate::write::Writer;

/// How long a client has to take the last words of a connection.
const FAREWELL: Duration = Duration::from_secs(1);
/// Bytes of a cancel key in protocol 3.0.
const SHORT_KEY: usize = 4;
/// What is read of a client after the last words, in bytes: closing over unread bytes would reset
/// the connection, and the client would lose the error that it was sent.
const LINGER_BYTES: usize = 1 << 20;

/// Why a connection ends.
#[derive(Debug)]
pub enum Ended {
    /// The client said so.
    Terminated,
    /// The client closed its end or was reset.
    Gone,
    /// The client took no byte for too long.
    Stalled,
    /// The server stops.
    Shutdown,
    /// An error that the client is told before the connection closes.
    Fatal(Error),
}

/// What a connection is served with.
pub struct Served {
    pub peer: SocketAddr,
    pub service: Arc<dyn QueryService>,
    pub door: Arc<Door>,
    pub limits: Arc<Limits>,
    /// Of this connection alone: the server's end ends it, and so does `pg_terminate_backend`.
    pub shutdown: CancellationToken,
    /// Given back once the session is there.
    pub handshake: Arc<Handshake>,
}

/// Serves one client.
pub async fn run(stream: TcpStream, served: Served) {
    let limit = served.limits.startup_timeout;
    let begun = Instant::now();
    let stall = served.limits.write_stall_timeout;
    let encrypting = tokio::select! {
        encrypted = tokio::time::timeout(limit, encrypted(stream, &served)) => encrypted,
        () = served.shutdown.cancelled() => return,
        () = served.handshake.give_way.cancelled() => return,
    };
    // Who is too slow, speaks TLS wrongly or is gone already is left without a word.
    let Ok(Ok(encrypted)) = encrypting else {
        return;
    };
    let left = limit.saturating_sub(begun.elapsed());
    match encrypted {
        Encrypted::No(reader, write, opening) => {
            on(
                reader,
                Writer::new(write, stall),
                served,
                Some(opening),
                None,
                left,
            )
            .await;
        }
        Encrypted::Yes(stream, peer) => {
            let (read, write) = tokio::io::split(*stream);
            let reader = Reader::new(read, Arc::clone(&served.limits));
            on(
                reader,
                Writer::new(write, stall),
                served,
                None,
                Some(peer),
                left,
            )
            .await;
        }
    }
}

/// What the client has asked of the connection before it asked for anything else.
enum Encrypted {
    No(
        Reader<OwnedReadHalf>,
        OwnedWriteHalf,
        Result<Opening, Ended>,
    ),
    Yes(Box<TlsStream<TcpStream>>, TlsPeer),
}

async fn encrypted(mut stream: TcpStream, served: &Served) -> Result<Encrypted, Ended> {
    let tls = served.door.tls.as_deref();
    let refused = |error: String| {
        tracing::debug!(client = %served.peer, error, "TLS handshake failed");
        Ended::Gone
    };
    if startup::is_direct_tls(&stream).await? {
        let Some(tls) = tls else {
            return Err(Ended::Gone);
        };
        let (stream, peer) = tls.accept(stream, true).await.map_err(refused)?;
        return Ok(Encrypted::Yes(Box::new(stream), peer));
    }
    let (read, write) = stream.split();
    let mut reader = Reader::new(read, Arc::clone(&served.limits));
    let mut writer = Writer::new(write, served.limits.write_stall_timeout);
    let client = served.peer.to_string();
    let negotiated = startup::negotiate(&mut reader, &mut writer, client, tls.is_some()).await;
    let waiting = std::mem::take(&mut writer.buf);
    let buffered = reader.into_buffered();
    match (negotiated, tls) {
        (Ok(None), Some(tls)) => {
            let (stream, peer) = tls.accept(stream, false).await.map_err(refused)?;
            Ok(Encrypted::Yes(Box::new(stream), peer))
        }
        (Ok(None), None) => Err(Ended::Gone),
        (negotiated, _) => {
            let (read, write) = stream.into_split();
            let reader = Reader::with_buffered(read, Arc::clone(&served.limits), buffered);
            let opening = negotiated.and_then(|opening| opening.ok_or(Ended::Gone));
            let opening = opening.map(|opening| opening.answering(waiting));
            Ok(Encrypted::No(reader, write, opening))
        }
    }
}

/// Serves a client over a connection that is as it will stay.
async fn on<R, W>(
    mut reader: Reader<R>,
    mut writer: Writer<W>,
    served: Served,
    opening: Option<Result<Opening, Ended>>,
    tls: Option<TlsPeer>,
    left: Duration,
) where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (peer, shutdown) = (served.peer, served.shutdown.clone());
    let opened = tokio::select! {
        opened = open(&mut reader, &mut writer, &served, opening, tls, left) => opened,
        () = shutdown.cancelled() => Err(Ended::Shutdown),
        () = served.handshake.give_way.cancelled() => Err(Ended::Gone),
    };
    drop(served);
    let ended = match opened {
        Ok(Some((session, key))) => {
            let mut connection = Connection {
                reader: &mut reader,
                writer: &mut writer,
                session,
                key,
                shutdown,
                extended: Extended::default(),
                reported: Vec::new(),
                skip_to_sync: false,
            };
            let served = AssertUnwindSafe(connection.serve()).catch_unwind().await;
            // The session, its portal and what they hold end before the farewell.
            drop(connection);
            served.unwrap_or_else(|_| {
                tracing::error!(client = %peer, "a session panicked");
                // The last message may be half written; all before it is whole.
                writer.buf.clear();
                Ended::Fatal(defect("the session failed by a defect of the server"))
            })
        }
        Ok(None) => Ended::Terminated,
        Err(ended) => ended,
    };
    tracing::debug!(client = %peer, ?ended, "connection ended");
    farewell(&mut reader, &mut writer, ended).await;
}

/// An error of our own making; it carries no data of the query.
pub fn defect(message: impl Into<String>) -> Error {
    Error::internal(message)
        .with_hint("Other queries are not affected; the server's log has the details.")
}

/// A connection with a session.
pub struct Connection<'a, R, W> {
    pub reader: &'a mut Reader<R>,
    pub writer: &'a mut Writer<W>,
    pub session: Box<dyn Session>,
    /// What a cancel request has to repeat, as long as the client takes it.
    key: Vec<u8>,
    pub shutdown: CancellationToken,
    pub extended: Extended,
    /// The settings as the client knows them.
    reported: Vec<(String, String)>,
    /// After an error in the extended protocol all is ignored up to `Sync`.
    skip_to_sync: bool,
}

impl<R, W> Connection<'_, R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    async fn serve(&mut self) -> Ended {
        let Err(ended) = self.answer_all().await;
        ended
    }

    async fn answer_all(&mut self) -> Result<std::convert::Infallible, Ended> {
        self.report_settings();
        message::backend_key(&mut self.writer.buf, self.session.id().0, &self.key);
        let mut ready = true;
        loop {
            if ready {
                self.report_settings();
                let status = self.session.transaction_status();
                message::ready(&mut self.writer.buf, status);
                self.flush().await?;
                self.writer.release();
            }
            let idle = self.session.idle_timeout().filter(|_| ready);
            let frame = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Err(Ended::Shutdown),
                frame = self.reader.frame() => frame?,
                () = elapsed(idle) => return Err(Ended::Fatal(self.too_idle())),
            };
            ready = self.answer(frame).await?;
        }
    }

    /// Answers one message; `true` if the client now waits for `ReadyForQuery`.
    async fn answer(&mut self, frame: Frame) -> Result<bool, Ended> {
        let tag = match &frame {
            Frame::Message { tag, .. } | Frame::TooLong { tag, .. } => *tag,
        };
        if let (b'S' | b'H', Frame::Message { body, .. }) = (tag, &frame)
            && !body.is_empty()
        {
            let message = "invalid message format";
            return Err(Ended::Fatal(Error::new(
                SqlState::ProtocolViolation,
                message,
            )));
        }
        match (tag, frame) {
            (b'X', _) => return Err(Ended::Terminated),
            (b'S', _) => {
                self.skip_to_sync = false;
                if self.session.transaction_status() == TransactionStatus::Idle {
                    self.extended.end_transaction();
                }
                return Ok(true);
            }
            _ if self.skip_to_sync => return Ok(false),
            // Left over from a COPY that has failed: PostgreSQL ignores them too.
            (b'd' | b'c' | b'f', _) => return Ok(false),
            (b'H', _) => self.flush().await?,
            (b'Q', Frame::Message { body, .. }) => {
                self.simple_query(&body).await?;
                return Ok(true);
            }
            (_, Frame::TooLong { bytes, .. }) => {
                self.fail(&self.too_long(bytes), 0);
                self.skip_to_sync = true;
            }
            (b'F', _) => self.fail(&Error::unsupported("function calls are not supported"), 0),
            (_, Frame::Message { body, .. }) => {
                self.skip_to_sync = !self.extended_message(tag, &body).await?;
            }
        }
        // Function calls and queries end by themselves, the extended protocol by its `Sync`.
        if matches!(tag, b'Q' | b'F') {
            self.skip_to_sync = false;
            return Ok(true);
        }
        // Answers wait for `Sync` or `Flush`; an error does not, as in PostgreSQL.
        if self.skip_to_sync || self.writer.is_full() {
            self.flush().await?;
        }
        Ok(false)
    }

    /// Tells the client of an error, and fails the transaction that it happened in.
    pub fn fail(&mut self, error: &Error, offset: u32) {
        if self.session.transaction_status() == TransactionStatus::InTransaction {
            self.session.fail_transaction();
        }
        self.extended.fail(self.session.transaction_status());
        message::error(&mut self.writer.buf, Severity::Error, error, offset);
    }

    /// Sends what waits. A client that sends and never reads would block itself and us, so its
    /// bytes are taken meanwhile.
    pub async fn flush(&mut self) -> Result<(), Ended> {
        race(self.reader, &self.shutdown, self.writer.flush()).await?
    }

    /// PostgreSQL tells of a changed setting just before it is ready again.
    fn report_settings(&mut self) {
        let now = self.session.reported_settings();
        for setting in &now {
            if !self.reported.contains(setting) {
                message::parameter_status(&mut self.writer.buf, &setting.0, &setting.1);
            }
        }
        self.reported = now;
    }

    fn too_idle(&self) -> Error {
        match self.session.transaction_status() {
            TransactionStatus::Idle => Error::new(
                SqlState::IdleSessionTimeout,
                "terminating connection due to idle-session timeout",
            ),
            TransactionStatus::InTransaction | TransactionStatus::Failed => Error::new(
                SqlState::IdleInTransactionSessionTimeout,
                "terminating connection due to idle-in-transaction timeout",
            ),
        }
    }

    fn too_long(&self, bytes: usize) -> Error {
        let bytes_max = self.reader.limits().message_bytes_max;
        Error::new(
            SqlState::ProgramLimitExceeded,
            format!("message of {bytes} bytes exceeds the limit of {bytes_max} bytes"),
        )
        .with_hint("Send a shorter statement, for example with its list of values as a table.")
    }
}

/// Never, without a time.
async fn elapsed(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// Runs `work` while watching the client and the server's end; either drops it.
pub async fn race<R: AsyncRead + Unpin, F: Future>(
    reader: &mut Reader<R>,
    shutdown: &CancellationToken,
    work: F,
) -> Result<F::Output, Ended> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        ended = reader.gone() => Err(ended),
        () = shutdown.cancelled() => Err(Ended::Shutdown),
    }
}

/// Start-up to the point where the session exists, with its key for cancel requests. `None` after a
/// cancel request, which is never answered.
async fn open<R, W>(
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
    served: &Served,
    opening: Option<Result<Opening, Ended>>,
    tls: Option<TlsPeer>,
    left: Duration,
) -> Result<Option<(Box<dyn Session>, Vec<u8>)>, Ended>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let starting = async {
        let opening = match opening {
            Some(opening) => opening?,
            // Encrypted already: another request for it is none.
            None => startup::negotiate(reader, writer, served.peer.to_string(), false)
                .await?
                .ok_or(Ended::Gone)?,
        };
        let (mut start, long_key) = match opening {
            Opening::Cancel { session, key } => {
                served.service.cancel(session, &key);
                return Ok(None);
            }
            Opening::Session {
                start,
                long_key,
                waiting,
            } => {
                writer.buf.extend_from_slice(&waiting);
                (start, long_key)
            }
        };
        let attempt = Attempt {
            user: start.user.clone(),
            database: start.database.clone().unwrap_or_else(|| start.user.clone()),
            address: Some(served.peer.ip()),
            tls,
        };
        authenticate(reader, writer, &*served.door.authenticator, &attempt)
            .await
            .inspect_err(|ended| {
                if let Ended::Fatal(error) = ended {
                    let (client, user) = (served.peer, &attempt.user);
                    let code = error.sqlstate().code();
                    tracing::warn!(%client, user, code, "a client was not let in");
                }
            })?;
        let end = served.shutdown.clone();
        start.terminate = Terminate::new(move || end.cancel());
        let session = AssertUnwindSafe(served.service.open_session(start))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(defect("the session could not be opened")))
            .map_err(Ended::Fatal)?;
        message::authenticated(&mut writer.buf);
        let key = session.cancel_key();
        let length = if long_key { key.len() } else { SHORT_KEY };
        let key = key[..length.min(key.len())].to_vec();
        Ok(Some((session, key)))
    };
    tokio::time::timeout(left, starting)
        .await
        .map_err(|_| Ended::Gone)?
}

async fn farewell<R, W>(reader: &mut Reader<R>, writer: &mut Writer<W>, ended: Ended)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let error = match ended {
        Ended::Gone | Ended::Stalled => return,
        // Also after a cancel request: over TLS a client waits for the end to be told.
        Ended::Terminated => {
            let _ = tokio::time::timeout(FAREWELL, writer.close()).await;
            return;
        }
        Ended::Shutdown => Error::new(
            SqlState::AdminShutdown,
            "terminating connection due to administrator command",
        ),
        Ended::Fatal(error) => error,
    };
    message::error(&mut writer.buf, Severity::Fatal, &error, 0);
    let told = tokio::time::timeout(FAREWELL, async {
        if writer.flush().await.is_ok() {
            writer.close().await;
            reader.linger(LINGER_BYTES).await;
        }
    });
    // A client that does not listen is left without its farewell.
    let _ = told.await;
}
