//! PostgreSQL: a schema of its own in the database that the environment names, and PostgreSQL's own
//! answers for the oracle.

use std::str::FromStr;

use async_trait::async_trait;
use inflowave_types::{Error, Result};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::{Broken, CatalogSpec, Fixture, failed, finish, free_port, unique};
use crate::compare::{Answer, Failure};
use crate::generate::render::quoted;
use crate::trap::{LeftOut, TrapTable, TrapType};
use crate::value::{parse_date, parse_time, parse_timestamp, plain};
use crate::{ColumnType, OutputColumn, Rows};
use crate::{Decimal, Value};

/// A database with the collation `C.UTF-8`: `postgres://postgres@127.0.0.1:15432/inflowave`.
pub const POSTGRES_ENV: &str = "INFLOWAVE_TEST_POSTGRES";
/// A database with a linguistic collation, for the guards of text.
pub const POSTGRES_ICU_ENV: &str = "INFLOWAVE_TEST_POSTGRES_ICU";

/// Values bound in one INSERT at most; the protocol counts them in 16 bits.
const PARAMS_MAX: usize = 30_000;

/// A schema of its own, dropped with the fixture.
pub struct PostgresFixture {
    url: String,
    schema: String,
    application: String,
    client: Client,
}

impl PostgresFixture {
    /// `None` if `variable` is not set.
    ///
    /// # Errors
    /// If the server of the variable cannot be reached.
    pub async fn from_env(variable: &str) -> Result<Option<PostgresFixture>> {
        match std::env::var(variable) {
            Ok(url) => PostgresFixture::new(&url).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// # Errors
    /// If the server cannot be reached or refuses a new schema.
    pub async fn new(url: &str) -> Result<PostgresFixture> {
        let client = connect(url).await?;
        // A blank and a quote in the schema's name: quoting is tested everywhere by the way.
        let schema = unique("trap \"pg");
        let sql = format!("CREATE SCHEMA {}", quoted(&schema));
        client
            .batch_execute(&sql)
            .await
            .map_err(|e| failed(&sql, e))?;
        Ok(PostgresFixture {
            url: url.to_owned(),
            application: unique("inflowave_test"),
            schema,
            client,
        })
    }

    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The qualified, quoted name of a table.
    pub fn table_name(&self, table: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(table))
    }

    /// A connection that asks PostgreSQL itself.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn native(&self) -> Result<Native> {
        Native::connect(&self.url).await
    }

    /// Runs a statement at the source itself.
    ///
    /// # Errors
    /// The source's.
    pub async fn run(&self, sql: &str) -> Result<()> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(|e| failed(sql, text_of(&e)))
    }

    async fn load(&self, table: &TrapTable) -> Result<()> {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|c| format!("{} {}", quoted(&c.name), native_type(c.ty)))
            .collect();
        let name = self.table_name(&table.name);
        let key = quoted(&table.columns[0].name);
        self.run(&format!(
            "CREATE TABLE {name} ({}, PRIMARY KEY ({key}))",
            columns.join(", ")
        ))
        .await?;
        let rows_max = PARAMS_MAX / table.columns.len();
        for rows in table.rows.chunks(rows_max.max(1)) {
            let mut sql = format!("INSERT INTO {name} VALUES ");
            let mut values: Vec<Option<String>> = Vec::new();
            for (n, row) in rows.iter().enumerate() {
                sql.push_str(if n > 0 { ", (" } else { "(" });
                for (c, (value, column)) in row.iter().zip(&table.columns).enumerate() {
                    values.push((!value.is_null()).then(|| plain(value)));
                    let comma = if c > 0 { ", " } else { "" };
                    let ty = native_type(column.ty);
                    sql.push_str(&format!("{comma}${}::text::{ty}", values.len()));
                }
                sql.push(')');
            }
            let bound: Vec<&(dyn ToSql + Sync)> =
                values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
            self.client
                .execute(&sql, &bound)
                .await
                .map_err(|e| failed(&table.name, text_of(&e)))?;
        }
        self.run(&format!("ANALYZE {name}")).await
    }
}

impl Drop for PostgresFixture {
    fn drop(&mut self) {
        let (url, schema) = (self.url.clone(), self.schema.clone());
        finish(async move {
            let sql = format!("DROP SCHEMA IF EXISTS {} CASCADE", quoted(&schema));
            let client = connect(&url).await?;
            client
                .batch_execute("SET client_min_messages = warning")
                .await
                .map_err(|e| failed("set", e))?;
            client
                .batch_execute(&sql)
                .await
                .map_err(|e| failed(&sql, text_of(&e)))
        });
    }
}

#[async_trait]
impl Fixture for PostgresFixture {
    fn connector(&self) -> &'static str {
        "postgres"
    }

    fn leaves_out(&self) -> &'static [LeftOut] {
        &[]
    }

    async fn provision(&mut self, tables: &[TrapTable]) -> Result<()> {
        for table in tables {
            self.load(table).await?;
        }
        Ok(())
    }

    fn catalog(&self) -> CatalogSpec {
        CatalogSpec {
            connector: "postgres",
            params: vec![
                ("url".to_owned(), self.url.clone()),
                ("application_name".to_owned(), self.application.clone()),
            ],
            schema: self.schema.clone(),
        }
    }

    fn broken(&self) -> Vec<Broken> {
        let secret = "s3cret-of-the-test";
        let with = |url: String, password: bool| {
            let mut params = vec![("url".to_owned(), url)];
            if password {
                params.push(("password".to_owned(), secret.to_owned()));
            }
            CatalogSpec {
                connector: "postgres",
                params,
                schema: self.schema.clone(),
            }
        };
        let Ok(config) = tokio_postgres::Config::from_str(&self.url) else {
            return Vec::new();
        };
        let host = match config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            _ => "127.0.0.1".to_owned(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let database = config.get_dbname().unwrap_or("postgres");
        vec![
            Broken {
                what: "an unknown user with a password",
                spec: with(
                    format!("postgres://nobody_here@{host}:{port}/{database}"),
                    true,
                ),
                sqlstates: &["28000", "28P01", "08004"],
                secrets: vec![secret.to_owned()],
            },
            Broken {
                what: "an unknown database",
                spec: with(
                    format!("postgres://postgres@{host}:{port}/no_such_database"),
                    true,
                ),
                sqlstates: &["3D000", "08004"],
                secrets: vec![secret.to_owned()],
            },
            Broken {
                what: "a port where nobody listens",
                spec: with(
                    format!("postgres://postgres@127.0.0.1:{}/{database}", free_port()),
                    true,
                ),
                sqlstates: &["08001"],
                secrets: vec![secret.to_owned()],
            },
        ]
    }

    async fn running_queries(&self) -> Result<Vec<String>> {
        let sql = "SELECT query FROM pg_stat_activity \
                   WHERE application_name = $1 AND state = 'active' AND pid <> pg_backend_pid()";
        let rows = self
            .client
            .query(sql, &[&self.application])
            .await
            .map_err(|e| failed("running queries", e))?;
        Ok(rows.iter().map(|r| r.get(0)).collect())
    }

    async fn sessions(&self) -> Result<usize> {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
        let row = self
            .client
            .query_one(sql, &[&self.application])
            .await
            .map_err(|e| failed("sessions", e))?;
        Ok(usize::try_from(row.get::<_, i64>(0)).unwrap_or_default())
    }

    async fn restart(&mut self) -> Result<bool> {
        let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                   WHERE application_name = $1";
        let ended = self
            .client
            .query(sql, &[&self.application])
            .await
            .map_err(|e| failed("restart", e))?;
        Ok(!ended.is_empty())
    }

    async fn drop_table(&mut self, table: &str) -> Result<()> {
        self.run(&format!("DROP TABLE {}", self.table_name(table)))
            .await
    }

    async fn change_column(&mut self, table: &TrapTable, column: &str) -> Result<()> {
        self.run(&format!(
            "ALTER TABLE {} ALTER COLUMN {} TYPE text USING 'x'",
            self.table_name(&table.name),
            quoted(column)
        ))
        .await
    }
}

fn native_type(ty: TrapType) -> String {
    match ty {
        TrapType::Bool => "boolean".to_owned(),
        TrapType::Int16 => "smallint".to_owned(),
        TrapType::Int32 => "integer".to_owned(),
        TrapType::Int64 => "bigint".to_owned(),
        TrapType::Float64 => "double precision".to_owned(),
        TrapType::Decimal(p, s) => format!("numeric({p},{s})"),
        TrapType::Text => "text".to_owned(),
        TrapType::Char(n) => format!("char({n})"),
        TrapType::Varchar(n) => format!("varchar({n})"),
        TrapType::Date => "date".to_owned(),
        TrapType::Timestamp => "timestamp".to_owned(),
        TrapType::TimestampTz => "timestamptz".to_owned(),
        TrapType::Bytes => "bytea".to_owned(),
        TrapType::Uuid => "uuid".to_owned(),
    }
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .map_err(|e| failed("connect to PostgreSQL", text_of(&e)))?;
    tokio::spawn(connection);
    client
        .batch_execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex'")
        .await
        .map_err(|e| failed("set up the session", e))?;
    Ok(client)
}

fn text_of(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} {}", db.code().code(), db.message()),
        None => error.to_string(),
    }
}

/// PostgreSQL, asked directly.
pub struct Native {
    client: Client,
}

impl Native {
    /// # Errors
    /// If the server cannot be reached.
    pub async fn connect(url: &str) -> Result<Native> {
        let client = connect(url).await?;
        client
            .batch_execute("SET statement_timeout = '60s'")
            .await
            .map_err(|e| failed("set up the session", e))?;
        Ok(Native { client })
    }

    /// Runs a statement of our own (SET, CREATE, ..).
    ///
    /// # Errors
    /// PostgreSQL's.
    pub async fn run(&self, sql: &str) -> Result<()> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(|e| failed(sql, text_of(&e)))
    }

    /// PostgreSQL's answer.
    pub async fn ask(&self, sql: &str) -> Answer {
        // The types come from a prepared statement, the values as text from a simple query: text
        // is what PostgreSQL itself says a value is, without a decoder of ours in between.
        let statement = self.client.prepare(sql).await.map_err(|e| failure(&e))?;
        let columns: Vec<OutputColumn> = statement
            .columns()
            .iter()
            .map(|c| OutputColumn {
                name: c.name().to_owned(),
                ty: column_type(c.type_()),
            })
            .collect();
        let blank_padded: Vec<bool> = statement
            .columns()
            .iter()
            .map(|c| *c.type_() == Type::BPCHAR)
            .collect();
        let messages = self
            .client
            .simple_query(sql)
            .await
            .map_err(|e| failure(&e))?;
        let mut rows = Vec::new();
        for message in messages {
            if let SimpleQueryMessage::Row(row) = message {
                let values = columns
                    .iter()
                    .enumerate()
                    .map(|(n, column)| match row.get(n) {
                        None => Ok(Value::Null),
                        // char(n) is its text without trailing blanks here.
                        Some(text) if blank_padded[n] => {
                            Ok(Value::text(text.trim_end_matches(' ')))
                        }
                        Some(text) => read(&column.ty, text),
                    })
                    .collect::<Result<Vec<_>>>()
                    .map_err(Failure::from)?;
                rows.push(values);
            }
        }
        Ok(Rows { columns, rows })
    }
}

fn failure(error: &tokio_postgres::Error) -> Failure {
    match error.as_db_error() {
        Some(db) => Failure {
            sqlstate: db.code().code().to_owned(),
            message: db.message().to_owned(),
        },
        None => Failure {
            sqlstate: "08006".to_owned(),
            message: error.to_string(),
        },
    }
}

fn column_type(ty: &Type) -> ColumnType {
    match *ty {
        Type::BOOL => ColumnType::Bool,
        Type::INT2 => ColumnType::Int2,
        Type::INT4 => ColumnType::Int4,
        Type::INT8 => ColumnType::Int8,
        Type::FLOAT4 => ColumnType::Float4,
        Type::FLOAT8 => ColumnType::Float8,
        Type::NUMERIC => ColumnType::Numeric,
        Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::UUID
        | Type::JSON
        | Type::JSONB
        | Type::INET
        | Type::NAME
        | Type::UNKNOWN => ColumnType::Text,
        Type::BYTEA => ColumnType::Bytea,
        Type::DATE => ColumnType::Date,
        Type::TIME => ColumnType::Time,
        Type::TIMESTAMP => ColumnType::Timestamp,
        Type::TIMESTAMPTZ => ColumnType::TimestampTz,
        _ => ColumnType::Other(ty.name().to_owned()),
    }
}

/// A value of PostgreSQL's text format, under `DateStyle = ISO` and `TimeZone = UTC`.
fn read(ty: &ColumnType, text: &str) -> Result<Value> {
    let wrong = || Error::internal(format!("PostgreSQL sent {text:?} for a {ty:?}"));
    Ok(match ty {
        ColumnType::Bool => Value::Bool(text == "t"),
        ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 => {
            Value::Int(text.parse().map_err(|_| wrong())?)
        }
        ColumnType::Float4 | ColumnType::Float8 => Value::Float(text.parse().map_err(|_| wrong())?),
        ColumnType::Numeric => match text {
            "NaN" => Value::DecimalNan,
            _ => Value::Decimal(Decimal::from_str(text).map_err(|()| wrong())?),
        },
        ColumnType::Bytea => {
            let hex = text.strip_prefix("\\x").ok_or_else(wrong)?;
            let bytes = (0..hex.len() / 2)
                .map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16))
                .collect::<Result<Vec<u8>, _>>()
                .map_err(|_| wrong())?;
            Value::Bytes(bytes)
        }
        ColumnType::Date => parse_date(text).ok_or_else(wrong)?,
        ColumnType::Time => Value::Time(parse_time(text).ok_or_else(wrong)?),
        ColumnType::Timestamp => Value::Timestamp(parse_timestamp(text).ok_or_else(wrong)?),
        ColumnType::TimestampTz => Value::TimestampTz(parse_timestamp(text).ok_or_else(wrong)?),
        _ => Value::text(text),
    })
}
