//! Random queries over trap tables, from a seed.
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

use crate::Seeded;
use crate::trap::TrapTable;
use scope::TableFacts;

/// What a query may say; each switch is for an engine that does not speak it yet.
#[derive(Debug, Clone)]
pub struct Grammar {
    /// Relations of one FROM clause.
    pub relations_max: usize,
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

/// A table that queries may read.
#[derive(Debug, Clone)]
pub struct Member {
    /// The catalog that it stands in.
    pub catalog: String,
    pub table: TrapTable,
}

/// The tables that queries may read.
#[derive(Debug, Clone)]
pub struct Universe {
    members: Vec<Member>,
    facts: Vec<TableFacts>,
}

impl Universe {
    pub fn new(members: Vec<Member>) -> Universe {
        let facts = members.iter().map(|m| TableFacts::of(&m.table)).collect();
        Universe { members, facts }
    }

    /// The tables of one source.
    pub fn of_one(catalog: &str, tables: Vec<TrapTable>) -> Universe {
        Universe::new(
            tables
                .into_iter()
                .map(|table| Member {
                    catalog: catalog.to_owned(),
                    table,
                })
                .collect(),
        )
    }

    /// Its tables; a query names them by their index.
    pub fn members(&self) -> &[Member] {
        &self.members
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

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::dialect::PostgreSqlDialect;
    use sqlparser::parser::Parser;

    fn universe() -> Universe {
        Universe::of_one("x", crate::trap::tables())
    }

    fn text(universe: &Universe, query: &Query) -> String {
        render(query, &|n| {
            render::quoted(&universe.members()[n].table.name)
        })
    }

    #[test]
    fn a_seed_gives_the_same_query_always() {
        let universe = universe();
        let grammar = Grammar::default();
        for seed in 0..200 {
            let query = generate(&universe, &grammar, seed);
            assert_eq!(query, generate(&universe, &grammar, seed));
        }
        assert_ne!(
            text(&universe, &generate(&universe, &grammar, 1)),
            text(&universe, &generate(&universe, &grammar, 2))
        );
    }

    #[test]
    fn every_query_is_sound_and_parses() {
        let universe = universe();
        let grammar = Grammar::default();
        for seed in 0..2000 {
            let query = generate(&universe, &grammar, seed);
            let sql = text(&universe, &query);
            assert_eq!(is_sound(&query, &universe), Ok(()), "seed {seed}: {sql}");
            let parsed = Parser::parse_sql(&PostgreSqlDialect {}, &sql);
            assert!(parsed.is_ok(), "seed {seed}: {parsed:?}\n{sql}");
        }
    }

    #[test]
    fn what_the_grammar_switches_off_is_not_said() {
        let universe = universe();
        let grammar = Grammar {
            joins: false,
            subqueries: false,
            windows: false,
            set_operations: false,
            derived_tables: false,
            like: false,
            ..Grammar::default()
        };
        for seed in 0..300 {
            let sql = text(&universe, &generate(&universe, &grammar, seed));
            for word in [
                " JOIN ", "EXISTS", " OVER ", "UNION", "EXCEPT", " LIKE ", "(SELECT",
            ] {
                assert!(!sql.contains(word), "seed {seed}: {sql}");
            }
        }
    }
}
