//! `Parse`: a text with at most one statement becomes a prepared statement.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use inflowave_query_api::{Description, Statement};
use inflowave_types::{Error, Result, SqlState};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Extended, name};
use crate::body::Body;
use crate::connection::{Connection, race};
use crate::format::Columns;
use crate::limits::Limits;
use crate::message;
use crate::oid::{self, WireType};
use crate::run::Failure;

/// What a parameter or a column takes, generously, in bytes.
const FIELD_BYTES: usize = 256;

/// What `Parse` has found out.
pub struct PreparedStatement {
    /// `None` for an empty text.
    pub statement: Option<Statement>,
    pub parameters: Vec<Parameter>,
    /// `None` for a statement without rows.
    pub columns: Option<Arc<Columns>>,
    /// What it takes of the connection's limit.
    pub bytes: usize,
}

/// A parameter's type, as the client and as the engine knows it.
pub struct Parameter {
    pub oid: u32,
    pub field: FieldRef,
}

impl PreparedStatement {
    pub fn oids(&self) -> Vec<u32> {
        self.parameters.iter().map(|p| p.oid).collect()
    }

    /// Where it starts in the text that the client sent, in characters.
    pub fn offset(&self) -> u32 {
        self.statement.as_ref().map_or(0, |s| s.offset)
    }
}

impl<R, W> Connection<'_, R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    pub async fn parse(&mut self, mut body: Body<'_>) -> Result<(), Failure> {
        let name = name(&mut body, self.reader.limits())?;
        let sql = body.string()?;
        let oids = body.list(Body::u32)?;
        body.end()?;
        if name.is_empty() {
            // It is gone even if this one fails.
            self.extended.forget(name);
        }
        let mut statements = self.session.split(sql)?;
        if statements.len() > 1 {
            return Err(Error::new(
                SqlState::SyntaxError,
                "cannot insert multiple commands into a prepared statement",
            )
            .into());
        }
        let hints = (1..).zip(&oids).map(|(n, oid)| oid::parameter(*oid, n));
        let hints: Vec<Option<FieldRef>> = hints.collect::<Result<_>>()?;
        let statement = statements.pop();
        let described = match &statement {
            Some(statement) => {
                let describe = self.session.describe(statement, &hints);
                let described = race(self.reader, &self.shutdown, describe).await?;
                described.map_err(|error| Failure::Statement(error, statement.offset))?
            }
            None => Description {
                parameters: Vec::new(),
                schema: None,
            },
        };
        let columns = described.schema.map(Columns::text).transpose()?;
        let parameters = parameters(&described.parameters, &oids, &hints)?;
        let fields = parameters.len() + columns.as_ref().map_or(0, |c| c.types.len());
        let prepared = PreparedStatement {
            statement,
            parameters,
            columns: columns.map(Arc::new),
            bytes: name.len() + sql.len() + fields * FIELD_BYTES,
        };
        self.extended.store(name, prepared, self.reader.limits())?;
        message::parse_complete(&mut self.writer.buf);
        Ok(())
    }
}

impl Extended {
    /// The name is looked at last, as PostgreSQL does: another error of the statement comes first.
    fn store(&mut self, name: &str, prepared: PreparedStatement, limits: &Limits) -> Result<()> {
        if self.statements.contains_key(name) {
            return Err(Error::new(
                SqlState::DuplicatePreparedStatement,
                format!("prepared statement \"{name}\" already exists"),
            ));
        }
        if self.statements.len() >= limits.statements_max {
            return Err(beyond(format!(
                "a connection can keep at most {} prepared statements",
                limits.statements_max
            )));
        }
        let bytes = self.statement_bytes + prepared.bytes;
        if bytes > limits.statement_bytes_max {
            return Err(beyond(format!(
                "the prepared statements of a connection can take at most {} bytes",
                limits.statement_bytes_max
            )));
        }
        self.statement_bytes = bytes;
        self.statements.insert(name.to_owned(), Arc::new(prepared));
        Ok(())
    }
}

fn beyond(message: String) -> Error {
    Error::new(SqlState::ConfigurationLimitExceeded, message)
        .with_hint("Close the prepared statements that are not used any more.")
}

/// What the statement names, and what the client declared beyond; a declared type is told back as
/// it was declared.
fn parameters(
    described: &[FieldRef],
    oids: &[u32],
    hints: &[Option<FieldRef>],
) -> Result<Vec<Parameter>> {
    let count = described.len().max(hints.len());
    let parameters = (0..count).map(|i| {
        let hint = hints.get(i).and_then(Option::as_ref);
        let Some(field) = described.get(i).or(hint) else {
            return Err(Error::new(
                SqlState::IndeterminateDatatype,
                format!("could not determine data type of parameter ${}", i + 1),
            ));
        };
        let oid = match (hint, oids.get(i)) {
            (Some(_), Some(oid)) => *oid,
            _ => WireType::of(field)?.oid,
        };
        let field = Arc::clone(field);
        Ok(Parameter { oid, field })
    });
    parameters.collect()
}
