//! Values of a fixed width (booleans, integers, floats), binary strings, and the type of NULL.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryBuilder, BinaryViewBuilder, BooleanBuilder,
    LargeBinaryBuilder, NullArray, PrimitiveBuilder,
};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use inflowave_types::SqlState;
use tokio_postgres::types::Type;

use super::{Decode, Flaw, exactly};

pub(super) fn decoder(source: &Type, target: &DataType) -> Option<Box<dyn Decode>> {
    Some(match target {
        DataType::Boolean if *source == Type::BOOL => Box::new(Booleans(BooleanBuilder::new())),
        DataType::Int8 if *source == Type::INT2 => integers::<Int8Type>(source),
        DataType::Int16 if *source == Type::INT2 => integers::<Int16Type>(source),
        DataType::Int32 if narrower(source, 4) => integers::<Int32Type>(source),
        DataType::Int64 if narrower(source, 8) => integers::<Int64Type>(source),
        DataType::UInt8 if *source == Type::INT2 => integers::<UInt8Type>(source),
        DataType::UInt16 if narrower(source, 4) => integers::<UInt16Type>(source),
        DataType::UInt32 if narrower(source, 8) => integers::<UInt32Type>(source),
        DataType::UInt64 if narrower(source, 8) => integers::<UInt64Type>(source),
        DataType::Float32 if *source == Type::FLOAT4 => {
            primitive::<Float32Type>(target, |b| Ok(float4(exactly(b)?)))
        }
        DataType::Float64 if *source == Type::FLOAT8 => {
            primitive::<Float64Type>(target, |b| Ok(float8(exactly(b)?)))
        }
        DataType::Float64 if *source == Type::FLOAT4 => {
            primitive::<Float64Type>(target, |b| Ok(f64::from(float4(exactly(b)?))))
        }
        DataType::BinaryView if *source == Type::BYTEA => Box::new(Bytes(BinaryViewBuilder::new())),
        DataType::Binary if *source == Type::BYTEA => Box::new(Bytes(BinaryBuilder::new())),
        DataType::LargeBinary if *source == Type::BYTEA => {
            Box::new(Bytes(LargeBinaryBuilder::new()))
        }
        DataType::Null => Box::new(Nulls(0)),
        _ => return None,
    })
}

/// Whether the source's integers have at most this many bytes; `oid` is unsigned and counts as 8.
fn narrower(source: &Type, width: u8) -> bool {
    match *source {
        Type::INT2 => width >= 2,
        Type::INT4 => width >= 4,
        Type::INT8 | Type::OID => width >= 8,
        _ => false,
    }
}

/// Reads an integer of the source.
type ReadInteger = fn(&[u8]) -> Result<i64, Flaw>;

/// The reader for a type of integers.
pub(super) fn reader(source: &Type) -> Option<ReadInteger> {
    Some(match *source {
        Type::INT2 => |b| Ok(i64::from(i16::from_be_bytes(exactly(b)?))),
        Type::INT4 => |b| Ok(i64::from(i32::from_be_bytes(exactly(b)?))),
        Type::INT8 => |b| Ok(i64::from_be_bytes(exactly(b)?)),
        Type::OID => |b| Ok(i64::from(u32::from_be_bytes(exactly(b)?))),
        _ => return None,
    })
}

fn integers<T>(source: &Type) -> Box<dyn Decode>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i64>,
{
    let read = reader(source).unwrap_or(|b| Err(Flaw::malformed(b)));
    primitive::<T>(&T::DATA_TYPE, move |bytes| {
        let value = read(bytes)?;
        T::Native::try_from(value).map_err(|_| {
            Flaw::new(
                SqlState::NumericValueOutOfRange,
                value.to_string(),
                format!("is out of range for {}", T::DATA_TYPE),
            )
        })
    })
}

/// PostgreSQL keeps NaNs with the sign that a processor gave them; for Arrow, which compares bits,
/// they must be one value.
fn float8(bytes: [u8; 8]) -> f64 {
    let value = f64::from_be_bytes(bytes);
    if value.is_nan() { f64::NAN } else { value }
}

fn float4(bytes: [u8; 4]) -> f32 {
    let value = f32::from_be_bytes(bytes);
    if value.is_nan() { f32::NAN } else { value }
}

/// A decoder for a primitive Arrow type, made of a function that reads one value.
pub(super) fn primitive<T: ArrowPrimitiveType>(
    target: &DataType,
    read: impl FnMut(&[u8]) -> Result<T::Native, Flaw> + Send + 'static,
) -> Box<dyn Decode> {
    Box::new(Primitive::<T, _> {
        builder: PrimitiveBuilder::new().with_data_type(target.clone()),
        read,
    })
}

struct Primitive<T: ArrowPrimitiveType, F> {
    builder: PrimitiveBuilder<T>,
    read: F,
}

impl<T, F> Decode for Primitive<T, F>
where
    T: ArrowPrimitiveType,
    F: FnMut(&[u8]) -> Result<T::Native, Flaw> + Send,
{
    fn value(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        let value = (self.read)(bytes)?;
        self.builder.append_value(value);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

struct Booleans(BooleanBuilder);

impl Decode for Booleans {
    fn value(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        match bytes {
            [0] => self.0.append_value(false),
            [1] => self.0.append_value(true),
            _ => return Err(Flaw::malformed(bytes)),
        }
        Ok(())
    }

    fn null(&mut self) {
        self.0.append_null();
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

struct Bytes<B>(B);

macro_rules! bytes_into {
    ($($builder:ty),*) => {$(
        impl Decode for Bytes<$builder> {
            fn value(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
                self.0.append_value(bytes);
                Ok(())
            }
            fn null(&mut self) {
                self.0.append_null();
            }
            fn finish(&mut self) -> ArrayRef {
                Arc::new(self.0.finish())
            }
        }
    )*};
}

bytes_into!(BinaryViewBuilder, BinaryBuilder, LargeBinaryBuilder);

/// A column that can hold nothing but NULL.
struct Nulls(usize);

impl Decode for Nulls {
    fn value(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        Err(Flaw::new(
            SqlState::InvalidTableDefinition,
            format!("of {} bytes", bytes.len()),
            "stands where only NULL can stand",
        ))
    }

    fn null(&mut self) {
        self.0 += 1;
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(NullArray::new(std::mem::take(&mut self.0)))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::decode::testing::one;

    #[test]
    fn integers_widen_and_oids_are_unsigned() {
        let wide = one(&Type::INT2, &DataType::Int64, &(-7i16).to_be_bytes()).unwrap();
        assert_eq!(wide.as_primitive::<Int64Type>().value(0), -7);
        let oid = one(&Type::OID, &DataType::Int64, &u32::MAX.to_be_bytes()).unwrap();
        assert_eq!(oid.as_primitive::<Int64Type>().value(0), 4_294_967_295);
    }

    #[test]
    fn a_negative_number_is_no_unsigned_one() {
        let flaw = one(&Type::INT8, &DataType::UInt64, &(-1i64).to_be_bytes()).unwrap_err();
        assert_eq!(flaw.sqlstate, SqlState::NumericValueOutOfRange);
        assert_eq!(flaw.value, "-1");
    }

    #[test]
    fn a_wrong_width_is_malformed() {
        let flaw = one(&Type::INT4, &DataType::Int32, &[1, 2, 3]).unwrap_err();
        assert_eq!(flaw.reason, "is malformed");
        assert!(one(&Type::BOOL, &DataType::Boolean, &[2]).is_err());
    }

    #[test]
    fn floats_keep_their_sign_but_for_nan() {
        let bits = (-0.0f64).to_be_bytes();
        let zero = one(&Type::FLOAT8, &DataType::Float64, &bits).unwrap();
        let zero = zero.as_primitive::<Float64Type>().value(0);
        assert!(zero == 0.0 && zero.is_sign_negative());
        let nan = one(
            &Type::FLOAT4,
            &DataType::Float64,
            &(-f32::NAN).to_be_bytes(),
        )
        .unwrap();
        let nan = nan.as_primitive::<Float64Type>().value(0);
        assert_eq!(nan.to_bits(), f64::NAN.to_bits());
    }
}
