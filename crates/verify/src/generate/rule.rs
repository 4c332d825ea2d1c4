//! What a generated query leaves open, read off its tree.

use super::ast::{Body, Expr, From, Kind, Query, Ty};
use crate::compare::{Rule, Tolerance};

/// With what an answer is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Our own answer: a quotient is exact.
    Ourselves,
    /// PostgreSQL's: a quotient has its own scale there.
    Postgres,
}

/// The rule for the answers of a query.
pub fn rule(query: &Query, against: Against) -> Rule {
    let mut columns = vec![Tolerance::Exact; query.width()];
    for select in query.body.selects() {
        for (known, item) in columns.iter_mut().zip(&select.items) {
            let found = tolerance(&item.expr);
            if found != Tolerance::Exact
                && (found != Tolerance::Quotient || against == Against::Postgres)
            {
                *known = found;
            }
        }
    }
    let sorted_by: Vec<usize> = query.order_by.iter().map(|s| s.column).collect();
    let total = (0..query.width()).all(|c| sorted_by.contains(&c));
    Rule {
        any_rows: (query.limit.is_some() || query.offset.is_some()) && !total,
        sorted_by,
        columns,
        errors_free: errors_free(query),
        ..Rule::default()
    }
}

/// How exact an expression is.
pub fn tolerance(expr: &Expr) -> Tolerance {
    match &expr.kind {
        Kind::Column(column) => return column.tolerance,
        Kind::Binary { op: "/", .. } if matches!(expr.ty, Ty::Numeric(..)) => {
            return Tolerance::Quotient;
        }
        Kind::Aggregate { name, arg, .. } if matches!(*name, "sum" | "avg") => match arg {
            Some(arg) if arg.ty == Ty::Float => return Tolerance::FloatSum,
            Some(_) if *name == "avg" => return Tolerance::Quotient,
            _ => {}
        },
        Kind::Window { name, args, .. } if matches!(*name, "sum" | "avg") => match args.first() {
            Some(arg) if arg.ty == Ty::Float => return Tolerance::FloatSum,
            Some(_) if *name == "avg" => return Tolerance::Quotient,
            _ => {}
        },
        Kind::Scalar(query) => {
            if let Some(item) = query.body.first().items.first() {
                return tolerance(&item.expr);
            }
        }
        _ => {}
    }
    expr.children()
        .into_iter()
        .map(tolerance)
        .find(|t| *t != Tolerance::Exact)
        .unwrap_or_default()
}

/// Why PostgreSQL may evaluate what can fail in another order, or not at all; `None` if every
/// order must fail alike.
pub fn errors_free(query: &Query) -> Option<&'static str> {
    let mut risky = 0;
    let mut under_logic = false;
    let mut several_conjuncts = false;
    let mut limited = false;
    let mut combined = false;
    query.visit(&mut |q| {
        limited |= q.limit.is_some();
        combined |= matches!(q.body, Body::Set { .. });
        for select in q.body.selects() {
            combined |= !matches!(select.from, From::Table { .. });
            let in_filter: usize = select
                .filter
                .iter()
                .map(|e| risks(e, &mut under_logic))
                .sum();
            let elsewhere: usize = select
                .exprs()
                .iter()
                .map(|e| risks(e, &mut under_logic))
                .sum::<usize>()
                - in_filter;
            several_conjuncts |= in_filter > 0 && select.filter.len() > 1;
            risky += in_filter + elsewhere;
            combined |= select
                .exprs()
                .iter()
                .any(|e| e.any(&mut |e| e.subquery().is_some()));
        }
    });
    if risky == 0 {
        None
    } else if limited {
        Some("the row that fails may lie behind the LIMIT")
    } else if combined {
        Some("a join, subquery or set operation may not reach the row that fails")
    } else if several_conjuncts || under_logic {
        Some("operands of AND and OR are evaluated in any order")
    } else if risky > 1 {
        Some("which of two failures comes first is open")
    } else {
        None
    }
}

/// Operations below `expr` that the data may make fail.
fn risks(expr: &Expr, under_logic: &mut bool) -> usize {
    let below: usize = expr
        .children()
        .into_iter()
        .map(|child| risks(child, under_logic))
        .sum();
    let own = match expr.kind {
        Kind::Binary { may_fail, .. } | Kind::Cast { may_fail, .. } => may_fail,
        // The least integer of a type has no positive.
        Kind::Call { name: "abs", .. } => matches!(expr.ty, Ty::Int2 | Ty::Int4 | Ty::Int8),
        _ => false,
    };
    if below > 0
        && matches!(
            expr.kind,
            Kind::Binary {
                op: "AND" | "OR",
                ..
            } | Kind::InList { .. }
                | Kind::Quantified { .. }
        )
    {
        *under_logic = true;
    }
    below + usize::from(own)
}
