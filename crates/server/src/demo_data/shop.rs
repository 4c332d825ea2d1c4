//! Customers and invoices, in SQLite.

use std::path::Path;

use chrono::Days;
use rusqlite::{Connection, params};

use super::random::Random;
use super::world::{LANDS, SEGMENTS};
use super::{DAYS, FIRST_DAY, day, decimal, from, products};

const CUSTOMERS: i64 = 300;
const INVOICES: i64 = 3_000;
/// Nobody has paid an invoice that is due after this day.
const LAST_PAYMENT: (i32, u32, u32) = (2025, 6, 20);

/// Writes both tables into the database at `path`, in place of those that an earlier run wrote.
pub(super) fn write(path: &Path) -> rusqlite::Result<()> {
    // Tables are made anew in the file that is there: it may be open in a server.
    let mut db = Connection::open(path)?;
    db.execute_batch(
        "PRAGMA journal_mode = MEMORY;
         PRAGMA synchronous = OFF;",
    )?;
    let transaction = db.transaction()?;
    // STRICT knows no DATE, DECIMAL or BOOLEAN, which say here how a column is to be read.
    transaction.execute_batch(
        "DROP TABLE IF EXISTS invoices;
         DROP TABLE IF EXISTS customers;
         CREATE TABLE customers (
             id      INTEGER PRIMARY KEY,
             name    TEXT NOT NULL,
             city    TEXT NOT NULL,
             country TEXT NOT NULL,
             segment TEXT NOT NULL,
             joined  DATE NOT NULL
         );
         CREATE TABLE invoices (
             id          INTEGER PRIMARY KEY,
             customer_id INTEGER NOT NULL REFERENCES customers (id),
             product_sku TEXT NOT NULL,
             quantity    INTEGER NOT NULL,
             amount      DECIMAL(12,2) NOT NULL,
             issued      DATE NOT NULL,
             due         DATE NOT NULL,
             paid        BOOLEAN NOT NULL
         );",
    )?;
    let mut random = Random(0x1f10_3a7e);
    fill_customers(&transaction, &mut random)?;
    fill_invoices(&transaction, &mut random)?;
    transaction.execute_batch(
        "CREATE INDEX invoices_customer ON invoices (customer_id);
         CREATE INDEX invoices_issued ON invoices (issued);
         ANALYZE;",
    )?;
    transaction.commit()
}

fn fill_customers(db: &Connection, random: &mut Random) -> rusqlite::Result<()> {
    let mut insert = db.prepare("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)")?;
    let parts = LANDS.iter().map(|land| land.parts).sum();
    for id in 1..=CUSTOMERS {
        let mut at = random.below(parts);
        let land = LANDS
            .iter()
            .find(|land| {
                let found = at < land.parts;
                at = at.saturating_sub(land.parts);
                found
            })
            .unwrap_or(&LANDS[0]);
        let name = format!("{} {}", random.pick(land.given), random.pick(land.family));
        let joined = day(2019, 1, 1) + Days::new(random.below(2_000));
        insert.execute(params![
            id,
            name,
            random.pick(land.cities),
            land.country,
            random.pick(&SEGMENTS),
            joined.to_string(),
        ])?;
    }
    Ok(())
}

fn fill_invoices(db: &Connection, random: &mut Random) -> rusqlite::Result<()> {
    let mut insert = db.prepare("INSERT INTO invoices VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
    let products: Vec<_> = products().collect();
    let (first, last_payment) = (from(FIRST_DAY), from(LAST_PAYMENT));
    for id in 1..=INVOICES {
        // A few buy often: the smaller of two draws is taken.
        let customer = 1 + random
            .below(CUSTOMERS as u64)
            .min(random.below(CUSTOMERS as u64));
        // The last product of every store has never been sold.
        let (sku, _, _, cents) = loop {
            let product = random.pick(&products);
            if !product.0.ends_with("15") {
                break product;
            }
        };
        let quantity = 1 + random.below(12) as i64 * (1 + random.below(5) as i64);
        let discount_percent = [0, 0, 0, 5, 10][random.below(5) as usize];
        // Half a cent is rounded up.
        let amount = (cents * quantity * (100 - discount_percent) + 50) / 100;
        // Invoices are numbered in the order of their days.
        let issued = first + Days::new((id as u64 - 1) * DAYS / INVOICES as u64);
        let due = issued + Days::new(if random.below(3) == 0 { 30 } else { 14 });
        let paid = due <= last_payment && random.below(100) < 93;
        insert.execute(params![
            id,
            customer as i64,
            sku,
            quantity,
            decimal(amount, 2),
            issued.to_string(),
            due.to_string(),
            paid,
        ])?;
    }
    Ok(())
}
