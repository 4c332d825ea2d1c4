//! Batches, rows without columns, tables that change between plan and run.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use inflowave_connector_api::{RemoteSource, ScanContext};
use std::sync::Arc;

use super::{Fixture, computed, context, fails, lines, run, select};

#[tokio::test(flavor = "multi_thread")]
async fn batches_have_the_asked_size() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE t (a int primary key)",
        "INSERT INTO t VALUES (1), (2), (3), (4), (5), (6), (7)",
    ])
    .await;
    let source = f.source();
    let table = f.table(&source, "t").await;
    let scan = ScanContext {
        batch_rows: 3,
        ..context()
    };
    let query = Arc::new(select(&table, "ORDER BY 1"));
    let batches: Vec<RecordBatch> = source
        .execute(Arc::clone(&query), scan)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let sizes: Vec<_> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [3, 3, 1]);
    assert!(batches.iter().all(|b| b.schema() == query.schema));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_rows_end_a_batch_early() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE t (a longtext)",
        "INSERT INTO t VALUES (repeat('x', 5000000)), (repeat('y', 5000000)), (repeat('z', 5000000))",
    ])
    .await;
    let source = f.source();
    let table = f.table(&source, "t").await;
    let stream = source
        .execute(Arc::new(select(&table, "")), context())
        .await
        .unwrap();
    let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
    let sizes: Vec<_> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [2, 1]);
    // One row of more than the 16 MiB of a packet.
    let wide = format!("SELECT a, a, a, a, a FROM `{}`.t LIMIT 1", f.database);
    let types = vec![DataType::Utf8View; 5];
    let batch = run(&source, computed(&wide, &types)).await.unwrap();
    assert_eq!(batch.num_rows(), 1);
    let texts = batch
        .columns()
        .iter()
        .map(|c| c.as_string_view().value(0).len());
    assert_eq!(texts.collect::<Vec<_>>(), [5_000_000; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_columns_are_counted() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE t (a int)",
        "INSERT INTO t VALUES (1), (NULL), (3)",
    ])
    .await;
    let source = f.source();
    let text = format!("SELECT 1 FROM `{}`.t", f.database);
    let stream = source
        .execute(Arc::new(computed(&text, &[])), context())
        .await
        .unwrap();
    let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
    assert_eq!(batches[0].num_columns(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_between_plan_and_run_is_an_error() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE t (a int NOT NULL, b varchar(5))",
        "INSERT INTO t VALUES (1, 'x')",
    ])
    .await;
    let source = f.source();
    let planned = select(&f.table(&source, "t").await, "");
    assert_eq!(
        lines(&run(&source, planned.clone()).await.unwrap()),
        [["1", "x"]]
    );
    let text_column = "ALTER TABLE t MODIFY a varchar(9) NOT NULL";
    let nullable = "ALTER TABLE t MODIFY a int NULL";
    let with_null = "INSERT INTO t VALUES (NULL, 'y')";
    let renamed = "ALTER TABLE t RENAME COLUMN b TO c";
    let dropped = "DROP TABLE t";
    for (change, message) in [
        (
            &[text_column][..],
            "was planned as Int32, but the source sends text",
        ),
        (
            &[nullable, with_null],
            "holds NULL, but was planned as NOT NULL",
        ),
        (&[renamed], "a table or column of the statement is gone"),
        (&[dropped], "a table or column of the statement is gone"),
    ] {
        f.run(change).await;
        let error = fails(&source, planned.clone()).await;
        assert_eq!(error.sqlstate().code(), "42P16", "{error:?}");
        assert!(error.message().contains(message), "{error:?}");
        assert!(error.hint().is_some());
    }
    // The sessions that met the errors are still good.
    let query = computed("SELECT 1", &[DataType::Int64]);
    assert_eq!(lines(&run(&source, query).await.unwrap()), [["1"]]);
}
