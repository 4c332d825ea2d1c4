//! `CREATE VIEW` and `DROP VIEW`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement as Ast, Visit, Visitor};
use inflowave_federation::Pushdown;
use inflowave_types::{Error, Result, SqlState};

use super::Behavior;
use crate::catalog::view::{SCHEMA, Used, View, ViewColumn};
use crate::catalog::{Catalogs, Kept, OWN, stood_on, store};
use crate::plan::Context;
use crate::run;
use crate::show::type_name;
use crate::suggest;
use crate::views;

/// `42P07`.
pub(super) fn exists(name: &str) -> Error {
    Error::new(
        SqlState::DuplicateTable,
        format!("relation \"{name}\" already exists"),
    )
    .with_hint("Use CREATE OR REPLACE VIEW to put another query in its place.")
}

/// Plans the query as if it ran, and takes down what it gives and what it stands on.
///
/// # Errors
/// Those of the query; `42601` for more names than columns, `42701` for a name that stands twice.
pub(super) async fn made(
    context: &Context,
    name: &str,
    names: &[String],
    query: &Ast,
    text: &str,
) -> Result<View> {
    let pushdown = run::first(context.settings.pushdown());
    // A view has no parameters: one that stands in it is an error.
    inflowave_pg_semantics::parameters::bind(&mut query.clone(), &[])?;
    looked_up_alike(context, query).await?;
    let planned = context.plan(query.clone(), pushdown).await?;
    let fields = planned.schema.fields();
    if names.len() > fields.len() {
        return Err(Error::new(
            SqlState::SyntaxError,
            "CREATE VIEW specifies more column names than columns",
        )
        .with_hint(format!("The query has {} columns.", fields.len())));
    }
    let starred = views::star_on_top(query);
    let mut columns: Vec<ViewColumn> = Vec::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        let column = names.get(index).unwrap_or_else(|| field.name());
        // Behind a star a column is found by the query's name for it.
        let twice = |c: &ViewColumn| c.name == *column || (starred && c.output == *field.name());
        if columns.iter().any(twice) {
            return Err(Error::new(
                SqlState::DuplicateColumn,
                format!("column \"{column}\" specified more than once"),
            )
            .with_hint("Give each column of the query a name of its own with AS."));
        }
        columns.push(ViewColumn {
            name: column.clone(),
            output: field.name().clone(),
            type_name: type_name(field),
        });
    }
    Ok(View {
        name: name.to_owned(),
        query: text.to_owned(),
        default_catalog: context.database.clone(),
        owner: context.role.to_string(),
        columns,
        used: used(context, query).await?,
    })
}

/// The names of a view are looked up in the default schema of its catalog, whenever it is read: they
/// must mean that now, too.
async fn looked_up_alike(context: &Context, query: &Ast) -> Result<()> {
    if context.settings.search_path().is_none() {
        return Ok(());
    }
    let mut plain = context.clone();
    plain.settings.without_own_path();
    let now = context.ready(query.clone(), Pushdown::Off).await?;
    let later = plain.ready(query.clone(), Pushdown::Off).await?;
    if now.found == later.found {
        return Ok(());
    }
    Err(
        Error::unsupported("a view with names that only search_path finds is not supported")
            .with_hint("Write the schema before the name of each table."),
    )
}

/// The relations whose names stand in the query, with the columns that it needs of each.
async fn used(context: &Context, query: &Ast) -> Result<Vec<Used>> {
    let catalogs = &context.shared.catalogs;
    let needed = context.needed(query).await?;
    let whole = takes_whole(query);
    let mut used = Vec::with_capacity(needed.len());
    for ([catalog, schema, relation], columns) in needed {
        let mut all = catalogs
            .columns(&catalog, &schema, &relation)
            .await?
            .unwrap_or_default();
        if !whole {
            all.retain(|(name, _)| columns.contains(name));
        }
        used.push(Used {
            catalog,
            schema,
            relation,
            whole,
            columns: all,
        });
    }
    Ok(used)
}

/// Does the text take all columns of a relation in a place where one more would change what it
/// means? At the top a `*` is harmless: the view's columns are found by name.
fn takes_whole(query: &Ast) -> bool {
    #[derive(Default)]
    struct Look {
        queries: usize,
    }
    impl Visitor for Look {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            self.queries += 1;
            let top = self.queries == 1 && matches!(query.body.as_ref(), SetExpr::Select(_));
            if whole_body(&query.body, top) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }
    }
    query.visit(&mut Look::default()).is_break()
        // The word in a text only makes the check stricter.
        || query.to_string().to_uppercase().contains("NATURAL")
}

fn whole_body(body: &SetExpr, top: bool) -> bool {
    match body {
        SetExpr::Select(select) => !top && select.projection.iter().any(views::is_star),
        SetExpr::SetOperation { left, right, .. } => {
            whole_body(left, false) || whole_body(right, false)
        }
        SetExpr::Table(_) => true,
        // Its query is visited by itself.
        _ => false,
    }
}

/// Does the view fit to those that are there?
///
/// # Errors
/// `42P17` for one that would stand on itself; `42P16` if views stand on the one that it replaces
/// and need a column of it that is no longer so.
pub(super) fn fits(kept: &Kept, view: &View) -> Result<()> {
    let on_it = kept.standing(|u| u.is_view(&view.name));
    if let Some(between) = on_it
        .iter()
        .chain([&view.name])
        .find(|name| view.used.iter().any(|u| u.is_view(name)))
    {
        return Err(Error::new(
            SqlState::InvalidObjectDefinition,
            format!("view \"{}\" would stand on itself", view.name),
        )
        .with_detail(format!(
            "Its query reads inflowave.public.{between}, which is or stands on the view."
        ))
        .with_hint("Take that view out of the query."));
    }
    let Some(old) = kept.views.get(&view.name).filter(|_| !on_it.is_empty()) else {
        return Ok(());
    };
    for column in &old.columns {
        let now = view.columns.iter().find(|c| c.name == column.name);
        let wrong = match now {
            None => format!(
                "cannot drop column \"{}\" of view \"{}\"",
                column.name, view.name
            ),
            Some(now) if now.type_name != column.type_name => format!(
                "cannot change the type of column \"{}\" of view \"{}\" from {} to {}",
                column.name, view.name, column.type_name, now.type_name
            ),
            Some(_) => continue,
        };
        return Err(Error::new(SqlState::InvalidTableDefinition, wrong)
            .with_detail(format!("Views stand on it: {}.", on_it.join(", ")))
            .with_hint("Drop them first, or keep the column as it is."));
    }
    Ok(())
}

pub(super) async fn put(catalogs: &Catalogs, view: View) -> Result<()> {
    catalogs.keep(move |t| store::put_view(t, &view)).await
}

/// # Errors
/// `42P01`; `2BP01` naming the views that stand on it.
pub(super) async fn drop(catalogs: &Catalogs, name: &str, behavior: Behavior) -> Result<()> {
    let kept = catalogs.kept();
    if !kept.views.contains_key(name) {
        let names: Vec<String> = kept.views.keys().cloned().collect();
        return Err(Error::new(
            SqlState::UndefinedTable,
            format!("view \"{OWN}.{SCHEMA}.{name}\" does not exist"),
        )
        .with_hint(suggest::hint("view", name, &names)));
    }
    let on_it = kept.standing(|u| u.is_view(name));
    if behavior == Behavior::Restrict && !on_it.is_empty() {
        return Err(stood_on(
            &format!("view \"{name}\""),
            "drop",
            &on_it,
            "Use DROP VIEW .. CASCADE to drop them too.",
        ));
    }
    let name = name.to_owned();
    catalogs
        .keep(move |t| {
            for view in on_it.iter().chain([&name]) {
                store::drop_view(t, view)?;
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::{dialect::PostgreSqlDialect, parser::Parser};

    #[test]
    fn a_star_counts_where_one_more_column_would_change_the_meaning() {
        for (sql, wanted) in [
            ("select * from t", false),
            ("select t.*, 1 as x from t", false),
            ("select count(*) from t", false),
            ("select * from (select a from t) s", false),
            ("select a from (select * from t) s", true),
            ("with c as (select * from t) select a from c", true),
            ("select * from t union all select * from u", true),
            ("select a from t where exists (select * from u)", true),
            ("select a from t natural join u", true),
        ] {
            let parsed = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap();
            assert_eq!(takes_whole(&parsed[0]), wanted, "{sql}");
        }
    }
}
