//! Footers of Parquet objects, and readers of them by ranges. A footer is kept under the version
//! that it was read from: a changed object never meets the footer of an older one.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::Result as DfResult;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::{CachedParquetMetaData, ParquetFileMetrics};
use datafusion::execution::cache::Cache;
use datafusion::execution::cache::cache_manager::CachedFileMetadataEntry;
use datafusion::execution::cache::default_cache::DefaultCache;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use datafusion::parquet::arrow::async_reader::{AsyncFileReader, MetadataFetch};
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use datafusion::parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader,
};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use inflowave_types::{Error, Result};
use object_store::path::Path;

use super::object::Object;
use crate::error::{broken, internal_df};
use crate::text::FileFacts;

/// Read from the end of an object by the first request; most footers are smaller.
const FOOTER_GUESS_BYTES: usize = 64 << 10;

/// The footers of one catalog, the least recently used dropped beyond a number of bytes.
pub struct Footers(DefaultCache<Path, CachedFileMetadataEntry>);

impl std::fmt::Debug for Footers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Footers({} bytes)", self.0.memory_used())
    }
}

impl Footers {
    pub fn new(bytes_max: usize) -> Footers {
        Footers(DefaultCache::new(bytes_max))
    }

    fn get(&self, key: &Path) -> Option<Arc<ParquetMetaData>> {
        let entry = self.0.get(key)?;
        let known = entry.file_metadata.as_any();
        let known = known.downcast_ref::<CachedParquetMetaData>()?;
        Some(Arc::clone(known.parquet_metadata()))
    }

    fn put(&self, key: &Path, object: &Object, footer: &Arc<ParquetMetaData>) {
        let kept = Arc::new(CachedParquetMetaData::new(Arc::clone(footer)));
        self.0
            .put(key, CachedFileMetadataEntry::new(object.meta.clone(), kept));
    }
}

impl Object {
    /// The footer with the index of pages, if the file has one.
    ///
    /// # Errors
    /// `XX001` if the object is no Parquet file, else those of reading it.
    pub async fn footer(self: &Arc<Self>) -> Result<Arc<ParquetMetaData>> {
        let key = self.version();
        if let Some(known) = self.store.footers.get(&key) {
            return Ok(known);
        }
        let footer = ParquetMetaDataReader::new()
            .with_prefetch_hint(Some(FOOTER_GUESS_BYTES))
            .with_page_index_policy(PageIndexPolicy::Optional)
            .load_and_finish(Ranges(self), self.meta.size)
            .await
            .map_err(|e| {
                self.store
                    .named(ours(&e).unwrap_or_else(|| broken_object(self, &e)))
            })?;
        let footer = Arc::new(footer);
        self.store.footers.put(&key, self, &footer);
        Ok(footer)
    }

    /// What the Arrow reader makes of the footer.
    ///
    /// # Errors
    /// As [`Object::footer`].
    pub async fn arrow_footer(self: &Arc<Self>) -> Result<ArrowReaderMetadata> {
        let footer = self.footer().await?;
        ArrowReaderMetadata::try_new(footer, ArrowReaderOptions::new())
            .map_err(|e| self.store.named(broken_object(self, &e)))
    }
}

fn broken_object(object: &Object, error: &ParquetError) -> Error {
    broken(object.label().trim_matches('"').as_ref(), error)
}

/// Our error, on its way through the Parquet reader.
pub fn ours(error: &ParquetError) -> Option<Error> {
    match error {
        ParquetError::External(inner) => inner.downcast_ref::<Error>().cloned(),
        _ => None,
    }
}

fn carried(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

struct Ranges<'a>(&'a Arc<Object>);

impl MetadataFetch for Ranges<'_> {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move { self.0.range(range).await.map_err(carried) }.boxed()
    }
}

/// Readers for a scan of objects; each file brings its object along.
#[derive(Debug)]
pub struct Readers;

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> DfResult<Box<dyn AsyncFileReader + Send>> {
        let object = file
            .extension::<FileFacts>()
            .and_then(|facts| facts.object.clone())
            .ok_or_else(|| internal_df("a file of a store without its object"))?;
        let metrics = ParquetFileMetrics::new(partition, object.meta.location.as_ref(), metrics);
        Ok(Box::new(Reader { object, metrics }))
    }
}

struct Reader {
    object: Arc<Object>,
    metrics: ParquetFileMetrics,
}

impl Reader {
    fn count(&self, range: &Range<u64>) {
        self.metrics
            .bytes_scanned
            .add((range.end - range.start) as usize);
    }
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.count(&range);
        async move { self.object.range(range).await.map_err(carried) }.boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        ranges.iter().for_each(|range| self.count(range));
        async move { self.object.ranges(&ranges).await.map_err(carried) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move { self.object.footer().await.map_err(carried) }.boxed()
    }
}
