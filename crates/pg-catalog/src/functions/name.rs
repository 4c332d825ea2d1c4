//! OIDs that are written and printed as names: `regclass`, `regtype` and their like.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use inflowave_types::{Error, PgType, Result, SqlState};

use super::{Spec, function, int, oid, spec, text};
use crate::data;
use crate::procedures;
use crate::snapshot::Snapshot;
use crate::type_name;
use crate::value::Value;

pub(super) const SPECS: &[Spec] = &[
    spec("to_regclass", (1, 1), "regclass", |snapshot, args| {
        Ok(class(snapshot, text(&args[0]))?.into())
    }),
    spec("to_regtype", (1, 1), "regtype", |_, args| {
        let folded = parts(text(&args[0])).unwrap_or_default().join(".");
        Ok(type_name::find(&folded).map(|(oid, _)| oid).into())
    }),
    spec(
        "to_regnamespace",
        (1, 1),
        "regnamespace",
        |snapshot, args| Ok(namespace(snapshot, text(&args[0]))?.into()),
    ),
    spec("pg_get_userbyid", (1, 1), "name", |snapshot, args| {
        let wanted = oid(&args[0])?;
        let roles = snapshot.roles();
        let role = roles.into_iter().find(|r| r.oid == wanted);
        Ok(role
            .map_or_else(|| format!("unknown (OID={wanted})"), |r| r.info.name)
            .into())
    }),
];

/// What makes an OID of the text of a type.
pub(crate) fn input(kind: PgType) -> Option<Arc<ScalarUDF>> {
    Some(function(match kind {
        PgType::Regclass => spec("regclassin", (1, 1), "regclass", |snapshot, args| {
            number(&args[0])
                .or_else(|| class(snapshot, text(&args[0])).transpose())
                .unwrap_or_else(|| {
                    Err(Error::new(
                        SqlState::UndefinedTable,
                        format!("relation \"{}\" does not exist", text(&args[0])),
                    ))
                })
                .map(Value::from)
        }),
        PgType::Regtype => spec("regtypein", (1, 1), "regtype", |_, args| {
            let name = text(&args[0]);
            let folded = parts(name)?.join(".");
            let found = || type_name::find(&folded).map(|(oid, _)| Ok(oid));
            number(&args[0])
                .or_else(found)
                .unwrap_or_else(|| {
                    Err(Error::new(
                        SqlState::UndefinedObject,
                        format!("type \"{name}\" does not exist"),
                    ))
                })
                .map(Value::from)
        }),
        PgType::Regnamespace => spec(
            "regnamespacein",
            (1, 1),
            "regnamespace",
            |snapshot, args| {
                let found = || namespace(snapshot, text(&args[0])).transpose();
                number(&args[0])
                    .or_else(found)
                    .unwrap_or_else(|| {
                        Err(Error::new(
                            SqlState::InvalidSchemaName,
                            format!("schema \"{}\" does not exist", text(&args[0])),
                        ))
                    })
                    .map(Value::from)
            },
        ),
        PgType::Regrole => spec("regrolein", (1, 1), "regrole", |snapshot, args| {
            let name = parts(text(&args[0]))?.join(".");
            let mut roles = snapshot.roles().into_iter();
            let found = || roles.find(|r| r.info.name == name).map(|r| Ok(r.oid));
            number(&args[0])
                .or_else(found)
                .unwrap_or_else(|| {
                    Err(Error::new(
                        SqlState::UndefinedObject,
                        format!("role \"{name}\" does not exist"),
                    ))
                })
                .map(Value::from)
        }),
        PgType::Regproc => spec("regprocin", (1, 1), "regproc", |snapshot, args| {
            let name = parts(text(&args[0]))?.pop().unwrap_or_default();
            let found = || procedure(snapshot, &name);
            number(&args[0])
                .or_else(found)
                .unwrap_or_else(|| {
                    Err(Error::new(
                        SqlState::UndefinedFunction,
                        format!("function \"{name}\" does not exist"),
                    ))
                })
                .map(Value::from)
        }),
        PgType::Regprocedure => spec(
            "regprocedurein",
            (1, 1),
            "regprocedure",
            |snapshot, args| {
                let found = || signature(snapshot, text(&args[0])).transpose();
                number(&args[0])
                    .or_else(found)
                    .unwrap_or_else(|| {
                        Err(Error::new(
                            SqlState::UndefinedFunction,
                            format!("function \"{}\" does not exist", text(&args[0])),
                        ))
                    })
                    .map(Value::from)
            },
        ),
        // Of these there is none to be found by its name.
        PgType::Regoperator => spec("regoperatorin", (1, 1), "regoperator", |_, args| {
            by_number(&args[0], SqlState::UndefinedFunction, "operator")
        }),
        PgType::Regdictionary => spec("regdictionaryin", (1, 1), "regdictionary", |_, args| {
            by_number(
                &args[0],
                SqlState::UndefinedObject,
                "text search dictionary",
            )
        }),
        PgType::Regconfig => spec("regconfigin", (1, 1), "regconfig", |_, args| {
            by_number(
                &args[0],
                SqlState::UndefinedObject,
                "text search configuration",
            )
        }),
        PgType::Regcollation => spec("regcollationin", (1, 1), "regcollation", |_, args| {
            by_number(&args[0], SqlState::UndefinedObject, "collation")
        }),
        _ => return None,
    }))
}

fn by_number(value: &Value, sqlstate: SqlState, what: &str) -> Result<Value> {
    number(value)
        .unwrap_or_else(|| {
            Err(Error::new(
                sqlstate,
                format!("{what} \"{}\" does not exist", text(value)),
            ))
        })
        .map(Value::from)
}

/// The OID of `f(type, ..)`.
fn signature(snapshot: &Snapshot, written: &str) -> Result<Option<u32>> {
    let (name, types) = written
        .trim()
        .strip_suffix(')')
        .and_then(|w| w.split_once('('))
        .ok_or_else(|| {
            Error::new(
                SqlState::InvalidTextRepresentation,
                "expected a left parenthesis",
            )
        })?;
    let name = parts(name)?.pop().unwrap_or_default();
    let mut arguments = Vec::new();
    for written in types.split(',').map(str::trim).filter(|t| !t.is_empty()) {
        let folded = parts(written)?.join(".");
        let Some((oid, _)) = type_name::find(&folded) else {
            return Err(Error::new(
                SqlState::UndefinedObject,
                format!("type \"{written}\" does not exist"),
            ));
        };
        arguments.push(oid);
    }
    let mut all = snapshot.procedures().all.iter();
    let found = all.find(|f| f.name == name && f.arguments == arguments);
    Ok(found.map(|f| f.oid))
}

/// The names of a list of types.
pub(crate) fn output_of_types() -> Arc<ScalarUDF> {
    function(spec(
        "regtypearrayout",
        (1, 1),
        "_regtype_name",
        |_, args| {
            let Value::List(items) = &args[0] else {
                return Ok(Value::Null);
            };
            let names = items.iter().map(|item| match item {
                Value::Null => Ok(Value::Null),
                item => Ok(type_text(oid(item)?).into()),
            });
            names.collect::<Result<_>>().map(Value::List)
        },
    ))
}

fn type_text(oid: u32) -> String {
    match oid != 0 && data::type_of_oid(oid).is_none() {
        true => oid.to_string(),
        false => type_name::format(oid, None),
    }
}

/// What prints values of a type that is not printed as its Arrow type would be.
pub(crate) fn output(kind: PgType) -> Option<Arc<ScalarUDF>> {
    Some(function(match kind {
        PgType::Regclass => spec("regclassout", (1, 1), "text", |snapshot, args| {
            let oid = oid(&args[0])?;
            if oid == 0 {
                return Ok("-".into());
            }
            let names = snapshot.current()?;
            Ok(match names.class(oid) {
                Some(class) if names.is_visible(class) => quoted(&class.name).into(),
                Some(class) => format!("{}.{}", quoted(&class.schema), quoted(&class.name)).into(),
                None => oid.to_string().into(),
            })
        }),
        PgType::Regtype => spec("regtypeout", (1, 1), "text", |_, args| {
            Ok(type_text(oid(&args[0])?).into())
        }),
        PgType::Regnamespace => spec("regnamespaceout", (1, 1), "text", |snapshot, args| {
            let oid = oid(&args[0])?;
            if oid == 0 {
                return Ok("-".into());
            }
            let names = snapshot.current()?;
            let name = names.namespace(oid).map(|n| quoted(&n.name));
            Ok(name.unwrap_or_else(|| oid.to_string()).into())
        }),
        PgType::Regrole => spec("regroleout", (1, 1), "text", |snapshot, args| {
            let oid = oid(&args[0])?;
            let roles = snapshot.roles();
            let name = roles
                .iter()
                .find(|r| r.oid == oid)
                .map(|r| quoted(&r.info.name));
            Ok(match oid {
                0 => "-".into(),
                oid => name.unwrap_or_else(|| oid.to_string()).into(),
            })
        }),
        PgType::Regproc => spec("regprocout", (1, 1), "text", |snapshot, args| {
            Ok(procedures::name_of(oid(&args[0])?, snapshot.procedures()).into())
        }),
        PgType::Regprocedure => spec("regprocedureout", (1, 1), "text", |snapshot, args| {
            let oid = oid(&args[0])?;
            let Some(found) = snapshot.procedures().get(oid) else {
                return Ok(procedures::name_of(oid, snapshot.procedures()).into());
            };
            let types = found.arguments.iter().map(|t| type_text(*t));
            let types: Vec<String> = types.collect();
            Ok(format!("{}({})", quoted(&found.name), types.join(",")).into())
        }),
        PgType::Regoperator => spec("regoperatorout", (1, 1), "text", |_, args| {
            Ok(operator_text(oid(&args[0])?).into())
        }),
        PgType::Regcollation => spec("regcollationout", (1, 1), "text", |_, args| {
            Ok(match oid(&args[0])? {
                0 => "-".into(),
                100 => "\"default\"".into(),
                950 => "\"C\"".into(),
                951 => "\"POSIX\"".into(),
                oid => oid.to_string().into(),
            })
        }),
        PgType::Regdictionary | PgType::Regconfig => {
            spec("regnumberout", (1, 1), "text", |_, args| {
                Ok(match oid(&args[0])? {
                    0 => "-".into(),
                    oid => oid.to_string().into(),
                })
            })
        }
        PgType::Int2vector | PgType::Oidvector => spec("vectorout", (1, 1), "text", |_, args| {
            let Value::List(items) = &args[0] else {
                return Ok(Value::Null);
            };
            let items = items.iter().map(|v| int(v).map(|v| v.to_string()));
            Ok(items.collect::<Result<Vec<_>>>()?.join(" ").into())
        }),
        _ => return None,
    }))
}

/// `=(integer,integer)`; an operand that there is not is `NONE`.
fn operator_text(oid: u32) -> String {
    if oid == 0 {
        return "0".to_owned();
    }
    let mut operators = data::rows("pg_operator");
    let found = operators.find(|cells| cells.first().is_some_and(|c| c.parse() == Ok(oid)));
    let operand = |cell: Option<&&str>| match cell.and_then(|c| c.parse().ok()) {
        None | Some(0) => "NONE".to_owned(),
        Some(oid) => type_text(oid),
    };
    match found {
        Some(cells) => format!(
            "{}({},{})",
            cells.get(1).copied().unwrap_or_default(),
            operand(cells.get(7)),
            operand(cells.get(8))
        ),
        None => oid.to_string(),
    }
}

/// A text of digits is the number itself.
fn number(value: &Value) -> Option<Result<u32>> {
    match value {
        Value::Text(text) if text.trim() == "-" => Some(Ok(0)),
        Value::Text(text) => text.trim().parse().ok().map(Ok),
        other => Some(oid(other)),
    }
}

/// The OID of a relation by its name, as it would stand in a statement.
pub(super) fn class(snapshot: &Snapshot, name: &str) -> Result<Option<u32>> {
    let names = snapshot.current()?;
    let parts = parts(name)?;
    let class = match parts.as_slice() {
        [table] => names.visible(table),
        [schema, table] => names.class_named(schema, table),
        [catalog, schema, table] if catalog == snapshot.view.database() => {
            names.class_named(schema, table)
        }
        [_, _, _] => {
            return Err(Error::unsupported(format!(
                "cross-database references are not implemented: \"{name}\""
            ))
            .with_hint("A regclass is of the current catalog; connect to the other one."));
        }
        _ => None,
    };
    Ok(class.map(|c| c.oid))
}

fn namespace(snapshot: &Snapshot, name: &str) -> Result<Option<u32>> {
    let parts = parts(name)?;
    let names = snapshot.current()?;
    let name = match parts.as_slice() {
        [name] => names.namespace_named(name),
        _ => None,
    };
    Ok(name.map(|n| n.oid))
}

fn procedure(snapshot: &Snapshot, name: &str) -> Option<Result<u32>> {
    let all = snapshot.procedures();
    let mut found = all.all.iter().filter(|f| f.name == name);
    let first = found.next()?;
    Some(match found.next() {
        None => Ok(first.oid),
        Some(_) => Err(Error::new(
            SqlState::AmbiguousFunction,
            format!("more than one function named \"{name}\""),
        )),
    })
}

/// `a."B".c` taken apart; what is not quoted is folded to lower case.
///
/// # Errors
/// `42602` for a text that is no name.
pub(super) fn parts(name: &str) -> Result<Vec<String>> {
    let invalid = || {
        Error::new(
            SqlState::InvalidName,
            format!("invalid name syntax: \"{name}\""),
        )
    };
    let mut parts = Vec::new();
    let mut rest = name.trim();
    loop {
        let part = if let Some(quoted) = rest.strip_prefix('"') {
            let mut part = String::new();
            let mut chars = quoted.char_indices().peekable();
            let end = loop {
                match chars.next() {
                    Some((_, '"')) if chars.peek().is_some_and(|(_, c)| *c == '"') => {
                        chars.next();
                        part.push('"');
                    }
                    Some((at, '"')) => break at + 1,
                    Some((_, c)) => part.push(c),
                    None => return Err(invalid()),
                }
            };
            rest = &quoted[end..];
            part
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            let part = rest[..end].trim().to_lowercase();
            rest = &rest[end..];
            part
        };
        if part.is_empty() {
            return Err(invalid());
        }
        parts.push(part);
        match rest.strip_prefix('.') {
            Some(behind) => rest = behind,
            None if rest.is_empty() => return Ok(parts),
            None => return Err(invalid()),
        }
    }
}

/// `quote_ident`.
pub(super) fn quoted(name: &str) -> String {
    let mut chars = name.chars();
    let plain = chars
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    match plain && !data::is_reserved(name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_quoted() {
        assert_eq!(parts("Pg_Class").unwrap(), ["pg_class"]);
        assert_eq!(parts("a.\"B.\"\"c\"").unwrap(), ["a", "B.\"c"]);
        for wrong in ["", "a.", "\"a", "\"a\"b", ".a"] {
            assert_eq!(
                parts(wrong).unwrap_err().sqlstate().code(),
                "42602",
                "{wrong}"
            );
        }
        assert_eq!(quoted("nation"), "nation");
        assert_eq!(quoted("Nation"), "\"Nation\"");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(quoted("select"), "\"select\"");
        assert_eq!(quoted("1a"), "\"1a\"");
    }
}
