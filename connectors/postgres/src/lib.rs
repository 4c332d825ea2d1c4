//! PostgreSQL as a source.
//!
//! **Owns**: sessions at the server and their pool, its system catalog, the mapping of its types,
//! the decoding of its rows into Arrow, cancelling. What may be pushed and how it is written stands
//! in `inflowave-dialect`.
//! **Never**: writes. Every session is read-only, and no statement of ours could be another.
//! **Start reading at**: [`PostgresConnector`], then `source`, then `scan`.
//!
//! # Limits
//! PostgreSQL 12 or later; no TLS yet; text is compared at the source only in databases
//! with the encoding UTF8. `infinity` in dates and timestamps, the time `24:00:00`, a `NaN` in a
//! `numeric` and an array with more than one dimension have no place in Arrow: reading one is an
//! error that names table, column and value. Sessions have only `pg_catalog` in
//! their search path, which a function behind a view may not expect.

mod bind;
mod catalog;
mod client;
mod decode;
mod error;
mod params;
mod scan;
mod source;
mod types;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use inflowave_connector_api::{Capability, Connector, Descriptor, OpenContext, Params, Source};
use inflowave_types::Result;

/// `connector = "postgres"`.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostgresConnector;

static DESCRIPTOR: Descriptor = Descriptor {
    name: "postgres",
    doc: "A database of a PostgreSQL server, version 12 or later.",
    tried_with: "PostgreSQL 15",
    params: params::SPECS,
    capabilities: Capability::ALL,
    snapshots: true,
};

#[async_trait]
impl Connector for PostgresConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn open(&self, params: Params, context: OpenContext) -> Result<Arc<dyn Source>> {
        let settings = params::Settings::read(&params)
            .map_err(|e| e.context(format_args!("catalog \"{}\"", context.catalog)))?;
        Ok(Arc::new(source::PostgresSource::new(settings, context)))
    }
}
