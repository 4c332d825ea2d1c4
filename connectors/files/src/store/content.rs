//! An object as a stream for readers of text, which block: read in pieces, one ahead.

use std::io::{Error as IoError, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use inflowave_types::{Error, SqlState};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::object::Object;

/// Bytes of one request. An object that is not larger is read by a request without a range.
const PIECE_BYTES: u64 = 4 << 20;

/// Works on threads that may block, and nowhere else.
pub struct Content {
    object: Arc<Object>,
    /// Fires when nobody wants the rows any more.
    stop: CancellationToken,
    piece: Bytes,
    /// Where the rest of `piece` starts in the object.
    at: u64,
    /// The piece behind, once a second one was asked for: who reads that far reads on.
    ahead: Option<(u64, JoinHandle<inflowave_types::Result<Bytes>>)>,
    pieces: usize,
}

impl Content {
    pub fn new(object: Arc<Object>, stop: CancellationToken) -> Content {
        Content {
            object,
            stop,
            piece: Bytes::new(),
            at: 0,
            ahead: None,
            pieces: 0,
        }
    }

    fn fetch(&self, at: u64) -> JoinHandle<inflowave_types::Result<Bytes>> {
        let object = Arc::clone(&self.object);
        let size = object.meta.size;
        self.object.store.io.spawn(async move {
            if size <= PIECE_BYTES {
                let whole = object.whole().await?;
                return Ok(whole.slice(at as usize..));
            }
            object.range(at..(at + PIECE_BYTES).min(size)).await
        })
    }

    fn next_piece(&mut self) -> Result<(), IoError> {
        let size = self.object.meta.size;
        let waiting = match self.ahead.take() {
            Some((at, task)) if at == self.at => task,
            Some((_, task)) => {
                task.abort();
                self.fetch(self.at)
            }
            None => self.fetch(self.at),
        };
        let mut waiting = Abort(waiting);
        let stop = self.stop.clone();
        let done = self.object.store.io.block_on(async {
            tokio::select! {
                done = &mut waiting.0 => Some(done),
                () = stop.cancelled() => None,
            }
        });
        self.piece = match done {
            Some(Ok(piece)) => piece.map_err(IoError::other)?,
            Some(Err(_)) => {
                return Err(IoError::other(Error::internal(
                    "a task of the files connector failed",
                )));
            }
            None => {
                return Err(IoError::other(Error::new(
                    SqlState::QueryCanceled,
                    "the rows are no longer wanted",
                )));
            }
        };
        self.pieces += 1;
        let next = self.at + self.piece.len() as u64;
        if self.pieces > 1 && next < size {
            self.ahead = Some((next, self.fetch(next)));
        }
        Ok(())
    }
}

struct Abort<T>(JoinHandle<T>);

impl<T> Drop for Abort<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.ahead {
            task.abort();
        }
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, IoError> {
        if self.piece.is_empty() {
            if self.at >= self.object.meta.size {
                return Ok(0);
            }
            self.next_piece()?;
        }
        let taken = self.piece.split_to(buffer.len().min(self.piece.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        self.at += taken.len() as u64;
        Ok(taken.len())
    }
}

impl Seek for Content {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, IoError> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.object.meta.size.checked_add_signed(by),
        };
        let to = to.ok_or(std::io::ErrorKind::InvalidInput)?;
        if to != self.at {
            self.piece = Bytes::new();
            self.at = to.min(self.object.meta.size);
        }
        Ok(self.at)
    }
}
