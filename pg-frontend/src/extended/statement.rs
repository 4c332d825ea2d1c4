//! `Parse`: a text with at most one statement becomes a prepared statement.

use std::sync::Arc;
use std::time::SystemTime;

use arrow::datatypes::FieldRef;
use inflowave_query_api::{Description, NamedStatement, Statement};
use inflowave_types::{Error, Result, SqlState};
use tokio::io::{AsyncRead, AsyncWrite};

use super::name;
use crate::body::Body;
use crate::connection::{Connection, race};
use crate::format::Columns;
use crate::message;
use crate::oid::{self, WireType};
use crate::run::Failure;

/// What `Parse` has found out.
pub struct PreparedStatement {
    /// `None` for an empty text.
    pub statement: Option<Statement>,
    pub parameters: Vec<Parameter>,
    /// `None` for a statement without rows.
    pub columns: Option<Arc<Columns>>,
}

/// A parameter's type, as the client and as the engine knows it.
pub struct Parameter {
    pub oid: u32,
    pub field: FieldRef,
}

impl PreparedStatement {
    /// One that SQL has prepared.
    pub fn of_named(named: &NamedStatement) -> Result<Self> {
        let Description { parameters, schema } = &named.description;
        let columns = schema.clone().map(Columns::text).transpose()?;
        let parameters = parameters.iter().map(|field| {
            Ok(Parameter {
                oid: WireType::of(field)?.oid,
                field: Arc::clone(field),
            })
        });
        Ok(PreparedStatement {
            statement: named.statement.clone(),
            parameters: parameters.collect::<Result<_>>()?,
            columns: columns.map(Arc::new),
        })
    }

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
            self.session.forget(name);
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
        let columns = described.schema.clone().map(Columns::text).transpose()?;
        let parameters = parameters(&described.parameters, &oids, &hints)?;
        let prepared = PreparedStatement {
            statement: statement.clone(),
            parameters,
            columns: columns.map(Arc::new),
        };
        let described = Description {
            parameters: prepared
                .parameters
                .iter()
                .map(|p| Arc::clone(&p.field))
                .collect(),
            ..described
        };
        // The name is looked at last, as PostgreSQL does: another error of the statement comes first.
        let named = NamedStatement {
            text: sql.to_owned(),
            statement,
            description: described,
            from_sql: false,
            prepared: SystemTime::now(),
            attached: Some(Arc::new(prepared)),
        };
        self.session.keep(name, named)?;
        message::parse_complete(&mut self.writer.buf);
        Ok(())
    }
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
