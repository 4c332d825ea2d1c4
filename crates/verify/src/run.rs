//! Random queries over a user's own tables, each asked twice: with pushdown and without.
//!
//! **Side**: with pushdown, or without. **Trial**: one query asked of both sides, in a transaction
//! that reads each source in one state where the source has snapshots. Others can change between two
//! answers, so that a difference counts only if two local answers, one before and one after a pushed
//! one, are equal and the pushed one is not; else the query is told as *unsettled*. **Report**: what a
//! run came to, for a person.
//!
//! Nothing here reads a table that has more than [`Options::rows_max`] rows: to answer locally is
//! to read whole tables, query after query.

mod discover;
mod report;
mod side;
#[cfg(test)]
mod tests;
mod trial;
mod types;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use inflowave_query_api::QueryService;
use inflowave_types::{Error, Result, SqlState};

pub use report::{Ended, Finding, Report};
use side::Asker;
pub use trial::Different;
use trial::{Pair, Trial};

use crate::Seeded;
use crate::generate::{Grammar, Query, Universe, generate, render};
use crate::shrink::shrink;
use crate::table::{Column, Table};

/// Differences of different kinds after which a run ends, and differences in all.
const FINDINGS_MAX: usize = 5;
const FINDINGS_TOTAL_MAX: usize = 20;
/// Queries in a row that a failing source may spoil before a run ends.
const FAILURES_IN_A_ROW_MAX: usize = 5;
/// How long one difference is made smaller.
const SHRINK_TIME_MAX: Duration = Duration::from_secs(60);
/// Tables of one query's universe, and columns of each: so that tables meet in joins.
const TABLES_PER_QUERY_MAX: usize = 6;
const COLUMNS_PER_QUERY_MAX: usize = 16;
/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// What to ask, and within which limits.
#[derive(Debug, Clone)]
pub struct Options {
    /// Only tables of these catalogs; every catalog but the server's own if empty.
    pub catalogs: Vec<String>,
    /// Only these tables, by `table`, `schema.table` or `catalog.schema.table`; all if empty.
    pub tables: Vec<String>,
    pub queries: u64,
    /// The seed of the first query; each further one has the next.
    pub seed: u64,
    /// Tables with more rows are left out.
    pub rows_max: usize,
    /// For everything but making differences smaller.
    pub time_limit: Duration,
    /// For one answer.
    pub query_timeout: Duration,
    /// Set by who wants the run to end and its report so far.
    pub stop: Arc<AtomicBool>,
}

/// Runs until all queries are asked, or a limit is reached. `progress` gets a line now and then.
///
/// # Errors
/// `3D000` and `42P01` for a catalog or table that is named and not there; `42P01` if there is no
/// table to ask of.
pub async fn run(
    service: &dyn QueryService,
    options: &Options,
    progress: &mut dyn FnMut(&str),
) -> Result<Report> {
    let started = Instant::now();
    let deadline = started + options.time_limit;
    let mut report = Report::new(options);
    let answer_rows_max = options.rows_max.saturating_mul(2).max(100_000);
    let mut pair = Pair {
        asker: Asker::new(service, options.query_timeout, answer_rows_max),
    };
    let asker = &mut pair.asker;
    let tables = discover::tables(asker, options, deadline, &mut report, progress).await?;
    if tables.is_empty() {
        return Err(nothing_to_ask(&report));
    }
    let grammar = Grammar {
        join_rows_max: (options.rows_max as f64).max(12_000.0),
        fail_percent: 4,
        ..Grammar::default()
    };
    let (mut told, mut failures) = (Instant::now(), 0);
    for n in 0..options.queries {
        if Instant::now() >= deadline {
            report.ended = Ended::TimeLimit;
            break;
        }
        if options.stop.load(Ordering::Relaxed) {
            report.ended = Ended::Asked;
            break;
        }
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            progress(&format!(
                "{n} of {} queries, {} differences",
                options.queries,
                report.findings.len()
            ));
        }
        let seed = options.seed.wrapping_add(n);
        let universe = universe(&tables, seed);
        let query = generate(&universe, &grammar, seed);
        let trial = pair.trial(&query, &universe).await;
        report.queries += 1;
        failures = match &trial {
            Trial::SourceFailed(_) => failures + 1,
            _ => 0,
        };
        let sql = text(&query, &universe);
        report.count(&trial, pair.work(&sql).await, seed);
        if let Trial::SourceFailed(failure) = &trial
            && failures >= FAILURES_IN_A_ROW_MAX
        {
            report.ended = Ended::SourceFailed(failure.message.clone());
            break;
        }
        if !matches!(trial, Trial::Different(_)) {
            continue;
        }
        progress(&format!("seed {seed}: a difference; making it smaller"));
        let finding = smaller(&mut pair, &universe, &query, seed, &options.stop).await;
        let kinds = report.found(finding);
        if kinds >= FINDINGS_MAX || report.differences() >= FINDINGS_TOTAL_MAX {
            report.ended = Ended::Findings;
            break;
        }
    }
    report.elapsed = started.elapsed();
    Ok(report)
}

/// The smallest query that still differs, with all that a report of it needs.
async fn smaller(
    pair: &mut Pair<'_>,
    universe: &Universe,
    query: &Query,
    seed: u64,
    stop: &AtomicBool,
) -> Finding {
    let until = Instant::now() + SHRINK_TIME_MAX;
    let mut shown = None;
    let small = shrink(query, universe, async |candidate: &Query| {
        if Instant::now() >= until || stop.load(Ordering::Relaxed) {
            return false;
        }
        match pair.trial(candidate, universe).await {
            Trial::Different(different) => {
                shown = Some(different);
                true
            }
            _ => false,
        }
    })
    .await;
    // Nothing smaller differs: the query itself is asked again.
    if shown.is_none()
        && let Trial::Different(different) = pair.trial(&small, universe).await
    {
        shown = Some(different);
    }
    let shrunk = text(&small, universe);
    Finding {
        seed,
        sql: text(query, universe),
        remote: pair.remote(&shrunk).await,
        shrunk,
        answers: shown.map(|s| *s),
        again: 0,
    }
}

fn text(query: &Query, universe: &Universe) -> String {
    render(query, &|n| universe.tables()[n].path())
}

/// The tables and columns of one query: a few of many, chosen by its seed.
fn universe(tables: &[Arc<Table>], seed: u64) -> Universe {
    // A stream of its own: that of the generator starts at the seed itself.
    let mut random = Seeded::new(seed ^ 0x9e6b_ac8d_1f5e_3307);
    let mut chosen: Vec<Arc<Table>> = Vec::new();
    if tables.len() <= TABLES_PER_QUERY_MAX {
        chosen.extend(tables.iter().cloned());
    } else {
        let weights: Vec<u32> = tables.iter().map(|t| t.weight).collect();
        let first = &tables[random.weighted(&weights)];
        chosen.push(Arc::clone(first));
        let near: Vec<&Arc<Table>> = tables
            .iter()
            .filter(|t| t.catalog == first.catalog)
            .collect();
        for n in 1..TABLES_PER_QUERY_MAX * 2 {
            // Every other one is a neighbour: joins within a source are what can be pushed.
            let next = match n % 2 {
                0 => &tables[random.weighted(&weights)],
                _ => near[random.below(near.len() as u64) as usize],
            };
            if chosen.len() < TABLES_PER_QUERY_MAX && !chosen.iter().any(|t| Arc::ptr_eq(t, next)) {
                chosen.push(Arc::clone(next));
            }
        }
    }
    Universe::new(chosen.iter().map(|t| narrowed(t, &mut random)).collect())
}

/// A table with a few of its columns, its key among them.
fn narrowed(table: &Arc<Table>, random: &mut Seeded) -> Arc<Table> {
    if table.columns.len() <= COLUMNS_PER_QUERY_MAX {
        return Arc::clone(table);
    }
    let mut left: Vec<usize> = (0..table.columns.len()).collect();
    let mut taken: Vec<usize> = table.key.into_iter().collect();
    left.retain(|n| Some(*n) != table.key);
    while taken.len() < COLUMNS_PER_QUERY_MAX {
        taken.push(left.swap_remove(random.below(left.len() as u64) as usize));
    }
    let columns: Vec<Column> = taken.iter().map(|&n| table.columns[n].clone()).collect();
    Arc::new(Table {
        key: table.key.map(|_| 0),
        columns,
        ..table.as_ref().clone()
    })
}

fn nothing_to_ask(report: &Report) -> Error {
    let why: Vec<String> = report
        .left_out
        .iter()
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    let error = Error::new(SqlState::UndefinedTable, "there is no table to ask of");
    if why.is_empty() {
        return error.with_hint("Add a source to the configuration: [catalog.NAME].");
    }
    error
        .with_detail(why.join("; "))
        .with_hint("Raise --max-rows, or name smaller tables with --table.")
}
