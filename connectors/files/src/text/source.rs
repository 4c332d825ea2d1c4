//! CSV and JSON lines as a source of DataFusion's file scans.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
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
use futures::stream::BoxStream;
use inflowave_types::Result;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{content, csv, json};
use crate::connector::ReadOptions;
use crate::error::{carried, internal_df};
use crate::layout::Format;
use crate::store::Object;

/// What a scan knows of a file; it travels as an extension of the file.
#[derive(Debug, Clone)]
pub struct FileFacts {
    pub path: PathBuf,
    /// The columns that the file had when the table was read.
    pub columns: Option<Arc<Vec<String>>>,
    /// The version to read, if the file is in an object store.
    pub object: Option<Arc<Object>>,
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

#[derive(Clone)]
struct TextOpener {
    format: Format,
    options: Arc<ReadOptions>,
    schema: SchemaRef,
    batch_size: usize,
}

/// The batches of a file, as they are asked for.
type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

impl TextOpener {
    /// Opens a file. Blocks where the file does.
    fn batches(&self, facts: &FileFacts, stop: &CancellationToken) -> Result<Batches> {
        let (schema, rows_max) = (Arc::clone(&self.schema), self.batch_size);
        let content = content(&facts.path, facts.object.as_ref(), stop)?;
        Ok(match self.format {
            Format::Json => Box::new(json::Batches::new(&facts.path, content, schema, rows_max)?),
            _ => Box::new(csv::Batches::open(
                &facts.path,
                content,
                &self.options,
                schema,
                facts.columns.as_ref().map(|c| c.as_slice()),
                rows_max,
            )?),
        })
    }
}

impl FileOpener for TextOpener {
    fn open(&self, file: PartitionedFile) -> DfResult<FileOpenFuture> {
        let facts = file
            .extension::<FileFacts>()
            .cloned()
            .ok_or_else(|| internal_df("a file without its facts"))?;
        if let Some(object) = facts.object.clone() {
            let opener = self.clone();
            let open = move |stop: &CancellationToken| opener.batches(&facts, stop);
            return Ok(Box::pin(async move { Ok(on_io(&object, open)) }));
        }
        let batches = self.batches(&facts, &CancellationToken::new());
        let batches = batches.map_err(carried)?;
        let batches = futures::stream::iter(batches).map(|batch| batch.map_err(carried));
        Ok(Box::pin(async move { Ok(batches.boxed()) }))
    }
}

/// Batches that wait for a store, read where that hurts nobody. Dropping the stream ends the work.
fn on_io(
    object: &Object,
    open: impl FnOnce(&CancellationToken) -> Result<Batches> + Send + 'static,
) -> BoxStream<'static, DfResult<RecordBatch>> {
    const BATCHES_AHEAD: usize = 2;
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    let worker = object.store.io.spawn_blocking(move || {
        let batches = match open(&stop) {
            Ok(batches) => batches,
            Err(e) => {
                let _ = sender.blocking_send(Err(e));
                return;
            }
        };
        for batch in batches {
            if sender.blocking_send(batch).is_err() {
                return;
            }
        }
    });
    // The end of the channel is the end of the file only if the worker says so.
    let state = Some((receiver, worker, guard));
    futures::stream::unfold(state, |state| async move {
        let (mut receiver, worker, guard) = state?;
        if let Some(batch) = receiver.recv().await {
            return Some((batch.map_err(carried), Some((receiver, worker, guard))));
        }
        match worker.await {
            Ok(()) => None,
            Err(_) => Some((
                Err(internal_df("a task of the files connector failed")),
                None,
            )),
        }
    })
    .boxed()
}
