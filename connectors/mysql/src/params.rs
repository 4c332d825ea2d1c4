//! The parameters of a MySQL catalog, and the URL taken apart.

use std::time::Duration;

use inflowave_connector_api::{ParamKind, ParamSpec, Params};
use inflowave_types::{Error, Result, Secret, SqlState};
use url::Url;

use crate::types::Mapping;

/// What `inflowave.toml` may say about a catalog of this connector.
pub const SPECS: &[ParamSpec] = &[
    ParamSpec {
        name: "url",
        doc: "Where the server is, and the database that a name without a schema means.",
        example: "mysql://app@127.0.0.1:3306/shop",
        default: None,
        required: true,
        kind: ParamKind::Server,
    },
    ParamSpec {
        name: "password",
        doc: "The user's password.",
        example: "${env:SHOP_PASSWORD}",
        default: None,
        required: false,
        kind: ParamKind::Secret,
    },
    ParamSpec {
        name: "pool_size_max",
        doc: "Connections at most; cancelling a query takes one more for a moment.",
        example: "8",
        default: Some("8"),
        required: false,
        kind: ParamKind::Integer { min: 1, max: 1000 },
    },
    ParamSpec {
        name: "connect_timeout_ms",
        doc: "How long to wait for a new connection, login included.",
        example: "5000",
        default: Some("5000"),
        required: false,
        kind: ParamKind::Integer {
            min: 1,
            max: 600_000,
        },
    },
    ParamSpec {
        name: "acquire_timeout_ms",
        doc: "How long to wait for a free connection of the pool.",
        example: "30000",
        default: Some("30000"),
        required: false,
        kind: ParamKind::Integer {
            min: 1,
            max: 3_600_000,
        },
    },
    ParamSpec {
        name: "zero_dates",
        doc: "What a date without a year, month or day (0000-00-00, 2024-00-00) becomes: an error, or NULL.",
        example: "null",
        default: Some("error"),
        required: false,
        kind: ParamKind::OneOf(&["error", "null"]),
    },
    ParamSpec {
        name: "tinyint1",
        doc: "What tinyint(1) is read as; MySQL's BOOLEAN is an alias of it, but it holds -128 to 127. \
              As boolean, another value than 0 and 1 is an error.",
        example: "boolean",
        default: Some("integer"),
        required: false,
        kind: ParamKind::OneOf(&["integer", "boolean"]),
    },
];

/// [`SPECS`], read.
#[derive(Debug, Clone)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub database: Option<String>,
    pub pool_size_max: usize,
    pub connect_timeout: Duration,
    pub acquire_timeout: Duration,
    pub mapping: Mapping,
}

impl Settings {
    /// # Errors
    /// `22023` for a URL that can never work, `0A000` for one that asks for TLS. No message holds
    /// the URL: a password may stand in it.
    pub fn read(params: &Params) -> Result<Settings> {
        let url = Url::parse(params.text("url").unwrap_or_default())
            .map_err(|e| invalid(format!("parameter \"url\" is not a URL: {e}")))?;
        if !matches!(url.scheme(), "mysql" | "mariadb") {
            return Err(invalid(format!(
                "parameter \"url\" has the scheme \"{}\"",
                url.scheme()
            )));
        }
        for (key, value) in url.query_pairs() {
            check_option(&key, &value)?;
        }
        let host = match url.host() {
            Some(url::Host::Domain(name)) => decode(name)?,
            Some(url::Host::Ipv4(ip)) => ip.to_string(),
            Some(url::Host::Ipv6(ip)) => ip.to_string(),
            None => return Err(invalid("parameter \"url\" names no host".to_owned())),
        };
        let in_url = url.password().map(decode).transpose()?.map(Secret::new);
        let password = match (in_url, params.secret("password")) {
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "the password stands both in \"url\" and in \"password\"".to_owned(),
                ));
            }
            (Some(secret), None) => Some(secret),
            (None, given) => given.cloned(),
        };
        let database = decode(url.path().trim_start_matches('/'))?;
        let millis = |name| Duration::from_millis(params.integer(name).unwrap_or(5000));
        Ok(Settings {
            host,
            port: url.port().unwrap_or(3306),
            user: match url.username() {
                "" => None,
                user => Some(decode(user)?),
            },
            password,
            database: (!database.is_empty()).then_some(database),
            pool_size_max: params
                .integer("pool_size_max")
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(8),
            connect_timeout: millis("connect_timeout_ms"),
            acquire_timeout: millis("acquire_timeout_ms"),
            mapping: Mapping {
                zero_dates_null: params.text("zero_dates") == Some("null"),
                tinyint1_boolean: params.text("tinyint1") == Some("boolean"),
            },
        })
    }

    /// `text` of the driver or the server without the password.
    pub fn redact(&self, text: &str) -> String {
        match &self.password {
            Some(secret) => secret.redact(text),
            None => text.to_owned(),
        }
    }
}

/// Options behind `?`: asking for TLS must not end in an open connection.
fn check_option(key: &str, value: &str) -> Result<()> {
    let tls = [
        "ssl",
        "tls",
        "ssl-mode",
        "ssl_mode",
        "sslmode",
        "require_ssl",
    ];
    if !tls.contains(&key) {
        return Err(
            invalid(format!("unknown option \"{key}\" in parameter \"url\"")).with_hint(
                "Timeouts and the size of the pool are parameters of their own; the URL takes only \"ssl-mode\".",
            ),
        );
    }
    match value.to_ascii_lowercase().as_str() {
        "disabled" | "disable" | "false" | "0" | "off" | "no" => Ok(()),
        _ => Err(Error::unsupported(format!(
            "the mysql connector cannot use TLS yet, and the URL asks for it with \"{key}\""
        ))
        .with_hint("Reach the server over a trusted network, with ssl-mode=DISABLED.")),
    }
}

/// Percent decoding, `+` left alone.
fn decode(text: &str) -> Result<String> {
    let broken = || invalid("parameter \"url\" has a broken percent escape".to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let byte = rest.next().ok_or_else(broken)?;
            char::from(byte).to_digit(16).ok_or_else(broken)
        };
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| broken())?);
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

fn invalid(message: String) -> Error {
    Error::new(SqlState::InvalidParameterValue, message)
        .with_hint("A URL looks like mysql://user@host:3306/database.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Settings> {
        let given = given
            .iter()
            .map(|(k, v)| ((*k).to_owned(), Secret::new(*v)));
        Settings::read(&Params::check(SPECS, given)?)
    }

    #[test]
    fn a_url_is_taken_apart_and_its_password_hidden() {
        let settings =
            read(&[("url", "mysql://app%40x:hunt%3Aer2@db.test:3307/my%20shop")]).unwrap();
        assert_eq!(settings.host, "db.test");
        assert_eq!(settings.port, 3307);
        assert_eq!(settings.user.as_deref(), Some("app@x"));
        assert_eq!(settings.password, Some(Secret::new("hunt:er2")));
        assert_eq!(settings.database.as_deref(), Some("my shop"));
        assert!(!format!("{settings:?}").contains("hunt"));
        assert_eq!(settings.redact("denied for hunt:er2"), "denied for ***");
    }

    #[test]
    fn defaults() {
        let settings = read(&[("url", "mariadb://[::1]")]).unwrap();
        assert_eq!((settings.host.as_str(), settings.port), ("::1", 3306));
        assert_eq!(settings.database, None);
        assert_eq!(settings.pool_size_max, 8);
        assert_eq!(settings.connect_timeout, Duration::from_secs(5));
        assert!(!settings.mapping.zero_dates_null && !settings.mapping.tinyint1_boolean);
    }

    #[test]
    fn what_can_never_work_is_refused_without_the_url() {
        for url in [
            "nonsense",
            "postgres://u:hunter2@h/d",
            "mysql://u:hunter2@h/d?ssl-mode=REQUIRED",
            "mysql://u:hunter2@h/d?pool_max=3",
            "mysql://u:hunter2%4@h/d",
        ] {
            let error = read(&[("url", url)]).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        let error = read(&[("url", "mysql://h/?ssl-mode=REQUIRED")]).unwrap_err();
        assert_eq!(error.sqlstate().code(), "0A000");
        let error = read(&[("url", "mysql://u:a@h/"), ("password", "b")]).unwrap_err();
        assert_eq!(error.sqlstate().code(), "22023");
    }
}
