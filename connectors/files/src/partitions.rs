//! Hive partitions: columns whose values are the names of folders.

use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use inflowave_types::{Error, Result, SqlState};

use crate::layout::DataFile;
use crate::text::value;

/// What Hive writes for NULL.
const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

/// Column and value of a folder named `column=value`, percent signs decoded.
pub fn of_folder(name: &str) -> Option<(String, String)> {
    let (column, value) = name.split_once('=')?;
    (!column.is_empty()).then(|| (decoded(column), decoded(value)))
}

/// The columns of a table's partitions, with the narrowest type that all values fit.
///
/// # Errors
/// `42701` if two folders in one another name the same column.
pub fn fields(files: &[DataFile]) -> Result<Vec<Field>> {
    let Some(first) = files.first() else {
        return Ok(Vec::new());
    };
    let mut fields: Vec<Field> = Vec::new();
    for (index, (name, _)) in first.partitions.iter().enumerate() {
        if fields.iter().any(|f| f.name() == name) {
            return Err(Error::new(
                SqlState::DuplicateColumn,
                format!(
                    "partition column \"{name}\" stands twice in \"{}\"",
                    first.path.display()
                ),
            ));
        }
        let values = || {
            files
                .iter()
                .map(|f| f.partitions[index].1.as_str())
                .filter(|v| *v != NULL_FOLDER)
        };
        let data_type = if values().all(|v| v.parse::<i64>().is_ok()) {
            DataType::Int64
        } else if values().all(|v| value::date(v).is_some()) {
            DataType::Date32
        } else {
            DataType::Utf8View
        };
        let nullable = files.iter().any(|f| f.partitions[index].1 == NULL_FOLDER);
        fields.push(Field::new(name, data_type, nullable));
    }
    Ok(fields)
}

/// The values of a file for the columns.
///
/// # Errors
/// `42P16` for a value that does not fit: a folder that was made after the types were taken.
pub fn values(file: &DataFile, fields: &[Field]) -> Result<Vec<ScalarValue>> {
    let names_fit = file
        .partitions
        .iter()
        .map(|p| &p.0)
        .eq(fields.iter().map(|f| f.name()));
    let drifted = |what: String| crate::error::drifted(&file.path, what);
    if !names_fit {
        return Err(drifted("its partitions are others".to_owned()));
    }
    file.partitions
        .iter()
        .zip(fields)
        .map(|((name, text), field)| {
            if text == NULL_FOLDER {
                return ScalarValue::try_from(field.data_type())
                    .map_err(|e| Error::internal(e.to_string()));
            }
            let scalar = match field.data_type() {
                DataType::Int64 => text.parse().ok().map(|n| ScalarValue::Int64(Some(n))),
                DataType::Date32 => value::date(text).map(|d| ScalarValue::Date32(Some(d))),
                _ => Some(ScalarValue::Utf8View(Some(text.clone()))),
            };
            scalar.ok_or_else(|| {
                drifted(format!(
                    "partition {name}={text} is no {}",
                    field.data_type()
                ))
            })
        })
        .collect()
}

/// `%41` as `A`; what is no such code, or no UTF-8, stays.
pub(crate) fn decoded(text: &str) -> String {
    let hex = |b: Option<&u8>| b.and_then(|b| (*b as char).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_tell_column_and_value() {
        let pair = |c: &str, v: &str| Some((c.to_owned(), v.to_owned()));
        assert_eq!(of_folder("day=2024-01-01"), pair("day", "2024-01-01"));
        assert_eq!(
            of_folder("city=%C5%81%c3%b3d%C5%BA%20=x%"),
            pair("city", "Łódź =x%")
        );
        assert_eq!(of_folder("plain"), None);
        assert_eq!(of_folder("=x"), None);
    }
}
