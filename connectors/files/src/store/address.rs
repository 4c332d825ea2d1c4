//! From the text of `path` to a kind of store, a bucket and a key. What could lead to another host
//! than it says is refused.

use inflowave_types::{Error, Result, SqlState};
use url::Url;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    S3,
    Gcs,
    Azure,
    Http,
}

impl Kind {
    /// How messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::S3 => "S3",
            Kind::Gcs => "Google Cloud Storage",
            Kind::Azure => "Azure Blob Storage",
            Kind::Http => "the web server",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub kind: Kind,
    /// What keys are appended to in messages: `s3://bucket`, `https://host:port`.
    pub root: String,
    /// The bucket or container; empty for a web server.
    pub bucket: String,
    /// Of `abfss://container@account.dfs.core.windows.net`.
    pub account: Option<String>,
    /// The object, the prefix or the pattern, without a slash at its start or end.
    pub key: String,
    /// The path ends in a slash or names no key: it is a folder.
    pub is_folder: bool,
}

impl Address {
    /// `None` for a path of the file system.
    ///
    /// # Errors
    /// `22023` for a URL that names no place where files can be.
    pub fn parse(text: &str) -> Result<Option<Address>> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(None);
        };
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "s3" | "s3a" => Kind::S3,
            "gs" => Kind::Gcs,
            "az" | "azure" | "abfs" | "abfss" => Kind::Azure,
            "http" | "https" => return web(text).map(Some),
            _ => {
                return Err(invalid("its scheme is not known").with_hint(
                    "Valid are s3://bucket/.., gs://bucket/.., az://container/.., abfss://container@account.dfs.core.windows.net/.., http://.. and https://.., or a path without a scheme.",
                ));
            }
        };
        let (host, key) = rest.split_once('/').unwrap_or((rest, ""));
        let (bucket, account) = match host.split_once('@') {
            Some((container, host)) if kind == Kind::Azure => (container, Some(account_of(host)?)),
            _ => (host, None),
        };
        let letter = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if bucket.is_empty() || !bucket.chars().all(letter) || bucket.contains("..") {
            return Err(invalid("its bucket is no name of a bucket")
                .with_hint("Credentials stand in parameters of their own, not in the path."));
        }
        let is_folder = key.is_empty() || key.ends_with('/');
        let key = key.trim_end_matches('/');
        if !key.is_empty() && key.split('/').any(|p| matches!(p, "" | "." | "..")) {
            return Err(invalid("a part of it is empty, \".\" or \"..\"")
                .with_hint("Name the key as the store has it."));
        }
        Ok(Some(Address {
            kind,
            root: format!("{scheme}://{host}"),
            bucket: bucket.to_owned(),
            account,
            key: key.to_owned(),
            is_folder,
        }))
    }
}

/// The account of `account.dfs.core.windows.net`.
fn account_of(host: &str) -> Result<String> {
    let account = ["dfs", "blob"]
        .iter()
        .find_map(|service| host.strip_suffix(&format!(".{service}.core.windows.net")));
    match account {
        Some(account) if is_account(account) => Ok(account.to_owned()),
        _ => Err(invalid("its host is none of Azure").with_hint(
            "Write abfss://container@account.dfs.core.windows.net/.., or az://container/.. with the parameters account and, for another service, endpoint.",
        )),
    }
}

/// Whether a text is the name of an Azure account: it becomes part of a host.
pub fn is_account(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The address of one file of a web server.
fn web(text: &str) -> Result<Address> {
    let url = Url::parse(text).map_err(|e| invalid(&e.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(invalid("it holds a user, a password or a query").with_hint(
            "Give a token by the secret parameter bearer_token; queries are not supported.",
        ));
    }
    let root = url.origin().ascii_serialization();
    let mut parts = Vec::new();
    for part in url.path_segments().into_iter().flatten() {
        let decoded = crate::partitions::decoded(part);
        if decoded.contains('/') {
            return Err(invalid("a part of it holds an escaped slash"));
        }
        parts.push(decoded);
    }
    let is_folder = parts.last().is_none_or(String::is_empty);
    parts.retain(|p| !p.is_empty());
    Ok(Address {
        kind: Kind::Http,
        root,
        bucket: String::new(),
        account: None,
        key: parts.join("/"),
        is_folder,
    })
}

/// Without the text: it may hold a secret.
fn invalid(why: &str) -> Error {
    Error::new(
        SqlState::InvalidParameterValue,
        format!("invalid value for parameter \"path\": {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Kind, String, String, String, bool) {
        let a = Address::parse(text).unwrap().unwrap();
        (a.kind, a.root, a.bucket, a.key, a.is_folder)
    }

    #[test]
    fn urls_name_kind_bucket_and_key() {
        let own = str::to_owned;
        assert_eq!(Address::parse("data/x.csv").unwrap(), None);
        assert_eq!(
            parsed("s3://lake/a b/year=*/ł?.csv"),
            (
                Kind::S3,
                own("s3://lake"),
                own("lake"),
                own("a b/year=*/ł?.csv"),
                false
            )
        );
        assert_eq!(
            parsed("gs://lake"),
            (Kind::Gcs, own("gs://lake"), own("lake"), own(""), true)
        );
        assert_eq!(
            parsed("https://h:8443/a%20b/c.csv"),
            (
                Kind::Http,
                own("https://h:8443"),
                own(""),
                own("a b/c.csv"),
                false
            )
        );
        let azure = Address::parse("abfss://c@acc.dfs.core.windows.net/x/")
            .unwrap()
            .unwrap();
        assert_eq!(azure.account.as_deref(), Some("acc"));
        assert_eq!((azure.bucket.as_str(), azure.is_folder), ("c", true));
    }

    #[test]
    fn what_leads_elsewhere_is_refused_without_being_repeated() {
        for text in [
            "file:///etc/hunter2",
            "s3://u:hunter2@lake/x",
            "s3://lake#hunter2/x",
            "s3:///hunter2",
            "s3://lake/../hunter2",
            "s3://lake//hunter2",
            "abfss://c@evil.example/hunter2",
            "abfss://c@a.b.dfs.core.windows.net/hunter2",
            "https://u:hunter2@h/x",
            "https://h/x?sig=hunter2",
            "https://h/a%2Fhunter2",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.sqlstate().code(), "22023", "{text}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
