//! Functions and operators over arrays.
//!
//! A list is an array; one of lists is an array of more dimensions. Behind the analyzer every argument has
//! the type that the function takes (`analyze::array`).

mod build;
mod find;
mod key;
mod layout;
mod shape;
mod subscript;
mod text;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::scalar_if;
pub(super) use layout::Layout;
pub(crate) use layout::{base, depth, nest};

/// `a @> b`.
pub(crate) const CONTAINS: &str = "pg_array_contains";
/// `a && b`.
pub(crate) const OVERLAPS: &str = "pg_array_overlaps";
/// `a[i]`, `a[i][j]`: the array, and a number for each dimension.
pub(crate) const SUBSCRIPT: &str = inflowave_connector_api::vocabulary::SUBSCRIPT;
/// `a[i:j]`: the array, and for each dimension its bounds, each a number and whether it is left out.
pub(crate) const SLICE: &str = "pg_array_slice";

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ArrayFunction {
    Append,
    Cardinality,
    Cat,
    Contains,
    Dims,
    Even,
    Fill,
    Items,
    Key,
    Length,
    Lower,
    Ndims,
    Overlaps,
    Position,
    Positions,
    Prepend,
    Remove,
    Replace,
    Slice,
    Subscript,
    ToString,
    Trim,
    Upper,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameter {
    Array,
    /// Of the type of the arrays' items.
    Item,
    Integer,
    Integers,
    Flag,
    Text,
}

use ArrayFunction as F;

impl ArrayFunction {
    const ALL: &'static [ArrayFunction] = &[
        F::Append,
        F::Cardinality,
        F::Cat,
        F::Contains,
        F::Dims,
        F::Even,
        F::Fill,
        F::Items,
        F::Key,
        F::Length,
        F::Lower,
        F::Ndims,
        F::Overlaps,
        F::Position,
        F::Positions,
        F::Prepend,
        F::Remove,
        F::Replace,
        F::Slice,
        F::Subscript,
        F::ToString,
        F::Trim,
        F::Upper,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            F::Append => "array_append",
            F::Cardinality => "cardinality",
            F::Cat => "array_cat",
            F::Contains => CONTAINS,
            F::Dims => "array_dims",
            F::Even => "pg_array_even",
            F::Fill => "array_fill",
            F::Items => "pg_array_items",
            F::Key => "pg_array_key",
            F::Length => "array_length",
            F::Lower => "array_lower",
            F::Ndims => "array_ndims",
            F::Overlaps => OVERLAPS,
            F::Position => "array_position",
            F::Positions => "array_positions",
            F::Prepend => "array_prepend",
            F::Remove => "array_remove",
            F::Replace => "array_replace",
            F::Slice => SLICE,
            F::Subscript => SUBSCRIPT,
            F::ToString => "array_to_string",
            F::Trim => "trim_array",
            F::Upper => "array_upper",
        }
    }

    /// The parameters, and how many of them at the end can be left out. What takes any number of
    /// subscripts has as many as are given.
    pub(crate) fn parameters(self, given: usize) -> (Vec<Parameter>, usize) {
        use Parameter::{Array, Flag, Integer, Integers, Item, Text};
        let fixed: &[Parameter] = match self {
            F::Append | F::Positions | F::Remove => &[Array, Item],
            F::Cardinality | F::Dims | F::Even | F::Items | F::Key | F::Ndims => &[Array],
            F::Cat | F::Contains | F::Overlaps => &[Array, Array],
            F::Fill => &[Item, Integers],
            F::Length | F::Lower | F::Trim | F::Upper => &[Array, Integer],
            F::Position => return (vec![Array, Item, Integer], 1),
            F::Prepend => &[Item, Array],
            F::Replace => &[Array, Item, Item],
            F::ToString => return (vec![Array, Text, Text], 1),
            F::Subscript => {
                let mut all = vec![Array];
                all.resize(given.max(2), Integer);
                return (all, 0);
            }
            F::Slice => {
                let bounds = (1..given).map(|at| if at % 2 == 1 { Integer } else { Flag });
                return (std::iter::once(Array).chain(bounds).collect(), 0);
            }
        };
        (fixed.to_vec(), 0)
    }

    /// The field of the result. Before the analyzer the arguments have what types the text says.
    fn field(self, args: &[FieldRef]) -> DataType {
        let array = args
            .iter()
            .map(|f| f.data_type())
            .filter(|t| depth(t) > 0)
            .max_by_key(|t| depth(t));
        let text_array = || nest(Arc::new(Field::new_list_field(DataType::Utf8View, true)), 1);
        match self {
            F::Append
            | F::Cat
            | F::Even
            | F::Prepend
            | F::Remove
            | F::Replace
            | F::Slice
            | F::Trim => array.cloned().unwrap_or_else(text_array),
            F::Fill => nest(
                Arc::new(
                    args[0]
                        .as_ref()
                        .clone()
                        .with_name("item")
                        .with_nullable(true),
                ),
                1,
            ),
            F::Items => array.map_or_else(text_array, |t| nest(base(t), 1)),
            F::Subscript => array.map_or(DataType::Utf8View, |t| base(t).data_type().clone()),
            F::Positions => nest(Arc::new(Field::new_list_field(DataType::Int32, true)), 1),
            F::Contains | F::Overlaps => DataType::Boolean,
            F::Dims | F::ToString => DataType::Utf8View,
            F::Key => DataType::Binary,
            F::Cardinality | F::Length | F::Lower | F::Ndims | F::Position | F::Upper => {
                DataType::Int32
            }
        }
    }

    pub(crate) fn udf(self) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::from(Call {
            function: self,
            signature: Signature::variadic_any(match self {
                // A timestamptz is printed in the zone of the session.
                F::ToString => Volatility::Stable,
                _ => Volatility::Immutable,
            }),
        }))
    }
}

pub(super) fn all() -> impl Iterator<Item = Arc<ScalarUDF>> {
    ArrayFunction::ALL.iter().map(|f| f.udf())
}

/// The items of arrays, of all dimensions behind each other.
///
/// # Errors
/// `XX000` for what is no array.
pub(crate) fn items(array: &ArrayRef) -> Result<ArrayRef> {
    let arrays = Layout::new(array)?;
    let at: Vec<u32> = (0..arrays.rows())
        .flat_map(|row| arrays.range(row))
        .map(|at| at as u32)
        .collect();
    Ok(arrow::compute::take(
        &arrays.items,
        &arrow::array::UInt32Array::from(at),
        None,
    )?)
}

/// What a call does, if it is one of these.
pub(crate) fn of(function: &ScalarUDF) -> Option<ArrayFunction> {
    function.inner().downcast_ref::<Call>().map(|c| c.function)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Call {
    function: ArrayFunction,
    signature: Signature,
}

impl ScalarUDFImpl for Call {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let field = |t: &DataType| Arc::new(Field::new("", t.clone(), true)) as FieldRef;
        Ok(self
            .function
            .field(&given.iter().map(field).collect::<Vec<_>>()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let field = Field::new(self.name(), self.function.field(args.arg_fields), true);
        let array = args.arg_fields.first().map(|f| f.data_type());
        Ok(Arc::new(match (self.function, array) {
            // What Arrow cannot tell apart stands in the metadata of the items.
            (F::Subscript, Some(t)) if depth(t) > 0 => {
                field.with_metadata(base(t).metadata().clone())
            }
            _ => field,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let given: Vec<ArrayRef> = args
            .args
            .iter()
            .map(|a| a.to_array(rows))
            .collect::<Result<_>>()?;
        let target = args.return_field.data_type();
        let result = match self.function {
            F::Append | F::Prepend | F::Cat => build::concatenated(self.function, &given, target)?,
            F::Even => build::even(&given)?,
            F::Fill => build::filled(&given, target)?,
            F::Remove => build::removed(&given, target)?,
            F::Replace => build::replaced(&given, target)?,
            F::Trim => build::trimmed(&given, target)?,
            F::Slice => subscript::slices(&given, target)?,
            F::Subscript => subscript::items(&given)?,
            F::Contains => find::contains(&given)?,
            F::Overlaps => find::overlaps(&given)?,
            F::Position => find::position(&given)?,
            F::Positions => find::positions(&given, target)?,
            F::Items => build::flat(&given, target)?,
            F::Key => key::of_arrays(&Layout::new(&given[0])?)?,
            F::ToString => text::joined(&given, &args.config_options)?,
            F::Dims => shape::dims(&Layout::new(&given[0])?),
            F::Cardinality => shape::cardinality(&Layout::new(&given[0])?),
            F::Ndims => shape::ndims(&Layout::new(&given[0])?),
            F::Length | F::Upper => shape::lengths(&given)?,
            F::Lower => shape::lowers(&given)?,
        };
        scalar_if(args.args.iter(), result)
    }
}
