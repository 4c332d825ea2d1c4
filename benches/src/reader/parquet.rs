//! Parquet by a plain DataFusion session, with its own defaults.

use std::path::Path;

use async_trait::async_trait;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use futures::TryStreamExt;
use tokio::runtime::Handle;

use super::{Answer, Reader, arrow};
use crate::Result;

pub struct Parquet {
    context: SessionContext,
    cpu: Handle,
    sql: String,
    column: usize,
}

impl Parquet {
    /// Each file of `folder` is a table by its name; queries run on `cpu`, as ours do.
    pub async fn open(
        folder: &Path,
        cpu: Handle,
        sql: String,
        column: usize,
    ) -> Result<Box<dyn Reader>> {
        let context = SessionContext::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if let (Some(stem), Some(path)) = (path.file_stem(), path.to_str()) {
                let name = stem.to_string_lossy();
                context
                    .register_parquet(&*name, path, ParquetReadOptions::default())
                    .await?;
            }
        }
        Ok(Box::new(Parquet {
            context,
            cpu,
            sql,
            column,
        }))
    }
}

#[async_trait]
impl Reader for Parquet {
    fn name(&self) -> &'static str {
        "DataFusion"
    }

    async fn read(&mut self) -> Result<Answer> {
        let (context, sql, column) = (self.context.clone(), self.sql.clone(), self.column);
        let task = self.cpu.spawn(async move {
            let mut answer = Answer::default();
            let mut batches = context.sql(&sql).await?.execute_stream().await?;
            while let Some(batch) = batches.try_next().await? {
                arrow::add(&mut answer, &batch, column)?;
            }
            Ok(answer)
        });
        task.await?
    }
}
