//! The oracles: the same query asked twice, in two ways that must agree.
//!
//! **Side**: somebody who answers SQL: a session of ours with some settings, or PostgreSQL itself.
//! **World**: an opened server over catalogs that hold a universe of tables. Three oracles: pushed =
//! local ([`pushed_equals_local`]), the source itself ([`source_oracle`]), and a query against its
//! own parts ([`against_itself`]). A **finding** has its seed, the query, a smaller one, and where
//! the answers differ.

mod summary;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use inflowave_query_api::{QueryService, Session, SessionStart};
use inflowave_types::Result;

pub use summary::{Finding, Summary};

use crate::compare::{Answer, Difference, Failure, Rule, Verdict, compare};
use crate::generate::{
    Against, Grammar, Query, Rewrite, Universe, generate, norec, render, rule, tlp,
};
use crate::provision::{CatalogSpec, Fixture, Native, PostgresFixture};
use crate::shrink::shrink;
use crate::trap::TrapTable;
use crate::{Rows, ask};

/// Opens a server over catalogs, each with its name: what a test that knows the engine hands in.
pub type Opener =
    dyn Fn(Vec<(String, CatalogSpec)>) -> BoxFuture<'static, Result<Arc<dyn QueryService>>> + Sync;

/// How long one query may take: a limit, so that a hang is a finding.
const QUERY_TIMEOUT: Duration = Duration::from_secs(60);

/// An opened server, with its tables.
pub struct World {
    pub service: Arc<dyn QueryService>,
    pub universe: Universe,
}

impl World {
    /// The three-part name of a table of the universe.
    pub fn name(&self, table: usize) -> String {
        self.universe.tables()[table].path()
    }

    /// A session with some statements run in it first.
    pub fn side<'a>(&'a self, label: &'static str, settings: &'a [&'a str]) -> Ours<'a> {
        Ours {
            label,
            world: self,
            settings,
            session: None,
        }
    }
}

/// Somebody who answers SQL.
#[async_trait]
pub trait Side: Send {
    fn label(&self) -> &'static str;

    /// The name of a table of the universe, as this side writes it.
    fn name(&self, table: usize) -> String;

    async fn ask(&mut self, sql: &str) -> Answer;
}

/// A session of the server under test.
pub struct Ours<'a> {
    label: &'static str,
    world: &'a World,
    settings: &'a [&'a str],
    session: Option<Box<dyn Session>>,
}

impl Ours<'_> {
    async fn try_ask(&mut self, sql: &str) -> Result<Rows> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => {
                let start = SessionStart {
                    user: "tester".to_owned(),
                    client: "in process".to_owned(),
                    protocol: "command",
                    ..SessionStart::default()
                };
                let mut session = self.world.service.open_session(start).await?;
                for setting in self.settings {
                    ask(session.as_mut(), setting).await?;
                }
                session
            }
        };
        let answer = ask(session.as_mut(), sql).await;
        self.session = Some(session);
        answer
    }
}

#[async_trait]
impl Side for Ours<'_> {
    fn label(&self) -> &'static str {
        self.label
    }

    fn name(&self, table: usize) -> String {
        self.world.name(table)
    }

    async fn ask(&mut self, sql: &str) -> Answer {
        // A query that hangs loses its session, and with it whatever hung.
        match tokio::time::timeout(QUERY_TIMEOUT, self.try_ask(sql)).await {
            Ok(answer) => answer.map_err(Failure::from),
            Err(_) => Err(timed_out()),
        }
    }
}

fn timed_out() -> Failure {
    Failure {
        sqlstate: "hang".to_owned(),
        message: format!("no answer within {} s", QUERY_TIMEOUT.as_secs()),
    }
}

/// PostgreSQL itself, over tables that hold the same rows.
pub struct Source<'a> {
    pub native: &'a Native,
    /// The name of each table of the universe there.
    pub names: Vec<String>,
}

#[async_trait]
impl Side for Source<'_> {
    fn label(&self) -> &'static str {
        "postgresql"
    }

    fn name(&self, table: usize) -> String {
        self.names[table].clone()
    }

    async fn ask(&mut self, sql: &str) -> Answer {
        match tokio::time::timeout(QUERY_TIMEOUT, self.native.ask(sql)).await {
            Ok(answer) => answer,
            Err(_) => Err(timed_out()),
        }
    }
}

/// Loads the tables that a source holds into PostgreSQL, whatever source that is, and gives the
/// names there: for [`source_oracle`] over any source.
///
/// # Errors
/// PostgreSQL's.
pub async fn mirrored(
    fixture: &mut PostgresFixture,
    catalog: &str,
    tables: &[TrapTable],
) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for table in tables {
        let table = TrapTable {
            name: format!("{catalog}/{}", table.name),
            ..table.clone()
        };
        names.push(fixture.table_name(&table.name));
        fixture.provision(&[table]).await?;
    }
    Ok(names)
}

/// Every query of `seeds` with pushdown on and with pushdown off.
pub async fn pushed_equals_local(world: &World, grammar: &Grammar, seeds: Range<u64>) -> Summary {
    let mut pushed = world.side("pushed", &["SET inflowave.pushdown = on"]);
    let mut local = world.side("local", &["SET inflowave.pushdown = off"]);
    run(
        &world.universe,
        grammar,
        seeds,
        Against::Ourselves,
        &mut pushed,
        &mut local,
    )
    .await
}

/// Every query of `seeds` by us and by PostgreSQL over the same rows; `names` are those of the
/// universe's tables there.
pub async fn source_oracle(
    world: &World,
    grammar: &Grammar,
    seeds: Range<u64>,
    native: &Native,
    names: Vec<String>,
) -> Summary {
    let mut ours = world.side("ours", &["SET inflowave.pushdown = on"]);
    let mut source = Source { native, names };
    run(
        &world.universe,
        grammar,
        seeds,
        Against::Postgres,
        &mut ours,
        &mut source,
    )
    .await
}

/// Every query of `seeds` by two sides; the left one is ours.
pub async fn run(
    universe: &Universe,
    grammar: &Grammar,
    seeds: Range<u64>,
    against: Against,
    left: &mut dyn Side,
    right: &mut dyn Side,
) -> Summary {
    let mut summary = Summary::default();
    for seed in seeds {
        let query = generate(universe, grammar, seed);
        summary.queries += 1;
        let asked = both(&query, against, left, right).await;
        match (&asked.left, &asked.right) {
            (Ok(a), Ok(_)) if !a.rows.is_empty() => summary.with_rows += 1,
            (Err(a), Err(b)) if a.sqlstate == b.sqlstate => summary.failed_alike += 1,
            _ => {}
        }
        match asked.verdict {
            Verdict::Same => {}
            Verdict::Allowed(why) => *summary.allowed.entry(why).or_default() += 1,
            Verdict::Different(_) if is_refusal(&asked.left) => {
                let message = asked.left.err().map_or_else(String::new, |e| e.message);
                let text = render(&query, &|n| left.name(n));
                summary.refused.entry(message).or_insert((0, text)).0 += 1;
            }
            Verdict::Different(_) => {
                let small = shrink(&query, universe, async |candidate: &Query| {
                    let asked = both(candidate, against, left, right).await;
                    matches!(asked.verdict, Verdict::Different(_)) && !is_refusal(&asked.left)
                })
                .await;
                let asked = both(&small, against, left, right).await;
                let difference = match asked.verdict {
                    Verdict::Different(Difference(text)) => text,
                    other => format!("when asked again: {other:?}"),
                };
                let more = summary.found(Finding {
                    seed,
                    sql: render(&query, &|n| left.name(n)),
                    shrunk: render(&small, &|n| left.name(n)),
                    difference: format!(
                        "left is {}, right is {}\n{difference}",
                        left.label(),
                        right.label()
                    ),
                    again: 0,
                });
                if !more {
                    break;
                }
            }
        }
    }
    summary
}

/// What we say we do not do is counted apart from what we do wrong.
/// What we alone do not do: a form that comes later, or a numeric beyond 38 digits.
fn is_refusal(answer: &Answer) -> bool {
    matches!(answer, Err(failure) if failure.sqlstate == "0A000"
        || (failure.sqlstate == "22003" && failure.message == "value overflows numeric format"))
}

struct Asked {
    left: Answer,
    right: Answer,
    verdict: Verdict,
}

async fn both(query: &Query, against: Against, left: &mut dyn Side, right: &mut dyn Side) -> Asked {
    let rule = rule(query, against);
    let sql = render(query, &|n| left.name(n));
    let left_answer = left.ask(&sql).await;
    let sql = render(query, &|n| right.name(n));
    let right_answer = right.ask(&sql).await;
    // Which rows an unsorted LIMIT takes is open, but they must be rows of the query.
    let whole = if rule.any_rows && left_answer.is_ok() && right_answer.is_ok() {
        let unlimited = Query {
            limit: None,
            offset: None,
            order_by: Vec::new(),
            ..query.clone()
        };
        let sql = render(&unlimited, &|n| right.name(n));
        right.ask(&sql).await.ok()
    } else {
        None
    };
    let verdict = compare(&left_answer, &right_answer, &rule, whole.as_ref());
    Asked {
        left: left_answer,
        right: right_answer,
        verdict,
    }
}

/// TLP and NoREC: every query of `seeds` that can be split, against its own parts.
pub async fn against_itself(world: &World, grammar: &Grammar, seeds: Range<u64>) -> Summary {
    let mut summary = Summary::default();
    let mut side = world.side("ours", &["SET inflowave.pushdown = on"]);
    for seed in seeds {
        let query = generate(&world.universe, grammar, seed);
        if crate::generate::errors_free(&query).is_some() {
            continue;
        }
        summary.queries += 1;
        let Some(difference) = itself(&query, &world.universe, &mut side, &mut summary).await
        else {
            continue;
        };
        let small = shrink(&query, &world.universe, async |candidate: &Query| {
            let mut ignored = Summary::default();
            itself(candidate, &world.universe, &mut side, &mut ignored)
                .await
                .is_some()
        })
        .await;
        let more = summary.found(Finding {
            seed,
            sql: render(&query, &|n| world.name(n)),
            shrunk: render(&small, &|n| world.name(n)),
            difference,
            again: 0,
        });
        if !more {
            break;
        }
    }
    summary
}

async fn itself(
    query: &Query,
    universe: &Universe,
    side: &mut dyn Side,
    summary: &mut Summary,
) -> Option<String> {
    if let Some(partition) = tlp(query)
        && partition.is_sound(universe)
    {
        let whole = side.ask(&render(&partition.whole, &|n| side.name(n))).await;
        let mut parts: Option<Rows> = None;
        for part in &partition.parts {
            let sql = render(part, &|n| side.name(n));
            match side.ask(&sql).await {
                Ok(rows) => match &mut parts {
                    None => parts = Some(rows),
                    Some(all) => all.rows.extend(rows.rows),
                },
                // A part that fails proves nothing: the whole computes no predicate.
                Err(_) => return None,
            }
        }
        if let (Ok(whole), Some(parts)) = (whole, parts) {
            summary.with_rows += usize::from(!whole.rows.is_empty());
            let rule = Rule {
                columns: rule(&partition.whole, Against::Ourselves).columns,
                ..Rule::default()
            };
            if let Verdict::Different(text) = compare(&Ok(whole), &Ok(parts), &rule, None) {
                return Some(format!("left is the whole, right the parts of TLP\n{text}"));
            }
        }
    }
    if let Some(rewrite) = norec(query)
        && crate::generate::is_sound(&rewrite.computed, universe).is_ok()
    {
        let counted = side.ask(&render(&rewrite.counted, &|n| side.name(n))).await;
        let computed = side
            .ask(&render(&rewrite.computed, &|n| side.name(n)))
            .await;
        if let (Ok(counted), Ok(computed)) = (counted, computed) {
            let kept = crate::Value::Int(Rewrite::kept(&computed.rows));
            let count = counted.rows.first().and_then(|row| row.first());
            if count != Some(&kept) {
                return Some(format!(
                    "WHERE keeps {count:?} rows, the predicate is true for {kept}"
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::provision::POSTGRES_ENV;
    use crate::trap;

    /// PostgreSQL, wrong on purpose: it answers for another table.
    struct Wrong<'a>(Source<'a>);

    #[async_trait]
    impl Side for Wrong<'_> {
        fn label(&self) -> &'static str {
            "wrong"
        }
        fn name(&self, table: usize) -> String {
            self.0.name(table)
        }
        async fn ask(&mut self, sql: &str) -> Answer {
            self.0.ask(&sql.replace(" IS NOT NULL", " IS NULL")).await
        }
    }

    async fn postgres() -> Option<(PostgresFixture, Universe)> {
        let fixture = PostgresFixture::from_env(POSTGRES_ENV).await.unwrap();
        let Some(mut fixture) = fixture else {
            crate::provision::skipped("postgres", "INFLOWAVE_TEST_POSTGRES is not set");
            return None;
        };
        fixture.provision(&trap::tables()).await.unwrap();
        let universe = trap::universe("pg", "public", &trap::tables());
        Some((fixture, universe))
    }

    fn names(fixture: &PostgresFixture, universe: &Universe) -> Vec<String> {
        universe
            .tables()
            .iter()
            .map(|t| fixture.table_name(&t.name))
            .collect()
    }

    #[tokio::test]
    async fn postgresql_runs_what_is_generated_and_agrees_with_itself() {
        let Some((fixture, universe)) = postgres().await else {
            return;
        };
        let (one, two) = (
            fixture.native().await.unwrap(),
            fixture.native().await.unwrap(),
        );
        // Another plan for the same query.
        two.run("SET enable_hashjoin = off; SET enable_hashagg = off")
            .await
            .unwrap();
        let names = names(&fixture, &universe);
        let mut left = Source {
            native: &one,
            names: names.clone(),
        };
        let mut right = Source {
            native: &two,
            names,
        };
        let grammar = Grammar::default();
        let mut failures: BTreeMap<String, (usize, String)> = BTreeMap::new();
        let queries = 600;
        let mut rejected = 0;
        for seed in 0..queries {
            let query = generate(&universe, &grammar, seed);
            let sql = render(&query, &|n| left.name(n));
            if let Err(e) = left.ask(&sql).await {
                // 22: an error of the data, such as a division by zero, is one of the query.
                rejected += usize::from(!e.sqlstate.starts_with("22"));
                let key = format!("{} {}", e.sqlstate, e.message);
                failures.entry(key).or_insert((0, sql)).0 += 1;
            }
        }
        assert!(
            rejected * 100 < queries as usize * 2,
            "{rejected} rejected: {failures:#?}"
        );
        let failed: usize = failures.values().map(|(n, _)| n).sum();
        assert!(
            failed * 100 < queries as usize * 10,
            "{failed} failed: {failures:#?}"
        );
        let summary = run(
            &universe,
            &grammar,
            0..queries,
            Against::Postgres,
            &mut left,
            &mut right,
        )
        .await;
        summary.assert_clean(0);
        assert!(summary.with_rows * 2 > summary.queries, "{summary}");
    }

    #[tokio::test]
    async fn a_made_up_defect_is_found_and_shrunk() {
        let Some((fixture, universe)) = postgres().await else {
            return;
        };
        let native = fixture.native().await.unwrap();
        let names = names(&fixture, &universe);
        let mut right = Source {
            native: &native,
            names: names.clone(),
        };
        let mut left = Wrong(Source {
            native: &native,
            names,
        });
        let summary = run(
            &universe,
            &Grammar::default(),
            0..150,
            Against::Postgres,
            &mut left,
            &mut right,
        )
        .await;
        assert!(!summary.findings.is_empty());
        for finding in &summary.findings {
            assert!(
                finding.shrunk.contains("IS NOT NULL") && finding.shrunk.len() < 400,
                "{finding}"
            );
        }
    }
}
