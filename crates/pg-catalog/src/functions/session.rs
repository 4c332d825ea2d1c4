//! Who is connected, to what, and with which settings.

use inflowave_engine::Registry;
use inflowave_types::{Error, Result, SessionId, SqlState};

use super::{Spec, effect, int, spec, text};
use crate::SCHEMAS;
use crate::rows::server::ENCODING;
use crate::snapshot::Snapshot;
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
        Ok(match path(s)?.into_iter().next() {
            Some(schema) => schema.into(),
            None => Value::Null,
        })
    }),
    spec("current_schemas", (1, 1), "_name", |s, args| {
        let mut schemas = path(s)?;
        let implicit = args[0] == Value::Bool(true) || text(&args[0]).starts_with(['t', 'T', '1']);
        if implicit && !schemas.iter().any(|schema| schema == SCHEMAS[0]) {
            schemas.insert(0, SCHEMAS[0].to_owned());
        }
        Ok(schemas.into())
    }),
    spec("current_user", (0, 0), "name", |s, _| {
        Ok(s.view.role().into())
    }),
    spec("current_role", (0, 0), "name", |s, _| {
        Ok(s.view.role().into())
    }),
    spec("session_user", (0, 0), "name", |s, _| {
        Ok(s.view.user().into())
    }),
    spec("user", (0, 0), "name", |s, _| Ok(s.view.role().into())),
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
        match s.view.setting(text(&args[0])) {
            Ok(value) => Ok(value.into()),
            Err(_) if args.get(1) == Some(&Value::Bool(true)) => Ok(Value::Null),
            Err(error) => Err(error),
        }
    }),
    Spec {
        strict: false,
        ..effect("set_config", (3, 3), "text", |s, args| {
            if args[0] == Value::Null {
                return Err(Error::new(
                    SqlState::NullValueNotAllowed,
                    "SET requires parameter name",
                ));
            }
            let local = args[2] == Value::Bool(true) || text(&args[2]).starts_with(['t', 'T', '1']);
            Ok(s.view.set(text(&args[0]), text(&args[1]), local)?.into())
        })
    },
    effect("pg_cancel_backend", (1, 1), "bool", |s, args| {
        on_backend(s, &args[0], |registry, id| registry.interrupt(id))
    }),
    effect("pg_terminate_backend", (1, 2), "bool", |s, args| {
        on_backend(s, &args[0], |registry, id| registry.terminate(id))
    }),
    // Nobody notifies, and nobody locks.
    spec("pg_listening_channels", (0, 0), "text", |_, _| {
        Ok(Value::Null)
    }),
    effect("pg_advisory_unlock_all", (0, 0), "void", |_, _| {
        Ok(Value::Text(String::new()))
    }),
    // Nothing that is read waits for a lock.
    spec("pg_blocking_pids", (1, 1), "_int4", |_, _| {
        Ok(Value::List(Vec::new()))
    }),
    spec("pg_is_wal_replay_paused", (0, 0), "bool", |_, _| {
        Err(Error::new(
            SqlState::ObjectNotInPrerequisiteState,
            "recovery is not in progress",
        )
        .with_hint("Recovery control functions can only be executed during recovery."))
    }),
];

/// Another session is one's own user's.
fn on_backend(
    s: &Snapshot,
    pid: &Value,
    act: impl Fn(&Registry, SessionId) -> bool,
) -> Result<Value> {
    let pid = int(pid)?;
    let registry = s.view.registry();
    let mut sessions = registry.sessions().into_iter();
    let Some(session) = sessions.find(|session| i64::from(session.id.0) == pid) else {
        return Ok(false.into());
    };
    let (authority, role) = (s.view.authority(), s.view.role());
    let own = session.user == s.view.user();
    let superuser = authority.is_superuser(role);
    let of_superuser = authority.restricts() && authority.is_superuser(&session.user);
    let member = authority.is_member(role, &session.user) && !of_superuser;
    if !(own || superuser || member) {
        return Err(Error::new(
            SqlState::InsufficientPrivilege,
            "must be a member of the role whose query is being canceled",
        )
        .with_hint("A session can be ended by its own user."));
    }
    Ok(act(registry, session.id).into())
}

/// The schemas of the search path that are there. While the session has not set it, its one schema is
/// not asked for.
fn path(s: &Snapshot) -> Result<Vec<String>> {
    let path = s.view.search_path();
    if !s.view.has_own_path() {
        return Ok(path);
    }
    let names = s.current()?;
    let there = |schema: &String| SCHEMAS.contains(&schema.as_str()) || names.has_schema(schema);
    Ok(path.into_iter().filter(there).collect())
}
