//! `CREATE`, `ALTER` and `DROP CATALOG`.

use std::sync::Arc;
use std::time::Duration;

use inflowave_types::{Error, Result, SqlState};

use super::{Behavior, Opt};
use crate::catalog::store::{self, Params, Stored};
use crate::catalog::{Catalogs, OWN, Origin, SYSTEM, SourceCatalog, stood_on};
use crate::plan::Context;
use crate::suggest;

/// Opens the source, keeps it, and shows it. A source that is down is made all the same.
///
/// # Errors
/// `42P04`, `42704`, `22023` and `42501`, at the parameter where there is one; then nothing is kept.
pub(super) async fn create(
    catalogs: &Catalogs,
    context: &Context,
    name: String,
    connector: String,
    options: Vec<Opt>,
) -> Result<()> {
    catalogs.vacant(&name)?;
    catalogs.opener().connector(&connector)?;
    let stored = Stored {
        name,
        connector,
        params: Params::default(),
        owner: context.role.to_string(),
    };
    let stored = with(catalogs, stored, &options)?;
    let opened = catalogs.opener().open_stored(&stored).await?;
    catalogs
        .keep(move |t| store::put_catalog(t, &stored))
        .await?;
    show(catalogs, opened).await;
    Ok(())
}

/// # Errors
/// As [`create`]; `3D000`; `42501` for a catalog that SQL has not made.
pub(super) async fn alter(catalogs: &Catalogs, name: &str, options: Vec<Opt>) -> Result<()> {
    let stored = with(catalogs, made_by_sql(catalogs, name, "alter")?, &options)?;
    let opened = catalogs.opener().open_stored(&stored).await?;
    catalogs
        .keep(move |t| store::put_catalog(t, &stored))
        .await?;
    show(catalogs, opened).await;
    Ok(())
}

/// # Errors
/// `3D000`, `42P04`, `42501`; `2BP01` if views stand on it: they name it in their texts.
pub(super) async fn rename(
    catalogs: &Catalogs,
    context: &Context,
    name: &str,
    to: String,
) -> Result<()> {
    let stored = made_by_sql(catalogs, name, "rename")?;
    if name == to {
        return Ok(());
    }
    catalogs.vacant(&to)?;
    let views = catalogs.kept().standing(|u| u.catalog == name);
    if !views.is_empty() {
        return Err(stood_on(
            &format!("catalog \"{name}\""),
            "rename",
            &views,
            "Their texts hold the catalog's name: drop the views, rename, and make them again.",
        ));
    }
    let stored = Stored {
        name: to.clone(),
        ..stored
    };
    // Its source says the catalog's name in messages, so it is opened anew. One that cannot be
    // opened now keeps its reason under the new name.
    let opened = catalogs.opener().open_stored(&stored).await;
    let from = name.to_owned();
    let closed = stored.clone();
    let authority = Arc::clone(&context.shared.authority);
    catalogs
        .keep(move |t| {
            authority.renamed(t, &from, &to)?;
            store::rename_catalog(t, &from, &to)
        })
        .await?;
    catalogs.withdraw(name);
    match opened {
        Ok(opened) => show(catalogs, opened).await,
        Err(error) => catalogs.unavailable(closed, error),
    }
    Ok(())
}

/// # Errors
/// `3D000`, `42501`; `2BP01` naming the views that stand on it.
pub(super) async fn drop(catalogs: &Catalogs, name: &str, behavior: Behavior) -> Result<()> {
    made_by_sql(catalogs, name, "drop")?;
    let views = catalogs.kept().standing(|u| u.catalog == name);
    if behavior == Behavior::Restrict && !views.is_empty() {
        return Err(stood_on(
            &format!("catalog \"{name}\""),
            "drop",
            &views,
            "Use DROP CATALOG .. CASCADE to drop the views too.",
        ));
    }
    let dropped = name.to_owned();
    catalogs
        .keep(move |t| {
            for view in &views {
                store::drop_view(t, view)?;
            }
            store::drop_catalog(t, &dropped)
        })
        .await?;
    catalogs.withdraw(name);
    Ok(())
}

/// What is kept of a catalog that SQL has made.
fn made_by_sql(catalogs: &Catalogs, name: &str, verb: &str) -> Result<Stored> {
    catalogs.exists(name)?;
    let refused = |why: String| {
        Error::new(
            SqlState::InsufficientPrivilege,
            format!("cannot {verb} catalog \"{name}\": {why}"),
        )
    };
    match catalogs.origin(name) {
        Some(Origin::Sql) => {}
        Some(Origin::Configuration) => {
            let file = catalogs.config_file();
            return Err(refused(format!("it stands in {file}"))
                .with_hint("Change it there, and start the server again."));
        }
        None => {
            return Err(refused("it is the server's own".to_owned())
                .with_hint(format!("The catalogs {OWN} and {SYSTEM} are always there.")));
        }
    }
    let kept = catalogs.kept();
    kept.catalogs
        .get(name)
        .cloned()
        .ok_or_else(|| Error::internal("a catalog made by SQL that is not kept"))
}

/// `stored` with these options, each checked by itself so that its error has a position.
fn with(catalogs: &Catalogs, mut stored: Stored, options: &[Opt]) -> Result<Stored> {
    let opener = catalogs.opener();
    let descriptor = opener.connector(&stored.connector)?.descriptor();
    for option in options {
        let at = |e: Error| {
            let e = e.context(format!("catalog \"{}\"", stored.name));
            match option.position {
                Some(position) => e.with_position(position),
                None => e,
            }
        };
        let Some(spec) = descriptor.all_params().find(|s| s.name == option.key) else {
            let specs = descriptor.all_params();
            let names: Vec<String> = specs.map(|s| s.name.to_owned()).collect();
            let valid = format!("The valid parameters are: {}.", names.join(", "));
            return Err(at(Error::new(
                SqlState::InvalidParameterValue,
                format!("unknown parameter \"{}\"", option.key),
            )
            .with_hint(
                match suggest::nearest(&option.key, names.iter().map(String::as_str)) {
                    Some(near) => format!("Perhaps you meant \"{near}\". {valid}"),
                    None => valid,
                },
            )));
        };
        let text = option.value.reveal();
        opener
            .policy
            .resolve(Some(spec), &option.key, text)
            .map_err(at)?;
        stored.params.0.insert(option.key.clone(), text.to_owned());
    }
    Ok(stored)
}

/// From now on it can be queried; whether its source is there is asked at once.
async fn show(catalogs: &Catalogs, opened: SourceCatalog) {
    let asked = opened.clone();
    catalogs.publish(opened);
    asked.probe(Duration::ZERO).await;
}
