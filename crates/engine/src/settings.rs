//! `SET` and `SHOW`: the settings of a session, and what each may be.

use std::collections::BTreeMap;
use std::time::Duration;

use inflowave_federation::Pushdown;
use inflowave_query_api::Severity;
use inflowave_types::{Error, Result, SqlState};

use crate::isolation::Isolation;
use crate::search_path;
use crate::specs::{Check, ON_OFF_WORDS, SPECS, Spec};
use crate::suggest;

/// The values of one session: only what differs from the defaults is held.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    changed: BTreeMap<&'static str, String>,
    /// What the session started with, where it is not the default: `RESET` goes back to it.
    initial: BTreeMap<&'static str, String>,
    /// The path that means the catalog's default schema.
    default_path: String,
    /// Settings of clients' own: any name with a class before a point, any text.
    custom: BTreeMap<String, String>,
}

/// The value of `role` while the session is its user.
pub(crate) const NO_ROLE: &str = "none";
/// The class of this server's own settings: those that are not there are mistakes.
const OWN_CLASS: &str = "inflowave.";
/// Settings of a client's own that a session keeps, and the bytes of one, at most.
const CUSTOM_MAX: usize = 1_000;
const CUSTOM_BYTES_MAX: usize = 64 << 10;

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
        let value = self.changed.get(spec.name);
        let value = value.or_else(|| self.initial.get(spec.name));
        value.map_or(spec.default, String::as_str)
    }

    /// The value of a setting of any kind, and its name as `SHOW` heads its column.
    ///
    /// # Errors
    /// `42704`.
    pub fn show(&self, name: &str) -> Result<(String, String)> {
        if let Some(value) = self.custom.get(&name.to_lowercase()) {
            return Ok((name.to_lowercase(), value.clone()));
        }
        let spec = Settings::find(name)?;
        Ok((spec.name.to_owned(), self.get(spec).to_owned()))
    }

    fn named(&self, name: &str) -> &str {
        Settings::find(name).map_or("", |spec| self.get(spec))
    }

    /// Gives the name as it is spelled.
    ///
    /// # Errors
    /// `42704` for an unknown name, `22023` for a value that is not valid, naming the valid ones.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&'static str> {
        if is_custom(name) {
            self.set_custom(name, value)?;
            return Ok("");
        }
        let spec = Settings::find(name)?;
        let value = checked(spec, value)?;
        self.force(spec, value);
        Ok(spec.name)
    }

    /// As [`Settings::set`], and without its effect.
    ///
    /// # Errors
    /// Those of [`Settings::set`].
    pub fn check(&self, name: &str, value: &str) -> Result<()> {
        self.clone().set(name, value).map(|_| ())
    }

    fn set_custom(&mut self, name: &str, value: &str) -> Result<()> {
        let beyond = |what: String| {
            Err(Error::new(SqlState::ConfigurationLimitExceeded, what)
                .with_hint("Keep what is large in a table."))
        };
        if name.len() + value.len() > CUSTOM_BYTES_MAX {
            return beyond(format!(
                "a setting of your own can take at most {CUSTOM_BYTES_MAX} bytes"
            ));
        }
        let name = name.to_lowercase();
        if self.custom.len() >= CUSTOM_MAX && !self.custom.contains_key(&name) {
            return beyond(format!(
                "a session can have at most {CUSTOM_MAX} settings of its own"
            ));
        }
        self.custom.insert(name, value.to_owned());
        Ok(())
    }

    /// Without the check: for what the server itself knows (`session_authorization`).
    pub fn force(&mut self, spec: &'static Spec, value: String) {
        self.changed.insert(spec.name, value);
    }

    /// What is set now is what `RESET` goes back to; the schema in which this database looks names
    /// up is one of it.
    pub fn start(&mut self, default_schema: &str) {
        self.default_path = search_path::default_text(default_schema);
        self.initial = std::mem::take(&mut self.changed);
        let default = self.default_path.clone();
        self.initial.entry("search_path").or_insert(default);
    }

    /// # Errors
    /// `42704`; `55P02` for one that cannot be changed.
    pub fn reset(&mut self, name: &str) -> Result<&'static str> {
        if is_custom(name) {
            if let Some(value) = self.custom.get_mut(&name.to_lowercase()) {
                value.clear();
            }
            return Ok("");
        }
        let spec = Settings::find(name)?;
        if matches!(spec.check, Check::Fixed) {
            return Err(Error::new(
                SqlState::CantChangeRuntimeParam,
                format!("parameter \"{}\" cannot be changed", spec.name),
            ));
        }
        self.changed.remove(spec.name);
        Ok(spec.name)
    }

    pub fn reset_all(&mut self) {
        self.changed
            .retain(|name, _| matches!(*name, "session_authorization" | "is_superuser" | "role"));
        self.custom.values_mut().for_each(String::clear);
    }

    /// Names are looked up in the catalog's default schema, whatever the session says.
    pub fn without_own_path(&mut self) {
        let default = self.default_path.clone();
        self.changed.insert("search_path", default);
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

    pub fn user(&self) -> &str {
        self.named("session_authorization")
    }

    /// The current role: what the session has become, or its user.
    pub fn role(&self) -> &str {
        match self.named("role") {
            NO_ROLE => self.user(),
            role => role,
        }
    }

    /// The schemas in which a name without one is looked up; `None` while that is the default schema
    /// of the catalog, as it is where nobody has said otherwise.
    pub fn search_path(&self) -> Option<Vec<String>> {
        let text = self.named("search_path");
        if text == self.default_path {
            return None;
        }
        search_path::parse(text).ok()
    }

    pub fn statement_timeout(&self) -> Option<Duration> {
        self.duration("statement_timeout")
    }

    /// Does the client want to be told of this?
    pub fn wants(&self, severity: Severity) -> bool {
        match self.named("client_min_messages") {
            "error" => false,
            "warning" => severity == Severity::Warning,
            _ => true,
        }
    }

    /// How long a session may do nothing: in a transaction, and outside of one.
    pub fn idle_timeout(&self, in_transaction: bool) -> Option<Duration> {
        self.duration(match in_transaction {
            true => "idle_in_transaction_session_timeout",
            false => "idle_session_timeout",
        })
    }

    fn duration(&self, name: &str) -> Option<Duration> {
        match milliseconds(self.named(name)) {
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

/// Is it a name that only a client gives meaning to?
fn is_custom(name: &str) -> bool {
    let known = SPECS.iter().any(|s| s.name.eq_ignore_ascii_case(name));
    let mut parts = name.split('.');
    let word = |part: &str| {
        let first = part.chars().next();
        first.is_some_and(|c| c.is_alphabetic() || c == '_')
    };
    let lower = name.to_lowercase();
    !known
        && name.contains('.')
        && !lower.starts_with(OWN_CLASS)
        && !lower.starts_with("datafusion.")
        && parts.all(word)
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
            SqlState::CantChangeRuntimeParam,
            format!("parameter \"{}\" cannot be changed", spec.name),
        )),
        Check::OneOf(words) if words == ON_OFF_WORDS => match boolean(value) {
            Some(on) => Ok(if on { "on" } else { "off" }.to_owned()),
            None => Err(Error::new(
                SqlState::InvalidParameterValue,
                format!("parameter \"{}\" requires a Boolean value", spec.name),
            )),
        },
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
        Check::SearchPath => {
            let names = search_path::parse(value)?;
            Ok(search_path::written(&names))
        }
        Check::Integer(least, most) => match plain_number(value) {
            Some(n) if (least..=most).contains(&n) => Ok(n.to_string()),
            _ => invalid(format!("It is a whole number from {least} to {most}.")),
        },
        Check::Milliseconds => match milliseconds(value) {
            Some(ms) => Ok(ms.to_string()),
            None => invalid("It is a whole number of milliseconds, or such as 5s or 2min.".into()),
        },
    }
}

/// As PostgreSQL reads the Boolean of a setting: a word, or the beginning of one.
fn boolean(text: &str) -> Option<bool> {
    let text = text.trim().to_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if begins("true", 1) || begins("yes", 1) || text == "on" || text == "1" {
        return Some(true);
    }
    let off = begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0";
    off.then_some(false)
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

fn plain_number(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    text[..digits].trim().parse().ok()
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
