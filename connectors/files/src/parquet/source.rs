//! DataFusion's Parquet source, with the file's name in its errors.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::Session;
use datafusion::common::Result as DfResult;
use datafusion::common::config::{ConfigOptions, TableParquetOptions};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{
    FileOpener, FileScanConfig, FileSource, ParquetFileReaderFactory, ParquetSource,
};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalSortExpr};
use datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::sort_pushdown::SortOrderPushdownResult;
use datafusion::physical_plan::{DisplayFormatType, PhysicalExpr};
use datafusion_datasource::TableSchema;
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::error;
use crate::store;
use crate::text::FileFacts;

/// The options of the session, with what a table of ours needs.
pub fn options(state: &dyn Session) -> TableParquetOptions {
    let mut options = TableParquetOptions {
        global: state.config_options().execution.parquet.clone(),
        ..TableParquetOptions::default()
    };
    // What the schema of a table says of INT96 columns.
    options.global.coerce_int96 = Some("us".to_owned());
    options
}

/// A source of `schema`, for files of the file system or for objects of a store; `pruning` only saves reading, the rows are filtered above.
///
/// # Errors
/// If the session has no local files.
pub fn source(
    state: &dyn Session,
    schema: TableSchema,
    pruning: Option<Arc<dyn PhysicalExpr>>,
    in_store: bool,
) -> DfResult<Arc<dyn FileSource>> {
    let env = state.runtime_env();
    let readers: Arc<dyn ParquetFileReaderFactory> = if in_store {
        Arc::new(store::Readers)
    } else {
        Arc::new(CachedParquetFileReaderFactory::new(
            env.object_store(ObjectStoreUrl::local_filesystem())?,
            env.cache_manager.get_file_metadata_cache(),
        ))
    };
    let mut source = ParquetSource::new(schema)
        .with_table_parquet_options(options(state))
        .with_parquet_file_reader_factory(readers);
    if let Some(predicate) = pruning {
        source = source.with_predicate(predicate);
    }
    Ok(Arc::new(Named(Arc::new(source))))
}

struct Named(Arc<dyn FileSource>);

fn named(source: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
    Arc::new(Named(source))
}

impl FileSource for Named {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> DfResult<Arc<dyn FileOpener>> {
        self.0.create_file_opener(store, config, partition)
    }

    fn create_morselizer(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> DfResult<Box<dyn Morselizer>> {
        let inner = self.0.create_morselizer(store, config, partition)?;
        Ok(Box::new(NamedMorselizer(inner)))
    }

    fn table_schema(&self) -> &TableSchema {
        self.0.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        named(self.0.with_batch_size(batch_size))
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.0.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.0.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.0.metrics()
    }

    fn file_type(&self) -> &str {
        self.0.file_type()
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_extra(t, f)
    }

    fn supports_repartitioning(&self) -> bool {
        self.0.supports_repartitioning()
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> DfResult<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let mut result = self.0.try_pushdown_filters(filters, config)?;
        result.updated_node = result.updated_node.map(named);
        Ok(result)
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        properties: &EquivalenceProperties,
    ) -> DfResult<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        Ok(match self.0.try_pushdown_sort(order, properties)? {
            SortOrderPushdownResult::Exact { inner } => SortOrderPushdownResult::Exact {
                inner: named(inner),
            },
            SortOrderPushdownResult::Inexact { inner } => SortOrderPushdownResult::Inexact {
                inner: named(inner),
            },
            SortOrderPushdownResult::Unsupported => SortOrderPushdownResult::Unsupported,
        })
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.0.reorder_files(files)
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> DfResult<Option<Arc<dyn FileSource>>> {
        Ok(self.0.try_pushdown_projection(projection)?.map(named))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        self.0.apply_expressions(f)
    }
}

#[derive(Debug)]
struct NamedMorselizer(Box<dyn Morselizer>);

impl Morselizer for NamedMorselizer {
    fn plan_file(&self, file: PartitionedFile) -> DfResult<Box<dyn MorselPlanner>> {
        let path: Arc<PathBuf> = Arc::new(match file.extension::<FileFacts>() {
            Some(facts) => facts.path.clone(),
            None => format!("/{}", file.path()).into(),
        });
        let planned = self.0.plan_file(file).map_err(|e| error::named(&path, e))?;
        Ok(planner(planned, &path))
    }
}

#[derive(Debug)]
struct NamedPlanner(Box<dyn MorselPlanner>, Arc<PathBuf>);

fn planner(inner: Box<dyn MorselPlanner>, path: &Arc<PathBuf>) -> Box<dyn MorselPlanner> {
    Box::new(NamedPlanner(inner, Arc::clone(path)))
}

impl MorselPlanner for NamedPlanner {
    fn plan(self: Box<Self>) -> DfResult<Option<MorselPlan>> {
        let NamedPlanner(inner, path) = *self;
        let Some(mut plan) = inner.plan().map_err(|e| error::named(&path, e))? else {
            return Ok(None);
        };
        let morsels = plan.take_morsels().into_iter();
        let ready = plan.take_ready_planners().into_iter();
        let mut out = MorselPlan::new()
            .with_morsels(
                morsels
                    .map(|m| Box::new(NamedMorsel(m, Arc::clone(&path))) as Box<dyn Morsel>)
                    .collect(),
            )
            .with_planners(ready.map(|p| planner(p, &path)).collect());
        if let Some(pending) = plan.take_pending_planner() {
            out.set_pending_planner(async move {
                let next = pending
                    .into_future()
                    .await
                    .map_err(|e| error::named(&path, e))?;
                Ok(planner(next, &path))
            });
        }
        Ok(Some(out))
    }
}

#[derive(Debug)]
struct NamedMorsel(Box<dyn Morsel>, Arc<PathBuf>);

impl Morsel for NamedMorsel {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, DfResult<RecordBatch>> {
        let NamedMorsel(inner, path) = *self;
        let stream = inner.into_stream();
        stream
            .map(move |batch| batch.map_err(|e| error::named(&path, e)))
            .boxed()
    }
}
