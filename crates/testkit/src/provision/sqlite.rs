//! SQLite: a database file in a folder of its own.

use async_trait::async_trait;
use inflowave_types::Result;
use rusqlite::Connection;
use rusqlite::types::Value as Bound;
use tempfile::TempDir;

use super::{Broken, CatalogSpec, Fixture, failed};
use crate::Value;
use crate::generate::render::quoted;
use crate::trap::{LeftOut, TrapTable, TrapType};
use crate::value::plain;

/// A file of its own, removed with the fixture.
pub struct SqliteFixture {
    folder: TempDir,
    strict: bool,
}

impl SqliteFixture {
    /// Tables as most people make them: a declared type is only a wish.
    ///
    /// # Errors
    /// If no folder for temporary files can be written.
    pub fn new() -> Result<SqliteFixture> {
        Ok(SqliteFixture {
            folder: TempDir::new().map_err(|e| failed("temporary folder", e))?,
            strict: false,
        })
    }

    /// `STRICT` tables: SQLite holds every value to its type, of which there are few.
    ///
    /// # Errors
    /// As [`SqliteFixture::new`].
    pub fn strict() -> Result<SqliteFixture> {
        Ok(SqliteFixture {
            strict: true,
            ..SqliteFixture::new()?
        })
    }

    /// The database file.
    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("trap.db")
    }

    fn open(&self) -> Result<Connection> {
        Connection::open(self.path()).map_err(|e| failed("open SQLite", e))
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.open()?.execute_batch(sql).map_err(|e| failed(sql, e))
    }

    fn spec(&self, path: &std::path::Path) -> CatalogSpec {
        CatalogSpec {
            connector: "sqlite",
            params: vec![("path".to_owned(), path.display().to_string())],
            schema: "main".to_owned(),
        }
    }
}

#[async_trait]
impl Fixture for SqliteFixture {
    fn connector(&self) -> &'static str {
        "sqlite"
    }

    fn leaves_out(&self) -> &'static [LeftOut] {
        if self.strict { STRICT } else { LOOSE }
    }

    fn shown_as(&self, ty: TrapType) -> TrapType {
        match ty {
            // All integers of SQLite have 64 bits.
            TrapType::Int16 | TrapType::Int32 => TrapType::Int64,
            TrapType::Char(_) | TrapType::Varchar(_) | TrapType::Uuid if self.strict => {
                TrapType::Text
            }
            other => other,
        }
    }

    async fn provision(&mut self, tables: &[TrapTable]) -> Result<()> {
        let mut connection = self.open()?;
        for table in super::held(self, tables) {
            load(&mut connection, &table, self.strict).map_err(|e| failed(&table.name, e))?;
        }
        connection
            .execute_batch("ANALYZE")
            .map_err(|e| failed("ANALYZE", e))
    }

    fn catalog(&self) -> CatalogSpec {
        self.spec(&self.path())
    }

    fn broken(&self) -> Vec<Broken> {
        vec![Broken {
            what: "a file that is not there",
            spec: self.spec(&self.folder.path().join("missing.db")),
            sqlstates: &["08001", "58P01"],
            secrets: Vec::new(),
        }]
    }

    async fn running_queries(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn sessions(&self) -> Result<usize> {
        Ok(0)
    }

    async fn restart(&mut self) -> Result<bool> {
        Ok(false)
    }

    async fn drop_table(&mut self, table: &str) -> Result<()> {
        self.run(&format!("DROP TABLE {}", quoted(table)))
    }

    async fn change_column(&mut self, table: &TrapTable, column: &str) -> Result<()> {
        // SQLite cannot change a type: the table is made anew.
        let Some(mut changed) = super::held(self, std::slice::from_ref(table)).pop() else {
            return Ok(());
        };
        let Some(n) = changed.column(column) else {
            return Ok(());
        };
        changed.columns[n].ty = TrapType::Text;
        for row in &mut changed.rows {
            row[n] = Value::text("x");
        }
        self.run(&format!("DROP TABLE {}", quoted(&table.name)))?;
        let mut connection = self.open()?;
        load(&mut connection, &changed, self.strict).map_err(|e| failed(&table.name, e))
    }
}

const NAN: LeftOut = LeftOut {
    what: "NaN",
    why: "SQLite stores it as NULL",
    applies: |_, value| matches!(value, Value::Float(x) if x.is_nan()),
};

const MINUS_ZERO: LeftOut = LeftOut {
    what: "the sign of -0.0",
    why: "SQLite stores 0.0",
    applies: |_, value| matches!(value, Value::Float(x) if *x == 0.0 && x.is_sign_negative()),
};

const LOOSE: &[LeftOut] = &[
    NAN,
    MINUS_ZERO,
    LeftOut {
        what: "decimals of more than 15 digits",
        why: "SQLite keeps a decimal as a double, which has no more",
        applies: |ty, _| matches!(ty, TrapType::Decimal(p, _) if p > 15),
    },
];

const STRICT: &[LeftOut] = &[
    NAN,
    MINUS_ZERO,
    LeftOut {
        what: "booleans, decimals and times",
        why: "a STRICT table knows integers, reals, texts and blobs only",
        applies: |ty, _| {
            matches!(
                ty,
                TrapType::Bool
                    | TrapType::Decimal(..)
                    | TrapType::Date
                    | TrapType::Timestamp
                    | TrapType::TimestampTz
            )
        },
    },
];

fn load(connection: &mut Connection, table: &TrapTable, strict: bool) -> rusqlite::Result<()> {
    let columns: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(n, c)| {
            let declared = match (n, strict, c.ty) {
                (0, ..) => "INTEGER PRIMARY KEY".to_owned(),
                (_, true, TrapType::Int64) => "INTEGER".to_owned(),
                (_, true, TrapType::Float64) => "REAL".to_owned(),
                (_, _, ty) => declared(ty),
            };
            format!("{} {declared}", quoted(&c.name))
        })
        .collect();
    let strict = if strict { " STRICT" } else { "" };
    let name = quoted(&table.name);
    connection.execute_batch(&format!(
        "CREATE TABLE {name} ({}){strict}",
        columns.join(", ")
    ))?;
    let transaction = connection.transaction()?;
    {
        let marks = vec!["?"; table.columns.len()].join(", ");
        let mut insert = transaction.prepare(&format!("INSERT INTO {name} VALUES ({marks})"))?;
        for row in &table.rows {
            insert.execute(rusqlite::params_from_iter(row.iter().map(bound)))?;
        }
    }
    transaction.commit()
}

fn declared(ty: TrapType) -> String {
    match ty {
        TrapType::Bool => "BOOLEAN".to_owned(),
        TrapType::Int16 => "SMALLINT".to_owned(),
        TrapType::Int32 => "INTEGER".to_owned(),
        TrapType::Int64 => "BIGINT".to_owned(),
        TrapType::Float64 => "DOUBLE PRECISION".to_owned(),
        TrapType::Decimal(p, s) => format!("DECIMAL({p},{s})"),
        TrapType::Text => "TEXT".to_owned(),
        TrapType::Char(n) => format!("CHAR({n})"),
        TrapType::Varchar(n) => format!("VARCHAR({n})"),
        TrapType::Date => "DATE".to_owned(),
        TrapType::Timestamp => "TIMESTAMP".to_owned(),
        TrapType::TimestampTz => "TIMESTAMPTZ".to_owned(),
        TrapType::Bytes => "BLOB".to_owned(),
        TrapType::Uuid => "UUID".to_owned(),
    }
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::Null => Bound::Null,
        Value::Bool(b) => Bound::Integer((*b).into()),
        Value::Int(i) => Bound::Integer(*i),
        Value::Float(x) => Bound::Real(*x),
        Value::Bytes(bytes) => Bound::Blob(bytes.clone()),
        Value::TimestampTz(t) => Bound::Text(format!("{}+00:00", plain(&Value::Timestamp(*t)))),
        other => Bound::Text(plain(other)),
    }
}
