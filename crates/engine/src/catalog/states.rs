//! Which sources are there: what `system.runtime.sources` tells, and how a catalog that could not
//! be opened comes back.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use inflowave_types::{Error, Result, SqlState};

use super::source::Origin;
use super::store::Stored;
use super::{Catalogs, Kept};

/// What is known of a source is good enough for this long.
const STATE_AGE_MAX: Duration = Duration::from_secs(1);

/// A catalog made by SQL that is not open.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub stored: Stored,
    pub why: Why,
    pub checked: SystemTime,
}

#[derive(Debug, Clone)]
pub(crate) enum Why {
    /// The configuration has one of that name, which wins.
    Shadowed(String),
    /// It could not be opened.
    Failed(Error),
}

impl Closed {
    pub fn error(&self, catalog: &str) -> Error {
        let Why::Failed(why) = &self.why else {
            return Error::internal(format!("catalog \"{catalog}\" is shadowed by nothing"));
        };
        let error = Error::new(
            SqlState::ConnectionUnableToEstablish,
            format!("catalog \"{catalog}\" is unavailable: {}", why.message()),
        );
        match why.hint() {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// A row of `system.runtime.sources`.
#[derive(Debug, Clone)]
pub(crate) struct SourceState {
    pub name: String,
    pub connector: String,
    pub default_schema: Option<String>,
    pub origin: Origin,
    pub state: &'static str,
    pub reason: Option<String>,
    pub checked: Option<SystemTime>,
    /// All that a transaction reads of it can be of one state.
    pub snapshots: bool,
}

impl Catalogs {
    /// Opens what SQL has made, once the catalogs of the configuration are there. What cannot be
    /// opened is unavailable until it can.
    ///
    /// # Errors
    /// Of the store.
    pub(crate) async fn restore(&self) -> Result<()> {
        let store = Arc::clone(&self.store);
        let read = self
            .opener
            .io
            .spawn_blocking(move || store.read(Kept::read));
        let kept = read
            .await
            .unwrap_or_else(|_| Err(Error::internal("the task that reads the metastore died")))?;
        let kept = Arc::new(kept);
        *self.kept.write() = Arc::clone(&kept);
        for stored in kept.catalogs.values() {
            let name = &stored.name;
            let why = if self.origin(name) == Some(Origin::Configuration) {
                Why::Shadowed(format!(
                    "{} has a catalog of this name; rename one of the two and start the server again",
                    self.config_file()
                ))
            } else {
                match self.opener.open_stored(stored).await {
                    Ok(catalog) => {
                        self.publish(catalog);
                        continue;
                    }
                    Err(error) => Why::Failed(error),
                }
            };
            tracing::warn!(catalog = name.as_str(), reason = %reason(&why), "catalog not opened");
            let closed = Closed {
                stored: stored.clone(),
                why,
                checked: SystemTime::now(),
            };
            self.closed.write().insert(name.clone(), closed);
        }
        Ok(())
    }

    /// A catalog made by SQL that could not be opened: it is there, and says why.
    pub(crate) fn unavailable(&self, stored: Stored, error: Error) {
        let name = stored.name.clone();
        let closed = Closed {
            stored,
            why: Why::Failed(error),
            checked: SystemTime::now(),
        };
        self.closed.write().insert(name, closed);
    }

    /// Tries to open a catalog that could not be: a file may be there now.
    pub(super) async fn reopen(&self, name: &str) {
        let closed = self.closed.read().get(name).cloned();
        let Some(Closed {
            stored,
            why: Why::Failed(_),
            ..
        }) = closed
        else {
            return;
        };
        let opened = self.opener.open_stored(&stored).await;
        let mut sources = self.sources.write();
        let mut all = self.closed.write();
        // It may have been altered or dropped meanwhile.
        if all.get(name).is_none_or(|c| c.stored != stored) || sources.contains_key(name) {
            return;
        }
        match opened {
            Ok(catalog) => {
                all.remove(name);
                sources.insert(name.to_owned(), Arc::new(catalog));
            }
            Err(error) => {
                let closed = Closed {
                    stored,
                    why: Why::Failed(error),
                    checked: SystemTime::now(),
                };
                all.insert(name.to_owned(), closed);
            }
        }
    }

    /// Asks every source whether it is there, all at a time.
    pub(crate) async fn probe(&self) {
        let waiting: Vec<String> = self.closed.read().keys().cloned().collect();
        for name in waiting {
            self.reopen(&name).await;
        }
        let sources: Vec<_> = self.sources.read().values().cloned().collect();
        let asked = sources.iter().map(|s| s.probe(STATE_AGE_MAX));
        futures::future::join_all(asked).await;
    }

    /// Forgets what is known of a catalog, and asks again.
    ///
    /// # Errors
    /// `3D000`.
    pub(crate) async fn refresh(&self, name: &str) -> Result<()> {
        self.exists(name)?;
        self.reopen(name).await;
        let source = self.sources.read().get(name).cloned();
        if let Some(source) = source {
            source.forget();
            source.probe(Duration::ZERO).await;
        }
        Ok(())
    }

    /// What was last seen, by name.
    pub(crate) fn states(&self) -> Vec<SourceState> {
        let mut states: Vec<SourceState> = Vec::new();
        for (name, catalog) in self.sources.read().iter() {
            let seen = catalog.seen();
            let reason = seen.as_ref().and_then(|s| s.reason.clone());
            states.push(SourceState {
                name: name.clone(),
                connector: catalog.source().descriptor().name.to_owned(),
                default_schema: Some(catalog.source().default_schema().to_owned()),
                origin: catalog.origin(),
                state: match reason {
                    None => "available",
                    Some(_) => "unavailable",
                },
                reason,
                checked: seen.map(|s| s.checked),
                snapshots: catalog.source().descriptor().snapshots,
            });
        }
        for (name, closed) in self.closed.read().iter() {
            states.push(SourceState {
                name: name.clone(),
                connector: closed.stored.connector.clone(),
                default_schema: None,
                origin: Origin::Sql,
                state: match closed.why {
                    Why::Shadowed(_) => "shadowed",
                    Why::Failed(_) => "unavailable",
                },
                reason: Some(reason(&closed.why).to_owned()),
                checked: Some(closed.checked),
                snapshots: false,
            });
        }
        states.sort_by(|a, b| (&a.name, a.state).cmp(&(&b.name, b.state)));
        states
    }
}

fn reason(why: &Why) -> &str {
    match why {
        Why::Shadowed(reason) => reason,
        Why::Failed(error) => error.message(),
    }
}
