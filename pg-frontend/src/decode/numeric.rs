//! Numerics, as decimals of the narrowest width that holds them with their own scale.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Decimal256Array};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, Decimal256Type, DecimalType, i256,
};
use inflowave_types::{Error, Result, SqlState};

use super::{Value, malformed};
use crate::body::Body;

/// Digits of base 10,000 that PostgreSQL takes (`NUMERIC_MAX_PRECISION` and
/// `NUMERIC_MAX_RESULT_SCALE` together).
const LENGTH_MAX: u16 = 3_000;
const DSCALE_MAX: u16 = 0x3fff;

const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;

/// All with the largest scale among them.
pub fn numeric(values: &[Value<'_>]) -> Result<ArrayRef> {
    let read = values.iter().map(|value| value.read(decimal));
    let decimals: Vec<Option<Decimal>> = read.collect::<Result<_>>()?;
    let scale = decimals.iter().flatten().map(|d| d.scale).max();
    let scale = scale.unwrap_or(0);
    let scaled = decimals.into_iter().map(|decimal| match decimal {
        Some(decimal) => shifted(decimal.value, u32::from(scale - decimal.scale)).map(Some),
        None => Ok(None),
    });
    let scaled: Vec<Option<i256>> = scaled.collect::<Result<_>>()?;

    let fits = |v: &i256, precision| Decimal256Type::is_valid_decimal_precision(*v, precision);
    let all_fit =
        |precision: u8| scale <= precision && scaled.iter().flatten().all(|v| fits(v, precision));
    if all_fit(DECIMAL128_MAX_PRECISION) {
        let narrow = scaled.iter().map(|v| v.and_then(i256::to_i128));
        let array = Decimal128Array::from_iter(narrow);
        let array = array.with_precision_and_scale(DECIMAL128_MAX_PRECISION, scale as i8);
        return Ok(Arc::new(array.map_err(|_| overflow())?));
    }
    if !all_fit(DECIMAL256_MAX_PRECISION) {
        return Err(overflow());
    }
    let array = Decimal256Array::from_iter(scaled);
    let array = array.with_precision_and_scale(DECIMAL256_MAX_PRECISION, scale as i8);
    Ok(Arc::new(array.map_err(|_| overflow())?))
}

/// `value` * 10^-`scale`.
struct Decimal {
    value: i256,
    scale: u8,
}

/// `numeric_recv`; digits that the scale hides are cut off.
fn decimal(body: &mut Body<'_>) -> Result<Decimal> {
    let wrong = |what: &str| malformed(format!("invalid {what} in external \"numeric\" value"));
    let length = body.u16()?;
    if length > LENGTH_MAX {
        return Err(wrong("length"));
    }
    let weight = i32::from(body.i16()?);
    let sign = body.u16()?;
    let special = match sign {
        POSITIVE | NEGATIVE => None,
        0xc000 => Some("NaN"),
        0xd000 => Some("Infinity"),
        0xf000 => Some("-Infinity"),
        _ => return Err(wrong("sign")),
    };
    let dscale = body.u16()?;
    if dscale > DSCALE_MAX {
        return Err(wrong("scale"));
    }
    let mut value = i256::ZERO;
    let mut unit = 4 * (weight + 1);
    for _ in 0..length {
        let group = body.u16()?;
        if group >= 10_000 {
            return Err(wrong("digit"));
        }
        unit -= 4;
        // How many of the group's four digits stand behind the scale.
        let hidden = (-(unit + i32::from(dscale))).clamp(0, 4).unsigned_abs();
        let shown = i256::from_i128((group / 10u16.pow(hidden)).into());
        value = shifted(value, 4 - hidden)?
            .checked_add(shown)
            .ok_or_else(overflow)?;
    }
    if let Some(special) = special {
        return Err(Error::unsupported(format!(
            "the value {special} of a numeric parameter is not supported"
        ))
        .with_hint("Declare the parameter as double precision."));
    }
    let scale = u8::try_from(dscale).map_err(|_| overflow())?;
    // Zeros between the last digit that was sent and the scale are not sent.
    let behind = u32::try_from(unit + i32::from(dscale)).unwrap_or(0);
    let value = shifted(value, behind)?;
    Ok(Decimal {
        value: if sign == NEGATIVE { -value } else { value },
        scale,
    })
}

/// `value` * 10^`places`
fn shifted(value: i256, places: u32) -> Result<i256> {
    if value == i256::ZERO {
        return Ok(value);
    }
    let factor = i256::from_i128(10).checked_pow(places);
    factor
        .and_then(|factor| value.checked_mul(factor))
        .ok_or_else(overflow)
}

fn overflow() -> Error {
    Error::new(
        SqlState::NumericValueOutOfRange,
        "value overflows numeric format",
    )
    .with_detail(format!(
        "A numeric parameter can have {DECIMAL256_MAX_PRECISION} digits at most."
    ))
}
