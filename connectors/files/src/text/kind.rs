//! The kinds of values that text can hold, and what two of them make together.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, TimeUnit};
use inflowave_types::PgType;

use super::value;
use crate::layout::Format;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only NULL was seen.
    Nothing,
    Boolean,
    Integer,
    Double,
    Date,
    Timestamp,
    TimestampTz,
    Text,
    /// JSON text.
    Json,
}

impl Kind {
    /// Of a field of CSV that is not NULL.
    pub fn of_text(text: &str) -> Kind {
        if value::integer(text).is_some() {
            Kind::Integer
        } else if value::double(text).is_some() {
            Kind::Double
        } else if value::boolean(text).is_some() {
            Kind::Boolean
        } else if value::date(text).is_some() {
            Kind::Date
        } else if value::timestamp(text).is_some() {
            Kind::Timestamp
        } else if value::timestamptz(text).is_some() {
            Kind::TimestampTz
        } else {
            Kind::Text
        }
    }

    /// Holds what both hold.
    pub fn united(self, other: Kind, format: Format) -> Kind {
        match (self, other) {
            (a, b) if a == b => a,
            (Kind::Nothing, kind) | (kind, Kind::Nothing) => kind,
            (Kind::Integer, Kind::Double) | (Kind::Double, Kind::Integer) => Kind::Double,
            (Kind::Date, Kind::Timestamp) | (Kind::Timestamp, Kind::Date) => Kind::Timestamp,
            _ if format == Format::Json => Kind::Json,
            _ => Kind::Text,
        }
    }

    pub fn field(self, name: &str) -> Field {
        let metadata = match self {
            Kind::Json => HashMap::from([(PgType::KEY.to_owned(), PgType::Json.to_string())]),
            _ => HashMap::new(),
        };
        Field::new(name, self.data_type(), true).with_metadata(metadata)
    }

    fn data_type(self) -> DataType {
        match self {
            Kind::Boolean => DataType::Boolean,
            Kind::Integer => DataType::Int64,
            Kind::Double => DataType::Float64,
            Kind::Date => DataType::Date32,
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kind::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Nothing | Kind::Text | Kind::Json => DataType::Utf8View,
        }
    }

    /// How messages call the type of a column.
    pub fn described(data_type: &DataType) -> &'static str {
        match data_type {
            DataType::Boolean => "a boolean",
            DataType::Int64 => "a bigint",
            DataType::Float64 => "a double precision number",
            DataType::Date32 => "a date",
            DataType::Timestamp(_, None) => "a timestamp",
            DataType::Timestamp(_, Some(_)) => "a timestamp with a time zone",
            _ => "text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_kinds_make_one_that_holds_both() {
        use Kind::{Boolean, Date, Double, Integer, Json, Nothing, Text, Timestamp};
        let csv = |a: Kind, b| a.united(b, Format::Csv);
        assert_eq!(csv(Integer, Double), Double);
        assert_eq!(csv(Timestamp, Date), Timestamp);
        assert_eq!(csv(Nothing, Date), Date);
        assert_eq!(csv(Boolean, Integer), Text);
        assert_eq!(Text.united(Integer, Format::Json), Json);
    }
}
