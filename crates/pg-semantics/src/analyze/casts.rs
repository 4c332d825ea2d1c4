//! Casts that can fail, or that PostgreSQL does otherwise, become `pg_cast`.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable};

use crate::cast::{cast_function, stays_plain};

/// Replaces the casts of an expression whose columns are those of `schema`.
pub(super) fn checked(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    expr.transform_up(|e| {
        let Expr::Cast(Cast { expr, field }) = e else {
            return Ok(Transformed::no(e));
        };
        let from = expr.get_type(schema)?;
        if stays_plain(&from, &field) {
            return Ok(Transformed::no(Expr::Cast(Cast { expr, field })));
        }
        let function = cast_function(&from, &field)?;
        Ok(Transformed::yes(Expr::ScalarFunction(
            ScalarFunction::new_udf(function, vec![*expr]),
        )))
    })
}
