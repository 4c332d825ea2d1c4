//! Behaviour as text: `.slt` files (<https://sqlite.org/sqllogictest>), run over sessions of ours.
//!
//! A value prints as PostgreSQL prints it; NULL as `NULL`, the empty text as `(empty)`, a text with
//! blanks at its ends or with control characters in quotes. `statement error (22012)` compares the
//! SQLSTATE. With `INFLOWAVE_SLT_UPDATE=1` the files are rewritten with the answers of now.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use inflowave_query_api::{QueryService, Session, SessionStart};
use inflowave_types::{Error, Result, SqlState};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::Value;
use crate::value::plain;
use crate::{ColumnType, ask};

/// Set to rewrite the files.
const UPDATE_ENV: &str = "INFLOWAVE_SLT_UPDATE";

/// One session, as the runner sees it.
struct Connection(Box<dyn Session>);

#[async_trait]
impl AsyncDB for Connection {
    type Error = Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>> {
        let answer = ask(self.0.as_mut(), sql).await?;
        if answer.columns.is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        Ok(DBOutput::Rows {
            types: answer.columns.iter().map(|c| letter(&c.ty)).collect(),
            rows: answer
                .rows
                .iter()
                .map(|row| row.iter().map(shown).collect())
                .collect(),
        })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "inflowave"
    }

    fn error_sql_state(error: &Error) -> Option<String> {
        Some(error.sqlstate().code().to_owned())
    }
}

fn letter(ty: &ColumnType) -> DefaultColumnType {
    match ty {
        ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 => DefaultColumnType::Integer,
        ColumnType::Float4 | ColumnType::Float8 | ColumnType::Numeric => {
            DefaultColumnType::FloatingPoint
        }
        _ => DefaultColumnType::Text,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Bool(b) => (if *b { "t" } else { "f" }).to_owned(),
        Value::Text(text) if text.is_empty() => "(empty)".to_owned(),
        Value::Text(text) if text.trim() != text || text.contains(char::is_control) => {
            format!("{text:?}")
        }
        other => plain(other),
    }
}

/// The `.slt` files of a folder, sorted by name.
///
/// # Errors
/// If the folder cannot be read, or holds none.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let broken = |e: &dyn std::fmt::Display| {
        Error::new(SqlState::IoError, format!("{}: {e}", folder.display()))
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|e| broken(&e))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "slt"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(broken(&"no .slt file"));
    }
    Ok(files)
}

/// Runs one file; each connection that it names is a session of its own, in `database`. With
/// `control substitution on` a file may name `variables` as `${name}`.
///
/// # Errors
/// With the record that failed, what it gave and what it should have given.
pub async fn run_file(
    service: &Arc<dyn QueryService>,
    database: &str,
    variables: &[(String, String)],
    file: &Path,
) -> Result<(), String> {
    let mut runner = Runner::new(|| {
        let (service, database) = (Arc::clone(service), database.to_owned());
        async move {
            let session = service
                .open_session(SessionStart {
                    user: "tester".to_owned(),
                    database: Some(database),
                    client: "in process".to_owned(),
                    protocol: "command",
                    ..SessionStart::default()
                })
                .await?;
            Ok(Connection(session))
        }
    });
    for (name, value) in variables {
        runner.set_var(name.clone(), value.clone());
    }
    if std::env::var_os(UPDATE_ENV).is_some() {
        return runner
            .update_test_file(
                file,
                "\t",
                sqllogictest::default_validator,
                sqllogictest::default_normalizer,
                sqllogictest::default_column_validator,
            )
            .await
            .map_err(|e| e.to_string());
    }
    runner
        .run_file_async(file)
        .await
        .map_err(|e| e.display(false).to_string())
}
