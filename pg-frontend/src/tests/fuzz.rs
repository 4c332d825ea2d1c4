//! Fuzz targets, each for a bounded time in every run: whatever a client sends, the server answers in
//! whole messages and ends the connection, and no other one suffers. For as long as one likes, and led
//! by what the code does: `cargo bolero test -p inflowave-pg-frontend tests::fuzz::NAME`.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field};
use bolero::{TypeGenerator, check};
use inflowave_types::SqlState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::client::{
    Message, Server, close, describe, execute, field, frame, packet, parse, startup,
};
use super::client::{bind, query};
use crate::connection::Ended;
use crate::format::Format;
use crate::read::{Frame, Reader};
use crate::{Limits, decode, oid};

const TIME: Duration = Duration::from_secs(8);
const PATIENCE: Duration = Duration::from_secs(30);

/// A part of what a client sends.
#[derive(Debug, TypeGenerator)]
enum Piece {
    Startup {
        minor: u8,
        user: bool,
        cut: bool,
    },
    Packet {
        code: Code,
        body: Vec<u8>,
    },
    Query(Sql),
    Parse {
        name: Name,
        sql: Sql,
        oids: Vec<u16>,
    },
    Bind {
        portal: Name,
        statement: Name,
        formats: Vec<u8>,
        values: Vec<Option<Vec<u8>>>,
    },
    Execute {
        portal: Name,
        rows_max: i32,
    },
    Describe {
        portal: bool,
        name: Name,
    },
    Close {
        portal: bool,
        name: Name,
    },
    Bare {
        tag: Tag,
    },
    /// A tag and a length that need not fit what follows.
    Head {
        tag: u8,
        len: u32,
    },
    /// Any body behind a tag that is known.
    Frame {
        tag: Tag,
        body: Vec<u8>,
    },
    Raw(Vec<u8>),
}

#[derive(Debug, TypeGenerator)]
enum Code {
    Ssl,
    Gss,
    Cancel,
    Old,
    Any(u32),
}

/// What the engine of these tests does.
#[derive(Debug, TypeGenerator)]
enum Sql {
    Rows(u8),
    Fail,
    Echo,
    Begin,
    Several,
    Empty,
    Text(Vec<u8>),
}

#[derive(Debug, TypeGenerator)]
enum Name {
    Unnamed,
    One,
    Other(u8),
    Long(u16),
}

#[derive(Debug, TypeGenerator)]
enum Tag {
    Query,
    Parse,
    Bind,
    Execute,
    Describe,
    Close,
    Sync,
    Flush,
    CopyData,
    CopyDone,
    CopyFail,
    Call,
    Password,
    Terminate,
}

impl Tag {
    fn byte(&self) -> u8 {
        match self {
            Tag::Query => b'Q',
            Tag::Parse => b'P',
            Tag::Bind => b'B',
            Tag::Execute => b'E',
            Tag::Describe => b'D',
            Tag::Close => b'C',
            Tag::Sync => b'S',
            Tag::Flush => b'H',
            Tag::CopyData => b'd',
            Tag::CopyDone => b'c',
            Tag::CopyFail => b'f',
            Tag::Call => b'F',
            Tag::Password => b'p',
            Tag::Terminate => b'X',
        }
    }
}

impl Name {
    fn text(&self) -> String {
        match self {
            Name::Unnamed => String::new(),
            Name::One => "s1".to_owned(),
            Name::Other(n) => format!("s{n}"),
            Name::Long(n) => "n".repeat(usize::from(*n)),
        }
    }
}

impl Sql {
    fn text(&self) -> String {
        match self {
            Sql::Rows(n) => format!("rows {n} 3"),
            Sql::Fail => "fail 2".to_owned(),
            Sql::Echo => "echo $1 $2:23".to_owned(),
            Sql::Begin => "begin".to_owned(),
            Sql::Several => "rows 1 1; fail 1; rows 2 2".to_owned(),
            Sql::Empty => " ; ".to_owned(),
            // Behind a word that this engine does not know.
            Sql::Text(bytes) => format!("other {}", String::from_utf8_lossy(bytes)),
        }
    }
}

impl Piece {
    fn bytes(&self) -> Vec<u8> {
        let kind = |portal: &bool| if *portal { 'P' } else { 'S' };
        match self {
            Piece::Startup { minor, user, cut } => {
                let words: &[&str] = if *user {
                    &["user", "ann"]
                } else {
                    &["database", "x"]
                };
                let mut bytes = startup(u32::from(*minor % 4), words);
                bytes.truncate(bytes.len() - usize::from(*cut));
                bytes
            }
            Piece::Packet { code, body } => {
                let code = match code {
                    Code::Ssl => 80_877_103,
                    Code::Gss => 80_877_104,
                    Code::Cancel => 80_877_102,
                    Code::Old => 2 << 16,
                    Code::Any(code) => *code,
                };
                packet(code, body)
            }
            Piece::Query(sql) => query(&sql.text()),
            Piece::Parse { name, sql, oids } => {
                let oids: Vec<u32> = oids.iter().map(|oid| u32::from(*oid)).collect();
                parse(&name.text(), &sql.text(), &oids)
            }
            Piece::Bind {
                portal,
                statement,
                formats,
                values,
            } => {
                let formats: Vec<i16> = formats.iter().map(|f| i16::from(*f % 3)).collect();
                let values: Vec<Option<&[u8]>> = values.iter().map(Option::as_deref).collect();
                bind(
                    &portal.text(),
                    &statement.text(),
                    &formats,
                    &values,
                    &formats,
                )
            }
            Piece::Execute { portal, rows_max } => execute(&portal.text(), *rows_max),
            Piece::Describe { portal, name } => describe(kind(portal), &name.text()),
            Piece::Close { portal, name } => close(kind(portal), &name.text()),
            Piece::Bare { tag } => frame(tag.byte(), b""),
            Piece::Head { tag, len } => [&[*tag][..], &len.to_be_bytes()].concat(),
            Piece::Frame { tag, body } => frame(tag.byte(), body),
            Piece::Raw(bytes) => bytes.clone(),
        }
    }
}

/// All that the server says, in whole messages; the answers to SSLRequest and its like stand before.
fn messages(mut bytes: &[u8]) -> Vec<Message> {
    while bytes.first() == Some(&b'N') && bytes.get(1..5).is_none_or(|len| len[0] != 0) {
        bytes = &bytes[1..];
    }
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let len = u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize;
        assert!(b"RSKZTDCEINv123nst HWcdGA".contains(&bytes[0]), "{bytes:?}");
        messages.push((bytes[0], bytes[5..=len].to_vec()));
        bytes = &bytes[len + 1..];
    }
    messages
}

/// What comes back when all of it is sent and the client's end is closed.
async fn spoken(server: &Server, bytes: &[u8]) -> Vec<Message> {
    let mut raw = server.connect().await;
    // The server may have closed already.
    let _ = raw.0.write_all(bytes).await;
    let _ = raw.0.shutdown().await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, raw.0.read_to_end(&mut answer));
    let read = read.await.expect("the server hangs");
    match read {
        Ok(_) => messages(&answer),
        // A reset takes what was not read with it.
        Err(_) => Vec::new(),
    }
}

#[test]
fn any_messages_are_answered_in_whole_ones() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let limits = Limits {
        message_bytes_max: 20_000,
        ..Limits::default()
    };
    let server = runtime.block_on(Server::with(limits));
    let mut other = runtime.block_on(server.session());
    check!()
        .with_test_time(TIME)
        .with_type::<(bool, Vec<Piece>)>()
        .for_each(|(begun, pieces)| {
            let mut bytes = if *begun {
                startup(0, &["user", "ann"])
            } else {
                Vec::new()
            };
            bytes.extend(pieces.iter().flat_map(Piece::bytes));
            runtime.block_on(async {
                for message in spoken(&server, &bytes).await {
                    if message.0 == b'E' {
                        assert_ne!(field(&message, 'C'), SqlState::InternalError.code());
                    }
                }
                other.query("rows 1 1").await;
                assert_eq!(other.tags().await, ("TDCZ".to_owned(), 'I'));
            });
        });
    runtime.block_on(async {
        let opened = server.fake.starts.lock().unwrap().len();
        drop(other);
        super::client::reaches(&server.fake.sessions_dropped, opened).await;
    });
}

/// Gives its bytes in pieces of these lengths, over and over.
struct Chunks<'a> {
    bytes: &'a [u8],
    lengths: &'a [u8],
    turn: usize,
}

impl tokio::io::AsyncRead for Chunks<'_> {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let lengths = self.lengths;
        let length = lengths.get(self.turn % lengths.len().max(1)).copied();
        let length = usize::from(length.unwrap_or(1)).max(1);
        let (now, rest) = self
            .bytes
            .split_at(length.min(self.bytes.len()).min(buf.remaining()));
        buf.put_slice(now);
        self.bytes = rest;
        self.turn += 1;
        std::task::Poll::Ready(Ok(()))
    }
}

async fn frames(io: impl tokio::io::AsyncRead + Unpin) -> (Vec<Frame>, String) {
    let limits = Limits {
        message_bytes_max: 100,
        ..Limits::default()
    };
    let mut reader = Reader::new(io, Arc::new(limits));
    let mut frames = Vec::new();
    loop {
        match reader.frame().await {
            Ok(frame) => frames.push(frame),
            Err(Ended::Fatal(error)) => {
                assert_eq!(error.sqlstate(), SqlState::ProtocolViolation);
                return (frames, error.message().to_owned());
            }
            Err(ended) => return (frames, format!("{ended:?}")),
        }
    }
}

#[test]
fn messages_do_not_depend_on_how_their_bytes_come() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    check!()
        .with_test_time(TIME / 2)
        .with_type::<(Vec<Piece>, Vec<u8>)>()
        .for_each(|(pieces, lengths)| {
            let bytes: Vec<u8> = pieces.iter().flat_map(Piece::bytes).collect();
            let bytes = &bytes[..];
            let chunks = Chunks {
                bytes,
                lengths,
                turn: 0,
            };
            runtime.block_on(async {
                assert_eq!(frames(bytes).await, frames(chunks).await);
            });
        });
}

#[test]
fn any_binary_value_is_read_or_refused() {
    let oids: Vec<u32> = (0..5000)
        .filter(|oid| matches!(oid::parameter(*oid, 1), Ok(Some(_))))
        .collect();
    assert!(oids.len() > 40, "{}", oids.len());
    check!()
        .with_test_time(TIME / 2)
        .with_type::<(u16, Vec<u8>)>()
        .for_each(|(which, bytes)| {
            let oid = oids[usize::from(*which) % oids.len()];
            let declared = oid::parameter(oid, 1).unwrap().unwrap();
            match decode::parameter(1, oid, &declared, Format::Binary, Some(bytes)) {
                Ok(value) => assert_eq!(value.len(), 1),
                Err(error) => assert_ne!(error.sqlstate(), SqlState::InternalError, "{error:?}"),
            }
            let text = Field::new("p", DataType::Utf8, true);
            let _ = decode::parameter(1, 25, &text, Format::Text, Some(bytes));
        });
}
