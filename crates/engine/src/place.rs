//! Where in a statement's text an error of its analysis stands, as far as what the error names stands
//! there once: DataFusion's trees know no places.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use inflowave_types::{Error, SqlState};

use crate::words::{Words, blank, tokenize};

/// Aggregates whose calls are looked for.
const AGGREGATES: [&str; 12] = [
    "COUNT",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "ARRAY_AGG",
    "STRING_AGG",
    "BOOL_AND",
    "BOOL_OR",
    "EVERY",
    "STDDEV",
    "VARIANCE",
];

/// The error with its place, in characters from 1; as it is where it has one already, or where what it
/// names stands in several places.
pub(crate) fn placed(error: Error, sql: &str) -> Error {
    if error.position().is_some() {
        return error;
    }
    match tokenize(sql) {
        Ok(tokens) => {
            let tokens: Vec<TokenWithSpan> = tokens.into_iter().filter(|t| !blank(t)).collect();
            let words = Words {
                tokens: &tokens,
                sql,
            };
            match found(&error, &words).and_then(|at| words.position(at)) {
                Some(position) => error.with_position(position),
                None => error,
            }
        }
        Err(_) => error,
    }
}

/// The number of the token.
fn found(error: &Error, words: &Words) -> Option<usize> {
    let message = error.message();
    let all = || 0..words.tokens.len();
    let call = |at: usize| words.is_open(at + 1);
    match error.sqlstate() {
        SqlState::UndefinedFunction => match message.strip_prefix("operator does not exist: ") {
            Some(rest) => {
                let mut parts = rest.split(' ').filter(is_operator);
                let operator = parts.next().filter(|_| parts.next().is_none())?;
                only(all().filter(|at| is_written(words, *at, operator)))
            }
            None => {
                let name = message.strip_prefix("function ")?.split('(').next()?;
                let name = name.rsplit('.').next()?.split(' ').next()?.to_uppercase();
                only(all().filter(|at| words.upper(*at) == name && call(*at)))
            }
        },
        SqlState::InvalidTextRepresentation
        | SqlState::InvalidDatetimeFormat
        | SqlState::DatetimeFieldOverflow => {
            let text = message.split_once(": \"")?.1.strip_suffix('"')?;
            only(all().filter(
                |at| matches!(words.token(*at), Some(Token::SingleQuotedString(t)) if t == text),
            ))
        }
        SqlState::UndefinedObject => {
            let name = message
                .strip_prefix("type \"")?
                .strip_suffix("\" does not exist")?;
            only(all().filter(|at| words.upper(*at) == name.to_uppercase()))
        }
        SqlState::UndefinedParameter | SqlState::IndeterminateDatatype => {
            let name = message.rsplit(' ').next()?;
            only(
                all().filter(
                    |at| matches!(words.token(*at), Some(Token::Placeholder(p)) if p == name),
                ),
            )
        }
        SqlState::DatatypeMismatch => {
            let clause = message.strip_prefix("argument of ")?;
            let clause = clause.split(' ').next()?;
            let behind = match clause {
                "WHERE" | "HAVING" | "NOT" => clause,
                "CASE/WHEN" => "WHEN",
                "JOIN/ON" => "ON",
                _ => return None,
            };
            only(all().filter(|at| words.upper(*at) == behind)).map(|at| at + 1)
        }
        SqlState::GroupingError => {
            let aggregates =
                || all().filter(|at| AGGREGATES.contains(&words.upper(*at).as_str()) && call(*at));
            if message.contains("cannot be nested") {
                let mut both = aggregates();
                let (outer, inner) = (both.next()?, both.next()?);
                return (both.next().is_none() && inner == outer + 2).then_some(inner);
            }
            let clause = message.strip_prefix("aggregate functions are not allowed in ")?;
            let clause = only(all().filter(|at| words.upper(*at) == clause))?;
            only(aggregates().filter(|at| *at > clause))
        }
        SqlState::SyntaxError if message.contains("query must have the same number of columns") => {
            let name = message.strip_prefix("each ")?.split(' ').next()?;
            let at = only(all().filter(|at| words.upper(*at) == name))?;
            let select = at + 1 + usize::from(words.upper(at + 1) == "ALL");
            (words.upper(select) == "SELECT").then_some(select + 1)
        }
        _ => None,
    }
}

fn is_operator(part: &&str) -> bool {
    part.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c)) && !part.is_empty()
}

fn is_written(words: &Words, at: usize, operator: &str) -> bool {
    let token = words.token(at).map(ToString::to_string);
    token.is_some_and(|token| token == operator || (operator == "<>" && token == "!="))
}

/// The one that there is.
fn only(mut found: impl Iterator<Item = usize>) -> Option<usize> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}
