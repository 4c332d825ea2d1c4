//! PostgreSQL's binary form of every Arrow type (`*send` functions of PostgreSQL 15).
//!
//! A binary form is exact or it is not written: a time finer than microseconds, an array that is
//! no rectangle and the like are errors that name the column, whatever their text form shows.

mod address;
mod bytes_form;
mod datetime;
mod interval;
mod nested;
mod number;
mod numeric;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use bytes::{BufMut, BytesMut};
use inflowave_types::{Error, Result};

pub use self::address::{FAMILY_4, FAMILY_6};
pub use self::datetime::{EPOCH_DAYS, EPOCH_MICROS};
pub use self::nested::DIMENSIONS_MAX;
use super::layout;
use super::text::{TextColumn, TextFormat};
use crate::oid::WireType;

/// The binary forms of one array's values.
pub struct BinaryColumn {
    name: String,
    nulls: Option<NullBuffer>,
    form: Box<dyn Form>,
}

/// Why a value has no binary form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Inexact(&'static str);

/// Writes the bytes of a value that is not NULL.
trait Form: Send + Sync {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact>;
}

impl BinaryColumn {
    /// Decides on the form of a column; `field` tells its PostgreSQL type.
    ///
    /// # Errors
    /// `0A000` for a type that has none.
    pub fn new(array: &ArrayRef, field: &Field) -> Result<Self> {
        let form = form(array, field)?.ok_or_else(|| {
            Error::unsupported(format!(
                "column \"{}\" has the type {}, which has no binary form",
                field.name(),
                array.data_type()
            ))
            .with_hint("Ask for this column in text format, or cast it to text.")
        })?;
        Ok(BinaryColumn {
            name: field.name().clone(),
            nulls: array.logical_nulls(),
            form,
        })
    }

    /// Appends the value as a field of a `DataRow`: its length, -1 for NULL, then its bytes.
    ///
    /// # Errors
    /// `0A000` for a value that has no exact binary form; the start of it may be in `out` then.
    pub fn append(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        self.put(row, out).map_err(|Inexact(why)| {
            Error::unsupported(format!(
                "column \"{}\" has a value without a binary form: {why}",
                self.name
            ))
            .with_hint("Ask for this column in text format, or cast it to text.")
        })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    fn put(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        if self.is_null(row) {
            out.put_i32(-1);
            return Ok(());
        }
        let start = out.len();
        out.put_u32(0);
        self.form.write(row, out)?;
        // A longer value makes its row too long, which the row's encoder finds.
        let len = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
        out[start..start + 4].copy_from_slice(&len.to_be_bytes());
        Ok(())
    }
}

/// A form that is a function of a primitive array's value.
struct Each<T: ArrowPrimitiveType, F> {
    values: PrimitiveArray<T>,
    write: F,
}

impl<T, F> Form for Each<T, F>
where
    T: ArrowPrimitiveType,
    F: Fn(T::Native, &mut BytesMut) -> Result<(), Inexact> + Send + Sync,
{
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        (self.write)(self.values.value(row), out)
    }
}

fn each<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    write: impl Fn(T::Native, &mut BytesMut) -> Result<(), Inexact> + Send + Sync + 'static,
) -> Option<Box<dyn Form>> {
    Some(Box::new(Each {
        values: array.as_primitive::<T>().clone(),
        write,
    }))
}

struct Bool(BooleanArray);

impl Form for Bool {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        out.put_u8(self.0.value(row).into());
        Ok(())
    }
}

/// Every value is NULL.
struct Nothing;

impl Form for Nothing {
    fn write(&self, _row: usize, _out: &mut BytesMut) -> Result<(), Inexact> {
        Ok(())
    }
}

/// The text form, for the types whose binary form it is, after a version where there is one.
struct Text {
    version: Option<u8>,
    text: TextColumn,
}

impl Form for Text {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        out.extend(self.version);
        self.text.text(row, out);
        Ok(())
    }
}

/// Values that several rows share: dictionaries and runs.
struct Shared {
    rows: Vec<usize>,
    values: BinaryColumn,
}

impl Form for Shared {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        self.values.form.write(self.rows[row], out)
    }
}

/// `None` if the type has no binary form.
fn form(array: &ArrayRef, field: &Field) -> Result<Option<Box<dyn Form>>> {
    let data_type = array.data_type();
    if data_type.is_null() {
        return Ok(Some(Box::new(Nothing)));
    }
    if let DataType::Dictionary(_, values) = data_type {
        return shared(array, &field.clone().with_data_type((**values).clone()));
    }
    if let DataType::RunEndEncoded(_, values) = data_type {
        // What marks the type may stand on the runs or on their values.
        let marked = field.clone().with_data_type(values.data_type().clone());
        let field = match field.metadata().is_empty() {
            true => values.as_ref().clone().with_name(field.name()),
            false => marked,
        };
        return shared(array, &field);
    }
    let text = |version| -> Result<Option<Box<dyn Form>>> {
        let text = TextColumn::new(array, &TextFormat::default())?;
        Ok(Some(Box::new(Text { version, text })))
    };
    Ok(match WireType::of(field)?.oid {
        // text, varchar, bpchar, name, json, "char", pg_node_tree.
        25 | 1043 | 1042 | 19 | 114 | 18 | 194 => text(None)?,
        3802 => text(Some(1))?,
        16 => match data_type {
            DataType::Boolean => Some(Box::new(Bool(array.as_boolean().clone()))),
            _ => None,
        },
        21 | 23 | 20 | 26 | 28 => number::whole(array, field)?,
        700 | 701 => number::float(array),
        1700 => numeric::form(array),
        17 => bytes_form::bytea(array),
        2950 => bytes_form::uuid(array),
        869 => address::form(array),
        1082 => datetime::date(array),
        1083 => datetime::time(array),
        1114 | 1184 => datetime::timestamp(array),
        1186 => interval::form(array),
        2249 => nested::record(array, field)?,
        _ => nested::list(array, field)?,
    })
}

fn shared(array: &ArrayRef, field: &Field) -> Result<Option<Box<dyn Form>>> {
    let (rows, values) = layout::shared(array)?;
    Ok(Some(Box::new(Shared {
        rows,
        values: BinaryColumn::new(&values, field)?,
    })))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod vectors;
