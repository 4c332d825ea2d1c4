//! The descriptor of the connector and its parameters.

use std::sync::Arc;

use async_trait::async_trait;
use inflowave_connector_api::{
    Connector, Descriptor, OpenContext, ParamKind, ParamSpec, Params, Source,
};
use inflowave_types::{Error, Result, SqlState};

use crate::layout::{Format, Layout};
use crate::source::FilesSource;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "files",
    doc: "Parquet, CSV and JSON lines: a file, a folder or a pattern.",
    tried_with: "the local file system",
    params: &[
        ParamSpec {
            name: "path",
            doc: "A file, a folder, or a pattern with wildcards; a relative path starts at the folder of the configuration file.",
            example: "data/readings",
            default: None,
            required: true,
            kind: ParamKind::Path,
        },
        ParamSpec {
            name: "format",
            doc: "What the files hold; auto goes by their extensions and leaves others out.",
            example: "csv",
            default: Some("auto"),
            required: false,
            kind: ParamKind::OneOf(&["auto", "parquet", "csv", "json"]),
        },
        ParamSpec {
            name: "table",
            doc: "The name of the table, for a path that is a file or a pattern.",
            example: "readings",
            default: None,
            required: false,
            kind: ParamKind::Text,
        },
        ParamSpec {
            name: "hive_partitions",
            doc: "Whether folders named column=value are columns.",
            example: "false",
            default: Some("true"),
            required: false,
            kind: ParamKind::Boolean,
        },
        ParamSpec {
            name: "header",
            doc: "Whether the first line of a CSV file names its columns; if not, they are column_1 and so on.",
            example: "false",
            default: Some("true"),
            required: false,
            kind: ParamKind::Boolean,
        },
        ParamSpec {
            name: "delimiter",
            doc: "The character between the fields of a CSV file; a comma by default, a tab in .tsv files.",
            example: ";",
            default: None,
            required: false,
            kind: ParamKind::Text,
        },
        ParamSpec {
            name: "null_string",
            doc: "The field of a CSV file that means NULL; all others are values.",
            example: "\\N",
            default: Some(""),
            required: false,
            kind: ParamKind::Text,
        },
        ParamSpec {
            name: "infer_rows",
            doc: "Rows of a CSV or JSON table from which the types of its columns are taken.",
            example: "100000",
            default: Some("10000"),
            required: false,
            kind: ParamKind::Integer {
                min: 1,
                max: 1_000_000_000,
            },
        },
        ParamSpec {
            name: "nanoseconds",
            doc: "What happens to digits of a Parquet time below the microsecond.",
            example: "truncate",
            default: Some("error"),
            required: false,
            kind: ParamKind::OneOf(&["error", "truncate"]),
        },
    ],
    capabilities: &[],
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
        let layout = Layout::new(
            std::path::absolute(context.base_dir.join(path))
                .map_err(|e| invalid("path", path).with_detail(e.to_string()))?,
            Format::named(params.text("format").unwrap_or("auto")),
            params.text("table").map(str::to_owned),
            params.boolean("hive_partitions"),
        )?;
        let options = ReadOptions {
            header: params.boolean("header"),
            delimiter,
            null_string: params.text("null_string").unwrap_or_default().to_owned(),
            infer_rows: params.integer("infer_rows").unwrap_or(10_000) as usize,
            truncate_nanoseconds: params.text("nanoseconds") == Some("truncate"),
        };
        Ok(Arc::new(FilesSource::new(context, layout, options)))
    }
}

fn invalid(name: &str, value: &str) -> Error {
    Error::new(
        SqlState::InvalidParameterValue,
        format!("invalid value {value:?} for parameter \"{name}\""),
    )
}
