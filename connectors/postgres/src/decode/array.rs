//! Arrays of one dimension into Arrow lists.
//!
//! Arrow's lists have neither more dimensions nor another first index than 1, so an array that has
//! is an error and is never flattened or shifted.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::FieldRef;
use inflowave_types::SqlState;

use super::{Decode, Flaw};

pub(super) struct ListDecoder {
    field: FieldRef,
    elements: Box<dyn Decode>,
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl ListDecoder {
    pub(super) fn new(field: FieldRef, elements: Box<dyn Decode>) -> Self {
        ListDecoder {
            field,
            elements,
            offsets: vec![0],
            valid: Vec::new(),
        }
    }

    fn end(&mut self, length: i32) -> Result<(), Flaw> {
        let last = self.offsets.last().copied().unwrap_or(0);
        let end = last.checked_add(length).ok_or_else(|| {
            Flaw::new(
                SqlState::ProgramLimitExceeded,
                format!("of {length} elements"),
                "has too many elements for one batch",
            )
        })?;
        self.offsets.push(end);
        Ok(())
    }
}

impl Decode for ListDecoder {
    fn value(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        let malformed = || Flaw::malformed(bytes);
        let mut rest = bytes;
        let dimensions = word(&mut rest).ok_or_else(malformed)?;
        let _has_nulls = word(&mut rest).ok_or_else(malformed)?;
        let _element_oid = word(&mut rest).ok_or_else(malformed)?;
        let length = match dimensions {
            0 => 0,
            1 => {
                let length = word(&mut rest).ok_or_else(malformed)?;
                let first = word(&mut rest).ok_or_else(malformed)?;
                if first != 1 {
                    return Err(Flaw::new(
                        SqlState::FeatureNotSupported,
                        format!("of {length} elements"),
                        format!("is an array that starts at index {first}, not at 1"),
                    ));
                }
                length
            }
            2..=6 => {
                let mut lengths = Vec::new();
                for _ in 0..dimensions {
                    lengths.push(word(&mut rest).ok_or_else(malformed)?.to_string());
                    let _first = word(&mut rest).ok_or_else(malformed)?;
                }
                return Err(Flaw::new(
                    SqlState::FeatureNotSupported,
                    format!("of {} elements", lengths.join(" x ")),
                    format!("is an array of {dimensions} dimensions; only one can be read"),
                ));
            }
            _ => return Err(malformed()),
        };
        for _ in 0..length {
            match word(&mut rest).ok_or_else(malformed)? {
                -1 => {
                    if !self.field.is_nullable() {
                        return Err(Flaw::new(
                            SqlState::InvalidTableDefinition,
                            "NULL",
                            "stands in an array that was declared without NULLs",
                        ));
                    }
                    self.elements.null();
                }
                size => {
                    let size = usize::try_from(size).map_err(|_| malformed())?;
                    let (element, tail) = rest.split_at_checked(size).ok_or_else(malformed)?;
                    self.elements.value(element)?;
                    rest = tail;
                }
            }
        }
        if !rest.is_empty() || length < 0 {
            return Err(malformed());
        }
        self.end(length)?;
        self.valid.push(true);
        Ok(())
    }

    fn null(&mut self) {
        let last = self.offsets.last().copied().unwrap_or(0);
        self.offsets.push(last);
        self.valid.push(false);
    }

    fn finish(&mut self) -> ArrayRef {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let valid = std::mem::take(&mut self.valid);
        Arc::new(ListArray::new(
            Arc::clone(&self.field),
            OffsetBuffer::new(offsets.into()),
            self.elements.finish(),
            Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0),
        ))
    }
}

fn word(rest: &mut &[u8]) -> Option<i32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(i32::from_be_bytes(*head))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{DataType, Field, Int32Type};
    use tokio_postgres::types::Type;

    use super::*;
    use crate::decode::{decoder, testing::one};

    fn list_of_int() -> DataType {
        DataType::List(Arc::new(Field::new("item", DataType::Int32, true)))
    }

    fn wire(dimensions: &[(i32, i32)], elements: &[Option<i32>]) -> Vec<u8> {
        let mut words = vec![dimensions.len() as i32, 1, 23];
        for (length, first) in dimensions {
            words.extend([*length, *first]);
        }
        for element in elements {
            match element {
                Some(value) => words.extend([4, *value]),
                None => words.push(-1),
            }
        }
        words.iter().flat_map(|w| w.to_be_bytes()).collect()
    }

    #[test]
    fn lists_follow_one_another() {
        let mut decoder = decoder(&Type::INT4_ARRAY, &list_of_int()).unwrap();
        decoder.value(&wire(&[(2, 1)], &[Some(1), None])).unwrap();
        decoder.null();
        decoder.value(&wire(&[], &[])).unwrap();
        let lists = decoder.finish();
        let lists = lists.as_list::<i32>();
        assert_eq!(lists.len(), 3);
        let first = lists.value(0);
        assert_eq!(first.as_primitive::<Int32Type>().value(0), 1);
        assert!(first.is_null(1) && lists.is_null(1));
        assert!(lists.is_valid(2) && lists.value(2).is_empty());
        assert_eq!(decoder.finish().len(), 0);
    }

    #[test]
    fn what_arrow_cannot_say_is_an_error() {
        let read = |bytes: &[u8]| one(&Type::INT4_ARRAY, &list_of_int(), bytes).unwrap_err();
        let square = wire(&[(1, 1), (2, 1)], &[Some(1), Some(2)]);
        assert_eq!(
            read(&square).reason,
            "is an array of 2 dimensions; only one can be read"
        );
        let shifted = wire(&[(1, 0)], &[Some(1)]);
        assert_eq!(
            read(&shifted).reason,
            "is an array that starts at index 0, not at 1"
        );
        let cut = &wire(&[(2, 1)], &[Some(1)])[..];
        assert_eq!(read(cut).reason, "is malformed");
        assert_eq!(read(&wire(&[(-5, 1)], &[])).reason, "is malformed");
    }
}
