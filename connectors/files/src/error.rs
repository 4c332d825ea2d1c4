//! Errors of files, told with the file's name.

use std::io;
use std::path::Path;

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use inflowave_types::{Error, SqlState};

use crate::store;

/// An error of the file system, or of a store behind the interface of one.
pub fn of_file(path: &Path, error: &io::Error) -> Error {
    let inner = error.get_ref();
    if let Some(ours) = inner.and_then(|e| e.downcast_ref::<Error>()) {
        return ours.clone();
    }
    let file = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => Error::new(
            SqlState::UndefinedFile,
            format!("file \"{file}\" does not exist"),
        )
        .with_hint("Check the path of the catalog, or that the file was not moved."),
        io::ErrorKind::PermissionDenied => Error::new(
            SqlState::InsufficientPrivilege,
            format!("file \"{file}\": permission denied"),
        )
        .with_hint("Let the user that runs the server read the file."),
        _ => Error::new(SqlState::IoError, format!("file \"{file}\": {error}")),
    }
}

/// A file that is not what its format demands.
pub fn broken(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(
        SqlState::DataCorrupted,
        format!("file \"{}\": {what}", path.display()),
    )
}

/// The file is no longer what it was when the query was planned.
pub fn drifted(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(
        SqlState::InvalidTableDefinition,
        format!(
            "file \"{}\" has changed since the query was planned: {what}",
            path.display()
        ),
    )
    .with_hint("Run the statement again once the server has read the source's tables anew.")
}

/// Our error on its way through DataFusion.
pub fn carried(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// A defect of ours inside a plan.
pub fn internal_df(message: &str) -> DataFusionError {
    carried(Error::internal(message))
}

/// Names the file in an error of reading it. Errors of expressions that DataFusion computes while
/// it reads stay as they are.
pub fn named(path: &Path, error: DataFusionError) -> DataFusionError {
    let text = match error.find_root() {
        DataFusionError::ParquetError(e) => match store::ours(e) {
            Some(ours) => return carried(ours),
            None => e.to_string(),
        },
        DataFusionError::ObjectStore(e) => e.to_string(),
        DataFusionError::IoError(e) => return carried(of_file(path, e)),
        DataFusionError::ArrowError(e, _) => match e.as_ref() {
            ArrowError::ParquetError(_) | ArrowError::IoError(..) => e.to_string(),
            _ => return error,
        },
        _ => return error,
    };
    if path.exists() || path.to_str().is_some_and(|p| p.contains("://")) {
        carried(broken(path, text))
    } else {
        carried(of_file(path, &io::ErrorKind::NotFound.into()))
    }
}
