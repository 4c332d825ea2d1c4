//! The first two values of a group, as a list: enough to know whether there is one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FirstTwo {
    signature: Signature,
}

impl FirstTwo {
    pub(super) fn new() -> Self {
        FirstTwo {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for FirstTwo {
    fn name(&self) -> &'static str {
        "pg_first_two"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(given[0].clone(), true))
    }

    fn return_field(&self, given: &[FieldRef]) -> Result<FieldRef> {
        let element = Field::new_list_field(given[0].data_type().clone(), true)
            .with_metadata(given[0].metadata().clone());
        let list = DataType::List(Arc::new(element));
        Ok(Arc::new(Field::new(self.name(), list, true)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = args.return_field.data_type().clone();
        Ok(vec![Arc::new(Field::new(args.name, list, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match args.return_field.data_type() {
            DataType::List(element) => Ok(Box::new(Rows {
                element: Arc::clone(element),
                seen: Vec::new(),
            })),
            other => internal_err!("rows of a subquery as {other}"),
        }
    }
}

#[derive(Debug)]
struct Rows {
    element: FieldRef,
    /// At most two.
    seen: Vec<ScalarValue>,
}

impl Rows {
    fn add(&mut self, values: &ArrayRef) -> Result<()> {
        for row in 0..values.len().min(2_usize.saturating_sub(self.seen.len())) {
            let mut value = ScalarValue::try_from_array(values, row)?;
            value.compact();
            self.seen.push(value);
        }
        Ok(())
    }

    fn list(&self) -> Result<ScalarValue> {
        let values = ScalarValue::new_list(&self.seen, self.element.data_type(), true);
        let (_, offsets, items, nulls) = values.as_ref().clone().into_parts();
        let list =
            arrow::array::ListArray::try_new(Arc::clone(&self.element), offsets, items, nulls)?;
        Ok(ScalarValue::List(Arc::new(list)))
    }
}

impl Accumulator for Rows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        for row in 0..lists.len() {
            if !lists.is_null(row) {
                self.add(&lists.value(row))?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.list()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.list()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.seen.iter().map(ScalarValue::size).sum::<usize>()
    }
}
