//! Where the files of a source are: in the file system, or in an object store.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use inflowave_types::Result;

use crate::layout::{DataFile, Layout};
use crate::store::StoreLayout;

#[derive(Debug, Clone)]
pub enum Location {
    Local(Arc<Layout>),
    Store(Arc<StoreLayout>),
}

impl Location {
    /// Whether the path or the store is there. Blocks as [`Location::tables`].
    ///
    /// # Errors
    /// Those of the layouts.
    pub fn reach(&self) -> BoxFuture<'static, Result<()>> {
        match self {
            Location::Local(layout) => futures::future::ready(layout.tables().map(|_| ())).boxed(),
            Location::Store(layout) => layout.reach(),
        }
    }

    /// The names of the tables. The call blocks on the file system, the future waits for a store.
    ///
    /// # Errors
    /// Those of the layouts.
    pub fn tables(&self) -> BoxFuture<'static, Result<Vec<String>>> {
        match self {
            Location::Local(layout) => futures::future::ready(layout.tables()).boxed(),
            Location::Store(layout) => layout.tables(),
        }
    }

    /// The files of a table in a stable order, `None` if there is no such table. Blocks as
    /// [`Location::tables`].
    ///
    /// # Errors
    /// Those of the layouts.
    pub fn files(&self, table: &str) -> BoxFuture<'static, Result<Option<Vec<DataFile>>>> {
        match self {
            Location::Local(layout) => futures::future::ready(layout.files(table)).boxed(),
            Location::Store(layout) => layout.files(table),
        }
    }
}
