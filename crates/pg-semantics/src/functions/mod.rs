//! Scalar functions: those that stand for operators in a plan, and those of SQL whose meaning in
//! PostgreSQL is not DataFusion's.

mod alternatives;
mod array;
mod array_or_empty;
mod at_zone;
mod cast_apart;
mod datetime;
mod float;
mod integer;
mod interval;
mod interval_span;
mod json;
mod like_escape;
mod math;
mod now;
mod numeric;
mod plain;
mod quantified;
mod series;
mod subquery;
mod subscripts;
mod text_case;

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF, ScalarUDFImpl, lit, when};

use crate::analyze::placeholder;
use crate::cast::cast_scalar;
use crate::parameters::parameter;
use crate::types::{self, Category, category};

pub(crate) use array::{
    ArrayFunction, Parameter, SLICE, SUBSCRIPT, base, depth, items, nest, of as array_function,
};
pub(crate) use array_or_empty::ARRAY_OR_EMPTY;
pub(crate) use cast_apart::CAST_APART;
pub(crate) use datetime::extract_udf;
pub(crate) use integer::scalar_if;
pub(crate) use interval::scaled as interval_scaled;
pub(crate) use interval_span::spans as interval_spans;
pub(crate) use json::ROW_JSON;
pub(crate) use math::{no_function, power_udf};
pub(crate) use numeric::{NumericOperator, Unscaled, round_div, worst_case};
pub(crate) use plain::{
    NAME_CHAR, is_plain, json_argument, jsonb as json_operators, named as plain, read_json,
};
pub(crate) use quantified::{QUANTIFIED, operator as quantified_operator};
pub(crate) use series::SERIES;
pub(crate) use subscripts::{NUMBERED, SUBSCRIPTS};

macro_rules! operators {
    ($($name:ident = $make:expr;)*) => {
        $(
            pub(crate) fn $name() -> Arc<ScalarUDF> {
                static FUNCTION: LazyLock<Arc<ScalarUDF>> =
                    LazyLock::new(|| Arc::new(ScalarUDF::from($make)));
                Arc::clone(&FUNCTION)
            }
        )*
    };
}

operators! {
    int_add = integer::IntegerArithmetic::new(integer::IntegerOperator::Add);
    int_sub = integer::IntegerArithmetic::new(integer::IntegerOperator::Subtract);
    int_mul = integer::IntegerArithmetic::new(integer::IntegerOperator::Multiply);
    int_mod = integer::IntegerArithmetic::new(integer::IntegerOperator::Modulo);
    int_neg = integer::IntegerArithmetic::new(integer::IntegerOperator::Negate);
    numeric_add = numeric::NumericArithmetic::new(NumericOperator::Add);
    numeric_sub = numeric::NumericArithmetic::new(NumericOperator::Subtract);
    numeric_mul = numeric::NumericArithmetic::new(NumericOperator::Multiply);
    numeric_div = numeric::NumericArithmetic::new(NumericOperator::Divide);
    float_add = float::FloatArithmetic::new(float::FloatOperator::Add);
    float_sub = float::FloatArithmetic::new(float::FloatOperator::Subtract);
    float_mul = float::FloatArithmetic::new(float::FloatOperator::Multiply);
    float_div = float::FloatArithmetic::new(float::FloatOperator::Divide);
    float_neg = float::FloatArithmetic::new(float::FloatOperator::Negate);
    temporal_add = interval::TemporalArithmetic::new(interval::TemporalOperator::Add);
    temporal_sub = interval::TemporalArithmetic::new(interval::TemporalOperator::Subtract);
    interval_mul = interval::TemporalArithmetic::new(interval::TemporalOperator::Multiply);
    like_escape = like_escape::LikeEscape::new();
    or_null = subquery::OrNull::new();
    single_row = subquery::SingleRow::new();
    interval_div = interval::TemporalArithmetic::new(interval::TemporalOperator::Divide);
    interval_span = interval_span::IntervalSpan::new();
}

/// Every function that a session knows on top of, or instead of, DataFusion's.
pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    let mut all = vec![
        int_add(),
        int_sub(),
        int_mul(),
        int_mod(),
        int_neg(),
        numeric_add(),
        numeric_sub(),
        numeric_mul(),
        numeric_div(),
        float_add(),
        float_sub(),
        float_mul(),
        float_div(),
        float_neg(),
        temporal_add(),
        temporal_sub(),
        interval_mul(),
        interval_div(),
        like_escape(),
        text_case::upper(),
    ];
    all.extend(json::all());
    all.extend(math::all());
    all.extend(datetime::all());
    all.extend(now::all());
    all.extend(plain::all());
    all.extend(array::all());
    all.push(udf(at_zone::TimeZone::new()));
    all.push(udf(array_or_empty::ArrayOrEmpty::new()));
    all.push(udf(cast_apart::CastApart::new()));
    all.extend(alternatives::NAMES.map(|name| udf(alternatives::Alternatives::new(name))));
    all.push(udf(interval_span::IntervalSpan::new()));
    all.push(udf(quantified::Quantified::new()));
    all.push(udf(series::Series::new()));
    all.push(udf(subscripts::Subscripts::new()));
    all.push(udf(subscripts::Numbered::new()));
    all
}

/// Functions of DataFusion that have a PostgreSQL name and another meaning, or that only look
/// like PostgreSQL's: a call of one is an error rather than a wrong answer.
const WITHHELD: &[&str] = &[
    "to_char",
    "to_date",
    "to_time",
    "to_local_time",
    "to_unixtime",
    "to_timestamp_seconds",
    "to_timestamp_millis",
    "to_timestamp_micros",
    "to_timestamp_nanos",
    "from_unixtime",
    "version",
    "date_format",
    "datepart",
    "datetrunc",
    "log",
    "nanvl",
    "iszero",
    "isnan",
    "instr",
    "contains",
    "arrow_cast",
    "arrow_typeof",
    "arrow_try_cast",
    "arrow_metadata",
    "with_metadata",
    "to_hex",
    "encode",
    "decode",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "translate",
    "repeat",
    "replace",
    "lpad",
    "rpad",
    "levenshtein",
    "find_in_set",
    "substr_index",
    "substring_index",
    "make_time",
    "date_bin",
    "make_date",
    "factorial",
    "gcd",
    "lcm",
    "current_time",
    "struct",
    "named_struct",
    "union_extract",
    "union_tag",
    "position",
    "ifnull",
    "nvl",
    "nvl2",
    "pow",
    "cot",
    "signum",
    // They give a list where PostgreSQL gives rows, however long.
    "generate_series",
    "range",
    "empty",
    "flatten",
];

/// As [`WITHHELD`], by how the names start: what DataFusion does with lists, maps and vectors.
const WITHHELD_FAMILIES: &[&str] = &[
    "array_",
    "arrays_",
    "list_",
    "map",
    "element_at",
    "cosine_",
    "inner_",
];

/// Is a function of DataFusion none of ours?
pub(crate) fn is_withheld(name: &str) -> bool {
    WITHHELD.contains(&name) || WITHHELD_FAMILIES.iter().any(|f| name.starts_with(f))
}

/// Functions over numbers, whose quoted arguments are doubles.
const OF_NUMBERS: &[&str] = &[
    "abs", "round", "trunc", "ceil", "floor", "sign", "sqrt", "power", "ln", "log", "exp",
];

/// Functions whose first argument is a text; DataFusion would print a number to have one.
const OF_TEXT: &[&str] = &[
    "upper",
    "lower",
    "initcap",
    "character_length",
    "octet_length",
    "bit_length",
    "btrim",
    "ltrim",
    "rtrim",
    "substr",
    "replace",
    "left",
    "right",
    "reverse",
    "strpos",
    "lpad",
    "rpad",
    "repeat",
    "split_part",
    "translate",
    "starts_with",
    "ascii",
    "regexp_replace",
    "regexp_like",
    "format",
    "quote_ident",
];

/// Functions that print arguments of any type.
const PRINTING: &[&str] = &[
    "concat",
    "concat_ws",
    "format",
    "quote_literal",
    "quote_nullable",
];

/// Arguments of a DataFusion function whose PostgreSQL namesake takes other types.
///
/// # Errors
/// `42883` where PostgreSQL has no such function.
pub(crate) fn prepare_arguments(
    name: &str,
    mut args: Vec<Expr>,
    schema: &DFSchema,
    config: &ConfigOptions,
) -> Result<Vec<Expr>> {
    let type_of = |e: &Expr| e.get_type(schema);
    if OF_NUMBERS.contains(&name) {
        for arg in &mut args {
            if let Expr::Literal(ScalarValue::Utf8(Some(text)), None) = arg {
                if let Some(id) = parameter(text) {
                    *arg = placeholder(id, &DataType::Float64);
                    continue;
                }
                let text = ScalarValue::Utf8View(Some(std::mem::take(text)));
                let double = Arc::new(Field::new("", DataType::Float64, true)) as _;
                *arg = Expr::Literal(cast_scalar(&text, &double, config)?, None);
            }
        }
    }
    if name == SERIES {
        return series::with_types(args, schema, config);
    }
    let count = args.len();
    for (at, arg) in args.iter_mut().enumerate() {
        if let Expr::Literal(ScalarValue::Utf8(Some(text)), None) = arg
            && parameter(text).is_none()
            && let Some(json) = json_argument(name, count, at)
        {
            let text = ScalarValue::Utf8View(Some(std::mem::take(text)));
            *arg = Expr::Literal(cast_scalar(&text, &json, config)?, None);
        }
    }
    if OF_TEXT.contains(&name)
        && let Some(first) = args.first()
        && !matches!(
            category(&type_of(first)?),
            Category::Text | Category::Null | Category::Other | Category::Bytes
        )
    {
        let given = args.iter().map(type_of).collect::<Result<Vec<_>>>()?;
        return Err(no_function(name, &given));
    }
    if !PRINTING.contains(&name) {
        return Ok(args);
    }
    let by_cast = name.starts_with("quote_");
    args.into_iter()
        .map(|e| match category(&type_of(&e)?) {
            _ if matches!(type_of(&e)?, DataType::List(_)) => {
                e.cast_to(&DataType::Utf8View, schema)
            }
            Category::Text | Category::Null | Category::Other => Ok(e),
            // `concat` and `format` print a Boolean by its output function, a cast does not.
            Category::Boolean if !by_cast => {
                when(e.clone(), lit("t")).when(e.is_false(), lit("f")).end()
            }
            _ => e.cast_to(&DataType::Utf8View, schema),
        })
        .collect()
}

fn udf(function: impl ScalarUDFImpl + 'static) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(function))
}

/// The argument type of a function over numbers that PostgreSQL defines for numeric and double:
/// whole numbers are doubles.
fn numeric_or_double(t: &DataType) -> DataType {
    match t {
        t if t.is_decimal() => types::as_decimal(t).unwrap_or(types::NUMERIC),
        _ => DataType::Float64,
    }
}
