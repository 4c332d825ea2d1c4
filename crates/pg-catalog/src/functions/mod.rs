//! The functions that clients look around with. Each is a plain function of values, row by row; what
//! it needs of the catalogs it finds in the options that it is called with.

mod definition;
mod format;
mod name;
mod privilege;
mod rows;
mod session;
mod text;
mod visible;

use std::any::Any;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};
use inflowave_query_api::WireType;
use inflowave_types::{Error, PgType, Result, SqlState};

use crate::snapshot::Snapshot;
use crate::type_name;
use crate::value::{self, Value};

pub(crate) use name::{input, output, output_of_types};

/// A statement that calls one of these, or casts to one of these, needs the names of the current
/// catalog.
pub(crate) const NEED_NAMES: &[&str] = &[
    "col_description",
    "has_any_column_privilege",
    "has_column_privilege",
    "has_schema_privilege",
    "has_table_privilege",
    "obj_description",
    "pg_describe_object",
    "pg_get_viewdef",
    "pg_relation_is_publishable",
    "pg_table_is_visible",
    "regclass",
    "regnamespace",
    "to_regclass",
    "to_regnamespace",
];

/// A function: what it is called, how many arguments it takes, what it gives.
#[derive(Clone, Copy)]
pub(crate) struct Spec {
    pub name: &'static str,
    pub arguments: (usize, usize),
    /// `typname`.
    pub result: &'static str,
    /// NULL for a NULL among its arguments.
    pub strict: bool,
    /// It has an effect, so that it must run once a call.
    pub volatile: bool,
    pub body: Body,
}

/// The arguments are as many as the function takes.
pub(crate) type Body = fn(&Snapshot, &[Value]) -> Result<Value>;

/// A function that is NULL where an argument is.
const fn spec(
    name: &'static str,
    arguments: (usize, usize),
    result: &'static str,
    body: Body,
) -> Spec {
    Spec {
        name,
        arguments,
        result,
        strict: true,
        volatile: false,
        body,
    }
}

/// A function that does something.
const fn effect(
    name: &'static str,
    arguments: (usize, usize),
    result: &'static str,
    body: Body,
) -> Spec {
    Spec {
        volatile: true,
        ..spec(name, arguments, result, body)
    }
}

pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    let specs = [
        definition::SPECS,
        format::SPECS,
        name::SPECS,
        privilege::SPECS,
        rows::SPECS,
        session::SPECS,
        text::SPECS,
        visible::SPECS,
    ];
    specs.into_iter().flatten().map(|s| function(*s)).collect()
}

pub(crate) fn function(spec: Spec) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(CatalogFunction::new(spec)))
}

/// Bytes of the texts that one call holds, for all rows of its batch.
const RESULTS_MAX: usize = 64 * 1024 * 1024;

/// What functions find of the statement's snapshot in its options.
#[derive(Debug, Clone)]
pub(crate) struct Bound(pub Arc<Snapshot>);

impl ConfigExtension for Bound {
    const PREFIX: &'static str = "inflowave_pg_catalog";
}

impl ExtensionOptions for Bound {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _value: &str) -> DfResult<()> {
        Err(DataFusionError::Configuration(format!(
            "{key} cannot be set"
        )))
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

struct CatalogFunction {
    spec: Spec,
    result: FieldRef,
    signature: Signature,
}

impl CatalogFunction {
    fn new(spec: Spec) -> Self {
        let any = match spec.arguments {
            (_, 0) => TypeSignature::Nullary,
            (0, _) => {
                TypeSignature::OneOf(vec![TypeSignature::Nullary, TypeSignature::VariadicAny])
            }
            _ => TypeSignature::VariadicAny,
        };
        CatalogFunction {
            spec,
            result: Arc::new(value::field(spec.name, spec.result, true)),
            signature: Signature::new(
                any,
                match spec.volatile {
                    true => Volatility::Volatile,
                    false => Volatility::Stable,
                },
            ),
        }
    }
}

impl std::fmt::Debug for CatalogFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.spec.name)
    }
}

impl PartialEq for CatalogFunction {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name
    }
}

impl Eq for CatalogFunction {}

impl std::hash::Hash for CatalogFunction {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl ScalarUDFImpl for CatalogFunction {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(self.result.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> DfResult<FieldRef> {
        let (min, max) = self.spec.arguments;
        let given = args.arg_fields.len();
        if given < min || given > max {
            let types = args.arg_fields.iter().map(|f| match WireType::of(f) {
                Ok(t) => type_name::format(t.oid, None),
                Err(_) => f.data_type().to_string(),
            });
            let error = Error::new(
                SqlState::UndefinedFunction,
                format!(
                    "function {}({}) does not exist",
                    self.spec.name,
                    types.collect::<Vec<_>>().join(", ")
                ),
            );
            return Err(raised(match (min, max) {
                (1, 1) => error.with_hint("It takes one argument."),
                (min, max) if min == max => error.with_hint(format!("It takes {min} arguments.")),
                _ => error.with_hint(format!("It takes {min} to {max} arguments.")),
            }));
        }
        Ok(Arc::clone(&self.result))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let snapshot = bound(&args.config_options)?;
        let scalar = args
            .args
            .iter()
            .all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let count = if scalar { 1 } else { args.number_rows };
        let columns = args.args.iter().map(|a| a.to_array(count));
        let columns: Vec<ArrayRef> = columns.collect::<DfResult<_>>()?;
        let mut results = Vec::with_capacity(count);
        let mut held = 0_usize;
        let mut row = Vec::with_capacity(columns.len());
        for index in 0..count {
            row.clear();
            for column in &columns {
                row.push(of_scalar(&ScalarValue::try_from_array(column, index)?));
            }
            let null = self.spec.strict && row.contains(&Value::Null);
            let result = match null {
                true => Value::Null,
                false => (self.spec.body)(&snapshot, &row).map_err(raised)?,
            };
            held = held.saturating_add(text(&result).len());
            if held > RESULTS_MAX {
                return Err(raised(
                    Error::new(
                        SqlState::ProgramLimitExceeded,
                        format!("the results of {}() are too large", self.spec.name),
                    )
                    .with_detail(format!(
                        "Those of {count} rows together may have {RESULTS_MAX} bytes."
                    )),
                ));
            }
            results.push(result);
        }
        let array = value::array(self.result.data_type(), results.iter()).map_err(raised)?;
        Ok(match (scalar, array.as_list_opt::<i32>()) {
            (false, _) => ColumnarValue::Array(array),
            // Taken out of its array a list would lose what marks the type of its items.
            (true, Some(list)) => ColumnarValue::Scalar(ScalarValue::List(Arc::new(list.clone()))),
            (true, None) => ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?),
        })
    }
}

pub(crate) fn raised(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn bound(options: &ConfigOptions) -> DfResult<Arc<Snapshot>> {
    match options.extensions.get::<Bound>() {
        Some(Bound(snapshot)) => Ok(Arc::clone(snapshot)),
        None => Err(raised(Error::internal("a statement without its catalogs"))),
    }
}

fn of_scalar(value: &ScalarValue) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    if let Some(text) = value.try_as_str().flatten() {
        return text.into();
    }
    match value {
        ScalarValue::Boolean(Some(v)) => Value::Bool(*v),
        ScalarValue::Int8(Some(v)) => i32::from(*v).into(),
        ScalarValue::Int16(Some(v)) => (*v).into(),
        ScalarValue::Int32(Some(v)) => (*v).into(),
        ScalarValue::Int64(Some(v)) => (*v).into(),
        ScalarValue::UInt32(Some(v)) => (*v).into(),
        ScalarValue::Float64(Some(v)) => Value::Float(*v),
        ScalarValue::Decimal128(Some(v), _, scale) => {
            Value::Float(*v as f64 / 10_f64.powi((*scale).into()))
        }
        ScalarValue::List(list) => {
            let items = list.value(0);
            let items = (0..items.len()).map(|i| ScalarValue::try_from_array(&items, i));
            Value::List(
                items
                    .map(|v| v.map_or(Value::Null, |v| of_scalar(&v)))
                    .collect(),
            )
        }
        other => Value::Text(other.to_string()),
    }
}

/// A whole number: given as one, or as a quoted literal.
///
/// # Errors
/// `22P02`.
fn int(value: &Value) -> Result<i64> {
    match value {
        Value::Int(v) => Ok(*v),
        Value::Text(text) => text.trim().parse().map_err(|_| {
            Error::new(
                SqlState::InvalidTextRepresentation,
                format!("invalid input syntax for type integer: \"{text}\""),
            )
        }),
        _ => Ok(0),
    }
}

/// As [`int`]; an OID that no object has becomes 0.
fn oid(value: &Value) -> Result<u32> {
    Ok(u32::try_from(int(value)?).unwrap_or(0))
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

/// The PostgreSQL type that a field's metadata say.
pub(crate) fn tag(field: &FieldRef) -> Option<PgType> {
    field.metadata().get(PgType::KEY)?.parse().ok()
}
