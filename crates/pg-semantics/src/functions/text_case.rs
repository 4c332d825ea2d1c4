//! `upper` as PostgreSQL folds: one character to one.
//!
//! Rust's full mapping, which DataFusion uses, makes two of some: `ß` becomes `SS` there, and stays
//! `ß` in PostgreSQL.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

pub(super) fn upper() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Upper {
        signature: Signature::string(1, Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Upper {
    signature: Signature,
}

impl ScalarUDFImpl for Upper {
    fn name(&self) -> &str {
        "upper"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = matches!(args.args[0], ColumnarValue::Scalar(_));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let texts = cast(&arrays[0], &DataType::Utf8View)?;
        let folded: StringViewArray = texts
            .as_string_view()
            .iter()
            .map(|text| text.map(|t| t.chars().map(folded).collect::<String>()))
            .collect();
        let folded: ArrayRef = Arc::new(folded);
        if scalar && folded.len() == 1 {
            return Ok(ColumnarValue::Scalar(
                datafusion::common::ScalarValue::try_from_array(&folded, 0)?,
            ));
        }
        Ok(ColumnarValue::Array(folded))
    }
}

fn folded(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_stays_one() {
        let upper: String = "straße ﬁ łąka é".chars().map(folded).collect();
        assert_eq!(upper, "STRAßE ﬁ ŁĄKA É");
    }
}
