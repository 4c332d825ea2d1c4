//! `extract`, `date_part`, `date_trunc` and `to_timestamp`, over clocks in microseconds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Field, FieldRef, Float64Type, IntervalMonthDayNanoType,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use inflowave_connector_api::vocabulary;
use inflowave_types::SqlState;

use super::integer::scalar_if;
use super::math::no_function;
use super::udf;
use crate::raise::raise;
use crate::temporal::{
    MICROS_PER_DAY, MICROS_PER_SECOND, Zone, civil_of_days, days_of_civil, is_finite, local_of,
    utc_of, zone,
};
use crate::types::{self, Category, category};

const MICROS_PER_HOUR: i64 = 3600 * MICROS_PER_SECOND;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
/// PostgreSQL counts a year of an interval as 365.25 days, and a month as 30.
const SECONDS_PER_YEAR: i128 = 31_557_600;
const SECONDS_PER_MONTH: i128 = 2_592_000;

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        extract_udf(),
        udf(Extract::new(true)),
        udf(DateTrunc::new()),
        udf(ToTimestamp::new()),
    ]
}

pub(crate) fn extract_udf() -> Arc<ScalarUDF> {
    udf(Extract::new(false))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    IsoYear,
    Epoch,
}

impl Part {
    /// Does it grow with time without end?
    fn grows(self) -> bool {
        matches!(
            self,
            Part::Year
                | Part::IsoYear
                | Part::Decade
                | Part::Century
                | Part::Millennium
                | Part::Epoch
        )
    }

    fn parse(name: &str) -> Option<Part> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "microseconds" | "microsecond" | "us" | "usec" | "usecs" => Part::Microseconds,
            "milliseconds" | "millisecond" | "ms" | "msec" | "msecs" => Part::Milliseconds,
            "second" | "seconds" | "s" | "sec" | "secs" => Part::Second,
            "minute" | "minutes" | "m" | "min" | "mins" => Part::Minute,
            "hour" | "hours" | "h" | "hr" | "hrs" => Part::Hour,
            "day" | "days" | "d" => Part::Day,
            "week" | "weeks" | "w" => Part::Week,
            "month" | "months" | "mon" | "mons" => Part::Month,
            "quarter" | "qtr" => Part::Quarter,
            "year" | "years" | "y" | "yr" | "yrs" => Part::Year,
            "decade" | "decades" | "dec" | "decs" => Part::Decade,
            "century" | "centuries" | "c" | "cent" => Part::Century,
            "millennium" | "millennia" | "mil" | "mils" => Part::Millennium,
            "dow" | "dayofweek" => Part::DayOfWeek,
            "isodow" => Part::IsoDayOfWeek,
            "doy" | "dayofyear" => Part::DayOfYear,
            "isoyear" => Part::IsoYear,
            "epoch" => Part::Epoch,
            _ => return None,
        })
    }

    /// Digits after the point of the numeric that `extract` gives.
    fn scale(self, of: &DataType) -> i8 {
        match self {
            Part::Second => 6,
            Part::Milliseconds => 3,
            Part::Epoch if *of != DataType::Date32 => 6,
            _ => 0,
        }
    }

    fn is_time(self) -> bool {
        matches!(
            self,
            Part::Microseconds | Part::Milliseconds | Part::Second | Part::Minute | Part::Hour
        )
    }
}

fn part_of_literal(argument: Option<&ScalarValue>, of: &DataType) -> Result<Part> {
    let name = argument
        .and_then(|v| v.try_as_str().flatten())
        .ok_or_else(|| {
            raise(
                SqlState::FeatureNotSupported,
                "the field of extract and date_part must be a literal",
            )
        })?;
    let part = Part::parse(name).ok_or_else(|| {
        raise(
            SqlState::InvalidParameterValue,
            format!(
                "unit \"{}\" not recognized for type {}",
                name.to_lowercase(),
                types::name(of)
            ),
        )
    })?;
    let unsupported = match category(of) {
        Category::Time => !part.is_time() && part != Part::Epoch,
        Category::Interval => matches!(
            part,
            Part::Week | Part::DayOfWeek | Part::IsoDayOfWeek | Part::DayOfYear | Part::IsoYear
        ),
        _ => *of == DataType::Date32 && part.is_time(),
    };
    if unsupported {
        return Err(raise(
            SqlState::FeatureNotSupported,
            format!(
                "unit \"{}\" not supported for type {}",
                name.to_lowercase(),
                types::name(of)
            ),
        ));
    }
    Ok(part)
}

/// `extract(field from x)` is numeric, `date_part('field', x)` the same as a double.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Extract {
    as_double: bool,
    signature: Signature,
}

impl Extract {
    fn new(as_double: bool) -> Self {
        Extract {
            as_double,
            signature: Signature::user_defined(Volatility::Stable),
        }
    }
}

impl ScalarUDFImpl for Extract {
    fn name(&self) -> &str {
        if self.as_double {
            "date_part"
        } else {
            vocabulary::EXTRACT
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let of = match given {
            [f, t] if types::is_text(f) => match category(t) {
                Category::DateTime if *t == DataType::Date32 && self.as_double => types::TIMESTAMP,
                Category::DateTime if matches!(t, DataType::Timestamp(_, Some(_))) => {
                    types::timestamptz()
                }
                Category::DateTime if *t == DataType::Date32 => DataType::Date32,
                Category::DateTime | Category::Null => types::TIMESTAMP,
                Category::Time => types::TIME,
                Category::Interval => types::INTERVAL,
                _ => return Err(no_function("extract", given)),
            },
            _ => return Err(no_function("extract", given)),
        };
        Ok(vec![given[0].clone(), of])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        datafusion::common::internal_err!("the type of extract depends on its field")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let of = args.arg_fields[1].data_type();
        let part = part_of_literal(args.scalar_arguments[0], of)?;
        let t = match (self.as_double, part.scale(of)) {
            (true, _) => DataType::Float64,
            (false, 0) if part == Part::Epoch || part == Part::Microseconds => {
                DataType::Decimal128(18, 0)
            }
            (false, 0) => DataType::Decimal128(10, 0),
            (false, scale) => DataType::Decimal128(20, scale),
        };
        Ok(Arc::new(Field::new(
            self.name(),
            t,
            args.arg_fields[1].is_nullable(),
        )))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let field = match &args.args[0] {
            ColumnarValue::Scalar(s) => s.clone(),
            ColumnarValue::Array(a) => ScalarValue::try_from_array(a, 0)?,
        };
        let array = match &args.args[1] {
            ColumnarValue::Array(a) => Arc::clone(a),
            ColumnarValue::Scalar(s) => s.to_array()?,
        };
        let of = array.data_type().clone();
        let part = part_of_literal(Some(&field), &of)?;
        let values: Decimal128Array = match &of {
            DataType::Date32 => array
                .as_primitive::<Date32Type>()
                // Those of infinity are put in below.
                .unary(|d| of_clock(part, i64::from(d).wrapping_mul(MICROS_PER_DAY), 0)),
            DataType::Timestamp(_, tz) => {
                let zone = zone(&args.config_options)?;
                let zoned = tz.is_some();
                array.as_primitive::<TimestampMicrosecondType>().unary(|v| {
                    if zoned {
                        of_clock(part, local_of(v, zone), zone.offset_at(v))
                    } else {
                        of_clock(part, v, 0)
                    }
                })
            }
            DataType::Time64(_) => array
                .as_primitive::<Time64MicrosecondType>()
                .unary(|v| of_clock(part, v, 0)),
            _ => array
                .as_primitive::<IntervalMonthDayNanoType>()
                .unary(|v| of_interval(part, v.months, v.days, v.nanoseconds / 1000)),
        };
        // Epochs are counted in microseconds; that of a date has no digits after the point.
        let scale = part.scale(&of);
        let values = if part == Part::Epoch && scale == 0 {
            values.unary(|v| v / i128::from(MICROS_PER_SECOND))
        } else {
            values
        };
        let infinite = signs_of_infinity(&array);
        let grows = part.grows();
        let result: ArrayRef = if self.as_double {
            let power = 10_f64.powi(i32::from(scale));
            let mut doubles: Float64Array = values.unary(|v| v as f64 / power);
            if let (Some(signs), true) = (&infinite, grows) {
                let pairs = doubles.iter().zip(signs);
                doubles = pairs
                    .map(|(v, sign)| match sign {
                        0 => v,
                        sign => Some(f64::INFINITY * f64::from(*sign)),
                    })
                    .collect();
            }
            Arc::new(doubles)
        } else {
            Arc::new(values.with_data_type(args.return_field.data_type().clone()))
        };
        let result = match infinite {
            None => result,
            Some(_) if grows && self.as_double => result,
            Some(_) if grows => {
                return Err(raise(
                    SqlState::NumericValueOutOfRange,
                    "a numeric cannot be infinite here",
                ));
            }
            // Infinity has no month and no hour.
            Some(signs) => {
                let infinite: BooleanArray = signs.iter().map(|sign| Some(*sign != 0)).collect();
                arrow::compute::nullif(&result, &infinite)?
            }
        };
        scalar_if(args.args[1..].iter(), result)
    }
}

/// 1 for infinity, -1 for minus infinity, 0 for other values; `None` where no value is infinite.
fn signs_of_infinity(array: &ArrayRef) -> Option<Vec<i8>> {
    let signs: Vec<i8> = match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().iter();
            days.map(|day| match day {
                Some(i32::MAX) => 1,
                Some(i32::MIN) => -1,
                _ => 0,
            })
            .collect()
        }
        DataType::Timestamp(..) => {
            let moments = array.as_primitive::<TimestampMicrosecondType>().iter();
            moments
                .map(|moment| match moment {
                    Some(i64::MAX) => 1,
                    Some(i64::MIN) => -1,
                    _ => 0,
                })
                .collect()
        }
        _ => return None,
    };
    signs.iter().any(|sign| *sign != 0).then_some(signs)
}

/// A part of what a clock shows, unscaled.
fn of_clock(part: Part, local: i64, offset_seconds: i64) -> i128 {
    let days = local.div_euclid(MICROS_PER_DAY);
    let time = local.rem_euclid(MICROS_PER_DAY);
    let (year, month, day) = civil_of_days(days);
    // There is no year 0: 1 BC counts as -1.
    let counted = if year > 0 { year } else { year - 1 };
    i128::from(match part {
        Part::Microseconds | Part::Milliseconds | Part::Second => time % MICROS_PER_MINUTE,
        Part::Minute => time / MICROS_PER_MINUTE % 60,
        Part::Hour => time / MICROS_PER_HOUR,
        Part::Day => i64::from(day),
        Part::Month => i64::from(month),
        Part::Quarter => (i64::from(month) + 2) / 3,
        Part::Year => counted,
        Part::Decade => year.div_euclid(10),
        Part::Century if year > 0 => (year + 99) / 100,
        Part::Century => -((99 - (year - 1)) / 100),
        Part::Millennium if year > 0 => (year + 999) / 1000,
        Part::Millennium => -((999 - (year - 1)) / 1000),
        Part::DayOfWeek => (days + 4).rem_euclid(7),
        Part::IsoDayOfWeek => (days + 3).rem_euclid(7) + 1,
        Part::DayOfYear => days - days_of_civil(year, 1, 1) + 1,
        Part::Week => iso_week(days).1,
        Part::IsoYear => {
            let year = iso_week(days).0;
            if year > 0 { year } else { year - 1 }
        }
        Part::Epoch => local.saturating_sub(offset_seconds * MICROS_PER_SECOND),
    })
}

/// The year and number of the ISO 8601 week: that of its Thursday.
fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let (year, ..) = civil_of_days(thursday);
    (year, (thursday - days_of_civil(year, 1, 1)) / 7 + 1)
}

fn of_interval(part: Part, months: i32, days: i32, micros: i64) -> i128 {
    let years = i128::from(months / 12);
    i128::from(match part {
        Part::Microseconds | Part::Milliseconds | Part::Second => micros % MICROS_PER_MINUTE,
        Part::Minute => micros / MICROS_PER_MINUTE % 60,
        Part::Hour => micros / MICROS_PER_HOUR,
        Part::Day => i64::from(days),
        Part::Month => i64::from(months % 12),
        Part::Quarter => i64::from(months % 12 / 3 + 1),
        Part::Year => i64::from(months / 12),
        Part::Decade => i64::from(months / 120),
        Part::Century => i64::from(months / 1200),
        Part::Millennium => i64::from(months / 12_000),
        Part::Epoch => {
            let seconds = years * SECONDS_PER_YEAR
                + i128::from(months % 12) * SECONDS_PER_MONTH
                + i128::from(days) * 86_400;
            return seconds * i128::from(MICROS_PER_SECOND) + i128::from(micros);
        }
        Part::Week | Part::DayOfWeek | Part::IsoDayOfWeek | Part::DayOfYear | Part::IsoYear => 0,
    })
}

/// `date_trunc('month', x)`; of a date it is a timestamptz, as in PostgreSQL.
#[derive(Debug, PartialEq, Eq, Hash)]
struct DateTrunc {
    signature: Signature,
}

impl DateTrunc {
    fn new() -> Self {
        DateTrunc {
            signature: Signature::user_defined(Volatility::Stable),
        }
    }
}

impl ScalarUDFImpl for DateTrunc {
    fn name(&self) -> &'static str {
        "date_trunc"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let of = match given {
            [f, t] if types::is_text(f) => match (category(t), t) {
                (Category::DateTime, DataType::Timestamp(_, None)) => types::TIMESTAMP,
                (Category::DateTime | Category::Null, _) => types::timestamptz(),
                (Category::Interval, _) => types::INTERVAL,
                _ => return Err(no_function(self.name(), given)),
            },
            _ => return Err(no_function(self.name(), given)),
        };
        Ok(vec![given[0].clone(), of])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[1].clone())
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let fields = cast(&arrays[0], &DataType::Utf8View)?;
        let fields = fields.as_string_view();
        let of = arrays[1].data_type().clone();
        let parts = match &args.args[0] {
            ColumnarValue::Scalar(s) => match s.try_as_str().flatten() {
                Some(name) => Some(trunc_part(name, &of)?),
                None => None,
            },
            ColumnarValue::Array(_) => None,
        };
        let part_at = |row: usize| match parts {
            Some(part) => Ok(Some(part)),
            None if fields.is_null(row) => Ok(None),
            None => trunc_part(fields.value(row), &of).map(Some),
        };
        let result: ArrayRef = if let DataType::Timestamp(_, tz) = &of {
            let zone = match tz {
                Some(_) => zone(&args.config_options)?,
                None => Zone::Named(chrono_tz::UTC),
            };
            let values = arrays[1].as_primitive::<TimestampMicrosecondType>();
            let mut out = arrow::array::TimestampMicrosecondBuilder::with_capacity(values.len());
            for (row, value) in values.iter().enumerate() {
                out.append_option(match (part_at(row)?, value) {
                    (Some(_), Some(v)) if !is_finite(v) => Some(v),
                    (Some(part), Some(v)) => Some(utc_of(trunc(part, local_of(v, zone)), zone)),
                    _ => None,
                });
            }
            Arc::new(out.finish().with_data_type(of.clone()))
        } else {
            let values = arrays[1].as_primitive::<IntervalMonthDayNanoType>();
            let mut out = arrow::array::IntervalMonthDayNanoBuilder::with_capacity(values.len());
            for (row, value) in values.iter().enumerate() {
                out.append_option(match (part_at(row)?, value) {
                    (Some(part), Some(v)) => {
                        let (months, days, micros) =
                            trunc_interval(part, v.months, v.days, v.nanoseconds / 1000);
                        Some(IntervalMonthDayNanoType::make_value(
                            months,
                            days,
                            micros * 1000,
                        ))
                    }
                    _ => None,
                });
            }
            Arc::new(out.finish())
        };
        scalar_if(args.args.iter(), result)
    }
}

fn trunc_part(name: &str, of: &DataType) -> Result<Part> {
    match Part::parse(name) {
        Some(
            Part::DayOfWeek | Part::IsoDayOfWeek | Part::DayOfYear | Part::IsoYear | Part::Epoch,
        )
        | None => Err(raise(
            SqlState::InvalidParameterValue,
            format!(
                "unit \"{}\" not recognized for type {}",
                name.to_lowercase(),
                types::name(of)
            ),
        )),
        Some(Part::Week) if category(of) == Category::Interval => Err(raise(
            SqlState::FeatureNotSupported,
            "unit \"week\" not supported for type interval",
        )),
        Some(part) => Ok(part),
    }
}

fn trunc(part: Part, local: i64) -> i64 {
    let down = |unit: i64| local - local.rem_euclid(unit);
    let days = local.div_euclid(MICROS_PER_DAY);
    let (year, month, _) = civil_of_days(days);
    let start = |year: i64, month: u32| days_of_civil(year, month, 1) * MICROS_PER_DAY;
    match part {
        Part::Microseconds => local,
        Part::Milliseconds => down(1000),
        Part::Second => down(MICROS_PER_SECOND),
        Part::Minute => down(MICROS_PER_MINUTE),
        Part::Hour => down(MICROS_PER_HOUR),
        Part::Week => (days - (days + 3).rem_euclid(7)) * MICROS_PER_DAY,
        Part::Month => start(year, month),
        Part::Quarter => start(year, (month - 1) / 3 * 3 + 1),
        Part::Year => start(year, 1),
        Part::Decade => start(year.div_euclid(10) * 10, 1),
        Part::Century => start((year - 1).div_euclid(100) * 100 + 1, 1),
        Part::Millennium => start((year - 1).div_euclid(1000) * 1000 + 1, 1),
        _ => days * MICROS_PER_DAY,
    }
}

fn trunc_interval(part: Part, months: i32, days: i32, micros: i64) -> (i32, i32, i64) {
    let down = |unit: i64| micros - micros % unit;
    match part {
        Part::Microseconds => (months, days, micros),
        Part::Milliseconds => (months, days, down(1000)),
        Part::Second => (months, days, down(MICROS_PER_SECOND)),
        Part::Minute => (months, days, down(MICROS_PER_MINUTE)),
        Part::Hour => (months, days, down(MICROS_PER_HOUR)),
        Part::Day => (months, days, 0),
        Part::Month => (months, 0, 0),
        Part::Quarter => (months / 3 * 3, 0, 0),
        Part::Decade => (months / 120 * 120, 0, 0),
        Part::Century => (months / 1200 * 1200, 0, 0),
        Part::Millennium => (months / 12_000 * 12_000, 0, 0),
        _ => (months / 12 * 12, 0, 0),
    }
}

/// `to_timestamp(seconds)`. The form with a format is not here.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ToTimestamp {
    signature: Signature,
}

impl ToTimestamp {
    fn new() -> Self {
        ToTimestamp {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ToTimestamp {
    fn name(&self) -> &'static str {
        "to_timestamp"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [t] if t.is_numeric() || t.is_null() => Ok(vec![DataType::Float64]),
            _ => Err(no_function(self.name(), given)),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(types::timestamptz())
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let result = arrays[0]
            .as_primitive::<Float64Type>()
            .try_unary::<_, TimestampMicrosecondType, arrow::error::ArrowError>(|seconds| {
                let micros = (seconds * MICROS_PER_SECOND as f64).round_ties_even();
                if micros.abs() < 9.2e18 {
                    Ok(micros as i64)
                } else {
                    Err(crate::raise::raise_arrow(
                        SqlState::DatetimeFieldOverflow,
                        format!("timestamp out of range: \"{seconds}\""),
                    ))
                }
            })?;
        scalar_if(
            args.args.iter(),
            Arc::new(result.with_data_type(types::timestamptz())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temporal::{parse_timestamp, print_timestamp};

    #[test]
    fn weeks_belong_to_the_year_of_their_thursday() {
        for (day, week, year) in [
            ("2005-01-01", 53, 2004),
            ("2006-01-01", 52, 2005),
            ("2008-12-30", 1, 2009),
        ] {
            let at = parse_timestamp(day).unwrap();
            assert_eq!(of_clock(Part::Week, at, 0), week, "{day}");
            assert_eq!(of_clock(Part::IsoYear, at, 0), year, "{day}");
        }
    }

    #[test]
    fn truncation_goes_down_before_1970_too() {
        let at = parse_timestamp("1969-05-17 13:14:15.678").unwrap();
        for (part, shown) in [
            (Part::Second, "1969-05-17 13:14:15"),
            (Part::Hour, "1969-05-17 13:00:00"),
            (Part::Week, "1969-05-12 00:00:00"),
            (Part::Quarter, "1969-04-01 00:00:00"),
            (Part::Century, "1901-01-01 00:00:00"),
        ] {
            assert_eq!(print_timestamp(trunc(part, at)), shown);
        }
    }
}
