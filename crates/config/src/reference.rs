//! `${env:NAME}` and `${file:PATH}`: secrets stand outside the configuration.

use std::path::Path;

use inflowave_types::{Error, Result, Secret};

use crate::config_error;

/// `text` with its references replaced. A file's trailing line break is left out; a relative path
/// starts at `base_dir`. `$` without a brace stands for itself.
pub(crate) fn resolve(text: &str, base_dir: &Path) -> Result<Secret> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let after = &rest[start + 2..];
        let end = after
            .find('}')
            .ok_or_else(|| config_error("a reference \"${\" without its closing brace"))?;
        out.push_str(&one(&after[..end], base_dir)?);
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Ok(Secret::new(out))
}

fn one(reference: &str, base_dir: &Path) -> Result<String> {
    match reference.split_once(':') {
        Some(("env", name)) => std::env::var(name).map_err(|_| {
            config_error(format!("environment variable \"{name}\" is not set"))
                .with_hint(format!("Set it, for example: export {name}=..."))
        }),
        Some(("file", path)) => {
            let text = std::fs::read_to_string(base_dir.join(path)).map_err(|e| {
                config_error(format!(
                    "cannot read the file of reference \"${{file:{path}}}\": {e}"
                ))
            })?;
            Ok(text.trim_end_matches(['\n', '\r']).to_owned())
        }
        _ => Err(unknown(reference)),
    }
}

fn unknown(reference: &str) -> Error {
    config_error(format!("unknown reference \"${{{reference}}}\""))
        .with_hint("The valid forms are ${env:NAME} and ${file:PATH}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_where_they_stand() {
        let dir = std::env::temp_dir();
        let home = std::env::var("PATH").unwrap();
        let text = resolve("a${env:PATH}b$c", &dir).unwrap();
        assert_eq!(text.reveal(), format!("a{home}b$c"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let dir = std::env::temp_dir();
        let e = resolve("${env:INFLOWAVE_NOT_SET}", &dir).unwrap_err();
        assert_eq!(
            e.message(),
            "environment variable \"INFLOWAVE_NOT_SET\" is not set"
        );
        let e = resolve("${vault:x}", &dir).unwrap_err();
        assert_eq!(
            e.hint(),
            Some("The valid forms are ${env:NAME} and ${file:PATH}.")
        );
    }
}
