//! How objects are defined, and what is said about them.

use inflowave_engine::CommentInfo;
use inflowave_types::Result;

use super::name::{class as class_of, quoted};
use super::{Spec, int, oid, spec, text};
use crate::data;
use crate::oid as oids;
use crate::rows::classes::definition;
use crate::snapshot::{Class, Snapshot};
use crate::type_name;
use crate::value::Value;

pub(super) const SPECS: &[Spec] = &[
    // An expression of ours is kept as its text.
    spec("pg_get_expr", (2, 3), "text", |_, args| Ok(args[0].clone())),
    spec("pg_get_viewdef", (1, 2), "text", |snapshot, args| {
        let names = snapshot.current()?;
        let oid = match &args[0] {
            Value::Text(name) if name.trim().parse::<u32>().is_err() => class_of(snapshot, name)?,
            number => Some(oid(number)?),
        };
        let class = oid.and_then(|oid| names.class(oid));
        let query = class.and_then(|c| definition(snapshot, c));
        Ok(query
            .map(|q| format!(" {};", q.trim().trim_end_matches(';')))
            .into())
    }),
    spec(
        "pg_get_function_arguments",
        (1, 1),
        "text",
        |snapshot, args| {
            let f = snapshot.procedures().get(oid(&args[0])?);
            Ok(f.map(|f| f.arguments_text.as_str()).into())
        },
    ),
    spec(
        "pg_get_function_identity_arguments",
        (1, 1),
        "text",
        |snapshot, args| {
            let f = snapshot.procedures().get(oid(&args[0])?);
            // Without what an argument is when it is left out.
            Ok(f.map(|f| {
                let arguments = f.arguments_text.split(", ");
                let plain = arguments.map(|a| a.split(" DEFAULT ").next().unwrap_or(a));
                plain.collect::<Vec<_>>().join(", ")
            })
            .into())
        },
    ),
    spec(
        "pg_get_function_result",
        (1, 1),
        "text",
        |snapshot, args| {
            let f = snapshot.procedures().get(oid(&args[0])?);
            Ok(f.map(|f| f.result_text.as_str()).into())
        },
    ),
    spec("oidvectortypes", (1, 1), "text", |_, args| {
        let Value::List(types) = &args[0] else {
            return Ok(Value::Null);
        };
        let names = types.iter().map(|t| Ok(type_name::format(oid(t)?, None)));
        Ok(names.collect::<Result<Vec<_>>>()?.join(", ").into())
    }),
    spec("pg_describe_object", (3, 3), "text", |snapshot, args| {
        Ok(described(snapshot, oid(&args[0])?, oid(&args[1])?)?.into())
    }),
    // Nothing can be written.
    spec("pg_column_is_updatable", (3, 3), "bool", |_, _| {
        Ok(false.into())
    }),
    spec("pg_relation_is_updatable", (2, 2), "int4", |_, _| {
        Ok(0.into())
    }),
    spec("obj_description", (1, 2), "text", |snapshot, args| {
        let relation = args.get(1).is_none_or(|kind| text(kind) == "pg_class");
        if !relation {
            return Ok(Value::Null);
        }
        let names = snapshot.current()?;
        let class = names.class(oid(&args[0])?);
        Ok(class.and_then(|c| comment(snapshot, c, "")).into())
    }),
    spec("col_description", (2, 2), "text", |snapshot, args| {
        let (wanted, number) = (oid(&args[0])?, int(&args[1])?);
        let names = snapshot.current()?;
        let Some(class) = names.class(wanted) else {
            return Ok(Value::Null);
        };
        // Columns of tables without a comment are not read for this.
        let Some(columns) = snapshot.known_columns(snapshot.view.database(), wanted) else {
            return Ok(Value::Null);
        };
        let index = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        let column = index.and_then(|i| columns.get(i));
        Ok(column
            .and_then(|c| comment(snapshot, class, &c.name))
            .into())
    }),
    spec("shobj_description", (2, 2), "text", |snapshot, args| {
        let wanted = oid(&args[0])?;
        let mut comments = snapshot.comments().iter().filter(|c| c.relation.is_empty());
        let of = |c: &&CommentInfo| oids::database(&c.catalog) == wanted;
        let found = match text(&args[1]) {
            "pg_database" => comments.find(of),
            _ => None,
        };
        Ok(found.map(|c| c.text.as_str()).into())
    }),
    spec(
        "pg_relation_is_publishable",
        (1, 1),
        "bool",
        |snapshot, args| {
            let names = snapshot.current()?;
            let oid = match &args[0] {
                Value::Text(name) if name.trim().parse::<u32>().is_err() => {
                    class_of(snapshot, name)?
                }
                number => Some(oid(number)?),
            };
            // Nothing is published.
            Ok(oid.and_then(|o| names.class(o)).map(|_| false).into())
        },
    ),
    // What a source takes on its disks is not known here.
    unknown("pg_table_size", (1, 1), "int8"),
    unknown("pg_relation_size", (1, 2), "int8"),
    unknown("pg_total_relation_size", (1, 1), "int8"),
    unknown("pg_indexes_size", (1, 1), "int8"),
    unknown("pg_database_size", (1, 1), "int8"),
    unknown("pg_tablespace_size", (1, 1), "int8"),
    unknown("pg_stat_get_numscans", (1, 1), "int8"),
    // There are none of these objects.
    unknown("pg_get_indexdef", (1, 3), "text"),
    unknown("pg_get_constraintdef", (1, 2), "text"),
    unknown("pg_get_ruledef", (1, 2), "text"),
    unknown("pg_get_triggerdef", (1, 2), "text"),
    unknown("pg_get_partkeydef", (1, 1), "text"),
    unknown("pg_get_partition_constraintdef", (1, 1), "text"),
    unknown("pg_get_statisticsobjdef", (1, 1), "text"),
    unknown("pg_get_statisticsobjdef_columns", (1, 1), "text"),
    unknown("pg_get_serial_sequence", (2, 2), "text"),
    unknown("pg_get_functiondef", (1, 1), "text"),
    unknown("pg_get_function_sqlbody", (1, 1), "text"),
    spec("pg_tablespace_location", (1, 1), "text", |_, _| {
        Ok("".into())
    }),
];

/// What an object is called in a sentence; `None` of what is not there.
fn described(snapshot: &Snapshot, class: u32, object: u32) -> Result<Option<String>> {
    const PG_TYPE: u32 = 1247;
    const PG_PROC: u32 = 1255;
    const PG_CLASS: u32 = 1259;
    const PG_NAMESPACE: u32 = 2615;
    let names = snapshot.current()?;
    Ok(match class {
        PG_CLASS => names.class(object).map(|class| {
            let kind = match class.kind {
                "v" => "view",
                _ => "table",
            };
            let name = match names.is_visible(class) {
                true => quoted(&class.name),
                false => format!("{}.{}", quoted(&class.schema), quoted(&class.name)),
            };
            format!("{kind} {name}")
        }),
        PG_NAMESPACE => names
            .namespace(object)
            .map(|n| format!("schema {}", quoted(&n.name))),
        PG_TYPE => {
            data::type_of_oid(object).map(|_| format!("type {}", type_name::format(object, None)))
        }
        PG_PROC => snapshot.procedures().get(object).map(|f| {
            let types = f.arguments.iter().map(|t| type_name::format(*t, None));
            let types: Vec<String> = types.collect();
            format!("function {}({})", quoted(&f.name), types.join(","))
        }),
        _ => None,
    })
}

const fn unknown(name: &'static str, arguments: (usize, usize), result: &'static str) -> Spec {
    spec(name, arguments, result, |_, _| Ok(Value::Null))
}

fn comment(snapshot: &Snapshot, class: &Class, column: &str) -> Option<String> {
    let catalog = snapshot.view.database();
    let mut comments = snapshot.comments().iter();
    let found = comments.find(|c| {
        c.catalog == catalog
            && c.schema == class.schema
            && c.relation == class.name
            && c.column == column
    });
    found.map(|c| c.text.clone())
}
