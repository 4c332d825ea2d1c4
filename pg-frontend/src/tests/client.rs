//! A server on a free port, and a client that speaks in bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use inflowave_types::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::fake::{Fake, Service};
use crate::{Door, Limits, serve};

/// What no test should ever wait for.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Server {
    pub addr: SocketAddr,
    pub fake: Arc<Fake>,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<Result<()>>,
}

impl Server {
    pub async fn start() -> Server {
        Server::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Server {
        let listener = crate::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (fake, shutdown) = (Fake::new(), CancellationToken::new());
        let service = Arc::new(Service(Arc::clone(&fake)));
        let task = tokio::spawn(serve(
            listener,
            service,
            Door::open(),
            limits,
            shutdown.clone(),
        ));
        Server {
            addr,
            fake,
            shutdown,
            task,
        }
    }

    pub async fn connect(&self) -> Raw {
        Raw(TcpStream::connect(self.addr).await.unwrap())
    }

    /// A connection that has seen its first `ReadyForQuery`.
    pub async fn session(&self) -> Raw {
        let mut raw = self.connect().await;
        raw.send(&startup(0, &["user", "ann", "database", "crm"]))
            .await;
        let tags: String = raw.until(b'Z').await.iter().map(|m| m.0 as char).collect();
        assert_eq!(tags, "RSSKZ");
        raw
    }

    pub async fn driver(&self) -> tokio_postgres::Client {
        let config = format!(
            "host=127.0.0.1 port={} user=ann dbname=crm",
            self.addr.port()
        );
        let (client, connection) = tokio_postgres::connect(&config, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }
}

/// Waits until a count of the engine reaches `n`.
pub async fn reaches(count: &watch::Sender<usize>, n: usize) {
    let mut count = count.subscribe();
    let reached = tokio::time::timeout(PATIENCE, count.wait_for(|now| *now >= n)).await;
    assert!(reached.is_ok(), "the count did not reach {n}");
}

/// A message of the server: its tag and body.
pub type Message = (u8, Vec<u8>);

pub struct Raw(pub TcpStream);

impl Raw {
    pub async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    pub async fn query(&mut self, sql: &str) {
        self.send(&query(sql)).await;
    }

    pub async fn byte(&mut self) -> u8 {
        tokio::time::timeout(PATIENCE, self.0.read_u8())
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn message(&mut self) -> Message {
        self.maybe_message()
            .await
            .expect("the server closed the connection")
    }

    /// `None` at the end of the connection.
    pub async fn maybe_message(&mut self) -> Option<Message> {
        let read = async {
            let tag = self.0.read_u8().await.ok()?;
            let len = self.0.read_u32().await.ok()?;
            let mut body = vec![0; len as usize - 4];
            self.0.read_exact(&mut body).await.ok()?;
            Some((tag, body))
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the server hangs")
    }

    /// All messages up to the first with `tag`, it included.
    pub async fn until(&mut self, tag: u8) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            messages.push(self.message().await);
            if messages.last().is_some_and(|m| m.0 == tag) {
                return messages;
            }
        }
    }

    /// The tags up to `ReadyForQuery`, and its status byte: `TDDCZ`, `I`.
    pub async fn tags(&mut self) -> (String, char) {
        let messages = self.until(b'Z').await;
        let status = messages.last().unwrap().1[0] as char;
        (messages.iter().map(|m| m.0 as char).collect(), status)
    }

    /// The last words: a fatal error, then the end.
    pub async fn fatal(&mut self) -> String {
        let message = self.message().await;
        assert_eq!(message.0, b'E');
        assert_eq!(field(&message, 'S'), "FATAL");
        assert!(
            self.maybe_message().await.is_none(),
            "the connection goes on"
        );
        field(&message, 'C')
    }
}

/// A field of an `ErrorResponse`, empty if it is not there.
pub fn field(message: &Message, code: char) -> String {
    let fields = message.1.split(|b| *b == 0);
    let found = fields
        .filter_map(|f| std::str::from_utf8(f).ok())
        .find(|f| f.starts_with(code));
    found.map(|f| f[1..].to_owned()).unwrap_or_default()
}

pub fn query(sql: &str) -> Vec<u8> {
    frame(b'Q', format!("{sql}\0").as_bytes())
}

pub fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend((body.len() as u32 + 4).to_be_bytes());
    out.extend(body);
    out
}

/// A packet without a tag: a code, then a body.
pub fn packet(code: u32, body: &[u8]) -> Vec<u8> {
    let mut out = (body.len() as u32 + 8).to_be_bytes().to_vec();
    out.extend(code.to_be_bytes());
    out.extend(body);
    out
}

pub fn startup(minor: u32, words: &[&str]) -> Vec<u8> {
    let mut body: Vec<u8> = words
        .iter()
        .flat_map(|w| [w.as_bytes(), b"\0"].concat())
        .collect();
    body.push(0);
    packet(3 << 16 | minor, &body)
}

/// `Parse`.
pub fn parse(name: &str, sql: &str, oids: &[u32]) -> Vec<u8> {
    let mut body = format!("{name}\0{sql}\0").into_bytes();
    body.extend((oids.len() as u16).to_be_bytes());
    body.extend(oids.iter().flat_map(|oid| oid.to_be_bytes()));
    frame(b'P', &body)
}

/// `Bind`, with the codes of the parameters' formats, their values and the results' formats.
pub fn bind(
    portal: &str,
    statement: &str,
    formats: &[i16],
    values: &[Option<&[u8]>],
    results: &[i16],
) -> Vec<u8> {
    let codes = |codes: &[i16]| {
        let mut body = (codes.len() as u16).to_be_bytes().to_vec();
        body.extend(codes.iter().flat_map(|code| code.to_be_bytes()));
        body
    };
    let mut body = format!("{portal}\0{statement}\0").into_bytes();
    body.extend(codes(formats));
    body.extend((values.len() as u16).to_be_bytes());
    for value in values {
        let len = value.map_or(-1, |v| v.len() as i32);
        body.extend(len.to_be_bytes());
        body.extend(value.unwrap_or_default());
    }
    body.extend(codes(results));
    frame(b'B', &body)
}

/// `Execute`; 0 is no limit.
pub fn execute(portal: &str, rows_max: i32) -> Vec<u8> {
    let mut body = format!("{portal}\0").into_bytes();
    body.extend(rows_max.to_be_bytes());
    frame(b'E', &body)
}

/// `Describe` of a statement (`S`) or a portal (`P`).
pub fn describe(kind: char, name: &str) -> Vec<u8> {
    frame(b'D', format!("{kind}{name}\0").as_bytes())
}

/// `Close` of a statement (`S`) or a portal (`P`).
pub fn close(kind: char, name: &str) -> Vec<u8> {
    frame(b'C', format!("{kind}{name}\0").as_bytes())
}

pub fn flush() -> Vec<u8> {
    frame(b'H', b"")
}

pub fn sync() -> Vec<u8> {
    frame(b'S', b"")
}

/// What a reader of a test sees of an answer: `1 2 D s C[SELECT 1] E[22012 division by zero] Z[I]`.
pub fn shown(messages: &[Message]) -> String {
    let words = messages.iter().map(|message| match message {
        (b'C', tag) => format!("C[{}]", String::from_utf8_lossy(&tag[..tag.len() - 1])),
        (b'E', _) => format!("E[{} {}]", field(message, 'C'), field(message, 'M')),
        (b'Z', status) => format!("Z[{}]", status[0] as char),
        (tag, _) => (*tag as char).to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

impl Raw {
    /// Sends messages and a `Sync`; shows the answer.
    pub async fn say(&mut self, messages: &[Vec<u8>]) -> String {
        self.send(&[messages.concat(), sync()].concat()).await;
        shown(&self.until(b'Z').await)
    }

    /// Sends a simple query; shows the answer.
    pub async fn ask(&mut self, sql: &str) -> String {
        self.query(sql).await;
        shown(&self.until(b'Z').await)
    }
}
