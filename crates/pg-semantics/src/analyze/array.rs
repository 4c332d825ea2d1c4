//! Types around arrays: arguments of their functions, and sides of comparisons.
//!
//! An array and an item that meet have the common type of their items (`anycompatiblearray`): quoted
//! literals take it, other values are cast to it. Dimensions belong to values in PostgreSQL, here to
//! types: each array keeps its own.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::logical_plan::ColumnUnnestList;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlanBuilder, ScalarUDF, Unnest};

use inflowave_types::{PgType, SqlState};

use super::expression::Rewriter;
use super::operator::{self, mismatch};
use super::type_of::{as_type, type_of};
use super::unknown::{typed, unknown};
use crate::cast::pg_type;
use crate::functions::{self, ArrayFunction, Parameter, base, depth, nest};
use crate::raise::raise;
use crate::types;

/// A call with its arguments in the types that the function takes.
///
/// # Errors
/// `42883` where there is no such function.
pub(super) fn resolve(function: ArrayFunction, mut args: Vec<Expr>, r: &Rewriter) -> Result<Expr> {
    if function == ArrayFunction::Subscript
        && args.len() == 2
        && pg_type(&args[0].to_field(r.schema)?.1) == Some(PgType::Name)
        && let Some(character) = functions::plain(functions::NAME_CHAR)
    {
        let at = value_of(args.remove(1), &DataType::Int32, r)?;
        args.push(at);
        return Ok(Expr::ScalarFunction(ScalarFunction::new_udf(
            character, args,
        )));
    }
    let conflict = |args: &[Expr]| no_function(function, args, r);
    let (parameters, optional) = function.parameters(args.len());
    if !(parameters.len() - optional..=parameters.len()).contains(&args.len()) {
        return Err(conflict(&args)?);
    }
    let (mut arrays, mut items) = (Vec::new(), Vec::new());
    for (parameter, arg) in parameters.iter().zip(&args) {
        let t = known(arg, r)?;
        match parameter {
            Parameter::Array if t.as_ref().is_some_and(|t| depth(t) == 0) => {
                return Err(conflict(&args)?);
            }
            Parameter::Array => arrays.push(arg),
            Parameter::Item if t.as_ref().is_some_and(|t| depth(t) > 0) => {
                return Err(conflict(&args)?);
            }
            Parameter::Item => items.push(arg),
            _ => {}
        }
    }
    if items.is_empty()
        && function != ArrayFunction::Cat
        && arrays.iter().all(|e| unknown(e).is_some())
    {
        return Err(raise(
            SqlState::DatatypeMismatch,
            "could not determine polymorphic type because input has type unknown",
        ));
    }
    let all = arrays.into_iter().chain(items);
    let Some(item) = common_item(all, r)? else {
        return Err(conflict(&args)?);
    };
    let number = DataType::Int32;
    let typed_args = parameters
        .iter()
        .zip(args)
        .map(|(parameter, arg)| match parameter {
            Parameter::Array => array_of(arg, &item, r),
            Parameter::Item => value_of(arg, &item, r),
            Parameter::Integer => value_of(arg, &number, r),
            Parameter::Integers => array_of(arg, &number, r),
            Parameter::Flag => Ok(arg),
            Parameter::Text => value_of(arg, &DataType::Utf8View, r),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(call(function, typed_args))
}

/// `ARRAY[..]` of items in one type. Arrays that it is made of have the same lengths.
pub(super) fn made(function: Arc<ScalarUDF>, items: Vec<Expr>, r: &Rewriter) -> Result<Expr> {
    let is_nested = match items.first() {
        Some(first) => depth(&type_of(first, r.schema)?) > 0,
        None => false,
    };
    let array = Expr::ScalarFunction(ScalarFunction::new_udf(function, items));
    Ok(match is_nested {
        true => call(ArrayFunction::Even, vec![array]),
        false => array,
    })
}

/// `||` beside an array. A quoted literal and NULL are arrays there.
///
/// # Errors
/// `42883` where the sides have no common type of items.
pub(super) fn concat(left: Expr, right: Expr, r: &Rewriter) -> Result<Expr> {
    let is_item = |e: &Expr| -> Result<bool> { Ok(known(e, r)?.is_some_and(|t| depth(&t) == 0)) };
    let function = match (is_item(&left)?, is_item(&right)?) {
        (true, _) => ArrayFunction::Prepend,
        (_, true) => ArrayFunction::Append,
        _ => ArrayFunction::Cat,
    };
    if common_item([&left, &right].into_iter(), r)?.is_none() {
        let (l, rt) = (type_of(&left, r.schema)?, type_of(&right, r.schema)?);
        return Err(mismatch("||", &l, &rt));
    }
    resolve(function, vec![left, right], r)
}

/// Is one of the sides an array?
pub(super) fn has_array(exprs: &[Expr], r: &Rewriter) -> Result<bool> {
    for e in exprs {
        if known(e, r)?.is_some_and(|t| depth(&t) > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Sides of a comparison, one of which is an array, with items of one type.
pub(super) fn comparable(
    exprs: Vec<Expr>,
    r: &Rewriter,
    conflict: impl Fn(&DataType, &DataType) -> DataFusionError,
) -> Result<Vec<Expr>> {
    let mut array = None;
    for e in &exprs {
        let Some(t) = known(e, r)? else { continue };
        match &array {
            None => array = Some(t),
            Some(before) if (depth(before) > 0) != (depth(&t) > 0) => {
                return Err(conflict(before, &t));
            }
            Some(_) => {}
        }
    }
    let Some(item) = common_item(exprs.iter(), r)? else {
        let mut all = Vec::new();
        for e in &exprs {
            all.extend(known(e, r)?);
        }
        let first = all.first().cloned().unwrap_or(DataType::Null);
        return Err(conflict(&first, all.last().unwrap_or(&first)));
    };
    exprs.into_iter().map(|e| array_of(e, &item, r)).collect()
}

/// `unnest` gives the items of all dimensions, DataFusion's those of the first one.
pub(super) fn flattened(mut unnest: Unnest) -> Result<Unnest> {
    let schema = Arc::clone(unnest.input.schema());
    let is_nested = |(at, list): &(usize, ColumnUnnestList)| {
        list.depth == 1 && depth(schema.field(*at).data_type()) > 1
    };
    let nested: Vec<usize> = unnest
        .list_type_columns
        .iter()
        .filter(|column| is_nested(column))
        .map(|(at, _)| *at)
        .collect();
    if nested.is_empty() {
        return Ok(unnest);
    }
    let columns = schema
        .columns()
        .into_iter()
        .enumerate()
        .map(|(at, column)| {
            let (table, name) = (column.relation.clone(), column.name.clone());
            let column = Expr::Column(column);
            match nested.contains(&at) {
                true => call(ArrayFunction::Items, vec![column]).alias_qualified(table, name),
                false => column,
            }
        });
    let columns: Vec<Expr> = columns.collect();
    let input = LogicalPlanBuilder::from(unnest.input.as_ref().clone()).project(columns)?;
    unnest.input = Arc::new(input.build()?);
    Ok(unnest)
}

/// What the arrays are compared by.
pub(super) fn key(array: Expr) -> Expr {
    call(ArrayFunction::Key, vec![array])
}

/// The type of what is neither a quoted literal nor NULL.
fn known(e: &Expr, r: &Rewriter) -> Result<Option<DataType>> {
    if unknown(e).is_some() {
        return Ok(None);
    }
    Ok(Some(type_of(e, r.schema)?).filter(|t| !t.is_null()))
}

/// The common type of items; text if nothing is known of any. `None` if they have none.
fn common_item<'a>(
    exprs: impl Iterator<Item = &'a Expr>,
    r: &Rewriter,
) -> Result<Option<DataType>> {
    let mut common = DataType::Null;
    let mut literals = Vec::new();
    for e in exprs {
        match (unknown(e), known(e, r)?) {
            (Some(text), _) => literals.push(text),
            (None, Some(t)) => match types::common(&common, base(&t).data_type()) {
                Some(t) => common = t,
                None => return Ok(None),
            },
            (None, None) => {}
        }
    }
    if common.is_null() || types::is_text(&common) {
        return Ok(Some(DataType::Utf8View));
    }
    // The digits of a literal count.
    for text in literals {
        if common.is_decimal()
            && let Some(digits) = crate::cast::minimal_decimal_of_items(text)
                .or_else(|| crate::cast::minimal_decimal(text))
            && let Some(wide) = types::wider_decimal(&common, &digits)
        {
            common = wide;
        }
    }
    Ok(Some(common))
}

fn array_of(e: Expr, item: &DataType, r: &Rewriter) -> Result<Expr> {
    let of_item = |depth| nest(item_field(item), depth);
    if let Some(text) = unknown(&e) {
        let array = typed(text, &of_item(1), r.config)?;
        return as_type(array, &of_item(1), r.schema);
    }
    match depth(&type_of(&e, r.schema)?) {
        0 => Ok(Expr::Literal(ScalarValue::try_from(&of_item(1))?, None)),
        own => {
            let t = type_of(&e, r.schema)?;
            // What the items carry beside their type stays.
            if base(&t).data_type() == item {
                return Ok(e);
            }
            as_type(e, &of_item(own), r.schema)
        }
    }
}

fn value_of(e: Expr, t: &DataType, r: &Rewriter) -> Result<Expr> {
    match unknown(&e) {
        Some(text) => as_type(typed(text, t, r.config)?, t, r.schema),
        None => operator::to(e, t, r),
    }
}

fn item_field(item: &DataType) -> FieldRef {
    Arc::new(Field::new_list_field(item.clone(), true))
}

fn call(function: ArrayFunction, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function.udf(), args))
}

fn no_function(function: ArrayFunction, args: &[Expr], r: &Rewriter) -> Result<DataFusionError> {
    let given = args
        .iter()
        .map(|e| match unknown(e) {
            Some(_) => Ok(DataType::Null),
            None => type_of(e, r.schema),
        })
        .collect::<Result<Vec<_>>>()?;
    let sign = match function {
        ArrayFunction::Contains => "@>",
        ArrayFunction::Overlaps => "&&",
        _ => return Ok(functions::no_function(function.name(), &given)),
    };
    Ok(mismatch(sign, &given[0], &given[1]))
}
