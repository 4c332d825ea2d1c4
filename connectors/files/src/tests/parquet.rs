//! Parquet: types, unions of files, drift, partitions.

use super::*;

#[tokio::test]
async fn parquet_types_become_ours() {
    let folder = Folder::new();
    let dictionary: DictionaryArray<Int32Type> = ["red", "blue"].into_iter().collect();
    let points = StructArray::from(vec![(
        Arc::new(Field::new("x", Int32, true)),
        Arc::new(Int32Array::from(vec![Some(1), None])) as ArrayRef,
    )]);
    let lists =
        ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None]);
    folder.parquet(
        "t.parquet",
        vec![
            ("tiny", Arc::new(Int8Array::from(vec![-1, 1])) as ArrayRef),
            ("u8", Arc::new(UInt8Array::from(vec![255, 0])) as ArrayRef),
            (
                "u64",
                Arc::new(UInt64Array::from(vec![u64::MAX, 0])) as ArrayRef,
            ),
            (
                "s",
                Arc::new(StringArray::from(vec![Some("łąka"), None])) as ArrayRef,
            ),
            (
                "l",
                Arc::new(LargeStringArray::from(vec!["a", "b"])) as ArrayRef,
            ),
            ("d", Arc::new(dictionary) as ArrayRef),
            (
                "ns",
                Arc::new(TimestampNanosecondArray::from(vec![1_000, -1_000])) as ArrayRef,
            ),
            (
                "d64",
                Arc::new(Date64Array::from(vec![86_400_000, 0])) as ArrayRef,
            ),
            ("p", Arc::new(points) as ArrayRef),
            ("a", Arc::new(lists) as ArrayRef),
            (
                "b",
                Arc::new(BooleanArray::from(vec![true, false])) as ArrayRef,
            ),
            ("i", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef),
            (
                "f",
                Arc::new(Float64Array::from(vec![f64::NAN, -0.0])) as ArrayRef,
            ),
        ],
    );
    let source = folder.open(&[("path", "t.parquet")]).await;
    let provider = table(&source, "t").await.unwrap();
    use DataType::{Boolean, Date32, Decimal128, Float64, Int16, Int32, Utf8View as Text};
    let list = DataType::List(Arc::new(Field::new_list_field(Int32, true)));
    let expected = [
        Int16,
        Int16,
        Decimal128(20, 0),
        Text,
        Text,
        Text,
        micros(),
        Date32,
        Text,
        list,
        Boolean,
        Int32,
        Float64,
    ];
    assert_eq!(types(&provider), expected);
    let batches = query(Arc::clone(&provider), "SELECT * FROM t")
        .await
        .unwrap();
    assert_eq!(
        batches[0]
            .schema()
            .fields()
            .iter()
            .map(|f| f.data_type().clone())
            .collect::<Vec<_>>(),
        expected
    );
    let cells = lines(&batches);
    assert_eq!(
        cells,
        [
            "-1,255,18446744073709551615,łąka,a,red,1970-01-01T00:00:00.000001,1970-01-02,{\"x\":1},[1, ],true,1,NaN",
            "1,0,0,,b,blue,1969-12-31T23:59:59.999999,1970-01-01,{\"x\":null},,false,2,-0.0",
        ]
    );
    let batches = query(
        provider,
        "SELECT u8 FROM t WHERE ns > TIMESTAMP '1970-01-01' AND d = 'red'",
    )
    .await
    .unwrap();
    assert_eq!(lines(&batches), ["255"]);
}

#[tokio::test]
async fn nanoseconds_are_an_error_or_cut_off_as_told() {
    let folder = Folder::new();
    let times = TimestampNanosecondArray::from(vec![1_000, 1_001]);
    folder.parquet(
        "t.parquet",
        vec![("ts", Arc::new(times) as ArrayRef), ("i", ints([1, 2]))],
    );
    let source = folder.open(&[("path", "t.parquet")]).await;
    let error = all(&source, "t").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "22008");
    assert!(error.message().contains("lake.files.t.ts"), "{error}");
    assert!(error.message().contains("00.000001001"), "{error}");
    let provider = table(&source, "t").await.unwrap();
    assert_eq!(
        lines(&query(provider, "SELECT i FROM t").await.unwrap()),
        ["1", "2"]
    );
    let source = folder
        .open(&[("path", "t.parquet"), ("nanoseconds", "truncate")])
        .await;
    let provider = table(&source, "t").await.unwrap();
    let batches = query(provider, "SELECT DISTINCT ts FROM t").await.unwrap();
    assert_eq!(lines(&batches), ["1970-01-01T00:00:00.000001"]);
}

#[tokio::test]
async fn parquet_files_are_united_by_name_and_must_agree() {
    let folder = Folder::new();
    let int32 = Arc::new(Int32Array::from(vec![1])) as ArrayRef;
    folder.parquet("t/1.parquet", vec![("a", int32), ("b", ints([5]))]);
    folder.parquet(
        "t/2.parquet",
        vec![("b", ints([6])), ("a", ints([1 << 40]))],
    );
    folder.parquet("t/3.parquet", vec![("a", ints([3])), ("c", ints([7]))]);
    let source = folder.open(&[("path", ".")]).await;
    let expected = ["1,5,", "1099511627776,6,", "3,,7"];
    assert_eq!(lines(&all(&source, "t").await.unwrap()), expected);
    folder.parquet(
        "t/4.parquet",
        vec![("a", Arc::new(StringArray::from(vec!["x"])) as ArrayRef)],
    );
    let error = all(&source, "t").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "42804");
    let message = error.message();
    assert!(
        message.contains("1.parquet") && message.contains("4.parquet"),
        "{message}"
    );
}

#[tokio::test]
async fn parquet_files_that_change_are_not_misread() {
    let folder = Folder::new();
    folder.parquet("t/1.parquet", vec![("a", ints([1]))]);
    let source = folder.open(&[("path", ".")]).await;
    let provider = table(&source, "t").await.unwrap();
    folder.parquet("t/2.parquet", vec![("a", ints([2]))]);
    let batches = query(Arc::clone(&provider), "SELECT * FROM t")
        .await
        .unwrap();
    assert_eq!(lines(&batches), ["1", "2"]);
    folder.parquet(
        "t/2.parquet",
        vec![("a", Arc::new(Float64Array::from(vec![2.5])) as ArrayRef)],
    );
    let error = query(Arc::clone(&provider), "SELECT * FROM t")
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate().code(), "42P16", "{error}");
    folder.parquet("t/2.parquet", vec![("z", ints([2, 2, 2]))]);
    let error = query(provider, "SELECT * FROM t").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "42P16", "{error}");
}

#[tokio::test]
async fn a_broken_parquet_file_is_named() {
    let folder = Folder::new();
    folder.write("no.parquet", "this is no parquet file at all");
    folder.write("empty.parquet", "");
    folder.parquet(
        "torn.parquet",
        vec![("a", ints(0..5000)), ("b", ints((0..5000).rev()))],
    );
    let path = folder.path("torn.parquet");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let source = folder.open(&[("path", ".")]).await;
    for name in ["no", "empty", "torn"] {
        let error = all(&source, name).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "XX001", "{error}");
        assert!(
            error.message().contains(&format!("{name}.parquet")),
            "{error}"
        );
    }
    // A footer that is whole over pages that are not.
    let mut spoiled = whole.clone();
    for byte in &mut spoiled[4..whole.len() / 2] {
        *byte = 0xff;
    }
    fs::write(&path, &spoiled).unwrap();
    let error = all(&source, "torn").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "XX001", "{error}");
    assert!(error.message().contains("torn.parquet"), "{error}");
}

#[tokio::test]
async fn hive_partitions_are_typed_and_pruned() {
    let folder = Folder::new();
    for (name, value) in [
        ("readings/day=2024-01-01/site=1/a.parquet", 1),
        ("readings/day=2024-01-02/site=2/a.parquet", 2),
        (
            "readings/day=2024-01-02/site=__HIVE_DEFAULT_PARTITION__/a.parquet",
            3,
        ),
    ] {
        folder.parquet(name, vec![("x", ints([value]))]);
    }
    let source = folder.open(&[("path", ".")]).await;
    let provider = table(&source, "readings").await.unwrap();
    assert_eq!(
        types(&provider),
        [DataType::Int64, DataType::Date32, DataType::Int64]
    );
    assert_eq!(
        lines(
            &query(Arc::clone(&provider), "SELECT * FROM t")
                .await
                .unwrap()
        ),
        ["1,2024-01-01,1", "2,2024-01-02,2", "3,2024-01-02,"]
    );
    let session = session(Arc::clone(&provider));
    let frame = session
        .sql("SELECT x FROM t WHERE day = DATE '2024-01-01'")
        .await
        .unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert!(
        shown.contains("day=2024-01-01") && !shown.contains("day=2024-01-02"),
        "{shown}"
    );
    assert_eq!(
        lines(&collect(plan, session.task_ctx()).await.unwrap()),
        ["1"]
    );

    // The folder itself may be the table, and be read without its partitions.
    let source = folder.open(&[("path", "readings")]).await;
    assert_eq!(tables(&source).await, ["readings"]);
    let source = folder
        .open(&[("path", "."), ("hive_partitions", "false")])
        .await;
    assert_eq!(
        lines(&all(&source, "readings").await.unwrap()),
        ["1", "2", "3"]
    );

    folder.parquet("readings/stray.parquet", vec![("x", ints([4]))]);
    let source = folder.open(&[("path", ".")]).await;
    assert_eq!(
        all(&source, "readings")
            .await
            .unwrap_err()
            .sqlstate()
            .code(),
        "42P16"
    );
}
