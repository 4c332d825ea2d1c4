//! The TPC-H tables: their rows, their DDL, and loaders for every kind of source.
//!
//! The rows come from `tpchgen`, so that a scale has the same rows everywhere. Types are those of
//! the specification (char(n), varchar(n), decimal(15,2), date); decimals and dates travel as text,
//! so that no loader can round them. The queries are in `tests/fixtures/tpch`.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::parquet::arrow::ArrowWriter;
use futures::SinkExt;
use mysql_async::prelude::Queryable;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow,
    SupplierArrow,
};

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Small tables first.
pub const TABLES: [&str; 8] = [
    "region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem",
];

/// Rows in one INSERT.
const INSERT_ROWS: usize = 500;

/// Whose DDL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Postgres,
    MariaDb,
    Sqlite,
}

/// Query `number` (1 to 22), over unqualified table names, without its closing semicolon.
pub fn query(number: usize) -> Result<String> {
    let path = format!(
        "{}/fixtures/tpch/q{number:02}.sql",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    Ok(text.trim_end().trim_end_matches(';').to_owned())
}

/// All tables at `scale` (1.0 is about a gigabyte, 0.01 has 60,175 line items).
pub fn tables(scale: f64) -> Result<Vec<(&'static str, Vec<RecordBatch>)>> {
    TABLES
        .iter()
        .map(|table| Ok((*table, batches(table, scale)?)))
        .collect()
}

/// The rows of one table.
pub fn batches(table: &str, scale: f64) -> Result<Vec<RecordBatch>> {
    macro_rules! collect {
        ($arrow:ident, $generator:ident) => {
            $arrow::new($generator::new(scale, 1, 1)).collect::<std::result::Result<Vec<_>, _>>()?
        };
    }
    Ok(match table {
        "region" => collect!(RegionArrow, RegionGenerator),
        "nation" => collect!(NationArrow, NationGenerator),
        "supplier" => collect!(SupplierArrow, SupplierGenerator),
        "customer" => collect!(CustomerArrow, CustomerGenerator),
        "part" => collect!(PartArrow, PartGenerator),
        "partsupp" => collect!(PartSuppArrow, PartSuppGenerator),
        "orders" => collect!(OrderArrow, OrderGenerator),
        "lineitem" => collect!(LineItemArrow, LineItemGenerator),
        other => return Err(format!("no table {other}; there are {TABLES:?}").into()),
    })
}

/// `CREATE TABLE qualified` with the columns of `table`.
pub fn ddl(dialect: Dialect, table: &str, qualified: &str) -> Result<String> {
    let (columns, key) = spec(table)?;
    let mut sql = format!("CREATE TABLE {qualified} (");
    for (name, of_type) in columns {
        // SQLite knows one kind of integer; the other names are kept for the reader of a schema.
        let of_type = match (dialect, *of_type) {
            (Dialect::Sqlite, "bigint" | "int") => "INTEGER",
            (_, other) => other,
        };
        write!(sql, "{name} {of_type} NOT NULL, ")?;
    }
    write!(sql, "PRIMARY KEY ({key}))")?;
    Ok(sql)
}

/// Makes `schema.table` anew and fills it; the schema is made if it is missing.
pub async fn load_postgres(
    client: &tokio_postgres::Client,
    schema: &str,
    table: &str,
    scale: f64,
) -> Result<()> {
    let qualified = format!("\"{schema}\".{table}");
    let ddl = ddl(Dialect::Postgres, table, &qualified)?;
    client
        .batch_execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS \"{schema}\"; DROP TABLE IF EXISTS {qualified}; {ddl}"
        ))
        .await?;
    let sink = client
        .copy_in::<_, Cursor<Vec<u8>>>(&format!("COPY {qualified} FROM STDIN"))
        .await?;
    futures::pin_mut!(sink);
    for batch in batches(table, scale)? {
        let mut text = String::new();
        for_each_row(&batch, |cells| {
            for (i, cell) in cells.iter().enumerate() {
                if i > 0 {
                    text.push('\t');
                }
                text.push_str(&cell.replace('\\', "\\\\").replace('\t', "\\t"));
            }
            text.push('\n');
            Ok(())
        })?;
        sink.send(Cursor::new(text.into_bytes())).await?;
    }
    sink.finish().await?;
    client
        .batch_execute(&format!("ANALYZE {qualified}"))
        .await?;
    Ok(())
}

/// Makes `database.table` anew and fills it; the database is made if it is missing.
pub async fn load_mysql(
    conn: &mut mysql_async::Conn,
    database: &str,
    table: &str,
    scale: f64,
) -> Result<()> {
    let qualified = format!("`{database}`.{table}");
    for sql in [
        format!("CREATE DATABASE IF NOT EXISTS `{database}`"),
        format!("DROP TABLE IF EXISTS {qualified}"),
        ddl(Dialect::MariaDb, table, &qualified)?,
        "START TRANSACTION".to_owned(),
    ] {
        conn.query_drop(sql).await?;
    }
    for batch in batches(table, scale)? {
        for start in (0..batch.num_rows()).step_by(INSERT_ROWS) {
            let part = batch.slice(start, INSERT_ROWS.min(batch.num_rows() - start));
            let mut sql = format!("INSERT INTO {qualified} VALUES ");
            let mut separator = "";
            for_each_row(&part, |cells| {
                write!(sql, "{separator}(")?;
                separator = ",";
                for (i, cell) in cells.iter().enumerate() {
                    let comma = if i > 0 { "," } else { "" };
                    let escaped = cell.replace('\\', "\\\\").replace('\'', "''");
                    write!(sql, "{comma}'{escaped}'")?;
                }
                sql.push(')');
                Ok(())
            })?;
            conn.query_drop(sql).await?;
        }
    }
    conn.query_drop("COMMIT").await?;
    conn.query_drop(format!("ANALYZE TABLE {qualified}"))
        .await?;
    Ok(())
}

/// Makes `table` anew in the database's main schema and fills it.
pub fn load_sqlite(conn: &mut rusqlite::Connection, table: &str, scale: f64) -> Result<()> {
    let transaction = conn.transaction()?;
    transaction.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
    transaction.execute_batch(&ddl(Dialect::Sqlite, table, table)?)?;
    let places = vec!["?"; spec(table)?.0.len()].join(", ");
    {
        let mut insert = transaction.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?;
        for batch in batches(table, scale)? {
            // The column's affinity makes a number of the text where the type is numeric.
            for_each_row(&batch, |cells| {
                insert.execute(rusqlite::params_from_iter(cells))?;
                Ok(())
            })?;
        }
    }
    transaction.execute_batch("ANALYZE")?;
    transaction.commit()?;
    Ok(())
}

/// Writes `dir/TABLE.parquet`.
pub fn write_parquet(dir: &Path, table: &str, scale: f64) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let batches = batches(table, scale)?;
    let schema = batches.first().ok_or("an empty table")?.schema();
    let file = File::create(dir.join(format!("{table}.parquet")))?;
    let mut writer = ArrowWriter::try_new(file, schema, None)?;
    for batch in &batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(())
}

/// Calls `take` with the texts of every row.
fn for_each_row(batch: &RecordBatch, mut take: impl FnMut(&[String]) -> Result<()>) -> Result<()> {
    let options = FormatOptions::default();
    let columns = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let mut cells = vec![String::new(); columns.len()];
    for row in 0..batch.num_rows() {
        for (cell, column) in cells.iter_mut().zip(&columns) {
            cell.clear();
            write!(cell, "{}", column.value(row))?;
        }
        take(&cells)?;
    }
    Ok(())
}

type Columns = &'static [(&'static str, &'static str)];

/// Columns with the types of the specification (section 1.4), and the primary key.
fn spec(table: &str) -> Result<(Columns, &'static str)> {
    Ok(match table {
        "region" => (
            &[
                ("r_regionkey", "bigint"),
                ("r_name", "char(25)"),
                ("r_comment", "varchar(152)"),
            ],
            "r_regionkey",
        ),
        "nation" => (
            &[
                ("n_nationkey", "bigint"),
                ("n_name", "char(25)"),
                ("n_regionkey", "bigint"),
                ("n_comment", "varchar(152)"),
            ],
            "n_nationkey",
        ),
        "supplier" => (
            &[
                ("s_suppkey", "bigint"),
                ("s_name", "char(25)"),
                ("s_address", "varchar(40)"),
                ("s_nationkey", "bigint"),
                ("s_phone", "char(15)"),
                ("s_acctbal", "decimal(15,2)"),
                ("s_comment", "varchar(101)"),
            ],
            "s_suppkey",
        ),
        "customer" => (
            &[
                ("c_custkey", "bigint"),
                ("c_name", "varchar(25)"),
                ("c_address", "varchar(40)"),
                ("c_nationkey", "bigint"),
                ("c_phone", "char(15)"),
                ("c_acctbal", "decimal(15,2)"),
                ("c_mktsegment", "char(10)"),
                ("c_comment", "varchar(117)"),
            ],
            "c_custkey",
        ),
        "part" => (
            &[
                ("p_partkey", "bigint"),
                ("p_name", "varchar(55)"),
                ("p_mfgr", "char(25)"),
                ("p_brand", "char(10)"),
                ("p_type", "varchar(25)"),
                ("p_size", "int"),
                ("p_container", "char(10)"),
                ("p_retailprice", "decimal(15,2)"),
                ("p_comment", "varchar(23)"),
            ],
            "p_partkey",
        ),
        "partsupp" => (
            &[
                ("ps_partkey", "bigint"),
                ("ps_suppkey", "bigint"),
                ("ps_availqty", "int"),
                ("ps_supplycost", "decimal(15,2)"),
                ("ps_comment", "varchar(199)"),
            ],
            "ps_partkey, ps_suppkey",
        ),
        "orders" => (
            &[
                ("o_orderkey", "bigint"),
                ("o_custkey", "bigint"),
                ("o_orderstatus", "char(1)"),
                ("o_totalprice", "decimal(15,2)"),
                ("o_orderdate", "date"),
                ("o_orderpriority", "char(15)"),
                ("o_clerk", "char(15)"),
                ("o_shippriority", "int"),
                ("o_comment", "varchar(79)"),
            ],
            "o_orderkey",
        ),
        "lineitem" => (
            &[
                ("l_orderkey", "bigint"),
                ("l_partkey", "bigint"),
                ("l_suppkey", "bigint"),
                ("l_linenumber", "int"),
                ("l_quantity", "decimal(15,2)"),
                ("l_extendedprice", "decimal(15,2)"),
                ("l_discount", "decimal(15,2)"),
                ("l_tax", "decimal(15,2)"),
                ("l_returnflag", "char(1)"),
                ("l_linestatus", "char(1)"),
                ("l_shipdate", "date"),
                ("l_commitdate", "date"),
                ("l_receiptdate", "date"),
                ("l_shipinstruct", "char(25)"),
                ("l_shipmode", "char(10)"),
                ("l_comment", "varchar(44)"),
            ],
            "l_orderkey, l_linenumber",
        ),
        other => return Err(format!("no table {other}; there are {TABLES:?}").into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_its_rows_in_the_columns_of_the_specification() {
        let rows: Vec<_> = tables(0.01)
            .unwrap()
            .into_iter()
            .map(|(table, batches)| {
                let names: Vec<_> = spec(table).unwrap().0.iter().map(|c| c.0).collect();
                let schema = batches[0].schema();
                let fields: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
                assert_eq!(fields, names);
                batches.iter().map(RecordBatch::num_rows).sum::<usize>()
            })
            .collect();
        assert_eq!(rows, [5, 25, 100, 1_500, 2_000, 8_000, 15_000, 60_175]);
    }

    #[test]
    fn sqlite_holds_every_decimal_and_date() {
        let mut db = rusqlite::Connection::open_in_memory().unwrap();
        load_sqlite(&mut db, "orders", 0.001).unwrap();
        let found: (i64, i64, String, String) = db
            .query_row(
                "SELECT count(*), CAST(sum(round(o_totalprice * 100)) AS INTEGER), \
                 min(o_orderdate), max(o_orderdate) FROM orders",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .unwrap();
        let mut cents = 0;
        for batch in batches("orders", 0.001).unwrap() {
            for_each_row(&batch, |cells| {
                cents += cells[3].replace('.', "").parse::<i64>()?;
                Ok(())
            })
            .unwrap();
        }
        assert_eq!((found.0, found.1), (1_500, cents));
        assert!(found.2.starts_with("1992-01-") && found.3.starts_with("1998-0"));
    }
}
