//! The two formats of a value on the wire, and the result that a client has chosen them for.

use arrow::array::{RecordBatch, new_empty_array};
use arrow::datatypes::SchemaRef;
use inflowave_query_api::CursorView;
use inflowave_types::{Error, Result, SqlState};

use crate::encode::{RowEncoder, TextFormat};
use crate::oid::WireType;

/// PostgreSQL's limit of columns in a result (`MaxTupleAttributeNumber`).
pub const COLUMNS_MAX: usize = 1664;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Binary,
}

impl Format {
    /// # Errors
    /// `22023` for a code that is neither 0 nor 1.
    pub fn of_code(code: i16) -> Result<Format> {
        match code {
            0 => Ok(Format::Text),
            1 => Ok(Format::Binary),
            other => Err(Error::new(
                SqlState::InvalidParameterValue,
                format!("unsupported format code: {other}"),
            )),
        }
    }

    pub fn code(self) -> i16 {
        match self {
            Format::Text => 0,
            Format::Binary => 1,
        }
    }

    /// The format of each of `count` values: no code means text for all, one code is for all.
    /// `None` if there is another number of codes.
    pub fn spread(codes: &[i16], count: usize) -> Result<Option<Vec<Format>>> {
        match codes {
            [] => Ok(Some(vec![Format::Text; count])),
            [code] => Format::of_code(*code).map(|format| Some(vec![format; count])),
            codes if codes.len() == count => {
                let formats = codes.iter().map(|code| Format::of_code(*code));
                formats.collect::<Result<_>>().map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// The columns of a result as a client sees them.
#[derive(Debug, Clone)]
pub struct Columns {
    pub schema: SchemaRef,
    pub types: Vec<WireType>,
    pub formats: Vec<Format>,
}

impl Columns {
    /// All in text format.
    ///
    /// # Errors
    /// `54011` beyond 1664 columns, `0A000` for a type without a PostgreSQL counterpart.
    pub fn text(schema: SchemaRef) -> Result<Columns> {
        let count = schema.fields().len();
        if count > COLUMNS_MAX {
            return Err(Error::new(
                SqlState::TooManyColumns,
                format!("a result can have at most {COLUMNS_MAX} columns, this one has {count}"),
            )
            .with_hint("Name the columns that you need."));
        }
        let types = schema.fields().iter().map(|field| WireType::of(field));
        Ok(Columns {
            types: types.collect::<Result<_>>()?,
            formats: vec![Format::Text; count],
            schema,
        })
    }

    /// All in binary format.
    ///
    /// # Errors
    /// As [`Columns::with_formats`].
    pub fn binary(schema: SchemaRef) -> Result<Columns> {
        Columns::with_formats(schema, &[Format::Binary.code()])
    }

    /// # Errors
    /// As [`Columns::with_formats`].
    pub fn of_cursor(cursor: &CursorView) -> Result<Columns> {
        match cursor.binary {
            true => Columns::binary(cursor.schema.clone()),
            false => Columns::text(cursor.schema.clone()),
        }
    }

    /// In the formats that a `Bind` asks for.
    ///
    /// # Errors
    /// As [`Columns::text`]; `08P01` for a number of codes that does not fit, `22023` for an
    /// unknown code, `0A000` for a column whose type has no binary form.
    pub fn with_formats(schema: SchemaRef, codes: &[i16]) -> Result<Columns> {
        let mut columns = Columns::text(schema)?;
        let count = columns.formats.len();
        let Some(formats) = Format::spread(codes, count)? else {
            return Err(Error::new(
                SqlState::ProtocolViolation,
                format!(
                    "bind message has {} result formats but query has {count} columns",
                    codes.len()
                ),
            ));
        };
        columns.formats = formats;
        // What no value of a type can be written as is told before the first row.
        let empty = columns.schema.fields().iter();
        let empty = empty.map(|field| new_empty_array(field.data_type()));
        let batch = RecordBatch::try_new(columns.schema.clone(), empty.collect());
        if let Ok(batch) = batch {
            RowEncoder::new(&batch, &columns, &TextFormat::default())?;
        }
        Ok(columns)
    }

    /// The same names and types, as far as a client was told of them.
    pub fn same_as(&self, other: &Columns) -> bool {
        let names = self.schema.fields().iter().map(|f| f.name());
        let other_names = other.schema.fields().iter().map(|f| f.name());
        // A decimal's precision may follow from the values of parameters.
        let oids = self.types.iter().map(|t| t.oid);
        names.eq(other_names) && oids.eq(other.types.iter().map(|t| t.oid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{DataType, Field, Schema};
    use std::sync::Arc;

    fn schema(fields: &[(&str, DataType)]) -> SchemaRef {
        let fields = fields.iter().map(|(n, t)| Field::new(*n, t.clone(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    #[test]
    fn no_code_is_text_and_one_code_is_for_all() {
        use Format::{Binary, Text};
        assert_eq!(Format::spread(&[], 2), Ok(Some(vec![Text, Text])));
        assert_eq!(Format::spread(&[1], 2), Ok(Some(vec![Binary, Binary])));
        assert_eq!(Format::spread(&[1], 0), Ok(Some(vec![])));
        assert_eq!(Format::spread(&[1, 0], 2), Ok(Some(vec![Binary, Text])));
        assert_eq!(Format::spread(&[1, 0], 3), Ok(None));
        let error = Format::spread(&[2], 1).unwrap_err();
        assert_eq!(error.message(), "unsupported format code: 2");
    }

    #[test]
    fn a_result_is_the_same_if_its_names_and_types_are() {
        let text = |fields: &[_]| Columns::text(schema(fields)).unwrap();
        let one = text(&[("a", DataType::Decimal128(38, 2))]);
        assert!(one.same_as(&text(&[("a", DataType::Decimal256(40, 5))])));
        assert!(!one.same_as(&text(&[("b", DataType::Decimal128(38, 2))])));
        assert!(!one.same_as(&text(&[("a", DataType::Int32)])));
        assert!(!one.same_as(&text(&[])));
    }
}
