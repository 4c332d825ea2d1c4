//! The descriptor of the connector, and the way from parameters to a source.

use std::sync::Arc;

use async_trait::async_trait;
use inflowave_connector_api::{Connector, Descriptor, OpenContext, Params, Source};
use inflowave_types::{Error, Result, SqlState};

use crate::layout::{Format, Layout};
use crate::location::Location;
use crate::params::PARAMS;
use crate::source::FilesSource;
use crate::store::{self, Address};

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "files",
    doc: "Parquet, CSV and JSON lines, local, in S3, Google Cloud Storage or Azure, or on the web: a file, a folder or a pattern.",
    tried_with: "the local file system, and stand-ins for stores: moto for S3 and as a web server, Azurite for Azure, fake-gcs-server for Google Cloud Storage",
    params: PARAMS,
    capabilities: &[],
    snapshots: false,
};

/// What the parameters say of reading, apart from where the files are.
#[derive(Debug, Clone)]
pub(crate) struct ReadOptions {
    pub header: bool,
    /// `None`: by the extension.
    pub delimiter: Option<u8>,
    pub null_string: String,
    pub infer_rows: usize,
    pub truncate_nanoseconds: bool,
}

/// Folders of files as sources.
pub struct FilesConnector;

#[async_trait]
impl Connector for FilesConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn open(&self, params: Params, context: OpenContext) -> Result<Arc<dyn Source>> {
        let path = params.text("path").unwrap_or_default();
        if path.is_empty() || path.contains('\0') {
            return Err(invalid("path", path).with_hint("Give a file, a folder or a pattern."));
        }
        let delimiter = match params.text("delimiter") {
            None => None,
            Some("\\t") => Some(b'\t'),
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
                _ => {
                    return Err(invalid("delimiter", text)
                        .with_hint("Valid is one ASCII character, or \\t for a tab."));
                }
            },
        };
        let format = Format::named(params.text("format").unwrap_or("auto"));
        let table = params.text("table").map(str::to_owned);
        let hive = params.boolean("hive_partitions");
        let location = match Address::parse(path)? {
            Some(address) => {
                let layout = store::open(address, &params, &context, format, table, hive)?;
                Location::Store(Arc::new(layout))
            }
            None => {
                store::none_is_given(&params)?;
                let path = std::path::absolute(context.base_dir.join(path))
                    .map_err(|e| invalid("path", path).with_detail(e.to_string()))?;
                Location::Local(Arc::new(Layout::new(path, format, table, hive)?))
            }
        };
        let options = ReadOptions {
            header: params.boolean("header"),
            delimiter,
            null_string: params.text("null_string").unwrap_or_default().to_owned(),
            infer_rows: params.integer("infer_rows").unwrap_or(10_000) as usize,
            truncate_nanoseconds: params.text("nanoseconds") == Some("truncate"),
        };
        Ok(Arc::new(FilesSource::new(context, location, options)))
    }
}

fn invalid(name: &str, value: &str) -> Error {
    Error::new(
        SqlState::InvalidParameterValue,
        format!("invalid value {value:?} for parameter \"{name}\""),
    )
}
