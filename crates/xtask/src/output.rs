//! What a run of `cargo test` said, read line by line.
//!
//! A test that cannot run here prints `skipped: NAME (reason)` and passes; this is where such lines
//! are found again. It knows nothing of processes.

use std::collections::BTreeMap;

/// Collected from the test runner's standard output.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TestOutput {
    /// What stood behind `skipped: ` -> how often.
    pub skipped: BTreeMap<String, usize>,
    pub failed_tests: Vec<String>,
    pub binaries: usize,
    pub passed: usize,
    pub failed: usize,
    pub ignored: usize,
    in_names: bool,
}

impl TestOutput {
    /// Answers whether the line is worth showing: with the output of tests that pass the runner
    /// also prints all their names once more.
    pub fn take(&mut self, line: &str) -> bool {
        if line.trim_end() == "successes:" {
            self.in_names = true;
        } else if self.in_names && !line.trim_end().is_empty() && !line.starts_with("    ") {
            self.in_names = false;
        }
        self.count(line.trim());
        !self.in_names
    }

    fn count(&mut self, line: &str) {
        if let Some(what) = line.strip_prefix("skipped: ") {
            *self.skipped.entry(what.to_owned()).or_default() += 1;
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.binaries += 1;
            self.passed += number(counts, " passed");
            self.failed += number(counts, " failed");
            self.ignored += number(counts, " ignored");
        } else if let Some(test) = line.strip_prefix("test ")
            && let Some((name, "FAILED")) = test.split_once(" ... ")
        {
            self.failed_tests.push(name.to_owned());
        }
    }

    pub fn skips(&self) -> usize {
        self.skipped.values().sum::<usize>() + self.ignored
    }
}

/// The number in front of `word`: `number("ok. 3 passed; 0 failed", " passed")` is 3.
fn number(text: &str, word: &str) -> usize {
    text.split(word)
        .next()
        .filter(|before| before.len() < text.len())
        .and_then(|before| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_failures_and_skips_are_found() {
        let mut output = TestOutput::default();
        for line in "
running 3 tests
test a::works ... ok
test b::breaks ... FAILED
test c::waits ... ignored
successes:
---- a::works stdout ----
skipped: postgres (INFLOWAVE_TEST_POSTGRES is not set)
skipped: postgres (INFLOWAVE_TEST_POSTGRES is not set)
test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s"
            .lines()
        {
            output.take(line);
        }
        let skip = "postgres (INFLOWAVE_TEST_POSTGRES is not set)".to_owned();
        assert_eq!(
            output,
            TestOutput {
                skipped: BTreeMap::from([(skip, 2)]),
                failed_tests: vec!["b::breaks".to_owned()],
                binaries: 2,
                passed: 13,
                failed: 1,
                ignored: 1,
                in_names: false,
            }
        );
        assert_eq!(output.skips(), 3);
    }

    #[test]
    fn the_names_of_tests_that_passed_are_shown_once() {
        let mut output = TestOutput::default();
        let shown: Vec<_> = [
            "test a ... ok",
            "",
            "successes:",
            "",
            "---- a stdout ----",
            "    rows",
            "",
            "",
            "successes:",
            "    a",
            "",
            "test result: ok. 1 passed; 0 failed",
        ]
        .into_iter()
        .filter(|line| output.take(line))
        .collect();
        assert_eq!(
            shown,
            [
                "test a ... ok",
                "",
                "---- a stdout ----",
                "    rows",
                "",
                "",
                "test result: ok. 1 passed; 0 failed"
            ]
        );
        assert_eq!(output.passed, 1);
    }

    #[test]
    fn a_line_that_only_speaks_of_skipping_is_no_skip() {
        let mut output = TestOutput::default();
        output.take("rows skipped: 3");
        output.take("test result: none");
        assert_eq!((output.skips(), output.passed), (0, 0));
    }
}
