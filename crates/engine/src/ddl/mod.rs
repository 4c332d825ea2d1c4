//! Statements that change what the server itself keeps: catalogs, views, comments.
//!
//! Each is one transaction of the metastore, takes effect at once, and is on the disk when the
//! client hears of it. They run one at a time.

mod catalog;
mod comment;
mod parse;
mod view;

use datafusion::sql::sqlparser::ast;
use inflowave_query_api::{Notice, Severity};
use inflowave_types::{Error, Result, Secret, SqlState};

pub(crate) use parse::{begins, parse};

use crate::authority::{Object as Granted, Privilege};
use crate::catalog::comment::Target;
use crate::catalog::{Catalogs, OWN, shown};
use crate::plan::Context;

/// What a dropped object does to the views that stand on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behavior {
    Restrict,
    Cascade,
}

/// `key = 'value'`, and where the key stands in the statement.
#[derive(Debug, Clone)]
pub(crate) struct Opt {
    pub key: String,
    /// It may be a secret that was given in clear.
    pub value: Secret,
    pub position: Option<u32>,
}

/// What a comment is on, by its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    Catalog,
    Table,
    View,
    Column,
}

#[derive(Debug, Clone)]
pub(crate) enum Statement {
    CreateCatalog {
        name: String,
        if_not_exists: bool,
        connector: String,
        options: Vec<Opt>,
    },
    AlterCatalog {
        name: String,
        options: Vec<Opt>,
    },
    RenameCatalog {
        name: String,
        to: String,
    },
    DropCatalog {
        name: String,
        if_exists: bool,
        behavior: Behavior,
    },
    RefreshCatalog {
        name: String,
    },
    CreateView {
        name: String,
        /// It is said to be in the session's database.
        of_database: bool,
        or_replace: bool,
        if_not_exists: bool,
        columns: Vec<String>,
        query: Box<ast::Statement>,
        text: String,
    },
    DropView {
        name: String,
        /// It is said to be in the session's database.
        of_database: bool,
        if_exists: bool,
        behavior: Behavior,
    },
    Comment {
        object: Object,
        path: Vec<String>,
        text: Option<String>,
    },
}

impl Statement {
    /// The command tag.
    pub fn tag(&self) -> &'static str {
        match self {
            Statement::CreateCatalog { .. } => "CREATE CATALOG",
            Statement::AlterCatalog { .. } | Statement::RenameCatalog { .. } => "ALTER CATALOG",
            Statement::DropCatalog { .. } => "DROP CATALOG",
            Statement::RefreshCatalog { .. } => "REFRESH CATALOG",
            Statement::CreateView { .. } => "CREATE VIEW",
            Statement::DropView { .. } => "DROP VIEW",
            Statement::Comment { .. } => "COMMENT",
        }
    }

    /// Its text for others to read. Where a secret may stand it is written anew, without.
    pub fn shown(&self, catalogs: &Catalogs, sql: &str) -> String {
        match self {
            Statement::CreateCatalog {
                name,
                if_not_exists,
                connector,
                options,
            } => format!(
                "CREATE CATALOG {}{} USING {}{}",
                if *if_not_exists { "IF NOT EXISTS " } else { "" },
                quoted(name),
                quoted(connector),
                match options.is_empty() {
                    true => String::new(),
                    false => format!(" WITH ({})", listed(catalogs, connector, options)),
                }
            ),
            Statement::AlterCatalog { name, options } => {
                let kept = catalogs.kept();
                let connector = kept.catalogs.get(name).map_or("", |c| &c.connector);
                format!(
                    "ALTER CATALOG {} SET ({})",
                    quoted(name),
                    listed(catalogs, connector, options)
                )
            }
            _ => sql.to_owned(),
        }
    }
}

/// `25001`: the sources and the metastore cannot be taken back with a transaction.
pub(crate) fn in_transaction(tag: &str) -> Error {
    Error::new(
        SqlState::ActiveSqlTransaction,
        format!("{tag} cannot run inside a transaction block"),
    )
    .with_hint("It takes effect at once and cannot be rolled back: send COMMIT or ROLLBACK first.")
}

/// May the current role do this?
///
/// # Errors
/// `42501`.
fn allowed(context: &Context, catalogs: &Catalogs, statement: &Statement) -> Result<()> {
    let authority = &context.shared.authority;
    let must_own = |what: String, owner: Option<String>| {
        let owned = owner.is_some_and(|owner| context.owns(&owner));
        match owned || !authority.restricts() || authority.is_superuser(&context.role) {
            true => Ok(()),
            false => Err(Error::new(
                SqlState::InsufficientPrivilege,
                format!("must be owner of {what}"),
            )),
        }
    };
    let of_catalog = |name: &str| must_own(format!("catalog {name}"), catalogs.owner(name));
    let of_view = |name: &str| must_own(format!("view {name}"), catalogs.view_owner(name));
    match statement {
        Statement::CreateCatalog { .. } => {
            let role = authority.role(&context.role);
            if role.is_some_and(|r| r.superuser || r.create_catalog) {
                return Ok(());
            }
            Err(Error::new(
                SqlState::InsufficientPrivilege,
                "permission denied to create catalog",
            )
            .with_hint("A role that may: ALTER ROLE .. CREATEDB."))
        }
        Statement::AlterCatalog { name, .. }
        | Statement::RenameCatalog { name, .. }
        | Statement::DropCatalog { name, .. }
        | Statement::RefreshCatalog { name } => of_catalog(name),
        Statement::CreateView {
            of_database: true, ..
        }
        | Statement::DropView {
            of_database: true, ..
        } if context.database != OWN => {
            let database = &context.database;
            let schema = crate::catalog::view::SCHEMA;
            Err(Error::unsupported(format!(
                "views are kept in the schema {OWN}.{schema}, not in {database}.{schema}"
            ))
            .with_hint(format!(
                "Write the view's name alone, or as {OWN}.{schema}.name."
            )))
        }
        Statement::CreateView { name, .. } => {
            let schema = Granted::Schema(OWN.to_owned(), crate::catalog::view::SCHEMA.to_owned());
            context.require(Privilege::Create, &schema)?;
            match catalogs.view_owner(name) {
                Some(_) => of_view(name),
                None => Ok(()),
            }
        }
        Statement::DropView { name, .. } => match catalogs.view_owner(name) {
            Some(_) => of_view(name),
            None => Ok(()),
        },
        Statement::Comment { object, path, .. } => match (object, path.as_slice()) {
            (Object::Catalog, [name]) => of_catalog(name),
            (Object::View, [.., name]) => of_view(name),
            _ => context.require_superuser("comment on what a source has"),
        },
    }
}

fn listed(catalogs: &Catalogs, connector: &str, options: &[Opt]) -> String {
    let descriptor = catalogs.opener().descriptor(connector);
    let options: Vec<String> = options
        .iter()
        .map(|o| {
            let spec = descriptor.and_then(|d| d.all_params().find(|s| s.name == o.key));
            let value = shown(spec, o.value.reveal()).replace('\'', "''");
            format!("{} = '{value}'", quoted(&o.key))
        })
        .collect();
    options.join(", ")
}

/// A name as SQL has it.
pub(crate) fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Runs a statement; called where planning is done.
///
/// # Errors
/// As each statement says. With an error nothing was changed.
pub(crate) async fn run(context: &Context, statement: &Statement) -> Result<()> {
    let catalogs = std::sync::Arc::clone(&context.shared.catalogs);
    allowed(context, &catalogs, statement)?;
    let turn = std::sync::Arc::clone(&catalogs.changing).lock_owned().await;
    if !matches!(statement, Statement::RefreshCatalog { .. }) {
        catalogs.writable()?;
    }
    // From here on it ends by itself, whether or not its client waits for it: what is on the disk
    // and what this process shows must not come apart.
    let io = context.shared.runtimes.io.clone();
    let change = match statement {
        Statement::CreateView {
            name,
            of_database: _,
            or_replace,
            if_not_exists,
            columns,
            query,
            text,
        } => {
            let kept = catalogs.kept();
            match kept.views.get(name) {
                Some(_) if *if_not_exists => {
                    let already = format!("relation \"{name}\" already exists, skipping");
                    skips(context, SqlState::DuplicateTable, already);
                    return Ok(());
                }
                Some(_) if !or_replace => return Err(view::exists(name)),
                _ => {}
            }
            let view = view::made(context, name, columns, query, text).await?;
            view::fits(&kept, &view)?;
            io.spawn(async move {
                let _turn = turn;
                view::put(&catalogs, view).await
            })
        }
        other => {
            let (context, other) = (context.clone(), other.clone());
            io.spawn(async move {
                let _turn = turn;
                changed(&context, &catalogs, other).await
            })
        }
    };
    change
        .await
        .unwrap_or_else(|_| Err(crate::run::died(context.query_id)))
}

async fn changed(context: &Context, catalogs: &Catalogs, statement: Statement) -> Result<()> {
    match statement {
        Statement::CreateCatalog {
            name,
            if_not_exists: true,
            ..
        } if catalogs.exists(&name).is_ok() => {
            let already = format!("catalog \"{name}\" already exists, skipping");
            skips(context, SqlState::DuplicateDatabase, already);
            Ok(())
        }
        Statement::DropCatalog {
            name,
            if_exists: true,
            ..
        } if catalogs.exists(&name).is_err() => {
            let missing = format!("catalog \"{name}\" does not exist, skipping");
            skips(context, SqlState::SuccessfulCompletion, missing);
            Ok(())
        }
        Statement::DropView {
            name,
            if_exists: true,
            ..
        } if !catalogs.kept().views.contains_key(&name) => {
            let missing = format!("view \"{name}\" does not exist, skipping");
            skips(context, SqlState::SuccessfulCompletion, missing);
            Ok(())
        }
        Statement::CreateCatalog {
            name,
            connector,
            options,
            ..
        } => catalog::create(catalogs, context, name, connector, options).await,
        Statement::AlterCatalog { name, options } => catalog::alter(catalogs, &name, options).await,
        Statement::RenameCatalog { name, to } => {
            catalog::rename(catalogs, context, &name, to).await
        }
        Statement::DropCatalog { name, behavior, .. } => {
            catalog::drop(catalogs, &name, behavior).await
        }
        Statement::RefreshCatalog { name } => catalogs.refresh(&name).await,
        Statement::DropView { name, behavior, .. } => view::drop(catalogs, &name, behavior).await,
        Statement::Comment { object, path, text } => {
            comment::put(context, catalogs, object, path, text).await
        }
        Statement::CreateView { .. } => Err(Error::internal("a view that was not planned")),
    }
}

/// Tells the client that `IF [NOT] EXISTS` has left nothing to do.
fn skips(context: &Context, sqlstate: SqlState, message: String) {
    context.tell([Notice {
        severity: Severity::Notice,
        sqlstate,
        message,
    }]);
}

/// The comment's place for a whole catalog.
fn whole(catalog: &str) -> Target {
    Target {
        catalog: catalog.to_owned(),
        schema: String::new(),
        relation: String::new(),
        column: String::new(),
    }
}
