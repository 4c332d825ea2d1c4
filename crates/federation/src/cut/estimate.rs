//! Rough row estimates. They decide where work runs, never what the answer is.

use datafusion::logical_expr::{BinaryExpr, Expr, JoinType, Operator};

/// Rows that pass `conjuncts`.
pub(super) fn filter(rows: Option<f64>, conjuncts: &[Expr]) -> Option<f64> {
    Some(
        conjuncts
            .iter()
            .fold(rows?, |rows, c| rows * selectivity(c)),
    )
}

fn selectivity(conjunct: &Expr) -> f64 {
    match conjunct {
        Expr::BinaryExpr(BinaryExpr {
            op: Operator::Eq, ..
        }) => 0.05,
        Expr::InList(list) if !list.negated => (0.05 * list.list.len() as f64).min(0.5),
        Expr::IsNull(_) => 0.1,
        _ => 0.33,
    }
}

/// Groups of `keys` keys.
pub(super) fn aggregate(rows: Option<f64>, keys: usize) -> Option<f64> {
    match keys {
        0 => Some(1.0),
        n => Some(rows?.powf(1.0 - 0.5_f64.powi(i32::try_from(n).unwrap_or(30)))),
    }
}

/// Rows of a join on equal keys, taken as a foreign key's.
pub(super) fn join(left: Option<f64>, right: Option<f64>, kind: JoinType) -> Option<f64> {
    match kind {
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => Some(left? * 0.5),
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => Some(right? * 0.5),
        _ => Some(left?.max(right?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::{col, lit};

    #[test]
    fn each_conjunct_leaves_fewer_rows() {
        let conjuncts = [col("a").eq(lit(1)), col("b").gt(lit(2))];
        let one = filter(Some(1000.0), &conjuncts[..1]).unwrap();
        let two = filter(Some(1000.0), &conjuncts).unwrap();
        assert!(1000.0 > one && one > two && two > 0.0, "{one} {two}");
        assert_eq!(filter(None, &conjuncts), None);
    }
}
