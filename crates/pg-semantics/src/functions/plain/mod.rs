//! Functions of values, row by row: each is a list of overloads over PostgreSQL's types and a plain
//! function of Rust for each.
//!
//! A quoted literal takes the type of the overload that fits best, as a text if one takes texts.

/// An overload: the types of its arguments, that of its result, its body.
macro_rules! overload {
    ($args:expr => $result:expr, $body:expr) => {
        Overload {
            args: &$args,
            result: $result,
            body: $body,
        }
    };
}

mod digest;
mod formatting;
pub(crate) mod jsonb;
mod moments;
mod regexp;
mod text;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewBuilder, BooleanBuilder, Date32Array, Int32Builder,
    Int64Builder, IntervalMonthDayNanoBuilder, ListArray, ListBuilder, StringViewBuilder,
    StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Field, FieldRef, Float64Type, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use inflowave_types::{PgType, SqlState};

pub(crate) use jsonb::read as read_json;
pub(crate) use text::NAME_CHAR;

use super::math::no_function;
use super::{scalar_if, udf};
use crate::cast::pg_type;
use crate::raise::{raise, wrap};
use crate::temporal::{Zone, zone};
use crate::types;

/// Bytes of one text, and of all texts of a batch: a function of a short text can give a long one.
const RESULT_MAX: usize = 16 << 20;
const RESULTS_MAX: usize = 64 << 20;

/// A type of arguments and results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum T {
    Text,
    Bytes,
    Bool,
    Int4,
    Int8,
    Float8,
    /// A numeric of any digits, as its text.
    Numeric,
    Date,
    Timestamp,
    Timestamptz,
    Time,
    Interval,
    /// `json` or `jsonb`: a result is what the first argument is.
    Json,
    /// `text[]`
    Texts,
    /// Values of the type of the first argument, each as the one column of a row.
    Jsons,
    /// Rows of a key and a value: of the type of the first argument, or a text.
    Fields(bool),
    /// Rows of `text[]`, each as the one column of a row: what is unnested.
    RowsOfTexts(&'static str),
}

impl T {
    fn arrow(self) -> DataType {
        let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
        match self {
            T::Text | T::Json => DataType::Utf8View,
            T::Bytes => DataType::BinaryView,
            T::Bool => DataType::Boolean,
            T::Int4 => DataType::Int32,
            T::Int8 => DataType::Int64,
            T::Float8 => DataType::Float64,
            T::Numeric => types::NUMERIC,
            T::Date => DataType::Date32,
            T::Timestamp => types::TIMESTAMP,
            T::Timestamptz => types::timestamptz(),
            T::Time => types::TIME,
            T::Interval => types::INTERVAL,
            T::Texts => list(DataType::Utf8View),
            T::Jsons => list(DataType::Struct(
                vec![Field::new("value", DataType::Utf8View, true)].into(),
            )),
            T::Fields(_) => list(DataType::Struct(
                vec![
                    Field::new("key", DataType::Utf8View, false),
                    Field::new("value", DataType::Utf8View, true),
                ]
                .into(),
            )),
            T::RowsOfTexts(name) => {
                let column = Field::new(name, T::Texts.arrow(), true);
                list(DataType::Struct(vec![column].into()))
            }
        }
    }

    /// A result, where the first argument is of type `first`.
    fn field(self, name: &str, first: Option<PgType>) -> Field {
        let json = match first {
            Some(json @ (PgType::Json | PgType::Jsonb)) => json,
            _ => json_of(name),
        };
        let tagged =
            |field: Field| field.with_metadata([(PgType::KEY.to_owned(), json.to_string())].into());
        match self {
            T::Json => tagged(Field::new(name, DataType::Utf8View, true)),
            T::Jsons => {
                let columns = vec![tagged(Field::new("value", DataType::Utf8View, true))];
                let row = Field::new_list_field(DataType::Struct(columns.into()), true);
                Field::new(name, DataType::List(Arc::new(row)), true)
            }
            T::Fields(false) => {
                let columns = vec![
                    Field::new("key", DataType::Utf8View, false),
                    tagged(Field::new("value", DataType::Utf8View, true)),
                ];
                let row = Field::new_list_field(DataType::Struct(columns.into()), true);
                Field::new(name, DataType::List(Arc::new(row)), true)
            }
            t => Field::new(name, t.arrow(), true),
        }
    }

    /// How well an argument fits; `None` if it does not.
    fn fits(self, given: &DataType) -> Option<u32> {
        const EXACT: u32 = 8;
        const IMPLICIT: u32 = 4;
        match (self, given) {
            (_, DataType::Null) => Some(1),
            // A quoted literal.
            (T::Text | T::Json, DataType::Utf8) => Some(3),
            (_, DataType::Utf8) => Some(2),
            (T::Int8, DataType::Int16 | DataType::Int32) => Some(IMPLICIT),
            (T::Int4, DataType::Int16) => Some(IMPLICIT),
            // The planner asks before literals have their types.
            (T::Int4, DataType::Int64) => Some(1),
            (T::Numeric, t) if t.is_decimal() => Some(EXACT),
            (T::Timestamp, DataType::Date32) => Some(IMPLICIT - 1),
            (T::Timestamptz, DataType::Date32) => Some(IMPLICIT),
            (T::Timestamptz, DataType::Timestamp(_, Some(_)))
            | (T::Timestamp, DataType::Timestamp(_, None))
            | (T::Interval, DataType::Interval(_)) => Some(EXACT),
            (T::Float8, t) if t.is_numeric() && *t != DataType::Float64 => Some(IMPLICIT - 1),
            (T::Texts, DataType::List(item)) if types::is_text(item.data_type()) => Some(EXACT),
            (T::Texts, DataType::List(item)) if item.data_type().is_null() => Some(1),
            (t, given) => (t.arrow() == *given).then_some(EXACT),
        }
    }
}

/// A value of an argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arg {
    Null,
    Text(String),
    Bytes(Vec<u8>),
    Bool(bool),
    Int(i64),
    Float(f64),
    Texts(Vec<Option<String>>),
    /// Months, days and microseconds.
    Span(i32, i32, i64),
}

impl Arg {
    pub(super) fn float(&self) -> f64 {
        match self {
            Arg::Float(v) => *v,
            _ => 0.0,
        }
    }

    /// Months, days and microseconds.
    pub(super) fn span(&self) -> (i32, i32, i64) {
        match self {
            Arg::Span(months, days, micros) => (*months, *days, *micros),
            _ => (0, 0, 0),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Arg::Text(text) => text,
            _ => "",
        }
    }

    pub(super) fn int(&self) -> i64 {
        match self {
            Arg::Int(v) => *v,
            _ => 0,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Arg::Bytes(v) => v,
            _ => &[],
        }
    }
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Out {
    Null,
    Text(String),
    Bytes(Vec<u8>),
    Bool(bool),
    Int(i64),
    /// Months, days and microseconds.
    Span(i32, i32, i64),
    Texts(Vec<Option<String>>),
    Rows(Vec<Vec<Option<String>>>),
    Fields(Vec<(String, Option<String>)>),
}

impl Out {
    fn bytes(&self) -> usize {
        let texts = |all: &[Option<String>]| -> usize {
            let sizes = all.iter().map(|t| t.as_ref().map_or(0, String::len) + 16);
            sizes.sum()
        };
        match self {
            Out::Text(text) => text.len(),
            Out::Bytes(bytes) => bytes.len(),
            Out::Texts(all) => texts(all),
            Out::Rows(rows) => rows.iter().map(|r| texts(r)).sum(),
            Out::Fields(fields) => {
                let sizes = fields.iter();
                let sizes = sizes.map(|(k, v)| k.len() + v.as_ref().map_or(0, String::len) + 32);
                sizes.sum()
            }
            _ => 0,
        }
    }
}

/// What is kept from one row to the next: patterns that were read.
#[derive(Default)]
pub(super) struct Kept {
    pub pattern: regexp::Cache,
    /// The session's.
    pub zone: Option<Zone>,
}

pub(super) type Body = fn(&mut Kept, &[Arg]) -> std::result::Result<Out, inflowave_types::Error>;

#[derive(Debug, Clone, Copy)]
pub(super) struct Overload {
    pub args: &'static [T],
    pub result: T,
    pub body: Body,
}

impl PartialEq for Overload {
    fn eq(&self, other: &Self) -> bool {
        (self.args, self.result) == (other.args, other.result)
    }
}

impl Eq for Overload {}

impl std::hash::Hash for Overload {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.args, self.result).hash(state);
    }
}

/// A function; NULL for a NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Plain {
    pub name: &'static str,
    pub overloads: &'static [Overload],
}

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let all = [
        digest::ALL,
        formatting::ALL,
        jsonb::ALL,
        moments::ALL,
        regexp::ALL,
        text::ALL,
    ];
    all.into_iter()
        .flatten()
        .map(|plain| udf(Function::new(*plain)))
        .collect()
}

/// The function of a name.
pub(crate) fn named(name: &str) -> Option<Arc<ScalarUDF>> {
    all().into_iter().find(|f| f.name() == name)
}

/// The type of JSON values that a function speaks of by its name.
fn json_of(name: &str) -> PgType {
    match name.contains("jsonb") {
        true => PgType::Jsonb,
        false => PgType::Json,
    }
}

/// The type of a quoted literal among the arguments, where it stands for a JSON value.
pub(crate) fn json_argument(name: &str, count: usize, at: usize) -> Option<FieldRef> {
    let lists = [jsonb::ALL];
    let plain = lists
        .into_iter()
        .flatten()
        .find(|plain| plain.name == name)?;
    let overload = plain.overloads.iter().find(|o| o.args.len() == count)?;
    let json = overload.args.get(at) == Some(&T::Json);
    json.then(|| Arc::new(T::Json.field(name, None)))
}

/// Is it one of these? The types of its arguments are found as those of DataFusion's functions.
pub(crate) fn is_plain(function: &ScalarUDF) -> bool {
    function.inner().downcast_ref::<Function>().is_some()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    plain: Plain,
    signature: Signature,
}

impl Function {
    fn new(plain: Plain) -> Self {
        let zoned = plain
            .overloads
            .iter()
            .any(|o| o.result == T::Timestamptz || o.args.contains(&T::Timestamptz));
        Function {
            plain,
            // What is printed or read by the session's time zone is not the same in each session.
            signature: Signature::user_defined(match zoned {
                true => Volatility::Stable,
                false => Volatility::Immutable,
            }),
        }
    }

    fn overload(&self, given: &[DataType]) -> Result<&Overload> {
        let score = |overload: &Overload| {
            let pairs = overload.args.iter().zip(given);
            let same = overload.args.len() == given.len();
            same.then(|| pairs.map(|(t, given)| t.fits(given)).sum::<Option<u32>>())
                .flatten()
        };
        let scored = self.plain.overloads.iter().rev();
        let scored = scored.filter_map(|o| Some((score(o)?, o)));
        let best = scored.max_by_key(|(score, _)| *score);
        best.map(|(_, overload)| overload)
            .ok_or_else(|| no_function(self.name(), given))
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.plain.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let overload = self.overload(given)?;
        let pairs = overload.args.iter().zip(given);
        let types = pairs.map(|(t, given)| match t {
            T::Numeric if given.is_decimal() => given.clone(),
            t => t.arrow(),
        });
        Ok(types.collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let result = self.overload(given)?.result;
        Ok(result.field(self.name(), None).data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = args
            .arg_fields
            .iter()
            .map(|f| f.data_type().clone())
            .collect();
        let result = self.overload(&types)?.result;
        let first = args.arg_fields.first().and_then(pg_type);
        Ok(Arc::new(result.field(self.name(), first)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<DataType> = args.args.iter().map(ColumnarValue::data_type).collect();
        let overload = self.overload(&types)?;
        let scalar = args.args.iter();
        let scalar = scalar
            .clone()
            .all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let count = if scalar { 1 } else { args.number_rows };
        let mut columns = Vec::with_capacity(args.args.len());
        for (arg, t) in args.args.iter().zip(overload.args) {
            columns.push(Column::of(&arg.to_array(count)?, *t)?);
        }
        let mut kept = Kept::default();
        if overload.args.contains(&T::Timestamptz) || overload.result == T::Timestamptz {
            kept.zone = Some(zone(&args.config_options)?);
        }
        let array = rows(self.name(), overload, &columns, (count, kept))?;
        // The type of JSON values stands in the fields of what holds them.
        let array = cast(&array, args.return_field.data_type())?;
        match (scalar, array.as_list_opt::<i32>()) {
            // Taken out of its array a list would lose them.
            (true, Some(list)) => {
                let list = ScalarValue::List(Arc::new(list.clone()));
                Ok(ColumnarValue::Scalar(list))
            }
            _ => scalar_if(args.args.iter(), array),
        }
    }
}

/// The results of all rows.
fn rows(
    name: &str,
    overload: &Overload,
    columns: &[Column],
    (count, mut kept): (usize, Kept),
) -> Result<ArrayRef> {
    let mut results = Vec::with_capacity(count);
    let (mut held, mut args) = (0_usize, Vec::with_capacity(columns.len()));
    for row in 0..count {
        args.clear();
        args.extend(columns.iter().map(|c| c.value(row)));
        if args.contains(&Arg::Null) {
            results.push(Out::Null);
            continue;
        }
        let result = (overload.body)(&mut kept, &args).map_err(wrap)?;
        let bytes = result.bytes();
        held = held.saturating_add(bytes);
        if bytes > RESULT_MAX || held > RESULTS_MAX {
            return Err(raise(
                SqlState::ProgramLimitExceeded,
                format!(
                    "the result of {name}() is too large: one may have {RESULT_MAX} bytes, and \
                     those of {count} rows together {RESULTS_MAX}"
                ),
            ));
        }
        results.push(result);
    }
    array(overload.result, &results)
}

/// An argument of all rows.
struct Column(ArrayRef, T);

impl Column {
    fn of(array: &ArrayRef, t: T) -> Result<Column> {
        let kept = match t {
            T::Int4 => DataType::Int64,
            T::Numeric => DataType::Utf8View,
            t => t.arrow(),
        };
        Ok(Column(cast(array, &kept)?, t))
    }

    fn value(&self, row: usize) -> Arg {
        let array = &self.0;
        if array.is_null(row) {
            return Arg::Null;
        }
        match self.1 {
            T::Text | T::Json => Arg::Text(array.as_string_view().value(row).to_owned()),
            T::Bytes => Arg::Bytes(array.as_binary_view().value(row).to_vec()),
            T::Bool => Arg::Bool(array.as_boolean().value(row)),
            T::Int4 | T::Int8 => Arg::Int(array.as_primitive::<Int64Type>().value(row)),
            T::Numeric => Arg::Text(array.as_string_view().value(row).to_owned()),
            T::Date => Arg::Int(array.as_primitive::<Date32Type>().value(row).into()),
            T::Time => Arg::Int(array.as_primitive::<Time64MicrosecondType>().value(row)),
            T::Timestamp | T::Timestamptz => {
                Arg::Int(array.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            T::Interval => {
                let span = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                Arg::Span(span.months, span.days, span.nanoseconds / 1000)
            }
            T::Float8 => Arg::Float(array.as_primitive::<Float64Type>().value(row)),
            T::Texts => {
                let items = array.as_list::<i32>().value(row);
                let items = items.as_string_view().iter();
                Arg::Texts(items.map(|t| t.map(str::to_owned)).collect())
            }
            T::RowsOfTexts(_) | T::Jsons | T::Fields(_) => Arg::Null,
        }
    }
}

fn texts(builder: &mut ListBuilder<StringViewBuilder>, all: &[Option<String>]) {
    for text in all {
        builder.values().append_option(text.as_ref());
    }
    builder.append(true);
}

macro_rules! built {
    ($builder:expr, $results:expr, $($pattern:pat => $value:expr),*) => {{
        let mut builder = $builder;
        for result in $results {
            match result {
                $($pattern => builder.append_value($value),)*
                _ => builder.append_null(),
            }
        }
        Arc::new(builder.finish()) as ArrayRef
    }};
}

fn whole(result: &Out) -> Option<i64> {
    match result {
        Out::Int(v) => Some(*v),
        _ => None,
    }
}

/// The time of an interval as it is kept.
///
/// # Errors
/// `22008` for more than 292 years.
fn nanos(micros: i64) -> Result<i64> {
    micros
        .checked_mul(1000)
        .ok_or_else(|| raise(SqlState::DatetimeFieldOverflow, "interval out of range"))
}

fn array(t: T, results: &[Out]) -> Result<ArrayRef> {
    Ok(match t {
        T::Text | T::Json => built!(StringViewBuilder::new(), results, Out::Text(v) => v),
        T::Bytes => built!(BinaryViewBuilder::new(), results, Out::Bytes(v) => v),
        T::Bool => built!(BooleanBuilder::new(), results, Out::Bool(v) => *v),
        T::Int8 => built!(Int64Builder::new(), results, Out::Int(v) => *v),
        T::Timestamp | T::Timestamptz => {
            let values: TimestampMicrosecondArray = results.iter().map(whole).collect();
            Arc::new(values.with_data_type(t.arrow()))
        }
        T::Time => Arc::new(
            results
                .iter()
                .map(whole)
                .collect::<Time64MicrosecondArray>(),
        ),
        T::Interval => built!(
            IntervalMonthDayNanoBuilder::new(),
            results,
            Out::Span(months, days, micros) =>
                IntervalMonthDayNano::new(*months, *days, nanos(*micros)?)
        ),
        T::Date => {
            let days = results.iter().map(|r| match r {
                Out::Int(v) => i32::try_from(*v).ok(),
                _ => None,
            });
            Arc::new(days.collect::<Date32Array>())
        }
        T::Float8 | T::Numeric => {
            return internal_err!("no function here gives {t:?}");
        }
        T::Int4 => {
            built!(Int32Builder::new(), results, Out::Int(v) => i32::try_from(*v).unwrap_or_default())
        }
        T::Texts => {
            let mut builder = ListBuilder::new(StringViewBuilder::new());
            for result in results {
                match result {
                    Out::Texts(all) => texts(&mut builder, all),
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        T::RowsOfTexts(_) => return list_of_rows(t, results),
        T::Fields(_) => return list_of_fields(t, results),
        T::Jsons => return list_of_values(t, results),
    })
}

fn list_of_values(t: T, results: &[Out]) -> Result<ArrayRef> {
    let mut values = StringViewBuilder::new();
    let mut lengths = Vec::with_capacity(results.len());
    for result in results {
        let all: &[Option<String>] = match result {
            Out::Texts(all) => all,
            _ => &[],
        };
        all.iter()
            .for_each(|value| values.append_option(value.as_ref()));
        lengths.push(all.len());
    }
    list_of_structs(t, vec![Arc::new(values.finish())], lengths)
}

fn list_of_fields(t: T, results: &[Out]) -> Result<ArrayRef> {
    let (mut keys, mut values) = (StringViewBuilder::new(), StringViewBuilder::new());
    let mut lengths = Vec::with_capacity(results.len());
    for result in results {
        let fields: &[(String, Option<String>)] = match result {
            Out::Fields(fields) => fields,
            _ => &[],
        };
        for (key, value) in fields {
            keys.append_value(key);
            values.append_option(value.as_ref());
        }
        lengths.push(fields.len());
    }
    list_of_structs(
        t,
        vec![Arc::new(keys.finish()), Arc::new(values.finish())],
        lengths,
    )
}

fn list_of_structs(t: T, columns: Vec<ArrayRef>, lengths: Vec<usize>) -> Result<ArrayRef> {
    let DataType::List(item) = t.arrow() else {
        return internal_err!("rows are a list");
    };
    let DataType::Struct(fields) = item.data_type() else {
        return internal_err!("rows have columns");
    };
    let rows = StructArray::try_new(fields.clone(), columns, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let list = ListArray::try_new(Arc::clone(&item), offsets, Arc::new(rows), None)?;
    Ok(Arc::new(list))
}

fn list_of_rows(t: T, results: &[Out]) -> Result<ArrayRef> {
    let mut builder = ListBuilder::new(StringViewBuilder::new());
    let mut lengths = Vec::with_capacity(results.len());
    for result in results {
        let rows: &[Vec<Option<String>>] = match result {
            Out::Rows(rows) => rows,
            _ => &[],
        };
        rows.iter().for_each(|row| texts(&mut builder, row));
        lengths.push(rows.len());
    }
    list_of_structs(t, vec![Arc::new(builder.finish())], lengths)
}
