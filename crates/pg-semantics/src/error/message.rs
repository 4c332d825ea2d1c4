//! The words of DataFusion's errors, sorted by what they say.

use inflowave_types::{Error, SqlState};

/// Names further away than this are no help.
const DISTANCE_MAX: usize = 3;

/// An error of planning. What is not known here is a semantic error of the statement.
pub(super) fn from_plan(text: &str) -> Error {
    let text = first_line(text);
    if let Some(known) = from_text(&text) {
        return known;
    }
    if let Some(known) = called(&text).or_else(|| not_boolean(&text)) {
        return known;
    }
    let lower = text.to_lowercase();
    let state = if lower.contains("could not be resolved from available columns")
        || lower.contains("must be in group by clause")
        || lower.contains("must appear in the group by")
        || lower.contains("aggregate functions are not allowed")
        || lower.contains("calls cannot be nested")
        || lower.contains("in the select list must appear")
    {
        return grouping(&text);
    } else if let Some(name) = quoted_after(&text, "Invalid function '") {
        return no_function(format!("function {name} does not exist"));
    } else if lower.contains("failed to coerce arguments")
        || lower.contains("no function matches")
        || lower.contains("function")
            && (lower.contains("signature") || lower.contains("expects") || lower.contains("coerc"))
    {
        SqlState::UndefinedFunction
    } else if lower.contains("table") && lower.contains("not found") {
        return match quoted_after(&text, "table '") {
            Some(name) => Error::new(
                SqlState::UndefinedTable,
                format!(
                    "relation \"{}\" does not exist",
                    name.rsplit('.').next().unwrap_or(name)
                ),
            ),
            None => Error::new(SqlState::UndefinedTable, lowercase(&text)),
        };
    } else if lower.contains("cannot coerce")
        || lower.contains("cannot infer common argument type")
        || lower.contains("no common type")
        || lower.contains("common type")
        || lower.contains("incompatible types")
        || lower.contains("must be boolean")
        || lower.contains("non-boolean predicate")
        || lower.contains("requires a boolean")
        || lower.contains("type mismatch")
    {
        SqlState::DatatypeMismatch
    } else if lower.contains("unsupported")
        || lower.contains("not supported")
        || lower.contains("correlated scalar subquery")
    {
        SqlState::FeatureNotSupported
    } else if lower.contains("subquery") && lower.contains("column") {
        SqlState::SyntaxError
    } else if lower.contains("window") && lower.contains("not allowed") {
        SqlState::WindowingError
    } else if lower.contains("different number of columns")
        || lower.contains("same number of columns")
    {
        return Error::new(
            SqlState::SyntaxError,
            "each UNION query must have the same number of columns",
        );
    } else if lower.contains("limit") && (lower.contains("negative") || lower.contains(">= 0")) {
        return Error::new(
            SqlState::InvalidRowCountInLimit,
            "LIMIT must not be negative",
        );
    } else if lower.contains("offset") && (lower.contains("negative") || lower.contains(">= 0")) {
        return Error::new(
            SqlState::InvalidRowCountInOffset,
            "OFFSET must not be negative",
        );
    } else if lower.contains("order by position")
        || lower.contains("out of bounds")
        || lower.contains("cannot find column with position")
    {
        SqlState::InvalidColumnReference
    } else {
        SqlState::SyntaxError
    };
    Error::new(state, lowercase(&text))
}

/// `.. function matches .. argument types 'lower(Int64, Utf8)'`, in PostgreSQL's words.
fn called(text: &str) -> Option<Error> {
    if text.contains("failed to match any signature") {
        let name = quoted_after(text, "Function '")?;
        return Some(no_function(format!(
            "function {name} does not exist for arguments of these types"
        )));
    }
    let (_, call) = text.split_once("given name and argument types '")?;
    let (name, types) = call.split_once('(')?;
    let types = types.rsplit_once(")'").map_or(types, |(types, _)| types);
    let mut depth = 0;
    let types = types.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    let types: Vec<&str> = types.map(|t| type_name(t.trim())).collect();
    Some(no_function(format!(
        "function {name}({}) does not exist",
        types.join(", ")
    )))
}

/// PostgreSQL's name of a type that DataFusion tells.
fn type_name(told: &str) -> &str {
    match told.split('(').next().unwrap_or(told) {
        "Int16" => "smallint",
        "Int32" => "integer",
        "Int64" => "bigint",
        "Float32" => "real",
        "Float64" => "double precision",
        "Boolean" => "boolean",
        "Decimal128" | "Decimal256" => "numeric",
        // A quoted literal has no type yet.
        "Utf8" | "Null" => "unknown",
        "Utf8View" | "LargeUtf8" => "text",
        "Binary" | "BinaryView" | "LargeBinary" => "bytea",
        "Date32" | "Date64" => "date",
        "Time32" | "Time64" => "time without time zone",
        "Timestamp" if told.contains(',') => "timestamp with time zone",
        "Timestamp" => "timestamp without time zone",
        "Interval" | "Duration" => "interval",
        "List" | "LargeList" | "FixedSizeList" => "anyarray",
        "Struct" => "record",
        _ => told,
    }
}

/// What had to be a condition.
fn not_boolean(text: &str) -> Option<Error> {
    let (clause, told) = match text.split_once("requires a boolean expression, got ") {
        Some((_, told)) => ("NOT", told),
        None if text.contains("non-boolean predicate") => {
            ("WHERE", text.rsplit_once("returning ")?.1)
        }
        None => return None,
    };
    Some(Error::new(
        SqlState::DatatypeMismatch,
        format!(
            "argument of {clause} must be type boolean, not type {}",
            type_name(told.trim())
        ),
    ))
}

fn no_function(message: String) -> Error {
    Error::new(SqlState::UndefinedFunction, message).with_hint(
        "No function matches the given name and argument types. You might need to add explicit \
         type casts.",
    )
}

/// `column "t.x" must appear in the GROUP BY clause ..`, if the text names the column.
fn grouping(text: &str) -> Error {
    let column = text
        .split_once("Column in SELECT must be in GROUP BY or an aggregate function: While expanding wildcard, column ")
        .or_else(|| text.split_once("While expanding wildcard, column "))
        .and_then(|(_, rest)| quoted(rest))
        .or_else(|| text.find('"').and_then(|at| quoted(&text[at..])));
    match column {
        Some(name) => Error::new(
            SqlState::GroupingError,
            format!(
                "column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate \
                 function"
            ),
        ),
        None => Error::new(SqlState::GroupingError, lowercase(text)),
    }
}

fn quoted(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix('"')?;
    rest.split('"').next()
}

/// Errors that say the same wherever they come from.
pub(super) fn from_text(text: &str) -> Option<Error> {
    let lower = text.to_lowercase();
    // An error of ours that DataFusion has put into words of its own.
    if let Some((_, ours)) = text.split_once("External error: ")
        && let Some((function, _)) = ours.split_once(" does not exist")
        && function.starts_with("function ")
    {
        return Some(no_function(format!("{function} does not exist")));
    }
    // `(value).field`, whose function is DataFusion's.
    if lower.contains("cannot access field at argument") {
        return Some(Error::new(
            SqlState::WrongObjectType,
            "column notation applied to a type that is not a composite type",
        ));
    }
    if lower.contains("divide by zero") || lower.contains("division by zero") {
        return Some(Error::new(SqlState::DivisionByZero, "division by zero"));
    }
    if lower.contains("more than one row") || lower.contains("returned more than one") {
        return Some(Error::new(
            SqlState::CardinalityViolation,
            "more than one row returned by a subquery used as an expression",
        ));
    }
    if lower.contains("overflow")
        || lower.contains("out of range")
        || lower.contains("too large to store")
    {
        return Some(overflow(text));
    }
    if lower.contains("negative substring length") || lower.contains("negative count not allowed") {
        return Some(Error::new(
            SqlState::SubstringError,
            "negative substring length not allowed",
        ));
    }
    if let Some((_, parts)) = text.split_once("Unable to parse date from ") {
        return Some(Error::new(
            SqlState::DatetimeFieldOverflow,
            format!(
                "date field value out of range: {}",
                first_line(parts).replace(", ", "-")
            ),
        ));
    }
    if lower.contains("error parsing timestamp") || lower.contains("error parsing date") {
        return Some(Error::new(SqlState::InvalidDatetimeFormat, lowercase(text)));
    }
    if lower.contains("cannot cast string") || lower.contains("cannot parse") {
        return Some(Error::new(
            SqlState::InvalidTextRepresentation,
            lowercase(text),
        ));
    }
    if lower.contains("regex parse error") || lower.contains("regular expression") {
        return Some(Error::new(
            SqlState::InvalidRegularExpression,
            format!("invalid regular expression: {}", first_line(text)),
        ));
    }
    if lower.contains("recursion limit") || lower.contains("stack overflow") {
        return Some(Error::new(
            SqlState::StatementTooComplex,
            "stack depth limit exceeded",
        ));
    }
    None
}

/// `0A000`. A plan's node, printed for debugging, is of no help to anybody.
pub(super) fn unsupported(text: &str) -> Error {
    match text.split_once("Physical plan does not support logical expression ") {
        Some((_, node)) => {
            let name: String = node
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            let what = match name.as_str() {
                "InSubquery" => "IN (subquery)",
                "SetComparison" => "ANY (subquery) and ALL (subquery)",
                "Exists" => "EXISTS",
                "OuterReferenceColumn" => "this correlated subquery",
                _ => "this expression",
            };
            let outside = if name == "OuterReferenceColumn" {
                ""
            } else {
                " outside of WHERE"
            };
            Error::unsupported(format!("{what}{outside} is not supported"))
        }
        None => Error::unsupported(lowercase(text)),
    }
}

/// `22003`. Arrow's words hold the operands, whose size tells the type.
pub(super) fn overflow(text: &str) -> Error {
    let widest = text
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse::<u128>().ok())
        .max()
        .unwrap_or(0);
    let message = match widest {
        0 => "value out of range",
        1..=32_768 => "smallint out of range",
        32_769..=2_147_483_648 => "integer out of range",
        2_147_483_649..=9_223_372_036_854_775_808 => "bigint out of range",
        _ => "value overflows numeric format",
    };
    Error::new(SqlState::NumericValueOutOfRange, message)
}

/// `42601`, with the place that the parser gives as `at Line: 1, Column: 8`.
pub(super) fn syntax(text: &str, sql: &str) -> Error {
    let (message, place) = match text.rfind(" at Line: ") {
        Some(at) => (&text[..at], line_and_column(&text[at..])),
        None => (text, None),
    };
    let found = message.rsplit_once(", found: ").map(|(_, f)| f);
    let words = match found {
        Some("EOF") => "syntax error at end of input".to_owned(),
        Some(token) => format!("syntax error at or near \"{token}\""),
        None => format!("syntax error: {}", lowercase(message)),
    };
    let error = Error::new(SqlState::SyntaxError, words);
    let error = match message.rsplit_once(", found: ") {
        Some((expected, _)) => error.with_detail(expected.to_owned()),
        None => error,
    };
    let at_end = || (found == Some("EOF")).then(|| sql.chars().count() as u32 + 1);
    match place.and_then(|(l, c)| offset(sql, l, c)).or_else(at_end) {
        Some(position) => error.with_position(position),
        None => error,
    }
}

fn line_and_column(text: &str) -> Option<(u64, u64)> {
    let rest = text.strip_prefix(" at Line: ")?;
    let (line, column) = rest.split_once(", Column: ")?;
    let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
    Some((line.parse().ok()?, digits.parse().ok()?))
}

/// Characters from 1 of a line and column, both from 1.
pub(super) fn offset(sql: &str, line: u64, column: u64) -> Option<u32> {
    if line == 0 || column == 0 {
        return None;
    }
    let before: usize = sql
        .split('\n')
        .take(line as usize - 1)
        .map(|l| l.chars().count() + 1)
        .sum();
    u32::try_from(before as u64 + column).ok()
}

/// The nearest names, nearest first, two at most.
pub(super) fn closest<'a>(
    name: &str,
    valid: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Vec<String> {
    let wanted = name.to_lowercase();
    let mut near: Vec<(usize, String)> = valid
        .filter_map(|(candidate, table)| {
            let distance = distance(&wanted, &candidate.to_lowercase());
            let limit = DISTANCE_MAX.min(wanted.chars().count().div_ceil(2));
            (distance <= limit).then(|| {
                let shown = match table {
                    Some(table) => format!("{table}.{candidate}"),
                    None => candidate.to_owned(),
                };
                (distance, shown)
            })
        })
        .collect();
    near.sort();
    near.dedup();
    near.truncate(2);
    near.into_iter().map(|(_, name)| name).collect()
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn quoted_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split('\'').next()
}

pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// The first line, beginning in lower case unless it begins with a name in capitals.
pub(super) fn lowercase(text: &str) -> String {
    let line = first_line(text);
    let mut chars = line.chars();
    match (chars.next(), chars.next()) {
        (Some(a), Some(b)) if a.is_uppercase() && !b.is_uppercase() => a
            .to_lowercase()
            .chain(std::iter::once(b))
            .chain(chars)
            .collect(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters() {
        assert_eq!(offset("select ł,\n  x", 2, 3), Some(13));
        let e = syntax(
            "Expected: an expression, found: FROM at Line: 1, Column: 8",
            "select from t",
        );
        assert_eq!(e.message(), "syntax error at or near \"FROM\"");
        assert_eq!(e.position(), Some(8));
        let e = syntax("Expected: an expression, found: EOF", "select");
        assert_eq!(e.message(), "syntax error at end of input");
        assert_eq!(e.position(), Some(7));
    }

    #[test]
    fn the_nearest_names_come_first() {
        let valid = [("name", Some("t")), ("nam", Some("u")), ("price", None)];
        assert_eq!(closest("nme", valid.into_iter()), ["t.name", "u.nam"]);
        assert_eq!(closest("xyzzy", valid.into_iter()), [] as [&str; 0]);
    }
}
