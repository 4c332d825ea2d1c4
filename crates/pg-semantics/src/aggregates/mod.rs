//! Aggregates whose PostgreSQL meaning is not DataFusion's.

mod sum;
mod sum_state;

use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::AggregateUDF;

/// `sum`, with PostgreSQL's result types and a check against overflow.
pub(crate) fn sum_udaf() -> Arc<AggregateUDF> {
    static SUM: LazyLock<Arc<AggregateUDF>> =
        LazyLock::new(|| Arc::new(AggregateUDF::from(sum::Sum::new())));
    Arc::clone(&SUM)
}
