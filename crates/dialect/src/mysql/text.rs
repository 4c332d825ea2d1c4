//! Texts: compared as bytes, with the column's own comparison in front where an index may serve.

use inflowave_connector_api::{Collation, ColumnFacts};

use super::MySql;
use crate::Dialect;
use crate::compare::join_sql;
use crate::value::{Answer, Compare, RawColumn, Value, refuse};

/// `max_sort_length` is 1,024 bytes by default: what comes behind does not count in a sort. A
/// character has four bytes at most.
const SORT_CHARACTERS_MAX: u32 = 255;

/// The first word of a native type: `int` of `int(10) unsigned`.
pub(super) fn base(facts: &ColumnFacts) -> String {
    let native = facts.column().map_or("", |c| c.native_type.as_str());
    let end = native.find(['(', ' ']).unwrap_or(native.len());
    native[..end].to_ascii_lowercase()
}

/// The collation at the end of a native type: `varchar(25) collate utf8mb4_general_ci`.
fn collation_name(facts: &ColumnFacts) -> Option<&str> {
    let native = &facts.column()?.native_type;
    native.rsplit_once(" collate ").map(|(_, name)| name)
}

/// The column can hold every text. With another one a literal that it cannot hold is an error
/// (1267), seen on MariaDB 10.11 with utf8mb3 too.
fn is_utf8mb4(facts: &ColumnFacts) -> bool {
    collation_name(facts).is_some_and(|name| name.starts_with("utf8mb4"))
}

/// Types whose text is compared as text.
pub(super) fn is_character(facts: &ColumnFacts) -> bool {
    matches!(
        base(facts).as_str(),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
    )
}

pub(super) fn is_unsigned(raw: &RawColumn) -> bool {
    raw.native().to_ascii_lowercase().contains("unsigned")
}

/// The text as utf8mb4, whatever it is stored in.
pub(super) fn utf8mb4(value: &Value) -> String {
    format!("CONVERT({} USING utf8mb4)", value.sql)
}

impl MySql {
    /// A comparison by the column's own collation holds for all that the exact one holds for, and
    /// cannot fail: it goes in front, for an index to serve.
    fn has_prefilter(&self, value: &Value, literals: &[&Value]) -> bool {
        let Some(raw) = &value.raw else {
            return false;
        };
        literals.iter().all(|l| {
            l.text_literal()
                .is_some_and(|text| text.is_ascii() || is_utf8mb4(&raw.facts))
        })
    }

    /// The column is compared as bytes by itself.
    pub(super) fn is_binary(&self, value: &Value) -> bool {
        value
            .raw
            .as_ref()
            .is_some_and(|raw| raw.facts.collation == Collation::Binary && is_utf8mb4(&raw.facts))
    }

    /// Only the first bytes of a text count where rows are sorted, and grouping may sort.
    pub(super) fn sorts_whole(&self, value: &Value) -> Answer<()> {
        let length = value.facts.as_ref().and_then(|facts| {
            let native = &facts.column()?.native_type;
            let inside = native.split_once('(')?.1.split_once(')')?.0;
            match base(facts).as_str() {
                "char" | "varchar" => inside.parse::<u32>().ok(),
                // A label has 255 characters at most.
                "enum" => Some(1),
                _ => None,
            }
        });
        match length {
            Some(n) if n <= SORT_CHARACTERS_MAX => Ok(()),
            _ => refuse(format!(
                "{} sorts and groups texts by their first 1024 bytes only (max_sort_length)",
                self.name()
            )),
        }
    }

    pub(super) fn compare_texts(&self, op: Compare, left: &Value, right: &Value) -> String {
        let print = |l: &str, r: &str| match op.symbol() {
            Some(symbol) => format!("({l} {symbol} {r})"),
            None => self.distinct_from(op == Compare::Distinct, l, r),
        };
        let is_literal = |v: &Value| v.text_literal().is_some();
        if (self.is_binary(left) && is_literal(right))
            || (is_literal(left) && self.is_binary(right))
        {
            return print(&left.sql, &right.sql);
        }
        let key = |v: &Value| match v.text_literal() {
            Some(_) => self.text_key(v),
            None => format!("CAST({} AS BINARY)", utf8mb4(v)),
        };
        let exact = print(&key(left), &key(right));
        let same_collation = || {
            let name = |v: &Value| {
                let raw = v.raw.as_ref()?;
                collation_name(&raw.facts).map(str::to_owned)
            };
            name(left).is_some() && name(left) == name(right)
        };
        let loosely = op == Compare::Eq
            && (self.has_prefilter(left, &[right])
                || self.has_prefilter(right, &[left])
                || same_collation());
        match loosely {
            true => format!("({} AND {exact})", print(&left.sql, &right.sql)),
            false => exact,
        }
    }

    pub(super) fn text_in_list(&self, value: &Value, list: &[Value]) -> String {
        let all_literal = list.iter().all(|v| v.text_literal().is_some());
        if self.is_binary(value) && all_literal {
            return format!("({} IN ({}))", value.sql, join_sql(list));
        }
        let members: Vec<String> = list
            .iter()
            .map(|v| match v.text_literal() {
                Some(_) => self.text_key(v),
                None => format!("CAST({} AS BINARY)", utf8mb4(v)),
            })
            .collect();
        let exact = format!(
            "(CAST({} AS BINARY) IN ({}))",
            utf8mb4(value),
            members.join(", ")
        );
        match self.has_prefilter(value, &list.iter().collect::<Vec<_>>()) {
            true => format!("(({} IN ({})) AND {exact})", value.sql, join_sql(list)),
            false => exact,
        }
    }
}
