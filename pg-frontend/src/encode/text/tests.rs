//! Every form against the text that PostgreSQL 15 gives for the same value.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;

use super::datetime::year_start;
use super::*;

/// All rows, NULL as `<null>`.
fn texts(array: impl Array + 'static) -> Vec<String> {
    texts_in(Arc::new(array), &TextFormat::default())
}

fn texts_in(array: ArrayRef, format: &TextFormat) -> Vec<String> {
    let column = TextColumn::new(&array, format).unwrap();
    (0..array.len())
        .map(|row| {
            let mut out = BytesMut::new();
            match column.text(row, &mut out) {
                true => String::from_utf8(out.to_vec()).unwrap(),
                false => "<null>".to_owned(),
            }
        })
        .collect()
}

fn micros(year: i64, day: i64, seconds: i64) -> i64 {
    ((year_start(year) + day) * 86_400 + seconds) * 1_000_000
}

#[test]
fn whole_numbers_and_booleans() {
    assert_eq!(
        texts(Int64Array::from(vec![
            Some(i64::MIN),
            Some(i64::MAX),
            Some(0),
            None
        ])),
        ["-9223372036854775808", "9223372036854775807", "0", "<null>"]
    );
    assert_eq!(texts(Int8Array::from(vec![i8::MIN, 7])), ["-128", "7"]);
    assert_eq!(texts(Int16Array::from(vec![i16::MIN])), ["-32768"]);
    assert_eq!(texts(Int32Array::from(vec![i32::MIN])), ["-2147483648"]);
    assert_eq!(texts(UInt8Array::from(vec![255])), ["255"]);
    assert_eq!(texts(UInt16Array::from(vec![65_535])), ["65535"]);
    assert_eq!(texts(UInt32Array::from(vec![u32::MAX])), ["4294967295"]);
    assert_eq!(
        texts(UInt64Array::from(vec![u64::MAX])),
        ["18446744073709551615"]
    );
    assert_eq!(
        texts(BooleanArray::from(vec![Some(true), Some(false), None])),
        ["t", "f", "<null>"]
    );
}

#[test]
fn numerics_keep_all_digits_of_their_scale() {
    let scaled = |values: Vec<Option<i128>>, p, s| {
        let array = Decimal128Array::from(values).with_precision_and_scale(p, s);
        texts(array.unwrap())
    };
    assert_eq!(
        scaled(
            vec![Some(150), Some(-5), Some(0), Some(-12_345), None],
            12,
            2
        ),
        ["1.50", "-0.05", "0.00", "-123.45", "<null>"]
    );
    let nines = 10i128.pow(38) - 1;
    let text = "9".repeat(38);
    assert_eq!(
        scaled(vec![Some(nines), Some(-nines)], 38, 0),
        [text.clone(), format!("-{text}")]
    );
    assert_eq!(
        scaled(vec![Some(-nines), Some(1)], 38, 38),
        [format!("-0.{text}"), format!("0.{}1", "0".repeat(37)),]
    );
    assert_eq!(
        scaled(vec![Some(nines)], 38, 16),
        [format!("{}.{}", &text[..22], &text[..16])]
    );
    assert_eq!(
        scaled(
            vec![
                Some(10_000_000_000_000_000_000),
                Some(9_999_999_999_999_999_999)
            ],
            38,
            4
        ),
        ["1000000000000000.0000", "999999999999999.9999"]
    );
    assert_eq!(scaled(vec![Some(12), Some(0)], 5, -2), ["1200", "0"]);

    let big = i256::from_string(&"9".repeat(76)).unwrap();
    let array = Decimal256Array::from(vec![
        Some(big),
        Some(-big),
        Some(i256::from_i128(-15)),
        None,
    ])
    .with_precision_and_scale(76, 38)
    .unwrap();
    let text = format!("{0}.{0}", "9".repeat(38));
    assert_eq!(
        texts(array),
        [
            text.clone(),
            format!("-{text}"),
            format!("-0.{}15", "0".repeat(36)),
            "<null>".to_owned(),
        ]
    );
    let small = Decimal32Array::from(vec![-105])
        .with_precision_and_scale(9, 1)
        .unwrap();
    assert_eq!(texts(small), ["-10.5"]);
    let middle = Decimal64Array::from(vec![105])
        .with_precision_and_scale(18, 3)
        .unwrap();
    assert_eq!(texts(middle), ["0.105"]);
}

/// The expected texts are those of `SELECT x::float8` in PostgreSQL 15.
#[test]
fn floats_are_the_shortest_that_read_back() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (1e14, "100000000000000"),
        (123_456_789_012_345.0, "123456789012345"),
        (1e15, "1e+15"),
        (1_234_567_890_123_456.0, "1.234567890123456e+15"),
        (1e20, "1e+20"),
        (1.5e300, "1.5e+300"),
        (1e23, "9.999999999999999e+22"),
        (9_007_199_254_740_993.0, "9.007199254740992e+15"),
        (1_035_562_477_191_129.0 / 8.0, "129445309648891.12"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-0.000_012_34, "-1.234e-05"),
        (0.001_234_5, "0.0012345"),
        (12.75, "12.75"),
        (100.25, "100.25"),
        (1.0 / 3.0, "0.3333333333333333"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (5e-324, "5e-324"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        assert_eq!(texts(Float64Array::from(vec![value])), [text]);
    }
    for (value, text) in [
        (0.1_f32, "0.1"),
        (1e5, "100000"),
        (999_999.0, "999999"),
        (1e6, "1e+06"),
        (1_234_567.0, "1.234567e+06"),
        (16_777_216.0, "1.6777216e+07"),
        (3_293_361.0 / 8.0, "411670.12"),
        (1e20, "1e+20"),
        (0.000_01, "1e-05"),
        (f32::MAX, "3.4028235e+38"),
        (1e-45, "1e-45"),
        (-0.0, "-0"),
        (f32::NAN, "NaN"),
    ] {
        assert_eq!(texts(Float32Array::from(vec![value])), [text]);
    }
    assert_eq!(texts(Float64Array::from(vec![None])), ["<null>"]);
}

#[test]
fn every_float_reads_back() {
    let mut bits: u64 = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..20_000 {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        let value = f64::from_bits(bits);
        if value.is_finite() {
            let text = texts(Float64Array::from(vec![value])).remove(0);
            assert_eq!(text.parse(), Ok(value));
        }
        let value = f32::from_bits(bits as u32);
        if value.is_finite() {
            let text = texts(Float32Array::from(vec![value])).remove(0);
            assert_eq!(text.parse(), Ok(value));
        }
    }
}

#[test]
fn text_stays_and_bytes_become_hexadecimal() {
    let words = vec![
        Some("łąka"),
        Some(""),
        None,
        Some("a\\'\"\nlong enough for a view buffer"),
    ];
    let expected = [
        "łąka",
        "",
        "<null>",
        "a\\'\"\nlong enough for a view buffer",
    ];
    assert_eq!(texts(StringArray::from(words.clone())), expected);
    assert_eq!(texts(LargeStringArray::from(words.clone())), expected);
    assert_eq!(texts(StringViewArray::from(words)), expected);

    let bytes: Vec<Option<&[u8]>> = vec![Some(b"\x00\xffA"), Some(b""), None];
    let expected = ["\\x00ff41", "\\x", "<null>"];
    assert_eq!(texts(BinaryArray::from(bytes.clone())), expected);
    assert_eq!(texts(LargeBinaryArray::from(bytes.clone())), expected);
    assert_eq!(texts(BinaryViewArray::from(bytes)), expected);
    let fixed = [Some([1, 0xab]), None].into_iter();
    let fixed = FixedSizeBinaryArray::try_from_sparse_iter_with_size(fixed, 2).unwrap();
    assert_eq!(texts(fixed), ["\\x01ab", "<null>"]);
}

#[test]
fn dates_of_all_eras() {
    let day = |year, day| Some((year_start(year) + day) as i32);
    let days = vec![
        day(1, 0),
        day(0, 365),
        day(-43, 73),
        day(9999, 364),
        day(10_000, 0),
        day(1970, 0),
        day(2024, 59),
        Some(i32::MAX),
        Some(i32::MIN),
        None,
    ];
    assert_eq!(
        texts(Date32Array::from(days)),
        [
            "0001-01-01",
            "0001-12-31 BC",
            "0044-03-15 BC",
            "9999-12-31",
            "10000-01-01",
            "1970-01-01",
            "2024-02-29",
            "infinity",
            "-infinity",
            "<null>",
        ]
    );
    assert_eq!(
        texts(Date64Array::from(vec![-1, 86_400_000])),
        ["1969-12-31", "1970-01-02"]
    );
}

#[test]
fn every_day_is_a_day_of_the_calendar() {
    let first = year_start(-400) as i32;
    let dates = texts(Date32Array::from((first..first + 1000).collect::<Vec<_>>()));
    assert_eq!(dates[0], "0401-01-01 BC");
    assert_eq!(dates[59], "0401-02-29 BC");
    assert_eq!(dates[366], "0400-01-01 BC");
}

#[test]
fn timestamps_and_times() {
    let stamps = vec![
        Some(micros(1, 0, 0)),
        Some(micros(9999, 364, 86_399) + 999_999),
        Some(micros(0, 365, 3600)),
        Some(-1),
        Some(1_500_000),
        Some(i64::MAX),
        Some(i64::MIN),
        None,
    ];
    assert_eq!(
        texts(TimestampMicrosecondArray::from(stamps)),
        [
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59.999999",
            "0001-12-31 01:00:00 BC",
            "1969-12-31 23:59:59.999999",
            "1970-01-01 00:00:01.5",
            "infinity",
            "-infinity",
            "<null>",
        ]
    );
    assert_eq!(
        texts(TimestampSecondArray::from(vec![-1])),
        ["1969-12-31 23:59:59"]
    );
    assert_eq!(
        texts(TimestampMillisecondArray::from(vec![10])),
        ["1970-01-01 00:00:00.01"]
    );
    assert_eq!(
        texts(TimestampNanosecondArray::from(vec![1])),
        ["1970-01-01 00:00:00.000000001"]
    );

    let times = vec![Some(0), Some(86_400_000_000), Some(14_706_789_000), None];
    assert_eq!(
        texts(Time64MicrosecondArray::from(times)),
        ["00:00:00", "24:00:00", "04:05:06.789", "<null>"]
    );
    assert_eq!(
        texts(Time64NanosecondArray::from(vec![1_000])),
        ["00:00:00.000001"]
    );
    assert_eq!(texts(Time32SecondArray::from(vec![61])), ["00:01:01"]);
    assert_eq!(
        texts(Time32MillisecondArray::from(vec![1])),
        ["00:00:00.001"]
    );
}

#[test]
fn moments_are_shown_in_the_zone_of_the_session() {
    let shown = |zone: &str, values: Vec<Option<i64>>| {
        let array = TimestampMicrosecondArray::from(values).with_timezone("UTC");
        let settings = [("TimeZone".to_owned(), zone.to_owned())];
        texts_in(Arc::new(array), &TextFormat::of_settings(&settings))
    };
    let summer = micros(2024, 182, 43_200) + 500_000;
    assert_eq!(
        shown("UTC", vec![Some(summer), None]),
        ["2024-07-01 12:00:00.5+00", "<null>"]
    );
    assert_eq!(
        shown("Europe/Warsaw", vec![Some(summer)]),
        ["2024-07-01 14:00:00.5+02"]
    );
    assert_eq!(
        shown("Asia/Kolkata", vec![Some(summer)]),
        ["2024-07-01 17:30:00.5+05:30"]
    );
    assert_eq!(
        shown("-03:30", vec![Some(summer)]),
        ["2024-07-01 08:30:00.5-03:30"]
    );
    // The hour that comes twice: one o'clock in UTC is already the second.
    let night = micros(2024, 300, 0);
    assert_eq!(
        shown(
            "Europe/Warsaw",
            vec![Some(night), Some(night + 3_600_000_000)]
        ),
        ["2024-10-27 02:00:00+02", "2024-10-27 02:00:00+01"]
    );
    // Local mean time, before zones were agreed on.
    assert_eq!(
        shown("America/New_York", vec![Some(micros(1, 0, 0))]),
        ["0001-12-31 19:03:58-04:56:02 BC"]
    );
    assert_eq!(
        shown(
            "Europe/Warsaw",
            vec![Some(micros(9999, 181, 0)), Some(i64::MAX)]
        ),
        ["9999-07-01 02:00:00+02", "infinity",]
    );
    assert_eq!(shown("no/zone", vec![Some(0)]), ["1970-01-01 00:00:00+00"]);
}

#[test]
fn intervals_say_each_part_with_its_sign() {
    let shown = |months, days, micros: i64| {
        let value = IntervalMonthDayNano::new(months, days, micros * 1000);
        texts(IntervalMonthDayNanoArray::from(vec![value])).remove(0)
    };
    assert_eq!(
        shown(14, 3, 14_706_789_000),
        "1 year 2 mons 3 days 04:05:06.789"
    );
    assert_eq!(shown(0, 0, 0), "00:00:00");
    assert_eq!(shown(12, 0, 0), "1 year");
    assert_eq!(
        shown(-14, 3, -1),
        "-1 years -2 mons +3 days -00:00:00.000001"
    );
    assert_eq!(shown(0, -1, 7_380_000_000), "-1 days +02:03:00");
    assert_eq!(shown(1, 1, 0), "1 mon 1 day");
    assert_eq!(shown(0, 0, -360_000_000_000), "-100:00:00");
    assert_eq!(
        shown(i32::MIN, i32::MIN, i64::MIN / 1000),
        "-178956970 years -8 mons \
        -2147483648 days -2562047:47:16.854775"
    );
    assert_eq!(
        texts(IntervalMonthDayNanoArray::new_null(2)),
        ["<null>", "<null>"]
    );
    assert_eq!(
        texts(IntervalYearMonthArray::from(vec![Some(-25), None])),
        ["-2 years -1 mons", "<null>",]
    );
    let day_time = vec![Some(IntervalDayTime::new(2, -1)), None];
    assert_eq!(
        texts(IntervalDayTimeArray::from(day_time)),
        ["2 days -00:00:00.001", "<null>"]
    );
    let spans = vec![
        Some(90_061_500_000),
        Some(-1),
        Some(0),
        Some(i64::MIN),
        None,
    ];
    assert_eq!(
        texts(DurationMicrosecondArray::from(spans)),
        [
            "1 day 01:01:01.5",
            "-00:00:00.000001",
            "00:00:00",
            "-106751991 days -04:00:54.775808",
            "<null>",
        ]
    );
    assert_eq!(texts(DurationSecondArray::from(vec![86_400])), ["1 day"]);
    assert_eq!(
        texts(DurationMillisecondArray::from(vec![1])),
        ["00:00:00.001"]
    );
    assert_eq!(
        texts(DurationNanosecondArray::from(vec![1_000])),
        ["00:00:00.000001"]
    );
}

#[test]
fn arrays_quote_what_would_read_back_otherwise() {
    let words = StringViewArray::from(vec![
        Some("a b"),
        None,
        Some("null"),
        Some(""),
        Some("x"),
        Some("q\"\\"),
        Some("{,}"),
        Some("nul"),
    ]);
    let item = Arc::new(Field::new_list_field(DataType::Utf8View, true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, 4, 8, 8, 8]));
    let nulls = Some(vec![true, true, true, false].into());
    let list = ListArray::new(item, offsets, Arc::new(words), nulls);
    let expected = [
        r#"{"a b",NULL,"null",""}"#,
        r#"{x,"q\"\\","{,}",nul}"#,
        "{}",
        "<null>",
    ];
    assert_eq!(texts(list.clone()), expected);
    assert_eq!(texts(list.slice(1, 3)), expected[1..]);

    let outer = Arc::new(Field::new_list_field(list.data_type().clone(), true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0_i64, 2, 3]));
    let nested = LargeListArray::new(outer, offsets, Arc::new(list), None);
    assert_eq!(
        texts(nested),
        [r#"{{"a b",NULL,"null",""},{x,"q\"\\","{,}",nul}}"#, "{{}}",]
    );

    let bytes = FixedSizeListArray::new(
        Arc::new(Field::new_list_field(DataType::Binary, true)),
        2,
        Arc::new(BinaryArray::from(vec![
            b"\x01".as_slice(),
            b"",
            b"\x02",
            b"\x03",
        ])),
        None,
    );
    assert_eq!(
        texts(bytes.clone()),
        [r#"{"\\x01","\\x"}"#, r#"{"\\x02","\\x03"}"#]
    );
    assert_eq!(texts(bytes.slice(1, 1)), [r#"{"\\x02","\\x03"}"#]);

    let times = TimestampMicrosecondArray::from(vec![Some(0), None]);
    let item = Arc::new(Field::new_list_field(times.data_type().clone(), true));
    let views = ListViewArray::new(
        item,
        ScalarBuffer::from(vec![1, 0]),
        ScalarBuffer::from(vec![1, 2]),
        Arc::new(times),
        None,
    );
    assert_eq!(texts(views), ["{NULL}", r#"{"1970-01-01 00:00:00",NULL}"#]);
}

#[test]
fn records_double_what_they_quote() {
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let words: ArrayRef = Arc::new(StringArray::from(vec![Some("a \"b\\"), Some("")]));
    let fields = vec![
        (Arc::new(Field::new("n", DataType::Int32, true)), numbers),
        (Arc::new(Field::new("s", DataType::Utf8, true)), words),
    ];
    let record = StructArray::from(fields);
    assert_eq!(texts(record.clone()), [r#"(1,"a ""b\\")"#, r#"(,"")"#]);
    assert_eq!(texts(record.slice(1, 1)), [r#"(,"")"#]);

    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(7);
    map.append(true).unwrap();
    map.append(false).unwrap();
    assert_eq!(texts(map.finish()), [r#"{"(k,7)"}"#, "<null>"]);
}

#[test]
fn shared_values_are_those_of_their_rows() {
    let coded: DictionaryArray<Int8Type> = vec![Some("b"), None, Some("a"), Some("b")]
        .into_iter()
        .collect();
    assert_eq!(texts(coded.clone()), ["b", "<null>", "a", "b"]);
    assert_eq!(texts(coded.slice(1, 2)), ["<null>", "a"]);
    let nothing: DictionaryArray<Int32Type> = vec![None::<&str>, None].into_iter().collect();
    assert_eq!(texts(nothing), ["<null>", "<null>"]);

    let ends = Int32Array::from(vec![2, 3, 6]);
    let values = Int64Array::from(vec![Some(7), None, Some(9)]);
    let runs = RunArray::<Int32Type>::try_new(&ends, &values).unwrap();
    assert_eq!(texts(runs.clone()), ["7", "7", "<null>", "9", "9", "9"]);
    assert_eq!(texts(runs.slice(1, 3)), ["7", "<null>", "9"]);
    assert_eq!(texts(runs.slice(6, 0)), [""; 0]);
}

#[test]
fn null_of_every_type_is_null() {
    let item = || Arc::new(Field::new_list_field(DataType::Int32, true));
    for data_type in [
        DataType::Null,
        DataType::Boolean,
        DataType::Float16,
        DataType::Float32,
        DataType::Decimal128(38, 16),
        DataType::Decimal256(76, 0),
        DataType::Utf8View,
        DataType::BinaryView,
        DataType::Date32,
        DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Interval(IntervalUnit::DayTime),
        DataType::Duration(TimeUnit::Microsecond),
        DataType::List(item()),
        DataType::FixedSizeList(item(), 3),
        DataType::Struct(vec![Field::new("a", DataType::Int32, true)].into()),
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    ] {
        let array = new_null_array(&data_type, 1);
        let mut out = BytesMut::new();
        TextColumn::new(&array, &TextFormat::default())
            .unwrap()
            .append(0, &mut out);
        assert_eq!(&out[..], [0xff; 4], "{data_type}");
    }
}

#[test]
fn one_cell_for_a_printer() {
    let array: ArrayRef = Arc::new(Int32Array::from(vec![Some(5), None]));
    let mut out = String::from("x=");
    assert_eq!(cell(&array, 0, &TextFormat::default(), &mut out), Ok(true));
    assert_eq!(cell(&array, 1, &TextFormat::default(), &mut out), Ok(false));
    assert_eq!(out, "x=5");
}
