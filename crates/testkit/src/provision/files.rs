//! A folder of Parquet files, one for each table.

use std::path::PathBuf;

use async_trait::async_trait;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use inflowave_types::Result;
use tempfile::TempDir;

use super::{Broken, CatalogSpec, Fixture, failed};
use crate::Value;
use crate::trap::{LeftOut, TrapTable, TrapType};

/// Rows of a row group: small, so that pruning by statistics has groups to leave out.
const GROUP_ROWS: usize = 100;

/// A folder of its own, removed with the fixture.
pub struct FilesFixture {
    folder: TempDir,
}

impl FilesFixture {
    /// # Errors
    /// If no folder for temporary files can be written.
    pub fn new() -> Result<FilesFixture> {
        Ok(FilesFixture {
            folder: TempDir::new().map_err(|e| failed("temporary folder", e))?,
        })
    }

    /// The file of a table.
    pub fn path(&self, table: &str) -> PathBuf {
        self.folder.path().join(format!("{table}.parquet"))
    }

    fn write(&self, table: &TrapTable) -> Result<()> {
        let path = self.path(&table.name);
        let batch = super::arrow::batch(table).map_err(|e| failed(&table.name, e))?;
        let file = std::fs::File::create(path).map_err(|e| failed(&table.name, e))?;
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .build();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))
            .map_err(|e| failed(&table.name, e))?;
        writer.write(&batch).map_err(|e| failed(&table.name, e))?;
        writer.close().map_err(|e| failed(&table.name, e))?;
        Ok(())
    }

    fn spec(&self, path: &std::path::Path) -> CatalogSpec {
        CatalogSpec {
            connector: "files",
            params: vec![("path".to_owned(), path.display().to_string())],
            schema: "files".to_owned(),
        }
    }
}

#[async_trait]
impl Fixture for FilesFixture {
    fn connector(&self) -> &'static str {
        "files"
    }

    fn leaves_out(&self) -> &'static [LeftOut] {
        &[]
    }

    fn shown_as(&self, ty: TrapType) -> TrapType {
        match ty {
            // A text of Parquet has no length.
            TrapType::Char(_) | TrapType::Varchar(_) | TrapType::Uuid => TrapType::Text,
            other => other,
        }
    }

    async fn provision(&mut self, tables: &[TrapTable]) -> Result<()> {
        super::held(self, tables)
            .iter()
            .try_for_each(|table| self.write(table))
    }

    fn catalog(&self) -> CatalogSpec {
        self.spec(self.folder.path())
    }

    fn broken(&self) -> Vec<Broken> {
        vec![Broken {
            what: "a folder that is not there",
            spec: self.spec(&self.folder.path().join("missing")),
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
        std::fs::remove_file(self.path(table)).map_err(|e| failed(table, e))
    }

    async fn change_column(&mut self, table: &TrapTable, column: &str) -> Result<()> {
        let mut changed = table.clone();
        let Some(n) = changed.column(column) else {
            return Ok(());
        };
        changed.columns[n].ty = TrapType::Text;
        for row in &mut changed.rows {
            row[n] = Value::text("x");
        }
        self.write(&changed)
    }
}
