//! Ways to run a statement and read its rows to the end: ours, and each source's own client.
//!
//! Every reader takes all rows and adds up one column of them, so that both sides of a comparison
//! are known to have read the same.

pub mod arrow;
pub mod copy;
pub mod mysql;
pub mod ours;
pub mod parquet;
pub mod postgres;
pub mod sqlite;

use async_trait::async_trait;

use crate::Result;

/// What came of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answer {
    pub rows: u64,
    /// Of the checked column: integers as they are, decimals in hundredths. `None` where the reader
    /// does not look into rows.
    pub sum: Option<i128>,
}

impl Answer {
    /// Whether nothing known of both differs.
    pub fn agrees(self, other: Answer) -> bool {
        let sums = self.sum.zip(other.sum);
        self.rows == other.rows && sums.is_none_or(|(ours, theirs)| ours == theirs)
    }
}

#[async_trait]
pub trait Reader: Send {
    /// For the table of results.
    fn name(&self) -> &'static str;

    /// Runs the statement once and reads all rows.
    async fn read(&mut self) -> Result<Answer>;
}

/// An integer as it is; a text with two decimals in hundredths.
fn parse(text: &str) -> Result<i128> {
    let Some((whole, fraction)) = text.split_once('.') else {
        return Ok(text.parse()?);
    };
    if fraction.len() != 2 {
        return Err(format!("\"{text}\" does not have two decimals").into());
    }
    Ok(format!("{whole}{fraction}").parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_counted_in_hundredths() {
        let parsed = |text| parse(text).ok();
        assert_eq!(parsed("17"), Some(17));
        assert_eq!(parsed("-0.05"), Some(-5));
        assert_eq!(parsed("12.30"), Some(1230));
        assert_eq!(parsed("12.3"), None);
    }

    #[test]
    fn an_unknown_sum_does_not_hide_a_wrong_count() {
        let answer = |rows, sum| Answer { rows, sum };
        assert!(answer(2, Some(5)).agrees(answer(2, None)));
        assert!(!answer(2, Some(5)).agrees(answer(3, None)));
        assert!(!answer(2, Some(5)).agrees(answer(2, Some(6))));
    }
}
