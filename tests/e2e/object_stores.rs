//! One folder in many places: local, in stand-ins for S3, Azure and Google Cloud Storage, on a web
//! server. The rows are the same everywhere. The stand-ins are moto, Azurite and fake-gcs-server:
//! what passes here is proven for them.

mod buckets;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use inflowave_config::Limits;
use inflowave_query_api::Session;
use inflowave_testkit::provision::CatalogSpec;
use inflowave_testkit::skip;
use object_store::ObjectStoreExt;

use crate::server::{self, error, lines, texts};
use buckets::Bucket;

fn spec(path: &str, more: &[(&str, String)]) -> CatalogSpec {
    let params = [("path", path.to_owned())];
    let all = params.iter().chain(more);
    CatalogSpec {
        connector: "files",
        params: all.map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        schema: "files".to_owned(),
    }
}

/// A name that no bucket of an earlier run has: the stand-ins may run on between runs.
fn fresh(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// Rows from `first`, of every type that Parquet and we have in common.
fn batch(first: i64, rows: i64) -> RecordBatch {
    let ids: Vec<i64> = (first..first + rows).collect();
    let some = |n: &i64| n % 7 != 0;
    let decimal = ids.iter().map(|n| some(n).then_some(i128::from(n * 1_001)));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(ids.clone()))),
        (
            "name",
            Arc::new(StringArray::from_iter(
                ids.iter().map(|n| some(n).then(|| format!("łąka {n}"))),
            )),
        ),
        (
            "price",
            Arc::new(
                decimal
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(12, 2)
                    .unwrap(),
            ),
        ),
        (
            "load",
            Arc::new(Float64Array::from_iter(ids.iter().map(|n| match n % 5 {
                0 => None,
                1 => Some(f64::NAN),
                _ => Some(*n as f64 / 4.0),
            }))),
        ),
        (
            "day",
            Arc::new(Date32Array::from_iter_values(
                ids.iter().map(|n| (20_000 + n % 50) as i32),
            )),
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                ids.iter().map(|n| 1_700_000_000_000_000 + n * 1_000_001),
            )),
        ),
        (
            "flag",
            Arc::new(BooleanArray::from_iter(
                ids.iter().map(|n| some(n).then_some(n % 2 == 0)),
            )),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn parquet(first: i64, rows: i64, group: usize) -> Vec<u8> {
    let batch = batch(first, rows);
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// What lies in the folder: a partitioned table, a CSV file, JSON lines, and what is no table.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "readings/year=2023/city=Bonn/a.parquet",
            parquet(0, 500, 100),
        ),
        (
            "readings/year=2024/city=Bonn/a.parquet",
            parquet(500, 300, 100),
        ),
        (
            "readings/year=2024/city=%C5%81%C3%B3d%C5%BA/a b#1.parquet",
            parquet(800, 200, 64),
        ),
        (
            "readings/year=2024/city=__HIVE_DEFAULT_PARTITION__/a.parquet",
            parquet(1000, 10, 64),
        ),
        ("readings/_temporary/x.parquet", b"no parquet".to_vec()),
        (
            "orders.csv",
            b"order_id,reading,note\n1,3,\"a, \"\"b\"\"\"\n2,501,\n3,900,\xc5\x82\n4,77777,x\n"
                .to_vec(),
        ),
        (
            "events/1.jsonl",
            b"{\"id\":1,\"tags\":[\"a\",\"b\"]}\n{\"id\":2,\"big\":12345678901234567890}\n"
                .to_vec(),
        ),
        ("events/deeper/2.jsonl", b"{\"id\":3}\n".to_vec()),
        ("notes.txt", b"nothing".to_vec()),
    ]
}

fn write(dir: &Path, files: &[(&str, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

const QUERIES: &[&str] = &[
    "select * from C.files.readings order by id",
    "select count(*), sum(price), min(day), max(at), count(name) from C.files.readings",
    "select city, year, count(*), sum(price) from C.files.readings group by city, year order by 1, 2",
    "select id, load from C.files.readings where year = 2024 and load > 200 order by id",
    "select id from C.files.readings where city = 'Łódź' and id >= 990 order by id",
    "select id from C.files.readings where city is null and price is not null order by id desc limit 3",
    "select * from C.files.orders order by order_id",
    "select o.order_id, r.name, r.city from C.files.orders o left join C.files.readings r on r.id = o.reading order by 1",
    "select * from C.files.events order by id",
    "select count(*) from C.files.readings where year = 1999",
];

#[test]
fn the_same_folder_has_the_same_rows_everywhere() {
    server::run(async {
        let mut buckets = Vec::new();
        for bucket in [
            Bucket::s3(&fresh("lake")).await,
            Bucket::azure(&fresh("lake")).await,
            Bucket::gcs(&fresh("lake")).await,
        ] {
            match bucket {
                Ok(bucket) => buckets.push(bucket),
                Err((what, why)) => inflowave_testkit::provision::skipped(what, why),
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let files = files();
        write(dir.path(), &files);
        let engine = server::engine(Limits::default()).unwrap();
        let local = spec(dir.path().to_str().unwrap(), &[]);
        server::open(&engine, "local", &local).await.unwrap();
        let mut session = server::session(&engine, "local").await;
        lines(session.as_mut(), "set inflowave.pushdown = verify").await;
        let expected = answers(session.as_mut(), "local").await;
        assert_eq!(expected[3].len(), 1010, "{:?}", expected[3].first());
        for bucket in buckets {
            bucket.put(&files).await;
            let path = format!("{}/lake", bucket.root);
            server::open(&engine, bucket.catalog, &spec(&path, &bucket.params))
                .await
                .unwrap();
            let answers = answers(session.as_mut(), bucket.catalog).await;
            for (query, (found, wanted)) in
                QUERIES.iter().zip(answers[3..].iter().zip(&expected[3..]))
            {
                assert_eq!(found, wanted, "{}: {query}", bucket.stand_in);
            }
            assert_eq!(answers[..3], expected[..3], "{}", bucket.stand_in);
            // The shapes of a path: a pattern, and one object.
            for (shape, table, wanted) in [
                ("lake/readings/year=2024/**/*.parquet", "year=2024", "510"),
                ("lake/readings/*/city=Bonn/a.parquet", "a.parquet", "800"),
                ("lake/orders.csv", "orders", "4"),
                ("lake/ord?rs.*", "ord", "4"),
            ] {
                let path = format!("{}/{shape}", bucket.root);
                let name = format!("{}_{}", bucket.catalog, wanted.len() * 1000 + shape.len());
                server::open(&engine, &name, &spec(&path, &bucket.params))
                    .await
                    .unwrap();
                let tables =
                    lines(session.as_mut(), &format!("show tables from {name}.files")).await;
                assert_eq!(tables, [table], "{}: {shape}", bucket.stand_in);
                let count = format!("select count(*) from {name}.files.\"{table}\"");
                assert_eq!(lines(session.as_mut(), &count).await, [wanted], "{shape}");
            }
            eprintln!("equal rows: a local folder and {}", bucket.stand_in);
        }
    });
}

/// Names of tables and columns, then the rows of every query.
async fn answers(session: &mut dyn Session, catalog: &str) -> Vec<Vec<String>> {
    let mut answers = Vec::new();
    for sql in [
        "show tables from C.files",
        "show columns from C.files.readings",
        "show columns from C.files.events",
    ]
    .iter()
    .chain(QUERIES)
    {
        answers.push(lines(session, &sql.replace("C.", &format!("{catalog}."))).await);
    }
    answers
}

/// The stand-in for S3 is a web server, too: it gives ranges, tags and dates.
#[test]
fn a_file_of_a_web_server_is_a_table() {
    server::run(async {
        let bucket = match Bucket::s3(&fresh("web")).await {
            Ok(bucket) => bucket,
            Err((what, why)) => skip!(what, why),
        };
        bucket.put(&files()).await;
        let part = "readings/year=2024/city=%25C5%2581%25C3%25B3d%25C5%25BA/a%20b%231.parquet";
        for key in ["orders.csv", part] {
            bucket.publish(&format!("lake/{key}")).await;
        }
        let engine = server::engine(Limits::default()).unwrap();
        let url = format!("{}/{}/lake", bucket.endpoint, bucket.name);
        let parquet = format!("{url}/{part}");
        for (name, path) in [
            ("orders", format!("{url}/orders.csv")),
            ("readings", parquet),
        ] {
            let more = [("table", "t".to_owned())];
            server::open(&engine, name, &spec(&path, &more))
                .await
                .unwrap();
        }
        let mut session = server::session(&engine, "orders").await;
        let s = session.as_mut();
        lines(s, "set inflowave.pushdown = verify").await;
        assert_eq!(
            lines(s, "select count(*), max(note) from orders.files.t").await,
            ["4|ł"]
        );
        assert_eq!(
            lines(s, "select count(*), min(id), max(id), sum(price) from readings.files.t where id >= 900").await,
            ["100|900|999|"].map(|start| format!("{start}{}", total(900, 1000)))
        );
        eprintln!(
            "equal rows: a local folder and {}, as a web server",
            bucket.stand_in
        );
    });
}

/// The sum of `price` over these ids.
fn total(from: i64, to: i64) -> String {
    let cents: i64 = (from..to).filter(|n| n % 7 != 0).map(|n| n * 1_001).sum();
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// An object that is written anew while a query runs.
#[test]
fn an_object_that_changes_is_an_error_and_never_a_mix() {
    server::run(async {
        let bucket = match Bucket::s3(&fresh("changing")).await {
            Ok(bucket) => bucket,
            Err((what, why)) => skip!(what, why),
        };
        const ROWS: i64 = 400_000;
        let key = "lake/t.parquet".into();
        let engine = server::engine(Limits::default()).unwrap();
        let old = parquet(0, ROWS, 10_000);
        bucket.client.put(&key, old.into()).await.unwrap();
        let path = format!("{}/lake/t.parquet", bucket.root);
        server::open(&engine, "lake", &spec(&path, &bucket.params))
            .await
            .unwrap();
        let mut session = server::session(&engine, "lake").await;
        let s = session.as_mut();
        let count = "select count(*), min(id) from lake.files.t";
        assert_eq!(lines(s, count).await, [format!("{ROWS}|0")]);

        let sql = "select id, name, price from lake.files.t";
        let statement = s.split(sql).unwrap().remove(0);
        let prepared = s.prepare(&statement, None).await.unwrap();
        let mut portal = s.execute(prepared).await.unwrap();
        let first = portal.next().await.unwrap().unwrap();
        assert!(first.num_rows() > 0);
        let new = parquet(1_000_000, ROWS, 10_000);
        bucket.client.put(&key, new.into()).await.unwrap();
        let failed = loop {
            match portal.next().await {
                Ok(Some(batch)) => {
                    let ids = arrow::compute::max(arrow::array::AsArray::as_primitive::<
                        arrow::datatypes::Int64Type,
                    >(batch.column(0)));
                    assert!(
                        ids.is_some_and(|id| id < ROWS),
                        "a row of the new object: {ids:?}"
                    );
                }
                Ok(None) => panic!("the old object was read to its end, although it is gone"),
                Err(error) => break error,
            }
        };
        assert_eq!(failed.sqlstate().code(), "42P16", "{failed:?}");
        assert!(failed.message().contains("catalog \"lake\""), "{failed:?}");
        assert!(failed.hint().is_some(), "{failed:?}");
        drop(portal);
        assert_eq!(lines(s, count).await, [format!("{ROWS}|1000000")]);
        eprintln!("a changed object is noticed on {}", bucket.stand_in);
    });
}

#[test]
fn listings_have_more_than_one_page() {
    server::run(async {
        let bucket = match Bucket::s3(&fresh("many")).await {
            Ok(bucket) => bucket,
            Err((what, why)) => skip!(what, why),
        };
        // The table's objects come last, behind more keys than a page of S3 has.
        let names: Vec<String> = (0..1_005).map(|n| format!("t/a{n:04}.txt")).collect();
        let mut files: Vec<(&str, Vec<u8>)> =
            names.iter().map(|n| (n.as_str(), b"-".to_vec())).collect();
        files.push(("t/z1.csv", b"a\n1\n".to_vec()));
        files.push(("t/z2.csv", b"a\n2\n".to_vec()));
        bucket.put(&files).await;
        let engine = server::engine(Limits::default()).unwrap();
        let path = format!("{}/lake", bucket.root);
        server::open(&engine, "lake", &spec(&path, &bucket.params))
            .await
            .unwrap();
        let mut limited = bucket.params.clone();
        limited.push(("listed_objects_max", "1000".to_owned()));
        server::open(&engine, "limited", &spec(&path, &limited))
            .await
            .unwrap();
        let mut session = server::session(&engine, "lake").await;
        let s = session.as_mut();
        assert_eq!(lines(s, "show tables from lake.files").await, ["t"]);
        assert_eq!(lines(s, "select sum(a) from lake.files.t").await, ["3"]);
        let failed = error(s, "select sum(a) from limited.files.t").await;
        assert_eq!(failed.sqlstate().code(), "54000", "{failed:?}");
        assert!(
            failed.hint().unwrap().contains("listed_objects_max"),
            "{failed:?}"
        );
    });
}

#[test]
fn what_is_wrong_with_a_store_says_so() {
    server::run(async {
        let bucket = match Bucket::s3(&fresh("wrong")).await {
            Ok(bucket) => bucket,
            Err((what, why)) => skip!(what, why),
        };
        bucket.put(&[("t.csv", b"a\n1\n".to_vec())]).await;
        let engine = server::engine(Limits::default()).unwrap();
        let root = &bucket.root;
        let mut nobody = bucket.params.clone();
        nobody.retain(|(name, _)| *name != "endpoint");
        nobody.extend([
            ("endpoint", "http://127.0.0.1:1".to_owned()),
            ("retries_max", "0".to_owned()),
        ]);
        for (name, path, params, code, text) in [
            (
                "nobody",
                format!("{root}/lake/"),
                &nobody,
                "08001",
                "cannot be reached",
            ),
            (
                "nobucket",
                "s3://no-such-bucket/x/".to_owned(),
                &bucket.params,
                "58P01",
                "bucket \"s3://no-such-bucket\" does not exist",
            ),
            (
                "noprefix",
                format!("{root}/none/"),
                &bucket.params,
                "58P01",
                "none\" does not exist",
            ),
            (
                "noobject",
                format!("{root}/lake/none.csv"),
                &bucket.params,
                "58P01",
                "none.csv\" does not exist",
            ),
        ] {
            server::open(&engine, name, &spec(&path, params))
                .await
                .unwrap();
            let mut session = server::session(&engine, name).await;
            let failed = error(session.as_mut(), &format!("select * from {name}.files.t")).await;
            assert_eq!(failed.sqlstate().code(), code, "{name}: {failed:?}");
            assert!(failed.message().contains(text), "{name}: {failed:?}");
            assert!(
                failed.message().contains(&format!("\"{name}\"")),
                "{failed:?}"
            );
            assert!(failed.hint().is_some(), "{failed:?}");
            assert!(
                !format!("{failed:?}").contains(buckets::SECRET),
                "{failed:?}"
            );
            // Others go on.
            assert_eq!(lines(session.as_mut(), "select 1").await, ["1"]);
        }
    });
}

/// SQL reaches the URLs that the configuration allows, with credentials that it was given.
#[test]
fn a_catalog_made_by_sql_reaches_what_it_may() {
    server::run(async {
        let bucket = match Bucket::s3("allowed").await {
            Ok(bucket) => bucket,
            Err((what, why)) => skip!(what, why),
        };
        bucket.put(&[("t.csv", b"a\n1\n".to_vec())]).await;
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("key"), buckets::SECRET).unwrap();
        let engine = server::keeping(dir.path(), Limits::default(), &[]).await;
        let mut session = server::session(&engine, "inflowave").await;
        let s = session.as_mut();
        let keys = "access_key_id = '${file:key}', secret_access_key = '${file:key}'";
        let at = format!("endpoint = '{}', allow_http = 'true'", bucket.endpoint);
        let create = |path: &str, rest: &str| {
            format!("create catalog lake using files with (path = '{path}', {rest})")
        };
        for (sql, code, hint) in [
            (create("s3://other/x", keys), "42501", "url_roots"),
            (create("s3://allowed/../other", keys), "42501", "url_roots"),
            (
                create("http://169.254.169.254/latest/meta-data", ""),
                "42501",
                "url_roots",
            ),
            (
                create(
                    "s3://allowed/lake",
                    &format!("{keys}, endpoint = 'http://169.254.169.254', allow_http = 'true'"),
                ),
                "42501",
                "url_roots",
            ),
            (
                create("s3://allowed/lake", "instance_credentials = 'true'"),
                "42501",
                "configuration",
            ),
            (create("s3://allowed/lake", &at), "22023", "anonymous"),
            (
                create(
                    "s3://allowed/lake",
                    "access_key_id = 'x', secret_access_key = 'y'",
                ),
                "22023",
                "reference",
            ),
        ] {
            let failed = error(s, &sql.replace(", )", ")")).await;
            assert_eq!(failed.sqlstate().code(), code, "{sql}: {failed:?}");
            assert!(
                failed.hint().unwrap_or_default().contains(hint),
                "{sql}: {failed:?}"
            );
        }
        lines(s, &create("s3://allowed/lake", &format!("{keys}, {at}"))).await;
        assert_eq!(lines(s, "select a from lake.files.t").await, ["1"]);
        let shown = texts(s, "select * from system.runtime.queries")
            .await
            .unwrap();
        assert!(!format!("{shown:?}").contains(buckets::SECRET));
    });
}
