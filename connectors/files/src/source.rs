//! A path as a source: its catalog.

use std::sync::Arc;

use async_trait::async_trait;
use inflowave_connector_api::{Descriptor, OpenContext, Source, Table};
use inflowave_types::{Error, Result, SqlState};

use crate::connector::{DESCRIPTOR, ReadOptions};
use crate::layout::Layout;
use crate::table::FileTable;

/// The only schema.
pub(crate) const SCHEMA: &str = "files";

#[derive(Debug)]
pub struct FilesSource {
    context: OpenContext,
    layout: Arc<Layout>,
    options: Arc<ReadOptions>,
}

impl FilesSource {
    pub(crate) fn new(context: OpenContext, layout: Layout, options: ReadOptions) -> Self {
        FilesSource {
            context,
            layout: Arc::new(layout),
            options: Arc::new(options),
        }
    }

    /// Work on the file system, off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let done = self.context.io.spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Error::internal("a task of the files connector failed")))
            .map_err(|e| e.context(format!("catalog \"{}\"", self.context.catalog)))
    }

    /// The names of the tables; a path that is gone is a source that cannot be reached.
    async fn list(&self) -> Result<Vec<String>> {
        let layout = Arc::clone(&self.layout);
        self.blocking(move || layout.tables()).await.map_err(|e| {
            let reached = Error::new(SqlState::ConnectionUnableToEstablish, e.message());
            match e.hint() {
                Some(hint) => reached.with_hint(hint),
                None => reached,
            }
        })
    }
}

#[async_trait]
impl Source for FilesSource {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn default_schema(&self) -> &str {
        SCHEMA
    }

    async fn schemas(&self) -> Result<Vec<String>> {
        self.list().await.map(|_| vec![SCHEMA.to_owned()])
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>> {
        if schema != SCHEMA {
            return Ok(Vec::new());
        }
        self.list().await
    }

    async fn table(self: Arc<Self>, schema: &str, table: &str) -> Result<Option<Table>> {
        if schema != SCHEMA {
            return Ok(None);
        }
        let layout = Arc::clone(&self.layout);
        let options = Arc::clone(&self.options);
        let (catalog, name) = (self.context.catalog.clone(), table.to_owned());
        let table = self
            .blocking(move || FileTable::read(catalog, name, layout, options))
            .await?;
        Ok(table.map(|table| Table::Native(Arc::new(table))))
    }

    async fn ping(&self) -> Result<()> {
        self.list().await.map(|_| ())
    }
}
