//! What a `GRANT` is on: the objects that a statement names, and who owns them.

use inflowave_engine::{Object, Privilege, StatementView};
use inflowave_types::{Error, Result, SqlState};

use crate::parse::{Privileges, Target};

/// The server's own catalog: views can be made in its schema.
const OWN: &str = "inflowave";

/// Each privilege with the object that it is on; those of a relation's columns one by one.
pub(crate) async fn resolved(
    view: &StatementView,
    privileges: &Privileges,
    target: &Target,
) -> Result<Vec<(Privilege, Object)>> {
    let mut objects = Vec::new();
    match target {
        Target::Catalogs(names) => {
            for name in names {
                if !view.catalogs().contains(name) {
                    return Err(Error::new(
                        SqlState::InvalidCatalogName,
                        format!("catalog \"{name}\" does not exist"),
                    ));
                }
                objects.push(Object::Catalog(name.clone()));
            }
        }
        Target::Schemas(paths) => {
            for path in paths {
                let (catalog, schema) = schema(view, path).await?;
                objects.push(Object::Schema(catalog, schema));
            }
        }
        Target::AllTablesIn(paths) => {
            for path in paths {
                let (catalog, schema) = schema(view, path).await?;
                let listing = view.catalogs().listing(&catalog).await?;
                let tables = listing.relations.iter().filter(|r| r.schema == schema);
                objects.extend(
                    tables.map(|r| {
                        Object::Relation([catalog.clone(), schema.clone(), r.name.clone()])
                    }),
                );
            }
        }
        Target::Relations(paths) => {
            for path in paths {
                objects.push(Object::Relation(view.relation(path).await?));
            }
        }
    }
    let mut resolved = Vec::new();
    for object in objects {
        match privileges {
            Privileges::All => resolved.extend(all(&object).map(|p| (p, object.clone()))),
            Privileges::Listed(listed) => {
                for (privilege, columns) in listed {
                    fits(*privilege, &object)?;
                    match (&object, columns.as_slice()) {
                        (_, []) => resolved.push((*privilege, object.clone())),
                        (Object::Relation(path), columns) => {
                            has_columns(view, path, columns).await?;
                            resolved.extend(
                                columns
                                    .iter()
                                    .map(|c| (*privilege, Object::Column(path.clone(), c.clone()))),
                            );
                        }
                        _ => {
                            return Err(Error::new(
                                SqlState::InvalidGrantOperation,
                                "column privileges are only valid for relations",
                            ));
                        }
                    }
                }
            }
        }
    }
    Ok(resolved)
}

/// `[catalog.]schema`, which is there.
async fn schema(view: &StatementView, path: &[String]) -> Result<(String, String)> {
    let (catalog, schema) = match path {
        [schema] => (view.database().to_owned(), schema.clone()),
        [catalog, schema] => (catalog.clone(), schema.clone()),
        _ => {
            return Err(Error::new(
                SqlState::SyntaxError,
                format!("improper schema name: {}", path.join(".")),
            ));
        }
    };
    let listing = view.catalogs().listing(&catalog).await?;
    if !listing.schemas.contains(&schema) {
        return Err(Error::new(
            SqlState::InvalidSchemaName,
            format!("schema \"{}\" does not exist", path.join(".")),
        ));
    }
    Ok((catalog, schema))
}

async fn has_columns(view: &StatementView, path: &[String; 3], columns: &[String]) -> Result<()> {
    let [catalog, schema, relation] = path;
    let there = view
        .catalogs()
        .columns_of(catalog, schema, relation)
        .await?;
    let there = there.unwrap_or_default();
    match columns
        .iter()
        .find(|c| !there.iter().any(|t| t.name == **c))
    {
        None => Ok(()),
        Some(missing) => Err(Error::new(
            SqlState::UndefinedColumn,
            format!("column \"{missing}\" of relation \"{relation}\" does not exist"),
        )),
    }
}

/// The privileges that there are for an object.
fn all(object: &Object) -> impl Iterator<Item = Privilege> + use<> {
    let own_schema = matches!(object, Object::Schema(catalog, _) if catalog == OWN);
    let privileges = match object {
        Object::Catalog(_) => vec![Privilege::Usage],
        Object::Schema(..) if own_schema => vec![Privilege::Usage, Privilege::Create],
        Object::Schema(..) => vec![Privilege::Usage],
        Object::Relation(_) | Object::Column(..) => vec![Privilege::Select],
    };
    privileges.into_iter()
}

/// # Errors
/// `0LP01` for a privilege that an object of this kind cannot have.
fn fits(privilege: Privilege, object: &Object) -> Result<()> {
    // SELECT on a whole is SELECT on all that is in it.
    if privilege == Privilege::Select || all(object).any(|p| p == privilege) {
        return Ok(());
    }
    Err(Error::new(
        SqlState::InvalidGrantOperation,
        format!("invalid privilege type {} for {object}", privilege.name()),
    ))
}

/// The role that made it, if SQL did.
pub(crate) fn owner(view: &StatementView, object: &Object) -> Option<String> {
    let catalogs = view.catalogs();
    match object {
        Object::Relation([catalog, _, name]) | Object::Column([catalog, _, name], _)
            if catalog == OWN =>
        {
            catalogs.view_owner(name)
        }
        object => catalogs.owner(object.catalog()),
    }
}

/// # Errors
/// `2BP01` naming what a role has made.
pub(crate) fn owns_nothing(view: &StatementView, roles: &[String]) -> Result<()> {
    let catalogs = view.catalogs();
    for role in roles {
        let owned = catalogs.owned_by(role);
        if !owned.is_empty() {
            return Err(Error::new(
                SqlState::DependentObjectsStillExist,
                format!("role \"{role}\" cannot be dropped because some objects depend on it"),
            )
            .with_detail(format!("It is the owner of {}.", owned.join(", ")))
            .with_hint("Drop them first, or rename the role."));
        }
    }
    Ok(())
}
