//! The columns of Parquet files, from their footers.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use datafusion::parquet::basic::Type as PhysicalType;
use datafusion::parquet::errors::ParquetError;
use inflowave_types::{Error, Result, SqlState};

use crate::error;
use crate::layout::DataFile;

/// The columns of a file as DataFusion is to read them: without the encodings that make no other
/// value (dictionaries, text of another layout), INT96 as microseconds.
///
/// # Errors
/// `XX001` naming the file if it is not a Parquet file.
pub fn columns(path: &Path) -> Result<Vec<Field>> {
    let file = File::open(path).map_err(|e| error::of_file(path, &e))?;
    let footer =
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|e| match e {
            ParquetError::External(e) => match e.downcast_ref::<std::io::Error>() {
                Some(e) => error::of_file(path, e),
                None => error::broken(path, e),
            },
            e => error::broken(path, e),
        })?;
    Ok(fields(&footer))
}

/// The columns that a footer tells.
pub fn fields(footer: &ArrowReaderMetadata) -> Vec<Field> {
    let roots = footer.parquet_schema().root_schema().get_fields();
    let fields = footer.schema().fields().iter().zip(roots);
    fields
        .map(|(field, root)| {
            let int96 = root.is_primitive() && root.get_physical_type() == PhysicalType::INT96;
            let data_type = if int96 {
                DataType::Timestamp(TimeUnit::Microsecond, None)
            } else {
                plain(field.data_type())
            };
            Field::new(field.name(), data_type, field.is_nullable())
        })
        .collect()
}

fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => plain(value),
        DataType::RunEndEncoded(_, value) => plain(value.data_type()),
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        other => other.clone(),
    }
}

/// The columns of all files, united by name; integers and floats widen.
///
/// # Errors
/// `42804` naming two files that disagree on a column.
pub fn united(files: &[DataFile], of_files: &[Vec<Field>]) -> Result<Vec<Field>> {
    let mut united: Vec<(Field, usize)> = Vec::new();
    for (index, fields) in of_files.iter().enumerate() {
        for field in fields {
            let Some((known, first)) = united.iter_mut().find(|(k, _)| k.name() == field.name())
            else {
                united.push((field.clone(), index));
                continue;
            };
            let data_type = wider(known.data_type(), field.data_type()).ok_or_else(|| {
                Error::new(
                    SqlState::DatatypeMismatch,
                    format!(
                        "column \"{}\" is {} in file \"{}\" and {} in file \"{}\"",
                        field.name(),
                        known.data_type(),
                        files[*first].path.display(),
                        field.data_type(),
                        files[index].path.display()
                    ),
                )
                .with_hint("Write the files with one type, or keep them in two folders.")
            })?;
            let nullable = known.is_nullable() || field.is_nullable();
            *known = Field::new(field.name(), data_type, nullable);
        }
    }
    // A column that a file lacks is NULL there.
    let everywhere = |name: &str| {
        of_files
            .iter()
            .all(|fields| fields.iter().any(|f| f.name() == name))
    };
    Ok(united
        .into_iter()
        .map(|(field, _)| {
            let nullable = field.is_nullable() || !everywhere(field.name());
            field.with_nullable(nullable)
        })
        .collect())
}

/// The type that holds every value of both, if it is one of the two.
pub fn wider(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b || same_nested(a, b) {
        return Some(a.clone());
    }
    let both_signed = a.is_signed_integer() && b.is_signed_integer();
    let both_unsigned = a.is_unsigned_integer() && b.is_unsigned_integer();
    let both_float = a.is_floating() && b.is_floating();
    if both_signed || both_unsigned || both_float {
        let larger = if a.primitive_width() >= b.primitive_width() {
            a
        } else {
            b
        };
        return Some(larger.clone());
    }
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        _ => None,
    }
}

/// Equal but for the names and nullability of inner fields.
fn same_nested(a: &DataType, b: &DataType) -> bool {
    a.is_nested() && a.equals_datatype(b)
}

/// A field as an item of a list.
pub fn item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(data_type, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_widen_and_nothing_else_does() {
        use DataType::{Float32, Float64, Int32, Int64, UInt8, Utf8View};
        assert_eq!(wider(&Int32, &Int64), Some(Int64));
        assert_eq!(wider(&Float64, &Float32), Some(Float64));
        assert_eq!(wider(&DataType::Null, &Utf8View), Some(Utf8View));
        assert_eq!(wider(&Int64, &Float64), None);
        assert_eq!(wider(&Int64, &UInt8), None);
        assert_eq!(wider(&Int64, &Utf8View), None);
    }
}
