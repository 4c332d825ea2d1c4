//! `generate_series` as a list, for arguments that are known only row by row: of whole numbers, and
//! of timestamps with an interval between them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Builder, ListArray, ListBuilder, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    TimestampMicrosecondType,
};
use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};
use inflowave_types::SqlState;

use super::math::no_function;
use super::scalar_if;
use crate::analyze::placeholder;
use crate::cast::cast_scalar;
use crate::parameters::parameter;
use crate::raise::raise;
use crate::temporal::{MICROS_PER_DAY, Zone, is_finite, local_of, utc_of, zone};
use crate::types;

/// `pg_series(first, last [, step])`.
pub(crate) const SERIES: &str = "pg_series";
/// Numbers of one list at most: it stands in memory as a whole.
const LENGTH_MAX: i64 = 1 << 20;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Series {
    signature: Signature,
}

impl Series {
    pub fn new() -> Self {
        let counts = TypeSignature::OneOf(vec![TypeSignature::Any(2), TypeSignature::Any(3)]);
        Series {
            signature: Signature::new(counts, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Series {
    fn name(&self) -> &str {
        SERIES
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let Some(item) = item(given) else {
            return Err(no_function("generate_series", given));
        };
        let item = Field::new_list_field(item, true);
        Ok(DataType::List(Arc::new(item)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args
            .args
            .iter()
            .all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if scalar { 1 } else { args.number_rows };
        let item = match args.return_field.data_type() {
            DataType::List(item) => item.data_type().clone(),
            other => return internal_err!("a series as {other}"),
        };
        if matches!(item, DataType::Timestamp(..)) {
            let lists = of_timestamps(&args, rows, &item)?;
            return scalar_if(args.args.iter(), lists);
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(args.args.len());
        for arg in &args.args {
            columns.push(cast(&arg.to_array(rows)?, &DataType::Int64)?);
        }
        let mut out = ListBuilder::new(Int64Builder::new());
        for row in 0..rows {
            let mut values = [None; 3];
            for (value, column) in values.iter_mut().zip(&columns) {
                let column = column.as_primitive::<Int64Type>();
                *value = column.is_valid(row).then(|| column.value(row));
            }
            let step = if columns.len() == 3 {
                values[2]
            } else {
                Some(1)
            };
            // A NULL gives no rows.
            if let (Some(first), Some(last), Some(step)) = (values[0], values[1], step) {
                append(out.values(), first, last, step)?;
            }
            out.append(true);
        }
        let lists: ArrayRef = Arc::new(out.finish());
        let lists = cast(&lists, args.return_field.data_type())?;
        scalar_if(args.args.iter(), lists)
    }
}

/// Quoted literals beside a time are times and the interval between them.
pub(super) fn with_types(
    mut args: Vec<Expr>,
    schema: &DFSchema,
    config: &ConfigOptions,
) -> Result<Vec<Expr>> {
    let mut time = None;
    for arg in args.iter().take(2) {
        match arg.get_type(schema)? {
            t @ DataType::Timestamp(..) => time = Some(t),
            DataType::Date32 if time.is_none() => time = Some(types::timestamptz()),
            _ => {}
        }
    }
    let Some(time) = time else {
        return Ok(args);
    };
    for at in 0..args.len() {
        let arg = &mut args[at];
        let Expr::Literal(ScalarValue::Utf8(Some(text)), None) = arg else {
            if arg.get_type(schema)?.is_string() {
                let given = args.iter().map(|e| e.get_type(schema));
                let given = given.collect::<Result<Vec<_>>>()?;
                return Err(no_function("generate_series", &given));
            }
            continue;
        };
        let t = match at {
            2 => &types::INTERVAL,
            _ => &time,
        };
        if let Some(id) = parameter(text) {
            *arg = placeholder(id, t);
            continue;
        }
        let text = ScalarValue::Utf8View(Some(std::mem::take(text)));
        let field = Arc::new(Field::new("", t.clone(), true)) as _;
        *arg = Expr::Literal(cast_scalar(&text, &field, config)?, None);
    }
    Ok(args)
}

/// The type of the values between two others.
fn item(given: &[DataType]) -> Option<DataType> {
    let [first, last, step @ ..] = given else {
        return None;
    };
    if given.iter().all(|t| t.is_integer() || t.is_null()) {
        let small = |t: &DataType| matches!(t, DataType::Int16 | DataType::Int32 | DataType::Null);
        return Some(match given.iter().all(small) {
            true => DataType::Int32,
            false => DataType::Int64,
        });
    }
    // Quoted literals have the types of the others.
    let is_open = |t: &DataType| t.is_null() || t.is_string();
    let is_time =
        |t: &DataType| matches!(t, DataType::Timestamp(..) | DataType::Date32) || is_open(t);
    let spans = matches!(step, [t] if matches!(t, DataType::Interval(_)) || is_open(t));
    if is_open(first) && is_open(last) {
        return None;
    }
    if !spans || !is_time(first) || !is_time(last) {
        return None;
    }
    // Dates are timestamps of the session's zone, unless the other one has none.
    Some(match (first, last) {
        (DataType::Timestamp(_, None), t) | (t, DataType::Timestamp(_, None))
            if !matches!(t, DataType::Timestamp(_, Some(_))) =>
        {
            types::TIMESTAMP
        }
        _ => types::timestamptz(),
    })
}

fn of_timestamps(args: &ScalarFunctionArgs, rows: usize, item: &DataType) -> Result<ArrayRef> {
    let zone = match item {
        DataType::Timestamp(_, Some(_)) => zone(&args.config_options)?,
        _ => Zone::Named(chrono_tz::UTC),
    };
    let micros = |at: usize| -> Result<ArrayRef> {
        let array = args.args[at].to_array(rows)?;
        // A time without a zone is one of the session's.
        let local = !matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
        let array = cast(&array, &types::TIMESTAMP)?;
        let array = array.as_primitive::<TimestampMicrosecondType>();
        Ok(match local {
            true => Arc::new(array.unary::<_, TimestampMicrosecondType>(|v| utc_of(v, zone))),
            false => Arc::new(array.clone()),
        })
    };
    let (first, last) = (micros(0)?, micros(1)?);
    let (first, last) = (
        first.as_primitive::<TimestampMicrosecondType>(),
        last.as_primitive::<TimestampMicrosecondType>(),
    );
    let step = cast(&args.args[2].to_array(rows)?, &types::INTERVAL)?;
    let step = step.as_primitive::<IntervalMonthDayNanoType>();
    let (mut values, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
    for row in 0..rows {
        let before = values.len();
        if first.is_valid(row) && last.is_valid(row) && step.is_valid(row) {
            let (first, last) = (first.value(row), last.value(row));
            moments(&mut values, first, last, step.value(row), zone)?;
        }
        lengths.push(values.len() - before);
    }
    let values = TimestampMicrosecondArray::from(values).with_data_type(item.clone());
    let field = Arc::new(Field::new_list_field(item.clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let list = ListArray::try_new(field, offsets, Arc::new(values), None)?;
    Ok(Arc::new(list))
}

/// From `first` on, by `step`, as long as `last` is not passed.
fn moments(
    out: &mut Vec<i64>,
    first: i64,
    last: i64,
    step: IntervalMonthDayNano,
    zone: Zone,
) -> Result<()> {
    const DAYS_A_MONTH: i128 = 30;
    let length = (i128::from(step.months) * DAYS_A_MONTH + i128::from(step.days))
        * i128::from(MICROS_PER_DAY)
        + i128::from(step.nanoseconds / 1000);
    if length == 0 {
        return Err(raise(
            SqlState::InvalidParameterValue,
            "step size cannot equal zero",
        ));
    }
    if !is_finite(first) || !is_finite(last) {
        return Err(raise(
            SqlState::InvalidParameterValue,
            "generate_series from or to infinity is not supported",
        ));
    }
    let calendar = IntervalMonthDayNano::new(step.months, step.days, 0);
    let (mut next, before) = (first, out.len());
    while if length > 0 {
        next <= last
    } else {
        next >= last
    } {
        if out.len() - before >= LENGTH_MAX as usize {
            return Err(raise(
                SqlState::ProgramLimitExceeded,
                format!("generate_series with more than {LENGTH_MAX} timestamps is not supported"),
            ));
        }
        out.push(next);
        let local = TimestampMicrosecondType::add_month_day_nano(
            local_of(next, zone),
            calendar,
            "+00:00".parse()?,
        );
        let moved = local.and_then(|l| utc_of(l, zone).checked_add(step.nanoseconds / 1000));
        let Some(moved) = moved else {
            return Err(raise(
                SqlState::DatetimeFieldOverflow,
                "timestamp out of range",
            ));
        };
        next = moved;
    }
    Ok(())
}

fn append(out: &mut Int64Builder, first: i64, last: i64, step: i64) -> Result<()> {
    if step == 0 {
        return Err(raise(
            SqlState::InvalidParameterValue,
            "step size cannot equal zero",
        ));
    }
    let span = (i128::from(last) - i128::from(first)) / i128::from(step);
    let runs_away = (last > first && step < 0) || (last < first && step > 0);
    if !runs_away && span >= i128::from(LENGTH_MAX) {
        return Err(raise(
            SqlState::ProgramLimitExceeded,
            format!("generate_series with more than {LENGTH_MAX} numbers takes literals only"),
        ));
    }
    let mut next = Some(first);
    while let Some(v) = next.filter(|v| if step > 0 { *v <= last } else { *v >= last }) {
        out.append_value(v);
        next = v.checked_add(step);
    }
    Ok(())
}
