//! Functions of values alone.

use super::name::quoted;
use super::{Spec, int, oid, spec, text};
use crate::type_name;
use crate::value::Value;

pub(super) const SPECS: &[Spec] = &[
    Spec {
        strict: false,
        ..spec("format_type", (2, 2), "text", |_, args| {
            if args[0] == Value::Null {
                return Ok(Value::Null);
            }
            let typmod = match &args[1] {
                Value::Null => None,
                typmod => i32::try_from(int(typmod)?).ok(),
            };
            Ok(type_name::format(oid(&args[0])?, typmod).into())
        })
    },
    spec("quote_ident", (1, 1), "text", |_, args| {
        Ok(quoted(text(&args[0])).into())
    }),
    // What is quoted as a literal is printed before it comes here.
    spec("quote_literal", (1, 1), "text", |_, args| {
        Ok(literal(text(&args[0])).into())
    }),
    Spec {
        strict: false,
        ..spec("quote_nullable", (1, 1), "text", |_, args| {
            Ok(match &args[0] {
                Value::Null => "NULL".into(),
                value => literal(text(value)).into(),
            })
        })
    },
    spec("pg_size_pretty", (1, 1), "text", |_, args| {
        let bytes = match &args[0] {
            Value::Float(v) => *v as i64,
            other => int(other)?,
        };
        Ok(size(bytes).into())
    }),
];

/// `quote_literal`.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match quoted.contains('\\') {
        true => format!(" E'{}'", quoted.replace('\\', "\\\\"))
            .trim_start()
            .to_owned(),
        false => format!("'{quoted}'"),
    }
}

/// Rounds half away from zero, and keeps a unit up to 10240 of it, as PostgreSQL does.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    const LIMIT: i64 = 10 * 1024;
    let mut size = bytes;
    let mut halves = false;
    for (index, unit) in UNITS.iter().enumerate() {
        let limit = if halves { 2 * LIMIT - 1 } else { LIMIT };
        if size.abs() < limit || index == UNITS.len() - 1 {
            if halves {
                size = (size + size.signum()) / 2;
            }
            return format!("{size} {unit}");
        }
        // From the first step on the number counts halves, so that it can be rounded once.
        size >>= if halves { 10 } else { 9 };
        halves = true;
    }
    format!("{size} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as PostgreSQL 15 answers.
    #[test]
    fn sizes_and_literals_are_postgresqls() {
        for (bytes, pretty) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (10_752, "11 kB"),
            (10_485_247, "10239 kB"),
            (10_485_248, "10 MB"),
            (-12_345_678, "-12 MB"),
            (i64::MAX, "8192 PB"),
        ] {
            assert_eq!(size(bytes), pretty, "{bytes}");
        }
        assert_eq!(literal("a'b"), "'a''b'");
        assert_eq!(literal("a\\b"), "E'a\\\\b'");
    }
}
