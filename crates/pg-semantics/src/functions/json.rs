//! `json_build_object`, `json_build_array` and `to_json`, and their like of `jsonb`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};
use inflowave_types::{Error, PgType, SqlState};

use super::scalar_if;
use crate::cast::{cast_scalar, pg_type};
use crate::raise::wrap;
use crate::types::{Category, category};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Object,
    /// An object without blanks: a row.
    Row,
    Array,
    Value,
}

/// `row_to_json` of the names and values of columns.
pub(crate) const ROW_JSON: &str = "pg_row_json";

const FUNCTIONS: [(&str, What, PgType); 7] = [
    (ROW_JSON, What::Row, PgType::Json),
    ("json_build_object", What::Object, PgType::Json),
    ("jsonb_build_object", What::Object, PgType::Jsonb),
    ("json_build_array", What::Array, PgType::Json),
    ("jsonb_build_array", What::Array, PgType::Jsonb),
    ("to_json", What::Value, PgType::Json),
    ("to_jsonb", What::Value, PgType::Jsonb),
];

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let functions = FUNCTIONS.into_iter().map(|(name, what, result)| {
        let signature = match what {
            What::Value => TypeSignature::Any(1),
            What::Object | What::Row | What::Array => {
                TypeSignature::OneOf(vec![TypeSignature::Nullary, TypeSignature::VariadicAny])
            }
        };
        Arc::new(ScalarUDF::from(Build {
            name,
            what,
            result,
            signature: Signature::new(signature, Volatility::Stable),
        }))
    });
    functions.collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Build {
    name: &'static str,
    what: What,
    result: PgType,
    signature: Signature,
}

impl ScalarUDFImpl for Build {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        if self.what == What::Object && !args.arg_fields.len().is_multiple_of(2) {
            return Err(wrap(
                Error::new(
                    SqlState::InvalidParameterValue,
                    "argument list must have even number of elements",
                )
                .with_hint(format!(
                    "The arguments of {}() must consist of alternating keys and values.",
                    self.name
                )),
            ));
        }
        let metadata = [(PgType::KEY.to_owned(), self.result.to_string())];
        let field = Field::new(self.name, DataType::Utf8View, self.what == What::Value);
        Ok(Arc::new(field.with_metadata(metadata.into())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args
            .args
            .iter()
            .all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let count = if scalar { 1 } else { args.number_rows };
        let columns: Vec<Column> = args
            .args
            .iter()
            .zip(&args.arg_fields)
            .map(|(value, field)| {
                let array = value.to_array(count)?;
                Column::new(&array, field, self.result, &args.config_options)
            })
            .collect::<Result<_>>()?;
        let mut built = Vec::with_capacity(count);
        for row in 0..count {
            built.push(self.build(&columns, row)?);
        }
        let built: ArrayRef = Arc::new(StringViewArray::from_iter(built));
        scalar_if(args.args.iter(), built)
    }
}

impl Build {
    fn build(&self, columns: &[Column], row: usize) -> Result<Option<String>> {
        // The text of jsonb has fewer blanks.
        let (colon, comma) = match (self.what, self.result) {
            (What::Row, _) => (":", ","),
            (_, PgType::Jsonb) => (": ", ", "),
            _ => (" : ", ", "),
        };
        Ok(Some(match self.what {
            What::Value => match columns[0].json(row) {
                Some(json) => json,
                None => return Ok(None),
            },
            What::Array => {
                let items = columns.iter();
                let items = items.map(|c| c.json(row).unwrap_or_else(|| "null".to_owned()));
                format!("[{}]", items.collect::<Vec<_>>().join(comma))
            }
            What::Object | What::Row => {
                let mut members = Vec::new();
                for pair in columns.chunks(2) {
                    let [key, value] = pair else { continue };
                    let Some(key) = key.text(row) else {
                        return Err(null_key());
                    };
                    let value = value.json(row).unwrap_or_else(|| "null".to_owned());
                    members.push((quoted(&key), value));
                }
                if self.result == PgType::Jsonb {
                    // As it is kept: each key once, the shorter ones first.
                    members.reverse();
                    members.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
                    members.dedup_by(|b, a| a.0 == b.0);
                }
                let members = members.into_iter().map(|(k, v)| format!("{k}{colon}{v}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(comma))
            }
        }))
    }
}

fn null_key() -> DataFusionError {
    wrap(Error::new(
        SqlState::InvalidParameterValue,
        "a key of an object cannot be null",
    ))
}

/// The values of an argument as texts, and how JSON has them.
struct Column {
    texts: Vec<Option<String>>,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A number or a Boolean, or JSON already.
    Raw,
    Text,
    /// A time, with a `T` before the clock.
    Time,
}

impl Column {
    fn new(
        array: &ArrayRef,
        field: &FieldRef,
        result: PgType,
        config: &ConfigOptions,
    ) -> Result<Column> {
        let json = matches!(pg_type(field), Some(PgType::Json | PgType::Jsonb));
        let is_array = matches!(array.data_type(), DataType::List(_));
        if (json && pg_type(field) != Some(result)) || is_array {
            return Err(wrap(Error::unsupported(format!(
                "JSON of a value of type {} is not supported",
                crate::types::name(array.data_type())
            ))));
        }
        let form = match category(array.data_type()) {
            _ if json => Form::Raw,
            Category::Number | Category::Boolean => Form::Raw,
            Category::DateTime => Form::Time,
            _ => Form::Text,
        };
        let as_text = Arc::new(Field::new("", DataType::Utf8View, true)) as FieldRef;
        let mut texts = Vec::with_capacity(array.len());
        for row in 0..array.len() {
            let value = datafusion::common::ScalarValue::try_from_array(array, row)?;
            let printed = match value.is_null() {
                true => None,
                false => cast_scalar(&value, &as_text, config)?
                    .to_array()?
                    .as_string_view_opt()
                    .filter(|a| a.is_valid(0))
                    .map(|a| a.value(0).to_owned()),
            };
            texts.push(printed);
        }
        Ok(Column { texts, form })
    }

    fn text(&self, row: usize) -> Option<String> {
        self.texts[row].clone()
    }

    fn json(&self, row: usize) -> Option<String> {
        let text = self.texts[row].as_ref()?;
        Some(match self.form {
            // What JSON has no number for is a text.
            Form::Raw if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") => quoted(text),
            Form::Raw => text.clone(),
            Form::Text => quoted(text),
            Form::Time => {
                let text = text.replacen(' ', "T", 1);
                // A zone has its minutes there.
                let zone = text.rfind(['+', '-']).filter(|at| text.len() - at == 3);
                let whole_hours = zone.is_some() && text.contains('T');
                quoted(&if whole_hours { text + ":00" } else { text })
            }
        })
    }
}

/// As `escape_json` of PostgreSQL writes it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
