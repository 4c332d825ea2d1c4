//! `sum`: int2 and int4 give int8, int8 gives numeric, a numeric keeps its scale, a real is a real.
//!
//! DataFusion's own wraps around on overflow, and gives int8 for int8.

use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Float32Type, Float64Type, Int16Type,
    Int32Type, Int64Type, i256,
};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::frame::Frame;
use super::sum_state::{Adder, DistinctSum, GroupedSum, PlainSum};
use crate::raise::wrap;
use crate::types;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sum {
    signature: Signature,
}

impl Sum {
    pub(crate) fn new() -> Self {
        Sum {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

struct Int2;
struct Int4;
struct Int8;
struct Narrow;
struct Wide;
struct Real;
struct Double;

impl Adder for Int2 {
    type In = Int16Type;
    type Out = Int64Type;
    fn widen(v: i16) -> i64 {
        i64::from(v)
    }
    fn add(sum: i64, v: i64) -> Option<i64> {
        sum.checked_add(v)
    }
    fn subtract(sum: i64, v: i64) -> i64 {
        sum.wrapping_sub(v)
    }
}

impl Adder for Int4 {
    type In = Int32Type;
    type Out = Int64Type;
    fn widen(v: i32) -> i64 {
        i64::from(v)
    }
    fn add(sum: i64, v: i64) -> Option<i64> {
        sum.checked_add(v)
    }
    fn subtract(sum: i64, v: i64) -> i64 {
        sum.wrapping_sub(v)
    }
}

impl Adder for Int8 {
    type In = Int64Type;
    type Out = Decimal128Type;
    fn widen(v: i64) -> i128 {
        i128::from(v)
    }
    fn add(sum: i128, v: i128) -> Option<i128> {
        sum.checked_add(v)
    }
    fn subtract(sum: i128, v: i128) -> i128 {
        sum.wrapping_sub(v)
    }
}

impl Adder for Narrow {
    type In = Decimal128Type;
    type Out = Decimal128Type;
    fn widen(v: i128) -> i128 {
        v
    }
    fn add(sum: i128, v: i128) -> Option<i128> {
        sum.checked_add(v)
    }
    fn subtract(sum: i128, v: i128) -> i128 {
        sum.wrapping_sub(v)
    }
    fn fits(v: i128) -> bool {
        v.unsigned_abs() < 10_u128.pow(38)
    }
}

impl Adder for Wide {
    type In = Decimal256Type;
    type Out = Decimal256Type;
    fn widen(v: i256) -> i256 {
        v
    }
    fn add(sum: i256, v: i256) -> Option<i256> {
        sum.checked_add(v)
    }
    fn subtract(sum: i256, v: i256) -> i256 {
        sum.wrapping_sub(v)
    }
    fn fits(v: i256) -> bool {
        let limit = i256::from_i128(10).wrapping_pow(76);
        v < limit && v > limit.wrapping_neg()
    }
}

impl Adder for Real {
    type In = Float32Type;
    type Out = Float32Type;
    fn widen(v: f32) -> f32 {
        v
    }
    fn add(sum: f32, v: f32) -> Option<f32> {
        let next = sum + v;
        // Only infinity may make a sum infinite.
        (!next.is_infinite() || sum.is_infinite() || v.is_infinite()).then_some(next)
    }
    /// Frames of floats do not slide: see [`Frame`].
    fn subtract(sum: f32, v: f32) -> f32 {
        sum - v
    }
    fn finished(sum: f32) -> f32 {
        if sum.is_nan() { f32::NAN } else { sum }
    }
}

impl Adder for Double {
    type In = Float64Type;
    type Out = Float64Type;
    fn widen(v: f64) -> f64 {
        v
    }
    fn add(sum: f64, v: f64) -> Option<f64> {
        let next = sum + v;
        // Only infinity may make a sum infinite.
        (!next.is_infinite() || sum.is_infinite() || v.is_infinite()).then_some(next)
    }
    /// Frames of floats do not slide: see [`Frame`].
    fn subtract(sum: f64, v: f64) -> f64 {
        sum - v
    }
    fn finished(sum: f64) -> f64 {
        if sum.is_nan() { f64::NAN } else { sum }
    }
}

/// Dispatches on the argument's type, naming the adder `A` in the body.
macro_rules! with_adder {
    ($of:expr, $A:ident => $body:expr) => {
        match $of {
            DataType::Int16 => {
                type $A = Int2;
                $body
            }
            DataType::Int32 => {
                type $A = Int4;
                $body
            }
            DataType::Int64 => {
                type $A = Int8;
                $body
            }
            DataType::Decimal128(..) => {
                type $A = Narrow;
                $body
            }
            DataType::Decimal256(..) => {
                type $A = Wide;
                $body
            }
            DataType::Float32 => {
                type $A = Real;
                $body
            }
            DataType::Float64 => {
                type $A = Double;
                $body
            }
            other => return internal_err!("sum over {other}"),
        }
    };
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![match given {
            [DataType::Int8 | DataType::UInt8] => DataType::Int16,
            [DataType::UInt16] => DataType::Int32,
            [DataType::UInt32] => DataType::Int64,
            [DataType::UInt64] => DataType::Decimal128(20, 0),
            [t] if t.is_null() => DataType::Float64,
            [t] if t.is_decimal() => types::as_decimal(t).unwrap_or(types::NUMERIC),
            [t] if t.is_numeric() => t.clone(),
            _ => {
                let given: Vec<_> = given.iter().map(types::name).collect();
                return Err(wrap(
                    inflowave_types::Error::new(
                        inflowave_types::SqlState::UndefinedFunction,
                        format!("function sum({}) does not exist", given.join(", ")),
                    )
                    .with_hint(
                        "No function matches the given name and argument types. You might need \
                         to add explicit type casts.",
                    ),
                ));
            }
        }])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(match &given[0] {
            DataType::Int16 | DataType::Int32 => DataType::Int64,
            DataType::Int64 => DataType::Decimal128(38, 0),
            DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
            DataType::Decimal256(_, scale) => DataType::Decimal256(76, *scale),
            other => other.clone(),
        })
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let of = args.expr_fields[0].data_type();
        let to = args.return_field.data_type().clone();
        let distinct = args.is_distinct;
        with_adder!(of, A => Ok(if distinct {
            Box::new(DistinctSum::<A>::new(of.clone(), to))
        } else {
            Box::new(PlainSum::<A>::new(to))
        }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        // What was added to a float cannot be taken away again: infinity, or digits, would stay.
        match args.return_field.data_type() {
            DataType::Float32 => Ok(Box::new(Frame::<Real>::new())),
            DataType::Float64 => Ok(Box::new(Frame::<Double>::new())),
            _ => self.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "sum");
        Ok(vec![if args.is_distinct {
            let item = Field::new_list_field(args.input_fields[0].data_type().clone(), true);
            Field::new_list(name, item, false).into()
        } else {
            Field::new(name, args.return_field.data_type().clone(), true).into()
        }])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let of = args.expr_fields[0].data_type();
        let to = args.return_field.data_type().clone();
        with_adder!(of, A => Ok(Box::new(GroupedSum::<A>::new(to))))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
