//! Which state of each source a statement, or a transaction, reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use inflowave_connector_api::{RemoteSource, Snapshot};
use inflowave_types::{Error, Result, SqlState};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// The snapshots of one statement, or of all statements of a transaction: one for each catalog,
/// opened when it is first read, and held until this is dropped.
#[derive(Debug)]
pub struct Snapshots {
    reach: Reach,
    catalogs: Mutex<BTreeMap<String, Catalog>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Statement,
    Transaction,
}

#[derive(Debug, Default)]
struct Catalog {
    scans: usize,
    without: Without,
    opened: Arc<OnceCell<Option<Snapshot>>>,
}

/// Whether it is known that a source has no snapshots, and whether that was told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Without {
    #[default]
    No,
    Untold,
    Told,
}

impl Snapshots {
    /// A source that is read by several scans of the statement is read in one state. One scan alone
    /// is of one state by itself.
    pub fn of_statement() -> Arc<Snapshots> {
        Snapshots::new(Reach::Statement)
    }

    /// Every source that has snapshots is read in the state in which it was first read.
    pub fn of_transaction() -> Arc<Snapshots> {
        Snapshots::new(Reach::Transaction)
    }

    fn new(reach: Reach) -> Arc<Snapshots> {
        Arc::new(Snapshots {
            reach,
            catalogs: Mutex::default(),
        })
    }

    /// A scan of this source was planned.
    pub(crate) fn planned(&self, catalog: &str, source: &dyn RemoteSource) {
        let mut catalogs = self.catalogs.lock();
        let entry = catalogs.entry(catalog.to_owned()).or_default();
        entry.scans += 1;
        if !source.descriptor().snapshots && entry.without == Without::No {
            entry.without = Without::Untold;
        }
    }

    /// What a scan of this source reads; `None` for its newest state. All scans have been planned.
    ///
    /// # Errors
    /// The source's, when it cannot be asked.
    pub(crate) async fn of(
        &self,
        catalog: &str,
        source: &dyn RemoteSource,
    ) -> Result<Option<Snapshot>> {
        let opened = match self.catalogs.lock().get(catalog) {
            Some(entry) if self.reach == Reach::Transaction || entry.scans > 1 => {
                Arc::clone(&entry.opened)
            }
            _ => return Ok(None),
        };
        let snapshot = opened.get_or_try_init(|| source.snapshot()).await?;
        let promised = self.reach == Reach::Transaction && source.descriptor().snapshots;
        match snapshot {
            None if promised => Err(Error::new(
                SqlState::FeatureNotSupported,
                format!("catalog \"{catalog}\": its server gives no snapshot"),
            )
            .with_hint("Use the isolation READ COMMITTED for transactions that read it.")),
            snapshot => Ok(snapshot.clone()),
        }
    }

    /// The catalogs that were planned to be read and have no snapshots, each told once.
    pub fn without(&self) -> Vec<String> {
        let mut catalogs = self.catalogs.lock();
        let untold = catalogs
            .iter_mut()
            .filter(|(_, entry)| entry.without == Without::Untold);
        untold
            .map(|(name, entry)| {
                entry.without = Without::Told;
                name.clone()
            })
            .collect()
    }
}
