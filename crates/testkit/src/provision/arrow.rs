//! A trap table as an Arrow record batch.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int16Array,
    Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;

use crate::Value;
use crate::trap::{TrapTable, TrapType};

/// The whole table; every column but the key may be NULL.
pub(super) fn batch(table: &TrapTable) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for (n, column) in table.columns.iter().enumerate() {
        let array = array(column.ty, table.rows.iter().map(|row| &row[n]))?;
        fields.push(Field::new(&column.name, array.data_type().clone(), n > 0));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

fn array<'a>(
    ty: TrapType,
    values: impl Iterator<Item = &'a Value>,
) -> Result<ArrayRef, ArrowError> {
    macro_rules! column {
        ($array:ty, $($pattern:pat => $value:expr),+) => {
            Arc::new(values.map(|v| match v { $($pattern => Some($value),)+ _ => None }).collect::<$array>())
        };
    }
    Ok(match ty {
        TrapType::Bool => column!(BooleanArray, Value::Bool(b) => *b),
        TrapType::Int16 => column!(Int16Array, Value::Int(i) => *i as i16),
        TrapType::Int32 => column!(Int32Array, Value::Int(i) => *i as i32),
        TrapType::Int64 => column!(Int64Array, Value::Int(i) => *i),
        TrapType::Float64 => column!(Float64Array, Value::Float(x) => *x),
        TrapType::Decimal(p, s) => {
            let unscaled: Decimal128Array = values
                .map(|v| match v {
                    Value::Decimal(d) => d.unscaled(s.into()),
                    _ => None,
                })
                .collect();
            Arc::new(unscaled.with_precision_and_scale(p, s as i8)?)
        }
        TrapType::Text | TrapType::Char(_) | TrapType::Varchar(_) | TrapType::Uuid => {
            column!(StringArray, Value::Text(t) => t.as_str())
        }
        TrapType::Date => column!(Date32Array, Value::Date(d) => *d),
        TrapType::Timestamp => column!(TimestampMicrosecondArray, Value::Timestamp(t) => *t),
        TrapType::TimestampTz => {
            let instants: TimestampMicrosecondArray = values
                .map(|v| match v {
                    Value::TimestampTz(t) => Some(*t),
                    _ => None,
                })
                .collect();
            Arc::new(instants.with_timezone("UTC"))
        }
        TrapType::Bytes => column!(BinaryArray, Value::Bytes(b) => b.as_slice()),
    })
}
