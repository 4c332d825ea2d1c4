//! `has_.._privilege` and `pg_has_role`: what the authority says.

use inflowave_engine::{Object, Privilege};
use inflowave_types::{Error, Result, SqlState};

use super::name::class;
use super::{Spec, int, spec, text};
use crate::snapshot::{Class, Snapshot};
use crate::value::Value;

pub(super) const SPECS: &[Spec] = &[
    spec("has_table_privilege", (2, 3), "bool", |s, args| {
        let (role, [table, privilege]) = asked(s, args)?;
        on_class(s, table, privilege, |class| {
            s.may_read(&role, s.view.database(), class, false)
        })
    }),
    spec("has_any_column_privilege", (2, 3), "bool", |s, args| {
        let (role, [table, privilege]) = asked(s, args)?;
        on_class(s, table, privilege, |class| {
            s.may_read(&role, s.view.database(), class, true)
        })
    }),
    spec("has_column_privilege", (3, 4), "bool", |s, args| {
        let (role, [table, column, privilege]) = asked(s, args)?;
        on_class(s, table, privilege, |class| {
            let whole = s.may_read(&role, s.view.database(), class, false);
            whole || may_read_column(s, &role, class, column)
        })
    }),
    spec("has_schema_privilege", (2, 3), "bool", |s, args| {
        let (role, [schema, privilege]) = asked(s, args)?;
        let names = s.current()?;
        let namespace = match schema {
            Value::Text(name) => Some(names.namespace_named(name).ok_or_else(|| {
                Error::new(
                    SqlState::InvalidSchemaName,
                    format!("schema \"{name}\" does not exist"),
                )
            })?),
            Value::Int(oid) => names.namespace(u32::try_from(*oid).unwrap_or(0)),
            _ => None,
        };
        let Some(namespace) = namespace else {
            return Ok(Value::Null);
        };
        let own = crate::SCHEMAS.contains(&namespace.name.as_str());
        let object = Object::Schema(s.view.database().to_owned(), namespace.name.clone());
        let allows = |p| s.view.authority().allows(&role, p, &object);
        granted(privilege, |name| match name {
            "USAGE" => own || allows(Privilege::Usage),
            "CREATE" => !own && s.view.authority().restricts() && allows(Privilege::Create),
            _ => false,
        })
    }),
    spec("has_database_privilege", (2, 3), "bool", |s, args| {
        let (role, [database, privilege]) = asked(s, args)?;
        let catalogs = s.view.catalogs();
        let name = match database {
            Value::Text(name) if catalogs.contains(name) => name.clone(),
            Value::Text(name) => {
                return Err(Error::new(
                    SqlState::InvalidCatalogName,
                    format!("database \"{name}\" does not exist"),
                ));
            }
            Value::Int(oid) => {
                let mut names = catalogs.names().into_iter();
                match names.find(|n| i64::from(crate::oid::database(n)) == *oid) {
                    Some(name) => name,
                    None => return Ok(Value::Null),
                }
            }
            _ => return Ok(Value::Null),
        };
        let object = Object::Catalog(name);
        granted(privilege, |privilege| {
            privilege == "CONNECT" && s.view.authority().allows(&role, Privilege::Usage, &object)
        })
    }),
    spec("has_function_privilege", (2, 3), "bool", |s, args| {
        let (_, [_, privilege]) = asked(s, args)?;
        granted(privilege, |name| name == "EXECUTE")
    }),
    spec("has_type_privilege", (2, 3), "bool", |s, args| {
        let (_, [_, privilege]) = asked(s, args)?;
        granted(privilege, |name| name == "USAGE")
    }),
    spec("has_language_privilege", (2, 3), "bool", |s, args| {
        let (_, [_, privilege]) = asked(s, args)?;
        granted(privilege, |name| name == "USAGE")
    }),
    spec("has_tablespace_privilege", (2, 3), "bool", |s, args| {
        let (_, [_, privilege]) = asked(s, args)?;
        granted(privilege, |_| false)
    }),
    // What an owner and everybody have of an object that nothing was granted on; as PostgreSQL has it.
    spec("acldefault", (2, 2), "_aclitem", |s, args| {
        let roles = s.roles();
        let owner = roles
            .iter()
            .find(|r| i64::from(r.oid) == int(&args[1]).unwrap_or(0));
        let owner = owner.map_or("", |r| r.info.name.as_str());
        let (of_public, of_owner) = match text(&args[0]) {
            "r" => ("", "arwdDxt"),
            "s" => ("", "rwU"),
            "d" => ("Tc", "CTc"),
            "f" => ("X", "X"),
            "l" | "T" => ("U", "U"),
            "n" => ("", "UC"),
            "t" => ("", "C"),
            "F" | "S" => ("", "U"),
            "p" => ("", "sA"),
            "L" => ("", "rw"),
            "c" => ("", ""),
            _ => {
                return Err(Error::new(
                    SqlState::InvalidParameterValue,
                    format!("unrecognized object type abbreviation: {}", text(&args[0])),
                ));
            }
        };
        let mut items = Vec::new();
        if !of_public.is_empty() {
            items.push(format!("={of_public}/{owner}"));
        }
        if !of_owner.is_empty() {
            items.push(format!("{owner}={of_owner}/{owner}"));
        }
        Ok(items.into())
    }),
    spec("pg_has_role", (2, 3), "bool", |s, args| {
        let (role, [of, privilege]) = asked(s, args)?;
        let of = role_named(s, of)?;
        let authority = s.view.authority();
        let own = authority.restricts();
        let mut any = false;
        for word in text(privilege).split(',') {
            any |= match word.trim().to_uppercase().as_str() {
                "USAGE" => role == of || (own && authority.inherits(&role, &of)),
                "MEMBER" => authority.is_member(&role, &of),
                "USAGE WITH ADMIN OPTION"
                | "MEMBER WITH ADMIN OPTION"
                | "USAGE WITH GRANT OPTION"
                | "MEMBER WITH GRANT OPTION" => authority.is_superuser(&role),
                _ => return Err(unrecognized(privilege)),
            };
        }
        Ok(any.into())
    }),
];

/// The role that is asked about, which may stand before the other arguments, and these.
fn asked<'a, const N: usize>(s: &Snapshot, args: &'a [Value]) -> Result<(String, [&'a Value; N])> {
    const NOTHING: &Value = &Value::Null;
    let first = args.len().saturating_sub(N);
    let mut rest = [NOTHING; N];
    for (slot, value) in rest.iter_mut().zip(&args[first..]) {
        *slot = value;
    }
    let role = match first {
        0 => s.view.role().to_owned(),
        _ => role_named(s, &args[0])?,
    };
    Ok((role, rest))
}

/// # Errors
/// `42704` for a name that no role has.
fn role_named(s: &Snapshot, role: &Value) -> Result<String> {
    let mut roles = s.roles().into_iter();
    let found = match role {
        Value::Text(name) if name == inflowave_engine::PUBLIC => return Ok(name.clone()),
        Value::Text(name) => roles.find(|r| r.info.name == *name),
        Value::Int(oid) => roles.find(|r| i64::from(r.oid) == *oid),
        _ => None,
    };
    match (found, role) {
        (Some(role), _) => Ok(role.info.name),
        (None, Value::Text(name)) => Err(Error::new(
            SqlState::UndefinedObject,
            format!("role \"{name}\" does not exist"),
        )),
        (None, _) => Ok(String::new()),
    }
}

fn may_read_column(s: &Snapshot, role: &str, class: &Class, column: &Value) -> bool {
    let Value::Text(column) = column else {
        // By number: only a whole relation is known to be readable.
        return false;
    };
    s.may_read_column(role, s.view.database(), class, column)
}

/// NULL for an OID that no relation has.
fn on_class(
    s: &Snapshot,
    table: &Value,
    privilege: &Value,
    readable: impl Fn(&Class) -> bool,
) -> Result<Value> {
    let oid = match table {
        Value::Text(name) => class(s, name)?.ok_or_else(|| {
            Error::new(
                SqlState::UndefinedTable,
                format!("relation \"{name}\" does not exist"),
            )
        })?,
        Value::Int(oid) => u32::try_from(*oid).unwrap_or(0),
        _ => 0,
    };
    let names = s.current()?;
    let Some(class) = names.class(oid) else {
        return Ok(Value::Null);
    };
    granted(privilege, |name| name == "SELECT" && readable(class))
}

/// One of several privileges is enough.
fn granted(privilege: &Value, has: impl Fn(&str) -> bool) -> Result<Value> {
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
            return Err(unrecognized(privilege));
        }
        any |= bare.is_none() && has(name);
    }
    Ok(Value::Bool(any))
}

fn unrecognized(privilege: &Value) -> Error {
    Error::new(
        SqlState::InvalidParameterValue,
        format!("unrecognized privilege type: \"{}\"", text(privilege)),
    )
}
