//! MySQL and MariaDB: text is compared without case and with padding, so that every comparison of
//! it is written over bytes; numbers and dates are exact where nothing overflows.

use arrow::datatypes::DataType;
use datafusion_common::{JoinType, ScalarValue};
use inflowave_connector_api::{Collation, ColumnFacts, vocabulary};
use inflowave_types::Result;

use crate::compare::join_sql;
use crate::decimal::{decimal_scale, widens};
use crate::dialect::{date_field, quoted, substring_of};
use crate::literal::{Plain, float_digits, plain};
use crate::pattern::{PatternPart, escaped};
use crate::value::{Answer, Arithmetic, Compare, GroupKey, Kind, RawColumn, Value, refuse};
use crate::Dialect;

/// `DECIMAL(65, 30)` is the widest; more is cut without an error.
const DIGITS_MAX: u32 = 65;
const SCALE_MAX: u32 = 30;

/// `max_sort_length` is 1,024 bytes by default: what comes behind does not count in a sort. A
/// character has four bytes at most.
const SORT_CHARACTERS_MAX: u32 = 255;

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

/// The first word of a native type: `int` of `int(10) unsigned`.
fn base(facts: &ColumnFacts) -> String {
    let native = facts.column().map_or("", |c| c.native_type.as_str());
    let end = native.find(['(', ' ']).unwrap_or(native.len());
    native[..end].to_ascii_lowercase()
}

/// The collation at the end of a native type: `varchar(25) collate utf8mb4_general_ci`.
fn collation_name(facts: &ColumnFacts) -> Option<&str> {
    let native = &facts.column()?.native_type;
    native.rsplit_once(" collate ").map(|(_, name)| name)
}

/// The text of the column is stored in UTF-8.
fn is_utf8(facts: &ColumnFacts) -> bool {
    collation_name(facts).is_some_and(|name| name.starts_with("utf8"))
}

/// Types whose text is compared as text.
fn is_character(facts: &ColumnFacts) -> bool {
    matches!(
        base(facts).as_str(),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
    )
}

fn is_unsigned(raw: &RawColumn) -> bool {
    raw.native().to_ascii_lowercase().contains("unsigned")
}

/// The text as utf8mb4, whatever it is stored in.
fn utf8mb4(value: &Value) -> String {
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
                .is_some_and(|text| text.is_ascii() || is_utf8(&raw.facts))
        })
    }

    /// The column is compared as bytes by itself.
    fn is_binary(&self, value: &Value) -> bool {
        value.raw.is_some() && value.collation() == Collation::Binary
    }

    /// Only the first bytes of a text count where rows are sorted, and grouping may sort.
    fn sorts_whole(&self, value: &Value) -> Answer<()> {
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

    fn refuses_arithmetic<T>(&self) -> Answer<T> {
        refuse(format!(
            "integers of {} overflow at other widths than ours",
            self.name()
        ))
    }

    /// An operand of decimal arithmetic: an unsigned integer would fail below zero.
    fn operand(&self, value: &Value) -> String {
        match &value.raw {
            Some(raw) if is_unsigned(raw) => {
                format!("CAST({} AS DECIMAL({}, {}))", value.sql, value.digits.0, value.digits.1)
            }
            _ => value.sql.clone(),
        }
    }
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
            Plain::Null => "NULL".into(),
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
        let print = |l: &str, r: &str| match op.symbol() {
            Some(symbol) => format!("({l} {symbol} {r})"),
            None => self.distinct_from(op == Compare::Distinct, l, r),
        };
        let is_literal = |v: &Value| v.text_literal().is_some();
        if (self.is_binary(left) && is_literal(right)) || (is_literal(left) && self.is_binary(right))
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

    fn text_in(&self, value: &Value, list: &[Value]) -> String {
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
        if left.kind()? == Kind::Int {
            let word = match op {
                Arithmetic::Div => "DIV",
                Arithmetic::Rem => "%",
                _ => return self.refuses_arithmetic(),
            };
            return match right.integer_literal() {
                Some(n) if n > 0 => Ok(format!("({} {word} {})", left.sql, right.sql)),
                _ => refuse(format!(
                    "a division by zero is NULL in {}: it needs a constant divisor above 0",
                    self.name()
                )),
            };
        }
        decimal_scale(op, left, right, result)?;
        let (l, r) = (left.digits, right.digits);
        let (all, behind) = match op {
            Arithmetic::Mul => (l.0 + r.0, l.1 + r.1),
            _ => {
                let behind = l.1.max(r.1);
                let whole = l.0.saturating_sub(l.1).max(r.0.saturating_sub(r.1));
                (whole + behind + 1, behind)
            }
        };
        if all > DIGITS_MAX || behind > SCALE_MAX {
            return refuse(format!(
                "a decimal of {all} digits with {behind} behind the point is more than {} has",
                self.name()
            ));
        }
        Ok(format!(
            "({} {} {})",
            self.operand(left),
            op.symbol(),
            self.operand(right)
        ))
    }

    fn negate(&self, value: &Value) -> Answer<String> {
        match value.kind()? {
            Kind::Int => self.refuses_arithmetic(),
            Kind::Decimal => Ok(format!("(- {})", self.operand(value))),
            Kind::Float => Ok(format!("(- {})", value.sql)),
            _ => refuse("a minus over what is not a number is computed here"),
        }
    }

    fn cast(&self, value: &Value, to: &DataType) -> Answer<String> {
        let sql = &value.sql;
        let digits = |t: &DataType| Value::computed(String::new(), t.clone()).digits;
        match (value.kind()?, Kind::of(to)?) {
            (Kind::Null, _) => Ok(sql.clone()),
            // Integers have one width in expressions.
            (Kind::Int, Kind::Int) if digits(&value.data_type).0 <= digits(to).0 => Ok(sql.clone()),
            (Kind::Int, Kind::Decimal) => {
                let ((whole, _), (all, behind)) = (digits(&value.data_type), digits(to));
                let fits = all.saturating_sub(behind) >= whole.min(19)
                    && all <= DIGITS_MAX
                    && behind <= SCALE_MAX;
                match fits {
                    true => Ok(format!("CAST({sql} AS DECIMAL({all}, {behind}))")),
                    false => refuse(format!(
                        "{} cuts a decimal that is too long and gives no error",
                        self.name()
                    )),
                }
            }
            (Kind::Decimal, Kind::Decimal) if widens(&value.data_type, to) => Ok(sql.clone()),
            (Kind::Date, Kind::Timestamp { utc: false }) => {
                Ok(format!("CAST({sql} AS DATETIME(6))"))
            }
            (Kind::Timestamp { utc: false }, Kind::Date) => Ok(format!("CAST({sql} AS DATE)")),
            _ => refuse(format!(
                "a cast from {} to {to} is computed here",
                value.data_type
            )),
        }
    }

    fn function(&self, name: &str, args: &[Value], result: &DataType) -> Answer<String> {
        match (name, args) {
            ("abs", [value]) if value.kind()? == Kind::Decimal => {
                Ok(format!("ABS({})", self.operand(value)))
            }
            ("date_part" | vocabulary::EXTRACT, _) => {
                let (part, value) = date_field(args)?;
                let part = part.to_ascii_uppercase();
                let sql = format!("EXTRACT({part} FROM {})", value.sql);
                match result {
                    DataType::Int32 | DataType::Int64 => Ok(sql),
                    DataType::Float64 => Ok(format!("({sql} + 0e0)")),
                    DataType::Decimal128(p, s) if u32::from(*p) <= DIGITS_MAX => {
                        let whole = i32::from(*p) - i32::from(*s);
                        match whole >= 4 && i32::from(*s) <= 30 {
                            true => Ok(format!("CAST({sql} AS DECIMAL({p}, {s}))")),
                            false => refuse("date_part of few digits is computed here"),
                        }
                    }
                    other => refuse(format!("date_part as {other} is computed here")),
                }
            }
            ("substr" | "substring", _) => {
                let (text, start, length) = substring_of(args)?;
                let length = length.map(|n| format!(", {n}")).unwrap_or_default();
                Ok(format!("SUBSTRING({}, {start}{length})", utf8mb4(text)))
            }
            ("character_length" | "char_length" | "length", [text])
                if text.kind()? == Kind::Text =>
            {
                Ok(format!("CHAR_LENGTH({})", utf8mb4(text)))
            }
            _ => refuse(format!("the function {name} is computed here")),
        }
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

    fn windows(&self) -> Answer<()> {
        let since = if self.is_mariadb { (10, 2, 0) } else { (8, 0, 0) };
        match self.version == (0, 0, 0) || self.version >= since {
            true => Ok(()),
            false => refuse(format!("this version of {} has no window functions", self.name())),
        }
    }
}
