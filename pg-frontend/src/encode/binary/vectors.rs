//! `vectors.txt` read: a value, and both of its forms as PostgreSQL 15 wrote them (`vectors.sql`).

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::*;
use inflowave_types::PgType;

use crate::encode::TextFormat;

const VECTORS: &str = include_str!("vectors.txt");

pub struct Vector {
    /// What to say when it fails: type and literal.
    pub name: String,
    pub field: Field,
    /// One row.
    pub array: ArrayRef,
    /// The session's choices for the text form.
    pub format: TextFormat,
    /// `None` for NULL, both.
    pub text: Option<String>,
    pub binary: Option<Vec<u8>>,
}

pub fn all() -> Vec<Vector> {
    VECTORS.lines().map(vector).collect()
}

fn vector(line: &str) -> Vector {
    let parts: Vec<&str> = line.split(" | ").collect();
    let [pg_type, literal, stored, text, hex] = parts[..] else {
        panic!("{line}");
    };
    let (value_type, format) = match pg_type.split_once(" in ") {
        Some((value_type, zone)) => {
            let zone = zone.parse().unwrap();
            (value_type, TextFormat { zone })
        }
        None => (pg_type, TextFormat::default()),
    };
    let field = field("c", value_type);
    let null = hex == "null";
    let text = (!null).then(|| unescaped(text));
    let value = match (&text, stored) {
        (Some(text), "") => Some(text.as_str()),
        (Some(_), stored) => Some(stored),
        (None, _) => None,
    };
    Vector {
        name: format!("{pg_type} {literal}"),
        array: array(&field, &[value]),
        field,
        format,
        text,
        binary: (!null).then(|| bytes(hex)),
    }
}

/// What `\\` and `\n` stand for.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next().unwrap() {
                'n' => out.push('\n'),
                other => out.push(other),
            },
            c => out.push(c),
        }
    }
    out
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|d| d[0] << 4 | d[1]).collect()
}

/// The field of a type as `vectors.txt` names it.
fn field(name: &str, pg_type: &str) -> Field {
    if let Some(element) = pg_type.strip_suffix("[]") {
        let item = Arc::new(field("item", element));
        return Field::new(name, DataType::List(item), true);
    }
    let (base, arguments) = match pg_type.split_once('(') {
        Some((base, rest)) => (base, rest.strip_suffix(')').unwrap()),
        None => (pg_type, ""),
    };
    let micros = TimeUnit::Microsecond;
    let data_type = match base {
        "bool" => DataType::Boolean,
        "int2" => DataType::Int16,
        "int4" => DataType::Int32,
        "int8" => DataType::Int64,
        "oid" => DataType::UInt32,
        "float4" => DataType::Float32,
        "float8" => DataType::Float64,
        "numeric" => {
            let (p, s) = arguments.split_once(',').unwrap();
            match (p.parse().unwrap(), s.parse().unwrap()) {
                (p @ ..=38, s) => DataType::Decimal128(p, s),
                (p, s) => DataType::Decimal256(p, s),
            }
        }
        "bytea" => DataType::Binary,
        "date" => DataType::Date32,
        "time" => DataType::Time64(micros),
        "timestamp" => DataType::Timestamp(micros, None),
        "timestamptz" => DataType::Timestamp(micros, Some("UTC".into())),
        "interval" => DataType::Interval(IntervalUnit::MonthDayNano),
        "record" => {
            // The only comma within a type is that of numeric(5,2).
            let types = arguments.replace("5,2", "5;2");
            let fields = types.split(',').map(|t| field("f", &t.replace(';', ",")));
            DataType::Struct(fields.collect())
        }
        _ => DataType::Utf8,
    };
    let field = Field::new(name, data_type, true);
    // PostgreSQL has its one-byte type in quotes: without them char is bpchar(1).
    match pg_type.trim_matches('"').parse::<PgType>() {
        Ok(t) => field.with_metadata([(PgType::KEY.to_owned(), t.to_string())].into()),
        Err(()) => field,
    }
}

/// Values of a field from their texts, or from what is stored.
fn array(field: &Field, values: &[Option<&str>]) -> ArrayRef {
    match field.data_type() {
        DataType::List(item) => lists(item, values),
        DataType::Struct(fields) => {
            let records: Vec<_> = values.iter().map(|v| parts(v.unwrap(), b'(')).collect();
            let columns = fields.iter().enumerate().map(|(i, field)| {
                let values: Vec<_> = records.iter().map(|r| r[i].as_deref()).collect();
                array(field, &values)
            });
            Arc::new(StructArray::new(fields.clone(), columns.collect(), None))
        }
        DataType::Binary => {
            let values = values.iter().map(|v| v.map(|v| bytes(&v[2..])));
            Arc::new(values.collect::<BinaryArray>())
        }
        DataType::Interval(_) => {
            let values = values.iter().map(|v| v.map(interval));
            Arc::new(values.collect::<IntervalMonthDayNanoArray>())
        }
        data_type @ (DataType::Decimal128(..) | DataType::Decimal256(..)) => {
            decimals(data_type, values)
        }
        data_type @ (DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(..)) => {
            let whole = match data_type {
                DataType::Date32 => DataType::Int32,
                _ => DataType::Int64,
            };
            let stored = cast(&texts(values), &whole);
            make_array(
                stored
                    .to_data()
                    .into_builder()
                    .data_type(data_type.clone())
                    .build()
                    .unwrap(),
            )
        }
        DataType::Utf8 => texts(values),
        other => cast(&texts(values), other),
    }
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn cast(array: &ArrayRef, to: &DataType) -> ArrayRef {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, to, &options).unwrap()
}

/// `months days microseconds`.
fn interval(stored: &str) -> IntervalMonthDayNano {
    let parts: Vec<i64> = stored.split(' ').map(|p| p.parse().unwrap()).collect();
    let (months, days) = (parts[0] as i32, parts[1] as i32);
    IntervalMonthDayNano::new(months, days, parts[2] * 1000)
}

fn decimals(data_type: &DataType, values: &[Option<&str>]) -> ArrayRef {
    let unscaled = |text: &str, scale: i8| {
        let digits = text.replace('.', "");
        let zeros = usize::from(scale.min(0).unsigned_abs());
        let digits = match digits.len() > zeros {
            true => &digits[..digits.len() - zeros],
            false => "0",
        };
        i256::from_string(digits).unwrap()
    };
    match data_type {
        &DataType::Decimal128(p, s) => {
            let values = values.iter().map(|v| v.map(|v| unscaled(v, s).as_i128()));
            let array = values.collect::<Decimal128Array>();
            Arc::new(array.with_precision_and_scale(p, s).unwrap())
        }
        &DataType::Decimal256(p, s) => {
            let values = values.iter().map(|v| v.map(|v| unscaled(v, s)));
            let array = values.collect::<Decimal256Array>();
            Arc::new(array.with_precision_and_scale(p, s).unwrap())
        }
        other => panic!("{other}"),
    }
}

/// Lists from the texts of arrays; all must have the dimensions of the first.
fn lists(item: &FieldRef, values: &[Option<&str>]) -> ArrayRef {
    let outer = values.iter().map(|v| v.map(|v| parts(v, b'{')));
    let outer: Vec<Option<Vec<Option<String>>>> = outer.collect();
    let lengths = outer.iter().map(|list| list.as_ref().map_or(0, Vec::len));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = outer.iter().map(Option::is_some).collect();
    let inner: Vec<_> = outer.into_iter().flatten().flatten().collect();
    let inner: Vec<_> = inner.iter().map(Option::as_deref).collect();
    // A brace that is part of an element stands in quotes.
    let nested = values.iter().flatten().any(|v| v.starts_with("{{"));
    let (item, values) = match nested {
        true => {
            let values = lists(item, &inner);
            let list = Field::new_list_field(values.data_type().clone(), true);
            (Arc::new(list), values)
        }
        false => (Arc::clone(item), array(item, &inner)),
    };
    Arc::new(ListArray::new(item, offsets, values, Some(nulls)))
}

/// The parts of an array or a record: without their quotes, arrays within arrays as they are.
fn parts(text: &str, open: u8) -> Vec<Option<String>> {
    let inside = &text[1..text.len() - 1];
    let (mut parts, mut part, mut quoted, mut depth) = (Vec::new(), String::new(), false, 0);
    let mut was_quoted = false;
    let mut end = |part: &mut String, was_quoted: &mut bool| {
        let null = match open {
            b'{' => part == "NULL",
            _ => part.is_empty(),
        };
        let part = std::mem::take(part);
        parts.push((!null || *was_quoted).then_some(part));
        *was_quoted = false;
    };
    let mut chars = inside.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ',' if !quoted && depth == 0 => {
                end(&mut part, &mut was_quoted);
                continue;
            }
            '"' if quoted && open == b'(' && chars.peek() == Some(&'"') => {
                part.extend(chars.next());
                continue;
            }
            '"' if depth == 0 => {
                (quoted, was_quoted) = (!quoted, true);
                continue;
            }
            '\\' if quoted => {
                part.extend(chars.next());
                continue;
            }
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth -= 1,
            _ => {}
        }
        part.push(c);
    }
    if !inside.is_empty() {
        end(&mut part, &mut was_quoted);
    }
    parts
}
