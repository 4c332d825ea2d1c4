//! One connection, from its first byte to its last: a state machine over messages.
//!
//! The read half stays polled while a query runs or an answer is written, so that a client that
//! went away ends its query at once. After an error in the extended protocol all is skipped to the
//! next `Sync`.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use inflowave_query_api::{QueryService, Session, Terminate, TransactionStatus};
use inflowave_types::{Error, SqlState};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use crate::extended::Extended;
use crate::limits::Limits;
use crate::message::{self, Severity};
use crate::read::{Frame, Reader};
use crate::startup::{self, Opening};
use crate::write::Writer;

/// How long a client has to take the last words of a connection.
const FAREWELL: Duration = Duration::from_secs(1);
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

/// Serves one client.
pub async fn run(
    stream: TcpStream,
    peer: SocketAddr,
    service: Arc<dyn QueryService>,
    limits: Arc<Limits>,
    shutdown: CancellationToken,
    handshake: OwnedSemaphorePermit,
) {
    // Of this connection alone: the server's end ends it, and so does `pg_terminate_backend`.
    let shutdown = shutdown.child_token();
    let (read, write) = stream.into_split();
    let mut reader = Reader::new(read, Arc::clone(&limits));
    let mut writer = Writer::new(write, limits.write_stall_timeout);
    let opened = tokio::select! {
        opened = open(&mut reader, &mut writer, &*service, &limits, peer, &shutdown) => opened,
        () = shutdown.cancelled() => Err(Ended::Shutdown),
    };
    drop(handshake);
    let ended = match opened {
        Ok(Some(session)) => {
            let mut connection = Connection {
                reader: &mut reader,
                writer: &mut writer,
                session,
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
        message::backend_key(
            &mut self.writer.buf,
            self.session.id().0,
            self.session.cancel_secret(),
        );
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

/// Start-up to the point where the session exists. `None` after a cancel request, which is never
/// answered.
async fn open<R, W>(
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
    service: &dyn QueryService,
    limits: &Limits,
    peer: SocketAddr,
    shutdown: &CancellationToken,
) -> Result<Option<Box<dyn Session>>, Ended>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let negotiated = startup::negotiate(reader, writer, peer.to_string());
    let opening = tokio::time::timeout(limits.startup_timeout, negotiated)
        .await
        .map_err(|_| Ended::Gone)??;
    match opening {
        Opening::Cancel { session, secret } => {
            service.cancel(session, secret);
            Ok(None)
        }
        Opening::Session(mut start) => {
            let end = shutdown.clone();
            start.terminate = Terminate::new(move || end.cancel());
            let session = AssertUnwindSafe(service.open_session(start))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(defect("the session could not be opened")))
                .map_err(Ended::Fatal)?;
            message::authenticated(&mut writer.buf);
            Ok(Some(session))
        }
    }
}

async fn farewell<R, W>(reader: &mut Reader<R>, writer: &mut Writer<W>, ended: Ended)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let error = match ended {
        Ended::Terminated | Ended::Gone | Ended::Stalled => return,
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
