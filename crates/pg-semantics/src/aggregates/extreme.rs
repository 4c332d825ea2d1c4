//! `min` and `max` over floats: NaN is the greatest, infinity is a value.
//!
//! DataFusion 55.2 starts a grouped minimum with the greatest finite number, so that infinity is
//! lost, and lets whichever NaN or number comes last win. It also answers from the statistics of
//! files, which leave NaN out.

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::prim_op::PrimitiveGroupsAccumulator;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum End {
    Min,
    Max,
}

/// `min` or `max`, under the name that sources know.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct FloatExtreme {
    end: End,
    signature: Signature,
}

impl FloatExtreme {
    pub(crate) fn new(end: End) -> Self {
        let floats = vec![DataType::Float32, DataType::Float64];
        FloatExtreme {
            end,
            signature: Signature::uniform(1, floats, Volatility::Immutable),
        }
    }
}

/// A float in PostgreSQL's order.
trait Ordered: Copy + PartialOrd {
    /// What every other value is before: where a minimum starts.
    const GREATEST: Self;
    /// What every other value is behind: where a maximum starts.
    const LEAST: Self;
    fn is_nan(self) -> bool;
}

impl Ordered for f32 {
    const GREATEST: Self = f32::NAN;
    const LEAST: Self = f32::NEG_INFINITY;
    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

impl Ordered for f64 {
    const GREATEST: Self = f64::NAN;
    const LEAST: Self = f64::NEG_INFINITY;
    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

fn is_less<F: Ordered>(a: F, b: F) -> bool {
    !a.is_nan() && (b.is_nan() || a < b)
}

fn start<F: Ordered>(end: End) -> F {
    match end {
        End::Min => F::GREATEST,
        End::Max => F::LEAST,
    }
}

/// Whether `new` takes the place of `known`.
fn wins<F: Ordered>(end: End, new: F, known: F) -> bool {
    match end {
        End::Min => is_less(new, known),
        End::Max => is_less(known, new),
    }
}

/// Dispatches on the argument's type, naming it `T` in the body.
macro_rules! with_float {
    ($of:expr, $T:ident => $body:expr) => {
        match $of {
            DataType::Float32 => {
                type $T = Float32Type;
                $body
            }
            DataType::Float64 => {
                type $T = Float64Type;
                $body
            }
            other => return internal_err!("a float's extreme over {other}"),
        }
    };
}

impl AggregateUDFImpl for FloatExtreme {
    fn name(&self) -> &str {
        match self.end {
            End::Min => "min",
            End::Max => "max",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let of = args.return_field.data_type();
        with_float!(of, T => Ok(Box::new(Extreme::<T>::new(self.end))))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let (of, end) = (args.return_field.data_type(), self.end);
        with_float!(of, T => {
            type Native = <T as ArrowPrimitiveType>::Native;
            let keep = move |known: &mut Native, new: Native| {
                if wins(end, new, *known) {
                    *known = new;
                }
            };
            let groups = PrimitiveGroupsAccumulator::<T, _>::new(of, keep);
            Ok(Box::new(groups.with_starting_value(start::<Native>(end))))
        })
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The extreme of all rows.
#[derive(Debug)]
struct Extreme<T: ArrowPrimitiveType> {
    end: End,
    known: Option<T::Native>,
}

impl<T: ArrowPrimitiveType> Extreme<T> {
    fn new(end: End) -> Self {
        Extreme { end, known: None }
    }
}

impl<T> Accumulator for Extreme<T>
where
    T: ArrowPrimitiveType + std::fmt::Debug,
    T::Native: Ordered,
{
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for new in values[0].as_primitive::<T>().iter().flatten() {
            if self.known.is_none_or(|known| wins(self.end, new, known)) {
                self.known = Some(new);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::new_primitive::<T>(self.known, &T::DATA_TYPE)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
