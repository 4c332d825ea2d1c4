//! What the server has whatever catalog is spoken of: catalogs, roles, functions, settings.

use inflowave_engine::Setting;

use super::fixed::LANGUAGE_INTERNAL;
use crate::oid;
use crate::snapshot::Snapshot;
use crate::value::{Rows, Value};

/// UTF8.
pub(crate) const ENCODING: i32 = 6;
/// Texts are compared by their bytes, and have the upper and lower case of Unicode.
const LOCALE: &str = "C.UTF-8";

pub(super) fn databases(rows: &mut Rows, snapshot: &Snapshot) {
    for name in snapshot.view.catalogs().names() {
        rows.push([
            ("oid", oid::database(&name).into()),
            ("datname", name.into()),
            ("datdba", oid::OWNER.into()),
            ("encoding", ENCODING.into()),
            ("datlocprovider", "c".into()),
            ("datallowconn", true.into()),
            ("datconnlimit", (-1).into()),
            ("dattablespace", oid::DEFAULT_TABLESPACE.into()),
            ("datcollate", LOCALE.into()),
            ("datctype", LOCALE.into()),
        ]);
    }
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
    for role in snapshot.roles() {
        rows.push([
            ("oid", role.oid.into()),
            ("rolname", role.name.into()),
            ("rolsuper", false.into()),
            ("rolinherit", true.into()),
            ("rolcreaterole", false.into()),
            ("rolcreatedb", false.into()),
            ("rolcanlogin", role.can_login.into()),
            ("rolreplication", false.into()),
            ("rolconnlimit", (-1).into()),
            ("rolpassword", "********".into()),
            ("rolbypassrls", false.into()),
        ]);
    }
}

pub(super) fn users(rows: &mut Rows, snapshot: &Snapshot) {
    for role in snapshot.roles().into_iter().filter(|r| r.can_login) {
        rows.push([
            ("usename", role.name.into()),
            ("usesysid", role.oid.into()),
            ("usecreatedb", false.into()),
            ("usesuper", false.into()),
            ("userepl", false.into()),
            ("usebypassrls", false.into()),
            ("passwd", "********".into()),
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
