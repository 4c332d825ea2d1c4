//! `x op ANY (..)` and `x op ALL (..)`.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart, Value,
};

use super::call;
use crate::functions::QUANTIFIED;

/// Over a query as DataFusion has it, over an array as a call. `None` for what is neither.
pub(super) fn called(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::AnyOp {
            left,
            compare_op,
            right,
            ..
        } => quantified(left, compare_op, right, false),
        Expr::AllOp {
            left,
            compare_op,
            right,
        } => quantified(left, compare_op, right, true),
        Expr::Like {
            any,
            negated,
            expr,
            pattern,
            escape_char: None,
        } => {
            let op = match negated {
                false => BinaryOperator::PGLikeMatch,
                true => BinaryOperator::PGNotLikeMatch,
            };
            like(*any, expr, &op, pattern)
        }
        Expr::ILike {
            any,
            negated,
            expr,
            pattern,
            escape_char: None,
        } => {
            let op = match negated {
                false => BinaryOperator::PGILikeMatch,
                true => BinaryOperator::PGNotILikeMatch,
            };
            like(*any, expr, &op, pattern)
        }
        _ => None,
    }
}

/// The parser knows `LIKE ANY`, and takes `LIKE ALL (..)` and `LIKE SOME (..)` for calls.
fn like(any: bool, left: &Expr, op: &BinaryOperator, pattern: &Expr) -> Option<Expr> {
    if any {
        return quantified(left, op, pattern, false);
    }
    let Expr::Function(function) = pattern else {
        return None;
    };
    let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else {
        return None;
    };
    let all = match name.value.to_lowercase().as_str() {
        "all" => true,
        "some" => false,
        _ => return None,
    };
    match &function.args {
        FunctionArguments::List(list) if name.quote_style.is_none() => match list.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(array))] => {
                quantified(left, op, array, all)
            }
            _ => None,
        },
        _ => None,
    }
}

fn quantified(left: &Expr, op: &BinaryOperator, right: &Expr, all: bool) -> Option<Expr> {
    match (right, op) {
        (Expr::Subquery(subquery), BinaryOperator::Eq | BinaryOperator::NotEq) => {
            let is_in = (*op == BinaryOperator::NotEq) == all;
            is_in.then(|| Expr::InSubquery {
                expr: Box::new(left.clone()),
                subquery: subquery.clone(),
                negated: all,
            })
        }
        (Expr::Subquery(_), _) => None,
        _ => {
            let literal = |value: Value| Expr::Value(value.with_empty_span());
            Some(call(
                QUANTIFIED,
                vec![
                    left.clone(),
                    right.clone(),
                    literal(Value::SingleQuotedString(op.to_string())),
                    literal(Value::Boolean(all)),
                ],
            ))
        }
    }
}
