//! The write half: a bounded buffer in front of the socket.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::connection::Ended;

/// The buffer is sent when it holds this much, in bytes.
const FLUSH_BYTES: usize = 64 << 10;
/// The room that an idle connection keeps, in bytes.
const IDLE_BYTES: usize = 8 << 10;

/// The write half of a connection. Answers are appended to `buf`; nothing is sent before a flush.
pub struct Writer<W> {
    io: W,
    pub buf: BytesMut,
    stall_timeout: Duration,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub fn new(io: W, stall_timeout: Duration) -> Self {
        Writer {
            io,
            buf: BytesMut::new(),
            stall_timeout,
        }
    }

    /// Enough is waiting to be sent.
    pub fn is_full(&self) -> bool {
        self.buf.len() >= FLUSH_BYTES
    }

    /// Sends all that waits. May be dropped at any await: what was sent is not sent again.
    pub async fn flush(&mut self) -> Result<(), Ended> {
        while !self.buf.is_empty() {
            let written = tokio::time::timeout(self.stall_timeout, self.io.write(&self.buf)).await;
            match written {
                Err(_) => return Err(Ended::Stalled),
                Ok(Ok(n)) if n > 0 => self.buf.advance(n),
                Ok(_) => return Err(Ended::Gone),
            }
        }
        Ok(())
    }

    /// Gives back the room of the last answer: most connections are idle most of the time.
    pub fn release(&mut self) {
        if self.buf.is_empty() && self.buf.capacity() > IDLE_BYTES {
            self.buf = BytesMut::new();
        }
    }

    /// No more will be sent.
    pub async fn close(&mut self) {
        // The client may have gone first; there is nobody left to tell.
        let _ = self.io.shutdown().await;
    }
}
