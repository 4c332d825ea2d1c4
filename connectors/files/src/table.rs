//! A table of files: its schema as it was read, and its scan over the files that are there now.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::listing::helpers::{expr_applicable_for_cols, filter_partitioned_file};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Operator, TableProviderFilterPushDown, TableType, cast, col};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use datafusion_datasource::{TableSchema, compute_all_files_statistics};
use futures::{StreamExt, TryStreamExt};
use inflowave_types::{Error, Result, SqlState};
use object_store::ObjectMeta;
use object_store::memory::InMemory;
use object_store::path::Path as StorePath;

use crate::connector::ReadOptions;
use crate::error::{carried, drifted};
use crate::layout::{DataFile, Format};
use crate::location::Location;
use crate::parquet::{self, Conversion, Converted};
use crate::schema::OBJECTS_AT_ONCE;
use crate::source::SCHEMA;
use crate::store::same_version;
use crate::text::{FileFacts, TextSource};
use crate::{partitions, schema, statistics};

#[derive(Debug)]
pub struct FileTable {
    /// `catalog.schema.table`, for messages.
    label: String,
    name: String,
    location: Location,
    options: Arc<ReadOptions>,
    format: Format,
    /// The columns as they are read from the files, and how each becomes what users see.
    native: Vec<Field>,
    conversions: Vec<Conversion>,
    partitions: Vec<Field>,
    /// What users see: the columns of the files, then those of the partitions.
    schema: SchemaRef,
    known: HashMap<PathBuf, Known>,
    /// An estimate, for text.
    row_bytes: Option<f64>,
}

/// A file as it was when the table was read.
#[derive(Debug)]
struct Known {
    file: DataFile,
    columns: Arc<Vec<String>>,
}

impl Known {
    fn is_unchanged(&self, now: &DataFile) -> bool {
        match (&self.file.object, &now.object) {
            (Some(then), Some(now)) => same_version(&then.meta, &now.meta),
            _ => self.file.size == now.size && self.file.modified == now.modified,
        }
    }
}

impl FileTable {
    /// Reads the schema; `None` if there is no such table. Blocks on the file system.
    ///
    /// # Errors
    /// Those of [`Location::files`], and that of a file which cannot be read as what it is.
    pub(crate) async fn read(
        catalog: String,
        name: String,
        location: Location,
        options: Arc<ReadOptions>,
    ) -> Result<Option<FileTable>> {
        let Some(files) = location.files(&name).await? else {
            return Ok(None);
        };
        let format = files[0].format;
        let columns = schema::read(&files, &options).await?;
        let native = columns.fields;
        let partitions = partitions::fields(&files)?;
        if let Some(twice) = partitions
            .iter()
            .find(|p| native.iter().any(|f| f.name() == p.name()))
        {
            return Err(Error::new(
                SqlState::DuplicateColumn,
                format!(
                    "column \"{}\" of table \"{name}\" is in the files and a partition too",
                    twice.name()
                ),
            )
            .with_hint("Rename one of them, or set hive_partitions to false."));
        }
        let mut fields = Vec::with_capacity(native.len() + partitions.len());
        let mut conversions = Vec::with_capacity(native.len());
        for field in &native {
            let (seen, conversion) = match format {
                Format::Parquet => Conversion::of(field, options.truncate_nanoseconds)?,
                _ => (field.clone(), Conversion::None),
            };
            fields.push(seen);
            conversions.push(conversion);
        }
        fields.extend(partitions.iter().cloned());
        let known = files
            .into_iter()
            .zip(columns.of_files)
            .map(|(file, columns)| (file.path.clone(), Known { file, columns }));
        Ok(Some(FileTable {
            label: format!("{catalog}.{SCHEMA}.{name}"),
            known: known.collect(),
            schema: Arc::new(Schema::new(fields)),
            name,
            location,
            options,
            format,
            native,
            conversions,
            partitions,
            row_bytes: columns.row_bytes,
        }))
    }

    /// The files that are there now, each held against the schema if it is new or was changed.
    async fn files_now(&self) -> Result<Vec<PartitionedFile>> {
        let files = self.location.files(&self.name).await?.ok_or_else(|| {
            Error::new(
                SqlState::UndefinedTable,
                format!("table \"{}\" is no longer there", self.name),
            )
            .with_hint("Its file was moved or deleted since the catalog was read.")
        })?;
        let files = futures::stream::iter(files);
        let files = files.map(|file| async move { self.partitioned(&file).await });
        files.buffered(OBJECTS_AT_ONCE).try_collect().await
    }

    async fn partitioned(&self, file: &DataFile) -> Result<PartitionedFile> {
        if file.format != self.format {
            return Err(drifted(
                &file.path,
                format!("it is {} now", file.format.name()),
            ));
        }
        let known = self.known.get(&file.path);
        let unchanged = known.is_some_and(|k| k.is_unchanged(file));
        if self.format == Format::Parquet && !unchanged {
            self.check_columns(file, known).await?;
        }
        let meta = match &file.object {
            Some(object) => object.meta.clone(),
            None => ObjectMeta {
                location: StorePath::from_absolute_path(&file.path)
                    .map_err(|e| Error::new(SqlState::UndefinedFile, e.to_string()))?,
                last_modified: file.modified.into(),
                size: file.size,
                e_tag: None,
                version: None,
            },
        };
        let mut partitioned = PartitionedFile::new_from_meta(meta).with_extension(FileFacts {
            path: file.path.clone(),
            columns: known.map(|k| Arc::clone(&k.columns)),
            object: file.object.clone(),
        });
        partitioned.partition_values = partitions::values(file, &self.partitions)?;
        Ok(partitioned)
    }

    /// DataFusion would cast whatever it finds; what the plan was not made for is an error.
    async fn check_columns(&self, file: &DataFile, known: Option<&Known>) -> Result<()> {
        let now = schema::of_parquet(file).await?;
        for planned in &self.native {
            let name = planned.name();
            let Some(field) = now.iter().find(|f| f.name() == name) else {
                if known.is_some_and(|k| k.columns.contains(name)) || !planned.is_nullable() {
                    return Err(drifted(&file.path, format!("column \"{name}\" is gone")));
                }
                continue;
            };
            let fits = parquet::wider(planned.data_type(), field.data_type());
            if fits.as_ref() != Some(planned.data_type())
                || field.is_nullable() && !planned.is_nullable()
            {
                let what = format!("column \"{name}\" is {} now", field.data_type());
                return Err(drifted(&file.path, what));
            }
        }
        Ok(())
    }

    fn table_schema(&self) -> TableSchema {
        let file_schema = Arc::new(Schema::new(self.native.clone()));
        let partitions = self
            .partitions
            .iter()
            .cloned()
            .map(Arc::new)
            .collect::<Vec<_>>();
        TableSchema::builder(file_schema)
            .with_table_partition_cols(partitions)
            .build()
    }

    /// Drops the files whose partitions fail a filter.
    fn pruned(
        &self,
        files: Vec<PartitionedFile>,
        filters: &[Expr],
    ) -> DfResult<Vec<PartitionedFile>> {
        let names: Vec<&str> = self.partitions.iter().map(|f| f.name().as_str()).collect();
        let filters: Vec<Expr> = filters
            .iter()
            .filter(|f| !names.is_empty() && expr_applicable_for_cols(&names, f))
            .cloned()
            .collect();
        if filters.is_empty() {
            return Ok(files);
        }
        let schema =
            DFSchema::from_unqualified_fields(self.partitions.clone().into(), HashMap::new())?;
        files
            .into_iter()
            .filter_map(|file| filter_partitioned_file(file, &filters, &schema).transpose())
            .collect()
    }

    /// The filters over the columns as the files have them. A column that is converted only above
    /// the scan still prunes by its cast.
    fn pruning(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> DfResult<Option<Arc<dyn PhysicalExpr>>> {
        let converted: HashMap<&str, &DataType> = self
            .conversions
            .iter()
            .zip(self.schema.fields())
            .filter(|(c, _)| **c != Conversion::None)
            .map(|(_, field)| (field.name().as_str(), field.data_type()))
            .collect();
        let is_json = |name: &str| {
            self.native
                .iter()
                .zip(&self.conversions)
                .any(|(f, c)| f.name() == name && *c == Conversion::Json)
        };
        let is_native = |name: &str, to: &DataType| {
            let mut native = self.native.iter();
            native.any(|f| f.name() == name && f.data_type() == to)
        };
        let is_float = |name: &str| {
            let field = self.schema.field_with_name(name);
            field.is_ok_and(|f| f.data_type().is_floating())
        };
        let usable = filters.iter().filter(|f| {
            let columns = f.column_refs();
            !f.is_volatile()
                && !columns.iter().any(|c| is_json(&c.name))
                && (!columns.iter().any(|c| is_float(&c.name)) || is_false_for_nan(f))
        });
        let rewritten = usable
            .map(|filter| {
                let over_files = filter.clone().transform(|expr| {
                    let Expr::Column(column) = &expr else {
                        return Ok(Transformed::no(expr));
                    };
                    let plain = col(datafusion::common::Column::from_name(&column.name));
                    Ok(Transformed::yes(
                        match converted.get(column.name.as_str()) {
                            Some(to) if is_native(&column.name, to) => plain,
                            Some(to) => cast(plain, (*to).clone()),
                            None => plain,
                        },
                    ))
                })?;
                Ok(over_files.data)
            })
            .collect::<DfResult<Vec<Expr>>>()?;
        let Some(predicate) = conjunction(rewritten) else {
            return Ok(None);
        };
        let schema = DFSchema::try_from(self.table_schema().table_schema().as_ref().clone())?;
        // What cannot be computed over the files prunes nothing.
        Ok(state.create_physical_expr(predicate, &schema).ok())
    }

    async fn with_statistics(
        &self,
        state: &dyn Session,
        files: Vec<PartitionedFile>,
    ) -> DfResult<Vec<PartitionedFile>> {
        if self.format == Format::Parquet {
            let native = Arc::new(Schema::new(self.native.clone()));
            return statistics::with_parquet(state, files, native).await;
        }
        let known = files.into_iter().map(|file| {
            let bytes = file.object_meta.size;
            let known = statistics::of_text(bytes, self.row_bytes, self.native.len());
            file.with_statistics(Arc::new(known))
        });
        Ok(known.collect())
    }

    /// Where DataFusion is to look for the files. What is in a store is not looked for at all: each
    /// file brings its own object along, and the store that DataFusion gets is empty.
    fn store_url(&self, state: &dyn Session) -> DfResult<ObjectStoreUrl> {
        if matches!(self.location, Location::Local(_)) {
            return Ok(ObjectStoreUrl::local_filesystem());
        }
        let url = ObjectStoreUrl::parse("objects://files")?;
        let env = state.runtime_env();
        if env.object_store(&url).is_err() {
            env.register_object_store(url.as_ref(), Arc::new(InMemory::new()));
        }
        Ok(url)
    }

    /// What users see, over the columns of the scan (a projection of the table's).
    fn converted(
        &self,
        scan: Arc<dyn ExecutionPlan>,
        columns: &[usize],
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let plain = |column: &usize| {
            self.conversions
                .get(*column)
                .is_none_or(|c| *c == Conversion::None)
        };
        if columns.iter().all(plain) {
            return Ok(scan);
        }
        let exprs = columns.iter().enumerate().map(|(index, &column)| {
            let field = &self.schema.fields()[column];
            let mut expr: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), index));
            if !plain(&column) {
                let label = format!("{}.{}", self.label, field.name()).into();
                let conversion = self.conversions[column].clone();
                expr = Arc::new(Converted::new(expr, conversion, Arc::clone(field), label));
            }
            ProjectionExpr::new(expr, field.name().clone())
        });
        Ok(Arc::new(ProjectionExec::try_new(
            exprs.collect::<Vec<_>>(),
            scan,
        )?))
    }
}

/// `column < c`, `<= c` or `= c` (but for 0, which has two spellings). The statistics of a Parquet file
/// leave NaN out, so that they say nothing of a filter that NaN passes.
fn is_false_for_nan(filter: &Expr) -> bool {
    let Expr::BinaryExpr(b) = filter else {
        return false;
    };
    let (Expr::Column(_), Expr::Literal(value, _)) = (b.left.as_ref(), b.right.as_ref()) else {
        return false;
    };
    let value = match value {
        ScalarValue::Float32(Some(v)) => f64::from(*v),
        ScalarValue::Float64(Some(v)) => *v,
        _ => return false,
    };
    match b.op {
        Operator::Lt | Operator::LtEq => !value.is_nan(),
        Operator::Eq => !value.is_nan() && value != 0.0,
        _ => false,
    }
}

#[async_trait]
impl TableProvider for FileTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// All of them are seen here, to leave out files and row groups, and all are applied above.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DfResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let files = self.pruned(self.files_now().await.map_err(carried)?, filters)?;
        let all = || (0..self.schema.fields().len()).collect();
        let columns: Vec<usize> = projection.cloned().unwrap_or_else(all);
        if files.is_empty() {
            let schema = Arc::new(self.schema.project(&columns)?);
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let files = self.with_statistics(state, files).await?;
        let table_schema = self.table_schema();
        let source: Arc<dyn FileSource> = match self.format {
            Format::Parquet => {
                let pruning = self.pruning(state, filters)?;
                let in_store = matches!(self.location, Location::Store(_));
                parquet::source(state, table_schema.clone(), pruning, in_store)?
            }
            format => Arc::new(TextSource::new(
                format,
                Arc::clone(&self.options),
                table_schema.clone(),
            )),
        };
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let (groups, statistics) = compute_all_files_statistics(
            groups,
            Arc::clone(table_schema.table_schema()),
            true,
            false,
        )?;
        let config = FileScanConfigBuilder::new(self.store_url(state)?, source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(Some(columns.clone()))?
            .with_limit(limit)
            .build();
        self.converted(DataSourceExec::from_data_source(config), &columns)
    }
}
