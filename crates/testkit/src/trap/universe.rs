//! Trap tables as the generator of queries knows tables, and the generator held to them.

use std::sync::Arc;

use inflowave_verify::generate::Universe;
use inflowave_verify::generate::ast::Ty;
use inflowave_verify::table::{Keep, Learner, Table};

use super::{TrapTable, TrapType};

/// Columns of a table that queries may name: enough of the wide one.
const COLUMNS_MAX: usize = 16;

/// The tables of one source.
pub fn universe(catalog: &str, schema: &str, tables: &[TrapTable]) -> Universe {
    let learn = |table: &TrapTable| {
        let columns = table.columns.iter().take(COLUMNS_MAX);
        let columns = columns.map(|c| (c.name.clone(), ty_of(c.ty)));
        let mut learner = Learner::new(columns, Keep::All);
        for row in &table.rows {
            learner.row(row);
        }
        let learnt = learner.finish(catalog, schema, &table.name);
        let weight = match table.name.as_str() {
            "wide" => 2,
            _ => learnt.weight,
        };
        Arc::new(Table {
            key: Some(0),
            weight,
            ..learnt
        })
    };
    Universe::new(tables.iter().map(learn).collect())
}

fn ty_of(ty: TrapType) -> Ty {
    match ty {
        TrapType::Bool => Ty::Bool,
        TrapType::Int16 => Ty::Int2,
        TrapType::Int32 => Ty::Int4,
        TrapType::Int64 => Ty::Int8,
        TrapType::Float64 => Ty::Float,
        TrapType::Decimal(p, s) => Ty::Numeric(p.into(), s.into()),
        TrapType::Text | TrapType::Varchar(_) => Ty::Text,
        TrapType::Char(_) => Ty::Char,
        TrapType::Date => Ty::Date,
        TrapType::Timestamp => Ty::Timestamp,
        TrapType::TimestampTz => Ty::TimestampTz,
        TrapType::Bytes => Ty::Bytes,
        TrapType::Uuid => Ty::Uuid,
    }
}

#[cfg(test)]
mod tests {
    use inflowave_verify::generate::{Grammar, Query, generate, is_sound, render};
    use inflowave_verify::shrink::shrink;
    use sqlparser::dialect::PostgreSqlDialect;
    use sqlparser::parser::Parser;

    use super::*;

    fn traps() -> Universe {
        universe("x", "public", &crate::trap::tables())
    }

    fn text(universe: &Universe, query: &Query) -> String {
        render(query, &|n| render::quoted(&universe.tables()[n].name))
    }

    #[test]
    fn a_seed_gives_the_same_query_always() {
        let universe = traps();
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
        let universe = traps();
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
        let universe = traps();
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

    #[tokio::test]
    async fn finds_a_minimal_query_for_a_made_up_failure() {
        let universe = traps();
        let mut found = 0;
        for seed in 0..1000 {
            let query = generate(&universe, &Grammar::default(), seed);
            let shown = text(&universe, &query);
            // As if every lower() over `sales` came out wrong.
            if !(shown.contains("lower(") && shown.contains("\"sales\" AS")) {
                continue;
            }
            found += 1;
            let small = shrink(&query, &universe, async |q: &Query| {
                let shown = text(&universe, q);
                shown.contains("lower(") && shown.contains("\"sales\" AS")
            })
            .await;
            assert!(
                small.size() <= 30 && small.size() <= query.size(),
                "seed {seed}: size {} of {}: {}",
                small.size(),
                query.size(),
                text(&universe, &small)
            );
            assert_eq!(is_sound(&small, &universe), Ok(()));
        }
        assert!(found >= 3, "only {found} queries to shrink");
    }

    #[tokio::test]
    async fn what_does_not_fail_smaller_stays() {
        let universe = traps();
        let query = generate(&universe, &Grammar::default(), 7);
        let same = shrink(&query, &universe, async |_: &Query| false).await;
        assert_eq!(same, query);
    }
}
