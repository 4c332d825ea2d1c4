//! The tokens of a statement, and where they stand in its text.

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};
use inflowave_types::{Error, Result, SqlState};

use crate::ddl;
use crate::depth::too_deep;
use crate::search_path;
use crate::statement::query;

pub(crate) fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>> {
    Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize_with_location()
        .map_err(|e| syntax(&e.message).with_position(Lines::of(sql).chars(e.location)))
}

pub(crate) fn blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_) | Token::EOF)
}

/// The tokens of a statement, blanks left out.
pub struct Words<'a> {
    pub tokens: &'a [TokenWithSpan],
    pub sql: &'a str,
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

    /// The query of the tokens from `at` up to `end`.
    pub fn query_in(&self, at: usize, end: usize, depth_max: usize) -> Result<Box<ast::Statement>> {
        if at >= end {
            return Err(self.unexpected(end));
        }
        query(self.tokens[at..end].to_vec(), self.sql, depth_max)
    }

    /// Where a token stands, in characters from 1.
    pub fn position(&self, at: usize) -> Option<u32> {
        let token = self.tokens.get(at)?;
        Some(Lines::of(self.sql).chars(token.span.start))
    }

    pub fn is_comma(&self, at: usize) -> bool {
        self.token(at) == Some(&Token::Comma)
    }

    pub fn is_minus(&self, at: usize) -> bool {
        self.token(at) == Some(&Token::Minus)
    }

    /// An opening parenthesis.
    pub fn is_open(&self, at: usize) -> bool {
        self.token(at) == Some(&Token::LParen)
    }

    pub fn is_close(&self, at: usize) -> bool {
        self.token(at) == Some(&Token::RParen)
    }

    /// A text in quotes.
    ///
    /// # Errors
    /// `42601`.
    pub fn text(&self, at: usize) -> Result<String> {
        match self.token(at) {
            Some(
                Token::SingleQuotedString(text)
                | Token::EscapedStringLiteral(text)
                | Token::UnicodeStringLiteral(text),
            ) => Ok(text.clone()),
            Some(Token::DollarQuotedString(text)) => Ok(text.value.clone()),
            _ => Err(self.unexpected(at)),
        }
    }

    /// A whole number without a sign.
    ///
    /// # Errors
    /// `42601`.
    pub fn number(&self, at: usize) -> Result<i64> {
        match self.token(at) {
            Some(Token::Number(text, _)) => text.parse().map_err(|_| self.unexpected(at)),
            _ => Err(self.unexpected(at)),
        }
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

    /// The value of `SET` as text; `None` for `DEFAULT`. The items of a list of names are written as
    /// names.
    pub fn value_from(&self, at: usize, names: bool) -> Result<Option<String>> {
        if self.upper(at) == "DEFAULT" || self.upper(at) == "LOCAL" {
            self.end(at + 1)?;
            return Ok(None);
        }
        if names {
            return self.names_from(at).map(Some);
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

    fn names_from(&self, at: usize) -> Result<String> {
        let mut names = Vec::new();
        for index in at..self.tokens.len() {
            let item = (index - at).is_multiple_of(2);
            names.push(match &self.tokens[index].token {
                Token::Comma if !item => continue,
                Token::SingleQuotedString(s) if item => s.clone(),
                Token::Word(_) if item => self.identifier(index)?,
                _ => return Err(self.unexpected(index)),
            });
        }
        if (self.tokens.len().saturating_sub(at)).is_multiple_of(2) {
            return Err(self.unexpected(self.tokens.len()));
        }
        Ok(search_path::written(&names))
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
            ) if ddl::begins(self) || matches!(self.upper(0).as_str(), "CREATE" | "ALTER") => {
                self.error_at(at, "syntax error at or near a text")
            }
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

/// Where the name of a relation begins, its schema and catalog with it, in characters from 1: behind
/// `FROM`, `JOIN`, a comma or the like.
pub(crate) fn relation_position(sql: &str, table: &str) -> Option<u32> {
    let tokens = tokenize(sql).ok()?;
    let tokens: Vec<TokenWithSpan> = tokens.into_iter().filter(|t| !blank(t)).collect();
    let words = Words {
        tokens: &tokens,
        sql,
    };
    let names = (0..tokens.len()).filter_map(|at| {
        if words.identifier(at).ok().as_deref() != Some(table) {
            return None;
        }
        let mut first = at;
        while first >= 2 && words.token(first - 1) == Some(&Token::Period) {
            first -= 2;
        }
        Some((first.checked_sub(1)?, first))
    });
    let names: Vec<(usize, usize)> = names.collect();
    let introduced = |(before, _): &&(usize, usize)| {
        matches!(
            words.upper(*before).as_str(),
            "FROM" | "JOIN" | "TABLE" | "ONLY" | "COPY"
        )
    };
    let from = (0..tokens.len()).find(|at| words.upper(*at) == "FROM");
    let listed = |(before, _): &&(usize, usize)| {
        from.is_some_and(|from| from < *before)
            && (words.is_comma(*before) || words.is_open(*before))
    };
    // A column can have the relation's name.
    let found = names.iter().find(introduced);
    let (_, first) = found.or_else(|| names.iter().find(listed))?;
    words.position(*first)
}

pub(crate) fn syntax(message: &str) -> Error {
    Error::new(SqlState::SyntaxError, message)
}

pub(crate) fn parse_error(error: ParserError, sql: &str) -> Error {
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
pub(crate) struct Lines<'a> {
    pub sql: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn of(sql: &'a str) -> Self {
        let breaks = sql.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(i, _)| i + 1));
        Lines {
            sql,
            starts: starts.collect(),
        }
    }

    /// Bytes from 0; beyond the text is its end.
    pub fn bytes(&self, location: Location) -> usize {
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
    pub fn chars(&self, location: Location) -> u32 {
        let before = self.sql[..self.bytes(location)].chars().count();
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}
