//! Text as it is, bytea in hexadecimal.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, FixedSizeBinaryArray, GenericBinaryArray,
    GenericStringArray, OffsetSizeTrait, StringViewArray,
};
use arrow::datatypes::DataType;
use bytes::{BufMut, BytesMut};

use super::{Form, Nothing};

/// The form of an array of texts or binaries.
pub fn form(array: &ArrayRef) -> Box<dyn Form> {
    match array.data_type() {
        DataType::Utf8 => Box::new(array.as_string::<i32>().clone()),
        DataType::LargeUtf8 => Box::new(array.as_string::<i64>().clone()),
        DataType::Utf8View => Box::new(array.as_string_view().clone()),
        DataType::Binary => Box::new(array.as_binary::<i32>().clone()),
        DataType::LargeBinary => Box::new(array.as_binary::<i64>().clone()),
        DataType::BinaryView => Box::new(array.as_binary_view().clone()),
        DataType::FixedSizeBinary(_) => Box::new(array.as_fixed_size_binary().clone()),
        _ => Box::new(Nothing),
    }
}

impl<O: OffsetSizeTrait> Form for GenericStringArray<O> {
    fn write(&self, row: usize, out: &mut BytesMut) {
        out.put_slice(self.value(row).as_bytes());
    }
}

impl Form for StringViewArray {
    fn write(&self, row: usize, out: &mut BytesMut) {
        out.put_slice(self.value(row).as_bytes());
    }
}

impl<O: OffsetSizeTrait> Form for GenericBinaryArray<O> {
    fn write(&self, row: usize, out: &mut BytesMut) {
        hex(self.value(row), out);
    }
}

impl Form for BinaryViewArray {
    fn write(&self, row: usize, out: &mut BytesMut) {
        hex(self.value(row), out);
    }
}

impl Form for FixedSizeBinaryArray {
    fn write(&self, row: usize, out: &mut BytesMut) {
        hex(self.value(row), out);
    }
}

fn hex(bytes: &[u8], out: &mut BytesMut) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(2 + 2 * bytes.len());
    out.put_slice(b"\\x");
    for byte in bytes {
        out.put_slice(&[
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]);
    }
}
