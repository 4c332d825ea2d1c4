//! Buckets of the stand-ins for object stores, made anew for each test.

use std::sync::Arc;

use futures::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::azure::{
    AzureAccessKey, AzureAuthorizer, AzureCredential, MicrosoftAzureBuilder,
};
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

/// The stand-in for S3 believes any key.
pub const SECRET: &str = "pl4nted-S3cret-of-a-bucket";
/// Azurite's one account, which everybody knows: its documentation prints the key.
const AZURE_ACCOUNT: &str = "devstoreaccount1";
const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

pub struct Bucket {
    /// Names the software, and what it stands for.
    pub stand_in: &'static str,
    pub catalog: &'static str,
    pub name: String,
    /// `s3://bucket`.
    pub root: String,
    pub endpoint: String,
    pub params: Vec<(&'static str, String)>,
    pub client: Arc<dyn ObjectStore>,
}

/// What is skipped, and why.
type Missing = (&'static str, &'static str);

fn address(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}

async fn send(method: &str, url: &str, body: Vec<u8>, prepare: impl FnOnce(&mut HttpRequest)) {
    let mut request = HttpRequest::new(HttpRequestBody::from(body));
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = url.parse().unwrap();
    prepare(&mut request);
    let client = HttpClient::new(reqwest::Client::new());
    let answer = client.execute(request).await.unwrap();
    // One that is there already serves as well.
    let status = answer.status().as_u16();
    assert!(
        (200..300).contains(&status) || status == 409,
        "{method} {url}: {status}"
    );
}

impl Bucket {
    pub async fn s3(name: &str) -> Result<Bucket, Missing> {
        let endpoint = address("INFLOWAVE_TEST_S3")
            .ok_or(("object stores on moto (S3)", "INFLOWAVE_TEST_S3 is not set"))?;
        send("PUT", &format!("{endpoint}/{name}"), Vec::new(), |_| {}).await;
        let client = AmazonS3Builder::new()
            .with_endpoint(&endpoint)
            .with_bucket_name(name)
            .with_access_key_id("id")
            .with_secret_access_key(SECRET)
            .with_allow_http(true)
            .build()
            .unwrap();
        Ok(Bucket {
            stand_in: "moto, for S3",
            catalog: "on_s3",
            name: name.to_owned(),
            root: format!("s3://{name}"),
            params: vec![
                ("endpoint", endpoint.clone()),
                ("allow_http", "true".to_owned()),
                ("access_key_id", "id".to_owned()),
                ("secret_access_key", SECRET.to_owned()),
            ],
            endpoint,
            client: Arc::new(client),
        })
    }

    pub async fn azure(name: &str) -> Result<Bucket, Missing> {
        let server = address("INFLOWAVE_TEST_AZURE").ok_or((
            "object stores on Azurite (Azure)",
            "INFLOWAVE_TEST_AZURE is not set",
        ))?;
        let endpoint = format!("{server}/{AZURE_ACCOUNT}");
        let key = AzureCredential::AccessKey(AzureAccessKey::try_new(AZURE_KEY).unwrap());
        let container = format!("{endpoint}/{name}?restype=container");
        send("PUT", &container, Vec::new(), |request| {
            let length = "0".parse().unwrap();
            request.headers_mut().insert("content-length", length);
            AzureAuthorizer::new(&key, AZURE_ACCOUNT).authorize(request);
        })
        .await;
        let client = MicrosoftAzureBuilder::new()
            .with_account(AZURE_ACCOUNT)
            .with_access_key(AZURE_KEY)
            .with_endpoint(endpoint.clone())
            .with_container_name(name)
            .with_allow_http(true)
            .build()
            .unwrap();
        Ok(Bucket {
            stand_in: "Azurite, for Azure Blob Storage",
            catalog: "on_azure",
            name: name.to_owned(),
            root: format!("az://{name}"),
            params: vec![
                ("endpoint", endpoint.clone()),
                ("allow_http", "true".to_owned()),
                ("account", AZURE_ACCOUNT.to_owned()),
                ("account_key", AZURE_KEY.to_owned()),
            ],
            endpoint,
            client: Arc::new(client),
        })
    }

    pub async fn gcs(name: &str) -> Result<Bucket, Missing> {
        let endpoint = address("INFLOWAVE_TEST_GCS").ok_or((
            "object stores on fake-gcs-server (Google Cloud Storage)",
            "INFLOWAVE_TEST_GCS is not set",
        ))?;
        let make = format!("{endpoint}/storage/v1/b?project=p");
        let named = format!("{{\"name\":\"{name}\"}}");
        send("POST", &make, named.into_bytes(), |_| {}).await;
        let client = GoogleCloudStorageBuilder::new()
            .with_base_url(&endpoint)
            .with_bucket_name(name)
            .with_skip_signature(true)
            .with_service_account_key(NO_ACCOUNT)
            .with_client_options(object_store::ClientOptions::new().with_allow_http(true))
            .build()
            .unwrap();
        Ok(Bucket {
            stand_in: "fake-gcs-server, for Google Cloud Storage",
            catalog: "on_gcs",
            name: name.to_owned(),
            root: format!("gs://{name}"),
            params: vec![
                ("endpoint", endpoint.clone()),
                ("allow_http", "true".to_owned()),
                ("service_account", NO_ACCOUNT.to_owned()),
            ],
            endpoint,
            client: Arc::new(client),
        })
    }

    /// Puts the files below `lake/`.
    pub async fn put(&self, files: &[(&str, Vec<u8>)]) {
        futures::stream::iter(files)
            .for_each_concurrent(16, |(name, bytes)| self.put_one(name, bytes.clone()))
            .await;
    }

    async fn put_one(&self, name: &str, bytes: Vec<u8>) {
        let key = format!("lake/{name}");
        if self.root.starts_with("gs://") {
            // This stand-in takes objects by the other of Google's two interfaces.
            let mut url = reqwest::Url::parse(&format!(
                "{}/upload/storage/v1/b/{}/o?uploadType=media",
                self.endpoint, self.name
            ))
            .unwrap();
            url.query_pairs_mut().append_pair("name", &key);
            return send("POST", url.as_str(), bytes, |_| {}).await;
        }
        let path = Path::parse(key).unwrap();
        self.client.put(&path, bytes.into()).await.unwrap();
    }

    /// Lets everybody read an object of the stand-in for S3.
    pub async fn publish(&self, key: &str) {
        let url = format!("{}/{}/{key}?acl", self.endpoint, self.name);
        send("PUT", &url, Vec::new(), |request| {
            let everybody = "public-read".parse().unwrap();
            request.headers_mut().insert("x-amz-acl", everybody);
            let somebody = "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request";
            let somebody = somebody.parse().unwrap();
            request.headers_mut().insert("authorization", somebody);
        })
        .await;
    }
}

/// A service account that needs no key: for servers that ask for none.
const NO_ACCOUNT: &str =
    r#"{"client_email":"","private_key":"","private_key_id":"","disable_oauth":true}"#;
