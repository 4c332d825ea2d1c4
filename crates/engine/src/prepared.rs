//! Prepared statements of a session: by SQL and by the messages of protocols, under shared names.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use inflowave_query_api::NamedStatement;
use inflowave_types::{Error, Result, SqlState};

use crate::copy;
use crate::words::{self, Words};

/// Prepared statements that a session keeps, the unnamed one among them.
const STATEMENTS_MAX: usize = 5_000;
/// What they take, in bytes: names and texts, and [`FIELD_BYTES`] for each parameter and column.
const BYTES_MAX: usize = 64 << 20;
/// What a parameter or a column takes, generously.
const FIELD_BYTES: usize = 256;

/// `PREPARE name [(type, ..)] AS query`
#[derive(Debug, Clone)]
pub(crate) struct Prepare {
    pub name: String,
    pub types: Vec<ast::DataType>,
    pub query: Box<ast::Statement>,
    /// The query's own text.
    pub sql: String,
}

impl Prepare {
    /// # Errors
    /// `42601` with position.
    pub fn parse(words: &Words, depth_max: usize) -> Result<Prepare> {
        let name = words.identifier(1)?;
        let mut at = 2;
        let mut types = Vec::new();
        if words.token(at) == Some(&Token::LParen) {
            let Some(end) = (at..words.tokens.len()).find(|i| words.upper(*i) == "AS") else {
                return Err(words.unexpected(words.tokens.len()));
            };
            let Some(listed) = words.tokens.get(at + 1..end - 1) else {
                return Err(words.unexpected(end));
            };
            let mut parser = Parser::new(&PostgreSqlDialect {})
                .with_recursion_limit(depth_max)
                .with_tokens_with_locations(listed.to_vec());
            types = parser
                .parse_comma_separated(Parser::parse_data_type)
                .map_err(|e| words::parse_error(e, words.sql))?;
            if parser.peek_token().token != Token::EOF
                || words.token(end - 1) != Some(&Token::RParen)
            {
                return Err(words.unexpected(end - 1));
            }
            at = end;
        }
        if words.upper(at) != "AS" {
            return Err(words.unexpected(at));
        }
        let (query, sql) = words.query_from(at + 1, depth_max)?;
        Ok(Prepare {
            name,
            types,
            query,
            sql,
        })
    }
}

/// `EXECUTE name [(value, ..)]`
#[derive(Debug, Clone)]
pub(crate) struct Execute {
    pub name: String,
    pub arguments: Vec<ast::Expr>,
}

impl Execute {
    /// # Errors
    /// `42601` with position.
    pub fn parse(words: &Words, depth_max: usize) -> Result<Execute> {
        let name = words.identifier(1)?;
        let arguments = match words.token(2) {
            None => Vec::new(),
            Some(Token::LParen) => copy::expressions(words, 2, depth_max)?,
            Some(_) => return Err(words.unexpected(2)),
        };
        Ok(Execute { name, arguments })
    }
}

/// A prepared statement, as `pg_prepared_statements` shows it.
#[derive(Debug, Clone)]
pub struct PreparedInfo {
    pub name: String,
    pub statement: String,
    pub prepared: SystemTime,
    pub parameters: Vec<arrow::datatypes::FieldRef>,
    pub from_sql: bool,
}

/// By name; the empty one is the unnamed one.
#[derive(Default)]
pub(crate) struct PreparedStatements {
    statements: HashMap<String, Arc<NamedStatement>>,
    bytes: usize,
}

impl PreparedStatements {
    pub fn get(&self, name: &str) -> Option<&Arc<NamedStatement>> {
        self.statements.get(name)
    }

    /// # Errors
    /// `26000`.
    pub fn named(&self, name: &str) -> Result<&Arc<NamedStatement>> {
        self.get(name).ok_or_else(|| unknown(name))
    }

    /// # Errors
    /// `42P05`, `53400`.
    pub fn keep(&mut self, name: &str, statement: NamedStatement) -> Result<()> {
        if name.is_empty() {
            self.forget(name);
        }
        if self.statements.contains_key(name) {
            return Err(Error::new(
                SqlState::DuplicatePreparedStatement,
                format!("prepared statement \"{name}\" already exists"),
            ));
        }
        if self.statements.len() >= STATEMENTS_MAX {
            return Err(beyond(format!(
                "a session can keep at most {STATEMENTS_MAX} prepared statements"
            )));
        }
        let bytes = self.bytes + taken(name, &statement);
        if bytes > BYTES_MAX {
            return Err(beyond(format!(
                "the prepared statements of a session can take at most {BYTES_MAX} bytes"
            )));
        }
        self.bytes = bytes;
        self.statements.insert(name.to_owned(), Arc::new(statement));
        Ok(())
    }

    pub fn forget(&mut self, name: &str) {
        if let Some(statement) = self.statements.remove(name) {
            self.bytes -= taken(name, &statement);
        }
    }

    /// What SQL ends: one, or all that have a name.
    ///
    /// # Errors
    /// `26000`.
    pub fn deallocate(&mut self, name: Option<&str>) -> Result<()> {
        if let Some(name) = name {
            self.named(name)?;
            self.forget(name);
            return Ok(());
        }
        self.statements.retain(|name, _| name.is_empty());
        let kept = self.statements.iter();
        self.bytes = kept.map(|(name, s)| taken(name, s)).sum();
        Ok(())
    }

    /// Those with a name, sorted by it.
    pub fn infos(&self) -> Vec<PreparedInfo> {
        let named = self.statements.iter().filter(|(name, _)| !name.is_empty());
        let mut infos: Vec<PreparedInfo> = named
            .map(|(name, s)| PreparedInfo {
                name: name.clone(),
                statement: s.text.clone(),
                prepared: s.prepared,
                parameters: s.description.parameters.clone(),
                from_sql: s.from_sql,
            })
            .collect();
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        infos
    }
}

fn taken(name: &str, statement: &NamedStatement) -> usize {
    let columns = statement.description.schema.as_ref();
    let columns = columns.map_or(0, |s| s.fields().len());
    let fields = statement.description.parameters.len() + columns;
    name.len() + statement.text.len() + fields * FIELD_BYTES
}

fn unknown(name: &str) -> Error {
    Error::new(
        SqlState::InvalidSqlStatementName,
        format!("prepared statement \"{name}\" does not exist"),
    )
}

fn beyond(message: String) -> Error {
    Error::new(SqlState::ConfigurationLimitExceeded, message)
        .with_hint("Close the prepared statements that are not used any more.")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};
    use inflowave_query_api::Description;

    use super::*;

    fn statement(text: &str) -> NamedStatement {
        let field = Arc::new(Field::new("a", DataType::Int32, true));
        NamedStatement {
            statement: None,
            description: Description {
                parameters: vec![Arc::clone(&field)],
                schema: Some(Arc::new(Schema::new(vec![field]))),
            },
            from_sql: true,
            text: text.to_owned(),
            prepared: SystemTime::UNIX_EPOCH,
            attached: None,
        }
    }

    fn code(kept: Result<()>) -> &'static str {
        kept.unwrap_err().sqlstate().code()
    }

    #[test]
    fn names_are_taken_once_and_room_is_given_back() {
        let mut all = PreparedStatements::default();
        all.keep("a", statement("x")).unwrap();
        assert_eq!(code(all.keep("a", statement("x"))), "42P05");
        all.keep("", statement("x")).unwrap();
        all.keep("", statement("y")).unwrap();
        assert_eq!(all.get("").unwrap().text, "y");
        assert_eq!(all.bytes, 2 + 1 + 4 * FIELD_BYTES);
        let large = "x".repeat(BYTES_MAX - 3 * FIELD_BYTES);
        assert_eq!(code(all.keep("large", statement(&large))), "53400");
        assert_eq!(code(all.deallocate(Some("b"))), "26000");
        all.deallocate(None).unwrap();
        assert_eq!(all.bytes, 1 + 2 * FIELD_BYTES);
        for n in 1..STATEMENTS_MAX {
            all.keep(&n.to_string(), statement("")).unwrap();
        }
        assert_eq!(code(all.keep("more", statement(""))), "53400");
    }
}
