//! Casts and functions that PostgreSQL computes with our meaning, which is its own.

use arrow::datatypes::DataType;
use inflowave_connector_api::vocabulary;

use super::types::type_name;
use crate::decimal::widens;
use crate::dialect::{date_field, part_of, substring_of};
use crate::value::{Answer, Kind, Value, refuse};

pub(super) fn cast(value: &Value, to: &DataType) -> Answer<String> {
    let sql = &value.sql;
    let cast = |name: &str| Ok(format!("CAST({sql} AS {name})"));
    match (value.kind()?, Kind::of(to)?) {
        (Kind::Null, _) => cast(&type_name(to)?),
        (Kind::Int, Kind::Int) | (Kind::Int, Kind::Decimal) => cast(&type_name(to)?),
        // A constraint on the digits rounds as we do; without a loss there is nothing to say.
        (Kind::Decimal, Kind::Decimal) => match widens(&value.data_type, to) {
            true => Ok(sql.clone()),
            false => cast(&type_name(to)?),
        },
        (Kind::Decimal, Kind::Int) => cast(&type_name(to)?),
        (Kind::Int, Kind::Float) if *to == DataType::Float64 => cast("double precision"),
        (Kind::Float, Kind::Float) if *to == DataType::Float64 => cast("double precision"),
        (Kind::Int, Kind::Text) => cast("text"),
        (Kind::Date, Kind::Timestamp { utc: false }) => cast("timestamp"),
        (Kind::Timestamp { utc: false }, Kind::Date) => cast("date"),
        _ => refuse(format!(
            "a cast from {} to {to} is computed here",
            value.data_type
        )),
    }
}

pub(super) fn function(name: &str, args: &[Value], result: &DataType) -> Answer<String> {
    match (name, args) {
        ("abs", [value]) => match value.kind()? {
            Kind::Int | Kind::Decimal | Kind::Float if value.data_type == *result => {
                Ok(format!("abs({})", value.sql))
            }
            _ => refuse("abs is computed here"),
        },
        ("date_part" | vocabulary::EXTRACT, _) => {
            let (part, value) = date_field(args)?;
            Ok(format!(
                "CAST(EXTRACT({part} FROM {}) AS {})",
                value.sql,
                type_name(result)?
            ))
        }
        ("date_trunc", _) => {
            let (part, value) = part_of(args, "date_trunc")?;
            let is_unit = matches!(
                part.as_str(),
                "year" | "quarter" | "month" | "week" | "day" | "hour" | "minute" | "second"
            );
            match (value.kind()?, Kind::of(result)?) {
                (Kind::Timestamp { utc: false }, Kind::Timestamp { utc: false }) if is_unit => {
                    Ok(format!("date_trunc('{part}', {})", value.sql))
                }
                _ => refuse("date_trunc over other times is computed here"),
            }
        }
        ("substr" | "substring", _) => {
            let (text, start, length) = substring_of(args)?;
            let length = length.map(|n| format!(", {n}")).unwrap_or_default();
            Ok(format!("substr({}, {start}{length})", text.sql))
        }
        ("character_length" | "char_length" | "length", [text]) if text.kind()? == Kind::Text => {
            Ok(format!(
                "CAST(char_length({}) AS {})",
                text.sql,
                type_name(result)?
            ))
        }
        _ => refuse(format!("the function {name} is computed here")),
    }
}
