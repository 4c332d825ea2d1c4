//! From text to a statement that may run: an allow-list.
//!
//! What is DataFusion's own and not PostgreSQL's (`COPY .. TO 'path'`, `CREATE EXTERNAL TABLE`,
//! `SET datafusion.*`) never gets past this module.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use inflowave_query_api::Statement;
use inflowave_types::{Error, Result, SqlState};

use crate::copy::Copy;
use crate::cursor::{Declare, Fetch};
use crate::ddl;
use crate::depth::{depth, too_deep};
use crate::extension::{Command, Extension};
use crate::prepared::{Execute, Prepare};
use crate::show::Show;
use crate::spelling;
use crate::transaction;
use crate::words::{Lines, Words, blank, parse_error, syntax, tokenize};

/// A statement of the allow-list.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Query(Box<ast::Statement>),
    Explain(Explain, Box<ast::Statement>),
    Show(Show),
    Set {
        name: String,
        value: Option<String>,
        scope: Scope,
    },
    Reset(String),
    ResetAll,
    Transaction(transaction::Command),
    /// Changes what the server itself keeps.
    Ddl(Arc<ddl::Statement>),
    /// Of an extension.
    Command(Arc<dyn Command>),
    /// `DEALLOCATE` of the prepared statement of this name, or of all.
    Deallocate(Option<String>),
    Discard(Discard),
    Prepare(Box<Prepare>),
    Execute(Execute),
    Declare(Box<Declare>),
    Fetch(Fetch),
    /// The cursor of this name, or all.
    Close(Option<String>),
    Copy(Box<Copy>),
    /// `LOCK TABLE`: the tables, as they are written.
    Lock(Vec<Vec<String>>),
    /// `LISTEN` and `UNLISTEN`, with the tag: nobody notifies here.
    Listen(&'static str),
}

/// How long a `SET` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Session,
    /// To the end of the transaction.
    Local,
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
pub(crate) fn split(
    sql: &str,
    bounds: Bounds,
    extensions: &[Arc<dyn Extension>],
) -> Result<Vec<Statement>> {
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
        let kind = parse(text, bounds.depth_max, extensions).map_err(|e| moved(e, offset))?;
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

/// Tokens of a statement that is parsed on the stack that is there.
const TOKENS_OF_SHORT: usize = 300;
/// Bytes of stack for longer ones: a statement within the limits of [`depth`] can be a tree of as many
/// levels.
const PARSER_STACK_BYTES: usize = 16 << 20;

fn parse(sql: &str, depth_max: usize, extensions: &[Arc<dyn Extension>]) -> Result<Kind> {
    let all = tokenize(sql)?;
    let tokens: Vec<TokenWithSpan> = all.into_iter().filter(|t| !blank(t)).collect();
    // The parser tries one form after another and can mistake its own limit for a syntax error.
    if depth(&tokens) > depth_max {
        return Err(too_deep());
    }
    match tokens.len() > TOKENS_OF_SHORT {
        true => stacker::grow(PARSER_STACK_BYTES, || {
            parse_tokens(sql, &tokens, depth_max, extensions)
        }),
        false => parse_tokens(sql, &tokens, depth_max, extensions),
    }
}

fn parse_tokens(
    sql: &str,
    tokens: &[TokenWithSpan],
    depth_max: usize,
    extensions: &[Arc<dyn Extension>],
) -> Result<Kind> {
    let words = Words { tokens, sql };
    if let Some(command) = transaction::Command::parse(&words) {
        return command.map(Kind::Transaction);
    }
    if let Some(command) = extensions.iter().find_map(|e| e.statement(&words)) {
        return command.map(Kind::Command);
    }
    match words.upper(0).as_str() {
        "SHOW" => Show::parse(&words).map(Kind::Show),
        "SET" => set(&words),
        "RESET" => reset(&words),
        "PREPARE" => {
            let parsed = Prepare::parse(&words, depth_max)?;
            Ok(Kind::Prepare(Box::new(parsed)))
        }
        "EXECUTE" => Execute::parse(&words, depth_max).map(Kind::Execute),
        "DECLARE" => {
            let parsed = Declare::parse(&words, depth_max)?;
            Ok(Kind::Declare(Box::new(parsed)))
        }
        "FETCH" | "MOVE" => Fetch::parse(&words).map(Kind::Fetch),
        "CLOSE" => one_or_all(&words, 1).map(Kind::Close),
        "COPY" => {
            let parsed = Copy::parse(&words, depth_max)?;
            Ok(Kind::Copy(Box::new(parsed)))
        }
        "LOCK" => lock(&words),
        "LISTEN" => {
            words.identifier(1)?;
            words.end(2)?;
            Ok(Kind::Listen("LISTEN"))
        }
        "UNLISTEN" => {
            if words.token(1) != Some(&Token::Mul) {
                words.identifier(1)?;
            }
            words.end(2)?;
            Ok(Kind::Listen("UNLISTEN"))
        }
        "DISCARD" => discard(&words),
        "DEALLOCATE" => deallocate(&words),
        "EXPLAIN" => explain(&words, depth_max),
        _ if ddl::begins(&words) => {
            let parsed = ddl::parse(&words, depth_max)?;
            Ok(Kind::Ddl(Arc::new(parsed)))
        }
        "TABLE" => query(whole_table(tokens), sql, depth_max).map(Kind::Query),
        _ => query(tokens.to_vec(), sql, depth_max).map(Kind::Query),
    }
}

/// `TABLE name ..` is `SELECT * FROM name ..`.
fn whole_table(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let word = |text| TokenWithSpan::wrap(Token::make_keyword(text));
    let mut whole = vec![
        word("SELECT"),
        TokenWithSpan::wrap(Token::Mul),
        word("FROM"),
    ];
    whole.extend_from_slice(&tokens[1..]);
    whole
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
    one_or_all(words, at).map(Kind::Deallocate)
}

/// A name to the end, or `ALL`.
fn one_or_all(words: &Words, at: usize) -> Result<Option<String>> {
    let (name, end) = match words.upper(at).as_str() {
        "ALL" => (None, at + 1),
        _ => {
            let (name, end) = words.name_from(at)?;
            (Some(name), end)
        }
    };
    words.end(end)?;
    Ok(name)
}

fn reset(words: &Words) -> Result<Kind> {
    match (words.upper(1).as_str(), words.upper(2).as_str()) {
        ("ALL", _) => {
            words.end(2)?;
            Ok(Kind::ResetAll)
        }
        ("SESSION", "AUTHORIZATION") => {
            words.end(3)?;
            Ok(Kind::Reset("session_authorization".to_owned()))
        }
        ("TIME", "ZONE") => {
            words.end(3)?;
            Ok(Kind::Reset("TimeZone".to_owned()))
        }
        ("TRANSACTION", "ISOLATION") if words.upper(3) == "LEVEL" => {
            words.end(4)?;
            Ok(Kind::Reset("transaction_isolation".to_owned()))
        }
        _ => {
            let (name, end) = words.name_from(1)?;
            words.end(end)?;
            Ok(Kind::Reset(name))
        }
    }
}

/// `LOCK [TABLE] [ONLY] table, .. [IN mode MODE] [NOWAIT]`. Sources are read only, so that what readers
/// take is all that there is.
fn lock(words: &Words) -> Result<Kind> {
    let mut at = 1 + usize::from(words.upper(1) == "TABLE");
    let mut tables = Vec::new();
    loop {
        at += usize::from(words.upper(at) == "ONLY");
        let (path, next) = words.path_from(at)?;
        tables.push(path);
        at = next;
        if !words.is_comma(at) {
            break;
        }
        at += 1;
    }
    let mut mode = "ACCESS EXCLUSIVE".to_owned();
    if words.upper(at) == "IN" {
        let end = (at..words.tokens.len()).find(|i| words.upper(*i) == "MODE");
        let Some(end) = end else {
            return Err(words.unexpected(words.tokens.len()));
        };
        let named: Vec<String> = (at + 1..end).map(|i| words.upper(i)).collect();
        mode = named.join(" ");
        at = end + 1;
    }
    at += usize::from(words.upper(at) == "NOWAIT");
    words.end(at)?;
    match mode.as_str() {
        "ACCESS SHARE" | "ROW SHARE" => Ok(Kind::Lock(tables)),
        "ROW EXCLUSIVE"
        | "SHARE UPDATE EXCLUSIVE"
        | "SHARE"
        | "SHARE ROW EXCLUSIVE"
        | "EXCLUSIVE"
        | "ACCESS EXCLUSIVE" => Err(Error::new(
            SqlState::ReadOnlySqlTransaction,
            format!("cannot execute LOCK TABLE IN {mode} MODE in a read-only transaction"),
        )
        .with_hint("Sources are read only: what can be taken is ACCESS SHARE and ROW SHARE.")),
        _ => Err(words.error_at(at, &format!("unrecognized lock mode \"{mode}\""))),
    }
}

pub(crate) fn query(
    tokens: Vec<TokenWithSpan>,
    sql: &str,
    depth_max: usize,
) -> Result<Box<ast::Statement>> {
    let mut parser = Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(depth_max)
        .with_tokens_with_locations(spelling::for_parser(tokens));
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
                "What runs is SELECT, VALUES, TABLE, EXPLAIN, COPY .. TO STDOUT, PREPARE, EXECUTE, \
                 DEALLOCATE, DECLARE, FETCH, MOVE, CLOSE, SHOW, SET, RESET, BEGIN, COMMIT, \
                 ROLLBACK, SAVEPOINT, RELEASE, LOCK, LISTEN, UNLISTEN and DISCARD; CREATE, ALTER, \
                 DROP and REFRESH of CATALOG, CREATE and DROP of VIEW, and COMMENT ON.",
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
    let mut scope = Scope::Session;
    match words.upper(at).as_str() {
        "SESSION" if words.upper(at + 1) != "AUTHORIZATION" => at += 1,
        "LOCAL" => {
            scope = Scope::Local;
            at += 1;
        }
        _ => {}
    }
    let named = |name: &str, value| {
        Ok(Kind::Set {
            name: name.to_owned(),
            value,
            scope,
        })
    };
    match (words.upper(at).as_str(), words.upper(at + 1).as_str()) {
        ("TIME", "ZONE") => {
            return named("TimeZone", words.value_from(at + 2, false)?);
        }
        ("NAMES", _) => {
            let value = match words.token(at + 1) {
                None => None,
                Some(_) => words.value_from(at + 1, false)?,
            };
            return named("client_encoding", value);
        }
        ("SCHEMA", _) if words.token(at + 1) != Some(&Token::Eq) => {
            return named("search_path", words.value_from(at + 1, true)?);
        }
        ("ROLE", _) if words.token(at + 1) != Some(&Token::Eq) => {
            return named("role", words.value_from(at + 1, false)?);
        }
        ("SESSION", "AUTHORIZATION") => {
            return named("session_authorization", words.value_from(at + 2, false)?);
        }
        ("XML", "OPTION") => {
            return named("xmloption", words.value_from(at + 2, false)?);
        }
        _ => {}
    }
    let (name, next) = words.name_from(at)?;
    let names = name.eq_ignore_ascii_case("search_path");
    match (words.token(next), words.upper(next).as_str()) {
        (Some(Token::Eq), _) | (_, "TO") => named(&name, words.value_from(next + 1, names)?),
        _ => Err(words.unexpected(next)),
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
        let error = split(sql, BOUNDS, &[]).map(|_| ()).unwrap_err();
        (error.sqlstate().code(), error.position())
    }

    #[test]
    fn splits_at_semicolons_outside_quotes() {
        let parts = split("select ';' ; -- x;\n\n select 2 /* ; */;;", BOUNDS, &[]).unwrap();
        let texts: Vec<_> = parts.iter().map(|s| (s.sql.as_str(), s.offset)).collect();
        assert_eq!(texts, [("select ';'", 0), ("select 2", 21)]);
        assert!(split(" ; ;", BOUNDS, &[]).unwrap().is_empty());
    }

    #[test]
    fn what_may_not_run_says_so() {
        assert_eq!(code("insert into t values (1)").0, "25006");
        assert_eq!(code("create table t (a int)").0, "25006");
        assert_eq!(code("drop table t").0, "25006");
        assert_eq!(code("select 1 into t").0, "25006");
        assert_eq!(code("select * from t for update").0, "25006");
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
            &[],
        )
        .unwrap();
        assert!(matches!(
            kind(&parts[0]).unwrap(),
            Kind::Explain(Explain::Federation { json: true }, _)
        ));
        assert!(matches!(
            kind(&parts[1]).unwrap(),
            Kind::Set { name, value: Some(v), .. } if name == "TimeZone" && v == "UTC"
        ));
        assert!(matches!(
            kind(&parts[2]).unwrap(),
            Kind::Set { name, value: None, .. } if name == "a.b"
        ));
        assert_eq!(code("explain (federaton) select 1").0, "42601");
    }
}
