//! Errors of SQLite, told with the file's name and what to do next.

use std::path::Path;

use inflowave_types::{Error, SqlState};
use rusqlite::ErrorCode;

/// An error of SQLite while it worked on `path`.
pub(crate) fn of_sqlite(path: &Path, error: &rusqlite::Error) -> Error {
    let new = |state, what: String| {
        Error::new(state, format!("metastore \"{}\": {what}", path.display()))
    };
    let what = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => held(path, None),
        Some(ErrorCode::DiskFull) => new(SqlState::DiskFull, what)
            .with_hint("Free space on the disk of server.data_dir, and try again."),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => new(SqlState::IoError, what)
            .with_hint("Check that server.data_dir is there and that the server may write to it."),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            new(SqlState::InsufficientPrivilege, what)
                .with_hint("Let the user that runs the server write to server.data_dir.")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            new(SqlState::DataCorrupted, what).with_hint(
                "Put the file aside and restore it from a backup; without one the server starts with a new, empty file.",
            )
        }
        _ => new(SqlState::InternalError, what),
    }
}

/// An error of the file system.
pub(crate) fn of_file(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        SqlState::IoError,
        format!("metastore \"{}\": {error}", path.display()),
    )
    .with_hint("Set server.data_dir to a folder that the server may write to.")
}

/// Another process has it.
pub(crate) fn held(path: &Path, by: Option<&str>) -> Error {
    let by = by.map_or_else(String::new, |pid| format!(" (process {pid})"));
    Error::new(
        SqlState::ObjectInUse,
        format!(
            "metastore \"{}\" is locked by another process{by}",
            path.display()
        ),
    )
    .with_hint(
        "Stop the other server that uses this folder, or give this one a server.data_dir of its own.",
    )
}

/// A writer was wanted where there is only a reader.
pub(crate) fn read_only(path: &Path) -> Error {
    Error::new(
        SqlState::ReadOnlySqlTransaction,
        format!(
            "metastore \"{}\" is open for reading only: a running server holds it",
            path.display()
        ),
    )
    .with_hint("Send the statement to that server, for example with psql.")
}
