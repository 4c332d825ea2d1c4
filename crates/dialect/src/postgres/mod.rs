//! PostgreSQL: its meaning is ours, so that most of it is exact; text is the exception, for a
//! column may be compared by any collation.

mod calls;
mod text;
mod types;

use arrow::datatypes::DataType;
use datafusion_common::{JoinType, ScalarValue};
use inflowave_connector_api::Collation;
use inflowave_types::Result;

use self::types::{TextType, text_type, type_name};
use crate::Dialect;
use crate::decimal::decimal_scale;
use crate::dialect::{quoted, standard_order};
use crate::literal::{Plain, float_digits, plain};
use crate::pattern::{PatternPart, escaped};
use crate::value::{
    Answer, Arithmetic, Compare, GroupKey, Kind, RawColumn, Value, refuse, text_of,
};

/// PostgreSQL from version 12 on, with a database in UTF-8.
#[derive(Debug, Clone, Default)]
pub struct Postgres {
    /// `server_version_num`, such as 150004; 0 when it is not known.
    pub version: u32,
}

impl Dialect for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn quote_ident(&self, name: &str) -> Result<String> {
        quoted(name, '"')
    }

    /// With a backslash in it as an escape string, whose meaning `standard_conforming_strings` does
    /// not change.
    fn quote_text(&self, text: &str) -> Result<String> {
        let quoted = quoted(text, '\'')?;
        Ok(match text.contains('\\') {
            true => format!("E{}", quoted.replace('\\', "\\\\")),
            false => quoted,
        })
    }

    fn placeholder(&self, number: usize) -> String {
        format!("${number}")
    }

    fn numbers_placeholders(&self) -> bool {
        true
    }

    fn params_max(&self) -> usize {
        65_535
    }

    /// As `text`, a parameter is compared with `text` and `varchar` columns by their indexes, and is
    /// never taken for another type.
    fn bound(&self, sql: &str, value: &ScalarValue) -> String {
        match text_of(value) {
            Some(_) => format!("{sql}::text"),
            None => sql.to_owned(),
        }
    }

    fn literal(&self, value: &ScalarValue) -> Answer<String> {
        let data_type = value.data_type();
        Ok(match plain(value)? {
            Plain::Null if data_type == DataType::Null => "NULL".into(),
            Plain::Null => format!("NULL::{}", type_name(&data_type)?),
            Plain::Bool(true) => "TRUE".into(),
            Plain::Bool(false) => "FALSE".into(),
            Plain::Int(v) if v >= 0 && data_type == DataType::Int32 => v.to_string(),
            // There is nothing unsigned; what fits is a bigint.
            Plain::Int(v) if data_type.is_unsigned_integer() && i64::try_from(v).is_ok() => {
                format!("{v}::bigint")
            }
            Plain::Int(v) if v >= 0 => format!("{v}::{}", type_name(&data_type)?),
            Plain::Int(v) => format!("'{v}'::{}", type_name(&data_type)?),
            Plain::Decimal(digits, _) => format!("'{digits}'::numeric"),
            Plain::Float32(v) => format!("'{}'::real", float_text(f64::from(v), &format!("{v:e}"))),
            Plain::Float64(v) => {
                format!("'{}'::double precision", float_text(v, &float_digits(v)))
            }
            Plain::Date(text) => format!("DATE '{text}'"),
            Plain::Timestamp { text, utc: false } => format!("TIMESTAMP '{text}'"),
            Plain::Timestamp { text, utc: true } => format!("TIMESTAMPTZ '{text}+00'"),
            Plain::Time(text) => format!("TIME '{text}'"),
            Plain::Binary(hex) => format!("decode('{hex}', 'hex')"),
        })
    }

    fn column(&self, raw: &RawColumn) -> Answer<String> {
        types::column(raw)
    }

    fn comparable(&self, _kind: Kind) -> Answer<()> {
        Ok(())
    }

    fn text_key(&self, value: &Value) -> String {
        match &value.raw {
            Some(raw)
                if raw.facts.collation == Collation::Binary && text_type(raw) == TextType::Text =>
            {
                raw.sql.clone()
            }
            _ => format!("({} COLLATE \"C\")", value.sql),
        }
    }

    fn compare_text(&self, op: Compare, left: &Value, right: &Value) -> String {
        self.compare_texts(op, left, right)
    }

    fn text_in(&self, value: &Value, list: &[Value]) -> String {
        self.text_in_list(value, list)
    }

    fn distinct_from(&self, distinct: bool, left: &str, right: &str) -> String {
        let not = if distinct { "" } else { "NOT " };
        format!("({left} IS {not}DISTINCT FROM {right})")
    }

    fn like_pattern(&self, parts: &[PatternPart]) -> Answer<String> {
        Ok(escaped(parts, '\\'))
    }

    fn like(&self, value: &Value, pattern: &str) -> Answer<String> {
        let is_plain = value.raw.as_ref().is_some_and(|raw| {
            text_type(raw) == TextType::Text
                && matches!(
                    raw.facts.collation,
                    Collation::Binary | Collation::Deterministic
                )
        });
        Ok(match is_plain {
            true => format!("({} LIKE {pattern})", value.sql),
            false => format!("(({} COLLATE \"C\") LIKE {pattern})", value.sql),
        })
    }

    fn concat(&self, left: &Value, right: &Value) -> String {
        format!("({} || {})", left.sql, right.sql)
    }

    fn arithmetic(
        &self,
        op: Arithmetic,
        left: &Value,
        right: &Value,
        result: &DataType,
    ) -> Answer<String> {
        let sql = format!("({} {} {})", left.sql, op.symbol(), right.sql);
        match left.kind()? {
            // The operators are those of the type's width, with its overflow.
            Kind::Int if left.data_type == *result && right.data_type == *result => {
                type_name(result)?;
                Ok(sql)
            }
            Kind::Int => refuse("arithmetic over integers of different widths is computed here"),
            _ => {
                decimal_scale(op, left, right, result)?;
                Ok(sql)
            }
        }
    }

    fn negate(&self, value: &Value) -> Answer<String> {
        match value.kind()? {
            Kind::Int | Kind::Decimal | Kind::Float => Ok(format!("(- {})", value.sql)),
            _ => refuse("a minus over what is not a number is computed here"),
        }
    }

    fn cast(&self, value: &Value, to: &DataType) -> Answer<String> {
        calls::cast(value, to)
    }

    fn function(&self, name: &str, args: &[Value], result: &DataType) -> Answer<String> {
        calls::function(name, args, result)
    }

    fn group_key(&self, value: &Value) -> Answer<GroupKey> {
        let same = |sql: &str, raw| {
            Ok(GroupKey {
                by: sql.to_owned(),
                out: sql.to_owned(),
                raw,
            })
        };
        match value.kind()? {
            Kind::Float => refuse("groups of floats are formed here: -0 and 0 are one group"),
            Kind::Text => match &value.raw {
                Some(raw)
                    if text_type(raw) == TextType::Uuid
                        || (matches!(text_type(raw), TextType::Text | TextType::Bpchar)
                            && matches!(
                                raw.facts.collation,
                                Collation::Binary | Collation::Deterministic
                            )) =>
                {
                    same(&raw.sql, true)
                }
                _ => same(&format!("({} COLLATE \"C\")", value.sql), false),
            },
            _ => match &value.raw {
                Some(raw) if raw.sql == value.sql => same(&raw.sql, true),
                _ => same(&value.sql, false),
            },
        }
    }

    fn sum(&self, value: &Value, call: String, result: &DataType) -> Answer<String> {
        match (&value.data_type, result) {
            // `sum` over smallint and integer is a bigint.
            (DataType::Int16 | DataType::Int32, DataType::Int64) => Ok(call),
            // Over bigint and numeric it is a numeric that keeps every digit.
            (DataType::Int64, DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0)) => Ok(call),
            (
                DataType::Decimal128(_, s) | DataType::Decimal256(_, s),
                DataType::Decimal128(_, t) | DataType::Decimal256(_, t),
            ) if s == t => Ok(call),
            (from, to) => refuse(format!("a sum of {from} as {to} is computed here")),
        }
    }

    fn text_extreme(&self, value: &Value, call: &dyn Fn(&str) -> String) -> Answer<String> {
        Ok(call(&self.text_key(value)))
    }

    fn order(&self, key: &str, _nullable: bool, asc: bool, nulls_first: bool) -> String {
        standard_order(key, asc, nulls_first)
    }

    fn limit(&self, skip: u64, fetch: Option<u64>) -> String {
        let mut sql = fetch.map(|n| format!(" LIMIT {n}")).unwrap_or_default();
        if skip > 0 {
            sql.push_str(&format!(" OFFSET {skip}"));
        }
        sql
    }

    fn join(&self, _join_type: JoinType) -> Answer<()> {
        Ok(())
    }

    fn joins_nulls(&self) -> Answer<()> {
        refuse("PostgreSQL joins by IS NOT DISTINCT FROM without an index or a hash table")
    }

    fn windows(&self) -> Answer<()> {
        Ok(())
    }
}

fn float_text(value: f64, digits: &str) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        digits.to_owned()
    }
}
