//! `avg`: over floats DataFusion's own; over exact numbers numeric, and taken apart into `sum` and
//! `count` before anything runs.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::functions_aggregate::average;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};
use inflowave_types::{Error, SqlState};

use super::sum::Sum;
use crate::functions;
use crate::raise::wrap;
use crate::types;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Avg {
    of_floats: average::Avg,
    signature: Signature,
}

impl Avg {
    pub(crate) fn new() -> Self {
        Avg {
            of_floats: average::Avg::new(),
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Avg {
    fn name(&self) -> &'static str {
        "avg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [t] if types::is_exact(t) => Ok(vec![t.clone()]),
            [t] if types::is_float(t) || t.is_null() => Ok(vec![DataType::Float64]),
            _ => {
                let given: Vec<_> = given.iter().map(types::name).collect();
                Err(wrap(
                    Error::new(
                        SqlState::UndefinedFunction,
                        format!("function avg({}) does not exist", given.join(", ")),
                    )
                    .with_hint(
                        "No function matches the given name and argument types. You might need \
                         to add explicit type casts.",
                    ),
                ))
            }
        }
    }

    /// The type of the quotient that stands for it.
    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        if !types::is_exact(&given[0]) {
            return Ok(DataType::Float64);
        }
        let sum = Sum::new().return_type(&Sum::new().coerce_types(given)?)?;
        let sum = types::as_decimal(&sum).unwrap_or(types::NUMERIC);
        functions::numeric_div().return_type(&[sum, DataType::Decimal128(19, 0)])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.of_floats.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.of_floats.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.of_floats.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.of_floats.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.of_floats.create_sliding_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
