//! CSV and JSON lines as a source of DataFusion's file scans.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result as DfResult, internal_datafusion_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{PhysicalExpr, apply_expression_roots};
use datafusion_datasource::TableSchema;
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use futures::StreamExt;
use inflowave_types::Result;

use super::{csv, json};
use crate::connector::ReadOptions;
use crate::error::carried;
use crate::layout::Format;

/// What a scan knows of a file; it travels as an extension of the file.
#[derive(Debug)]
pub struct FileFacts {
    pub path: PathBuf,
    /// The columns that the file had when the table was read.
    pub columns: Option<Arc<Vec<String>>>,
}

#[derive(Debug, Clone)]
pub struct TextSource {
    format: Format,
    options: Arc<ReadOptions>,
    table_schema: TableSchema,
    projection: SplitProjection,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl TextSource {
    pub fn new(format: Format, options: Arc<ReadOptions>, table_schema: TableSchema) -> Self {
        TextSource {
            format,
            options,
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl FileSource for TextSource {
    fn create_file_opener(
        &self,
        _store: Arc<dyn ObjectStore>,
        _config: &FileScanConfig,
        _partition: usize,
    ) -> DfResult<Arc<dyn FileOpener>> {
        let file_schema = self.table_schema.file_schema();
        let opener = TextOpener {
            format: self.format,
            options: Arc::clone(&self.options),
            schema: projected(file_schema, &self.projection.file_indices)?,
            batch_size: self.batch_size,
        };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(TextSource {
            batch_size,
            ..self.clone()
        })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.format.name()
    }

    /// Where a line starts is only known from the start of the file: quotes may hold line ends.
    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> DfResult<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        Ok(Some(Arc::new(TextSource {
            projection: SplitProjection::new(self.table_schema.file_schema(), &merged),
            ..self.clone()
        })))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        apply_expression_roots(self.projection.source.iter(), f)
    }
}

fn projected(schema: &Schema, indices: &[usize]) -> DfResult<SchemaRef> {
    Ok(Arc::new(schema.project(indices)?))
}

struct TextOpener {
    format: Format,
    options: Arc<ReadOptions>,
    schema: SchemaRef,
    batch_size: usize,
}

impl FileOpener for TextOpener {
    fn open(&self, file: PartitionedFile) -> DfResult<FileOpenFuture> {
        let facts = file
            .extension::<FileFacts>()
            .ok_or_else(|| internal_datafusion_err!("a file without its facts"))?;
        let schema = Arc::clone(&self.schema);
        let batches: Box<dyn Iterator<Item = Result<_>> + Send> = match self.format {
            Format::Json => Box::new(
                json::Batches::open(&facts.path, schema, self.batch_size).map_err(carried)?,
            ),
            _ => Box::new(
                csv::Batches::open(
                    &facts.path,
                    &self.options,
                    schema,
                    facts.columns.as_ref().map(|c| c.as_slice()),
                    self.batch_size,
                )
                .map_err(carried)?,
            ),
        };
        let batches = futures::stream::iter(batches).map(|batch| batch.map_err(carried));
        Ok(Box::pin(async move { Ok(batches.boxed()) }))
    }
}
