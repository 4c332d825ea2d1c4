//! A path as a source: its catalog.

use std::sync::Arc;

use async_trait::async_trait;
use inflowave_connector_api::{Descriptor, OpenContext, Source, Table};
use inflowave_types::{Error, Result, SqlState};

use crate::connector::{DESCRIPTOR, ReadOptions};
use crate::location::Location;
use crate::table::FileTable;

/// The only schema.
pub(crate) const SCHEMA: &str = "files";

#[derive(Debug)]
pub struct FilesSource {
    context: OpenContext,
    location: Location,
    options: Arc<ReadOptions>,
}

impl FilesSource {
    pub(crate) fn new(context: OpenContext, location: Location, options: ReadOptions) -> Self {
        FilesSource {
            context,
            location,
            options: Arc::new(options),
        }
    }

    /// Work on the file system, off the threads of the caller.
    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        // Errors of stores name the catalog themselves: they also arise in the middle of a query.
        let is_local = matches!(self.location, Location::Local(_));
        let io = self.context.io.clone();
        let done = match is_local {
            true => {
                let blocking = move || io.block_on(work);
                self.context.io.spawn_blocking(blocking).await
            }
            false => Ok(work.await),
        };
        let done =
            done.unwrap_or_else(|_| Err(Error::internal("a task of the files connector failed")));
        done.map_err(|e| match is_local {
            true => e.context(format!("catalog \"{}\"", self.context.catalog)),
            false => e,
        })
    }

    /// Whether the source is there.
    async fn reach(&self) -> Result<()> {
        let location = self.location.clone();
        let reached = self.off_thread(async move { location.reach().await });
        reached.await.map_err(|e| self.unreachable(e))
    }

    /// The names of the tables.
    async fn list(&self) -> Result<Vec<String>> {
        let location = self.location.clone();
        let listed = self.off_thread(async move { location.tables().await });
        listed.await.map_err(|e| self.unreachable(e))
    }

    /// A path that is gone is a source that cannot be reached. A store that refuses was reached.
    fn unreachable(&self, error: Error) -> Error {
        let absent = error.sqlstate() == SqlState::UndefinedFile;
        if !absent && matches!(self.location, Location::Store(_)) {
            return error;
        }
        let reached = Error::new(SqlState::ConnectionUnableToEstablish, error.message());
        match error.hint() {
            Some(hint) => reached.with_hint(hint),
            None => reached,
        }
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
        self.reach().await.map(|()| vec![SCHEMA.to_owned()])
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
        let location = self.location.clone();
        let options = Arc::clone(&self.options);
        let (catalog, name) = (self.context.catalog.clone(), table.to_owned());
        let table = self
            .off_thread(FileTable::read(catalog, name, location, options))
            .await?;
        Ok(table.map(|table| Table::Native(Arc::new(table))))
    }

    async fn ping(&self) -> Result<()> {
        self.reach().await
    }
}
