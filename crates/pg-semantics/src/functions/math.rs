//! `round`, `trunc`, `ceil`, `floor`, `abs`, `sign`, `mod`, `sqrt`, `power`, `ln`, `log`, `exp`.
//!
//! Over numerics the first five are exact, with PostgreSQL's scale; `sqrt`, `power`, `ln`, `log`
//! and `exp` are computed as doubles whatever they are given.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray};
use arrow::compute::kernels::arity;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Decimal256Type, DecimalType, FieldRef,
    Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
};
use arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use inflowave_types::SqlState;

use super::integer::{out_of_range, scalar_if};
use super::numeric::{Unscaled, round_div};
use super::{numeric_or_double, udf};
use crate::raise::{numeric_overflow, raise_arrow};
use crate::types::{self, precision_scale};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let mut all: Vec<_> = [
        Rounding::Round,
        Rounding::Trunc,
        Rounding::Ceil,
        Rounding::Floor,
    ]
    .into_iter()
    .map(|r| udf(Round::new(r)))
    .collect();
    all.extend([Unary::Abs, Unary::Sign].map(|u| udf(OneNumber::new(u))));
    all.extend(
        [
            Double::Sqrt,
            Double::Power,
            Double::Ln,
            Double::Log,
            Double::Exp,
        ]
        .map(|d| udf(DoubleFunction::new(d))),
    );
    all.push(udf(Modulo::new()));
    all
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Rounding {
    Round,
    Trunc,
    Ceil,
    Floor,
}

/// `round(x)`, `round(numeric, n)` and their kin.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Round {
    rounding: Rounding,
    aliases: Vec<String>,
    signature: Signature,
}

impl Round {
    fn new(rounding: Rounding) -> Self {
        Round {
            rounding,
            aliases: match rounding {
                Rounding::Ceil => vec!["ceiling".to_owned()],
                _ => vec![],
            },
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Round {
    fn name(&self) -> &str {
        match self.rounding {
            Rounding::Round => "round",
            Rounding::Trunc => "trunc",
            Rounding::Ceil => "ceil",
            Rounding::Floor => "floor",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let takes_digits = matches!(self.rounding, Rounding::Round | Rounding::Trunc);
        match given {
            [t] if t.is_numeric() || t.is_null() => Ok(vec![numeric_or_double(t)]),
            // With a number of digits only numeric is there; a whole number becomes one.
            [t, n]
                if takes_digits
                    && (types::is_exact(t) || t.is_null())
                    && (types::is_integer(n) || n.is_null()) =>
            {
                Ok(vec![
                    types::as_decimal(t).unwrap_or(types::NUMERIC),
                    DataType::Int32,
                ])
            }
            _ => Err(no_function(self.name(), given)),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        internal_err!(
            "the type of {}({given:?}) depends on its values",
            self.name()
        )
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let from = args.arg_fields[0].data_type();
        let t = match precision_scale(from) {
            Some((precision, scale)) if from.is_decimal() => {
                let digits = match args.scalar_arguments.get(1) {
                    None => Some(0),
                    Some(Some(n)) => n.cast_to(&DataType::Int32).ok().and_then(|n| match n {
                        ScalarValue::Int32(n) => n,
                        _ => None,
                    }),
                    // Not a literal: each row may have its own scale, and they share the widest.
                    Some(None) => None,
                };
                let to = digits.map_or(scale, |n| n.clamp(0, i32::from(scale.max(0)) + 16) as i16);
                let to = to.min(76 - (precision - scale) - 1).max(0);
                types::exact_decimal(precision - scale + to + 1, to)
            }
            _ => DataType::Float64,
        };
        let nullable = args.arg_fields.iter().any(|f| f.is_nullable());
        Ok(Arc::new(arrow::datatypes::Field::new(
            self.name(),
            t,
            nullable,
        )))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let target = args.return_field.data_type();
        let result: ArrayRef = if *target == DataType::Float64 {
            let f: fn(f64) -> f64 = match self.rounding {
                Rounding::Round => f64::round_ties_even,
                Rounding::Trunc => f64::trunc,
                Rounding::Ceil => f64::ceil,
                Rounding::Floor => f64::floor,
            };
            let doubles = arrays[0].as_primitive::<Float64Type>();
            Arc::new(doubles.unary::<_, Float64Type>(f))
        } else {
            let digits = arrays.get(1).map(|a| a.as_primitive::<Int32Type>());
            match (arrays[0].data_type(), target) {
                (DataType::Decimal128(..), DataType::Decimal128(..)) => {
                    round_decimals::<Decimal128Type>(self.rounding, &arrays[0], digits, target)?
                }
                _ => {
                    let (_, scale) = precision_scale(arrays[0].data_type()).unwrap_or((38, 0));
                    let wide =
                        arrow::compute::cast(&arrays[0], &DataType::Decimal256(76, scale as i8))?;
                    let (p, s) = precision_scale(target).unwrap_or((76, scale));
                    let wide_target = DataType::Decimal256(p as u8, s as i8);
                    let rounded = round_decimals::<Decimal256Type>(
                        self.rounding,
                        &wide,
                        digits,
                        &wide_target,
                    )?;
                    arrow::compute::cast(&rounded, target)?
                }
            }
        };
        scalar_if(args.args.iter(), result)
    }
}

fn round_decimals<T: DecimalType>(
    rounding: Rounding,
    array: &ArrayRef,
    digits: Option<&PrimitiveArray<Int32Type>>,
    target: &DataType,
) -> Result<ArrayRef>
where
    T::Native: Unscaled,
{
    let (_, from) = precision_scale(array.data_type()).unwrap_or((38, 0));
    let (_, to) = precision_scale(target).unwrap_or((38, 0));
    let power = |n: i32| T::Native::power_of_ten(n.max(0) as u32);
    let one = |v: T::Native, digits: i32| -> Result<T::Native, ArrowError> {
        // First to `digits` after the point, then to the scale of the result.
        let drop = i32::from(from) - digits;
        let (v, scale) = if drop > 0 {
            let Some(unit) = power(drop) else {
                return Ok(T::Native::ZERO);
            };
            let quotient = v.div_wrapping(unit);
            let rest = v.mod_wrapping(unit);
            let rounded = match rounding {
                Rounding::Round => round_div(v, unit),
                Rounding::Ceil if rest.is_gt(T::Native::ZERO) => {
                    quotient.add_wrapping(T::Native::ONE)
                }
                Rounding::Floor if rest.is_lt(T::Native::ZERO) => {
                    quotient.sub_wrapping(T::Native::ONE)
                }
                _ => quotient,
            };
            (rounded, digits)
        } else {
            (v, i32::from(from))
        };
        let up = i32::from(to) - scale;
        let factor = power(up).ok_or_else(numeric_overflow)?;
        if up >= 0 {
            v.mul_checked(factor).map_err(|_| numeric_overflow())
        } else {
            Ok(v.div_wrapping(power(-up).ok_or_else(numeric_overflow)?))
        }
    };
    let decimals = array.as_primitive::<T>();
    let result: PrimitiveArray<T> = match digits {
        None => decimals.try_unary(|v| one(v, 0))?,
        Some(digits) => arity::try_binary(decimals, digits, one)?,
    };
    Ok(Arc::new(result.with_data_type(target.clone())))
}

/// `42883`, in PostgreSQL's words.
pub(crate) fn no_function(name: &str, given: &[DataType]) -> datafusion::common::DataFusionError {
    let given: Vec<_> = given.iter().map(types::name).collect();
    crate::raise::wrap(
        inflowave_types::Error::new(
            SqlState::UndefinedFunction,
            format!("function {name}({}) does not exist", given.join(", ")),
        )
        .with_hint(
            "No function matches the given name and argument types. You might need to add \
             explicit type casts.",
        ),
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unary {
    Abs,
    Sign,
}

/// `abs(x)` keeps the type; `sign(x)` is numeric or double.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OneNumber {
    function: Unary,
    signature: Signature,
}

impl OneNumber {
    fn new(function: Unary) -> Self {
        OneNumber {
            function,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for OneNumber {
    fn name(&self) -> &str {
        match self.function {
            Unary::Abs => "abs",
            Unary::Sign => "sign",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match (given, self.function) {
            ([t], _) if t.is_null() => Ok(vec![DataType::Float64]),
            ([t], Unary::Abs) if t.is_numeric() => Ok(vec![t.clone()]),
            ([t], Unary::Sign) if t.is_numeric() => Ok(vec![numeric_or_double(t)]),
            _ => Err(no_function(self.name(), given)),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(match self.function {
            Unary::Sign if given[0].is_decimal() => DataType::Decimal128(1, 0),
            _ => given[0].clone(),
        })
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let array = &arrays[0];
        let result = match (self.function, array.data_type()) {
            (Unary::Abs, DataType::Int16) => abs::<Int16Type>(array)?,
            (Unary::Abs, DataType::Int32) => abs::<Int32Type>(array)?,
            (Unary::Abs, DataType::Int64) => abs::<Int64Type>(array)?,
            (Unary::Abs, DataType::Decimal128(..)) => abs::<Decimal128Type>(array)?,
            (Unary::Abs, DataType::Decimal256(..)) => abs::<Decimal256Type>(array)?,
            (Unary::Abs, DataType::Float32) => Arc::new(
                array
                    .as_primitive::<Float32Type>()
                    .unary::<_, Float32Type>(f32::abs),
            ),
            (Unary::Abs, DataType::Float64) => Arc::new(
                array
                    .as_primitive::<Float64Type>()
                    .unary::<_, Float64Type>(f64::abs),
            ),
            (Unary::Sign, DataType::Float64) => Arc::new(
                array
                    .as_primitive::<Float64Type>()
                    .unary::<_, Float64Type>(|v| {
                        if v > 0.0 {
                            1.0
                        } else if v < 0.0 {
                            -1.0
                        } else {
                            v.abs()
                        }
                    }),
            ),
            (Unary::Sign, DataType::Decimal128(..)) => sign::<Decimal128Type>(array),
            (Unary::Sign, DataType::Decimal256(..)) => sign::<Decimal256Type>(array),
            (_, other) => return internal_err!("{} over {other}", self.name()),
        };
        scalar_if(args.args.iter(), result)
    }
}

fn abs<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<ArrayRef> {
    let t = array.data_type();
    let result = array
        .as_primitive::<T>()
        .try_unary::<_, T, ArrowError>(|v| {
            if v.is_lt(T::Native::ZERO) {
                v.neg_checked()
            } else {
                Ok(v)
            }
        });
    match result {
        Ok(result) => Ok(Arc::new(result.with_data_type(t.clone()))),
        Err(_) => Err(out_of_range(t)),
    }
}

fn sign<T: DecimalType>(array: &ArrayRef) -> ArrayRef {
    let signs = array.as_primitive::<T>().unary::<_, Decimal128Type>(|v| {
        i128::from(v.is_gt(T::Native::ZERO)) - i128::from(v.is_lt(T::Native::ZERO))
    });
    Arc::new(signs.with_data_type(DataType::Decimal128(1, 0)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Double {
    Sqrt,
    Power,
    Ln,
    Log,
    Exp,
}

/// Functions over doubles, with PostgreSQL's errors where the C library has NaN or infinity.
#[derive(Debug, PartialEq, Eq, Hash)]
struct DoubleFunction {
    function: Double,
    aliases: Vec<String>,
    signature: Signature,
}

impl DoubleFunction {
    fn new(function: Double) -> Self {
        DoubleFunction {
            function,
            aliases: match function {
                Double::Power => vec!["pow".to_owned()],
                Double::Log => vec!["log10".to_owned()],
                _ => vec![],
            },
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn compute(&self, a: f64, b: f64) -> Result<f64, ArrowError> {
        let result = match self.function {
            Double::Sqrt if a < 0.0 => {
                return Err(raise_arrow(
                    SqlState::InvalidArgumentForPowerFunction,
                    "cannot take square root of a negative number",
                ));
            }
            Double::Sqrt => a.sqrt(),
            Double::Ln | Double::Log if a == 0.0 => {
                return Err(raise_arrow(
                    SqlState::InvalidArgumentForLogarithm,
                    "cannot take logarithm of zero",
                ));
            }
            Double::Ln | Double::Log if a < 0.0 => {
                return Err(raise_arrow(
                    SqlState::InvalidArgumentForLogarithm,
                    "cannot take logarithm of a negative number",
                ));
            }
            Double::Ln => a.ln(),
            Double::Log => a.log10(),
            Double::Exp => a.exp(),
            Double::Power if a == 0.0 && b < 0.0 => {
                return Err(raise_arrow(
                    SqlState::InvalidArgumentForPowerFunction,
                    "zero raised to a negative power is undefined",
                ));
            }
            Double::Power if a < 0.0 && a.is_finite() && b.is_finite() && b.fract() != 0.0 => {
                return Err(raise_arrow(
                    SqlState::InvalidArgumentForPowerFunction,
                    "a negative number raised to a non-integer power yields a complex result",
                ));
            }
            Double::Power => a.powf(b),
        };
        if result.is_infinite() && a.is_finite() && b.is_finite() {
            return Err(raise_arrow(
                SqlState::NumericValueOutOfRange,
                "value out of range: overflow",
            ));
        }
        Ok(result)
    }
}

impl ScalarUDFImpl for DoubleFunction {
    fn name(&self) -> &str {
        match self.function {
            Double::Sqrt => "sqrt",
            Double::Power => "power",
            Double::Ln => "ln",
            Double::Log => "log",
            Double::Exp => "exp",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let count = if self.function == Double::Power { 2 } else { 1 };
        if given.len() != count || given.iter().any(|t| !t.is_numeric() && !t.is_null()) {
            return Err(no_function(self.name(), given));
        }
        Ok(vec![DataType::Float64; count])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let a = arrays[0].as_primitive::<Float64Type>();
        let result: PrimitiveArray<Float64Type> = match arrays.get(1) {
            None => a.try_unary(|a| self.compute(a, 0.0))?,
            Some(b) => arity::try_binary(a, b.as_primitive::<Float64Type>(), |a, b| {
                self.compute(a, b)
            })?,
        };
        scalar_if(args.args.iter(), Arc::new(result))
    }
}

/// `mod(a, b)` is `a % b`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Modulo {
    signature: Signature,
}

impl Modulo {
    fn new() -> Self {
        Modulo {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Modulo {
    fn name(&self) -> &'static str {
        "mod"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [a, b] if [a, b].iter().all(|t| types::is_exact(t) || t.is_null()) => {
                let t = types::common(a, b).filter(|t| !t.is_null());
                Ok(vec![t.unwrap_or(DataType::Int32); 2])
            }
            _ => Err(no_function(self.name(), given)),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (l, r) = (&arrays[0], &arrays[1]);
        let result = match l.data_type() {
            DataType::Int16 => remainder::<Int16Type>(l, r)?,
            DataType::Int32 => remainder::<Int32Type>(l, r)?,
            DataType::Int64 => remainder::<Int64Type>(l, r)?,
            DataType::Decimal128(..) => remainder::<Decimal128Type>(l, r)?,
            DataType::Decimal256(..) => remainder::<Decimal256Type>(l, r)?,
            other => return internal_err!("mod over {other}"),
        };
        scalar_if(args.args.iter(), result)
    }
}

fn remainder<T: ArrowPrimitiveType>(l: &ArrayRef, r: &ArrayRef) -> Result<ArrayRef> {
    let result: PrimitiveArray<T> =
        arity::try_binary(l.as_primitive::<T>(), r.as_primitive::<T>(), |a, b| {
            if b.is_zero() {
                Err(crate::raise::division_by_zero())
            } else {
                Ok(a.mod_wrapping(b))
            }
        })?;
    Ok(Arc::new(result.with_data_type(l.data_type().clone())))
}

/// For the operator `^`.
pub(crate) fn power_udf() -> Arc<ScalarUDF> {
    udf(DoubleFunction::new(Double::Power))
}
