//! Floats: the shortest digits that read back as the same value, laid out as PostgreSQL does.

use std::io::Write;

use bytes::{BufMut, BytesMut};

/// Decimal exponents from which on PostgreSQL writes an exponent: the defaults of C's `%g`.
const FLOAT4_EXPONENT_MIN: i32 = 6;
const FLOAT8_EXPONENT_MIN: i32 = 15;

pub fn float8(value: f64, out: &mut BytesMut) {
    if special(value, out) {
        return;
    }
    if value == value.trunc() && value.abs() < 1e15 {
        super::number::signed(value as i64, out);
        return;
    }
    let bits = value.to_bits();
    let (mantissa, exponent) = (bits & ((1 << 52) - 1), ((bits >> 52) & 0x7ff) as i32);
    let binary = Binary::new(mantissa, exponent, 52, 1075);
    let value_abs = value.abs();
    let shortest = binary.shortest(
        || Decimal::read(|w| write!(w, "{value_abs:e}")),
        |places| Decimal::read(|w| write!(w, "{value_abs:.places$e}")),
        |decimal| decimal.text().parse() == Ok(value_abs),
    );
    shortest.lay_out(value < 0.0, FLOAT8_EXPONENT_MIN, out);
}

pub fn float4(value: f32, out: &mut BytesMut) {
    if special(value.into(), out) {
        return;
    }
    if value == value.trunc() && value.abs() < 1e6 {
        super::number::signed(value as i64, out);
        return;
    }
    let bits = value.to_bits();
    let (mantissa, exponent) = (bits & ((1 << 23) - 1), ((bits >> 23) & 0xff) as i32);
    let binary = Binary::new(mantissa.into(), exponent, 23, 150);
    let value_abs = value.abs();
    let shortest = binary.shortest(
        || Decimal::read(|w| write!(w, "{value_abs:e}")),
        |places| Decimal::read(|w| write!(w, "{value_abs:.places$e}")),
        |decimal| decimal.text().parse() == Ok(value_abs),
    );
    shortest.lay_out(value < 0.0, FLOAT4_EXPONENT_MIN, out);
}

fn special(value: f64, out: &mut BytesMut) -> bool {
    let text: &[u8] = if value.is_nan() {
        b"NaN"
    } else if value == f64::INFINITY {
        b"Infinity"
    } else if value == f64::NEG_INFINITY {
        b"-Infinity"
    } else if value == 0.0 && value.is_sign_negative() {
        b"-0"
    } else {
        return false;
    };
    out.put_slice(text);
    true
}

/// d.ddd * 10^exponent.
struct Decimal {
    /// What Rust wrote: `d.ddde-7`.
    text: [u8; 40],
    text_len: usize,
    /// The digits alone.
    digits: [u8; 24],
    digits_len: usize,
    exponent: i32,
}

impl Decimal {
    fn read(write: impl FnOnce(&mut &mut [u8]) -> std::io::Result<()>) -> Decimal {
        let mut text = [0; 40];
        let mut left = &mut text[..];
        // The longest, 18 digits with sign, point and exponent, has 25 bytes.
        let written = write(&mut left);
        debug_assert!(written.is_ok());
        let text_len = 40 - left.len();
        let mut decimal = Decimal {
            text,
            text_len,
            digits: [0; 24],
            digits_len: 0,
            exponent: 0,
        };
        let mut bytes = text[..text_len].iter();
        for byte in bytes.by_ref().take_while(|b| **b != b'e') {
            if byte.is_ascii_digit() {
                decimal.digits[decimal.digits_len] = *byte;
                decimal.digits_len += 1;
            }
        }
        let exponent = bytes.as_slice();
        let negative = exponent.first() == Some(&b'-');
        for byte in exponent.iter().filter(|b| b.is_ascii_digit()) {
            decimal.exponent = decimal.exponent * 10 + i32::from(byte - b'0');
        }
        if negative {
            decimal.exponent = -decimal.exponent;
        }
        decimal
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.text[..self.text_len]).unwrap_or_default()
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..self.digits_len]
    }

    /// The digits as a whole number, to be taken times 10^[`Self::ten`].
    fn whole(&self) -> u128 {
        let digits = self.digits().iter();
        digits.fold(0, |n, d| n * 10 + u128::from(d - b'0'))
    }

    fn ten(&self) -> i32 {
        self.exponent - (self.digits_len as i32 - 1)
    }

    fn lay_out(&self, negative: bool, exponent_min: i32, out: &mut BytesMut) {
        if negative {
            out.put_u8(b'-');
        }
        let (digits, exponent) = (self.digits(), self.exponent);
        if !(-4..exponent_min).contains(&exponent) {
            out.put_u8(digits[0]);
            if digits.len() > 1 {
                out.put_u8(b'.');
                out.put_slice(&digits[1..]);
            }
            out.put_slice(if exponent < 0 { b"e-" } else { b"e+" });
            super::number::padded(exponent.unsigned_abs().into(), 2, out);
        } else if exponent < 0 {
            out.put_slice(b"0.");
            out.put_bytes(b'0', exponent.unsigned_abs() as usize - 1);
            out.put_slice(digits);
        } else {
            let whole = exponent as usize + 1;
            if digits.len() <= whole {
                out.put_slice(digits);
                out.put_bytes(b'0', whole - digits.len());
            } else {
                out.put_slice(&digits[..whole]);
                out.put_u8(b'.');
                out.put_slice(&digits[whole..]);
            }
        }
    }
}

/// mantissa * 2^exponent.
struct Binary {
    mantissa: u64,
    exponent: i32,
    /// The next smaller float is half as far as the next larger one.
    at_edge: bool,
}

impl Binary {
    /// From a float's stored parts.
    fn new(mantissa: u64, exponent: i32, mantissa_bits: u32, bias: i32) -> Binary {
        let implied = if exponent == 0 { 0 } else { 1 << mantissa_bits };
        Binary {
            mantissa: mantissa | implied,
            exponent: exponent.max(1) - bias,
            at_edge: mantissa == 0 && exponent > 1,
        }
    }

    /// PostgreSQL's choice among the decimals that read back as this float. Rust's `{:e}` has as
    /// few digits and differs in two rare cases, where `exact`, which rounds the exact value to so
    /// many places, half to even, decides.
    fn shortest(
        &self,
        rust: impl Fn() -> Decimal,
        exact: impl Fn(usize) -> Decimal,
        reads_back: impl Fn(&Decimal) -> bool,
    ) -> Decimal {
        let shortest = rust();
        let places = shortest.digits_len - 1;
        if self.has_midpoint(&shortest) {
            let passes = |d: &Decimal| reads_back(d) && !self.has_midpoint(d);
            (places..17)
                .map(&exact)
                .find(passes)
                .unwrap_or_else(|| exact(17))
        } else if self.is_tie(&shortest) {
            Some(exact(places)).filter(reads_back).unwrap_or(shortest)
        } else {
            shortest
        }
    }

    /// Whether `decimal` lies exactly between this float and a neighbour. Rust prints such digits
    /// where ties go to this float (`1e23`); PostgreSQL does not rely on how a reader breaks ties
    /// and prints `9.999999999999999e+22` (`STRICTLY_SHORTEST` in its `ryu_common.h`).
    fn has_midpoint(&self, decimal: &Decimal) -> bool {
        let Some((odd, two)) = binary(decimal.whole(), decimal.ten()) else {
            return false;
        };
        let m = u128::from(self.mantissa);
        (two == self.exponent - 1 && (odd == 2 * m + 1 || odd == 2 * m - 1))
            || (self.at_edge && two == self.exponent - 2 && odd == 4 * m - 1)
    }

    /// Whether this float lies exactly between `decimal` and another of as many digits, and the
    /// other one is even: Rust rounds such a half up, PostgreSQL to even.
    fn is_tie(&self, decimal: &Decimal) -> bool {
        let (whole, ten) = (decimal.whole(), decimal.ten());
        if whole % 2 == 0 {
            return false;
        }
        let zeros = self.mantissa.trailing_zeros();
        let this = (
            u128::from(self.mantissa >> zeros),
            self.exponent + zeros as i32,
        );
        [10 * whole - 5, 10 * whole + 5]
            .into_iter()
            .any(|half| binary(half, ten - 1) == Some(this))
    }
}

/// `whole` * 10^`ten` as an odd number times a power of two, where it is one with at most as many
/// bits as matter here.
fn binary(whole: u128, ten: i32) -> Option<(u128, i32)> {
    // 5^28 alone has more bits than a float or a midpoint.
    if whole == 0 || !(-27..=27).contains(&ten) {
        return None;
    }
    let fives = 5u128.pow(ten.unsigned_abs());
    let odd = if ten >= 0 {
        whole * fives
    } else if whole.is_multiple_of(fives) {
        whole / fives
    } else {
        return None;
    };
    let zeros = odd.trailing_zeros();
    Some((odd >> zeros, ten + zeros as i32))
}
