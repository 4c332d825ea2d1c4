//! The sum over a window frame of floats that slides.
//!
//! It is added up anew for each row, as PostgreSQL does: a value that leaves a frame cannot be
//! subtracted, because infinity would stay as NaN, and what a great number swallowed would be lost.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::sum_state::{Adder, overflow};

type Native<A> = <<A as Adder>::In as ArrowPrimitiveType>::Native;

/// The values of the frame, NULLs left out.
pub(super) struct Frame<A: Adder> {
    values: VecDeque<Native<A>>,
}

impl<A: Adder> Frame<A> {
    pub(super) fn new() -> Self {
        Frame {
            values: VecDeque::new(),
        }
    }
}

impl<A: Adder> std::fmt::Debug for Frame<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({:?})", self.values)
    }
}

impl<A: Adder> Accumulator for Frame<A> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values
            .extend(values[0].as_primitive::<A::In>().iter().flatten());
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let gone = values[0].len() - values[0].null_count();
        self.values.drain(..gone.min(self.values.len()));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut values = self.values.iter().map(|v| A::widen(*v));
        let sum = match values.next() {
            None => None,
            Some(first) => Some(A::finished(
                values.try_fold(first, A::add).ok_or_else(overflow)?,
            )),
        };
        let array: PrimitiveArray<A::Out> = std::iter::once(sum).collect();
        ScalarValue::try_from_array(&array, 0)
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        internal_err!("the sum of a window frame has no partial states")
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("the sum of a window frame has no partial states")
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.values.capacity() * size_of::<Native<A>>()
    }
}
