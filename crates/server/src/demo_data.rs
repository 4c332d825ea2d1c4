//! The data that `inflowave demo` runs over: a wholesaler of fine food and its four cold stores.
//!
//! Customers and invoices lie in SQLite (`shop.db`), hourly readings of the sensors in the cold
//! stores in Parquet, one folder a month, products and stores in CSV. They belong together: an
//! invoice names a product, a product lies in a store, a store has sensors. So "who was sent cheese
//! on a day when the cheese store was too warm" is a question over three sources.
//!
//! Every run writes the same rows: the numbers come from a seeded generator, never from the clock.
//! It knows nothing of the engine; `showcase` holds the queries over this data.

mod world;

mod random;
mod readings;
mod shop;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chrono::NaiveDate;
use inflowave_types::{Error, Result, SqlState};

use self::world::{STORES, Store};

/// Invoices are issued from this day on, for [`DAYS`].
const FIRST_DAY: (i32, u32, u32) = (2024, 7, 1);
const DAYS: u64 = 365;

/// Writes `shop.db`, `files/products.csv`, `files/sites.csv` and
/// `files/readings/month=YYYY-MM/readings.parquet` below `dir`, about a megabyte in all. What an
/// earlier run wrote there is replaced; nothing else is touched.
///
/// # Errors
/// `58030` naming the file that could not be written.
pub fn write(dir: &Path) -> Result<(), Error> {
    let files = dir.join("files");
    fs::create_dir_all(&files).map_err(|e| io_error(&files, &e))?;
    write_file(&files.join("products.csv"), &products_csv())?;
    write_file(&files.join("sites.csv"), &sites_csv())?;
    let shop = dir.join("shop.db");
    shop::write(&shop).map_err(|e| io_error(&shop, &e))?;
    readings::write(&files.join("readings"))
}

/// Every product: its number (`CHE-01`), and where it stands in [`STORES`].
fn products() -> impl Iterator<Item = (String, &'static Store, &'static str, i64)> {
    STORES.iter().flat_map(|store| {
        (1..)
            .zip(&store.goods)
            .map(move |(n, (name, cents))| (format!("{}-{n:02}", store.sku), store, *name, *cents))
    })
}

fn products_csv() -> String {
    let mut out = String::from("sku,name,category,unit_price,site\n");
    for (sku, store, name, cents) in products() {
        let (category, site) = (store.category, store.site);
        let price = decimal(cents, 2);
        let _ = writeln!(out, "{sku},{},{category},{price},{site}", csv_field(name));
    }
    out
}

fn sites_csv() -> String {
    let mut out = String::from("site,city,country,max_temperature,opened\n");
    for s in &STORES {
        let limit = decimal(s.limit_tenths, 1);
        let _ = writeln!(
            out,
            "{},{},{},{limit},{}",
            s.site, s.city, s.country, s.opened
        );
    }
    out
}

fn write_file(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|e| io_error(path, &e))
}

fn io_error(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(
        SqlState::IoError,
        format!("demo data: cannot write {}: {error}", path.display()),
    )
    .with_hint("Name a folder that can be written with --data-dir.")
}

/// `units` of 10^-scale as text: `decimal(-5, 1)` is `-0.5`.
fn decimal(units: i64, scale: u32) -> String {
    let one = 10_i64.pow(scale);
    let sign = if units < 0 { "-" } else { "" };
    let (whole, rest) = (units.abs() / one, units.abs() % one);
    format!("{sign}{whole}.{rest:0width$}", width = scale as usize)
}

fn csv_field(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn from((y, m, d): (i32, u32, u32)) -> NaiveDate {
    day(y, m, d)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn two_runs_write_the_same_rows_and_they_are_small() {
        let dir = std::env::temp_dir().join(format!("inflowave-demo-{}", std::process::id()));
        let (a, b) = (dir.join("a"), dir.join("b"));
        for to in [&a, &a, &b] {
            write(to).unwrap();
        }
        let dump = |dir: &Path| -> (i64, i64, f64, String) {
            let db = Connection::open(dir.join("shop.db")).unwrap();
            db.query_row(
                "SELECT (SELECT count(*) FROM customers), count(*), sum(amount), \
                 (SELECT group_concat(name || joined) FROM customers) FROM invoices",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .unwrap()
        };
        let (customers, invoices, _, _) = dump(&a);
        assert_eq!((customers, invoices), (300, 3_000));
        assert_eq!(dump(&a), dump(&b));

        let mut bytes = 0;
        for month in 1..=6 {
            let name = format!("files/readings/month=2025-{month:02}/readings.parquet");
            let file = fs::read(a.join(&name)).unwrap();
            assert_eq!(file, fs::read(b.join(&name)).unwrap(), "{name}");
            bytes += file.len();
        }
        assert!(bytes < 2_000_000, "{bytes} bytes of Parquet");
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn amounts_are_exact() {
        assert_eq!(decimal(-5, 1), "-0.5");
        assert_eq!(decimal(124_050, 2), "1240.50");
        assert_eq!(decimal(7, 2), "0.07");
    }

    #[test]
    fn products_name_a_store_each_and_no_number_twice() {
        let csv = products_csv();
        assert_eq!(csv.lines().count(), 61);
        assert!(csv.contains("WIN-15,\"Cider, \"\"Old Yard\"\"\",wine,6.40,mainz\n"));
        let numbers: std::collections::HashSet<_> = products().map(|p| p.0).collect();
        assert_eq!(numbers.len(), 60);
    }
}
