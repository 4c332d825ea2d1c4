//! What the driver and the server say, as errors of ours: the catalog named, no secret in them.

use std::error::Error as _;

use inflowave_types::{Error, Secret, SqlState};
use tokio_postgres::error::DbError;

/// The source, as messages name it.
#[derive(Clone)]
pub(crate) struct Site {
    pub catalog: String,
    /// `127.0.0.1:5432`.
    pub place: String,
    pub password: Option<Secret>,
}

impl Site {
    /// An error about this source.
    pub(crate) fn error(&self, sqlstate: SqlState, message: impl std::fmt::Display) -> Error {
        Error::new(
            sqlstate,
            format!(
                "catalog \"{}\": {}",
                self.catalog,
                self.clean(&message.to_string())
            ),
        )
    }

    /// The server cannot be reached.
    pub(crate) fn unreachable(&self, why: impl std::fmt::Display) -> Error {
        self.error(
            SqlState::ConnectionUnableToEstablish,
            format_args!("cannot reach PostgreSQL at {}: {why}", self.place),
        )
        .with_hint("Check that the server runs there and that \"url\" names its host and port.")
        .retryable()
    }

    /// A failed attempt to connect or to log in.
    pub(crate) fn connecting(&self, error: &tokio_postgres::Error) -> Error {
        let Some(db) = error.as_db_error() else {
            // A missing password and a refused scheme are found by the driver, not by the server.
            let refused = error.to_string().starts_with("authentication")
                || error.to_string().starts_with("invalid configuration");
            let why = chain(error);
            return if why.contains("password missing") {
                self.rejected("it asks for a password, and none is given")
                    .with_hint("Give the catalog the parameter \"password\".")
            } else if refused {
                self.rejected(&why)
                    .with_hint("Check the user in \"url\" and the parameter \"password\".")
            } else {
                self.unreachable(why)
            };
        };
        let code = db.code().code();
        let error = match code {
            "57P01" | "57P02" | "57P03" => return self.unreachable(db.message()).with_detail(self.told(db)),
            "53300" => self.rejected(db.message()).retryable().with_hint(
                "Lower \"pool_size_max\" or raise max_connections of the server.",
            ),
            "3D000" => self
                .rejected(db.message())
                .with_hint("Check the database at the end of \"url\"."),
            _ if code.starts_with("28") => self.rejected(db.message()).with_hint(
                "Check the user in \"url\" and the parameter \"password\"; TLS is not supported yet.",
            ),
            _ => self.rejected(db.message()),
        };
        error.with_detail(self.told(db))
    }

    pub(crate) fn rejected(&self, why: &str) -> Error {
        self.error(
            SqlState::ConnectionRejected,
            format_args!("PostgreSQL at {} refused the connection: {why}", self.place),
        )
    }

    /// A failed query.
    pub(crate) fn querying(&self, error: &tokio_postgres::Error) -> Error {
        let Some(db) = error.as_db_error() else {
            return self.lost(chain(error));
        };
        let code = db.code().code();
        let error = match code {
            "42P01" | "42703" | "3F000" => self.changed(db.message()),
            "42501" => self
                .error(SqlState::InsufficientPrivilege, db.message())
                .with_hint("Grant the user of the catalog the right to read it, at the source."),
            "57P01" | "57P02" | "57P03" => self.lost(db.message()),
            "40001" | "40P01" => self
                .error(SqlState::ForeignDataWrapperError, db.message())
                .retryable(),
            _ => match known(code) {
                Some(sqlstate) => self.error(sqlstate, db.message()),
                None => self.error(SqlState::ForeignDataWrapperError, db.message()),
            },
        };
        error.with_detail(self.told(db))
    }

    /// The table is not any more what it was when the query was planned.
    pub(crate) fn changed(&self, what: impl std::fmt::Display) -> Error {
        self.error(
            SqlState::InvalidTableDefinition,
            format_args!("columns of a table have changed since they were read: {what}"),
        )
        .with_hint(format!(
            "Run REFRESH CATALOG {} and send the statement again.",
            self.catalog
        ))
    }

    /// The catalog is not any more the one that a transaction began to read.
    pub(crate) fn replaced(&self) -> Error {
        self.error(
            SqlState::SerializationFailure,
            "it was changed since this transaction began to read it",
        )
        .with_hint("Run the transaction again.")
        .retryable()
    }

    /// The state that a transaction reads is gone.
    pub(crate) fn forgotten(&self, error: &tokio_postgres::Error) -> Error {
        self.error(
            SqlState::SerializationFailure,
            format_args!("the snapshot of this transaction is gone: {}", chain(error)),
        )
        .with_hint("Run the transaction again.")
        .retryable()
    }

    /// The connection went away.
    pub(crate) fn lost(&self, why: impl std::fmt::Display) -> Error {
        self.error(
            SqlState::ConnectionFailure,
            format_args!("lost the connection to PostgreSQL at {}: {why}", self.place),
        )
        .with_hint("Send the statement again when the server is back.")
        .retryable()
    }

    /// The server's own words, complete.
    fn told(&self, db: &DbError) -> String {
        let mut text = format!(
            "the source said {} (SQLSTATE {})",
            db.message(),
            db.code().code()
        );
        if let Some(detail) = db.detail() {
            text.push_str(&format!("; {detail}"));
        }
        if let Some(hint) = db.hint() {
            text.push_str(&format!("; {hint}"));
        }
        self.clean(&text)
    }

    fn clean(&self, text: &str) -> String {
        match &self.password {
            Some(password) => password.redact(text),
            None => text.to_owned(),
        }
    }
}

/// The statement was cancelled by us.
pub(crate) fn cancelled() -> Error {
    Error::new(
        SqlState::QueryCanceled,
        "canceling statement due to user request",
    )
}

/// The session itself is gone, and not only its query.
pub(crate) fn is_gone(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        None => true,
        Some(db) => matches!(db.code().code(), "57P01" | "57P02" | "57P03"),
    }
}

/// Errors of values and of limits mean at the source what they mean here.
fn known(code: &str) -> Option<SqlState> {
    let ours = matches!(code.get(..2), Some("21" | "22" | "25" | "53" | "54" | "57"));
    SqlState::ALL
        .iter()
        .copied()
        .find(|state| ours && state.code() == code)
}

/// The message with its causes, without what repeats.
fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            catalog: "crm".into(),
            place: "127.0.0.1:5432".into(),
            password: Some(Secret::new("hunter2")),
        }
    }

    #[test]
    fn an_error_names_the_catalog_and_hides_the_password() {
        let error = site().unreachable("no route for hunter2");
        assert_eq!(
            error.message(),
            "catalog \"crm\": cannot reach PostgreSQL at 127.0.0.1:5432: no route for ***"
        );
        assert_eq!(error.sqlstate().code(), "08001");
        assert!(error.is_retryable());
    }

    #[test]
    fn only_classes_that_mean_the_same_keep_their_code() {
        assert_eq!(known("22012"), Some(SqlState::DivisionByZero));
        assert_eq!(known("57014"), Some(SqlState::QueryCanceled));
        assert_eq!(known("42601"), None);
        assert_eq!(known("P0001"), None);
    }
}
