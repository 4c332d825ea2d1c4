//! What the server has whatever catalog is spoken of: catalogs, roles, functions, settings.

use inflowave_engine::{Object, Setting};

use super::acl;
use super::fixed::LANGUAGE_INTERNAL;
use crate::oid;
use crate::snapshot::{Role, Snapshot};
use crate::value::{Rows, Value};

/// UTF8.
pub(crate) const ENCODING: i32 = 6;
/// Texts are compared by their bytes, and have the upper and lower case of Unicode.
const LOCALE: &str = "C.UTF-8";

pub(super) fn databases(rows: &mut Rows, snapshot: &Snapshot) {
    for name in snapshot.view.catalogs().names() {
        let acl = acl::of(snapshot, &Object::Catalog(name.clone()));
        rows.push([
            ("oid", oid::database(&name).into()),
            ("datacl", acl),
            ("datdba", owner(snapshot, &name).into()),
            ("encoding", ENCODING.into()),
            ("datlocprovider", "c".into()),
            ("datallowconn", true.into()),
            ("datconnlimit", (-1).into()),
            ("dattablespace", oid::DEFAULT_TABLESPACE.into()),
            ("datcollate", LOCALE.into()),
            ("datctype", LOCALE.into()),
            ("datname", name.into()),
        ]);
    }
}

fn owner(snapshot: &Snapshot, catalog: &str) -> u32 {
    let owner = snapshot.view.catalogs().owner(catalog);
    owner
        .filter(|owner| !owner.is_empty())
        .map_or(oid::OWNER, |owner| oid::role(&owner))
}

pub(super) fn descriptions(rows: &mut Rows, snapshot: &Snapshot) {
    let comments = snapshot.comments().iter();
    for comment in comments.filter(|c| c.relation.is_empty()) {
        rows.push([
            ("objoid", oid::database(&comment.catalog).into()),
            ("classoid", oid::CLASS_PG_DATABASE.into()),
            ("description", comment.text.as_str().into()),
        ]);
    }
}

pub(super) fn roles(rows: &mut Rows, snapshot: &Snapshot) {
    each_role(rows, snapshot, "********".into());
}

/// `pg_authid`: nobody is shown a password's verifier.
pub(super) fn logins(rows: &mut Rows, snapshot: &Snapshot) {
    each_role(rows, snapshot, Value::Null);
}

fn each_role(rows: &mut Rows, snapshot: &Snapshot, password: Value) {
    for Role { oid, info } in snapshot.roles() {
        let limit = info.connection_limit.map_or(-1, i64::from);
        rows.push([
            ("oid", oid.into()),
            ("rolname", info.name.into()),
            ("rolsuper", info.superuser.into()),
            ("rolinherit", info.inherit.into()),
            ("rolcreaterole", info.create_role.into()),
            ("rolcreatedb", info.create_catalog.into()),
            ("rolcanlogin", info.login.into()),
            ("rolreplication", false.into()),
            ("rolconnlimit", limit.into()),
            ("rolpassword", password.clone()),
            ("rolvaliduntil", info.valid_until.into()),
            ("rolbypassrls", info.bypass_policies.into()),
        ]);
    }
}

pub(super) fn users(rows: &mut Rows, snapshot: &Snapshot) {
    for Role { oid, info } in snapshot.roles().into_iter().filter(|r| r.info.login) {
        rows.push([
            ("usename", info.name.into()),
            ("usesysid", oid.into()),
            ("usecreatedb", info.create_catalog.into()),
            ("usesuper", info.superuser.into()),
            ("userepl", false.into()),
            ("usebypassrls", info.bypass_policies.into()),
            ("passwd", "********".into()),
            ("valuntil", info.valid_until.into()),
        ]);
    }
}

pub(super) fn groups(rows: &mut Rows, snapshot: &Snapshot) {
    let memberships = snapshot.view.authority().memberships();
    for Role { oid, info } in snapshot.roles().into_iter().filter(|r| !r.info.login) {
        let members = memberships.iter().filter(|m| m.role == info.name);
        let members: Vec<u32> = members.map(|m| oid::role(&m.member)).collect();
        rows.push([
            ("groname", info.name.into()),
            ("grosysid", oid.into()),
            ("grolist", members.into()),
        ]);
    }
}

pub(super) fn memberships(rows: &mut Rows, snapshot: &Snapshot) {
    for membership in snapshot.view.authority().memberships() {
        rows.push([
            ("roleid", oid::role(&membership.role).into()),
            ("member", oid::role(&membership.member).into()),
            ("grantor", oid::role(&membership.grantor).into()),
            ("admin_option", membership.admin.into()),
        ]);
    }
}

pub(super) fn procedures(rows: &mut Rows, snapshot: &Snapshot) {
    for f in &snapshot.procedures().all {
        let arguments = i16::try_from(f.arguments.len()).unwrap_or(i16::MAX);
        rows.push([
            ("oid", f.oid.into()),
            ("proname", f.name.as_str().into()),
            ("pronamespace", oid::PG_CATALOG.into()),
            ("proowner", oid::OWNER.into()),
            ("prolang", LANGUAGE_INTERNAL.into()),
            ("procost", Value::Float(1.0)),
            (
                "prorows",
                Value::Float(if f.returns_set { 1000.0 } else { 0.0 }),
            ),
            ("provariadic", f.variadic.into()),
            ("prokind", f.kind.into()),
            ("proleakproof", f.leakproof.into()),
            ("proisstrict", f.strict.into()),
            ("proretset", f.returns_set.into()),
            ("provolatile", f.volatility.into()),
            ("proparallel", f.parallel.into()),
            ("pronargs", arguments.into()),
            ("pronargdefaults", f.defaults.into()),
            ("prorettype", f.result.into()),
            ("proargtypes", f.arguments.clone().into()),
            ("prosrc", f.name.as_str().into()),
        ]);
    }
}

pub(super) fn settings(rows: &mut Rows, snapshot: &Snapshot) {
    for setting in snapshot.view.settings() {
        let changed = setting.value != setting.default;
        rows.push([
            ("name", setting.name.into()),
            ("setting", setting.value.as_str().into()),
            (
                "unit",
                (setting.name == "statement_timeout").then_some("ms").into(),
            ),
            ("category", category(&setting).into()),
            ("short_desc", setting.doc.into()),
            (
                "context",
                if setting.settable { "user" } else { "internal" }.into(),
            ),
            ("vartype", value_type(&setting).into()),
            ("source", if changed { "session" } else { "default" }.into()),
            (
                "enumvals",
                match value_type(&setting) {
                    "enum" => setting.choices.to_vec().into(),
                    _ => Value::Null,
                },
            ),
            ("boot_val", setting.default.into()),
            ("reset_val", setting.default.into()),
            ("pending_restart", false.into()),
        ]);
    }
}

fn category(setting: &Setting) -> &'static str {
    match setting.name {
        name if name.starts_with("inflowave.") => "InfloWave",
        _ if !setting.settable => "Preset Options",
        _ => "Client Connection Defaults",
    }
}

fn value_type(setting: &Setting) -> &'static str {
    match setting.choices {
        _ if setting.name == "statement_timeout" => "integer",
        [] if matches!(setting.default, "on" | "off") => "bool",
        [] => "string",
        ["on", "off"] => "bool",
        _ => "enum",
    }
}
