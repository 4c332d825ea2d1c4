//! Errors of the driver and the server -> ours, without a password in them.

use inflowave_types::{Error, SqlState};
use mysql_async::{DriverError, Error as DriverFailure, ServerError};

use crate::params::Settings;

/// Who is talking: put in front of messages, and asked to hide the password.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'a> {
    pub catalog: &'a str,
    pub settings: &'a Settings,
}

impl Speaker<'_> {
    /// `127.0.0.1:3306`.
    pub fn endpoint(&self) -> String {
        let Settings { host, port, .. } = self.settings;
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }

    /// A new connection failed.
    pub fn connecting(&self, failure: &DriverFailure) -> Error {
        match failure {
            DriverFailure::Server(server) => self.rejected(server),
            DriverFailure::Driver(
                DriverError::UnknownAuthPlugin { .. }
                | DriverError::CleartextPluginDisabled
                | DriverError::MysqlOldPasswordDisabled,
            ) => self
                .say(
                    SqlState::ConnectionRejected,
                    format!(
                        "{} asks for a login method that is not supported",
                        self.endpoint()
                    ),
                )
                .with_detail(self.settings.redact(&failure.to_string()))
                .with_hint(
                    "Give the user mysql_native_password or caching_sha2_password at the server.",
                ),
            _ => self.unreachable(&failure.to_string()),
        }
    }

    /// `08001`.
    pub fn unreachable(&self, why: &str) -> Error {
        self.say(
            SqlState::ConnectionUnableToEstablish,
            format!("cannot connect to {}", self.endpoint()),
        )
        .with_detail(self.settings.redact(why))
        .with_hint("Check that the server is running and that host and port in \"url\" are right.")
        .retryable()
    }

    /// `08006`.
    pub fn lost(&self, why: &str) -> Error {
        self.say(
            SqlState::ConnectionFailure,
            format!("the connection to {} was lost", self.endpoint()),
        )
        .with_detail(self.settings.redact(why))
        .with_hint("The result is incomplete and was thrown away; run the statement again.")
        .retryable()
    }

    /// The server answered the login with an error.
    fn rejected(&self, server: &ServerError) -> Error {
        let (state, message, hint) = match server.code {
            // ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
            1040 | 1203 | 1226 => (
                SqlState::TooManyConnections,
                format!("{} takes no more connections", self.endpoint()),
                "Lower pool_size_max, or raise max_connections at the server.",
            ),
            // ER_BAD_DB_ERROR
            1049 => (
                SqlState::ConnectionRejected,
                format!(
                    "{} has no database \"{}\"",
                    self.endpoint(),
                    self.settings.database.as_deref().unwrap_or_default()
                ),
                "Check the path of \"url\".",
            ),
            // ER_CON_COUNT and friends of start-up: ER_SERVER_SHUTDOWN
            1053 => return self.unreachable(&server.to_string()),
            _ => (
                SqlState::ConnectionRejected,
                format!(
                    "{} refused the login of user \"{}\"",
                    self.endpoint(),
                    self.settings.user.as_deref().unwrap_or_default()
                ),
                "Check the user in \"url\", the password, and the grants of that user.",
            ),
        };
        self.say(state, message)
            .with_detail(self.settings.redact(&server.to_string()))
            .with_hint(hint)
    }

    /// A statement failed, at its start or between two rows.
    pub fn running(&self, failure: &DriverFailure) -> Error {
        match failure {
            DriverFailure::Server(server) => self.refused(server),
            // The codec of the driver says so of a row above the limit of a packet.
            DriverFailure::Driver(DriverError::PacketTooLarge) => self.row_too_large(),
            DriverFailure::Io(io) if io.to_string().contains("too large") => self.row_too_large(),
            DriverFailure::Driver(
                driver @ (DriverError::StmtParamsNumberExceedsLimit { .. }
                | DriverError::StmtParamsMismatch { .. }),
            ) => self.say(SqlState::ProgramLimitExceeded, driver.to_string()),
            other => self.lost(&other.to_string()),
        }
    }

    fn row_too_large(&self) -> Error {
        self.say(
            SqlState::ProgramLimitExceeded,
            format!(
                "a row is larger than {} MiB",
                crate::client::ROW_BYTES_MAX >> 20
            ),
        )
    }

    fn refused(&self, server: &ServerError) -> Error {
        let changed = "The table changed after the statement was planned; run the statement again.";
        let (state, what, hint) = match server.code {
            // ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR, ER_VIEW_INVALID, ER_BAD_DB_ERROR, ER_NEED_REPREPARE
            1146 | 1054 | 1356 | 1049 | 1615 => (
                SqlState::InvalidTableDefinition,
                "a table or column of the statement is gone",
                Some(changed),
            ),
            // ER_QUERY_INTERRUPTED, ER_STATEMENT_TIMEOUT (MariaDB), ER_QUERY_TIMEOUT (MySQL)
            1317 | 1969 | 3024 => (
                SqlState::QueryCanceled,
                "the server cancelled the query",
                None,
            ),
            // ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED (MariaDB), ER_CLIENT_INTERACTION_TIMEOUT
            1053 | 1927 | 4031 => return self.lost(&server.to_string()),
            // ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR,
            // ER_SPECIFIC_ACCESS_DENIED_ERROR
            1044 | 1142 | 1143 | 1227 => (
                SqlState::InsufficientPrivilege,
                "the source's user may not read this",
                Some("Grant SELECT to the user of the catalog at the source."),
            ),
            // ER_WARN_DATA_OUT_OF_RANGE, ER_DATA_OUT_OF_RANGE
            1264 | 1690 => (
                SqlState::NumericValueOutOfRange,
                "a value is out of range at the source",
                None,
            ),
            // ER_DIVISION_BY_ZERO
            1365 => (SqlState::DivisionByZero, "division by zero", None),
            // ER_DISK_FULL, ER_RECORD_FILE_FULL
            1021 | 1114 => (SqlState::DiskFull, "the source's disk is full", None),
            // ER_OUTOFMEMORY, ER_OUT_OF_SORTMEMORY
            1037 | 1038 | 1041 => (SqlState::OutOfMemory, "the source is out of memory", None),
            // ER_NET_PACKET_TOO_LARGE
            1153 => (
                SqlState::ProgramLimitExceeded,
                "the statement is larger than the source takes",
                None,
            ),
            _ => (
                SqlState::ForeignDataWrapperError,
                "the source refused the query",
                None,
            ),
        };
        // The server names the table or column.
        let said = match server.code {
            1146 | 1054 | 1356 | 1049 => {
                format!("{what}: {}", self.settings.redact(&server.message))
            }
            _ => what.to_owned(),
        };
        let error = self
            .say(state, &said)
            .with_detail(self.settings.redact(&server.to_string()));
        // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK
        let error = match server.code {
            1205 | 1213 => error.retryable(),
            _ => error,
        };
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// An error about this catalog.
    pub fn say(&self, state: SqlState, message: impl Into<String>) -> Error {
        Error::new(state, message).context(format_args!("catalog \"{}\"", self.catalog))
    }
}

#[cfg(test)]
mod tests {
    use inflowave_connector_api::Params;
    use inflowave_types::Secret;

    use super::*;

    fn settings() -> Settings {
        let given = [
            ("url", "mysql://app@db.test:3307/shop"),
            ("password", "hunter2"),
        ];
        let given = given.map(|(k, v)| (k.to_owned(), Secret::new(v)));
        Settings::read(&Params::check(crate::params::SPECS, given).unwrap()).unwrap()
    }

    fn server(code: u16) -> DriverFailure {
        DriverFailure::Server(ServerError {
            code,
            message: "the password hunter2 is wrong".to_owned(),
            state: "HY000".to_owned(),
        })
    }

    #[test]
    fn codes_of_the_server_become_sqlstates_and_the_password_is_hidden() {
        let settings = settings();
        let speaker = Speaker {
            catalog: "crm",
            settings: &settings,
        };
        for (code, state) in [
            (1045, "08004"),
            (1049, "08004"),
            (1040, "53300"),
            (1053, "08001"),
        ] {
            let error = speaker.connecting(&server(code));
            assert_eq!(error.sqlstate().code(), state, "{code}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
        for (code, state) in [
            (1146, "42P16"),
            (1054, "42P16"),
            (1317, "57014"),
            (1142, "42501"),
            (1690, "22003"),
            (1927, "08006"),
            (1064, "HV000"),
        ] {
            let error = speaker.running(&server(code));
            assert_eq!(error.sqlstate().code(), state, "{code}");
            assert!(error.message().starts_with("catalog \"crm\": "));
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_dead_address_is_named() {
        let settings = settings();
        let speaker = Speaker {
            catalog: "crm",
            settings: &settings,
        };
        let error = speaker.unreachable("connection refused");
        assert_eq!(
            error.message(),
            "catalog \"crm\": cannot connect to db.test:3307"
        );
        assert!(error.is_retryable());
    }
}
