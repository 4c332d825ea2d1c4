//! What PostgreSQL 15 says of its catalogs, types and functions, and is the same everywhere.
//!
//! The files in `data` were written by PostgreSQL 15 itself, by the statements beside them; they
//! are under the PostgreSQL Licence (<https://www.postgresql.org/about/licence/>).

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A relation of `pg_catalog` or `information_schema`.
#[derive(Debug)]
pub(crate) struct RelationSpec {
    pub schema: &'static str,
    pub name: &'static str,
    /// `r` or `v`.
    pub kind: &'static str,
    pub oid: u32,
    pub columns: Vec<ColumnSpec>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnSpec {
    pub name: &'static str,
    /// `typname`.
    pub type_name: &'static str,
    pub not_null: bool,
}

/// A row of `pg_type`: the columns that are not the same for all.
#[derive(Debug)]
pub(crate) struct TypeSpec {
    pub oid: u32,
    pub name: &'static str,
    pub len: i16,
    pub by_value: bool,
    pub kind: &'static str,
    pub category: &'static str,
    pub preferred: bool,
    pub delimiter: &'static str,
    pub element: u32,
    pub array: u32,
    pub align: &'static str,
    pub storage: &'static str,
    pub collation: u32,
    /// `typsubscript`, `typinput`, `typoutput`, `typreceive`, `typsend`, `typmodin`, `typmodout`.
    pub functions: [u32; 7],
}

/// A row of `pg_proc`, and its arguments and result in words.
#[derive(Debug, Clone)]
pub(crate) struct FunctionSpec {
    pub oid: u32,
    pub name: String,
    pub kind: &'static str,
    pub volatility: &'static str,
    pub strict: bool,
    pub returns_set: bool,
    pub leakproof: bool,
    pub parallel: &'static str,
    pub defaults: i16,
    pub variadic: u32,
    pub result: u32,
    pub arguments: Vec<u32>,
    pub arguments_text: String,
    pub result_text: String,
}

const RELATIONS_TSV: &str = include_str!("data/relations.tsv");
const TYPES_TSV: &str = include_str!("data/types.tsv");
const SUPPORT_TSV: &str = include_str!("data/support.tsv");
const KEYWORDS_TSV: &str = include_str!("data/keywords.tsv");
const ROWS_TSV: &str = include_str!("data/rows.tsv");
const FUNCTIONS_TSV: &str = include_str!("data/functions.tsv");

pub(crate) static RELATIONS: LazyLock<Vec<RelationSpec>> = LazyLock::new(|| {
    let lines = lines(RELATIONS_TSV);
    lines
        .map(|cells| RelationSpec {
            schema: cells[0],
            name: cells[1],
            kind: cells[2],
            oid: number(cells[3]),
            columns: cells[4].split(',').map(column).collect(),
        })
        .collect()
});

/// A word that SQL gives a meaning, as `pg_get_keywords` tells it.
#[derive(Debug)]
pub(crate) struct Keyword {
    pub word: &'static str,
    /// `U` for one that needs no quotes as a name.
    pub category: &'static str,
    pub bare_label: bool,
    pub category_text: &'static str,
    pub bare_label_text: &'static str,
}

pub(crate) static KEYWORDS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
    let lines = lines(KEYWORDS_TSV);
    lines
        .map(|c| Keyword {
            word: c[0],
            category: c[1],
            bare_label: c[2] == "t",
            category_text: c[3],
            bare_label_text: c[4],
        })
        .collect()
});

/// Is it no name unless it is quoted (`quote_ident` quotes it)?
pub(crate) fn is_reserved(word: &str) -> bool {
    let found = KEYWORDS.binary_search_by(|k| k.word.cmp(word));
    found.is_ok_and(|at| KEYWORDS[at].category != "U")
}

/// The rows of a relation that are the same in every database, in the order of its columns.
pub(crate) fn rows(relation: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = lines(ROWS_TSV).filter(move |cells| cells[0] == relation);
    lines.map(|cells| cells[1..].to_vec())
}

pub(crate) static TYPES: LazyLock<Vec<TypeSpec>> = LazyLock::new(|| {
    let lines = lines(TYPES_TSV);
    lines
        .map(|c| TypeSpec {
            oid: number(c[0]),
            name: c[1],
            len: number(c[2]),
            by_value: c[3] == "t",
            kind: c[4],
            category: c[5],
            preferred: c[6] == "t",
            delimiter: c[7],
            element: number(c[8]),
            array: number(c[9]),
            align: c[10],
            storage: c[11],
            collation: number(c[12]),
            functions: std::array::from_fn(|i| number(c[13 + i])),
        })
        .collect()
});

pub(crate) static FUNCTIONS: LazyLock<Vec<FunctionSpec>> =
    LazyLock::new(|| functions(FUNCTIONS_TSV).collect());

/// The functions that rows of `pg_type`, `pg_operator`, `pg_cast` and `pg_am` name, without those of
/// [`FUNCTIONS`]: they are listed whether or not a statement can call them.
pub(crate) static SUPPORT_FUNCTIONS: LazyLock<Vec<FunctionSpec>> = LazyLock::new(|| {
    let known: HashSet<u32> = FUNCTIONS.iter().map(|f| f.oid).collect();
    let all = functions(SUPPORT_TSV);
    all.filter(|f| !known.contains(&f.oid)).collect()
});

fn functions(text: &'static str) -> impl Iterator<Item = FunctionSpec> {
    lines(text).map(|c| FunctionSpec {
        oid: number(c[0]),
        name: c[1].to_owned(),
        kind: c[2],
        volatility: c[3],
        strict: c[4] == "t",
        returns_set: c[5] == "t",
        leakproof: c[6] == "t",
        parallel: c[7],
        defaults: number(c[8]),
        variadic: number(c[9]),
        result: number(c[10]),
        arguments: c[11].split_whitespace().map(number).collect(),
        arguments_text: c[12].to_owned(),
        result_text: c[13].to_owned(),
    })
}

static RELATIONS_BY_NAME: LazyLock<HashMap<(&str, &str), &RelationSpec>> =
    LazyLock::new(|| RELATIONS.iter().map(|r| ((r.schema, r.name), r)).collect());

static TYPES_BY_OID: LazyLock<HashMap<u32, &TypeSpec>> =
    LazyLock::new(|| TYPES.iter().map(|t| (t.oid, t)).collect());

static TYPES_BY_NAME: LazyLock<HashMap<&str, &TypeSpec>> =
    LazyLock::new(|| TYPES.iter().map(|t| (t.name, t)).collect());

pub(crate) fn relation(schema: &str, name: &str) -> Option<&'static RelationSpec> {
    RELATIONS_BY_NAME.get(&(schema, name)).copied()
}

pub(crate) fn type_of_oid(oid: u32) -> Option<&'static TypeSpec> {
    TYPES_BY_OID.get(&oid).copied()
}

/// By `typname`.
pub(crate) fn type_named(name: &str) -> Option<&'static TypeSpec> {
    TYPES_BY_NAME.get(name).copied()
}

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split('\t').collect())
}

/// The files hold numbers where they should: a test reads them all.
fn number<T: std::str::FromStr + Default>(text: &str) -> T {
    text.parse().unwrap_or_default()
}

fn column(text: &'static str) -> ColumnSpec {
    let (name, type_name) = text.split_once(' ').unwrap_or((text, "text"));
    ColumnSpec {
        name,
        type_name: type_name.trim_end_matches('!'),
        not_null: type_name.ends_with('!'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_whole() {
        assert_eq!(relation("pg_catalog", "pg_class").unwrap().oid, 1259);
        let class = relation("pg_catalog", "pg_class").unwrap();
        assert_eq!(
            (class.columns.len(), class.columns[1].name),
            (33, "relname")
        );
        assert!(class.columns[1].not_null && !class.columns[32].not_null);
        assert!(RELATIONS.iter().all(|r| r.oid > 0 && !r.columns.is_empty()));
        assert!(KEYWORDS.is_sorted_by(|a, b| a.word < b.word));
        assert!(is_reserved("select") && is_reserved("between") && !is_reserved("abort"));
        let numeric = type_of_oid(1700).unwrap();
        assert_eq!(
            (numeric.name, numeric.len, numeric.array),
            ("numeric", -1, 1231)
        );
        assert_eq!(numeric.functions[1], 1701);
        assert!(TYPES.iter().all(|t| t.oid > 0 && !t.name.is_empty()));
        assert!(FUNCTIONS.iter().all(|f| f.oid > 0 && f.result > 0));
        let max = FUNCTIONS.iter().find(|f| f.oid == 2116).unwrap();
        assert_eq!(
            (max.name.as_str(), max.kind, max.arguments.as_slice()),
            ("max", "a", &[23][..])
        );
    }
}
