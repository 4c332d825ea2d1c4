//! The file as written, before it is checked. Unknown keys are errors.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use inflowave_types::{Result, Secret};
use serde::Deserialize;

use crate::{Catalog, Config, Limits, Secrets, Server, config_error, reference};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    server: RawServer,
    limits: RawLimits,
    secrets: RawSecrets,
    catalog: BTreeMap<String, BTreeMap<String, toml::Value>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawServer {
    pg_listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    file_roots: Vec<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawSecrets {
    env_prefixes: Option<Vec<String>>,
    file_roots: Vec<PathBuf>,
    allow_literals: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    memory_bytes_max: Option<u64>,
    spill_bytes_max: Option<u64>,
    sessions_max: Option<usize>,
    statement_bytes_max: Option<usize>,
    statement_depth_max: Option<usize>,
    metadata_ttl_s: Option<u64>,
    batch_rows: Option<usize>,
    history_rows_max: Option<usize>,
}

pub(crate) fn parse(text: &str, base_dir: &Path) -> Result<Config> {
    // The message of `toml` shows line, column and the key; for an unknown key also the valid ones.
    let raw: Raw =
        toml::from_str(text).map_err(|e| config_error(e.to_string().trim().to_owned()))?;
    let defaults = Config::default().server;
    let server = Server {
        pg_listen: raw.server.pg_listen.unwrap_or(defaults.pg_listen),
        data_dir: base_dir.join(raw.server.data_dir.unwrap_or(defaults.data_dir)),
        file_roots: joined(raw.server.file_roots, base_dir),
        limits: limits(raw.limits)?,
    };
    let secrets = secrets(raw.secrets, base_dir)?;
    let catalogs = raw
        .catalog
        .into_iter()
        .map(|(name, params)| catalog(&name, params, base_dir))
        .collect::<Result<_>>()?;
    Ok(Config {
        server,
        secrets,
        catalogs,
        base_dir: base_dir.to_owned(),
        file: None,
    })
}

fn joined(paths: Vec<PathBuf>, base_dir: &Path) -> Vec<PathBuf> {
    // Taken apart and put together, a path has no `.` in it.
    let joined = |p: PathBuf| base_dir.join(p).components().collect();
    paths.into_iter().map(joined).collect()
}

fn secrets(raw: RawSecrets, base_dir: &Path) -> Result<Secrets> {
    let env_prefixes = raw
        .env_prefixes
        .unwrap_or_else(|| Secrets::default().env_prefixes);
    if env_prefixes.iter().any(String::is_empty) {
        return Err(config_error(
            "secrets.env_prefixes holds an empty prefix, which would be every variable",
        )
        .with_hint("Write a prefix such as INFLOWAVE_, or an empty list for no variable."));
    }
    Ok(Secrets {
        env_prefixes,
        file_roots: joined(raw.file_roots, base_dir),
        allow_literals: raw.allow_literals,
    })
}

fn limits(raw: RawLimits) -> Result<Limits> {
    let default = Limits::default();
    let limits = Limits {
        memory_bytes_max: raw.memory_bytes_max.unwrap_or(default.memory_bytes_max),
        spill_bytes_max: raw.spill_bytes_max.unwrap_or(default.spill_bytes_max),
        sessions_max: raw.sessions_max.unwrap_or(default.sessions_max),
        statement_bytes_max: raw
            .statement_bytes_max
            .unwrap_or(default.statement_bytes_max),
        statement_depth_max: raw
            .statement_depth_max
            .unwrap_or(default.statement_depth_max),
        metadata_ttl_s: raw.metadata_ttl_s.unwrap_or(default.metadata_ttl_s),
        batch_rows: raw.batch_rows.unwrap_or(default.batch_rows),
        history_rows_max: raw.history_rows_max.unwrap_or(default.history_rows_max),
    };
    if limits.memory_bytes_max < 64 << 20 {
        return Err(config_error(
            "limits.memory_bytes_max is below 67108864 (64 MiB)",
        ));
    }
    if limits.batch_rows == 0 || limits.batch_rows > 65536 {
        return Err(config_error("limits.batch_rows is not between 1 and 65536"));
    }
    Ok(limits)
}

fn catalog(
    name: &str,
    mut params: BTreeMap<String, toml::Value>,
    base_dir: &Path,
) -> Result<Catalog> {
    const RESERVED: [&str; 2] = ["inflowave", "system"];
    if RESERVED.contains(&name) {
        return Err(
            config_error(format!("catalog name \"{name}\" is the server's own"))
                .with_hint("Choose a name other than inflowave and system."),
        );
    }
    let Some(toml::Value::String(connector)) = params.remove("connector") else {
        return Err(config_error(format!("catalog \"{name}\" has no connector"))
            .with_hint("Add a line such as connector = \"postgres\"."));
    };
    let params = params
        .into_iter()
        .map(|(key, value)| {
            let text = match value {
                toml::Value::String(s) => reference::resolve(&s, base_dir)
                    .map_err(|e| e.context(format!("catalog.{name}.{key}")))?,
                toml::Value::Integer(n) => Secret::new(n.to_string()),
                toml::Value::Boolean(b) => Secret::new(b.to_string()),
                _ => {
                    return Err(config_error(format!(
                        "catalog.{name}.{key} is not a text, a number or true/false"
                    )));
                }
            };
            Ok((key, text))
        })
        .collect::<Result<_>>()?;
    Ok(Catalog {
        name: name.to_owned(),
        connector,
        params,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        super::parse(text, Path::new("/etc"))
    }

    #[test]
    fn reads_a_catalog() {
        let config = parse(
            "[server]\npg_listen = '127.0.0.1:0'\n[catalog.crm]\nconnector = 'postgres'\nurl = 'x'\npool_size_max = 3",
        )
        .unwrap();
        assert_eq!(config.server.pg_listen.port(), 0);
        assert_eq!(config.server.data_dir, Path::new("/etc/inflowave-data"));
        let catalog = &config.catalogs[0];
        assert_eq!(
            (catalog.name.as_str(), catalog.connector.as_str()),
            ("crm", "postgres")
        );
        assert_eq!(catalog.params[0].1.reveal(), "3");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_valid_ones() {
        let e = parse("[server]\npg_lisen = '127.0.0.1:0'").unwrap_err();
        assert!(e.message().contains("line 2"), "{e}");
        assert!(e.message().contains("`pg_listen`, `data_dir`"), "{e}");
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
        assert!(parse("[secrets]\nenv_prefixes = ['']").is_err());
    }

    #[test]
    fn reserved_names_and_missing_connectors_are_refused() {
        assert!(parse("[catalog.system]\nconnector = 'files'").is_err());
        let e = parse("[catalog.x]\npath = 'y'").unwrap_err();
        assert_eq!(e.message(), "catalog \"x\" has no connector");
    }
}
