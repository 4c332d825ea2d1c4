//! `a[i]` and `a[i:j]` as calls.

use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, Ident, Subscript, Value};

use super::call;
use crate::functions::{SLICE, SUBSCRIPT};

/// The call, if all that stands behind the array is in brackets. As in PostgreSQL one slice makes slices
/// of all: `a[2][1:3]` is `a[1:2][1:3]`.
pub(super) fn called(root: &Expr, chain: &[AccessExpr]) -> Option<Expr> {
    let dots = chain
        .iter()
        .take_while(|access| matches!(access, AccessExpr::Dot(_)))
        .count();
    let (dots, brackets) = chain.split_at(dots);
    let mut args = vec![array(root, dots)?];
    let subscripts: Option<Vec<&Subscript>> = brackets
        .iter()
        .map(|access| match access {
            AccessExpr::Subscript(subscript) => Some(subscript),
            AccessExpr::Dot(_) => None,
        })
        .collect();
    let subscripts = subscripts.filter(|all| !all.is_empty())?;
    let is_slice = |s: &&Subscript| matches!(s, Subscript::Slice { .. });
    if !subscripts.iter().any(is_slice) {
        args.extend(subscripts.into_iter().filter_map(|s| match s {
            Subscript::Index { index } => Some(index.clone()),
            Subscript::Slice { .. } => None,
        }));
        return Some(call(SUBSCRIPT, args));
    }
    for subscript in subscripts {
        let (lower, upper) = match subscript {
            Subscript::Index { index } => (Some(number("1")), Some(index.clone())),
            Subscript::Slice {
                lower_bound,
                upper_bound,
                stride: None,
            } => (lower_bound.clone(), upper_bound.clone()),
            Subscript::Slice { .. } => return None,
        };
        for bound in [lower, upper] {
            let is_open = Expr::Value(Value::Boolean(bound.is_none()).with_empty_span());
            args.extend([bound.unwrap_or_else(|| number("1")), is_open]);
        }
    }
    Some(call(SLICE, args))
}

/// What the brackets stand behind: `t.a[1]` comes as `t`, `.a`, `[1]`.
fn array(root: &Expr, dots: &[AccessExpr]) -> Option<Expr> {
    if dots.is_empty() {
        return Some(root.clone());
    }
    let mut path: Vec<Ident> = match root {
        Expr::Identifier(ident) => vec![ident.clone()],
        Expr::CompoundIdentifier(path) => path.clone(),
        _ => return None,
    };
    for dot in dots {
        match dot {
            AccessExpr::Dot(Expr::Identifier(ident)) => path.push(ident.clone()),
            _ => return None,
        }
    }
    Some(Expr::CompoundIdentifier(path))
}

fn number(digits: &str) -> Expr {
    Expr::Value(Value::Number(digits.to_owned(), false).with_empty_span())
}
