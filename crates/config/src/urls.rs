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
        scheme.eq_ignore_ascii_case(root_scheme)
            && (root_host.is_empty() || host.eq_ignore_ascii_case(root_host))
            && path.starts_with(&root_path)
    })
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
