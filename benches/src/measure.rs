//! Times both sides of a case, alternately, and compares their answers.

use std::time::{Duration, Instant};

use crate::Result;
use crate::cases::Case;
use crate::reader::{Answer, Reader};
use crate::report;

/// The times of one reader.
#[derive(Debug, Clone)]
pub struct Times {
    pub reader: &'static str,
    pub runs: Vec<Duration>,
}

/// What a case came to.
#[derive(Debug)]
pub struct Measured {
    pub case: String,
    pub source: &'static str,
    pub rows: u64,
    pub ours: Times,
    pub peers: Vec<Times>,
}

impl Times {
    pub fn min(&self) -> Duration {
        self.runs.iter().min().copied().unwrap_or_default()
    }

    /// The middle one; of two middle ones, their mean.
    pub fn median(&self) -> Duration {
        let mut runs = self.runs.clone();
        runs.sort();
        match (runs.len(), runs.len() / 2) {
            (0, _) => Duration::ZERO,
            (n, half) if n % 2 == 1 => runs[half],
            (_, half) => (runs[half - 1] + runs[half]) / 2,
        }
    }

    /// How many times as long as `other`, by the medians.
    pub fn ratio(&self, other: &Times) -> f64 {
        self.median().as_secs_f64() / other.median().as_secs_f64()
    }
}

/// Runs ours and each peer once untimed, then `runs` times in turn.
///
/// # Errors
/// If any answer differs from our first one.
pub async fn measure(case: Case, runs: usize) -> Result<Measured> {
    report::note(&format!("{}, {}", case.name, case.source));
    let mut readers: Vec<Box<dyn Reader>> = vec![case.ours];
    readers.extend(case.peers);
    let mut times: Vec<Times> = readers
        .iter()
        .map(|r| Times {
            reader: r.name(),
            runs: Vec::new(),
        })
        .collect();
    let mut first: Option<Answer> = None;
    for run in 0..=runs {
        for (reader, times) in readers.iter_mut().zip(&mut times) {
            let started = Instant::now();
            let answer = reader
                .read()
                .await
                .map_err(|e| format!("{}, {}: {}: {e}", case.name, case.source, times.reader))?;
            // The first run fills caches on both sides.
            if run > 0 {
                times.runs.push(started.elapsed());
            }
            let expected = *first.get_or_insert(answer);
            if !expected.agrees(answer) {
                return Err(format!(
                    "{}, {}: {} answered {answer:?}, InfloWave {expected:?}",
                    case.name, case.source, times.reader
                )
                .into());
            }
        }
    }
    let mut times = times.into_iter();
    Ok(Measured {
        case: case.name,
        source: case.source,
        rows: first.unwrap_or_default().rows,
        ours: times.next().ok_or("a case without our side")?,
        peers: times.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: &[u64]) -> Times {
        Times {
            reader: "one",
            runs: ms.iter().map(|ms| Duration::from_millis(*ms)).collect(),
        }
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(times(&[9, 1, 5]).median(), Duration::from_millis(5));
        assert_eq!(times(&[9, 1, 5, 3]).median(), Duration::from_millis(4));
        assert_eq!(times(&[9, 1, 5]).min(), Duration::from_millis(1));
        assert_eq!(times(&[]).median(), Duration::ZERO);
    }

    #[test]
    fn a_ratio_over_one_means_slower() {
        assert!((times(&[30]).ratio(&times(&[20])) - 1.5).abs() < 1e-9);
    }
}
