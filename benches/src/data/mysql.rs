//! Loads tables into a database of MariaDB or MySQL.

use mysql_async::prelude::Queryable;

use super::SCHEMA;
use super::table::{Dialect, Scale, Table};
use crate::Result;

/// Rows in one INSERT.
const INSERT_ROWS: u32 = 2_000;

pub async fn load(url: &str, tables: &[Table], scale: Scale) -> Result<()> {
    let mut conn = mysql_async::Conn::from_url(url).await?;
    conn.query_drop(format!("drop database if exists {SCHEMA}"))
        .await?;
    conn.query_drop(format!("create database {SCHEMA}")).await?;
    for table in tables {
        let name = format!("{SCHEMA}.{}", table.name());
        conn.query_drop(table.ddl(Dialect::MySql, &name)).await?;
        conn.query_drop("start transaction").await?;
        let rows = scale.rows(*table);
        let mut cells = vec![String::new(); table.columns()];
        for start in (0..rows).step_by(INSERT_ROWS as usize) {
            let mut sql = format!("insert into {name} values ");
            for row in start..rows.min(start + INSERT_ROWS) {
                // No text of ours holds a quote or a backslash.
                table.cells(scale, row, &mut cells);
                sql.push_str(if row == start { "('" } else { ",('" });
                sql.push_str(&cells.join("','"));
                sql.push_str("')");
            }
            conn.query_drop(sql).await?;
        }
        conn.query_drop("commit").await?;
        if let Some(index) = table.index(&name) {
            conn.query_drop(index).await?;
        }
        conn.query_drop(format!("analyze table {name}")).await?;
    }
    conn.disconnect().await?;
    Ok(())
}

pub async fn remove(url: &str) -> Result<()> {
    let mut conn = mysql_async::Conn::from_url(url).await?;
    conn.query_drop(format!("drop database if exists {SCHEMA}"))
        .await?;
    conn.disconnect().await?;
    Ok(())
}
