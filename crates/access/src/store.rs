//! Roles, memberships and grants in the metastore.

use inflowave_engine::{GrantInfo, MembershipInfo, Object, Privilege};
use inflowave_metastore::{Domain, Row, Transaction};
use inflowave_types::{Error, Result, SqlState};

use crate::model::Role;
use crate::scram::Verifier;

/// A place that does not apply is empty, so that each part of a key is there.
pub(crate) const DOMAIN: Domain = Domain {
    name: "access",
    migrations: &["CREATE TABLE role (
        name TEXT NOT NULL PRIMARY KEY,
        attributes TEXT NOT NULL,
        connection_limit TEXT,
        valid_until TEXT,
        verifier TEXT
    ) STRICT;
    CREATE TABLE membership (
        role TEXT NOT NULL,
        member TEXT NOT NULL,
        grantor TEXT NOT NULL,
        admin TEXT NOT NULL,
        PRIMARY KEY (role, member)
    ) STRICT;
    CREATE TABLE privilege (
        catalog TEXT NOT NULL,
        schema TEXT NOT NULL,
        relation TEXT NOT NULL,
        column_name TEXT NOT NULL,
        privilege TEXT NOT NULL,
        grantee TEXT NOT NULL,
        grantor TEXT NOT NULL,
        grantable TEXT NOT NULL,
        PRIMARY KEY (catalog, schema, relation, column_name, privilege, grantee, grantor)
    ) STRICT;"],
};

/// # Errors
/// Of the store; `XX001` for a row that cannot be understood.
pub(crate) fn roles(t: &Transaction) -> Result<Vec<Role>> {
    let rows = t.rows(
        "SELECT name, attributes, connection_limit, valid_until, verifier FROM role ORDER BY name",
        &[],
    )?;
    rows.into_iter()
        .map(|row| {
            let [Some(name), Some(attributes), limit, until, verifier]: [Option<String>; 5] =
                cells(row)?
            else {
                return Err(broken("a role"));
            };
            let number = |text: Option<String>| text.and_then(|t| t.parse::<i64>().ok());
            let has = |attribute: &str| attributes.split(' ').any(|a| a == attribute);
            Ok(Role {
                superuser: has("superuser"),
                login: has("login"),
                inherit: has("inherit"),
                create_role: has("createrole"),
                create_catalog: has("createdb"),
                bypass_policies: has("bypassrls"),
                connection_limit: number(limit).and_then(|n| u32::try_from(n).ok()),
                valid_until: number(until),
                verifier: match verifier {
                    Some(text) => Some(text.parse().map_err(|()| broken("a verifier"))?),
                    None => None,
                },
                name,
            })
        })
        .collect()
}

pub(crate) fn put_role(t: &Transaction, role: &Role) -> Result<()> {
    let attributes = [
        (role.superuser, "superuser"),
        (role.login, "login"),
        (role.inherit, "inherit"),
        (role.create_role, "createrole"),
        (role.create_catalog, "createdb"),
        (role.bypass_policies, "bypassrls"),
    ];
    let attributes: Vec<&str> = attributes
        .into_iter()
        .filter_map(|(is, name)| is.then_some(name))
        .collect();
    let limit = role.connection_limit.map(|n| n.to_string());
    let until = role.valid_until.map(|n| n.to_string());
    let verifier = role.verifier.as_ref().map(Verifier::written);
    t.execute(
        "INSERT OR REPLACE INTO role (name, attributes, connection_limit, valid_until, verifier)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            Some(&role.name),
            Some(&attributes.join(" ")),
            limit.as_deref(),
            until.as_deref(),
            verifier.as_deref(),
        ],
    )?;
    Ok(())
}

/// With its memberships and the grants to it.
pub(crate) fn drop_role(t: &Transaction, name: &str) -> Result<()> {
    let name = [Some(name)];
    t.execute(
        "DELETE FROM membership WHERE role = ?1 OR member = ?1",
        &name,
    )?;
    t.execute("DELETE FROM privilege WHERE grantee = ?1", &name)?;
    t.execute("DELETE FROM role WHERE name = ?1", &name)?;
    Ok(())
}

pub(crate) fn rename_role(t: &Transaction, from: &str, to: &str) -> Result<()> {
    let names = [Some(from), Some(to)];
    t.execute("UPDATE role SET name = ?2 WHERE name = ?1", &names)?;
    t.execute("UPDATE membership SET role = ?2 WHERE role = ?1", &names)?;
    t.execute(
        "UPDATE membership SET member = ?2 WHERE member = ?1",
        &names,
    )?;
    t.execute(
        "UPDATE membership SET grantor = ?2 WHERE grantor = ?1",
        &names,
    )?;
    t.execute(
        "UPDATE privilege SET grantee = ?2 WHERE grantee = ?1",
        &names,
    )?;
    t.execute(
        "UPDATE privilege SET grantor = ?2 WHERE grantor = ?1",
        &names,
    )?;
    Ok(())
}

/// # Errors
/// As [`roles`].
pub(crate) fn memberships(t: &Transaction) -> Result<Vec<MembershipInfo>> {
    let rows = t.rows(
        "SELECT role, member, grantor, admin FROM membership ORDER BY role, member",
        &[],
    )?;
    rows.into_iter()
        .map(|row| {
            let [Some(role), Some(member), Some(grantor), Some(admin)] = cells(row)? else {
                return Err(broken("a membership"));
            };
            Ok(MembershipInfo {
                role,
                member,
                grantor,
                admin: admin == "t",
            })
        })
        .collect()
}

pub(crate) fn put_membership(t: &Transaction, m: &MembershipInfo) -> Result<()> {
    t.execute(
        "INSERT OR REPLACE INTO membership (role, member, grantor, admin) VALUES (?1, ?2, ?3, ?4)",
        &[
            Some(&m.role),
            Some(&m.member),
            Some(&m.grantor),
            Some(flag(m.admin)),
        ],
    )?;
    Ok(())
}

pub(crate) fn drop_membership(t: &Transaction, role: &str, member: &str) -> Result<()> {
    t.execute(
        "DELETE FROM membership WHERE role = ?1 AND member = ?2",
        &[Some(role), Some(member)],
    )?;
    Ok(())
}

/// # Errors
/// As [`roles`].
pub(crate) fn grants(t: &Transaction) -> Result<Vec<GrantInfo>> {
    let rows = t.rows(
        "SELECT catalog, schema, relation, column_name, privilege, grantee, grantor, grantable
         FROM privilege ORDER BY catalog, schema, relation, column_name, privilege, grantee, grantor",
        &[],
    )?;
    rows.into_iter()
        .map(|row| {
            let [
                Some(catalog),
                Some(schema),
                Some(relation),
                Some(column),
                Some(privilege),
                Some(grantee),
                Some(grantor),
                Some(grantable),
            ] = cells(row)?
            else {
                return Err(broken("a grant"));
            };
            let object = match (schema.is_empty(), relation.is_empty(), column.is_empty()) {
                (true, ..) => Object::Catalog(catalog),
                (_, true, _) => Object::Schema(catalog, schema),
                (.., true) => Object::Relation([catalog, schema, relation]),
                _ => Object::Column([catalog, schema, relation], column),
            };
            let all = [Privilege::Usage, Privilege::Select, Privilege::Create];
            let privilege = all.into_iter().find(|p| p.name() == privilege);
            Ok(GrantInfo {
                object,
                privilege: privilege.ok_or_else(|| broken("a grant"))?,
                grantee,
                grantor,
                grantable: grantable == "t",
            })
        })
        .collect()
}

pub(crate) fn put_grant(t: &Transaction, g: &GrantInfo) -> Result<()> {
    let [catalog, schema, relation, column] = place(&g.object);
    t.execute(
        "INSERT OR REPLACE INTO privilege
         (catalog, schema, relation, column_name, privilege, grantee, grantor, grantable)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            catalog,
            schema,
            relation,
            column,
            Some(g.privilege.name()),
            Some(&g.grantee),
            Some(&g.grantor),
            Some(flag(g.grantable)),
        ],
    )?;
    Ok(())
}

pub(crate) fn drop_grant(t: &Transaction, g: &GrantInfo) -> Result<()> {
    let [catalog, schema, relation, column] = place(&g.object);
    t.execute(
        "DELETE FROM privilege WHERE catalog = ?1 AND schema = ?2 AND relation = ?3
         AND column_name = ?4 AND privilege = ?5 AND grantee = ?6 AND grantor = ?7",
        &[
            catalog,
            schema,
            relation,
            column,
            Some(g.privilege.name()),
            Some(&g.grantee),
            Some(&g.grantor),
        ],
    )?;
    Ok(())
}

/// Those on an object and on all that is in it.
pub(crate) fn drop_grants_on(t: &Transaction, object: &Object) -> Result<()> {
    let [catalog, schema, relation, column] = place(object);
    t.execute(
        "DELETE FROM privilege WHERE catalog = ?1 AND (?2 = '' OR schema = ?2)
         AND (?3 = '' OR relation = ?3) AND (?4 = '' OR column_name = ?4)",
        &[catalog, schema, relation, column],
    )?;
    Ok(())
}

pub(crate) fn rename_catalog(t: &Transaction, from: &str, to: &str) -> Result<()> {
    t.execute(
        "UPDATE privilege SET catalog = ?2 WHERE catalog = ?1",
        &[Some(from), Some(to)],
    )?;
    Ok(())
}

fn place(object: &Object) -> [Option<&str>; 4] {
    match object {
        Object::Catalog(catalog) => [Some(catalog), Some(""), Some(""), Some("")],
        Object::Schema(catalog, schema) => [Some(catalog), Some(schema), Some(""), Some("")],
        Object::Relation([c, s, r]) => [Some(c), Some(s), Some(r), Some("")],
        Object::Column([c, s, r], column) => [Some(c), Some(s), Some(r), Some(column)],
    }
}

fn flag(is: bool) -> &'static str {
    if is { "t" } else { "f" }
}

fn cells<const N: usize>(row: Row) -> Result<[Option<String>; N]> {
    row.try_into()
        .map_err(|_| Error::internal("a row of the metastore with other columns"))
}

fn broken(what: &str) -> Error {
    Error::new(
        SqlState::DataCorrupted,
        format!("the metastore's entry of {what} cannot be understood"),
    )
    .with_hint("Restore metastore.db from a backup.")
}
