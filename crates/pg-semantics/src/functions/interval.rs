//! Arithmetic of dates, times and intervals that Arrow's operators do not do as PostgreSQL does.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::compute::kernels::{arity, numeric};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int32Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use inflowave_connector_api::vocabulary;
use inflowave_types::SqlState;

use super::integer::scalar_if;
use crate::raise::{division_by_zero, raise_arrow};
use crate::temporal::{
    DATE_INFINITY, DATE_MINUS_INFINITY, MICROS_PER_DAY, Zone, is_finite, local_of, utc_of, zone,
};
use crate::types::{self, Category, category};

const NANOS_PER_DAY: i64 = MICROS_PER_DAY * 1000;
const DAYS_PER_MONTH: f64 = 30.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TemporalOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct TemporalArithmetic {
    operator: TemporalOperator,
    signature: Signature,
}

impl TemporalArithmetic {
    pub(crate) fn new(operator: TemporalOperator) -> Self {
        // Adding days to a timestamptz counts in the session's time zone.
        let volatility = match operator {
            TemporalOperator::Multiply | TemporalOperator::Divide => Volatility::Immutable,
            _ => Volatility::Stable,
        };
        TemporalArithmetic {
            operator,
            signature: Signature::user_defined(volatility),
        }
    }
}

impl ScalarUDFImpl for TemporalArithmetic {
    fn name(&self) -> &str {
        match self.operator {
            TemporalOperator::Add => vocabulary::TEMPORAL_ADD,
            TemporalOperator::Subtract => vocabulary::TEMPORAL_SUB,
            TemporalOperator::Multiply => vocabulary::INTERVAL_MUL,
            TemporalOperator::Divide => vocabulary::INTERVAL_DIV,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(match (&given[0], &given[1], self.operator) {
            (_, _, TemporalOperator::Multiply | TemporalOperator::Divide) => types::INTERVAL,
            (DataType::Date32, DataType::Date32, _) => DataType::Int32,
            (DataType::Date32, t, _) if types::is_integer(t) => DataType::Date32,
            (DataType::Date32, DataType::Time64(_), _) => types::TIMESTAMP,
            (DataType::Timestamp(..), DataType::Timestamp(..), _)
            | (DataType::Time64(_), DataType::Time64(_), _) => types::INTERVAL,
            (first, ..) => first.clone(),
        })
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (l, r) = (&arrays[0], &arrays[1]);
        let sign = if self.operator == TemporalOperator::Subtract {
            -1
        } else {
            1
        };
        let result: ArrayRef = match (l.data_type(), r.data_type(), self.operator) {
            (_, _, TemporalOperator::Multiply | TemporalOperator::Divide) => {
                let divide = self.operator == TemporalOperator::Divide;
                Arc::new(arity::try_binary::<_, _, _, IntervalMonthDayNanoType>(
                    l.as_primitive::<IntervalMonthDayNanoType>(),
                    r.as_primitive::<Float64Type>(),
                    |interval, factor| scale(interval, factor, divide),
                )?)
            }
            (DataType::Date32, DataType::Date32, _) => {
                Arc::new(arity::try_binary::<_, _, _, Int32Type>(
                    l.as_primitive::<Date32Type>(),
                    r.as_primitive::<Date32Type>(),
                    |a, b| {
                        let finite = |d| d != DATE_INFINITY && d != DATE_MINUS_INFINITY;
                        a.checked_sub(b)
                            .filter(|_| finite(a) && finite(b))
                            .ok_or_else(|| overflow("cannot subtract infinite dates"))
                    },
                )?)
            }
            (DataType::Date32, DataType::Int32, _) => {
                Arc::new(arity::try_binary::<_, _, _, Date32Type>(
                    l.as_primitive::<Date32Type>(),
                    r.as_primitive::<Int32Type>(),
                    |days, n| {
                        if days == DATE_INFINITY || days == DATE_MINUS_INFINITY {
                            return Ok(days);
                        }
                        n.checked_mul(sign)
                            .and_then(|n| days.checked_add(n))
                            .ok_or_else(|| overflow("date out of range"))
                    },
                )?)
            }
            (DataType::Date32, DataType::Time64(_), _) => {
                Arc::new(arity::try_binary::<_, _, _, TimestampMicrosecondType>(
                    l.as_primitive::<Date32Type>(),
                    r.as_primitive::<Time64MicrosecondType>(),
                    |days, time| {
                        i64::from(days)
                            .checked_mul(MICROS_PER_DAY)
                            .and_then(|d| d.checked_add(time))
                            .ok_or_else(|| overflow("timestamp out of range"))
                    },
                )?)
            }
            (DataType::Timestamp(..), DataType::Timestamp(..), _) => {
                let micros = |a: &ArrayRef| cast(a, &types::TIMESTAMP);
                let (l, r) = (micros(l)?, micros(r)?);
                Arc::new(arity::try_binary::<_, _, _, IntervalMonthDayNanoType>(
                    l.as_primitive::<TimestampMicrosecondType>(),
                    r.as_primitive::<TimestampMicrosecondType>(),
                    |a, b| {
                        let micros = a
                            .checked_sub(b)
                            .filter(|_| is_finite(a) && is_finite(b))
                            .ok_or_else(|| overflow("cannot subtract infinite timestamps"))?;
                        Ok(IntervalMonthDayNanoType::make_value(
                            0,
                            (micros / MICROS_PER_DAY) as i32,
                            micros % MICROS_PER_DAY * 1000,
                        ))
                    },
                )?)
            }
            (DataType::Time64(_), DataType::Time64(_), _) => {
                Arc::new(arity::try_binary::<_, _, _, IntervalMonthDayNanoType>(
                    l.as_primitive::<Time64MicrosecondType>(),
                    r.as_primitive::<Time64MicrosecondType>(),
                    |a, b| Ok(IntervalMonthDayNanoType::make_value(0, 0, (a - b) * 1000)),
                )?)
            }
            (DataType::Time64(_), DataType::Interval(_), _) => {
                Arc::new(arity::try_binary::<_, _, _, Time64MicrosecondType>(
                    l.as_primitive::<Time64MicrosecondType>(),
                    r.as_primitive::<IntervalMonthDayNanoType>(),
                    |time, interval| {
                        let shift = interval.nanoseconds / 1000 * i64::from(sign);
                        Ok((time + shift % MICROS_PER_DAY).rem_euclid(MICROS_PER_DAY))
                    },
                )?)
            }
            (DataType::Timestamp(_, Some(_)), DataType::Interval(_), _) => {
                let zone = zone(&args.config_options)?;
                zoned(l, r, sign, zone, args.return_field.data_type())?
            }
            (l, r, _) => {
                debug_assert_ne!(category(l), Category::Null);
                return internal_err!("no operator between {l} and {r}");
            }
        };
        scalar_if(args.args.iter(), result)
    }
}

/// Months and days move the clock of the session's zone, hours move the instant.
fn zoned(l: &ArrayRef, r: &ArrayRef, sign: i32, zone: Zone, to: &DataType) -> Result<ArrayRef> {
    let instants = l.as_primitive::<TimestampMicrosecondType>();
    let local = instants.unary::<_, TimestampMicrosecondType>(|v| local_of(v, zone));
    let intervals = r.as_primitive::<IntervalMonthDayNanoType>();
    let calendar = intervals.unary::<_, IntervalMonthDayNanoType>(|i| {
        IntervalMonthDayNanoType::make_value(i.months, i.days, 0)
    });
    let moved = if sign > 0 {
        numeric::add(&local, &calendar)?
    } else {
        numeric::sub(&local, &calendar)?
    };
    let result = arity::try_binary::<_, _, _, TimestampMicrosecondType>(
        moved.as_primitive::<TimestampMicrosecondType>(),
        intervals,
        |local, interval| {
            (interval.nanoseconds / 1000)
                .checked_mul(i64::from(sign))
                .and_then(|shift| utc_of(local, zone).checked_add(shift))
                .ok_or_else(|| overflow("timestamp out of range"))
        },
    )?;
    Ok(Arc::new(result.with_data_type(to.clone())))
}

fn overflow(message: &str) -> ArrowError {
    raise_arrow(SqlState::DatetimeFieldOverflow, message)
}

/// `interval * part`
///
/// # Errors
/// `22008` beyond what an interval can be.
pub(crate) fn scaled(interval: IntervalMonthDayNano, part: f64) -> Result<IntervalMonthDayNano> {
    Ok(scale(interval, part, false)?)
}

/// Fractions of months become days, fractions of days become time, as PostgreSQL's
/// `interval_mul` does.
fn scale(
    interval: IntervalMonthDayNano,
    by: f64,
    divide: bool,
) -> Result<IntervalMonthDayNano, ArrowError> {
    if divide && by == 0.0 {
        return Err(division_by_zero());
    }
    let times = |v: f64| if divide { v / by } else { v * by };
    let out = || raise_arrow(SqlState::DatetimeFieldOverflow, "interval out of range");
    let months = times(f64::from(interval.months));
    let days = times(f64::from(interval.days));
    let round = |v: f64| (v * 1e6).round() / 1e6;
    let mut month_days = round(months.fract() * DAYS_PER_MONTH);
    let mut nanos_of_days = round((days.fract() + month_days.fract()) * 86_400.0) * 1e9;
    month_days = month_days.trunc();
    if nanos_of_days.abs() >= NANOS_PER_DAY as f64 {
        let whole = (nanos_of_days / NANOS_PER_DAY as f64).trunc();
        month_days += whole;
        nanos_of_days -= whole * NANOS_PER_DAY as f64;
    }
    let total_days = days.trunc() + month_days;
    let nanos = ((times(interval.nanoseconds as f64) + nanos_of_days) / 1000.0).round() * 1000.0;
    let fits = |v: f64, bound: f64| v.is_finite() && v.abs() < bound;
    if !fits(months, f64::from(i32::MAX))
        || !fits(total_days, f64::from(i32::MAX))
        || !fits(nanos, i64::MAX as f64)
    {
        return Err(out());
    }
    Ok(IntervalMonthDayNanoType::make_value(
        months.trunc() as i32,
        total_days as i32,
        nanos as i64,
    ))
}
