//! `x op ANY (array)` and `x op ALL (array)`.
//!
//! An array whose items are in the statement becomes the comparisons themselves, which sources know: `IN`
//! for `= ANY`, `NOT IN` for `<> ALL`, else a chain of `OR` or `AND`. Another one waits for its rows
//! ([`crate::functions::QUANTIFIED`]).

use arrow::array::Array;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::{Expr, Operator, lit};
use inflowave_types::SqlState;

use super::expression::Rewriter;
use super::operator;
use super::type_of::type_of;
use super::unknown::{typed, unknown};
use crate::functions;
use crate::raise::raise;

/// A longer array is compared by its rows' values: plans of long chains are slow to make.
const CHAIN_MAX: usize = 64;

/// # Errors
/// `42809` for what is no array, `42883` for types that have no such operator, `0A000` for operators
/// that are no comparison.
pub(super) fn resolve(f: ScalarFunction, r: &Rewriter) -> Result<Expr> {
    let [left, array, sign, all] = <[Expr; 4]>::try_from(f.args)
        .map_err(|_| datafusion::common::DataFusionError::Internal("four arguments".to_owned()))?;
    let (text, all_items) = match (&sign, &all) {
        (
            Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), _),
            Expr::Literal(ScalarValue::Boolean(Some(all)), _),
        ) => (text.clone(), *all),
        _ => return Err(not_supported("?")),
    };
    let op = functions::quantified_operator(&text).ok_or_else(|| not_supported(&text))?;
    let (left, array) = sides(left, array, r)?;
    if let Some(items) = items(&array)? {
        match (op, all_items) {
            _ if items.is_empty() => return Ok(lit(all_items)),
            (Operator::Eq, false) | (Operator::NotEq, true) => {
                return r.in_list(InList::new(Box::new(left), items, all_items));
            }
            _ if items.len() <= CHAIN_MAX && !left.is_volatile() => {
                return chain(&left, op, items, all_items, r);
            }
            _ => {}
        }
    }
    let (left, array) = operator::with_items(left, array, &text, r)?;
    let args = vec![left, array, sign, all];
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(f.func, args)))
}

/// Both sides with their types: an open one takes the other's.
fn sides(left: Expr, array: Expr, r: &Rewriter) -> Result<(Expr, Expr)> {
    let array = match unknown(&array) {
        Some(text) => {
            let item = match unknown(&left) {
                Some(_) => DataType::Utf8View,
                None => type_of(&left, r.schema)?,
            };
            let list = DataType::List(Field::new_list_field(item, true).into());
            typed(text, &list, r.config)?
        }
        None => operator::constant(array, r)?,
    };
    let DataType::List(item) = type_of(&array, r.schema)? else {
        return Err(raise(
            SqlState::WrongObjectType,
            "op ANY/ALL (array) requires array on right side",
        ));
    };
    let left = match unknown(&left) {
        Some(text) if item.data_type().is_null() => typed(text, &DataType::Utf8View, r.config)?,
        Some(text) => typed(text, item.data_type(), r.config)?,
        None => left,
    };
    Ok((left, array))
}

/// The items of an array that stand in the statement.
fn items(array: &Expr) -> Result<Option<Vec<Expr>>> {
    match array {
        Expr::Literal(ScalarValue::List(list), _) if list.len() == 1 && list.is_valid(0) => {
            let values = list.value(0);
            let item = |i| ScalarValue::try_from_array(&values, i).map(|v| Expr::Literal(v, None));
            (0..values.len()).map(item).collect::<Result<_>>().map(Some)
        }
        Expr::ScalarFunction(f) if f.func.name() == "make_array" => {
            let text = |e: &Expr| match unknown(e) {
                Some(text) => Expr::Literal(ScalarValue::Utf8View(Some(text.to_owned())), None),
                None => e.clone(),
            };
            Ok(Some(f.args.iter().map(text).collect()))
        }
        _ => Ok(None),
    }
}

fn chain(left: &Expr, op: Operator, items: Vec<Expr>, all: bool, r: &Rewriter) -> Result<Expr> {
    let mut chain: Option<Expr> = None;
    for item in items {
        let one = operator::binary(left.clone(), op, item, r)?;
        chain = Some(match chain {
            None => one,
            Some(before) if all => before.and(one),
            Some(before) => before.or(one),
        });
    }
    Ok(chain.unwrap_or_else(|| lit(all)))
}

fn not_supported(sign: &str) -> datafusion::common::DataFusionError {
    raise(
        SqlState::FeatureNotSupported,
        format!("operator {sign} with ANY or ALL over an array is not supported"),
    )
}
