//! The columns of a table's files, as the files have them.

use std::sync::Arc;

use arrow::datatypes::Field;
use futures::{StreamExt, TryStreamExt};
use inflowave_types::{Error, Result};

use crate::connector::ReadOptions;
use crate::layout::{DataFile, Format};
use crate::store::Object;
use crate::{parquet, text};

/// Objects that are read at once.
pub const OBJECTS_AT_ONCE: usize = 16;

/// What the files of a table hold.
#[derive(Debug)]
pub struct Columns {
    /// United by name.
    pub fields: Vec<Field>,
    /// The names in each file.
    pub of_files: Vec<Arc<Vec<String>>>,
    /// Bytes of an average row of text, if there is a row.
    pub row_bytes: Option<f64>,
}

/// Reads footers, or the first rows of text. Blocks on the file system.
///
/// # Errors
/// That of a file which cannot be read as what it is, or of two that disagree.
pub async fn read(files: &[DataFile], options: &Arc<ReadOptions>) -> Result<Columns> {
    let Some(first) = files.first() else {
        return Err(Error::internal("a table without a file"));
    };
    if first.format == Format::Parquet {
        let all: Vec<Vec<Field>> = match &first.object {
            None => files
                .iter()
                .map(|f| parquet::columns(&f.path))
                .collect::<Result<_>>()?,
            Some(_) => {
                futures::stream::iter(files.to_vec())
                    .map(|file| async move { of_parquet(&file).await })
                    .buffered(OBJECTS_AT_ONCE)
                    .try_collect()
                    .await?
            }
        };
        let names = |f: &Vec<Field>| Arc::new(f.iter().map(|f| f.name().clone()).collect());
        return Ok(Columns {
            of_files: all.iter().map(names).collect(),
            fields: parquet::united(files, &all)?,
            row_bytes: None,
        });
    }
    let samples = match &first.object {
        None => text::samples(files, options)?,
        Some(object) => samples_of_objects(object, files, options).await?,
    };
    let inferred = text::united(files, samples);
    Ok(Columns {
        fields: inferred.fields,
        of_files: inferred
            .columns_of_files
            .into_iter()
            .map(Arc::new)
            .collect(),
        row_bytes: inferred.row_bytes,
    })
}

/// The columns of one Parquet file.
///
/// # Errors
/// If it cannot be read, or is no such file.
pub async fn of_parquet(file: &DataFile) -> Result<Vec<Field>> {
    match &file.object {
        None => parquet::columns(&file.path),
        Some(object) => Ok(parquet::fields(&object.arrow_footer().await?)),
    }
}

/// The first rows of each object, some objects at once: each waits for its store.
async fn samples_of_objects(
    first: &Object,
    files: &[DataFile],
    options: &Arc<ReadOptions>,
) -> Result<Vec<text::Sample>> {
    let rows_each = text::rows_each(files, options);
    let sampled = futures::stream::iter(files.to_vec()).map(|file| {
        let options = Arc::clone(options);
        let store = Arc::clone(&first.store);
        async move {
            let work = move || text::sample(&file, &options, rows_each);
            let done = store.io.spawn_blocking(work).await;
            let done = done
                .unwrap_or_else(|_| Err(Error::internal("a task of the files connector failed")));
            done.map_err(|e| store.named_once(e))
        }
    });
    sampled.buffered(OBJECTS_AT_ONCE).try_collect().await
}
