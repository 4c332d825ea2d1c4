//! Who may connect and what they may do, against the real program: SCRAM, certificates, rules, grants.

use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::process::Serving;
use crate::server;

const ADMIN: &str = "admin-secret-1";

fn provision(dir: &Path, access: &str) {
    let shop = rusqlite::Connection::open(dir.join("shop.db")).unwrap();
    shop.execute_batch(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total INTEGER) STRICT;
         INSERT INTO orders VALUES (1, 'Ann', 10), (2, 'Bob', 20);
         CREATE TABLE salaries (id INTEGER PRIMARY KEY, amount INTEGER) STRICT;
         INSERT INTO salaries VALUES (1, 1000)",
    )
    .unwrap();
    let text = format!(
        "[catalog.shop]\nconnector = 'sqlite'\npath = 'shop.db'\n\
         [catalog.other]\nconnector = 'sqlite'\npath = 'shop.db'\n{access}"
    );
    std::fs::write(dir.join("inflowave.toml"), text).unwrap();
}

fn config(serving: &Serving, user: &str, password: &str, database: &str) -> Config {
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(serving.address.port())
        .user(user)
        .password(password)
        .dbname(database);
    config
}

async fn connect(
    serving: &Serving,
    user: &str,
    password: &str,
    database: &str,
) -> Result<Client, String> {
    let config = config(serving, user, password, database);
    let (client, connection) = config.connect(NoTls).await.map_err(|e| code(&e))?;
    tokio::spawn(connection);
    Ok(client)
}

fn code(error: &tokio_postgres::Error) -> String {
    match error.code() {
        Some(code) => code.code().to_owned(),
        None => error.to_string(),
    }
}

/// The first column of all rows, or the SQLSTATE.
async fn ask(client: &Client, sql: &str) -> Result<Vec<String>, String> {
    let messages = client.simple_query(sql).await.map_err(|e| code(&e))?;
    let cells = messages.iter().filter_map(|m| match m {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
        _ => None,
    });
    Ok(cells.collect())
}

async fn run(client: &Client, statements: &[&str]) {
    for sql in statements {
        ask(client, sql)
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

fn denied<T: std::fmt::Debug>(result: Result<T, String>) -> bool {
    result.as_ref().err().is_some_and(|code| code == "42501")
}

const SUPERUSER: &str = "[access]\nsuperuser = 'admin'\nsuperuser_password = 'admin-secret-1'\n";

#[test]
fn a_password_is_proved_and_kept_by_its_verifier() {
    let dir = tempfile::tempdir().unwrap();
    provision(dir.path(), SUPERUSER);
    let serving = Serving::start(dir.path(), &[]).unwrap();
    server::run(async {
        let admin = connect(&serving, "admin", ADMIN, "inflowave")
            .await
            .unwrap();
        run(
            &admin,
            &[
                "create user ann password 'first-secret-2'",
                "create role readers",
                "create user limited password 'x' connection limit 1",
                "create user gone password 'x' valid until '2020-01-01'",
            ],
        )
        .await;
        let ann = connect(&serving, "ann", "first-secret-2", "inflowave")
            .await
            .unwrap();
        for (user, password, expected) in [
            ("ann", "wrong", "28P01"),
            ("nobody", "first-secret-2", "28P01"),
            ("readers", "x", "28P01"),
            ("gone", "x", "28P01"),
        ] {
            let refused = connect(&serving, user, password, "inflowave").await;
            assert_eq!(refused.err().as_deref(), Some(expected), "{user}");
        }
        // Everybody may change their own password, and no other's.
        run(&ann, &["alter user ann password 'second-secret-3'"]).await;
        assert!(denied(ask(&ann, "alter user admin password 'x'").await));
        assert!(denied(ask(&ann, "alter user ann superuser").await));
        assert!(
            connect(&serving, "ann", "first-secret-2", "inflowave")
                .await
                .is_err()
        );
        assert!(
            connect(&serving, "ann", "second-secret-3", "inflowave")
                .await
                .is_ok()
        );
        let first = connect(&serving, "limited", "x", "inflowave")
            .await
            .unwrap();
        let second = connect(&serving, "limited", "x", "inflowave").await;
        assert_eq!(second.err().as_deref(), Some("53300"));
        assert_eq!(
            ask(&first, "select current_user").await.unwrap(),
            ["limited"]
        );
        assert_eq!(
            ask(
                &ann,
                "select rolname from pg_roles where rolsuper order by 1"
            )
            .await
            .unwrap(),
            ["admin", "inflowave"]
        );
        // What was typed is nowhere to be read.
        let texts = ask(&admin, "select query from system.runtime.queries")
            .await
            .unwrap();
        assert!(
            texts.iter().any(|t| t.starts_with("CREATE ROLE \"ann\"")),
            "{texts:?}"
        );
        assert!(!texts.iter().any(|t| t.contains("secret")), "{texts:?}");
    });
    let printed = String::from_utf8(serving.kill()).unwrap();
    assert!(!printed.contains("secret-"), "{printed}");
    let mut kept = String::new();
    for file in std::fs::read_dir(dir.path().join("inflowave-data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        kept.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert!(kept.contains("SCRAM-SHA-256$4096:") && !kept.contains("second-secret-3"));
}

/// Every way in which a statement can read a table that was not granted: 42501, and nothing of the
/// table but its name.
#[test]
fn nothing_is_read_that_was_not_granted() {
    let dir = tempfile::tempdir().unwrap();
    provision(dir.path(), SUPERUSER);
    let serving = Serving::start(dir.path(), &[]).unwrap();
    server::run(async {
        let admin = connect(&serving, "admin", ADMIN, "shop").await.unwrap();
        run(
            &admin,
            &[
                "create user ann password 'a'",
                "create user bob password 'b'",
                "grant usage on catalog shop to ann",
                "grant usage on schema main to ann",
                "grant select on orders to ann",
                "grant create on schema inflowave.public to ann",
                "create view inflowave.public.paid as select amount from shop.main.salaries",
                "create view inflowave.public.through as select * from inflowave.public.paid",
            ],
        )
        .await;
        assert_eq!(
            connect(&serving, "ann", "a", "other")
                .await
                .err()
                .as_deref(),
            Some("42501")
        );
        assert_eq!(
            connect(&serving, "bob", "b", "shop").await.err().as_deref(),
            Some("42501")
        );
        let ann = connect(&serving, "ann", "a", "shop").await.unwrap();
        assert_eq!(
            ask(&ann, "select total from orders order by 1")
                .await
                .unwrap(),
            ["10", "20"]
        );
        for sql in [
            "select * from salaries",
            "select 1 from salaries where amount > 1",
            "select count(*) from salaries",
            "table salaries",
            "select exists (select from salaries)",
            "select (select max(amount) from salaries)",
            "select id from orders where id in (select id from salaries)",
            "select o.id from orders o join salaries s on s.id = o.id",
            "select o.id from orders o left join lateral (select * from main.salaries) s on true",
            "with s as (select * from salaries) select 1 from s",
            "with salaries as (select * from shop.main.salaries) select 1 from salaries",
            "select id from orders union all select id from salaries",
            "values ((select amount from salaries))",
            "select * from shop.main.salaries",
            "select * from other.main.salaries",
            "select * from other.main.nothing",
            "select * from inflowave.public.paid",
            "select * from inflowave.public.through",
            "explain select * from salaries",
            "explain analyze select * from salaries",
            "explain (federation) select * from salaries",
            "copy salaries to stdout",
            "copy (select amount from salaries) to stdout",
            "prepare p as select * from salaries",
            "create view inflowave.public.mine as select * from shop.main.salaries",
            "create or replace view inflowave.public.paid as select 1 as amount",
            "drop view inflowave.public.paid",
            "comment on table salaries is 'x'",
            "comment on view inflowave.public.paid is 'x'",
            "create catalog c using sqlite with (path = 'shop.db')",
            "drop catalog shop",
            "refresh catalog shop",
            "grant select on salaries to ann",
            "grant select on orders to bob",
            "revoke select on orders from ann",
            "create role r",
            "drop role bob",
            "grant admin to ann",
            "set role admin",
            "set session authorization admin",
            "select * from system.runtime.queries",
            "show tables from other.main",
            "show columns from salaries",
            "show schemas from other",
        ] {
            let answer = ask(&ann, sql).await;
            assert!(denied(answer.clone()), "{sql}: {answer:?}");
        }
        // In a transaction, where cursors and locks are.
        for sql in [
            "declare c cursor for select * from salaries",
            "lock table salaries in access share mode",
        ] {
            run(&ann, &["begin"]).await;
            assert!(denied(ask(&ann, sql).await), "{sql}");
            run(&ann, &["rollback"]).await;
        }
        // A message that prepares plans like any other, and so does a search path.
        let prepared = ann
            .prepare("select amount from salaries where id = $1")
            .await;
        assert!(denied(prepared.map(|_| ()).map_err(|e| code(&e))));
        run(&ann, &["set search_path = main"]).await;
        assert!(denied(ask(&ann, "select * from salaries").await));
        // Nothing but the name is told.
        let error = ann
            .simple_query("select amuont from salaries")
            .await
            .unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.message(), "permission denied for table salaries");
        assert!(!format!("{error:?}").contains("amount"));
        // The names of what may be read are listed, others are not.
        let listed = ask(
            &ann,
            "select table_name from information_schema.tables where table_schema = 'main'",
        );
        assert_eq!(listed.await.unwrap(), ["orders"]);
    });
}

#[test]
fn a_grant_holds_until_it_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    provision(dir.path(), SUPERUSER);
    let serving = Serving::start(dir.path(), &[]).unwrap();
    server::run(async {
        let admin = connect(&serving, "admin", ADMIN, "shop").await.unwrap();
        run(
            &admin,
            &[
                "create role readers",
                "create user ann password 'a' in role readers",
                "create user bob password 'b'",
                "grant select on schema shop.main to readers",
                "grant usage on catalog shop to bob",
                "grant usage on schema shop.main to bob",
                "grant select (id, customer) on shop.main.orders to bob",
                "create view inflowave.public.paid as select amount from shop.main.salaries",
                "grant select on inflowave.public.paid to bob",
            ],
        )
        .await;
        let ann = connect(&serving, "ann", "a", "shop").await.unwrap();
        let bob = connect(&serving, "bob", "b", "shop").await.unwrap();
        // A whole schema; a view with its owner's privileges; some columns.
        assert_eq!(
            ask(&ann, "select amount from salaries").await.unwrap(),
            ["1000"]
        );
        assert_eq!(
            ask(&bob, "select amount from inflowave.public.paid")
                .await
                .unwrap(),
            ["1000"]
        );
        assert!(denied(ask(&bob, "select amount from salaries").await));
        assert_eq!(
            ask(&bob, "select customer from orders where id = 1")
                .await
                .unwrap(),
            ["Ann"]
        );
        assert_eq!(
            ask(&bob, "select count(*) from orders").await.unwrap(),
            ["2"]
        );
        // What may not be read is not listed.
        assert_eq!(
            ask(
                &bob,
                "select column_name from information_schema.columns \
                 where table_name = 'orders' order by 1"
            )
            .await
            .unwrap(),
            ["customer", "id"]
        );
        for sql in [
            "select * from orders",
            "select id from orders where total > 1",
            "select id from orders order by total",
            "select sum(total) from orders",
            "select o from (select id, total from orders) o(o, t) where t > 1",
            "with o as (select * from orders) select total from o",
        ] {
            assert!(denied(ask(&bob, sql).await), "{sql}");
        }
        // Prepared before, revoked, executed.
        run(&ann, &["prepare p as select amount from salaries"]).await;
        let bound = ann.prepare("select amount from salaries").await.unwrap();
        assert_eq!(ask(&ann, "execute p").await.unwrap(), ["1000"]);
        run(&admin, &["revoke select on schema shop.main from readers"]).await;
        assert!(denied(ask(&ann, "execute p").await));
        assert!(denied(
            ann.query(&bound, &[])
                .await
                .map(|_| ())
                .map_err(|e| code(&e))
        ));
        assert!(denied(ask(&ann, "select amount from salaries").await));
        // What a role has granted falls with its own grant.
        run(
            &admin,
            &[
                "grant usage on catalog shop to ann",
                "grant usage on schema shop.main to ann",
                "grant select on shop.main.salaries to ann with grant option",
            ],
        )
        .await;
        run(&ann, &["grant select on salaries to bob"]).await;
        assert_eq!(
            ask(&bob, "select amount from salaries").await.unwrap(),
            ["1000"]
        );
        let standing = ask(&admin, "revoke select on shop.main.salaries from ann").await;
        assert_eq!(standing.err().as_deref(), Some("2BP01"));
        run(
            &admin,
            &["revoke select on shop.main.salaries from ann cascade"],
        )
        .await;
        assert!(denied(ask(&bob, "select amount from salaries").await));
        // A role that stands in grants is not dropped, and one that is not there is not granted to.
        assert_eq!(
            ask(&admin, "drop role bob").await.err().as_deref(),
            Some("2BP01")
        );
        assert_eq!(
            ask(&admin, "grant select on shop.main.orders to nobody")
                .await
                .err()
                .as_deref(),
            Some("42704")
        );
        // A catalog of the same name does not get the grants of the one that was dropped.
        run(
            &admin,
            &[
                "create user owner password 'o' createdb",
                "set session authorization owner",
            ],
        )
        .await;
        assert_eq!(ask(&admin, "select current_user").await.unwrap(), ["owner"]);
        run(&admin, &["reset session authorization"]).await;
        let seen = ask(
            &admin,
            "select privilege_type from information_schema.table_privileges \
             where table_name = 'paid' and grantee = 'bob'",
        );
        assert!(seen.await.unwrap().is_empty(), "of another catalog");
        drop((ann, bob));
    });
    drop(serving.kill());
    // Grants are on the disk.
    let serving = Serving::start(dir.path(), &[]).unwrap();
    server::run(async {
        let bob = connect(&serving, "bob", "b", "shop").await.unwrap();
        assert_eq!(
            ask(&bob, "select customer from orders where id = 2")
                .await
                .unwrap(),
            ["Bob"]
        );
        assert!(denied(ask(&bob, "select total from orders").await));
    });
}

#[test]
fn rules_decide_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    provision(
        dir.path(),
        "[access]\nsuperuser = 'admin'\nrules = [\n\
         'host all bad 127.0.0.1/32 reject',\n\
         'host shop admin 127.0.0.1/32 trust',\n\
         'hostssl all all all scram-sha-256',\n]\n",
    );
    let serving = Serving::start(dir.path(), &[]).unwrap();
    server::run(async {
        assert!(connect(&serving, "admin", "", "shop").await.is_ok());
        for (user, database) in [("bad", "shop"), ("admin", "other"), ("nobody", "other")] {
            let refused = connect(&serving, user, "", database).await;
            assert_eq!(refused.err().as_deref(), Some("28000"), "{user}");
        }
        // Believed, and not there.
        let admin = connect(&serving, "admin", "", "shop").await.unwrap();
        run(&admin, &["create role nologin"]).await;
    });
    drop(serving);
    for (rule, word) in [
        ("host all all 0.0.0.0/0 trust", "believed"),
        ("host all all all cert", "encrypted"),
        ("hots all all all reject", "kind of connection"),
    ] {
        provision_again(dir.path(), rule);
        let error = Serving::start(dir.path(), &[]).err().unwrap();
        assert!(error.contains("F0000") && error.contains(word), "{error}");
    }
}

fn provision_again(dir: &Path, rule: &str) {
    let access = format!("[access]\nsuperuser = 'admin'\nrules = ['{rule}']\n");
    std::fs::write(dir.join("inflowave.toml"), access).unwrap();
}

/// An authority, and certificates that it signed, as files.
pub struct Certificates {
    dir: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Certificates {
    pub fn new(dir: &Path) -> Certificates {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Test authority");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(dir.join("ca.crt"), certificate.pem()).unwrap();
        Certificates {
            dir: dir.to_owned(),
            issuer: Issuer::new(params, key),
        }
    }

    /// `NAME.crt` and `NAME.key` for the common name.
    pub fn sign(&self, name: &str, common_name: &str) {
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(hosts).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.dir.join(format!("{name}.crt")), certificate.pem()).unwrap();
        let file = self.dir.join(format!("{name}.key"));
        std::fs::write(&file, key.serialize_pem()).unwrap();
        // libpq takes no key that others can read.
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// What psql prints for a statement, or its complaint.
fn psql(dir: &Path, place: &str, password: &str, sql: &str) -> Result<String, String> {
    let output = Command::new("psql")
        .args(["-X", "-A", "-t", "-d", place, "-c", sql])
        .current_dir(dir)
        .env("PGPASSWORD", password)
        .env("PGSYSCONFDIR", "/nowhere")
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

#[test]
fn connections_are_encrypted_and_bound_and_certificates_read_again() {
    if Command::new("psql").arg("--version").output().is_err() {
        inflowave_testkit::skip!("tls", "psql is not there");
    }
    let dir = tempfile::tempdir().unwrap();
    let certificates = Certificates::new(dir.path());
    certificates.sign("server", "server");
    certificates.sign("ann", "ann");
    provision(
        dir.path(),
        "[access]\nsuperuser = 'admin'\nsuperuser_password = 'admin-secret-1'\n\
         rules = ['hostssl all +staff all cert', 'hostssl all all all scram-sha-256']\n\
         [tls]\ncertificate = 'server.crt'\nkey = 'server.key'\nclient_authorities = 'ca.crt'\n",
    );
    let serving = Serving::start(dir.path(), &[]).unwrap();
    let port = serving.address.port();
    let place = |user: &str, more: &str| {
        format!("host=127.0.0.1 port={port} user={user} dbname=inflowave {more}")
    };
    let verified = "sslmode=verify-full sslrootcert=ca.crt";
    let asked =
        |user: &str, more: &str, sql: &str| psql(dir.path(), &place(user, more), ADMIN, sql);
    let bound = format!("{verified} channel_binding=require");
    let made = "create role staff; create user ann in role staff; create user bob in role staff";
    for sql in made.split("; ") {
        asked("admin", &bound, sql).unwrap();
    }
    assert_eq!(
        asked("admin", &bound, "select current_user").unwrap(),
        "admin"
    );
    let error = asked("admin", "sslmode=disable", "select 1").unwrap_err();
    assert!(error.contains("no encryption"), "{error}");
    // By certificate, which has to name the user.
    let shown = format!("{verified} sslcert=ann.crt sslkey=ann.key");
    assert_eq!(asked("ann", &shown, "select current_user").unwrap(), "ann");
    for (user, more) in [("bob", shown.as_str()), ("ann", verified)] {
        let error = asked(user, more, "select 1").unwrap_err();
        assert!(
            error.contains("certificate authentication failed"),
            "{error}"
        );
    }
    let stranger = tempfile::tempdir().unwrap();
    Certificates::new(stranger.path()).sign("ann", "ann");
    for file in ["ann.crt", "ann.key"] {
        let from = stranger.path().join(file);
        std::fs::rename(from, dir.path().join(format!("strange-{file}"))).unwrap();
    }
    let strange = format!("{verified} sslcert=strange-ann.crt sslkey=strange-ann.key");
    assert!(asked("ann", &strange, "select 1").is_err());
    // Another certificate of the same authority, without a restart; then one that is broken, which
    // changes nothing.
    let fingerprint = || {
        let output = Command::new("openssl")
            .args(["s_client", "-starttls", "postgres", "-connect"])
            .arg(format!("127.0.0.1:{port}"))
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let begin = text.find("-----BEGIN CERTIFICATE-----").unwrap();
        let end = text.find("-----END CERTIFICATE-----").unwrap();
        text[begin..end].to_owned()
    };
    let before = fingerprint();
    certificates.sign("server", "server");
    let deadline = std::time::Instant::now() + server::DEADLINE;
    while fingerprint() == before {
        assert!(
            std::time::Instant::now() < deadline,
            "the certificate is not read again"
        );
    }
    assert_eq!(asked("admin", &bound, "select 1").unwrap(), "1");
    std::fs::write(dir.path().join("server.crt"), "no certificate").unwrap();
    assert_eq!(asked("admin", &bound, "select 1").unwrap(), "1");
}
