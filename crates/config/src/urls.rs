//! Which URLs lie below which: the rule for what catalogs made by SQL may reach.
//!
//! Both sides are compared as text, part by part, and what could be read in two ways lies nowhere:
//! a user in front of the host, an escape, a part that is `..`, a query.

/// Whether a text can stand in `server.url_roots`.
pub fn is_url_root(text: &str) -> bool {
    match parts(text) {
        Some((scheme, host, path)) => {
            !scheme.is_empty() && (!host.is_empty() || path.iter().all(|p| p.is_empty()))
        }
        None => false,
    }
}

/// Whether `url` lies below one of `roots`, or is one.
pub fn below(url: &str, roots: &[String]) -> bool {
    let Some((scheme, host, path)) = parts(url) else {
        return false;
    };
    if host.is_empty() {
        return false;
    }
    roots.iter().filter_map(|root| parts(root)).any(|root| {
        let (root_scheme, root_host, mut root_path) = root;
        while root_path.last().is_some_and(|last| last.is_empty()) {
            root_path.pop();
        }
        let same_host = match is_store(scheme) {
            // Two buckets can differ in case alone.
            true => host == root_host,
            false => host.eq_ignore_ascii_case(root_host),
        };
        scheme.eq_ignore_ascii_case(root_scheme)
            && (root_host.is_empty() || same_host)
            && path.starts_with(&root_path)
    })
}

/// Whether a database server's URL, `scheme://user:password@host:port/database`, is one of `roots` but
/// for its user and password. A port that is not given is the scheme's own. What two readers could take
/// for two hosts is none: a second `@`, escapes in the host, an option that names a host.
///
/// `url` holds no secret: references and passwords in it may be blotted out.
pub fn server_below(url: &str, roots: &[String]) -> bool {
    let Some(server) = server(url) else {
        return false;
    };
    let roots: Vec<String> = roots.iter().filter_map(|root| normal(root)).collect();
    below(&server, &roots)
}

/// The URL without its user and its options.
fn server(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    if behind.contains(['@', '#', '\\']) {
        return None;
    }
    let (path, options) = behind.split_once('?').unwrap_or((behind, ""));
    if options.contains('%') || options.to_ascii_lowercase().contains("host") {
        return None;
    }
    let host = match authority.split_once('@') {
        Some((_, host)) => host,
        None => authority,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return None;
    }
    // A database whose name is escaped lies below no root that names one.
    let path = if path.contains('%') { "" } else { path };
    normal(&format!("{scheme}://{host}{path}"))
}

/// One form of schemes that have two names and of ports that are the scheme's own.
fn normal(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (scheme, port) = match scheme.to_ascii_lowercase().as_str() {
        "postgres" | "postgresql" => ("postgres", "5432"),
        "mysql" | "mariadb" => ("mysql", "3306"),
        _ => return None,
    };
    Some(match host.is_empty() || host.contains(':') {
        true => format!("{scheme}://{host}{path}"),
        false => format!("{scheme}://{host}:{port}{path}"),
    })
}

/// Which servers are allowed, as a sentence.
pub fn servers_hint(roots: &[String]) -> String {
    let servers: Vec<&str> = roots
        .iter()
        .filter(|root| normal(root).is_some())
        .map(String::as_str)
        .collect();
    if servers.is_empty() {
        return "No database server is allowed: [server] url_roots of the configuration has none, such as \"postgres://db.example:5432\".".to_owned();
    }
    format!(
        "The servers are: {} ([server] url_roots of the configuration); a host is a name or an IPv4 address, and stands in no option.",
        servers.join(", ")
    )
}

fn is_store(scheme: &str) -> bool {
    let stores = ["s3", "s3a", "gs", "az", "azure", "abfs", "abfss"];
    stores.iter().any(|s| scheme.eq_ignore_ascii_case(s))
}

/// Which URLs are allowed, as a sentence.
pub fn url_roots_hint(roots: &[String]) -> String {
    if roots.is_empty() {
        return "No URL is allowed: [server] url_roots of the configuration is empty.".to_owned();
    }
    format!(
        "A URL lies below one of: {} ([server] url_roots of the configuration), and has no user, escape, query or \"..\".",
        roots.join(", ")
    )
}

/// Scheme, host with its port, and the parts of the path.
fn parts(url: &str) -> Option<(&str, &str, Vec<&str>)> {
    let (scheme, rest) = url.split_once("://")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if scheme.is_empty() || !scheme.chars().all(plain) {
        return None;
    }
    // `@` stands in abfss://container@account..: there it is part of the name.
    let azure = scheme.eq_ignore_ascii_case("abfss") || scheme.eq_ignore_ascii_case("abfs");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let ambiguous = |c: char| "%\\#".contains(c) || c.is_control() || c.is_whitespace();
    if rest.contains(ambiguous) || !azure && host.contains('@') || host.contains(['?', '*', '[']) {
        return None;
    }
    // `?` is a wildcard in the key of an object, and starts a query elsewhere.
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if web && path.contains('?') {
        return None;
    }
    let path: Vec<&str> = path.split('/').collect();
    if path.iter().any(|part| *part == ".." || *part == ".") {
        return None;
    }
    Some((scheme, host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_lies_below_a_root_by_whole_parts() {
        let roots: Vec<String> = ["s3://lake/public/", "gs://", "https://h.example:8443/x"]
            .map(str::to_owned)
            .into();
        for inside in [
            "s3://lake/public",
            "s3://lake/public/a/*.csv",
            "s3://lake/public/a?.csv",
            "gs://any/thing",
            "https://h.example:8443/x/y.csv",
            "HTTPS://H.example:8443/x",
        ] {
            assert!(below(inside, &roots), "{inside}");
        }
        for outside in [
            "s3://lake/publicity",
            "s3://lake/",
            "s3://other/public/a",
            "s3://lake/public/../secret",
            "s3://lake/public/%2e%2e/secret",
            "gs://",
            "https://h.example/x",
            "http://h.example:8443/x",
            "https://u@h.example:8443/x",
            "https://h.example:8443@169.254.169.254/x",
            "https://h.example:8443/x?y",
            "https://h.example:8443\\@evil/x",
            "/etc/passwd",
            "file:///etc/passwd",
        ] {
            assert!(!below(outside, &roots), "{outside}");
        }
        assert!(!below("s3://lake/public", &[]));
    }

    #[test]
    fn a_server_is_a_root_whatever_its_user() {
        let roots: Vec<String> = [
            "postgres://db.example",
            "postgresql://other:5433/crm",
            "mysql://",
            "s3://lake",
        ]
        .map(str::to_owned)
        .into();
        for inside in [
            "postgres://db.example",
            "postgresql://app:pw@DB.example:5432/crm?sslmode=disable",
            "postgres://a%40b:x%2Fy@db.example/my%20db",
            "postgres://app@other:5433/crm",
            "mariadb://u@127.0.0.1:1/d",
        ] {
            assert!(server_below(inside, &roots), "{inside}");
        }
        for outside in [
            "postgres://db.example:5433/crm",
            "postgres://db.example.evil/crm",
            "postgres://app@other:5433/crmx",
            "postgres://app@other/crm",
            // The driver reads to the first '@', wherever it stands.
            "postgres://db.example/x@evil/d",
            "postgres://u@evil@db.example/d",
            "postgres://u@db.example@evil/d",
            "postgres://db.example,evil/d",
            "postgres://db.example/d?host=evil",
            "postgres://db.example/d?%68ost=evil",
            "postgres://%65vil/d",
            "postgres://[::1]/d",
            "postgres:///d?host=/run/postgresql",
            "s3://lake",
            "db.example",
        ] {
            assert!(!server_below(outside, &roots), "{outside}");
        }
        assert!(!server_below("postgres://db.example", &[]));
    }

    #[test]
    fn a_bucket_is_its_name_letter_by_letter() {
        let roots = ["s3://team".to_owned()];
        assert!(below("S3://team/x", &roots));
        assert!(!below("s3://TEAM/x", &roots));
    }

    #[test]
    fn a_root_is_the_start_of_a_url() {
        for good in [
            "s3://",
            "s3://b",
            "https://h/",
            "abfss://c@a.dfs.core.windows.net",
        ] {
            assert!(is_url_root(good), "{good}");
        }
        for bad in [
            "",
            "lake",
            "://",
            "s3:///x",
            "https://u:p@h",
            "https://h/%41",
        ] {
            assert!(!is_url_root(bad), "{bad}");
        }
    }
}
