//! The source's own catalog: its schemas, its tables, the columns of one table. One round trip each.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Field;
use inflowave_connector_api::{RemoteColumn, TableStatistics};
use inflowave_types::PgType;
use tokio_postgres::Row;

use crate::types::{CollationFacts, NativeType, collation, map};

/// Schemas that are not the system's.
pub(crate) const SCHEMAS: &str = "\
SELECT nspname::text FROM pg_namespace
WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
ORDER BY nspname";

/// Tables, views, materialized views, foreign and partitioned tables of the schema `$1`.
pub(crate) const TABLES: &str = "\
SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY c.relname";

/// The table `$2` of the schema `$1`.
pub(crate) const TABLE: &str = include_str!("catalog.sql");

/// A table as [`TABLE`] tells of it.
#[derive(Debug)]
pub(crate) struct Described {
    pub columns: Vec<RemoteColumn>,
    pub statistics: TableStatistics,
}

/// Reads the rows of [`TABLE`]; `None` if there is no such table.
pub(crate) fn described(
    rows: &[Row],
    numeric_as_text: bool,
) -> Result<Option<Described>, tokio_postgres::Error> {
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let estimate = |value: Option<f64>| value.filter(|v| *v >= 0.0).map(|v| v as u64);
    let statistics = TableStatistics {
        rows: estimate(first.try_get("rows")?),
        bytes: estimate(first.try_get("bytes")?),
    };
    let mut columns = Vec::with_capacity(rows.len());
    for row in rows {
        // A table without columns has one row without a name.
        if let Some(name) = row.try_get::<_, Option<String>>("name")? {
            columns.push(column(row, &name, numeric_as_text)?);
        }
    }
    Ok(Some(Described {
        columns,
        statistics,
    }))
}

fn column(
    row: &Row,
    name: &str,
    numeric_as_text: bool,
) -> Result<RemoteColumn, tokio_postgres::Error> {
    let oid = |value: i64| u32::try_from(value).unwrap_or(0);
    let element: Option<i64> = row.try_get("element_oid")?;
    let native = NativeType {
        oid: oid(row.try_get("type_oid")?),
        name: row.try_get("type_name")?,
        typmod: row.try_get("typmod")?,
        element: match element {
            Some(element) => Some((oid(element), row.try_get("element_name")?)),
            None => None,
        },
    };
    let text = |value: Option<String>| value.unwrap_or_default();
    let facts = CollationFacts {
        collatable: row.try_get("collatable")?,
        provider: text(row.try_get("provider")?),
        locale: text(row.try_get("locale")?),
        deterministic: row
            .try_get::<_, Option<bool>>("deterministic")?
            .unwrap_or(false),
        encoding: row.try_get("encoding")?,
    };
    let (data_type, pg_type) = map(&native, numeric_as_text);
    let mut field = Field::new(name, data_type, !row.try_get::<_, bool>("not_null")?);
    if let Some(pg_type) = pg_type {
        field = field.with_metadata(HashMap::from([(
            PgType::KEY.to_owned(),
            pg_type.to_string(),
        )]));
    }
    Ok(RemoteColumn {
        field: Arc::new(field),
        native_type: row.try_get("spelled")?,
        collation: collation(&native, &facts),
        strictly_typed: true,
    })
}
