//! Digests, and binary data as text.

use inflowave_types::{Error, SqlState};
use md5::{Digest as _, Md5};

use super::{Out, Overload, Plain, T};

pub(super) const ALL: &[Plain] = &[
    Plain {
        name: "md5",
        overloads: &[
            overload!([T::Text] => T::Text, |_, args| {
                Ok(Out::Text(hex(&Md5::digest(args[0].text()))))
            }),
            overload!([T::Bytes] => T::Text, |_, args| {
                Ok(Out::Text(hex(&Md5::digest(args[0].bytes()))))
            }),
        ],
    },
    Plain {
        name: "sha224",
        overloads: &[overload!([T::Bytes] => T::Bytes, |_, args| {
            Ok(Out::Bytes(sha2::Sha224::digest(args[0].bytes()).to_vec()))
        })],
    },
    Plain {
        name: "sha256",
        overloads: &[overload!([T::Bytes] => T::Bytes, |_, args| {
            Ok(Out::Bytes(sha2::Sha256::digest(args[0].bytes()).to_vec()))
        })],
    },
    Plain {
        name: "sha384",
        overloads: &[overload!([T::Bytes] => T::Bytes, |_, args| {
            Ok(Out::Bytes(sha2::Sha384::digest(args[0].bytes()).to_vec()))
        })],
    },
    Plain {
        name: "sha512",
        overloads: &[overload!([T::Bytes] => T::Bytes, |_, args| {
            Ok(Out::Bytes(sha2::Sha512::digest(args[0].bytes()).to_vec()))
        })],
    },
    Plain {
        name: "encode",
        overloads: &[overload!([T::Bytes, T::Text] => T::Text, |_, args| {
            encode(args[0].bytes(), args[1].text()).map(Out::Text)
        })],
    },
    Plain {
        name: "decode",
        overloads: &[overload!([T::Text, T::Text] => T::Bytes, |_, args| {
            decode(args[0].text(), args[1].text()).map(Out::Bytes)
        })],
    },
    Plain {
        name: "convert_from",
        overloads: &[overload!([T::Bytes, T::Text] => T::Text, |_, args| {
            utf8(args[1].text())?;
            match String::from_utf8(args[0].bytes().to_vec()) {
                Ok(text) if !text.contains('\0') => Ok(Out::Text(text)),
                _ => Err(Error::new(
                    SqlState::CharacterNotInRepertoire,
                    "invalid byte sequence for encoding \"UTF8\"",
                )),
            }
        })],
    },
    Plain {
        name: "convert_to",
        overloads: &[overload!([T::Text, T::Text] => T::Bytes, |_, args| {
            utf8(args[1].text())?;
            Ok(Out::Bytes(args[0].text().as_bytes().to_vec()))
        })],
    },
];

fn utf8(encoding: &str) -> Result<(), Error> {
    let plain = encoding.to_lowercase().replace(['-', '_'], "");
    match matches!(plain.as_str(), "utf8" | "unicode") {
        true => Ok(()),
        false => Err(Error::unsupported(format!(
            "conversion to or from encoding \"{encoding}\" is not supported"
        ))
        .with_hint("Texts are UTF8 here.")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unrecognized(encoding: &str) -> Error {
    Error::new(
        SqlState::InvalidParameterValue,
        format!("unrecognized encoding: \"{encoding}\""),
    )
    .with_hint("There are hex, base64 and escape.")
}

fn encode(bytes: &[u8], format: &str) -> Result<String, Error> {
    Ok(match format.to_lowercase().as_str() {
        "hex" => hex(bytes),
        "base64" => base64(bytes),
        "escape" => {
            let mut out = String::with_capacity(bytes.len());
            for byte in bytes {
                match byte {
                    0 | 128.. => out.push_str(&format!("\\{byte:03o}")),
                    b'\\' => out.push_str("\\\\"),
                    byte => out.push(char::from(*byte)),
                }
            }
            out
        }
        _ => return Err(unrecognized(format)),
    })
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// In lines of 76 characters, as RFC 2045 has them.
fn base64(bytes: &[u8]) -> String {
    const LINE: usize = 76;
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 4);
    let mut column = 0;
    for chunk in bytes.chunks(3) {
        if column == LINE {
            out.push('\n');
            column = 0;
        }
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = (bits >> (18 - 6 * i)) & 63;
            out.push(match i <= chunk.len() {
                true => char::from(ALPHABET[digit as usize]),
                false => '=',
            });
        }
        column += 4;
    }
    out
}

fn decode(text: &str, format: &str) -> Result<Vec<u8>, Error> {
    let invalid = |message: String| Error::new(SqlState::InvalidParameterValue, message);
    match format.to_lowercase().as_str() {
        "hex" => {
            let mut digits = Vec::with_capacity(text.len());
            for c in text
                .chars()
                .filter(|c| !matches!(c, ' ' | '\n' | '\t' | '\r'))
            {
                let digit = c
                    .to_digit(16)
                    .ok_or_else(|| invalid(format!("invalid hexadecimal digit: \"{c}\"")))?;
                digits.push(digit as u8);
            }
            if digits.len() % 2 == 1 {
                return Err(invalid(
                    "invalid hexadecimal data: odd number of digits".to_owned(),
                ));
            }
            Ok(digits.chunks(2).map(|d| d[0] << 4 | d[1]).collect())
        }
        "base64" => from_base64(text).map_err(invalid),
        "escape" => from_escape(text).ok_or_else(|| {
            Error::new(
                SqlState::InvalidTextRepresentation,
                "invalid input syntax for type bytea",
            )
        }),
        _ => Err(unrecognized(format)),
    }
}

fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    let (mut out, mut bits, mut count, mut end) = (Vec::new(), 0_u32, 0, 0);
    for c in text
        .chars()
        .filter(|c| !matches!(c, ' ' | '\n' | '\t' | '\r'))
    {
        let digit = match c {
            '=' if count < 2 => {
                return Err("unexpected \"=\" while decoding base64 sequence".to_owned());
            }
            '=' => {
                end += 1;
                0
            }
            c if end > 0 => {
                return Err(format!(
                    "invalid symbol \"{c}\" found while decoding base64 sequence"
                ));
            }
            c => match ALPHABET.iter().position(|a| char::from(*a) == c) {
                Some(digit) => digit as u32,
                None => {
                    return Err(format!(
                        "invalid symbol \"{c}\" found while decoding base64 sequence"
                    ));
                }
            },
        };
        bits = bits << 6 | digit;
        count += 1;
        if count == 4 {
            let bytes = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
            out.extend_from_slice(&bytes[..3_usize.saturating_sub(end)]);
            (bits, count) = (0, 0);
        }
    }
    match count {
        0 => Ok(out),
        _ => Err("invalid base64 end sequence".to_owned()),
    }
}

fn from_escape(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        if *byte != b'\\' {
            out.push(*byte);
            at += 1;
            continue;
        }
        if bytes.get(at + 1) == Some(&b'\\') {
            out.push(b'\\');
            at += 2;
            continue;
        }
        let digits = bytes.get(at + 1..at + 4)?;
        let octal = std::str::from_utf8(digits).ok()?;
        out.push(u8::from_str_radix(octal, 8).ok()?);
        at += 4;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_to_text_and_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        for format in ["hex", "base64", "escape"] {
            let text = encode(&bytes, format).unwrap();
            assert_eq!(decode(&text, format).unwrap(), bytes, "{format}");
        }
        assert_eq!(base64(b"a"), "YQ==");
        assert_eq!(base64(b"abc"), "YWJj");
        assert_eq!(encode(b"a\\\x00\xff", "escape").unwrap(), "a\\\\\\000\\377");
        assert_eq!(hex(&Md5::digest("abc")), "900150983cd24fb0d6963f7d28e17f72");
    }
}
