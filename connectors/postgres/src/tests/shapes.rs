//! Names, texts and shapes of tables that ask for trouble.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use inflowave_connector_api::{Source, Table};

use super::{live, query, schema, shown, whole};

#[test]
fn hostile_names_and_texts_stay_data() {
    live("hostile", |live| async move {
        let name = "we\"ird '; DROP TABLE t; --\\ $1 łąka";
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        live.sql(&format!(
            "CREATE TABLE {quoted} ({quoted} text); INSERT INTO {quoted} VALUES ('a''b\\'), ('')"
        ))
        .await;
        let names = live.source.tables(&live.schema).await.unwrap();
        assert_eq!(names, [name]);
        let table = live.table(name).await;
        assert_eq!(table.columns[0].field.name(), name);
        let rows = shown(&live.run(whole(&table, "ORDER BY 1")).await.unwrap());
        assert_eq!(rows, [[""], ["a'b\\"]]);
        assert!(live.source.tables(name).await.unwrap().is_empty());
        let missing = Arc::clone(&live.source).table(name, name).await.unwrap();
        assert!(missing.is_none());
        for text in [
            "'",
            "''",
            "\\'",
            "\\\\",
            "\"",
            "`",
            "a\nb",
            "$1",
            "%s",
            "\u{7f}\u{1}",
        ] {
            let schema = schema(&[DataType::Utf8View]);
            let value = ScalarValue::Utf8View(Some(text.into()));
            let rows = live
                .run(query("SELECT $1", schema, vec![value]))
                .await
                .unwrap();
            assert_eq!(shown(&rows), [[text]]);
        }
    });
}

#[test]
fn wide_empty_and_columnless_tables_are_tables() {
    live("shapes", |live| async move {
        let columns: Vec<_> = (0..500).map(|i| format!("c{i} int DEFAULT {i}")).collect();
        live.sql(&format!(
            "CREATE TABLE wide ({}); INSERT INTO wide DEFAULT VALUES;
             CREATE TABLE empty (a int, b text);
             CREATE TABLE none (); INSERT INTO none DEFAULT VALUES; INSERT INTO none DEFAULT VALUES",
            columns.join(", ")
        ))
        .await;
        let wide = live.table("wide").await;
        let rows = shown(&live.run(whole(&wide, "")).await.unwrap());
        assert_eq!((rows.len(), rows[0].len()), (1, 500));
        assert_eq!(rows[0][499], "499");
        let empty = live.table("empty").await;
        assert!(live.run(whole(&empty, "")).await.unwrap().is_empty());
        let none = live.table("none").await;
        assert!(none.columns.is_empty());
        let batches = live.run(whole(&none, "")).await.unwrap();
        assert_eq!(batches.iter().map(|b| b.num_rows()).sum::<usize>(), 2);
        let one: Option<Table> = Arc::clone(&live.source)
            .table(&live.schema, "nothing")
            .await
            .unwrap();
        assert!(one.is_none());
    });
}
