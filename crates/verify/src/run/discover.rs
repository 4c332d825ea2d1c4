//! The tables to ask of: found, measured, and a sample of their values taken.

use std::sync::Arc;
use std::time::Instant;

use inflowave_types::{Error, Result, SqlState};

use crate::generate::render::quoted;
use crate::table::{Keep, Learner, Table};

use super::side::Asker;
use super::types::ty_of;
use super::{Options, Report};

/// The server's own catalogs: views of its users, and itself.
const OWN_CATALOGS: [&str; 2] = ["inflowave", "system"];
/// Schemas that describe others.
const OWN_SCHEMAS: [&str; 2] = ["information_schema", "pg_catalog"];
/// Tables of one run; what is kept of each is some hundred kilobytes at most.
const TABLES_MAX: usize = 200;
/// Columns of a table that are read; the rest is left out.
const COLUMNS_MAX: usize = 64;

struct Path {
    catalog: String,
    schema: String,
    table: String,
}

impl Path {
    fn shown(&self) -> String {
        format!("{}.{}.{}", self.catalog, self.schema, self.table)
    }

    fn quoted(&self) -> String {
        [&self.catalog, &self.schema, &self.table]
            .map(|part| quoted(part))
            .join(".")
    }

    /// Whether a user who writes `name` means it.
    fn is_called(&self, name: &str) -> bool {
        name == self.table
            || name == format!("{}.{}", self.schema, self.table)
            || name == self.shown()
    }
}

/// The tables to ask of. Those left out are in the report, with the reason.
///
/// # Errors
/// `3D000` and `42P01` for a catalog or table of the options that is not there; the error of a
/// catalog that is named and cannot be read.
pub(super) async fn tables(
    asker: &mut Asker<'_>,
    options: &Options,
    deadline: Instant,
    report: &mut Report,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Arc<Table>>> {
    let paths = paths(asker, options, report).await?;
    let with = asker
        .column("SELECT source FROM system.runtime.sources WHERE snapshots")
        .await?;
    let mut tables = Vec::new();
    for (n, path) in paths.iter().enumerate() {
        let shown = path.shown();
        if tables.len() >= TABLES_MAX || Instant::now() >= deadline {
            let why = match tables.len() >= TABLES_MAX {
                true => format!(
                    "{TABLES_MAX} tables are enough for one run; choose others with --table"
                ),
                false => "the time was over before they were read".to_owned(),
            };
            report.left_out(
                format!("{} more tables, from {shown}", paths.len() - n),
                why,
            );
            break;
        }
        progress(&format!("reading {shown} ({} of {})", n + 1, paths.len()));
        match learn(asker, path, options, report).await {
            Ok(Learned::Table(table)) => {
                report.table(&table, with.contains(&table.catalog));
                tables.push(Arc::new(*table));
            }
            Ok(Learned::LeftOut(why)) => report.left_out(shown, why),
            Err(error) => report.left_out(
                shown,
                format!("cannot be read: {}: {}", error.sqlstate(), error.message()),
            ),
        }
    }
    Ok(tables)
}

/// Every table that the options allow, in the order of names.
async fn paths(asker: &mut Asker<'_>, options: &Options, report: &mut Report) -> Result<Vec<Path>> {
    let there = asker.column("SHOW CATALOGS").await?;
    if let Some(missing) = options.catalogs.iter().find(|c| !there.contains(c)) {
        let error = Error::new(
            SqlState::InvalidCatalogName,
            format!("catalog \"{missing}\" does not exist"),
        );
        return Err(error.with_hint(format!("The catalogs are: {}.", there.join(", "))));
    }
    let named = !options.catalogs.is_empty();
    let wanted = there.into_iter().filter(|c| match named {
        true => options.catalogs.contains(c),
        false => !OWN_CATALOGS.contains(&c.as_str()),
    });
    let mut paths = Vec::new();
    for catalog in wanted {
        match of_catalog(asker, &catalog).await {
            Ok(found) => paths.extend(found),
            Err(error) if named => return Err(error),
            Err(error) => report.left_out(
                format!("catalog {catalog}"),
                format!("cannot be read: {}: {}", error.sqlstate(), error.message()),
            ),
        }
    }
    if let Some(missing) = options
        .tables
        .iter()
        .find(|name| !paths.iter().any(|p| p.is_called(name)))
    {
        let some: Vec<String> = paths.iter().take(20).map(Path::shown).collect();
        let error = Error::new(
            SqlState::UndefinedTable,
            format!("table \"{missing}\" does not exist"),
        );
        return Err(error.with_hint(format!("Some of the tables are: {}.", some.join(", "))));
    }
    if !options.tables.is_empty() {
        paths.retain(|p| options.tables.iter().any(|name| p.is_called(name)));
    }
    paths.sort_by_key(Path::shown);
    Ok(paths)
}

async fn of_catalog(asker: &mut Asker<'_>, catalog: &str) -> Result<Vec<Path>> {
    let mut paths = Vec::new();
    let schemas = format!("SHOW SCHEMAS FROM {}", quoted(catalog));
    for schema in asker.column(&schemas).await? {
        if OWN_SCHEMAS.contains(&schema.as_str()) {
            continue;
        }
        let tables = format!("SHOW TABLES FROM {}.{}", quoted(catalog), quoted(&schema));
        paths.extend(asker.column(&tables).await?.into_iter().map(|table| Path {
            catalog: catalog.to_owned(),
            schema: schema.clone(),
            table,
        }));
    }
    Ok(paths)
}

enum Learned {
    Table(Box<Table>),
    LeftOut(String),
}

/// Reads a table once, at most one row more than the limit.
async fn learn(
    asker: &mut Asker<'_>,
    path: &Path,
    options: &Options,
    report: &mut Report,
) -> Result<Learned> {
    let schema = asker
        .schema(&format!("SELECT * FROM {}", path.quoted()))
        .await?;
    let Some(schema) = schema else {
        return Ok(Learned::LeftOut("has no columns".to_owned()));
    };
    let mut columns = Vec::new();
    for field in schema.fields() {
        match ty_of(field) {
            Ok(_) if columns.len() >= COLUMNS_MAX => {
                report.left_out_column(&format!("beyond the first {COLUMNS_MAX}"));
            }
            Ok(ty) => columns.push((field.name().clone(), ty)),
            Err(name) => report.left_out_column(&format!("of type {name}")),
        }
    }
    if columns.is_empty() {
        return Ok(Learned::LeftOut(
            "has no column of a type that is asked of".to_owned(),
        ));
    }
    let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
    let mut learner = Learner::new(columns, Keep::Sample);
    let rows_max = options.rows_max;
    let sql = format!(
        "SELECT {} FROM {} LIMIT {}",
        names.join(", "),
        path.quoted(),
        rows_max.saturating_add(1)
    );
    let whole = asker
        .rows(&sql, rows_max, &mut |row| learner.row(row))
        .await?;
    Ok(match whole {
        true => Learned::Table(Box::new(learner.finish(
            &path.catalog,
            &path.schema,
            &path.table,
        ))),
        false => Learned::LeftOut(format!("has more than {rows_max} rows (--max-rows)")),
    })
}
