//! `generate_series` of whole numbers as a list, for arguments that are known only row by row.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Builder, ListBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use inflowave_types::SqlState;

use super::math::no_function;
use super::scalar_if;
use crate::raise::raise;

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
        if !given.iter().all(|t| t.is_integer() || t.is_null()) {
            return Err(no_function("generate_series", given));
        }
        let item = Field::new_list_field(DataType::Int64, true);
        Ok(DataType::List(Arc::new(item)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args
            .args
            .iter()
            .all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if scalar { 1 } else { args.number_rows };
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(args.args.len());
        for arg in &args.args {
            columns.push(cast(&arg.to_array(rows)?, &DataType::Int64)?);
        }
        let mut out = ListBuilder::new(Int64Builder::new());
        for row in 0..rows {
            let mut values = [None; 3];
            for (value, column) in values.iter_mut().zip(&columns) {
                let column = column.as_primitive::<Int64Type>();
                *value = (!arrow::array::Array::is_null(column, row)).then(|| column.value(row));
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
        scalar_if(args.args.iter(), lists)
    }
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
