//! Decimals from the server's text, digit by digit, without a string of ours in between.

use arrow::datatypes::i256;

/// The text of a decimal read as an integer with `scale` digits behind the point.
///
/// `None` if it is no decimal, has digits behind the scale other than zeros, or does not fit.
pub fn parse_i128(text: &[u8], scale: i8) -> Option<i128> {
    let mut value: i128 = 0;
    let negative = digits(text, scale, |digit| {
        value = value.checked_mul(10)?.checked_add(i128::from(digit))?;
        Some(())
    })?;
    Some(if negative { -value } else { value })
}

/// As [`parse_i128`].
pub fn parse_i256(text: &[u8], scale: i8) -> Option<i256> {
    // Arithmetic of 256 bits is slow, so 18 digits at a time are gathered in 64.
    let mut value = i256::ZERO;
    let (mut chunk, mut factor) = (0_i64, 1_i64);
    let flush = |value: i256, chunk: i64, factor: i64| {
        value
            .checked_mul(i256::from_i128(i128::from(factor)))?
            .checked_add(i256::from_i128(i128::from(chunk)))
    };
    let negative = digits(text, scale, |digit| {
        chunk = chunk * 10 + i64::from(digit);
        factor *= 10;
        if factor == 1_000_000_000_000_000_000 {
            value = flush(value, chunk, factor)?;
            (chunk, factor) = (0, 1);
        }
        Some(())
    })?;
    value = flush(value, chunk, factor)?;
    Some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// Whether `value` has at most `precision` digits.
pub fn fits_i128(value: i128, precision: u8) -> bool {
    10_u128
        .checked_pow(u32::from(precision))
        .is_none_or(|limit| value.unsigned_abs() < limit)
}

/// Whether `value` has at most `precision` digits.
pub fn fits_i256(value: i256, precision: u8) -> bool {
    let limit = i256::from_i128(10).checked_pow(u32::from(precision));
    limit.is_none_or(|limit| value < limit && value > limit.wrapping_neg())
}

/// Hands every digit of `text`, rescaled to `scale`, to `take`; answers whether it is negative.
fn digits(text: &[u8], scale: i8, mut take: impl FnMut(u8) -> Option<()>) -> Option<bool> {
    let (negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match text.iter().position(|b| *b == b'.') {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let scale = usize::try_from(scale).ok()?;
    let (kept, beyond) = fraction.split_at(fraction.len().min(scale));
    for byte in whole.iter().chain(kept) {
        if !byte.is_ascii_digit() {
            return None;
        }
        take(byte - b'0')?;
    }
    for _ in kept.len()..scale {
        take(0)?;
    }
    beyond.iter().all(|b| *b == b'0').then_some(negative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_scaled_integers() {
        assert_eq!(parse_i128(b"12.34", 2), Some(1234));
        assert_eq!(parse_i128(b"-12.34", 4), Some(-123_400));
        assert_eq!(parse_i128(b"12.3400", 2), Some(1234));
        assert_eq!(parse_i128(b".5", 1), Some(5));
        assert_eq!(parse_i128(b"-0.00", 2), Some(0));
        assert_eq!(
            parse_i128(b"18446744073709551615", 0),
            Some(18_446_744_073_709_551_615)
        );
        let most = "9".repeat(38);
        assert_eq!(parse_i128(most.as_bytes(), 0), Some(10_i128.pow(38) - 1));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (text, scale) in [
            ("1.005", 2),
            ("", 0),
            ("-", 0),
            (".", 0),
            ("1e3", 0),
            ("1.2.3", 2),
        ] {
            assert_eq!(parse_i128(text.as_bytes(), scale), None, "{text}");
            assert_eq!(parse_i256(text.as_bytes(), scale), None, "{text}");
        }
        assert_eq!(parse_i128("9".repeat(40).as_bytes(), 0), None);
        assert_eq!(parse_i256("9".repeat(80).as_bytes(), 0), None);
        assert!(fits_i128(999, 3) && !fits_i128(-1000, 3));
        assert!(fits_i256(i256::from_i128(-999), 3) && !fits_i256(i256::from_i128(1000), 3));
    }

    #[test]
    fn sixty_five_digits() {
        let text = format!("-{}.{}", "9".repeat(35), "9".repeat(30));
        let expected = i256::from_string(&format!("-{}", "9".repeat(65)));
        assert_eq!(parse_i256(text.as_bytes(), 30), expected);
        assert_eq!(
            parse_i256(b"1.5", 30),
            i256::from_string(&format!("15{}", "0".repeat(29)))
        );
        assert_eq!(
            parse_i256(b"123456789012345678", 0),
            i256::from_string("123456789012345678")
        );
    }
}
