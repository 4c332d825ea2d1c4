//! Texts into one Arrow column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, RecordBatch,
    RecordBatchOptions, StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use inflowave_types::{Error, Result};

use super::value;

/// Bytes of text after which a batch is full, however few rows it has.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// Collects rows into batches of one schema.
pub struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows_max: usize,
    rows: usize,
    bytes: usize,
}

impl BatchBuilder {
    /// # Errors
    /// `XX000` for a type that no text is read into.
    pub fn new(schema: SchemaRef, rows_max: usize) -> Result<Self> {
        Ok(BatchBuilder {
            columns: schema
                .fields()
                .iter()
                .map(Column::new)
                .collect::<Result<_>>()?,
            schema,
            rows_max,
            rows: 0,
            bytes: 0,
        })
    }

    pub fn field(&self, column: usize) -> &FieldRef {
        &self.schema.fields()[column]
    }

    /// Adds a text, unless it is not what the column holds.
    #[must_use]
    pub fn append(&mut self, column: usize, text: &str) -> bool {
        self.bytes += text.len();
        self.columns[column].append(text).is_some()
    }

    pub fn append_null(&mut self, column: usize) {
        self.columns[column].append_null();
    }

    pub fn end_row(&mut self) {
        self.rows += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn is_full(&self) -> bool {
        self.rows >= self.rows_max || self.bytes >= BATCH_BYTES_MAX
    }

    /// The rows so far; starts anew.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|e| Error::internal(format!("a batch of files: {e}")))
    }
}

enum Column {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Double(Float64Builder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    TimestampTz(TimestampMicrosecondBuilder, Arc<str>),
    Text(StringViewBuilder),
}

impl Column {
    fn new(field: &FieldRef) -> Result<Self> {
        Ok(match field.data_type() {
            DataType::Boolean => Column::Boolean(BooleanBuilder::new()),
            DataType::Int64 => Column::Integer(Int64Builder::new()),
            DataType::Float64 => Column::Double(Float64Builder::new()),
            DataType::Date32 => Column::Date(Date32Builder::new()),
            DataType::Timestamp(_, None) => Column::Timestamp(TimestampMicrosecondBuilder::new()),
            DataType::Timestamp(_, Some(zone)) => {
                Column::TimestampTz(TimestampMicrosecondBuilder::new(), Arc::clone(zone))
            }
            DataType::Utf8View => Column::Text(StringViewBuilder::new()),
            other => return Err(Error::internal(format!("text is not read into {other}"))),
        })
    }

    fn append(&mut self, text: &str) -> Option<()> {
        match self {
            Column::Boolean(b) => b.append_value(value::boolean(text)?),
            Column::Integer(b) => b.append_value(value::integer(text)?),
            Column::Double(b) => b.append_value(value::double(text)?),
            Column::Date(b) => b.append_value(value::date(text)?),
            Column::Timestamp(b) => b.append_value(value::timestamp_or_date(text)?),
            Column::TimestampTz(b, _) => b.append_value(value::timestamptz(text)?),
            Column::Text(b) => b.try_append_value(text).ok()?,
        }
        Some(())
    }

    fn append_null(&mut self) {
        match self {
            Column::Boolean(b) => b.append_null(),
            Column::Integer(b) => b.append_null(),
            Column::Double(b) => b.append_null(),
            Column::Date(b) => b.append_null(),
            Column::Timestamp(b) | Column::TimestampTz(b, _) => b.append_null(),
            Column::Text(b) => b.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Column::Boolean(b) => Arc::new(b.finish()),
            Column::Integer(b) => Arc::new(b.finish()),
            Column::Double(b) => Arc::new(b.finish()),
            Column::Date(b) => Arc::new(b.finish()),
            Column::Timestamp(b) => Arc::new(b.finish()),
            Column::TimestampTz(b, zone) => Arc::new(b.finish().with_timezone(Arc::clone(zone))),
            Column::Text(b) => Arc::new(b.finish()),
        }
    }
}
