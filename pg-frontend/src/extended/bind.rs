//! `Bind`: a prepared statement and the values of its parameters become a portal.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use inflowave_query_api::{Parameters, TransactionStatus};
use inflowave_types::{Error, Result, SqlState};
use tokio::io::{AsyncRead, AsyncWrite};

use super::portal::{BoundPortal, State};
use super::statement::PreparedStatement;
use super::{aborted, name};
use crate::body::Body;
use crate::connection::{Connection, race};
use crate::decode;
use crate::format::{Columns, Format};
use crate::limits::Limits;
use crate::message;
use crate::run::Failure;

struct Bind<'a> {
    portal: &'a str,
    statement: &'a str,
    /// Codes of formats, as the client sent them.
    formats: Vec<i16>,
    /// `None` for NULL.
    values: Vec<Option<&'a [u8]>>,
    results: Vec<i16>,
    /// The length of the message.
    bytes: usize,
}

impl<'a> Bind<'a> {
    fn read(mut body: Body<'a>, limits: &Limits) -> Result<Self> {
        let bind = Bind {
            bytes: body.len(),
            portal: name(&mut body, limits)?,
            statement: body.string()?,
            formats: body.list(Body::i16)?,
            values: body.list(|body| match body.i32()? {
                -1 => Ok(None),
                // A negative length is longer than any message.
                len => body.bytes(len.cast_unsigned() as usize).map(Some),
            })?,
            results: body.list(Body::i16)?,
        };
        body.end()?;
        Ok(bind)
    }
}

impl<R, W> Connection<'_, R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    pub async fn bind(&mut self, body: Body<'_>) -> Result<(), Failure> {
        let bind = Bind::read(body, self.reader.limits())?;
        let prepared = self.prepared(bind.statement)?;
        let formats = formats(&bind, &prepared)?;
        let failed = self.session.transaction_status() == TransactionStatus::Failed;
        if failed && (prepared.statement.is_none() || !bind.values.is_empty()) {
            // The end of a transaction takes no parameters; what else cannot run, the engine says.
            return Err(aborted().into());
        }
        self.make_room(&bind)?;
        let portal = match &prepared.statement {
            None => BoundPortal {
                columns: None,
                offset: 0,
                bytes: bind.bytes,
                state: State::Empty,
            },
            Some(statement) => {
                let values = values(&bind, &prepared, &formats)?;
                let prepare = self.session.prepare(statement, values);
                let planned = race(self.reader, &self.shutdown, prepare).await?;
                let planned =
                    planned.map_err(|error| Failure::Statement(error, statement.offset))?;
                let columns = match &planned.schema {
                    Some(schema) if planned.binary => Some(Columns::binary(schema.clone())?),
                    Some(schema) => Some(Columns::with_formats(schema.clone(), &bind.results)?),
                    None => None,
                };
                unchanged(&prepared, columns.as_ref())?;
                BoundPortal {
                    columns: columns.map(Arc::new),
                    offset: prepared.offset(),
                    bytes: bind.bytes,
                    state: State::Bound(planned),
                }
            }
        };
        self.extended.portals.insert(bind.portal.to_owned(), portal);
        message::bind_complete(&mut self.writer.buf);
        Ok(())
    }

    /// The unnamed portal gives way, a named one does not.
    fn make_room(&mut self, bind: &Bind<'_>) -> Result<()> {
        let (name, portals) = (bind.portal, &mut self.extended.portals);
        if name.is_empty() {
            portals.remove(name);
        }
        if portals.contains_key(name) {
            return Err(Error::new(
                SqlState::DuplicateCursor,
                format!("cursor \"{name}\" already exists"),
            ));
        }
        let limits = self.reader.limits();
        let beyond = |message| {
            Error::new(SqlState::ConfigurationLimitExceeded, message)
                .with_hint("Close portals that are not used any more.")
        };
        if portals.len() >= limits.portals_max {
            return Err(beyond(format!(
                "a connection can have at most {} portals at once",
                limits.portals_max
            )));
        }
        let held: usize = portals.values().map(|portal| portal.bytes).sum();
        if held + bind.bytes > limits.portal_bytes_max {
            return Err(beyond(format!(
                "the values of the portals of a connection can take at most {} bytes",
                limits.portal_bytes_max
            )));
        }
        Ok(())
    }
}

/// The format of each value.
fn formats(bind: &Bind<'_>, prepared: &PreparedStatement) -> Result<Vec<Format>> {
    let (supplied, required) = (bind.values.len(), prepared.parameters.len());
    let Some(formats) = Format::spread(&bind.formats, supplied)? else {
        return Err(Error::new(
            SqlState::ProtocolViolation,
            format!(
                "bind message has {} parameter formats but {supplied} parameters",
                bind.formats.len()
            ),
        ));
    };
    if supplied != required {
        return Err(Error::new(
            SqlState::ProtocolViolation,
            format!(
                "bind message supplies {supplied} parameters, but prepared statement \"{}\" \
                 requires {required}",
                bind.statement
            ),
        ));
    }
    Ok(formats)
}

fn values(
    bind: &Bind<'_>,
    prepared: &PreparedStatement,
    formats: &[Format],
) -> Result<Option<Parameters>> {
    if bind.values.is_empty() {
        return Ok(None);
    }
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    let sent = bind.values.iter().zip(formats);
    for (number, (parameter, (bytes, format))) in (1..).zip(prepared.parameters.iter().zip(sent)) {
        let declared = &parameter.field;
        let column = decode::parameter(number, parameter.oid, declared, *format, *bytes)?;
        let field = declared.as_ref().clone().with_nullable(true);
        fields.push(field.with_data_type(column.data_type().clone()));
        columns.push(column);
    }
    let values = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|e| Error::internal(format!("the values of parameters make no row: {e}")))?;
    let declared = prepared.parameters.iter().map(|p| Arc::clone(&p.field));
    Ok(Some(Parameters {
        declared: declared.collect(),
        values,
    }))
}

/// Tables may have changed since the client was told of the columns.
fn unchanged(prepared: &PreparedStatement, now: Option<&Columns>) -> Result<()> {
    let same = match (&prepared.columns, now) {
        (Some(before), Some(now)) => before.same_as(now),
        (None, None) => true,
        _ => false,
    };
    if same {
        return Ok(());
    }
    Err(
        Error::unsupported("cached plan must not change result type")
            .with_hint("Prepare the statement again."),
    )
}
