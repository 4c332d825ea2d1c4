//! The grammar of our own statements, over the tokens of `sqlparser`.

use datafusion::sql::sqlparser::tokenizer::Token;
use inflowave_types::{Error, Result, Secret, SqlState};

use super::{Behavior, Object, Opt, Statement};
use crate::catalog::{OWN, view};
use crate::words::Words;

/// Bytes of a name, at most, as in PostgreSQL.
const NAME_BYTES_MAX: usize = 63;
/// Bytes of a comment, at most.
const COMMENT_BYTES_MAX: usize = 64 << 10;

/// Is it one of ours? Others have their own way to be refused.
pub(crate) fn begins(words: &Words) -> bool {
    let second = words.upper(1);
    match words.upper(0).as_str() {
        "CREATE" if second == "OR" => words.upper(2) == "REPLACE" && words.upper(3) == "VIEW",
        "CREATE" | "DROP" => matches!(second.as_str(), "CATALOG" | "VIEW"),
        "ALTER" | "REFRESH" => second == "CATALOG",
        "COMMENT" => second == "ON",
        _ => false,
    }
}

/// # Errors
/// `42601` with position; `42622` for a name that is too long.
pub(crate) fn parse(words: &Words, depth_max: usize) -> Result<Statement> {
    let mut at = At { words, at: 0 };
    let statement = match words.upper(0).as_str() {
        "CREATE" if words.upper(1) == "CATALOG" => at.create_catalog()?,
        // To the end: a query has no end of its own.
        "CREATE" => return at.create_view(depth_max),
        "ALTER" => at.alter_catalog()?,
        "DROP" => at.drop()?,
        "REFRESH" => {
            at.at = 2;
            Statement::RefreshCatalog { name: at.name()? }
        }
        _ => at.comment()?,
    };
    words.end(at.at)?;
    Ok(statement)
}

/// A place in the tokens.
struct At<'a> {
    words: &'a Words<'a>,
    at: usize,
}

impl At<'_> {
    fn create_catalog(&mut self) -> Result<Statement> {
        self.at = 2;
        let if_not_exists = self.taken(&["IF", "NOT", "EXISTS"]);
        let name = self.new_name()?;
        self.expect("USING")?;
        let connector = self.name()?;
        let options = if self.taken(&["WITH"]) {
            self.options()?
        } else {
            Vec::new()
        };
        Ok(Statement::CreateCatalog {
            name,
            if_not_exists,
            connector,
            options,
        })
    }

    fn alter_catalog(&mut self) -> Result<Statement> {
        self.at = 2;
        let name = self.name()?;
        if self.taken(&["RENAME", "TO"]) {
            let to = self.new_name()?;
            return Ok(Statement::RenameCatalog { name, to });
        }
        if !self.taken(&["SET"]) {
            let error = self.words.unexpected(self.at);
            return Err(error.with_hint(
                "The forms are ALTER CATALOG name SET (key = 'value', ..) and ALTER CATALOG name RENAME TO new.",
            ));
        }
        let options = self.options()?;
        Ok(Statement::AlterCatalog { name, options })
    }

    fn drop(&mut self) -> Result<Statement> {
        let catalog = self.words.upper(1) == "CATALOG";
        self.at = 2;
        let if_exists = self.taken(&["IF", "EXISTS"]);
        let (name, of_database) = match catalog {
            true => (self.name()?, false),
            false => self.view()?,
        };
        let behavior = if self.taken(&["CASCADE"]) {
            Behavior::Cascade
        } else {
            self.taken(&["RESTRICT"]);
            Behavior::Restrict
        };
        Ok(if catalog {
            Statement::DropCatalog {
                name,
                if_exists,
                behavior,
            }
        } else {
            Statement::DropView {
                name,
                of_database,
                if_exists,
                behavior,
            }
        })
    }

    fn create_view(&mut self, depth_max: usize) -> Result<Statement> {
        self.at = 1;
        let or_replace = self.taken(&["OR", "REPLACE"]);
        self.expect("VIEW")?;
        let before = self.at;
        let if_not_exists = self.taken(&["IF", "NOT", "EXISTS"]);
        if or_replace && if_not_exists {
            return Err(self.words.unexpected(before));
        }
        let start = self.at;
        let (name, of_database) = self.view()?;
        self.short(&name, start)?;
        let mut columns = Vec::new();
        if self.punctuation(&Token::LParen) {
            loop {
                columns.push(self.new_name()?);
                if !self.punctuation(&Token::Comma) {
                    break;
                }
            }
            if !self.punctuation(&Token::RParen) {
                return Err(self.words.unexpected(self.at));
            }
        }
        self.expect("AS")?;
        let (query, text) = self.words.query_from(self.at, depth_max)?;
        Ok(Statement::CreateView {
            name,
            of_database,
            or_replace,
            if_not_exists,
            columns,
            query,
            text,
        })
    }

    fn comment(&mut self) -> Result<Statement> {
        let object = match self.words.upper(2).as_str() {
            "CATALOG" => Object::Catalog,
            "TABLE" => Object::Table,
            "VIEW" => Object::View,
            "COLUMN" => Object::Column,
            _ => {
                let error = self.words.unexpected(2);
                return Err(
                    error.with_hint("A comment is on a CATALOG, a TABLE, a VIEW or a COLUMN.")
                );
            }
        };
        let (path, next) = self.words.path_from(3)?;
        let parts = match object {
            Object::Catalog => 1..=1,
            Object::Table | Object::View => 1..=3,
            Object::Column => 2..=4,
        };
        if !parts.contains(&path.len()) {
            return Err(self.words.error_at(3, "wrong number of names").with_hint(
                "The forms are CATALOG catalog, TABLE or VIEW [[catalog.]schema.]name, COLUMN [[catalog.]schema.]name.column.",
            ));
        }
        self.at = next;
        self.expect("IS")?;
        let text = match self.words.token(self.at) {
            Some(Token::SingleQuotedString(text)) => Some(text.clone()),
            _ if self.words.upper(self.at) == "NULL" => None,
            _ => return Err(self.words.unexpected(self.at)),
        };
        if text.as_ref().is_some_and(|t| t.len() > COMMENT_BYTES_MAX) {
            return Err(Error::new(
                SqlState::ProgramLimitExceeded,
                format!("a comment is longer than the limit of {COMMENT_BYTES_MAX} bytes"),
            ));
        }
        self.at += 1;
        Ok(Statement::Comment { object, path, text })
    }

    /// `(key = 'value', ..)`.
    fn options(&mut self) -> Result<Vec<Opt>> {
        let mut options: Vec<Opt> = Vec::new();
        if !self.punctuation(&Token::LParen) {
            return Err(self.words.unexpected(self.at));
        }
        loop {
            let place = self.at;
            let key = self.name()?;
            if options.iter().any(|o| o.key == key) {
                let message = format!("parameter \"{key}\" is given twice");
                return Err(self.words.error_at(place, &message));
            }
            if !self.punctuation(&Token::Eq) {
                let error = self.words.unexpected(self.at);
                return Err(error.with_hint("Write each parameter as key = 'value'."));
            }
            let value = match self.words.token(self.at) {
                Some(Token::SingleQuotedString(text)) => text.clone(),
                Some(Token::Number(number, _)) => number.clone(),
                _ => match self.words.upper(self.at).as_str() {
                    "TRUE" => "true".to_owned(),
                    "FALSE" => "false".to_owned(),
                    _ => {
                        let error = self.words.unexpected(self.at);
                        return Err(error.with_hint(
                            "A value is a text in single quotes, a whole number, true or false.",
                        ));
                    }
                },
            };
            self.at += 1;
            options.push(Opt {
                key,
                value: Secret::new(value),
                position: self.words.position(place),
            });
            if !self.punctuation(&Token::Comma) {
                break;
            }
        }
        if !self.punctuation(&Token::RParen) {
            return Err(self.words.unexpected(self.at));
        }
        Ok(options)
    }

    /// `[[inflowave.]public.]name`, and whether it is said to be in the session's database.
    fn view(&mut self) -> Result<(String, bool)> {
        let (path, next) = self.words.path_from(self.at)?;
        let error = |hint: &str| {
            self.words
                .error_at(self.at, "views are kept in the schema inflowave.public")
                .with_hint(hint.to_owned())
        };
        let name = match path.as_slice() {
            [name] => name,
            [schema, name] if schema == view::SCHEMA => name,
            [catalog, schema, name] if catalog == OWN && schema == view::SCHEMA => name,
            _ => {
                return Err(error(
                    "Write the view's name alone, or as inflowave.public.name.",
                ));
            }
        };
        let name = name.clone();
        self.at = next;
        Ok((name, path.len() == 2))
    }

    fn name(&mut self) -> Result<String> {
        let name = self.words.identifier(self.at)?;
        self.at += 1;
        Ok(name)
    }

    /// A name that will be kept.
    fn new_name(&mut self) -> Result<String> {
        let start = self.at;
        let name = self.name()?;
        self.short(&name, start)?;
        Ok(name)
    }

    fn short(&self, name: &str, at: usize) -> Result<()> {
        if name.is_empty() {
            return Err(self.words.error_at(at, "zero-length delimited identifier"));
        }
        if name.len() <= NAME_BYTES_MAX {
            return Ok(());
        }
        let error = Error::new(
            SqlState::NameTooLong,
            format!("name \"{name}\" is longer than {NAME_BYTES_MAX} bytes"),
        );
        Err(match self.words.position(at) {
            Some(position) => error.with_position(position),
            None => error,
        })
    }

    /// Passes these words if they all stand here.
    fn taken(&mut self, wanted: &[&str]) -> bool {
        let here = |(n, word): (usize, &&str)| self.words.upper(self.at + n) == *word;
        let there = wanted.iter().enumerate().all(here);
        if there {
            self.at += wanted.len();
        }
        there
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        if self.taken(&[word]) {
            return Ok(());
        }
        let error = self.words.unexpected(self.at);
        Err(error.with_hint(format!("Here stands the word {word}.")))
    }

    fn punctuation(&mut self, token: &Token) -> bool {
        let there = self.words.token(self.at) == Some(token);
        if there {
            self.at += 1;
        }
        there
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
