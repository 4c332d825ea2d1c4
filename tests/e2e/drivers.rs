//! A driver over the extended protocol: what it prepares, binds and reads in binary is what
//! PostgreSQL gives for the same calls, byte for byte.

use std::error::Error;
use std::net::SocketAddr;

use inflowave_pg_frontend as pg;
use inflowave_testkit::provision::POSTGRES_ENV;
use inflowave_testkit::skip;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::server;

/// A value as the wire has it, whatever its type.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Raw(Option<Vec<u8>>);

type Boxed = Box<dyn Error + Sync + Send>;

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(Raw(Some(raw.to_vec())))
    }
    fn from_sql_null(_: &Type) -> Result<Self, Boxed> {
        Ok(Raw(None))
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match &self.0 {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}

async fn connect(config: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(config, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A server of ours without catalogs, until the guard is dropped.
async fn ours() -> (Client, DropGuard) {
    let service = server::service(Vec::new()).await.unwrap();
    let listener = pg::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let limits = pg::Limits::default();
    tokio::spawn(pg::serve(
        listener,
        service,
        pg::Door::open(),
        limits,
        shutdown.clone(),
    ));
    let port = address.port();
    let client = connect(&format!(
        "host=127.0.0.1 port={port} user=tester dbname=inflowave"
    ))
    .await;
    (client, shutdown.drop_guard())
}

/// Both, or `None` where PostgreSQL is not there.
async fn both() -> Option<(Client, Client, DropGuard)> {
    let url = std::env::var(POSTGRES_ENV).ok()?;
    let (ours, guard) = ours().await;
    Some((ours, connect(&url).await, guard))
}

/// A type, and literals of it that its edges are among.
const VALUES: &[(&str, &[&str])] = &[
    ("bool", &["true", "false"]),
    ("int2", &["0", "-32768", "32767"]),
    ("int4", &["-2147483648", "2147483647"]),
    ("int8", &["-9223372036854775808", "9223372036854775807"]),
    ("float4", &["0.1", "-0", "NaN", "Infinity", "1e-38"]),
    ("float8", &["0.1", "-0", "NaN", "-Infinity", "5e-324"]),
    (
        "numeric",
        &["0", "-1.50", "12345678901234567890.123456789", "0.00001"],
    ),
    ("text", &["", "łąka 'x' \\", "a\nb"]),
    ("varchar", &["x "]),
    ("bytea", &["\\x", "\\x00ff27"]),
    ("uuid", &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("json", &["{\"a\": [1, null]}"]),
    ("date", &["2024-02-29", "0001-01-01", "9999-12-31"]),
    ("time", &["00:00:00", "23:59:59.999999"]),
    (
        "timestamp",
        &["2024-02-29 12:00:00.000001", "0001-01-01 00:00:00"],
    ),
    (
        "timestamptz",
        &["2024-02-29 12:00:00+02", "1969-12-31 23:59:59.5+00"],
    ),
    ("interval", &["1 year 2 mons -3 days 04:05:06.7", "0"]),
];

#[test]
fn values_of_every_type_go_in_and_come_out_as_in_postgresql() {
    server::run(async {
        let Some((ours, postgres, _guard)) = both().await else {
            skip!("drivers", format!("{POSTGRES_ENV} is not set").as_str());
        };
        let mut wrong = Vec::new();
        let mut compared = 0;
        for (name, literals) in VALUES {
            let echo = format!("select $1::{name} as v");
            let (there, here) = (
                postgres.prepare(&echo).await.unwrap(),
                ours.prepare(&echo).await.unwrap(),
            );
            for literal in literals.iter().map(Some).chain([None]) {
                let quoted = literal.map_or("null".to_owned(), |l| {
                    format!("'{}'", l.replace('\'', "''"))
                });
                let written = format!("select {quoted}::{name} as v");
                let expected: Raw = postgres.query_one(&written, &[]).await.unwrap().get(0);
                let direct = ours.query_one(&written, &[]).await;
                let direct = direct
                    .map(|row| row.get::<_, Raw>(0))
                    .map_err(|e| e.to_string());
                let echoed = ours.query_one(&here, &[&expected]).await;
                let echoed = echoed
                    .map(|row| row.get::<_, Raw>(0))
                    .map_err(|e| e.to_string());
                let types = (there.columns()[0].type_(), here.columns()[0].type_());
                compared += 1;
                if direct.as_ref() != Ok(&expected)
                    || echoed.as_ref() != Ok(&expected)
                    || types.0 != types.1
                {
                    wrong.push(format!(
                        "{written}: {expected:?} ({}); ours {direct:?}, as parameter {echoed:?} ({})",
                        types.0, types.1
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(
            compared,
            VALUES.iter().map(|(_, v)| v.len() + 1).sum::<usize>()
        );
    });
}

const TABLE: &str = "(values (1, 'a', date '2024-01-01', 1.50::numeric(10,2), 1::int8, 0.5::float8, true), \
     (2, 'b', date '2024-01-02', 2.50, 2, 1.5, false), (3, null, null, null, null, null, null)) \
     v(i, t, d, n, l, f, b)";

/// Statements whose parameters have no declared type, with values as text.
const DEDUCED: &[(&str, &[&str])] = &[
    ("select i from {t} where i = $1", &["2"]),
    (
        "select i from {t} where t = $1 or i > $2 order by i",
        &["a", "2"],
    ),
    ("select i from {t} where d < $1", &["2024-01-02"]),
    (
        "select i from {t} where n between $1 and $2 order by i",
        &["1.5", "2.50"],
    ),
    (
        "select i from {t} where l in ($1, $2) order by i",
        &["1", "2"],
    ),
    ("select i from {t} where f >= $1 order by i", &["0.5"]),
    ("select i from {t} where b = $1", &["t"]),
    (
        "select i + $1, $2 || t from {t} where i = $3",
        &["10", "x", "1"],
    ),
    (
        "select i from {t} order by i limit $1 offset $2",
        &["1", "1"],
    ),
    ("select coalesce(t, $1) as t from {t} order by i", &["none"]),
    (
        "select case when i = $1 then $2 else t end as c from {t} order by i",
        &["1", "one"],
    ),
    ("select upper($1) as u, length($2) as l", &["łą", "abc"]),
    ("select $1::int + 1 as a, $1::int as b", &["41"]),
    ("select d + $1::int as d from {t} where i = 1", &["31"]),
    ("select count(*) as c from {t} where t like $1", &["%"]),
    ("select sum(l) as s from {t} where i <> $1", &["1"]),
    ("select $1 as anything", &["it is text"]),
    (
        "select i from {t} where i = (select max(w.i) from {t2} where w.i < $1)",
        &["3"],
    ),
    (
        "select i from {t} where i = any($1) order by i",
        &["{1,3,NULL}"],
    ),
    ("select i from {t} where t = any($1)", &["{a,\"b \"}"]),
    ("select i, t <> all($1) as v from {t} order by i", &["{a}"]),
    (
        "select i, t like any($1) as v from {t} order by i",
        &["{a%,NULL}"],
    ),
    (
        "select i from {t} where n = any($1) order by i",
        &["{1.5,2.505}"],
    ),
    ("select i from {t} where l < all($1)", &["{2,3}"]),
    ("select i from {t} where d = any($1)", &["{2024-01-02}"]),
    ("select i from {t} where f >= any($1)", &["{1.5,NaN}"]),
    ("select i from {t} where b = some($1)", &["{t}"]),
    (
        "select i from {t} where $1 = any(array[i, l]) order by i",
        &["2"],
    ),
    (
        "select array[i, 3] @> $1 as v, array[i] || $2 as w, array_append(array[t], $3) as x, \
         (array[i, 7])[$4] as y from {t} order by i",
        &["{3}", "{8,NULL}", "z", "2"],
    ),
    (
        "select array_position(array[i, 5], $1) as v, array[i] = $2 as w from {t} order by i",
        &["5", "{1}"],
    ),
    ("select cardinality($1::int[]) as v", &["{}"]),
    (
        "select 1 as v where 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid = $1",
        &["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"],
    ),
    (
        "select 1 as v where 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid = any($1)",
        &["{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"],
    ),
];

#[test]
fn types_of_parameters_are_deduced_as_postgresql_does() {
    server::run(async {
        let Some((ours, postgres, _guard)) = both().await else {
            skip!("drivers", format!("{POSTGRES_ENV} is not set").as_str());
        };
        for (sql, values) in DEDUCED {
            let sql = sql
                .replace("{t2}", &TABLE.replace(") v(", ") w("))
                .replace("{t}", TABLE);
            let there = postgres.prepare(&sql).await.unwrap();
            let here = ours.prepare(&sql).await;
            let here = here.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
            assert_eq!(here.params(), there.params(), "{sql}");
            let columns = |s: &tokio_postgres::Statement| -> Vec<(String, Type)> {
                let columns = s.columns().iter();
                columns
                    .map(|c| (c.name().to_owned(), c.type_().clone()))
                    .collect()
            };
            assert_eq!(columns(&here), columns(&there), "{sql}");
            // Each value in the type that was deduced: PostgreSQL makes its binary form.
            let mut bound = Vec::new();
            for (value, t) in values.iter().zip(there.params()) {
                let written = format!("select '{value}'::{}", t.name());
                let row = postgres.query_one(&written, &[]).await.unwrap();
                bound.push(row.get::<_, Raw>(0));
            }
            let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|v| v as _).collect();
            let cells = |rows: Vec<tokio_postgres::Row>| -> Vec<Vec<Raw>> {
                let cells =
                    |row: &tokio_postgres::Row| (0..row.len()).map(|i| row.get(i)).collect();
                rows.iter().map(cells).collect()
            };
            let there = cells(postgres.query(&there, &bound).await.unwrap());
            let here = ours.query(&here, &bound).await;
            let here = cells(here.unwrap_or_else(|e| panic!("{sql}: {e:?}")));
            assert_eq!(here, there, "{sql}");
        }
    });
}

/// What programs write for `IN` over a list: the list itself is the parameter.
#[test]
fn a_list_is_a_parameter() {
    server::run(async {
        let Some((ours, postgres, _guard)) = both().await else {
            skip!("drivers", format!("{POSTGRES_ENV} is not set").as_str());
        };
        let numbers: Vec<Option<i32>> = vec![Some(1), None, Some(3)];
        let none: Vec<i32> = Vec::new();
        let null: Option<Vec<i32>> = None;
        let lists: [(&str, &(dyn ToSql + Sync)); 9] = [
            ("i = any($1)", &numbers),
            ("i <> all($1)", &none),
            ("i = any($1)", &null),
            ("t = any($1)", &vec!["a", "łąka"]),
            ("l = any($1)", &vec![2_i64, i64::MAX]),
            ("f > any($1)", &vec![f64::NAN, 0.5]),
            ("b <> all($1)", &vec![true]),
            ("t like any($1)", &vec!["%a%".to_owned()]),
            ("array[i, 3] && $1", &vec![2, 3]),
        ];
        for (condition, list) in lists {
            let sql = format!("select i, {condition} as v from {TABLE} order by i");
            let rows = |rows: Vec<tokio_postgres::Row>| -> Vec<(i32, Option<bool>)> {
                rows.iter().map(|r| (r.get(0), r.get(1))).collect()
            };
            let there = rows(postgres.query(&sql, &[list]).await.unwrap());
            let here = ours.query(&sql, &[list]).await;
            let here = rows(here.unwrap_or_else(|e| panic!("{condition}: {e:?}")));
            assert_eq!(here, there, "{condition}");
        }
    });
}

#[test]
fn portals_suspend_statements_are_named_and_errors_have_their_codes() {
    server::run(async {
        let (mut client, _guard) = ours().await;
        let many = client
            .prepare("select v from generate_series(1, $1::int8) g(v)")
            .await
            .unwrap();
        let transaction = client.transaction().await.unwrap();
        let portal = transaction.bind(&many, &[&100_000_i64]).await.unwrap();
        let mut read = 0_i64;
        for wanted in [1, 10_000, 5] {
            for row in transaction.query_portal(&portal, wanted).await.unwrap() {
                read += 1;
                assert_eq!(row.get::<_, i64>(0), read);
            }
        }
        assert_eq!(read, 10_006);
        transaction.commit().await.unwrap();
        for (sql, code) in [
            ("select nosuch from generate_series(1, 2) g(v)", "42703"),
            ("select 1; select 2", "42601"),
            ("select $1 + nosuch($2)", "42883"),
            ("select v from nosuch where v = $1", "42P01"),
        ] {
            let error = client.prepare(sql).await.err().unwrap();
            assert_eq!(error.code().map(|c| c.code()), Some(code), "{sql}");
        }
        let error = client
            .query("select 10 / $1::int", &[&0_i32])
            .await
            .unwrap_err();
        assert_eq!(error.code().unwrap().code(), "22012");
        client.batch_execute("deallocate all").await.unwrap();
        assert!(client.query_one("select 1", &[]).await.is_ok());
    });
}
