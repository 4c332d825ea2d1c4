//! The grammar of `COPY .. TO STDOUT`, in its three generations.

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use inflowave_query_api::{CopyFormat, CsvForm, TextForm};
use inflowave_types::{Error, Result, SqlState};

use crate::words::Words;

/// A query whose rows go out as data.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub query: Box<ast::Statement>,
    pub options: Options,
}

/// What a statement says of the form of its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    format: Option<Format>,
    delimiter: Option<String>,
    null: Option<String>,
    header: Option<bool>,
    quote: Option<String>,
    escape: Option<String>,
    force_quote: Option<Forced>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Csv,
    Binary,
}

/// Columns whose values are always quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Forced {
    All,
    Named(Vec<String>),
}

impl Copy {
    /// # Errors
    /// `42601` with position, `22023` and `0A000` for options; `25006` for `FROM`, `42501` for a
    /// file or a program of the server.
    pub fn parse(words: &Words, depth_max: usize) -> Result<Copy> {
        let mut at = 1;
        let mut options = Options::default();
        if words.upper(at) == "BINARY" {
            options.format = Some(Format::Binary);
            at += 1;
        }
        let (query, next) = source(words, at, depth_max)?;
        at = next;
        if words.upper(at) == "FROM" {
            return Err(Error::new(
                SqlState::ReadOnlySqlTransaction,
                "cannot execute COPY FROM in a read-only transaction",
            )
            .with_hint("Sources are read only: write to them with their own clients."));
        }
        if words.upper(at) != "TO" {
            return Err(words.unexpected(at));
        }
        at += 1;
        if words.upper(at) != "STDOUT" {
            let to = if words.upper(at) == "PROGRAM" {
                "to or from an external program"
            } else if matches!(words.token(at), Some(Token::SingleQuotedString(_))) {
                "to a file"
            } else {
                return Err(words.unexpected(at));
            };
            return Err(Error::new(
                SqlState::InsufficientPrivilege,
                format!("permission denied to COPY {to}"),
            )
            .with_hint("COPY .. TO STDOUT sends to the client; psql's \\copy writes there."));
        }
        at += 1;
        if words.upper(at) == "DELIMITERS" || words.upper(at) == "USING" {
            at += usize::from(words.upper(at) == "USING");
            options.delimiter = Some(text(words, at + 1)?);
            at += 2;
        }
        if words.upper(at) == "WITH" {
            at += 1;
        }
        at = match words.token(at) {
            Some(Token::LParen) => options.generic(words, at + 1)?,
            _ => options.legacy(words, at)?,
        };
        words.end(at)?;
        Ok(Copy { query, options })
    }
}

/// The query in parentheses, or the table and its columns; and the index behind it.
fn source(words: &Words, at: usize, depth_max: usize) -> Result<(Box<ast::Statement>, usize)> {
    if words.token(at) == Some(&Token::LParen) {
        let end = closing(words, at)?;
        let query = words.query_in(at + 1, end, depth_max)?;
        return Ok((query, end + 1));
    }
    let (_, mut next) = words.path_from(at)?;
    let table = &words.tokens[at..next];
    let columns: &[TokenWithSpan] = match words.token(next) {
        Some(Token::LParen) => {
            let end = closing(words, next)?;
            let columns = &words.tokens[next + 1..end];
            next = end + 1;
            columns
        }
        _ => &[],
    };
    // The tokens keep their places, so that errors have positions.
    let mut tokens = vec![word("SELECT")];
    match columns {
        [] => tokens.push(TokenWithSpan::wrap(Token::Mul)),
        columns => tokens.extend_from_slice(columns),
    }
    tokens.push(word("FROM"));
    tokens.extend_from_slice(table);
    let query = crate::statement::query(tokens, words.sql, depth_max)?;
    Ok((query, next))
}

fn word(text: &str) -> TokenWithSpan {
    TokenWithSpan::wrap(Token::make_keyword(text))
}

/// The parenthesis that closes the one at `at`.
fn closing(words: &Words, at: usize) -> Result<usize> {
    let mut depth = 0_usize;
    for (i, token) in words.tokens.iter().enumerate().skip(at) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth -= 1;
                if depth == 0 {
                    return Ok(i);
                }
            }
            _ => {}
        }
    }
    Err(words.unexpected(words.tokens.len()))
}

fn text(words: &Words, at: usize) -> Result<String> {
    match words.token(at) {
        Some(Token::SingleQuotedString(s) | Token::EscapedStringLiteral(s)) => Ok(s.clone()),
        _ => Err(words.unexpected(at)),
    }
}

impl Options {
    /// `(FORMAT csv, HEADER, ..)` from its first option; the index behind the parenthesis.
    fn generic(&mut self, words: &Words, mut at: usize) -> Result<usize> {
        loop {
            let name = words.identifier(at)?;
            let option = at;
            at += 1;
            match name.as_str() {
                "format" => {
                    let format = words.identifier(at).or_else(|_| text(words, at))?;
                    let format = match format.as_str() {
                        "text" => Format::Text,
                        "csv" => Format::Csv,
                        "binary" => Format::Binary,
                        other => {
                            return Err(Error::new(
                                SqlState::InvalidParameterValue,
                                format!("COPY format \"{other}\" not recognized"),
                            )
                            .with_hint("The formats are text, csv and binary."));
                        }
                    };
                    once(&mut self.format, format, words, option)?;
                    at += 1;
                }
                "delimiter" => {
                    once(&mut self.delimiter, text(words, at)?, words, option)?;
                    at += 1;
                }
                "null" => {
                    once(&mut self.null, text(words, at)?, words, option)?;
                    at += 1;
                }
                "quote" => {
                    once(&mut self.quote, text(words, at)?, words, option)?;
                    at += 1;
                }
                "escape" => {
                    once(&mut self.escape, text(words, at)?, words, option)?;
                    at += 1;
                }
                "header" => {
                    let (on, next) = boolean(words, at)?;
                    once(&mut self.header, on, words, option)?;
                    at = next;
                }
                "force_quote" => {
                    let (forced, next) = forced(words, at)?;
                    once(&mut self.force_quote, forced, words, option)?;
                    at = next;
                }
                "encoding" => {
                    let encoding = text(words, at)?;
                    let plain = encoding.to_lowercase().replace(['-', '_'], "");
                    if !matches!(plain.as_str(), "utf8" | "unicode" | "sqlascii") {
                        return Err(Error::unsupported(format!(
                            "COPY in encoding \"{encoding}\" is not supported"
                        ))
                        .with_hint("Only UTF8 is spoken."));
                    }
                    at += 1;
                }
                "freeze" | "force_null" | "force_not_null" => {
                    return Err(Error::unsupported(format!(
                        "COPY {} only available using COPY FROM",
                        name.to_uppercase()
                    )));
                }
                _ => {
                    return Err(
                        words.error_at(option, &format!("option \"{name}\" not recognized"))
                    );
                }
            }
            match words.token(at) {
                Some(Token::Comma) => at += 1,
                Some(Token::RParen) => return Ok(at + 1),
                _ => return Err(words.unexpected(at)),
            }
        }
    }

    /// `CSV HEADER DELIMITER AS ','` and its like to the end.
    fn legacy(&mut self, words: &Words, mut at: usize) -> Result<usize> {
        while words.token(at).is_some() {
            let option = at;
            at += 1;
            let value = |at: usize| at + usize::from(words.upper(at) == "AS");
            match words.upper(option).as_str() {
                "BINARY" => once(&mut self.format, Format::Binary, words, option)?,
                "CSV" => once(&mut self.format, Format::Csv, words, option)?,
                "HEADER" => once(&mut self.header, true, words, option)?,
                "DELIMITER" => {
                    once(&mut self.delimiter, text(words, value(at))?, words, option)?;
                    at = value(at) + 1;
                }
                "NULL" => {
                    once(&mut self.null, text(words, value(at))?, words, option)?;
                    at = value(at) + 1;
                }
                "QUOTE" => {
                    once(&mut self.quote, text(words, value(at))?, words, option)?;
                    at = value(at) + 1;
                }
                "ESCAPE" => {
                    once(&mut self.escape, text(words, value(at))?, words, option)?;
                    at = value(at) + 1;
                }
                "FORCE" if words.upper(at) == "QUOTE" => {
                    let (forced, next) = forced(words, at + 1)?;
                    once(&mut self.force_quote, forced, words, option)?;
                    at = next;
                }
                _ => return Err(words.unexpected(option)),
            }
        }
        Ok(at)
    }

    /// The form of rows with these columns.
    ///
    /// # Errors
    /// `0A000`, `22023` and `42601` as PostgreSQL's, for options that do not go together; `42703`.
    pub fn form(&self, columns: &[String]) -> Result<CopyFormat> {
        let format = self.format.unwrap_or(Format::Text);
        let csv = format == Format::Csv;
        if format == Format::Binary {
            for (given, name) in [
                (self.delimiter.is_some(), "DELIMITER"),
                (self.null.is_some(), "NULL"),
            ] {
                if given {
                    return Err(wrong(format!("cannot specify {name} in BINARY mode")));
                }
            }
            if self.header == Some(true) {
                return Err(Error::unsupported("cannot specify HEADER in BINARY mode"));
            }
        }
        for (given, name) in [
            (self.quote.is_some(), "quote"),
            (self.escape.is_some(), "escape"),
            (self.force_quote.is_some(), "force quote"),
        ] {
            if given && !csv {
                return Err(Error::unsupported(format!(
                    "COPY {name} available only in CSV mode"
                )));
            }
        }
        if format == Format::Binary {
            return Ok(CopyFormat::Binary);
        }
        let default = if csv { b',' } else { b'\t' };
        let delimiter = one_byte(self.delimiter.as_deref(), "delimiter", default)?;
        let null = match &self.null {
            Some(null) => null.clone(),
            None if csv => String::new(),
            None => "\\N".to_owned(),
        };
        if matches!(delimiter, b'\r' | b'\n') {
            return Err(invalid(
                "COPY delimiter cannot be newline or carriage return",
            ));
        }
        if null.contains(['\r', '\n']) {
            return Err(invalid(
                "COPY null representation cannot use newline or carriage return",
            ));
        }
        if !csv && b"\\.abcdefghijklmnopqrstuvwxyz0123456789".contains(&delimiter) {
            return Err(invalid(&format!(
                "COPY delimiter cannot be \"{}\"",
                char::from(delimiter)
            )));
        }
        if null.as_bytes().contains(&delimiter) {
            return Err(Error::unsupported(
                "COPY delimiter must not appear in the NULL specification",
            ));
        }
        let header = self.header.unwrap_or(false);
        if !csv {
            return Ok(CopyFormat::Text(TextForm {
                delimiter,
                null,
                header,
            }));
        }
        let quote = one_byte(self.quote.as_deref(), "quote", b'"')?;
        let escape = one_byte(self.escape.as_deref(), "escape", quote)?;
        if delimiter == quote {
            return Err(invalid("COPY delimiter and quote must be different"));
        }
        if null.as_bytes().contains(&quote) {
            return Err(Error::unsupported(
                "CSV quote character must not appear in the NULL specification",
            ));
        }
        Ok(CopyFormat::Csv(CsvForm {
            delimiter,
            null,
            header,
            quote,
            escape,
            force_quote: self.forced(columns)?,
        }))
    }

    fn forced(&self, columns: &[String]) -> Result<Vec<bool>> {
        let Some(forced) = &self.force_quote else {
            return Ok(vec![false; columns.len()]);
        };
        let Forced::Named(names) = forced else {
            return Ok(vec![true; columns.len()]);
        };
        if let Some(unknown) = names.iter().find(|n| !columns.contains(n)) {
            return Err(Error::new(
                SqlState::UndefinedColumn,
                format!("column \"{unknown}\" does not exist"),
            )
            .with_hint(crate::suggest::hint("column", unknown, columns)));
        }
        Ok(columns.iter().map(|c| names.contains(c)).collect())
    }
}

fn once<T>(slot: &mut Option<T>, value: T, words: &Words, at: usize) -> Result<()> {
    if slot.is_some() {
        return Err(words.error_at(at, "conflicting or redundant options"));
    }
    *slot = Some(value);
    Ok(())
}

/// `*` or names in parentheses, or without them where nothing else follows; the index behind.
fn forced(words: &Words, at: usize) -> Result<(Forced, usize)> {
    if words.token(at) == Some(&Token::Mul) {
        return Ok((Forced::All, at + 1));
    }
    let listed = words.token(at) == Some(&Token::LParen);
    let mut at = at + usize::from(listed);
    let mut names = Vec::new();
    loop {
        names.push(words.identifier(at)?);
        at += 1;
        if words.is_comma(at) {
            at += 1;
            continue;
        }
        if listed {
            if words.token(at) != Some(&Token::RParen) {
                return Err(words.unexpected(at));
            }
            at += 1;
        }
        return Ok((Forced::Named(names), at));
    }
}

/// A Boolean, or none, which is true.
fn boolean(words: &Words, at: usize) -> Result<(bool, usize)> {
    let written = match words.token(at) {
        None | Some(Token::Comma | Token::RParen) => return Ok((true, at)),
        Some(Token::Word(w)) => w.value.clone(),
        Some(Token::SingleQuotedString(s) | Token::Number(s, _)) => s.clone(),
        Some(_) => return Err(words.unexpected(at)),
    };
    match written.to_lowercase().as_str() {
        "true" | "on" | "1" => Ok((true, at + 1)),
        "false" | "off" | "0" => Ok((false, at + 1)),
        "match" => Err(Error::unsupported(
            "cannot use \"match\" with HEADER in COPY TO",
        )),
        _ => Err(words.error_at(at, "header requires a Boolean value or \"match\"")),
    }
}

fn one_byte(given: Option<&str>, what: &str, default: u8) -> Result<u8> {
    match given.map(str::as_bytes) {
        None => Ok(default),
        Some([one]) => Ok(*one),
        Some(_) => Err(Error::unsupported(format!(
            "COPY {what} must be a single one-byte character"
        ))),
    }
}

fn wrong(message: String) -> Error {
    Error::new(SqlState::SyntaxError, message)
}

fn invalid(message: &str) -> Error {
    Error::new(SqlState::InvalidParameterValue, message)
}

/// Expressions with commas between them, in parentheses from `at`, to the end.
///
/// # Errors
/// `42601` with position.
pub(crate) fn expressions(words: &Words, at: usize, depth_max: usize) -> Result<Vec<ast::Expr>> {
    let end = closing(words, at)?;
    words.end(end + 1)?;
    if end == at + 1 {
        return Err(words.unexpected(end));
    }
    let mut parser = Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(depth_max)
        .with_tokens_with_locations(words.tokens[at + 1..end].to_vec());
    let parsed = parser
        .parse_comma_separated(Parser::parse_expr)
        .map_err(|e| crate::words::parse_error(e, words.sql))?;
    if parser.peek_token().token != Token::EOF {
        return Err(words.unexpected(end));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::{self, Bounds, Kind};

    fn form(sql: &str) -> Result<CopyFormat> {
        let bounds = Bounds {
            bytes_max: 1 << 20,
            depth_max: 100,
        };
        let parsed = statement::split(sql, bounds, &[])?;
        match statement::kind(&parsed[0])? {
            Kind::Copy(copy) => copy.options.form(&["a".to_owned(), "b".to_owned()]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn three_generations_of_options() {
        let csv = |delimiter, header, force_quote: [bool; 2]| {
            CopyFormat::Csv(CsvForm {
                delimiter,
                null: String::new(),
                header,
                quote: b'"',
                escape: b'"',
                force_quote: force_quote.to_vec(),
            })
        };
        for (sql, expected) in [
            (
                "copy t to stdout (format csv)",
                csv(b',', false, [false; 2]),
            ),
            (
                "copy t to stdout with (format 'csv', header, delimiter ';')",
                csv(b';', true, [false; 2]),
            ),
            (
                "copy t (a, b) to stdout with csv header",
                csv(b',', true, [false; 2]),
            ),
            (
                "copy (select 1) to stdout csv delimiter as '|' force quote b",
                csv(b'|', false, [false, true]),
            ),
            (
                "copy t to stdout (format csv, force_quote *)",
                csv(b',', false, [true; 2]),
            ),
            ("copy binary t to stdout", CopyFormat::Binary),
            ("copy t to stdout with binary", CopyFormat::Binary),
            (
                "copy t to stdout using delimiters '|' with null as 'x'",
                CopyFormat::Text(TextForm {
                    delimiter: b'|',
                    null: "x".to_owned(),
                    header: false,
                }),
            ),
        ] {
            assert_eq!(form(sql), Ok(expected), "{sql}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_said() {
        for (sql, code) in [
            ("copy t to stdout (format csv, format text)", "42601"),
            ("copy t to stdout (format xml)", "22023"),
            ("copy t to stdout (formt csv)", "42601"),
            ("copy t to stdout (quote '\"')", "0A000"),
            ("copy t to stdout (format binary, delimiter ',')", "42601"),
            ("copy t to stdout (delimiter 'ab')", "0A000"),
            ("copy t to stdout (delimiter 'a')", "22023"),
            ("copy t to stdout (format csv, delimiter '\"')", "22023"),
            ("copy t to stdout (format csv, force_quote (c))", "42703"),
            ("copy t to stdout (format csv, header match)", "0A000"),
            ("copy t from stdin", "25006"),
            ("copy t to '/tmp/x'", "42501"),
            ("copy t to program 'cat'", "42501"),
            ("copy t", "42601"),
            ("copy (select 1 to stdout", "42601"),
        ] {
            assert_eq!(form(sql).unwrap_err().sqlstate().code(), code, "{sql}");
        }
    }
}
