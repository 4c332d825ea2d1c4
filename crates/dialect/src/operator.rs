//! Which nodes of a plan a dialect can write, apart from the expressions in them.

use datafusion_common::{JoinType, NullEquality};
use datafusion_expr::{Aggregate, Distinct, Expr, FetchType, Join, Limit, LogicalPlan, SkipType};
use inflowave_connector_api::{Scope, Support};

use crate::Dialect;
use crate::value::{Answer, Kind, RawColumn, Refusal, Value, refuse};

/// Deeper plans are not pushed whole: each level costs stack here and at the source.
const DEPTH_MAX: usize = 150;

/// What is compiled may be deeper: not every node is asked for.
pub(crate) const COMPILED_DEPTH_MAX: usize = 3 * DEPTH_MAX;

/// Can `d` run the node itself (its kind of join, a union, a window, how it limits), apart from the
/// expressions that it holds and from its inputs?
pub fn operator(d: &dyn Dialect, plan: &LogicalPlan) -> Support {
    if is_deeper(plan, DEPTH_MAX) {
        return Support::no(format!(
            "a plan deeper than {DEPTH_MAX} nodes is not sent in one piece"
        ));
    }
    match node(d, plan) {
        Ok(()) => Support::Exact,
        Err(Refusal(reason)) => Support::No(reason),
    }
}

/// Walked without recursion: the plan may be deeper than the stack.
pub(crate) fn is_deeper(plan: &LogicalPlan, depth_max: usize) -> bool {
    let mut stack = vec![(plan, 1)];
    while let Some((node, depth)) = stack.pop() {
        if depth > depth_max {
            return true;
        }
        stack.extend(node.inputs().into_iter().map(|input| (input, depth + 1)));
    }
    false
}

/// The answer for one node, its depth apart.
pub(crate) fn node(d: &dyn Dialect, plan: &LogicalPlan) -> Answer<()> {
    match plan {
        LogicalPlan::TableScan(scan) if scan.filters.is_empty() => Ok(()),
        LogicalPlan::TableScan(_) => refuse("a filter inside of a scan"),
        LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Projection(_)
        | LogicalPlan::Sort(_) => Ok(()),
        LogicalPlan::Aggregate(aggregate) => grouping(aggregate),
        LogicalPlan::Distinct(Distinct::All(input)) => distinct(d, input),
        LogicalPlan::Distinct(Distinct::On(_)) => refuse("DISTINCT ON is computed here"),
        LogicalPlan::Limit(limit) => constant_limit(limit),
        LogicalPlan::Join(join) => paired(d, join),
        LogicalPlan::Union(union) => {
            for input in &union.inputs {
                branch(d, input)?;
            }
            Ok(())
        }
        LogicalPlan::Window(_) => d.windows(),
        other => refuse(format!("{} is computed here", other.display())),
    }
}

fn grouping(aggregate: &Aggregate) -> Answer<()> {
    if aggregate
        .group_expr
        .iter()
        .any(|e| matches!(e, Expr::GroupingSet(_)))
    {
        return refuse("GROUPING SETS, CUBE and ROLLUP are computed here");
    }
    if aggregate.group_expr.is_empty() && aggregate.aggr_expr.is_empty() {
        return refuse("an aggregate of nothing is computed here");
    }
    Ok(())
}

fn distinct(d: &dyn Dialect, input: &LogicalPlan) -> Answer<()> {
    if input.schema().fields().is_empty() {
        return refuse("DISTINCT over no column is computed here");
    }
    let scope = Scope::of(input);
    for column in input.schema().columns() {
        let place = inflowave_connector_api::Place::GroupKey;
        crate::supports::answer(d, &Expr::Column(column), place, &scope)?;
    }
    Ok(())
}

fn constant_limit(limit: &Limit) -> Answer<()> {
    match (limit.get_skip_type(), limit.get_fetch_type()) {
        (Ok(SkipType::Literal(_)), Ok(FetchType::Literal(_))) => Ok(()),
        _ => refuse("a limit that is not constant is computed here"),
    }
}

fn paired(d: &dyn Dialect, join: &Join) -> Answer<()> {
    if join.null_aware {
        return refuse("NOT IN over a subquery that can give NULL is computed here");
    }
    if matches!(join.join_type, JoinType::LeftMark | JoinType::RightMark) {
        return refuse("a mark join has no SQL");
    }
    d.join(join.join_type)?;
    if join.null_equality == NullEquality::NullEqualsNull {
        let (left, right) = (Scope::of(&join.left), Scope::of(&join.right));
        if join
            .on
            .iter()
            .any(|(l, r)| left.nullable(l) && right.nullable(r))
        {
            d.joins_nulls()?;
        }
    }
    Ok(())
}

/// Above a union nothing is known of where a column comes from, so that each must already be a
/// value of our type below.
fn branch(d: &dyn Dialect, input: &LogicalPlan) -> Answer<()> {
    for (facts, field) in Scope::of(input)
        .facts
        .into_iter()
        .zip(input.schema().fields())
    {
        let value = Value::computed(String::new(), facts.data_type.clone());
        match value.kind()? {
            Kind::Null => return refuse("a union over columns without a type is computed here"),
            _ if facts.origin.is_none() => {}
            _ => {
                let name = field.name();
                d.column(&RawColumn {
                    sql: String::new(),
                    facts,
                })
                .map_err(|r| Refusal::new(format!("in a union, {name}: {}", r.0)))?;
            }
        }
    }
    Ok(())
}
