//! The rules by which clients prove who they are: an ordered list, in the words of `pg_hba.conf`.

use std::net::IpAddr;
use std::str::FromStr;

use inflowave_query_api::Attempt;
use inflowave_types::{Error, Result, SqlState};
use ipnet::IpNet;

/// How a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    Host,
    HostSsl,
    HostNoSsl,
}

/// Databases or users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    All,
    /// The database of the user's name.
    SameUser,
    /// A name that begins with `+` means the members of that role.
    Listed(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Believed: from loopback addresses only.
    Trust,
    Reject,
    ScramSha256,
    /// The password as it is, over TLS.
    Password,
    /// A client certificate whose common name is the user's.
    Cert,
}

/// `host | hostssl | hostnossl  DATABASES  USERS  ADDRESS  METHOD`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub connection: Connection,
    pub databases: Names,
    pub users: Names,
    /// `None` is any.
    pub address: Option<IpNet>,
    pub method: Method,
}

impl FromStr for Rule {
    type Err = Error;

    /// # Errors
    /// `F0000` saying which word is wrong and what is valid.
    fn from_str(line: &str) -> Result<Rule> {
        let wrong = |what: String, hint: &str| {
            Err(Error::new(
                SqlState::ConfigFileError,
                format!("access rule \"{line}\": {what}"),
            )
            .with_hint(hint.to_owned()))
        };
        const FORM: &str = "A rule is: host|hostssl|hostnossl DATABASES USERS ADDRESS METHOD, such as \
             \"hostssl all all 10.0.0.0/8 scram-sha-256\".";
        let words: Vec<&str> = line.split_whitespace().collect();
        let [connection, databases, users, address, method] = words.as_slice() else {
            return wrong(format!("it has {} words, not 5", words.len()), FORM);
        };
        let connection = match *connection {
            "host" => Connection::Host,
            "hostssl" => Connection::HostSsl,
            "hostnossl" => Connection::HostNoSsl,
            other => return wrong(format!("\"{other}\" is no kind of connection"), FORM),
        };
        let address = match *address {
            "all" => None,
            text => match text.parse::<IpNet>() {
                Ok(net) => Some(net),
                Err(_) => match text.parse::<IpAddr>() {
                    Ok(ip) => Some(IpNet::from(ip)),
                    Err(_) => {
                        return wrong(
                            format!("\"{text}\" is no address"),
                            "It is all, an IP address, or a network such as 10.0.0.0/8.",
                        );
                    }
                },
            },
        };
        let method = match *method {
            "trust" => Method::Trust,
            "reject" => Method::Reject,
            "scram-sha-256" => Method::ScramSha256,
            "password" => Method::Password,
            "cert" => Method::Cert,
            other => {
                return wrong(
                    format!("\"{other}\" is no method"),
                    "The methods are scram-sha-256, cert, password, trust and reject.",
                );
            }
        };
        let loopback =
            address.is_some_and(|net| net.network().is_loopback() && net.broadcast().is_loopback());
        if method == Method::Trust && !loopback {
            return wrong(
                "whoever comes from there would be believed".to_owned(),
                "trust is for loopback addresses: 127.0.0.1/32 and ::1/128.",
            );
        }
        if matches!(method, Method::Cert | Method::Password) && connection != Connection::HostSsl {
            return wrong(
                "this method needs an encrypted connection".to_owned(),
                "Write hostssl, and configure [tls].",
            );
        }
        Ok(Rule {
            connection,
            databases: Names::read(databases),
            users: Names::read(users),
            address,
            method,
        })
    }
}

impl Names {
    fn read(text: &str) -> Names {
        match text {
            "all" => Names::All,
            "sameuser" => Names::SameUser,
            text => {
                let names = text.split(',').map(|n| n.trim_matches('"').to_owned());
                Names::Listed(names.filter(|n| !n.is_empty()).collect())
            }
        }
    }
}

impl Rule {
    /// Does it speak of this client? `is_member` tells whether the user is a member of a role.
    pub(crate) fn fits(&self, attempt: &Attempt, is_member: impl Fn(&str) -> bool) -> bool {
        let encrypted = attempt.tls.is_some();
        let came = match self.connection {
            Connection::Host => true,
            Connection::HostSsl => encrypted,
            Connection::HostNoSsl => !encrypted,
        };
        let from = match (&self.address, attempt.address) {
            (None, _) => true,
            (Some(net), Some(address)) => net.contains(&address.to_canonical()),
            (Some(_), None) => false,
        };
        let database = match &self.databases {
            Names::All => true,
            Names::SameUser => attempt.database == attempt.user,
            Names::Listed(names) => names.contains(&attempt.database),
        };
        let user = match &self.users {
            Names::All | Names::SameUser => true,
            Names::Listed(names) => names.iter().any(|name| match name.strip_prefix('+') {
                Some(role) => is_member(role),
                None => *name == attempt.user,
            }),
        };
        came && from && database && user
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflowave_query_api::TlsPeer;

    fn attempt(user: &str, address: &str, tls: bool) -> Attempt {
        Attempt {
            user: user.to_owned(),
            database: "shop".to_owned(),
            address: Some(address.parse().unwrap()),
            tls: tls.then(TlsPeer::default),
        }
    }

    #[test]
    fn rules_are_read_and_fit() {
        let fits = |rule: &str, attempt: &Attempt| {
            rule.parse::<Rule>()
                .unwrap()
                .fits(attempt, |role| role == "readers")
        };
        let ann = attempt("ann", "10.1.2.3", true);
        assert!(fits("host all all all scram-sha-256", &ann));
        assert!(fits(
            "hostssl shop,other ann 10.0.0.0/8 scram-sha-256",
            &ann
        ));
        assert!(fits("hostssl all +readers 10.1.2.3 cert", &ann));
        assert!(!fits("hostnossl all all all reject", &ann));
        assert!(!fits("host sameuser all all reject", &ann));
        assert!(!fits("host all +writers all reject", &ann));
        assert!(!fits("host all bob all reject", &ann));
        assert!(!fits("host all all 10.2.0.0/16 reject", &ann));
        // An IPv4 client of an IPv6 socket.
        let mapped = attempt("ann", "::ffff:127.0.0.1", false);
        assert!(fits("host all all 127.0.0.1/32 trust", &mapped));
    }

    #[test]
    fn what_a_rule_may_not_be() {
        for (line, word) in [
            ("host all all trust", "4 words"),
            ("local all all all trust", "kind of connection"),
            ("host all all everywhere reject", "no address"),
            ("host all all all md5", "no method"),
            ("host all all all trust", "believed"),
            ("host all all 0.0.0.0/0 trust", "believed"),
            ("host all all all cert", "encrypted"),
        ] {
            let error = line.parse::<Rule>().unwrap_err();
            assert!(error.message().contains(word), "{}", error.message());
            assert!(error.hint().is_some());
        }
    }
}
