//! Many sessions at once, in an open loop: requests come at their times, whether or not those before
//! are answered, and each is timed from when it was due.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::Client;

use super::{Place, Sample, Side, table};
use crate::data::Scale;
use crate::memory::process::{Watch, resident_kb};
use crate::reader::postgres::connect;
use crate::{Result, report};

/// Connections opened at a time.
const OPENING: usize = 50;

/// What is asked of a server.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub sessions: usize,
    /// Requests a second, of all sessions together.
    pub rate: u32,
    pub seconds: u64,
}

/// How it went.
pub struct Loaded {
    pub load: Load,
    pub times: Sample,
    pub failed: u64,
    /// Kilobytes: before any session, with all of them idle, and at the peak of the load.
    pub started_kb: u64,
    pub idle_kb: u64,
    pub peak_kb: u64,
}

/// # Errors
/// If a session cannot be opened.
pub async fn run(place: &Place, scale: Scale, load: Load) -> Result<Loaded> {
    report::note(&format!("{} sessions", load.sessions));
    let url = place.url(Side::Ours);
    let started_kb = resident_kb(place.pid()).ok_or("the server is gone")?;
    let mut clients: Vec<Arc<Client>> = Vec::new();
    while clients.len() < load.sessions {
        let now = OPENING.min(load.sessions - clients.len());
        for client in join_all((0..now).map(|_| connect(&url))).await {
            clients.push(Arc::new(client?));
        }
    }
    let idle_kb = resident_kb(place.pid()).ok_or("the server is gone")?;
    let watch = Watch::of(place.pid())?;
    let failed = Arc::new(AtomicU64::new(0));
    let mut asked = JoinSet::new();
    let mut times = Sample::default();
    let first = Instant::now();
    let between = Duration::from_secs(1) / load.rate;
    for turn in 0..load.rate * u32::try_from(load.seconds)? {
        let due = first + between * turn;
        tokio::time::sleep_until(due).await;
        // Every session has its turn; three of four requests go to the source.
        let client = Arc::clone(&clients[turn as usize % clients.len()]);
        let failed = Arc::clone(&failed);
        let id = u64::from(turn) * 7_919 % u64::from(scale.0) + 1;
        asked.spawn(async move {
            let text = match turn % 4 {
                0 => "select 1".to_owned(),
                _ => format!("select * from {} where id = {id}", table()),
            };
            match client.simple_query(&text).await {
                Ok(_) => Some(due.elapsed()),
                Err(_) => {
                    failed.fetch_add(1, Ordering::Relaxed);
                    None
                }
            }
        });
        while let Some(done) = asked.try_join_next() {
            times.extend(done?);
        }
    }
    while let Some(done) = asked.join_next().await {
        times.extend(done?);
    }
    Ok(Loaded {
        load,
        times,
        failed: failed.load(Ordering::Relaxed),
        started_kb,
        idle_kb,
        peak_kb: watch.end(),
    })
}
