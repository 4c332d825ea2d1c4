//! What a run of an oracle came to, for a person and for an assertion.

use std::collections::BTreeMap;
use std::fmt;

/// Different findings, or findings in all, before a run stops.
const FINDINGS_MAX: usize = 8;
const FINDINGS_TOTAL_MAX: usize = 40;

/// Two sides that disagree.
#[derive(Debug, Clone)]
pub struct Finding {
    pub seed: u64,
    pub sql: String,
    pub shrunk: String,
    pub difference: String,
    /// Further queries that shrank to the same one but for its numbers.
    pub again: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}\nquery:  {}\nshrunk: {}\n{}",
            self.seed, self.sql, self.shrunk, self.difference
        )?;
        if self.again > 0 {
            write!(f, "and {} times more", self.again)?;
        }
        Ok(())
    }
}

/// What a run of an oracle came to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    pub queries: usize,
    /// Both sides gave rows, at least one.
    pub with_rows: usize,
    /// Both sides failed alike.
    pub failed_alike: usize,
    /// Failed on one side only, with the reason why that is right.
    pub allowed: BTreeMap<&'static str, usize>,
    /// Refused by us alone (`0A000`), by message, with an example.
    pub refused: BTreeMap<String, (usize, String)>,
    pub findings: Vec<Finding>,
}

impl Summary {
    /// Keeps a finding, or counts it with one of the same kind; `false` once there are enough.
    pub(super) fn found(&mut self, finding: Finding) -> bool {
        let kind =
            |f: &Finding| -> String { f.shrunk.chars().filter(|c| !c.is_ascii_digit()).collect() };
        match self.findings.iter_mut().find(|f| kind(f) == kind(&finding)) {
            Some(known) => known.again += 1,
            None => self.findings.push(finding),
        }
        let total: usize = self.findings.iter().map(|f| 1 + f.again).sum();
        self.findings.len() < FINDINGS_MAX && total < FINDINGS_TOTAL_MAX
    }

    pub fn refused_count(&self) -> usize {
        self.refused.values().map(|(n, _)| n).sum()
    }

    /// # Panics
    /// With every finding, or if more than `refused_percent_max` of the queries were refused.
    pub fn assert_clean(&self, refused_percent_max: usize) {
        assert!(self.findings.is_empty(), "{self}");
        assert!(
            self.refused_count() * 100 <= self.queries * refused_percent_max,
            "too many queries are refused\n{self}"
        );
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} queries, {} with rows, {} failed alike, {} refused, {} findings",
            self.queries,
            self.with_rows,
            self.failed_alike,
            self.refused_count(),
            self.findings.len()
        )?;
        for (why, n) in &self.allowed {
            writeln!(f, "allowed {n} times: {why}")?;
        }
        for (message, (n, example)) in &self.refused {
            writeln!(f, "refused {n} times: {message}\n  such as {example}")?;
        }
        for finding in &self.findings {
            writeln!(f, "\n{finding}")?;
        }
        Ok(())
    }
}
