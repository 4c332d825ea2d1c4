//! SQLite by `rusqlite`: every column of every row is taken from the library.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{Answer, Reader};
use crate::Result;

pub struct Sqlite {
    path: PathBuf,
    sql: String,
    column: usize,
}

impl Sqlite {
    pub fn open(path: &Path, sql: String, column: usize) -> Box<dyn Reader> {
        Box::new(Sqlite {
            path: path.to_owned(),
            sql,
            column,
        })
    }
}

#[async_trait]
impl Reader for Sqlite {
    fn name(&self) -> &'static str {
        "rusqlite"
    }

    async fn read(&mut self) -> Result<Answer> {
        let (path, sql, column) = (self.path.clone(), self.sql.clone(), self.column);
        tokio::task::spawn_blocking(move || read(&path, &sql, column)).await?
    }
}

fn read(path: &Path, sql: &str, column: usize) -> Result<Answer> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = conn.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let (mut count, mut sum) = (0, 0);
    while let Some(row) = rows.next()? {
        count += 1;
        for index in 0..columns {
            let value = std::hint::black_box(row.get_ref(index)?);
            if index == column {
                sum += match value {
                    ValueRef::Integer(n) => i128::from(n),
                    // A sum of decimals is a double there.
                    ValueRef::Real(n) => (n * 100.0).round() as i128,
                    other => return Err(format!("cannot check the value {other:?}").into()),
                };
            }
        }
    }
    Ok(Answer {
        rows: count,
        sum: Some(sum),
    })
}
