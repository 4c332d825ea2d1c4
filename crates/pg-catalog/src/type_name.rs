//! Names of types, as `format_type` writes them.

use crate::data;

pub(crate) const TEXT: u32 = 25;
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
const NUMERIC: u32 = 1700;

/// SQL's own names, where they are not `typname`.
const SQL_NAMES: &[(u32, &str)] = &[
    (16, "boolean"),
    (18, "\"char\""),
    (20, "bigint"),
    (21, "smallint"),
    (23, "integer"),
    (700, "real"),
    (701, "double precision"),
    (BPCHAR, "character"),
    (VARCHAR, "character varying"),
    (1083, "time without time zone"),
    (1114, "timestamp without time zone"),
    (1184, "timestamp with time zone"),
    (2276, "\"any\""),
];

/// Other names that SQL has for types, in lower case.
const ALIASES: &[(&str, &str)] = &[
    ("int", "int4"),
    ("decimal", "numeric"),
    ("dec", "numeric"),
    ("float", "float8"),
    ("char", "bpchar"),
    ("time", "time"),
    ("timestamp", "timestamp"),
];

/// `format_type(oid, typmod)`; `-` for no type.
pub(crate) fn format(oid: u32, typmod: Option<i32>) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    let Some(spec) = data::type_of_oid(oid) else {
        return "???".to_owned();
    };
    if spec.element != 0 && spec.name.starts_with('_') {
        return format!("{}[]", format(spec.element, typmod));
    }
    let name = SQL_NAMES.iter().find(|(o, _)| *o == oid);
    let name = name.map_or(spec.name, |(_, name)| *name);
    match (oid, typmod) {
        (BPCHAR | VARCHAR, Some(m)) if m >= 4 => format!("{name}({})", m - 4),
        // A char without a length, where a modifier could stand, is not `char(1)`.
        (BPCHAR, Some(_)) => "bpchar".to_owned(),
        (NUMERIC, Some(m)) if m >= 4 => {
            let m = m - 4;
            // The scale is signed, in eleven bits.
            let scale = ((m & 0x7ff) ^ 1024) - 1024;
            format!("{name}({},{scale})", (m >> 16) & 0xffff)
        }
        _ => name.to_owned(),
    }
}

/// OID and modifier of a type by its name; text for a name that is not known.
pub(crate) fn parse(name: &str) -> (u32, i32) {
    find(name).unwrap_or((TEXT, -1))
}

/// OID and modifier of a type by its name in SQL or in `pg_type`.
pub(crate) fn find(name: &str) -> Option<(u32, i32)> {
    let name = name.trim();
    if let Some(element) = name.strip_suffix("[]") {
        let (oid, typmod) = find(element)?;
        let spec = data::type_of_oid(oid)?;
        // An array of arrays has the same type.
        let array = if spec.array == 0 { oid } else { spec.array };
        return Some((array, typmod));
    }
    let (base, arguments) = match name.split_once('(') {
        Some((base, rest)) => {
            let (arguments, behind) = rest.split_once(')')?;
            (format!("{}{behind}", base.trim_end()), Some(arguments))
        }
        None => (name.to_owned(), None),
    };
    let base = base.strip_prefix("pg_catalog.").unwrap_or(&base);
    let sql = SQL_NAMES.iter().find(|(_, n)| *n == base);
    let oid = match sql {
        Some((oid, _)) => *oid,
        None => {
            let alias = ALIASES.iter().find(|(alias, _)| *alias == base);
            let typname = alias.map_or(base.trim_matches('"'), |(_, typname)| *typname);
            data::type_named(typname)?.oid
        }
    };
    let numbers = arguments.map(|a| a.split(',').map(|n| n.trim().parse::<i32>().ok()));
    let numbers: Vec<i32> = match numbers {
        Some(numbers) => numbers.collect::<Option<_>>()?,
        None => Vec::new(),
    };
    let typmod = match (oid, numbers.as_slice()) {
        (BPCHAR | VARCHAR, [n]) => n + 4,
        (BPCHAR, []) if base == "char" || base == "character" => 1 + 4,
        (NUMERIC, [p]) => (p << 16) + 4,
        (NUMERIC, [p, s]) => ((p << 16) | (s & 0x7ff)) + 4,
        _ => -1,
    };
    Some((oid, typmod))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as PostgreSQL 15 answers.
    #[test]
    fn formats_as_postgresql_does() {
        for (oid, typmod, text) in [
            (23, None, "integer"),
            (1043, Some(29), "character varying(25)"),
            (1043, Some(-1), "character varying"),
            (1042, Some(14), "character(10)"),
            (1042, None, "character"),
            (1042, Some(-1), "bpchar"),
            (1700, Some((15 << 16) + 2 + 4), "numeric(15,2)"),
            (1700, Some(-1), "numeric"),
            (1007, None, "integer[]"),
            (1015, Some(9), "character varying(5)[]"),
            (18, None, "\"char\""),
            (19, None, "name"),
            (30, None, "oidvector"),
            (0, None, "-"),
            (999_999, None, "???"),
        ] {
            assert_eq!(format(oid, typmod), text);
        }
    }

    #[test]
    fn what_was_formatted_reads_back() {
        for name in [
            "bigint",
            "numeric(15,2)",
            "character varying(25)",
            "character(10)",
            "timestamp with time zone",
            "integer[]",
            "jsonb",
            "\"char\"",
        ] {
            let (oid, typmod) = find(name).unwrap();
            assert_eq!(format(oid, Some(typmod)), name);
        }
        assert_eq!(find("int"), Some((23, -1)));
        assert_eq!(find("pg_catalog.int4"), Some((23, -1)));
        assert_eq!(find("nosuch"), None);
        assert_eq!(parse("struct(a)"), (TEXT, -1));
    }
}
