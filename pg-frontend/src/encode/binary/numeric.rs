//! Numerics: digits of base 10,000 with a weight, as `numeric_send` writes them.

use arrow::array::ArrayRef;
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, UInt64Type, i256,
};
use bytes::{BufMut, BytesMut};

use super::{Form, Inexact, each};

/// Digits of base 10,000 in the widest i256, which has 77 decimal digits, however they align.
const GROUPS_MAX: usize = 21;
/// Four groups at a time: what is divided by it once is then divided as a u64, since a division
/// of u128 is slow.
const TEN_16: u128 = 10_000_000_000_000_000;

const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;

pub fn form(array: &ArrayRef) -> Option<Box<dyn Form>> {
    match array.data_type() {
        DataType::UInt64 => each::<UInt64Type>(array, |v, out| decimal(v.into(), 0, out)),
        &DataType::Decimal32(_, s) => {
            each::<Decimal32Type>(array, move |v, out| decimal(v.into(), s, out))
        }
        &DataType::Decimal64(_, s) => {
            each::<Decimal64Type>(array, move |v, out| decimal(v.into(), s, out))
        }
        &DataType::Decimal128(_, s) => {
            each::<Decimal128Type>(array, move |v, out| decimal(v, s, out))
        }
        &DataType::Decimal256(_, s) => {
            each::<Decimal256Type>(array, move |v, out| decimal256(v, s, out))
        }
        _ => None,
    }
}

/// `value` * 10^-`scale`.
fn decimal(value: i128, scale: i8, out: &mut BytesMut) -> Result<(), Inexact> {
    let mut groups = Groups::new(scale);
    let mut left = value.unsigned_abs();
    let first = u128::from(groups.first());
    groups.push((left % first) as u64 * (10_000 / first) as u64);
    left /= first;
    while left >= TEN_16 {
        let mut chunk = (left % TEN_16) as u64;
        left /= TEN_16;
        for _ in 0..4 {
            groups.push(chunk % 10_000);
            chunk /= 10_000;
        }
    }
    let mut left = left as u64;
    while left > 0 {
        groups.push(left % 10_000);
        left /= 10_000;
    }
    groups.send(value < 0, scale, out);
    Ok(())
}

fn decimal256(value: i256, scale: i8, out: &mut BytesMut) -> Result<(), Inexact> {
    if let Some(value) = value.to_i128() {
        return decimal(value, scale, out);
    }
    let text = value.to_string();
    let mut digits = text.trim_start_matches('-').as_bytes();
    let mut groups = Groups::new(scale);
    let mut unit = groups.first();
    while !digits.is_empty() {
        let places = unit.ilog10() as usize;
        let (rest, low) = digits.split_at(digits.len().saturating_sub(places));
        let group = low.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0'));
        groups.push(group * (10_000 / unit));
        digits = rest;
        unit = 10_000;
    }
    groups.send(text.starts_with('-'), scale, out);
    Ok(())
}

/// Digits of base 10,000, the lowest first, of a number whose unit is 10^-scale.
struct Groups {
    groups: [u16; GROUPS_MAX],
    len: usize,
    /// The power of 10,000 of the lowest group.
    lowest: i16,
    /// How many decimal zeros the lowest group ends with, since groups start at the point.
    zeros: u32,
}

impl Groups {
    fn new(scale: i8) -> Self {
        let exponent = -i16::from(scale);
        Groups {
            groups: [0; GROUPS_MAX],
            len: 0,
            lowest: exponent.div_euclid(4),
            zeros: exponent.rem_euclid(4).unsigned_abs().into(),
        }
    }

    /// What the lowest group takes of the number's digits, as a power of ten.
    fn first(&self) -> u64 {
        10u64.pow(4 - self.zeros)
    }

    fn push(&mut self, group: u64) {
        self.groups[self.len] = group as u16;
        self.len += 1;
    }

    /// Zeros at either end are not sent; `dscale` tells those after the point.
    fn send(&self, negative: bool, scale: i8, out: &mut BytesMut) {
        let groups = &self.groups[..self.len];
        let low = groups.iter().position(|g| *g != 0);
        let high = groups.iter().rposition(|g| *g != 0);
        let (sent, weight) = match (low, high) {
            (Some(low), Some(high)) => (&groups[low..=high], self.lowest + high as i16),
            _ => (&groups[..0], 0),
        };
        out.put_u16(sent.len() as u16);
        out.put_i16(weight);
        out.put_u16(if negative { NEGATIVE } else { POSITIVE });
        out.put_i16(i16::from(scale).max(0));
        for group in sent.iter().rev() {
            out.put_u16(*group);
        }
    }
}
