//! From text to a statement that may run: an allow-list.
//!
//! What is DataFusion's own and not PostgreSQL's (`COPY .. TO 'path'`, `CREATE EXTERNAL TABLE`,
//! `SET datafusion.*`) never gets past this module.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};
use inflowave_query_api::Statement;
use inflowave_types::{Error, Result, SqlState};

use crate::ddl;
use crate::depth::{depth, too_deep};
use crate::show::Show;
use crate::transaction;

/// A statement of the allow-list.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Query(Box<ast::Statement>),
    Explain(Explain, Box<ast::Statement>),
    Show(Show),
    Set {
        name: String,
        value: Option<String>,
    },
    ResetAll,
    Transaction(transaction::Command),
    /// Changes what the server itself keeps.
    Ddl(Arc<ddl::Statement>),
    /// `DEALLOCATE` of the prepared statement of this name, or of all.
    Deallocate(Option<String>),
    Discard(Discard),
}

/// What `DISCARD` drops. Sessions here have no plans, sequences or temporary tables of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discard {
    All,
    Plans,
    Sequences,
    Temporary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Explain {
    Plan,
    Analyze,
    Federation { json: bool },
}

/// How large and how deep a text may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub bytes_max: usize,
    pub depth_max: usize,
}

/// Splits a text at its semicolons and parses each statement.
///
/// # Errors
/// `42601` with position, `54000`, `54001`, `0A000` and `25006`. Nothing of the text runs if any
/// of it cannot be parsed, as in PostgreSQL.
pub(crate) fn split(sql: &str, bounds: Bounds) -> Result<Vec<Statement>> {
    if sql.len() > bounds.bytes_max {
        return Err(Error::new(
            SqlState::ProgramLimitExceeded,
            format!(
                "statement of {} bytes is longer than the limit of {} bytes",
                sql.len(),
                bounds.bytes_max
            ),
        )
        .with_hint("Raise limits.statement_bytes_max, or send less at once."));
    }
    let tokens = tokenize(sql)?;
    let lines = Lines::of(sql);
    let mut statements = Vec::new();
    for part in tokens.split(|t| t.token == Token::SemiColon) {
        let mut words = part.iter().filter(|t| !blank(t)).peekable();
        let Some(first) = words.peek() else { continue };
        let start = lines.bytes(first.span.start);
        let end = words.last().map_or(start, |t| lines.bytes(t.span.end));
        let text = sql[start..end.max(start)].trim_end();
        let offset = u32::try_from(sql[..start].chars().count()).unwrap_or(u32::MAX);
        let kind = parse(text, bounds.depth_max).map_err(|e| moved(e, offset))?;
        statements.push(Statement {
            sql: text.to_owned(),
            offset,
            parsed: Arc::new(kind),
        });
    }
    Ok(statements)
}

/// A text that could not be read, as others may see it: one that is no query may hold a secret in any
/// place, and only its first word is told.
pub(crate) fn unread(sql: &str) -> String {
    let text = sql.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let end = text.find(|c: char| !c.is_ascii_alphabetic());
    let word = &text[..end.unwrap_or(text.len())];
    let queries = ["SELECT", "WITH", "VALUES", "TABLE"];
    match queries.iter().any(|q| word.eq_ignore_ascii_case(q)) {
        true => sql.trim().to_owned(),
        false => format!("{word} .."),
    }
}

/// What [`split`] made of a statement.
///
/// # Errors
/// `XX000` for a statement of another engine.
pub(crate) fn kind(statement: &Statement) -> Result<&Kind> {
    statement
        .parsed
        .downcast_ref()
        .ok_or_else(|| Error::internal("a statement that this engine did not parse"))
}

fn moved(error: Error, offset: u32) -> Error {
    match error.position() {
        Some(position) => error.with_position(position + offset),
        None => error,
    }
}

fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>> {
    Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize_with_location()
        .map_err(|e| syntax(&e.message).with_position(Lines::of(sql).chars(e.location)))
}

fn blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_) | Token::EOF)
}

fn parse(sql: &str, depth_max: usize) -> Result<Kind> {
    let all = tokenize(sql)?;
    let tokens: Vec<TokenWithSpan> = all.into_iter().filter(|t| !blank(t)).collect();
    // The parser tries one form after another and can mistake its own limit for a syntax error.
    if depth(&tokens) > depth_max {
        return Err(too_deep());
    }
    let words = Words {
        tokens: &tokens,
        sql,
    };
    if let Some(command) = transaction::Command::parse(&words) {
        return command.map(Kind::Transaction);
    }
    match words.upper(0).as_str() {
        "SHOW" => Show::parse(&words).map(Kind::Show),
        "SET" => set(&words),
        "RESET" => match words.upper(1).as_str() {
            "ALL" => Ok(Kind::ResetAll),
            _ => Ok(Kind::Set {
                name: words.name_from(1)?.0,
                value: None,
            }),
        },
        "DISCARD" => discard(&words),
        "DEALLOCATE" => deallocate(&words),
        "EXPLAIN" => explain(&words, depth_max),
        _ if ddl::begins(&words) => {
            let parsed = ddl::parse(&words, depth_max)?;
            Ok(Kind::Ddl(Arc::new(parsed)))
        }
        _ => query(tokens.clone(), sql, depth_max).map(Kind::Query),
    }
}

fn discard(words: &Words) -> Result<Kind> {
    let what = match words.upper(1).as_str() {
        "ALL" => Discard::All,
        "PLANS" => Discard::Plans,
        "SEQUENCES" => Discard::Sequences,
        "TEMP" | "TEMPORARY" => Discard::Temporary,
        _ => return Err(words.unexpected(1)),
    };
    words.end(2)?;
    Ok(Kind::Discard(what))
}

fn deallocate(words: &Words) -> Result<Kind> {
    let at = if words.upper(1) == "PREPARE" { 2 } else { 1 };
    let (name, end) = match words.upper(at).as_str() {
        "ALL" => (None, at + 1),
        _ => {
            let (name, end) = words.name_from(at)?;
            (Some(name), end)
        }
    };
    words.end(end)?;
    Ok(Kind::Deallocate(name))
}

fn query(tokens: Vec<TokenWithSpan>, sql: &str, depth_max: usize) -> Result<Box<ast::Statement>> {
    let mut parser = Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(depth_max)
        .with_tokens_with_locations(tokens);
    let located = |e: ParserError| parse_error(e, sql);
    let statement = parser.parse_statement().map_err(located)?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let position = Lines::of(sql).chars(rest.span.start);
        return Err(
            syntax(&format!("syntax error at or near \"{}\"", rest.token)).with_position(position),
        );
    }
    allowed(&statement)?;
    Ok(Box::new(statement))
}

fn allowed(statement: &ast::Statement) -> Result<()> {
    use ast::Statement as S;
    let word = || {
        let text = statement.to_string();
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default().to_uppercase();
        match first.as_str() {
            "CREATE" | "ALTER" | "DROP" => format!("{first} {}", words.next().unwrap_or_default()),
            _ => first,
        }
    };
    match statement {
        S::Query(query) => readonly(query),
        S::Insert(_)
        | S::Update { .. }
        | S::Delete(_)
        | S::Merge { .. }
        | S::Truncate { .. }
        | S::CreateTable(_)
        | S::CreateIndex(_)
        | S::CreateSchema { .. }
        | S::CreateDatabase { .. }
        | S::AlterTable { .. }
        | S::Drop { .. } => Err(Error::new(
            SqlState::ReadOnlySqlTransaction,
            format!("cannot execute {} in a read-only transaction", word()),
        )
        .with_hint("Sources are read only: write to them with their own clients.")),
        _ => Err(
            Error::unsupported(format!("{} is not supported", word())).with_hint(
                "What runs is SELECT, VALUES, EXPLAIN, SHOW, SET, RESET, BEGIN, COMMIT, ROLLBACK, \
                 SAVEPOINT, RELEASE, \
                 DEALLOCATE and DISCARD; CREATE, ALTER, DROP and REFRESH of CATALOG, CREATE and \
                 DROP of VIEW, and COMMENT ON.",
            ),
        ),
    }
}

/// `SELECT .. INTO`, `FOR UPDATE` and data-changing CTEs are writes.
fn readonly(query: &ast::Query) -> Result<()> {
    if !query.locks.is_empty() {
        return Err(Error::new(
            SqlState::ReadOnlySqlTransaction,
            "cannot execute SELECT FOR UPDATE in a read-only transaction",
        ));
    }
    if let Some(with) = &query.with {
        for cte in &with.cte_tables {
            readonly(&cte.query)?;
        }
    }
    body_readonly(&query.body)
}

fn body_readonly(body: &ast::SetExpr) -> Result<()> {
    use ast::SetExpr as B;
    let mut body = body;
    loop {
        match body {
            B::Select(select) if select.into.is_some() => {
                return Err(Error::new(
                    SqlState::ReadOnlySqlTransaction,
                    "cannot execute SELECT INTO in a read-only transaction",
                ));
            }
            B::Select(_) | B::Values(_) | B::Table(_) => return Ok(()),
            B::Query(query) => return readonly(query),
            B::SetOperation { left, right, .. } => {
                body_readonly(right)?;
                body = left;
            }
            B::Insert(s) | B::Update(s) | B::Delete(s) | B::Merge(s) => return allowed(s),
        }
    }
}

fn explain(words: &Words, depth_max: usize) -> Result<Kind> {
    let (mut at, mut kind) = (1, Explain::Plan);
    if words.token(at) == Some(&Token::LParen) {
        at += 1;
        let (mut federation, mut json, mut analyze) = (false, false, false);
        loop {
            match words.upper(at).as_str() {
                "FEDERATION" => federation = true,
                "ANALYZE" => {
                    analyze = words.upper(at + 1) != "FALSE" && words.upper(at + 1) != "OFF"
                }
                "FORMAT" => {
                    at += 1;
                    match words.upper(at).as_str() {
                        "JSON" => json = true,
                        "TEXT" => json = false,
                        other => {
                            return Err(Error::new(
                                SqlState::InvalidParameterValue,
                                format!(
                                    "unrecognized value for EXPLAIN option \"format\": \"{other}\""
                                ),
                            )
                            .with_hint("The valid formats are: text, json."));
                        }
                    }
                }
                "VERBOSE" | "COSTS" | "TIMING" | "SUMMARY" | "BUFFERS" | "SETTINGS" => {}
                other => {
                    return Err(words
                        .error_at(
                            at,
                            &format!("unrecognized EXPLAIN option \"{}\"", other.to_lowercase()),
                        )
                        .with_hint(
                            "The valid options are: analyze, federation, format, verbose.",
                        ));
                }
            }
            at += 1;
            while matches!(words.upper(at).as_str(), "ON" | "OFF" | "TRUE" | "FALSE") {
                at += 1;
            }
            match words.token(at) {
                Some(Token::Comma) => at += 1,
                Some(Token::RParen) => break,
                _ => return Err(words.unexpected(at)),
            }
        }
        at += 1;
        kind = match (federation, analyze) {
            (true, _) => Explain::Federation { json },
            (false, true) => Explain::Analyze,
            _ => Explain::Plan,
        };
    } else {
        if words.upper(at) == "ANALYZE" {
            kind = Explain::Analyze;
            at += 1;
        }
        if words.upper(at) == "VERBOSE" {
            at += 1;
        }
    }
    let rest = words.tokens[at.min(words.tokens.len())..].to_vec();
    if rest.is_empty() {
        return Err(words.unexpected(at));
    }
    Ok(Kind::Explain(kind, query(rest, words.sql, depth_max)?))
}

fn set(words: &Words) -> Result<Kind> {
    let mut at = 1;
    if matches!(words.upper(at).as_str(), "SESSION" | "LOCAL") {
        at += 1;
    }
    if words.upper(at) == "TIME" && words.upper(at + 1) == "ZONE" {
        return Ok(Kind::Set {
            name: "TimeZone".to_owned(),
            value: words.value_from(at + 2)?,
        });
    }
    let (name, next) = words.name_from(at)?;
    match (words.token(next), words.upper(next).as_str()) {
        (Some(Token::Eq), _) | (_, "TO") => Ok(Kind::Set {
            name,
            value: words.value_from(next + 1)?,
        }),
        _ => Err(words.unexpected(next)),
    }
}

/// The tokens of a statement, blanks left out.
pub(crate) struct Words<'a> {
    tokens: &'a [TokenWithSpan],
    sql: &'a str,
}

impl Words<'_> {
    /// The query from `at` to the end, and its text.
    pub fn query_from(&self, at: usize, depth_max: usize) -> Result<(Box<ast::Statement>, String)> {
        let Some(first) = self.tokens.get(at) else {
            return Err(self.unexpected(at));
        };
        let text = &self.sql[Lines::of(self.sql).bytes(first.span.start)..];
        let parsed = query(self.tokens[at..].to_vec(), self.sql, depth_max)?;
        Ok((parsed, text.to_owned()))
    }

    /// Where a token stands, in characters from 1.
    pub fn position(&self, at: usize) -> Option<u32> {
        let token = self.tokens.get(at)?;
        Some(Lines::of(self.sql).chars(token.span.start))
    }

    pub fn is_comma(&self, at: usize) -> bool {
        self.token(at) == Some(&Token::Comma)
    }

    pub fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at).map(|t| &t.token)
    }

    /// An unquoted word in upper case, else the empty text.
    pub fn upper(&self, at: usize) -> String {
        match self.token(at) {
            Some(Token::Word(w)) if w.quote_style.is_none() => w.value.to_uppercase(),
            _ => String::new(),
        }
    }

    /// An identifier, folded to lower case unless quoted.
    pub fn identifier(&self, at: usize) -> Result<String> {
        match self.token(at) {
            Some(Token::Word(w)) if w.quote_style.is_none() => Ok(w.value.to_lowercase()),
            Some(Token::Word(w)) => Ok(w.value.clone()),
            _ => Err(self.unexpected(at)),
        }
    }

    /// `a.b.c` from `at`, and the index behind it.
    pub fn path_from(&self, at: usize) -> Result<(Vec<String>, usize)> {
        let mut path = vec![self.identifier(at)?];
        let mut next = at + 1;
        while self.token(next) == Some(&Token::Period) {
            path.push(self.identifier(next + 1)?);
            next += 2;
        }
        Ok((path, next))
    }

    pub fn name_from(&self, at: usize) -> Result<(String, usize)> {
        let (path, next) = self.path_from(at)?;
        Ok((path.join("."), next))
    }

    pub fn end(&self, at: usize) -> Result<()> {
        if at < self.tokens.len() {
            return Err(self.unexpected(at));
        }
        Ok(())
    }

    /// The value of `SET` as text; `None` for `DEFAULT`.
    fn value_from(&self, at: usize) -> Result<Option<String>> {
        if self.upper(at) == "DEFAULT" || self.upper(at) == "LOCAL" {
            return Ok(None);
        }
        let mut values = Vec::new();
        let mut sign = String::new();
        for index in at..self.tokens.len() {
            match &self.tokens[index].token {
                Token::Comma => {}
                Token::Minus => sign.push('-'),
                Token::Plus => sign.push('+'),
                Token::Number(n, _) => values.push(format!("{}{n}", std::mem::take(&mut sign))),
                Token::SingleQuotedString(s) => values.push(s.clone()),
                Token::Word(w) => values.push(w.value.clone()),
                _ => return Err(self.unexpected(index)),
            }
        }
        if values.is_empty() {
            return Err(self.unexpected(at));
        }
        Ok(Some(values.join(", ")))
    }

    pub fn unexpected(&self, at: usize) -> Error {
        match self.token(at) {
            None => syntax("syntax error at end of input")
                .with_position(u32::try_from(self.sql.chars().count() + 1).unwrap_or(u32::MAX)),
            // A text is not repeated: it may be a password that stands in a wrong place.
            Some(
                Token::SingleQuotedString(_)
                | Token::EscapedStringLiteral(_)
                | Token::DollarQuotedString(_),
            ) if ddl::begins(self) => self.error_at(at, "syntax error at or near a text"),
            Some(token) => self.error_at(at, &format!("syntax error at or near \"{token}\"")),
        }
    }

    pub fn error_at(&self, at: usize, message: &str) -> Error {
        let error = syntax(message);
        match self.tokens.get(at) {
            Some(t) => error.with_position(Lines::of(self.sql).chars(t.span.start)),
            None => error,
        }
    }
}

fn syntax(message: &str) -> Error {
    Error::new(SqlState::SyntaxError, message)
}

fn parse_error(error: ParserError, sql: &str) -> Error {
    match error {
        ParserError::RecursionLimitExceeded => too_deep(),
        ParserError::TokenizerError(message) => syntax(&message),
        ParserError::ParserError(message) => {
            let (text, location) = match message.rsplit_once(" at Line: ") {
                Some((text, place)) => (text.to_owned(), location(place)),
                None => (message, None),
            };
            let text = match text.rsplit_once("found: ") {
                Some((_, "EOF")) => "syntax error at end of input".to_owned(),
                Some((expected, found)) => format!(
                    "syntax error at or near \"{found}\": {}",
                    expected.trim_end_matches(", ").trim().to_lowercase()
                ),
                None => text,
            };
            let position = location.unwrap_or(Location {
                line: u64::MAX,
                column: 0,
            });
            syntax(&text).with_position(Lines::of(sql).chars(position))
        }
    }
}

/// `1, Column: 8`.
fn location(text: &str) -> Option<Location> {
    let (line, column) = text.split_once(", Column: ")?;
    Some(Location {
        line: line.trim().parse().ok()?,
        column: column.trim().parse().ok()?,
    })
}

/// Turns lines and columns into offsets.
struct Lines<'a> {
    sql: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(sql: &'a str) -> Self {
        let breaks = sql.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(i, _)| i + 1));
        Lines {
            sql,
            starts: starts.collect(),
        }
    }

    /// Bytes from 0; beyond the text is its end.
    fn bytes(&self, location: Location) -> usize {
        let line = usize::try_from(location.line).unwrap_or(usize::MAX);
        let Some(&start) = self.starts.get(line.wrapping_sub(1)) else {
            return self.sql.len();
        };
        let column = usize::try_from(location.column.saturating_sub(1)).unwrap_or(usize::MAX);
        self.sql[start..]
            .char_indices()
            .nth(column)
            .map_or(self.sql.len(), |(i, _)| start + i)
    }

    /// Characters from 1.
    fn chars(&self, location: Location) -> u32 {
        let before = self.sql[..self.bytes(location)].chars().count();
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        bytes_max: 1 << 20,
        depth_max: 100,
    };

    fn code(sql: &str) -> (&'static str, Option<u32>) {
        let error = split(sql, BOUNDS).map(|_| ()).unwrap_err();
        (error.sqlstate().code(), error.position())
    }

    #[test]
    fn splits_at_semicolons_outside_quotes() {
        let parts = split("select ';' ; -- x;\n\n select 2 /* ; */;;", BOUNDS).unwrap();
        let texts: Vec<_> = parts.iter().map(|s| (s.sql.as_str(), s.offset)).collect();
        assert_eq!(texts, [("select ';'", 0), ("select 2", 21)]);
        assert!(split(" ; ;", BOUNDS).unwrap().is_empty());
    }

    #[test]
    fn what_may_not_run_says_so() {
        assert_eq!(code("insert into t values (1)").0, "25006");
        assert_eq!(code("create table t (a int)").0, "25006");
        assert_eq!(code("drop table t").0, "25006");
        assert_eq!(code("select 1 into t").0, "25006");
        assert_eq!(code("select * from t for update").0, "25006");
        assert_eq!(code("copy t to '/tmp/x'").0, "0A000");
        assert_eq!(code("create materialized view v as select 1").0, "0A000");
        assert_eq!(
            code("create external table t (a int) stored as parquet location '/etc'").0,
            "25006"
        );
    }

    #[test]
    fn syntax_errors_have_a_position() {
        assert_eq!(code("select 1;\nselect 1 1"), ("42601", Some(20)));
        assert_eq!(code("select 'abc"), ("42601", Some(8)));
        assert_eq!(code("select 1 1"), ("42601", Some(10)));
        assert_eq!(code("set x"), ("42601", Some(6)));
    }

    #[test]
    fn too_deep_and_too_long_are_limits() {
        let deep = format!("select {}1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(code(&deep).0, "54001");
        let long = format!("select '{}'", "x".repeat(2 << 20));
        assert_eq!(code(&long).0, "54000");
    }

    #[test]
    fn explain_and_set_are_read() {
        let parts = split(
            "explain (federation, format json) select 1; set time zone 'UTC'; set a.b to default",
            BOUNDS,
        )
        .unwrap();
        assert!(matches!(
            kind(&parts[0]).unwrap(),
            Kind::Explain(Explain::Federation { json: true }, _)
        ));
        assert!(matches!(
            kind(&parts[1]).unwrap(),
            Kind::Set { name, value: Some(v) } if name == "TimeZone" && v == "UTC"
        ));
        assert!(matches!(
            kind(&parts[2]).unwrap(),
            Kind::Set { name, value: None } if name == "a.b"
        ));
        assert_eq!(code("explain (federaton) select 1").0, "42601");
    }
}
