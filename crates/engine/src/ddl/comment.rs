//! `COMMENT ON`.

use datafusion::common::TableReference;
use inflowave_types::{Error, Result, SqlState};

use super::{Object, whole};
use crate::catalog::comment::Target;
use crate::catalog::{Catalogs, store, view};
use crate::plan::Context;
use crate::suggest;

/// # Errors
/// `3D000`, `3F000`, `42P01`, `42703`; `42809` for a table that is a view, and the reverse; the
/// source's own.
pub(super) async fn put(
    context: &Context,
    catalogs: &Catalogs,
    object: Object,
    mut path: Vec<String>,
    text: Option<String>,
) -> Result<()> {
    let target = match object {
        Object::Catalog => {
            let name = path.pop().unwrap_or_default();
            catalogs.exists(&name)?;
            whole(&name)
        }
        Object::Column => {
            let column = path.pop().unwrap_or_default();
            let target = relation(context, catalogs, path, object).await?;
            has_column(catalogs, &target, &column).await?;
            Target { column, ..target }
        }
        Object::Table | Object::View => relation(context, catalogs, path, object).await?,
    };
    let word = match object {
        Object::Catalog => "catalog",
        Object::Table => "table",
        Object::View => "view",
        Object::Column => "column",
    };
    catalogs
        .keep(move |t| store::put_comment(t, word, &target, text.as_deref()))
        .await
}

async fn relation(
    context: &Context,
    catalogs: &Catalogs,
    path: Vec<String>,
    object: Object,
) -> Result<Target> {
    let reference = match path.as_slice() {
        // A view's name alone means the place where views are.
        [v] if object == Object::View => {
            TableReference::full("inflowave", view::SCHEMA, v.as_str())
        }
        [t] => TableReference::bare(t.as_str()),
        [s, t] => TableReference::partial(s.as_str(), t.as_str()),
        [c, s, t] => TableReference::full(c.as_str(), s.as_str(), t.as_str()),
        _ => return Err(Error::internal("a name of no part or of too many")),
    };
    catalogs.check(&context.database, &reference).await?;
    let catalog = reference.catalog().unwrap_or(&context.database);
    let default = catalogs.default_schema(catalog);
    let target = Target {
        catalog: catalog.to_owned(),
        schema: reference.schema().unwrap_or(&default).to_owned(),
        relation: reference.table().to_owned(),
        column: String::new(),
    };
    let is_view = catalogs
        .view_columns(&target.catalog, &target.schema, &target.relation)
        .is_some();
    let wrong = match object {
        Object::Table if is_view => Some(("a table", "VIEW")),
        Object::View if !is_view => Some(("a view", "TABLE")),
        _ => None,
    };
    match wrong {
        None => Ok(target),
        Some((what, word)) => Err(Error::new(
            SqlState::WrongObjectType,
            format!("\"{}\" is not {what}", target.relation),
        )
        .with_hint(format!("Use COMMENT ON {word}."))),
    }
}

async fn has_column(catalogs: &Catalogs, target: &Target, column: &str) -> Result<()> {
    let columns = catalogs
        .columns(&target.catalog, &target.schema, &target.relation)
        .await?
        .unwrap_or_default();
    if columns.iter().any(|(name, _)| name == column) {
        return Ok(());
    }
    let names: Vec<String> = columns.into_iter().map(|(name, _)| name).collect();
    Err(Error::new(
        SqlState::UndefinedColumn,
        format!(
            "column \"{column}\" of relation \"{}\" does not exist",
            target.relation
        ),
    )
    .with_hint(suggest::hint("column", column, &names)))
}
