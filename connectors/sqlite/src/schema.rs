//! Tables, columns and statistics, read from the file at each call.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use inflowave_connector_api::{Collation, RemoteColumn, TableStatistics};
use inflowave_types::PgType;
use rusqlite::{Connection, OptionalExtension, Result};

use crate::types::{self, Mapped};

/// The only schema: what is attached is not visible, and nothing is attached.
pub const SCHEMA: &str = "main";

/// Names of tables, virtual tables and views, without SQLite's own and those that keep the insides
/// of virtual tables.
pub fn tables(connection: &Connection) -> Result<Vec<String>> {
    connection
        .prepare_cached(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' \
             AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             ORDER BY name",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// What the file says of a table or view.
pub struct Described {
    pub columns: Vec<RemoteColumn>,
    /// For each column whether it is read by the text of its values, whatever their class.
    pub any_class: Vec<bool>,
    pub statistics: TableStatistics,
    /// Texts are ordered by the bytes of UTF-16.
    pub is_utf16: bool,
}

/// A table or view, `None` if there is none of that name.
pub fn table(connection: &Connection, table: &str) -> Result<Option<Described>> {
    let Some(kind) = kind(connection, table)? else {
        return Ok(None);
    };
    let rows = match row_estimate(connection, table)? {
        None if kind.has_rowid => greatest_rowid(connection, table)?,
        estimate => estimate,
    };
    let statistics = TableStatistics { rows, bytes: None };
    let is_utf16 = connection.query_row("PRAGMA encoding", [], |row| {
        Ok(row.get::<_, String>(0)? != "UTF-8")
    })?;
    let columns = columns(connection, table, &kind, is_utf16)?;
    let any_class = columns
        .iter()
        .map(|c| types::map(&c.native_type).any_class)
        .collect();
    Ok(Some(Described {
        columns,
        any_class,
        statistics,
        is_utf16,
    }))
}

struct Kind {
    strict: bool,
    is_view: bool,
    has_rowid: bool,
}

fn kind(connection: &Connection, table: &str) -> Result<Option<Kind>> {
    connection
        .prepare_cached(
            "SELECT type, wr, strict FROM pragma_table_list WHERE schema = 'main' \
             AND type IN ('table', 'view', 'virtual') AND name = ?1 \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )?
        .query_row([table], |row| {
            let kind: String = row.get(0)?;
            Ok(Kind {
                strict: row.get(2)?,
                is_view: kind == "view",
                has_rowid: kind == "table" && !row.get::<_, bool>(1)?,
            })
        })
        .optional()
}

fn columns(
    connection: &Connection,
    table: &str,
    kind: &Kind,
    is_utf16: bool,
) -> Result<Vec<RemoteColumn>> {
    let declared: Vec<Declared> = connection
        .prepare_cached(
            "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1, 'main') \
             WHERE hidden <> 1 ORDER BY cid",
        )?
        .query_map([table], |row| {
            Ok(Declared {
                name: row.get(0)?,
                native_type: row.get(1)?,
                not_null: row.get(2)?,
                key: row.get(3)?,
            })
        })?
        .collect::<Result<_>>()?;
    let rowid = rowid_alias(connection, table, kind, &declared)?;
    declared
        .into_iter()
        .map(|column| {
            let is_rowid = rowid.as_deref() == Some(column.name.as_str());
            let mapped = types::map(&column.native_type);
            Ok(RemoteColumn {
                collation: collation(connection, table, kind, &column.name, &mapped, is_utf16)?,
                strictly_typed: is_rowid || (kind.strict && !mapped.any_class),
                field: field(&column, mapped, is_rowid, kind),
                native_type: column.native_type,
            })
        })
        .collect()
}

struct Declared {
    name: String,
    native_type: String,
    not_null: bool,
    /// Its place in the primary key from 1, or 0.
    key: u32,
}

fn field(column: &Declared, mapped: Mapped, is_rowid: bool, kind: &Kind) -> Arc<Field> {
    // SQLite reports for a view what it knows of the column behind it, but an outer join can make
    // NULLs of it.
    let nullable = kind.is_view || !(column.not_null || is_rowid);
    let mut metadata = std::collections::HashMap::new();
    if let Some(pg_type) = mapped.pg_type {
        metadata.insert(PgType::KEY.to_owned(), pg_type.to_string());
    }
    Arc::new(Field::new(&column.name, mapped.data_type, nullable).with_metadata(metadata))
}

/// The column that is another name of the rowid, so that SQLite lets only integers into it: an
/// `INTEGER PRIMARY KEY` for which no index was made (one is made for `INTEGER PRIMARY KEY DESC`).
fn rowid_alias(
    connection: &Connection,
    table: &str,
    kind: &Kind,
    columns: &[Declared],
) -> Result<Option<String>> {
    let mut keys = columns.iter().filter(|c| c.key > 0);
    let (Some(key), None, true) = (keys.next(), keys.next(), kind.has_rowid) else {
        return Ok(None);
    };
    if !key.native_type.eq_ignore_ascii_case("INTEGER") {
        return Ok(None);
    }
    let indexes: i64 = connection
        .prepare_cached("SELECT count(*) FROM pragma_index_list(?1, 'main') WHERE origin = 'pk'")?
        .query_row([table], |row| row.get(0))?;
    Ok((indexes == 0).then(|| key.name.clone()))
}

fn collation(
    connection: &Connection,
    table: &str,
    kind: &Kind,
    column: &str,
    mapped: &Mapped,
    is_utf16: bool,
) -> Result<Collation> {
    if mapped.data_type != DataType::Utf8View {
        return Ok(Collation::NotText);
    }
    let blanks = matches!(mapped.pg_type, Some(PgType::Bpchar(_)));
    if kind.is_view || blanks || mapped.any_class {
        return Ok(Collation::Unknown);
    }
    let (_, sequence, ..) = connection.column_metadata(Some(SCHEMA), table, column)?;
    Ok(match sequence.and_then(|s| s.to_str().ok()) {
        Some(s) if s.eq_ignore_ascii_case("BINARY") && !is_utf16 => Collation::Binary,
        // UTF-16 is compared by its bytes: equality is ours, order is not.
        Some(s) if s.eq_ignore_ascii_case("BINARY") => Collation::Deterministic,
        Some(s) if s.eq_ignore_ascii_case("NOCASE") || s.eq_ignore_ascii_case("RTRIM") => {
            Collation::Loose
        }
        _ => Collation::Unknown,
    })
}

/// What `ANALYZE` has written down: the first number of an index's or table's statistics.
fn row_estimate(connection: &Connection, table: &str) -> Result<Option<u64>> {
    let analyzed: bool = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'",
        [],
        |row| row.get(0),
    )?;
    if !analyzed {
        return Ok(None);
    }
    let stat: Option<Option<String>> = connection
        .prepare_cached("SELECT stat FROM sqlite_stat1 WHERE tbl = ?1 ORDER BY idx LIMIT 1")?
        .query_row([table], |row| row.get(0))
        .optional()?;
    Ok(stat
        .flatten()
        .and_then(|s| s.split(' ').next()?.parse().ok()))
}

/// One look at the right edge of the table's tree.
fn greatest_rowid(connection: &Connection, table: &str) -> Result<Option<u64>> {
    // `rowid`, `_rowid_` and `oid` all can be names of columns; then nothing is known.
    let sql = format!("SELECT max(rowid) FROM main.{}", quoted(table));
    let greatest: rusqlite::types::Value = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(match greatest {
        rusqlite::types::Value::Integer(n) => Some(u64::try_from(n).unwrap_or(0)),
        rusqlite::types::Value::Null => Some(0),
        _ => None,
    })
}

/// A name as it stands in SQL.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
