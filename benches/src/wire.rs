//! The Postgres wire: what a statement costs beside the same one sent straight to PostgreSQL, how fast
//! a large result comes in each form, and how many sessions one server bears.

mod latency;
mod sessions;
mod transfer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Result;
use crate::data::SCHEMA;
use crate::memory::process::Server;

pub use latency::{Compared, run as latency};
pub use sessions::{Load, Loaded, run as load};
pub use transfer::{Transferred, run as transfer};

/// Who answers.
pub struct Place {
    pub postgres: String,
    server: Server,
}

/// The two sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Ours,
    Postgres,
}

impl Place {
    /// A server of its own over PostgreSQL alone, as a user would configure it.
    pub fn open(binary: &Path, folder: &Path, postgres: &str) -> Result<Place> {
        let config: PathBuf = folder.join("inflowave.toml");
        let text = format!(
            "[server]\npg_listen = \"127.0.0.1:0\"\ndata_dir = {:?}\n\n\
             [limits]\nsessions_max = 1100\n\n\
             [access]\nsuperuser = \"bench\"\nrules = [\"host all all 127.0.0.1/32 trust\"]\n\n\
             [catalog.pg]\nconnector = \"postgres\"\nurl = {postgres:?}\n",
            folder.join("server"),
        );
        std::fs::write(&config, text)?;
        Ok(Place {
            postgres: postgres.to_owned(),
            server: Server::start(binary, &config)?,
        })
    }

    pub fn url(&self, side: Side) -> String {
        match side {
            Side::Ours => {
                let port = self.server.address().port();
                format!("host=127.0.0.1 port={port} user=bench dbname=pg")
            }
            Side::Postgres => self.postgres.clone(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

/// The table, by the same name on both sides: the catalog `pg` is the database of ours.
fn table() -> String {
    format!("{SCHEMA}.invoices")
}

/// Times of many requests.
#[derive(Debug, Default)]
pub struct Sample(Vec<Duration>);

impl Sample {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The least time that `percent` of the requests did not exceed (nearest rank); zero for none.
    pub fn percentile(&self, percent: f64) -> Duration {
        let mut times = self.0.clone();
        times.sort();
        let rank = (percent / 100.0 * times.len() as f64).ceil() as usize;
        times
            .get(rank.clamp(1, times.len().max(1)) - 1)
            .copied()
            .unwrap_or_default()
    }
}

impl Extend<Duration> for Sample {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, times: T) {
        self.0.extend(times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut sample = Sample::default();
        assert_eq!(sample.percentile(50.0), Duration::ZERO);
        sample.extend((1..=100).rev().map(Duration::from_millis));
        assert_eq!(sample.percentile(50.0), Duration::from_millis(50));
        assert_eq!(sample.percentile(99.0), Duration::from_millis(99));
        assert_eq!(sample.percentile(100.0), Duration::from_millis(100));
        assert_eq!(sample.percentile(0.1), Duration::from_millis(1));
    }
}
