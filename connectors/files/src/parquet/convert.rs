//! Our types for those of Parquet, where they differ: a checked conversion above the reading.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Field, FieldRef, Float32Type, Float64Type, IntervalUnit, Schema,
    Time64NanosecondType, TimeUnit, TimestampNanosecondType,
};
use arrow::error::ArrowError;
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_plan::PhysicalExpr;
use inflowave_types::{Error, PgType, Result, SqlState};

use super::footer::item;
use crate::error::carried;

const NANOS_PER_MICRO: i64 = 1_000;

/// How a column becomes what users see.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Conversion {
    /// As it is.
    None,
    /// A cast that fails where it cannot hold a value.
    Cast,
    /// A cast from nanoseconds that fails where digits would be lost.
    ExactNanoseconds,
    /// Every NaN as the one NaN: Arrow compares their bits.
    OneNan,
    /// Structs and maps as JSON text.
    Json,
}

impl Conversion {
    /// The field that users see for one of a file, and the way there.
    ///
    /// # Errors
    /// `0A000` for a type without a counterpart.
    pub fn of(field: &Field, truncate_nanoseconds: bool) -> Result<(Field, Conversion)> {
        let from = field.data_type();
        if is_document(from) {
            let metadata = HashMap::from([(PgType::KEY.to_owned(), PgType::Json.to_string())]);
            let text = Field::new(field.name(), DataType::Utf8View, field.is_nullable());
            return Ok((text.with_metadata(metadata), Conversion::Json));
        }
        let to = ours(from).ok_or_else(|| {
            Error::unsupported(format!("column \"{}\" has type {from}", field.name()))
        })?;
        let conversion = if matches!(to, DataType::Float32 | DataType::Float64) {
            Conversion::OneNan
        } else if *from == to {
            Conversion::None
        } else if is_nanoseconds(from) && !truncate_nanoseconds {
            Conversion::ExactNanoseconds
        } else {
            Conversion::Cast
        };
        Ok((
            Field::new(field.name(), to, field.is_nullable()),
            conversion,
        ))
    }
}

/// `None` for what has no counterpart.
fn ours(data_type: &DataType) -> Option<DataType> {
    use DataType as D;
    let list = |inner: &FieldRef| Some(D::List(item(ours(inner.data_type())?)));
    Some(match data_type {
        D::Boolean | D::Int16 | D::Int32 | D::Int64 | D::Float32 | D::Float64 => data_type.clone(),
        D::Date32 | D::BinaryView | D::Utf8View => data_type.clone(),
        D::Int8 | D::UInt8 => D::Int16,
        D::UInt16 => D::Int32,
        D::UInt32 => D::Int64,
        D::UInt64 => D::Decimal128(20, 0),
        D::Float16 => D::Float32,
        D::Decimal32(p, s) | D::Decimal64(p, s) | D::Decimal128(p, s) if *s >= 0 => {
            D::Decimal128(*p, *s)
        }
        D::Decimal256(p, s) if *s >= 0 && *p <= 38 => D::Decimal128(*p, *s),
        D::Decimal256(_, s) if *s >= 0 => data_type.clone(),
        D::Date64 => D::Date32,
        D::Timestamp(_, None) => D::Timestamp(TimeUnit::Microsecond, None),
        D::Timestamp(_, Some(_)) => D::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        D::Time32(_) | D::Time64(_) => D::Time64(TimeUnit::Microsecond),
        D::Interval(_) | D::Duration(_) => D::Interval(IntervalUnit::MonthDayNano),
        D::Null | D::Utf8 | D::LargeUtf8 => D::Utf8View,
        D::Binary | D::LargeBinary | D::FixedSizeBinary(_) => D::BinaryView,
        D::Dictionary(_, value) => return ours(value),
        D::RunEndEncoded(_, value) => return ours(value.data_type()),
        D::List(f) | D::LargeList(f) | D::ListView(f) | D::LargeListView(f) => return list(f),
        D::FixedSizeList(f, _) => return list(f),
        _ => return None,
    })
}

fn is_nanoseconds(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(TimeUnit::Nanosecond, _) | DataType::Time64(TimeUnit::Nanosecond)
    )
}

/// Structs and maps, also in lists.
fn is_document(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(_) | DataType::Map(..) | DataType::Union(..) => true,
        DataType::List(f) | DataType::LargeList(f) | DataType::FixedSizeList(f, _) => {
            is_document(f.data_type())
        }
        _ => false,
    }
}

/// The conversion as an expression over what was read.
#[derive(Debug, Clone)]
pub struct Converted {
    input: Arc<dyn PhysicalExpr>,
    conversion: Conversion,
    field: FieldRef,
    /// `catalog.schema.table.column`, for messages.
    label: Arc<str>,
}

impl Converted {
    pub fn new(
        input: Arc<dyn PhysicalExpr>,
        conversion: Conversion,
        field: FieldRef,
        label: Arc<str>,
    ) -> Self {
        Converted {
            input,
            conversion,
            field,
            label,
        }
    }

    fn convert(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let told = |e: ArrowError| {
            Error::new(
                SqlState::NumericValueOutOfRange,
                format!("column {}: {e}", self.label),
            )
        };
        let strict = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        match self.conversion {
            Conversion::None => return Ok(Arc::clone(values)),
            Conversion::Json => return json(values).map_err(told),
            Conversion::ExactNanoseconds => self.check_nanoseconds(values)?,
            Conversion::Cast => {}
            Conversion::OneNan => {
                let values = cast_with_options(values, self.field.data_type(), &strict);
                return values.map(one_nan).map_err(told);
            }
        }
        cast_with_options(values, self.field.data_type(), &strict).map_err(told)
    }

    fn check_nanoseconds(&self, values: &ArrayRef) -> Result<()> {
        let inexact = match values.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                first_inexact(values.as_primitive::<TimestampNanosecondType>().iter())
            }
            DataType::Time64(TimeUnit::Nanosecond) => {
                first_inexact(values.as_primitive::<Time64NanosecondType>().iter())
            }
            _ => None,
        };
        let Some(row) = inexact else {
            return Ok(());
        };
        let shown = arrow::util::display::array_value_to_string(values, row).unwrap_or_default();
        Err(Error::new(
            SqlState::DatetimeFieldOverflow,
            format!(
                "value {shown} of column {} has digits below a microsecond",
                self.label
            ),
        )
        .with_hint("Set nanoseconds = \"truncate\" in the catalog to cut them off."))
    }
}

fn one_nan(values: ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float32 => {
            let values = values.as_primitive::<Float32Type>();
            if values.values().iter().any(|v| v.is_nan()) {
                let one = |v: f32| if v.is_nan() { f32::NAN } else { v };
                return Arc::new(values.unary::<_, Float32Type>(one));
            }
        }
        DataType::Float64 => {
            let values = values.as_primitive::<Float64Type>();
            if values.values().iter().any(|v| v.is_nan()) {
                let one = |v: f64| if v.is_nan() { f64::NAN } else { v };
                return Arc::new(values.unary::<_, Float64Type>(one));
            }
        }
        _ => {}
    }
    values
}

fn first_inexact(mut values: impl Iterator<Item = Option<i64>>) -> Option<usize> {
    values.position(|v| v.is_some_and(|v| v % NANOS_PER_MICRO != 0))
}

/// Each value as a line of JSON.
fn json(values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let field = Field::new("", values.data_type().clone(), true);
    let schema = Arc::new(Schema::new(vec![field]));
    let batch = RecordBatch::try_new(schema, vec![Arc::clone(values)])?;
    let mut lines = Vec::new();
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::LineDelimited>(&mut lines);
    writer.write(&batch)?;
    writer.finish()?;
    drop(writer);
    let mut texts = StringViewBuilder::with_capacity(values.len());
    for (row, line) in lines.split(|b| *b == b'\n').take(values.len()).enumerate() {
        if values.is_null(row) {
            texts.append_null();
            continue;
        }
        // A line is `{"":value}`.
        let text = line
            .strip_prefix(b"{\"\":")
            .and_then(|l| l.strip_suffix(b"}"));
        let text = text.and_then(|t| std::str::from_utf8(t).ok());
        let text = text.ok_or_else(|| ArrowError::JsonError("an unexpected line".to_owned()))?;
        texts.try_append_value(text)?;
    }
    Ok(Arc::new(texts.finish()))
}

impl PartialEq for Converted {
    fn eq(&self, other: &Self) -> bool {
        self.input.eq(&other.input)
            && self.conversion == other.conversion
            && self.field == other.field
    }
}

impl Eq for Converted {}

impl Hash for Converted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.conversion.hash(state);
        self.field.hash(state);
    }
}

impl fmt::Display for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.input, self.field.data_type())
    }
}

impl PhysicalExpr for Converted {
    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        let values = self.input.evaluate(batch)?.into_array(batch.num_rows())?;
        self.convert(&values)
            .map(ColumnarValue::Array)
            .map_err(carried)
    }

    fn return_field(&self, _input: &Schema) -> DfResult<FieldRef> {
        Ok(Arc::clone(&self.field))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.input]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> DfResult<Arc<dyn PhysicalExpr>> {
        let input = children.pop().unwrap_or_else(|| Arc::clone(&self.input));
        Ok(Arc::new(Converted {
            input,
            ..self.as_ref().clone()
        }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.input.fmt_sql(f)
    }
}
