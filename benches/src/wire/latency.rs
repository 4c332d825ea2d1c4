//! One request at a time, in turn with the same one sent straight to PostgreSQL.

use std::time::Instant;

use tokio_postgres::{Client, SimpleQueryMessage, Statement};

use super::{Place, Sample, Side, table};
use crate::data::Scale;
use crate::reader::postgres::connect;
use crate::{Result, report};

/// Requests of each side that are not timed.
const WARM_UP: usize = 300;

/// A request, and how it went on both sides.
pub struct Compared {
    pub name: &'static str,
    pub ours: Sample,
    pub postgres: Sample,
}

#[derive(Clone, Copy)]
enum Request {
    /// Simple protocol, a constant.
    One,
    /// Prepared once, bound and executed each time, a constant.
    OnePrepared,
    /// Simple protocol, a row by its key, which differs each time.
    Point,
    /// The same, prepared once.
    PointPrepared,
}

impl Request {
    const ALL: [(Request, &'static str); 4] = [
        (Request::One, "SELECT 1"),
        (Request::OnePrepared, "SELECT 1, prepared"),
        (Request::Point, "row by its key"),
        (Request::PointPrepared, "row by its key, prepared"),
    ];
}

struct Asked {
    client: Client,
    one: Statement,
    point: Statement,
}

impl Asked {
    async fn open(url: &str) -> Result<Asked> {
        let client = connect(url).await?;
        let one = client.prepare("select 1").await?;
        let text = format!("select * from {} where id = $1", table());
        let point = client.prepare(&text).await?;
        Ok(Asked { client, one, point })
    }

    /// # Errors
    /// If not exactly one row comes.
    async fn ask(&self, request: Request, id: i32) -> Result<()> {
        let rows = match request {
            Request::One => simple(&self.client, "select 1").await?,
            Request::Point => {
                let text = format!("select * from {} where id = {id}", table());
                simple(&self.client, &text).await?
            }
            Request::OnePrepared => self.client.query(&self.one, &[]).await?.len(),
            Request::PointPrepared => self.client.query(&self.point, &[&id]).await?.len(),
        };
        match rows {
            1 => Ok(()),
            rows => Err(format!("{rows} rows came for one").into()),
        }
    }
}

async fn simple(client: &Client, text: &str) -> Result<usize> {
    let messages = client.simple_query(text).await?;
    let row = |m: &&SimpleQueryMessage| matches!(m, SimpleQueryMessage::Row(_));
    Ok(messages.iter().filter(row).count())
}

/// # Errors
/// If a request fails on either side.
pub async fn run(place: &Place, scale: Scale, requests: usize) -> Result<Vec<Compared>> {
    let ours = Asked::open(&place.url(Side::Ours)).await?;
    let postgres = Asked::open(&place.url(Side::Postgres)).await?;
    let mut all = Vec::new();
    for (request, name) in Request::ALL {
        report::note(name);
        let mut compared = Compared {
            name,
            ours: Sample::default(),
            postgres: Sample::default(),
        };
        for turn in 0..WARM_UP + requests {
            // Scattered over the table, the same for both.
            let id = (turn as u64 * 7_919 % u64::from(scale.0)) as i32 + 1;
            for (asked, sample) in [
                (&ours, &mut compared.ours),
                (&postgres, &mut compared.postgres),
            ] {
                let started = Instant::now();
                asked.ask(request, id).await?;
                if turn >= WARM_UP {
                    sample.add(started.elapsed());
                }
            }
        }
        all.push(compared);
    }
    Ok(all)
}
