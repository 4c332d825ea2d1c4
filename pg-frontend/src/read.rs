//! The read half: bytes of a client cut into messages, with a limit before anything is kept.
//!
//! Every future here may be dropped at any await without losing bytes, so that a connection can
//! read and wait for its query, its writes and the server's end at once.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use inflowave_types::{Error, SqlState};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::connection::Ended;
use crate::limits::Limits;

/// What is asked of the socket at a time, in bytes.
const CHUNK: usize = 8 << 10;
/// PostgreSQL's limit of messages that hold no data, in bytes.
const SMALL_MESSAGE_MAX: usize = 10_000;
/// PostgreSQL's limit of any message, in bytes: beyond it the stream is taken for broken.
const LENGTH_MAX: usize = 0x3fff_ffff - 1;

/// A message of a session.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    Message {
        tag: u8,
        body: Bytes,
    },
    /// A message beyond the limit; it was read to its end and thrown away.
    TooLong {
        tag: u8,
        bytes: usize,
    },
}

/// The read half of a connection.
pub struct Reader<R> {
    io: R,
    buf: BytesMut,
    limits: Arc<Limits>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub fn new(io: R, limits: Arc<Limits>) -> Self {
        Reader {
            io,
            buf: BytesMut::new(),
            limits,
        }
    }

    /// A packet of the start-up phase: a length and a body, without a tag.
    pub async fn packet(&mut self) -> Result<Bytes, Ended> {
        self.fill(4).await?;
        let len = length(&self.buf[..4]);
        if len < 8 || len > self.limits.startup_bytes_max {
            return Err(violation("invalid length of startup packet"));
        }
        self.fill(len).await?;
        let mut packet = self.buf.split_to(len).freeze();
        packet.advance(4);
        Ok(packet)
    }

    /// What a client sends to prove who it is: the body of a message that is as short as a start-up
    /// packet.
    pub async fn password(&mut self) -> Result<Bytes, Ended> {
        self.fill(1).await?;
        if self.buf[0] != b'p' {
            return Err(violation(format!(
                "expected password response, got message type {}",
                self.buf[0]
            )));
        }
        self.fill(5).await?;
        let len = length(&self.buf[1..5]);
        if len < 4 || len > self.limits.startup_bytes_max {
            return Err(violation("invalid length of password message"));
        }
        self.fill(len + 1).await?;
        let mut body = self.buf.split_to(len + 1).freeze();
        body.advance(5);
        Ok(body)
    }

    /// What has been read and nobody has asked for.
    pub fn into_buffered(self) -> BytesMut {
        self.buf
    }

    /// Begins with what was read already.
    pub fn with_buffered(io: R, limits: Arc<Limits>, buffered: BytesMut) -> Self {
        Reader {
            io,
            buf: buffered,
            limits,
        }
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Bytes have come that nobody asked for yet.
    pub fn has_buffered(&self) -> bool {
        !self.buf.is_empty()
    }

    /// The next message of a session.
    pub async fn frame(&mut self) -> Result<Frame, Ended> {
        self.fill(1).await?;
        let tag = self.buf[0];
        let Some(holds_data) = holds_data(tag) else {
            return Err(violation(format!("invalid frontend message type {tag}")));
        };
        self.fill(5).await?;
        let len = length(&self.buf[1..5]);
        let valid_max = if holds_data {
            LENGTH_MAX
        } else {
            SMALL_MESSAGE_MAX
        };
        if len < 4 || len > valid_max {
            return Err(violation(format!(
                "invalid message length {len} in message type \"{}\"",
                tag as char
            )));
        }
        if len > self.limits.message_bytes_max {
            self.discard(len + 1).await?;
            return Ok(Frame::TooLong { tag, bytes: len });
        }
        self.fill(len + 1).await?;
        let mut body = self.buf.split_to(len + 1).freeze();
        body.advance(5);
        Ok(Frame::Message { tag, body })
    }

    /// Reads ahead while something else runs, and resolves when the client is gone: its end of
    /// the stream, a reset, or `Terminate` as its next message. It never resolves once the
    /// client has sent more than may be kept.
    pub async fn gone(&mut self) -> Ended {
        loop {
            if self.buf.first() == Some(&b'X') {
                return Ended::Terminated;
            }
            if self.buf.len() >= self.limits.pipelined_bytes_max {
                return std::future::pending().await;
            }
            if let Err(ended) = self.read().await {
                return ended;
            }
        }
    }

    /// Reads what the client still sends, up to `bytes`, until it closes its end.
    pub async fn linger(&mut self, bytes: usize) {
        let mut left = bytes;
        while left > 0 && self.read().await.is_ok() {
            left = left.saturating_sub(self.buf.len());
            self.buf.clear();
        }
    }

    async fn fill(&mut self, len: usize) -> Result<(), Ended> {
        while self.buf.len() < len {
            self.read().await?;
        }
        Ok(())
    }

    async fn discard(&mut self, len: usize) -> Result<(), Ended> {
        let mut left = len;
        loop {
            let now = left.min(self.buf.len());
            self.buf.advance(now);
            left -= now;
            if left == 0 {
                return Ok(());
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Ended> {
        if self.buf.is_empty() && self.buf.capacity() > 16 * CHUNK {
            // The room of one long message is not kept for the life of the connection.
            self.buf = BytesMut::new();
        }
        self.buf.reserve(CHUNK);
        match self.io.read_buf(&mut self.buf).await {
            Ok(0) => Err(Ended::Gone),
            Ok(_) => Ok(()),
            Err(_) => Err(Ended::Gone),
        }
    }
}

/// Whether a message may be long; `None` for a tag that no client sends.
fn holds_data(tag: u8) -> Option<bool> {
    match tag {
        b'Q' | b'P' | b'B' | b'F' | b'd' => Some(true),
        b'X' | b'S' | b'H' | b'D' | b'E' | b'C' | b'c' | b'f' => Some(false),
        _ => None,
    }
}

/// A negative length becomes one that is too long.
fn length(mut bytes: &[u8]) -> usize {
    bytes.get_u32() as usize
}

/// The stream cannot be understood from here on.
fn violation(message: impl Into<String>) -> Ended {
    Ended::Fatal(Error::new(SqlState::ProtocolViolation, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &'static [u8]) -> Reader<&'static [u8]> {
        let limits = Limits {
            message_bytes_max: 16,
            ..Limits::default()
        };
        Reader::new(bytes, Arc::new(limits))
    }

    #[tokio::test]
    async fn messages_are_cut_at_their_length() {
        let mut r = reader(b"Q\0\0\0\x06a\0S\0\0\0\x04X\0");
        let body = Bytes::from_static(b"a\0");
        assert_eq!(r.frame().await.unwrap(), Frame::Message { tag: b'Q', body });
        let body = Bytes::new();
        assert_eq!(r.frame().await.unwrap(), Frame::Message { tag: b'S', body });
        assert!(matches!(r.frame().await, Err(Ended::Gone)));
    }

    #[tokio::test]
    async fn a_long_message_is_thrown_away_and_the_next_one_read() {
        let mut r = reader(b"Q\0\0\0\x11aaaaaaaaaaaa\0S\0\0\0\x04");
        assert_eq!(
            r.frame().await.unwrap(),
            Frame::TooLong {
                tag: b'Q',
                bytes: 17
            }
        );
        let body = Bytes::new();
        assert_eq!(r.frame().await.unwrap(), Frame::Message { tag: b'S', body });
    }

    #[tokio::test]
    async fn what_cannot_be_a_message_ends_the_connection() {
        for bytes in [
            &b"\x16\x03\x01"[..],
            b"p\0\0\0\x04",
            b"Q\0\0\0\x03",
            b"Q\xff\xff\xff\xff",
            b"S\0\0\xff\xff",
            b"Q\x7f\xff\xff\xff",
        ] {
            let Err(Ended::Fatal(error)) = reader(bytes).frame().await else {
                panic!("{bytes:?} was taken");
            };
            assert_eq!(error.sqlstate(), SqlState::ProtocolViolation);
        }
    }
}
