//! MySQL and MariaDB: a database of its own, with a collation of the test's choice.

use async_trait::async_trait;
use inflowave_types::Result;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Params, Value as Bound};

use super::{Broken, CatalogSpec, Fixture, failed, finish, free_port, unique};
use crate::Value;
use crate::trap::{LeftOut, TrapTable, TrapType};
use crate::value::plain;

/// `mysql://root@127.0.0.1:13306/`.
pub const MYSQL_ENV: &str = "INFLOWAVE_TEST_MYSQL";

/// Values bound in one INSERT at most; the protocol counts them in 16 bits.
const PARAMS_MAX: usize = 30_000;

/// How the text columns compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MySqlCollation {
    /// The server's default for utf8mb4: without regard to case and trailing blanks.
    #[default]
    Default,
    /// Binary, without padding: MariaDB's `utf8mb4_nopad_bin`, MySQL's `utf8mb4_0900_bin`.
    Binary,
    /// `utf8mb4_bin`, which looks binary and pads blanks.
    PaddedBinary,
}

/// A database of its own, dropped with the fixture.
pub struct MySqlFixture {
    url: String,
    database: String,
    conn: tokio::sync::Mutex<Conn>,
    is_maria: bool,
}

impl MySqlFixture {
    /// `None` if `INFLOWAVE_TEST_MYSQL` is not set.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn from_env(collation: MySqlCollation) -> Result<Option<MySqlFixture>> {
        match std::env::var(MYSQL_ENV) {
            Ok(url) => MySqlFixture::new(&url, collation).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// # Errors
    /// If the server cannot be reached or refuses a new database.
    pub async fn new(url: &str, collation: MySqlCollation) -> Result<MySqlFixture> {
        let mut conn = connect(url).await?;
        let version: Option<String> = conn
            .query_first("SELECT version()")
            .await
            .map_err(|e| failed("version of MySQL", e))?;
        let is_maria = version.is_some_and(|v| v.contains("Maria"));
        let collate = match (collation, is_maria) {
            (MySqlCollation::Default, true) => "utf8mb4_general_ci",
            (MySqlCollation::Default, false) => "utf8mb4_0900_ai_ci",
            (MySqlCollation::Binary, true) => "utf8mb4_nopad_bin",
            (MySqlCollation::Binary, false) => "utf8mb4_0900_bin",
            (MySqlCollation::PaddedBinary, _) => "utf8mb4_bin",
        };
        let database = unique("trap_my");
        let sql = format!(
            "CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE {collate}",
            backticked(&database)
        );
        conn.query_drop(&sql).await.map_err(|e| failed(&sql, e))?;
        Ok(MySqlFixture {
            url: url.to_owned(),
            database,
            conn: tokio::sync::Mutex::new(conn),
            is_maria,
        })
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    /// Whether the server is MariaDB.
    pub fn is_maria(&self) -> bool {
        self.is_maria
    }

    /// The qualified, quoted name of a table.
    pub fn table_name(&self, table: &str) -> String {
        format!("{}.{}", backticked(&self.database), backticked(table))
    }

    /// Runs a statement at the source itself.
    ///
    /// # Errors
    /// The source's.
    pub async fn run(&self, sql: &str) -> Result<()> {
        let mut conn = self.conn.lock().await;
        conn.query_drop(sql).await.map_err(|e| failed(sql, e))
    }

    async fn load(&self, table: &TrapTable) -> Result<()> {
        let columns: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(n, c)| {
                let null = if n == 0 { "NOT NULL" } else { "NULL" };
                format!("{} {} {null}", backticked(&c.name), native_type(c.ty))
            })
            .collect();
        let key = backticked(&table.columns[0].name);
        let name = self.table_name(&table.name);
        self.run(&format!(
            "CREATE TABLE {name} ({}, UNIQUE KEY ({key}))",
            columns.join(", ")
        ))
        .await?;
        let rows_max = PARAMS_MAX / table.columns.len();
        let mut conn = self.conn.lock().await;
        for rows in table.rows.chunks(rows_max.max(1)) {
            let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
            let sql = format!(
                "INSERT INTO {name} VALUES {}",
                vec![row; rows.len()].join(", ")
            );
            let values: Vec<Bound> = rows.iter().flatten().map(bound).collect();
            conn.exec_drop(&sql, Params::Positional(values))
                .await
                .map_err(|e| failed(&table.name, e))?;
        }
        conn.query_drop(format!("ANALYZE TABLE {name}"))
            .await
            .map_err(|e| failed(&table.name, e))
    }

    /// Sessions in the fixture's database but its own, with what each runs.
    async fn activity(&self) -> Result<Vec<(u64, Option<String>)>> {
        let mut conn = self.conn.lock().await;
        conn.exec(
            "SELECT id, info FROM information_schema.processlist \
             WHERE db = ? AND id <> connection_id()",
            (&self.database,),
        )
        .await
        .map_err(|e| failed("processlist", e))
    }

    fn url_with(&self, user: &str, port: Option<u16>, database: &str) -> String {
        let (host, server_port) = Opts::from_url(&self.url).map_or_else(
            |_| ("127.0.0.1".to_owned(), 3306),
            |o| (o.ip_or_hostname().to_owned(), o.tcp_port()),
        );
        format!(
            "mysql://{user}@{host}:{}/{database}",
            port.unwrap_or(server_port)
        )
    }
}

impl Drop for MySqlFixture {
    fn drop(&mut self) {
        let (url, database) = (self.url.clone(), self.database.clone());
        finish(async move {
            let mut conn = connect(&url).await?;
            let sql = format!("DROP DATABASE IF EXISTS {}", backticked(&database));
            conn.query_drop(&sql).await.map_err(|e| failed(&sql, e))?;
            conn.disconnect().await.map_err(|e| failed("disconnect", e))
        });
    }
}

#[async_trait]
impl Fixture for MySqlFixture {
    fn connector(&self) -> &'static str {
        "mysql"
    }

    fn leaves_out(&self) -> &'static [LeftOut] {
        &[
            LeftOut {
                what: "NaN and infinities",
                why: "a double of MySQL is a finite number",
                applies: |_, value| matches!(value, Value::Float(x) if !x.is_finite()),
            },
            LeftOut {
                what: "the sign of -0.0",
                why: "MySQL stores 0",
                applies: |_, value| matches!(value, Value::Float(x) if *x == 0.0 && x.is_sign_negative()),
            },
            LeftOut {
                what: "instants outside of 1970 to 2038",
                why: "a timestamp of MySQL counts seconds in 31 bits, from second 1",
                applies: |_, value| {
                    matches!(value, Value::TimestampTz(t)
                        if !(1_000_000..=2_147_483_647_000_000).contains(t))
                },
            },
        ]
    }

    fn shown_as(&self, ty: TrapType) -> TrapType {
        match ty {
            // A uuid of MariaDB is none of MySQL's types.
            TrapType::Uuid => TrapType::Char(36),
            other => other,
        }
    }

    async fn provision(&mut self, tables: &[TrapTable]) -> Result<()> {
        for table in super::held(self, tables) {
            self.load(&table).await?;
        }
        Ok(())
    }

    fn catalog(&self) -> CatalogSpec {
        let user = Opts::from_url(&self.url)
            .ok()
            .and_then(|o| o.user().map(str::to_owned))
            .unwrap_or_else(|| "root".to_owned());
        CatalogSpec {
            connector: "mysql",
            params: vec![
                ("url".to_owned(), self.url_with(&user, None, &self.database)),
                ("tinyint1".to_owned(), "boolean".to_owned()),
            ],
            schema: self.database.clone(),
        }
    }

    fn broken(&self) -> Vec<Broken> {
        let secret = "s3cret-of-the-test";
        let spec = |url: String| CatalogSpec {
            connector: "mysql",
            params: vec![
                ("url".to_owned(), url),
                ("password".to_owned(), secret.to_owned()),
            ],
            schema: self.database.clone(),
        };
        vec![
            Broken {
                what: "a user with another password",
                spec: spec(self.url_with("nobody_here", None, &self.database)),
                sqlstates: &["28000", "28P01", "08004"],
                secrets: vec![secret.to_owned()],
            },
            Broken {
                what: "a port where nobody listens",
                spec: spec(self.url_with("root", Some(free_port()), &self.database)),
                sqlstates: &["08001"],
                secrets: vec![secret.to_owned()],
            },
        ]
    }

    async fn running_queries(&self) -> Result<Vec<String>> {
        Ok(self
            .activity()
            .await?
            .into_iter()
            .filter_map(|(_, info)| info)
            .collect())
    }

    async fn sessions(&self) -> Result<usize> {
        Ok(self.activity().await?.len())
    }

    async fn restart(&mut self) -> Result<bool> {
        let sessions = self.activity().await?;
        for (id, _) in &sessions {
            // The session may have ended by itself.
            let _ended = self.run(&format!("KILL CONNECTION {id}")).await;
        }
        Ok(!sessions.is_empty())
    }

    async fn drop_table(&mut self, table: &str) -> Result<()> {
        self.run(&format!("DROP TABLE {}", self.table_name(table)))
            .await
    }

    async fn change_column(&mut self, table: &TrapTable, column: &str) -> Result<()> {
        let (table, column) = (self.table_name(&table.name), backticked(column));
        self.run(&format!("ALTER TABLE {table} MODIFY {column} TEXT NULL"))
            .await?;
        self.run(&format!("UPDATE {table} SET {column} = 'x'"))
            .await
    }
}

fn backticked(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn native_type(ty: TrapType) -> String {
    match ty {
        TrapType::Bool => "tinyint(1)".to_owned(),
        TrapType::Int16 => "smallint".to_owned(),
        TrapType::Int32 => "int".to_owned(),
        TrapType::Int64 => "bigint".to_owned(),
        TrapType::Float64 => "double".to_owned(),
        TrapType::Decimal(p, s) => format!("decimal({p},{s})"),
        TrapType::Text => "text".to_owned(),
        TrapType::Char(n) => format!("char({n})"),
        TrapType::Varchar(n) => format!("varchar({n})"),
        TrapType::Date => "date".to_owned(),
        TrapType::Timestamp => "datetime(6)".to_owned(),
        TrapType::TimestampTz => "timestamp(6)".to_owned(),
        TrapType::Bytes => "varbinary(64)".to_owned(),
        TrapType::Uuid => "char(36)".to_owned(),
    }
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::Null => Bound::NULL,
        Value::Bool(b) => Bound::Int((*b).into()),
        Value::Int(i) => Bound::Int(*i),
        Value::Float(x) => Bound::Double(*x),
        Value::Bytes(bytes) => Bound::Bytes(bytes.clone()),
        // The session's time zone is UTC.
        Value::TimestampTz(t) => Bound::Bytes(plain(&Value::Timestamp(*t)).into_bytes()),
        other => Bound::Bytes(plain(other).into_bytes()),
    }
}

async fn connect(url: &str) -> Result<Conn> {
    let opts = Opts::from_url(url).map_err(|e| failed("url of MySQL", e))?;
    let opts = OptsBuilder::from_opts(opts).setup(vec![
        "SET time_zone = '+00:00'",
        "SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
        "SET NAMES utf8mb4",
    ]);
    Conn::new(opts)
        .await
        .map_err(|e| failed("connect to MySQL", e))
}
