//! `SET` and `SHOW`: the settings of a session, and what each may be.

use std::collections::BTreeMap;
use std::time::Duration;

use inflowave_federation::Pushdown;
use inflowave_types::{Error, Result, SqlState};

use crate::isolation::Isolation;
use crate::suggest;

/// One setting that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// As PostgreSQL spells it; compared without case.
    pub name: &'static str,
    pub default: &'static str,
    pub doc: &'static str,
    /// Told to clients when a session starts and when it changes.
    pub reported: bool,
    check: Check,
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

#[derive(Debug, Clone, Copy)]
enum Check {
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

const ON_OFF: Check = Check::OneOf(&["on", "off"]);

/// Every setting, in the order of `SHOW ALL`.
pub(crate) const SPECS: &[Spec] = &[
    reported(
        "application_name",
        "",
        Check::Any,
        "The client's name for itself.",
    ),
    spec(
        "bytea_output",
        "hex",
        Check::Only("bytea is printed in hex"),
        "Form of bytea in text.",
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
        Check::Any,
        "Least severity of messages sent.",
    ),
    reported(
        "DateStyle",
        "ISO, MDY",
        Check::Only("dates are printed as ISO, MDY"),
        "Form of dates in text.",
    ),
    spec(
        "default_transaction_isolation",
        "read committed",
        Check::OneOf(&Isolation::NAMES),
        "Isolation of new transactions.",
    ),
    spec(
        "default_transaction_read_only",
        "on",
        Check::Only("every transaction is read-only"),
        "New transactions are read-only.",
    ),
    spec(
        "extra_float_digits",
        "1",
        Check::Any,
        "Floats are always printed so that they read back equal.",
    ),
    spec(
        "inflowave.pushdown",
        "on",
        Check::OneOf(&Pushdown::NAMES),
        "Whether sources do work: on, off, or verify (both, and a difference is an error).",
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
        "search_path",
        "\"$user\", public",
        Check::Any,
        "Kept for clients; names without a schema are looked up in the catalog's default schema.",
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
        Check::Fixed,
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
    reported(
        "TimeZone",
        "UTC",
        Check::TimeZone,
        "Time zone of the session.",
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
];

/// The values of one session: only what differs from the defaults is held.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    changed: BTreeMap<&'static str, String>,
}

impl Settings {
    /// Finds a setting by name, without case.
    ///
    /// # Errors
    /// `42704` naming the nearest.
    pub fn find(name: &str) -> Result<&'static Spec> {
        SPECS
            .iter()
            .find(|s| s.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                let names: Vec<String> = SPECS.iter().map(|s| s.name.to_owned()).collect();
                Error::new(
                    SqlState::UndefinedObject,
                    format!("unrecognized configuration parameter \"{name}\""),
                )
                .with_hint(suggest::hint("setting", name, &names))
            })
    }

    pub fn get(&self, spec: &'static Spec) -> &str {
        self.changed
            .get(spec.name)
            .map_or(spec.default, String::as_str)
    }

    fn named(&self, name: &str) -> &str {
        Settings::find(name).map_or("", |spec| self.get(spec))
    }

    /// # Errors
    /// `42704` for an unknown name, `22023` for a value that is not valid, naming the valid ones.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&'static Spec> {
        let spec = Settings::find(name)?;
        let value = checked(spec, value)?;
        self.force(spec, value);
        Ok(spec)
    }

    /// Without the check: for what the server itself knows (`session_authorization`).
    pub fn force(&mut self, spec: &'static Spec, value: String) {
        self.changed.insert(spec.name, value);
    }

    pub fn reset(&mut self, spec: &'static Spec) {
        self.changed.remove(spec.name);
    }

    pub fn reset_all(&mut self) {
        self.changed
            .retain(|name, _| matches!(*name, "session_authorization" | "is_superuser"));
    }

    pub fn pushdown(&self) -> Pushdown {
        self.named("inflowave.pushdown").parse().unwrap_or_default()
    }

    /// Of transactions that name no isolation.
    pub fn default_isolation(&self) -> Isolation {
        let name = self.named("default_transaction_isolation");
        name.parse().unwrap_or_default()
    }

    pub fn time_zone(&self) -> &str {
        self.named("TimeZone")
    }

    pub fn statement_timeout(&self) -> Option<Duration> {
        match milliseconds(self.named("statement_timeout")) {
            None | Some(0) => None,
            Some(ms) => Some(Duration::from_millis(ms)),
        }
    }

    pub fn reported(&self) -> Vec<(String, String)> {
        SPECS
            .iter()
            .filter(|s| s.reported)
            .map(|s| (s.name.to_owned(), self.get(s).to_owned()))
            .collect()
    }
}

fn checked(spec: &'static Spec, value: &str) -> Result<String> {
    let invalid = |hint: String| {
        Err(Error::new(
            SqlState::InvalidParameterValue,
            format!("invalid value for parameter \"{}\": \"{value}\"", spec.name),
        )
        .with_hint(hint))
    };
    match spec.check {
        Check::Any => Ok(value.to_owned()),
        Check::Fixed => Err(Error::new(
            SqlState::InvalidParameterValue,
            format!("parameter \"{}\" cannot be changed", spec.name),
        )),
        Check::OneOf(words) => match words.iter().find(|w| w.eq_ignore_ascii_case(value)) {
            Some(word) => Ok((*word).to_owned()),
            None => invalid(format!("Available values: {}.", words.join(", "))),
        },
        Check::Only(reason) => {
            let (given, only) = (plain(value), plain(spec.default));
            // `SET DateStyle = ISO` means what is so already.
            if !given.is_empty() && only.starts_with(&given) {
                Ok(spec.default.to_owned())
            } else {
                invalid(format!("The only value is {}: {reason}.", spec.default))
            }
        }
        Check::Encoding => match plain(value).as_str() {
            "utf8" | "unicode" => Ok("UTF8".to_owned()),
            "sqlascii" => Ok("SQL_ASCII".to_owned()),
            _ => invalid("Only UTF8 is spoken; SQL_ASCII takes its bytes as they are.".to_owned()),
        },
        Check::TimeZone => match value.parse::<chrono_tz::Tz>() {
            Ok(tz) => Ok(tz.name().to_owned()),
            Err(_) => match offset(value) {
                Some(offset) => Ok(offset),
                None => invalid(
                    "A time zone is a name such as Europe/Warsaw, or an offset such as +02:00."
                        .to_owned(),
                ),
            },
        },
        Check::Milliseconds => match milliseconds(value) {
            Some(ms) => Ok(ms.to_string()),
            None => invalid("It is a whole number of milliseconds, or such as 5s or 2min.".into()),
        },
    }
}

/// As PostgreSQL reads the name of an encoding: asyncpg sends `'utf-8'`, quotes and all.
fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// `+02:00` from `+2`, `+02:00`, `-0330`.
fn offset(text: &str) -> Option<String> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => ('+', &text[1..]),
        b'-' => ('-', &text[1..]),
        _ => return None,
    };
    let (h, m) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at(2),
        None => (rest, "0"),
    };
    let (h, m): (u8, u8) = (h.parse().ok()?, m.parse().ok()?);
    (h <= 15 && m < 60).then(|| format!("{sign}{h:02}:{m:02}"))
}

fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..split].parse().ok()?;
    let unit = match text[split..].trim() {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_and_names_suggested() {
        let mut settings = Settings::default();
        settings.set("INFLOWAVE.PUSHDOWN", "Verify").unwrap();
        assert_eq!(settings.pushdown(), Pushdown::Verify);
        let e = settings.set("inflowave.pushdown", "maybe").unwrap_err();
        assert_eq!(e.hint(), Some("Available values: on, off, verify."));
        let e = settings.set("inflowave.pushdwn", "on").unwrap_err();
        assert_eq!(e.sqlstate().code(), "42704");
        assert_eq!(
            e.hint(),
            Some("Perhaps you meant the setting \"inflowave.pushdown\".")
        );
        assert!(
            settings
                .set("datafusion.execution.batch_size", "1")
                .is_err()
        );
    }

    #[test]
    fn time_zones_and_timeouts() {
        let mut settings = Settings::default();
        settings.set("timezone", "Europe/Warsaw").unwrap();
        assert_eq!(settings.time_zone(), "Europe/Warsaw");
        settings.set("timezone", "+2").unwrap();
        assert_eq!(settings.time_zone(), "+02:00");
        assert!(settings.set("timezone", "Mars/Olympus").is_err());
        settings.set("statement_timeout", "5s").unwrap();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(5)));
    }

    #[test]
    fn what_clients_set_by_habit_is_taken() {
        let mut settings = Settings::default();
        for (name, value) in [
            ("client_encoding", "utf-8"),
            ("client_encoding", "'utf-8'"),
            ("DateStyle", "ISO"),
            ("extra_float_digits", "3"),
            ("standard_conforming_strings", "on"),
        ] {
            settings.set(name, value).unwrap();
        }
        settings.set("client_encoding", "SQL_ASCII").unwrap();
        assert_eq!(settings.named("client_encoding"), "SQL_ASCII");
        assert!(settings.set("client_encoding", "LATIN1").is_err());
    }
}
