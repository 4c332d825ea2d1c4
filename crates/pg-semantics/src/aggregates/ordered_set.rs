//! `percentile_cont`, `percentile_disc` and `mode`, which see the sorted values of a group
//! (`orderedsetaggs.c` of PostgreSQL). DataFusion's `percentile_cont` gives what it is given, and
//! knows numbers alone.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, new_empty_array};
use arrow::compute::{SortOptions, concat, sort_to_indices, take};
use arrow::datatypes::{
    DataType, Field, FieldRef, Float64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use inflowave_types::SqlState;

use crate::functions::{interval_scaled, interval_spans, no_function};
use crate::raise::raise;
use crate::types;

/// Arrays of values that are kept apart, at most.
const PARTS_MAX: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// The value at a fraction of the way, between two where it falls between them.
    Continuous,
    /// The first value that is at least as far.
    Discrete,
    /// The most frequent value, the first of several.
    Mode,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OrderedSet {
    kind: Kind,
    signature: Signature,
}

impl OrderedSet {
    pub(super) fn new(kind: Kind) -> Self {
        OrderedSet {
            kind,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// The type of one result, of values of type `given`.
    fn result(&self, given: &FieldRef) -> Field {
        match (self.kind, given.data_type()) {
            (_, DataType::Interval(_)) => Field::new(self.name(), types::INTERVAL, true),
            (Kind::Continuous, _) => Field::new(self.name(), DataType::Float64, true),
            _ => Field::new(self.name(), given.data_type().clone(), true)
                .with_metadata(given.metadata().clone()),
        }
    }
}

fn fractions() -> DataType {
    DataType::new_list(DataType::Float64, true)
}

impl AggregateUDFImpl for OrderedSet {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Continuous => "percentile_cont",
            Kind::Discrete => "percentile_disc",
            Kind::Mode => "mode",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The values, then the fraction or several.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let refused = || no_function(self.name(), given);
        let value = match (self.kind, given.first().ok_or_else(refused)?) {
            (_, DataType::Interval(_)) => types::INTERVAL,
            (Kind::Continuous, t) if t.is_numeric() || t.is_null() || *t == DataType::Utf8 => {
                DataType::Float64
            }
            (Kind::Continuous, _) => return Err(refused()),
            (_, DataType::Null | DataType::Utf8) => DataType::Utf8View,
            (_, t) => t.clone(),
        };
        match (self.kind, &given[1..]) {
            (Kind::Mode, []) => Ok(vec![value]),
            (Kind::Mode, _) => Err(refused()),
            (_, [DataType::List(_)]) => Ok(vec![value, fractions()]),
            (_, [t]) if t.is_numeric() || t.is_null() || *t == DataType::Utf8 => {
                Ok(vec![value, DataType::Float64])
            }
            _ => Err(refused()),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> = given
            .iter()
            .map(|t| Arc::new(Field::new("", t.clone(), true)))
            .collect();
        Ok(self.return_field(&fields)?.data_type().clone())
    }

    fn return_field(&self, given: &[FieldRef]) -> Result<FieldRef> {
        let Some(value) = given.first() else {
            return internal_err!("{} of nothing", self.name());
        };
        let one = self.result(value);
        Ok(Arc::new(match given.get(1).map(|f| f.data_type()) {
            Some(DataType::List(_)) => {
                let item = one.with_name(Field::LIST_FIELD_DEFAULT_NAME);
                Field::new(self.name(), DataType::List(Arc::new(item)), true)
            }
            _ => one,
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let value = args.input_fields[0].data_type().clone();
        let values = DataType::new_list(value, true);
        let mut fields = vec![Arc::new(Field::new(
            format!("{}[values]", args.name),
            values,
            true,
        ))];
        if let Some(fraction) = args.input_fields.get(1) {
            let name = format!("{}[fraction]", args.name);
            let fraction = fraction.data_type().clone();
            fields.push(Arc::new(Field::new(name, fraction, true)));
        }
        Ok(fields)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let value = args.expr_fields[0].data_type().clone();
        let fraction = match args.expr_fields.get(1) {
            Some(field) => ScalarValue::try_from(field.data_type())?,
            None => ScalarValue::Null,
        };
        let descending = args.order_bys.first().is_some_and(|s| s.options.descending);
        Ok(Box::new(Values {
            kind: self.kind,
            value,
            result: args.return_field,
            descending,
            parts: Vec::new(),
            fraction,
        }))
    }

    /// It sorts what it has itself, without what is NULL.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }
}

/// The values of a group.
#[derive(Debug)]
struct Values {
    kind: Kind,
    value: DataType,
    result: FieldRef,
    descending: bool,
    parts: Vec<ArrayRef>,
    /// The same in all rows.
    fraction: ScalarValue,
}

impl Values {
    fn add(&mut self, values: &ArrayRef) -> Result<()> {
        let present = match values.null_count() {
            0 => Arc::clone(values),
            _ => arrow::compute::filter(values, &arrow::compute::is_not_null(values)?)?,
        };
        if !present.is_empty() {
            self.parts.push(present);
        }
        if self.parts.len() > PARTS_MAX {
            self.parts = vec![self.all()?];
        }
        Ok(())
    }

    fn keep_fraction(&mut self, fractions: Option<&ArrayRef>) -> Result<()> {
        if let Some(fractions) = fractions
            && self.fraction.is_null()
            && !fractions.is_empty()
        {
            self.fraction = ScalarValue::try_from_array(fractions, 0)?;
            self.fraction.compact();
        }
        Ok(())
    }

    fn all(&self) -> Result<ArrayRef> {
        let parts: Vec<&dyn Array> = self.parts.iter().map(AsRef::as_ref).collect();
        match parts.is_empty() {
            true => Ok(new_empty_array(&self.value)),
            false => Ok(concat(&parts)?),
        }
    }

    fn sorted(&self) -> Result<ArrayRef> {
        let all = self.all()?;
        let by = match self.value {
            DataType::Interval(_) => interval_spans(all.as_primitive()),
            _ => Arc::clone(&all),
        };
        let options = SortOptions {
            descending: self.descending,
            nulls_first: false,
        };
        Ok(take(
            &all,
            &sort_to_indices(&by, Some(options), None)?,
            None,
        )?)
    }

    /// The value at a fraction; `None` is NULL.
    fn at(&self, sorted: &ArrayRef, fraction: Option<f64>) -> Result<Option<ScalarValue>> {
        let Some(fraction) = fraction else {
            return Ok(None);
        };
        if !(0.0..=1.0).contains(&fraction) {
            return Err(raise(
                SqlState::NumericValueOutOfRange,
                format!("percentile value {fraction} is not between 0 and 1"),
            ));
        }
        if sorted.is_empty() {
            return Ok(None);
        }
        let count = sorted.len();
        if self.kind == Kind::Discrete {
            let row = (fraction * count as f64).ceil() as usize;
            return ScalarValue::try_from_array(sorted, row.max(1) - 1).map(Some);
        }
        let place = fraction * (count - 1) as f64;
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        let part = place - low as f64;
        if let DataType::Interval(_) = self.value {
            let spans = sorted.as_primitive::<IntervalMonthDayNanoType>();
            let value = between(spans.value(low), spans.value(high), part)?;
            return Ok(Some(ScalarValue::IntervalMonthDayNano(Some(value))));
        }
        let values = sorted.as_primitive::<Float64Type>();
        let (low, high) = (values.value(low), values.value(high));
        let value = match part == 0.0 {
            true => low,
            false => low + part * (high - low),
        };
        Ok(Some(ScalarValue::Float64(Some(value))))
    }

    fn mode(&self) -> Result<Option<ScalarValue>> {
        let sorted = self.sorted()?;
        let (mut best, mut best_count, mut count) = (None, 0, 0_usize);
        let mut before: Option<ScalarValue> = None;
        for row in 0..sorted.len() {
            let value = ScalarValue::try_from_array(&sorted, row)?;
            count = if before.as_ref() == Some(&value) {
                count + 1
            } else {
                1
            };
            if count > best_count {
                (best, best_count) = (Some(value.clone()), count);
            }
            before = Some(value);
        }
        Ok(best)
    }
}

/// `lo + (hi - lo) * part`
fn between(
    low: IntervalMonthDayNano,
    high: IntervalMonthDayNano,
    part: f64,
) -> Result<IntervalMonthDayNano> {
    let difference = IntervalMonthDayNano::new(
        high.months.wrapping_sub(low.months),
        high.days.wrapping_sub(low.days),
        high.nanoseconds.wrapping_sub(low.nanoseconds),
    );
    let added = interval_scaled(difference, part)?;
    Ok(IntervalMonthDayNano::new(
        low.months.wrapping_add(added.months),
        low.days.wrapping_add(added.days),
        low.nanoseconds.wrapping_add(added.nanoseconds),
    ))
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.keep_fraction(values.get(1))?;
        self.add(&values[0])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.keep_fraction(states.get(1))?;
        let lists = states[0].as_list::<i32>();
        for row in 0..lists.len() {
            if !lists.is_null(row) {
                self.add(&lists.value(row))?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let all = self.all()?;
        let item = Arc::new(Field::new_list_field(self.value.clone(), true));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([all.len()]);
        let list = ListArray::try_new(item, offsets, all, None)?;
        let mut state = vec![ScalarValue::List(Arc::new(list))];
        if self.kind != Kind::Mode {
            state.push(self.fraction.clone());
        }
        Ok(state)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let null = || ScalarValue::try_from(self.result.data_type());
        if self.kind == Kind::Mode {
            return self.mode()?.map_or_else(null, Ok);
        }
        let sorted = self.sorted()?;
        match &self.fraction {
            ScalarValue::Float64(fraction) => self.at(&sorted, *fraction)?.map_or_else(null, Ok),
            ScalarValue::List(list) if list.is_valid(0) => {
                let DataType::List(item) = self.result.data_type() else {
                    return internal_err!("several percentiles as one");
                };
                let fractions = list.value(0);
                let values = fractions
                    .as_primitive::<Float64Type>()
                    .iter()
                    .map(|fraction| match self.at(&sorted, fraction)? {
                        Some(value) => Ok(value),
                        None => ScalarValue::try_from(item.data_type()),
                    })
                    .collect::<Result<Vec<_>>>()?;
                if sorted.is_empty() {
                    return null();
                }
                let items = match values.is_empty() {
                    true => new_empty_array(item.data_type()),
                    false => ScalarValue::iter_to_array(values)?,
                };
                let offsets = arrow::buffer::OffsetBuffer::from_lengths([items.len()]);
                let list = ListArray::try_new(Arc::clone(item), offsets, items, None)?;
                Ok(ScalarValue::List(Arc::new(list)))
            }
            _ => null(),
        }
    }

    fn size(&self) -> usize {
        let parts = self.parts.iter().map(|p| p.get_array_memory_size());
        size_of_val(self) + parts.sum::<usize>() + self.fraction.size()
    }
}
