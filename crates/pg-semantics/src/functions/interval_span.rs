//! How long an interval is, where intervals are compared.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, PrimitiveArray};
use arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalMonthDayNanoType};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::scalar_if;
use crate::temporal::MICROS_PER_DAY;

/// `pg_interval_span(interval)`: nanoseconds as a numeric, a month as 30 days and a day as 24 hours. So
/// PostgreSQL compares (`interval_cmp_value` in `timestamp.c`).
pub(super) const INTERVAL_SPAN: &str = "pg_interval_span";

const SPAN: DataType = DataType::Decimal128(38, 0);

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IntervalSpan {
    signature: Signature,
}

impl IntervalSpan {
    pub fn new() -> Self {
        IntervalSpan {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for IntervalSpan {
    fn name(&self) -> &str {
        INTERVAL_SPAN
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(SPAN)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = args.args[0].to_array(args.number_rows)?;
        scalar_if(args.args.iter(), spans(array.as_primitive()))
    }
}

/// How long each is.
pub(crate) fn spans(intervals: &PrimitiveArray<IntervalMonthDayNanoType>) -> ArrayRef {
    let spans: Decimal128Array = intervals.unary(span);
    Arc::new(spans.with_data_type(SPAN))
}

fn span(i: IntervalMonthDayNano) -> i128 {
    let days = i128::from(i.months) * 30 + i128::from(i.days);
    days * i128::from(MICROS_PER_DAY) * 1000 + i128::from(i.nanoseconds)
}
