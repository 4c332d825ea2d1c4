//! Values as PostgreSQL 15 sends them, read back; and what is no value.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;

use super::*;
use crate::encode::binary::{BinaryColumn, vectors};
use crate::encode::{TextColumn, TextFormat};
use crate::oid::WireType;

fn binary_value(oid: u32, bytes: &[u8]) -> Result<ArrayRef> {
    let declared = oid::parameter(oid, 1).unwrap().unwrap();
    parameter(1, oid, &declared, Format::Binary, Some(bytes))
}

fn text(array: &ArrayRef) -> Option<String> {
    text_in(array, &TextFormat::default())
}

fn text_in(array: &ArrayRef, format: &TextFormat) -> Option<String> {
    let mut out = bytes::BytesMut::new();
    let column = TextColumn::new(array, format).unwrap();
    let present = column.text(0, &mut out);
    present.then(|| String::from_utf8(out.to_vec()).unwrap())
}

fn wrong(oid: u32, bytes: &[u8]) -> (String, String) {
    let error = binary_value(oid, bytes).unwrap_err();
    (
        error.sqlstate().code().to_owned(),
        error.message().to_owned(),
    )
}

fn error(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

#[test]
fn what_postgresql_sends_is_read_back_and_sent_again() {
    let mut read = 0;
    for vector in vectors::all() {
        let oid = WireType::of(&vector.field).unwrap().oid;
        // Arrays of several dimensions are no parameters, nor are records and "char".
        let several =
            matches!(vector.array.data_type(), DataType::List(item) if item.data_type().is_list());
        let Ok(Some(declared)) = oid::parameter(oid, 1) else {
            assert!([2249, 2287, 18, 1002].contains(&oid), "{oid}");
            continue;
        };
        if several {
            continue;
        }
        let bytes = vector.binary.as_deref();
        let array = parameter(1, oid, &declared, Format::Binary, bytes).unwrap();
        let name = &vector.name;
        assert_eq!(text_in(&array, &vector.format), vector.text, "{name}");
        if !declared.data_type().is_decimal() {
            let list_of_decimals = matches!(declared.data_type(), DataType::List(item) if item.data_type().is_decimal());
            assert!(
                list_of_decimals || array.data_type() == declared.data_type(),
                "{name}"
            );
        }
        let column = BinaryColumn::new(&array, &declared).unwrap();
        let mut out = bytes::BytesMut::new();
        column.append(0, &mut out).unwrap();
        assert_eq!(out[4..], *bytes.unwrap_or_default(), "{name}");
        read += 1;
    }
    assert!(read > 420, "{read}");
}

#[test]
fn a_text_stays_a_text_unless_its_type_is_one() {
    let int4 = oid::parameter(23, 1).unwrap().unwrap();
    let array = parameter(1, 23, &int4, Format::Text, Some(b" 42")).unwrap();
    assert_eq!(array.as_string::<i32>().value(0), " 42");
    let view = Field::new("$1", DataType::Utf8View, true);
    let array = parameter(1, 25, &view, Format::Text, Some("ż".as_bytes())).unwrap();
    assert_eq!(array.as_string_view().value(0), "ż");
    let array = parameter(1, 23, &int4, Format::Text, None).unwrap();
    assert_eq!(
        (array.data_type(), array.null_count()),
        (&DataType::Int32, 1)
    );
    let error = parameter(1, 25, &view, Format::Text, Some(b"a\xff")).unwrap_err();
    assert_eq!(error.sqlstate().code(), "22021");
    let error = parameter(1, 25, &view, Format::Binary, Some(b"a\0")).unwrap_err();
    assert_eq!(error.sqlstate().code(), "22021");
}

#[test]
fn a_value_takes_the_arrow_type_that_was_declared() {
    let declared = |t| Field::new("$1", t, true);
    let small = declared(DataType::Int8);
    let array = parameter(1, 21, &small, Format::Binary, Some(&[0, 7])).unwrap();
    assert_eq!(array.data_type(), &DataType::Int8);
    let error = parameter(1, 21, &small, Format::Binary, Some(&[1, 0])).unwrap_err();
    assert_eq!(error.sqlstate().code(), "22003");
    assert_eq!(error.message(), "value of parameter $1 is out of range");
    let list = declared(DataType::List(Arc::new(Field::new(
        "item",
        DataType::Utf8View,
        true,
    ))));
    let bytes = b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x01\0\0\0\x01\0\0\0\x01a";
    let array = parameter(1, 1009, &list, Format::Binary, Some(bytes)).unwrap();
    assert_eq!(array.data_type(), list.data_type());
}

#[test]
fn a_numeric_keeps_its_scale_and_takes_the_width_that_it_needs() {
    // 1.50, with two digits after the point; 12345678.9 cut to none.
    let short = binary_value(1700, b"\0\x02\0\0\0\0\0\x02\0\x01\x13\x88").unwrap();
    assert_eq!(short.data_type(), &DataType::Decimal128(38, 2));
    assert_eq!(text(&short).unwrap(), "1.50");
    let cut = b"\0\x03\0\x01\0\0\0\0\x04\xd2\x16\x2e\x23\x28";
    let cut = binary_value(1700, cut).unwrap();
    assert_eq!(text(&cut).unwrap(), "12345678");
    let big = binary_value(1700, b"\0\x01\0\x09\0\0\0\x05\0\x01").unwrap();
    assert_eq!(big.data_type(), &DataType::Decimal256(76, 5));
    assert_eq!(text(&big).unwrap(), format!("1{}.00000", "0".repeat(36)));
    // An array has one scale.
    let array = b"\0\0\0\x01\0\0\0\0\0\0\x06\xa4\0\0\0\x02\0\0\0\x01\
        \0\0\0\x0a\0\x01\0\0\0\0\0\0\0\x07\0\0\0\x0c\0\x02\0\0\0\0\0\x02\0\x01\x13\x88";
    assert_eq!(
        text(&binary_value(1231, array).unwrap()).unwrap(),
        "{7.00,1.50}"
    );
}

/// The messages are those of PostgreSQL 15, but for what Arrow cannot hold.
#[test]
fn what_is_no_numeric_is_refused() {
    let invalid = |what: &str| {
        error(
            "22P03",
            &format!("invalid {what} in external \"numeric\" value"),
        )
    };
    assert_eq!(
        wrong(1700, b"\0\x01\0\0\x12\x34\0\0\0\x01"),
        invalid("sign")
    );
    assert_eq!(wrong(1700, b"\0\x01\0\0\0\0\x40\0\0\x01"), invalid("scale"));
    assert_eq!(wrong(1700, b"\0\x01\0\0\0\0\0\0\x27\x10"), invalid("digit"));
    assert_eq!(wrong(1700, b"\xff\xff\0\0\0\0\0\0"), invalid("length"));
    for (special, sign) in [
        ("NaN", b'\xc0'),
        ("Infinity", b'\xd0'),
        ("-Infinity", b'\xf0'),
    ] {
        let message = format!("the value {special} of a numeric parameter is not supported");
        let sent = [0, 0, 0, 0, sign, 0, 0, 0];
        assert_eq!(wrong(1700, &sent), error("0A000", &message));
    }
    let overflow = error("22003", "value overflows numeric format");
    assert_eq!(wrong(1700, b"\0\x01\0\x13\0\0\0\0\0\x01"), overflow);
    assert_eq!(wrong(1700, b"\0\x01\x7f\xff\0\0\0\0\0\x01"), overflow);
    assert_eq!(wrong(1700, b"\0\x01\0\0\0\0\0\x4d\0\x01"), overflow);
}

#[test]
fn a_value_that_ends_early_or_late_is_refused() {
    let short = error("08P01", "insufficient data left in message");
    let long = error("22P03", "incorrect binary data format in bind parameter 1");
    for (oid, len) in [
        (16, 1),
        (20, 8),
        (21, 2),
        (23, 4),
        (26, 4),
        (700, 4),
        (701, 8),
        (1082, 4),
        (1083, 8),
        (1114, 8),
        (1184, 8),
        (1186, 16),
        (2950, 16),
    ] {
        assert_eq!(wrong(oid, &vec![0; len - 1]), short, "{oid}");
        assert_eq!(wrong(oid, &vec![0; len + 1]), long, "{oid}");
    }
    assert_eq!(wrong(1700, b"\0\x01\0\0\0\0\0\0"), short);
    assert_eq!(wrong(3802, b""), short);
    assert_eq!(
        wrong(3802, b"\x02{}"),
        error("22P03", "unsupported jsonb version number 2")
    );
}

#[test]
fn times_beyond_their_range_are_refused() {
    let far = |what: &str| error("22008", &format!("{what} out of range"));
    assert_eq!(wrong(1082, &(i32::MAX - 1).to_be_bytes()), far("date"));
    assert_eq!(wrong(1083, &86_400_000_001_i64.to_be_bytes()), far("time"));
    assert_eq!(wrong(1083, &(-1_i64).to_be_bytes()), far("time"));
    assert_eq!(wrong(1114, &(i64::MAX - 1).to_be_bytes()), far("timestamp"));
    // 294276-12-31, which PostgreSQL has and Arrow has not.
    assert_eq!(
        wrong(1184, &9_223_371_331_199_999_999_i64.to_be_bytes()),
        far("timestamp")
    );
    let long = [&i64::MAX.to_be_bytes()[..], &[0; 8]].concat();
    assert_eq!(wrong(1186, &long), far("interval"));
}

#[test]
fn what_is_no_address_is_refused() {
    let invalid = |what: &str| {
        error(
            "22P03",
            &format!("invalid {what} in external \"inet\" value"),
        )
    };
    assert_eq!(
        wrong(869, b"\x04\x20\0\x04\x0a\0\0\x01"),
        invalid("address family")
    );
    assert_eq!(wrong(869, b"\x02\x21\0\x04\x0a\0\0\x01"), invalid("bits"));
    assert_eq!(wrong(869, b"\x02\x20\0\x05\x0a\0\0\x01"), invalid("length"));
    let network = binary_value(650, b"\x02\x08\x01\x04\x0a\0\0\0").unwrap();
    assert_eq!(text(&network).unwrap(), "10.0.0.0/8");
    let network = binary_value(650, b"\x02\0\x01\x04\0\0\0\0").unwrap();
    assert_eq!(text(&network).unwrap(), "0.0.0.0/0");
    let host = wrong(650, b"\x02\x08\x01\x04\x0a\0\0\x01");
    assert_eq!(host, error("22P03", "invalid external \"cidr\" value"));
}

#[test]
fn what_is_no_array_of_its_type_is_refused() {
    let array = |dimensions: i32, flags: i32, element: u32, rest: &[i32]| {
        let mut bytes = [dimensions, flags].map(i32::to_be_bytes).concat();
        bytes.extend(element.to_be_bytes());
        bytes.extend(rest.iter().flat_map(|n| n.to_be_bytes()));
        wrong(1007, &bytes)
    };
    assert_eq!(
        array(-1, 0, 23, &[]),
        error("22P03", "invalid number of dimensions: -1")
    );
    assert_eq!(
        array(7, 0, 23, &[]),
        error(
            "54000",
            "number of array dimensions (7) exceeds the maximum allowed (6)"
        )
    );
    assert_eq!(
        array(1, 2, 23, &[1, 1]),
        error("22P03", "invalid array flags")
    );
    assert_eq!(
        array(1, 0, 25, &[1, 1]),
        error(
            "42804",
            "binary data has array element type 25 (text) instead of expected 23 (integer)"
        )
    );
    assert_eq!(array(2, 0, 23, &[1, 1, 1, 1, 4, 7]).0, "0A000");
    assert_eq!(array(1, 0, 23, &[1, 0, 4, 7]).0, "0A000");
    assert_eq!(
        array(1, 0, 23, &[-1, 1]),
        error("54000", "array size exceeds the maximum allowed")
    );
    let left = error("22P03", "insufficient data left in message");
    assert_eq!(array(1, 0, 23, &[1, 1, 8, 7]), left);
    assert_eq!(array(1, 0, 23, &[1, 1, -2, 7]), left);
    assert_eq!(array(1, 0, 23, &[i32::MAX, 1, 4, 7]).0, "08P01");
    assert_eq!(
        array(1, 0, 23, &[1, 1, 8, 7, 7]),
        error("22P03", "improper binary format in array element 1")
    );
    assert_eq!(
        array(1, 0, 23, &[1, 1, 4, 7, 7]),
        error("22P03", "incorrect binary data format in bind parameter 1")
    );
}

/// What a client sends is judged, never trusted: whatever the bytes, there is a value or an error.
#[test]
fn no_bytes_bring_a_reader_down() {
    let oids = (1..4000).filter(|oid| matches!(oid::parameter(*oid, 1), Ok(Some(_))));
    let oids: Vec<u32> = oids.collect();
    assert!(oids.len() > 40, "{}", oids.len());
    let mut bits: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = move || {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        bits
    };
    for oid in oids {
        for _ in 0..300 {
            let len = (random() % 48) as usize;
            let bytes: Vec<u8> = (0..len).map(|_| random() as u8).collect();
            let _ = binary_value(oid, &bytes);
        }
    }
    for vector in vectors::all() {
        let oid = WireType::of(&vector.field).unwrap().oid;
        let is_parameter = matches!(oid::parameter(oid, 1), Ok(Some(_)));
        let Some(bytes) = vector.binary.filter(|_| is_parameter) else {
            continue;
        };
        for i in 0..bytes.len() {
            for changed in [0, 1, 0x7f, 0xff, bytes[i] ^ (1 << (random() % 8))] {
                let mut bytes = bytes.clone();
                bytes[i] = changed;
                let _ = binary_value(oid, &bytes);
            }
            let _ = binary_value(oid, &bytes[..i]);
        }
    }
}
