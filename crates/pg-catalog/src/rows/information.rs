//! `information_schema`.

use inflowave_engine::{Object, PUBLIC, Privilege};
use inflowave_types::Result;

use super::Wanted;
use super::classes::definition;
use super::fixed::COLLATIONS;
use crate::data;
use crate::snapshot::{Attribute, Class, Snapshot};
use crate::type_name;
use crate::value::{Rows, Value};
use crate::{OWNER_NAME, SCHEMAS};

/// Bytes of a text without a limit, as PostgreSQL says them.
const OCTETS_MAX: i32 = 1 << 30;
/// Bytes of a character of UTF-8.
const CHARACTER_OCTETS: i32 = 4;

pub(super) async fn schemata(rows: &mut Rows, catalog: &str, snapshot: &Snapshot) -> Result<()> {
    let authority = snapshot.view.authority();
    for namespace in &snapshot.names(catalog).await?.namespaces {
        let schema = Object::Schema(catalog.to_owned(), namespace.name.clone());
        let own = SCHEMAS.contains(&namespace.name.as_str());
        if !own && !authority.allows(snapshot.view.role(), Privilege::Usage, &schema) {
            continue;
        }
        rows.push([
            ("catalog_name", catalog.into()),
            ("schema_name", namespace.name.as_str().into()),
            ("schema_owner", OWNER_NAME.into()),
        ]);
    }
    Ok(())
}

/// PostgreSQL lists here what one may read something of.
fn readable(snapshot: &Snapshot, catalog: &str, class: &Class) -> bool {
    snapshot.may_read(snapshot.view.role(), catalog, class, true)
}

pub(super) fn enabled_roles(rows: &mut Rows, snapshot: &Snapshot) {
    let (authority, role) = (snapshot.view.authority(), snapshot.view.role());
    for other in snapshot.roles() {
        if other.info.name == role
            || (authority.restricts() && authority.inherits(role, &other.info.name))
        {
            rows.push([("role_name", other.info.name.into())]);
        }
    }
}

pub(super) fn applicable_roles(rows: &mut Rows, snapshot: &Snapshot) {
    let (authority, role) = (snapshot.view.authority(), snapshot.view.role());
    for membership in authority.memberships() {
        if authority.is_member(role, &membership.member) {
            rows.push([
                ("grantee", membership.member.into()),
                ("role_name", membership.role.into()),
                (
                    "is_grantable",
                    if membership.admin { "YES" } else { "NO" }.into(),
                ),
            ]);
        }
    }
}

/// The grants on relations of the catalog to and by the roles that the current one has the privileges
/// of.
pub(super) fn table_privileges(rows: &mut Rows, catalog: &str, snapshot: &Snapshot) {
    let (authority, role) = (snapshot.view.authority(), snapshot.view.role());
    for grant in authority.grants() {
        let Object::Relation([of, schema, table]) = &grant.object else {
            continue;
        };
        let seen = grant.grantee == PUBLIC
            || authority.inherits(role, &grant.grantee)
            || authority.inherits(role, &grant.grantor);
        if of != catalog || !seen {
            continue;
        }
        let grantee = match grant.grantee.as_str() {
            PUBLIC => "PUBLIC",
            grantee => grantee,
        };
        rows.push([
            ("grantor", grant.grantor.as_str().into()),
            ("grantee", grantee.into()),
            ("table_catalog", catalog.into()),
            ("table_schema", schema.as_str().into()),
            ("table_name", table.as_str().into()),
            ("privilege_type", grant.privilege.name().into()),
            (
                "is_grantable",
                if grant.grantable { "YES" } else { "NO" }.into(),
            ),
            ("with_hierarchy", "YES".into()),
        ]);
    }
}

pub(super) fn character_sets(rows: &mut Rows, catalog: &str) {
    rows.push([
        ("character_set_name", "UTF8".into()),
        ("character_repertoire", "UCS".into()),
        ("form_of_use", "UTF8".into()),
        ("default_collate_catalog", catalog.into()),
        ("default_collate_schema", SCHEMAS[0].into()),
        ("default_collate_name", "C".into()),
    ]);
}

pub(super) fn collations(rows: &mut Rows, catalog: &str) {
    for (_, name) in COLLATIONS {
        rows.push([
            ("collation_catalog", catalog.into()),
            ("collation_schema", SCHEMAS[0].into()),
            ("collation_name", name.into()),
            ("pad_attribute", "NO PAD".into()),
        ]);
    }
}

pub(super) async fn tables(rows: &mut Rows, catalog: &str, snapshot: &Snapshot) -> Result<()> {
    for class in &snapshot.names(catalog).await?.classes {
        if !readable(snapshot, catalog, class) {
            continue;
        }
        rows.push([
            ("table_catalog", catalog.into()),
            ("table_schema", class.schema.as_str().into()),
            ("table_name", class.name.as_str().into()),
            (
                "table_type",
                if class.kind == "v" {
                    "VIEW"
                } else {
                    "BASE TABLE"
                }
                .into(),
            ),
            ("is_insertable_into", "NO".into()),
            ("is_typed", "NO".into()),
        ]);
    }
    Ok(())
}

pub(super) async fn views(rows: &mut Rows, catalog: &str, snapshot: &Snapshot) -> Result<()> {
    let names = snapshot.names(catalog).await?;
    let views = names.classes.iter().filter(|c| c.kind == "v");
    for class in views.filter(|c| readable(snapshot, catalog, c)) {
        rows.push([
            ("table_catalog", catalog.into()),
            ("table_schema", class.schema.as_str().into()),
            ("table_name", class.name.as_str().into()),
            ("view_definition", definition(snapshot, class).into()),
            ("check_option", "NONE".into()),
            ("is_updatable", "NO".into()),
            ("is_insertable_into", "NO".into()),
            ("is_trigger_updatable", "NO".into()),
            ("is_trigger_deletable", "NO".into()),
            ("is_trigger_insertable_into", "NO".into()),
        ]);
    }
    Ok(())
}

pub(super) async fn columns(
    rows: &mut Rows,
    catalog: &str,
    snapshot: &Snapshot,
    wanted: &Wanted,
) -> Result<()> {
    let names = snapshot.names(catalog).await?;
    let classes = names.classes.iter().filter(|c| wanted.class(c));
    let classes = classes.filter(|c| readable(snapshot, catalog, c));
    let classes: Vec<&Class> = classes.collect();
    let all = snapshot.columns(catalog, &classes).await?;
    for class in classes {
        let columns = all.get(&class.oid).into_iter().flat_map(|c| c.iter());
        let whole = snapshot.may_read(snapshot.view.role(), catalog, class, false);
        for (column, number) in columns.zip(1_i32..) {
            let (role, name) = (snapshot.view.role(), &column.name);
            if !whole && !snapshot.may_read_column(role, catalog, class, name) {
                continue;
            }
            push(rows, catalog, class, column, number);
        }
    }
    Ok(())
}

fn push(rows: &mut Rows, catalog: &str, class: &Class, column: &Attribute, number: i32) {
    let measures = Measures::of(column);
    let spec = data::type_of_oid(column.type_oid);
    let is_array = spec.is_some_and(|t| t.element != 0 && t.name.starts_with('_'));
    let data_type = match is_array {
        true => "ARRAY".to_owned(),
        false => type_name::format(column.type_oid, None),
    };
    rows.push([
        ("table_catalog", catalog.into()),
        ("table_schema", class.schema.as_str().into()),
        ("table_name", class.name.as_str().into()),
        ("column_name", column.name.as_str().into()),
        ("ordinal_position", number.into()),
        (
            "is_nullable",
            if column.not_null { "NO" } else { "YES" }.into(),
        ),
        ("data_type", data_type.into()),
        ("character_maximum_length", measures.characters.into()),
        ("character_octet_length", measures.octets.into()),
        ("numeric_precision", measures.precision.into()),
        ("numeric_precision_radix", measures.radix.into()),
        ("numeric_scale", measures.scale.into()),
        ("datetime_precision", measures.fraction.into()),
        ("udt_catalog", catalog.into()),
        ("udt_schema", "pg_catalog".into()),
        ("udt_name", spec.map_or("text", |t| t.name).into()),
        ("dtd_identifier", Value::Text(number.to_string())),
        ("is_self_referencing", "NO".into()),
        ("is_identity", "NO".into()),
        ("identity_cycle", "NO".into()),
        ("is_generated", "NEVER".into()),
        ("is_updatable", "NO".into()),
    ]);
}

/// How long and how precise values of a column are; `None` where its type has no such measure.
#[derive(Debug, Default, PartialEq, Eq)]
struct Measures {
    characters: Option<i32>,
    octets: Option<i32>,
    precision: Option<i32>,
    radix: Option<i32>,
    scale: Option<i32>,
    fraction: Option<i32>,
}

impl Measures {
    fn of(column: &Attribute) -> Measures {
        let whole = |bits| Measures {
            precision: Some(bits),
            radix: Some(2),
            scale: Some(0),
            ..Measures::default()
        };
        let float = |bits| Measures {
            precision: Some(bits),
            radix: Some(2),
            ..Measures::default()
        };
        let typmod = (column.typmod >= 4).then(|| column.typmod - 4);
        match column.type_oid {
            21 => whole(16),
            23 => whole(32),
            20 => whole(64),
            700 => float(24),
            701 => float(53),
            1700 => Measures {
                precision: typmod.map(|m| (m >> 16) & 0xffff),
                radix: Some(10),
                scale: typmod.map(|m| ((m & 0x7ff) ^ 1024) - 1024),
                ..Measures::default()
            },
            1042 | 1043 => Measures {
                characters: typmod,
                octets: Some(typmod.map_or(OCTETS_MAX, |n| n.saturating_mul(CHARACTER_OCTETS))),
                ..Measures::default()
            },
            25 => Measures {
                octets: Some(OCTETS_MAX),
                ..Measures::default()
            },
            1082 => Measures {
                fraction: Some(0),
                ..Measures::default()
            },
            1083 | 1114 | 1184 | 1186 => Measures {
                fraction: Some(6),
                ..Measures::default()
            },
            _ => Measures::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as PostgreSQL 15 answers.
    #[test]
    fn measures_are_postgresqls() {
        let of = |type_oid, typmod| {
            let m = Measures::of(&Attribute {
                name: String::new(),
                type_oid,
                typmod,
                collation: 0,
                not_null: false,
            });
            (
                m.characters,
                m.octets,
                m.precision,
                m.radix,
                m.scale,
                m.fraction,
            )
        };
        assert_eq!(of(23, -1), (None, None, Some(32), Some(2), Some(0), None));
        assert_eq!(of(701, -1), (None, None, Some(53), Some(2), None, None));
        let numeric = (15 << 16) + 2 + 4;
        assert_eq!(
            of(1700, numeric),
            (None, None, Some(15), Some(10), Some(2), None)
        );
        assert_eq!(of(1700, -1), (None, None, None, Some(10), None, None));
        assert_eq!(of(1043, 29), (Some(25), Some(100), None, None, None, None));
        assert_eq!(of(25, -1), (None, Some(1 << 30), None, None, None, None));
        assert_eq!(of(1082, -1), (None, None, None, None, None, Some(0)));
        assert_eq!(of(16, -1), (None, None, None, None, None, None));
    }
}
