//! Loads tables into a SQLite file.

use std::path::Path;

use super::table::{Dialect, Scale, Table};
use crate::Result;

pub fn load(path: &Path, tables: &[Table], scale: Scale) -> Result<()> {
    let mut conn = rusqlite::Connection::open(path)?;
    let transaction = conn.transaction()?;
    for table in tables {
        transaction.execute_batch(&table.ddl(Dialect::Sqlite, table.name()))?;
        let places = vec!["?"; table.columns()].join(", ");
        let insert = format!("insert into {} values ({places})", table.name());
        let mut insert = transaction.prepare(&insert)?;
        let mut cells = vec![String::new(); table.columns()];
        for row in 0..scale.rows(*table) {
            // The column's affinity makes a number of the text where the type is numeric.
            table.cells(scale, row, &mut cells);
            insert.execute(rusqlite::params_from_iter(&cells))?;
        }
        if let Some(index) = table.index(table.name()) {
            transaction.execute_batch(&index)?;
        }
    }
    transaction.execute_batch("analyze")?;
    transaction.commit()?;
    Ok(())
}
