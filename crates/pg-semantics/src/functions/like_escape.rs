//! `like_escape`: a pattern with an escape character of the user's choice, written anew to escape with
//! a backslash.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use inflowave_types::{Error, SqlState};

use crate::raise::wrap;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct LikeEscape {
    signature: Signature,
}

impl LikeEscape {
    pub fn new() -> Self {
        LikeEscape {
            signature: Signature::string(2, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for LikeEscape {
    fn name(&self) -> &str {
        "like_escape"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args
            .args
            .iter()
            .all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let patterns = cast(&arrays[0], &DataType::Utf8View)?;
        let escapes = cast(&arrays[1], &DataType::Utf8View)?;
        let pairs = patterns
            .as_string_view()
            .iter()
            .zip(escapes.as_string_view());
        let written = pairs.map(|(pattern, escape)| match (pattern, escape) {
            (Some(pattern), Some(escape)) => escaped(pattern, escape).map(Some),
            _ => Ok(None),
        });
        let written: StringViewArray = written.collect::<Result<_>>()?;
        let written: ArrayRef = Arc::new(written);
        Ok(match scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&written, 0)?),
            false => ColumnarValue::Array(written),
        })
    }
}

/// # Errors
/// `22025` for an escape of several characters.
fn escaped(pattern: &str, escape: &str) -> Result<String> {
    let mut characters = escape.chars();
    let (escape, more) = (characters.next(), characters.next());
    if more.is_some() {
        return Err(wrap(
            Error::new(SqlState::InvalidEscapeSequence, "invalid escape string")
                .with_hint("Escape string must be empty or one character."),
        ));
    }
    let mut out = String::with_capacity(pattern.len());
    let mut behind_escape = false;
    for c in pattern.chars() {
        if Some(c) == escape && !behind_escape {
            out.push('\\');
            behind_escape = true;
            continue;
        }
        if c == '\\' && escape != Some('\\') && !behind_escape {
            out.push('\\');
        }
        out.push(c);
        behind_escape = false;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as PostgreSQL 15 answers.
    #[test]
    fn patterns_escape_with_a_backslash() {
        for (pattern, escape, expected) in [
            ("10!%%", "!", "10\\%%"),
            ("a\\b!!", "!", "a\\\\b\\!"),
            ("a\\_b", "", "a\\\\_b"),
            ("a\\_b", "\\", "a\\_b"),
            ("a!", "!", "a\\"),
            ("!\\", "!", "\\\\"),
        ] {
            assert_eq!(escaped(pattern, escape).unwrap(), expected, "{pattern}");
        }
        assert!(escaped("a", "!!").is_err());
    }
}
