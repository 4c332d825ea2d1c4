//! Functions that pushed SQL calls to read a value as strictly as the server itself does.
//!
//! `inflowave_int(value, 'schema.table.column')` and its like give NULL for NULL, the value if it
//! is what the column declares, and else fail the query with the error of the local read. Their
//! names and duties stand in `inflowave_dialect::sqlite_functions`.

use std::sync::Arc;

use inflowave_dialect::sqlite_functions as name;
use inflowave_types::SqlState;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};

use crate::decode::{self, TextRules, misfit, wanted};
use crate::{error, value};

/// A value that is not NULL, as the function gives it.
type Read = fn(ValueRef<'_>) -> Result<Value, SqlState>;

/// Name, the reading, and what a value should have been.
const FUNCTIONS: &[(&str, Read, &str)] = &[
    (
        name::INT,
        |v| decode::integer(v).map(Value::Integer),
        wanted::INTEGER,
    ),
    (
        name::REAL,
        |v| decode::double(v).map(Value::Real),
        wanted::DOUBLE,
    ),
    (name::TEXT, text, wanted::TEXT),
    (
        name::BLOB,
        |v| decode::blob(v).map(|b| Value::Blob(b.to_vec())),
        wanted::BLOB,
    ),
    (
        name::BOOL,
        |v| decode::boolean(v).map(|b| Value::Integer(b.into())),
        wanted::BOOLEAN,
    ),
    (name::DATE, date, wanted::DATE),
    (name::TIMESTAMP, timestamp, wanted::TIMESTAMP),
    (name::TIME, time, wanted::TIME),
];

/// Makes the functions known to a connection. They are deterministic, so that SQLite may use them
/// wherever it likes, and may not be called by views of the file.
pub fn register(
    connection: &Connection,
    catalog: &str,
    rules: &Arc<TextRules>,
) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    let catalog: Arc<str> = catalog.into();
    for (name, read, wanted) in FUNCTIONS {
        let (catalog, rules) = (Arc::clone(&catalog), Arc::clone(rules));
        connection.create_scalar_function(*name, 2, flags, move |context| {
            checked(context, &catalog, &rules, *read, wanted)
        })?;
    }
    Ok(())
}

fn checked(
    context: &Context<'_>,
    catalog: &str,
    rules: &TextRules,
    read: Read,
    wanted: &'static str,
) -> rusqlite::Result<Value> {
    let value = context.get_raw(0);
    if matches!(value, ValueRef::Null) {
        return Ok(Value::Null);
    }
    read(value).or_else(|state| {
        let column = context.get::<String>(1).unwrap_or_default();
        let label = format!("{catalog}.{column}");
        if wanted == wanted::TEXT
            && rules.is_any_class(&label)
            && let Ok(text) = decode::text_of_any(value)
        {
            return Ok(Value::Text(text.into_owned()));
        }
        let error = misfit(state, &label, value, wanted);
        Err(rusqlite::Error::UserFunctionError(
            error::encode(&error).into(),
        ))
    })
}

fn text(v: ValueRef<'_>) -> Result<Value, SqlState> {
    decode::text(v).map(|t| Value::Text(t.to_owned()))
}

fn date(v: ValueRef<'_>) -> Result<Value, SqlState> {
    let text = decode::text(v)?;
    value::date(text).map(|_| Value::Text(text.to_owned()))
}

fn timestamp(v: ValueRef<'_>) -> Result<Value, SqlState> {
    let text = decode::text(v)?;
    if let Ok(micros) = value::timestamp(text) {
        return Ok(Value::Text(value::timestamp_text(micros)));
    }
    // A moment keeps its offset, so that it still reads as one when a query gives it back.
    let moment = value::timestamp_text(value::timestamptz(text)?);
    Ok(Value::Text(format!("{moment}+00:00")))
}

fn time(v: ValueRef<'_>) -> Result<Value, SqlState> {
    value::time(decode::text(v)?).map(|micros| Value::Text(value::time_text(micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(sql: &str) -> Result<Value, inflowave_types::Error> {
        let connection = Connection::open_in_memory().unwrap();
        let rules = Arc::new(TextRules::default());
        rules.set_any_class("crm.main.t.any".to_owned(), true);
        register(&connection, "crm", &rules).unwrap();
        connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(|e| error::from_sqlite("crm", &e))
    }

    #[test]
    fn every_function_of_the_dialect_is_there() {
        let mut ours: Vec<&str> = FUNCTIONS.iter().map(|f| f.0).collect();
        let mut theirs = name::ALL.to_vec();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn what_fits_comes_back_in_one_form() {
        let text = |s: &str| Ok(Value::Text(s.to_owned()));
        assert_eq!(call("SELECT inflowave_int(NULL, 'c')"), Ok(Value::Null));
        assert_eq!(call("SELECT inflowave_int(7, 'c')"), Ok(Value::Integer(7)));
        assert_eq!(call("SELECT inflowave_real(7, 'c')"), Ok(Value::Real(7.0)));
        assert_eq!(call("SELECT inflowave_bool(1, 'c')"), Ok(Value::Integer(1)));
        assert_eq!(call("SELECT inflowave_text('é', 'c')"), text("é"));
        assert_eq!(
            call("SELECT inflowave_date('2024-02-29', 'c')"),
            text("2024-02-29")
        );
        assert_eq!(
            call("SELECT inflowave_timestamp('2024-02-29T01:02', 'c')"),
            text("2024-02-29 01:02:00.000000")
        );
        assert_eq!(
            call("SELECT inflowave_timestamp('2024-03-01 00:30:00.5+02:00', 'c')"),
            text("2024-02-29 22:30:00.500000+00:00")
        );
        assert_eq!(
            call("SELECT inflowave_time('01:02:03.04', 'c')"),
            text("01:02:03.040000")
        );
    }

    #[test]
    fn what_does_not_fit_is_the_error_of_the_local_read() {
        let error = call("SELECT inflowave_int('abc', 'main.t.c')").unwrap_err();
        assert_eq!(error.sqlstate().code(), "22P02");
        assert_eq!(
            error.message(),
            "value 'abc' (text) of column crm.main.t.c is not an integer"
        );
        let error = call("SELECT inflowave_text(5, 'main.t.c')").unwrap_err();
        assert_eq!(error.sqlstate().code(), "XX001");
        let any = call("SELECT inflowave_text(5, 'main.t.any')");
        assert_eq!(any, Ok(Value::Text("5".to_owned())));
        let error = call("SELECT inflowave_text(char(97, 0), 'main.t.c')").unwrap_err();
        assert_eq!(error.sqlstate().code(), "22021");
        let error = call("SELECT inflowave_date('2024-02-30', 'main.t.c')").unwrap_err();
        assert_eq!(error.sqlstate().code(), "22008");
    }
}
