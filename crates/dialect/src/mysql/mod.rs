//! MySQL and MariaDB: text is compared without case and with padding, so that every comparison of
//! it is written over bytes; numbers and dates are exact where nothing overflows.

mod calls;
mod text;

use arrow::datatypes::DataType;
use datafusion_common::{JoinType, ScalarValue};
use inflowave_types::Result;

use self::calls::{DIGITS_MAX, SCALE_MAX};
use self::text::{base, is_character, utf8mb4};
use crate::Dialect;
use crate::dialect::quoted;
use crate::literal::{Plain, float_digits, plain};
use crate::pattern::{PatternPart, escaped};
use crate::value::{Answer, Arithmetic, Compare, GroupKey, Kind, RawColumn, Value, refuse};

/// MySQL from 5.7 on, or MariaDB from 10.2 on. Its sessions have the time zone `+00:00`, speak
/// utf8mb4, and run in the modes `NO_BACKSLASH_ESCAPES` and `PIPES_AS_CONCAT`.
#[derive(Debug, Clone, Default)]
pub struct MySql {
    pub is_mariadb: bool,
    /// Major, minor, patch; all 0 when it is not known.
    pub version: (u32, u32, u32),
    /// Dates without a year, month or day are read as NULL: the server compares them as dates.
    pub zero_dates_null: bool,
}

impl Dialect for MySql {
    fn name(&self) -> &'static str {
        if self.is_mariadb { "MariaDB" } else { "MySQL" }
    }

    fn quote_ident(&self, name: &str) -> Result<String> {
        quoted(name, '`')
    }

    /// With a backslash in it as hexadecimal digits, which `NO_BACKSLASH_ESCAPES` does not change.
    fn quote_text(&self, text: &str) -> Result<String> {
        let quoted = quoted(text, '\'')?;
        if !text.contains('\\') {
            return Ok(quoted);
        }
        let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
        Ok(format!("CONVERT(X'{hex}' USING utf8mb4)"))
    }

    fn placeholder(&self, _number: usize) -> String {
        "?".to_owned()
    }

    fn numbers_placeholders(&self) -> bool {
        false
    }

    fn params_max(&self) -> usize {
        65_535
    }

    fn literal(&self, value: &ScalarValue) -> Answer<String> {
        let float = |v: f64, digits: String| match v.is_finite() {
            true if v.is_sign_negative() => Ok(format!("({digits})")),
            true => Ok(digits),
            false => refuse(format!("{} has no NaN and no infinity", self.name())),
        };
        Ok(match plain(value)? {
            Plain::Null => null(&value.data_type()),
            Plain::Bool(true) => "TRUE".into(),
            Plain::Bool(false) => "FALSE".into(),
            Plain::Int(v) if v < 0 => format!("({v})"),
            Plain::Int(v) => v.to_string(),
            Plain::Decimal(_, (all, behind)) if all > DIGITS_MAX || behind > SCALE_MAX => {
                return refuse(format!("a decimal of more digits than {} has", self.name()));
            }
            Plain::Decimal(text, _) if text.starts_with('-') => format!("({text})"),
            Plain::Decimal(text, _) => text,
            // Compared in double precision, as the column then is.
            Plain::Float32(v) => float(f64::from(v), float_digits(f64::from(v)))?,
            Plain::Float64(v) => float(v, float_digits(v))?,
            Plain::Date(text) => format!("DATE '{text}'"),
            Plain::Timestamp { text, .. } => format!("TIMESTAMP '{text}'"),
            Plain::Time(text) => format!("TIME '{text}'"),
            Plain::Binary(hex) => format!("X'{hex}'"),
        })
    }

    fn column(&self, raw: &RawColumn) -> Answer<String> {
        let sql = &raw.sql;
        let native = base(&raw.facts);
        let kind = Kind::of(&raw.facts.data_type)?;
        match kind {
            Kind::Bool => return Ok(format!("({sql} <> 0)")),
            // A year is compared with two digits as with a year of this century.
            Kind::Int if native == "year" => return Ok(format!("({sql} + 0)")),
            Kind::Text if native == "json" => return refuse("JSON is compared as its text here"),
            Kind::Text if !is_character(&raw.facts) => {
                return refuse(format!(
                    "a column of the type {native} is text here and something else in {}",
                    self.name()
                ));
            }
            Kind::Binary if !(native.contains("binary") || native.contains("blob")) => {
                return refuse(format!("a column of the type {native} is compared here"));
            }
            Kind::Date | Kind::Timestamp { .. } if self.zero_dates_null => {
                return refuse("dates that are not complete are read as NULL: compared here");
            }
            Kind::Time => {
                return refuse(format!(
                    "a time of {} can lie outside of the day: compared here",
                    self.name()
                ));
            }
            _ => {}
        }
        Ok(sql.clone())
    }

    fn comparable(&self, kind: Kind) -> Answer<()> {
        match kind {
            Kind::Time => refuse(format!(
                "a time of {} can lie outside of the day: compared here",
                self.name()
            )),
            _ => Ok(()),
        }
    }

    fn sortable(&self, value: &Value) -> Answer<()> {
        let kind = value.kind()?;
        self.comparable(kind)?;
        match kind {
            _ if value.literal.is_some() => Ok(()),
            Kind::Text => self.sorts_whole(value),
            Kind::Binary => refuse(format!(
                "{} sorts bytes by the first 1024 only (max_sort_length)",
                self.name()
            )),
            _ => Ok(()),
        }
    }

    fn text_key(&self, value: &Value) -> String {
        if self.is_binary(value) {
            return value.sql.clone();
        }
        match value.text_literal() {
            Some(_) => format!("CAST({} AS BINARY)", value.sql),
            None => format!("CAST({} AS BINARY)", utf8mb4(value)),
        }
    }

    fn text_result(&self, value: &Value) -> String {
        format!("({} COLLATE utf8mb4_bin)", utf8mb4(value))
    }

    fn compare_text(&self, op: Compare, left: &Value, right: &Value) -> String {
        self.compare_texts(op, left, right)
    }

    fn text_in(&self, value: &Value, list: &[Value]) -> String {
        self.text_in_list(value, list)
    }

    fn distinct_from(&self, distinct: bool, left: &str, right: &str) -> String {
        match distinct {
            true => format!("(NOT ({left} <=> {right}))"),
            false => format!("({left} <=> {right})"),
        }
    }

    fn like_pattern(&self, parts: &[PatternPart]) -> Answer<String> {
        Ok(escaped(parts, '|'))
    }

    /// `utf8mb4_bin` pads in comparisons but not in LIKE, which goes by characters.
    fn like(&self, value: &Value, pattern: &str) -> Answer<String> {
        Ok(format!(
            "(({} COLLATE utf8mb4_bin) LIKE {pattern} ESCAPE '|')",
            utf8mb4(value)
        ))
    }

    fn concat(&self, left: &Value, right: &Value) -> String {
        format!(
            "CONCAT({}, {})",
            self.text_result(left),
            self.text_result(right)
        )
    }

    fn arithmetic(
        &self,
        op: Arithmetic,
        left: &Value,
        right: &Value,
        result: &DataType,
    ) -> Answer<String> {
        self.calculation(op, left, right, result)
    }

    fn negate(&self, value: &Value) -> Answer<String> {
        self.minus(value)
    }

    fn cast(&self, value: &Value, to: &DataType) -> Answer<String> {
        self.cast_value(value, to)
    }

    fn function(&self, name: &str, args: &[Value], result: &DataType) -> Answer<String> {
        self.call(name, args, result)
    }

    /// What is not a plain column is given back by `MIN`: the values of a group are equal to the
    /// byte, and `ONLY_FULL_GROUP_BY` takes no other expression.
    fn group_key(&self, value: &Value) -> Answer<GroupKey> {
        let kind = value.kind()?;
        self.comparable(kind)?;
        match kind {
            Kind::Float => return refuse("groups of floats are formed here"),
            Kind::Binary => {
                return refuse(format!(
                    "{} groups bytes by the first 1024 only (max_sort_length)",
                    self.name()
                ));
            }
            Kind::Text if value.literal.is_none() => self.sorts_whole(value)?,
            _ => {}
        }
        if let Some(raw) = &value.raw
            && raw.sql == value.sql
            && (kind != Kind::Text || self.is_binary(value))
        {
            return Ok(GroupKey {
                by: raw.sql.clone(),
                out: raw.sql.clone(),
                raw: true,
            });
        }
        let by = match kind {
            Kind::Text => self.text_key(value),
            _ => value.sql.clone(),
        };
        Ok(GroupKey {
            by,
            out: format!("MIN({})", value.sql),
            raw: false,
        })
    }

    fn sum(&self, value: &Value, call: String, result: &DataType) -> Answer<String> {
        match (&value.data_type, result) {
            (DataType::Int16 | DataType::Int32, DataType::Int64) => {
                Ok(format!("CAST({call} AS SIGNED)"))
            }
            (DataType::Int64, DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0)) => Ok(call),
            (
                DataType::Decimal128(_, s) | DataType::Decimal256(_, s),
                DataType::Decimal128(_, t) | DataType::Decimal256(_, t),
            ) if s == t => {
                // The sum of DECIMAL(p, s) is a DECIMAL(p + 22, s), cut at 65 digits.
                match value.digits.0 + 22 <= DIGITS_MAX && value.digits.1 <= SCALE_MAX {
                    true => Ok(call),
                    false => refuse(format!(
                        "a sum of more than {DIGITS_MAX} digits is cut by {}",
                        self.name()
                    )),
                }
            }
            (from, to) => refuse(format!("a sum of {from} as {to} is computed here")),
        }
    }

    fn text_extreme(&self, value: &Value, call: &dyn Fn(&str) -> String) -> Answer<String> {
        Ok(format!(
            "CONVERT({} USING utf8mb4)",
            call(&format!("CAST({} AS BINARY)", utf8mb4(value)))
        ))
    }

    fn has_filter_clause(&self) -> bool {
        false
    }

    /// NULLs come first in ascending and last in descending order; a key in front turns that around.
    fn order(&self, key: &str, nullable: bool, asc: bool, nulls_first: bool) -> String {
        let direction = if asc { "ASC" } else { "DESC" };
        let term = format!("{key} {direction}");
        match (nullable && asc != nulls_first, nulls_first) {
            (false, _) => term,
            (true, false) => format!("({key} IS NULL) ASC, {term}"),
            (true, true) => format!("({key} IS NULL) DESC, {term}"),
        }
    }

    fn limit(&self, skip: u64, fetch: Option<u64>) -> String {
        // There is no OFFSET without LIMIT.
        let fetch = fetch.unwrap_or(u64::MAX);
        match skip {
            0 => format!(" LIMIT {fetch}"),
            skip => format!(" LIMIT {fetch} OFFSET {skip}"),
        }
    }

    fn join(&self, join_type: JoinType) -> Answer<()> {
        match join_type {
            JoinType::Full => refuse(format!("{} has no full join", self.name())),
            _ => Ok(()),
        }
    }

    /// MariaDB keeps the answers of a subquery by the columns of the outer query in it, and looks
    /// them up by the columns' own collation, whatever the subquery compares: the answer for `'A'`
    /// is then given for `'a'` too (seen on 10.11).
    fn correlated(&self, query: String) -> String {
        match self.is_mariadb {
            true => format!("SET STATEMENT optimizer_switch='subquery_cache=off' FOR {query}"),
            false => query,
        }
    }

    fn windows(&self) -> Answer<()> {
        let since = if self.is_mariadb {
            (10, 2, 0)
        } else {
            (8, 0, 0)
        };
        match self.version == (0, 0, 0) || self.version >= since {
            true => Ok(()),
            false => refuse(format!(
                "this version of {} has no window functions",
                self.name()
            )),
        }
    }
}

/// A NULL of that type where it is one of numbers or times: `SUM(NULL)` is a double there, and
/// `MIN` of a column of NULLs are bytes.
fn null(data_type: &DataType) -> String {
    let kind = Kind::of(data_type);
    let digits = Value::computed(String::new(), data_type.clone()).digits;
    match kind {
        Ok(Kind::Int | Kind::Bool) => "CAST(NULL AS SIGNED)".into(),
        Ok(Kind::Decimal) if digits.0 <= DIGITS_MAX && digits.1 <= SCALE_MAX => {
            format!("CAST(NULL AS DECIMAL({}, {}))", digits.0, digits.1)
        }
        Ok(Kind::Float) => "(NULL + 0e0)".into(),
        Ok(Kind::Date) => "CAST(NULL AS DATE)".into(),
        Ok(Kind::Timestamp { .. }) => "CAST(NULL AS DATETIME(6))".into(),
        Ok(Kind::Time) => "CAST(NULL AS TIME(6))".into(),
        _ => "NULL".into(),
    }
}
