//! Errors of SQLite, told with a SQLSTATE and the catalog's name.

use inflowave_types::{Error, SqlState};
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Marks a message of our own functions: `inflowave:22P02:value ..`.
const OURS: &str = "inflowave:";

/// The message by which a function inside SQLite tells an error of ours.
pub fn encode(error: &Error) -> String {
    format!("{OURS}{}:{}", error.sqlstate().code(), error.message())
}

/// An error of a connection that is open.
pub fn from_sqlite(catalog: &str, error: &rusqlite::Error) -> Error {
    let (code, text) = match error {
        rusqlite::Error::SqliteFailure(code, text) => {
            (*code, text.clone().unwrap_or_else(|| code.to_string()))
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => (*error, msg.clone()),
        other => {
            return Error::new(
                SqlState::ForeignDataWrapperError,
                format!("catalog \"{catalog}\": {other}"),
            );
        }
    };
    if let Some(error) = decode(&text) {
        return error;
    }
    classified(catalog, code, &text)
}

fn classified(catalog: &str, code: ffi::Error, text: &str) -> Error {
    let new = |state, what: &str| Error::new(state, format!("catalog \"{catalog}\": {what}"));
    match code.code {
        ErrorCode::OperationInterrupted => new(SqlState::QueryCanceled, "query cancelled"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => new(
            SqlState::CannotConnectNow,
            &format!("another process holds the file ({text})"),
        )
        .with_hint("Send the statement again, or raise busy_timeout_ms of the catalog.")
        .retryable(),
        ErrorCode::CannotOpen => new(SqlState::ConnectionUnableToEstablish, text)
            .with_hint("Check that the file is there and that the server may read it."),
        ErrorCode::NotADatabase => new(SqlState::ConnectionUnableToEstablish, text)
            .with_hint("Check that \"path\" names a SQLite database without encryption."),
        ErrorCode::DatabaseCorrupt => new(SqlState::DataCorrupted, text)
            .with_hint("Run PRAGMA integrity_check on the file and restore it from a backup."),
        ErrorCode::OutOfMemory => new(SqlState::OutOfMemory, text),
        ErrorCode::DiskFull => new(SqlState::DiskFull, text),
        ErrorCode::SystemIoFailure => new(SqlState::IoError, text),
        ErrorCode::TooBig => new(SqlState::ProgramLimitExceeded, text),
        ErrorCode::ReadOnly => new(SqlState::ReadOnlySqlTransaction, text),
        ErrorCode::SchemaChanged => drifted(catalog, text),
        // SQLite has one code for all that is wrong with a statement.
        _ if text.contains("no such column") || text.contains("no such table") => {
            drifted(catalog, text)
        }
        _ if text.contains("integer overflow") => {
            new(SqlState::NumericValueOutOfRange, "integer out of range")
        }
        _ => new(SqlState::ForeignDataWrapperError, text),
    }
}

/// The table is no longer what it was when the query was planned.
pub fn drifted(catalog: &str, what: &str) -> Error {
    Error::new(
        SqlState::InvalidTableDefinition,
        format!(
            "catalog \"{catalog}\": the source has changed since the query was planned: {what}"
        ),
    )
    .with_hint("Run the statement again once the server has read the source's tables anew.")
}

fn decode(text: &str) -> Option<Error> {
    // SQLite may put words of its own in front of a function's message.
    let (_, ours) = text.split_once(OURS)?;
    let (code, message) = ours.split_once(':')?;
    let state = SqlState::ALL.iter().find(|s| s.code() == code)?;
    Some(Error::new(*state, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_ours_comes_back_through_sqlite() {
        let ours = Error::new(SqlState::InvalidTextRepresentation, "value 'a:b' of t.c");
        let through = rusqlite::Error::SqliteFailure(ffi::Error::new(1), Some(encode(&ours)));
        assert_eq!(from_sqlite("crm", &through), ours);
    }

    #[test]
    fn a_lost_column_is_schema_drift() {
        let lost = rusqlite::Error::SqliteFailure(
            ffi::Error::new(1),
            Some("no such column: t.c".to_owned()),
        );
        assert_eq!(from_sqlite("crm", &lost).sqlstate().code(), "42P16");
    }
}
