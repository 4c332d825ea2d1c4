//! Arrays of one dimension.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;
use inflowave_types::{Error, Result, SqlState};

use super::{Place, Value, binary, malformed};
use crate::body::Body;
use crate::encode::binary::DIMENSIONS_MAX;
use crate::oid;

/// Lists of values of the type `element`.
pub fn array(element: u32, values: &[Value<'_>]) -> Result<ArrayRef> {
    let lists = values
        .iter()
        .map(|value| value.read(|b| elements(element, b)));
    let lists: Vec<Option<Vec<Value<'_>>>> = lists.collect::<Result<_>>()?;
    let nulls: NullBuffer = lists.iter().map(Option::is_some).collect();
    let lists: Vec<_> = lists.into_iter().map(Option::unwrap_or_default).collect();
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(Vec::len));
    let elements: Vec<_> = lists.into_iter().flatten().collect();
    let elements = binary(element, &elements)?;
    let item = Field::new_list_field(elements.data_type().clone(), true);
    Ok(Arc::new(ListArray::new(
        Arc::new(item),
        offsets,
        elements,
        Some(nulls),
    )))
}

/// `array_recv`.
fn elements<'a>(element: u32, body: &mut Body<'a>) -> Result<Vec<Value<'a>>> {
    let dimensions = body.i32()?;
    let Ok(count) = usize::try_from(dimensions) else {
        return Err(malformed(format!(
            "invalid number of dimensions: {dimensions}"
        )));
    };
    if count > DIMENSIONS_MAX {
        return Err(Error::new(
            SqlState::ProgramLimitExceeded,
            format!(
                "number of array dimensions ({dimensions}) exceeds the maximum allowed \
                 ({DIMENSIONS_MAX})"
            ),
        ));
    }
    if !matches!(body.i32()?, 0 | 1) {
        return Err(malformed("invalid array flags"));
    }
    let sent = body.u32()?;
    if sent != element {
        return Err(Error::new(
            SqlState::DatatypeMismatch,
            format!(
                "binary data has array element type {sent} ({}) instead of expected {element} ({})",
                oid::name(sent),
                oid::name(element)
            ),
        ));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    if count > 1 {
        return Err(Error::unsupported(
            "parameters with arrays of several dimensions are not supported",
        )
        .with_hint("Send an array of one dimension."));
    }
    let (length, lower) = (body.i32()?, body.i32()?);
    let Ok(length) = usize::try_from(length) else {
        return Err(Error::new(
            SqlState::ProgramLimitExceeded,
            "array size exceeds the maximum allowed",
        ));
    };
    if lower != 1 && length > 0 {
        return Err(Error::unsupported(format!(
            "parameters with arrays that count from {lower} are not supported"
        ))
        .with_hint("Send an array whose first element has the number 1."));
    }
    // The length is a claim of the client: room is made for what really comes.
    let mut values = Vec::new();
    for number in 1..=length {
        let bytes = match body.i32()? {
            -1 => None,
            // An element that is longer than what is left is told in other words than a message.
            len => match usize::try_from(len).map(|len| body.bytes(len)) {
                Ok(Ok(bytes)) => Some(bytes),
                _ => return Err(malformed("insufficient data left in message")),
            },
        };
        values.push(Value {
            bytes,
            place: Place::Element(number),
        });
    }
    Ok(values)
}
