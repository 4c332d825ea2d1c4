//! What a run came to: counted, and printed for a person.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::Duration;

use crate::compare::Answer;
use crate::table::Table;

use super::Options;
use super::trial::{Different, Trial, Work};

/// Rows of an answer that are shown.
const ROWS_SHOWN_MAX: usize = 8;
/// Seeds of unsettled queries that are named.
const SEEDS_SHOWN_MAX: usize = 5;
/// Names of tables in one line of the summary.
const NAMES_SHOWN_MAX: usize = 12;

/// What a run came to.
pub struct Report {
    pub seed: u64,
    pub queries_max: u64,
    pub queries: u64,
    pub elapsed: Duration,
    pub ended: Ended,
    /// Tables that were asked of, with their rows.
    pub tables: Vec<(String, usize)>,
    /// Their catalogs, and whether both answers of a query read one state of them.
    pub catalogs: BTreeMap<String, bool>,
    /// What was not asked of, and why.
    pub left_out: Vec<(String, String)>,
    /// Columns that were not asked of, by the reason.
    pub left_out_columns: BTreeMap<String, usize>,
    /// A source was asked for more than columns; for columns only; no source runs queries.
    pub pushed: u64,
    pub columns_only: u64,
    pub no_source: u64,
    pub with_rows: u64,
    /// Both sides failed alike, by SQLSTATE.
    pub failed_alike: BTreeMap<String, u64>,
    /// One side failed, with the reason why that is right.
    pub allowed: BTreeMap<&'static str, u64>,
    /// Not compared, with the reason.
    pub not_compared: BTreeMap<String, u64>,
    /// Seeds of queries whose local answers were not twice the same.
    pub unsettled: Vec<u64>,
    pub findings: Vec<Finding>,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    AllQueries,
    TimeLimit,
    /// Somebody asked for it.
    Asked,
    /// There are enough differences.
    Findings,
    /// A source kept failing.
    SourceFailed(String),
}

/// A difference.
pub struct Finding {
    pub seed: u64,
    pub sql: String,
    /// The smallest query that still differs.
    pub shrunk: String,
    /// The answers to it; `None` if it differed once and then no more.
    pub answers: Option<Different>,
    /// The catalogs that were asked, and what they were sent.
    pub remote: Vec<(String, String)>,
    /// Further queries that shrank to the same but for its numbers.
    pub again: u64,
}

impl Report {
    pub(super) fn new(options: &Options) -> Report {
        Report {
            seed: options.seed,
            queries_max: options.queries,
            queries: 0,
            elapsed: Duration::ZERO,
            ended: Ended::AllQueries,
            tables: Vec::new(),
            catalogs: BTreeMap::new(),
            left_out: Vec::new(),
            left_out_columns: BTreeMap::new(),
            pushed: 0,
            columns_only: 0,
            no_source: 0,
            with_rows: 0,
            failed_alike: BTreeMap::new(),
            allowed: BTreeMap::new(),
            not_compared: BTreeMap::new(),
            unsettled: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(super) fn table(&mut self, table: &Table, has_snapshots: bool) {
        self.catalogs.insert(table.catalog.clone(), has_snapshots);
        let name = format!("{}.{}.{}", table.catalog, table.schema, table.name);
        self.tables.push((name, table.rows));
    }

    pub(super) fn left_out(&mut self, what: String, why: String) {
        self.left_out.push((what, why));
    }

    pub(super) fn left_out_column(&mut self, why: &str) {
        *self.left_out_columns.entry(why.to_owned()).or_default() += 1;
    }

    pub(super) fn count(&mut self, trial: &Trial, work: Option<Work>, seed: u64) {
        match work {
            Some(Work::Pushed) => self.pushed += 1,
            Some(Work::ColumnsOnly) => self.columns_only += 1,
            Some(Work::None) => self.no_source += 1,
            None => {}
        }
        match trial {
            Trial::Same { rows } => self.with_rows += u64::from(*rows),
            Trial::FailedAlike(failure) => {
                *self
                    .failed_alike
                    .entry(failure.sqlstate.clone())
                    .or_default() += 1;
            }
            Trial::Allowed(why) => *self.allowed.entry(why).or_default() += 1,
            Trial::NotCompared(why) => *self.not_compared.entry(why.clone()).or_default() += 1,
            Trial::SourceFailed(failure) => {
                let why = format!("{}: {}", failure.sqlstate, failure.message);
                *self.not_compared.entry(why).or_default() += 1;
            }
            Trial::Unsettled => self.unsettled.push(seed),
            Trial::Different(_) => {}
        }
    }

    /// Keeps a finding, or counts it with one of the same kind; how many kinds there are.
    pub(super) fn found(&mut self, finding: Finding) -> usize {
        let kind =
            |f: &Finding| -> String { f.shrunk.chars().filter(|c| !c.is_ascii_digit()).collect() };
        match self.findings.iter_mut().find(|f| kind(f) == kind(&finding)) {
            Some(known) => known.again += 1,
            None => self.findings.push(finding),
        }
        self.findings.len()
    }

    /// Queries whose answers differed.
    pub fn differences(&self) -> usize {
        self.findings.iter().map(|f| 1 + f.again as usize).sum()
    }

    /// Queries of which two answers were held against each other, or failed as they may.
    pub fn compared(&self) -> u64 {
        let not: u64 = self.not_compared.values().sum();
        self.queries - not - self.unsettled.len() as u64
    }

    /// The findings and the summary. `again` is the command that ran, without its seed and number
    /// of queries.
    pub fn shown(&self, again: &str) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out, again);
        out
    }

    fn write(&self, out: &mut String, again: &str) -> fmt::Result {
        for finding in &self.findings {
            finding.write(out, again)?;
        }
        let rows: usize = self.tables.iter().map(|(_, rows)| rows).sum();
        let mut names: Vec<String> = self
            .tables
            .iter()
            .take(NAMES_SHOWN_MAX)
            .map(|(name, rows)| format!("{name} ({rows})"))
            .collect();
        if self.tables.len() > NAMES_SHOWN_MAX {
            names.push(format!("{} more", self.tables.len() - NAMES_SHOWN_MAX));
        }
        writeln!(
            out,
            "{} tables with {rows} rows: {}",
            self.tables.len(),
            names.join(", ")
        )?;
        let list = |with: bool| -> String {
            let named = self.catalogs.iter().filter(|(_, has)| **has == with);
            named
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let (with, without) = (list(true), list(false));
        if !with.is_empty() {
            writeln!(out, "both answers read one snapshot of: {with}")?;
        }
        if !without.is_empty() {
            writeln!(
                out,
                "no snapshots, so that differences are asked again: {without}"
            )?;
        }
        for (what, why) in &self.left_out {
            writeln!(out, "left out: {what} {why}")?;
        }
        for (why, n) in &self.left_out_columns {
            writeln!(out, "left out: columns {why}: {n}")?;
        }
        writeln!(
            out,
            "{} of {} queries from seed {} in {:.1} s: pushed {}, columns only {}, no source that runs queries {}",
            self.queries,
            self.queries_max,
            self.seed,
            self.elapsed.as_secs_f64(),
            self.pushed,
            self.columns_only,
            self.no_source
        )?;
        let failed: u64 = self.failed_alike.values().sum();
        write!(out, "with rows {}, failed alike {failed}", self.with_rows)?;
        let codes: Vec<String> = self
            .failed_alike
            .iter()
            .map(|(code, n)| format!("{code}: {n}"))
            .collect();
        match codes.is_empty() {
            true => writeln!(out)?,
            false => writeln!(out, " ({})", codes.join(", "))?,
        }
        for (why, n) in &self.allowed {
            writeln!(out, "one side failed, as PostgreSQL may: {n} ({why})")?;
        }
        for (why, n) in &self.not_compared {
            writeln!(out, "not compared: {n} ({why})")?;
        }
        if !self.unsettled.is_empty() {
            let seeds: Vec<String> = self
                .unsettled
                .iter()
                .take(SEEDS_SHOWN_MAX)
                .map(u64::to_string)
                .collect();
            writeln!(
                out,
                "unsettled: {} (asked again, the local answers or the difference did not stand: the tables changed meanwhile; seeds {})",
                self.unsettled.len(),
                seeds.join(", ")
            )?;
        }
        match &self.ended {
            Ended::AllQueries => {}
            Ended::TimeLimit => writeln!(out, "ended by --time-limit")?,
            Ended::Asked => writeln!(out, "ended early, as asked")?,
            Ended::Findings => writeln!(out, "ended early: these are enough differences")?,
            Ended::SourceFailed(message) => {
                writeln!(out, "ended early, since a source keeps failing: {message}")?;
            }
        }
        match self.differences() {
            0 => writeln!(out, "no difference in {} queries", self.compared()),
            n => writeln!(
                out,
                "{n} differences of {} kinds in {} queries",
                self.findings.len(),
                self.compared()
            ),
        }
    }
}

impl Finding {
    fn write(&self, out: &mut String, again: &str) -> fmt::Result {
        writeln!(out, "DIFFERENCE: pushed and local answers are not the same")?;
        writeln!(out, "query:     {}", self.sql)?;
        writeln!(out, "shrunk to: {}", self.shrunk)?;
        match &self.answers {
            Some(different) => {
                let indented = different
                    .difference
                    .trim_end()
                    .replace('\n', "\n           ");
                writeln!(out, "where:     {indented}")?;
                answer(out, "pushed", &different.pushed)?;
                answer(out, "local", &different.local)?;
            }
            None => writeln!(
                out,
                "where:     asked once more it was gone; only the query as it was made showed it"
            )?,
        }
        for (source, sent) in &self.remote {
            writeln!(out, "sent:      to {source}: {sent}")?;
        }
        if self.again > 0 {
            writeln!(out, "more:      {} queries shrank to the same", self.again)?;
        }
        writeln!(out, "again:     {again} --seed {} --queries 1", self.seed)?;
        let mut sources: Vec<&str> = self.remote.iter().map(|(s, _)| s.as_str()).collect();
        sources.sort_unstable();
        sources.dedup();
        writeln!(
            out,
            "what now:  run what was sent with the source's own client. If it is wrong there too, the source is at fault (a damaged index is one reason); else report a defect of InfloWave with these lines and the columns' types. Until it is mended, set pushdown = \"off\" for {} (in [catalog.NAME], or ALTER CATALOG NAME SET (pushdown = 'off')); SET inflowave.pushdown = off is for one session.\n",
            match sources.is_empty() {
                true => "the server".to_owned(),
                false => sources.join(", "),
            }
        )
    }
}

/// The first rows of an answer, or its error.
fn answer(out: &mut String, side: &str, answer: &Answer) -> fmt::Result {
    let label = format!("{side}:");
    match answer {
        Err(failure) => writeln!(
            out,
            "{label:<10} error {}: {}",
            failure.sqlstate, failure.message
        ),
        Ok(rows) => {
            let names: Vec<&str> = rows.columns.iter().map(|c| c.name.as_str()).collect();
            writeln!(
                out,
                "{label:<10} {} rows of ({})",
                rows.rows.len(),
                names.join(", ")
            )?;
            for row in rows.rows.iter().take(ROWS_SHOWN_MAX) {
                let values: Vec<String> = row.iter().map(ToString::to_string).collect();
                writeln!(out, "           ({})", values.join(", "))?;
            }
            if rows.rows.len() > ROWS_SHOWN_MAX {
                writeln!(
                    out,
                    "           .. {} more",
                    rows.rows.len() - ROWS_SHOWN_MAX
                )?;
            }
            Ok(())
        }
    }
}
