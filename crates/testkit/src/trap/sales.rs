//! Tables to join: products, sales of them and tags of sales, with skewed, missing, dangling and
//! repeated keys. Their numbers are small, so that sums and products of them stay in range.

use super::{TrapTable, TrapType};
use crate::{Decimal, Seeded, Value};

/// Changing it changes what every committed seed of the generator finds.
pub(super) const SEED: u64 = 0x5eed;

const PRODUCTS: i64 = 120;
const SALES: i64 = 900;
const TAGS: i64 = 400;

pub(super) fn tables(random: &mut Seeded) -> Vec<TrapTable> {
    vec![products(random), sales(random), tags(random)]
}

fn products(random: &mut Seeded) -> TrapTable {
    let names = [
        "Bolt",
        "bolt",
        "bolt ",
        "Nut",
        "nut",
        "Łożysko",
        "łożysko",
        "Gear",
        "100% cotton",
        "a_b",
        "",
    ];
    let regions = ["north", "North", "south", "east", "west", "łąka"];
    let kinds = ["A", "a", "B", "bb", "CCCC"];
    TrapTable::new(
        "products",
        &[
            ("id", TrapType::Int32),
            ("code", TrapType::Int32),
            ("name", TrapType::Text),
            ("region", TrapType::Varchar(20)),
            ("kind", TrapType::Char(4)),
            ("price", TrapType::Decimal(10, 2)),
            ("since", TrapType::Date),
            ("active", TrapType::Bool),
        ],
    )
    .with_rows((0..PRODUCTS).map(|_| {
        vec![
            nullable(random, 10, |r| Value::Int(r.between(1, 40))),
            nullable(random, 8, |r| Value::text(r.pick(&names))),
            nullable(random, 8, |r| Value::text(r.pick(&regions))),
            nullable(random, 12, |r| Value::text(r.pick(&kinds))),
            nullable(random, 12, |r| cents(r.between(-500, 20_000))),
            nullable(random, 12, |r| Value::Date(day(r))),
            nullable(random, 9, |r| Value::Bool(r.chance(60))),
        ]
    }))
}

fn sales(random: &mut Seeded) -> TrapTable {
    let notes = [
        "", " ", "late", "Late", "LATE", "50% off", "a_b", "O'Brien", "łąka", "ŁĄKA", "x\\y",
        "late ",
    ];
    TrapTable::new(
        "sales",
        &[
            ("id", TrapType::Int32),
            ("product_id", TrapType::Int32),
            ("qty", TrapType::Int32),
            ("rank", TrapType::Int16),
            ("amount", TrapType::Decimal(12, 2)),
            ("weight", TrapType::Float64),
            ("note", TrapType::Text),
            ("sold_at", TrapType::Timestamp),
            ("day", TrapType::Date),
            ("paid", TrapType::Bool),
            ("total", TrapType::Int64),
        ],
    )
    .with_rows((0..SALES).map(|_| {
        vec![
            // A third of all sales are of five products, some are of none, some dangle.
            nullable(random, 15, |r| {
                Value::Int(match r.below(10) {
                    0..3 => r.between(1, 5),
                    9 => r.between(PRODUCTS + 1, PRODUCTS + 10),
                    _ => r.between(1, PRODUCTS),
                })
            }),
            nullable(random, 20, |r| Value::Int(r.between(-3, 50))),
            nullable(random, 20, |r| Value::Int(r.between(1, 9))),
            nullable(random, 20, |r| cents(r.between(-10_000, 1_000_000))),
            // All of one sign: a sum in any order stays within 1e-12.
            nullable(random, 20, |r| {
                Value::Float((r.between(1, 1_000_000) as f64) / 997.0)
            }),
            nullable(random, 5, |r| Value::text(r.pick(&notes))),
            nullable(random, 20, |r| {
                Value::Timestamp(i64::from(day(r)) * 86_400_000_000 + r.between(0, 86_399_999_999))
            }),
            nullable(random, 20, |r| Value::Date(day(r))),
            nullable(random, 7, |r| Value::Bool(r.chance(50))),
            nullable(random, 20, |r| {
                Value::Int(r.between(-5_000_000_000, 5_000_000_000))
            }),
        ]
    }))
}

fn tags(random: &mut Seeded) -> TrapTable {
    let words = ["late", "Late", "new", "new ", "łąka", "", "A", "a"];
    TrapTable::new(
        "tags",
        &[
            ("id", TrapType::Int32),
            ("sale_id", TrapType::Int32),
            ("tag", TrapType::Text),
            ("strength", TrapType::Int32),
        ],
    )
    .with_rows((0..TAGS).map(|_| {
        vec![
            nullable(random, 12, |r| Value::Int(r.between(1, SALES + 50))),
            nullable(random, 10, |r| Value::text(r.pick(&words))),
            nullable(random, 10, |r| Value::Int(r.between(0, 4))),
        ]
    }))
}

/// NULL once in `one_in`.
fn nullable(random: &mut Seeded, one_in: u64, value: impl FnOnce(&mut Seeded) -> Value) -> Value {
    let value = value(random);
    if random.below(one_in) == 0 {
        Value::Null
    } else {
        value
    }
}

fn cents(cents: i64) -> Value {
    Value::Decimal(Decimal::new(cents.into(), 2))
}

/// A day of 2023 or 2024.
fn day(random: &mut Seeded) -> i32 {
    random.between(19_358, 20_088) as i32
}
