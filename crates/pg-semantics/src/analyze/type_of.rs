//! Types of expressions, without the work that DataFusion's own way takes.
//!
//! `Expr::get_type` builds fields and runs kernels over empty arrays at every level below, so that
//! asking at each level of a long chain (`a + b + c ..`) takes minutes. The operators of this crate
//! tell their type from one side, as both have it.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator};
use inflowave_connector_api::vocabulary;

use crate::types::{self, Category, category};

/// The type of an expression that this crate has resolved already.
#[recursive::recursive]
pub(super) fn type_of(e: &Expr, schema: &DFSchema) -> Result<DataType> {
    Ok(match e {
        Expr::Literal(value, _) => value.data_type(),
        Expr::Cast(c) => c.field.data_type().clone(),
        Expr::Alias(a) => type_of(&a.expr, schema)?,
        Expr::Negative(e) => type_of(e, schema)?,
        Expr::Not(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::Between(_)
        | Expr::InList(_)
        | Expr::Like(_)
        | Expr::Exists(_)
        | Expr::InSubquery(_) => DataType::Boolean,
        Expr::BinaryExpr(b) if is_condition(b.op) => DataType::Boolean,
        Expr::BinaryExpr(b) if b.op == Operator::StringConcat => match type_of(&b.right, schema)? {
            DataType::Utf8View => DataType::Utf8View,
            _ => e.get_type(schema)?,
        },
        Expr::BinaryExpr(b) => {
            let right = type_of(&b.right, schema)?;
            match category(&right) {
                // Both sides have been given one type.
                Category::Number if !right.is_decimal() => right,
                Category::Interval => type_of(&b.left, schema)?,
                _ => e.get_type(schema)?,
            }
        }
        Expr::Case(c) => match c.when_then_expr.first() {
            Some((_, then)) => match type_of(then, schema)? {
                DataType::Null => e.get_type(schema)?,
                t => t,
            },
            None => e.get_type(schema)?,
        },
        Expr::ScalarFunction(f) => match f.func.name() {
            vocabulary::INT_ADD
            | vocabulary::INT_SUB
            | vocabulary::INT_MUL
            | vocabulary::INT_MOD
            | vocabulary::INT_NEG
            | vocabulary::FLOAT_DIV => match f.args.last() {
                Some(last) => type_of(last, schema)?,
                None => e.get_type(schema)?,
            },
            vocabulary::NUMERIC_ADD
            | vocabulary::NUMERIC_SUB
            | vocabulary::NUMERIC_MUL
            | vocabulary::NUMERIC_DIV
            | vocabulary::TEMPORAL_ADD
            | vocabulary::TEMPORAL_SUB => {
                let sides = f
                    .args
                    .iter()
                    .map(|a| type_of(a, schema))
                    .collect::<Result<Vec<_>>>()?;
                f.func.inner().return_type(&sides)?
            }
            _ => e.get_type(schema)?,
        },
        _ => e.get_type(schema)?,
    })
}

/// The category of an expression that DataFusion's planner has just built: of a chain of numbers
/// it is known without going down.
pub(super) fn planned_category(e: &Expr, schema: &DFSchema) -> Option<Category> {
    match e {
        Expr::BinaryExpr(b) if is_condition(b.op) => Some(Category::Boolean),
        Expr::BinaryExpr(b) if b.op == Operator::StringConcat => {
            planned_category(&b.right, schema).filter(|c| *c == Category::Text)
        }
        Expr::BinaryExpr(b) => {
            planned_category(&b.right, schema).filter(|c| *c == Category::Number)
        }
        Expr::Literal(value, _) => Some(category(&value.data_type())),
        Expr::Column(_) => e.get_type(schema).ok().map(|t| category(&t)),
        _ => None,
    }
}

fn is_condition(op: Operator) -> bool {
    matches!(
        op,
        Operator::And
            | Operator::Or
            | Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
            | Operator::RegexMatch
            | Operator::RegexIMatch
            | Operator::RegexNotMatch
            | Operator::RegexNotIMatch
    )
}

/// The expression as a `t`.
pub(super) fn as_type(e: Expr, t: &DataType, schema: &DFSchema) -> Result<Expr> {
    if type_of(&e, schema)? == *t {
        return Ok(e);
    }
    match e {
        // Its cast stands inside of it.
        Expr::ScalarSubquery(_) => e.cast_to(t, schema),
        e => {
            debug_assert_ne!(types::name(t), "unknown");
            Ok(Expr::Cast(Cast::new(Box::new(e), t.clone())))
        }
    }
}
