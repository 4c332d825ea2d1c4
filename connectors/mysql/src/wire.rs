//! What the server announces for a column of a result, and what it may be read as.

use std::fmt;

use arrow::datatypes::{DataType, TimeUnit};
use mysql_async::Column;
use mysql_async::consts::ColumnType;

/// The number of the collation `binary`: text in it is bytes.
const BINARY_COLLATION: u16 = 63;

/// Types of a result, as far as they are decoded differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireType {
    Null,
    Integer,
    Decimal,
    Float,
    Double,
    Bit,
    Text,
    Bytes,
    Json,
    Date,
    DateTime,
    Timestamp,
    Time,
    Other,
}

impl WireType {
    pub fn of(column: &Column) -> WireType {
        use ColumnType as T;
        match column.column_type() {
            T::MYSQL_TYPE_NULL => WireType::Null,
            T::MYSQL_TYPE_TINY
            | T::MYSQL_TYPE_SHORT
            | T::MYSQL_TYPE_INT24
            | T::MYSQL_TYPE_LONG
            | T::MYSQL_TYPE_LONGLONG
            | T::MYSQL_TYPE_YEAR => WireType::Integer,
            T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => WireType::Decimal,
            T::MYSQL_TYPE_FLOAT => WireType::Float,
            T::MYSQL_TYPE_DOUBLE => WireType::Double,
            T::MYSQL_TYPE_BIT => WireType::Bit,
            T::MYSQL_TYPE_JSON => WireType::Json,
            T::MYSQL_TYPE_GEOMETRY | T::MYSQL_TYPE_VECTOR => WireType::Bytes,
            T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_NEWDATE => WireType::Date,
            T::MYSQL_TYPE_DATETIME => WireType::DateTime,
            T::MYSQL_TYPE_TIMESTAMP => WireType::Timestamp,
            T::MYSQL_TYPE_TIME => WireType::Time,
            T::MYSQL_TYPE_VARCHAR
            | T::MYSQL_TYPE_VAR_STRING
            | T::MYSQL_TYPE_STRING
            | T::MYSQL_TYPE_ENUM
            | T::MYSQL_TYPE_SET
            | T::MYSQL_TYPE_TINY_BLOB
            | T::MYSQL_TYPE_MEDIUM_BLOB
            | T::MYSQL_TYPE_LONG_BLOB
            | T::MYSQL_TYPE_BLOB => {
                if column.character_set() == BINARY_COLLATION {
                    WireType::Bytes
                } else {
                    WireType::Text
                }
            }
            _ => WireType::Other,
        }
    }

    /// Whether it is read exactly as `target`. A column that is read unchanged (`direct`) must
    /// still be of its own type; of a computed one the server chose the type.
    pub fn fits(self, target: &DataType, direct: bool) -> bool {
        use WireType as W;
        match target {
            DataType::Null => self == W::Null,
            _ if self == W::Null => !direct,
            DataType::Boolean => matches!(self, W::Integer | W::Bit),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt64 => self == W::Integer || (self == W::Decimal && !direct),
            DataType::Float32 => self == W::Float || (self == W::Double && !direct),
            DataType::Float64 => self == W::Double || (self == W::Float && !direct),
            DataType::Decimal128(..) | DataType::Decimal256(..) => {
                matches!(self, W::Decimal | W::Integer)
            }
            DataType::Utf8View | DataType::Utf8 => {
                matches!(self, W::Text | W::Json)
                    || (self == W::Bit && direct)
                    || (self == W::Bytes && !direct)
            }
            DataType::BinaryView => self == W::Bytes,
            // A computed date may come as a datetime at midnight, and the other way round.
            DataType::Date32 => self == W::Date || (self == W::DateTime && !direct),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => match self {
                W::DateTime => zone.is_none() || !direct,
                W::Timestamp => zone.is_some() || !direct,
                W::Date => !direct,
                _ => false,
            },
            DataType::Time64(TimeUnit::Microsecond) => self == W::Time,
            _ => false,
        }
    }
}

impl fmt::Display for WireType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WireType::Null => "NULL",
            WireType::Integer => "an integer",
            WireType::Decimal => "a decimal",
            WireType::Float => "a float",
            WireType::Double => "a double",
            WireType::Bit => "bits",
            WireType::Text => "text",
            WireType::Bytes => "bytes",
            WireType::Json => "json",
            WireType::Date => "a date",
            WireType::DateTime => "a datetime",
            WireType::Timestamp => "a timestamp",
            WireType::Time => "a time",
            WireType::Other => "an unknown type",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_the_binary_collation_is_bytes() {
        let column = Column::new(ColumnType::MYSQL_TYPE_BLOB);
        assert_eq!(
            WireType::of(&column.clone().with_character_set(63)),
            WireType::Bytes
        );
        assert_eq!(WireType::of(&column.with_character_set(46)), WireType::Text);
    }

    #[test]
    fn a_column_keeps_its_type_and_a_result_may_come_wider() {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        assert!(WireType::Decimal.fits(&DataType::Int64, false));
        assert!(!WireType::Decimal.fits(&DataType::Int64, true));
        assert!(WireType::DateTime.fits(&utc, false));
        assert!(!WireType::DateTime.fits(&utc, true));
        assert!(!WireType::Text.fits(&DataType::Int32, false));
        assert!(!WireType::Double.fits(&DataType::Decimal128(10, 2), false));
    }
}
