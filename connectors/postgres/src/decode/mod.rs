//! Binary values of the PostgreSQL protocol into Arrow arrays, one decoder chosen per column.
//!
//! A decoder is chosen once by the pair (type at the source, Arrow type wanted) and only for pairs
//! that lose nothing. It takes the bytes of the wire and writes them to its Arrow builder; no value
//! becomes a `String` of its own. A value that does not fit is a [`Flaw`], to which the caller adds
//! the names of table and column.

mod array;
mod fixed;
mod network;
mod numeric;
mod temporal;
mod text;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use inflowave_types::SqlState;
use tokio_postgres::types::{Kind, Type};

pub(crate) use text::is_text_on_the_wire;

/// Fills one Arrow array, value by value.
pub(crate) trait Decode: Send {
    fn value(&mut self, bytes: &[u8]) -> Result<(), Flaw>;
    fn null(&mut self);
    /// What was gathered since the last call.
    fn finish(&mut self) -> ArrayRef;
}

/// Why a value cannot be represented, without the place where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub sqlstate: SqlState,
    /// The value, shortened, as a person would write it.
    pub value: String,
    /// Follows the value and its column: `does not fit numeric(5,2)`.
    pub reason: String,
}

impl Flaw {
    fn new(sqlstate: SqlState, value: impl Into<String>, reason: impl Into<String>) -> Flaw {
        Flaw {
            sqlstate,
            value: value.into(),
            reason: reason.into(),
        }
    }

    /// Bytes that are not of the announced type: a fault of the source or of the network.
    fn malformed(bytes: &[u8]) -> Flaw {
        Flaw::new(
            SqlState::ForeignDataWrapperError,
            format!("of {} bytes", bytes.len()),
            "is malformed",
        )
    }
}

/// A decoder from values of `source` to arrays of `target`, if there is one that loses nothing.
pub(crate) fn decoder(source: &Type, target: &DataType) -> Option<Box<dyn Decode>> {
    let source = base(source);
    match target {
        DataType::List(field) => match source.kind() {
            Kind::Array(element) => {
                let element = decoder(element, field.data_type())?;
                Some(Box::new(array::ListDecoder::new(field.clone(), element)))
            }
            _ => None,
        },
        DataType::Decimal128(..) | DataType::Decimal256(..) => numeric::decoder(source, target),
        DataType::Date32
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Interval(_) => temporal::decoder(source, target),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => text::decoder(source, target),
        _ => fixed::decoder(source, target),
    }
}

/// The type under all domains.
pub(crate) fn base(mut ty: &Type) -> &Type {
    while let Kind::Domain(inner) = ty.kind() {
        ty = inner;
    }
    ty
}

/// Exactly `N` bytes.
fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Flaw> {
    bytes.try_into().map_err(|_| Flaw::malformed(bytes))
}

/// At most the first 64 characters, for messages.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(64) {
        Some((end, _)) => format!("\"{}..\"", &text[..end]),
        None => format!("\"{text}\""),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! One value through a decoder.

    use super::*;

    pub(crate) fn one(source: &Type, target: &DataType, bytes: &[u8]) -> Result<ArrayRef, Flaw> {
        let mut decoder = decoder(source, target).expect("a decoder for the pair");
        decoder.value(bytes)?;
        Ok(decoder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::TimeUnit;

    #[test]
    fn pairs_that_could_lose_something_have_no_decoder() {
        for (source, target) in [
            (Type::INT8, DataType::Int32),
            (Type::FLOAT8, DataType::Float32),
            (Type::NUMERIC, DataType::Float64),
            (Type::NUMERIC, DataType::Int64),
            (Type::INT4, DataType::Utf8View),
            (Type::TEXT, DataType::Int64),
            (Type::TIMESTAMP, DataType::Date32),
            (
                Type::TIMESTAMP,
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            ),
            (
                Type::TIMESTAMPTZ,
                DataType::Timestamp(TimeUnit::Microsecond, None),
            ),
            (Type::TS_VECTOR, DataType::Utf8View),
            (Type::INT4_ARRAY, DataType::Int32),
        ] {
            assert!(decoder(&source, &target).is_none(), "{source} to {target}");
        }
    }
}
