//! A decimal of any length, as text gives it: the numerics of PostgreSQL outgrow every machine type.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// `unscaled / 10^scale`, the scale kept as it was written (`1.50` has scale 2).
#[derive(Debug, Clone)]
pub struct Decimal {
    negative: bool,
    /// Decimal digits of the unscaled value, most significant first, at least `scale + 1` of them.
    digits: Vec<u8>,
    scale: usize,
}

impl Decimal {
    pub fn new(unscaled: i128, scale: usize) -> Decimal {
        Decimal::from_parts(unscaled < 0, &unscaled.unsigned_abs().to_string(), scale)
    }

    /// From the digits of an unscaled value, without a sign.
    fn from_parts(negative: bool, digits: &str, scale: usize) -> Decimal {
        let trimmed = digits.trim_start_matches('0');
        let mut digits = vec![0; (scale + 1).saturating_sub(trimmed.len())];
        digits.extend(trimmed.bytes().map(|b| b - b'0'));
        let negative = negative && digits.iter().any(|&d| d != 0);
        Decimal {
            negative,
            digits,
            scale,
        }
    }

    pub fn scale(&self) -> usize {
        self.scale
    }

    /// Digits before and after the point that a column needs to hold it.
    pub fn precision(&self) -> usize {
        let leading = self.digits.iter().take_while(|&&d| d == 0).count();
        (self.digits.len() - leading).max(1)
    }

    /// The unscaled value at `scale`, if it fits and nothing is cut off.
    pub fn unscaled(&self, scale: usize) -> Option<i128> {
        let mut digits = self.digits.clone();
        while digits.len() > 1 && self.scale + digits.len() - self.digits.len() > scale {
            if digits.pop() != Some(0) {
                return None;
            }
        }
        let have = self.scale + digits.len() - self.digits.len();
        digits.extend(std::iter::repeat_n(0, scale.checked_sub(have)?));
        let text: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
        let value: i128 = text.parse().ok()?;
        Some(if self.negative { -value } else { value })
    }

    /// Rounded half away from zero.
    #[must_use]
    pub fn rounded(&self, scale: usize) -> Decimal {
        if scale >= self.scale {
            let mut wider = self.clone();
            wider
                .digits
                .extend(std::iter::repeat_n(0, scale - self.scale));
            wider.scale = scale;
            return wider;
        }
        let keep = self.digits.len() - (self.scale - scale);
        let mut digits = self.digits[..keep].to_vec();
        if self.digits[keep] >= 5 {
            increment(&mut digits);
        }
        Decimal {
            negative: self.negative && digits.iter().any(|&d| d != 0),
            digits,
            scale,
        }
    }

    /// The same, or one unit of the last place apart, once the longer has been rounded to the
    /// scale of the shorter: how a quotient is compared with PostgreSQL's.
    pub fn equals_as_quotient(&self, other: &Decimal) -> bool {
        let scale = self.scale.min(other.scale);
        let (a, b) = (self.rounded(scale), other.rounded(scale));
        a == b || a.stepped() == b || b.stepped() == a
    }

    /// One unit of the last place further from zero.
    fn stepped(&self) -> Decimal {
        let mut next = self.clone();
        increment(&mut next.digits);
        next
    }

    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return;
        }
        *digit = 0;
    }
    digits.insert(0, 1);
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    /// By value: `1.5` equals `1.50`.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            _ => {}
        }
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.rounded(scale), other.rounded(scale));
        let width = a.digits.len().max(b.digits.len());
        let pad = |d: &[u8]| {
            let mut padded = vec![0; width - d.len()];
            padded.extend_from_slice(d);
            padded
        };
        let order = pad(&a.digits).cmp(&pad(&b.digits));
        if self.negative {
            order.reverse()
        } else {
            order
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let point = self.digits.len() - self.scale;
        for (i, digit) in self.digits.iter().enumerate() {
            if i == point {
                f.write_str(".")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl FromStr for Decimal {
    type Err = ();

    /// `-12.50`; no exponent.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(());
        }
        Ok(Decimal::from_parts(negative, &digits, fraction.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn compares_by_value_and_prints_its_scale() {
        assert_eq!(d("1.50"), d("1.5"));
        assert_eq!(d("-0.00"), d("0"));
        assert!(d("-2") < d("-1.5") && d("10") > d("9.99") && d("-1") < d("0"));
        assert_eq!(d("-0012.30").to_string(), "-12.30");
        assert_eq!(Decimal::new(-5, 3).to_string(), "-0.005");
        assert_eq!(d("0.00").to_string(), "0.00");
        assert_eq!((d("120.50").precision(), d("0.05").precision()), (5, 1));
    }

    #[test]
    fn rounds_half_away_from_zero() {
        assert_eq!(d("2.5").rounded(0).to_string(), "3");
        assert_eq!(d("-0.995").rounded(2).to_string(), "-1.00");
        assert_eq!(d("9.99").rounded(1).to_string(), "10.0");
        assert_eq!(d("0.04").rounded(1).to_string(), "0.0");
    }

    #[test]
    fn a_quotient_may_differ_by_one_unit_of_the_shorter_scale() {
        assert!(d("0.6667").equals_as_quotient(&d("0.66666667")));
        assert!(d("0.6666").equals_as_quotient(&d("0.66666667")));
        assert!(!d("0.6665").equals_as_quotient(&d("0.66666667")));
        assert!(!d("1").equals_as_quotient(&d("-1")));
    }

    #[test]
    fn unscaled_values_lose_nothing() {
        assert_eq!(d("1.50").unscaled(2), Some(150));
        assert_eq!(d("1.50").unscaled(1), Some(15));
        assert_eq!(d("1.50").unscaled(0), None);
        assert_eq!(d("-7").unscaled(3), Some(-7000));
    }
}
