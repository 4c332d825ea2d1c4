//! Adds up Arrow batches: shared by our side and by plain DataFusion.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Int32Type, Int64Type};

use super::Answer;
use crate::Result;

/// Adds a batch to `answer`, checking `column`.
pub fn add(answer: &mut Answer, batch: &RecordBatch, column: usize) -> Result<()> {
    let array = batch.column(column);
    let sum: i128 = match array.data_type() {
        DataType::Int32 => {
            let ints = array.as_primitive::<Int32Type>();
            ints.iter().flatten().map(i128::from).sum()
        }
        DataType::Int64 => {
            let ints = array.as_primitive::<Int64Type>();
            ints.iter().flatten().map(i128::from).sum()
        }
        DataType::Decimal128(_, scale) if *scale >= 2 => {
            let unit = 10_i128.pow(scale.unsigned_abs().into()) / 100;
            let decimals = array.as_primitive::<Decimal128Type>();
            decimals.iter().flatten().map(|v| v / unit).sum()
        }
        other => return Err(format!("cannot check a column of type {other}").into()),
    };
    answer.rows += batch.num_rows() as u64;
    *answer.sum.get_or_insert_default() += sum;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Decimal128Array};

    use super::*;

    #[test]
    fn a_finer_scale_is_the_same_amount() -> Result<()> {
        let array = Decimal128Array::from(vec![Some(12_3000), None, Some(-1_0000)]);
        let array: ArrayRef = Arc::new(array.with_precision_and_scale(20, 4)?);
        let mut answer = Answer::default();
        add(&mut answer, &RecordBatch::try_from_iter([("a", array)])?, 0)?;
        assert_eq!((answer.rows, answer.sum), (3, Some(1130)));
        Ok(())
    }
}
