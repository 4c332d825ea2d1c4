//! The extended protocol as a driver speaks it: tokio-postgres, all in binary.

use std::time::{Duration, SystemTime};

use arrow::datatypes::DataType;
use futures::TryStreamExt;
use tokio_postgres::types::Type;

use super::client::{Server, reaches};
use super::fake::PAD;

#[tokio::test]
async fn rows_come_in_binary() {
    let server = Server::start().await;
    let client = server.driver().await;
    let rows = client.query("rows 2 2", &[]).await.unwrap();
    let numbers: Vec<Option<i64>> = rows.iter().map(|row| row.get("n")).collect();
    assert_eq!(numbers, [Some(0), Some(1), None, Some(3)]);
    assert_eq!(rows[0].get::<_, &str>(1).len(), PAD);
    assert_eq!(client.execute("rows 2 2", &[]).await.unwrap(), 4);
    let error = client.query("fail 1 1", &[]).await.unwrap_err();
    assert_eq!(error.code().map(|c| c.code()), Some("22012"));
    assert!(client.query("rows 1 1", &[]).await.is_ok());
}

#[tokio::test]
async fn parameters_of_many_types_come_back_as_they_went() {
    let server = Server::start().await;
    let client = server.driver().await;
    let types = [
        Type::BOOL,
        Type::INT2,
        Type::INT4,
        Type::INT8,
        Type::FLOAT4,
        Type::FLOAT8,
        Type::TEXT,
        Type::VARCHAR,
        Type::BYTEA,
        Type::TIMESTAMP,
        Type::TIMESTAMPTZ,
        Type::INT4_ARRAY,
        Type::TEXT_ARRAY,
        Type::OID,
    ];
    let columns = (1..=types.len()).map(|n| format!("${n}"));
    let sql = format!("echo {}", columns.collect::<Vec<_>>().join(" "));
    let statement = client.prepare_typed(&sql, &types).await.unwrap();
    assert_eq!(statement.params(), types);
    let described: Vec<_> = statement
        .columns()
        .iter()
        .map(|c| c.type_().clone())
        .collect();
    assert_eq!(described, types);

    let moment = SystemTime::UNIX_EPOCH + Duration::from_micros(1_709_210_096_500_001);
    let bytes = vec![0u8, 255];
    let (numbers, words) = (vec![Some(1), None, Some(-3)], vec!["ż", ""]);
    let row = client
        .query_one(
            &statement,
            &[
                &true,
                &-7i16,
                &i32::MIN,
                &i64::MAX,
                &1.5f32,
                &f64::NAN,
                &"łąka",
                &"v",
                &bytes,
                &moment,
                &moment,
                &numbers,
                &words,
                &u32::MAX,
            ],
        )
        .await
        .unwrap();
    assert!(row.get::<_, bool>(0));
    assert_eq!(row.get::<_, i16>(1), -7);
    assert_eq!(row.get::<_, i32>(2), i32::MIN);
    assert_eq!(row.get::<_, i64>(3), i64::MAX);
    assert_eq!(row.get::<_, f32>(4), 1.5);
    assert!(row.get::<_, f64>(5).is_nan());
    assert_eq!(row.get::<_, &str>(6), "łąka");
    assert_eq!(row.get::<_, &str>(7), "v");
    assert_eq!(row.get::<_, Vec<u8>>(8), bytes);
    assert_eq!(row.get::<_, SystemTime>(9), moment);
    assert_eq!(row.get::<_, SystemTime>(10), moment);
    assert_eq!(row.get::<_, Vec<Option<i32>>>(11), numbers);
    assert_eq!(row.get::<_, Vec<&str>>(12), words);
    assert_eq!(row.get::<_, u32>(13), u32::MAX);

    let parameters = server.fake.parameters.lock().unwrap().clone().unwrap();
    assert_eq!(parameters.values.num_rows(), 1);
    for (declared, column) in parameters.declared.iter().zip(parameters.values.columns()) {
        assert_eq!(declared.data_type(), column.data_type());
    }
}

#[tokio::test]
async fn the_statement_tells_types_that_the_client_leaves_open() {
    let server = Server::start().await;
    let client = server.driver().await;
    let statement = client.prepare("echo $1:23 $2").await.unwrap();
    assert_eq!(statement.params(), [Type::INT4, Type::TEXT]);
    let none: Option<&str> = None;
    let row = client.query_one(&statement, &[&5i32, &none]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (5i32, none));
    let parameters = server.fake.parameters.lock().unwrap().clone().unwrap();
    assert_eq!(parameters.values.column(0).data_type(), &DataType::Int32);
    assert_eq!(parameters.values.column(1).data_type(), &DataType::Utf8View);
    assert_eq!(parameters.values.column(1).null_count(), 1);
}

#[tokio::test]
async fn a_transaction_reads_a_portal_in_parts() {
    let server = Server::start().await;
    let mut client = server.driver().await;
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("rows 3 2", &[]).await.unwrap();
    let mut numbers: Vec<Option<i64>> = Vec::new();
    for expected in [4, 2, 0] {
        let rows = transaction.query_portal(&portal, 4).await.unwrap();
        assert_eq!(rows.len(), expected);
        numbers.extend(rows.iter().map(|row| row.get::<_, Option<i64>>(0)));
    }
    assert_eq!(numbers, [Some(0), Some(1), None, Some(3), Some(4), None]);
    let other = transaction.bind("rows 3 2", &[]).await.unwrap();
    transaction.query_portal(&other, 1).await.unwrap();
    transaction.commit().await.unwrap();
    // Both, the BEGIN and the COMMIT.
    reaches(&server.fake.dropped, 4).await;
}

#[tokio::test]
async fn a_large_result_streams_and_an_abandoned_one_lets_go() {
    let server = Server::start().await;
    let client = server.driver().await;
    let none: [&str; 0] = [];
    let rows = client.query_raw("rows 300 100", none).await.unwrap();
    let counted = rows.try_fold(0, |n, _| async move { Ok(n + 1) }).await;
    assert_eq!(counted.unwrap(), 30_000);
    let statements = (0..50).map(|_| client.query_one("rows 1 1", &[]));
    let pipelined = futures::future::try_join_all(statements).await.unwrap();
    assert_eq!(pipelined.len(), 50);
}

#[tokio::test]
async fn a_cancel_reaches_a_portal_that_runs() {
    let server = Server::start().await;
    let client = server.driver().await;
    let cancel = client.cancel_token();
    let running = tokio::spawn(async move { client.query("wait", &[]).await.map(|_| ()) });
    reaches(&server.fake.started, 1).await;
    cancel.cancel_query(tokio_postgres::NoTls).await.unwrap();
    let mut cancelled = server.fake.cancelled.subscribe();
    assert!(cancelled.wait_for(Option::is_some).await.is_ok());
    // What the engine makes of it is the engine's; the connection still waits for its portal.
    server.shutdown.cancel();
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.code().map(|c| c.code()), Some("57P01"));
}
