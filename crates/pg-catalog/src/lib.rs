//! `pg_catalog` and `information_schema`, laid over every catalog.
//!
//! **Owns**: the relations that PostgreSQL's clients look around with, their OIDs, the functions
//! over them, and the types whose values are OIDs that are printed as names.
//! **Never**: a source, a protocol. What there is is asked of the engine's catalogs.
//! **Start reading at**: [`PgCatalog`], then `snapshot`, which is what one statement sees, and
//! `rows`.
//!
//! A relation has PostgreSQL 15's columns. Those of what this server does not have (indexes,
//! triggers, policies, ..) have no rows. Nothing is asked of a source before a relation or a
//! function needs it, and then only of the catalog that is spoken of: a source that is down does
//! not hide the tables of another.

mod analyze;
mod data;
mod functions;
mod oid;
mod procedures;
mod relation;
mod rows;
mod snapshot;
mod type_name;
mod value;

use std::sync::{Arc, OnceLock};

use datafusion::catalog::TableFunction;
use datafusion::logical_expr::ScalarUDF;
use datafusion::optimizer::AnalyzerRule;
use inflowave_engine::{Extension, Overlay, StatementView};

use crate::procedures::Procedures;
use crate::snapshot::{Laid, Snapshot};

/// The schemas; names without one are looked up in the first.
pub(crate) const SCHEMAS: [&str; 2] = ["pg_catalog", "information_schema"];
/// The role that owns what the server has.
pub(crate) const OWNER_NAME: &str = "inflowave";

/// The extension, for the composition root.
#[derive(Debug, Default)]
pub struct PgCatalog {
    /// Functions do not change while a server runs.
    procedures: Arc<OnceLock<Procedures>>,
}

impl Extension for PgCatalog {
    fn name(&self) -> &'static str {
        "pg_catalog"
    }

    fn analyzer_rules(&self) -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
        vec![Arc::new(analyze::CatalogTypes)]
    }

    fn functions(&self) -> Vec<Arc<ScalarUDF>> {
        functions::all()
    }

    fn table_functions(&self) -> Vec<Arc<TableFunction>> {
        vec![relation::time_zones(), relation::keywords()]
    }

    fn overlay(&self, statement: &StatementView) -> Option<Arc<dyn Overlay>> {
        let procedures = Arc::clone(&self.procedures);
        let snapshot = Snapshot::new(statement.clone(), procedures);
        Some(Arc::new(Laid(Arc::new(snapshot))))
    }
}
