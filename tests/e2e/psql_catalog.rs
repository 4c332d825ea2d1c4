//! What psql looks around with: each of its commands against this server and against PostgreSQL 15,
//! over the same tables, gives the same columns; and the statements behind Tab run.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use inflowave_testkit::provision::{CatalogSpec, POSTGRES_ENV};
use inflowave_testkit::skip;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::server::{self, Listening};

const TABLES: &str = "
    create table customers (id integer not null, name character varying(40) not null,
        code char(3), balance numeric(12,2), since date, seen timestamptz, big bigint, ok boolean,
        tags text[], note text);
    create table \"Odd \"\"name\" (a int);
    create schema sales; create table sales.orders (id bigint not null, customer integer);
    create view rich as select id, name from customers where balance > 1000";

/// How long a source that does not answer is waited for, and some time for psql.
const LISTING_MAX: Duration = Duration::from_secs(20);

/// The same tables in a database of PostgreSQL, and as catalog `crm` of a server of ours.
pub struct Both {
    listening: Listening,
    _mute: std::net::TcpListener,
    /// The database's URL.
    pub url: String,
    name: String,
    base: Client,
}

impl Both {
    /// `None` where psql or PostgreSQL is not there.
    pub async fn start(test: &str) -> Option<Both> {
        let name = format!("inflowave_psql_{test}_{}", std::process::id());
        Both::named(&name, "crm", TABLES).await
    }

    /// As [`Both::start`], with the names that statements speak of.
    pub async fn named(name: &str, called: &str, tables: &str) -> Option<Both> {
        Command::new("psql").arg("--version").output().ok()?;
        let base_url = std::env::var(POSTGRES_ENV).ok()?;
        let base = connect(&base_url).await;
        let name = name.to_owned();
        let drop = format!("drop database if exists {name}");
        base.batch_execute(&drop).await.unwrap();
        let create = format!("create database {name}");
        base.batch_execute(&create).await.unwrap();
        let (server, _) = base_url.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        connect(&url).await.batch_execute(tables).await.unwrap();
        let catalog = |url: &str| CatalogSpec {
            connector: "postgres",
            params: vec![("url".into(), url.to_owned())],
            schema: "public".into(),
        };
        // It takes connections and never answers.
        let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let muted = mute.local_addr().unwrap();
        let muted = catalog(&format!("postgres://nobody@{muted}/nosuch"));
        let service = server::service(vec![
            (called.into(), catalog(&url)),
            ("mute".into(), muted),
            (
                "dead".into(),
                catalog("postgres://nobody@127.0.0.1:1/nosuch"),
            ),
        ])
        .await
        .unwrap();
        Some(Both {
            listening: Listening::start(service).await,
            _mute: mute,
            url,
            name,
            base,
        })
    }

    pub fn ours(&self, database: &str) -> String {
        let port = self.listening.address.port();
        format!("postgres://tester@127.0.0.1:{port}/{database}")
    }

    /// As [`Both::ours`], as the user of this name.
    pub fn ours_of(&self, user: &str, database: &str) -> String {
        let port = self.listening.address.port();
        format!("postgres://{user}@127.0.0.1:{port}/{database}")
    }

    /// Where ours listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.listening.address
    }

    /// The rows that PostgreSQL gives, cells with a bar between them.
    pub async fn ask(&self, sql: &str) -> Vec<String> {
        let messages = connect(&self.url).await.simple_query(sql).await.unwrap();
        let rows = messages.iter().filter_map(|m| match m {
            SimpleQueryMessage::Row(row) => {
                let cells = (0..row.len()).map(|i| row.get(i).unwrap_or("NULL"));
                Some(cells.collect::<Vec<_>>().join("|"))
            }
            _ => None,
        });
        rows.collect()
    }

    /// Nothing is written to the database of PostgreSQL by later sessions.
    pub async fn read_only(&self) {
        let name = &self.name;
        let set = format!("alter database {name} set default_transaction_read_only = on");
        self.base.batch_execute(&set).await.unwrap();
    }

    /// Runs statements in the database of PostgreSQL.
    pub async fn execute(&self, sql: &str) {
        connect(&self.url).await.batch_execute(sql).await.unwrap();
    }

    pub async fn end(self) {
        drop(self.listening);
        let drop = format!("drop database {} with (force)", self.name);
        self.base.batch_execute(&drop).await.unwrap();
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// What psql prints for a command, and its complaints.
async fn psql(url: &str, command: &str) -> (String, String) {
    run(url, command, "-A").await
}

async fn run(url: &str, command: &str, form: &'static str) -> (String, String) {
    let (url, command) = (url.to_owned(), command.to_owned());
    let output = tokio::task::spawn_blocking(move || {
        Command::new("psql")
            .args(["-X", form, "-v", "VERBOSITY=verbose"])
            .args(["-d", &url, "-c", &command])
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// The line with the names of columns.
fn header(printed: &str) -> Option<&str> {
    printed.lines().find(|line| line.contains('|'))
}

/// Each has rows on both sides, so that psql prints its columns.
const COMMANDS: &[&str] = &[
    r"\dn",
    r"\dn+",
    r"\dn pub*",
    r"\dnS",
    r"\l",
    r"\l+",
    r"\du",
    r"\du+",
    r"\dg",
    r"\dt",
    r"\dt+",
    r"\dt cust*",
    r"\dt public.*",
    r"\dt *.*",
    r"\dtS",
    r"\dv pg_catalog.pg_u*",
    r"\dvS+",
    r"\d",
    r"\d+",
    r"\dS",
    r"\dS+",
    r"\d customers",
    r"\d+ customers",
    r"\d public.customers",
    r#"\d "Odd ""name""#,
    r"\d sales.*",
    r"\d pg_class",
    r"\d+ pg_catalog.pg_user",
    r"\df max",
    r"\df+ max",
    r"\dfS",
    r"\df upper text",
    r"\dfa max",
    r"\dfn pg_catalog.*",
    r"\da max",
    r"\dT int4",
    r"\dT+ int4",
    r"\dTS",
    r"\db",
    r"\db+",
    r"\dp",
    r"\z customers",
    r"\dOS",
    r"\dconfig *",
    r"\dconfig time*",
];

#[test]
fn commands_give_postgresqls_columns() {
    server::run(async {
        let Some(both) = Both::start("columns").await else {
            skip!("psql's commands", "psql or PostgreSQL is not there");
        };
        for command in COMMANDS {
            let (ours, complaint) = psql(&both.ours("crm"), command).await;
            assert_eq!(complaint, "", "{command}");
            let (theirs, _) = psql(&both.url, command).await;
            assert!(header(&theirs).is_some(), "{command}: {theirs}");
            assert_eq!(header(&ours), header(&theirs), "{command}");
        }
        // A table is described to the last character as PostgreSQL describes it.
        for command in [
            r"\d customers",
            r#"\d "Odd ""name""#,
            r"\d sales.orders",
            r"\d pg_class",
        ] {
            let (ours, _) = psql(&both.ours("crm"), command).await;
            let (theirs, _) = psql(&both.url, command).await;
            // What is known of indexes stands behind the columns.
            let columns = theirs.split("Indexes:").next().unwrap();
            assert_eq!(ours.trim_end(), columns.trim_end(), "{command}");
        }
        both.end().await;
    });
}

#[test]
fn commands_give_what_there_is() {
    server::run(async {
        let Some(both) = Both::start("rows").await else {
            skip!("psql's commands", "psql or PostgreSQL is not there");
        };
        let own = both.ours("inflowave");
        let made = psql(
            &own,
            "create view rich as select id, name from crm.public.customers where balance > 1000; \
             comment on view rich is 'who pays'; comment on table crm.public.customers is 'all'; \
             comment on column crm.public.customers.code is 'three letters'; \
             comment on catalog crm is 'people'",
        );
        assert_eq!(made.await.1, "");
        let rows = async |url: &str, command: &str| {
            let (printed, complaint) = run(url, command, "-At").await;
            assert_eq!(complaint, "", "{command}");
            let lines = printed.lines().filter(|l| !l.is_empty());
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let crm = both.ours("crm");
        assert_eq!(
            rows(&crm, r"\dn").await,
            ["public|inflowave", "sales|inflowave"]
        );
        assert_eq!(
            rows(&crm, r"\dt").await,
            [
                "public|Odd \"name|table|inflowave",
                "public|customers|table|inflowave",
                "public|rich|table|inflowave"
            ]
        );
        assert_eq!(
            rows(&crm, r"\dt+ cust*").await,
            ["public|customers|table|inflowave|permanent|||all"]
        );
        assert_eq!(
            rows(&crm, r"\dt sales.*").await,
            ["sales|orders|table|inflowave"]
        );
        assert_eq!(rows(&own, r"\dv").await, ["public|rich|view|tester"]);
        assert_eq!(
            rows(&own, r"\dv+").await,
            ["public|rich|view|tester|permanent||who pays"]
        );
        assert_eq!(
            rows(&own, r"\d rich").await,
            ["id|integer|||", "name|character varying(40)|||"]
        );
        let (described, _) = psql(&own, r"\d+ rich").await;
        assert!(
            described.contains(
                "View definition:\n select id, name from crm.public.customers where balance > 1000;"
            ),
            "{described}"
        );
        let columns = rows(&crm, r"\d+ customers").await;
        assert_eq!(
            columns[2], "code|character(3)||||extended|||three letters",
            "{columns:?}"
        );
        let databases = rows(&crm, r"\l").await;
        let names: Vec<&str> = databases
            .iter()
            .map(|l| l.split('|').next().unwrap())
            .collect();
        assert_eq!(names, ["crm", "dead", "inflowave", "mute", "system"]);
        assert_eq!(
            rows(&crm, r"\l+ crm").await,
            ["crm|inflowave|UTF8|C.UTF-8|C.UTF-8||libc|||pg_default|people"]
        );
        let roles = rows(&crm, r"\du").await;
        assert_eq!(
            roles,
            [
                "inflowave|Superuser, Cannot login|{}",
                "tester|Create DB|{}"
            ]
        );
        assert_eq!(
            rows(&crm, r"\df substr").await,
            [
                "pg_catalog|substr|bytea|bytea, integer|func",
                "pg_catalog|substr|bytea|bytea, integer, integer|func",
                "pg_catalog|substr|text|text, integer|func",
                "pg_catalog|substr|text|text, integer, integer|func",
            ]
        );
        // What PostgreSQL does not have is listed by what it says of itself.
        let ours = rows(&crm, r"\df make_array").await;
        assert_eq!(
            ours,
            ["pg_catalog|make_array|\"any\"|VARIADIC \"any\"|func"]
        );
        assert!(rows(&crm, r"\df nosuch").await.is_empty());
        // A listing is believed for a while, and read anew on demand.
        let source = connect(&both.url).await;
        source
            .batch_execute("create table sales.more (n int)")
            .await
            .unwrap();
        assert_eq!(rows(&crm, r"\dt sales.*").await.len(), 1);
        assert_eq!(psql(&own, "refresh catalog crm").await.1, "");
        assert_eq!(
            rows(&crm, r"\dt sales.*").await,
            ["sales|more|table|inflowave", "sales|orders|table|inflowave"]
        );
        both.end().await;
    });
}

#[test]
fn tab_completion_runs() {
    server::run(async {
        let Some(both) = Both::start("tab").await else {
            skip!("psql's completion", "psql or PostgreSQL is not there");
        };
        let ours = connect(&both.ours("crm")).await;
        let theirs = connect(&both.url).await;
        let sent = include_str!("../fixtures/psql_completion.sql");
        let statements: Vec<&str> = sent.split(";\n").filter(|s| !s.trim().is_empty()).collect();
        assert!(statements.len() > 40);
        for statement in &statements {
            let (mine, other) = (
                ours.prepare(statement).await,
                theirs.prepare(statement).await,
            );
            let types = |s: &tokio_postgres::Statement| {
                let columns = s.columns().iter();
                columns
                    .map(|c| (c.name().to_owned(), c.type_().oid()))
                    .collect::<Vec<_>>()
            };
            let (mine, other) = (mine.expect(statement), other.unwrap());
            // A union of a name and a text is a text there, and text here too.
            let names = |t: Vec<(String, u32)>| t.into_iter().map(|(n, _)| n).collect::<Vec<_>>();
            assert_eq!(names(types(&mine)), names(types(&other)), "{statement}");
            ours.simple_query(statement).await.expect(statement);
        }
        let completed = async |like: &str| {
            let statement = statements.iter().find(|s| s.contains(like)).unwrap();
            let rows = ours.simple_query(statement).await.unwrap();
            let mut names: Vec<String> = rows
                .iter()
                .filter_map(|m| match m {
                    SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                    _ => None,
                })
                .collect();
            names.sort();
            names
        };
        let of_select = "('r', 'S', 'v', 'm', 'f', 'p') AND (c.relname) LIKE 'cu%'";
        assert_eq!(completed(of_select).await, ["customers"]);
        let of_schema = "(c.relname) LIKE '%' AND n.nspname = 'public'";
        assert_eq!(
            completed(of_schema).await,
            ["Odd \"name", "customers", "rich"]
        );
        let columns = "(a.attname) LIKE '%' AND c.relname = 'customers' AND pg_catalog.pg_table_is";
        assert_eq!(
            completed(columns).await,
            [
                "balance", "big", "code", "id", "name", "note", "ok", "seen", "since", "tags"
            ]
        );
        assert_eq!(
            completed("LIKE pg_catalog.lower('time%')").await,
            ["timezone", "timezone_abbreviations"]
        );
        both.end().await;
    });
}

#[test]
fn relations_have_postgresqls_columns_and_types() {
    server::run(async {
        let Some(both) = Both::start("types").await else {
            skip!("the system catalogs", "psql or PostgreSQL is not there");
        };
        let ours = connect(&both.ours("crm")).await;
        let theirs = connect(&both.url).await;
        let listed = "select c.oid, n.nspname, c.relname from pg_class c \
             join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname in ('pg_catalog', 'information_schema') order by 2, 3";
        let relations = ours.query(listed, &[]).await.unwrap();
        assert!(relations.len() > 70);
        for relation in relations {
            let (schema, name): (String, String) = (relation.get(1), relation.get(2));
            let all = format!("select * from {schema}.{name} limit 0");
            let columns = |s: tokio_postgres::Statement| {
                let columns = s.columns().iter();
                // These two types are texts and lists of texts here; no row has a value of theirs.
                let oid = |oid| match oid {
                    3220 => 25,
                    2277 => 1009,
                    oid => oid,
                };
                columns
                    .map(|c| (c.name().to_owned(), oid(c.type_().oid())))
                    .collect::<Vec<_>>()
            };
            let (mine, other) = (ours.prepare(&all).await, theirs.prepare(&all).await);
            let (mine, other) = (columns(mine.expect(&all)), columns(other.unwrap()));
            assert_eq!(mine, other, "{schema}.{name}");
        }
        // What pg_attribute says of a table is what a result of it says.
        let result = ours.prepare("select * from customers").await.unwrap();
        let told: Vec<(String, u32)> = result
            .columns()
            .iter()
            .map(|c| (c.name().to_owned(), c.type_().oid()))
            .collect();
        let attributes = "select attname, atttypid, format_type(atttypid, atttypmod) \
             from pg_attribute where attrelid = 'customers'::regclass and attnum > 0 order by attnum";
        let mine = ours.query(attributes, &[]).await.unwrap();
        let known: Vec<(String, u32)> = mine.iter().map(|r| (r.get(0), r.get(1))).collect();
        assert_eq!(known, told);
        let formatted =
            |rows: &[tokio_postgres::Row]| rows.iter().map(|r| r.get(2)).collect::<Vec<String>>();
        let other = theirs.query(attributes, &[]).await.unwrap();
        assert_eq!(formatted(&mine), formatted(&other));
        let columns = "select column_name, ordinal_position, is_nullable, data_type, \
             character_maximum_length, character_octet_length, numeric_precision, \
             numeric_precision_radix, numeric_scale, datetime_precision, udt_name \
             from information_schema.columns where table_name = 'customers' order by 2";
        let (mine, other) = (
            ours.simple_query(columns).await,
            theirs.simple_query(columns).await,
        );
        assert_eq!(cells(&mine.unwrap()), cells(&other.unwrap()));
        both.end().await;
    });
}

fn cells(messages: &[SimpleQueryMessage]) -> Vec<Vec<Option<String>>> {
    let rows = messages.iter().filter_map(|m| match m {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| {
        (0..row.len())
            .map(|i| row.get(i).map(str::to_owned))
            .collect()
    })
    .collect()
}

#[test]
fn a_source_that_is_down_hides_nothing_else() {
    server::run(async {
        let Some(both) = Both::start("down").await else {
            skip!("a source that is down", "psql or PostgreSQL is not there");
        };
        for down in ["dead", "mute"] {
            let begun = Instant::now();
            let (_, complaint) = psql(&both.ours(down), r"\dt").await;
            assert!(complaint.contains("08001"), "{complaint}");
            assert!(complaint.contains(&format!("\"{down}\"")), "{complaint}");
            assert!(
                begun.elapsed() < LISTING_MAX,
                "{down}: {:?}",
                begun.elapsed()
            );
        }
        for command in [r"\l", r"\du", r"\db", r"\dconfig time*"] {
            let (printed, complaint) = psql(&both.ours("dead"), command).await;
            assert_eq!(complaint, "", "{command}");
            assert!(header(&printed).is_some(), "{command}: {printed}");
        }
        let (printed, complaint) = psql(&both.ours("crm"), r"\dt").await;
        assert!(
            printed.contains("customers") && complaint.is_empty(),
            "{complaint}"
        );
        let (printed, _) = psql(
            &both.ours("dead"),
            "select table_name from crm.information_schema.tables where table_schema = 'sales'",
        )
        .await;
        assert_eq!(printed, "table_name\norders\n(1 row)\n");
        both.end().await;
    });
}

#[test]
fn names_and_oids() {
    server::run(async {
        let Some(both) = Both::start("names").await else {
            skip!(
                "names of the system catalogs",
                "psql or PostgreSQL is not there"
            );
        };
        let mut oids: BTreeMap<String, u32> = BTreeMap::new();
        let crm = connect(&both.ours("crm")).await;
        for row in crm
            .query("select relname, oid from pg_class", &[])
            .await
            .unwrap()
        {
            oids.insert(row.get(0), row.get(1));
        }
        assert_eq!(oids["pg_class"], 1259);
        // In another session, and in another server as it would be after a restart.
        let again = server::service(vec![(
            "crm".into(),
            CatalogSpec {
                connector: "postgres",
                params: vec![("url".into(), both.url.clone())],
                schema: "public".into(),
            },
        )]);
        let again = Listening::start(again.await.unwrap()).await;
        let port = again.address.port();
        let restarted = connect(&format!("postgres://other@127.0.0.1:{port}/crm")).await;
        for row in restarted
            .query("select relname, oid from pg_class", &[])
            .await
            .unwrap()
        {
            assert_eq!(oids.get(row.get::<_, &str>(0)), Some(&row.get(1)));
        }
        let one = async |sql: &str| -> String {
            let rows = crm
                .simple_query(sql)
                .await
                .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
            cells(&rows)[0][0].clone().unwrap()
        };
        let customers = oids["customers"].to_string();
        assert_eq!(one("select 'customers'::regclass::oid").await, customers);
        assert_eq!(
            one("select 'public.customers'::regclass").await,
            "customers"
        );
        assert_eq!(
            one(&format!("select {customers}::regclass")).await,
            "customers"
        );
        assert_eq!(
            one("select 'sales.orders'::regclass::text").await,
            "sales.orders"
        );
        assert_eq!(
            one("select '\"Odd \"\"name\"'::regclass").await,
            "\"Odd \"\"name\""
        );
        assert_eq!(one("select 'int4'::regtype::oid").await, "23");
        assert_eq!(one("select 1043::regtype").await, "character varying");
        assert_eq!(
            one("select relname from pg_catalog.pg_class where oid = 'pg_class'::regclass").await,
            "pg_class"
        );
        assert_eq!(
            one("select current_user || current_database() || current_schema").await,
            "testercrmpublic"
        );
        assert_eq!(
            one("select current_schemas(true)").await,
            "{pg_catalog,public}"
        );
        assert_eq!(
            one("select proargtypes from pg_proc where oid = 877").await,
            "25 23 23"
        );
        assert_eq!(
            one("select proargtypes[1] from pg_proc where oid = 877").await,
            "23"
        );
        assert_eq!(one("select has_table_privilege('customers', 'SELECT') and not has_table_privilege('customers', 'INSERT')").await, "t");
        let code = async |sql: &str| {
            let error = crm.simple_query(sql).await.expect_err(sql);
            error.code().unwrap().code().to_owned()
        };
        assert_eq!(code("select 'nosuch'::regclass").await, "42P01");
        assert_eq!(code("select 'nosuch'::regtype").await, "42704");
        assert_eq!(code("select * from pg_catalog.nosuch").await, "42P01");
        assert_eq!(
            code("select * from nosuch.information_schema.tables").await,
            "3D000"
        );
        assert_eq!(code("select 'a' COLLATE nosuch").await, "42704");
        assert_eq!(code("select pg_table_is_visible()").await, "42883");
        both.end().await;
    });
}
