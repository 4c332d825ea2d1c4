//! The cut: the largest fragments that sources can run with our meaning.
//!
//! Bottom up, each node becomes a [`Piece`]: `Remote` while everything below it belongs to one
//! source, else `Local`. A node joins the remote piece below it if the source answers `Exact` for
//! all that it holds; what it refuses stays local above, and the refusal is kept with its reason.
//! A filter that is only a superset is pushed and kept, which makes its piece local: nothing that
//! depends on exact rows may be pushed above it.
//!
//! One file for each kind of node; [`regroup`] first brings the relations of one source together.

mod aggregate;
mod estimate;
mod filter;
mod join;
mod limit;
mod projection;
mod regroup;
mod set;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, TableScan};
use inflowave_connector_api::{
    Capability, Fragment, RemoteSource, Scope, Support, TableStatistics,
};
use inflowave_types::Error;

use crate::{Pushdown, Refusal, RemoteScanNode};

/// Replaces every scan of a remote table by a fragment of its source. With `Pushdown::Off` a
/// fragment is a scan of columns and nothing else.
///
/// # Errors
/// `XX000` if a source cannot compile what it said it supports.
pub fn cut(plan: LogicalPlan, pushdown: Pushdown) -> Result<LogicalPlan> {
    piece(plan, pushdown)?.finish()
}

/// A plan that has been cut, or still belongs to one source whole.
enum Piece {
    Remote(Box<Remote>),
    Local(LogicalPlan),
}

/// A plan that one source can run whole.
struct Remote {
    plan: LogicalPlan,
    source: Arc<dyn RemoteSource>,
    pushed: Vec<String>,
    refused: Vec<Refusal>,
    /// Rows of the plan, estimated; `None` when nothing is known.
    rows: Option<f64>,
}

impl Piece {
    /// A plan without remote tables.
    fn finish(self) -> Result<LogicalPlan> {
        match self {
            Piece::Local(plan) => Ok(plan),
            Piece::Remote(remote) => remote.finish(),
        }
    }
}

impl Remote {
    fn scope(&self) -> Scope {
        Scope::of(&self.plan)
    }

    fn can(&self, capability: Capability) -> bool {
        self.source.descriptor().capabilities.contains(&capability)
    }

    /// The source's answer for a node that would stand on this plan, its expressions apart.
    fn node(&self, capability: Capability, node: &LogicalPlan) -> Support {
        if self.can(capability) {
            self.source.supports_node(node)
        } else {
            Support::no(format!(
                "{} does not run this: {capability}",
                self.source.descriptor().name
            ))
        }
    }

    fn refuse(&mut self, what: impl Into<String>, reason: impl Into<String>) {
        let refusal = Refusal {
            what: what.into(),
            reason: reason.into(),
        };
        if !self.refused.contains(&refusal) {
            self.refused.push(refusal);
        }
    }

    /// This plan with `plan` as its new top.
    fn grown(mut self, plan: LogicalPlan, pushed: String, rows: Option<f64>) -> Remote {
        self.plan = plan;
        self.pushed.push(pushed);
        self.rows = rows;
        self
    }

    fn finish(self) -> Result<LogicalPlan> {
        let fragment = Fragment::new(self.plan.clone()).map_err(external)?;
        let query = match self.source.compile(&fragment) {
            Ok(query) => query,
            // What its parts promised the whole does not hold: it runs here, and says so.
            Err(error) if !matches!(self.plan, LogicalPlan::TableScan(_)) => {
                tracing::warn!(catalog = fragment.catalog(), %error, "a fragment was not compiled");
                return refused(cut(self.plan, Pushdown::Off)?, error.message());
            }
            Err(error) => return Err(external(error)),
        };
        let rows = self.rows.map(|rows| rows.max(1.0) as u64);
        let node = RemoteScanNode::new(fragment, query, self.pushed, self.refused, rows);
        Ok(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        }))
    }
}

/// The plan with a refusal of the whole at each of its scans.
fn refused(plan: LogicalPlan, reason: &str) -> Result<LogicalPlan> {
    let refusal = Refusal {
        what: "the query as a whole".to_owned(),
        reason: reason.to_owned(),
    };
    Ok(plan
        .transform_up(|node| {
            let LogicalPlan::Extension(extension) = &node else {
                return Ok(Transformed::no(node));
            };
            let Some(scan) = extension.node.as_any().downcast_ref::<RemoteScanNode>() else {
                return Ok(Transformed::no(node));
            };
            let mut scan = scan.clone();
            scan.refused.push(refusal.clone());
            Ok(Transformed::yes(LogicalPlan::Extension(Extension {
                node: Arc::new(scan),
            })))
        })?
        .data)
}

fn piece(plan: LogicalPlan, pushdown: Pushdown) -> Result<Piece> {
    // Subqueries that the optimizer left inside expressions are plans of their own.
    let plan = plan
        .map_subqueries(|subquery| Ok(Transformed::yes(cut_children(subquery, pushdown)?)))?
        .data;
    if pushdown == Pushdown::Off {
        return match plan {
            LogicalPlan::TableScan(scan) => Ok(Piece::Local(scan_piece(scan, pushdown)?.finish()?)),
            other => cut_children(other, pushdown).map(Piece::Local),
        };
    }
    match plan {
        LogicalPlan::TableScan(scan) => scan_piece(scan, pushdown),
        LogicalPlan::Filter(filter) => filter::cut(filter, pushdown),
        LogicalPlan::Projection(projection) => projection::cut(projection, pushdown),
        LogicalPlan::Aggregate(aggregate) => aggregate::cut(aggregate, pushdown),
        LogicalPlan::Distinct(distinct) => aggregate::cut_distinct(distinct, pushdown),
        LogicalPlan::Window(window) => aggregate::cut_window(window, pushdown),
        LogicalPlan::Limit(limit) => limit::cut(limit, pushdown),
        LogicalPlan::Sort(sort) => limit::cut_sort(sort, pushdown),
        LogicalPlan::Join(join) => join::cut(join, pushdown),
        LogicalPlan::Union(union) => set::cut(union, pushdown),
        LogicalPlan::SubqueryAlias(alias) => set::cut_alias(alias, pushdown),
        other => cut_children(other, pushdown).map(Piece::Local),
    }
}

/// The node stays here; what is below it is cut.
fn cut_children(plan: LogicalPlan, pushdown: Pushdown) -> Result<LogicalPlan> {
    Ok(plan
        .map_children(|child| Ok(Transformed::yes(cut(child, pushdown)?)))?
        .data)
}

fn scan_piece(mut scan: TableScan, pushdown: Pushdown) -> Result<Piece> {
    let Some(table) = inflowave_connector_api::remote_table(&scan).cloned() else {
        return Ok(Piece::Local(LogicalPlan::TableScan(scan)));
    };
    // The optimizer leaves the limit above the scan too; a filter it never puts here, because the
    // table answers that it takes none.
    let fetch = scan.fetch.take();
    let mut remote = Remote {
        pushed: vec![format!("columns: {}", columns(&scan))],
        plan: LogicalPlan::TableScan(scan),
        source: Arc::clone(&table.source),
        refused: Vec::new(),
        rows: rows(&table.statistics),
    };
    if let Some(fetch) = fetch
        && pushdown != Pushdown::Off
    {
        remote = limit::fetch(remote, fetch)?;
    }
    Ok(Piece::Remote(Box::new(remote)))
}

fn rows(statistics: &TableStatistics) -> Option<f64> {
    statistics.rows.map(|rows| rows as f64)
}

fn columns(scan: &TableScan) -> String {
    let names: Vec<_> = scan
        .projected_schema
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// An expression as a user would write it.
fn display(expr: &Expr) -> String {
    expr.human_display().to_string()
}

fn list(exprs: &[Expr]) -> String {
    exprs.iter().map(display).collect::<Vec<_>>().join(", ")
}

/// Subqueries inside expressions are plans of their own and are not pushed with the expression.
fn has_subquery(expr: &Expr) -> bool {
    let mut found = false;
    // The closure never fails.
    let _ = expr.apply(|e| {
        found |= matches!(
            e,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::Placeholder(_)
        );
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    found
}

/// The source's answer for one expression, volatile functions and subqueries refused beforehand.
fn ask(
    remote: &Remote,
    expr: &Expr,
    place: inflowave_connector_api::Place,
    scope: &Scope,
) -> Support {
    if has_subquery(expr) {
        return Support::no("it holds a subquery that runs by itself");
    }
    if expr.is_volatile() {
        return Support::no("it is volatile: each row must get its value here");
    }
    remote.source.supports(expr, place, scope)
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
