//! Types of PostgreSQL: which of ours a column is, and how it becomes that.

use arrow::datatypes::{DataType, TimeUnit};

use crate::value::{Answer, Kind, RawColumn, refuse};

/// How the type of a text column has to be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextType {
    /// `text` and `varchar`: compared as it is.
    Text,
    /// `char(n)`: without its trailing blanks here.
    Bpchar,
    Uuid,
    /// Printed differently by a cast and by its output function, which is what a reader sees.
    Inet,
    /// `json` and `jsonb`.
    Json,
    /// An enum, `citext`, `name`, ..: its printed form.
    Other,
}

pub(super) fn text_type(raw: &RawColumn) -> TextType {
    let native = raw.native().split('(').next().unwrap_or_default();
    match native.trim().to_ascii_lowercase().as_str() {
        "text" | "character varying" | "varchar" => TextType::Text,
        "character" | "char" | "bpchar" => TextType::Bpchar,
        "uuid" => TextType::Uuid,
        "inet" | "cidr" => TextType::Inet,
        "json" | "jsonb" => TextType::Json,
        _ => TextType::Other,
    }
}

/// The column's type is one that `data_type` is read from as it is.
fn is_native(raw: &RawColumn, data_type: &DataType) -> bool {
    let native = raw.native().to_ascii_lowercase();
    let base = native.split('(').next().unwrap_or_default().trim();
    match data_type {
        DataType::Int16 => matches!(base, "smallint" | "int2"),
        DataType::Int32 => matches!(base, "integer" | "int4" | "int"),
        DataType::Int64 => matches!(base, "bigint" | "int8"),
        DataType::Decimal128(..) | DataType::Decimal256(..) => {
            matches!(base, "numeric" | "decimal")
        }
        DataType::Float32 => matches!(base, "real" | "float4"),
        DataType::Float64 => matches!(base, "double precision" | "float8"),
        DataType::Boolean => matches!(base, "boolean" | "bool"),
        DataType::Date32 => base == "date",
        DataType::Timestamp(_, None) => {
            base.starts_with("timestamp")
                && !native.ends_with("with time zone")
                && native != "timestamptz"
        }
        DataType::Timestamp(_, Some(_)) => {
            native.ends_with("with time zone") || native == "timestamptz"
        }
        DataType::Time64(_) => base.starts_with("time") && !native.ends_with("with time zone"),
        DataType::BinaryView | DataType::Binary => base == "bytea",
        _ => false,
    }
}

/// PostgreSQL's name of a type of ours.
pub(super) fn type_name(data_type: &DataType) -> Answer<String> {
    Ok(match data_type {
        DataType::Int16 => "smallint".into(),
        DataType::Int32 => "integer".into(),
        DataType::Int64 => "bigint".into(),
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => format!("numeric({p},{s})"),
        DataType::UInt64 => "numeric".into(),
        DataType::Float32 => "real".into(),
        DataType::Float64 => "double precision".into(),
        DataType::Boolean => "boolean".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytea".into(),
        DataType::Date32 => "date".into(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "timestamp".into(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamptz".into(),
        DataType::Time64(TimeUnit::Microsecond) => "time".into(),
        other => return refuse(format!("values of the type {other} are computed here")),
    })
}

/// The canonical spelling, which is how PostgreSQL prints one.
pub(super) fn is_canonical_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// A column as a value of our type.
pub(super) fn column(raw: &RawColumn) -> Answer<String> {
    let sql = &raw.sql;
    let data_type = &raw.facts.data_type;
    if Kind::of(data_type)? == Kind::Text {
        return Ok(match text_type(raw) {
            TextType::Text => sql.clone(),
            TextType::Inet => {
                // The function that prints a value, as a reader of the column gets it.
                let base = raw.native().to_ascii_lowercase();
                format!("textin({base}_out({sql}))")
            }
            TextType::Json => return refuse("JSON is compared as its text here"),
            TextType::Bpchar | TextType::Uuid | TextType::Other => format!("{sql}::text"),
        });
    }
    if is_native(raw, data_type) {
        return Ok(sql.clone());
    }
    let name = match data_type {
        DataType::Decimal128(..) | DataType::Decimal256(..) => "numeric".to_owned(),
        other => type_name(other)?,
    };
    Ok(format!("{sql}::{name}"))
}
