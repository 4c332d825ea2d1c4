//! Values of SQLite into Arrow columns, strictly: one that does not fit is an error that names
//! its column and itself.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BinaryViewBuilder, BooleanBuilder, Date32Builder, Decimal128Builder,
    Decimal256Builder, Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder,
    NullBuilder, RecordBatch, RecordBatchOptions, StringBuilder, StringViewBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, SchemaRef, TimeUnit};
use inflowave_types::{Error, PgType, Result, SqlState};
use parking_lot::RwLock;
use rusqlite::types::ValueRef;

use crate::value;

/// Bytes of text and blobs after which a batch is full, however few rows it has.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Characters of a value that a message shows.
const SHOWN_CHARS_MAX: usize = 64;

/// Collects rows into batches of one schema.
pub struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    bytes: usize,
}

impl BatchBuilder {
    /// `labels` name the columns in messages; `rules` holds those of columns that are read by
    /// the text of their values.
    ///
    /// # Errors
    /// `0A000` for an Arrow type that nothing of SQLite is read into.
    pub fn new(schema: SchemaRef, labels: Vec<String>, rules: &TextRules) -> Result<Self> {
        let columns = schema
            .fields()
            .iter()
            .zip(labels)
            .map(|(field, label)| ColumnBuilder::new(field, label, rules))
            .collect::<Result<_>>()?;
        Ok(BatchBuilder {
            schema,
            columns,
            rows: 0,
            bytes: 0,
        })
    }

    /// Adds the value of column `index` to the row that is being built.
    ///
    /// # Errors
    /// That of the value which does not fit.
    pub fn append(&mut self, index: usize, value: ValueRef<'_>) -> Result<()> {
        if let ValueRef::Text(b) | ValueRef::Blob(b) = value {
            self.bytes += b.len();
        }
        self.columns[index].append(value)
    }

    pub fn end_row(&mut self) {
        self.rows += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn is_full(&self, rows_max: usize) -> bool {
        self.rows >= rows_max || self.bytes >= BATCH_BYTES_MAX
    }

    /// The rows so far; starts anew.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let arrays = self.columns.iter_mut().map(|c| c.values.finish()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|e| Error::internal(format!("a batch of sqlite: {e}")))
    }
}

struct ColumnBuilder {
    label: String,
    nullable: bool,
    values: Values,
}

impl ColumnBuilder {
    fn new(field: &Field, label: String, rules: &TextRules) -> Result<Self> {
        Ok(ColumnBuilder {
            values: Values::new(field, &label, text_rule(field, &label, rules))?,
            nullable: field.is_nullable(),
            label,
        })
    }

    fn append(&mut self, value: ValueRef<'_>) -> Result<()> {
        if matches!(value, ValueRef::Null) {
            if !self.nullable {
                return Err(misfit(
                    SqlState::DataCorrupted,
                    &self.label,
                    value,
                    "a value (the column is NOT NULL)",
                ));
            }
            self.values.append_null();
            return Ok(());
        }
        self.values
            .append(value)
            .map_err(|state| misfit(state, &self.label, value, &self.values.wanted()))
    }
}

/// The error of a value that is not what its column declares. The functions that check values
/// inside SQLite raise the same one.
pub fn misfit(state: SqlState, label: &str, value: ValueRef<'_>, wanted: &str) -> Error {
    Error::new(
        state,
        format!("value {} of column {label} is not {wanted}", shown(value)),
    )
}

/// The SQLSTATE of a value whose storage class is not the wanted one.
pub fn wrong_class(value: ValueRef<'_>) -> SqlState {
    match value {
        ValueRef::Text(_) => SqlState::InvalidTextRepresentation,
        _ => SqlState::DataCorrupted,
    }
}

/// A value as a message shows it: its storage class, and its beginning.
fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(n) => format!("{n} (an integer)"),
        ValueRef::Real(x) => format!("{x:?} (a real)"),
        ValueRef::Text(b) => {
            let text = String::from_utf8_lossy(b);
            let mut chars = text.chars();
            let start = escaped(chars.by_ref().take(SHOWN_CHARS_MAX));
            let dots = if chars.next().is_some() { ".." } else { "" };
            format!("'{start}{dots}' (text)")
        }
        ValueRef::Blob(b) => {
            let start: String = b.iter().take(16).map(|x| format!("{x:02x}")).collect();
            let dots = if b.len() > 16 { ".." } else { "" };
            format!("x'{start}{dots}' (a blob)")
        }
    }
}

/// Control characters as `\n` and `\u{0}`: a message is one line, and holds no NUL.
fn escaped(chars: impl Iterator<Item = char>) -> String {
    chars
        .map(|c| match c.is_control() {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        })
        .collect()
}

/// What values should have been, as the ends of messages.
pub mod wanted {
    pub const BOOLEAN: &str = "a boolean (0 or 1)";
    pub const INTEGER: &str = "an integer";
    pub const DOUBLE: &str = "a double precision number";
    pub const TEXT: &str = "text in UTF-8 without NUL characters";
    pub const BLOB: &str = "a blob";
    pub const DATE: &str = "a date (YYYY-MM-DD)";
    pub const TIME: &str = "a time (HH:MM:SS)";
    pub const TIMESTAMP: &str = "a timestamp (YYYY-MM-DD HH:MM:SS)";
}

enum Values {
    Null(NullBuilder),
    Boolean(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt64(UInt64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal128(Decimal128Builder, u8, i8),
    Decimal256(Decimal256Builder, u8, i8),
    Text(StringBuilder),
    TextView(StringViewBuilder, TextRule),
    Binary(BinaryBuilder),
    BinaryView(BinaryViewBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    TimestampTz(TimestampMicrosecondBuilder, Arc<str>),
}

/// Which columns of a source are read by the text of their values, whatever their storage class:
/// known from the moment that their table was described, and the same for what is read here and
/// for what is checked inside SQLite. Labels are `catalog.schema.table.column`.
#[derive(Debug, Default)]
pub struct TextRules(RwLock<HashSet<String>>);

impl TextRules {
    pub fn is_any_class(&self, label: &str) -> bool {
        self.0.read().contains(label)
    }

    pub fn set_any_class(&self, label: String, any_class: bool) {
        let mut labels = self.0.write();
        if any_class {
            labels.insert(label);
        } else {
            labels.remove(&label);
        }
    }
}

/// How a text column treats what is not plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRule {
    Strict,
    /// `char(n)`: trailing blanks are not part of the value.
    Blanks,
    /// Integers and reals are given by their text.
    AnyClass,
}

impl Values {
    fn new(field: &Field, label: &str, rule: TextRule) -> Result<Self> {
        Ok(match field.data_type() {
            DataType::Null => Values::Null(NullBuilder::new()),
            DataType::Boolean => Values::Boolean(BooleanBuilder::new()),
            DataType::Int16 => Values::Int16(Int16Builder::new()),
            DataType::Int32 => Values::Int32(Int32Builder::new()),
            DataType::Int64 => Values::Int64(Int64Builder::new()),
            // What `row_number` and its like give.
            DataType::UInt64 => Values::UInt64(UInt64Builder::new()),
            DataType::Float32 => Values::Float32(Float32Builder::new()),
            DataType::Float64 => Values::Float64(Float64Builder::new()),
            data_type @ DataType::Decimal128(p, s) => Values::Decimal128(
                Decimal128Builder::new().with_data_type(data_type.clone()),
                *p,
                *s,
            ),
            data_type @ DataType::Decimal256(p, s) => Values::Decimal256(
                Decimal256Builder::new().with_data_type(data_type.clone()),
                *p,
                *s,
            ),
            DataType::Utf8 => Values::Text(StringBuilder::new()),
            DataType::Utf8View => Values::TextView(StringViewBuilder::new(), rule),
            DataType::Binary => Values::Binary(BinaryBuilder::new()),
            DataType::BinaryView => Values::BinaryView(BinaryViewBuilder::new()),
            DataType::Date32 => Values::Date(Date32Builder::new()),
            DataType::Time64(TimeUnit::Microsecond) => {
                Values::Time(Time64MicrosecondBuilder::new())
            }
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                Values::Timestamp(TimestampMicrosecondBuilder::new())
            }
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => Values::TimestampTz(
                TimestampMicrosecondBuilder::new().with_timezone(Arc::clone(zone)),
                Arc::clone(zone),
            ),
            other => {
                return Err(Error::unsupported(format!(
                    "column {label}: sqlite is not read into {other}"
                )));
            }
        })
    }

    fn append_null(&mut self) {
        match self {
            Values::Null(b) => b.append_null(),
            Values::Boolean(b) => b.append_null(),
            Values::Int16(b) => b.append_null(),
            Values::Int32(b) => b.append_null(),
            Values::Int64(b) => b.append_null(),
            Values::UInt64(b) => b.append_null(),
            Values::Float32(b) => b.append_null(),
            Values::Float64(b) => b.append_null(),
            Values::Decimal128(b, ..) => b.append_null(),
            Values::Decimal256(b, ..) => b.append_null(),
            Values::Text(b) => b.append_null(),
            Values::TextView(b, _) => b.append_null(),
            Values::Binary(b) => b.append_null(),
            Values::BinaryView(b) => b.append_null(),
            Values::Date(b) => b.append_null(),
            Values::Time(b) => b.append_null(),
            Values::Timestamp(b) | Values::TimestampTz(b, _) => b.append_null(),
        }
    }

    /// Adds a value that is not NULL, or says why not.
    fn append(&mut self, value: ValueRef<'_>) -> Result<(), SqlState> {
        match self {
            Values::Null(_) => return Err(wrong_class(value)),
            Values::Boolean(b) => b.append_value(boolean(value)?),
            Values::Int16(b) => b.append_value(narrow(value)?),
            Values::Int32(b) => b.append_value(narrow(value)?),
            Values::Int64(b) => b.append_value(integer(value)?),
            Values::UInt64(b) => b.append_value(narrow(value)?),
            Values::Float32(b) => b.append_value(double(value)? as f32),
            Values::Float64(b) => b.append_value(double(value)?),
            Values::Decimal128(b, p, s) => {
                let digits = decimal(value, *p, *s)?;
                b.append_value(digits.to_i128().ok_or(SqlState::NumericValueOutOfRange)?);
            }
            Values::Decimal256(b, p, s) => b.append_value(decimal(value, *p, *s)?),
            Values::Text(b) => b.append_value(text(value)?),
            Values::TextView(b, rule) => append_text(b, *rule, value)?,
            Values::Binary(b) => b.append_value(blob(value)?),
            Values::BinaryView(b) => b
                .try_append_value(blob(value)?)
                .map_err(|_| SqlState::ProgramLimitExceeded)?,
            Values::Date(b) => b.append_value(value::date(text(value)?)?),
            Values::Time(b) => b.append_value(value::time(text(value)?)?),
            Values::Timestamp(b) => b.append_value(value::timestamp(text(value)?)?),
            Values::TimestampTz(b, _) => b.append_value(value::timestamptz(text(value)?)?),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Values::Null(b) => Arc::new(b.finish()),
            Values::Boolean(b) => Arc::new(b.finish()),
            Values::Int16(b) => Arc::new(b.finish()),
            Values::Int32(b) => Arc::new(b.finish()),
            Values::Int64(b) => Arc::new(b.finish()),
            Values::UInt64(b) => Arc::new(b.finish()),
            Values::Float32(b) => Arc::new(b.finish()),
            Values::Float64(b) => Arc::new(b.finish()),
            Values::Decimal128(b, ..) => Arc::new(b.finish()),
            Values::Decimal256(b, ..) => Arc::new(b.finish()),
            Values::Text(b) => Arc::new(b.finish()),
            Values::TextView(b, _) => Arc::new(b.finish()),
            Values::Binary(b) => Arc::new(b.finish()),
            Values::BinaryView(b) => Arc::new(b.finish()),
            Values::Date(b) => Arc::new(b.finish()),
            Values::Time(b) => Arc::new(b.finish()),
            Values::Timestamp(b) => Arc::new(b.finish()),
            Values::TimestampTz(b, zone) => Arc::new(b.finish().with_timezone(Arc::clone(zone))),
        }
    }

    /// What a value should have been, as the end of a message.
    fn wanted(&self) -> String {
        match self {
            Values::Null(_) => "NULL".to_owned(),
            Values::Boolean(_) => wanted::BOOLEAN.to_owned(),
            Values::Int16(_) => "a smallint".to_owned(),
            Values::Int32(_) => "an integer of 32 bits".to_owned(),
            Values::Int64(_) | Values::UInt64(_) => wanted::INTEGER.to_owned(),
            Values::Float32(_) | Values::Float64(_) => wanted::DOUBLE.to_owned(),
            Values::Decimal128(_, p, s) | Values::Decimal256(_, p, s) => {
                format!("a numeric({p},{s})")
            }
            Values::Text(_) | Values::TextView(..) => wanted::TEXT.to_owned(),
            Values::Binary(_) | Values::BinaryView(_) => wanted::BLOB.to_owned(),
            Values::Date(_) => wanted::DATE.to_owned(),
            Values::Time(_) => wanted::TIME.to_owned(),
            Values::Timestamp(_) => wanted::TIMESTAMP.to_owned(),
            Values::TimestampTz(..) => {
                "a timestamp with a time zone (YYYY-MM-DD HH:MM:SS+00:00)".to_owned()
            }
        }
    }
}

fn text_rule(field: &Field, label: &str, rules: &TextRules) -> TextRule {
    let pg_type = field.metadata().get(PgType::KEY).map(|t| t.parse());
    if matches!(pg_type, Some(Ok(PgType::Bpchar(_)))) {
        TextRule::Blanks
    } else if rules.is_any_class(label) {
        TextRule::AnyClass
    } else {
        TextRule::Strict
    }
}

fn append_text(
    builder: &mut StringViewBuilder,
    rule: TextRule,
    value: ValueRef<'_>,
) -> Result<(), SqlState> {
    let too_long = |_| SqlState::ProgramLimitExceeded;
    match rule {
        TextRule::AnyClass => builder
            .try_append_value(text_of_any(value)?)
            .map_err(too_long),
        TextRule::Blanks => builder
            .try_append_value(text(value)?.trim_end_matches(' '))
            .map_err(too_long),
        TextRule::Strict => builder.try_append_value(text(value)?).map_err(too_long),
    }
}

pub fn boolean(value: ValueRef<'_>) -> Result<bool, SqlState> {
    match value {
        ValueRef::Integer(0) => Ok(false),
        ValueRef::Integer(1) => Ok(true),
        _ => Err(wrong_class(value)),
    }
}

pub fn integer(value: ValueRef<'_>) -> Result<i64, SqlState> {
    match value {
        ValueRef::Integer(n) => Ok(n),
        _ => Err(wrong_class(value)),
    }
}

fn narrow<T: TryFrom<i64>>(value: ValueRef<'_>) -> Result<T, SqlState> {
    T::try_from(integer(value)?).map_err(|_| SqlState::NumericValueOutOfRange)
}

pub fn double(value: ValueRef<'_>) -> Result<f64, SqlState> {
    match value {
        ValueRef::Real(x) => Ok(x),
        ValueRef::Integer(n) => value::integer_as_double(n).ok_or(SqlState::NumericValueOutOfRange),
        _ => Err(wrong_class(value)),
    }
}

fn decimal(
    value: ValueRef<'_>,
    precision: u8,
    scale: i8,
) -> Result<arrow::datatypes::i256, SqlState> {
    match value {
        ValueRef::Integer(n) => value::decimal(&n.to_string(), precision, scale),
        // `Display` of a double is its shortest decimal, never with an exponent.
        ValueRef::Real(x) => value::decimal(&x.to_string(), precision, scale)
            .map_err(|_| SqlState::NumericValueOutOfRange),
        ValueRef::Text(_) => value::decimal(text(value)?, precision, scale),
        _ => Err(wrong_class(value)),
    }
}

pub fn text(value: ValueRef<'_>) -> Result<&str, SqlState> {
    match value {
        // A text of PostgreSQL has no NUL, and functions of SQLite end at one.
        ValueRef::Text(bytes) if bytes.contains(&0) => Err(SqlState::CharacterNotInRepertoire),
        ValueRef::Text(bytes) => {
            std::str::from_utf8(bytes).map_err(|_| SqlState::CharacterNotInRepertoire)
        }
        _ => Err(wrong_class(value)),
    }
}

/// Text as it is, a number by its text: of a real the shortest that reads back the same.
pub fn text_of_any(value: ValueRef<'_>) -> Result<Cow<'_, str>, SqlState> {
    match value {
        ValueRef::Integer(n) => Ok(n.to_string().into()),
        ValueRef::Real(x) => Ok(x.to_string().into()),
        _ => text(value).map(Cow::Borrowed),
    }
}

pub fn blob(value: ValueRef<'_>) -> Result<&[u8], SqlState> {
    match value {
        ValueRef::Blob(bytes) => Ok(bytes),
        _ => Err(wrong_class(value)),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Schema, UInt64Type};

    use super::*;

    #[test]
    fn a_row_number_is_read() {
        let field = Field::new("n", DataType::UInt64, false);
        let schema = Arc::new(Schema::new(vec![field]));
        let labels = vec!["n".to_owned()];
        let mut rows = BatchBuilder::new(schema, labels, &TextRules::default()).unwrap();
        rows.append(0, ValueRef::Integer(7)).unwrap();
        rows.end_row();
        let error = rows.append(0, ValueRef::Integer(-1)).unwrap_err();
        assert_eq!(error.sqlstate(), SqlState::NumericValueOutOfRange);
        let batch = rows.finish().unwrap();
        assert_eq!(batch.column(0).as_primitive::<UInt64Type>().values(), &[7]);
    }
}
