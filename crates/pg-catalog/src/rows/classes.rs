//! Schemas, tables, views and their columns, as `pg_catalog` has them.

use std::collections::HashMap;

use inflowave_engine::Object;
use inflowave_types::Result;

use super::Wanted;
use super::acl;
use crate::SCHEMAS;
use crate::data;
use crate::oid;
use crate::snapshot::{Class, Snapshot};
use crate::value::{Rows, Value};

pub(super) async fn namespaces(rows: &mut Rows, catalog: &str, snapshot: &Snapshot) -> Result<()> {
    for namespace in &snapshot.names(catalog).await?.namespaces {
        rows.push([
            ("oid", namespace.oid.into()),
            ("nspname", namespace.name.as_str().into()),
            ("nspowner", oid::OWNER.into()),
            (
                "nspacl",
                acl::of(
                    snapshot,
                    &Object::Schema(catalog.to_owned(), namespace.name.clone()),
                ),
            ),
        ]);
    }
    Ok(())
}

pub(super) async fn classes(
    rows: &mut Rows,
    catalog: &str,
    snapshot: &Snapshot,
    wanted: &Wanted,
) -> Result<()> {
    let names = snapshot.names(catalog).await?;
    // Columns are asked for only where somebody wants their number.
    let columns = if wanted.column("relnatts") {
        let all: Vec<&Class> = names.classes.iter().collect();
        snapshot.columns(catalog, &all).await?
    } else {
        HashMap::new()
    };
    for class in &names.classes {
        let count = columns.get(&class.oid).map_or(0, |c| c.len());
        let is_view = class.kind == "v";
        let path = [catalog.to_owned(), class.schema.clone(), class.name.clone()];
        rows.push([
            ("relacl", acl::of(snapshot, &Object::Relation(path))),
            ("oid", class.oid.into()),
            ("relname", class.name.as_str().into()),
            ("relnamespace", class.namespace.into()),
            (
                "relowner",
                oid::role(&snapshot.owner(catalog, class)).into(),
            ),
            // Never counted.
            ("reltuples", Value::Float(-1.0)),
            ("relpersistence", "p".into()),
            ("relkind", class.kind.into()),
            ("relnatts", i16::try_from(count).unwrap_or(i16::MAX).into()),
            ("relispopulated", true.into()),
            (
                "relreplident",
                if is_view || class.own.is_some() {
                    "n"
                } else {
                    "d"
                }
                .into(),
            ),
        ]);
    }
    Ok(())
}

pub(super) async fn attributes(
    rows: &mut Rows,
    catalog: &str,
    snapshot: &Snapshot,
    wanted: &Wanted,
) -> Result<()> {
    let names = snapshot.names(catalog).await?;
    let classes: Vec<&Class> = names.classes.iter().filter(|c| wanted.class(c)).collect();
    let columns = snapshot.columns(catalog, &classes).await?;
    for class in classes {
        let Some(columns) = columns.get(&class.oid) else {
            continue;
        };
        let of_column = |column: &str| {
            let path = [catalog.to_owned(), class.schema.clone(), class.name.clone()];
            Object::Column(path, column.to_owned())
        };
        for (column, number) in columns.iter().zip(1_i16..) {
            let spec = data::type_of_oid(column.type_oid);
            let is_array = spec.is_some_and(|t| t.element != 0 && t.name.starts_with('_'));
            rows.push([
                ("attrelid", class.oid.into()),
                ("attname", column.name.as_str().into()),
                ("atttypid", column.type_oid.into()),
                ("attstattarget", (-1).into()),
                ("attlen", spec.map_or(-1, |t| t.len).into()),
                ("attnum", number.into()),
                ("attndims", i32::from(is_array).into()),
                ("attcacheoff", (-1).into()),
                ("atttypmod", column.typmod.into()),
                ("attbyval", spec.is_some_and(|t| t.by_value).into()),
                ("attalign", spec.map_or("i", |t| t.align).into()),
                ("attstorage", spec.map_or("x", |t| t.storage).into()),
                ("attnotnull", column.not_null.into()),
                ("attislocal", true.into()),
                ("attcollation", column.collation.into()),
                ("attacl", acl::of(snapshot, &of_column(&column.name))),
            ]);
        }
    }
    Ok(())
}

pub(super) async fn descriptions(
    rows: &mut Rows,
    catalog: &str,
    snapshot: &Snapshot,
) -> Result<()> {
    let comments = snapshot.comments().iter();
    let comments: Vec<_> = comments
        .filter(|c| c.catalog == catalog && !c.relation.is_empty())
        .collect();
    if comments.is_empty() {
        return Ok(());
    }
    let names = snapshot.names(catalog).await?;
    let commented = comments.iter().filter(|c| !c.column.is_empty());
    let commented: Vec<&Class> = commented
        .filter_map(|c| names.class_named(&c.schema, &c.relation))
        .collect();
    let columns = snapshot.columns(catalog, &commented).await?;
    for comment in comments {
        let Some(class) = names.class_named(&comment.schema, &comment.relation) else {
            continue;
        };
        let number = match comment.column.as_str() {
            "" => Some(0),
            name => {
                let columns = columns.get(&class.oid);
                let place = columns.and_then(|c| c.iter().position(|a| a.name == name));
                place.and_then(|i| i32::try_from(i + 1).ok())
            }
        };
        let Some(number) = number else { continue };
        rows.push([
            ("objoid", class.oid.into()),
            ("classoid", oid::CLASS_PG_CLASS.into()),
            ("objsubid", number.into()),
            ("description", comment.text.as_str().into()),
        ]);
    }
    Ok(())
}

pub(super) async fn tables(rows: &mut Rows, catalog: &str, snapshot: &Snapshot) -> Result<()> {
    let names = snapshot.names(catalog).await?;
    for class in names.classes.iter().filter(|c| c.kind == "r") {
        rows.push([
            ("schemaname", class.schema.as_str().into()),
            ("tablename", class.name.as_str().into()),
            ("tableowner", snapshot.owner(catalog, class).into()),
            ("hasindexes", false.into()),
            ("hasrules", false.into()),
            ("hastriggers", false.into()),
            ("rowsecurity", false.into()),
        ]);
    }
    Ok(())
}

pub(super) async fn views(rows: &mut Rows, catalog: &str, snapshot: &Snapshot) -> Result<()> {
    let names = snapshot.names(catalog).await?;
    for class in names.classes.iter().filter(|c| c.kind == "v") {
        rows.push([
            ("schemaname", class.schema.as_str().into()),
            ("viewname", class.name.as_str().into()),
            ("viewowner", snapshot.owner(catalog, class).into()),
            ("definition", definition(snapshot, class).into()),
        ]);
    }
    Ok(())
}

/// The query of a view of the server; those of `pg_catalog` have none.
pub(crate) fn definition(snapshot: &Snapshot, class: &Class) -> Option<String> {
    if class.kind != "v" || SCHEMAS.contains(&class.schema.as_str()) {
        return None;
    }
    snapshot.view.catalogs().view_query(&class.name)
}
