//! Loads tables into a schema of PostgreSQL.

use std::io::Cursor;

use futures::SinkExt;

use super::SCHEMA;
use super::table::{Dialect, Scale, Table};
use crate::Result;
use crate::reader::postgres::connect;

/// Rows sent at a time.
const CHUNK_ROWS: u32 = 10_000;

pub async fn load(url: &str, tables: &[Table], scale: Scale) -> Result<()> {
    let client = connect(url).await?;
    client
        .batch_execute(&format!(
            "drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}"
        ))
        .await?;
    for table in tables {
        let name = format!("{SCHEMA}.{}", table.name());
        client
            .batch_execute(&table.ddl(Dialect::Postgres, &name))
            .await?;
        let sink = client
            .copy_in::<_, Cursor<Vec<u8>>>(&format!("copy {name} from stdin"))
            .await?;
        futures::pin_mut!(sink);
        let rows = scale.rows(*table);
        let mut cells = vec![String::new(); table.columns()];
        for start in (0..rows).step_by(CHUNK_ROWS as usize) {
            let mut text = String::new();
            for row in start..rows.min(start + CHUNK_ROWS) {
                // No text of ours holds a tab, a line break or a backslash.
                table.cells(scale, row, &mut cells);
                text.push_str(&cells.join("\t"));
                text.push('\n');
            }
            sink.send(Cursor::new(text.into_bytes())).await?;
        }
        sink.finish().await?;
        if let Some(index) = table.index(&name) {
            client.batch_execute(&index).await?;
        }
        // Also sets the hint bits: the first reader would write every page otherwise.
        client
            .batch_execute(&format!("vacuum analyze {name}"))
            .await?;
    }
    Ok(())
}

pub async fn remove(url: &str) -> Result<()> {
    let client = connect(url).await?;
    client
        .batch_execute(&format!("drop schema if exists {SCHEMA} cascade"))
        .await?;
    Ok(())
}
