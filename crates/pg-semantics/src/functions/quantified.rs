//! `x op ANY (array)` and `x op ALL (array)` over arrays that are known only row by row.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, PrimitiveArray, StringViewArray,
    UInt32Array,
};
use arrow::compute::kernels::cmp;
use arrow::compute::{ilike, like, nilike, nlike, not, regexp_is_match, take};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Operator, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::array::Layout;
use super::scalar_if;

/// `pg_quantified(x, array, op, all)`: whether `x op` holds for an item, or for all of them. Behind the
/// analyzer `x` has the type of the items.
pub(crate) const QUANTIFIED: &str = "pg_quantified";

/// Items that are compared at a time: an array of a row is never cut.
const ITEMS_AT_A_TIME: usize = 65_536;

/// The operator of a sign in the SQL text.
pub(crate) fn operator(sign: &str) -> Option<Operator> {
    Some(match sign {
        "=" => Operator::Eq,
        "<>" | "!=" => Operator::NotEq,
        "~~" => Operator::LikeMatch,
        "!~~" => Operator::NotLikeMatch,
        "~~*" => Operator::ILikeMatch,
        "!~~*" => Operator::NotILikeMatch,
        "~" => Operator::RegexMatch,
        "!~" => Operator::RegexNotMatch,
        "~*" => Operator::RegexIMatch,
        "!~*" => Operator::RegexNotIMatch,
        "<" => Operator::Lt,
        "<=" => Operator::LtEq,
        ">" => Operator::Gt,
        ">=" => Operator::GtEq,
        _ => return None,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Quantified {
    signature: Signature,
}

impl Quantified {
    pub fn new() -> Self {
        Quantified {
            signature: Signature::any(4, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Quantified {
    fn name(&self) -> &str {
        QUANTIFIED
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let (sign, all) = match (&args.args[2], &args.args[3]) {
            (
                ColumnarValue::Scalar(
                    ScalarValue::Utf8(Some(sign)) | ScalarValue::Utf8View(Some(sign)),
                ),
                ColumnarValue::Scalar(ScalarValue::Boolean(Some(all))),
            ) => (sign.clone(), *all),
            _ => return internal_err!("{QUANTIFIED} without an operator"),
        };
        let Some(op) = operator(&sign) else {
            return internal_err!("{QUANTIFIED} of {sign}");
        };
        let left = one_zero(&args.args[0].to_array(rows)?);
        let arrays = Layout::new(&args.args[1].to_array(rows)?)?;
        let mut found = BooleanBuilder::with_capacity(rows);
        let mut from = 0;
        while from < rows {
            let mut to = from;
            let mut items = 0;
            while to < rows && (to == from || items < ITEMS_AT_A_TIME) {
                items += arrays.range(to).len();
                to += 1;
            }
            let compared = compared(&left, &arrays, from..to, op)?;
            reduce(&compared, &arrays, from..to, all, &mut found);
            from = to;
        }
        scalar_if(args.args[..2].iter(), Arc::new(found.finish()))
    }
}

/// Each item of the arrays beside the left side of its row.
fn compared(
    left: &ArrayRef,
    arrays: &Layout,
    rows: Range<usize>,
    op: Operator,
) -> Result<BooleanArray> {
    let (mut of_left, mut of_items) = (Vec::new(), Vec::new());
    for row in rows.filter(|row| !arrays.is_null(*row)) {
        for item in arrays.range(row) {
            of_left.push(row as u32);
            of_items.push(item as u32);
        }
    }
    let left = take(left, &UInt32Array::from(of_left), None)?;
    let items = one_zero(&take(&arrays.items, &UInt32Array::from(of_items), None)?);
    let matches = |flags: Option<&str>| -> Result<BooleanArray> {
        let (texts, patterns) = (left.as_string_view(), items.as_string_view());
        let flags = flags.map(|f| StringViewArray::from(vec![f; texts.len()]));
        Ok(regexp_is_match(texts, patterns, flags.as_ref())?)
    };
    Ok(match op {
        Operator::Eq => cmp::eq(&left, &items)?,
        Operator::NotEq => cmp::neq(&left, &items)?,
        Operator::Lt => cmp::lt(&left, &items)?,
        Operator::LtEq => cmp::lt_eq(&left, &items)?,
        Operator::Gt => cmp::gt(&left, &items)?,
        Operator::GtEq => cmp::gt_eq(&left, &items)?,
        Operator::LikeMatch => like(&left, &items)?,
        Operator::NotLikeMatch => nlike(&left, &items)?,
        Operator::ILikeMatch => ilike(&left, &items)?,
        Operator::NotILikeMatch => nilike(&left, &items)?,
        Operator::RegexMatch => matches(None)?,
        Operator::RegexIMatch => matches(Some("i"))?,
        Operator::RegexNotMatch => not(&matches(None)?)?,
        Operator::RegexNotIMatch => not(&matches(Some("i"))?)?,
        other => return internal_err!("{QUANTIFIED} of {other}"),
    })
}

/// NULL for a NULL array, and where NULLs leave it open.
fn reduce(
    compared: &BooleanArray,
    arrays: &Layout,
    rows: Range<usize>,
    all: bool,
    found: &mut BooleanBuilder,
) {
    let mut at = 0;
    for row in rows {
        if arrays.is_null(row) {
            found.append_null();
            continue;
        }
        let end = at + arrays.range(row).len();
        // One item decides: a true one of ANY, a false one of ALL.
        let decides = (at..end).any(|i| compared.is_valid(i) && compared.value(i) != all);
        let is_open = (at..end).any(|i| compared.is_null(i));
        match (decides, is_open) {
            (true, _) => found.append_value(!all),
            (false, true) => found.append_null(),
            (false, false) => found.append_value(all),
        }
        at = end;
    }
}

/// Floats as PostgreSQL compares them: the zeros are one, and so are the values that are no number.
pub(super) fn one_zero(array: &ArrayRef) -> ArrayRef {
    fn of<T: ArrowPrimitiveType>(array: &ArrayRef, f: impl Fn(T::Native) -> T::Native) -> ArrayRef {
        let floats: &PrimitiveArray<T> = array.as_primitive();
        Arc::new(floats.unary::<_, T>(f))
    }
    match array.data_type() {
        DataType::Float64 => of::<Float64Type>(array, |v| match v {
            v if v.is_nan() => f64::NAN,
            v => v + 0.0,
        }),
        DataType::Float32 => of::<Float32Type>(array, |v| match v {
            v if v.is_nan() => f32::NAN,
            v => v + 0.0,
        }),
        _ => Arc::clone(array),
    }
}
