//! The parameters of stores, taken apart and checked against the kind of store.

use std::time::Duration;

use inflowave_connector_api::Params;
use inflowave_types::{Error, Result, Secret, SqlState};

use super::address::{Address, Kind, is_account};

/// Whose rights are used.
#[derive(Debug, Clone)]
pub enum Credentials {
    Anonymous,
    /// Those of the machine and of the server's environment.
    Instance,
    Keys {
        id: Secret,
        key: Secret,
        session: Option<Secret>,
    },
    AccountKey(Secret),
    Sas(Secret),
    ServiceAccount(Secret),
    Bearer(Secret),
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub credentials: Credentials,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub account: Option<String>,
    pub allow_http: bool,
    pub follow_redirects: bool,
    pub limits: Limits,
}

/// What bounds the work with a store.
#[derive(Debug, Clone)]
pub struct Limits {
    pub request_timeout: Duration,
    pub connect_timeout: Duration,
    pub retries_max: usize,
    pub retry_timeout: Duration,
    pub listed_objects_max: usize,
    pub metadata_cache_bytes_max: usize,
}

/// Which parameters a kind of store takes beside those of all.
fn own(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::S3 => &[
            "endpoint",
            "region",
            "access_key_id",
            "secret_access_key",
            "session_token",
            "anonymous",
            "instance_credentials",
            "allow_http",
        ],
        Kind::Gcs => &[
            "endpoint",
            "service_account",
            "anonymous",
            "instance_credentials",
            "allow_http",
        ],
        Kind::Azure => &[
            "endpoint",
            "account",
            "account_key",
            "sas_token",
            "anonymous",
            "instance_credentials",
            "allow_http",
        ],
        Kind::Http => &["bearer_token", "follow_redirects"],
    }
}

const OF_STORES: &[&str] = &[
    "endpoint",
    "region",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "account",
    "account_key",
    "sas_token",
    "service_account",
    "bearer_token",
    "anonymous",
    "instance_credentials",
    "allow_http",
    "follow_redirects",
];

const OF_ALL_STORES: &[&str] = &[
    "request_timeout_s",
    "connect_timeout_s",
    "retries_max",
    "retry_timeout_s",
    "listed_objects_max",
    "metadata_cache_bytes_max",
];

/// # Errors
/// `22023` naming a parameter that is given and means nothing for a path of the file system.
pub fn none_is_given(params: &Params) -> Result<()> {
    for name in OF_STORES.iter().chain(OF_ALL_STORES) {
        if params.is_given(name) {
            return Err(invalid(format!(
                "parameter \"{name}\" is for object stores, and \"path\" is a path of the file system"
            ))
            .with_hint("Leave it out, or give a URL such as s3://bucket/prefix."));
        }
    }
    Ok(())
}

impl Settings {
    /// # Errors
    /// `22023` naming the parameter that is missing, of another kind of store, or not valid.
    pub fn new(params: &Params, address: &Address) -> Result<Settings> {
        let kind = address.kind;
        for name in OF_STORES {
            if params.is_given(name) && !own(kind).contains(name) {
                return Err(invalid(format!(
                    "parameter \"{name}\" is not one of {}",
                    kind.name()
                ))
                .with_hint(format!(
                    "Beside those of all stores it takes: {}.",
                    own(kind).join(", ")
                )));
            }
        }
        let region = params.text("region").map(str::to_owned);
        // It becomes part of a host.
        if let Some(region) = &region
            && !region
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            return Err(invalid("invalid value for parameter \"region\"".to_owned())
                .with_hint("A region is a name such as eu-central-1."));
        }
        let account = match (params.text("account"), &address.account) {
            (Some(given), Some(named)) if given != named => {
                return Err(invalid(
                    "parameter \"account\" and the host of \"path\" name two accounts".to_owned(),
                )
                .with_hint("Leave one of them out."));
            }
            (given, named) => given.map(str::to_owned).or_else(|| named.clone()),
        };
        if kind == Kind::Azure && !account.as_deref().is_some_and(is_account) {
            return Err(
                invalid("parameter \"account\" does not name an account".to_owned())
                    .with_hint("Give the storage account, such as account = \"lakehouse\"."),
            );
        }
        let endpoint = params.text("endpoint").map(endpoint).transpose()?;
        let allow_http = params.boolean("allow_http");
        if endpoint.as_deref().is_some_and(|e| e.starts_with("http:")) && !allow_http {
            return Err(
                invalid("the endpoint is not encrypted".to_owned()).with_hint(
                    "Give an https:// endpoint, or set allow_http = true where nobody can listen.",
                ),
            );
        }
        let seconds = |name: &str| Duration::from_secs(params.integer(name).unwrap_or(30));
        let count = |name: &str| {
            let value = params.integer(name).unwrap_or_default();
            usize::try_from(value).unwrap_or(usize::MAX)
        };
        Ok(Settings {
            credentials: credentials(params, kind)?,
            endpoint,
            region,
            account,
            allow_http: allow_http || address.root.starts_with("http:"),
            follow_redirects: params.boolean("follow_redirects"),
            limits: Limits {
                request_timeout: seconds("request_timeout_s"),
                connect_timeout: seconds("connect_timeout_s"),
                retries_max: count("retries_max"),
                retry_timeout: seconds("retry_timeout_s"),
                listed_objects_max: count("listed_objects_max"),
                metadata_cache_bytes_max: count("metadata_cache_bytes_max"),
            },
        })
    }
}

fn credentials(params: &Params, kind: Kind) -> Result<Credentials> {
    let secret = |name: &str| params.secret(name).cloned();
    let mut found = Vec::new();
    if params.boolean("anonymous") {
        found.push(("anonymous", Credentials::Anonymous));
    }
    if params.boolean("instance_credentials") {
        found.push(("instance_credentials", Credentials::Instance));
    }
    match (secret("access_key_id"), secret("secret_access_key")) {
        (Some(id), Some(key)) => {
            let session = secret("session_token");
            found.push(("access_key_id", Credentials::Keys { id, key, session }));
        }
        (None, None) if !params.is_given("session_token") => {}
        _ => {
            return Err(invalid(
                "parameters \"access_key_id\" and \"secret_access_key\" belong together".to_owned(),
            )
            .with_hint("Give both, each by a reference such as ${env:INFLOWAVE_S3_KEY}."));
        }
    }
    if let Some(key) = secret("account_key") {
        found.push(("account_key", Credentials::AccountKey(key)));
    }
    if let Some(token) = secret("sas_token") {
        found.push(("sas_token", Credentials::Sas(token)));
    }
    if let Some(json) = secret("service_account") {
        found.push(("service_account", Credentials::ServiceAccount(json)));
    }
    if let Some(token) = secret("bearer_token") {
        found.push(("bearer_token", Credentials::Bearer(token)));
    }
    let choices = match kind {
        Kind::Http => return Ok(found.pop().map_or(Credentials::Anonymous, |f| f.1)),
        Kind::S3 => "access_key_id with secret_access_key",
        Kind::Gcs => "service_account",
        Kind::Azure => "account_key or sas_token",
    };
    let hint = format!(
        "Give {choices} by references such as ${{env:NAME}} or ${{file:PATH}}; or anonymous = true for public files; or, in the configuration, instance_credentials = true for those of this machine."
    );
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|f| f.0).collect();
        return Err(invalid(format!(
            "more than one kind of credentials: {}",
            names.join(", ")
        ))
        .with_hint(hint));
    }
    match found.pop() {
        Some((_, credentials)) => Ok(credentials),
        None => Err(invalid(format!("no credentials for {}", kind.name())).with_hint(hint)),
    }
}

/// A base URL of a service, without a slash at its end.
fn endpoint(text: &str) -> Result<String> {
    let url = url::Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    match url {
        Some(_) => Ok(text.trim_end_matches('/').to_owned()),
        None => Err(
            invalid("invalid value for parameter \"endpoint\"".to_owned())
                .with_hint("Write https://host:port, without a user or a query."),
        ),
    }
}

fn invalid(message: String) -> Error {
    Error::new(SqlState::InvalidParameterValue, message)
}
