//! PostgreSQL's text form of every Arrow type (`*out` functions of PostgreSQL 15, with ISO dates,
//! interval style `postgres`, hexadecimal bytea and shortest floats).

mod bytes_form;
mod datetime;
mod float;
mod interval;
mod nested;
mod number;
mod zone;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use bytes::{BufMut, BytesMut};
use inflowave_types::{Error, Result};

use self::datetime::Fraction;
pub use self::zone::Zone;
use super::layout;

/// What a session chooses of its text forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextFormat {
    /// The zone that a timestamptz is shown in.
    pub zone: Zone,
}

impl TextFormat {
    /// From a session's settings; a zone that is not known is UTC.
    pub fn of_settings(settings: &[(String, String)]) -> Self {
        let zone = settings
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("TimeZone"))
            .and_then(|(_, zone)| zone.parse().ok());
        TextFormat {
            zone: zone.unwrap_or_default(),
        }
    }
}

/// The text forms of one array's values.
pub struct TextColumn {
    nulls: Option<NullBuffer>,
    form: Box<dyn Form>,
}

/// Writes the text of a value that is not NULL.
trait Form: Send + Sync {
    fn write(&self, row: usize, out: &mut BytesMut);
}

impl TextColumn {
    /// Decides on the form of a column.
    ///
    /// # Errors
    /// `0A000` for an Arrow type that has none (unions).
    pub fn new(array: &ArrayRef, format: &TextFormat) -> Result<Self> {
        Ok(TextColumn {
            nulls: array.logical_nulls(),
            form: form(array, format)?,
        })
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the text of a value that is not NULL.
    pub fn write(&self, row: usize, out: &mut BytesMut) {
        self.form.write(row, out);
    }

    /// Appends the value as a field of a `DataRow`: its length, -1 for NULL, then its text.
    pub fn append(&self, row: usize, out: &mut BytesMut) {
        if self.is_null(row) {
            out.put_i32(-1);
            return;
        }
        let start = out.len();
        out.put_u32(0);
        self.form.write(row, out);
        // A longer value makes its row too long, which the row's encoder finds.
        let len = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
        out[start..start + 4].copy_from_slice(&len.to_be_bytes());
    }

    /// Appends the bare text, nothing for NULL. `false` if the value is NULL.
    pub fn text(&self, row: usize, out: &mut BytesMut) -> bool {
        let present = !self.is_null(row);
        if present {
            self.form.write(row, out);
        }
        present
    }
}

/// Appends the text of one value, nothing for NULL; `false` if it is NULL. To print many values of
/// an array, make its [`TextColumn`] once.
///
/// # Errors
/// As [`TextColumn::new`].
pub fn cell(array: &ArrayRef, row: usize, format: &TextFormat, out: &mut String) -> Result<bool> {
    let mut bytes = BytesMut::new();
    let present = TextColumn::new(array, format)?.text(row, &mut bytes);
    out.push_str(&String::from_utf8_lossy(&bytes));
    Ok(present)
}

/// A form that is a function of a primitive array's value.
struct Each<T: ArrowPrimitiveType, F> {
    values: PrimitiveArray<T>,
    write: F,
}

impl<T, F> Form for Each<T, F>
where
    T: ArrowPrimitiveType,
    F: Fn(T::Native, &mut BytesMut) + Send + Sync,
{
    fn write(&self, row: usize, out: &mut BytesMut) {
        (self.write)(self.values.value(row), out);
    }
}

fn each<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    write: impl Fn(T::Native, &mut BytesMut) + Send + Sync + 'static,
) -> Box<dyn Form> {
    Box::new(Each {
        values: array.as_primitive::<T>().clone(),
        write,
    })
}

struct Bool(BooleanArray);

impl Form for Bool {
    fn write(&self, row: usize, out: &mut BytesMut) {
        out.put_u8(if self.0.value(row) { b't' } else { b'f' });
    }
}

/// Every value is NULL.
struct Nothing;

impl Form for Nothing {
    fn write(&self, _row: usize, _out: &mut BytesMut) {}
}

/// Values that several rows share: dictionaries and runs.
struct Shared {
    rows: Vec<usize>,
    values: TextColumn,
}

impl Form for Shared {
    fn write(&self, row: usize, out: &mut BytesMut) {
        self.values.text(self.rows[row], out);
    }
}

fn form(array: &ArrayRef, format: &TextFormat) -> Result<Box<dyn Form>> {
    Ok(match array.data_type() {
        DataType::Null => Box::new(Nothing),
        DataType::Boolean => Box::new(Bool(array.as_boolean().clone())),
        DataType::Int8 => each::<Int8Type>(array, |v, out| number::signed(v.into(), out)),
        DataType::Int16 => each::<Int16Type>(array, |v, out| number::signed(v.into(), out)),
        DataType::Int32 => each::<Int32Type>(array, |v, out| number::signed(v.into(), out)),
        DataType::Int64 => each::<Int64Type>(array, number::signed),
        DataType::UInt8 => each::<UInt8Type>(array, |v, out| number::unsigned(v.into(), out)),
        DataType::UInt16 => each::<UInt16Type>(array, |v, out| number::unsigned(v.into(), out)),
        DataType::UInt32 => each::<UInt32Type>(array, |v, out| number::unsigned(v.into(), out)),
        DataType::UInt64 => each::<UInt64Type>(array, number::unsigned),
        DataType::Float16 => each::<Float16Type>(array, |v, out| float::float4(v.to_f32(), out)),
        DataType::Float32 => each::<Float32Type>(array, float::float4),
        DataType::Float64 => each::<Float64Type>(array, float::float8),
        &DataType::Decimal32(_, s) => {
            each::<Decimal32Type>(array, move |v, out| number::decimal(v.into(), s, out))
        }
        &DataType::Decimal64(_, s) => {
            each::<Decimal64Type>(array, move |v, out| number::decimal(v.into(), s, out))
        }
        &DataType::Decimal128(_, s) => {
            each::<Decimal128Type>(array, move |v, out| number::decimal(v, s, out))
        }
        &DataType::Decimal256(_, s) => {
            each::<Decimal256Type>(array, move |v, out| number::decimal256(v, s, out))
        }
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => bytes_form::form(array),
        DataType::Date32 => each::<Date32Type>(array, datetime::date32),
        DataType::Date64 => each::<Date64Type>(array, datetime::date64),
        DataType::Time32(_) | DataType::Time64(_) => time(array)?,
        DataType::Timestamp(unit, None) => timestamp(array, *unit),
        DataType::Timestamp(unit, Some(_)) => timestamptz(array, *unit, format.zone),
        DataType::Interval(unit) => match unit {
            IntervalUnit::YearMonth => each::<IntervalYearMonthType>(array, interval::year_month),
            IntervalUnit::DayTime => each::<IntervalDayTimeType>(array, interval::day_time),
            IntervalUnit::MonthDayNano => {
                each::<IntervalMonthDayNanoType>(array, interval::month_day_nano)
            }
        },
        DataType::Duration(unit) => duration(array, *unit),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..)
        | DataType::Map(..) => nested::list(array, format)?,
        DataType::Struct(_) => nested::record(array, format)?,
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => shared(array, format)?,
        other => {
            return Err(Error::unsupported(format!(
                "values of type {other} have no text form in PostgreSQL"
            )));
        }
    })
}

fn time(array: &ArrayRef) -> Result<Box<dyn Form>> {
    Ok(match array.data_type() {
        DataType::Time32(TimeUnit::Second) => each::<Time32SecondType>(array, |v, out| {
            datetime::time(v.into(), Fraction::NONE, out)
        }),
        DataType::Time32(TimeUnit::Millisecond) => {
            each::<Time32MillisecondType>(array, |v, out| {
                datetime::time(v.into(), Fraction::MILLI, out);
            })
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            each::<Time64MicrosecondType>(array, |v, out| datetime::time(v, Fraction::MICRO, out))
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            each::<Time64NanosecondType>(array, |v, out| datetime::time(v, Fraction::NANO, out))
        }
        other => return Err(Error::internal(format!("{other} is no type of Arrow"))),
    })
}

fn timestamp(array: &ArrayRef, unit: TimeUnit) -> Box<dyn Form> {
    match unit {
        TimeUnit::Second => each::<TimestampSecondType>(array, |v, out| {
            datetime::timestamp(v, Fraction::NONE, out);
        }),
        TimeUnit::Millisecond => each::<TimestampMillisecondType>(array, |v, out| {
            datetime::timestamp(v, Fraction::MILLI, out);
        }),
        TimeUnit::Microsecond => each::<TimestampMicrosecondType>(array, |v, out| {
            datetime::timestamp(v, Fraction::MICRO, out);
        }),
        TimeUnit::Nanosecond => each::<TimestampNanosecondType>(array, |v, out| {
            datetime::timestamp(v, Fraction::NANO, out);
        }),
    }
}

fn timestamptz(array: &ArrayRef, unit: TimeUnit, zone: Zone) -> Box<dyn Form> {
    match unit {
        TimeUnit::Second => each::<TimestampSecondType>(array, move |v, out| {
            datetime::timestamptz(v, Fraction::NONE, zone, out);
        }),
        TimeUnit::Millisecond => each::<TimestampMillisecondType>(array, move |v, out| {
            datetime::timestamptz(v, Fraction::MILLI, zone, out);
        }),
        TimeUnit::Microsecond => each::<TimestampMicrosecondType>(array, move |v, out| {
            datetime::timestamptz(v, Fraction::MICRO, zone, out);
        }),
        TimeUnit::Nanosecond => each::<TimestampNanosecondType>(array, move |v, out| {
            datetime::timestamptz(v, Fraction::NANO, zone, out);
        }),
    }
}

fn duration(array: &ArrayRef, unit: TimeUnit) -> Box<dyn Form> {
    match unit {
        TimeUnit::Second => {
            each::<DurationSecondType>(array, |v, out| interval::duration(v, Fraction::NONE, out))
        }
        TimeUnit::Millisecond => each::<DurationMillisecondType>(array, |v, out| {
            interval::duration(v, Fraction::MILLI, out);
        }),
        TimeUnit::Microsecond => each::<DurationMicrosecondType>(array, |v, out| {
            interval::duration(v, Fraction::MICRO, out);
        }),
        TimeUnit::Nanosecond => each::<DurationNanosecondType>(array, |v, out| {
            interval::duration(v, Fraction::NANO, out);
        }),
    }
}

fn shared(array: &ArrayRef, format: &TextFormat) -> Result<Box<dyn Form>> {
    let (rows, values) = layout::shared(array)?;
    Ok(Box::new(Shared {
        rows,
        values: TextColumn::new(&values, format)?,
    }))
}

#[cfg(test)]
mod tests;
