//! What can fail is not computed for rows that a condition beside it leaves out.
//!
//! `WHERE b <> 0 AND a / b > 1` never fails in PostgreSQL as people use it: it evaluates from left
//! to right and stops. DataFusion 55.2 evaluates both sides of `AND` over whole batches. Here the
//! operands that cannot fail are evaluated first, and the others only for the rows that are left:
//! by `CASE`, which is evaluated row by row.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{Case, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, lit};

/// Functions of DataFusion that have an answer for every argument.
const NEVER_FAIL: &[&str] = &[
    "ascii",
    "bit_length",
    "btrim",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "greatest",
    "initcap",
    "least",
    "left",
    "lower",
    "ltrim",
    "md5",
    "now",
    "nullif",
    "octet_length",
    "pg_or_null",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "starts_with",
    "strpos",
    "translate",
    "upper",
];

/// Is there a row for which `expr` is an error?
pub fn can_fail(expr: &Expr) -> bool {
    let mut risky = false;
    // The closure never fails.
    let _ = expr.apply(|e| {
        risky |= match e {
            Expr::ScalarFunction(call) => !never_fails(call),
            Expr::BinaryExpr(b) => {
                matches!(b.op, Operator::Divide | Operator::Modulo) && !is_harmless(&b.right)
            }
            Expr::SetComparison(_) => true,
            _ => false,
        };
        Ok(if risky {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    risky
}

fn never_fails(call: &ScalarFunction) -> bool {
    match (call.func.name(), call.args.as_slice()) {
        ("substr", [_, _]) => true,
        // A negative length is an error.
        ("substr", [_, _, Expr::Literal(length, _)]) => length
            .cast_to(&DataType::Int64)
            .is_ok_and(|n| !matches!(n, ScalarValue::Int64(Some(n)) if n < 0)),
        (name, _) => NEVER_FAIL.contains(&name),
    }
}

/// A divisor that is neither 0 nor, as the one that overflows, -1.
fn is_harmless(divisor: &Expr) -> bool {
    match divisor {
        Expr::Literal(value, _) => value
            .cast_to(&DataType::Float64)
            .is_ok_and(|v| matches!(v, ScalarValue::Float64(Some(v)) if v != 0.0 && v != -1.0)),
        _ => false,
    }
}

/// Guards every condition of a node.
pub(super) fn conditions(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Filter(mut filter) => {
            filter.predicate = when_true(filter.predicate)?;
            Ok(LogicalPlan::Filter(filter))
        }
        LogicalPlan::Join(mut join) => {
            join.filter = join.filter.map(when_true).transpose()?;
            Ok(LogicalPlan::Join(join))
        }
        // Its filters only save reading; they stand in a node above it too.
        scan @ LogicalPlan::TableScan(_) => Ok(scan),
        other => {
            let names = NamePreserver::new(&other);
            Ok(other
                .map_expressions(|e| {
                    let name = names.save(&e);
                    Ok(exactly(e)?.update_data(|e| name.restore(e)))
                })?
                .data)
        }
    }
}

/// A condition of which only `true` counts: NULL may become `false`.
#[recursive::recursive]
fn when_true(e: Expr) -> Result<Expr> {
    let op = match &e {
        Expr::BinaryExpr(b) if is_logic(b.op) && can_fail(&e) => b.op,
        _ => return Ok(exactly(e)?.data),
    };
    let (safe, risky) = operands(e, op);
    let mut risky = risky
        .into_iter()
        .map(when_true)
        .collect::<Result<Vec<_>>>()?;
    let Some(mut last) = risky.pop() else {
        return Ok(united(safe, op).unwrap_or_else(|| lit(op == Operator::And)));
    };
    let safe = united(safe, op);
    // From the last one outwards, each is asked only if those before it leave the row open.
    for first in risky.into_iter().rev().chain(safe.clone()) {
        last = match op {
            Operator::And => case(first, last, lit(false)),
            _ => case(first, lit(true), last),
        };
    }
    Ok(match (safe, op) {
        // Said a second time, where indexes and statistics of files can be used for it.
        (Some(safe), Operator::And) => safe.and(last),
        _ => last,
    })
}

/// An expression whose NULLs count.
fn exactly(e: Expr) -> Result<Transformed<Expr>> {
    e.transform_down(|e| {
        if !can_fail(&e) {
            return Ok(Transformed::new(e, false, TreeNodeRecursion::Jump));
        }
        let op = match &e {
            Expr::BinaryExpr(b) if is_logic(b.op) => b.op,
            _ => return Ok(Transformed::no(e)),
        };
        let (safe, risky) = operands(e, op);
        let risky = risky
            .into_iter()
            .map(|operand| Ok(exactly(operand)?.data))
            .collect::<Result<Vec<_>>>()?;
        let risky = united(risky, op).unwrap_or_else(|| lit(op == Operator::And));
        let guarded = match united(safe, op) {
            None => risky,
            Some(safe) => {
                let decided = match op {
                    Operator::And => Expr::IsFalse(Box::new(safe.clone())),
                    _ => Expr::IsTrue(Box::new(safe.clone())),
                };
                let whole = BinaryExpr::new(Box::new(safe), op, Box::new(risky));
                case(decided, lit(op == Operator::Or), Expr::BinaryExpr(whole))
            }
        };
        Ok(Transformed::new(guarded, true, TreeNodeRecursion::Jump))
    })
}

fn is_logic(op: Operator) -> bool {
    matches!(op, Operator::And | Operator::Or)
}

/// The operands of a chain of `op` in their order: those that cannot fail, and those that can.
fn operands(e: Expr, op: Operator) -> (Vec<Expr>, Vec<Expr>) {
    let mut all = Vec::new();
    let mut open = vec![e];
    while let Some(e) = open.pop() {
        match e {
            Expr::BinaryExpr(b) if b.op == op => {
                open.push(*b.right);
                open.push(*b.left);
            }
            other => all.push(other),
        }
    }
    all.into_iter().partition(|e| !can_fail(e))
}

fn united(all: Vec<Expr>, op: Operator) -> Option<Expr> {
    match op {
        Operator::And => conjunction(all),
        _ => disjunction(all),
    }
}

fn case(when: Expr, then: Expr, otherwise: Expr) -> Expr {
    Expr::Case(Case {
        expr: None,
        when_then_expr: vec![(Box::new(when), Box::new(then))],
        else_expr: Some(Box::new(otherwise)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::col;

    fn shown(e: Expr) -> String {
        when_true(e).unwrap().to_string()
    }

    fn risky(name: &str) -> Expr {
        (lit(1_i64) / col(name)).gt(lit(2_i64))
    }

    #[test]
    fn what_cannot_fail_comes_first_and_decides() {
        let e = risky("b").and(col("b").not_eq(lit(0_i64)));
        assert_eq!(
            shown(e),
            "b != Int64(0) AND CASE WHEN b != Int64(0) THEN Int64(1) / b > Int64(2) \
             ELSE Boolean(false) END"
        );
        let e = col("b").eq(lit(0_i64)).or(risky("b"));
        assert_eq!(
            shown(e),
            "CASE WHEN b = Int64(0) THEN Boolean(true) ELSE Int64(1) / b > Int64(2) END"
        );
    }

    #[test]
    fn below_not_a_null_is_kept() {
        let e = Expr::Not(Box::new(col("x").and(risky("b"))));
        assert_eq!(
            shown(e),
            "NOT CASE WHEN x IS FALSE THEN Boolean(false) \
             ELSE x AND Int64(1) / b > Int64(2) END"
        );
    }

    #[test]
    fn what_cannot_fail_stays_as_it_is() {
        let e = col("a")
            .eq(lit(1_i64))
            .and((col("b") % lit(2_i64)).eq(lit(0_i64)));
        assert_eq!(shown(e.clone()), e.to_string());
        assert!(!can_fail(&e));
    }
}
