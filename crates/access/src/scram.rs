//! SCRAM-SHA-256 (RFC 5802, RFC 7677) on the server's side: verifiers, and the exchange.
//!
//! What is kept of a password is what PostgreSQL keeps: a salt, a number of iterations and two keys
//! from which the password cannot be told.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use inflowave_query_api::{Exchange, PasswordCheck};
use inflowave_types::{Error, Result, SqlState};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hmac, pbkdf2};

/// PostgreSQL's.
const ITERATIONS: u32 = 4096;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 18;
const KEY_BYTES: usize = 32;
const PLAIN: &str = "SCRAM-SHA-256";
const PLUS: &str = "SCRAM-SHA-256-PLUS";
/// Bytes of a password, at most.
const PASSWORD_BYTES_MAX: usize = 4096;

/// # Errors
/// `XX000` if the system has no random numbers.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::internal("the system gave no random numbers"))?;
    Ok(bytes)
}

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: [u8; KEY_BYTES],
    server_key: [u8; KEY_BYTES],
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// Of a password, or of the text of a verifier, which is taken as it is.
    ///
    /// # Errors
    /// `22023` for an empty one, one that is too long, and one in MD5.
    pub fn of_password(password: &inflowave_types::Secret) -> Result<Verifier> {
        let password = password.reveal();
        if let Ok(verifier) = password.parse() {
            return Ok(verifier);
        }
        let refused = |why: &str| Err(Error::new(SqlState::InvalidParameterValue, why));
        if password.is_empty() {
            return refused("an empty password cannot be used");
        }
        if password.len() > PASSWORD_BYTES_MAX {
            return refused("the password is too long");
        }
        let hex = password.strip_prefix("md5");
        if hex.is_some_and(|h| h.len() == 32 && h.bytes().all(|b| b.is_ascii_hexdigit())) {
            return refused("a password in MD5 cannot be kept as a SCRAM verifier");
        }
        Ok(Verifier::derive(
            password,
            &random::<SALT_BYTES>()?,
            ITERATIONS,
        ))
    }

    fn derive(password: &str, salt: &[u8], iterations: u32) -> Verifier {
        let salted = salted(password, salt, iterations);
        let client_key = sign(&salted, b"Client Key");
        Verifier {
            iterations,
            salt: salt.to_vec(),
            stored_key: hash(&client_key),
            server_key: sign(&salted, b"Server Key"),
        }
    }

    /// As PostgreSQL writes it.
    pub(crate) fn written(&self) -> String {
        format!(
            "{PLAIN}${}:{}${}:{}",
            self.iterations,
            BASE64.encode(&self.salt),
            BASE64.encode(self.stored_key),
            BASE64.encode(self.server_key)
        )
    }

    fn fits(&self, password: &str) -> bool {
        let again = Verifier::derive(password, &self.salt, self.iterations);
        equal(&again.stored_key, &self.stored_key)
    }
}

impl FromStr for Verifier {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rest = text.strip_prefix(PLAIN).and_then(|r| r.strip_prefix('$'));
        let (parameters, keys) = rest.and_then(|r| r.split_once('$')).ok_or(())?;
        let (iterations, salt) = parameters.split_once(':').ok_or(())?;
        let (stored, server) = keys.split_once(':').ok_or(())?;
        let key = |text: &str| -> Result<[u8; KEY_BYTES], ()> {
            let bytes = BASE64.decode(text).map_err(|_| ())?;
            bytes.try_into().map_err(|_| ())
        };
        let iterations: u32 = iterations.parse().map_err(|_| ())?;
        let salt = BASE64.decode(salt).map_err(|_| ())?;
        if iterations == 0 || salt.is_empty() {
            return Err(());
        }
        Ok(Verifier {
            iterations,
            salt,
            stored_key: key(stored)?,
            server_key: key(server)?,
        })
    }
}

fn salted(password: &str, salt: &[u8], iterations: u32) -> [u8; KEY_BYTES] {
    // As PostgreSQL does, a password that SASLprep does not know is taken as it is.
    let prepared = stringprep::saslprep(password);
    let prepared = prepared.as_deref().unwrap_or(password);
    let mut out = [0; KEY_BYTES];
    let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        iterations,
        salt,
        prepared.as_bytes(),
        &mut out,
    );
    out
}

fn sign(key: &[u8], data: &[u8]) -> [u8; KEY_BYTES] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    let mut out = [0; KEY_BYTES];
    out.copy_from_slice(tag.as_ref());
    out
}

fn hash(data: &[u8]) -> [u8; KEY_BYTES] {
    let mut out = [0; KEY_BYTES];
    out.copy_from_slice(digest(&SHA256, data).as_ref());
    out
}

/// In a time that does not tell where they differ.
fn equal(a: &[u8; KEY_BYTES], b: &[u8; KEY_BYTES]) -> bool {
    a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

pub(crate) fn wrong_password(user: &str) -> Error {
    Error::new(
        SqlState::InvalidPassword,
        format!("password authentication failed for user \"{user}\""),
    )
}

/// One user's exchange. A user without a verifier goes through it like any other, and fails.
pub(crate) struct Scram {
    user: String,
    verifier: Verifier,
    /// Whether a right proof lets the user in.
    valid: bool,
    /// `tls-server-end-point`; `None` where nothing can be bound to.
    end_point: Option<Vec<u8>>,
    /// What the proof is made over, up to the client's last message.
    said: String,
    nonce: String,
    /// What the client's last message has to repeat of its first: the header and what it binds to.
    binding: Vec<u8>,
}

impl Scram {
    /// `verifier` is `None` for a user that cannot log in by password; `mock` makes up its salt.
    ///
    /// # Errors
    /// `XX000` without random numbers.
    pub fn new(
        user: &str,
        verifier: Option<Verifier>,
        mock: &[u8; 32],
        end_point: Option<Vec<u8>>,
    ) -> Result<Scram> {
        let valid = verifier.is_some();
        let verifier = verifier.unwrap_or_else(|| Verifier {
            iterations: ITERATIONS,
            salt: sign(mock, user.as_bytes())[..SALT_BYTES].to_vec(),
            stored_key: [0; KEY_BYTES],
            server_key: [0; KEY_BYTES],
        });
        Ok(Scram {
            user: user.to_owned(),
            verifier,
            valid,
            end_point,
            said: String::new(),
            nonce: BASE64.encode(random::<NONCE_BYTES>()?),
            binding: Vec::new(),
        })
    }
}

fn malformed(detail: &str) -> Error {
    Error::new(SqlState::ProtocolViolation, "malformed SCRAM message").with_detail(detail)
}

impl Exchange for Scram {
    fn mechanisms(&self) -> Vec<&'static str> {
        match self.end_point {
            Some(_) => vec![PLUS, PLAIN],
            None => vec![PLAIN],
        }
    }

    fn first(&mut self, mechanism: &str, message: &[u8]) -> Result<Vec<u8>> {
        let bound = match mechanism {
            PLUS if self.end_point.is_some() => true,
            PLAIN => false,
            _ => {
                return Err(Error::new(
                    SqlState::ProtocolViolation,
                    "client selected an invalid SASL authentication mechanism",
                ));
            }
        };
        let text = std::str::from_utf8(message).map_err(|_| malformed("It is no UTF-8."))?;
        let mut parts = text.splitn(3, ',');
        let (Some(flag), Some(authorize), Some(bare)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("It has no header."));
        };
        match flag {
            "n" if !bound => {}
            "y" if !bound && self.end_point.is_none() => {}
            "y" if !bound => {
                // Somebody in between has taken our offer away.
                return Err(Error::new(
                    SqlState::InvalidAuthorization,
                    "SCRAM channel binding negotiation error",
                )
                .with_detail(
                    "The client supports SCRAM channel binding but thinks the server does not. \
                     However, this server does support channel binding.",
                ));
            }
            "p=tls-server-end-point" if bound => {}
            _ if flag.starts_with("p=") && bound => {
                return Err(malformed("The type of channel binding is not supported."));
            }
            _ => return Err(malformed("Its channel binding does not fit its mechanism.")),
        }
        if !authorize.is_empty() {
            return Err(Error::unsupported(
                "client uses authorization identity, but it is not supported",
            ));
        }
        if bare.starts_with("m=") {
            return Err(Error::unsupported(
                "client requires an unsupported SCRAM extension",
            ));
        }
        // The name that counts is that of the start-up packet.
        let client_nonce = bare
            .split(',')
            .find_map(|part| part.strip_prefix("r="))
            .filter(|nonce| !nonce.is_empty() && nonce.bytes().all(|b| b.is_ascii_graphic()))
            .ok_or_else(|| malformed("It has no nonce."))?;
        if !bare.starts_with("n=") {
            return Err(malformed("It has no user name."));
        }
        self.nonce = format!("{client_nonce}{}", self.nonce);
        self.binding = format!("{flag},,").into_bytes();
        if let (true, Some(end_point)) = (bound, &self.end_point) {
            self.binding.extend_from_slice(end_point);
        }
        let answer = format!(
            "r={},s={},i={}",
            self.nonce,
            BASE64.encode(&self.verifier.salt),
            self.verifier.iterations
        );
        self.said = format!("{bare},{answer}");
        Ok(answer.into_bytes())
    }

    fn last(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        let text = std::str::from_utf8(message).map_err(|_| malformed("It is no UTF-8."))?;
        let (without_proof, proof) = text
            .rsplit_once(",p=")
            .ok_or_else(|| malformed("It has no proof."))?;
        let mut parts = without_proof.split(',');
        let binding = parts.next().and_then(|p| p.strip_prefix("c="));
        let nonce = parts.next().and_then(|p| p.strip_prefix("r="));
        let (Some(binding), Some(nonce)) = (binding, nonce) else {
            return Err(malformed("It has no channel binding and nonce."));
        };
        if BASE64.decode(binding).ok().as_ref() != Some(&self.binding) {
            return Err(Error::new(
                SqlState::InvalidAuthorization,
                "SCRAM channel binding check failed",
            ));
        }
        if nonce != self.nonce {
            return Err(malformed("Its nonce is another."));
        }
        let proof: [u8; KEY_BYTES] = BASE64
            .decode(proof)
            .ok()
            .and_then(|p| p.try_into().ok())
            .ok_or_else(|| malformed("Its proof is none."))?;
        self.said.push(',');
        self.said.push_str(without_proof);
        let signature = sign(&self.verifier.stored_key, self.said.as_bytes());
        let mut client_key = proof;
        client_key
            .iter_mut()
            .zip(signature)
            .for_each(|(k, s)| *k ^= s);
        let right = equal(&hash(&client_key), &self.verifier.stored_key);
        if !(right && self.valid) {
            return Err(wrong_password(&self.user));
        }
        let signed = sign(&self.verifier.server_key, self.said.as_bytes());
        Ok(format!("v={}", BASE64.encode(signed)).into_bytes())
    }
}

/// A password that comes as it is.
pub(crate) struct Plain {
    pub user: String,
    pub verifier: Option<Verifier>,
}

impl PasswordCheck for Plain {
    fn check(&self, password: &str) -> Result<()> {
        match &self.verifier {
            Some(verifier) if verifier.fits(password) => Ok(()),
            Some(_) => Err(wrong_password(&self.user)),
            None => {
                // As long as for a user that is there.
                let _ = salted(password, b"nobody has this salt", ITERATIONS);
                Err(wrong_password(&self.user))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflowave_types::Secret;

    /// The client's side, for tests.
    fn client(password: &str, header: &str, bind: &[u8], scram: &mut Scram) -> Result<bool> {
        let mechanism = if header.starts_with("p=") {
            PLUS
        } else {
            PLAIN
        };
        let bare = "n=,r=clientnonce";
        let first = scram.first(mechanism, format!("{header}{bare}").as_bytes())?;
        let first = String::from_utf8(first).unwrap();
        let part = |name: &str| {
            let mut parts = first.split(',');
            parts.find_map(|p| p.strip_prefix(name)).unwrap().to_owned()
        };
        let salt = BASE64.decode(part("s=")).unwrap();
        let salted = salted(password, &salt, part("i=").parse().unwrap());
        let client_key = sign(&salted, b"Client Key");
        let binding = [header.as_bytes(), bind].concat();
        let last = format!("c={},r={}", BASE64.encode(binding), part("r="));
        let said = format!("{bare},{first},{last}");
        let signature = sign(&hash(&client_key), said.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(signature)
            .map(|(k, s)| k ^ s)
            .collect();
        let answer = scram.last(format!("{last},p={}", BASE64.encode(proof)).as_bytes())?;
        let expected = sign(&sign(&salted, b"Server Key"), said.as_bytes());
        Ok(answer == format!("v={}", BASE64.encode(expected)).into_bytes())
    }

    fn verifier(password: &str) -> Verifier {
        Verifier::of_password(&Secret::new(password.to_owned())).unwrap()
    }

    fn scram(verifier: Option<Verifier>, end_point: Option<&[u8]>) -> Scram {
        Scram::new("ann", verifier, &[7; 32], end_point.map(<[u8]>::to_vec)).unwrap()
    }

    #[test]
    fn a_verifier_is_postgresqls() {
        // Written by PostgreSQL 15.
        let text = "SCRAM-SHA-256$4096:trIoFuOODroEGftl6/lKZA==$cmwjRH7aNTYvHDJWD/G8G6Pj3pP5HXmYob/Lo9PJOns=:wnWQO+tx5y/0mH79FW+ELlwOyGU57XJzdrSOzMYTWzs=";
        let theirs: Verifier = text.parse().unwrap();
        assert!(theirs.fits("correct-horse-7 ąę") && !theirs.fits("correct-horse-7"));
        assert_eq!(theirs.written(), text);
        for broken in ["", "SCRAM-SHA-256$4096:x$y:z", "SCRAM-SHA-256$0:AAAA$AA:AA"] {
            assert_eq!(broken.parse::<Verifier>(), Err(()));
        }
        assert_eq!(format!("{theirs:?}"), "Verifier");
    }

    #[test]
    fn the_right_password_is_proved_by_both() {
        let mut exchange = scram(Some(verifier("sécret")), None);
        assert_eq!(client("sécret", "n,,", b"", &mut exchange), Ok(true));
        let mut exchange = scram(Some(verifier("sécret")), None);
        let error = client("secret", "n,,", b"", &mut exchange).unwrap_err();
        assert_eq!(error.sqlstate().code(), "28P01");
        let mut exchange = scram(None, None);
        let unknown = client("secret", "n,,", b"", &mut exchange).unwrap_err();
        assert_eq!(unknown, error);
    }

    #[test]
    fn the_channel_is_bound() {
        let header = "p=tls-server-end-point,,";
        let bound = |bind: &[u8]| {
            let mut exchange = scram(Some(verifier("x")), Some(b"certificate"));
            client("x", header, bind, &mut exchange)
        };
        assert_eq!(bound(b"certificate"), Ok(true));
        assert_eq!(bound(b"another").unwrap_err().sqlstate().code(), "28000");
        // A client that could bind and was not offered to.
        let mut exchange = scram(Some(verifier("x")), Some(b"certificate"));
        let error = client("x", "y,,", b"", &mut exchange).unwrap_err();
        assert_eq!(error.sqlstate().code(), "28000");
        let mut exchange = scram(Some(verifier("x")), Some(b"certificate"));
        assert_eq!(client("x", "n,,", b"", &mut exchange), Ok(true));
    }

    #[test]
    fn the_salt_of_nobody_is_always_the_same() {
        let salt = || scram(None, None).verifier.salt;
        assert_eq!(salt(), salt());
    }

    #[test]
    fn broken_messages_are_refused() {
        for message in [
            "",
            "n",
            "n,,",
            "n,,r=x",
            "n,,n=a,r=",
            "n,a=x,n=a,r=x",
            "z,,n=,r=x",
        ] {
            let mut exchange = scram(Some(verifier("x")), None);
            assert!(
                exchange.first(PLAIN, message.as_bytes()).is_err(),
                "{message}"
            );
        }
        for message in [
            "",
            "c=biws",
            "c=biws,r=x,p=",
            "c=biws,r=other,p=AAAA",
            "p=x",
        ] {
            let mut exchange = scram(Some(verifier("x")), None);
            exchange.first(PLAIN, b"n,,n=,r=x").unwrap();
            assert!(exchange.last(message.as_bytes()).is_err(), "{message}");
        }
    }
}
