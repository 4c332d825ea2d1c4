//! Writes tables as Parquet files, with the writer's own defaults (a million rows in a row group).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::parquet::arrow::ArrowWriter;

use super::table::{Invoice, Payment, Scale, Table, invoice, payment};
use crate::Result;

/// Rows of one batch given to the writer.
const BATCH_ROWS: u32 = 8192;

pub fn write(folder: &Path, tables: &[Table], scale: Scale) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for table in tables {
        let file = File::create(folder.join(format!("{}.parquet", table.name())))?;
        let first = batch(*table, scale, 0)?;
        let mut writer = ArrowWriter::try_new(file, first.schema(), None)?;
        for start in (0..scale.rows(*table)).step_by(BATCH_ROWS as usize) {
            writer.write(&batch(*table, scale, start)?)?;
        }
        writer.close()?;
    }
    Ok(())
}

fn batch(table: Table, scale: Scale, start: u32) -> Result<RecordBatch> {
    let range = start..scale.rows(table).min(start + BATCH_ROWS);
    match table {
        Table::Invoices => invoices(&range.map(|row| invoice(scale, row)).collect::<Vec<_>>()),
        Table::Payments => payments(&range.map(payment).collect::<Vec<_>>()),
        Table::Accounts => Err("accounts are not kept in Parquet".into()),
    }
}

fn invoices(rows: &[Invoice]) -> Result<RecordBatch> {
    let date = |r: &Invoice| (r.day - chrono::NaiveDate::default()).num_days() as i32;
    let columns: [(&str, ArrayRef); 8] = [
        (
            "id",
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.id))),
        ),
        (
            "account",
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.account))),
        ),
        ("amount", money(rows.iter().map(|r| r.cents))?),
        (
            "note",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| &r.note))),
        ),
        (
            "day",
            Arc::new(Date32Array::from_iter_values(rows.iter().map(date))),
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                rows.iter().map(|r| r.at.and_utc().timestamp_micros()),
            )),
        ),
        (
            "score",
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| r.score))),
        ),
        (
            "paid",
            Arc::new(BooleanArray::from_iter(rows.iter().map(|r| Some(r.paid)))),
        ),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn payments(rows: &[Payment]) -> Result<RecordBatch> {
    let columns: [(&str, ArrayRef); 3] = [
        (
            "invoice",
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.invoice))),
        ),
        (
            "method",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.method))),
        ),
        ("received", money(rows.iter().map(|r| r.cents))?),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn money(cents: impl Iterator<Item = i64>) -> Result<ArrayRef> {
    let array = Decimal128Array::from_iter_values(cents.map(i128::from));
    Ok(Arc::new(array.with_precision_and_scale(15, 2)?))
}
