//! Answers of the server, appended to a buffer: errors, descriptions, status.

use bytes::{Bytes, BytesMut};
use inflowave_query_api::{self as api, Notice, TransactionStatus};
use inflowave_types::Error;
use pgwire::messages::Message;
use pgwire::messages::copy::{CopyDone, CopyOutResponse};
use pgwire::messages::data::{FieldDescription, NoData, ParameterDescription, RowDescription};
use pgwire::messages::extendedquery::{
    BindComplete, CloseComplete, ParseComplete, PortalSuspended,
};
use pgwire::messages::response::{
    self, CommandComplete, ErrorResponse, NoticeResponse, ReadyForQuery,
};
use pgwire::messages::startup::{
    Authentication, BackendKeyData, NegotiateProtocolVersion, ParameterStatus, SecretKey,
};

use crate::format::{Columns, Format};

/// `ERROR` ends a statement, `FATAL` the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Fatal,
}

/// An error; `offset` is where its statement starts in the text that the client sent, in
/// characters.
pub fn error(out: &mut BytesMut, severity: Severity, error: &Error, offset: u32) {
    let severity = match severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    let mut fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', error.sqlstate().code().to_owned()),
        (b'M', text(error.message())),
    ];
    fields.extend(error.detail().map(|d| (b'D', text(d))));
    fields.extend(error.hint().map(|h| (b'H', text(h))));
    fields.extend(
        error
            .position()
            .map(|p| (b'P', p.saturating_add(offset).to_string())),
    );
    put(out, &ErrorResponse::new(fields));
}

/// What a client is told beside the answer.
pub fn notice(out: &mut BytesMut, notice: &Notice) {
    let severity = match notice.severity {
        api::Severity::Notice => "NOTICE",
        api::Severity::Warning => "WARNING",
    };
    let fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', notice.sqlstate.code().to_owned()),
        (b'M', text(&notice.message)),
    ];
    put(out, &NoticeResponse::new(fields));
}

/// The session may be used: what a client learns right after its start-up.
pub fn authenticated(out: &mut BytesMut) {
    put(out, &Authentication::Ok);
}

pub fn ask_password(out: &mut BytesMut) {
    put(out, &Authentication::CleartextPassword);
}

pub fn ask_sasl(out: &mut BytesMut, mechanisms: &[&str]) {
    let mechanisms = mechanisms.iter().map(|m| (*m).to_owned());
    put(out, &Authentication::SASL(mechanisms.collect()));
}

pub fn sasl_continue(out: &mut BytesMut, data: Vec<u8>) {
    put(out, &Authentication::SASLContinue(data.into()));
}

pub fn sasl_final(out: &mut BytesMut, data: Vec<u8>) {
    put(out, &Authentication::SASLFinal(data.into()));
}

/// What a cancel request has to repeat.
pub fn backend_key(out: &mut BytesMut, pid: u32, key: &[u8]) {
    let key = SecretKey::Bytes(Bytes::copy_from_slice(key));
    put(out, &BackendKeyData::new(pid.cast_signed(), key));
}

pub fn parameter_status(out: &mut BytesMut, name: &str, value: &str) {
    put(out, &ParameterStatus::new(text(name), text(value)));
}

/// This server speaks `version`, a major and a minor one of 16 bits each, and none of `options`.
pub fn negotiate_protocol(out: &mut BytesMut, version: i32, options: Vec<String>) {
    put(out, &NegotiateProtocolVersion::new(version, options));
}

pub fn ready(out: &mut BytesMut, status: TransactionStatus) {
    let status = match status {
        TransactionStatus::Idle => response::TransactionStatus::Idle,
        TransactionStatus::InTransaction => response::TransactionStatus::Transaction,
        TransactionStatus::Failed => response::TransactionStatus::Error,
    };
    put(out, &ReadyForQuery::new(status));
}

pub fn command_complete(out: &mut BytesMut, tag: &str) {
    put(out, &CommandComplete::new(text(tag)));
}

pub fn empty_query(out: &mut BytesMut) {
    put(out, &response::EmptyQueryResponse::new());
}

pub fn parse_complete(out: &mut BytesMut) {
    put(out, &ParseComplete::new());
}

pub fn bind_complete(out: &mut BytesMut) {
    put(out, &BindComplete::new());
}

pub fn close_complete(out: &mut BytesMut) {
    put(out, &CloseComplete::new());
}

/// More rows may follow: the limit of an `Execute` is reached.
pub fn portal_suspended(out: &mut BytesMut) {
    put(out, &PortalSuspended::new());
}

/// The statement returns no rows.
pub fn no_data(out: &mut BytesMut) {
    put(out, &NoData::new());
}

pub fn parameter_description(out: &mut BytesMut, oids: Vec<u32>) {
    put(out, &ParameterDescription::new(oids));
}

/// The data of a copy follows, each of its `columns` in `format`.
pub fn copy_out(out: &mut BytesMut, format: Format, columns: usize) {
    let formats = vec![format.code(); columns];
    let overall = u8::from(format == Format::Binary).cast_signed();
    put(
        out,
        &CopyOutResponse::new(overall, formats.len() as i16, formats),
    );
}

pub fn copy_done(out: &mut BytesMut) {
    put(out, &CopyDone::new());
}

/// Names, types and formats of a result's columns.
pub fn row_description(out: &mut BytesMut, columns: &Columns) {
    let parts = columns.types.iter().zip(&columns.formats);
    let fields = columns.schema.fields().iter().zip(parts);
    let fields = fields.map(|(field, (wire, format))| {
        FieldDescription::new(
            text(field.name()),
            0,
            0,
            wire.oid,
            wire.typlen,
            wire.typmod,
            format.code(),
        )
    });
    put(out, &RowDescription::new(fields.collect()));
}

/// Encoding fails only for a message over pgwire's own limit; nothing of it may be sent then.
fn put(out: &mut BytesMut, message: &impl Message) {
    let start = out.len();
    if let Err(error) = message.encode(out) {
        out.truncate(start);
        tracing::error!(%error, "a message was too long to send");
    }
}

/// Strings of the protocol end at a NUL: one inside would shift all that follows.
fn text(s: &str) -> String {
    s.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflowave_types::SqlState;

    #[test]
    fn an_error_carries_all_its_fields_and_counts_from_the_whole_text() {
        let mut out = BytesMut::new();
        let e = Error::new(SqlState::UndefinedTable, "table \"x\0y\" does not exist")
            .with_detail("d")
            .with_hint("h")
            .with_position(15);
        error(&mut out, Severity::Error, &e, 100);
        assert_eq!(
            &out[5..],
            b"SERROR\0VERROR\0C42P01\0Mtable \"xy\" does not exist\0Dd\0Hh\0P115\0\0"
        );
        assert_eq!(out[0], b'E');
        assert_eq!(out[1..5], (out.len() as u32 - 1).to_be_bytes());
    }

    #[test]
    fn the_status_byte_tells_the_transaction() {
        for (status, byte) in [
            (TransactionStatus::Idle, b'I'),
            (TransactionStatus::InTransaction, b'T'),
            (TransactionStatus::Failed, b'E'),
        ] {
            let mut out = BytesMut::new();
            ready(&mut out, status);
            assert_eq!(&out[..], [b'Z', 0, 0, 0, 5, byte]);
        }
    }
}
