//! The file as written, held against [`KEYS`], and what it comes to. Each error says the line.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use inflowave_types::{Error, Result, Secret};
use toml::de::{DeTable, DeValue};

use crate::keys::{KEYS, Key, KeyKind, SECTIONS};
use crate::{
    Access, Catalog, Config, Limits, Log, LogFormat, Secrets, Server, Tls, config_error,
    is_url_root, reference,
};

/// Names that no catalog of the file can have: they are the server's own.
const RESERVED: [&str; 2] = ["inflowave", "system"];

pub(crate) fn parse(text: &str, base_dir: &Path) -> Result<Config> {
    let lines = Lines(text);
    let file = DeTable::parse(text).map_err(|e| {
        let place = e.span().unwrap_or_default();
        lines.error(place, e.message().trim())
    })?;
    let mut given = Given {
        values: BTreeMap::new(),
    };
    let mut catalogs = Vec::new();
    for (name, value) in file.get_ref() {
        let (section, place) = (name.get_ref().as_ref(), name.span());
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("\"{section}\" stands outside of a section");
            return Err(lines.error(place, &message).with_hint(sections_hint()));
        };
        if section == "catalog" {
            for (name, value) in table {
                catalogs.push(catalog(&lines, name, value, base_dir)?);
            }
            continue;
        }
        if !SECTIONS.iter().any(|s| s.name == section) {
            let message = format!("unknown section [{section}]");
            return Err(lines.error(place, &message).with_hint(sections_hint()));
        }
        given.section(&lines, section, table)?;
    }
    let limits = Limits {
        memory_bytes_max: given.number("limits", "memory_bytes_max"),
        spill_bytes_max: given.number("limits", "spill_bytes_max"),
        sessions_max: given.size("limits", "sessions_max"),
        sessions_reserved: given.size("limits", "sessions_reserved"),
        statement_bytes_max: given.size("limits", "statement_bytes_max"),
        statement_depth_max: given.size("limits", "statement_depth_max"),
        metadata_ttl_s: given.number("limits", "metadata_ttl_s"),
        batch_rows: given.size("limits", "batch_rows"),
        history_rows_max: given.size("limits", "history_rows_max"),
    };
    let server = Server {
        pg_listen: given.address("server", "pg_listen"),
        data_dir: base_dir.join(given.text("server", "data_dir")),
        file_roots: joined(given.texts("server", "file_roots"), base_dir),
        url_roots: given.texts("server", "url_roots"),
        limits,
    };
    let some = |text: String| Some(text).filter(|t| !t.is_empty());
    let access = Access {
        superuser: some(given.text("access", "superuser")),
        superuser_password: some(given.text("access", "superuser_password")).map(Secret::new),
        rules: given.texts("access", "rules"),
    };
    let file = |key| some(given.text("tls", key)).map(|p| base_dir.join(p));
    let tls = Tls {
        certificate: file("certificate"),
        key: file("key"),
        client_authorities: file("client_authorities"),
    };
    let secrets = Secrets {
        env_prefixes: given.texts("secrets", "env_prefixes"),
        file_roots: joined(given.texts("secrets", "file_roots"), base_dir),
        allow_literals: given.boolean("secrets", "allow_literals"),
    };
    let log = Log {
        format: match given.text("log", "format").as_str() {
            "json" => LogFormat::Json,
            _ => LogFormat::Text,
        },
        filter: given.text("log", "filter"),
        statements: given.boolean("log", "statements"),
    };
    Ok(Config {
        server,
        access,
        tls,
        secrets,
        log,
        catalogs,
        base_dir: base_dir.to_owned(),
        file: None,
    })
}

fn sections_hint() -> String {
    let names: Vec<String> = SECTIONS.iter().map(|s| format!("[{}]", s.name)).collect();
    format!("The sections are: {} and [catalog.NAME].", names.join(", "))
}

fn joined(paths: Vec<String>, base_dir: &Path) -> Vec<PathBuf> {
    // Taken apart and put together, a path has no `.` in it.
    let joined = |p: String| base_dir.join(p).components().collect();
    paths.into_iter().map(joined).collect()
}

/// Tells on which line something stands.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    /// From 1.
    fn line(&self, place: &Range<usize>) -> usize {
        let before = self.0.as_bytes().get(..place.start).unwrap_or_default();
        1 + before.iter().filter(|b| **b == b'\n').count()
    }

    fn error(&self, place: Range<usize>, message: &str) -> Error {
        config_error(format!("line {}: {message}", self.line(&place)))
    }
}

/// A value that fits its key.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Texts(Vec<String>),
    Boolean(bool),
    Number(u64),
}

/// The values of the file, by section and key.
struct Given {
    values: BTreeMap<(&'static str, &'static str), Value>,
}

impl Given {
    fn section(&mut self, lines: &Lines<'_>, section: &str, table: &DeTable<'_>) -> Result<()> {
        for (name, value) in table {
            let keys = || KEYS.iter().filter(|k| k.section == section);
            let Some(key) = keys().find(|k| k.name == name.get_ref().as_ref()) else {
                let names: Vec<&str> = keys().map(|k| k.name).collect();
                let message = format!("unknown key \"{}\" in [{section}]", name.get_ref());
                return Err(lines.error(name.span(), &message).with_hint(format!(
                    "The keys of [{section}] are: {}.",
                    names.join(", ")
                )));
            };
            let Some(read) = read(key.kind, value.get_ref()) else {
                let written = lines.0.get(value.span()).unwrap_or_default();
                let message = format!("invalid value {written} for {section}.{}", key.name);
                return Err(lines
                    .error(name.span(), &message)
                    .with_hint(format!("Valid is {}.", key.kind.valid())));
            };
            self.values.insert((key.section, key.name), read);
        }
        Ok(())
    }

    /// The value of a key, or its default.
    fn value(&self, section: &'static str, name: &'static str) -> Value {
        let given = self.values.get(&(section, name)).cloned();
        given.unwrap_or_else(|| default_of(section, name))
    }

    fn number(&self, section: &'static str, name: &'static str) -> u64 {
        match self.value(section, name) {
            Value::Number(n) => n,
            other => unreachable!("{section}.{name} is {other:?}"),
        }
    }

    fn size(&self, section: &'static str, name: &'static str) -> usize {
        usize::try_from(self.number(section, name)).unwrap_or(usize::MAX)
    }

    fn boolean(&self, section: &'static str, name: &'static str) -> bool {
        self.value(section, name) == Value::Boolean(true)
    }

    fn text(&self, section: &'static str, name: &'static str) -> String {
        match self.value(section, name) {
            Value::Text(text) => text,
            other => unreachable!("{section}.{name} is {other:?}"),
        }
    }

    fn texts(&self, section: &'static str, name: &'static str) -> Vec<String> {
        match self.value(section, name) {
            Value::Texts(texts) => texts,
            other => unreachable!("{section}.{name} is {other:?}"),
        }
    }

    fn address(&self, section: &'static str, name: &'static str) -> SocketAddr {
        let text = self.text(section, name);
        text.parse()
            .unwrap_or_else(|e| unreachable!("{section}.{name} is {text}: {e}"))
    }
}

/// The default that the table says.
///
/// # Panics
/// If the table has no such key, or a default that does not fit it: reading any file, an empty one
/// too, asks for every key, so that the tests of this module find it.
fn default_of(section: &str, name: &str) -> Value {
    let key = KEYS.iter().find(|k| k.section == section && k.name == name);
    let read = |key: &Key| read(key.kind, DeValue::parse(key.default).ok()?.get_ref());
    key.and_then(read)
        .unwrap_or_else(|| unreachable!("{section}.{name} has no default"))
}

/// A value as its key wants it; `None` if it is none.
fn read(kind: KeyKind, value: &DeValue<'_>) -> Option<Value> {
    let texts = |value: &DeValue<'_>| -> Option<Vec<String>> {
        let DeValue::Array(items) = value else {
            return None;
        };
        let text = |item: &DeValue<'_>| item.as_str().map(str::to_owned);
        items.iter().map(|item| text(item.get_ref())).collect()
    };
    Some(match kind {
        KeyKind::Address => {
            let text = value.as_str()?;
            text.parse::<SocketAddr>().ok()?;
            Value::Text(text.to_owned())
        }
        KeyKind::Choice(choices) => {
            let text = value.as_str().filter(|text| choices.contains(text))?;
            Value::Text(text.to_owned())
        }
        KeyKind::Path | KeyKind::Text => Value::Text(value.as_str()?.to_owned()),
        KeyKind::Paths => Value::Texts(texts(value)?),
        KeyKind::Urls => {
            let texts = texts(value)?;
            if !texts.iter().all(|text| is_url_root(text)) {
                return None;
            }
            Value::Texts(texts)
        }
        KeyKind::Texts => {
            let texts = texts(value)?;
            if texts.iter().any(String::is_empty) {
                return None;
            }
            Value::Texts(texts)
        }
        KeyKind::Boolean => Value::Boolean(value.as_bool()?),
        KeyKind::Integer { min, max } => {
            let n = integer(value).and_then(|n| u64::try_from(n).ok())?;
            (min..=max).contains(&n).then_some(Value::Number(n))?
        }
    })
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok(),
        _ => None,
    }
}

fn catalog(
    lines: &Lines<'_>,
    name: &toml::Spanned<toml::de::DeString<'_>>,
    value: &toml::Spanned<DeValue<'_>>,
    base_dir: &Path,
) -> Result<Catalog> {
    let (place, name) = (name.span(), name.get_ref().as_ref());
    let DeValue::Table(table) = value.get_ref() else {
        let message = format!("catalog.{name} is no section");
        let hint = format!("Write [catalog.{name}], and its connector and parameters below.");
        return Err(lines.error(place, &message).with_hint(hint));
    };
    if RESERVED.contains(&name) {
        let message = format!("catalog name \"{name}\" is the server's own");
        return Err(lines
            .error(place, &message)
            .with_hint("Choose a name other than inflowave and system."));
    }
    let mut connector = None;
    let (mut params, mut params_lines) = (Vec::new(), BTreeMap::new());
    for (key, value) in table {
        let (place, key) = (key.span(), key.get_ref().to_string());
        params_lines.insert(key.clone(), lines.line(&place));
        let text = match value.get_ref() {
            DeValue::String(text) if key == "connector" => {
                connector = Some(text.to_string());
                continue;
            }
            DeValue::String(text) => reference::resolve(text, base_dir).map_err(|e| {
                e.context(format!("line {}: catalog.{name}.{key}", lines.line(&place)))
            })?,
            DeValue::Boolean(b) if key != "connector" => Secret::new(b.to_string()),
            other => match integer(other).filter(|_| key != "connector") {
                Some(n) => Secret::new(n.to_string()),
                None => {
                    let message = format!("catalog.{name}.{key} is a value of another type");
                    let valid = match key.as_str() {
                        "connector" => "Valid is the name of a connector, as text.",
                        _ => "Valid is a text, a whole number, or true or false.",
                    };
                    return Err(lines.error(place, &message).with_hint(valid));
                }
            },
        };
        params.push((key, text));
    }
    let Some(connector) = connector else {
        let message = format!("catalog \"{name}\" has no connector");
        return Err(lines
            .error(place, &message)
            .with_hint("Add a line such as connector = \"postgres\"."));
    };
    Ok(Catalog {
        name: name.to_owned(),
        connector,
        params,
        line: lines.line(&place),
        lines: params_lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        super::parse(text, Path::new("/etc"))
    }

    #[track_caller]
    fn error(text: &str) -> (String, String) {
        let e = parse(text).unwrap_err();
        assert_eq!(e.sqlstate().code(), "F0000");
        (
            e.message().to_owned(),
            e.hint().unwrap_or_default().to_owned(),
        )
    }

    #[test]
    fn an_empty_file_gives_the_defaults_of_the_code() {
        let (read, code) = (parse("").unwrap(), Config::default());
        assert_eq!(read.server.limits, code.server.limits);
        assert_eq!(read.server.pg_listen, code.server.pg_listen);
        assert_eq!(
            read.server.data_dir,
            Path::new("/etc").join(code.server.data_dir)
        );
        assert_eq!(read.server.file_roots, code.server.file_roots);
        assert_eq!(read.server.url_roots, code.server.url_roots);
        assert_eq!(read.secrets, code.secrets);
        assert_eq!(read.log, code.log);
    }

    #[test]
    fn every_key_has_a_default_and_an_example_that_fit_and_a_section() {
        for key in KEYS {
            let fits = |text: &str| {
                let value = DeValue::parse(text).unwrap();
                read(key.kind, value.get_ref()).is_some()
            };
            let name = format!("{}.{}", key.section, key.name);
            assert!(fits(key.default) && fits(key.example), "{name}");
            assert!(SECTIONS.iter().any(|s| s.name == key.section), "{name}");
            assert!(key.doc.ends_with('.'), "{name}");
            // A limit has its unit at the end of its name, or says it.
            assert_eq!(
                matches!(key.kind, KeyKind::Integer { .. }),
                !key.unit.is_empty(),
                "{name}"
            );
            let same = KEYS
                .iter()
                .filter(|k| (k.section, k.name) == (key.section, key.name));
            assert_eq!(same.count(), 1, "{name}");
        }
    }

    /// A key of the table that nobody asks for would be taken and do nothing.
    #[test]
    fn every_key_of_the_table_changes_what_is_read() {
        let shown = |config: Config| format!("{config:?}");
        let untouched = shown(parse("").unwrap());
        for key in KEYS {
            let text = format!("[{}]\n{} = {}", key.section, key.name, key.example);
            assert_ne!(shown(parse(&text).unwrap()), untouched, "{text}");
        }
    }

    #[test]
    fn reads_a_catalog() {
        let config = parse(
            "[server]\npg_listen = '127.0.0.1:0'\n[catalog.crm]\nconnector = 'postgres'\nurl = 'x'\npool_size_max = 3\nflag = true",
        )
        .unwrap();
        assert_eq!(config.server.pg_listen.port(), 0);
        assert_eq!(config.server.data_dir, Path::new("/etc/inflowave-data"));
        let catalog = &config.catalogs[0];
        assert_eq!(
            (catalog.name.as_str(), catalog.connector.as_str()),
            ("crm", "postgres")
        );
        let params: Vec<(&str, &str)> = catalog
            .params
            .iter()
            .map(|(name, value)| (name.as_str(), value.reveal()))
            .collect();
        assert_eq!(
            params,
            [("flag", "true"), ("pool_size_max", "3"), ("url", "x")]
        );
        assert_eq!((catalog.line, catalog.lines["pool_size_max"]), (3, 6));
    }

    #[test]
    fn errors_name_line_key_and_the_valid_choices() {
        assert_eq!(
            error("[server]\npg_lisen = '127.0.0.1:0'"),
            (
                "line 2: unknown key \"pg_lisen\" in [server]".to_owned(),
                "The keys of [server] are: pg_listen, data_dir, file_roots, url_roots.".to_owned()
            )
        );
        assert_eq!(
            error("\n[sever]\npg_listen = 'x'"),
            (
                "line 2: unknown section [sever]".to_owned(),
                "The sections are: [server], [limits], [access], [tls], [secrets], [log] and [catalog.NAME]."
                    .to_owned()
            )
        );
        assert_eq!(
            error("pg_listen = 'x'"),
            (
                "line 1: \"pg_listen\" stands outside of a section".to_owned(),
                "The sections are: [server], [limits], [access], [tls], [secrets], [log] and [catalog.NAME]."
                    .to_owned()
            )
        );
        assert_eq!(
            error("[limits]\n# a comment\nbatch_rows = 'many'"),
            (
                "line 3: invalid value 'many' for limits.batch_rows".to_owned(),
                "Valid is a whole number from 1 to 65536.".to_owned()
            )
        );
        assert_eq!(
            error("[limits]\nmemory_bytes_max = 1_000"),
            (
                "line 2: invalid value 1_000 for limits.memory_bytes_max".to_owned(),
                format!("Valid is a whole number from 67108864 to {}.", i64::MAX)
            )
        );
        for (text, message) in [
            (
                "[server]\npg_listen = 'localhost'",
                "line 2: invalid value 'localhost' for server.pg_listen",
            ),
            (
                "[server]\nurl_roots = ['lake']",
                "line 2: invalid value ['lake'] for server.url_roots",
            ),
            (
                "[server]\nfile_roots = 'lake'",
                "line 2: invalid value 'lake' for server.file_roots",
            ),
            (
                "[secrets]\nallow_literals = 'yes'",
                "line 2: invalid value 'yes' for secrets.allow_literals",
            ),
            (
                "[secrets]\nenv_prefixes = ['']",
                "line 2: invalid value [''] for secrets.env_prefixes",
            ),
            (
                "[limits]\nsessions_max = -1",
                "line 2: invalid value -1 for limits.sessions_max",
            ),
            (
                "[limits]\nsessions_max = 1.5",
                "line 2: invalid value 1.5 for limits.sessions_max",
            ),
            (
                "[catalog.x]\nconnector = 'files'\npath = 1.5",
                "line 3: catalog.x.path is a value of another type",
            ),
            (
                "[catalog.x]\npath = 'y'\nconnector = 3",
                "line 3: catalog.x.connector is a value of another type",
            ),
            (
                "[catalog.x]\nconnector = 'files'\npath = '${vault:x}'",
                "line 3: catalog.x.path: unknown reference \"${vault:x}\"",
            ),
            (
                "\n[catalog.x]\npath = 'y'",
                "line 2: catalog \"x\" has no connector",
            ),
            (
                "[catalog.system]\nconnector = 'files'",
                "line 1: catalog name \"system\" is the server's own",
            ),
            ("[catalog]\nx = 3", "line 2: catalog.x is no section"),
        ] {
            let (shown, hint) = error(text);
            assert_eq!(shown, message);
            assert!(hint.ends_with('.'), "{text}: {hint}");
        }
        let (syntax, _) = error("[server]\npg_listen = \n");
        assert!(syntax.starts_with("line 2: "), "{syntax}");
        let (twice, _) = error("[server]\ndata_dir = 'a'\ndata_dir = 'b'");
        assert!(twice.starts_with("line 3: duplicate key"), "{twice}");
    }

    #[test]
    fn what_sql_may_reach_is_configured() {
        let config = parse(
            "[server]\nfile_roots = ['./lake', '/srv']\n[secrets]\nenv_prefixes = ['APP_']\nfile_roots = ['keys']",
        )
        .unwrap();
        assert_eq!(
            config.server.file_roots,
            [Path::new("/etc/lake"), Path::new("/srv")]
        );
        assert_eq!(
            config.secrets,
            Secrets {
                env_prefixes: vec!["APP_".to_owned()],
                file_roots: vec![PathBuf::from("/etc/keys")],
                allow_literals: false,
            }
        );
    }
}
