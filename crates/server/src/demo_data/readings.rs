//! Hourly readings of the sensors in the cold stores, in Parquet: a folder a month.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Builder, Int32Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::error::ArrowError;
use chrono::{Datelike, Days, NaiveDate};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use inflowave_types::{Error, Result};

use super::random::Random;
use super::world::{STORES, Store};
use super::{DAYS, FIRST_DAY, day, from, io_error};

const SENSORS_PER_STORE: usize = 3;
/// Readings begin here and run to the end of the year of invoices.
const FIRST_READING: (i32, u32, u32) = (2025, 1, 1);

/// Writes `month=YYYY-MM/readings.parquet` below `dir` for every month.
pub(super) fn write(dir: &Path) -> Result<(), Error> {
    let mut random = Random(0x5e_2505);
    let (start, end) = (from(FIRST_READING), from(FIRST_DAY) + Days::new(DAYS));
    let mut month = start;
    while month < end {
        let next = if month.month() == 12 {
            day(month.year() + 1, 1, 1)
        } else {
            day(month.year(), month.month() + 1, 1)
        };
        let folder = dir.join(format!("month={}", month.format("%Y-%m")));
        fs::create_dir_all(&folder).map_err(|e| io_error(&folder, &e))?;
        let batch = readings(&mut random, start, month, next.min(end))
            .map_err(|e| Error::internal(format!("demo readings: {e}")))?;
        write_parquet(&folder.join("readings.parquet"), &batch)?;
        month = next;
    }
    Ok(())
}

/// The readings of all sensors in the hours from `from` to before `to`, ordered by time.
fn readings(
    random: &mut Random,
    start: NaiveDate,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<RecordBatch, ArrowError> {
    let mut sensor = StringBuilder::new();
    let mut site = StringBuilder::new();
    let mut ts = TimestampMicrosecondBuilder::new();
    let mut temperature = Float64Builder::new();
    let mut humidity = Int32Builder::new();
    let mut status = StringBuilder::new();
    let epoch = from_epoch(start);
    for hour in (from_epoch(from) - epoch) * 24..(from_epoch(to) - epoch) * 24 {
        for (s, store) in STORES.iter().enumerate() {
            for n in 1..=SENSORS_PER_STORE {
                sensor.append_value(format!("S-{}{n:02}", s + 1));
                site.append_value(store.site);
                ts.append_value((epoch * 24 + hour) * 3_600_000_000);
                let warmth = warmth_tenths(store, hour);
                let door_open = warmth == 0 && random.below(40) == 0;
                if random.below(400) == 0 {
                    temperature.append_null();
                    humidity.append_null();
                    status.append_value("fault");
                    continue;
                }
                // Warmer in the afternoon: up to half a degree, as a triangle over the day.
                let daily = 5 - (hour % 24 - 15).abs().min(10) / 2;
                let noise = random.below(9) as i64 - 4;
                let door = if door_open { 10 } else { 0 };
                let tenths = store.set_tenths + daily + noise + door + warmth;
                temperature.append_value(tenths as f64 / 10.0);
                humidity.append_value(62 + random.below(11) as i32 + door as i32);
                status.append_value(match () {
                    () if tenths > store.limit_tenths => "alarm",
                    () if door_open => "door open",
                    () => "ok",
                });
            }
        }
    }
    let text = |name| Field::new(name, DataType::Utf8, false);
    let schema = Schema::new(vec![
        text("sensor_id"),
        text("site"),
        Field::new(
            "ts",
            DataType::Timestamp(TimeUnit::Microsecond, None),
            false,
        ),
        Field::new("temperature", DataType::Float64, true),
        Field::new("humidity", DataType::Int32, true),
        text("status"),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(sensor.finish()),
        Arc::new(site.finish()),
        Arc::new(ts.finish()),
        Arc::new(temperature.finish()),
        Arc::new(humidity.finish()),
        Arc::new(status.finish()),
    ];
    RecordBatch::try_new(Arc::new(schema), columns)
}

/// How much too warm the store is, in tenths of a degree: failed cooling warms it by 0.9 a hour,
/// and repaired it takes as long again to cool down.
fn warmth_tenths(store: &Store, hour: i64) -> i64 {
    store
        .failures
        .iter()
        .map(|(day, hours)| {
            let since = hour - (day * 24 + 7);
            (since.min(2 * hours - since) * 9).clamp(0, 120)
        })
        .max()
        .unwrap_or(0)
}

fn write_parquet(path: &Path, batch: &RecordBatch) -> Result<(), Error> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_max_row_group_row_count(Some(4_096))
        .build();
    let file = fs::File::create(path).map_err(|e| io_error(path, &e))?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))
        .map_err(|e| io_error(path, &e))?;
    writer.write(batch).map_err(|e| io_error(path, &e))?;
    writer.close().map_err(|e| io_error(path, &e))?;
    Ok(())
}

/// Days since 1970-01-01.
fn from_epoch(date: NaiveDate) -> i64 {
    (date - NaiveDate::default()).num_days()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_cooling_warms_a_store_and_repair_cools_it() {
        let store = &STORES[1];
        let failure = 96 * 24 + 7;
        assert_eq!(warmth_tenths(store, failure - 1), 0);
        assert_eq!(warmth_tenths(store, failure + 5), 45);
        assert_eq!(warmth_tenths(store, failure + 14), 120);
        assert_eq!(warmth_tenths(store, failure + 28), 0);
    }
}
