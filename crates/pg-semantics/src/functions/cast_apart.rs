//! A cast under a name of its own.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// `pg_cast_apart(x::t, 't')` is `x::t`. It stands in a plan until the analyzer has given the
/// expression around it a name that tells it from others.
pub(crate) const CAST_APART: &str = "pg_cast_apart";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CastApart {
    signature: Signature,
}

impl CastApart {
    pub fn new() -> Self {
        CastApart {
            signature: Signature::any(2, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for CastApart {
    fn name(&self) -> &str {
        CAST_APART
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(args.arg_fields[0].clone())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("{CAST_APART} was not taken out of the plan")
    }
}
