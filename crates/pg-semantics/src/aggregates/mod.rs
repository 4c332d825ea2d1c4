//! Aggregates whose PostgreSQL meaning is not DataFusion's.

mod avg;
mod sum;
mod sum_state;

use std::sync::{Arc, LazyLock};

use datafusion::functions_aggregate::variance::var_samp_udaf;
use datafusion::logical_expr::AggregateUDF;

/// Those that a session knows in place of DataFusion's, or beside them.
pub(crate) fn all() -> Vec<Arc<AggregateUDF>> {
    vec![
        sum_udaf(),
        Arc::new(AggregateUDF::from(avg::Avg::new())),
        // PostgreSQL's older name for the same.
        Arc::new(var_samp_udaf().as_ref().clone().with_aliases(["variance"])),
    ]
}

/// `sum`, with PostgreSQL's result types and a check against overflow.
pub(crate) fn sum_udaf() -> Arc<AggregateUDF> {
    static SUM: LazyLock<Arc<AggregateUDF>> =
        LazyLock::new(|| Arc::new(AggregateUDF::from(sum::Sum::new())));
    Arc::clone(&SUM)
}
