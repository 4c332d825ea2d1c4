//! Rows that are kept for a while after they have ended.

use std::collections::{BTreeMap, VecDeque};

/// Rows by id, the ended ones forgotten in the order in which they ended.
#[derive(Debug)]
pub(super) struct History<T> {
    pub(super) rows: BTreeMap<u64, T>,
    ended: VecDeque<u64>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        History {
            rows: BTreeMap::new(),
            ended: VecDeque::new(),
        }
    }
}

impl<T> History<T> {
    pub(super) fn insert(&mut self, id: u64, row: T) {
        self.rows.insert(id, row);
    }

    pub(super) fn update(&mut self, id: u64, change: impl FnOnce(&mut T)) {
        if let Some(row) = self.rows.get_mut(&id) {
            change(row);
        }
    }

    pub(super) fn ended(&mut self, id: u64, rows_max: usize) {
        self.ended.push_back(id);
        while self.ended.len() > rows_max {
            if let Some(oldest) = self.ended.pop_front() {
                self.rows.remove(&oldest);
            }
        }
    }
}
