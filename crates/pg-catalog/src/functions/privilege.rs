//! `has_.._privilege`: everyone who is connected may read everything, and nobody may write.

use inflowave_types::{Error, Result, SqlState};

use super::name::class;
use super::{Spec, spec, text};
use crate::snapshot::Snapshot;
use crate::value::Value;

pub(super) const SPECS: &[Spec] = &[
    spec("has_table_privilege", (2, 3), "bool", |snapshot, args| {
        on_class(snapshot, last_two(args), &["SELECT"])
    }),
    spec(
        "has_any_column_privilege",
        (2, 3),
        "bool",
        |snapshot, args| on_class(snapshot, last_two(args), &["SELECT"]),
    ),
    spec("has_column_privilege", (3, 4), "bool", |snapshot, args| {
        let [table, _, privilege] = args.last_chunk().unwrap_or(NOTHING);
        on_class(snapshot, (table, privilege), &["SELECT"])
    }),
    spec("has_schema_privilege", (2, 3), "bool", |_, args| {
        granted(last_two(args).1, &["USAGE"])
    }),
    spec(
        "has_database_privilege",
        (2, 3),
        "bool",
        |snapshot, args| {
            let (database, privilege) = last_two(args);
            if let Value::Text(name) = database
                && !snapshot.view.catalogs().contains(name)
            {
                return Err(Error::new(
                    SqlState::InvalidCatalogName,
                    format!("database \"{name}\" does not exist"),
                ));
            }
            granted(privilege, &["CONNECT"])
        },
    ),
    spec("has_function_privilege", (2, 3), "bool", |_, args| {
        granted(last_two(args).1, &["EXECUTE"])
    }),
    spec("has_type_privilege", (2, 3), "bool", |_, args| {
        granted(last_two(args).1, &["USAGE"])
    }),
    spec("pg_has_role", (2, 3), "bool", |snapshot, args| {
        let (role, _) = last_two(args);
        // A role is a member of itself and of no other.
        Ok(Value::Bool(match role {
            Value::Text(name) => name == snapshot.view.user(),
            other => Value::from(crate::oid::role(snapshot.view.user())) == *other,
        }))
    }),
];

static NOTHING: &[Value; 3] = &[Value::Null, Value::Null, Value::Null];

/// A user may stand before the object; it is the same for each.
fn last_two(args: &[Value]) -> (&Value, &Value) {
    match args {
        [.., object, privilege] => (object, privilege),
        _ => (&NOTHING[0], &NOTHING[1]),
    }
}

fn on_class(
    snapshot: &Snapshot,
    (table, privilege): (&Value, &Value),
    granted_ones: &[&str],
) -> Result<Value> {
    match table {
        Value::Text(name) if class(snapshot, name)?.is_none() => Err(Error::new(
            SqlState::UndefinedTable,
            format!("relation \"{name}\" does not exist"),
        )),
        Value::Int(oid) => {
            let oid = u32::try_from(*oid).unwrap_or(0);
            match snapshot.current()?.class(oid) {
                Some(_) => granted(privilege, granted_ones),
                None => Ok(Value::Null),
            }
        }
        _ => granted(privilege, granted_ones),
    }
}

/// One of several privileges is enough.
fn granted(privilege: &Value, granted_ones: &[&str]) -> Result<Value> {
    const KNOWN: &[&str] = &[
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "TRUNCATE",
        "REFERENCES",
        "TRIGGER",
        "USAGE",
        "CREATE",
        "CONNECT",
        "TEMPORARY",
        "TEMP",
        "EXECUTE",
        "RULE",
    ];
    let mut any = false;
    for one in text(privilege).split(',') {
        let one = one.trim().to_uppercase();
        let bare = one.strip_suffix(" WITH GRANT OPTION");
        let name = bare.unwrap_or(&one).trim_end();
        if !KNOWN.contains(&name) {
            return Err(Error::new(
                SqlState::InvalidParameterValue,
                format!("unrecognized privilege type: \"{}\"", text(privilege)),
            ));
        }
        any |= bare.is_none() && granted_ones.contains(&name);
    }
    Ok(Value::Bool(any))
}
