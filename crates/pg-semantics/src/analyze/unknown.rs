//! Literals whose type the text does not say: PostgreSQL's `unknown`, and whole numbers.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DFSchema, ExprSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Placeholder;
use inflowave_types::PgType;

use crate::cast::{self, cast_scalar, minimal_decimal, minimal_decimal_of_items};
use crate::parameters::parameter;
use crate::types;

/// The text of a quoted literal without a type.
pub(super) fn unknown(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), None) => Some(text),
        _ => None,
    }
}

/// A quoted literal as a value of the type that its context asks for.
///
/// # Errors
/// Those of the type's input function.
pub(super) fn typed(text: &str, target: &DataType, config: &ConfigOptions) -> Result<Expr> {
    if let Some(id) = parameter(text) {
        return Ok(placeholder(id, target));
    }
    let text_value = ScalarValue::Utf8View(Some(text.to_owned()));
    if types::is_text(target) {
        return Ok(Expr::Literal(text_value, None));
    }
    // A numeric without precision takes the literal with all of its digits.
    let target = match target {
        t if t.is_decimal() => minimal_decimal(text).unwrap_or_else(|| t.clone()),
        DataType::List(item) if item.data_type().is_decimal() => {
            match minimal_decimal_of_items(text) {
                Some(digits) => DataType::List(Arc::new(Field::new_list_field(digits, true))),
                None => target.clone(),
            }
        }
        t => t.clone(),
    };
    let field: FieldRef = Arc::new(Field::new("", target, true));
    Ok(Expr::Literal(
        cast_scalar(&text_value, &field, config)?,
        None,
    ))
}

/// As [`typed`], in a type that has a form of its own among the texts.
pub(super) fn typed_as(text: &str, target: &Field, config: &ConfigOptions) -> Result<Expr> {
    if target.metadata().is_empty() {
        return typed(text, target.data_type(), config);
    }
    let field: FieldRef = Arc::new(target.clone());
    if let Some(id) = parameter(text) {
        return Ok(of_field(id, field));
    }
    let text = ScalarValue::Utf8View(Some(text.to_owned()));
    Ok(Expr::Literal(cast_scalar(&text, &field, config)?, None))
}

/// What tells that a text is a uuid: a literal beside it is read as one, so that its letters can be of
/// either case. Other types of texts compare as they are written.
pub(super) fn form(e: &Expr, schema: &DFSchema) -> HashMap<String, String> {
    let field = match e {
        Expr::Alias(alias) => return form(&alias.expr, schema),
        Expr::Column(column) => schema.field_from_column(column).ok(),
        Expr::OuterReferenceColumn(field, _) => Some(field),
        Expr::Cast(cast) => Some(&cast.field),
        Expr::ScalarFunction(f) => cast::target(f),
        _ => None,
    };
    match field {
        Some(field) if cast::pg_type(field) == Some(PgType::Uuid) => field.metadata().clone(),
        _ => HashMap::new(),
    }
}

/// A parameter of a type.
pub(crate) fn placeholder(id: &str, target: &DataType) -> Expr {
    of_field(id, Arc::new(Field::new("", target.clone(), true)))
}

fn of_field(id: &str, field: FieldRef) -> Expr {
    Expr::Placeholder(Placeholder::new_with_field(id.to_owned(), Some(field)))
}

/// Gives whole numbers and numerics of the SQL text their PostgreSQL type: int4 where it fits,
/// then int8, then numeric. A literal with metadata (a bound parameter) keeps its type.
pub(super) fn number(value: ScalarValue) -> ScalarValue {
    match value {
        ScalarValue::Int64(Some(v)) => match i32::try_from(v) {
            Ok(v) => ScalarValue::Int32(Some(v)),
            Err(_) => ScalarValue::Int64(Some(v)),
        },
        ScalarValue::UInt64(Some(v)) => ScalarValue::Decimal128(Some(i128::from(v)), 20, 0),
        // `1e10` comes with a negative scale, which PostgreSQL's numerics do not have.
        ScalarValue::Decimal128(Some(v), precision, scale) if scale < 0 => {
            let digits = u32::from(scale.unsigned_abs());
            let wide = i16::from(precision) + digits as i16;
            match 10_i128.checked_pow(digits).and_then(|p| v.checked_mul(p)) {
                Some(v) if wide <= 38 => ScalarValue::Decimal128(Some(v), wide as u8, 0),
                _ => wide_literal(v, digits, precision).unwrap_or(ScalarValue::Decimal128(
                    Some(v),
                    precision,
                    scale,
                )),
            }
        }
        other => other,
    }
}

fn wide_literal(v: i128, digits: u32, precision: u8) -> Option<ScalarValue> {
    use arrow::datatypes::i256;
    let power = i256::from_i128(10).checked_pow(digits)?;
    let value = i256::from_i128(v).checked_mul(power)?;
    let wide = u32::from(precision) + digits;
    (wide <= 76).then_some(ScalarValue::Decimal256(Some(value), wide as u8, 0))
}

/// The numeric with just the digits of a whole-number literal, so that results do not grow wider
/// than they must.
pub(super) fn integer_as_decimal(expr: &Expr) -> Option<Expr> {
    let v = match expr {
        Expr::Literal(ScalarValue::Int16(Some(v)), _) => i128::from(*v),
        Expr::Literal(ScalarValue::Int32(Some(v)), _) => i128::from(*v),
        Expr::Literal(ScalarValue::Int64(Some(v)), _) => i128::from(*v),
        _ => return None,
    };
    let digits = v.unsigned_abs().checked_ilog10().map_or(1, |d| d + 1);
    Some(Expr::Literal(
        ScalarValue::Decimal128(Some(v), digits as u8, 0),
        None,
    ))
}
