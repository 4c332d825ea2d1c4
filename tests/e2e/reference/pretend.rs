//! A source that answers as a connector's dialect does, without a server behind it: enough for
//! `EXPLAIN (FEDERATION)`, which runs nothing.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use async_trait::async_trait;
use datafusion::logical_expr::{Expr, LogicalPlan};
use inflowave_config::Limits;
use inflowave_connector_api::{
    BatchStream, Collation, Connector, Descriptor, Fragment, OpenContext, Params, Place,
    RemoteColumn, RemoteQuery, RemoteSource, RemoteTable, ScanContext, Scope, Source, Support,
    Table, TableName, TableStatistics,
};
use inflowave_dialect::{Dialect, MySql, Postgres, Sqlite};
use inflowave_types::{Error, PgType, Result, SqlState};

use crate::server;

/// What became of one expression.
pub struct Answer {
    pub shown: &'static str,
    /// `exact`, `superset` or `here`.
    pub verdict: &'static str,
    /// Empty for what is exact.
    pub reason: String,
}

/// The columns that the expressions name, for a reader.
pub fn columns_doc(connector: &str) -> &'static str {
    match connector {
        "postgres" => {
            "The columns: `id` bigint, `n` integer, `price` numeric(15,2), `ratio` double precision, \
             `name` text in a linguistic collation, `key` text in the collation `C`, `code` char(3), \
             `day` date, `moment` timestamp, `at` timestamptz, `flag` boolean, `data` bytea."
        }
        "mysql" => {
            "The columns: `id` bigint, `n` int, `price` decimal(15,2), `ratio` double, `name` \
             varchar(50) in utf8mb4_general_ci, `key` varchar(50) in utf8mb4_nopad_bin, `code` \
             char(3), `day` date, `moment` datetime(6), `at` timestamp(6), `flag` bit(1), `data` \
             varbinary(50); the server is MariaDB 10.11."
        }
        _ => {
            "The columns, of a table that is not `STRICT`: `id` and `n` INTEGER, `price` \
             DECIMAL(15,2), `ratio` REAL, `name` TEXT, `key` TEXT COLLATE NOCASE, `code` CHAR(3), \
             `day` DATE, `moment` TIMESTAMP, `at` TIMESTAMPTZ, `flag` BOOLEAN, `data` BLOB."
        }
    }
}

/// What is asked, as a condition or as a whole query.
const CONDITIONS: &[&str] = &[
    "n = 5",
    "n IN (1, 2, 3)",
    "n BETWEEN 1 AND 9",
    "n IS NULL",
    "n IS DISTINCT FROM 5",
    "n = 1 OR flag",
    "price > 9.99",
    "ratio < 0.5",
    "day >= DATE '2024-02-29'",
    "moment < TIMESTAMP '2024-02-29 12:00:00'",
    "at < TIMESTAMPTZ '2024-02-29 12:00:00+00'",
    "data = '\\x61'",
    "name = 'x'",
    "name < 'x'",
    "name IN ('a', 'b')",
    "name LIKE 'a%'",
    "name ILIKE 'a%'",
    "key = 'x'",
    "key < 'x'",
    "code = 'abc'",
    "upper(name) = 'X'",
    "length(name) > 3",
    "substr(name, 1, 2) = 'ab'",
    "trim(name) = 'a'",
    "name || 'x' = 'ax'",
    "replace(name, 'a', 'b') = 'b'",
    "n + 1 > 5",
    "n / 2 > 1",
    "n % 2 = 0",
    "n / id > 1",
    "abs(n) > 1",
    "price * 2 > 10",
    "price / 3 > 1",
    "round(price, 1) > 1",
    "ratio * 2 > 1",
    "floor(ratio) > 1",
    "coalesce(n, 0) = 0",
    "nullif(n, 0) = 1",
    "CASE WHEN n > 1 THEN 1 ELSE 2 END = 1",
    "CAST(n AS bigint) = 5",
    "CAST(n AS text) = '5'",
    "CAST(name AS integer) = 5",
    "extract(year FROM day) = 2024",
    "date_trunc('month', moment) = TIMESTAMP '2024-02-01'",
    "day + 1 > DATE '2024-02-29'",
    "moment + INTERVAL '1 day' > TIMESTAMP '2024-02-29'",
];

/// Whole queries over `t`, and over `u`, which has the same columns.
const QUERIES: &[&str] = &[
    "SELECT id FROM t LIMIT 5",
    "SELECT id FROM t ORDER BY n LIMIT 5",
    "SELECT id FROM t ORDER BY name LIMIT 5",
    "SELECT id FROM t ORDER BY key LIMIT 5",
    "SELECT id FROM t ORDER BY ratio DESC LIMIT 5",
    "SELECT count(*), count(n), min(n), max(day) FROM t",
    "SELECT min(name) FROM t",
    "SELECT sum(n) FROM t",
    "SELECT sum(id) FROM t",
    "SELECT sum(price) FROM t",
    "SELECT sum(ratio) FROM t",
    "SELECT avg(n) FROM t",
    "SELECT avg(price) FROM t",
    "SELECT bool_and(flag) FROM t",
    "SELECT stddev(ratio) FROM t",
    "SELECT count(DISTINCT n) FROM t",
    "SELECT count(*) FILTER (WHERE n > 1) FROM t",
    "SELECT n, count(*) FROM t GROUP BY n",
    "SELECT name, count(*) FROM t GROUP BY name",
    "SELECT DISTINCT day FROM t",
    "SELECT t.id FROM t JOIN u ON t.id = u.n",
    "SELECT t.id FROM t JOIN u ON t.name = u.name",
    "SELECT t.id FROM t LEFT JOIN u ON t.id = u.n",
    "SELECT t.id, u.id FROM t FULL JOIN u ON t.id = u.n",
    "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.n = t.id)",
    "SELECT id FROM t WHERE id NOT IN (SELECT n FROM u)",
    "SELECT n FROM t UNION ALL SELECT n FROM u",
    "SELECT id, row_number() OVER (ORDER BY n, id) FROM t",
    "SELECT id, sum(n) OVER (PARTITION BY flag) FROM t",
];

/// The answers of a connector's dialect.
pub async fn answers(descriptor: &'static Descriptor) -> Vec<Answer> {
    let connector: Arc<dyn Connector> = Arc::new(Pretend(descriptor));
    let engine = server::engine_of(Limits::default(), vec![connector]).unwrap();
    let given = descriptor.params.iter().filter(|s| s.required);
    engine
        .open_catalog(inflowave_engine::CatalogSpec {
            name: "x".to_owned(),
            connector: descriptor.name.to_owned(),
            params: given
                .map(|s| (s.name.to_owned(), inflowave_types::Secret::new(s.example)))
                .collect(),
            base_dir: ".".into(),
        })
        .await
        .unwrap();
    let mut session = server::session(&engine, "x").await;
    let mut answers = Vec::new();
    let conditions = CONDITIONS
        .iter()
        .map(|c| (*c, format!("SELECT id FROM t WHERE {c}")));
    let queries = QUERIES.iter().map(|q| (*q, (*q).to_owned()));
    for (shown, sql) in conditions.chain(queries) {
        let explain = format!("EXPLAIN (FEDERATION) {sql}");
        let rows = server::texts(session.as_mut(), &explain).await;
        let rows = rows.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        assert!(
            rows.iter().any(|r| r[1].is_some()),
            "{sql}: no source is asked"
        );
        let reasons: Vec<String> = rows.iter().filter_map(|r| r[4].clone()).collect();
        let remotes = rows.iter().filter(|r| r[1].is_some()).count();
        let mut seen = Vec::new();
        for reason in &reasons {
            if !seen.contains(reason) {
                seen.push(reason.clone());
            }
        }
        let verdict = match reasons.is_empty() {
            // Two queries to one source are two halves of what was not pushed.
            true if remotes > 1 => "here",
            true => "exact",
            false if reasons.iter().all(|r| r.starts_with("pushed and checked")) => "superset",
            false => "here",
        };
        answers.push(Answer {
            shown,
            verdict,
            reason: seen.join("; "),
        });
    }
    answers
}

struct Pretend(&'static Descriptor);

#[async_trait]
impl Connector for Pretend {
    fn descriptor(&self) -> &'static Descriptor {
        self.0
    }

    async fn open(&self, _: Params, context: OpenContext) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(PretendSource {
            descriptor: self.0,
            catalog: context.catalog,
        }))
    }
}

#[derive(Debug)]
struct PretendSource {
    descriptor: &'static Descriptor,
    catalog: String,
}

impl PretendSource {
    fn dialect(&self) -> Box<dyn Dialect> {
        match self.descriptor.name {
            "postgres" => Box::new(Postgres { version: 150_004 }),
            "mysql" => Box::new(MySql {
                is_mariadb: true,
                version: (10, 11, 6),
                zero_dates_null: false,
            }),
            "sqlite" => Box::new(Sqlite {
                version: 3_050_002,
                is_utf16: false,
            }),
            other => panic!("{other} has no dialect: say here which it has"),
        }
    }

    /// The columns as the connector's own mapping gives them.
    fn columns(&self) -> Vec<RemoteColumn> {
        use Collation::{Binary, Deterministic, Loose, NotText, Unknown};
        let time =
            |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
        let (text, bytes) = (DataType::Utf8View, DataType::BinaryView);
        let decimal = DataType::Decimal128(15, 2);
        let (n, natives, collations) = match self.descriptor.name {
            "postgres" => (
                DataType::Int32,
                [
                    "bigint",
                    "integer",
                    "numeric(15,2)",
                    "double precision",
                    "text",
                    "text",
                    "character(3)",
                    "date",
                    "timestamp without time zone",
                    "timestamp with time zone",
                    "boolean",
                    "bytea",
                ],
                [Deterministic, Binary, Unknown],
            ),
            "mysql" => (
                DataType::Int32,
                [
                    "bigint(20)",
                    "int(11)",
                    "decimal(15,2)",
                    "double",
                    "varchar(50) collate utf8mb4_general_ci",
                    "varchar(50) collate utf8mb4_nopad_bin",
                    "char(3) collate utf8mb4_general_ci",
                    "date",
                    "datetime(6)",
                    "timestamp(6)",
                    "bit(1)",
                    "varbinary(50)",
                ],
                [Loose, Binary, Loose],
            ),
            _ => (
                DataType::Int64,
                [
                    "INTEGER",
                    "INTEGER",
                    "DECIMAL(15,2)",
                    "REAL",
                    "TEXT",
                    "TEXT",
                    "CHAR(3)",
                    "DATE",
                    "TIMESTAMP",
                    "TIMESTAMPTZ",
                    "BOOLEAN",
                    "BLOB",
                ],
                [Binary, Loose, Unknown],
            ),
        };
        let columns = [
            ("id", DataType::Int64, NotText),
            ("n", n, NotText),
            ("price", decimal, NotText),
            ("ratio", DataType::Float64, NotText),
            ("name", text.clone(), collations[0]),
            ("key", text.clone(), collations[1]),
            ("code", text, collations[2]),
            ("day", DataType::Date32, NotText),
            ("moment", time(None), NotText),
            ("at", time(Some("UTC")), NotText),
            ("flag", DataType::Boolean, NotText),
            ("data", bytes, NotText),
        ];
        columns
            .into_iter()
            .zip(natives)
            .map(|((name, data_type, collation), native)| {
                let field = Field::new(name, data_type, name != "id");
                let pg = (name == "code").then_some(PgType::Bpchar(Some(3)));
                let metadata = pg.map(|pg| (PgType::KEY.to_owned(), pg.to_string()));
                RemoteColumn {
                    field: Arc::new(field.with_metadata(metadata.into_iter().collect())),
                    native_type: native.to_owned(),
                    collation,
                    strictly_typed: self.descriptor.name != "sqlite",
                }
            })
            .collect()
    }
}

#[async_trait]
impl Source for PretendSource {
    fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
    }
    fn default_schema(&self) -> &str {
        "s"
    }
    async fn schemas(&self) -> Result<Vec<String>> {
        Ok(vec!["s".to_owned()])
    }
    async fn tables(&self, _: &str) -> Result<Vec<String>> {
        Ok(vec!["t".to_owned(), "u".to_owned()])
    }
    async fn table(self: Arc<Self>, schema: &str, table: &str) -> Result<Option<Table>> {
        Ok(Some(Table::Remote(RemoteTable {
            catalog: self.catalog.clone(),
            name: TableName {
                schema: schema.to_owned(),
                table: table.to_owned(),
            },
            columns: self.columns(),
            statistics: TableStatistics::default(),
            source: self,
        })))
    }
    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl RemoteSource for PretendSource {
    fn supports(&self, expr: &Expr, place: Place, scope: &Scope) -> Support {
        inflowave_dialect::supports(self.dialect().as_ref(), expr, place, scope)
    }
    fn supports_node(&self, node: &LogicalPlan) -> Support {
        inflowave_dialect::operator(self.dialect().as_ref(), node)
    }
    fn compile(&self, fragment: &Fragment) -> Result<RemoteQuery> {
        inflowave_dialect::compile(self.dialect().as_ref(), fragment)
    }
    async fn execute(&self, _: Arc<RemoteQuery>, _: ScanContext) -> Result<BatchStream> {
        Err(Error::new(
            SqlState::FeatureNotSupported,
            "nothing runs here",
        ))
    }
}
