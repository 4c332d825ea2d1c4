//! Bytea as it is; a uuid's sixteen bytes from its text.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, FixedSizeBinaryArray, GenericBinaryArray,
    GenericStringArray, OffsetSizeTrait, StringViewArray,
};
use arrow::datatypes::DataType;
use bytes::{BufMut, BytesMut};

use super::{Form, Inexact};

pub fn bytea(array: &ArrayRef) -> Option<Box<dyn Form>> {
    Some(match array.data_type() {
        DataType::Binary => Box::new(array.as_binary::<i32>().clone()),
        DataType::LargeBinary => Box::new(array.as_binary::<i64>().clone()),
        DataType::BinaryView => Box::new(array.as_binary_view().clone()),
        DataType::FixedSizeBinary(_) => Box::new(array.as_fixed_size_binary().clone()),
        _ => return None,
    })
}

impl<O: OffsetSizeTrait> Form for GenericBinaryArray<O> {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        out.put_slice(self.value(row));
        Ok(())
    }
}

impl Form for BinaryViewArray {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        out.put_slice(self.value(row));
        Ok(())
    }
}

impl Form for FixedSizeBinaryArray {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        out.put_slice(self.value(row));
        Ok(())
    }
}

pub fn uuid(array: &ArrayRef) -> Option<Box<dyn Form>> {
    texts(array).map(|texts| -> Box<dyn Form> { Box::new(Uuid(texts)) })
}

struct Uuid(Box<dyn Texts>);

impl Form for Uuid {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        let (mut bits, mut digits) = (0, 0);
        for c in self.0.text(row).chars().filter(|c| *c != '-') {
            let digit = c.to_digit(16).ok_or(NO_UUID)?;
            bits = bits << 4 | u128::from(digit);
            digits += 1;
        }
        if digits != 32 {
            return Err(NO_UUID);
        }
        out.put_u128(bits);
        Ok(())
    }
}

const NO_UUID: Inexact = Inexact("a text that is no uuid");

/// An array of texts of any layout.
pub trait Texts: Send + Sync {
    fn text(&self, row: usize) -> &str;
}

pub fn texts(array: &ArrayRef) -> Option<Box<dyn Texts>> {
    Some(match array.data_type() {
        DataType::Utf8 => Box::new(array.as_string::<i32>().clone()),
        DataType::LargeUtf8 => Box::new(array.as_string::<i64>().clone()),
        DataType::Utf8View => Box::new(array.as_string_view().clone()),
        _ => return None,
    })
}

impl<O: OffsetSizeTrait> Texts for GenericStringArray<O> {
    fn text(&self, row: usize) -> &str {
        self.value(row)
    }
}

impl Texts for StringViewArray {
    fn text(&self, row: usize) -> &str {
        self.value(row)
    }
}
