//! PostgreSQL: its meaning is ours, so that most of it is exact; text is the exception, for a
//! column may be compared by any collation.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::{JoinType, ScalarValue};
use inflowave_connector_api::{Collation, vocabulary};
use inflowave_types::Result;

use crate::compare::join_sql;
use crate::decimal::{decimal_scale, widens};
use crate::dialect::{date_field, part_of, quoted, standard_order, substring_of};
use crate::literal::{Plain, float_digits, plain};
use crate::pattern::{PatternPart, escaped};
use crate::value::{
    Answer, Arithmetic, Compare, GroupKey, Kind, RawColumn, Value, refuse, text_of,
};
use crate::Dialect;

/// PostgreSQL from version 12 on, with a database in UTF-8.
#[derive(Debug, Clone, Default)]
pub struct Postgres {
    /// `server_version_num`, such as 150004; 0 when it is not known.
    pub version: u32,
}

/// How the type of a text column has to be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextType {
    /// `text` and `varchar`: compared as it is.
    Text,
    /// `char(n)`: without its trailing blanks here.
    Bpchar,
    Uuid,
    /// Printed differently by a cast and by its output function, which is what a reader sees.
    Inet,
    /// `json` and `jsonb`.
    Json,
    /// An enum, `citext`, `name`, ..: its printed form.
    Other,
}

fn text_type(raw: &RawColumn) -> TextType {
    let native = raw.native().split('(').next().unwrap_or_default();
    match native.trim().to_ascii_lowercase().as_str() {
        "text" | "character varying" | "varchar" => TextType::Text,
        "character" | "char" | "bpchar" => TextType::Bpchar,
        "uuid" => TextType::Uuid,
        "inet" | "cidr" => TextType::Inet,
        "json" | "jsonb" => TextType::Json,
        _ => TextType::Other,
    }
}

/// The column's type is one that `data_type` is read from as it is.
fn is_native(raw: &RawColumn, data_type: &DataType) -> bool {
    let native = raw.native().to_ascii_lowercase();
    let base = native.split('(').next().unwrap_or_default().trim();
    match data_type {
        DataType::Int16 => matches!(base, "smallint" | "int2"),
        DataType::Int32 => matches!(base, "integer" | "int4" | "int"),
        DataType::Int64 => matches!(base, "bigint" | "int8"),
        DataType::Decimal128(..) | DataType::Decimal256(..) => {
            matches!(base, "numeric" | "decimal")
        }
        DataType::Float32 => matches!(base, "real" | "float4"),
        DataType::Float64 => matches!(base, "double precision" | "float8"),
        DataType::Boolean => matches!(base, "boolean" | "bool"),
        DataType::Date32 => base == "date",
        DataType::Timestamp(_, None) => {
            base.starts_with("timestamp") && !native.ends_with("with time zone") && native != "timestamptz"
        }
        DataType::Timestamp(_, Some(_)) => {
            native.ends_with("with time zone") || native == "timestamptz"
        }
        DataType::Time64(_) => base.starts_with("time") && !native.ends_with("with time zone"),
        DataType::BinaryView | DataType::Binary => base == "bytea",
        _ => false,
    }
}

/// PostgreSQL's name of a type of ours.
fn type_name(data_type: &DataType) -> Answer<String> {
    Ok(match data_type {
        DataType::Int16 => "smallint".into(),
        DataType::Int32 => "integer".into(),
        DataType::Int64 => "bigint".into(),
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => format!("numeric({p},{s})"),
        DataType::UInt64 => "numeric".into(),
        DataType::Float32 => "real".into(),
        DataType::Float64 => "double precision".into(),
        DataType::Boolean => "boolean".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytea".into(),
        DataType::Date32 => "date".into(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "timestamp".into(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamptz".into(),
        DataType::Time64(TimeUnit::Microsecond) => "time".into(),
        other => return refuse(format!("values of the type {other} are computed here")),
    })
}

/// The canonical spelling, which is how PostgreSQL prints one.
fn is_canonical_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

impl Postgres {
    /// The column and the type of the literals with which its own equality is ours, so that an index
    /// on it serves.
    fn natural_equality<'v>(
        &self,
        value: &'v Value,
        others: &[Value],
    ) -> Option<(&'v str, &'static str)> {
        let raw = value.raw.as_ref()?;
        let literals: Vec<&str> = others.iter().map(Value::text_literal).collect::<Option<_>>()?;
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
        let is_uuid = |v: &Value| v.raw.as_ref().is_some_and(|r| text_type(r) == TextType::Uuid);
        is_uuid(left) && is_uuid(right)
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
        let sql = &raw.sql;
        let data_type = &raw.facts.data_type;
        if Kind::of(data_type)? == Kind::Text {
            return Ok(match text_type(raw) {
                TextType::Text => sql.clone(),
                TextType::Inet => {
                    // The function that prints a value, as a reader of the column gets it.
                    let base = raw.native().to_ascii_lowercase();
                    format!("textin({base}_out({sql}))")
                }
                TextType::Json => return refuse("JSON is compared as its text here"),
                TextType::Bpchar | TextType::Uuid | TextType::Other => format!("{sql}::text"),
            });
        }
        if is_native(raw, data_type) {
            return Ok(sql.clone());
        }
        let name = match data_type {
            DataType::Decimal128(..) | DataType::Decimal256(..) => "numeric".to_owned(),
            other => type_name(other)?,
        };
        Ok(format!("{sql}::{name}"))
    }

    fn comparable(&self, _kind: Kind) -> Answer<()> {
        Ok(())
    }

    fn text_key(&self, value: &Value) -> String {
        match &value.raw {
            Some(raw)
                if raw.facts.collation == Collation::Binary
                    && text_type(raw) == TextType::Text =>
            {
                raw.sql.clone()
            }
            _ => format!("({} COLLATE \"C\")", value.sql),
        }
    }

    fn compare_text(&self, op: Compare, left: &Value, right: &Value) -> String {
        if left.text_literal().is_some() && right.text_literal().is_none() {
            return self.compare_text(swapped(op), right, left);
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

    fn text_in(&self, value: &Value, list: &[Value]) -> String {
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
        let sql = &value.sql;
        let cast = |name: &str| Ok(format!("CAST({sql} AS {name})"));
        match (value.kind()?, Kind::of(to)?) {
            (Kind::Null, _) => cast(&type_name(to)?),
            (Kind::Int, Kind::Int) | (Kind::Int, Kind::Decimal) => cast(&type_name(to)?),
            // A constraint on the digits rounds as we do; without a loss there is nothing to say.
            (Kind::Decimal, Kind::Decimal) => match widens(&value.data_type, to) {
                true => Ok(sql.clone()),
                false => cast(&type_name(to)?),
            },
            (Kind::Decimal, Kind::Int) => cast(&type_name(to)?),
            (Kind::Int, Kind::Float) if *to == DataType::Float64 => cast("double precision"),
            (Kind::Float, Kind::Float) if *to == DataType::Float64 => cast("double precision"),
            (Kind::Int, Kind::Text) => cast("text"),
            (Kind::Date, Kind::Timestamp { utc: false }) => cast("timestamp"),
            (Kind::Timestamp { utc: false }, Kind::Date) => cast("date"),
            _ => refuse(format!(
                "a cast from {} to {to} is computed here",
                value.data_type
            )),
        }
    }

    fn function(&self, name: &str, args: &[Value], result: &DataType) -> Answer<String> {
        match (name, args) {
            ("abs", [value]) => match value.kind()? {
                Kind::Int | Kind::Decimal | Kind::Float if value.data_type == *result => {
                    Ok(format!("abs({})", value.sql))
                }
                _ => refuse("abs is computed here"),
            },
            ("date_part" | vocabulary::EXTRACT, _) => {
                let (part, value) = date_field(args)?;
                Ok(format!(
                    "CAST(EXTRACT({part} FROM {}) AS {})",
                    value.sql,
                    type_name(result)?
                ))
            }
            ("date_trunc", _) => {
                let (part, value) = part_of(args, "date_trunc")?;
                let is_unit = matches!(
                    part.as_str(),
                    "year" | "quarter" | "month" | "week" | "day" | "hour" | "minute" | "second"
                );
                match (value.kind()?, Kind::of(result)?) {
                    (Kind::Timestamp { utc: false }, Kind::Timestamp { utc: false }) if is_unit => {
                        Ok(format!("date_trunc('{part}', {})", value.sql))
                    }
                    _ => refuse("date_trunc over other times is computed here"),
                }
            }
            ("substr" | "substring", _) => {
                let (text, start, length) = substring_of(args)?;
                let length = length.map(|n| format!(", {n}")).unwrap_or_default();
                Ok(format!("substr({}, {start}{length})", text.sql))
            }
            ("character_length" | "char_length" | "length", [text])
                if text.kind()? == Kind::Text =>
            {
                Ok(format!(
                    "CAST(char_length({}) AS {})",
                    text.sql,
                    type_name(result)?
                ))
            }
            _ => refuse(format!("the function {name} is computed here")),
        }
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
