//! Comparisons, shared by all dialects.

use crate::Dialect;
use crate::value::{Answer, Compare, Kind, Value, refuse};

/// One of the eight comparisons.
pub(crate) fn compare(d: &dyn Dialect, op: Compare, left: &Value, right: &Value) -> Answer<String> {
    let kind = common_kind(left, right)?;
    d.comparable(kind)?;
    if kind == Kind::Text {
        if !op.is_equality() {
            d.orders_text(left)?;
            d.orders_text(right)?;
        }
        return Ok(d.compare_text(op, left, right));
    }
    Ok(compare_sql(d, op, &left.sql, &right.sql))
}

/// A comparison of two pieces whose natural comparison is ours.
pub(crate) fn compare_sql(d: &dyn Dialect, op: Compare, left: &str, right: &str) -> String {
    match op.symbol() {
        Some(symbol) => format!("({left} {symbol} {right})"),
        None => d.distinct_from(op == Compare::Distinct, left, right),
    }
}

/// `value IN (list)`; a list without a member is never asked.
pub(crate) fn in_list(d: &dyn Dialect, value: &Value, list: &[Value]) -> Answer<String> {
    let mut kind = value.kind()?;
    for member in list {
        let common = common_kind(value, member)?;
        if kind == Kind::Null {
            kind = common;
        }
    }
    d.comparable(kind)?;
    if kind == Kind::Text {
        return Ok(d.text_in(value, list));
    }
    Ok(format!("({} IN ({}))", value.sql, join_sql(list)))
}

/// The pieces with commas between them.
pub(crate) fn join_sql(values: &[Value]) -> String {
    let sql: Vec<&str> = values.iter().map(|v| v.sql.as_str()).collect();
    sql.join(", ")
}

/// The kind as which two values are compared.
pub(crate) fn common_kind(left: &Value, right: &Value) -> Answer<Kind> {
    let (l, r) = (left.kind()?, right.kind()?);
    if l == Kind::Null {
        return Ok(r);
    }
    if r == Kind::Null {
        return Ok(l);
    }
    // Floats of two widths are compared in the wider one by some and in the narrower one by others.
    if l != r || (l == Kind::Float && left.data_type != right.data_type) {
        return refuse(format!(
            "{} and {} are compared here",
            left.data_type, right.data_type
        ));
    }
    Ok(l)
}
