//! Settings and transactions: what a `SET` leaves behind a `COMMIT`, a `ROLLBACK`, a savepoint.

use inflowave_types::Result;

use crate::settings::Settings;
use crate::statement::Scope;
use crate::transaction::Change;

/// The settings of a session as they hold now, and as the end of the transaction would leave them.
#[derive(Debug, Clone, Default)]
struct Layers {
    now: Settings,
    /// Without what was set `LOCAL`.
    session: Settings,
}

#[derive(Debug, Default)]
pub(crate) struct ScopedSettings {
    layers: Layers,
    /// As they were at the begin of the transaction and at each of its savepoints.
    saved: Vec<Layers>,
    /// As they were before several statements of one text, where no transaction is open.
    together: Option<Layers>,
    /// Such statements run.
    in_text: bool,
}

impl ScopedSettings {
    pub fn new(settings: Settings) -> Self {
        ScopedSettings {
            layers: Layers {
                session: settings.clone(),
                now: settings,
            },
            saved: Vec::new(),
            together: None,
            in_text: false,
        }
    }

    /// Several statements of one text begin; `idle` outside of a transaction.
    pub fn begin_together(&mut self, idle: bool) {
        self.in_text = true;
        self.together = idle.then(|| self.layers.clone());
    }

    /// They have ended: what they have set is taken back if they `failed` outside of a transaction.
    pub fn end_together(&mut self, failed: bool) {
        self.in_text = false;
        if let Some(before) = self.together.take()
            && failed
        {
            self.layers = before;
        }
    }

    pub fn now(&self) -> &Settings {
        &self.layers.now
    }

    /// Changes what holds now and, unless it is local, what holds behind the transaction.
    ///
    /// # Errors
    /// Those of `change`; nothing has changed then.
    pub fn change<T>(
        &mut self,
        scope: Scope,
        change: impl Fn(&mut Settings) -> Result<T>,
    ) -> Result<T> {
        let mut now = self.layers.now.clone();
        let changed = change(&mut now)?;
        if scope == Scope::Session {
            change(&mut self.layers.session)?;
        }
        self.layers.now = now;
        Ok(changed)
    }

    /// Follows the transaction.
    pub fn follow(&mut self, change: Change) {
        match change {
            Change::None => {}
            // What stands before BEGIN in one text belongs to its transaction.
            Change::Began => {
                let before = self.together.take();
                self.saved
                    .push(before.unwrap_or_else(|| self.layers.clone()));
            }
            Change::Saved => self.saved.push(self.layers.clone()),
            Change::Committed => {
                self.saved.clear();
                self.layers.now.clone_from(&self.layers.session);
                self.together = self.in_text.then(|| self.layers.clone());
            }
            Change::RolledBack => {
                if !self.saved.is_empty() {
                    self.layers = self.saved.swap_remove(0);
                } else if let Some(before) = self.together.take() {
                    self.layers = before;
                }
                self.saved.clear();
                self.together = self.in_text.then(|| self.layers.clone());
            }
            // The first is the transaction's own.
            Change::Released(savepoint) => self.saved.truncate(savepoint + 1),
            Change::BackTo(savepoint) => {
                self.saved.truncate(savepoint + 2);
                if let Some(saved) = self.saved.last() {
                    self.layers = saved.clone();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(settings: &mut ScopedSettings, scope: Scope, value: &str) {
        settings
            .change(scope, |s| s.set("application_name", value).map(|_| ()))
            .unwrap();
    }

    fn now(settings: &ScopedSettings) -> String {
        settings.now().show("application_name").unwrap().1
    }

    #[test]
    fn what_is_local_ends_with_the_transaction() {
        let mut settings = ScopedSettings::default();
        set(&mut settings, Scope::Session, "a");
        settings.follow(Change::Began);
        set(&mut settings, Scope::Local, "b");
        assert_eq!(now(&settings), "b");
        settings.follow(Change::Committed);
        assert_eq!(now(&settings), "a");
    }

    #[test]
    fn a_rollback_takes_back_what_was_set() {
        let mut settings = ScopedSettings::default();
        set(&mut settings, Scope::Session, "a");
        settings.follow(Change::Began);
        set(&mut settings, Scope::Session, "b");
        settings.follow(Change::Saved);
        set(&mut settings, Scope::Session, "c");
        settings.follow(Change::Saved);
        set(&mut settings, Scope::Session, "d");
        settings.follow(Change::BackTo(0));
        assert_eq!(now(&settings), "b");
        set(&mut settings, Scope::Session, "e");
        settings.follow(Change::BackTo(0));
        assert_eq!(now(&settings), "b");
        settings.follow(Change::Released(0));
        settings.follow(Change::RolledBack);
        assert_eq!(now(&settings), "a");
    }
}
