//! The cut: which part of a plan each source runs, and the nodes that run it.
//!
//! **Owns**: the cut of a finished logical plan into remote fragments, the scan that streams a
//! fragment's rows, the rows of `EXPLAIN (FEDERATION)`.
//! **Never**: a driver, a protocol, the text of a query (a source compiles its own).
//! **Start reading at**: [`FederationPlanner`], then [`cut::cut`].
//!
//! The cut runs once, in the query planner, on the plan that DataFusion's optimizer has finished
//! with. A rule among the optimizer's would cut a plan that is not settled (rules run up to
//! `max_passes` times), and a physical rule would come too late: the algebra of joins and
//! aggregates is gone by then.

pub mod cut;

mod context;
mod exec;
mod explain;
mod node;
mod planner;
mod snapshots;

pub use context::{FederationContext, Pushdown, RemoteObserver, RemoteStart};
pub use exec::RemoteScanExec;
pub use explain::{ExplainRow, explain};
pub use node::{Refusal, RemoteScanNode};
pub use planner::FederationPlanner;
pub use snapshots::Snapshots;
