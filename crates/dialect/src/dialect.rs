//! What one SQL dialect must know; everything else is shared.

use std::fmt::Debug;

use arrow::datatypes::DataType;
use datafusion_common::{JoinType, ScalarValue};
use inflowave_types::{Error, Result, SqlState};

use crate::pattern::PatternPart;
use crate::value::{
    Answer, Arithmetic, Compare, GroupKey, Kind, RawColumn, Value, refuse, text_of,
};

/// One SQL dialect: how it writes names and values, and what it computes with exactly our meaning
/// (PostgreSQL's, text as binary UTF-8). Each method that answers says either SQL that is right for
/// every row, or why there is none.
pub trait Dialect: Send + Sync + Debug {
    /// As it stands in messages.
    fn name(&self) -> &'static str;

    /// A name as it stands in SQL, quoted.
    ///
    /// # Errors
    /// `22021` if it holds a NUL character.
    fn quote_ident(&self, name: &str) -> Result<String>;

    /// A text as a literal that reads back equal, whatever the settings of the session.
    ///
    /// # Errors
    /// `22021` if it holds a NUL character.
    fn quote_text(&self, text: &str) -> Result<String>;

    /// The placeholder of the parameter of that number, counted from 1.
    fn placeholder(&self, number: usize) -> String;

    /// A placeholder can stand more than once.
    fn numbers_placeholders(&self) -> bool;

    /// Parameters of one statement at most; with more of them values are written as literals.
    fn params_max(&self) -> usize;

    /// A placeholder or literal with the type that it needs to be taken as `value`.
    fn bound(&self, sql: &str, _value: &ScalarValue) -> String {
        sql.to_owned()
    }

    /// Whether a constant leaves the text: all texts do, for they are what users write.
    fn binds(&self, value: &ScalarValue) -> bool {
        text_of(value).is_some()
    }

    /// A constant that is not a text, with its type.
    fn literal(&self, value: &ScalarValue) -> Answer<String>;

    /// A column as a value of our type.
    fn column(&self, raw: &RawColumn) -> Answer<String>;

    /// A column as it leaves the source: what the connector decodes as the column's Arrow type.
    fn read(&self, raw: &RawColumn) -> String {
        raw.sql.clone()
    }

    /// Values of this kind are equal and ordered there as here; texts by [`Dialect::text_key`].
    fn comparable(&self, kind: Kind) -> Answer<()>;

    /// The order of [`Dialect::text_key`] is ours for this text.
    fn orders_text(&self, _value: &Value) -> Answer<()> {
        Ok(())
    }

    /// Rows can be sorted by these values.
    fn sortable(&self, value: &Value) -> Answer<()> {
        let kind = value.kind()?;
        self.comparable(kind)?;
        match kind {
            Kind::Text => self.orders_text(value),
            _ => Ok(()),
        }
    }

    /// A text in a form that is compared as binary UTF-8.
    fn text_key(&self, value: &Value) -> String;

    /// A text as a branch of `CASE`, `COALESCE` or `UNION`, where collations meet.
    fn text_result(&self, value: &Value) -> String {
        value.sql.clone()
    }

    /// A comparison of two texts.
    fn compare_text(&self, op: Compare, left: &Value, right: &Value) -> String;

    /// `text IN (list)`.
    fn text_in(&self, value: &Value, list: &[Value]) -> String;

    /// `IS [NOT] DISTINCT FROM`.
    fn distinct_from(&self, distinct: bool, left: &str, right: &str) -> String;

    /// A constant pattern of `LIKE`, as [`Dialect::like`] takes it.
    fn like_pattern(&self, parts: &[PatternPart]) -> Answer<String>;

    /// `LIKE` with the SQL of a constant pattern.
    fn like(&self, value: &Value, pattern: &str) -> Answer<String>;

    /// `left || right`.
    fn concat(&self, left: &Value, right: &Value) -> String;

    /// Arithmetic over two numbers of one kind; over integers it is checked: overflow is `22003`.
    fn arithmetic(
        &self,
        op: Arithmetic,
        left: &Value,
        right: &Value,
        result: &DataType,
    ) -> Answer<String>;

    /// Unary minus, checked over integers.
    fn negate(&self, value: &Value) -> Answer<String>;

    /// A cast that fails where PostgreSQL's does.
    fn cast(&self, value: &Value, to: &DataType) -> Answer<String>;

    /// A call of the function that DataFusion or `pg-semantics` knows as `name`.
    fn function(&self, name: &str, args: &[Value], result: &DataType) -> Answer<String>;

    /// A key of `GROUP BY`.
    fn group_key(&self, value: &Value) -> Answer<GroupKey>;

    /// The argument of `count(DISTINCT ..)` and its like.
    fn distinct_argument(&self, value: &Value) -> Answer<String> {
        Ok(self.group_key(value)?.by)
    }

    /// `sum`: the call is given, the result may need a cast.
    fn sum(&self, value: &Value, call: String, result: &DataType) -> Answer<String>;

    /// `min` or `max` over a text; `call` prints the call around its argument.
    fn text_extreme(&self, value: &Value, call: &dyn Fn(&str) -> String) -> Answer<String>;

    /// Aggregate calls take `FILTER (WHERE ..)`.
    fn has_filter_clause(&self) -> bool {
        true
    }

    /// One or more terms of `ORDER BY`.
    fn order(&self, key: &str, nullable: bool, asc: bool, nulls_first: bool) -> String;

    /// `LIMIT` and `OFFSET`, with a blank in front; at least one of both is given.
    fn limit(&self, skip: u64, fetch: Option<u64>) -> String;

    /// Joins of that type can be written.
    fn join(&self, join_type: JoinType) -> Answer<()>;

    /// Equality that takes NULL as equal to NULL may be the condition of a join of two columns that
    /// both can be NULL.
    fn joins_nulls(&self) -> Answer<()> {
        Ok(())
    }

    /// The whole query, if a subquery of it refers to a text of the query around it.
    fn correlated(&self, query: String) -> String {
        query
    }

    /// Window functions can be written.
    fn windows(&self) -> Answer<()>;
}

/// `text` between quotes, each quote in it doubled.
///
/// # Errors
/// `22021` if it holds a NUL character.
pub(crate) fn quoted(text: &str, quote: char) -> Result<String> {
    if text.contains('\0') {
        return Err(Error::new(
            SqlState::CharacterNotInRepertoire,
            "a text with a NUL character cannot be sent to a source",
        ));
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        if c == quote {
            out.push(quote);
        }
        out.push(c);
    }
    out.push(quote);
    Ok(out)
}

/// The two arguments of `date_part` and its like: a constant word and a value.
pub(crate) fn part_of<'a>(args: &'a [Value], what: &str) -> Answer<(String, &'a Value)> {
    match args {
        [part, value] => match part.text_literal() {
            Some(part) => Ok((part.to_ascii_lowercase(), value)),
            None => refuse(format!("{what} with a field that is not constant")),
        },
        _ => refuse(format!("{what} of another shape")),
    }
}

/// The arguments of `date_part` where its result is a whole number that no time zone changes.
pub(crate) fn date_field(args: &[Value]) -> Answer<(String, &Value)> {
    let (part, value) = part_of(args, "date_part")?;
    let is_field = match value.kind()? {
        Kind::Date => matches!(part.as_str(), "year" | "month" | "day" | "quarter"),
        Kind::Timestamp { utc: false } => matches!(
            part.as_str(),
            "year" | "month" | "day" | "quarter" | "hour" | "minute"
        ),
        _ => false,
    };
    match is_field {
        true => Ok((part, value)),
        false => refuse(format!(
            "date_part('{}') over {} is computed here",
            part.escape_default(),
            value.data_type
        )),
    }
}

/// The arguments of `substr`: a text, a constant start from 1, a constant length.
pub(crate) fn substring_of(args: &[Value]) -> Answer<(&Value, i128, Option<i128>)> {
    let (text, start, length) = match args {
        [text, start] => (text, start, None),
        [text, start, length] => (text, start, Some(length)),
        _ => return refuse("substring of another shape"),
    };
    if text.kind()? != Kind::Text {
        return refuse("substring of what is not a text");
    }
    let constant = |v: &Value, least| match v.integer_literal() {
        Some(n) if n >= least && n <= i128::from(i32::MAX) => Ok(n),
        _ => refuse("substring needs a constant start from 1 and a constant length"),
    };
    let length = length.map(|l| constant(l, 0)).transpose()?;
    Ok((text, constant(start, 1)?, length))
}

/// `ORDER BY key` with the place of NULLs said.
pub(crate) fn standard_order(key: &str, asc: bool, nulls_first: bool) -> String {
    let direction = if asc { "ASC" } else { "DESC" };
    let nulls = if nulls_first { "FIRST" } else { "LAST" };
    format!("{key} {direction} NULLS {nulls}")
}
