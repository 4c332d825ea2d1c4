//! What stands around a scalar subquery: see `analyze::scalar_subquery`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use inflowave_types::SqlState;

use crate::raise::raise;

/// The argument, of which the plan is told that it may be NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OrNull {
    signature: Signature,
}

impl OrNull {
    pub(super) fn new() -> Self {
        OrNull {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for OrNull {
    fn name(&self) -> &'static str {
        "pg_or_null"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let field = args.arg_fields[0].as_ref().clone();
        Ok(Arc::new(field.with_nullable(true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(args.args[0].clone())
    }
}

/// The one element of a list; NULL for none.
///
/// # Errors
/// `21000` where there are two.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SingleRow {
    signature: Signature,
}

impl SingleRow {
    pub(super) fn new() -> Self {
        SingleRow {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for SingleRow {
    fn name(&self) -> &'static str {
        "pg_single_row"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match &given[0] {
            DataType::List(element) => Ok(element.data_type().clone()),
            other => internal_err!("rows of a subquery as {other}"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        match args.arg_fields[0].data_type() {
            DataType::List(element) => Ok(Arc::new(
                Field::new(self.name(), element.data_type().clone(), true)
                    .with_metadata(element.metadata().clone()),
            )),
            other => internal_err!("rows of a subquery as {other}"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows: ArrayRef = args.args[0].to_array(args.number_rows)?;
        let rows = rows.as_list::<i32>();
        let mut places = Vec::with_capacity(rows.len());
        for row in 0..rows.len() {
            let start = rows.value_offsets()[row];
            places.push(match rows.value_length(row) {
                _ if rows.is_null(row) => None,
                0 => None,
                1 => Some(u64::try_from(start).unwrap_or_default()),
                _ => {
                    return Err(raise(
                        SqlState::CardinalityViolation,
                        "more than one row returned by a subquery used as an expression",
                    ));
                }
            });
        }
        let values = take(rows.values(), &UInt64Array::from(places), None)?;
        Ok(ColumnarValue::Array(values))
    }
}
