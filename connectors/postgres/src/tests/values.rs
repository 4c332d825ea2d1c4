//! Values of every type, with their edges.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit, i256};
use datafusion_common::ScalarValue;
use inflowave_connector_api::{RemoteSource, Source};
use inflowave_types::PgType;

use super::{context, live, open, query, remote, schema, shown, whole};
use futures::TryStreamExt;

const US: TimeUnit = TimeUnit::Microsecond;

fn list(element: DataType) -> DataType {
    DataType::new_list(element, true)
}

/// SQL type, value as a literal, our type, its metadata, the value as Arrow prints it.
fn every_type() -> Vec<(
    &'static str,
    &'static str,
    DataType,
    &'static str,
    &'static str,
)> {
    use DataType as D;
    let text = || D::Utf8View;
    vec![
        ("boolean", "true", D::Boolean, "", "true"),
        ("smallint", "-32768", D::Int16, "", "-32768"),
        ("integer", "2147483647", D::Int32, "", "2147483647"),
        (
            "bigint",
            "-9223372036854775808",
            D::Int64,
            "",
            "-9223372036854775808",
        ),
        ("oid", "4294967295", D::Int64, "oid", "4294967295"),
        ("real", "1.5e-42", D::Float32, "", "1.5e-42"),
        ("double precision", "-0.0", D::Float64, "", "-0.0"),
        ("double precision", "NaN", D::Float64, "", "NaN"),
        ("double precision", "-Infinity", D::Float64, "", "-inf"),
        (
            "numeric(15,2)",
            "-9999999999999.99",
            D::Decimal128(15, 2),
            "",
            "-9999999999999.99",
        ),
        (
            "numeric(38,38)",
            "0.00000000000000000000000000000000000001",
            D::Decimal128(38, 38),
            "",
            "0.00000000000000000000000000000000000001",
        ),
        (
            "numeric(38,15)",
            "99999999999999999999999.999999999999999",
            D::Decimal128(38, 15),
            "",
            "99999999999999999999999.999999999999999",
        ),
        (
            "numeric(76,6)",
            "1234567890123456789012345678901234567890123456789012345678901234567890.123456",
            D::Decimal256(76, 6),
            "",
            "1234567890123456789012345678901234567890123456789012345678901234567890.123456",
        ),
        ("numeric(3,-2)", "12345", D::Decimal128(5, 0), "", "12300"),
        (
            "numeric(3,5)",
            "0.00123",
            D::Decimal128(5, 5),
            "",
            "0.00123",
        ),
        (
            "numeric",
            "-1234567890123456789012.1234567890123456",
            D::Decimal128(38, 16),
            "",
            "-1234567890123456789012.1234567890123456",
        ),
        (
            "text",
            "łąka ' \" \\ -- 😀",
            text(),
            "",
            "łąka ' \" \\ -- 😀",
        ),
        ("varchar(25)", " a  ", text(), "varchar(25)", " a  "),
        ("varchar", "", text(), "varchar", ""),
        ("char(5)", "ab", text(), "bpchar(5)", "ab"),
        ("bpchar", "ab  ", text(), "bpchar", "ab"),
        ("name", "n", text(), "name", "n"),
        ("\"char\"", "x", text(), "", "x"),
        ("bytea", "\\x00ff27", D::BinaryView, "", "00ff27"),
        ("date", "0001-01-01", D::Date32, "", "0001-01-01"),
        ("date", "9999-12-31", D::Date32, "", "9999-12-31"),
        (
            "time",
            "23:59:59.999999",
            D::Time64(US),
            "",
            "23:59:59.999999",
        ),
        ("timetz", "12:00:00.5+05:30", text(), "", "12:00:00.5+05:30"),
        (
            "timestamp",
            "9999-12-31 23:59:59.999999",
            D::Timestamp(US, None),
            "",
            "9999-12-31T23:59:59.999999",
        ),
        (
            "timestamptz",
            "2024-03-31 02:30:00 Europe/Warsaw",
            D::Timestamp(US, Some("UTC".into())),
            "",
            "2024-03-31T01:30:00Z",
        ),
        (
            "interval",
            "-1 year 3 days -00:00:01.5",
            D::Interval(IntervalUnit::MonthDayNano),
            "",
            "-12 mons 3 days -1.500000000 secs",
        ),
        (
            "uuid",
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            text(),
            "uuid",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ),
        (
            "json",
            "{\"b\" : 1,\"a\":null}",
            text(),
            "json",
            "{\"b\" : 1,\"a\":null}",
        ),
        (
            "jsonb",
            "{\"b\" : 1,\"a\":null}",
            text(),
            "jsonb",
            "{\"a\": null, \"b\": 1}",
        ),
        ("mood", "very 'sad'", text(), "", "very 'sad'"),
        ("email", "a@b", text(), "varchar(10)", "a@b"),
        ("citext", "MiXed", text(), "citext", "MiXed"),
        ("inet", "10.0.0.1", text(), "inet", "10.0.0.1"),
        (
            "inet",
            "::ffff:10.1.2.3/100",
            text(),
            "inet",
            "::ffff:10.1.2.3/100",
        ),
        ("cidr", "2001:db8::/32", text(), "", "2001:db8::/32"),
        (
            "macaddr",
            "08:00:2B:01:02:03",
            text(),
            "",
            "08:00:2b:01:02:03",
        ),
        (
            "macaddr8",
            "08:00:2b:01:02:03:04:05",
            text(),
            "",
            "08:00:2b:01:02:03:04:05",
        ),
        ("money", "-12.34", text(), "", "-$12.34"),
        ("xml", "<a>ł</a>", text(), "", "<a>ł</a>"),
        ("bit(10)", "1010000011", text(), "", "1010000011"),
        ("varbit", "1", text(), "", "1"),
        ("int4range", "[1,5]", text(), "", "[1,6)"),
        (
            "int4multirange",
            "{[1,2),[5,6)}",
            text(),
            "",
            "{[1,2),[5,6)}",
        ),
        ("point", "(1,2.5)", text(), "", "(1,2.5)"),
        ("tsvector", "a fat cat", text(), "", "'a' 'cat' 'fat'"),
        ("pair", "(1,\"x y\")", text(), "", "(1,\"x y\")"),
        ("int2vector", "1 2", text(), "", "1 2"),
        ("aclitem", "=r/postgres", text(), "", "=r/postgres"),
        (
            "integer[]",
            "{1,NULL,-3}",
            list(D::Int32),
            "",
            "[1, NULL, -3]",
        ),
        (
            "text[]",
            "{a,\"\",NULL,\"x,y\"}",
            list(text()),
            "",
            "[a, , NULL, x,y]",
        ),
        (
            "numeric(10,2)[]",
            "{1.5,-2}",
            list(D::Decimal128(10, 2)),
            "",
            "[1.50, -2.00]",
        ),
        (
            "date[]",
            "{2024-02-29}",
            list(D::Date32),
            "",
            "[2024-02-29]",
        ),
        ("mood[]", "{ok}", list(text()), "", "[ok]"),
        ("positive[]", "{1,2}", list(D::Int32), "", "[1, 2]"),
        ("char(3)[]", "{a}", list(text()), "", "[a]"),
        ("money[]", "{1,2.5}", list(text()), "", "[$1.00, $2.50]"),
        ("int4range[]", "{\"[1,2)\"}", list(text()), "", "[[1,2)]"),
        ("integer[]", "{}", list(D::Int32), "", "[]"),
    ]
}

const TYPES: &str = "CREATE TYPE mood AS ENUM ('ok', 'very ''sad''');
    CREATE DOMAIN short AS varchar(10);
    CREATE DOMAIN email AS short CHECK (VALUE LIKE '%@%');
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
    CREATE TYPE pair AS (a int, b text);
    CREATE EXTENSION IF NOT EXISTS citext SCHEMA public";

#[test]
fn every_type_is_mapped_and_read() {
    live("types", |live| async move {
        live.sql(TYPES).await;
        let all = every_type();
        let columns: Vec<String> = all
            .iter()
            .enumerate()
            .map(|(i, t)| format!("c{i} {}", t.0))
            .collect();
        let values: Vec<String> = all
            .iter()
            .map(|t| format!("'{}'", t.1.replace('\'', "''")))
            .collect();
        live.sql(&format!(
            "CREATE TABLE t (row int, {});
             INSERT INTO t VALUES (1, {});
             INSERT INTO t (row) VALUES (2)",
            columns.join(", "),
            values.join(", ")
        ))
        .await;
        let table = live.table("t").await;
        let rows = shown(&live.run(whole(&table, "ORDER BY row")).await.unwrap());
        assert_eq!(rows.len(), 2);
        for (i, (sql, value, data_type, metadata, text)) in all.iter().enumerate() {
            let field = &table.columns[i + 1].field;
            assert_eq!(field.data_type(), data_type, "{sql}");
            let told = field.metadata().get(PgType::KEY).map_or("", String::as_str);
            assert_eq!(told, *metadata, "{sql}");
            assert_eq!(rows[0][i + 1], *text, "{sql} {value}");
            assert_eq!(rows[1][i + 1], "NULL", "{sql}");
        }
    });
}

#[test]
fn a_value_that_does_not_fit_is_named() {
    live("flaws", |live| async move {
        for (sql, value, code, message) in [
            (
                "numeric",
                "NaN",
                "22003",
                "value NaN of crm.S.t.v does not fit numeric(38,16)",
            ),
            (
                "numeric",
                "0.12345678901234567",
                "22003",
                "value 0.12345678901234567 of crm.S.t.v does not fit numeric(38,16)",
            ),
            (
                "numeric(5,2)",
                "NaN",
                "22003",
                "value NaN of crm.S.t.v does not fit numeric(5,2)",
            ),
            (
                "numeric(80,0)",
                "1e79",
                "22003",
                "value 10000000000000000000000000000000000000000000000000000000000000000000000000000000 of crm.S.t.v does not fit numeric(38,16)",
            ),
            (
                "date",
                "infinity",
                "22008",
                "value infinity of crm.S.t.v is not a date that can be represented",
            ),
            (
                "timestamptz",
                "-infinity",
                "22008",
                "value -infinity of crm.S.t.v is not a timestamp that can be represented",
            ),
            (
                "time",
                "24:00",
                "22008",
                "value 24:00:00 of crm.S.t.v is beyond the last time of a day that can be represented",
            ),
            (
                "interval",
                "2562048 hours",
                "22015",
                "value of 9223372800000000 microseconds of crm.S.t.v is out of range for an interval of nanoseconds",
            ),
            (
                "int[]",
                "{{1,2},{3,4}}",
                "0A000",
                "value of 2 x 2 elements of crm.S.t.v is an array of 2 dimensions; only one can be read",
            ),
            (
                "int[]",
                "[0:1]={1,2}",
                "0A000",
                "value of 2 elements of crm.S.t.v is an array that starts at index 0, not at 1",
            ),
            (
                "numeric[]",
                "{1,NaN}",
                "22003",
                "value NaN of crm.S.t.v does not fit numeric(38,16)",
            ),
        ] {
            live.sql(&format!(
                "CREATE TABLE t (v {sql}); INSERT INTO t VALUES (NULL), ('{value}')"
            ))
            .await;
            let table = live.table("t").await;
            let error = live.run(whole(&table, "")).await.unwrap_err();
            assert_eq!(error.sqlstate().code(), code, "{sql} {value}: {error}");
            assert_eq!(
                error.message(),
                message.replace(".S.", &format!(".{}.", live.schema))
            );
            live.sql("DROP TABLE t").await;
        }
        live.source.ping().await.unwrap();
    });
}

#[test]
fn numerics_can_be_read_as_text() {
    live("numeric_text", |live| async move {
        live.sql("CREATE TABLE t (v numeric, w numeric(5,2), a numeric[]);
                  INSERT INTO t VALUES ('NaN', 1, '{Infinity,1e-20}'), (1e40, 2, NULL), (-0.0010, 3, '{}')")
            .await;
        let source = open(&live.url, &[("numeric", "text")]).unwrap();
        let table = remote(&source, &live.schema, "t").await;
        assert_eq!(table.columns[0].field.data_type(), &DataType::Utf8View);
        assert_eq!(
            table.columns[1].field.data_type(),
            &DataType::Decimal128(5, 2)
        );
        let stream = source.execute(whole(&table, ""), context()).await.unwrap();
        let rows = shown(&stream.try_collect::<Vec<_>>().await.unwrap());
        assert_eq!(
            rows,
            [
                ["NaN", "1.00", "[Infinity, 0.00000000000000000001]"],
                ["10000000000000000000000000000000000000000", "2.00", "NULL"],
                ["-0.0010", "3.00", "[]"],
            ]
        );
    });
}

#[test]
fn parameters_of_every_type_come_back_equal() {
    live("params", |live| async move {
        use ScalarValue as S;
        let texts = S::List(S::new_list_nullable(
            &[S::Utf8View(Some("a'b\\".into())), S::Utf8View(None)],
            &DataType::Utf8View,
        ));
        let values = vec![
            S::Boolean(Some(false)),
            S::Int16(Some(i16::MIN)),
            S::Int32(Some(i32::MAX)),
            S::Int64(Some(i64::MIN)),
            S::Float32(Some(f32::MIN_POSITIVE)),
            S::Float64(Some(-0.0)),
            S::Decimal128(Some(-1_234_567), 15, 3),
            S::Decimal256(Some(i256::MAX.wrapping_div(i256::from_i128(100))), 76, 5),
            S::Utf8View(Some("it's \\' OR 1=1 -- \"`😀".into())),
            S::BinaryView(Some(vec![0, 255, 39])),
            S::Date32(Some(-719_162)),
            S::TimestampMicrosecond(Some(253_402_300_799_999_999), None),
            S::TimestampMicrosecond(Some(0), Some("UTC".into())),
            S::Time64Microsecond(Some(86_399_999_999)),
            S::new_interval_mdn(-1, 2, -3000),
            S::Int64(None),
            S::Utf8View(None),
            texts,
        ];
        let types: Vec<_> = values.iter().map(S::data_type).collect();
        let list: Vec<_> = (1..=values.len()).map(|i| format!("${i}")).collect();
        let text = format!("SELECT {}", list.join(", "));
        let batches = live
            .run(query(&text, schema(&types), values.clone()))
            .await
            .unwrap();
        for (i, value) in values.iter().enumerate() {
            let got = S::try_from_array(batches[0].column(i), 0).unwrap();
            assert_eq!(&got, value);
        }
    });
}

/// The server's own output functions are the oracle: `format('%s', v)` is what it prints.
#[test]
fn random_values_are_read_as_the_server_prints_them() {
    live("random", |live| async move {
        let digits = "(random() * 1e9)::int8::text || lpad((random() * 1e9)::int8::text, 10, '0')";
        let text = DataType::Utf8View;
        for (sql, value, data_type) in [
            (
                "numeric(38,16)",
                format!("({digits})::numeric * 10 ^ (random() * 33 - 30)::int * sign(random() - 0.5)"),
                DataType::Decimal128(38, 16),
            ),
            (
                "numeric(76,33)",
                format!("({digits} || {digits})::numeric * 10::numeric ^ (random() * 36 - 34)::int"),
                DataType::Decimal256(76, 33),
            ),
            (
                "uuid",
                "md5(random()::text)::uuid".to_owned(),
                text.clone(),
            ),
            (
                "inet",
                "(SELECT string_agg(CASE WHEN random() < 0.6 THEN '0' ELSE to_hex((random() * 65535)::int) END, ':')
                  FROM generate_series(1, 8) WHERE x > 0)::inet"
                    .to_owned(),
                text.clone(),
            ),
            (
                "timetz",
                "('00:00'::time + random() * interval '24 hours')::text::timetz
                  AT TIME ZONE make_interval(mins => (random() * 1800 - 900)::int)"
                    .to_owned(),
                text.clone(),
            ),
            (
                "varbit",
                "(random() * 2e9)::int::bit(31)::varbit".to_owned(),
                text.clone(),
            ),
            (
                "date",
                "'0001-01-01'::date + (random() * 3652058)::int".to_owned(),
                DataType::Date32,
            ),
        ] {
            live.sql(&format!(
                "CREATE TABLE t AS SELECT v, format('%s', v) AS printed
                 FROM (SELECT ({value})::{sql} AS v FROM generate_series(1, 500) x) q"
            ))
            .await;
            let table = live.table("t").await;
            assert_eq!(table.columns[0].field.data_type(), &data_type);
            let rows = shown(&live.run(whole(&table, "")).await.unwrap());
            assert_eq!(rows.len(), 500);
            for row in rows {
                assert_eq!(row[0], row[1], "{sql}");
            }
            live.sql("DROP TABLE t").await;
        }
    });
}
