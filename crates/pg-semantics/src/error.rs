//! Any error of DataFusion, Arrow or the parser, as PostgreSQL would have told it.

use arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, Diagnostic, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;
use inflowave_types::{Error, SqlState};

mod message;

use message::{closest, from_plan, from_text};

/// What a client is told of `e`, raised by the statement `sql`.
///
/// An [`Error`] of ours, however deep in the chain, comes out as it went in. An internal error keeps
/// its words to itself.
pub fn to_error(e: &DataFusionError, sql: &str) -> Error {
    let error = classify(e, sql);
    match (error.position(), position(e, sql)) {
        (None, Some(at)) if error.sqlstate().code().starts_with("42") => error.with_position(at),
        _ => error,
    }
}

fn classify(e: &DataFusionError, sql: &str) -> Error {
    match e {
        DataFusionError::External(source) => external(source.as_ref(), sql),
        DataFusionError::Context(what, inner) if what.starts_with("Optimizer rule") => {
            match classify(inner, sql) {
                // The statement was found right before: a rule does not know what to do with it.
                e if e.sqlstate().code().starts_with("42") || e.sqlstate().code() == "XX000" => {
                    Error::unsupported("this form of subquery or join is not supported")
                }
                e => e,
            }
        }
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
            classify(inner, sql)
        }
        DataFusionError::Shared(inner) => classify(inner, sql),
        DataFusionError::Collection(all) => match all.first() {
            Some(first) => classify(first, sql),
            None => internal(),
        },
        DataFusionError::ArrowError(inner, _) => arrow(inner, sql),
        DataFusionError::SQL(inner, _) => parser(inner, sql),
        DataFusionError::SchemaError(inner, _) => schema(inner),
        // A defect of the planner, with the plan in its text: nothing for a client.
        DataFusionError::Plan(text) if text.contains("does not satisfy order requirements") => {
            internal()
        }
        DataFusionError::Plan(text) => from_plan(text),
        DataFusionError::NotImplemented(text) => message::unsupported(text),
        DataFusionError::Execution(text) => from_text(text)
            .unwrap_or_else(|| Error::new(SqlState::DataException, message::lowercase(text))),
        DataFusionError::Configuration(text) => {
            Error::new(SqlState::InvalidParameterValue, message::lowercase(text))
        }
        DataFusionError::ResourcesExhausted(text) => exhausted(text),
        DataFusionError::IoError(e) if e.kind() == std::io::ErrorKind::StorageFull => {
            Error::new(SqlState::DiskFull, "the disk is full")
        }
        DataFusionError::IoError(e) => io(e, sql),
        DataFusionError::ObjectStore(e) => {
            Error::new(SqlState::IoError, message::lowercase(&e.to_string()))
        }
        DataFusionError::ParquetError(e) => {
            Error::new(SqlState::DataCorrupted, message::lowercase(&e.to_string()))
        }
        // DataFusion reports an overflow of its own arithmetic this way, too.
        DataFusionError::Internal(text)
            if text.contains("Cannot run range queries on datatype") =>
        {
            Error::unsupported("a window ordered by this type is not supported")
        }
        DataFusionError::Internal(text) => from_text(text).unwrap_or_else(internal),
        _ => internal(),
    }
}

fn internal() -> Error {
    Error::internal("internal error").with_hint("The server's log has the details of it.")
}

/// Our own error, or DataFusion's or Arrow's, in a box.
fn external(source: &(dyn std::error::Error + 'static), sql: &str) -> Error {
    let mut next = Some(source);
    while let Some(e) = next {
        if let Some(ours) = e.downcast_ref::<Error>() {
            return ours.clone();
        }
        if let Some(e) = e.downcast_ref::<DataFusionError>() {
            return classify(e, sql);
        }
        if let Some(e) = e.downcast_ref::<ArrowError>() {
            return arrow(e, sql);
        }
        if let Some(e) = e.downcast_ref::<std::io::Error>() {
            return io(e, sql);
        }
        next = e.source();
    }
    from_text(&source.to_string()).unwrap_or_else(internal)
}

fn io(e: &std::io::Error, sql: &str) -> Error {
    match e.get_ref() {
        Some(inner) if inner.is::<Error>() || inner.is::<DataFusionError>() => external(inner, sql),
        _ if e.kind() == std::io::ErrorKind::StorageFull => {
            Error::new(SqlState::DiskFull, "the disk is full")
        }
        _ if e.to_string().contains("disk space during the spilling") => exhausted("disk"),
        _ => Error::new(SqlState::IoError, message::lowercase(&e.to_string())),
    }
}

fn arrow(e: &ArrowError, sql: &str) -> Error {
    match e {
        ArrowError::ExternalError(source) => external(source.as_ref(), sql),
        ArrowError::DivideByZero => Error::new(SqlState::DivisionByZero, "division by zero"),
        ArrowError::ArithmeticOverflow(text) => message::overflow(text),
        ArrowError::IoError(text, e) => {
            let error = io(e, sql);
            if error.sqlstate() == SqlState::IoError {
                Error::new(SqlState::IoError, message::lowercase(text))
            } else {
                error
            }
        }
        ArrowError::NotYetImplemented(text) => Error::unsupported(message::lowercase(text)),
        ArrowError::CastError(text)
        | ArrowError::ComputeError(text)
        | ArrowError::InvalidArgumentError(text)
        | ArrowError::ParseError(text) => from_text(text)
            .unwrap_or_else(|| Error::new(SqlState::DataException, message::lowercase(text))),
        ArrowError::CsvError(text)
        | ArrowError::JsonError(text)
        | ArrowError::ParquetError(text) => {
            Error::new(SqlState::DataCorrupted, message::lowercase(text))
        }
        _ => internal(),
    }
}

fn schema(e: &SchemaError) -> Error {
    match e {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => column_not_found(field, valid_fields),
        SchemaError::AmbiguousReference { field } => Error::new(
            SqlState::AmbiguousColumn,
            format!("column reference \"{}\" is ambiguous", field.name),
        ),
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => Error::new(
            SqlState::AmbiguousColumn,
            format!("column reference \"{name}\" is ambiguous"),
        ),
    }
}

fn column_not_found(field: &Column, valid: &[Column]) -> Error {
    let shown = match &field.relation {
        Some(relation) => {
            let known = valid.iter().any(|v| {
                v.relation
                    .as_ref()
                    .is_some_and(|r| r.table() == relation.table())
            });
            if !known && !valid.is_empty() {
                return Error::new(
                    SqlState::UndefinedTable,
                    format!(
                        "missing FROM-clause entry for table \"{}\"",
                        relation.table()
                    ),
                );
            }
            format!("{}.{}", relation.table(), field.name)
        }
        None => format!("\"{}\"", field.name),
    };
    let error = Error::new(
        SqlState::UndefinedColumn,
        format!("column {shown} does not exist"),
    );
    let near = closest(
        &field.name,
        valid
            .iter()
            .map(|v| (v.name.as_str(), v.relation.as_ref().map(|r| r.table()))),
    );
    match near.as_slice() {
        [] => error,
        [one] => error.with_hint(format!(
            "Perhaps you meant to reference the column \"{one}\"."
        )),
        [one, two, ..] => error.with_hint(format!(
            "Perhaps you meant to reference the column \"{one}\" or the column \"{two}\"."
        )),
    }
}

fn exhausted(text: &str) -> Error {
    if text.contains("disk") || text.contains("spill") {
        return Error::new(
            SqlState::DiskFull,
            "the limit of temporary files is reached",
        )
        .with_detail(message::first_line(text));
    }
    Error::new(SqlState::OutOfMemory, "out of memory")
        .with_detail(message::first_line(text))
        .with_hint("The query needs more memory than the server may use; a filter or a smaller join would need less.")
}

fn parser(e: &ParserError, sql: &str) -> Error {
    match e {
        ParserError::RecursionLimitExceeded => {
            Error::new(SqlState::StatementTooComplex, "stack depth limit exceeded")
                .with_hint("The statement nests too deeply; write it flatter.")
        }
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => {
            message::syntax(text, sql)
        }
    }
}

/// The place that DataFusion noted beside the error.
fn position(e: &DataFusionError, sql: &str) -> Option<u32> {
    let of = |d: &Diagnostic| {
        let start = d.span?.start;
        message::offset(sql, start.line, start.column)
    };
    match e {
        DataFusionError::Diagnostic(d, inner) => of(d).or_else(|| position(inner, sql)),
        DataFusionError::Context(_, inner) => position(inner, sql),
        DataFusionError::Shared(inner) => position(inner, sql),
        DataFusionError::Collection(all) => position(all.first()?, sql),
        DataFusionError::SchemaError(inner, _) => match inner.as_ref() {
            SchemaError::FieldNotFound { field, .. }
            | SchemaError::AmbiguousReference { field } => {
                let start = field.spans.first()?.start;
                message::offset(sql, start.line, start.column)
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn our_error_comes_out_as_it_went_in() {
        let ours = || Error::new(SqlState::DivisionByZero, "division by zero").with_hint("Do not.");
        let deep = DataFusionError::Shared(Arc::new(
            DataFusionError::ArrowError(
                Box::new(ArrowError::ExternalError(Box::new(
                    DataFusionError::External(Box::new(ours())),
                ))),
                None,
            )
            .context("somewhere"),
        ));
        assert_eq!(to_error(&deep, ""), ours());
        let io = std::io::Error::other(ours());
        assert_eq!(to_error(&DataFusionError::IoError(io), ""), ours());
    }

    #[test]
    fn internals_stay_inside() {
        let e = DataFusionError::Internal("secret pointer 0xdead".to_owned());
        let told = to_error(&e, "");
        assert_eq!(told.sqlstate().code(), "XX000");
        assert!(!told.message().contains("0xdead"));
    }

    #[test]
    fn memory_and_disk_have_their_codes() {
        let e = DataFusionError::ResourcesExhausted("Failed to allocate 10 bytes".to_owned());
        assert_eq!(to_error(&e, "").sqlstate().code(), "53200");
        let e = DataFusionError::ResourcesExhausted(
            "The used disk space during the spilling process has exceeded".to_owned(),
        );
        assert_eq!(to_error(&e, "").sqlstate().code(), "53100");
    }
}
