//! `pg_cast`: a cast that can fail, or that prints or rounds in PostgreSQL's own way.
//!
//! Casts that cannot fail stay DataFusion's `CAST`, so that its optimizer sees through them;
//! [`stays_plain`] tells which those are.

mod array;
mod number;
mod print;
mod read;
mod time;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use inflowave_connector_api::vocabulary;
use inflowave_types::{PgType, SqlState};

pub(crate) use array::minimal_decimal as minimal_decimal_of_items;

use crate::functions::scalar_if;
use crate::raise::raise;
use crate::temporal::{Zone, zone};
use crate::types::{self, Category, category, precision_scale};

/// The target is the return type; a limit of length stands in its metadata ([`PgType`]).
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cast {
    target: FieldRef,
    signature: Signature,
}

/// A cast from `from` to `target`.
///
/// # Errors
/// `42846` if PostgreSQL has none.
pub(crate) fn cast_function(from: &DataType, target: &FieldRef) -> Result<Arc<ScalarUDF>> {
    if !exists(from, target.data_type()) {
        return Err(raise(
            SqlState::CannotCoerce,
            format!(
                "cannot cast type {} to {}",
                types::name(from),
                types::name(target.data_type())
            ),
        ));
    }
    // What is read, printed or moved by the session's time zone is not the same in each session.
    let zoned = |t: &DataType| matches!(t, DataType::Timestamp(_, Some(_)));
    let volatility = if zoned(from) != zoned(target.data_type()) {
        Volatility::Stable
    } else {
        Volatility::Immutable
    };
    Ok(Arc::new(ScalarUDF::from(Cast {
        target: Arc::clone(target),
        signature: Signature::any(1, volatility),
    })))
}

/// The target, if the function is a cast.
pub(crate) fn target(f: &ScalarFunction) -> Option<&FieldRef> {
    f.func.inner().downcast_ref::<Cast>().map(|c| &c.target)
}

impl ScalarUDFImpl for Cast {
    fn name(&self) -> &str {
        vocabulary::CAST
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.target.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(
            self.target
                .as_ref()
                .clone()
                .with_name(self.name())
                .with_nullable(args.arg_fields[0].is_nullable()),
        ))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = match &args.args[0] {
            ColumnarValue::Array(a) => Arc::clone(a),
            ColumnarValue::Scalar(s) => s.to_array()?,
        };
        let result = cast_array(&array, &self.target, &args.config_options)?;
        // A text or a moment, as ours are, where a function of DataFusion asks for another width.
        let result = match result.data_type() == self.target.data_type() {
            true => result,
            false => arrow::compute::cast(&result, self.target.data_type())?,
        };
        scalar_if(args.args.iter(), result)
    }
}

/// Casts one value, while planning.
///
/// # Errors
/// Those of the cast.
pub(crate) fn cast_scalar(
    value: &ScalarValue,
    target: &FieldRef,
    config: &ConfigOptions,
) -> Result<ScalarValue> {
    let array = cast_array(&value.to_array()?, target, config)?;
    ScalarValue::try_from_array(&array, 0)
}

/// The limit of length that a type carries.
pub(crate) fn pg_type(field: &FieldRef) -> Option<PgType> {
    field.metadata().get(PgType::KEY)?.parse().ok()
}

/// Can DataFusion's own cast stand, because it never fails and gives the same value?
pub(crate) fn stays_plain(from: &DataType, target: &FieldRef) -> bool {
    let to = target.data_type();
    if pg_type(target).is_some_and(|t| !matches!(t, PgType::Text)) {
        return false;
    }
    if from == to || from.is_null() {
        return true;
    }
    if types::is_integer(from) && types::is_integer(to) {
        return precision_scale(from) <= precision_scale(to) && !is_unsigned(to);
    }
    if types::is_exact(from) && to.is_decimal() {
        let (Some((p1, s1)), Some((p2, s2))) = (precision_scale(from), precision_scale(to)) else {
            return false;
        };
        return s2 >= s1 && p2 - s2 >= p1 - s1;
    }
    match (from, to) {
        (f, DataType::Float64) => f.is_integer() || f.is_floating(),
        (f, DataType::Float32) => f.is_integer(),
        (DataType::Date32, DataType::Timestamp(TimeUnit::Microsecond, None)) => true,
        (DataType::Timestamp(_, a), DataType::Timestamp(_, b)) => a.is_some() == b.is_some(),
        (DataType::Time32(_) | DataType::Time64(_), DataType::Time64(_)) => true,
        (DataType::Duration(_), DataType::Interval(_)) => true,
        (f, t) if types::is_text(f) && types::is_text(t) => true,
        (f, t) => category(f) == Category::Bytes && category(t) == Category::Bytes,
    }
}

fn is_unsigned(t: &DataType) -> bool {
    t.is_unsigned_integer()
}

/// Does PostgreSQL have an explicit cast between the two?
fn exists(from: &DataType, to: &DataType) -> bool {
    use Category::{Boolean, Bytes, DateTime, Interval, Null, Number, Other, Text, Time};
    if let (DataType::List(from), DataType::List(to)) = (from, to) {
        return exists(from.data_type(), to.data_type());
    }
    match (category(from), category(to)) {
        (Null | Text, _) | (_, Text) => true,
        (a, b) if a == b => true,
        (Boolean, Number) => *to == DataType::Int32,
        (Number, Boolean) => *from == DataType::Int32,
        (DateTime, Time) => matches!(from, DataType::Timestamp(..)),
        (Time, Interval) | (Interval, Time) => true,
        (Other, _) | (_, Other) | (Bytes, _) | (_, Bytes) => false,
        _ => false,
    }
}

fn cast_array(array: &ArrayRef, target: &FieldRef, config: &ConfigOptions) -> Result<ArrayRef> {
    let (from, to) = (array.data_type(), target.data_type());
    if from.is_null() {
        return Ok(arrow::array::new_null_array(to, array.len()));
    }
    let pg_type = pg_type(target);
    if types::is_text(to) {
        return match pg_type {
            Some(PgType::Uuid) => read::uuid(array),
            Some(PgType::Json) => read::json(&as_text(array, config)?, false),
            Some(PgType::Jsonb) => read::json(&as_text(array, config)?, true),
            Some(PgType::Char) => limited(&as_text(array, config)?, 1, false),
            Some(PgType::Varchar(Some(n))) => limited(&as_text(array, config)?, n, false),
            Some(PgType::Bpchar(n)) => limited(&as_text(array, config)?, n.unwrap_or(1), true),
            _ => as_text(array, config),
        };
    }
    if let (Category::Text, DataType::List(item)) = (category(from), to) {
        return array::read(&plain(array, &DataType::Utf8View)?, item, config);
    }
    if let (DataType::List(_), DataType::List(item)) = (from, to) {
        return array::items(array.as_list(), item, config);
    }
    match (category(from), category(to)) {
        (Category::Text, _) => read::from_text(array, to, zone(config)?),
        (Category::Number | Category::Boolean, Category::Number | Category::Boolean) => {
            number::convert(array, to)
        }
        (
            Category::DateTime | Category::Time | Category::Interval,
            Category::DateTime | Category::Time | Category::Interval,
        ) => time::convert(array, to, zone(config)?),
        _ => plain(array, to),
    }
}

/// Arrow's cast, where a value that does not fit is an error.
fn plain(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    Ok(cast_with_options(array, to, &options)?)
}

/// Each value as a cast to text prints it.
///
/// # Errors
/// `0A000` for a type that is not printed.
pub(crate) fn printed(array: &ArrayRef, config: &ConfigOptions) -> Result<ArrayRef> {
    as_text(array, config)
}

fn as_text(array: &ArrayRef, config: &ConfigOptions) -> Result<ArrayRef> {
    if types::is_text(array.data_type()) {
        plain(array, &DataType::Utf8View)
    } else {
        print::to_text(array, zone_of_text(array.data_type(), config)?)
    }
}

/// The zone is looked up only where it matters.
fn zone_of_text(t: &DataType, config: &ConfigOptions) -> Result<Zone> {
    match t {
        DataType::Timestamp(_, Some(_)) => zone(config),
        _ => Ok(Zone::Named(chrono_tz::UTC)),
    }
}

/// Cuts to `n` characters, and `char(n)` further to its last character that is not a blank.
fn limited(array: &ArrayRef, n: u32, blank_padded: bool) -> Result<ArrayRef> {
    let texts = array.as_string_view();
    let mut out = StringViewBuilder::with_capacity(texts.len());
    for text in texts {
        out.append_option(text.map(|text| {
            let cut = match text.char_indices().nth(n as usize) {
                Some((at, _)) => &text[..at],
                None => text,
            };
            if blank_padded {
                cut.trim_end_matches(' ')
            } else {
                cut
            }
        }));
    }
    Ok(Arc::new(out.finish()))
}

/// The numeric type that holds just the digits of a literal.
pub(crate) fn minimal_decimal(text: &str) -> Option<DataType> {
    let text = text.trim();
    if !read::is_decimal(text) {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i16>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches(['-', '+']).trim_start_matches('0');
    let scale = (i16::try_from(fraction.len()).ok()? - exponent).max(0);
    let digits = (i16::try_from(whole.len()).ok()? + exponent).max(0) + scale;
    (digits <= 76).then(|| types::exact_decimal(digits.max(1), scale))
}
