//! `inet`, `cidr`, `macaddr`, `macaddr8` as PostgreSQL prints them.

use std::fmt::Write;
use std::net::Ipv4Addr;

use super::{Flaw, exactly};

/// `inet` leaves out the length of the network where it is the whole address; `cidr` never does.
pub(super) fn write_inet(bytes: &[u8], is_cidr: bool, out: &mut String) -> Result<(), Flaw> {
    let Some((&[family, bits, _, length], address)) = bytes.split_first_chunk::<4>() else {
        return Err(Flaw::malformed(bytes));
    };
    let whole = match (family, usize::from(length), address.len()) {
        (2, 4, 4) => {
            let address = Ipv4Addr::from(exactly::<4>(address)?);
            let _ = write!(out, "{address}");
            32
        }
        (3, 16, 16) => {
            write_ipv6(exactly(address)?, out);
            128
        }
        _ => return Err(Flaw::malformed(bytes)),
    };
    if is_cidr || bits != whole {
        let _ = write!(out, "/{bits}");
    }
    Ok(())
}

/// PostgreSQL's own rules (`inet_net_ntop.c`), which differ from Rust's for addresses that embed
/// an IPv4 address.
fn write_ipv6(address: [u8; 16], out: &mut String) {
    let mut words = [0u16; 8];
    for (word, pair) in words.iter_mut().zip(address.chunks_exact(2)) {
        *word = u16::from_be_bytes([pair[0], pair[1]]);
    }
    // The first of the longest runs of at least two zeros.
    let (mut best, mut best_length) = (8, 1);
    let mut start = 0;
    while start < 8 {
        let length = words[start..].iter().take_while(|w| **w == 0).count();
        if length > best_length {
            (best, best_length) = (start, length);
        }
        start += length.max(1);
    }
    if best == 8 {
        best_length = 0;
    }
    let mut index = 0;
    while index < 8 {
        if index == best {
            out.push(':');
            index += best_length;
            if index == 8 {
                out.push(':');
            }
            continue;
        }
        if index != 0 {
            out.push(':');
        }
        let embeds = index == 6
            && best == 0
            && (best_length == 6
                || (best_length == 7 && words[7] != 1)
                || (best_length == 5 && words[5] == 0xffff));
        if embeds {
            let [.., a, b, c, d] = address;
            let _ = write!(out, "{a}.{b}.{c}.{d}");
            return;
        }
        let _ = write!(out, "{:x}", words[index]);
        index += 1;
    }
}

pub(super) fn write_mac(bytes: &[u8], out: &mut String) -> Result<(), Flaw> {
    if !matches!(bytes.len(), 6 | 8) {
        return Err(Flaw::malformed(bytes));
    }
    for (index, byte) in bytes.iter().enumerate() {
        if index != 0 {
            out.push(':');
        }
        let _ = write!(out, "{byte:02x}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn v6(text: &str) -> String {
        let mut out = String::new();
        write_ipv6(text.parse::<Ipv6Addr>().unwrap().octets(), &mut out);
        out
    }

    #[test]
    fn ipv6_prints_as_postgres_prints_it() {
        for text in [
            "::",
            "::1",
            "1::",
            "2001:db8::1",
            "2001:db8:0:1:1:1:1:1",
            "1:0:0:2::3",
            "::ffff:10.1.2.3",
            "::10.1.2.3",
            "fe80::1:0:0:1",
            "1:2:3:4:5:6:7:8",
        ] {
            assert_eq!(v6(text), text);
        }
    }

    #[test]
    fn an_inet_shows_its_network_only_where_it_has_one() {
        let mut out = String::new();
        write_inet(&[2, 32, 0, 4, 10, 0, 0, 1], false, &mut out).unwrap();
        out.push(' ');
        write_inet(&[2, 8, 0, 4, 10, 0, 0, 1], false, &mut out).unwrap();
        out.push(' ');
        write_inet(&[2, 32, 1, 4, 10, 0, 0, 1], true, &mut out).unwrap();
        assert_eq!(out, "10.0.0.1 10.0.0.1/8 10.0.0.1/32");
        assert!(write_inet(&[9, 32, 0, 4, 1, 2, 3, 4], false, &mut out).is_err());
        assert!(write_inet(&[2], false, &mut out).is_err());
    }
}
