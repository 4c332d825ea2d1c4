//! The start-up of a connection: encryption, the version of the protocol, cancel requests.

use bytes::{Buf, Bytes, BytesMut};
use inflowave_query_api::SessionStart;
use inflowave_types::{Error, SessionId, SqlState};
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::{GssEncRequest, SslRequest, Startup};
use pgwire::messages::{DecodeContext, Message};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::connection::Ended;
use crate::message;
use crate::read::Reader;
use crate::write::Writer;

const CANCEL_REQUEST_CODE: i32 = 80_877_102;

/// The minor version of protocol 3 from which on keys of cancel requests are long.
const LONG_KEYS: u16 = 2;
/// The newest that is spoken.
const NEWEST: u16 = 2;
/// What a TLS connection begins with.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a client connected for.
pub enum Opening {
    Session {
        start: SessionStart,
        /// Whether it takes long keys for cancel requests.
        long_key: bool,
        /// What is to be answered first.
        waiting: BytesMut,
    },
    Cancel {
        session: SessionId,
        key: Bytes,
    },
}

impl Opening {
    /// With what is to be answered first.
    pub fn answering(mut self, first: BytesMut) -> Opening {
        if let Opening::Session { waiting, .. } = &mut self {
            *waiting = first;
        }
        self
    }
}

/// Does the client begin with a TLS handshake of its own accord? Nothing is read.
pub async fn is_direct_tls(stream: &TcpStream) -> Result<bool, Ended> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) => Ok(first[0] == TLS_HANDSHAKE),
        _ => Err(Ended::Gone),
    }
}

/// Reads packets until one opens a session or asks for a cancel (`Some`), or TLS has been agreed
/// (`None`). Leaves the answer to another protocol version in the writer's buffer.
pub async fn negotiate<R, W>(
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
    client: String,
    tls: bool,
) -> Result<Option<Opening>, Ended>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (mut ssl_asked, mut gss_asked) = (false, false);
    loop {
        let mut packet = reader.packet().await?;
        let mut agreed = false;
        let code = (&packet[..4]).get_i32();
        let kind = match code {
            SslRequest::BODY_MAGIC_NUMBER if !ssl_asked => {
                ssl_asked = true;
                agreed = tls;
                "SSL"
            }
            GssEncRequest::BODY_MAGIC_NUMBER if !gss_asked => {
                gss_asked = true;
                "GSSAPI encryption"
            }
            CANCEL_REQUEST_CODE => return cancel(packet).map(Some),
            _ => return session(&mut packet, &mut writer.buf, client).map(Some),
        };
        if reader.has_buffered() {
            // Whoever sits between client and server could have put them there, to be taken for
            // the client's own words (CVE-2021-23214).
            return Err(fatal(
                SqlState::ProtocolViolation,
                format!("received unencrypted data after {kind} request"),
            ));
        }
        writer
            .buf
            .extend_from_slice(if agreed { b"S" } else { b"N" });
        writer.flush().await?;
        if agreed {
            return Ok(None);
        }
    }
}

fn cancel(packet: Bytes) -> Result<Opening, Ended> {
    // pgwire decodes from the length on.
    let mut buf = BytesMut::with_capacity(packet.len() + 4);
    buf.extend_from_slice(&(packet.len() as u32 + 4).to_be_bytes());
    buf.extend_from_slice(&packet);
    match CancelRequest::decode(&mut buf, &DecodeContext::default()) {
        Ok(Some(request)) => Ok(Opening::Cancel {
            session: SessionId(request.pid.cast_unsigned()),
            key: request.secret_key.to_bytes(),
        }),
        _ => Err(fatal(
            SqlState::ProtocolViolation,
            "invalid length of cancel request",
        )),
    }
}

fn session(packet: &mut Bytes, out: &mut BytesMut, client: String) -> Result<Opening, Ended> {
    let (major, minor) = ((&packet[..2]).get_u16(), (&packet[2..4]).get_u16());
    if major != 3 {
        return Err(fatal(
            SqlState::FeatureNotSupported,
            format!("unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2"),
        ));
    }
    if packet.last() != Some(&0) || std::str::from_utf8(packet).is_err() {
        return Err(fatal(
            SqlState::ProtocolViolation,
            "invalid startup packet layout: expected terminator as last byte, text in UTF-8",
        ));
    }
    let len = packet.len() + 4;
    let startup = Startup::decode_body(
        &mut BytesMut::from(&packet[..]),
        len,
        &DecodeContext::default(),
    )
    .map_err(|_| fatal(SqlState::ProtocolViolation, "invalid startup packet"))?;

    let mut start = SessionStart {
        client,
        protocol: "postgres",
        ..SessionStart::default()
    };
    let mut unknown_options = Vec::new();
    for (name, value) in startup.parameters {
        match name.as_str() {
            "user" => start.user = value,
            "database" => start.database = Some(value).filter(|d| !d.is_empty()),
            "application_name" => start.application_name = Some(value),
            "options" => start.settings.extend(options(&value)?),
            "replication" if !is_off(&value) => {
                return Err(Ended::Fatal(Error::unsupported(
                    "replication connections are not supported",
                )));
            }
            "replication" => {}
            _ if name.starts_with("_pq_.") => unknown_options.push(name),
            _ => start.settings.push((name, value)),
        }
    }
    if start.user.is_empty() {
        return Err(fatal(
            SqlState::InvalidAuthorization,
            "no PostgreSQL user name specified in startup packet",
        ));
    }
    // 3.1 was never used: who asks for it speaks 3.0.
    let spoken = match minor {
        0 | 1 => 0,
        newer => newer.min(NEWEST),
    };
    if minor != spoken || !unknown_options.is_empty() {
        let version = (3 << 16) | i32::from(spoken);
        message::negotiate_protocol(out, version, unknown_options);
    }
    Ok(Opening::Session {
        start,
        long_key: spoken >= LONG_KEYS,
        waiting: BytesMut::new(),
    })
}

/// `-c name=value` and `--name=value`, separated by blanks; a backslash keeps the next character.
fn options(text: &str) -> Result<Vec<(String, String)>, Ended> {
    let mut words = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => words
                .last_mut()
                .into_iter()
                .for_each(|w| w.extend(chars.next())),
            c if c.is_ascii_whitespace() => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|w| w.push(c)),
        }
    }
    words.retain(|w| !w.is_empty());
    let mut settings = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("--") {
            Some(setting) => Some(setting.to_owned()),
            None if word == "-c" => words.next(),
            None => word.strip_prefix("-c").map(str::to_owned),
        };
        let pair = setting.as_deref().and_then(|s| s.split_once('='));
        let Some((name, value)) = pair else {
            return Err(fatal(
                SqlState::SyntaxError,
                format!("invalid command-line argument for server process: {word}"),
            ));
        };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn is_off(value: &str) -> bool {
    ["", "0", "false", "off", "no"].contains(&value.to_ascii_lowercase().as_str())
}

fn fatal(sqlstate: SqlState, message: impl Into<String>) -> Ended {
    Ended::Fatal(Error::new(sqlstate, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_split_as_postgresql_does() {
        let read = |text| options(text).ok().unwrap();
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(
            read(r"-c geqo=off  --statement-timeout=5min -cTimeZone=A\ B"),
            [
                pair("geqo", "off"),
                pair("statement_timeout", "5min"),
                pair("TimeZone", "A B"),
            ]
        );
        assert_eq!(read(" "), []);
        assert!(options("-x").is_err());
        assert!(options("-c").is_err());
    }

    #[test]
    fn a_startup_packet_becomes_a_session() {
        let body = b"\0\x03\0\x02user\0ann\0database\0crm\0TimeZone\0Europe/Warsaw\0_pq_.x\0on\0\0";
        let mut out = BytesMut::new();
        let opening = session(&mut Bytes::from_static(body), &mut out, "c".into());
        let Ok(Opening::Session {
            start, long_key, ..
        }) = opening
        else {
            panic!("no session");
        };
        assert!(long_key);
        assert_eq!(
            (start.user.as_str(), start.database.as_deref()),
            ("ann", Some("crm"))
        );
        assert_eq!(
            start.settings,
            [("TimeZone".to_owned(), "Europe/Warsaw".to_owned())]
        );
        assert_eq!(&out[..], b"v\0\0\0\x13\0\x03\0\x02\0\0\0\x01_pq_.x\0");
    }
}
