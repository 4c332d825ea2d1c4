//! What may be reached, and what is shown.

use super::*;

const fn spec(name: &'static str, kind: ParamKind) -> ParamSpec {
    ParamSpec {
        name,
        doc: "",
        example: "",
        default: None,
        required: false,
        kind,
    }
}

const URL: ParamSpec = spec("url", ParamKind::Server);
const PASSWORD: ParamSpec = spec("password", ParamKind::Secret);
const PATH: ParamSpec = spec("path", ParamKind::Path);

fn policy(allow_literals: bool) -> CatalogPolicy {
    CatalogPolicy {
        secrets: Secrets {
            env_prefixes: vec!["CARGO_PKG_".to_owned()],
            file_roots: Vec::new(),
            allow_literals,
        },
        url_roots: vec!["postgres://h".to_owned()],
        ..CatalogPolicy::default()
    }
}

fn resolved(policy: &CatalogPolicy, spec: &ParamSpec, text: &str) -> String {
    match policy.resolve(Some(spec), spec.name, text) {
        Ok(secret) => secret.reveal().to_owned(),
        Err(e) => e.sqlstate().code().to_owned(),
    }
}

#[test]
fn references_stand_in_secrets_only() {
    let policy = policy(false);
    let name = "inflowave-engine";
    assert_eq!(resolved(&policy, &PASSWORD, "${env:CARGO_PKG_NAME}"), name);
    assert_eq!(resolved(&policy, &PASSWORD, "${env:PATH}"), "42501");
    assert_eq!(resolved(&policy, &PASSWORD, "hunter2"), "22023");
    assert_eq!(
        resolved(&policy, &PASSWORD, "a${env:CARGO_PKG_NAME}"),
        "22023"
    );
    assert_eq!(resolved(&policy, &PASSWORD, ""), "22023");
    assert_eq!(
        resolved(&policy, &URL, "postgres://a:${env:CARGO_PKG_NAME}@h/db"),
        format!("postgres://a:{name}@h/db")
    );
    for wrong in [
        "postgres://${env:CARGO_PKG_NAME}@h/db",
        "postgres://a:${env:CARGO_PKG_NAME}@${env:CARGO_PKG_NAME}/db",
        "${env:CARGO_PKG_NAME}",
    ] {
        assert_eq!(resolved(&policy, &URL, wrong), "42501", "{wrong}");
    }
    assert_eq!(
        resolved(&policy, &URL, "postgres://a:hunter2@h/db"),
        "22023"
    );
    let error = policy
        .resolve(Some(&PASSWORD), "password", "hunter2")
        .unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn a_literal_is_taken_where_it_is_allowed() {
    let policy = policy(true);
    assert_eq!(resolved(&policy, &PASSWORD, "hunter2"), "hunter2");
    let url = "postgres://a:hunter2@h/db";
    assert_eq!(resolved(&policy, &URL, url), url);
}

#[test]
fn a_password_from_a_reference_cannot_change_the_url() {
    let text = "p@h/?#%:ł";
    assert_eq!(percent_encoded(text), "p%40h%2F%3F%23%25%3A%C5%82");
}

#[test]
fn paths_lie_below_a_root_and_not_in_the_servers_own_folder() {
    let dir = std::env::temp_dir().join(format!("inflowave-policy-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("root/data")).unwrap();
    let policy = CatalogPolicy {
        file_roots: vec![dir.join("root")],
        data_dir: Some(dir.join("root/data")),
        base_dir: dir.clone(),
        ..CatalogPolicy::default()
    };
    assert_eq!(resolved(&policy, &PATH, "root/new/*.csv"), "root/new/*.csv");
    for wrong in [
        "other",
        "root/../other",
        "/etc/passwd",
        "root/data/metastore.db",
        "s3://b/k",
    ] {
        assert_eq!(resolved(&policy, &PATH, wrong), "42501", "{wrong}");
    }
    let none = CatalogPolicy::default();
    let error = none.resolve(Some(&PATH), "path", "x").unwrap_err();
    assert!(error.hint().unwrap().contains("file_roots"), "{error:?}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn urls_lie_below_a_root_and_the_servers_own_credentials_are_not_lent() {
    const PLACE: ParamSpec = spec("path", ParamKind::Location);
    const ENDPOINT: ParamSpec = spec("endpoint", ParamKind::Endpoint);
    const OWN: ParamSpec = spec("instance_credentials", ParamKind::Privilege);
    let policy = CatalogPolicy {
        url_roots: vec!["s3://lake".to_owned(), "http://minio:9000".to_owned()],
        ..CatalogPolicy::default()
    };
    for (spec, good) in [
        (&PLACE, "s3://lake/a/*.parquet"),
        (&ENDPOINT, "http://minio:9000"),
        (&OWN, "false"),
    ] {
        assert_eq!(resolved(&policy, spec, good), good);
    }
    for (spec, wrong) in [
        (&PLACE, "s3://other/a"),
        (&PLACE, "/etc/passwd"),
        (&PLACE, "file:///etc/passwd"),
        (&PLACE, "http://169.254.169.254/latest/meta-data/"),
        (&PLACE, "https://minio:9000/x"),
        (&ENDPOINT, "http://169.254.169.254"),
        (&ENDPOINT, "http://minio:9000@169.254.169.254"),
        (&ENDPOINT, "minio:9000"),
        (&OWN, "true"),
    ] {
        assert_eq!(resolved(&policy, spec, wrong), "42501", "{wrong}");
    }
    let servers = CatalogPolicy {
        url_roots: vec!["postgres://db.example".to_owned()],
        ..CatalogPolicy::default()
    };
    for (text, wanted) in [
        (
            "postgres://app@db.example/crm",
            "postgres://app@db.example/crm",
        ),
        ("postgres://app@evil.example/crm", "42501"),
        ("postgres://app@db.example:22/crm", "42501"),
        ("mysql://app@db.example/crm", "42501"),
        // Whose the server is does not matter where a secret stands in clear.
        ("postgres://app:hunter2@evil.example/crm", "22023"),
    ] {
        assert_eq!(resolved(&servers, &URL, text), wanted, "{text}");
    }
    let none = CatalogPolicy::default();
    let error = none
        .resolve(Some(&URL), "url", "postgres://app@127.0.0.1/crm")
        .unwrap_err();
    assert!(error.hint().unwrap().contains("url_roots"), "{error:?}");
    let error = none
        .resolve(Some(&PLACE), "path", "s3://lake/a")
        .unwrap_err();
    assert!(error.hint().unwrap().contains("url_roots"), "{error:?}");
    for (text, wanted) in [
        ("s3://lake/a?.csv", "s3://lake/a?.csv"),
        (
            "abfss://c@a.dfs.core.windows.net/x",
            "abfss://c@a.dfs.core.windows.net/x",
        ),
        ("https://h/x.csv", "https://h/x.csv"),
        ("https://h/x.csv?sv=1&sig=hunter2", "***"),
        ("https://u:hunter2@h/x.csv", "***"),
        ("s3://u:hunter2@h/x.csv", "***"),
        ("data/a@b?.csv", "data/a@b?.csv"),
    ] {
        assert_eq!(shown(Some(&PLACE), text), wanted);
    }
}

#[test]
fn what_may_be_a_secret_is_not_shown() {
    for (spec, text, wanted) in [
        (Some(&PASSWORD), "${env:A}", "${env:A}"),
        (Some(&PASSWORD), "hunter2", "***"),
        (Some(&PASSWORD), "a${env:A}", "***${env:A}"),
        (None, "hunter2", "***"),
        (Some(&URL), "postgres://a@h:1/db", "postgres://a@h:1/db"),
        (
            Some(&URL),
            "postgres://a:hunter2@h/db",
            "postgres://a:***@h/db",
        ),
        (
            Some(&URL),
            "postgres://a:${file:/run/x@y}@h/db",
            "postgres://a:${file:/run/x@y}@h/db",
        ),
        (Some(&URL), "postgres://a:hun/ter2@h/db", "***"),
        (Some(&URL), "postgres://a:hun?ter2@h/db", "***"),
        (Some(&URL), "postgres://a:x@h/db?password=hunter2", "***"),
        (Some(&URL), "postgres://h/db?password=hunter2", "***"),
        (Some(&URL), "a:hunter2@h/db", "***"),
        (Some(&URL), "host=h password=hunter2", "***"),
        (Some(&URL), "crm", "crm"),
    ] {
        let got = shown(spec, text);
        // A password that no rule can tell from a database's name is in no statement that works.
        assert_eq!(got, wanted, "{text}");
    }
}
