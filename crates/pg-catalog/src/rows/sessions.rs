//! What sessions have and do.

use std::time::{SystemTime, UNIX_EPOCH};

use inflowave_engine::{QueryRecord, SessionRecord};
use inflowave_query_api::{TransactionStatus, WireType};

use crate::oid;
use crate::snapshot::Snapshot;
use crate::type_name;
use crate::value::{Rows, Value};

pub(super) fn cursors(rows: &mut Rows, snapshot: &Snapshot) {
    for cursor in snapshot.view.cursors() {
        rows.push([
            ("name", cursor.name.into()),
            ("statement", cursor.statement.into()),
            ("is_holdable", cursor.hold.into()),
            ("is_binary", cursor.binary.into()),
            ("is_scrollable", cursor.scroll.into()),
            ("creation_time", micros(cursor.declared)),
        ]);
    }
}

pub(super) fn prepared_statements(rows: &mut Rows, snapshot: &Snapshot) {
    for prepared in snapshot.view.prepared_statements() {
        let types = prepared.parameters.iter().map(|field| {
            let oid = WireType::of(field).map_or(type_name::TEXT, |t| t.oid);
            Value::from(oid)
        });
        rows.push([
            ("name", prepared.name.into()),
            ("statement", prepared.statement.into()),
            ("prepare_time", micros(prepared.prepared)),
            ("parameter_types", Value::List(types.collect())),
            ("from_sql", prepared.from_sql.into()),
            // Each execution is planned with its values.
            ("generic_plans", 0_i64.into()),
            ("custom_plans", 0_i64.into()),
        ]);
    }
}

pub(super) fn activity(rows: &mut Rows, snapshot: &Snapshot) {
    let queries = snapshot.view.registry().queries();
    let (authority, role) = (snapshot.view.authority(), snapshot.view.role());
    for session in snapshot.view.registry().sessions() {
        // What others do is for them and for superusers.
        let seen = authority.inherits(role, &session.user) || authority.is_superuser(role);
        let query = session.last_query.and_then(|id| {
            let mut newest = queries.iter().rev();
            newest.find(|q| q.id == id)
        });
        let (address, port) = client(&session.client);
        rows.push([
            ("datid", oid::database(&session.database).into()),
            ("datname", session.database.as_str().into()),
            ("pid", i64::from(session.id.0).into()),
            ("usesysid", oid::role(&session.user).into()),
            ("usename", session.user.as_str().into()),
            ("application_name", session.application_name.as_str().into()),
            ("client_addr", address.filter(|_| seen).into()),
            ("client_port", Some(port).filter(|_| seen).into()),
            ("backend_start", micros(session.started)),
            ("xact_start", session.transaction_started.map(micros).into()),
            ("query_start", query.map(|q| micros(q.started)).into()),
            ("state_change", state_change(&session, query)),
            ("state", Some(state(&session)).filter(|_| seen).into()),
            (
                "query",
                match (seen, query) {
                    (false, _) => "<insufficient privilege>".into(),
                    (true, query) => query.map_or("", |q| q.text.as_str()).into(),
                },
            ),
            ("backend_type", "client backend".into()),
        ]);
    }
}

pub(super) fn databases(rows: &mut Rows, snapshot: &Snapshot) {
    let sessions = snapshot.view.registry().sessions();
    for name in snapshot.view.catalogs().names() {
        let connected = sessions.iter().filter(|s| s.database == name).count();
        rows.push([
            ("datid", oid::database(&name).into()),
            ("datname", name.into()),
            (
                "numbackends",
                i64::try_from(connected).unwrap_or(i64::MAX).into(),
            ),
        ]);
    }
}

fn state(session: &SessionRecord) -> &'static str {
    match (session.query, session.status) {
        (Some(_), _) => "active",
        (None, TransactionStatus::Idle) => "idle",
        (None, TransactionStatus::InTransaction) => "idle in transaction",
        (None, TransactionStatus::Failed) => "idle in transaction (aborted)",
    }
}

fn state_change(session: &SessionRecord, query: Option<&QueryRecord>) -> Value {
    let last = query.map(|q| q.ended.unwrap_or(q.started));
    micros(last.unwrap_or(session.started))
}

/// The address and the port of a client; NULL and -1 for one that has none.
fn client(text: &str) -> (Option<String>, i64) {
    match text.parse::<std::net::SocketAddr>() {
        Ok(address) => (Some(address.ip().to_string()), address.port().into()),
        Err(_) => (None, -1),
    }
}

fn micros(time: SystemTime) -> Value {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Value::Int(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
