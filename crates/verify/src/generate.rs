//! Random queries over tables, from a seed.
//!
//! **Universe**: the tables that a query may read, of one source or of several. **Grammar**: what
//! it may say. **Generated query**: a typed tree ([`ast`]); its text is [`render`]ed for each side
//! with that side's names, and what it leaves open is its [`rule`].
//!
//! Literals are drawn from the data, bounds of values are tracked, so that most queries return
//! rows and few fail; [`Grammar::fail_percent`] says how many may.

pub mod ast;
mod check;
mod expr;
mod join;
mod number;
mod predicate;
pub mod render;
mod rule;
mod scope;
mod select;
mod text;
mod transform;

pub use ast::Query;
pub use check::is_sound;
pub use render::render;
pub use rule::{Against, errors_free, rule, tolerance};
pub use transform::{Partition, Rewrite, norec, tlp};

use std::sync::Arc;

use crate::Seeded;
use crate::table::Table;

/// What a query may say; each switch is for an engine that does not speak it yet.
#[derive(Debug, Clone)]
pub struct Grammar {
    /// Relations of one FROM clause.
    pub relations_max: usize,
    /// Rows of a join at most, estimated: every side runs it many times.
    pub join_rows_max: f64,
    /// Levels of an expression.
    pub depth_max: u32,
    /// Of a hundred operations that the data may make fail, those that are taken.
    pub fail_percent: u64,
    pub joins: bool,
    pub outer_joins: bool,
    pub aggregates: bool,
    /// `FILTER (WHERE ..)` behind an aggregate.
    pub aggregate_filter: bool,
    pub windows: bool,
    pub set_operations: bool,
    /// EXISTS, IN and NOT IN over a query, scalar subqueries.
    pub subqueries: bool,
    pub derived_tables: bool,
    /// `date + 1`, `timestamp + interval '1 month'`, `date - date`.
    pub date_arithmetic: bool,
    /// Casts to text of numbers and times.
    pub text_casts: bool,
    /// `left`, `right`, `replace`, `greatest`, `strpos` and other functions beyond the usual.
    pub more_functions: bool,
    pub like: bool,
    pub ilike: bool,
}

impl Default for Grammar {
    fn default() -> Self {
        Grammar {
            relations_max: 3,
            join_rows_max: 12_000.0,
            depth_max: 3,
            fail_percent: 8,
            joins: true,
            outer_joins: true,
            aggregates: true,
            aggregate_filter: true,
            windows: true,
            set_operations: true,
            subqueries: true,
            derived_tables: true,
            date_arithmetic: true,
            text_casts: true,
            more_functions: true,
            like: true,
            ilike: true,
        }
    }
}

/// The tables that queries may read; a query names them by their index.
#[derive(Debug, Clone)]
pub struct Universe {
    tables: Vec<Arc<Table>>,
}

impl Universe {
    pub fn new(tables: Vec<Arc<Table>>) -> Universe {
        Universe { tables }
    }

    pub fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }
}

/// The query of a seed: always the same for the same universe and grammar.
pub fn generate(universe: &Universe, grammar: &Grammar, seed: u64) -> Query {
    let mut generator = Generator {
        universe,
        grammar,
        random: Seeded::new(seed),
        aliases: 0,
    };
    generator.top()
}

struct Generator<'a> {
    universe: &'a Universe,
    grammar: &'a Grammar,
    random: Seeded,
    /// Relations named so far: an alias is unique in a whole query.
    aliases: usize,
}

impl Generator<'_> {
    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }
}
