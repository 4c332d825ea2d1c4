//! Errors of this crate on their way through DataFusion and Arrow, which carry them unchanged until
//! [`crate::to_error`] takes them out again.

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use inflowave_types::{Error, SqlState};

/// An error with a SQLSTATE, as DataFusion's.
pub(crate) fn raise(state: SqlState, message: impl Into<String>) -> DataFusionError {
    wrap(Error::new(state, message))
}

/// The same, for an [`Error`] that is there already.
pub(crate) fn wrap(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The same, as Arrow's: for the closures of kernels.
pub(crate) fn raise_arrow(state: SqlState, message: impl Into<String>) -> ArrowError {
    ArrowError::ExternalError(Box::new(Error::new(state, message)))
}

/// `22012`.
pub(crate) fn division_by_zero() -> ArrowError {
    raise_arrow(SqlState::DivisionByZero, "division by zero")
}

/// `22003`, in the words that PostgreSQL uses for numerics.
pub(crate) fn numeric_overflow() -> ArrowError {
    raise_arrow(
        SqlState::NumericValueOutOfRange,
        "value overflows numeric format",
    )
}
