//! `SHOW`: settings, and what there is to query.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::CatalogProviderList;
use datafusion::common::TableReference;
use inflowave_types::{Error, PgType, Result};

use crate::Catalogs;
use crate::authority::{Object, Privilege};
use crate::plan::Context;
use crate::settings::Settings;
use crate::specs::SPECS;
use crate::words::Words;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Show {
    Catalogs,
    /// Of a catalog, or of the session's.
    Schemas(Option<String>),
    /// Of `[catalog.]schema`, or of the default schema.
    Tables(Vec<String>),
    /// Of `[[catalog.]schema.]table`.
    Columns(Vec<String>),
    All,
    Setting(String),
}

impl Show {
    /// # Errors
    /// `42601`.
    pub fn parse(words: &Words) -> Result<Show> {
        let from = |at: usize| matches!(words.upper(at).as_str(), "FROM" | "IN");
        let (show, next) = match words.upper(1).as_str() {
            "CATALOGS" => (Show::Catalogs, 2),
            "SCHEMAS" if from(2) => (Show::Schemas(Some(words.identifier(3)?)), 4),
            "SCHEMAS" => (Show::Schemas(None), 2),
            "TABLES" if from(2) => {
                let (path, next) = words.path_from(3)?;
                (Show::Tables(path), next)
            }
            "TABLES" => (Show::Tables(Vec::new()), 2),
            "COLUMNS" if from(2) => {
                let (path, next) = words.path_from(3)?;
                (Show::Columns(path), next)
            }
            "ALL" => (Show::All, 2),
            "TIME" if words.upper(2) == "ZONE" => (Show::Setting("TimeZone".into()), 3),
            "TRANSACTION" if words.upper(2) == "ISOLATION" => {
                (Show::Setting("transaction_isolation".into()), 4)
            }
            _ => {
                let (name, next) = words.name_from(1)?;
                (Show::Setting(name), next)
            }
        };
        words.end(next)?;
        Ok(show)
    }

    /// May what is asked about be named?
    ///
    /// # Errors
    /// `42501`.
    pub fn allowed(&self, context: &Context) -> Result<()> {
        let database = &context.database;
        match self {
            Show::Schemas(catalog) => {
                let catalog = catalog.as_ref().unwrap_or(database);
                context.require(Privilege::Usage, &Object::Catalog(catalog.clone()))
            }
            Show::Tables(path) => match path.as_slice() {
                [] => Ok(()),
                [schema] => context.may_name(database, schema),
                [catalog, schema, ..] => context.may_name(catalog, schema),
            },
            Show::Columns(path) => {
                let reference = match path.as_slice() {
                    [t] => TableReference::bare(t.as_str()),
                    [s, t] => TableReference::partial(s.as_str(), t.as_str()),
                    [c, s, t] => TableReference::full(c.as_str(), s.as_str(), t.as_str()),
                    _ => return Ok(()),
                };
                let [catalog, schema, _] = context.full(&reference);
                context.may_name(&catalog, &schema)?;
                context.may_read(&[reference]).map(|_| ())
            }
            Show::Catalogs | Show::All | Show::Setting(_) => Ok(()),
        }
    }

    /// The rows, all of them text.
    ///
    /// # Errors
    /// `42704`, `3D000`, `3F000`, `42P01`; the source's own.
    pub async fn rows(
        &self,
        catalogs: &Catalogs,
        database: &str,
        settings: &Settings,
    ) -> Result<RecordBatch> {
        match self {
            Show::Catalogs => texts(&["catalog"], [catalogs.names()]),
            Show::Schemas(catalog) => {
                let catalog = catalog.as_deref().unwrap_or(database);
                texts(&["schema"], [catalogs.schemas(catalog).await?])
            }
            Show::Tables(path) => {
                let (catalog, schema) = match path.as_slice() {
                    [] => (database.to_owned(), catalogs.default_schema(database)),
                    [schema] => (database.to_owned(), schema.clone()),
                    [catalog, schema] => (catalog.clone(), schema.clone()),
                    _ => return Err(too_long("SHOW TABLES FROM", "[catalog.]schema")),
                };
                texts(&["table"], [catalogs.tables(&catalog, &schema).await?])
            }
            Show::Columns(path) => columns(catalogs, database, path).await,
            Show::All => texts(
                &["name", "setting", "description"],
                [
                    SPECS.iter().map(|s| s.name.to_owned()).collect(),
                    SPECS.iter().map(|s| settings.get(s).to_owned()).collect(),
                    SPECS.iter().map(|s| s.doc.to_owned()).collect::<Vec<_>>(),
                ],
            ),
            Show::Setting(name) => {
                let (name, value) = settings.show(name)?;
                texts(&[name.as_str()], [vec![value]])
            }
        }
    }
}

async fn columns(catalogs: &Catalogs, database: &str, path: &[String]) -> Result<RecordBatch> {
    let reference = match path {
        [t] => TableReference::bare(t.as_str()),
        [s, t] => TableReference::partial(s.as_str(), t.as_str()),
        [c, s, t] => TableReference::full(c.as_str(), s.as_str(), t.as_str()),
        _ => return Err(too_long("SHOW COLUMNS FROM", "[[catalog.]schema.]table")),
    };
    catalogs.check(database, &reference).await?;
    let catalog = reference.catalog().unwrap_or(database);
    let default = catalogs.default_schema(catalog);
    let schema = reference.schema().unwrap_or(&default);
    // A view has what it had when it was made; its query is not planned to tell.
    if let Some(columns) = catalogs.view_columns(catalog, schema, reference.table()) {
        let (names, types): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let nullable = vec!["YES".to_owned(); names.len()];
        return texts(&["column", "type", "nullable"], [names, types, nullable]);
    }
    let vanished = || Error::internal(format!("table {reference} vanished"));
    let table = catalogs
        .catalog(catalog)
        .and_then(|c| c.schema(schema))
        .ok_or_else(vanished)?
        .table(reference.table())
        .await
        .map_err(|e| inflowave_pg_semantics::to_error(&e, ""))?
        .ok_or_else(vanished)?;
    let fields = table.schema();
    texts(
        &["column", "type", "nullable"],
        [
            fields.fields().iter().map(|f| f.name().clone()).collect(),
            fields.fields().iter().map(|f| type_name(f)).collect(),
            fields
                .fields()
                .iter()
                .map(|f| if f.is_nullable() { "YES" } else { "NO" }.to_owned())
                .collect::<Vec<_>>(),
        ],
    )
}

/// The PostgreSQL name of a field's type.
pub(crate) fn type_name(field: &Field) -> String {
    if let Some(Ok(pg)) = field
        .metadata()
        .get(PgType::KEY)
        .map(|t| t.parse::<PgType>())
    {
        return match pg {
            PgType::Varchar(Some(n)) => format!("character varying({n})"),
            PgType::Varchar(None) => "character varying".to_owned(),
            PgType::Bpchar(Some(n)) => format!("character({n})"),
            PgType::Bpchar(None) => "character".to_owned(),
            PgType::Char => "\"char\"".to_owned(),
            other => other.to_string(),
        };
    }
    data_type_name(field.data_type())
}

fn data_type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt32 => "bigint".to_owned(),
        DataType::UInt64 => "numeric(20,0)".to_owned(),
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => format!("numeric({p},{s})"),
        // PostgreSQL makes a text of a NULL that nothing gives a type.
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            "text".to_owned()
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "bytea".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time without time zone".to_owned(),
        DataType::Timestamp(_, None) => "timestamp without time zone".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "interval".to_owned(),
        DataType::List(f) | DataType::LargeList(f) | DataType::FixedSizeList(f, _) => {
            format!("{}[]", type_name(f))
        }
        other => other.to_string().to_lowercase(),
    }
}

fn too_long(what: &str, form: &str) -> Error {
    Error::new(
        inflowave_types::SqlState::SyntaxError,
        format!("too many names behind {what}"),
    )
    .with_hint(format!("The form is {what} {form}."))
}

/// Columns of text.
pub(crate) fn texts<const N: usize>(
    names: &[&str; N],
    columns: [Vec<String>; N],
) -> Result<RecordBatch> {
    let fields: Vec<Field> = names
        .iter()
        .map(|name| Field::new(*name, DataType::Utf8View, true))
        .collect();
    let arrays = columns
        .into_iter()
        .map(|c| Arc::new(StringViewArray::from_iter_values(c)) as ArrayRef)
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|e| Error::internal(e.to_string()))
}
