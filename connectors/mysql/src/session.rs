//! One connection, set up so that the server reads our SQL as we mean it.
//!
//! The driver has two habits that this module works around. It reads an abandoned result to its
//! end before it closes or reuses a connection, so a session that is not [`Session::clean`] is cut
//! off instead. And it rewrites `:name` in SQL to `?` with a parser that takes `\'` for an escaped
//! quote, so [`undisturbed`] finds a spelling that its parser leaves alone.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use futures::FutureExt;
use inflowave_dialect::MySql;
use inflowave_types::{Error, Result, SqlState};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Statement};
use mysql_common::named_params::ParsedNamedParams;

use crate::client::Shared;

/// The server sorts, and sometimes groups, by this many bytes of a text; the dialect does not push
/// keys that may be longer.
const SORT_BYTES_MAX: u32 = 1024;

/// How the server may read our SQL, exactly this: `"` quotes names, `||` concatenates, a backslash
/// is a character, `unsigned - 1` may be negative. `NO_ZERO_DATE` is left out on purpose: with it
/// MariaDB turns a zero date inside `COALESCE` or `CASE` silently into NULL.
const SQL_MODE: &str = "ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,\
                        STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_UNSIGNED_SUBTRACTION";

/// One connection, set up.
pub struct Session {
    /// `None` only while it is being dropped.
    conn: Option<Conn>,
    /// No result is left unread on it.
    pub clean: bool,
    shared: Arc<Shared>,
}

impl Session {
    /// A connection that is not set up yet.
    pub fn new(conn: Conn, shared: Arc<Shared>) -> Session {
        Session {
            conn: Some(conn),
            clean: true,
            shared,
        }
    }

    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub fn conn(&mut self) -> Result<&mut Conn> {
        self.conn
            .as_mut()
            .ok_or_else(|| Error::internal("a session without a connection"))
    }

    /// Prepares `sql` as it stands, its `?` being the only placeholders.
    ///
    /// # Errors
    /// `0A000` if the driver would change it.
    pub async fn prepare(&mut self, sql: &str) -> Result<Statement> {
        let sql = undisturbed(sql)?;
        self.clean = false;
        let prepared = self.conn()?.prep(sql).await;
        self.clean = matches!(prepared, Ok(_) | Err(mysql_async::Error::Server(_)));
        prepared.map_err(|e| self.shared.speaker().running(&e))
    }

    /// Gives it its settings and looks whether it has them.
    ///
    /// # Errors
    /// `08004` if a proxy swallowed them, and what the server says against them.
    pub async fn set_up(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let conn = self.conn()?;
        let failed = |e: mysql_async::Error| {
            shared
                .speaker()
                .running(&e)
                .context("the session could not be set up")
        };
        let version: Option<String> = conn.query_first("SELECT VERSION()").await.map_err(failed)?;
        let version = version.unwrap_or_default();
        let flavor = Flavor::of(&version);
        *shared
            .dialect
            .write()
            .unwrap_or_else(PoisonError::into_inner) = MySql {
            is_mariadb: flavor == Flavor::MariaDb,
            version: numbers(&version),
            zero_dates_null: shared.settings.mapping.zero_dates_null,
        };
        let collation = flavor.collation();
        // `net_write_timeout`: a reader that waits (for the build side of a join, for a slow
        // client) must not be cut off after the default 60 seconds.
        let settings = format!(
            "SET NAMES utf8mb4 COLLATE {collation}, SESSION sql_mode = '{SQL_MODE}', \
             SESSION time_zone = '+00:00', SESSION sql_select_limit = 18446744073709551615, \
             SESSION sql_auto_is_null = 0, SESSION sql_big_selects = 1, \
             SESSION max_sort_length = {SORT_BYTES_MAX}, SESSION net_write_timeout = 86400"
        );
        conn.query_drop(settings).await.map_err(failed)?;
        conn.query_drop("SET SESSION TRANSACTION READ ONLY")
            .await
            .map_err(failed)?;
        let check = format!(
            "SELECT @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.collation_connection, \
             IF(@@SESSION.{}, 'yes', 'no')",
            flavor.read_only_variable()
        );
        let found: Option<(String, String, String, String)> =
            conn.query_first(check).await.map_err(failed)?;
        let modes =
            |text: &str| -> BTreeSet<String> { text.split(',').map(str::to_owned).collect() };
        let as_set = found
            .as_ref()
            .is_some_and(|(mode, zone, names, read_only)| {
                modes(mode) == modes(SQL_MODE)
                    && zone == "+00:00"
                    && names == collation
                    && read_only == "yes"
            });
        if as_set {
            return Ok(());
        }
        // A proxy in between may swallow SET: then nothing that we send means what we think.
        Err(shared
            .speaker()
            .say(
                SqlState::ConnectionRejected,
                "the session does not have the settings that it was given",
            )
            .with_detail(format!("found {found:?}"))
            .with_hint("Connect to the server itself, not through a proxy that drops SET."))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(mut conn) = self.conn.take() else {
            return;
        };
        if !self.clean {
            // The driver closes a connection only after reading its result to the end, unless an
            // operation on it was broken off. So one is started and broken off.
            let _ = conn.ping().now_or_never();
            return;
        }
        // The driver says goodbye in a task, so it needs to see the runtime.
        let _on_io = self.shared.io.enter();
        drop(conn);
    }
}

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flavor {
    MariaDb,
    /// From 8.0.17 on it has a binary collation without padding.
    MySql {
        nopad: bool,
    },
}

impl Flavor {
    fn of(version: &str) -> Flavor {
        if version.to_ascii_lowercase().contains("mariadb") {
            return Flavor::MariaDb;
        }
        Flavor::MySql {
            nopad: numbers(version) >= (8, 0, 17),
        }
    }

    /// The collation of our literals; where a column is involved, its own wins.
    fn collation(self) -> &'static str {
        match self {
            Flavor::MariaDb => "utf8mb4_nopad_bin",
            Flavor::MySql { nopad: true } => "utf8mb4_0900_bin",
            Flavor::MySql { nopad: false } => "utf8mb4_bin",
        }
    }

    fn read_only_variable(self) -> &'static str {
        match self {
            Flavor::MariaDb => "tx_read_only",
            Flavor::MySql { .. } => "transaction_read_only",
        }
    }
}

/// Major, minor and patch of a version.
fn numbers(version: &str) -> (u32, u32, u32) {
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|n| n.parse().ok());
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

/// `sql`, perhaps behind a comment, such that the driver's search for `:name` finds nothing.
///
/// It takes a backslash for an escape, which it is not under `NO_BACKSLASH_ESCAPES`, so a name or
/// text that ends in one makes it see strings inside out, and `:name` in data would become a
/// placeholder. The comments are empty to the server; the driver reads on inside of what they seem
/// to open.
fn undisturbed(sql: &str) -> Result<Cow<'_, str>> {
    let untouched = |sql: &str| {
        ParsedNamedParams::parse(sql.as_bytes()).is_ok_and(|parsed| parsed.params().is_empty())
    };
    if untouched(sql) {
        return Ok(Cow::Borrowed(sql));
    }
    ["/**/ ", "/*+`*/ ", "/*+'*/ ", "/*+\"*/ "]
        .iter()
        .map(|comment| format!("{comment}{sql}"))
        .find(|candidate| untouched(candidate))
        .map(Cow::Owned)
        .ok_or_else(|| {
            Error::unsupported("the driver cannot send this statement unchanged").with_hint(
                "A name in it mixes backslashes, quotes, comment signs and colons; rename it or read it through a view.",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flavors() {
        assert_eq!(Flavor::of("10.11.19-MariaDB-0+deb12u1"), Flavor::MariaDb);
        assert_eq!(Flavor::of("8.0.36"), Flavor::MySql { nopad: true });
        assert_eq!(Flavor::of("8.0.16"), Flavor::MySql { nopad: false });
        assert_eq!(
            Flavor::of("9.1.0-commercial"),
            Flavor::MySql { nopad: true }
        );
        assert_eq!(Flavor::of("5.7.44-log"), Flavor::MySql { nopad: false });
    }

    #[test]
    fn the_driver_leaves_hostile_sql_alone() {
        for (sql, sent) in [
            ("SELECT `a` FROM `t` WHERE `a` = ?", None),
            ("SELECT ':a', `:b`, \":c\" FROM `t` WHERE x = ?", None),
            (r"SELECT '\', ':a' WHERE x = ?", Some("/**/ ")),
            (r"SELECT '\', ':a */ :b'", Some("/*+`*/ ")),
            (r"SELECT '\', ':a */ :b ` :c'", Some("/*+\"*/ ")),
        ] {
            let expected = format!("{}{sql}", sent.unwrap_or_default());
            assert_eq!(undisturbed(sql).unwrap(), expected);
            let parsed = ParsedNamedParams::parse(expected.as_bytes()).unwrap();
            assert_eq!(parsed.query(), expected.as_bytes());
        }
    }
}
