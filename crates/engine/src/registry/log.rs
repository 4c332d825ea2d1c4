//! The one line that the log has of a query: its end.

use std::time::Duration;

use inflowave_types::SqlState;

use super::record::{QueryRecord, QueryState};

/// At `error` what is a defect of ours, at `warn` what the server or a source failed to do, at
/// `info` all else: a wrong statement is nothing that an operator could mend. An error is told here
/// and nowhere else, so that it is not counted twice.
pub(super) fn ended(q: &QueryRecord, statements: bool) {
    // The level of an event is a constant of its place.
    macro_rules! event {
        ($level:expr) => {
            tracing::event!(
                target: "inflowave::query",
                $level,
                query_id = q.id.0,
                session_id = q.session.0,
                user = q.user.as_str(),
                protocol = q.protocol,
                outcome = q.state.name(),
                sqlstate = q.sqlstate.map(SqlState::code),
                error = q.error.as_deref(),
                parse_us = us(q.phases.parse),
                planned_us = q.phases.planned.map(us),
                first_row_us = q.phases.first_row.map(us),
                elapsed_us = us(q.phases.elapsed()),
                rows = q.rows,
                bytes = q.bytes,
                source_rows = q.source_rows,
                source_bytes = q.source_bytes,
                statement = statements.then_some(q.text.as_str()),
                "query ended"
            )
        };
    }
    match q.sqlstate.filter(|_| q.state == QueryState::Failed) {
        Some(state) if state.code().starts_with("XX") => event!(tracing::Level::ERROR),
        Some(state) if is_operators(state) => event!(tracing::Level::WARN),
        _ => event!(tracing::Level::INFO),
    }
}

/// Connections, resources, limits, the system below: what an operator can do something about.
fn is_operators(state: SqlState) -> bool {
    ["08", "53", "54", "57", "58"]
        .iter()
        .any(|class| state.code().starts_with(class))
}

fn us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
