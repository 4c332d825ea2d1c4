//! Integer `+ - * %` and unary minus, checked: overflow is `22003`.
//!
//! DataFusion builds its integer operators so that they wrap, and has no setting for it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Datum};
use arrow::compute::kernels::{arity, numeric};
use arrow::datatypes::{DataType, Int16Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use inflowave_connector_api::vocabulary;
use inflowave_types::SqlState;

use crate::raise::{division_by_zero, raise, raise_arrow};
use crate::types;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum IntegerOperator {
    Add,
    Subtract,
    Multiply,
    Modulo,
    Negate,
}

/// One checked operator over arguments of one integer type, which is the result's too.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct IntegerArithmetic {
    operator: IntegerOperator,
    signature: Signature,
}

impl IntegerArithmetic {
    pub(crate) fn new(operator: IntegerOperator) -> Self {
        IntegerArithmetic {
            operator,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for IntegerArithmetic {
    fn name(&self) -> &str {
        match self.operator {
            IntegerOperator::Add => vocabulary::INT_ADD,
            IntegerOperator::Subtract => vocabulary::INT_SUB,
            IntegerOperator::Multiply => vocabulary::INT_MUL,
            IntegerOperator::Modulo => vocabulary::INT_MOD,
            IntegerOperator::Negate => vocabulary::INT_NEG,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let wanted = given
            .iter()
            .filter(|t| !t.is_null())
            .fold(DataType::Int16, |a, b| types::wider_integer(&a, b));
        Ok(vec![wanted; given.len()])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let target = args.return_field.data_type().clone();
        let compute = |l: &dyn Datum, r: &dyn Datum| match self.operator {
            IntegerOperator::Add => numeric::add(l, r),
            IntegerOperator::Subtract => numeric::sub(l, r),
            IntegerOperator::Multiply => numeric::mul(l, r),
            IntegerOperator::Modulo => modulo(l, r),
            IntegerOperator::Negate => numeric::neg(l.get().0),
        };
        let result = match args.args.as_slice() {
            [ColumnarValue::Array(l), ColumnarValue::Array(r)] => compute(l, r),
            [ColumnarValue::Array(l), ColumnarValue::Scalar(r)] => compute(l, &r.to_scalar()?),
            [ColumnarValue::Scalar(l), ColumnarValue::Array(r)] => compute(&l.to_scalar()?, r),
            [ColumnarValue::Scalar(l), ColumnarValue::Scalar(r)] => {
                compute(&l.to_array()?, &r.to_array()?)
            }
            [ColumnarValue::Array(v)] => compute(v, v),
            [ColumnarValue::Scalar(v)] => {
                let array = v.to_array()?;
                compute(&array, &array)
            }
            other => return internal_err!("{} arguments", other.len()),
        };
        let array = result.map_err(|e| match e {
            ArrowError::ArithmeticOverflow(_) => out_of_range(&target),
            other => other.into(),
        })?;
        scalar_if(args.args.iter(), array)
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        match (self.operator, inputs) {
            (IntegerOperator::Add, [l, r]) => l.add(*r),
            (IntegerOperator::Subtract, [l, r]) => l.sub(*r),
            (IntegerOperator::Multiply, [l, r]) => l.mul(*r),
            (IntegerOperator::Negate, [v]) => v.arithmetic_negate(),
            _ => Interval::make_unbounded(&inputs[0].data_type()),
        }
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        Ok(match (self.operator, inputs) {
            (IntegerOperator::Add, [l, r]) => l.sort_properties.add(&r.sort_properties),
            (IntegerOperator::Subtract, [l, r]) => l.sort_properties.sub(&r.sort_properties),
            (IntegerOperator::Negate, [v]) => -v.sort_properties,
            _ => SortProperties::Unordered,
        })
    }
}

/// `22003`, in PostgreSQL's words.
pub(crate) fn out_of_range(t: &DataType) -> datafusion::common::DataFusionError {
    raise(
        SqlState::NumericValueOutOfRange,
        format!("{} out of range", types::name(t)),
    )
}

/// A scalar again, if all arguments were scalars.
pub(crate) fn scalar_if<'a>(
    mut args: impl Iterator<Item = &'a ColumnarValue>,
    array: ArrayRef,
) -> Result<ColumnarValue> {
    if args.all(|a| matches!(a, ColumnarValue::Scalar(_))) {
        Ok(ColumnarValue::Scalar(match array.as_list_opt::<i32>() {
            // Taken out of its array a list would lose what its field says of its items.
            Some(list) => ScalarValue::List(Arc::new(list.slice(0, 1))),
            None => ScalarValue::try_from_array(&array, 0)?,
        }))
    } else {
        Ok(ColumnarValue::Array(array))
    }
}

/// `%`, where the smallest value `% -1` is 0 and not an overflow.
fn modulo(l: &dyn Datum, r: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    match l.get().0.data_type() {
        DataType::Int16 => modulo_of::<Int16Type>(l, r),
        DataType::Int32 => modulo_of::<Int32Type>(l, r),
        DataType::Int64 => modulo_of::<Int64Type>(l, r),
        other => Err(raise_arrow(
            SqlState::InternalError,
            format!("modulo over {other}"),
        )),
    }
}

fn modulo_of<T: ArrowPrimitiveType>(l: &dyn Datum, r: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    let ((la, ls), (ra, rs)) = (l.get(), r.get());
    let (la, ra) = (la.as_primitive::<T>(), ra.as_primitive::<T>());
    let one = |a: T::Native, b: T::Native| {
        if b.is_zero() {
            Err(division_by_zero())
        } else {
            Ok(a.mod_wrapping(b))
        }
    };
    Ok(match (ls && !rs, rs && !ls) {
        (true, _) if la.is_null(0) => arrow::array::new_null_array(la.data_type(), ra.len()),
        (_, true) if ra.is_null(0) => arrow::array::new_null_array(ra.data_type(), la.len()),
        (true, _) => {
            let a = la.value(0);
            Arc::new(ra.try_unary::<_, T, ArrowError>(|b| one(a, b))?)
        }
        (_, true) => {
            let b = ra.value(0);
            Arc::new(la.try_unary::<_, T, ArrowError>(|a| one(a, b))?)
        }
        _ => Arc::new(arity::try_binary::<_, _, _, T>(la, ra, one)?),
    })
}
