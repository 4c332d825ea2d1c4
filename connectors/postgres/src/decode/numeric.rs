//! `numeric`: PostgreSQL's digits to base 10000 into Arrow decimals and into text.
//!
//! The wire has (<https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/numeric.c>,
//! `numeric_send`): number of digits, weight of the first one, sign, scale for display, digits. The
//! value is the sum of `digit[i] * 10000^(weight - i)`.

use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, i256};
use inflowave_types::SqlState;
use tokio_postgres::types::Type;

use super::fixed::{primitive, reader};
use super::{Decode, Flaw};

pub(super) fn decoder(source: &Type, target: &DataType) -> Option<Box<dyn Decode>> {
    let from_numeric = *source == Type::NUMERIC;
    let read = reader(source).filter(|_| *source != Type::OID);
    if !from_numeric && read.is_none() {
        return None;
    }
    Some(match *target {
        DataType::Decimal128(precision, scale) => {
            let limit = 10i128.pow(u32::from(precision));
            primitive::<Decimal128Type>(target, move |bytes| {
                let fits = |v: &i128| v.abs() < limit;
                match read {
                    None => {
                        let parts = Parts::read(bytes)?;
                        (parts.scaled::<i128>(scale).filter(fits))
                            .ok_or_else(|| parts.misfit(precision, scale))
                    }
                    Some(read) => {
                        let value = read(bytes)?;
                        scaled_integer(i128::from(value), scale)
                            .filter(fits)
                            .ok_or_else(|| misfit(value.to_string(), precision, scale))
                    }
                }
            })
        }
        DataType::Decimal256(precision, scale) => {
            let limit = i256::from_i128(10).wrapping_pow(u32::from(precision));
            primitive::<Decimal256Type>(target, move |bytes| {
                let fits = |v: &i256| v.wrapping_abs() < limit;
                match read {
                    None => {
                        let parts = Parts::read(bytes)?;
                        (parts.scaled::<i256>(scale).filter(fits))
                            .ok_or_else(|| parts.misfit(precision, scale))
                    }
                    Some(read) => {
                        let value = read(bytes)?;
                        scaled_integer(i256::from_i128(i128::from(value)), scale)
                            .filter(fits)
                            .ok_or_else(|| misfit(value.to_string(), precision, scale))
                    }
                }
            })
        }
        _ => return None,
    })
}

/// The text that PostgreSQL prints for a `numeric`.
pub(super) fn write_text(bytes: &[u8], out: &mut String) -> Result<(), Flaw> {
    Parts::read(bytes)?.write(out);
    Ok(())
}

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;

/// A `numeric` as it came, its digits checked.
struct Parts<'a> {
    /// Two bytes each, without zeros at the end.
    digits: &'a [u8],
    weight: i16,
    sign: u16,
    display_scale: u16,
}

impl<'a> Parts<'a> {
    fn read(bytes: &'a [u8]) -> Result<Parts<'a>, Flaw> {
        let Some((header, mut digits)) = bytes.split_at_checked(8) else {
            return Err(Flaw::malformed(bytes));
        };
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let (count, weight, sign, display_scale) = (word(0), word(2) as i16, word(4), word(6));
        if digits.len() != usize::from(count) * 2
            || !matches!(sign, 0 | NEGATIVE | NAN | INFINITY | MINUS_INFINITY)
            || digits
                .chunks_exact(2)
                .any(|d| u16::from_be_bytes([d[0], d[1]]) > 9999)
        {
            return Err(Flaw::malformed(bytes));
        }
        while let Some(rest) = digits.strip_suffix(&[0, 0]) {
            digits = rest;
        }
        Ok(Parts {
            digits,
            weight,
            sign,
            display_scale,
        })
    }

    fn digit(&self, index: usize) -> u16 {
        match self.digits.get(index * 2..index * 2 + 2) {
            Some(d) => u16::from_be_bytes([d[0], d[1]]),
            None => 0,
        }
    }

    /// The value times `10^scale`, if that is a whole number that `T` holds.
    fn scaled<T: Integer>(&self, scale: i8) -> Option<T> {
        if !matches!(self.sign, 0 | NEGATIVE) {
            return None;
        }
        let count = self.digits.len() / 2;
        if count == 0 {
            return Some(T::of(0));
        }
        let mut value = T::of(0);
        for index in 0..count - 1 {
            value = value.times(10_000)?.plus(self.digit(index))?;
        }
        let last = self.digit(count - 1);
        // The power of ten that the last digit still has to be multiplied with.
        let exponent = 4 * (i32::from(self.weight) - count as i32 + 1) + i32::from(scale);
        match exponent {
            0.. => {
                value = value.times(10_000)?.plus(last)?;
                for _ in 0..exponent / 4 {
                    value = value.times(10_000)?;
                }
                value = value.times(10u16.pow(exponent as u32 % 4))?;
            }
            // Only some of the decimal digits of the last digit to base 10000 are wanted.
            -3..=-1 => {
                let cut = 10u16.pow(exponent.unsigned_abs());
                if !last.is_multiple_of(cut) {
                    return None;
                }
                value = value.times(10_000 / cut)?.plus(last / cut)?;
            }
            _ => return None,
        }
        Some(if self.sign == NEGATIVE {
            value.negated()
        } else {
            value
        })
    }

    fn misfit(&self, precision: u8, scale: i8) -> Flaw {
        let mut text = String::new();
        self.write(&mut text);
        if text.len() > 100 {
            text.truncate(97);
            text.push_str("..");
        }
        misfit(text, precision, scale)
    }

    fn write(&self, out: &mut String) {
        match self.sign {
            NAN => return out.push_str("NaN"),
            INFINITY => return out.push_str("Infinity"),
            MINUS_INFINITY => return out.push_str("-Infinity"),
            NEGATIVE => out.push('-'),
            _ => {}
        }
        if self.weight < 0 {
            out.push('0');
        }
        for index in 0..=self.weight.max(-1) {
            let digit = self.digit(index as usize);
            if index == 0 {
                out.push_str(&digit.to_string());
            } else {
                push_padded(out, digit);
            }
        }
        if self.display_scale == 0 {
            return;
        }
        out.push('.');
        let end = out.len() + usize::from(self.display_scale);
        let mut index = i32::from(self.weight) + 1;
        while out.len() < end {
            let digit = usize::try_from(index).map_or(0, |i| self.digit(i));
            push_padded(out, digit);
            index += 1;
        }
        out.truncate(end);
    }
}

fn push_padded(out: &mut String, digit: u16) {
    for power in [1000, 100, 10, 1] {
        out.push(char::from(b'0' + (digit / power % 10) as u8));
    }
}

fn misfit(value: String, precision: u8, scale: i8) -> Flaw {
    Flaw::new(
        SqlState::NumericValueOutOfRange,
        value,
        format!("does not fit numeric({precision},{scale})"),
    )
}

fn scaled_integer<T: Integer>(value: T, scale: i8) -> Option<T> {
    let mut value = value;
    for _ in 0..u8::try_from(scale).ok()? {
        value = value.times(10)?;
    }
    Some(value)
}

/// The two widths of Arrow's decimals; every operation is checked.
trait Integer: Copy {
    fn of(value: u16) -> Self;
    fn times(self, factor: u16) -> Option<Self>;
    fn plus(self, addend: u16) -> Option<Self>;
    fn negated(self) -> Self;
}

impl Integer for i128 {
    fn of(value: u16) -> Self {
        value.into()
    }
    fn times(self, factor: u16) -> Option<Self> {
        self.checked_mul(factor.into())
    }
    fn plus(self, addend: u16) -> Option<Self> {
        self.checked_add(addend.into())
    }
    fn negated(self) -> Self {
        -self
    }
}

impl Integer for i256 {
    fn of(value: u16) -> Self {
        i256::from_i128(value.into())
    }
    fn times(self, factor: u16) -> Option<Self> {
        self.checked_mul(i256::from_i128(factor.into()))
    }
    fn plus(self, addend: u16) -> Option<Self> {
        self.checked_add(i256::from_i128(addend.into()))
    }
    fn negated(self) -> Self {
        self.wrapping_neg()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::decode::testing::one;

    fn wire(digits: &[u16], weight: i16, sign: u16, scale: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [digits.len() as u16, weight as u16, sign, scale] {
            bytes.extend(word.to_be_bytes());
        }
        for digit in digits {
            bytes.extend(digit.to_be_bytes());
        }
        bytes
    }

    fn decimal(bytes: &[u8], precision: u8, scale: i8) -> Result<i128, Flaw> {
        let array = one(
            &Type::NUMERIC,
            &DataType::Decimal128(precision, scale),
            bytes,
        )?;
        Ok(array.as_primitive::<Decimal128Type>().value(0))
    }

    fn text(bytes: &[u8]) -> String {
        let mut out = String::new();
        write_text(bytes, &mut out).unwrap();
        out
    }

    #[test]
    fn digits_are_put_together() {
        // 12345.67 is 1 2345 6700 with weight 1.
        let value = wire(&[1, 2345, 6700], 1, 0, 2);
        assert_eq!(decimal(&value, 15, 2), Ok(1_234_567));
        assert_eq!(decimal(&value, 15, 4), Ok(123_456_700));
        assert_eq!(text(&value), "12345.67");
        // -0.0001 is 1 with weight -1.
        let value = wire(&[1], -1, NEGATIVE, 4);
        assert_eq!(decimal(&value, 5, 4), Ok(-1));
        assert_eq!(text(&value), "-0.0001");
        // 0.00000012 is 1200 with weight -2.
        let value = wire(&[12], -2, 0, 8);
        assert_eq!(decimal(&value, 10, 8), Ok(12));
        assert_eq!(text(&value), "0.00000012");
        // 10000 is 1 with weight 1.
        let value = wire(&[1], 1, 0, 0);
        assert_eq!(decimal(&value, 5, 0), Ok(10_000));
        assert_eq!(text(&value), "10000");
        let value = wire(&[], 0, 0, 3);
        assert_eq!(decimal(&value, 5, 3), Ok(0));
        assert_eq!(text(&value), "0.000");
    }

    #[test]
    fn the_edges_of_38_and_76_digits_fit() {
        // 38 nines with 15 of them behind the point: 40 digits to base 10 on the wire.
        let mut digits = vec![999u16];
        digits.extend([9999; 8]);
        digits.push(9990);
        assert_eq!(
            decimal(&wire(&digits, 5, 0, 15), 38, 15),
            Ok(10i128.pow(38) - 1)
        );

        let digits = [9999u16; 19];
        let array = one(
            &Type::NUMERIC,
            &DataType::Decimal256(76, 0),
            &wire(&digits, 18, NEGATIVE, 0),
        )
        .unwrap();
        let limit = i256::from_i128(10).wrapping_pow(76);
        assert_eq!(
            array.as_primitive::<Decimal256Type>().value(0),
            i256::from_i128(1).wrapping_sub(limit)
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let flaw = decimal(&wire(&[1, 2345], 1, 0, 0), 4, 0).unwrap_err();
        assert_eq!(flaw.value, "12345");
        assert_eq!(flaw.reason, "does not fit numeric(4,0)");
        assert_eq!(flaw.sqlstate, SqlState::NumericValueOutOfRange);
        let flaw = decimal(&wire(&[1234], -1, 0, 4), 10, 3).unwrap_err();
        assert_eq!(flaw.value, "0.1234");
        assert_eq!(
            decimal(&wire(&[], 0, NAN, 0), 38, 16).unwrap_err().value,
            "NaN"
        );
        let flaw = decimal(&wire(&[], 0, MINUS_INFINITY, 0), 38, 16).unwrap_err();
        assert_eq!(flaw.value, "-Infinity");
        assert!(decimal(&wire(&[1], 30_000, 0, 0), 38, 0).is_err());
        assert!(decimal(&wire(&[1], -4_000, 0, 16_000), 38, 16).is_err());
    }

    #[test]
    fn integers_become_decimals() {
        let array = one(
            &Type::INT8,
            &DataType::Decimal128(38, 2),
            &i64::MIN.to_be_bytes(),
        )
        .unwrap();
        assert_eq!(
            array.as_primitive::<Decimal128Type>().value(0),
            i128::from(i64::MIN) * 100
        );
        let flaw = one(
            &Type::INT4,
            &DataType::Decimal128(5, 2),
            &1000i32.to_be_bytes(),
        )
        .unwrap_err();
        assert_eq!(flaw.value, "1000");
    }

    #[test]
    fn a_wrong_header_is_malformed() {
        assert_eq!(decimal(&[0, 1], 5, 0).unwrap_err().reason, "is malformed");
        assert!(decimal(&wire(&[10_000], 0, 0, 0), 38, 0).is_err());
        assert!(decimal(&wire(&[1], 0, 7, 0), 38, 0).is_err());
        let mut cut = wire(&[1, 2], 0, 0, 4);
        cut.pop();
        assert!(decimal(&cut, 38, 4).is_err());
    }
}
