//! MySQL and MariaDB as a source: their tables read over the binary protocol, queries pushed as
//! far as their meaning is ours.
//!
//! **Owns**: sessions and their set-up, the mapping of MySQL's types, cancellation at the source.
//! **Never**: a SQL text of its own for fragments (`dialect` writes it), writes to the source.
//! **Start reading at**: [`MySqlConnector`], then `scan`, then `types` for the table of types.
//!
//! # Limits
//! No TLS and no `ed25519` login yet; a row has at most 256 MiB; MariaDB's `json` is text,
//! because the server stores it as `longtext`; names are taken as the server lists them, in lower
//! case where `lower_case_table_names` is 1. Of a pool of n sessions a statement needs one for each
//! scan that runs at the same time.

mod params;

mod client;
mod error;
mod session;

mod catalog;
mod types;

mod pushdown;

mod decimal;
mod decode;
mod scan;
mod temporal;
mod wire;

#[cfg(test)]
mod live;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion_expr::{Expr, LogicalPlan};
use inflowave_connector_api::{
    BatchStream, Capability, Connector, Descriptor, Fragment, OpenContext, Params, Place,
    RemoteQuery, RemoteSource, RemoteTable, ScanContext, Scope, Source, Support, Table, TableName,
};
use inflowave_types::Result;

use crate::client::Client;
use crate::params::{SPECS, Settings};

/// `connector = "mysql"`.
#[derive(Debug, Clone, Copy, Default)]
pub struct MySqlConnector;

/// What is known before a server is asked.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "mysql",
    doc: "MySQL 5.7 and later, MariaDB 10.2 and later.",
    tried_with: "MariaDB 10.11",
    params: SPECS,
    capabilities: &[
        Capability::Projection,
        Capability::Filter,
        Capability::Expressions,
        Capability::Limit,
        Capability::TopN,
        Capability::Aggregate,
        Capability::Distinct,
        Capability::InnerJoin,
        Capability::OuterJoin,
        Capability::SemiJoin,
        Capability::UnionAll,
        Capability::Window,
    ],
    // A snapshot belongs to one connection, and scans have connections of their own.
    snapshots: false,
};

#[async_trait]
impl Connector for MySqlConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn open(&self, params: Params, context: OpenContext) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(MySqlSource::new(&params, context)?))
    }
}

/// One server.
#[derive(Debug)]
struct MySqlSource {
    client: Client,
    /// The first database, when the URL names none and they have been listed.
    first_schema: OnceLock<String>,
}

impl MySqlSource {
    fn new(params: &Params, context: OpenContext) -> Result<MySqlSource> {
        let settings = Settings::read(params)
            .map_err(|e| e.context(format_args!("catalog \"{}\"", context.catalog)))?;
        Ok(MySqlSource {
            client: Client::new(context.catalog, settings, context.io)?,
            first_schema: OnceLock::new(),
        })
    }
}

#[async_trait]
impl Source for MySqlSource {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    /// The database of the URL, or else the first one, which is not known before
    /// [`Source::schemas`] was asked.
    fn default_schema(&self) -> &str {
        match &self.client.settings().database {
            Some(database) => database,
            None => self.first_schema.get().map_or("", String::as_str),
        }
    }

    async fn schemas(&self) -> Result<Vec<String>> {
        let schemas = catalog::schemas(&self.client).await?;
        if let Some(first) = schemas.first() {
            let _ = self.first_schema.set(first.clone());
        }
        Ok(schemas)
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>> {
        catalog::tables(&self.client, schema).await
    }

    async fn table(self: Arc<Self>, schema: &str, table: &str) -> Result<Option<Table>> {
        let Some(found) = catalog::table(&self.client, schema, table).await? else {
            return Ok(None);
        };
        Ok(Some(Table::Remote(RemoteTable {
            catalog: self.client.catalog().to_owned(),
            source: self,
            name: TableName {
                schema: schema.to_owned(),
                table: table.to_owned(),
            },
            columns: found.columns,
            statistics: found.statistics,
        })))
    }

    async fn ping(&self) -> Result<()> {
        self.client.ping().await
    }
}

#[async_trait]
impl RemoteSource for MySqlSource {
    fn supports(&self, expr: &Expr, place: Place, scope: &Scope) -> Support {
        pushdown::native_support(expr, scope)
            .and(|| inflowave_dialect::supports(&self.client.dialect(), expr, place, scope))
    }

    fn supports_node(&self, node: &LogicalPlan) -> Support {
        inflowave_dialect::operator(&self.client.dialect(), node)
    }

    fn compile(&self, fragment: &Fragment) -> Result<RemoteQuery> {
        inflowave_dialect::compile(&self.client.dialect(), fragment)
    }

    async fn execute(&self, query: Arc<RemoteQuery>, context: ScanContext) -> Result<BatchStream> {
        scan::execute(self.client.clone(), query, context).await
    }
}
