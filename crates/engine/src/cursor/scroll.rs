//! Cursors that go both ways: what has been read is kept, within the memory of all queries.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use inflowave_types::{Error, Result};

use super::Source;
use super::direction::Direction;

/// The rows that were read.
pub(super) struct Kept {
    batches: Vec<RecordBatch>,
    /// Rows before each batch.
    starts: Vec<u64>,
    rows: u64,
    memory: MemoryReservation,
}

/// What is left of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    Forward(u64),
    Backward(u64),
    /// The row that it stands on.
    Here,
    Done,
}

impl Kept {
    pub fn new(pool: &Arc<dyn MemoryPool>) -> Kept {
        Kept {
            batches: Vec::new(),
            starts: Vec::new(),
            rows: 0,
            memory: MemoryConsumer::new("scroll cursor").register(pool),
        }
    }

    /// Reads on until there are `rows` rows, or no more.
    ///
    /// # Errors
    /// Those of the query, and `53200`; each further turn that has to read gives the same.
    async fn read_to(&mut self, rows: u64, source: &mut Source) -> Result<()> {
        while self.rows < rows {
            let Some(batch) = source.next().await? else {
                return Ok(());
            };
            if batch.num_rows() == 0 {
                continue;
            }
            if let Err(error) = self.memory.try_grow(batch.get_array_memory_size()) {
                let error = inflowave_pg_semantics::to_error(&error, "");
                source.fail(error.clone());
                return Err(error);
            }
            self.starts.push(self.rows);
            self.rows += batch.num_rows() as u64;
            self.batches.push(batch);
        }
        Ok(())
    }

    /// The batch of a row, counted from 1, and the row's place in it.
    fn place(&self, row: u64) -> Option<(&RecordBatch, usize)> {
        let at = self
            .starts
            .partition_point(|start| *start < row)
            .checked_sub(1)?;
        let place = usize::try_from(row - self.starts[at] - 1).ok()?;
        Some((&self.batches[at], place))
    }

    /// Rows from `row` on, at most so many.
    fn forward(&self, row: u64, most: u64) -> Option<RecordBatch> {
        let (batch, place) = self.place(row)?;
        let left = batch.num_rows().checked_sub(place)?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Some(batch.slice(place, left.min(most)))
    }

    /// Rows from `row` back, at most so many.
    fn backward(&self, row: u64, most: u64) -> Result<Option<RecordBatch>> {
        let Some((batch, place)) = self.place(row) else {
            return Ok(None);
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let count = most.min(place + 1);
        let rows = (0..count).filter_map(|n| u32::try_from(place - n).ok());
        let rows = UInt32Array::from_iter_values(rows);
        let taken = take_record_batch(batch, &rows)
            .map_err(|e| Error::internal(format!("rows cannot be turned around: {e}")))?;
        Ok(Some(taken))
    }

    /// Goes to where a turn begins. `position` is 0 before the first row, and one more than there are
    /// rows behind the last.
    pub async fn walk(
        &mut self,
        direction: Direction,
        position: &mut u64,
        source: &mut Source,
    ) -> Result<Walk> {
        let target = match direction {
            Direction::Forward(n) if n > 0 => return Ok(Walk::Forward(n)),
            Direction::Backward(n) if n > 0 => return Ok(Walk::Backward(n)),
            Direction::Forward(_) | Direction::Backward(_) => i128::from(*position),
            Direction::Relative(n) => i128::from(*position) + i128::from(n),
            Direction::Absolute(n) if n >= 0 => i128::from(n),
            Direction::Absolute(n) => {
                self.read_to(u64::MAX, source).await?;
                i128::from(self.rows) + 1 + i128::from(n)
            }
            Direction::Last => {
                self.read_to(u64::MAX, source).await?;
                i128::from(self.rows)
            }
        };
        let target = u64::try_from(target.max(0)).unwrap_or(u64::MAX);
        self.read_to(target, source).await?;
        *position = target.min(self.rows + 1);
        Ok(match (1..=self.rows).contains(position) {
            true => Walk::Here,
            false => Walk::Done,
        })
    }

    /// The next rows of a turn; `None` at its end.
    pub async fn step(
        &mut self,
        walk: &mut Walk,
        position: &mut u64,
        source: &mut Source,
    ) -> Result<Option<RecordBatch>> {
        let given = match *walk {
            Walk::Done | Walk::Forward(0) | Walk::Backward(0) => return Ok(None),
            Walk::Here => {
                *walk = Walk::Done;
                return Ok(self.forward(*position, 1));
            }
            Walk::Forward(left) => {
                self.read_to(position.saturating_add(1), source).await?;
                let batch = match *position < self.rows {
                    true => self.forward(*position + 1, left),
                    false => None,
                };
                match &batch {
                    Some(batch) => {
                        let rows = batch.num_rows() as u64;
                        *position += rows;
                        *walk = Walk::Forward(left - rows);
                    }
                    None => *position = self.rows + 1,
                }
                batch
            }
            Walk::Backward(left) => {
                let batch = match *position > 1 {
                    true => self.backward(*position - 1, left)?,
                    false => None,
                };
                match &batch {
                    Some(batch) => {
                        let rows = batch.num_rows() as u64;
                        *position -= rows;
                        *walk = Walk::Backward(left - rows);
                    }
                    None => *position = 0,
                }
                batch
            }
        };
        if given.is_none() {
            *walk = Walk::Done;
        }
        Ok(given)
    }
}
