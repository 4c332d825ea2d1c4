//! Who is connected, to what, and with which settings.

use inflowave_types::{Error, SqlState};

use super::{Spec, int, spec, text};
use crate::SCHEMAS;
use crate::rows::server::ENCODING;
use crate::value::Value;

/// Answers tell a client that what it speaks is PostgreSQL's, and who speaks it.
const VERSION: &str = concat!(
    "PostgreSQL 15.0 (InfloWave ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

pub(super) const SPECS: &[Spec] = &[
    spec("current_database", (0, 0), "name", |s, _| {
        Ok(s.view.database().into())
    }),
    spec("current_catalog", (0, 0), "name", |s, _| {
        Ok(s.view.database().into())
    }),
    spec("current_schema", (0, 0), "name", |s, _| {
        Ok(s.view.catalogs().default_schema(s.view.database()).into())
    }),
    spec("current_schemas", (1, 1), "_name", |s, args| {
        let own = s.view.catalogs().default_schema(s.view.database());
        let implicit = args[0] == Value::Bool(true) || text(&args[0]).starts_with(['t', 'T', '1']);
        Ok(match implicit {
            true => vec![SCHEMAS[0].to_owned(), own].into(),
            false => vec![own].into(),
        })
    }),
    spec("current_user", (0, 0), "name", |s, _| {
        Ok(s.view.user().into())
    }),
    spec("current_role", (0, 0), "name", |s, _| {
        Ok(s.view.user().into())
    }),
    spec("session_user", (0, 0), "name", |s, _| {
        Ok(s.view.user().into())
    }),
    spec("user", (0, 0), "name", |s, _| Ok(s.view.user().into())),
    spec("version", (0, 0), "text", |_, _| Ok(VERSION.into())),
    spec("pg_backend_pid", (0, 0), "int4", |s, _| {
        Ok(s.view.session().0.into())
    }),
    spec("pg_is_in_recovery", (0, 0), "bool", |_, _| Ok(false.into())),
    spec("pg_my_temp_schema", (0, 0), "oid", |_, _| Ok(0.into())),
    spec("pg_is_other_temp_schema", (1, 1), "bool", |_, _| {
        Ok(false.into())
    }),
    spec("getdatabaseencoding", (0, 0), "name", |_, _| {
        Ok("UTF8".into())
    }),
    spec("pg_client_encoding", (0, 0), "name", |_, _| {
        Ok("UTF8".into())
    }),
    spec("pg_encoding_to_char", (1, 1), "name", |_, args| {
        Ok(if int(&args[0])? == i64::from(ENCODING) {
            "UTF8"
        } else {
            ""
        }
        .into())
    }),
    spec("pg_char_to_encoding", (1, 1), "int4", |_, args| {
        let plain = text(&args[0]).to_lowercase().replace(['-', '_'], "");
        let known = matches!(plain.as_str(), "utf8" | "unicode");
        Ok(if known { ENCODING } else { -1 }.into())
    }),
    spec("current_setting", (1, 2), "text", |s, args| {
        let name = text(&args[0]);
        let mut settings = s.view.settings().into_iter();
        match settings.find(|setting| setting.name.eq_ignore_ascii_case(name)) {
            Some(setting) => Ok(setting.value.into()),
            None if args.get(1) == Some(&Value::Bool(true)) => Ok(Value::Null),
            None => Err(Error::new(
                SqlState::UndefinedObject,
                format!("unrecognized configuration parameter \"{name}\""),
            )
            .with_hint("SHOW ALL lists the settings.")),
        }
    }),
];
