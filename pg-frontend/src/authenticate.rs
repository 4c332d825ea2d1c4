//! A client proves who it is, as the authenticator asks it to.

use inflowave_query_api::{Attempt, Authenticator, Exchange, Method};
use inflowave_types::{Error, SqlState};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::body::Body;
use crate::connection::Ended;
use crate::message;
use crate::read::Reader;
use crate::write::Writer;

/// Returns once the client has proved it.
pub async fn authenticate<R, W>(
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
    authenticator: &dyn Authenticator,
    attempt: &Attempt,
) -> Result<(), Ended>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    match authenticator.method(attempt) {
        Method::Trust => Ok(()),
        Method::Reject(error) => Err(Ended::Fatal(error)),
        Method::Password(check) => {
            message::ask_password(&mut writer.buf);
            writer.flush().await?;
            let message = reader.password().await?;
            let mut body = Body::new(&message);
            let password = body.string().map_err(Ended::Fatal)?;
            body.end().map_err(Ended::Fatal)?;
            check.check(password).map_err(Ended::Fatal)
        }
        Method::Sasl(mut exchange) => sasl(reader, writer, exchange.as_mut()).await,
    }
}

async fn sasl<R, W>(
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
    exchange: &mut dyn Exchange,
) -> Result<(), Ended>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    message::ask_sasl(&mut writer.buf, &exchange.mechanisms());
    writer.flush().await?;
    let message = reader.password().await?;
    let mut body = Body::new(&message);
    let mechanism = body.string().map_err(Ended::Fatal)?;
    let data = match body.i32().map_err(Ended::Fatal)? {
        // A client may leave its first message for the next turn; SCRAM's does not.
        len if len < 0 => {
            return Err(Ended::Fatal(Error::new(
                SqlState::ProtocolViolation,
                "malformed SCRAM message",
            )));
        }
        len => body
            .bytes(usize::try_from(len).unwrap_or(usize::MAX))
            .map_err(Ended::Fatal)?,
    };
    body.end().map_err(Ended::Fatal)?;
    let answer = exchange.first(mechanism, data).map_err(Ended::Fatal)?;
    message::sasl_continue(&mut writer.buf, answer);
    writer.flush().await?;
    let message = reader.password().await?;
    let answer = exchange.last(&message).map_err(Ended::Fatal)?;
    message::sasl_final(&mut writer.buf, answer);
    Ok(())
}
