//! One writer: a lock on a file beside the store, held as long as the process lives.
//!
//! It is the system's own lock, not the file's presence, so that a process that was killed leaves
//! nothing behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use inflowave_types::Result;

use crate::error;

/// The file that is locked, in `server.data_dir`.
const FILE: &str = "metastore.lock";

/// The right to write.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// # Errors
    /// `55006` naming the store and the process that holds it; `58030`.
    pub fn take(dir: &Path, store: &Path) -> Result<Lock> {
        let path = dir.join(FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        private(&mut options);
        let mut file = options.open(&path).map_err(|e| error::of_file(&path, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a help, not a promise.
                let _ = file.read_to_string(&mut holder);
                let pid = Some(holder.trim()).filter(|pid| !pid.is_empty());
                return Err(error::held(store, pid));
            }
            Err(TryLockError::Error(e)) => return Err(error::of_file(&path, &e)),
        }
        let pid = std::process::id();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{pid}"))
            .map_err(|e| error::of_file(&path, &e))?;
        Ok(Lock(file))
    }
}

/// Given back at once: a child that another thread is just starting may hold a copy of the file.
impl Drop for Lock {
    fn drop(&mut self) {
        // At worst it goes with the last copy.
        let _ = self.0.unlock();
    }
}

/// Only the server's own user reads and writes what is made with these options.
pub(crate) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = options;
}
