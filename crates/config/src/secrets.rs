//! What SQL may refer to: `${env:NAME}` and `${file:PATH}` within what `[secrets]` allows.
//!
//! The configuration file is written by who runs the server; a statement is not. So a reference in
//! SQL reaches only variables with a configured prefix and files below a configured folder.

use std::io::Read;
use std::path::{Path, PathBuf};

use inflowave_types::{Error, Result, Secret, SqlState};

/// Bytes of a file that holds a secret, at most.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// `[secrets]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// `${env:NAME}` in SQL is read only if NAME starts with one of these.
    pub env_prefixes: Vec<String>,
    /// `${file:PATH}` in SQL is read only below one of these folders.
    pub file_roots: Vec<PathBuf>,
    /// A secret may be given in clear in SQL. It is then kept in clear in the metastore.
    pub allow_literals: bool,
}

impl Default for Secrets {
    fn default() -> Self {
        Secrets {
            env_prefixes: vec!["INFLOWAVE_".to_owned()],
            file_roots: Vec::new(),
            allow_literals: false,
        }
    }
}

/// A piece of a text with references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    Literal(&'a str),
    /// Without `${` and `}`.
    Reference(&'a str),
}

/// The pieces of a text, in order; empty literals are left out. A brace that is not closed belongs
/// to a literal.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}') else {
            break;
        };
        if start > 0 {
            pieces.push(Piece::Literal(&rest[..start]));
        }
        pieces.push(Piece::Reference(&rest[start + 2..start + end]));
        rest = &rest[start + end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

impl Secrets {
    /// `text` with its references replaced, for a parameter given by SQL. A relative path starts
    /// at `base_dir`.
    ///
    /// # Errors
    /// `42501` for a reference that is not allowed, naming what is; `22023` for one that leads to
    /// nothing or cannot be understood.
    pub fn resolve(&self, text: &str, base_dir: &Path) -> Result<Secret> {
        let mut out = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Reference(reference) => match reference.split_once(':') {
                    Some(("env", name)) => out.push_str(&self.variable(name)?),
                    Some(("file", path)) => out.push_str(&self.file(path, base_dir)?),
                    _ => {
                        return Err(invalid(format!("unknown reference \"${{{reference}}}\""))
                            .with_hint("The valid forms are ${env:NAME} and ${file:PATH}."));
                    }
                },
            }
        }
        Ok(Secret::new(out))
    }

    fn variable(&self, name: &str) -> Result<String> {
        let allowed = |p: &String| !p.is_empty() && name.starts_with(p.as_str());
        if !self.env_prefixes.iter().any(allowed) {
            return Err(denied(format!(
                "environment variable \"{name}\" may not be read from SQL"
            ))
            .with_hint(if self.env_prefixes.is_empty() {
                "No variable may be: [secrets] env_prefixes of the configuration is empty."
                    .to_owned()
            } else {
                format!(
                    "A variable's name starts with one of: {} ([secrets] env_prefixes of the configuration).",
                    self.env_prefixes.join(", ")
                )
            }));
        }
        std::env::var(name).map_err(|_| {
            invalid(format!("environment variable \"{name}\" is not set")).with_hint(format!(
                "Set it where the server is started, for example: export {name}=..."
            ))
        })
    }

    fn file(&self, path: &str, base_dir: &Path) -> Result<String> {
        let within = under(&base_dir.join(path), &self.file_roots).ok_or_else(|| {
            denied(format!(
                "file \"{path}\" may not be read as a secret from SQL"
            ))
            .with_hint(roots_hint(&self.file_roots, "[secrets] file_roots"))
        })?;
        let unreadable = |e: std::io::Error| {
            invalid(format!(
                "cannot read the file of reference \"${{file:{path}}}\": {e}"
            ))
            .with_hint("Check the path, and that the server's user may read it.")
        };
        // A pipe would be waited for without end.
        if !std::fs::metadata(&within).map_err(unreadable)?.is_file() {
            return Err(invalid(format!(
                "reference \"${{file:{path}}}\" names no regular file"
            )));
        }
        let mut text = String::new();
        std::fs::File::open(&within)
            .and_then(|f| f.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text))
            .map_err(unreadable)?;
        if text.len() as u64 > SECRET_BYTES_MAX {
            return Err(invalid(format!(
                "the file of reference \"${{file:{path}}}\" is larger than {SECRET_BYTES_MAX} bytes"
            )));
        }
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

/// `path` with symbolic links followed as far as it exists, if that lies below one of `roots`. A
/// path with `..` lies nowhere: it means another folder before and after a link is followed.
pub fn under(path: &Path, roots: &[PathBuf]) -> Option<PathBuf> {
    use std::path::Component;
    if path.components().any(|c| c == Component::ParentDir) {
        return None;
    }
    let path = std::path::absolute(path).ok()?;
    let mut missing = Vec::new();
    let mut there = path.as_path();
    let real = loop {
        match there.canonicalize() {
            Ok(real) => break real,
            // A link that leads nowhere now may lead anywhere later.
            Err(_) if there.is_symlink() => return None,
            Err(_) => {
                missing.push(there.file_name()?);
                there = there.parent()?;
            }
        }
    };
    let real = missing.into_iter().rev().fold(real, |p, name| p.join(name));
    let inside = |root: &PathBuf| root.canonicalize().is_ok_and(|root| real.starts_with(root));
    roots.iter().any(inside).then_some(real)
}

/// Which folders are allowed, as a sentence.
pub fn roots_hint(roots: &[PathBuf], setting: &str) -> String {
    if roots.is_empty() {
        return format!("No folder is allowed: {setting} of the configuration is empty.");
    }
    let roots: Vec<String> = roots.iter().map(|r| r.display().to_string()).collect();
    format!(
        "A path lies below one of: {} ({setting} of the configuration), and has no \"..\".",
        roots.join(", ")
    )
}

fn denied(message: String) -> Error {
    Error::new(SqlState::InsufficientPrivilege, message)
}

fn invalid(message: String) -> Error {
    Error::new(SqlState::InvalidParameterValue, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_pieces() {
        assert_eq!(
            pieces("a${env:B}${file:c}d${e"),
            [
                Piece::Literal("a"),
                Piece::Reference("env:B"),
                Piece::Reference("file:c"),
                Piece::Literal("d${e"),
            ]
        );
        assert!(pieces("").is_empty());
    }

    #[test]
    fn only_variables_with_a_prefix_are_read() {
        let secrets = Secrets {
            env_prefixes: vec!["CARGO_PKG_".to_owned()],
            ..Secrets::default()
        };
        let base = Path::new(".");
        let name = secrets.resolve("${env:CARGO_PKG_NAME}", base).unwrap();
        assert_eq!(name.reveal(), "inflowave-config");
        let e = secrets.resolve("${env:PATH}", base).unwrap_err();
        assert_eq!(e.sqlstate().code(), "42501");
        assert!(e.hint().unwrap().contains("CARGO_PKG_"), "{e:?}");
        let e = secrets
            .resolve("${env:CARGO_PKG_NOSUCH}", base)
            .unwrap_err();
        assert_eq!(e.sqlstate().code(), "22023");
        let e = secrets.resolve("${vault:x}", base).unwrap_err();
        assert_eq!(e.sqlstate().code(), "22023");
        // An empty prefix would be every variable.
        let all = Secrets {
            env_prefixes: vec![String::new()],
            ..Secrets::default()
        };
        assert!(all.resolve("${env:PATH}", base).is_err());
    }

    #[test]
    fn only_files_below_a_root_are_read() {
        let dir = std::env::temp_dir().join(format!("inflowave-secrets-{}", std::process::id()));
        let root = dir.join("root");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(root.join("in"), "inside\n").unwrap();
        std::fs::write(dir.join("out"), "outside").unwrap();
        let secrets = Secrets {
            file_roots: vec![root.clone()],
            ..Secrets::default()
        };
        let code = |text: &str| match secrets.resolve(text, &root) {
            Ok(secret) => secret.reveal().to_owned(),
            Err(e) => e.sqlstate().code().to_owned(),
        };
        assert_eq!(code("${file:in}"), "inside");
        assert_eq!(code("${file:nosuch}"), "22023");
        assert_eq!(code("${file:.}"), "22023");
        assert_eq!(code("${file:../out}"), "42501");
        assert_eq!(
            code(&format!("${{file:{}}}", dir.join("out").display())),
            "42501"
        );
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.join("out"), root.join("link")).unwrap();
            assert_eq!(code("${file:link}"), "42501");
            std::os::unix::fs::symlink(dir.join("later"), root.join("dangling")).unwrap();
            assert_eq!(code("${file:dangling}"), "42501");
        }
        let none = Secrets::default();
        let e = none.resolve("${file:in}", &root).unwrap_err();
        assert!(
            e.hint().unwrap().starts_with("No folder is allowed"),
            "{e:?}"
        );
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
