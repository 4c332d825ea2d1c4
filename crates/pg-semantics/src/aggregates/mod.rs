//! Aggregates whose PostgreSQL meaning is not DataFusion's.

mod avg;
mod extreme;
mod first_two;
mod frame;
mod in_order;
mod ordered_set;
mod sum;
mod sum_state;

use std::sync::{Arc, LazyLock};

use datafusion::functions_aggregate::bool_and_or::bool_and_udaf;
use datafusion::functions_aggregate::variance::var_samp_udaf;
use datafusion::logical_expr::AggregateUDF;

use extreme::{End, FloatExtreme};
use ordered_set::{Kind, OrderedSet};

/// Those that a session knows in place of DataFusion's, or beside them.
pub(crate) fn all() -> Vec<Arc<AggregateUDF>> {
    vec![
        sum_udaf(),
        Arc::new(AggregateUDF::from(avg::Avg::new())),
        // PostgreSQL's older name for the same.
        Arc::new(AggregateUDF::from(OrderedSet::new(Kind::Continuous))),
        Arc::new(AggregateUDF::from(OrderedSet::new(Kind::Discrete))),
        Arc::new(AggregateUDF::from(OrderedSet::new(Kind::Mode))),
        Arc::new(bool_and_udaf().as_ref().clone().with_aliases(["every"])),
        Arc::new(var_samp_udaf().as_ref().clone().with_aliases(["variance"])),
    ]
}

/// `min` or `max` over floats, in place of DataFusion's `func`.
pub(crate) fn of_floats(func: &AggregateUDF) -> Option<Arc<AggregateUDF>> {
    static MIN: LazyLock<Arc<AggregateUDF>> =
        LazyLock::new(|| Arc::new(AggregateUDF::from(FloatExtreme::new(End::Min))));
    static MAX: LazyLock<Arc<AggregateUDF>> =
        LazyLock::new(|| Arc::new(AggregateUDF::from(FloatExtreme::new(End::Max))));
    match func.name() {
        "min" => Some(Arc::clone(&MIN)),
        "max" => Some(Arc::clone(&MAX)),
        _ => None,
    }
}

/// Does it want `WITHIN GROUP`?
pub(crate) fn is_ordered_set(func: &AggregateUDF) -> bool {
    func.inner().downcast_ref::<OrderedSet>().is_some()
}

/// An aggregate whose result shows the order of its rows, over a window.
pub(crate) fn in_order(func: &Arc<AggregateUDF>) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(in_order::InOrder(Arc::clone(func))))
}

/// The first two values of a group.
pub(crate) fn first_two_udaf() -> Arc<AggregateUDF> {
    static FIRST_TWO: LazyLock<Arc<AggregateUDF>> =
        LazyLock::new(|| Arc::new(AggregateUDF::from(first_two::FirstTwo::new())));
    Arc::clone(&FIRST_TWO)
}

/// `sum`, with PostgreSQL's result types and a check against overflow.
pub(crate) fn sum_udaf() -> Arc<AggregateUDF> {
    static SUM: LazyLock<Arc<AggregateUDF>> =
        LazyLock::new(|| Arc::new(AggregateUDF::from(sum::Sum::new())));
    Arc::clone(&SUM)
}
