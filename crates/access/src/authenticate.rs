//! How a client proves who it is: by the first rule that fits it.

use std::time::{SystemTime, UNIX_EPOCH};

use inflowave_query_api::{Attempt, Authenticator, Method as Asked};
use inflowave_types::{Error, SqlState};

use crate::Access;
use crate::rules::Method;
use crate::scram::{Plain, Scram, Verifier};

impl Authenticator for Access {
    fn method(&self, attempt: &Attempt) -> Asked {
        let model = self.model();
        // A superuser is a member of a role here only if it was made one.
        let is_member = |role: &str| model.is_member_of(&attempt.user, role);
        let mut rules = self.rules.iter();
        let Some(rule) = rules.find(|rule| rule.fits(attempt, is_member)) else {
            return refused("no access rule fits", attempt);
        };
        let role = model.roles.get(&attempt.user);
        // A password that has ended is as good as none.
        let verifier: Option<Verifier> = role
            .filter(|r| r.valid_until.is_none_or(|until| now() < until))
            .and_then(|r| r.verifier.clone());
        let end_point = attempt
            .tls
            .as_ref()
            .and_then(|t| t.server_end_point.clone());
        match rule.method {
            Method::Trust => Asked::Trust,
            Method::Reject => refused("an access rule rejects", attempt),
            Method::ScramSha256 => {
                match Scram::new(&attempt.user, verifier, &self.mock, end_point) {
                    Ok(scram) => Asked::Sasl(Box::new(scram)),
                    Err(error) => Asked::Reject(error),
                }
            }
            Method::Password => Asked::Password(Box::new(Plain {
                user: attempt.user.clone(),
                verifier,
            })),
            Method::Cert => {
                let name = attempt.tls.as_ref().and_then(|t| t.client_name.as_ref());
                match name {
                    Some(name) if *name == attempt.user => Asked::Trust,
                    _ => Asked::Reject(
                        Error::new(
                            SqlState::InvalidAuthorization,
                            format!(
                                "certificate authentication failed for user \"{}\"",
                                attempt.user
                            ),
                        )
                        .with_hint(
                            "The common name of the client's certificate must be the user's.",
                        ),
                    ),
                }
            }
        }
    }
}

fn refused(why: &str, attempt: &Attempt) -> Asked {
    let from = attempt
        .address
        .map_or_else(|| "this process".to_owned(), |a| format!("host \"{a}\""));
    let encryption = match attempt.tls {
        Some(_) => "SSL encryption",
        None => "no encryption",
    };
    Asked::Reject(
        Error::new(
            SqlState::InvalidAuthorization,
            format!(
                "{why} {from}, user \"{}\", database \"{}\", {encryption}",
                attempt.user, attempt.database
            ),
        )
        .with_hint("The rules stand in the configuration: access.rules."),
    )
}

/// In microseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |s| i64::try_from(s.as_micros()).unwrap_or(i64::MAX))
}
