//! The settings that there are, and what each may be.

use inflowave_federation::Pushdown;

use crate::isolation::Isolation;

/// One setting that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// As PostgreSQL spells it; compared without case.
    pub name: &'static str,
    pub default: &'static str,
    pub doc: &'static str,
    /// Told to clients when a session starts and when it changes.
    pub reported: bool,
    pub check: Check,
}

impl Spec {
    /// Can a client give it another value?
    pub fn settable(&self) -> bool {
        !matches!(self.check, Check::Fixed)
    }

    /// The only values, if there are no others.
    pub fn choices(&self) -> &'static [&'static str] {
        match self.check {
            Check::OneOf(choices) => choices,
            _ => &[],
        }
    }
}

/// What a setting may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Check {
    /// Any text.
    Any,
    /// Any text, and nothing here depends on it.
    Fixed,
    OneOf(&'static [&'static str]),
    /// A value other than the default is refused, with this reason.
    Only(&'static str),
    /// UTF8, or SQL_ASCII: bytes as they are, and they are UTF8.
    Encoding,
    TimeZone,
    Milliseconds,
    /// Names of schemas, with commas between them.
    SearchPath,
    /// A whole number of this range; a unit behind it is left out.
    Integer(i64, i64),
}

const fn spec(name: &'static str, default: &'static str, check: Check, doc: &'static str) -> Spec {
    Spec {
        name,
        default,
        doc,
        reported: false,
        check,
    }
}

const fn reported(
    name: &'static str,
    default: &'static str,
    check: Check,
    doc: &'static str,
) -> Spec {
    Spec {
        reported: true,
        ..spec(name, default, check, doc)
    }
}

pub(crate) const ON_OFF_WORDS: &[&str] = &["on", "off"];
const ON_OFF: Check = Check::OneOf(ON_OFF_WORDS);

/// Every setting, in the order of `SHOW ALL`.
pub(crate) const SPECS: &[Spec] = &[
    reported(
        "application_name",
        "",
        Check::Any,
        "The client's name for itself.",
    ),
    spec(
        "array_nulls",
        "on",
        Check::Only("NULL in the text of an array is NULL"),
        "NULL in the text of an array is NULL.",
    ),
    spec(
        "backslash_quote",
        "safe_encoding",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "bytea_output",
        "hex",
        Check::Only("bytea is printed in hex"),
        "Form of bytea in text.",
    ),
    spec(
        "check_function_bodies",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "client_connection_check_interval",
        "0",
        Check::Milliseconds,
        "Kept for clients; that a client is gone is seen at once.",
    ),
    reported(
        "client_encoding",
        "UTF8",
        Check::Encoding,
        "The client's encoding.",
    ),
    spec(
        "client_min_messages",
        "notice",
        Check::OneOf(&[
            "debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error",
        ]),
        "Least severity of messages sent.",
    ),
    spec(
        "constraint_exclusion",
        "partition",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    reported(
        "DateStyle",
        "ISO, MDY",
        Check::Only("dates are printed as ISO, MDY"),
        "Form of dates in text.",
    ),
    spec(
        "default_table_access_method",
        "heap",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "default_tablespace",
        "",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "default_text_search_config",
        "pg_catalog.english",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "default_transaction_deferrable",
        "off",
        ON_OFF,
        "Kept for clients; nothing waits for writers here.",
    ),
    spec(
        "default_transaction_isolation",
        "read committed",
        Check::OneOf(&Isolation::NAMES),
        "Isolation of new transactions.",
    ),
    reported(
        "default_transaction_read_only",
        "on",
        Check::Only("every transaction is read-only"),
        "New transactions are read-only.",
    ),
    spec(
        "default_with_oids",
        "off",
        Check::Only("no table has oids"),
        "New tables have oids.",
    ),
    spec(
        "enable_bitmapscan",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "enable_hashjoin",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "enable_indexscan",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "enable_mergejoin",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "enable_nestloop",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "enable_seqscan",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "escape_string_warning",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "extra_float_digits",
        "1",
        Check::Any,
        "Floats are always printed so that they read back equal.",
    ),
    spec(
        "force_parallel_mode",
        "off",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "geqo",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "idle_in_transaction_session_timeout",
        "0",
        Check::Milliseconds,
        "A session that is idle in a transaction for longer is ended; 0 is never.",
    ),
    spec(
        "idle_session_timeout",
        "0",
        Check::Milliseconds,
        "A session that is idle outside of a transaction for longer is ended; 0 is never.",
    ),
    spec(
        "inflowave.pushdown",
        "on",
        Check::OneOf(&Pushdown::NAMES),
        "Whether sources do work: on, off, or verify (both, and a difference is an error).",
    ),
    reported(
        "in_hot_standby",
        "off",
        Check::Fixed,
        "The server repeats no other one.",
    ),
    reported(
        "integer_datetimes",
        "on",
        Check::Fixed,
        "Times are whole microseconds.",
    ),
    reported(
        "IntervalStyle",
        "postgres",
        Check::Only("intervals are printed in style postgres"),
        "Form of intervals in text.",
    ),
    reported(
        "is_superuser",
        "off",
        Check::Fixed,
        "Whether the user is a superuser.",
    ),
    spec(
        "jit",
        "off",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "lc_collate",
        "C",
        Check::Fixed,
        "Texts are compared by code point.",
    ),
    spec(
        "lc_ctype",
        "C.UTF-8",
        Check::Fixed,
        "Letters are those of Unicode.",
    ),
    spec(
        "lc_messages",
        "C",
        Check::Any,
        "Kept for clients; messages are in English.",
    ),
    spec(
        "lc_monetary",
        "C",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "lc_numeric",
        "C",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "lc_time",
        "C",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "lo_compat_privileges",
        "off",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "lock_timeout",
        "0",
        Check::Milliseconds,
        "Kept for clients; nothing waits for locks here.",
    ),
    spec(
        "max_identifier_length",
        "63",
        Check::Fixed,
        "Bytes of a name.",
    ),
    spec("max_index_keys", "32", Check::Fixed, "Columns of an index."),
    spec(
        "max_parallel_workers_per_gather",
        "2",
        Check::Integer(0, 1024),
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "password_encryption",
        "scram-sha-256",
        Check::Only("passwords are kept as SCRAM-SHA-256 verifiers"),
        "How passwords are kept.",
    ),
    spec(
        "quote_all_identifiers",
        "off",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "random_page_cost",
        "4",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "role",
        "none",
        Check::Any,
        "The role whose privileges count; none is the user's own.",
    ),
    spec(
        "row_security",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "search_path",
        "\"$user\", public",
        Check::SearchPath,
        "The schemas in which a name without one is looked up, one after the other.",
    ),
    reported(
        "server_encoding",
        "UTF8",
        Check::Fixed,
        "The server's encoding.",
    ),
    reported(
        "server_version",
        "15.0 (InfloWave)",
        Check::Fixed,
        "The PostgreSQL version whose meaning is followed.",
    ),
    spec(
        "server_version_num",
        "150000",
        Check::Fixed,
        "The same as a number.",
    ),
    reported(
        "session_authorization",
        "",
        Check::Any,
        "The user of the session.",
    ),
    reported(
        "standard_conforming_strings",
        "on",
        Check::Only("backslashes in '...' stand for themselves"),
        "Backslashes in string literals.",
    ),
    spec(
        "statement_timeout",
        "0",
        Check::Milliseconds,
        "A statement that runs longer is canceled; 0 is never.",
    ),
    spec(
        "synchronize_seqscans",
        "on",
        ON_OFF,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "synchronous_commit",
        "on",
        Check::Any,
        "Kept for clients; what was acknowledged is on the disk.",
    ),
    reported(
        "TimeZone",
        "UTC",
        Check::TimeZone,
        "Time zone of the session.",
    ),
    spec(
        "timezone_abbreviations",
        "Default",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "transaction_deferrable",
        "off",
        ON_OFF,
        "Kept for clients; nothing waits for writers here.",
    ),
    spec(
        "transaction_isolation",
        "read committed",
        Check::OneOf(&Isolation::NAMES),
        "Isolation of the transaction: from repeatable read on, a source that has snapshots is read in one state.",
    ),
    spec(
        "transaction_read_only",
        "on",
        ON_OFF,
        "Whether the transaction is read-only.",
    ),
    spec(
        "work_mem",
        "4MB",
        Check::Any,
        "Kept for clients; the memory of queries is limits.memory_bytes_max.",
    ),
    spec(
        "xmlbinary",
        "base64",
        Check::Any,
        "Kept for clients; nothing here depends on it.",
    ),
    spec(
        "xmloption",
        "content",
        Check::OneOf(&["content", "document"]),
        "Kept for clients; nothing here depends on it.",
    ),
];
