//! TLS: the server's certificate, read again when its files change, and what is known of a client.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use inflowave_query_api::TlsPeer;
use inflowave_types::{Error, Result, SqlState};
use ring::digest;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::server::TlsStream;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The protocol of a TLS connection that begins without `SSLRequest`, as PostgreSQL names it.
const ALPN: &[u8] = b"postgresql";
/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where the certificates are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the server's certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// PEM: its key.
    pub key: PathBuf,
    /// PEM: the authorities of client certificates; without it none is asked for.
    pub client_authorities: Option<PathBuf>,
}

/// A server's TLS. New connections use the files as they are now; files that cannot be read or do not
/// fit leave it as it was.
pub struct Tls {
    files: TlsFiles,
    state: Mutex<State>,
}

struct State {
    loaded: Loaded,
    looked: Instant,
    /// When the files were changed that were tried last.
    tried: Vec<Option<SystemTime>>,
}

#[derive(Clone)]
struct Loaded {
    config: Arc<ServerConfig>,
    end_point: Option<Vec<u8>>,
}

impl Tls {
    /// # Errors
    /// `F0000` naming the file.
    pub fn load(files: TlsFiles) -> Result<Tls> {
        let tried = changed(&files);
        let loaded = load(&files)?;
        Ok(Tls {
            files,
            state: Mutex::new(State {
                loaded,
                looked: Instant::now(),
                tried,
            }),
        })
    }

    fn now(&self) -> Loaded {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        if state.looked.elapsed() >= LOOK_EVERY {
            state.looked = Instant::now();
            let now = changed(&self.files);
            if now != state.tried {
                state.tried = now;
                match load(&self.files) {
                    Ok(loaded) => {
                        tracing::info!(
                            certificate = %self.files.certificate.display(),
                            "certificate loaded"
                        );
                        state.loaded = loaded;
                    }
                    Err(error) => tracing::error!(%error, "the certificate stays as it was"),
                }
            }
        }
        state.loaded.clone()
    }

    /// Encrypts a connection; `direct` is one that began without `SSLRequest`.
    ///
    /// # Errors
    /// What the handshake met, in words.
    pub async fn accept(
        &self,
        stream: TcpStream,
        direct: bool,
    ) -> std::result::Result<(TlsStream<TcpStream>, TlsPeer), String> {
        let Loaded { config, end_point } = self.now();
        let accepted = TlsAcceptor::from(config).accept(stream).await;
        let stream = accepted.map_err(|e| e.to_string())?;
        let (_, session) = stream.get_ref();
        if direct && session.alpn_protocol() != Some(ALPN) {
            return Err(
                "received direct SSL connection request without ALPN protocol negotiation extension"
                    .to_owned(),
            );
        }
        let shown = session.peer_certificates().and_then(|c| c.first());
        let peer = TlsPeer {
            client_name: shown.and_then(|c| common_name(c)),
            server_end_point: end_point,
        };
        Ok((stream, peer))
    }
}

fn changed(files: &TlsFiles) -> Vec<Option<SystemTime>> {
    let time = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    let mut times = vec![time(&files.certificate), time(&files.key)];
    times.extend(files.client_authorities.as_deref().map(time));
    times
}

fn load(files: &TlsFiles) -> Result<Loaded> {
    let wrong = |path: &Path, what: String| {
        Error::new(
            SqlState::ConfigFileError,
            format!("TLS: \"{}\": {what}", path.display()),
        )
        .with_hint("It is a file in PEM that the server's user can read.")
    };
    let certificates = |path: &Path| -> Result<Vec<CertificateDer<'static>>> {
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
        let read: Vec<_> = read.map_err(|e| wrong(path, e.to_string()))?;
        match read.is_empty() {
            true => Err(wrong(path, "there is no certificate in it".to_owned())),
            false => Ok(read),
        }
    };
    let chain = certificates(&files.certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|e| wrong(&files.key, e.to_string()))?;
    let crypto = Arc::new(provider::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&crypto))
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(&files.certificate, e.to_string()))?;
    let builder = match &files.client_authorities {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(path)? {
                roots.add(root).map_err(|e| wrong(path, e.to_string()))?;
            }
            // Whether one has to be shown is for the rules to say.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto)
                .allow_unauthenticated()
                .build()
                .map_err(|e| wrong(path, e.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let end_point = end_point(&chain[0]);
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|e| wrong(&files.key, e.to_string()))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Loaded {
        config: Arc::new(config),
        end_point,
    })
}

/// `tls-server-end-point` of RFC 5929: the certificate's hash, by the algorithm of its signature;
/// `None` for one that has none.
fn end_point(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let algorithm = match parsed.signature_algorithm.algorithm.to_id_string().as_str() {
        // MD5 and SHA-1 give way to SHA-256.
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2" => &digest::SHA256,
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => &digest::SHA384,
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let name = parsed.subject().iter_common_name().next()?.as_str().ok()?;
    Some(name.to_owned())
}
