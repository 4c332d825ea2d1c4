//! The parameters of a connector, as data: read by the configuration, by `system.runtime.connectors`
//! and by the generated reference.

use std::collections::BTreeMap;
use std::fmt;

use inflowave_types::{Error, Result, Secret, SqlState};

/// What a parameter's text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    Text,
    /// A place in the server's file system. A catalog made by SQL reaches only the folders that the
    /// configuration allows.
    Path,
    /// A [`ParamKind::Path`], or the URL of files elsewhere: of a bucket, of a web server. A catalog
    /// made by SQL reaches only the URLs that the configuration allows.
    Location,
    /// The URL of a service that is spoken to. A catalog made by SQL reaches only the URLs that the
    /// configuration allows.
    Endpoint,
    /// The URL of a database server, with a user in it and perhaps a password. A catalog made by SQL
    /// reaches only the servers that the configuration allows.
    Server,
    /// A whole number within the bounds, both included.
    Integer {
        min: u64,
        max: u64,
    },
    /// `true` or `false`.
    Boolean,
    /// `true` or `false`: whether the source may use what belongs to the server itself, such as the
    /// credentials of its machine. Only the configuration says `true`, never SQL.
    Privilege,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Never printed; given as `${env:NAME}` or `${file:PATH}`.
    Secret,
}

/// One parameter of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamSpec {
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    pub example: &'static str,
    /// Used when the parameter is not given.
    pub default: Option<&'static str>,
    pub required: bool,
    pub kind: ParamKind,
}

/// Parameters of every source that runs queries, whatever its connector. The server acts on them,
/// and no connector sees them.
pub const COMMON: &[ParamSpec] = &[ParamSpec {
    name: "pushdown",
    doc: "Whether work is pushed into the source; off reads columns of it and computes the rest here, for a source that answers otherwise than it should.",
    example: "off",
    default: Some("on"),
    required: false,
    kind: ParamKind::OneOf(&["on", "off"]),
}];

impl ParamSpec {
    /// The spec of a parameter.
    ///
    /// # Errors
    /// `22023` naming the parameters that there are.
    pub fn find(
        specs: impl Iterator<Item = &'static ParamSpec> + Clone,
        name: &str,
    ) -> Result<&'static ParamSpec> {
        specs.clone().find(|s| s.name == name).ok_or_else(|| {
            let valid: Vec<_> = specs.map(|s| s.name).collect();
            invalid(format!("unknown parameter \"{name}\""))
                .with_hint(format!("The valid parameters are: {}.", valid.join(", ")))
        })
    }

    /// Whether a value fits the parameter. A secret always does, and is in no message.
    ///
    /// # Errors
    /// `22023` naming the parameter and the valid choices.
    pub fn check(&self, value: &Secret) -> Result<()> {
        let text = value.reveal();
        let fits = match self.kind {
            ParamKind::Text
            | ParamKind::Path
            | ParamKind::Location
            | ParamKind::Endpoint
            | ParamKind::Server
            | ParamKind::Secret => true,
            ParamKind::Integer { min, max } => {
                text.parse::<u64>().is_ok_and(|n| (min..=max).contains(&n))
            }
            ParamKind::Boolean | ParamKind::Privilege => matches!(text, "true" | "false"),
            ParamKind::OneOf(words) => words.contains(&text),
        };
        match fits {
            true => Ok(()),
            false => Err(invalid(format!(
                "invalid value \"{text}\" for parameter \"{}\"",
                self.name
            ))
            .with_hint(format!("Valid is {}.", self.kind.valid()))),
        }
    }

    /// The error for a required parameter that is not given: `22023`, with an example.
    pub fn missing(&self) -> Error {
        invalid(format!("missing parameter \"{}\"", self.name)).with_hint(format!(
            "{} For example: {} = \"{}\".",
            self.doc, self.name, self.example
        ))
    }
}

impl ParamKind {
    /// What is valid, as the end of a sentence.
    pub fn valid(self) -> String {
        match self {
            ParamKind::Text => "a text".to_owned(),
            ParamKind::Path => "a path".to_owned(),
            ParamKind::Integer { min, max } => format!("a whole number from {min} to {max}"),
            ParamKind::Location => "a path or a URL".to_owned(),
            ParamKind::Endpoint | ParamKind::Server => "a URL".to_owned(),
            ParamKind::Boolean => "true or false".to_owned(),
            ParamKind::Privilege => "true or false; in SQL only false".to_owned(),
            ParamKind::OneOf(words) => format!("one of: {}", words.join(", ")),
            ParamKind::Secret => "a secret, as a reference".to_owned(),
        }
    }
}

/// The parameters of one catalog, checked against the specs of its connector. A relative path in
/// them has been resolved against the folder of the configuration file by whoever built this.
#[derive(Clone, Default)]
pub struct Params {
    specs: &'static [ParamSpec],
    values: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secret>,
}

/// Names only: a URL may hold a password.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.values.keys().chain(self.secrets.keys());
        f.debug_set().entries(names).finish()
    }
}

impl Params {
    /// Checks `given` (name -> text, secrets already resolved) against `specs`.
    ///
    /// # Errors
    /// `22023` naming the parameter and the valid choices: an unknown name, a missing required
    /// one, or a value that does not fit its kind.
    pub fn check(
        specs: &'static [ParamSpec],
        given: impl IntoIterator<Item = (String, Secret)>,
    ) -> Result<Params> {
        let mut params = Params {
            specs,
            ..Params::default()
        };
        for (name, value) in given {
            let spec = ParamSpec::find(specs.iter(), &name)?;
            if spec.kind == ParamKind::Secret {
                params.secrets.insert(name, value);
                continue;
            }
            spec.check(&value)?;
            params.values.insert(name, value.reveal().to_owned());
        }
        for spec in specs.iter().filter(|s| s.required) {
            if !params.values.contains_key(spec.name) && !params.secrets.contains_key(spec.name) {
                return Err(spec.missing());
            }
        }
        Ok(params)
    }

    /// The text of a parameter, or its default.
    pub fn text(&self, name: &str) -> Option<&str> {
        debug_assert!(
            self.specs.iter().any(|s| s.name == name),
            "parameter {name} has no spec"
        );
        let default = || self.specs.iter().find(|s| s.name == name)?.default;
        self.values.get(name).map(String::as_str).or_else(default)
    }

    /// A whole number; the check has already made sure that it is one.
    pub fn integer(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    pub fn boolean(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// Whether the parameter was given, whatever its default is.
    pub fn is_given(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.secrets.contains_key(name)
    }

    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }
}

fn invalid(message: String) -> Error {
    Error::new(SqlState::InvalidParameterValue, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[ParamSpec] = &[
        ParamSpec {
            name: "url",
            doc: "Where the server is.",
            example: "postgres://app@127.0.0.1/crm",
            default: None,
            required: true,
            kind: ParamKind::Text,
        },
        ParamSpec {
            name: "pool_size_max",
            doc: "Connections at most.",
            example: "8",
            default: Some("4"),
            required: false,
            kind: ParamKind::Integer { min: 1, max: 100 },
        },
    ];

    fn check(given: &[(&str, &str)]) -> Result<Params> {
        Params::check(
            SPECS,
            given
                .iter()
                .map(|(k, v)| ((*k).to_owned(), Secret::new(*v))),
        )
    }

    #[test]
    fn errors_name_the_valid_choices() {
        let error = check(&[("url", "x"), ("pol", "1")]).unwrap_err();
        assert_eq!(
            error.hint(),
            Some("The valid parameters are: url, pool_size_max.")
        );
        let error = check(&[("url", "x"), ("pool_size_max", "0")]).unwrap_err();
        assert_eq!(error.hint(), Some("Valid is a whole number from 1 to 100."));
        let error = check(&[]).unwrap_err();
        assert_eq!(error.message(), "missing parameter \"url\"");
    }

    #[test]
    fn a_default_stands_in() {
        let params = check(&[("url", "x")]).unwrap();
        assert_eq!(params.integer("pool_size_max"), Some(4));
    }
}
