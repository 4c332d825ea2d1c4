//! `x op ANY (array)` and `x op ALL (array)`.
//!
//! An array whose items are in the statement becomes the comparisons themselves, which sources know: `IN`
//! for `= ANY`, `NOT IN` for `<> ALL`, else a chain of `OR` or `AND`. Another one waits for its rows
//! ([`crate::functions::QUANTIFIED`]).

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{InList, Like, ScalarFunction};
use datafusion::logical_expr::{Expr, Operator, lit};
use inflowave_types::SqlState;

use super::expression::Rewriter;
use super::like;
use super::operator;
use super::type_of::{as_type, type_of};
use super::unknown::{form, typed, typed_as, unknown};
use crate::functions::{self, base, depth, nest};
use crate::raise::raise;
use crate::types::{Category, category};

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
    if super::is_null(&array) && type_of(&array, r.schema)?.is_null() {
        return Ok(Expr::Literal(ScalarValue::Boolean(None), None));
    }
    let left = match unknown(&left) {
        Some(text) if is_pattern(op) => typed(text, &DataType::Utf8View, r.config)?,
        _ => left,
    };
    let (left, array) = sides(left, array, r)?;
    let (left, array) = match is_pattern(op) {
        true => texts(left, array, &text, r)?,
        false => (left, array),
    };
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
                None => match type_of(&left, r.schema)? {
                    DataType::Null => DataType::Utf8View,
                    t => t,
                },
            };
            let item = Field::new_list_field(item, true).with_metadata(form(&left, r.schema));
            let list = DataType::List(item.into());
            typed(text, &list, r.config)?
        }
        None => operator::constant(array, r)?,
    };
    let of_array = type_of(&array, r.schema)?;
    if depth(&of_array) == 0 {
        return Err(raise(
            SqlState::WrongObjectType,
            "op ANY/ALL (array) requires array on right side",
        ));
    }
    let mut item = base(&of_array).as_ref().clone();
    if let Some(first) = first_item(&array) {
        item.set_metadata(form(first, r.schema));
    }
    let left = match unknown(&left) {
        Some(text) if item.data_type().is_null() => typed(text, &DataType::Utf8View, r.config)?,
        Some(text) => typed_as(text, &item, r.config)?,
        None => left,
    };
    Ok((left, array))
}

fn first_item(array: &Expr) -> Option<&Expr> {
    match array {
        Expr::ScalarFunction(f) if f.func.name() == "make_array" => f.args.first(),
        _ => None,
    }
}

/// Is the right side of the operator a pattern?
fn is_pattern(op: Operator) -> bool {
    !matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
    )
}

/// # Errors
/// `42883` for what is no text.
fn texts(left: Expr, array: Expr, sign: &str, r: &Rewriter) -> Result<(Expr, Expr)> {
    let (t, of_array) = (type_of(&left, r.schema)?, type_of(&array, r.schema)?);
    let item = base(&of_array).data_type().clone();
    for side in [&t, &item] {
        if !matches!(category(side), Category::Text | Category::Null) {
            return Err(operator::mismatch(sign, &t, &item));
        }
    }
    let of_texts = nest(
        Arc::new(Field::new_list_field(DataType::Utf8View, true)),
        depth(&of_array),
    );
    Ok((
        as_type(left, &DataType::Utf8View, r.schema)?,
        as_type(array, &of_texts, r.schema)?,
    ))
}

/// The items of an array that stand in the statement.
fn items(array: &Expr) -> Result<Option<Vec<Expr>>> {
    match array {
        Expr::Literal(value @ ScalarValue::List(list), _)
            if list.len() == 1 && list.is_valid(0) =>
        {
            let layout = functions::items(&value.to_array()?)?;
            let item = |i| ScalarValue::try_from_array(&layout, i).map(|v| Expr::Literal(v, None));
            (0..layout.len()).map(item).collect::<Result<_>>().map(Some)
        }
        Expr::ScalarFunction(f) if f.func.name() == "make_array" => {
            let mut all = Vec::new();
            for arg in &f.args {
                match (items(arg)?, unknown(arg)) {
                    (Some(inner), _) => all.extend(inner),
                    (None, Some(text)) => {
                        let text = ScalarValue::Utf8View(Some(text.to_owned()));
                        all.push(Expr::Literal(text, None));
                    }
                    (None, None) => all.push(arg.clone()),
                }
            }
            Ok(Some(all))
        }
        _ => Ok(None),
    }
}

fn chain(left: &Expr, op: Operator, items: Vec<Expr>, all: bool, r: &Rewriter) -> Result<Expr> {
    let mut chain: Option<Expr> = None;
    for item in items {
        let one = one(left.clone(), op, item, r)?;
        chain = Some(match chain {
            None => one,
            Some(before) if all => before.and(one),
            Some(before) => before.or(one),
        });
    }
    Ok(chain.unwrap_or_else(|| lit(all)))
}

fn one(left: Expr, op: Operator, item: Expr, r: &Rewriter) -> Result<Expr> {
    let like = |negated, case_insensitive| -> Result<Expr> {
        let pattern = as_type(item.clone(), &DataType::Utf8View, r.schema)?;
        let (left, pattern) = (Box::new(left.clone()), Box::new(pattern));
        let like = Like::new(negated, left, pattern, None, case_insensitive);
        Ok(Expr::Like(like::like(like, r.schema)?))
    };
    match op {
        Operator::LikeMatch => like(false, false),
        Operator::NotLikeMatch => like(true, false),
        Operator::ILikeMatch => like(false, true),
        Operator::NotILikeMatch => like(true, true),
        op => operator::binary(left, op, item, r),
    }
}

fn not_supported(sign: &str) -> datafusion::common::DataFusionError {
    raise(
        SqlState::FeatureNotSupported,
        format!("operator {sign} with ANY or ALL over an array is not supported"),
    )
}
