//! From settings to a client of `object_store`. No credentials are taken from the environment, the
//! machine or a home folder unless `instance_credentials` asks for them.

use std::sync::Arc;
use std::time::Duration;

use inflowave_types::{Error, Result, SqlState};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use object_store::http::HttpBuilder;
use object_store::list::PaginatedListStore;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider,
};

use super::address::{Address, Kind};
use super::client::Connector;
use super::settings::{Credentials, Settings};

const GCS: &str = "https://storage.googleapis.com";

/// A client, seen as what reads and, where the store lists, as what lists.
pub struct Built {
    pub client: Arc<dyn ObjectStore>,
    pub lister: Option<Arc<dyn PaginatedListStore>>,
}

impl Built {
    fn listing<S: ObjectStore + PaginatedListStore>(store: S) -> Built {
        let store = Arc::new(store);
        Built {
            client: Arc::clone(&store) as _,
            lister: Some(store),
        }
    }
}

/// # Errors
/// `22023` for credentials that cannot be read.
pub fn build(address: &Address, settings: &Settings) -> Result<Built> {
    let built = match address.kind {
        Kind::S3 => s3(address, settings).build().map(Built::listing),
        Kind::Gcs => gcs(address, settings).build().map(Built::listing),
        Kind::Azure => azure(address, settings).build().map(Built::listing),
        Kind::Http => HttpBuilder::new()
            .with_url(&address.root)
            .with_client_options(client(settings))
            .with_retry(retry(settings))
            .with_http_connector(Connector(settings.clone()))
            .build()
            .map(|store| Built {
                client: Arc::new(store),
                lister: None,
            }),
    };
    // What the error says may be a piece of the secret that could not be read.
    built.map_err(|_| {
        let name = match settings.credentials {
            Credentials::AccountKey(_) => "account_key",
            Credentials::Sas(_) => "sas_token",
            Credentials::ServiceAccount(_) => "service_account",
            Credentials::Bearer(_) => "bearer_token",
            Credentials::Instance => "instance_credentials",
            Credentials::Keys { .. } => "access_key_id",
            Credentials::Anonymous => "endpoint",
        };
        Error::new(
            SqlState::InvalidParameterValue,
            format!("the value of parameter \"{name}\" cannot be used for {}", address.kind.name()),
        )
        .with_hint("account_key is base64; sas_token is the query of a signed URL; service_account is the JSON of a key, as in ${file:PATH}.")
    })
}

fn client(settings: &Settings) -> ClientOptions {
    ClientOptions::new().with_allow_http(settings.allow_http)
}

fn retry(settings: &Settings) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: settings.limits.retries_max,
        retry_timeout: settings.limits.retry_timeout,
    }
}

fn s3(address: &Address, settings: &Settings) -> AmazonS3Builder {
    let mut builder = match &settings.credentials {
        Credentials::Instance => AmazonS3Builder::from_env(),
        Credentials::Keys { id, key, session } => {
            let builder = AmazonS3Builder::new()
                .with_access_key_id(id.reveal())
                .with_secret_access_key(key.reveal());
            match session {
                Some(token) => builder.with_token(token.reveal()),
                None => builder,
            }
        }
        // The keys are not used; without them, those of the machine would be looked for.
        _ => AmazonS3Builder::new()
            .with_skip_signature(true)
            .with_access_key_id("-")
            .with_secret_access_key("-"),
    };
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    builder
        .with_bucket_name(&address.bucket)
        .with_client_options(client(settings))
        .with_retry(retry(settings))
        .with_http_connector(Connector(settings.clone()))
}

fn gcs(address: &Address, settings: &Settings) -> GoogleCloudStorageBuilder {
    let builder = match &settings.credentials {
        Credentials::Instance => GoogleCloudStorageBuilder::from_env(),
        Credentials::ServiceAccount(json) => {
            GoogleCloudStorageBuilder::new().with_service_account_key(json.reveal())
        }
        _ => GoogleCloudStorageBuilder::new()
            .with_skip_signature(true)
            .with_credentials(Arc::new(StaticCredentialProvider::new(GcpCredential {
                bearer: String::new(),
            }))),
    };
    // The file of a service account may name another address: it is not followed.
    builder
        .with_base_url(settings.endpoint.as_deref().unwrap_or(GCS))
        .with_bucket_name(&address.bucket)
        .with_client_options(client(settings))
        .with_retry(retry(settings))
        .with_http_connector(Connector(settings.clone()))
}

fn azure(address: &Address, settings: &Settings) -> MicrosoftAzureBuilder {
    let mut builder = match &settings.credentials {
        Credentials::Instance => MicrosoftAzureBuilder::from_env(),
        Credentials::AccountKey(key) => MicrosoftAzureBuilder::new().with_access_key(key.reveal()),
        Credentials::Sas(token) => MicrosoftAzureBuilder::new()
            .with_config(object_store::azure::AzureConfigKey::SasKey, token.reveal()),
        // The key is not used; without one, the machine's would be looked for.
        _ => MicrosoftAzureBuilder::new()
            .with_skip_signature(true)
            .with_access_key("AAAA"),
    };
    if let Some(account) = &settings.account {
        builder = builder.with_account(account);
    }
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    builder
        .with_container_name(&address.bucket)
        .with_client_options(client(settings))
        .with_retry(retry(settings))
        .with_http_connector(Connector(settings.clone()))
}
