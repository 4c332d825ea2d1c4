//! Network addresses, kept as the texts that PostgreSQL shows.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arrow::array::ArrayRef;
use inflowave_types::Result;

use super::{Value, malformed, text};
use crate::body::Body;
use crate::encode::binary::{FAMILY_4, FAMILY_6};

/// `10.0.0.1/8`; the bits of the network are shown unless they are all.
pub fn inet(values: &[Value<'_>]) -> Result<ArrayRef> {
    text::printed(values, |body, out| {
        let (ip, bits) = address("inet", body)?;
        print(ip, out);
        if bits < bits_max(ip) {
            // Writing to a string does not fail.
            let _ = write!(out, "/{bits}");
        }
        Ok(())
    })
}

/// `10.0.0.0/8`, always with the bits of the network.
pub fn cidr(values: &[Value<'_>]) -> Result<ArrayRef> {
    text::printed(values, |body, out| {
        let (ip, bits) = address("cidr", body)?;
        let host = match ip {
            IpAddr::V4(ip) => u128::from(ip.to_bits()) << 96,
            IpAddr::V6(ip) => ip.to_bits(),
        };
        if host.checked_shl(bits.into()).unwrap_or(0) != 0 {
            return Err(malformed("invalid external \"cidr\" value")
                .with_detail("Value has bits set to right of mask."));
        }
        print(ip, out);
        let _ = write!(out, "/{bits}");
        Ok(())
    })
}

fn address(kind: &str, body: &mut Body<'_>) -> Result<(IpAddr, u8)> {
    let wrong = |what: &str| malformed(format!("invalid {what} in external \"{kind}\" value"));
    let family = body.u8()?;
    if family != FAMILY_4 && family != FAMILY_6 {
        return Err(wrong("address family"));
    }
    let bits = body.u8()?;
    if bits > if family == FAMILY_4 { 32 } else { 128 } {
        return Err(wrong("bits"));
    }
    let _is_cidr = body.u8()?;
    let length = body.u8()?;
    let ip = match (family, length) {
        (FAMILY_4, 4) => IpAddr::from(Ipv4Addr::from_bits(body.u32()?)),
        (FAMILY_6, 16) => {
            let (high, low) = (body.i64()?, body.i64()?);
            let bits = u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned());
            IpAddr::from(Ipv6Addr::from_bits(bits))
        }
        _ => return Err(wrong("length")),
    };
    Ok((ip, bits))
}

/// As PostgreSQL prints it: an IPv4 address within an IPv6 one keeps its dots.
fn print(ip: IpAddr, out: &mut String) {
    let printed = match ip {
        IpAddr::V6(v6) => match (v6.segments(), v6.to_bits() as u32) {
            // `::` and `::1` have more zeros than the address that would be compatible.
            ([0, 0, 0, 0, 0, 0, high, _], low) if high != 0 => {
                write!(out, "::{}", Ipv4Addr::from_bits(low))
            }
            _ => write!(out, "{v6}"),
        },
        IpAddr::V4(v4) => write!(out, "{v4}"),
    };
    // Writing to a string does not fail.
    let _ = printed;
}

fn bits_max(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}
