//! Whole numbers and floats.

use arrow::array::ArrayRef;
use arrow::datatypes::{
    DataType, Field, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, UInt8Type, UInt16Type, UInt32Type,
};
use bytes::{BufMut, BytesMut};
use inflowave_types::Result;

use super::{Form, Inexact, each};
use crate::oid::WireType;

/// An integer in the width of its PostgreSQL type, which is never narrower but for an `oid`.
pub fn whole(array: &ArrayRef, field: &Field) -> Result<Option<Box<dyn Form>>> {
    let write: fn(i64, &mut BytesMut) -> Result<(), Inexact> = match WireType::of(field)?.oid {
        21 => |v, out| narrow(v, out, BytesMut::put_i16),
        23 => |v, out| narrow(v, out, BytesMut::put_i32),
        26 | 28 => |v, out| narrow(v, out, BytesMut::put_u32),
        _ => |v, out| narrow(v, out, BytesMut::put_i64),
    };
    Ok(match array.data_type() {
        DataType::Int8 => each::<Int8Type>(array, move |v, out| write(v.into(), out)),
        DataType::Int16 => each::<Int16Type>(array, move |v, out| write(v.into(), out)),
        DataType::Int32 => each::<Int32Type>(array, move |v, out| write(v.into(), out)),
        DataType::Int64 => each::<Int64Type>(array, write),
        DataType::UInt8 => each::<UInt8Type>(array, move |v, out| write(v.into(), out)),
        DataType::UInt16 => each::<UInt16Type>(array, move |v, out| write(v.into(), out)),
        DataType::UInt32 => each::<UInt32Type>(array, move |v, out| write(v.into(), out)),
        _ => None,
    })
}

pub fn float(array: &ArrayRef) -> Option<Box<dyn Form>> {
    match array.data_type() {
        DataType::Float16 => each::<Float16Type>(array, |v, out| float4(v.to_f32(), out)),
        DataType::Float32 => each::<Float32Type>(array, float4),
        DataType::Float64 => each::<Float64Type>(array, |v, out| {
            // PostgreSQL has one NaN.
            out.put_f64(if v.is_nan() { f64::NAN } else { v });
            Ok(())
        }),
        _ => None,
    }
}

fn float4(value: f32, out: &mut BytesMut) -> Result<(), Inexact> {
    out.put_f32(if value.is_nan() { f32::NAN } else { value });
    Ok(())
}

fn narrow<T: TryFrom<i64>>(
    value: i64,
    out: &mut BytesMut,
    put: fn(&mut BytesMut, T),
) -> Result<(), Inexact> {
    let narrow = T::try_from(value);
    put(
        out,
        narrow.map_err(|_| Inexact("a number beyond its type"))?,
    );
    Ok(())
}
