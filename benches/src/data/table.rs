//! The tables: their columns in each dialect, and their rows as texts that every loader takes.

use std::fmt::Write as _;

use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};

/// Rows of `invoices`; the other tables follow from it.
#[derive(Debug, Clone, Copy)]
pub struct Scale(pub u32);

impl Scale {
    pub fn accounts(self) -> u32 {
        (self.0 / 100).max(10)
    }

    pub fn rows(self, table: Table) -> u32 {
        match table {
            Table::Invoices => self.0,
            Table::Accounts => self.accounts(),
            Table::Payments => self.0 / 2,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Invoices,
    Accounts,
    Payments,
}

/// Whose DDL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

/// A row of [`Table::Invoices`].
pub struct Invoice {
    pub id: i32,
    pub account: i64,
    /// `amount` in hundredths.
    pub cents: i64,
    pub note: String,
    pub day: NaiveDate,
    pub at: NaiveDateTime,
    pub score: f64,
    pub paid: bool,
}

/// A row of [`Table::Payments`]: of every second invoice.
pub struct Payment {
    pub invoice: i32,
    pub method: &'static str,
    /// `received` in hundredths.
    pub cents: i64,
}

const METHODS: [&str; 4] = ["card", "transfer", "cash", "direct debit"];
const REGIONS: u64 = 20;
const DAYS: u64 = 1461;

impl Table {
    pub const ALL: [Table; 3] = [Table::Invoices, Table::Accounts, Table::Payments];

    pub fn name(self) -> &'static str {
        match self {
            Table::Invoices => "invoices",
            Table::Accounts => "accounts",
            Table::Payments => "payments",
        }
    }

    pub fn columns(self) -> usize {
        match self {
            Table::Invoices => 8,
            Table::Accounts | Table::Payments => 3,
        }
    }

    /// The statements that make the table, called `name`, before it is filled.
    pub fn ddl(self, dialect: Dialect, name: &str) -> String {
        // Only a column declared `integer` is SQLite's own key of a row.
        let (int, bigint, double, time) = match dialect {
            Dialect::Postgres => ("int", "bigint", "double precision", "timestamp"),
            Dialect::MySql => ("int", "bigint", "double", "datetime"),
            Dialect::Sqlite => ("integer", "integer", "double", "timestamp"),
        };
        let columns = match self {
            Table::Invoices => format!(
                "id {int} not null primary key, account {bigint} not null, \
                 amount numeric(15,2) not null, note text not null, day date not null, \
                 at {time} not null, score {double} not null, paid boolean not null"
            ),
            Table::Accounts => format!(
                "account {bigint} not null primary key, name text not null, region {int} not null"
            ),
            Table::Payments => format!(
                "invoice {int} not null primary key, method text not null, \
                 received numeric(15,2) not null"
            ),
        };
        format!("create table {name} ({columns})")
    }

    /// The indexes beyond the primary key, made when the rows are there.
    pub fn index(self, name: &str) -> Option<String> {
        (self == Table::Invoices)
            .then(|| format!("create index invoices_account on {name} (account)"))
    }

    /// The values of a row, from 0, as texts that each source reads as its type.
    pub fn cells(self, scale: Scale, row: u32, cells: &mut [String]) {
        for cell in cells.iter_mut() {
            cell.clear();
        }
        // Writing to a String does not fail.
        let _ = self.write(scale, row, cells);
    }

    fn write(self, scale: Scale, row: u32, cells: &mut [String]) -> std::fmt::Result {
        match self {
            Table::Invoices => {
                let invoice = invoice(scale, row);
                write!(cells[0], "{}", invoice.id)?;
                write!(cells[1], "{}", invoice.account)?;
                money(&mut cells[2], invoice.cents)?;
                cells[3].push_str(&invoice.note);
                write!(cells[4], "{}", invoice.day)?;
                write!(cells[5], "{}", invoice.at)?;
                write!(cells[6], "{}", invoice.score)?;
                cells[7].push(if invoice.paid { '1' } else { '0' });
            }
            Table::Accounts => {
                let account = row + 1;
                write!(cells[0], "{account}")?;
                write!(cells[1], "account {account}")?;
                write!(cells[2], "{}", mix(u64::from(account)) % REGIONS)?;
            }
            Table::Payments => {
                let payment = payment(row);
                write!(cells[0], "{}", payment.invoice)?;
                cells[1].push_str(payment.method);
                money(&mut cells[2], payment.cents)?;
            }
        }
        Ok(())
    }
}

pub fn invoice(scale: Scale, row: u32) -> Invoice {
    let id = row + 1;
    let (a, b, c) = (
        mix(u64::from(id)),
        mix(u64::from(id) << 32),
        mix(!u64::from(id)),
    );
    let account = i64::from(1 + (a % u64::from(scale.accounts())) as u32);
    let day = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap_or_default() + Days::new(b % DAYS);
    let at = day.and_time(chrono::NaiveTime::MIN) + TimeDelta::seconds((c % 86_400) as i64);
    Invoice {
        id: id as i32,
        account,
        cents: (c >> 20) as i64 % 10_000_000 - 1_000_000,
        note: format!("invoice {id} of account {account}"),
        day,
        at,
        score: (a >> 11) as f64 / (1_u64 << 53) as f64,
        paid: b >> 63 == 1,
    }
}

pub fn payment(row: u32) -> Payment {
    let invoice = row * 2 + 1;
    let random = mix(u64::from(invoice) ^ 0x5eed);
    Payment {
        invoice: invoice as i32,
        method: METHODS[(random % METHODS.len() as u64) as usize],
        cents: (random >> 20) as i64 % 5_000_000,
    }
}

fn money(out: &mut String, cents: i64) -> std::fmt::Result {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    write!(out, "{sign}{}.{:02}", cents / 100, cents % 100)
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(table: Table, row: u32) -> Vec<String> {
        let mut cells = vec!["left over".to_owned(); table.columns()];
        table.cells(Scale(1000), row, &mut cells);
        cells
    }

    #[test]
    fn rows_are_made_from_their_number_alone() {
        assert_eq!(row(Table::Invoices, 7), row(Table::Invoices, 7));
        assert_eq!(row(Table::Invoices, 7)[0], "8");
        assert_eq!(row(Table::Payments, 7)[0], "15");
        assert_eq!(row(Table::Accounts, 0)[1], "account 1");
    }

    #[test]
    fn money_keeps_its_sign_below_one() {
        let text = |cents| {
            let mut out = String::new();
            money(&mut out, cents).map(|()| out)
        };
        assert_eq!(text(-5), Ok("-0.05".to_owned()));
        assert_eq!(text(123_456), Ok("1234.56".to_owned()));
    }

    #[test]
    fn every_invoice_has_an_account() {
        let scale = Scale(1000);
        for row in 0..1000 {
            let account = invoice(scale, row).account;
            assert!((1..=i64::from(scale.accounts())).contains(&account));
        }
    }
}
