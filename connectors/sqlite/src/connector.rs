//! The descriptor of the connector and its parameters.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inflowave_connector_api::{
    Capability, Connector, Descriptor, OpenContext, ParamKind, ParamSpec, Params, Source,
};
use inflowave_types::{Error, Result, SqlState};

use crate::pool::{Pool, PoolOptions};
use crate::source::SqliteSource;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "sqlite",
    doc: "A SQLite database file, read only.",
    tried_with: "SQLite 3.50, which is built in",
    params: &[
        ParamSpec {
            name: "path",
            doc: "The database file; a relative path starts at the folder of the configuration file.",
            example: "data/shop.db",
            default: None,
            required: true,
            kind: ParamKind::Path,
        },
        ParamSpec {
            name: "pool_size_max",
            doc: "Connections to the file at most, so also remote queries at a time.",
            example: "8",
            default: Some("16"),
            required: false,
            kind: ParamKind::Integer { min: 1, max: 256 },
        },
        ParamSpec {
            name: "pool_timeout_ms",
            doc: "How long a query waits for a free connection before it fails.",
            example: "5000",
            default: Some("30000"),
            required: false,
            kind: ParamKind::Integer {
                min: 1,
                max: 3_600_000,
            },
        },
        ParamSpec {
            name: "busy_timeout_ms",
            doc: "How long SQLite waits for a writer that holds the file before it fails.",
            example: "1000",
            default: Some("5000"),
            required: false,
            kind: ParamKind::Integer {
                min: 0,
                max: 3_600_000,
            },
        },
    ],
    capabilities: Capability::ALL,
    snapshots: false,
};

/// SQLite files as sources.
pub struct SqliteConnector;

#[async_trait]
impl Connector for SqliteConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn open(&self, params: Params, context: OpenContext) -> Result<Arc<dyn Source>> {
        let path = params.text("path").unwrap_or_default();
        if path.is_empty() || path.contains('\0') {
            return Err(Error::new(
                SqlState::InvalidParameterValue,
                format!("invalid value {path:?} for parameter \"path\""),
            )
            .with_hint("Give the path of a SQLite database file."));
        }
        // An absolute path: SQLite would read one that starts with `file:` as a URI.
        let path = std::path::absolute(context.base_dir.join(path))
            .unwrap_or_else(|_| PathBuf::from("/").join(context.base_dir).join(path));
        let milliseconds = |name| Duration::from_millis(params.integer(name).unwrap_or_default());
        let pool = Pool::new(PoolOptions {
            catalog: context.catalog,
            path,
            size_max: params.integer("pool_size_max").unwrap_or(16) as usize,
            timeout: milliseconds("pool_timeout_ms"),
            busy_timeout: milliseconds("busy_timeout_ms"),
            io: context.io,
        });
        Ok(Arc::new(SqliteSource::new(pool)))
    }
}
