//! A kind of source.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use inflowave_types::Result;

use crate::{COMMON, Capability, ParamSpec, Params, Source};

/// What is known of a connector before anything is opened.
#[derive(Debug, Clone, Copy)]
pub struct Descriptor {
    /// The word behind `connector =`.
    pub name: &'static str,
    /// One line.
    pub doc: &'static str,
    /// With which versions it is tested, as the end of a sentence.
    pub tried_with: &'static str,
    pub params: &'static [ParamSpec],
    /// What its sources can do, empty for native tables.
    pub capabilities: &'static [Capability],
    /// Several queries of one source can read one state of it ([`crate::RemoteSource::snapshot`]).
    pub snapshots: bool,
}

impl Descriptor {
    /// Every parameter of a catalog: the connector's own, and [`COMMON`] if its sources run queries.
    pub fn all_params(&self) -> impl Iterator<Item = &'static ParamSpec> + Clone + use<> {
        let common = match self.capabilities.is_empty() {
            true => &[],
            false => COMMON,
        };
        self.params.iter().chain(common)
    }
}

/// What a source gets from the server when it is opened.
#[derive(Debug, Clone)]
pub struct OpenContext {
    /// The catalog's name, for messages.
    pub catalog: String,
    /// The runtime on which drivers do their I/O; queries run on another one.
    pub io: tokio::runtime::Handle,
    /// Relative paths in parameters start here: the folder of the configuration file.
    pub base_dir: PathBuf,
}

/// A kind of source: `postgres`, `sqlite`, ..
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    fn descriptor(&self) -> &'static Descriptor;

    /// Opens one source. It does not wait for the server behind it: a source that is down is
    /// opened all the same, and its methods fail with `08001` until it is back.
    ///
    /// # Errors
    /// `22023` for parameters that can never work (an unreadable URL).
    async fn open(&self, params: Params, context: OpenContext) -> Result<Arc<dyn Source>>;
}
