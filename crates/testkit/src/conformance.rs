//! What every source must pass, by what it declares: one call per fixture.
//!
//! For each capability there are cases ([`cases`]): pushed = local over trap data; a declared one
//! must show itself in `EXPLAIN (FEDERATION)` where nothing stands in its way, an undeclared one
//! must not. Types and texts must come back as they were stored ([`types`]); what is broken must
//! fail with its SQLSTATE and a hint, and leak no secret ([`faults`]).

mod case;
mod cases;
mod faults;
mod types;

use std::fmt;

use inflowave_connector_api::Descriptor;

pub use case::Case;
use cases::CASES;

use crate::compare::{Answer, Rule, Verdict, compare};
use crate::generate::render::quoted;
use crate::oracle::{Opener, Side, World};
use crate::provision::{Fixture, held};
use crate::trap::{self, TrapTable};

/// The catalog under which the suite opens the fixture.
pub(crate) const CATALOG: &str = "src";

/// What the suite found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Checks that were made.
    pub checks: usize,
    pub failures: Vec<String>,
}

impl Report {
    /// # Panics
    /// With every failure.
    pub fn assert_clean(&self) {
        assert!(self.failures.is_empty(), "{self}");
    }

    fn check(&mut self, result: Result<(), String>) {
        self.checks += 1;
        self.failures.extend(result.err());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} checks, {} failures",
            self.checks,
            self.failures.len()
        )?;
        for failure in &self.failures {
            writeln!(f, "\n{failure}")?;
        }
        Ok(())
    }
}

/// Runs the whole suite against a fixture without tables.
pub async fn conformance(
    fixture: &mut dyn Fixture,
    descriptor: &Descriptor,
    open: &Opener,
) -> Report {
    let mut report = Report::default();
    let mut tables = trap::tables();
    tables.extend(faults::tables());
    if let Err(error) = fixture.provision(&tables).await {
        report.check(Err(format!("provision: {error}")));
        return report;
    }
    let spec = fixture.catalog();
    let tables = held(fixture, &tables);
    let service = match open(vec![(CATALOG.to_owned(), spec.clone())]).await {
        Ok(service) => service,
        Err(error) => {
            report.check(Err(format!("open: {error}")));
            return report;
        }
    };
    let world = World {
        service,
        universe: trap::universe(CATALOG, &spec.schema, &tables),
    };
    run_cases(&world, &tables, descriptor, &mut report).await;
    types::run(&world, &tables, &mut report).await;
    faults::run(fixture, &world, &tables, open, &mut report).await;
    report
}

async fn run_cases(
    world: &World,
    tables: &[TrapTable],
    descriptor: &Descriptor,
    report: &mut Report,
) {
    let mut pushed = world.side("pushed", &["SET inflowave.pushdown = on"]);
    let mut local = world.side("local", &["SET inflowave.pushdown = off"]);
    for case in CASES {
        let Some(sql) = placed(case.sql, world, tables) else {
            // The source does not have the columns of this case.
            continue;
        };
        let (left, right) = (pushed.ask(&sql).await, local.ask(&sql).await);
        let whole = match case.any_of {
            Some(whole) => match placed(whole, world, tables) {
                Some(sql) => local.ask(&sql).await.ok(),
                None => None,
            },
            None => None,
        };
        let rule = Rule {
            sorted_by: case.sorted_by.to_vec(),
            any_rows: case.any_of.is_some(),
            ..Rule::default()
        };
        report.check(same(&sql, &left, &right, &rule, whole.as_ref()));
        if descriptor.capabilities.is_empty() {
            continue;
        }
        let declared = descriptor.capabilities.contains(&case.capability);
        let explained = pushed.ask(&format!("EXPLAIN (FEDERATION) {sql}")).await;
        report.check(shown(case, declared, &sql, explained));
    }
}

fn same(
    sql: &str,
    left: &Answer,
    right: &Answer,
    rule: &Rule,
    whole: Option<&crate::Rows>,
) -> Result<(), String> {
    if let (Err(failure), Err(_)) = (left, right) {
        return Err(format!(
            "{sql}\nfails: {} {}",
            failure.sqlstate, failure.message
        ));
    }
    match compare(left, right, rule, whole) {
        Verdict::Same | Verdict::Allowed(_) => Ok(()),
        Verdict::Different(difference) => Err(format!(
            "{sql}\nleft is pushed, right is local\n{difference}"
        )),
    }
}

/// Whether `EXPLAIN (FEDERATION)` tells what the connector declares.
fn shown(case: &Case, declared: bool, sql: &str, explained: Answer) -> Result<(), String> {
    let rows = explained.map_err(|e| format!("EXPLAIN of {sql}\n{} {}", e.sqlstate, e.message))?;
    let remote = rows.texts("remote_query").join("\n").to_uppercase();
    let refused: Vec<String> = rows
        .texts("not_pushed")
        .iter()
        .zip(rows.texts("reason"))
        .filter(|(what, _)| !what.is_empty())
        .map(|(what, reason)| format!("{what} ({reason})"))
        .collect();
    let there = case.words.iter().any(|word| remote.contains(word));
    if !declared && there && !case.words.is_empty() {
        return Err(format!(
            "{} is not declared, and pushed all the same\n{sql}\n{remote}",
            case.capability
        ));
    }
    if declared && case.must_push && (!there || !refused.is_empty()) {
        return Err(format!(
            "{} is declared, and not pushed\n{sql}\n{remote}\nnot pushed: {}",
            case.capability,
            refused.join("; ")
        ));
    }
    Ok(())
}

/// The SQL of a case with each `{table}` replaced by its name; `None` if the source has not all of
/// the tables and of the columns that a `{table.column}` asks for.
fn placed(sql: &str, world: &World, tables: &[TrapTable]) -> Option<String> {
    let mut out = String::new();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let (table, column) = match name.split_once('.') {
            Some((table, column)) => (table, Some(column)),
            None => (name, None),
        };
        let index = tables.iter().position(|t| t.name == table)?;
        out.push_str(before);
        match column {
            None => out.push_str(&world.name(index)),
            Some(column) => {
                tables[index].column(column)?;
                out.push_str(&quoted(column));
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// A test that runs the suite over a fixture: its name, a future of `Result<Option<Fixture>>`, the
/// connector's descriptor, an opener, and what runs a future. Without the fixture it is skipped.
///
/// ```ignore
/// conformance!(sqlite, async { SqliteFixture::new().map(Some) }, descriptor, open, run);
/// ```
#[macro_export]
macro_rules! conformance {
    ($name:ident, $fixture:expr, $descriptor:expr, $open:expr, $run:expr) => {
        #[test]
        fn $name() {
            $run(async {
                match $fixture.await {
                    Ok(Some(mut fixture)) => {
                        $crate::conformance::conformance(&mut fixture, $descriptor, $open)
                            .await
                            .assert_clean();
                    }
                    Ok(None) => $crate::skip!(stringify!($name), "its server is not configured"),
                    Err(error) => panic!("{error}"),
                }
            });
        }
    };
}
