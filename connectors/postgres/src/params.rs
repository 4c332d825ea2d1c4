//! The parameters of the connector, and what they come to.

use std::time::Duration;

use inflowave_connector_api::{ParamKind, ParamSpec, Params};
use inflowave_types::{Error, Result, Secret, SqlState};
use tokio_postgres::config::Host;

pub(crate) const SPECS: &[ParamSpec] = &[
    ParamSpec {
        name: "url",
        doc: "Where the server is, the user and the database.",
        example: "postgres://app@127.0.0.1:5432/crm",
        default: None,
        required: true,
        kind: ParamKind::Server,
    },
    ParamSpec {
        name: "password",
        doc: "The user's password.",
        example: "${env:CRM_PASSWORD}",
        default: None,
        required: false,
        kind: ParamKind::Secret,
    },
    ParamSpec {
        name: "pool_size_max",
        doc: "Connections to the server that run queries, at most; and that hold snapshots, as many more.",
        example: "8",
        default: Some("8"),
        required: false,
        kind: ParamKind::Integer { min: 1, max: 1000 },
    },
    ParamSpec {
        name: "connect_timeout_ms",
        doc: "How long a connection may take to be ready, login included.",
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
        doc: "How long a query waits for one of the connections to be free.",
        example: "30000",
        default: Some("30000"),
        required: false,
        kind: ParamKind::Integer {
            min: 1,
            max: 3_600_000,
        },
    },
    ParamSpec {
        name: "application_name",
        doc: "The name under which the connections stand in pg_stat_activity.",
        example: "inflowave",
        default: Some("inflowave"),
        required: false,
        kind: ParamKind::Text,
    },
    ParamSpec {
        name: "numeric",
        doc: "How to read a numeric without precision, or with one over 76: as numeric(38,16), where a value that does not fit is an error, or as text.",
        example: "text",
        default: Some("decimal"),
        required: false,
        kind: ParamKind::OneOf(&["decimal", "text"]),
    },
];

/// Checked parameters.
#[derive(Clone)]
pub(crate) struct Settings {
    pub host: HostName,
    pub port: u16,
    /// User, database, password and keepalives; hosts are added when connecting.
    pub login: tokio_postgres::Config,
    pub password: Option<Secret>,
    pub pool_size_max: usize,
    pub connect_timeout: Duration,
    pub acquire_timeout: Duration,
    /// An unconstrained `numeric` is read as text.
    pub numeric_as_text: bool,
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostName {
    Tcp(String),
    /// The folder of a Unix socket.
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

impl Settings {
    /// Host and port, for messages.
    pub(crate) fn place(&self) -> String {
        match &self.host {
            HostName::Tcp(host) if host.contains(':') => format!("[{host}]:{}", self.port),
            HostName::Tcp(host) => format!("{host}:{}", self.port),
            #[cfg(unix)]
            HostName::Unix(folder) => format!("{}:{}", folder.display(), self.port),
        }
    }

    /// # Errors
    /// `22023`. No message repeats the URL, since a password may stand in it.
    pub(crate) fn read(params: &Params) -> Result<Settings> {
        let text = params.text("url").unwrap_or_default();
        check_url(text)?;
        let parsed: tokio_postgres::Config = text
            .parse()
            .map_err(|_| invalid_url("it cannot be understood"))?;
        let (host, port) = endpoint(&parsed)?;

        let mut login = tokio_postgres::Config::new();
        let Some(user) = parsed.get_user().filter(|u| !u.is_empty()) else {
            return Err(invalid_url("it names no user"));
        };
        login.user(user);
        login.dbname(
            parsed
                .get_dbname()
                .filter(|d| !d.is_empty())
                .unwrap_or(user),
        );
        login.ssl_mode(tokio_postgres::config::SslMode::Disable);
        login.application_name(params.text("application_name").unwrap_or("inflowave"));
        // A server that vanished without a word is noticed within about a minute.
        login.keepalives_idle(Duration::from_secs(30));
        login.keepalives_interval(Duration::from_secs(10));
        login.keepalives_retries(3);

        let in_url = parsed
            .get_password()
            .map(|p| Secret::new(String::from_utf8_lossy(p)));
        let password = match (params.secret("password").cloned(), in_url) {
            (Some(_), Some(_)) => {
                return Err(invalid("the password is given twice".to_owned())
                    .with_hint("Take it out of \"url\" and keep the parameter \"password\"."));
            }
            (given, in_url) => given.or(in_url),
        };
        if let Some(password) = &password {
            login.password(password.reveal());
        }
        let ms = |name| Duration::from_millis(params.integer(name).unwrap_or(5000));
        Ok(Settings {
            host,
            port,
            login,
            password,
            pool_size_max: params
                .integer("pool_size_max")
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(8),
            connect_timeout: ms("connect_timeout_ms"),
            acquire_timeout: ms("acquire_timeout_ms"),
            numeric_as_text: params.text("numeric") == Some("text"),
        })
    }
}

/// What the driver's parser would accept and we do not, or would repeat in its message.
fn check_url(text: &str) -> Result<()> {
    let url = url::Url::parse(text).map_err(|e| invalid_url(&e.to_string()))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(invalid_url("its scheme is not \"postgres\""));
    }
    for (name, value) in url.query_pairs() {
        match (&*name, &*value) {
            ("host", _) | ("sslmode", "disable" | "prefer" | "allow") => {}
            ("sslmode", "require" | "verify-ca" | "verify-full") => {
                return Err(
                    invalid("a postgres source cannot use TLS yet, but \"url\" requires it".into())
                        .with_hint(
                            "Reach the server over a trusted network or a tunnel, and take sslmode out of \"url\".",
                        ),
                );
            }
            _ => {
                return Err(invalid("unknown option in \"url\"".into()).with_hint(
                    "The valid options after the question mark are: host, sslmode; see also the other parameters of the connector.",
                ));
            }
        }
    }
    Ok(())
}

fn endpoint(parsed: &tokio_postgres::Config) -> Result<(HostName, u16)> {
    let host = match parsed.get_hosts() {
        [Host::Tcp(host)] if !host.is_empty() => HostName::Tcp(host.clone()),
        #[cfg(unix)]
        [Host::Unix(folder)] => HostName::Unix(folder.clone()),
        [_, _, ..] => return Err(invalid_url("it names more than one host")),
        _ => return Err(invalid_url("it names no host")),
    };
    match parsed.get_ports() {
        [] => Ok((host, 5432)),
        [port] => Ok((host, *port)),
        _ => Err(invalid_url("it names more than one port")),
    }
}

fn invalid_url(why: &str) -> Error {
    invalid(format!("invalid value for parameter \"url\": {why}")).with_hint(
        "Write it as postgres://USER@HOST:PORT/DATABASE, special characters as %XX.".to_owned(),
    )
}

fn invalid(message: String) -> Error {
    Error::new(SqlState::InvalidParameterValue, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Settings> {
        Settings::read(
            &Params::check(
                SPECS,
                given
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), Secret::new(*v))),
            )
            .unwrap(),
        )
    }

    #[test]
    fn a_url_is_taken_apart() {
        let settings = read(&[("url", "postgres://a%40b:p%3Fw@db.example:5433/my%20db")]).unwrap();
        assert_eq!(settings.host, HostName::Tcp("db.example".into()));
        assert_eq!(settings.port, 5433);
        assert_eq!(settings.login.get_user(), Some("a@b"));
        assert_eq!(settings.login.get_dbname(), Some("my db"));
        assert_eq!(settings.password.unwrap().reveal(), "p?w");
        assert_eq!(settings.pool_size_max, 8);
    }

    #[test]
    fn the_database_is_named_like_the_user_by_default() {
        let settings = read(&[("url", "postgresql://app@h"), ("password", "x")]).unwrap();
        assert_eq!(settings.login.get_dbname(), Some("app"));
        assert_eq!(settings.port, 5432);
    }

    #[test]
    fn a_unix_socket_is_a_host() {
        let settings = read(&[("url", "postgres://app@%2Frun%2Fpostgresql/crm")]).unwrap();
        assert_eq!(settings.host, HostName::Unix("/run/postgresql".into()));
    }

    #[test]
    fn tls_is_refused_plainly() {
        for mode in ["require", "verify-full"] {
            let url = format!("postgres://app@h/db?sslmode={mode}");
            let error = read(&[("url", &url)]).err().unwrap();
            assert_eq!(error.sqlstate().code(), "22023");
            assert_eq!(
                error.message(),
                "a postgres source cannot use TLS yet, but \"url\" requires it"
            );
            assert!(error.hint().is_some());
        }
        assert!(read(&[("url", "postgres://app@h/db?sslmode=prefer")]).is_ok());
    }

    #[test]
    fn no_message_repeats_the_password() {
        for url in [
            "postgres://app:hun?ter2=x@h/db",
            "postgres://app:hunter2@h:99999/db",
            "postgres://app:hunter2@h,h2/db",
            "mysql://app:hunter2@h/db",
            "postgres://:hunter2@h/db",
            "postgres://app:hunter2@/db",
            "app:hunter2",
        ] {
            let error = read(&[("url", url)]).err().expect(url);
            assert_eq!(error.sqlstate().code(), "22023", "{url}");
            let all = format!("{error:?}");
            assert!(!all.contains("ter2"), "{url}: {all}");
        }
        let twice = read(&[
            ("url", "postgres://a:hunter2@h/db"),
            ("password", "hunter2"),
        ]);
        assert_eq!(
            twice.err().unwrap().message(),
            "the password is given twice"
        );
    }
}
