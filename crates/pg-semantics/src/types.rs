//! PostgreSQL's view of Arrow types: their names, their categories, and the type that two of them
//! have in common.

use std::sync::Arc;

use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, IntervalUnit, TimeUnit,
};

/// Digits before the point that a numeric in 128 bits must keep, or it is computed in 256 bits.
const INTEGER_DIGITS_MIN: i16 = 18;

/// `numeric` without precision.
pub const NUMERIC: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 16);
/// `timestamp`.
pub const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);
/// `time`.
pub const TIME: DataType = DataType::Time64(TimeUnit::Microsecond);
/// `interval`.
pub const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// `timestamptz`: instants, always in UTC. The session's time zone decides only how they are
/// read, printed and taken apart.
pub fn timestamptz() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// What two types must share for PostgreSQL to find a common one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    Null,
    Boolean,
    Number,
    Text,
    /// `date`, `timestamp`, `timestamptz`.
    DateTime,
    Time,
    Interval,
    Bytes,
    Other,
}

pub(crate) fn category(t: &DataType) -> Category {
    match t {
        DataType::Null => Category::Null,
        DataType::Boolean => Category::Boolean,
        t if t.is_numeric() => Category::Number,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Category::Text,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Category::DateTime,
        DataType::Time32(_) | DataType::Time64(_) => Category::Time,
        DataType::Interval(_) | DataType::Duration(_) => Category::Interval,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Category::Bytes,
        _ => Category::Other,
    }
}

/// The name that PostgreSQL's messages use.
pub(crate) fn name(t: &DataType) -> String {
    match t {
        DataType::Null => "unknown".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt32 => "bigint".to_owned(),
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        t if t.is_decimal() || *t == DataType::UInt64 => "numeric".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(_, None) => "timestamp without time zone".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time without time zone".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "interval".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytea".to_owned(),
        DataType::List(f) | DataType::LargeList(f) | DataType::FixedSizeList(f, _) => {
            // One type has arrays of any number of dimensions.
            match name(f.data_type()) {
                of_item if of_item.ends_with("[]") => of_item,
                of_item => format!("{of_item}[]"),
            }
        }
        DataType::Struct(_) => "record".to_owned(),
        _ => "text".to_owned(),
    }
}

pub(crate) fn is_integer(t: &DataType) -> bool {
    t.is_integer()
}

/// Whole numbers and numerics: the types whose arithmetic is exact.
pub(crate) fn is_exact(t: &DataType) -> bool {
    t.is_integer() || t.is_decimal()
}

pub(crate) fn is_float(t: &DataType) -> bool {
    t.is_floating()
}

pub(crate) fn is_text(t: &DataType) -> bool {
    category(t) == Category::Text
}

/// The wider of two integer types, in PostgreSQL's three.
pub(crate) fn wider_integer(a: &DataType, b: &DataType) -> DataType {
    let rank = |t: &DataType| match t {
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => 0,
        DataType::UInt16 | DataType::Int32 => 1,
        _ => 2,
    };
    [DataType::Int16, DataType::Int32, DataType::Int64][rank(a).max(rank(b))].clone()
}

/// Precision and scale of a numeric, or of the numeric that holds every value of an integer type.
pub(crate) fn precision_scale(t: &DataType) -> Option<(i16, i16)> {
    Some(match t {
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => (i16::from(*p), i16::from(*s)),
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::UInt64 => (20, 0),
        _ => return None,
    })
}

/// The numeric type that holds every value of `t`.
pub(crate) fn as_decimal(t: &DataType) -> Option<DataType> {
    let (p, s) = precision_scale(t)?;
    Some(exact_decimal(p, s))
}

/// A numeric type for values of at most `precision` digits, in 256 bits beyond 38.
pub(crate) fn exact_decimal(precision: i16, scale: i16) -> DataType {
    if precision <= i16::from(DECIMAL128_MAX_PRECISION) {
        DataType::Decimal128(precision as u8, scale as i8)
    } else {
        DataType::Decimal256(
            precision.min(i16::from(DECIMAL256_MAX_PRECISION)) as u8,
            scale as i8,
        )
    }
}

/// A numeric type for results that can have `precision` digits in the worst case. Real values
/// stay far below that, so 128 bits are kept while enough digits before the point remain;
/// a value beyond them is an error of the checked kernel.
pub(crate) fn result_decimal(precision: i16, scale: i16, wide: bool) -> DataType {
    let max = i16::from(DECIMAL128_MAX_PRECISION);
    if wide || (precision > max && max - scale < INTEGER_DIGITS_MIN) {
        let max = i16::from(DECIMAL256_MAX_PRECISION);
        DataType::Decimal256(precision.min(max) as u8, scale.min(max) as i8)
    } else {
        DataType::Decimal128(precision.min(max) as u8, scale as i8)
    }
}

/// The numeric type that holds all values of both, if both are exact numbers.
pub(crate) fn wider_decimal(a: &DataType, b: &DataType) -> Option<DataType> {
    let ((p1, s1), (p2, s2)) = (precision_scale(a)?, precision_scale(b)?);
    let scale = s1.max(s2);
    Some(exact_decimal((p1 - s1).max(p2 - s2) + scale, scale))
}

/// PostgreSQL's common type of `CASE`, `COALESCE`, `IN`, `UNION`, `VALUES` and comparisons within
/// one category. `None` if there is none.
pub(crate) fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Float32, Float64, Null, Timestamp, Utf8View};
    if a == b {
        return Some(a.clone());
    }
    Some(match (a, b) {
        (Null, t) | (t, Null) => t.clone(),
        (a, b) if is_integer(a) && is_integer(b) => wider_integer(a, b),
        (a, b) if is_exact(a) && is_exact(b) => wider_decimal(a, b)?,
        (Float64, t) | (t, Float64) if t.is_numeric() => Float64,
        (a, b) if is_float(a) && b.is_numeric() || is_float(b) && a.is_numeric() => Float32,
        (a, b) if is_text(a) && is_text(b) => Utf8View,
        (Timestamp(_, Some(_)), b) if category(b) == Category::DateTime => timestamptz(),
        (a, Timestamp(_, Some(_))) if category(a) == Category::DateTime => timestamptz(),
        (a, b) if category(a) == Category::DateTime && category(b) == Category::DateTime => {
            TIMESTAMP
        }
        (a, b) if category(a) == Category::Interval && category(b) == Category::Interval => {
            INTERVAL
        }
        (a, b) if category(a) == Category::Time && category(b) == Category::Time => TIME,
        (a, b) if category(a) == Category::Bytes && category(b) == Category::Bytes => {
            DataType::BinaryView
        }
        (DataType::List(a), DataType::List(b)) => {
            let item = common(a.data_type(), b.data_type())?;
            DataType::List(Arc::new(Field::new_list_field(item, true)))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_types_are_postgresqls() {
        use DataType::{Decimal128, Decimal256, Float32, Float64, Int16, Int32, Int64, Utf8View};
        assert_eq!(common(&Int16, &Int64), Some(Int64));
        assert_eq!(common(&Int32, &Decimal128(15, 2)), Some(Decimal128(15, 2)));
        assert_eq!(
            common(&NUMERIC, &Decimal128(38, 0)),
            Some(Decimal256(54, 16))
        );
        assert_eq!(common(&Int32, &Float32), Some(Float32));
        assert_eq!(common(&NUMERIC, &Float64), Some(Float64));
        assert_eq!(common(&DataType::Date32, &TIMESTAMP), Some(TIMESTAMP));
        assert_eq!(common(&Int32, &Utf8View), None);
    }
}
