//! The HTTP client of stores: bounded in time, following a redirect only where that is allowed.
//!
//! `object_store`'s own client bounds a request from its start to the last byte of its answer, so
//! that large answers over slow lines fail; here the silence is bounded. It also follows any
//! redirect, which lets a server send us to addresses that only we can reach.

use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientConfigKey, ClientOptions};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;

use super::settings::{Credentials, Settings};

const REDIRECTS_MAX: usize = 5;

#[derive(Debug)]
pub struct Connector(pub Settings);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let settings = &self.0;
        // The metadata service of a machine, asked for its credentials, speaks plain HTTP.
        let plain = options
            .get_config_value(&ClientConfigKey::AllowHttp)
            .as_deref()
            == Some("true");
        let policy = if settings.follow_redirects {
            Policy::custom(|attempt| {
                let downgrade = attempt.url().scheme() != "https"
                    && attempt.previous().iter().any(|url| url.scheme() == "https");
                if downgrade || attempt.previous().len() > REDIRECTS_MAX {
                    attempt.stop()
                } else {
                    attempt.follow()
                }
            })
        } else {
            Policy::none()
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("inflowave/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.limits.connect_timeout)
            .read_timeout(settings.limits.request_timeout)
            .redirect(policy)
            .http1_only()
            .https_only(!plain);
        if let Credentials::Bearer(token) = &settings.credentials {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
            let mut value = value.map_err(failed)?;
            value.set_sensitive(true);
            builder = builder.default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)]));
        }
        Ok(HttpClient::new(builder.build().map_err(failed)?))
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic {
        store: "HTTP client",
        source: Box::new(error),
    }
}
