//! What is kept of catalogs, views and comments: the engine's tables in the metastore.
//!
//! Parameters are kept as they were written, so that a secret is there as its reference.

use std::collections::BTreeMap;

use inflowave_metastore::{Domain, Row, Transaction};
use inflowave_types::{Error, Result};
use serde_json::{Value, json};

use super::comment::{Comment, Target};
use super::view::{Used, View, ViewColumn};

/// The tables of this domain, by version.
pub(crate) const DOMAIN: Domain = Domain {
    name: "catalog",
    migrations: &[
        "CREATE TABLE catalog (
        name TEXT NOT NULL PRIMARY KEY,
        connector TEXT NOT NULL,
        params TEXT NOT NULL
    ) STRICT;
    CREATE TABLE view (
        name TEXT NOT NULL PRIMARY KEY,
        query TEXT NOT NULL,
        default_catalog TEXT NOT NULL,
        columns TEXT NOT NULL,
        used TEXT NOT NULL
    ) STRICT;
    CREATE TABLE comment (
        object_type TEXT NOT NULL,
        catalog TEXT NOT NULL,
        schema TEXT NOT NULL,
        relation TEXT NOT NULL,
        column_name TEXT NOT NULL,
        comment TEXT NOT NULL,
        PRIMARY KEY (catalog, schema, relation, column_name)
    ) STRICT;",
        "ALTER TABLE catalog ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    ALTER TABLE view ADD COLUMN owner TEXT NOT NULL DEFAULT '';",
    ],
};

/// A catalog that was made by SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub name: String,
    pub connector: String,
    /// As written: references are not resolved.
    pub params: Params,
    /// The role that made it.
    pub owner: String,
}

/// Key to text. Its `Debug` shows the keys: a text may be a secret, where that is allowed.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(pub BTreeMap<String, String>);

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// # Errors
/// Of the store; `XX001` for a row that cannot be understood.
pub(crate) fn catalogs(t: &Transaction) -> Result<Vec<Stored>> {
    t.rows(
        "SELECT name, connector, params, owner FROM catalog ORDER BY name",
        &[],
    )?
    .into_iter()
    .map(|row| {
        let [name, connector, params, owner] = cells(row)?;
        let params: BTreeMap<String, String> =
            serde_json::from_str(&params).map_err(|_| broken("catalog", &name))?;
        Ok(Stored {
            name,
            connector,
            params: Params(params),
            owner,
        })
    })
    .collect()
}

pub(crate) fn put_catalog(t: &Transaction, catalog: &Stored) -> Result<()> {
    let params = serde_json::to_string(&catalog.params.0)
        .map_err(|_| Error::internal("parameters that cannot be written"))?;
    t.execute(
        "INSERT OR REPLACE INTO catalog (name, connector, params, owner) VALUES (?1, ?2, ?3, ?4)",
        &[
            Some(&catalog.name),
            Some(&catalog.connector),
            Some(&params),
            Some(&catalog.owner),
        ],
    )?;
    Ok(())
}

/// With the comments on it and on what is in it.
pub(crate) fn drop_catalog(t: &Transaction, name: &str) -> Result<()> {
    t.execute("DELETE FROM comment WHERE catalog = ?1", &[Some(name)])?;
    t.execute("DELETE FROM catalog WHERE name = ?1", &[Some(name)])?;
    Ok(())
}

/// With the comments.
pub(crate) fn rename_catalog(t: &Transaction, from: &str, to: &str) -> Result<()> {
    let names = [Some(from), Some(to)];
    t.execute("UPDATE catalog SET name = ?2 WHERE name = ?1", &names)?;
    t.execute("UPDATE comment SET catalog = ?2 WHERE catalog = ?1", &names)?;
    Ok(())
}

/// # Errors
/// As [`catalogs`].
pub(crate) fn views(t: &Transaction) -> Result<Vec<View>> {
    t.rows(
        "SELECT name, query, default_catalog, columns, used, owner FROM view ORDER BY name",
        &[],
    )?
    .into_iter()
    .map(|row| {
        let [name, query, default_catalog, columns, used, owner] = cells(row)?;
        let view = || {
            Some(View {
                columns: list(&columns, |c| {
                    Some(ViewColumn {
                        name: text(c, "name")?,
                        output: text(c, "output")?,
                        type_name: text(c, "type")?,
                    })
                })?,
                used: list(&used, |u| {
                    Some(Used {
                        catalog: text(u, "catalog")?,
                        schema: text(u, "schema")?,
                        relation: text(u, "relation")?,
                        whole: u.get("whole")?.as_bool()?,
                        columns: u
                            .get("columns")?
                            .as_array()?
                            .iter()
                            .map(|c| Some((text(c, "name")?, text(c, "type")?)))
                            .collect::<Option<_>>()?,
                    })
                })?,
                name: name.clone(),
                query,
                default_catalog,
                owner,
            })
        };
        view().ok_or_else(|| broken("view", &name))
    })
    .collect()
}

pub(crate) fn put_view(t: &Transaction, view: &View) -> Result<()> {
    let columns: Vec<Value> = view
        .columns
        .iter()
        .map(|c| json!({ "name": c.name, "output": c.output, "type": c.type_name }))
        .collect();
    let used: Vec<Value> = view
        .used
        .iter()
        .map(|u| {
            let columns: Vec<Value> = u
                .columns
                .iter()
                .map(|(name, type_name)| json!({ "name": name, "type": type_name }))
                .collect();
            json!({
                "catalog": u.catalog,
                "schema": u.schema,
                "relation": u.relation,
                "whole": u.whole,
                "columns": columns,
            })
        })
        .collect();
    t.execute(
        "INSERT OR REPLACE INTO view (name, query, default_catalog, columns, used, owner)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            Some(&view.name),
            Some(&view.query),
            Some(&view.default_catalog),
            Some(&Value::Array(columns).to_string()),
            Some(&Value::Array(used).to_string()),
            Some(&view.owner),
        ],
    )?;
    Ok(())
}

/// With its comments.
pub(crate) fn drop_view(t: &Transaction, name: &str) -> Result<()> {
    t.execute(
        "DELETE FROM comment WHERE catalog = 'inflowave' AND schema = 'public' AND relation = ?1",
        &[Some(name)],
    )?;
    t.execute("DELETE FROM view WHERE name = ?1", &[Some(name)])?;
    Ok(())
}

/// # Errors
/// As [`catalogs`].
pub(crate) fn comments(t: &Transaction) -> Result<Vec<Comment>> {
    t.rows(
        "SELECT object_type, catalog, schema, relation, column_name, comment FROM comment
         ORDER BY catalog, schema, relation, column_name",
        &[],
    )?
    .into_iter()
    .map(|row| {
        let [object_type, catalog, schema, relation, column, text] = cells(row)?;
        Ok(Comment {
            object_type,
            target: Target {
                catalog,
                schema,
                relation,
                column,
            },
            text,
        })
    })
    .collect()
}

/// `None` takes the comment away.
pub(crate) fn put_comment(
    t: &Transaction,
    object_type: &str,
    target: &Target,
    text: Option<&str>,
) -> Result<()> {
    let place = [
        Some(target.catalog.as_str()),
        Some(target.schema.as_str()),
        Some(target.relation.as_str()),
        Some(target.column.as_str()),
    ];
    t.execute(
        "DELETE FROM comment
         WHERE catalog = ?1 AND schema = ?2 AND relation = ?3 AND column_name = ?4",
        &place,
    )?;
    if text.is_some() {
        let [catalog, schema, relation, column] = place;
        t.execute(
            "INSERT INTO comment (object_type, catalog, schema, relation, column_name, comment)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &[Some(object_type), catalog, schema, relation, column, text],
        )?;
    }
    Ok(())
}

fn cells<const N: usize>(row: Row) -> Result<[String; N]> {
    row.into_iter()
        .collect::<Option<Vec<String>>>()
        .and_then(|cells| cells.try_into().ok())
        .ok_or_else(|| Error::internal("a row of the metastore with other columns"))
}

fn list<T>(json: &str, item: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    let value: Value = serde_json::from_str(json).ok()?;
    value.as_array()?.iter().map(item).collect()
}

fn text(value: &Value, key: &str) -> Option<String> {
    Some(value.get(key)?.as_str()?.to_owned())
}

fn broken(what: &str, name: &str) -> Error {
    Error::new(
        inflowave_types::SqlState::DataCorrupted,
        format!("the metastore's entry of {what} \"{name}\" cannot be understood"),
    )
    .with_hint("Restore metastore.db from a backup.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use inflowave_metastore::Metastore;

    #[test]
    fn a_view_reads_back_as_it_was_written() {
        let store = Metastore::in_memory(&[DOMAIN]).unwrap();
        let view = View {
            name: "v\"'".to_owned(),
            query: "select 'it''s' as a".to_owned(),
            default_catalog: "crm".to_owned(),
            owner: "ann".to_owned(),
            columns: vec![ViewColumn {
                name: "b".to_owned(),
                output: "a".to_owned(),
                type_name: "text".to_owned(),
            }],
            used: vec![Used {
                catalog: "crm".to_owned(),
                schema: "public".to_owned(),
                relation: "t".to_owned(),
                whole: true,
                columns: vec![("x".to_owned(), "numeric(10,2)".to_owned())],
            }],
        };
        store.write(|t| put_view(t, &view)).unwrap();
        assert_eq!(store.read(views).unwrap(), [view]);
    }

    #[test]
    fn a_renamed_catalog_keeps_its_comments_and_a_dropped_one_takes_them_along() {
        let store = Metastore::in_memory(&[DOMAIN]).unwrap();
        let target = Target {
            catalog: "a".to_owned(),
            schema: "public".to_owned(),
            relation: "t".to_owned(),
            column: String::new(),
        };
        let catalog = Stored {
            name: "a".to_owned(),
            connector: "files".to_owned(),
            params: Params([("path".to_owned(), "x".to_owned())].into()),
            owner: "ann".to_owned(),
        };
        let write = |work: &dyn Fn(&Transaction) -> Result<()>| store.write(|t| work(t)).unwrap();
        write(&|t| {
            put_catalog(t, &catalog)?;
            put_comment(t, "table", &target, Some("old"))?;
            put_comment(t, "table", &target, Some("new"))
        });
        write(&|t| rename_catalog(t, "a", "b"));
        let comments_now = store.read(comments).unwrap();
        assert_eq!(comments_now.len(), 1);
        assert_eq!(comments_now[0].target.catalog, "b");
        assert_eq!(comments_now[0].text, "new");
        assert_eq!(store.read(catalogs).unwrap()[0].name, "b");
        write(&|t| drop_catalog(t, "b"));
        assert!(store.read(comments).unwrap().is_empty());
        assert!(store.read(catalogs).unwrap().is_empty());
    }
}
