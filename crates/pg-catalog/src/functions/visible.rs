//! `pg_.._is_visible`: does a name without a schema find the object?

use inflowave_types::Result;

use super::{Spec, oid, spec};
use crate::data;
use crate::oid as oids;
use crate::value::Value;

pub(super) const SPECS: &[Spec] = &[
    spec("pg_table_is_visible", (1, 1), "bool", |snapshot, args| {
        let names = snapshot.current()?;
        let class = names.class(oid(&args[0])?);
        Ok(class.map(|c| names.is_visible(c)).into())
    }),
    // Types and functions are all in pg_catalog, which is looked at first.
    spec("pg_type_is_visible", (1, 1), "bool", |_, args| {
        Ok(data::type_of_oid(oid(&args[0])?).map(|_| true).into())
    }),
    spec(
        "pg_function_is_visible",
        (1, 1),
        "bool",
        |snapshot, args| {
            Ok(snapshot
                .procedures()
                .get(oid(&args[0])?)
                .map(|_| true)
                .into())
        },
    ),
    spec("pg_collation_is_visible", (1, 1), "bool", |_, args| {
        let known = [oids::DEFAULT_COLLATION, oids::C_COLLATION, 951].contains(&oid(&args[0])?);
        Ok(known.then_some(true).into())
    }),
    spec("pg_opclass_is_visible", (1, 1), "bool", |_, args| {
        listed("pg_opclass", &args[0])
    }),
    spec("pg_operator_is_visible", (1, 1), "bool", |_, args| {
        listed("pg_operator", &args[0])
    }),
    spec("pg_opfamily_is_visible", (1, 1), "bool", |_, args| {
        listed("pg_opfamily", &args[0])
    }),
    // There are none of these, so that no OID is one of theirs.
    none("pg_conversion_is_visible"),
    none("pg_statistics_obj_is_visible"),
    none("pg_ts_config_is_visible"),
    none("pg_ts_dict_is_visible"),
    none("pg_ts_parser_is_visible"),
    none("pg_ts_template_is_visible"),
];

/// Is it the OID of a row that is the same everywhere? All of those are in `pg_catalog`.
fn listed(relation: &str, argument: &Value) -> Result<Value> {
    let oid = oid(argument)?.to_string();
    let found = data::rows(relation).any(|row| row.first() == Some(&oid.as_str()));
    Ok(found.then_some(true).into())
}

const fn none(name: &'static str) -> Spec {
    spec(name, (1, 1), "bool", |_, _| Ok(Value::Null))
}
