//! `LIKE` with an escape character of the user's choice.

use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{Expr, ExprSchemable};
use inflowave_types::{Error, SqlState};

use super::operator::mismatch;
use crate::functions;
use crate::raise::wrap;
use crate::types::{self, Category, category};
use arrow::datatypes::DataType;

/// The same `LIKE`, its pattern rewritten to escape with a backslash.
///
/// # Errors
/// `22025` for a pattern that ends with its escape character; `22019`'s kin, an escape of more
/// than one character, is a syntax error already; `42883` for what is no text.
pub(super) fn like(mut like: Like, schema: &DFSchema) -> Result<Like> {
    let sign = match (like.negated, like.case_insensitive) {
        (false, false) => "~~",
        (true, false) => "!~~",
        (false, true) => "~~*",
        (true, true) => "!~~*",
    };
    let (l, r) = (like.expr.get_type(schema)?, like.pattern.get_type(schema)?);
    for t in [&l, &r] {
        if !matches!(category(t), Category::Text | Category::Null) {
            return Err(mismatch(sign, &l, &r));
        }
    }
    // `LIKE NULL` is NULL; DataFusion wants the NULL to be a text.
    for side in [&mut like.expr, &mut like.pattern] {
        if side.get_type(schema)?.is_null() {
            **side = side.as_ref().clone().cast_to(&DataType::Utf8View, schema)?;
        }
    }
    debug_assert!(types::is_text(&like.pattern.get_type(schema)?));
    let escape = like.escape_char.unwrap_or('\\');
    let literal = match like.pattern.as_ref() {
        Expr::Literal(value, _) => value.try_as_str().flatten().map(str::to_owned),
        _ => None,
    };
    match literal {
        Some(pattern) => {
            let pattern = with_backslash(&pattern, escape)?;
            like.pattern = Box::new(Expr::Literal(ScalarValue::Utf8View(Some(pattern)), None));
            like.escape_char = None;
        }
        None if escape == '\\' => like.escape_char = None,
        None => {
            let escape = Expr::Literal(ScalarValue::Utf8View(Some(escape.to_string())), None);
            let pattern = like.pattern.as_ref().clone();
            like.pattern = Box::new(functions::like_escape().call(vec![pattern, escape]));
            like.escape_char = None;
        }
    }
    Ok(like)
}

fn with_backslash(pattern: &str, escape: char) -> Result<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == escape {
            let next = chars.next().ok_or_else(ends_with_escape)?;
            out.push('\\');
            out.push(next);
        } else if c == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

fn ends_with_escape() -> DataFusionError {
    wrap(Error::new(
        SqlState::InvalidEscapeSequence,
        "LIKE pattern must not end with escape character",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_becomes_a_backslash() {
        assert_eq!(with_backslash("10!%%", '!').unwrap(), "10\\%%");
        assert_eq!(with_backslash("a\\b!!", '!').unwrap(), "a\\\\b\\!");
        assert_eq!(with_backslash("a\\_b", '\\').unwrap(), "a\\_b");
        assert!(with_backslash("a\\", '\\').is_err());
    }
}
