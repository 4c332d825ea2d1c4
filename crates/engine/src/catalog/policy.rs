//! What a catalog that is made by SQL may reach: secrets by reference, files below roots; and what
//! of its parameters may be shown.

use std::ops::Range;
use std::path::{Path, PathBuf};

use inflowave_config::{
    Piece, Secrets, below, pieces, roots_hint, server_below, servers_hint, under, url_roots_hint,
};
use inflowave_connector_api::{ParamKind, ParamSpec};
use inflowave_types::{Error, Result, Secret, SqlState};

/// From the configuration.
#[derive(Debug, Clone, Default)]
pub struct CatalogPolicy {
    pub secrets: Secrets,
    /// The folders below which such a catalog may read files.
    pub file_roots: Vec<PathBuf>,
    /// The URLs below which such a catalog may read files and reach services and databases.
    pub url_roots: Vec<String>,
    /// Where the server writes: no catalog made by SQL reads there.
    pub data_dir: Option<PathBuf>,
    /// Where relative paths start.
    pub base_dir: PathBuf,
    /// For messages: where the other catalogs stand.
    pub config_file: Option<PathBuf>,
}

impl CatalogPolicy {
    /// The value of a parameter given by SQL.
    ///
    /// # Errors
    /// `42501` for a reference or a path that is not allowed, `22023` for a secret in clear.
    pub fn resolve(&self, spec: Option<&ParamSpec>, key: &str, text: &str) -> Result<Secret> {
        // An unknown parameter is refused by the check of all of them, which names the valid ones.
        let Some(spec) = spec else {
            return Ok(Secret::new(text));
        };
        match spec.kind {
            ParamKind::Secret => {
                self.referenced(key, text)?;
                self.secrets
                    .resolve(text, &self.base_dir)
                    .map_err(in_parameter(key))
            }
            ParamKind::Path => {
                no_reference(key, text)?;
                self.reachable(key, text)?;
                Ok(Secret::new(text))
            }
            ParamKind::Location | ParamKind::Endpoint => {
                no_reference(key, text)?;
                if spec.kind == ParamKind::Location && !text.contains("://") {
                    self.reachable(key, text)?;
                } else {
                    self.allowed_url(key, text)?;
                }
                Ok(Secret::new(text))
            }
            ParamKind::Privilege if text == "true" => Err(Error::new(
                SqlState::InsufficientPrivilege,
                format!("parameter \"{key}\" is not for a catalog made by SQL"),
            )
            .with_hint(
                "It uses what belongs to the server itself: define the catalog in the configuration, or give it credentials of its own.",
            )),
            ParamKind::Text => self.in_url(key, text),
            ParamKind::Server => {
                let url = self.in_url(key, text)?;
                self.allowed_server(key, text)?;
                Ok(url)
            }
            ParamKind::Privilege
            | ParamKind::Integer { .. } | ParamKind::Boolean | ParamKind::OneOf(_) => {
                no_reference(key, text)?;
                Ok(Secret::new(text))
            }
        }
    }

    /// A secret consists of references only.
    fn referenced(&self, key: &str, text: &str) -> Result<()> {
        let clear = |p: &Piece| matches!(p, Piece::Literal(_));
        if self.secrets.allow_literals || !(text.is_empty() || pieces(text).iter().any(clear)) {
            return Ok(());
        }
        Err(Error::new(
            SqlState::InvalidParameterValue,
            format!("a secret stands in clear in parameter \"{key}\""),
        )
        .with_hint(
            "Give a reference instead, such as ${env:INFLOWAVE_PASSWORD} or ${file:PATH}; or set allow_literals = true in [secrets] of the configuration.",
        ))
    }

    /// The path as its connector will read it: absolute, or from the base folder.
    fn reachable(&self, key: &str, text: &str) -> Result<()> {
        let path = self.base_dir.join(text);
        let denied = |hint: String| {
            Error::new(
                SqlState::InsufficientPrivilege,
                format!("path \"{text}\" of parameter \"{key}\" may not be read by a catalog made by SQL"),
            )
            .with_hint(hint)
        };
        let real = under(&path, &self.file_roots)
            .ok_or_else(|| denied(roots_hint(&self.file_roots, "[server] file_roots")))?;
        let own = |dir: &Path| dir.canonicalize().is_ok_and(|dir| real.starts_with(dir));
        if self.data_dir.as_deref().is_some_and(own) {
            return Err(denied(
                "The server's own folder, server.data_dir, is not read.".to_owned(),
            ));
        }
        Ok(())
    }

    fn allowed_url(&self, key: &str, text: &str) -> Result<()> {
        if below(text, &self.url_roots) {
            return Ok(());
        }
        // The text itself may hold what is no business of a log.
        Err(Error::new(
            SqlState::InsufficientPrivilege,
            format!("the URL of parameter \"{key}\" may not be read by a catalog made by SQL"),
        )
        .with_hint(url_roots_hint(&self.url_roots)))
    }

    /// The server is what the connector will reach: a reference stands in the password alone, and its
    /// value is escaped there.
    fn allowed_server(&self, key: &str, text: &str) -> Result<()> {
        if server_below(&masked(text), &self.url_roots) {
            return Ok(());
        }
        Err(Error::new(
            SqlState::InsufficientPrivilege,
            format!(
                "the server of parameter \"{key}\" may not be reached by a catalog made by SQL"
            ),
        )
        .with_hint(servers_hint(&self.url_roots)))
    }

    /// A text may be a URL with a password in it: there, and nowhere else, references stand.
    fn in_url(&self, key: &str, text: &str) -> Result<Secret> {
        let Some(place) = password(text) else {
            no_reference(key, text)?;
            return Ok(Secret::new(text));
        };
        let (before, secret, after) = (
            &text[..place.start],
            &text[place.clone()],
            &text[place.end..],
        );
        no_reference(key, before)?;
        no_reference(key, after)?;
        self.referenced(key, secret)?;
        let references = pieces(secret);
        if references.iter().all(|p| matches!(p, Piece::Literal(_))) {
            return Ok(Secret::new(text));
        }
        let value = self
            .secrets
            .resolve(secret, &self.base_dir)
            .map_err(in_parameter(key))?;
        let value = percent_encoded(value.reveal());
        Ok(Secret::new(format!("{before}{value}{after}")))
    }
}

/// A parameter as it may be shown: what is or may be a secret only as its references.
pub(crate) fn shown(spec: Option<&ParamSpec>, text: &str) -> String {
    let Some(spec) = spec else {
        return references_only(text);
    };
    match spec.kind {
        ParamKind::Secret => references_only(text),
        ParamKind::Path => text.to_owned(),
        ParamKind::Location if !text.contains("://") => text.to_owned(),
        ParamKind::Location | ParamKind::Endpoint => shown_url(text),
        ParamKind::Integer { .. } if text.bytes().all(|b| b.is_ascii_digit()) => text.to_owned(),
        ParamKind::Boolean | ParamKind::Privilege if matches!(text, "true" | "false") => {
            text.to_owned()
        }
        ParamKind::OneOf(words) if words.contains(&text) => text.to_owned(),
        ParamKind::Integer { .. }
        | ParamKind::Boolean
        | ParamKind::Privilege
        | ParamKind::OneOf(_) => "***".to_owned(),
        ParamKind::Text | ParamKind::Server => {
            let masked = masked(text);
            match password(text) {
                // Nothing that a driver might take for a password stands behind it.
                Some(place) if !masked[place.end + 1..].contains(['@', '?']) => format!(
                    "{}{}{}",
                    &text[..place.start],
                    references_only(&text[place.clone()]),
                    &text[place.end..]
                ),
                // What looks like a URL and cannot be read for sure is not shown.
                Some(_) => "***".to_owned(),
                None if masked.contains("://") => {
                    let (_, end) = authority(&masked).unwrap_or_default();
                    let doubtful = masked[end..].contains(['@', '?']);
                    if doubtful {
                        "***".to_owned()
                    } else {
                        text.to_owned()
                    }
                }
                None if masked.contains(['@', ':', '=']) => "***".to_owned(),
                None => text.to_owned(),
            }
        }
    }
}

/// A URL without what may be a password or a signature. Behind the `?` of a web address stands a
/// query, which may be signed; in the key of an object it is a wildcard.
fn shown_url(text: &str) -> String {
    let (start, end) = authority(text).unwrap_or((0, text.len()));
    let host = &text[start..end];
    let web = ![
        "s3://", "s3a://", "gs://", "az://", "azure://", "abfs://", "abfss://",
    ]
    .iter()
    .any(|scheme| text.starts_with(scheme));
    let doubtful = host.contains('@') && (web || host.contains(':'))
        || web && text.contains(['?', '#'])
        || text.contains("sig=");
    if doubtful {
        "***".to_owned()
    } else {
        text.to_owned()
    }
}

fn references_only(text: &str) -> String {
    let pieces = pieces(text);
    let shown = pieces.iter().map(|piece| match piece {
        Piece::Reference(reference) => format!("${{{reference}}}"),
        Piece::Literal(_) => "***".to_owned(),
    });
    shown.collect()
}

fn no_reference(key: &str, text: &str) -> Result<()> {
    if pieces(text).iter().all(|p| matches!(p, Piece::Literal(_))) {
        return Ok(());
    }
    Err(Error::new(
        SqlState::InsufficientPrivilege,
        format!("a reference stands where parameter \"{key}\" holds no secret"),
    )
    .with_hint(
        "From SQL, references stand in parameters that are secret and in the password of a URL.",
    ))
}

fn in_parameter(key: &str) -> impl FnOnce(Error) -> Error {
    let what = format!("parameter \"{key}\"");
    move |e| e.context(what)
}

/// Where the password of a URL stands: `scheme://user:HERE@host`. What is in a reference is no
/// part of the URL's own grammar.
fn password(text: &str) -> Option<Range<usize>> {
    let masked = masked(text);
    let (start, end) = authority(&masked)?;
    let at = start + masked[start..end].rfind('@')?;
    let colon = start + masked[start..at].find(':')?;
    Some(colon + 1..at)
}

/// User, password, host and port: from behind `://` to the path.
fn authority(url: &str) -> Option<(usize, usize)> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']);
    Some((start, end.map_or(url.len(), |n| start + n)))
}

/// The text with references blotted out, of the same length.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Reference(text) => out.extend(std::iter::repeat_n('x', text.len() + 3)),
        }
    }
    out
}

/// All but the characters that mean nothing in a URL.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
