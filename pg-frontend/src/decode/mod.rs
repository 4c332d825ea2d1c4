//! PostgreSQL to Arrow: the values that a client binds to parameters (`*recv` functions of
//! PostgreSQL 15, with their errors).
//!
//! A value in text format stays a text: what it means is the engine's to say. Arrays are decoded by
//! all their elements at once, so everything here works on many values of one type.

mod address;
mod array;
mod datetime;
mod numeric;
mod text;

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray, StringArray, new_null_array};
use arrow::array::{ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, PrimitiveBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Field, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, UInt32Type,
};
use inflowave_types::{Error, Result, SqlState};

use crate::body::{Body, utf8};
use crate::format::Format;
use crate::oid;

/// The value of parameter `number`, counted from 1, as a column of one row: of the declared type,
/// a decimal of its own scale, or a text that is still to be cast.
///
/// # Errors
/// `22021` for a text that is no UTF-8, `08P01` for a binary value that ends early, `22P03` for
/// one that is none of its type, `22003` and `22008` for one beyond what is kept, `0A000` for one
/// that Arrow cannot hold.
pub fn parameter(
    number: usize,
    oid: u32,
    declared: &Field,
    format: Format,
    bytes: Option<&[u8]>,
) -> Result<ArrayRef> {
    let Some(bytes) = bytes else {
        return Ok(new_null_array(declared.data_type(), 1));
    };
    match format {
        Format::Text => {
            let text: ArrayRef = Arc::new(StringArray::from(vec![utf8(bytes)?]));
            match declared.data_type().is_string() {
                true => conform(text, declared),
                false => Ok(text),
            }
        }
        Format::Binary => {
            let value = Value {
                bytes: Some(bytes),
                place: Place::Parameter(number),
            };
            conform(binary(oid, &[value])?, declared)
        }
    }
}

/// A value in binary format.
struct Value<'a> {
    /// `None` for NULL.
    bytes: Option<&'a [u8]>,
    place: Place,
}

/// Where a value stands, counted from 1.
#[derive(Debug, Clone, Copy)]
enum Place {
    Parameter(usize),
    Element(usize),
}

impl<'a> Value<'a> {
    /// Reads all of the value; `None` for NULL.
    fn read<T>(&self, read: impl FnOnce(&mut Body<'a>) -> Result<T>) -> Result<Option<T>> {
        let Some(bytes) = self.bytes else {
            return Ok(None);
        };
        let mut body = Body::new(bytes);
        let value = read(&mut body)?;
        if body.is_empty() {
            return Ok(Some(value));
        }
        Err(malformed(match self.place {
            Place::Parameter(n) => format!("incorrect binary data format in bind parameter {n}"),
            Place::Element(n) => format!("improper binary format in array element {n}"),
        }))
    }
}

/// All values, of the type with this OID, in the Arrow type that [`oid::parameter`] gives for it.
fn binary(oid: u32, values: &[Value<'_>]) -> Result<ArrayRef> {
    match oid {
        16 => {
            let values = values.iter().map(|v| v.read(|b| Ok(b.u8()? != 0)));
            Ok(Arc::new(values.collect::<Result<BooleanArray>>()?))
        }
        17 => {
            let values = values.iter().map(|v| v.read(|b| Ok(b.rest())));
            Ok(Arc::new(values.collect::<Result<BinaryArray>>()?))
        }
        20 => primitive::<Int64Type>(values, |b| b.i64()),
        21 => primitive::<Int16Type>(values, |b| b.i16()),
        23 => primitive::<Int32Type>(values, |b| b.i32()),
        26 => primitive::<UInt32Type>(values, |b| b.u32()),
        700 => primitive::<Float32Type>(values, |b| b.u32().map(f32::from_bits)),
        701 => primitive::<Float64Type>(values, |b| Ok(f64::from_bits(b.i64()?.cast_unsigned()))),
        19 | 25 | 114 | 1042 | 1043 => text::texts(values),
        3802 => text::jsonb(values),
        2950 => text::uuid(values),
        650 => address::cidr(values),
        869 => address::inet(values),
        1082 => datetime::date(values),
        1083 => datetime::time(values),
        1114 => datetime::timestamp(values),
        1184 => datetime::timestamptz(values),
        1186 => datetime::interval(values),
        1700 => numeric::numeric(values),
        other => match oid::array_element(other) {
            Some(element) => array::array(element, values),
            None => Err(Error::unsupported(format!(
                "parameters of the type with OID {other} are not read in binary format"
            ))
            .with_hint("Send them in text format.")),
        },
    }
}

fn primitive<T: ArrowPrimitiveType>(
    values: &[Value<'_>],
    read: impl Fn(&mut Body<'_>) -> Result<T::Native>,
) -> Result<ArrayRef> {
    let mut array = PrimitiveBuilder::<T>::with_capacity(values.len());
    for value in values {
        array.append_option(value.read(&read)?);
    }
    Ok(Arc::new(array.finish()))
}

/// The same values in the Arrow type that was declared, where types of Arrow share a type of
/// PostgreSQL. A decimal keeps its own scale.
fn conform(array: ArrayRef, declared: &Field) -> Result<ArrayRef> {
    match (array.data_type(), declared.data_type()) {
        (now, wanted) if now == wanted || now.is_decimal() && wanted.is_decimal() => Ok(array),
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            let values = conform(list.values().clone(), item)?;
            let item = item.as_ref().clone();
            let item = item.with_data_type(values.data_type().clone());
            Ok(Arc::new(ListArray::new(
                Arc::new(item.with_nullable(true)),
                list.offsets().clone(),
                values,
                list.nulls().cloned(),
            )))
        }
        (_, wanted) => {
            let options = CastOptions {
                safe: false,
                ..CastOptions::default()
            };
            cast_with_options(&array, wanted, &options).map_err(|_| {
                Error::new(
                    SqlState::NumericValueOutOfRange,
                    format!("value of parameter {} is out of range", declared.name()),
                )
            })
        }
    }
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(SqlState::InvalidBinaryRepresentation, message)
}

#[cfg(test)]
mod tests;
