//! `coalesce`, `greatest`, `least` and `nullif` until the analyzer has their arguments in one type:
//! DataFusion's own refuse a text beside an array while they are planned.

use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::types;

pub(super) const NAMES: [&str; 4] = ["coalesce", "greatest", "least", "nullif"];

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Alternatives {
    name: &'static str,
    signature: Signature,
}

impl Alternatives {
    pub fn new(name: &'static str) -> Self {
        Alternatives {
            name,
            signature: Signature::variadic_any(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Alternatives {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The common type, in which a text can be a literal that takes the type of the others.
    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let mut common = DataType::Null;
        for t in given.iter().filter(|t| !types::is_text(t)) {
            common = types::common(&common, t).unwrap_or(common);
        }
        Ok(match common {
            DataType::Null => DataType::Utf8View,
            t => t,
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("{} was not resolved", self.name)
    }
}
