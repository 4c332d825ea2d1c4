//! Comparisons of texts: by the column's own collation where its equality is ours, so that an index
//! serves, and else by the collation "C".

use inflowave_connector_api::Collation;

use super::Postgres;
use super::types::{TextType, is_canonical_uuid, text_type};
use crate::Dialect;
use crate::compare::join_sql;
use crate::value::{Compare, Value};

impl Postgres {
    /// The column and the type of the literals with which its own equality is ours, so that an index
    /// on it serves.
    fn natural_equality<'v>(
        &self,
        value: &'v Value,
        others: &[Value],
    ) -> Option<(&'v str, &'static str)> {
        let raw = value.raw.as_ref()?;
        let literals: Vec<&str> = others
            .iter()
            .map(Value::text_literal)
            .collect::<Option<_>>()?;
        let equality_is_ours = matches!(
            raw.facts.collation,
            Collation::Binary | Collation::Deterministic
        );
        match text_type(raw) {
            TextType::Text if equality_is_ours => Some((&raw.sql, "")),
            // Blanks at the end do not count there; a literal with some equals nothing here.
            TextType::Bpchar if equality_is_ours && literals.iter().all(|l| !l.ends_with(' ')) => {
                Some((&raw.sql, "::bpchar"))
            }
            TextType::Uuid if literals.iter().all(|l| is_canonical_uuid(l)) => {
                Some((&raw.sql, "::uuid"))
            }
            _ => None,
        }
    }

    /// What an index can narrow down where only the exact form decides.
    fn is_loose_text(&self, value: &Value) -> bool {
        value.raw.as_ref().is_some_and(|raw| {
            raw.facts.collation == Collation::Loose && text_type(raw) == TextType::Text
        })
    }

    fn both_uuid(&self, left: &Value, right: &Value) -> bool {
        let is_uuid = |v: &Value| {
            v.raw
                .as_ref()
                .is_some_and(|r| text_type(r) == TextType::Uuid)
        };
        is_uuid(left) && is_uuid(right)
    }

    pub(super) fn compare_texts(&self, op: Compare, left: &Value, right: &Value) -> String {
        if left.text_literal().is_some() && right.text_literal().is_none() {
            return self.compare_texts(swapped(op), right, left);
        }
        let print = |l: &str, r: &str| match op.symbol() {
            Some(symbol) => format!("({l} {symbol} {r})"),
            None => self.distinct_from(op == Compare::Distinct, l, r),
        };
        if op.is_equality() {
            if let Some((sql, cast)) = self.natural_equality(left, std::slice::from_ref(right)) {
                return print(sql, &format!("{}{cast}", right.sql));
            }
            if self.both_uuid(left, right)
                && let (Some(l), Some(r)) = (&left.raw, &right.raw)
            {
                return print(&l.sql, &r.sql);
            }
        }
        // Two columns may have different collations, which no operator takes: one is said.
        let key = match right.text_literal() {
            Some(_) => self.text_key(left),
            None => format!("({} COLLATE \"C\")", left.sql),
        };
        let exact = print(&key, &right.sql);
        match op == Compare::Eq && self.is_loose_text(left) && right.text_literal().is_some() {
            true => format!("({} AND {exact})", print(&left.sql, &right.sql)),
            false => exact,
        }
    }

    pub(super) fn text_in_list(&self, value: &Value, list: &[Value]) -> String {
        if let Some((sql, cast)) = self.natural_equality(value, list) {
            let members: Vec<String> = list.iter().map(|v| format!("{}{cast}", v.sql)).collect();
            return format!("({sql} IN ({}))", members.join(", "));
        }
        let members = join_sql(list);
        let exact = format!("(({} COLLATE \"C\") IN ({members}))", value.sql);
        match self.is_loose_text(value) && list.iter().all(|v| v.text_literal().is_some()) {
            true => format!("(({} IN ({members})) AND {exact})", value.sql),
            false => exact,
        }
    }
}

fn swapped(op: Compare) -> Compare {
    match op {
        Compare::Lt => Compare::Gt,
        Compare::LtEq => Compare::GtEq,
        Compare::Gt => Compare::Lt,
        Compare::GtEq => Compare::LtEq,
        other => other,
    }
}
