//! Every type with its edges, and values that must not be read as something else.

use arrow::datatypes::{DataType, TimeUnit};
use inflowave_connector_api::{Collation, Source};
use inflowave_types::PgType;

use super::{Fixture, computed, fails, lines, run, select};

#[tokio::test(flavor = "multi_thread")]
async fn numbers_keep_their_edges() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE n (k int primary key, t tinyint, tu tinyint unsigned, s smallint, \
         su smallint unsigned, m mediumint, mu mediumint unsigned, i int, iu int unsigned zerofill, \
         b bigint, bu bigint unsigned, d decimal(10,2), e decimal(38,0), w decimal(65,30), \
         f float, g double, y year)",
        "INSERT INTO n VALUES (1, -128, 255, -32768, 65535, -8388608, 16777215, -2147483648, \
         4294967295, -9223372036854775808, 18446744073709551615, -99999999.99, \
         -99999999999999999999999999999999999999, \
         -99999999999999999999999999999999999.999999999999999999999999999999, \
         16777216.0, 0.1, 2155)",
        "INSERT INTO n VALUES (2, 127, 0, 32767, 0, 8388607, 0, 2147483647, 0, \
         9223372036854775807, 0, 99999999.99, 99999999999999999999999999999999999999, \
         0.000000000000000000000000000001, 1.17549e-38, -1.7976931348623157e308, 0)",
        "INSERT INTO n (k) VALUES (3)",
    ])
    .await;
    let source = f.source();
    let table = f.table(&source, "n").await;
    let types: Vec<_> = table
        .columns
        .iter()
        .map(|c| c.field.data_type().clone())
        .collect();
    use DataType::{Decimal128, Decimal256, Float32, Float64, Int16, Int32, Int64};
    assert_eq!(
        types,
        [
            Int32,
            Int16,
            Int16,
            Int16,
            Int32,
            Int32,
            Int32,
            Int32,
            Int64,
            Int64,
            Decimal128(20, 0),
            Decimal128(10, 2),
            Decimal128(38, 0),
            Decimal256(65, 30),
            Float32,
            Float64,
            Int16,
        ]
    );
    let rows = f.read(&source, "n").await.unwrap();
    assert_eq!(
        rows[0],
        [
            "1",
            "-128",
            "255",
            "-32768",
            "65535",
            "-8388608",
            "16777215",
            "-2147483648",
            "4294967295",
            "-9223372036854775808",
            "18446744073709551615",
            "-99999999.99",
            "-99999999999999999999999999999999999999",
            "-99999999999999999999999999999999999.999999999999999999999999999999",
            "16777216.0",
            "0.1",
            "2155",
        ]
    );
    assert_eq!(
        rows[1],
        [
            "2",
            "127",
            "0",
            "32767",
            "0",
            "8388607",
            "0",
            "2147483647",
            "0",
            "9223372036854775807",
            "0",
            "99999999.99",
            "99999999999999999999999999999999999999",
            "0.000000000000000000000000000001",
            "1.17549e-38",
            "-1.7976931348623157e308",
            "0",
        ]
    );
    assert_eq!(rows[2][1..], ["NULL"; 16]);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_and_bytes() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE t (k int primary key, c char(5), v varchar(25), x longtext, \
         e enum('a','b''c','łąka'), s set('x','y','z'), j json, l varchar(10) character set latin1, \
         b binary(4), vb varbinary(4), bl blob, b1 bit(1), b8 bit(8), b64 bit(64), g point)",
        "INSERT INTO t VALUES (1, 'ab ', 'ab ', 'łąka 😀', 'b''c', 'x,z', '{\"a\": 1}', 'é', \
         x'01', x'01', x'00ff', b'1', b'00000101', b'1', point(1, 2))",
        "INSERT INTO t VALUES (2, '', '', '', 'łąka', '', 'null', '', '', '', '', b'0', b'0', \
         x'8000000000000001', NULL)",
        "INSERT INTO t (k) VALUES (3)",
    ])
    .await;
    let source = f.source();
    let table = f.table(&source, "t").await;
    let pg = |name: &str| {
        let column = table
            .columns
            .iter()
            .find(|c| c.field.name() == name)
            .unwrap();
        column.field.metadata().get(PgType::KEY).cloned()
    };
    assert_eq!(pg("c").as_deref(), Some("bpchar(5)"));
    assert_eq!(pg("v").as_deref(), Some("varchar(25)"));
    assert_eq!(pg("x"), None);
    let rows = f.read(&source, "t").await.unwrap();
    assert_eq!(
        rows[0],
        [
            "1",
            "ab",
            "ab ",
            "łąka 😀",
            "b'c",
            "x,z",
            "{\"a\": 1}",
            "é",
            "01000000",
            "01",
            "00ff",
            "true",
            "00000101",
            "0000000000000000000000000000000000000000000000000000000000000001",
            "000000000101000000000000000000f03f0000000000000040",
        ]
    );
    assert_eq!(
        rows[1],
        [
            "2",
            "",
            "",
            "",
            "łąka",
            "",
            "null",
            "",
            "00000000",
            "",
            "",
            "false",
            "00000000",
            "1000000000000000000000000000000000000000000000000000000000000001",
            "NULL",
        ]
    );
    assert_eq!(rows[2][1..], ["NULL"; 14]);
}

#[tokio::test(flavor = "multi_thread")]
async fn types_of_mariadb_alone() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    if !f.is_mariadb().await {
        return;
    }
    f.run(&[
        "CREATE TABLE m (u uuid, i4 inet4, i6 inet6)",
        "INSERT INTO m VALUES ('123e4567-e89b-12d3-a456-426655440000', '10.0.0.1', '2001:db8::1')",
    ])
    .await;
    let source = f.source();
    let table = f.table(&source, "m").await;
    let pg: Vec<_> = table
        .columns
        .iter()
        .map(|c| c.field.metadata()[PgType::KEY].as_str())
        .collect();
    assert_eq!(pg, ["uuid", "inet", "inet"]);
    assert!(
        table
            .columns
            .iter()
            .all(|c| c.collation == Collation::Unknown)
    );
    let rows = f.read(&source, "m").await.unwrap();
    assert_eq!(
        rows,
        [[
            "123e4567-e89b-12d3-a456-426655440000",
            "10.0.0.1",
            "2001:db8::1"
        ]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_read_in_utc() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "SET time_zone = '+02:00'",
        "CREATE TABLE d (k int primary key, d date, t time(6), p datetime(6), q datetime, \
         s timestamp(6) NULL)",
        "INSERT INTO d VALUES (1, '0001-01-01', '00:00:00', '0001-01-01 00:00:00.000001', \
         '9999-12-31 23:59:59', '1970-01-01 02:00:01')",
        "INSERT INTO d VALUES (2, '9999-12-31', '23:59:59.999999', '9999-12-31 23:59:59.999999', \
         '2024-02-29 12:00:00', '2024-03-31 03:30:00.5')",
        "INSERT INTO d VALUES (3, '0000-01-01', '24:00:00', NULL, NULL, NULL)",
    ])
    .await;
    let source = f.source();
    let table = f.table(&source, "d").await;
    assert_eq!(
        table.columns[5].field.data_type(),
        &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    );
    let batch = run(&source, select(&table, "ORDER BY 1")).await.unwrap();
    let rows = lines(&batch);
    assert_eq!(
        rows[0],
        [
            "1",
            "0001-01-01",
            "00:00:00",
            "0001-01-01T00:00:00.000001",
            "9999-12-31T23:59:59",
            "1970-01-01T00:00:01Z",
        ]
    );
    assert_eq!(
        rows[1],
        [
            "2",
            "9999-12-31",
            "23:59:59.999999",
            "9999-12-31T23:59:59.999999",
            "2024-02-29T12:00:00",
            "2024-03-31T01:30:00.500Z",
        ]
    );
    let midnight: &arrow::array::Time64MicrosecondArray =
        batch.column(2).as_any().downcast_ref().unwrap();
    assert_eq!(midnight.value(2), 86_400_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn zero_dates_are_errors_or_null() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "SET sql_mode = ''",
        "CREATE TABLE z (d date NOT NULL, s timestamp NOT NULL DEFAULT '0000-00-00')",
        "INSERT INTO z VALUES ('2024-01-00', '0000-00-00'), ('0000-00-00', '2024-01-01')",
        "CREATE TABLE y (p datetime); INSERT INTO y VALUES ('2024-00-00 10:00:00')",
    ])
    .await;
    let source = f.source();
    let table = f.table(&source, "z").await;
    let error = fails(&source, select(&table, "ORDER BY d")).await;
    assert_eq!(error.sqlstate().code(), "22008");
    assert_eq!(
        error.message(),
        format!(
            "column \"d\" of table \"shop.{}.z\" holds the date 0000-00-00, which no calendar has",
            f.database
        )
    );
    let error = f.read(&source, "y").await.unwrap_err();
    assert!(error.message().contains("2024-00-00 10:00:00"), "{error}");
    // After such an error the source answers as before.
    source.ping().await.unwrap();
    let lenient = f.source_with(&[("zero_dates", "null")]);
    let rows = f.read(&lenient, "z").await.unwrap();
    assert_eq!(rows, [["NULL", "2024-01-01T00:00:00Z"], ["NULL", "NULL"]]);
    assert_eq!(f.read(&lenient, "y").await.unwrap(), [["NULL"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_out_of_our_range_are_errors() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE a (t time); INSERT INTO a VALUES ('838:59:59')",
        "CREATE TABLE b (t time); INSERT INTO b VALUES ('-00:00:01')",
        "CREATE TABLE c (t tinyint(1)); INSERT INTO c VALUES (0), (1), (2)",
    ])
    .await;
    let source = f.source_with(&[("tinyint1", "boolean")]);
    let error = f.read(&source, "a").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "22008");
    assert!(
        error
            .message()
            .ends_with("holds 838:59:59, which is out of range"),
        "{error}"
    );
    let error = f.read(&source, "b").await.unwrap_err();
    assert!(error.message().contains("holds -00:00:01"), "{error}");
    let error = f.read(&source, "c").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "22003");
    assert!(error.message().contains("column \"t\"") && error.message().contains("holds 2"));
    let table = f.table(&source, "c").await;
    let batch = run(&source, select(&table, "WHERE t < 2 ORDER BY 1"))
        .await
        .unwrap();
    assert_eq!(lines(&batch), [["false"], ["true"]]);
    assert_eq!(
        f.read(&f.source(), "c").await.unwrap(),
        [["0"], ["1"], ["2"]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn collations() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    let nopad = if f.is_mariadb().await {
        "utf8mb4_nopad_bin"
    } else {
        "utf8mb4_0900_bin"
    };
    let create = format!(
        "CREATE TABLE c (a varchar(9) COLLATE {nopad}, b varchar(9) COLLATE utf8mb4_bin, \
         c varchar(9), d varchar(9) CHARACTER SET latin1, e enum('x') COLLATE {nopad}, \
         f char(3) COLLATE {nopad}, g varbinary(3), h int, i bit(3))"
    );
    f.run(&[&create]).await;
    let table = f.table(&f.source(), "c").await;
    let collations: Vec<_> = table.columns.iter().map(|c| c.collation).collect();
    use Collation::{Binary, Loose, NotText, Unknown};
    assert_eq!(
        collations,
        [
            Binary, Loose, Loose, Unknown, Loose, Loose, NotText, NotText, Unknown
        ]
    );
    assert!(table.columns.iter().all(|c| c.strictly_typed));
    assert_eq!(
        table.columns[0].native_type,
        format!("varchar(9) collate {nopad}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn computed_columns_come_in_the_planned_type() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE a (i int, b bigint, d decimal(12,2), f float, e enum('q'), t timestamp, p datetime)",
        "INSERT INTO a VALUES (2147483647, 9223372036854775807, 1.50, 0.5, 'q', '2024-01-01', '2024-01-01'), \
         (2147483647, 9223372036854775807, 2.25, 0.25, 'q', '2024-01-02', '2024-01-02')",
    ])
    .await;
    let source = f.source();
    let table = format!("`{}`.a", f.database);
    let text = format!(
        "SELECT sum(i), sum(b), sum(d), count(*), min(f), max(e), max(t), max(p), i = 2, \
         concat(i, 'x'), CAST(d AS DECIMAL(20,4)), NULL, CASE WHEN i > 0 THEN f END FROM {table}"
    );
    use DataType::{Boolean, Decimal128, Float32, Int64, Timestamp, Utf8View};
    let utc = Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let types = [
        Int64,
        Decimal128(38, 0),
        Decimal128(22, 2),
        Int64,
        Float32,
        Utf8View,
        utc,
        Timestamp(TimeUnit::Microsecond, None),
        Boolean,
        Utf8View,
        Decimal128(20, 4),
        Utf8View,
        Float32,
    ];
    let batch = run(&source, computed(&text, &types)).await.unwrap();
    assert_eq!(
        lines(&batch),
        [[
            "4294967294",
            "18446744073709551614",
            "3.75",
            "2",
            "0.25",
            "q",
            "2024-01-02T00:00:00Z",
            "2024-01-02T00:00:00",
            "false",
            "2147483647x",
            "1.5000",
            "NULL",
            "0.5",
        ]]
    );
    // What does not fit is an error, not another number.
    let text = format!("SELECT sum(b) FROM {table}");
    let error = fails(&source, computed(&text, &[Int64])).await;
    assert_eq!(error.sqlstate().code(), "22003");
    assert_eq!(
        error.message(),
        "output column \"c0\" holds \"18446744073709551614\", which does not fit its type"
    );
    let error = fails(
        &source,
        computed(&format!("SELECT d FROM {table}"), &[Int64]),
    )
    .await;
    assert_eq!(error.sqlstate().code(), "22003");
    let error = fails(&source, computed("SELECT 1e0", &[Decimal128(10, 2)])).await;
    assert_eq!(error.sqlstate().code(), "42P16");
}
