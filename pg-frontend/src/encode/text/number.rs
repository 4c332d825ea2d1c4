//! Whole numbers and numerics.

use arrow::datatypes::i256;
use bytes::{BufMut, BytesMut};

/// Digits of the widest u128.
const DIGITS_MAX: usize = 39;
/// The largest power of ten in a u64; wider numbers are divided by it once or twice, since a
/// division of u128 is slow.
const TEN_19: u128 = 10_000_000_000_000_000_000;

pub fn signed(value: i64, out: &mut BytesMut) {
    if value < 0 {
        out.put_u8(b'-');
    }
    unsigned(value.unsigned_abs(), out);
}

pub fn unsigned(value: u64, out: &mut BytesMut) {
    let mut buf = [0; DIGITS_MAX];
    let start = digits(value, &mut buf);
    out.put_slice(&buf[start..]);
}

/// `value` with leading zeros up to `width` digits.
pub fn padded(value: u64, width: usize, out: &mut BytesMut) {
    let mut buf = [b'0'; DIGITS_MAX];
    let start = digits(value, &mut buf).min(DIGITS_MAX - width);
    out.put_slice(&buf[start..]);
}

/// `value` * 10^-`scale`, with all digits of its scale.
pub fn decimal(value: i128, scale: i8, out: &mut BytesMut) {
    let mut buf = [b'0'; DIGITS_MAX];
    let start = wide_digits(value.unsigned_abs(), &mut buf);
    point(value < 0, &buf[start..], scale, out);
}

pub fn decimal256(value: i256, scale: i8, out: &mut BytesMut) {
    match value.to_i128() {
        Some(value) => decimal(value, scale, out),
        None => {
            let text = value.to_string();
            let digits = text.trim_start_matches('-').as_bytes();
            point(text.starts_with('-'), digits, scale, out);
        }
    }
}

fn point(negative: bool, digits: &[u8], scale: i8, out: &mut BytesMut) {
    if negative {
        out.put_u8(b'-');
    }
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.put_slice(digits);
        if digits != b"0" {
            out.put_bytes(b'0', places);
        }
    } else if digits.len() > places {
        let (whole, fraction) = digits.split_at(digits.len() - places);
        out.put_slice(whole);
        out.put_u8(b'.');
        out.put_slice(fraction);
    } else {
        out.put_slice(b"0.");
        out.put_bytes(b'0', places - digits.len());
        out.put_slice(digits);
    }
}

/// Writes to the end of `buf`; gives where the digits start.
fn digits(mut value: u64, buf: &mut [u8]) -> usize {
    let mut at = buf.len();
    loop {
        at -= 1;
        buf[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return at;
        }
    }
}

/// As [`digits`]; `buf` must be filled with zeros.
fn wide_digits(value: u128, buf: &mut [u8; DIGITS_MAX]) -> usize {
    let mut value = value;
    let mut end = DIGITS_MAX;
    while value >= TEN_19 {
        digits((value % TEN_19) as u64, &mut buf[..end]);
        value /= TEN_19;
        end -= 19;
    }
    digits(value as u64, &mut buf[..end])
}
