//! Values of the server -> Arrow arrays: for each column one sink, chosen once, before any row.
//!
//! A pair of wire type and Arrow type is either exact or refused; within a pair a value that does
//! not fit is an error that names table, column and value.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryViewBuilder, BooleanBuilder, Date32Builder, Decimal128Builder,
    Decimal256Builder, Float32Builder, Float64Builder, Int8Builder, Int16Builder, Int32Builder,
    Int64Builder, NullBuilder, StringBuilder, StringViewBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, TimeUnit, i256};
use inflowave_types::{Error, PgType, Result, SqlState};
use mysql_async::{Column, Value};

use crate::decimal::{fits_i128, fits_i256, parse_i128, parse_i256};
use crate::temporal::{date_days, datetime_micros, time_micros};
use crate::types::Mapping;
use crate::wire::WireType;

/// Longest piece of a value in a message, in characters.
const SHOWN_CHARS_MAX: usize = 64;

/// Collects one column.
pub struct ColumnSink {
    label: Label,
    sink: Sink,
    nullable: bool,
    zero_dates_null: bool,
}

/// The name of a column in messages.
struct Label {
    /// Table and column, if it is read from there unchanged.
    origin: Option<(String, String)>,
    output: String,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some((table, column)) => write!(f, "column \"{column}\" of table \"{table}\""),
            None => write!(f, "output column \"{}\"", self.output),
        }
    }
}

enum Sink {
    Null(NullBuilder),
    Boolean(BooleanBuilder),
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt64(UInt64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal128(Decimal128Builder, u8, i8),
    Decimal256(Decimal256Builder, u8, i8),
    /// Without trailing blanks if so said.
    TextView(StringViewBuilder, bool),
    Text(StringBuilder),
    /// Text of this many bits.
    Bits(StringViewBuilder, u32),
    Binary(BinaryViewBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Time(Time64MicrosecondBuilder),
}

/// Why a value was not taken.
enum Misfit {
    /// The pair of types was not foreseen.
    Kind,
    Range,
    /// A date without a year, month or day.
    ZeroDate,
    /// A date that no calendar has, or a time of day that no day has.
    NoSuchTime,
    NotUtf8,
}

impl ColumnSink {
    /// A sink for what the server announces as `column` and the plan expects as `field`.
    ///
    /// # Errors
    /// `42P16` if the column is not of the planned type any more, or (for a computed one) arrives
    /// in a type that cannot be read exactly as the planned one.
    pub fn new(
        column: &Column,
        field: &Field,
        origin: Option<(String, String)>,
        mapping: Mapping,
    ) -> Result<ColumnSink> {
        let wire = WireType::of(column);
        let direct = origin.is_some();
        let label = Label {
            origin,
            output: field.name().clone(),
        };
        if !wire.fits(field.data_type(), direct) {
            return Err(Error::new(
                SqlState::InvalidTableDefinition,
                format!(
                    "{label} was planned as {}, but the source sends {wire}",
                    field.data_type()
                ),
            )
            .with_hint(
                "The table changed after the statement was planned; run the statement again.",
            ));
        }
        let sink = Sink::new(field, wire, column)
            .ok_or_else(|| Error::unsupported(format!("{label} cannot be read as {field}")))?;
        Ok(ColumnSink {
            label,
            sink,
            nullable: field.is_nullable(),
            zero_dates_null: mapping.zero_dates_null,
        })
    }

    /// # Errors
    /// A value that does not fit the column: `22003`, `22008`, `22021`; a NULL where there can be
    /// none: `42P16`.
    pub fn push(&mut self, value: &Value) -> Result<()> {
        if matches!(value, Value::NULL) {
            return self.push_null();
        }
        match self.sink.push(value) {
            Ok(()) => Ok(()),
            Err(Misfit::ZeroDate) if self.zero_dates_null => self.push_null(),
            Err(misfit) => Err(self.misfit(&misfit, value)),
        }
    }

    pub fn finish(&mut self) -> ArrayRef {
        self.sink.finish()
    }

    fn push_null(&mut self) -> Result<()> {
        if !self.nullable {
            return Err(Error::new(
                SqlState::InvalidTableDefinition,
                format!("{} holds NULL, but was planned as NOT NULL", self.label),
            )
            .with_hint(
                "The table changed after the statement was planned; run the statement again.",
            ));
        }
        self.sink.push_null();
        Ok(())
    }

    fn misfit(&self, misfit: &Misfit, value: &Value) -> Error {
        let label = &self.label;
        let shown = show(value);
        match misfit {
            Misfit::Kind => Error::new(
                SqlState::InvalidTableDefinition,
                format!("{label} holds {shown}, which is of another type than the planned one"),
            ),
            Misfit::Range => Error::new(
                SqlState::NumericValueOutOfRange,
                format!("{label} holds {shown}, which does not fit its type"),
            ),
            Misfit::ZeroDate => Error::new(
                SqlState::DatetimeFieldOverflow,
                format!("{label} holds the date {shown}, which no calendar has"),
            )
            .with_hint("Set zero_dates = \"null\" for the catalog to read such dates as NULL."),
            Misfit::NoSuchTime => Error::new(
                SqlState::DatetimeFieldOverflow,
                format!("{label} holds {shown}, which is out of range"),
            )
            .with_hint("A time of day lies between 00:00 and 24:00; read other values of MySQL's TIME through a view that casts them to text."),
            Misfit::NotUtf8 => Error::new(
                SqlState::CharacterNotInRepertoire,
                format!("{label} holds {shown}, which is not UTF-8"),
            ),
        }
    }
}

impl Sink {
    fn new(field: &Field, wire: WireType, column: &Column) -> Option<Sink> {
        let pg_type: Option<PgType> = field
            .metadata()
            .get(PgType::KEY)
            .and_then(|text| text.parse().ok());
        Some(match field.data_type() {
            DataType::Null => Sink::Null(NullBuilder::new()),
            DataType::Boolean => Sink::Boolean(BooleanBuilder::new()),
            DataType::Int8 => Sink::Int8(Int8Builder::new()),
            DataType::Int16 => Sink::Int16(Int16Builder::new()),
            DataType::Int32 => Sink::Int32(Int32Builder::new()),
            DataType::Int64 => Sink::Int64(Int64Builder::new()),
            DataType::UInt64 => Sink::UInt64(UInt64Builder::new()),
            DataType::Float32 => Sink::Float32(Float32Builder::new()),
            DataType::Float64 => Sink::Float64(Float64Builder::new()),
            decimal @ DataType::Decimal128(p, s) => Sink::Decimal128(
                Decimal128Builder::new().with_data_type(decimal.clone()),
                *p,
                *s,
            ),
            decimal @ DataType::Decimal256(p, s) => Sink::Decimal256(
                Decimal256Builder::new().with_data_type(decimal.clone()),
                *p,
                *s,
            ),
            DataType::Utf8View if wire == WireType::Bit => {
                Sink::Bits(StringViewBuilder::new(), column.column_length())
            }
            DataType::Utf8View => Sink::TextView(
                StringViewBuilder::new(),
                matches!(pg_type, Some(PgType::Bpchar(_))),
            ),
            DataType::Utf8 => Sink::Text(StringBuilder::new()),
            DataType::BinaryView => Sink::Binary(BinaryViewBuilder::new()),
            DataType::Date32 => Sink::Date(Date32Builder::new()),
            stamp @ DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Sink::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(stamp.clone()))
            }
            DataType::Time64(TimeUnit::Microsecond) => Sink::Time(Time64MicrosecondBuilder::new()),
            _ => return None,
        })
    }

    fn push(&mut self, value: &Value) -> Result<(), Misfit> {
        match self {
            Sink::Null(_) => return Err(Misfit::Kind),
            Sink::Boolean(b) => b.append_value(boolean(value)?),
            Sink::Int8(b) => b.append_value(narrow(integer(value)?)?),
            Sink::Int16(b) => b.append_value(narrow(integer(value)?)?),
            Sink::Int32(b) => b.append_value(narrow(integer(value)?)?),
            Sink::Int64(b) => b.append_value(narrow(integer(value)?)?),
            Sink::UInt64(b) => b.append_value(narrow(integer(value)?)?),
            Sink::Float32(b) => b.append_value(float32(value)?),
            Sink::Float64(b) => b.append_value(match value {
                Value::Double(v) => *v,
                Value::Float(v) => f64::from(*v),
                _ => return Err(Misfit::Kind),
            }),
            Sink::Decimal128(b, precision, scale) => {
                let scaled = match value {
                    Value::Bytes(text) => parse_i128(text, *scale),
                    other => rescaled(integer(other)?, *scale),
                };
                let fitting = scaled.filter(|v| fits_i128(*v, *precision));
                b.append_value(fitting.ok_or(Misfit::Range)?);
            }
            Sink::Decimal256(b, precision, scale) => {
                let scaled = match value {
                    Value::Bytes(text) => parse_i256(text, *scale),
                    other => parse_i256(integer(other)?.to_string().as_bytes(), *scale),
                };
                let fitting: Option<i256> = scaled.filter(|v| fits_i256(*v, *precision));
                b.append_value(fitting.ok_or(Misfit::Range)?);
            }
            Sink::TextView(b, false) => b.append_value(text(value)?),
            Sink::TextView(b, true) => b.append_value(text(value)?.trim_end_matches(' ')),
            Sink::Text(b) => b.append_value(text(value)?),
            Sink::Bits(b, length) => b.append_value(bits(bytes(value)?, *length)),
            Sink::Binary(b) => b.append_value(bytes(value)?),
            Sink::Date(b) => match *value {
                Value::Date(y, m, d, 0, 0, 0, 0) => {
                    not_zero(m, d)?;
                    b.append_value(date_days(y, m, d).ok_or(Misfit::NoSuchTime)?);
                }
                _ => return Err(Misfit::Kind),
            },
            Sink::Timestamp(b) => match *value {
                Value::Date(y, m, d, hour, minute, second, micros) => {
                    not_zero(m, d)?;
                    b.append_value(
                        datetime_micros((y, m, d), (hour, minute, second), micros)
                            .ok_or(Misfit::NoSuchTime)?,
                    );
                }
                _ => return Err(Misfit::Kind),
            },
            Sink::Time(b) => match *value {
                Value::Time(negative, days, hour, minute, second, micros) => b.append_value(
                    time_micros(negative, days, (hour, minute, second), micros)
                        .ok_or(Misfit::NoSuchTime)?,
                ),
                _ => return Err(Misfit::Kind),
            },
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match self {
            Sink::Null(b) => b.append_null(),
            Sink::Boolean(b) => b.append_null(),
            Sink::Int8(b) => b.append_null(),
            Sink::Int16(b) => b.append_null(),
            Sink::Int32(b) => b.append_null(),
            Sink::Int64(b) => b.append_null(),
            Sink::UInt64(b) => b.append_null(),
            Sink::Float32(b) => b.append_null(),
            Sink::Float64(b) => b.append_null(),
            Sink::Decimal128(b, ..) => b.append_null(),
            Sink::Decimal256(b, ..) => b.append_null(),
            Sink::TextView(b, _) | Sink::Bits(b, _) => b.append_null(),
            Sink::Text(b) => b.append_null(),
            Sink::Binary(b) => b.append_null(),
            Sink::Date(b) => b.append_null(),
            Sink::Timestamp(b) => b.append_null(),
            Sink::Time(b) => b.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Sink::Null(b) => Arc::new(b.finish()),
            Sink::Boolean(b) => Arc::new(b.finish()),
            Sink::Int8(b) => Arc::new(b.finish()),
            Sink::Int16(b) => Arc::new(b.finish()),
            Sink::Int32(b) => Arc::new(b.finish()),
            Sink::Int64(b) => Arc::new(b.finish()),
            Sink::UInt64(b) => Arc::new(b.finish()),
            Sink::Float32(b) => Arc::new(b.finish()),
            Sink::Float64(b) => Arc::new(b.finish()),
            Sink::Decimal128(b, ..) => Arc::new(b.finish()),
            Sink::Decimal256(b, ..) => Arc::new(b.finish()),
            Sink::TextView(b, _) | Sink::Bits(b, _) => Arc::new(b.finish()),
            Sink::Text(b) => Arc::new(b.finish()),
            Sink::Binary(b) => Arc::new(b.finish()),
            Sink::Date(b) => Arc::new(b.finish()),
            Sink::Timestamp(b) => Arc::new(b.finish()),
            Sink::Time(b) => Arc::new(b.finish()),
        }
    }
}

/// A whole number of any of the server's types; a decimal (`sum` of integers is one) only if whole.
fn integer(value: &Value) -> Result<i128, Misfit> {
    match value {
        Value::Int(v) => Ok(i128::from(*v)),
        Value::UInt(v) => Ok(i128::from(*v)),
        Value::Bytes(text) => parse_i128(text, 0).ok_or(Misfit::Range),
        _ => Err(Misfit::Kind),
    }
}

fn narrow<T: TryFrom<i128>>(value: i128) -> Result<T, Misfit> {
    T::try_from(value).map_err(|_| Misfit::Range)
}

fn rescaled(value: i128, scale: i8) -> Option<i128> {
    value.checked_mul(10_i128.checked_pow(u32::try_from(scale).ok()?)?)
}

fn boolean(value: &Value) -> Result<bool, Misfit> {
    match value {
        Value::Int(0) | Value::UInt(0) => Ok(false),
        Value::Int(1) | Value::UInt(1) => Ok(true),
        // bit(1) comes as one byte.
        Value::Bytes(bytes) if bytes.as_slice() == [0] => Ok(false),
        Value::Bytes(bytes) if bytes.as_slice() == [1] => Ok(true),
        Value::Int(_) | Value::UInt(_) | Value::Bytes(_) => Err(Misfit::Range),
        _ => Err(Misfit::Kind),
    }
}

/// A computed float may come as a double; it must be one of the floats.
fn float32(value: &Value) -> Result<f32, Misfit> {
    match value {
        Value::Float(v) => Ok(*v),
        Value::Double(v) => {
            let narrowed = *v as f32;
            let same = f64::from(narrowed) == *v || v.is_nan();
            same.then_some(narrowed).ok_or(Misfit::Range)
        }
        _ => Err(Misfit::Kind),
    }
}

fn bytes(value: &Value) -> Result<&[u8], Misfit> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        _ => Err(Misfit::Kind),
    }
}

fn text(value: &Value) -> Result<&str, Misfit> {
    std::str::from_utf8(bytes(value)?).map_err(|_| Misfit::NotUtf8)
}

/// The last `length` bits of `bytes`, as PostgreSQL writes a `bit(n)`.
fn bits(bytes: &[u8], length: u32) -> String {
    let all: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let surplus = all.len().saturating_sub(length as usize);
    all[surplus..].to_owned()
}

/// A year 0 alone is a date, the first BC.
fn not_zero(month: u8, day: u8) -> Result<(), Misfit> {
    if month == 0 || day == 0 {
        return Err(Misfit::ZeroDate);
    }
    Ok(())
}

fn show(value: &Value) -> String {
    let text = match value {
        Value::NULL => "NULL".to_owned(),
        Value::Bytes(bytes) => format!("\"{}\"", String::from_utf8_lossy(bytes)),
        Value::Int(v) => v.to_string(),
        Value::UInt(v) => v.to_string(),
        Value::Float(v) => v.to_string(),
        Value::Double(v) => v.to_string(),
        Value::Date(y, m, d, 0, 0, 0, 0) => format!("{y:04}-{m:02}-{d:02}"),
        Value::Date(y, m, d, hour, minute, second, _) => {
            format!("{y:04}-{m:02}-{d:02} {hour:02}:{minute:02}:{second:02}")
        }
        Value::Time(negative, days, hour, minute, second, _) => {
            let sign = if *negative { "-" } else { "" };
            let hours = days * 24 + u32::from(*hour);
            format!("{sign}{hours:02}:{minute:02}:{second:02}")
        }
    };
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}
