//! Digits of decimals.

use arrow::datatypes::DataType;

use crate::value::{Answer, Arithmetic, Value, refuse};

/// The result of decimal arithmetic has the scale that the source's own result has.
pub(crate) fn decimal_scale(
    op: Arithmetic,
    left: &Value,
    right: &Value,
    result: &DataType,
) -> Answer<()> {
    let scale = |t: &DataType| match t {
        DataType::Decimal128(_, s) | DataType::Decimal256(_, s) => Some(i32::from(*s)),
        _ => None,
    };
    let scales = (
        scale(&left.data_type),
        scale(&right.data_type),
        scale(result),
    );
    let (Some(l), Some(r), Some(out)) = scales else {
        return refuse("arithmetic over numbers of two kinds is computed here");
    };
    let natural = match op {
        Arithmetic::Add | Arithmetic::Sub => l.max(r),
        Arithmetic::Mul => l + r,
        Arithmetic::Div | Arithmetic::Rem => {
            return refuse("the digits of a quotient of decimals are not ours at the source");
        }
    };
    match natural == out {
        true => Ok(()),
        false => refuse("decimal arithmetic that rounds is computed here"),
    }
}

/// Every value of one decimal type fits the other.
pub(crate) fn widens(from: &DataType, to: &DataType) -> bool {
    let digits = |t: &DataType| match t {
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => {
            Some((i32::from(*p), i32::from(*s)))
        }
        _ => None,
    };
    match (digits(from), digits(to)) {
        (Some((p, s)), Some((q, t))) => t >= s && q - t >= p - s,
        _ => false,
    }
}
