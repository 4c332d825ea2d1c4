//! Databases, tables and columns, as `information_schema` tells of them.
//!
//! Names are taken as the server lists them and compared exactly. With
//! `lower_case_table_names = 1` it lists them in lower case, and then that is their name here.

use inflowave_types::{Error, Result, SqlState};
use mysql_async::{FromRowError, Row, Value, from_row_opt, prelude::FromRow};

use inflowave_connector_api::{RemoteColumn, TableStatistics};

use crate::client::Client;
use crate::types::SourceColumn;

const SCHEMAS: &str = "SELECT schema_name FROM information_schema.schemata \
    WHERE schema_name NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') \
    ORDER BY schema_name";

const TABLES: &str = "SELECT table_schema, table_name FROM information_schema.tables \
    WHERE table_schema = ? AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW') \
    ORDER BY table_name";

const SIZE: &str = "SELECT table_schema, table_name, table_rows, data_length, table_comment \
    FROM information_schema.tables \
    WHERE table_schema = ? AND table_name = ? \
    AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')";

const COLUMNS: &str = "SELECT table_name, column_name, data_type, column_type, is_nullable, \
    character_maximum_length, numeric_precision, numeric_scale, character_set_name, \
    collation_name FROM information_schema.columns \
    WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position";

/// What is read of one table.
pub struct Described {
    pub columns: Vec<RemoteColumn>,
    pub statistics: TableStatistics,
}

/// Names of all databases but the server's own.
pub async fn schemas(client: &Client) -> Result<Vec<String>> {
    let rows = client.rows(SCHEMAS, Vec::new()).await?;
    rows.into_iter().map(read::<String>).collect()
}

/// Names of the tables and views of a database.
pub async fn tables(client: &Client, schema: &str) -> Result<Vec<String>> {
    let rows = client.rows(TABLES, vec![Value::from(schema)]).await?;
    let mut names = Vec::with_capacity(rows.len());
    for row in rows {
        let (found, table): (String, String) = read(row)?;
        if found == schema {
            names.push(table);
        }
    }
    Ok(names)
}

/// One table, in two questions: is it there and how large, and its columns.
pub async fn table(client: &Client, schema: &str, table: &str) -> Result<Option<Described>> {
    let names = || vec![Value::from(schema), Value::from(table)];
    let mut comment = String::new();
    let mut statistics = None;
    for row in client.rows(SIZE, names()).await? {
        type Size = (String, String, Option<u64>, Option<u64>, Option<String>);
        let (found_schema, found_table, rows, bytes, said): Size = read(row)?;
        // The server compares these names without regard to case.
        if found_schema == schema && found_table == table {
            comment = said.unwrap_or_default();
            statistics = Some(TableStatistics { rows, bytes });
        }
    }
    let Some(statistics) = statistics else {
        return Ok(None);
    };
    let mut columns = Vec::new();
    for row in client.rows(COLUMNS, names()).await? {
        let (found, column) = source_column(row)?;
        if found != table {
            continue;
        }
        columns.push(column.mapped(client.settings().mapping).map_err(|native| {
            client
                .speaker()
                .say(
                    SqlState::FeatureNotSupported,
                    format!(
                        "column \"{}\" of table \"{schema}.{table}\" has the type {native}, which cannot be read",
                        column.name
                    ),
                )
                .with_hint("Read the table through a view that leaves the column out or casts it.")
        })?);
    }
    if columns.is_empty() {
        // A view whose tables are gone has no columns, and says why in its comment.
        return Err(client
            .speaker()
            .say(
                SqlState::ForeignDataWrapperError,
                format!("\"{schema}.{table}\" has no columns that can be read"),
            )
            .with_detail(comment)
            .with_hint("Repair or drop the view at the source."));
    }
    Ok(Some(Described {
        columns,
        statistics,
    }))
}

/// The table's name, for the exact comparison, and the column.
fn source_column(row: Row) -> Result<(String, SourceColumn)> {
    type Line = (
        String,
        String,
        String,
        String,
        String,
        Option<u64>,
        Option<u64>,
        Option<u64>,
        Option<String>,
        Option<String>,
    );
    let (
        table,
        name,
        data_type,
        column_type,
        nullable,
        characters,
        precision,
        scale,
        charset,
        collation,
    ): Line = read(row)?;
    Ok((
        table,
        SourceColumn {
            name,
            data_type: data_type.to_ascii_lowercase(),
            column_type,
            nullable: nullable == "YES",
            characters,
            precision,
            scale,
            charset,
            collation,
        },
    ))
}

fn read<T: FromRow>(row: Row) -> Result<T> {
    from_row_opt(row).map_err(|FromRowError(row)| {
        Error::internal(format!(
            "a row of information_schema with {} unexpected columns",
            row.len()
        ))
    })
}
