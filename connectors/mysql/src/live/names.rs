//! Names and texts that try to be SQL; wide and empty tables; what the catalog lists.

use std::sync::Arc;

use datafusion_common::ScalarValue;
use inflowave_connector_api::Source;
use mysql_async::prelude::Queryable;

use super::{Fixture, lines, quoted, run, select};

const HOSTILE: &[&str] = &[
    "a'b",
    "a''b",
    r"\' OR 1=1 -- ",
    r"\\",
    "\\",
    "\"",
    "`",
    "a`;DROP TABLE x;--",
    "/* :a */",
    r"\:a */ ` ' :b",
    "?",
    ":name",
    "łąka 😀",
    "a # b",
    "-- ",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_come_back_equal() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&["CREATE TABLE h (k int primary key, v varchar(99) COLLATE utf8mb4_bin)"])
        .await;
    for (k, text) in HOSTILE.iter().enumerate() {
        f.admin
            .exec_drop("INSERT INTO h VALUES (?, ?)", (k, *text))
            .await
            .unwrap();
    }
    let source = f.source();
    let table = f.table(&source, "h").await;
    for (k, text) in HOSTILE.iter().enumerate() {
        let expected = vec![vec![k.to_string(), (*text).to_owned()]];
        let mut query = select(&table, "WHERE v = ?");
        query.params = vec![ScalarValue::from(*text)];
        let bound = run(&source, query).await.unwrap();
        assert_eq!(lines(&bound), expected, "bound: {text}");
        let literal = format!("WHERE v = '{}'", text.replace('\'', "''"));
        let inline = run(&source, select(&table, &literal)).await.unwrap();
        assert_eq!(lines(&inline), expected, "literal: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_names() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    let source = f.source();
    for (i, name) in HOSTILE.iter().enumerate() {
        // The server keeps no name that ends in a space, and no character beyond U+FFFF in one.
        let name = name.trim_end().replace('😀', "");
        let name = name.trim_end();
        let table = format!("t{i} {name}");
        f.run(&[
            &format!(
                "CREATE TABLE {} ({} int, `b` int)",
                quoted(&table),
                quoted(name)
            ),
            &format!("INSERT INTO {} VALUES ({i}, 1)", quoted(&table)),
        ])
        .await;
        let found = f.table(&source, &table).await;
        assert_eq!(found.columns[0].field.name(), name);
        let mut query = select(&found, "WHERE `b` = ?");
        query.params = vec![ScalarValue::Int64(Some(1))];
        let batch = run(&source, query).await.unwrap();
        assert_eq!(lines(&batch), [[i.to_string(), "1".to_owned()]], "{name}");
    }
    let listed = source.tables(&f.database).await.unwrap();
    assert_eq!(listed.len(), HOSTILE.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_columns_and_no_rows() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    let columns: Vec<_> = (0..500).map(|i| format!("c{i} int")).collect();
    f.run(&[
        &format!("CREATE TABLE wide ({})", columns.join(", ")),
        "INSERT INTO wide (c0, c499) VALUES (1, 2)",
        "CREATE TABLE empty (a int)",
    ])
    .await;
    let source = f.source();
    let rows = f.read(&source, "wide").await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].len(), &*rows[0][0], &*rows[0][499]),
        (500, "1", "2")
    );
    assert_eq!(
        f.read(&source, "empty").await.unwrap(),
        Vec::<Vec<String>>::new()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_lists_what_is_there() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE Mixed (A int NOT NULL, `select` varchar(3))",
        "INSERT INTO Mixed VALUES (1, 'x'), (2, 'y')",
        "ANALYZE TABLE Mixed",
        "CREATE TABLE gone (a int)",
        "CREATE VIEW v AS SELECT A FROM Mixed",
        "CREATE VIEW broken AS SELECT a FROM gone",
        "DROP TABLE gone",
    ])
    .await;
    let source = f.source();
    assert_eq!(source.default_schema(), f.database);
    let schemas = source.schemas().await.unwrap();
    assert!(schemas.contains(&f.database));
    assert!(
        !schemas
            .iter()
            .any(|s| s == "mysql" || s == "information_schema" || s == "sys")
    );
    let kept: Option<u8> = f
        .admin
        .query_first("SELECT @@lower_case_table_names")
        .await
        .unwrap();
    let mixed = if kept == Some(1) { "mixed" } else { "Mixed" };
    let mut listed = source.tables(&f.database).await.unwrap();
    listed.sort();
    assert_eq!(listed, [mixed, "broken", "v"]);
    assert_eq!(
        source.tables("no such").await.unwrap(),
        Vec::<String>::new()
    );

    let table = f.table(&source, mixed).await;
    assert_eq!(table.statistics.rows, Some(2));
    assert!(table.statistics.bytes.is_some());
    assert!(!table.columns[0].field.is_nullable());
    assert_eq!(table.columns[1].field.name(), "select");
    let other_case = Arc::clone(&source)
        .table(&f.database, "MIXED")
        .await
        .unwrap();
    assert!(other_case.is_none());
    assert_eq!(f.read(&source, "v").await.unwrap(), [["1"], ["2"]]);
    let error = Arc::clone(&source)
        .table(&f.database, "broken")
        .await
        .unwrap_err();
    assert!(error.message().contains("broken"), "{error:?}");
    assert!(error.hint().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_the_first_is_the_default() {
    let Some(f) = Fixture::new().await else {
        return;
    };
    let source = super::open(&[("url", &f.url)]).unwrap();
    assert_eq!(source.default_schema(), "");
    let schemas = source.schemas().await.unwrap();
    assert_eq!(source.default_schema(), schemas[0]);
}
