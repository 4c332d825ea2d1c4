//! What the generator knows of a table: its columns, how many rows it has, and values of each
//! column, so that predicates hit rows and arithmetic stays within its type.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::Value;
use crate::generate::ast::Ty;
use crate::generate::render::quoted;

/// Values of a column that are kept, of a table that is sampled.
const SAMPLE_VALUES_MAX: usize = 256;
/// A longer text or byte string is no literal that anybody writes, in bytes.
const SAMPLE_BYTES_MAX: usize = 200;

/// A table that queries may read.
#[derive(Debug, Clone)]
pub struct Table {
    /// The catalog that it stands in.
    pub catalog: String,
    pub schema: String,
    pub name: String,
    pub rows: usize,
    pub columns: Vec<Column>,
    /// A column by which its rows have a total order: unique, without NULL.
    pub key: Option<usize>,
    /// How often it is chosen, beside the others.
    pub weight: u32,
}

impl Table {
    /// Its three-part name, quoted.
    pub fn path(&self) -> String {
        let parts = [&self.catalog, &self.schema, &self.name];
        parts.map(|p| quoted(p)).join(".")
    }
}

/// A column that queries may name.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub ty: Ty,
    pub bounds: Bounds,
    /// Values that are not NULL, to draw literals from.
    pub values: Vec<Value>,
    /// How often a value stands there, by its text: of all values, or of a share of them.
    pub counts: HashMap<String, usize>,
    /// Which share of the distinct values `counts` has, above 0, at most 1. It is the same share
    /// of any two columns: the one whose hashes are lowest.
    pub share: f64,
    /// No value stands twice and none is NULL.
    pub is_unique: bool,
}

/// Between what a value lies, which keeps arithmetic from failing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bounds {
    /// Nothing is known.
    Unknown,
    /// Of an integer; of a date and a timestamp in days.
    Whole(i128, i128),
    /// A float that is finite, positive and of moderate size.
    Moderate,
}

/// How much of a column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Every value: for small tables of tests.
    All,
    /// The distinct values with the lowest hashes, the least and the greatest: the same whatever
    /// the order in which rows come, so that a seed gives the same queries again.
    Sample,
}

/// Learns a table from its rows, with bounded memory where it samples: 8 bytes for each row and
/// column while it reads, some kilobytes for each column in the end.
pub struct Learner {
    keep: Keep,
    rows: usize,
    columns: Vec<Learnt>,
}

struct Learnt {
    name: String,
    ty: Ty,
    span: Span,
    values: Vec<Value>,
    counts: HashMap<String, usize>,
    /// By hash, the lowest.
    sample: BTreeMap<u64, (Value, usize)>,
    extremes: Option<(Value, Value)>,
    hashes: HashSet<u64>,
    is_unique: bool,
}

impl Learner {
    pub fn new(columns: impl IntoIterator<Item = (String, Ty)>, keep: Keep) -> Learner {
        let columns = columns.into_iter().map(|(name, ty)| Learnt {
            name,
            ty,
            span: Span::default(),
            values: Vec::new(),
            counts: HashMap::new(),
            sample: BTreeMap::new(),
            extremes: None,
            hashes: HashSet::new(),
            is_unique: true,
        });
        Learner {
            keep,
            rows: 0,
            columns: columns.collect(),
        }
    }

    /// Takes a row, as wide as the columns.
    pub fn row(&mut self, row: &[Value]) {
        self.rows += 1;
        for (column, value) in self.columns.iter_mut().zip(row) {
            if value.is_null() {
                column.is_unique = false;
                continue;
            }
            column.span.add(column.ty, value);
            match self.keep {
                Keep::All => column.keep(value),
                Keep::Sample => column.sample(value),
            }
        }
    }

    pub fn finish(self, catalog: &str, schema: &str, name: &str) -> Table {
        let columns: Vec<Column> = self.columns.into_iter().map(Learnt::finish).collect();
        let orders = |c: &Column| {
            c.is_unique && !matches!(c.ty, Ty::Bool | Ty::Float | Ty::Bytes | Ty::Uuid | Ty::Char)
        };
        Table {
            catalog: catalog.to_owned(),
            schema: schema.to_owned(),
            name: name.to_owned(),
            rows: self.rows,
            key: columns.iter().position(orders),
            columns,
            // Those to join more often than the rest.
            weight: match self.rows {
                0 => 2,
                1 => 3,
                2..100 => 8,
                _ => 16,
            },
        }
    }
}

impl Learnt {
    fn keep(&mut self, value: &Value) {
        let count = self.counts.entry(value.to_string()).or_default();
        *count += 1;
        self.is_unique &= *count == 1;
        self.values.push(value.clone());
    }

    fn sample(&mut self, value: &Value) {
        let text = value.to_string();
        let hash = hash(text.as_bytes());
        // Once a value stands twice, nobody asks any more.
        if self.is_unique && !self.hashes.insert(hash) {
            self.is_unique = false;
            self.hashes = HashSet::new();
        }
        if text.len() > SAMPLE_BYTES_MAX {
            return;
        }
        self.extremes = Some(match self.extremes.take() {
            None => (value.clone(), value.clone()),
            Some((low, high)) => (
                if value.order(&low).is_lt() {
                    value.clone()
                } else {
                    low
                },
                if value.order(&high).is_gt() {
                    value.clone()
                } else {
                    high
                },
            ),
        });
        let full = self.sample.len() >= SAMPLE_VALUES_MAX;
        let greatest = self.sample.last_key_value().map_or(0, |(h, _)| *h);
        if full && hash > greatest {
            return;
        }
        self.sample
            .entry(hash)
            .or_insert_with(|| (value.clone(), 0))
            .1 += 1;
        // One that was dropped has a hash above all that stay, and so is never counted anew.
        if self.sample.len() > SAMPLE_VALUES_MAX {
            self.sample.pop_last();
        }
    }

    fn finish(self) -> Column {
        let (mut values, mut counts, mut share) = (self.values, self.counts, 1.0);
        if self.sample.len() >= SAMPLE_VALUES_MAX
            && let Some((greatest, _)) = self.sample.last_key_value()
        {
            share = (*greatest as f64 / u64::MAX as f64).max(f64::MIN_POSITIVE);
        }
        for (value, count) in self.sample.into_values() {
            counts.insert(value.to_string(), count);
            values.push(value);
        }
        if let Some((low, high)) = self.extremes {
            values.extend([low, high]);
        }
        Column {
            bounds: self.span.bounds(self.ty),
            name: self.name,
            ty: self.ty,
            values,
            counts,
            share,
            is_unique: self.is_unique,
        }
    }
}

/// The values of a column so far.
#[derive(Default)]
struct Span {
    whole: Option<(i128, i128)>,
    there: bool,
    immoderate: bool,
}

const DAY: i64 = 86_400_000_000;

impl Span {
    fn add(&mut self, ty: Ty, value: &Value) {
        self.there = true;
        if ty == Ty::Float {
            self.immoderate |= !matches!(value, Value::Float(x) if (1e-4..1e7).contains(x));
            return;
        }
        let whole = match value {
            Value::Int(i) => i128::from(*i),
            Value::Date(days) => i128::from(*days),
            Value::Timestamp(t) | Value::TimestampTz(t) => i128::from(t.div_euclid(DAY)),
            _ => return,
        };
        let (low, high) = self.whole.unwrap_or((whole, whole));
        self.whole = Some((low.min(whole), high.max(whole)));
    }

    fn bounds(&self, ty: Ty) -> Bounds {
        match self.whole {
            _ if ty == Ty::Float && self.immoderate => Bounds::Unknown,
            _ if ty == Ty::Float => Bounds::Moderate,
            Some((low, high)) => Bounds::Whole(low, high),
            // An empty column cannot fail.
            None if !self.there => Bounds::Whole(0, 0),
            None => Bounds::Unknown,
        }
    }
}

/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv>), its bits mixed by SplitMix64: one that
/// never changes, because a seed's queries depend on it.
fn hash(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    crate::Seeded::new(fnv).number()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(keep: Keep, ty: Ty, values: impl Iterator<Item = Value>) -> Table {
        let mut learner = Learner::new([("c".to_owned(), ty)], keep);
        for value in values {
            learner.row(&[value]);
        }
        learner.finish("x", "s", "t")
    }

    #[test]
    fn a_sample_does_not_depend_on_the_order_of_rows_and_is_bounded() {
        let forward = learnt(
            Keep::Sample,
            Ty::Int8,
            (0..50_000).map(|n| Value::Int(n % 9_000)),
        );
        let back = learnt(
            Keep::Sample,
            Ty::Int8,
            (0..50_000).rev().map(|n| Value::Int(n % 9_000)),
        );
        let (a, b) = (&forward.columns[0], &back.columns[0]);
        assert_eq!(a.values, b.values);
        assert_eq!(a.counts, b.counts);
        assert_eq!(a.values.len(), SAMPLE_VALUES_MAX + 2);
        assert_eq!(a.bounds, Bounds::Whole(0, 8_999));
        assert!(a.values.contains(&Value::Int(0)) && a.values.contains(&Value::Int(8_999)));
        // 256 of 9000 distinct values, each of which stands there five or six times.
        let distinct = SAMPLE_VALUES_MAX as f64 / a.share;
        assert!((7_000.0..11_500.0).contains(&distinct), "{distinct}");
        assert!(
            a.counts.values().all(|n| (5..=6).contains(n)),
            "{:?}",
            a.counts
        );
        assert!(!a.is_unique && forward.key.is_none());
    }

    #[test]
    fn a_key_is_unique_and_has_no_null() {
        let key = |values: Vec<Value>| learnt(Keep::Sample, Ty::Int4, values.into_iter()).key;
        let ints = |n: i64| (0..n).map(Value::Int).collect::<Vec<_>>();
        assert_eq!(key(ints(5_000)), Some(0));
        assert_eq!(key([ints(10), vec![Value::Null]].concat()), None);
        assert_eq!(key([ints(10), ints(1)].concat()), None);
    }

    #[test]
    fn a_long_text_is_no_literal() {
        let long = Value::text("x".repeat(SAMPLE_BYTES_MAX + 1));
        let table = learnt(
            Keep::Sample,
            Ty::Text,
            vec![long, Value::text("a")].into_iter(),
        );
        assert_eq!(
            table.columns[0].values,
            [Value::text("a"), Value::text("a"), Value::text("a")]
        );
        assert_eq!(table.key, Some(0));
    }

    #[test]
    fn bounds_are_those_of_the_values() {
        let floats = |x: f64| learnt(Keep::All, Ty::Float, [Value::Float(x)].into_iter());
        assert_eq!(floats(1.5).columns[0].bounds, Bounds::Moderate);
        assert_eq!(floats(f64::NAN).columns[0].bounds, Bounds::Unknown);
        let empty = learnt(Keep::All, Ty::Int4, std::iter::empty());
        assert_eq!(
            (empty.columns[0].bounds, empty.weight),
            (Bounds::Whole(0, 0), 2)
        );
        let dates = learnt(Keep::All, Ty::Date, [Value::date("1970-01-11")].into_iter());
        assert_eq!(dates.columns[0].bounds, Bounds::Whole(10, 10));
    }
}
