//! Every form against the bytes that PostgreSQL 15 gives for the same value.

use std::sync::Arc;

use arrow::array::*;
use arrow::compute::cast;
use arrow::datatypes::*;

use super::*;

/// The first row, without its length; `None` for NULL.
fn sent(array: &ArrayRef, field: &Field) -> Result<Option<Vec<u8>>> {
    let mut out = BytesMut::new();
    BinaryColumn::new(array, field)?.append(0, &mut out)?;
    let len = i32::from_be_bytes([out[0], out[1], out[2], out[3]]);
    assert_eq!(usize::try_from(len).unwrap_or(0), out.len() - 4);
    Ok((len >= 0).then(|| out[4..].to_vec()))
}

fn plain(array: ArrayRef) -> Result<Vec<u8>> {
    let field = Field::new("c", array.data_type().clone(), true);
    sent(&array, &field).map(|bytes| bytes.expect("not NULL"))
}

fn refused(array: ArrayRef) -> String {
    let error = plain(array).unwrap_err();
    assert_eq!(error.sqlstate().code(), "0A000");
    assert!(error.hint().unwrap().contains("text format"));
    error.message().to_owned()
}

#[test]
fn both_forms_are_those_of_postgresql() {
    let vectors = vectors::all();
    assert!(vectors.len() >= 420, "{}", vectors.len());
    for vector in &vectors {
        let name = &vector.name;
        let mut text = BytesMut::new();
        let column = TextColumn::new(&vector.array, &vector.format).unwrap();
        let present = column.text(0, &mut text);
        let text = present.then(|| String::from_utf8(text.to_vec()).unwrap());
        assert_eq!(text, vector.text, "{name}");
        let binary = sent(&vector.array, &vector.field).unwrap();
        assert_eq!(binary, vector.binary, "{name}");
    }
}

#[test]
fn shared_values_are_written_as_those_of_their_rows() {
    for vector in vectors::all() {
        let (array, field) = (&vector.array, &vector.field);
        let keys = Int8Array::from(vec![0]);
        let coded: ArrayRef =
            Arc::new(DictionaryArray::<Int8Type>::try_new(keys, array.clone()).unwrap());
        let coded_field = field.clone().with_data_type(coded.data_type().clone());
        assert_eq!(
            sent(&coded, &coded_field).unwrap(),
            vector.binary,
            "{}",
            vector.name
        );

        let ends = Int32Array::from(vec![1]);
        let runs: ArrayRef = Arc::new(RunArray::<Int32Type>::try_new(&ends, array).unwrap());
        let runs_field = field.clone().with_data_type(runs.data_type().clone());
        assert_eq!(
            sent(&runs, &runs_field).unwrap(),
            vector.binary,
            "{}",
            vector.name
        );
    }
}

#[test]
fn every_width_of_a_type_has_the_same_form() {
    let mut widths = 0;
    for vector in vectors::all() {
        for other in others(vector.array.data_type()) {
            // What does not fit the other width is not asked for.
            let options = arrow::compute::CastOptions {
                safe: false,
                ..Default::default()
            };
            let Ok(array) = arrow::compute::cast_with_options(&vector.array, &other, &options)
            else {
                continue;
            };
            if cast(&array, vector.array.data_type()).unwrap().to_data() != vector.array.to_data() {
                continue;
            }
            let field = vector.field.clone().with_data_type(other.clone());
            let bytes = sent(&array, &field).unwrap();
            assert_eq!(bytes, vector.binary, "{} as {other}", vector.name);
            widths += 1;
        }
    }
    assert!(widths > 300, "{widths}");
}

/// Arrow types that share a PostgreSQL type with `t`.
fn others(t: &DataType) -> Vec<DataType> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    let list = |make: fn(FieldRef) -> DataType, item: &FieldRef| make(Arc::clone(item));
    match t {
        DataType::Int16 => vec![DataType::Int8, DataType::UInt8],
        DataType::Int32 => vec![DataType::UInt16],
        DataType::Int64 => vec![DataType::UInt32],
        DataType::Float32 => vec![DataType::Float16],
        &DataType::Decimal128(p, s) => {
            let mut others = vec![DataType::Decimal256(p, s), DataType::Decimal256(76, s)];
            if p <= 18 {
                others.push(DataType::Decimal64(p, s));
            }
            if p <= 9 {
                others.push(DataType::Decimal32(p, s));
            }
            if s == 0 {
                others.push(DataType::UInt64);
            }
            others
        }
        DataType::Utf8 => vec![DataType::LargeUtf8, DataType::Utf8View],
        DataType::Binary => vec![DataType::LargeBinary, DataType::BinaryView],
        DataType::Date32 => vec![DataType::Date64],
        DataType::Time64(_) => vec![
            DataType::Time32(Second),
            DataType::Time32(Millisecond),
            DataType::Time64(Nanosecond),
        ],
        DataType::Timestamp(Microsecond, zone) => [Second, Millisecond, Nanosecond]
            .map(|unit| DataType::Timestamp(unit, zone.clone()))
            .to_vec(),
        DataType::List(item) => vec![
            list(DataType::LargeList, item),
            list(DataType::ListView, item),
            list(DataType::LargeListView, item),
        ],
        _ => vec![],
    }
}

#[test]
fn spans_are_days_and_microseconds() {
    // As PostgreSQL's interval '1 day 01:01:01.5' and '-00:00:00.000001'.
    let day = b"\0\0\0\0\xda\x3e\x0e\x60\0\0\0\x01\0\0\0\0";
    let micros = DurationMicrosecondArray::from(vec![90_061_500_000]);
    assert_eq!(plain(Arc::new(micros)), Ok(day.to_vec()));
    let millis = DurationMillisecondArray::from(vec![90_061_500]);
    assert_eq!(plain(Arc::new(millis)), Ok(day.to_vec()));
    let nanos = DurationNanosecondArray::from(vec![90_061_500_000_000]);
    assert_eq!(plain(Arc::new(nanos)), Ok(day.to_vec()));
    let seconds = DurationSecondArray::from(vec![86_400]);
    let one_day = b"\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0";
    assert_eq!(plain(Arc::new(seconds)), Ok(one_day.to_vec()));
    let less = DurationMicrosecondArray::from(vec![-1]);
    let less_sent = b"\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0";
    assert_eq!(plain(Arc::new(less)), Ok(less_sent.to_vec()));

    let months = IntervalYearMonthArray::from(vec![-25]);
    let months_sent = b"\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xe7";
    assert_eq!(plain(Arc::new(months)), Ok(months_sent.to_vec()));
    let mixed = IntervalDayTimeArray::from(vec![IntervalDayTime::new(2, -1)]);
    let mixed_sent = b"\xff\xff\xff\xff\xff\xff\xfc\x18\0\0\0\x02\0\0\0\0";
    assert_eq!(plain(Arc::new(mixed)), Ok(mixed_sent.to_vec()));
}

#[test]
fn what_has_no_exact_form_is_refused() {
    let value = |why: &str| format!("column \"c\" has a value without a binary form: {why}");
    let fine = value("a time finer than microseconds");
    assert_eq!(
        refused(Arc::new(TimestampNanosecondArray::from(vec![1]))),
        fine
    );
    assert_eq!(
        refused(Arc::new(Time64NanosecondArray::from(vec![1]))),
        fine
    );
    assert_eq!(
        refused(Arc::new(DurationNanosecondArray::from(vec![1]))),
        fine
    );
    let interval = IntervalMonthDayNano::new(0, 0, 1);
    let intervals = IntervalMonthDayNanoArray::from(vec![interval]);
    assert_eq!(refused(Arc::new(intervals)), fine);
    let far = value("a time beyond PostgreSQL's range");
    let seconds = TimestampSecondArray::from(vec![i64::MAX - 1]);
    assert_eq!(refused(Arc::new(seconds)), far);
    let early = TimestampMicrosecondArray::from(vec![i64::MIN + 1]);
    assert_eq!(refused(Arc::new(early)), far);
    assert_eq!(
        refused(Arc::new(Date32Array::from(vec![i32::MIN + 1]))),
        far
    );
    let long = DurationSecondArray::from(vec![i64::MAX]);
    assert_eq!(
        refused(Arc::new(long)),
        value("a span beyond PostgreSQL's range")
    );

    for (pg_type, text, why) in [
        ("uuid", "a0ee", "a text that is no uuid"),
        (
            "uuid",
            "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a text that is no uuid",
        ),
        ("inet", "10.0.0.1/33", "a text that is no address"),
        ("inet", "home", "a text that is no address"),
    ] {
        let array: ArrayRef = Arc::new(StringArray::from(vec![text]));
        let metadata = [("pg_type".to_owned(), pg_type.to_owned())].into();
        let field = Field::new("c", DataType::Utf8, true).with_metadata(metadata);
        let error = sent(&array, &field).unwrap_err();
        assert_eq!(error.message(), value(why));
    }
}

#[test]
fn a_type_without_a_binary_form_is_refused_before_the_first_row() {
    let array: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let metadata = [("pg_type".to_owned(), "uuid".to_owned())].into();
    let field = Field::new("id", DataType::Float64, true).with_metadata(metadata);
    let error = BinaryColumn::new(&array, &field).err().unwrap();
    assert_eq!(error.sqlstate().code(), "0A000");
    assert_eq!(
        error.message(),
        "column \"id\" has the type Float64, which has no binary form"
    );
}

#[test]
fn fixed_sizes_are_written_as_variable_ones() {
    let fixed = FixedSizeBinaryArray::try_from_iter([[1, 0xab]].into_iter()).unwrap();
    assert_eq!(plain(Arc::new(fixed)), Ok(vec![1, 0xab]));
    let item = Arc::new(Field::new_list_field(DataType::Int16, true));
    let values = Int16Array::from(vec![Some(7), None]);
    let list = FixedSizeListArray::new(item, 2, Arc::new(values), None);
    let sent = b"\0\0\0\x01\0\0\0\x01\0\0\0\x15\0\0\0\x02\0\0\0\x01\
        \0\0\0\x02\0\x07\xff\xff\xff\xff";
    assert_eq!(plain(Arc::new(list)), Ok(sent.to_vec()));
}

#[test]
fn a_null_of_every_type_is_only_a_length() {
    let item = || Arc::new(Field::new_list_field(DataType::Int32, true));
    for data_type in [
        DataType::Null,
        DataType::Float16,
        DataType::UInt64,
        DataType::Decimal256(76, 0),
        DataType::Interval(IntervalUnit::DayTime),
        DataType::Interval(IntervalUnit::YearMonth),
        DataType::Duration(TimeUnit::Microsecond),
        DataType::FixedSizeList(item(), 3),
        DataType::FixedSizeBinary(3),
        DataType::Struct(vec![Field::new("a", DataType::Int32, true)].into()),
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    ] {
        let array = new_null_array(&data_type, 1);
        let field = Field::new("c", data_type, true);
        assert_eq!(sent(&array, &field), Ok(None), "{field}");
    }
}
