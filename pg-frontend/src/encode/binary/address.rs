//! Network addresses, which are kept as texts such as `10.0.0.1/8`.

use std::net::IpAddr;

use arrow::array::ArrayRef;
use bytes::{BufMut, BytesMut};

use super::bytes_form::{Texts, texts};
use super::{Form, Inexact};

/// PostgreSQL's own numbers of the families (`PGSQL_AF_INET`), the same on every system.
pub const FAMILY_4: u8 = 2;
pub const FAMILY_6: u8 = 3;

pub fn form(array: &ArrayRef) -> Option<Box<dyn Form>> {
    texts(array).map(|texts| -> Box<dyn Form> { Box::new(Inet(texts)) })
}

struct Inet(Box<dyn Texts>);

impl Form for Inet {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        let (ip, bits) = address(self.0.text(row)).ok_or(Inexact("a text that is no address"))?;
        let (family, octets) = match &ip {
            IpAddr::V4(ip) => (FAMILY_4, &ip.octets()[..]),
            IpAddr::V6(ip) => (FAMILY_6, &ip.octets()[..]),
        };
        // A column of cidr is described as inet: it is no network here either.
        out.put_slice(&[family, bits, 0, octets.len() as u8]);
        out.put_slice(octets);
        Ok(())
    }
}

/// An address and the bits of its network, all of them if the text tells none.
fn address(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, bits) = match text.split_once('/') {
        Some((ip, bits)) => (ip, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let ip: IpAddr = ip.parse().ok()?;
    let bits_max = if ip.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(bits_max);
    (bits <= bits_max).then_some((ip, bits))
}
