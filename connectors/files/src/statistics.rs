//! What is known of a file before it is read: rows, bytes, bounds of columns.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result as DfResult, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::{StreamExt, TryStreamExt};

use crate::error::{carried, named};
use crate::schema::OBJECTS_AT_ONCE;
use crate::text::FileFacts;

/// Of Parquet files, from their footers.
///
/// # Errors
/// If a footer cannot be read.
pub async fn with_parquet(
    state: &dyn Session,
    files: Vec<PartitionedFile>,
    schema: SchemaRef,
) -> DfResult<Vec<PartitionedFile>> {
    let work = futures::stream::iter(files).map(|file| {
        let schema = Arc::clone(&schema);
        async move {
            let mut statistics = of_parquet(state, &file, &schema).await?;
            for (known, field) in statistics.column_statistics.iter_mut().zip(schema.fields()) {
                if field.data_type().is_floating() {
                    // NaN, the greatest, is not among them.
                    known.min_value = Precision::Absent;
                    known.max_value = Precision::Absent;
                }
            }
            Ok(file.with_statistics(Arc::new(statistics)))
        }
    });
    work.buffered(OBJECTS_AT_ONCE).try_collect().await
}

async fn of_parquet(
    state: &dyn Session,
    file: &PartitionedFile,
    schema: &SchemaRef,
) -> DfResult<Statistics> {
    let facts = file.extension::<FileFacts>();
    if let Some(object) = facts.and_then(|f| f.object.as_ref()) {
        let footer = object.footer().await.map_err(carried)?;
        return DFParquetMetadata::statistics_from_parquet_metadata(&footer, schema);
    }
    let store = state
        .runtime_env()
        .object_store(ObjectStoreUrl::local_filesystem())?;
    let path = facts.map(|f| f.path.clone()).unwrap_or_default();
    ParquetFormat::new()
        .infer_stats(state, &store, Arc::clone(schema), &file.object_meta)
        .await
        .map_err(|e| named(&path, e))
}

/// Of a text file: estimates, from the bytes of an average row.
pub fn of_text(bytes: u64, row_bytes: Option<f64>, columns: usize) -> Statistics {
    let rows = row_bytes
        .filter(|b| *b > 0.0)
        .map(|b| (bytes as f64 / b).ceil() as usize);
    Statistics {
        num_rows: rows.map_or(Precision::Absent, Precision::Inexact),
        total_byte_size: Precision::Inexact(usize::try_from(bytes).unwrap_or(usize::MAX)),
        column_statistics: vec![ColumnStatistics::new_unknown(); columns],
    }
}
