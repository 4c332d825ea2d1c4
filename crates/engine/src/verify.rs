//! `SET inflowave.pushdown = verify`: are the pushed rows the local ones?
//!
//! Both sides are streamed and only a fingerprint of each is kept, which does not depend on the
//! order of rows: their count, and the sum of a 128-bit hash of each. Floats that come from an
//! aggregate depend on the order of additions; they are left out of the hash and compared by
//! their sum, to 1e-12 relative.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::row::{RowConverter, SortField};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use inflowave_types::{Error, Result, SqlState};

use crate::plan::Planned;

const FLOAT_TOLERANCE_RELATIVE: f64 = 1e-12;

/// What the rows of one side come to.
pub(crate) struct Fingerprint {
    compared: Compared,
    converter: RowConverter,
    hashed: Vec<usize>,
    summed: Vec<usize>,
    rows: u64,
    hash: (u64, u64),
    /// Sum and sum of magnitudes of each summed column.
    sums: Vec<(f64, f64)>,
}

/// A limit without a total order is free to choose rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compared {
    Rows,
    Count,
    Nothing,
}

impl Fingerprint {
    pub fn of(planned: &Planned) -> Result<Fingerprint> {
        let schema = planned.schema.as_ref();
        let float = |d: &DataType| matches!(d, DataType::Float32 | DataType::Float64);
        let free = aggregates_floats(&planned.logical);
        let (summed, hashed): (Vec<usize>, Vec<usize>) =
            (0..schema.fields().len()).partition(|&i| free && float(schema.field(i).data_type()));
        let fields = hashed
            .iter()
            .map(|&i| SortField::new(schema.field(i).data_type().clone()))
            .collect();
        Ok(Fingerprint {
            compared: compared(&planned.logical),
            converter: RowConverter::new(fields).map_err(|e| Error::internal(e.to_string()))?,
            sums: vec![(0.0, 0.0); summed.len()],
            hashed,
            summed,
            rows: 0,
            hash: (0, 0),
        })
    }

    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        if self.compared != Compared::Rows {
            return Ok(());
        }
        let internal = |e: arrow::error::ArrowError| Error::internal(e.to_string());
        if !self.hashed.is_empty() {
            let columns: Vec<_> = self
                .hashed
                .iter()
                .map(|&i| Arc::clone(batch.column(i)))
                .collect();
            let rows = self.converter.convert_columns(&columns).map_err(internal)?;
            for row in &rows {
                let (a, b) = hash(row.as_ref());
                self.hash.0 = self.hash.0.wrapping_add(a);
                self.hash.1 = self.hash.1.wrapping_add(b);
            }
        }
        for (&index, sum) in self.summed.iter().zip(&mut self.sums) {
            let column = cast(batch.column(index), &DataType::Float64).map_err(internal)?;
            let column = column.as_primitive::<Float64Type>();
            for value in column.iter().flatten().filter(|v| v.is_finite()) {
                sum.0 += value;
                sum.1 += value.abs();
            }
            // NaN, infinities and NULLs have no sum: they are counted.
            let odd = column
                .iter()
                .filter(|v| !v.is_some_and(f64::is_finite))
                .count();
            self.hash.0 = self.hash.0.wrapping_add(odd as u64);
        }
        Ok(())
    }

    /// # Errors
    /// `XX001` if the sides differ.
    pub fn compare(&self, local: &Fingerprint) -> Result<()> {
        let sums = self.sums.iter().zip(&local.sums).all(|(a, b)| {
            (a.0 - b.0).abs() <= FLOAT_TOLERANCE_RELATIVE * a.1.max(b.1).max(f64::MIN_POSITIVE)
        });
        let equal = match self.compared {
            Compared::Nothing => true,
            Compared::Count => self.rows == local.rows,
            Compared::Rows => self.rows == local.rows && self.hash == local.hash && sums,
        };
        if equal {
            return Ok(());
        }
        Err(Error::new(
            SqlState::DataCorrupted,
            "pushdown changed the answer of this query",
        )
        .with_detail(format!(
            "With pushdown it has {} rows, without {}; {}.",
            self.rows,
            local.rows,
            if self.rows == local.rows {
                "their values differ"
            } else {
                "their number differs"
            }
        ))
        .with_hint(
            "If nobody wrote to the source meanwhile, this is a defect: report it with EXPLAIN (FEDERATION), and SET inflowave.pushdown = off.",
        ))
    }
}

fn compared(plan: &LogicalPlan) -> Compared {
    fn limits(plan: &LogicalPlan) -> bool {
        match plan {
            LogicalPlan::Limit(_) => true,
            LogicalPlan::Sort(sort) => sort.fetch.is_some(),
            LogicalPlan::TableScan(scan) => scan.fetch.is_some(),
            _ => false,
        }
    }
    let mut found = false;
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|node| {
        found |= limits(node);
        Ok(TreeNodeRecursion::Continue)
    });
    if !found {
        return Compared::Rows;
    }
    // Only a limit at the top leaves the number of rows fixed.
    let mut top = plan;
    while let LogicalPlan::Projection(p) = top {
        top = &p.input;
    }
    while limits(top) {
        let Some(input) = top.inputs().first().copied() else {
            return Compared::Count;
        };
        top = input;
    }
    let mut below = false;
    let _ = top.apply_with_subqueries(|node| {
        below |= limits(node) && !matches!(node, LogicalPlan::TableScan(_));
        Ok(TreeNodeRecursion::Continue)
    });
    if below {
        Compared::Nothing
    } else {
        Compared::Count
    }
}

fn aggregates_floats(plan: &LogicalPlan) -> bool {
    let mut found = false;
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|node| {
        let aggregates = matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_));
        found |= aggregates
            && node
                .schema()
                .fields()
                .iter()
                .any(|f| matches!(f.data_type(), DataType::Float32 | DataType::Float64));
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// Both sides are hashed in one process, so that its random keys are the same for both.
fn hash(row: &[u8]) -> (u64, u64) {
    static KEYS: LazyLock<(RandomState, RandomState)> =
        LazyLock::new(|| (RandomState::new(), RandomState::new()));
    (KEYS.0.hash_one(row), KEYS.1.hash_one(row))
}
