//! The running states of `sum`.
//!
//! A sum that leaves its type is `22003`. In a grouped sum it is marked, so that the loop over the
//! rows has no way out, and fails when the group is emitted.

use std::collections::HashSet;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{ArrowPrimitiveType, DataType};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use inflowave_types::SqlState;

use crate::raise::raise;

/// How values of one type add up.
pub(super) trait Adder: Send + Sync + 'static {
    type In: ArrowPrimitiveType;
    type Out: ArrowPrimitiveType;
    fn widen(
        v: <Self::In as ArrowPrimitiveType>::Native,
    ) -> <Self::Out as ArrowPrimitiveType>::Native;
    fn add(
        sum: <Self::Out as ArrowPrimitiveType>::Native,
        v: <Self::Out as ArrowPrimitiveType>::Native,
    ) -> Option<<Self::Out as ArrowPrimitiveType>::Native>;
    fn subtract(
        sum: <Self::Out as ArrowPrimitiveType>::Native,
        v: <Self::Out as ArrowPrimitiveType>::Native,
    ) -> <Self::Out as ArrowPrimitiveType>::Native;
    /// Is the sum within the precision of its type?
    fn fits(_: <Self::Out as ArrowPrimitiveType>::Native) -> bool {
        true
    }
    /// The sum as it is given out.
    fn finished(
        sum: <Self::Out as ArrowPrimitiveType>::Native,
    ) -> <Self::Out as ArrowPrimitiveType>::Native {
        sum
    }
}

type Native<T> = <T as ArrowPrimitiveType>::Native;

pub(super) fn overflow() -> datafusion::common::DataFusionError {
    raise(
        SqlState::NumericValueOutOfRange,
        "value overflows numeric format",
    )
}

/// One sum, also over a window frame that slides.
pub(super) struct PlainSum<A: Adder> {
    sum: Native<A::Out>,
    /// Values in the sum: none is NULL.
    count: u64,
    to: DataType,
}

impl<A: Adder> PlainSum<A> {
    pub(super) fn new(to: DataType) -> Self {
        PlainSum {
            sum: Native::<A::Out>::default(),
            count: 0,
            to,
        }
    }

    fn add(&mut self, v: Native<A::Out>) -> Result<()> {
        self.sum = A::add(self.sum, v).ok_or_else(overflow)?;
        self.count += 1;
        Ok(())
    }
}

impl<A: Adder> std::fmt::Debug for PlainSum<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlainSum({:?})", self.sum)
    }
}

impl<A: Adder> Accumulator for PlainSum<A> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<A::In>();
        if values.null_count() == 0 {
            let mut sum = self.sum;
            for v in values.values() {
                sum = A::add(sum, A::widen(*v)).ok_or_else(overflow)?;
            }
            self.sum = sum;
            self.count += values.len() as u64;
            return Ok(());
        }
        for v in values.iter().flatten() {
            self.add(A::widen(v))?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for v in states[0].as_primitive::<A::Out>().iter().flatten() {
            self.add(v)?;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for v in values[0].as_primitive::<A::In>().iter().flatten() {
            self.sum = A::subtract(self.sum, A::widen(v));
            self.count -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        scalar::<A>(self.sum, self.count > 0, &self.to)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

fn scalar<A: Adder>(sum: Native<A::Out>, is_valid: bool, to: &DataType) -> Result<ScalarValue> {
    if is_valid && !A::fits(sum) {
        return Err(overflow());
    }
    let sum = is_valid.then(|| A::finished(sum));
    let array: PrimitiveArray<A::Out> = std::iter::once(sum).collect();
    ScalarValue::try_from_array(&array.with_data_type(to.clone()), 0)
}

/// `sum(DISTINCT x)`: its state is the set of values seen.
pub(super) struct DistinctSum<A: Adder> {
    seen: HashSet<ScalarValue>,
    of: DataType,
    to: DataType,
    adder: std::marker::PhantomData<A>,
}

impl<A: Adder> DistinctSum<A> {
    pub(super) fn new(of: DataType, to: DataType) -> Self {
        DistinctSum {
            seen: HashSet::new(),
            of,
            to,
            adder: std::marker::PhantomData,
        }
    }

    fn see(&mut self, values: &ArrayRef) -> Result<()> {
        for row in 0..values.len() {
            if values.is_valid(row) {
                self.seen.insert(ScalarValue::try_from_array(values, row)?);
            }
        }
        Ok(())
    }
}

impl<A: Adder> std::fmt::Debug for DistinctSum<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DistinctSum({} values)", self.seen.len())
    }
}

impl<A: Adder> Accumulator for DistinctSum<A> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.see(&values[0])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in states[0].as_list::<i32>().iter().flatten() {
            self.see(&values)?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut sum = PlainSum::<A>::new(self.to.clone());
        if !self.seen.is_empty() {
            sum.update_batch(&[ScalarValue::iter_to_array(self.seen.iter().cloned())?])?;
        }
        sum.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<_> = self.seen.iter().cloned().collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list(
            &values, &self.of, true,
        ))])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.seen.capacity() * size_of::<ScalarValue>()
    }
}

/// Many sums at once.
pub(super) struct GroupedSum<A: Adder> {
    sums: Vec<Native<A::Out>>,
    /// 0: no value yet, 1: a sum, 2: overflowed.
    marks: Vec<u8>,
    to: DataType,
}

const SUM: u8 = 1;
const OVERFLOWED: u8 = 2;

impl<A: Adder> GroupedSum<A> {
    pub(super) fn new(to: DataType) -> Self {
        GroupedSum {
            sums: vec![],
            marks: vec![],
            to,
        }
    }

    fn add<T: ArrowPrimitiveType>(
        &mut self,
        values: &PrimitiveArray<T>,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
        widen: impl Fn(T::Native) -> Native<A::Out>,
    ) {
        self.sums
            .resize(total_num_groups, Native::<A::Out>::default());
        self.marks.resize(total_num_groups, 0);
        let mut one = |group: usize, v: T::Native| match A::add(self.sums[group], widen(v)) {
            Some(sum) => {
                self.sums[group] = sum;
                self.marks[group] |= SUM;
            }
            None => self.marks[group] |= OVERFLOWED,
        };
        let filter = filter.map(|f| {
            f.values()
                & &f.nulls().map_or_else(
                    || arrow::buffer::BooleanBuffer::new_set(f.len()),
                    |n| n.inner().clone(),
                )
        });
        match (values.nulls(), filter) {
            (None, None) => {
                for (group, v) in group_indices.iter().zip(values.values()) {
                    one(*group, *v);
                }
            }
            (nulls, filter) => {
                for (row, (group, v)) in group_indices.iter().zip(values.values()).enumerate() {
                    if nulls.is_none_or(|n| n.is_valid(row))
                        && filter.as_ref().is_none_or(|f| f.value(row))
                    {
                        one(*group, *v);
                    }
                }
            }
        }
    }
}

impl<A: Adder> GroupsAccumulator for GroupedSum<A> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let values = values[0].as_primitive::<A::In>();
        self.add(
            values,
            group_indices,
            opt_filter,
            total_num_groups,
            A::widen,
        );
        Ok(())
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        let values = values[0].as_primitive::<A::Out>();
        self.add(values, group_indices, None, total_num_groups, |v| v);
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut sums = emit_to.take_needed(&mut self.sums);
        let marks = emit_to.take_needed(&mut self.marks);
        for sum in &mut sums {
            *sum = A::finished(*sum);
        }
        let failed = |(v, mark): (&Native<A::Out>, &u8)| {
            mark & OVERFLOWED != 0 || (*mark == SUM && !A::fits(*v))
        };
        if sums.iter().zip(&marks).any(failed) {
            return Err(overflow());
        }
        let nulls = NullBuffer::from_iter(marks.iter().map(|m| *m != 0));
        let array = PrimitiveArray::<A::Out>::try_new(sums.into(), Some(nulls))?;
        Ok(Arc::new(array.with_data_type(self.to.clone())))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = values[0].as_primitive::<A::In>();
        let states: PrimitiveArray<A::Out> = values.unary(A::widen);
        let states = states.with_data_type(self.to.clone());
        let Some(filter) = opt_filter else {
            return Ok(vec![Arc::new(states)]);
        };
        if filter.len() != states.len() {
            return internal_err!("a filter of {} rows over {}", filter.len(), states.len());
        }
        let dropped = BooleanArray::from_iter(filter.iter().map(|f| Some(f != Some(true))));
        let states: ArrayRef = Arc::new(states);
        Ok(vec![arrow::compute::nullif(&states, &dropped)?])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<Native<A::Out>>() + self.marks.capacity()
    }
}
