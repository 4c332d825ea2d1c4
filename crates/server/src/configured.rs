//! The configured catalogs, held against the connectors of this build: each error says where in the
//! configuration file it is.

use std::sync::Arc;

use inflowave_config::{Catalog, Config};
use inflowave_connector_api::{Connector, ParamSpec};
use inflowave_types::{Error, Result, SqlState};

/// Whether a catalog can be opened at all: its connector is there, and its parameters fit it.
///
/// # Errors
/// `F0000` for an unknown connector; `22023` for a parameter that is unknown, missing or does not
/// fit. Each names file, line, key and the valid choices.
pub fn check(config: &Config, catalog: &Catalog, connectors: &[Arc<dyn Connector>]) -> Result<()> {
    let at = |key: &str, error: Error| {
        let line = catalog.lines.get(key).copied().unwrap_or(catalog.line);
        error.context(format!(
            "{}: catalog \"{}\"",
            config.place(line),
            catalog.name
        ))
    };
    let found = connectors
        .iter()
        .map(|c| c.descriptor())
        .find(|d| d.name == catalog.connector);
    let Some(descriptor) = found else {
        let names: Vec<&str> = connectors.iter().map(|c| c.descriptor().name).collect();
        let error = Error::new(
            SqlState::ConfigFileError,
            format!("unknown connector \"{}\"", catalog.connector),
        );
        let hint = format!("The connectors are: {}.", names.join(", "));
        return Err(at("connector", error.with_hint(hint)));
    };
    for (name, value) in &catalog.params {
        ParamSpec::find(descriptor.all_params(), name)
            .and_then(|spec| spec.check(value))
            .map_err(|e| at(name, e))?;
    }
    let given = |spec: &ParamSpec| catalog.params.iter().any(|(name, _)| name == spec.name);
    match descriptor.params.iter().find(|s| s.required && !given(s)) {
        Some(missing) => Err(at("connector", missing.missing())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn error(text: &str) -> (String, String, String) {
        let mut config = Config::parse(text, Path::new("/etc")).unwrap();
        config.file = Some("inflowave.toml".into());
        let connectors = inflowave_bundle::connectors();
        let e = check(&config, &config.catalogs[0], &connectors).unwrap_err();
        (
            e.sqlstate().code().to_owned(),
            e.message().to_owned(),
            e.hint().unwrap_or_default().to_owned(),
        )
    }

    #[test]
    fn errors_name_file_line_key_and_the_valid_choices() {
        let (code, message, hint) = error("[catalog.crm]\nurl = 'x'\nconnector = 'postgress'");
        assert_eq!(code, "F0000");
        assert_eq!(
            message,
            "inflowave.toml: line 3: catalog \"crm\": unknown connector \"postgress\""
        );
        assert_eq!(hint, "The connectors are: files, mysql, postgres, sqlite.");
        let (code, message, hint) =
            error("[catalog.lite]\nconnector = 'sqlite'\npath = 'x'\n\npool_size = 3");
        assert_eq!(code, "22023");
        assert_eq!(
            message,
            "inflowave.toml: line 5: catalog \"lite\": unknown parameter \"pool_size\""
        );
        assert!(hint.contains("pool_size_max"), "{hint}");
        let (_, message, hint) =
            error("[catalog.lite]\nconnector = 'sqlite'\npath = 'x'\npool_size_max = 0");
        assert_eq!(
            message,
            "inflowave.toml: line 4: catalog \"lite\": invalid value \"0\" for parameter \"pool_size_max\""
        );
        assert_eq!(hint, "Valid is a whole number from 1 to 256.");
        let (_, message, hint) =
            error("[catalog.lake]\nconnector = 'files'\npath = 'x'\nnanoseconds = 'round'");
        assert_eq!(
            message,
            "inflowave.toml: line 4: catalog \"lake\": invalid value \"round\" for parameter \"nanoseconds\""
        );
        assert_eq!(hint, "Valid is one of: error, truncate.");
        let (_, message, hint) = error("\n[catalog.lake]\nconnector = 'files'");
        assert_eq!(
            message,
            "inflowave.toml: line 3: catalog \"lake\": missing parameter \"path\""
        );
        assert!(hint.contains("For example: path = "), "{hint}");
    }
}
