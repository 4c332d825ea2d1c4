//! SQLite: dynamically typed, so that a column is checked where it is computed with; numbers are
//! 64 bits or floats, so that decimals are computed here.

use arrow::datatypes::DataType;
use datafusion_common::{JoinType, ScalarValue};
use inflowave_connector_api::{Collation, ColumnFacts, vocabulary};
use inflowave_types::{PgType, Result};

use crate::Dialect;
use crate::compare::join_sql;
use crate::decimal::widens;
use crate::dialect::{date_field, quoted, standard_order, substring_of};
use crate::literal::{Plain, float_digits, plain};
use crate::pattern::{PatternPart, glob};
use crate::sqlite_functions as checked;
use crate::value::{
    Answer, Arithmetic, Compare, GroupKey, Kind, RawColumn, Value, refuse, text_of,
};

/// `SQLITE_MAX_LIKE_PATTERN_LENGTH` is 50,000 bytes.
const PATTERN_BYTES_MAX: usize = 50_000;

/// SQLite from 3.39 on, with the functions of [`crate::sqlite_functions`] registered on its
/// connection.
#[derive(Debug, Clone, Default)]
pub struct Sqlite {
    /// `sqlite3_libversion_number`, such as 3050002; 0 when it is not known.
    pub version: u32,
    /// The database is in UTF-16, whose bytes have another order.
    pub is_utf16: bool,
}

/// The function that reads a column strictly, and whether its values are text.
fn checking_function(data_type: &DataType) -> Answer<&'static str> {
    Ok(match Kind::of(data_type)? {
        Kind::Int if *data_type == DataType::Int64 => checked::INT,
        Kind::Float if *data_type == DataType::Float64 => checked::REAL,
        Kind::Text => checked::TEXT,
        Kind::Binary => checked::BLOB,
        Kind::Bool => checked::BOOL,
        Kind::Date => checked::DATE,
        Kind::Timestamp { .. } => checked::TIMESTAMP,
        Kind::Time => checked::TIME,
        Kind::Decimal => return refuse("SQLite computes decimals as floats"),
        _ => {
            return refuse(format!("a column of the type {data_type} is computed here"));
        }
    })
}

fn pg_type(facts: &ColumnFacts) -> Option<PgType> {
    let column = facts.column()?;
    column.field.metadata().get(PgType::KEY)?.parse().ok()
}

impl Sqlite {
    /// The call that checks a column, which names it.
    fn checked(&self, raw: &RawColumn, function: &str) -> Answer<String> {
        let Some((table, column)) = raw.facts.origin.as_ref().zip(raw.facts.column()) else {
            return refuse("a column of an unknown table is computed here");
        };
        let label = format!("{}.{}", table.0.name, column.field.name());
        Ok(format!(
            "{function}({}, {})",
            raw.sql,
            self.quote_text(&label)?
        ))
    }

    /// What reads a text to its first NUL gets one that is checked not to have any: the columns of
    /// a strict table too.
    fn without_nul(&self, value: &Value) -> Answer<String> {
        match &value.raw {
            Some(raw) if raw.sql == value.sql => self.checked(raw, checked::TEXT),
            _ => Ok(value.sql.clone()),
        }
    }
}

impl Dialect for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn quote_ident(&self, name: &str) -> Result<String> {
        quoted(name, '"')
    }

    fn quote_text(&self, text: &str) -> Result<String> {
        quoted(text, '\'')
    }

    fn placeholder(&self, number: usize) -> String {
        format!("?{number}")
    }

    fn numbers_placeholders(&self) -> bool {
        true
    }

    fn params_max(&self) -> usize {
        32_766
    }

    /// Floats too: SQLite does not read every literal to the nearest number.
    fn binds(&self, value: &ScalarValue) -> bool {
        text_of(value).is_some() || matches!(value, ScalarValue::Float64(Some(v)) if v.is_finite())
    }

    fn literal(&self, value: &ScalarValue) -> Answer<String> {
        Ok(match plain(value)? {
            Plain::Null => "NULL".into(),
            Plain::Bool(v) => i32::from(v).to_string(),
            Plain::Int(v) if v < 0 => format!("({v})"),
            Plain::Int(v) => v.to_string(),
            // Decimals are only what is whole here: see `Sqlite::column`.
            Plain::Decimal(text, _) => match whole(&text) {
                Some(v) if v < 0 => format!("({v})"),
                Some(v) => v.to_string(),
                None => return refuse("SQLite computes decimals as floats"),
            },
            Plain::Float64(v) if v.is_nan() => return refuse("SQLite has no NaN"),
            Plain::Float64(v) if v.is_infinite() => {
                if v > 0.0 { "9e999" } else { "(-9e999)" }.to_owned()
            }
            Plain::Float64(v) => format!("({})", float_digits(v)),
            Plain::Float32(_) => return refuse("SQLite has floats of 64 bits only"),
            Plain::Timestamp { text, utc: true } => format!("'{text}+00:00'"),
            Plain::Date(text) | Plain::Timestamp { text, .. } | Plain::Time(text) => {
                format!("'{text}'")
            }
            Plain::Binary(hex) => format!("X'{hex}'"),
        })
    }

    /// A decimal is refused, so that every decimal that is computed with is a whole number that came
    /// from a cast or a field of a date, and an INTEGER there.
    fn column(&self, raw: &RawColumn) -> Answer<String> {
        let data_type = &raw.facts.data_type;
        let function = checking_function(data_type)?;
        let pg_type = pg_type(&raw.facts);
        if matches!(pg_type, Some(PgType::Json | PgType::Jsonb)) {
            return refuse("JSON is compared as its text here");
        }
        let is_strict = raw.facts.column().is_some_and(|c| c.strictly_typed);
        // Dates and Booleans have several spellings, whoever guarantees their storage class.
        let is_canonical = matches!(
            function,
            checked::INT | checked::REAL | checked::TEXT | checked::BLOB
        );
        let sql = match is_strict && is_canonical {
            true => raw.sql.clone(),
            false => self.checked(raw, function)?,
        };
        Ok(match pg_type {
            Some(PgType::Bpchar(_)) => format!("rtrim({sql}, ' ')"),
            _ => sql,
        })
    }

    fn comparable(&self, _kind: Kind) -> Answer<()> {
        Ok(())
    }

    /// A database in UTF-16 orders by its bytes; its connector says so of each column too.
    fn orders_text(&self, value: &Value) -> Answer<()> {
        let collation = value.facts.as_ref().map(|f| f.collation);
        match self.is_utf16 || collation == Some(Collation::Deterministic) {
            true => refuse("a SQLite database in UTF-16 orders texts otherwise"),
            false => Ok(()),
        }
    }

    fn text_key(&self, value: &Value) -> String {
        let is_binary = value
            .raw
            .as_ref()
            .is_some_and(|raw| raw.sql == value.sql && raw.facts.collation == Collation::Binary);
        match is_binary || value.raw.is_none() && value.literal.is_some() {
            true => value.sql.clone(),
            false => format!("({} COLLATE BINARY)", value.sql),
        }
    }

    fn compare_text(&self, op: Compare, left: &Value, right: &Value) -> String {
        // The collation of the left side decides if it has one, else that of the right.
        let (left, right) = (self.text_key(left), self.text_key(right));
        match op.symbol() {
            Some(symbol) => format!("({left} {symbol} {right})"),
            None => self.distinct_from(op == Compare::Distinct, &left, &right),
        }
    }

    fn text_in(&self, value: &Value, list: &[Value]) -> String {
        format!("({} IN ({}))", self.text_key(value), join_sql(list))
    }

    fn distinct_from(&self, distinct: bool, left: &str, right: &str) -> String {
        let not = if distinct { "NOT " } else { "" };
        format!("({left} IS {not}{right})")
    }

    /// LIKE folds ASCII; GLOB does not, and goes by characters.
    fn like_pattern(&self, parts: &[PatternPart]) -> Answer<String> {
        let glob = glob(parts);
        match glob.len() > PATTERN_BYTES_MAX {
            true => refuse("a pattern of more than 50000 bytes is matched here"),
            false => Ok(glob),
        }
    }

    fn like(&self, value: &Value, pattern: &str) -> Answer<String> {
        Ok(format!("({} GLOB {pattern})", self.without_nul(value)?))
    }

    fn concat(&self, left: &Value, right: &Value) -> String {
        format!("({} || {})", left.sql, right.sql)
    }

    fn arithmetic(
        &self,
        op: Arithmetic,
        left: &Value,
        right: &Value,
        _result: &DataType,
    ) -> Answer<String> {
        if left.kind()? != Kind::Int {
            return refuse("SQLite computes decimals as floats");
        }
        if !matches!(op, Arithmetic::Div | Arithmetic::Rem) {
            return refuse("an integer of SQLite becomes a float where it overflows");
        }
        match right.integer_literal() {
            Some(n) if n > 0 => Ok(format!("({} {} {})", left.sql, op.symbol(), right.sql)),
            _ => {
                refuse("a division by zero is NULL in SQLite: it needs a constant divisor above 0")
            }
        }
    }

    fn negate(&self, value: &Value) -> Answer<String> {
        match value.kind()? {
            Kind::Float => Ok(format!("(- {})", value.sql)),
            Kind::Int => refuse("an integer of SQLite becomes a float where it overflows"),
            _ => refuse("a minus over this type is computed here"),
        }
    }

    fn cast(&self, value: &Value, to: &DataType) -> Answer<String> {
        let sql = &value.sql;
        match (value.kind()?, Kind::of(to)?) {
            (Kind::Null, kind) if kind != Kind::Decimal => Ok(sql.clone()),
            // Integers have one width there; narrowing would have to fail.
            (Kind::Int, Kind::Int) if *to == DataType::Int64 => Ok(sql.clone()),
            (Kind::Int, Kind::Float) if *to == DataType::Float64 => {
                Ok(format!("CAST({sql} AS REAL)"))
            }
            (Kind::Int, Kind::Decimal) if int_digits(to) >= 19 => Ok(sql.clone()),
            (Kind::Decimal, Kind::Decimal) if widens(&value.data_type, to) => Ok(sql.clone()),
            (Kind::Date, Kind::Timestamp { utc: false }) => {
                Ok(format!("({sql} || ' 00:00:00.000000')"))
            }
            (Kind::Timestamp { utc: false }, Kind::Date) => Ok(format!("substr({sql}, 1, 10)")),
            _ => refuse(format!(
                "a cast from {} to {to} is computed here",
                value.data_type
            )),
        }
    }

    fn function(&self, name: &str, args: &[Value], result: &DataType) -> Answer<String> {
        match name {
            "date_part" | vocabulary::EXTRACT => {
                let (part, value) = date_field(args)?;
                // Both have a form of fixed places.
                let (start, length) = match part.as_str() {
                    "year" => (1, 4),
                    "month" => (6, 2),
                    "day" => (9, 2),
                    "hour" => (12, 2),
                    "minute" => (15, 2),
                    other => {
                        return refuse(format!(
                            "date_part('{}') is computed here",
                            other.escape_default()
                        ));
                    }
                };
                let number = match result {
                    DataType::Int32 | DataType::Int64 => "INTEGER",
                    DataType::Decimal128(..) if int_digits(result) >= 4 => "INTEGER",
                    DataType::Float64 => "REAL",
                    other => return refuse(format!("date_part as {other} is computed here")),
                };
                Ok(format!(
                    "CAST(substr({}, {start}, {length}) AS {number})",
                    value.sql
                ))
            }
            "substr" | "substring" => {
                let (text, start, length) = substring_of(args)?;
                let length = length.map(|n| format!(", {n}")).unwrap_or_default();
                let text = self.without_nul(text)?;
                Ok(format!("substr({text}, {start}{length})"))
            }
            _ => refuse(format!("the function {name} is computed here")),
        }
    }

    fn group_key(&self, value: &Value) -> Answer<GroupKey> {
        let kind = value.kind()?;
        self.comparable(kind)?;
        if kind == Kind::Float {
            return refuse("groups of floats are formed here: -0 and 0 are one group");
        }
        let sql = match kind {
            Kind::Text => self.text_key(value),
            _ => value.sql.clone(),
        };
        let raw = value.raw.as_ref().is_some_and(|raw| raw.sql == sql);
        Ok(GroupKey {
            by: sql.clone(),
            out: sql,
            raw,
        })
    }

    fn sum(&self, value: &Value, call: String, result: &DataType) -> Answer<String> {
        match (&value.data_type, result) {
            (DataType::Int16 | DataType::Int32 | DataType::Int64, DataType::Int64) => Ok(call),
            _ => refuse("a sum of SQLite fails where it leaves 64 bits, ours does not"),
        }
    }

    fn text_extreme(&self, value: &Value, call: &dyn Fn(&str) -> String) -> Answer<String> {
        Ok(call(&self.text_key(value)))
    }

    fn order(&self, key: &str, _nullable: bool, asc: bool, nulls_first: bool) -> String {
        standard_order(key, asc, nulls_first)
    }

    fn limit(&self, skip: u64, fetch: Option<u64>) -> String {
        // There is no OFFSET without LIMIT; -1 is none.
        let fetch = fetch.map_or("-1".to_owned(), |n| n.min(i64::MAX as u64).to_string());
        match skip {
            0 => format!(" LIMIT {fetch}"),
            skip => format!(" LIMIT {fetch} OFFSET {}", skip.min(i64::MAX as u64)),
        }
    }

    fn join(&self, _join_type: JoinType) -> Answer<()> {
        Ok(())
    }

    fn windows(&self) -> Answer<()> {
        Ok(())
    }
}

/// Digits in front of the point.
fn int_digits(data_type: &DataType) -> i32 {
    match data_type {
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => i32::from(*p) - i32::from(*s),
        _ => 0,
    }
}

/// The number, if there is nothing but zeros behind the point.
fn whole(decimal: &str) -> Option<i64> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    if fraction.bytes().any(|b| b != b'0') {
        return None;
    }
    whole.parse().ok()
}
