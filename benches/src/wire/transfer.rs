//! A large result to a client that decodes nothing: as texts, as binary values, and by `COPY` in binary.

use std::time::{Duration, Instant};

use futures::{TryStreamExt, pin_mut};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Place, Side, table};
use crate::reader::postgres::connect;
use crate::{Result, report};

/// A form, and how long each run of each side took.
pub struct Transferred {
    pub form: &'static str,
    pub ours: Vec<Duration>,
    pub postgres: Vec<Duration>,
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Binary,
    CopyBinary,
}

impl Form {
    const ALL: [(Form, &'static str); 3] = [
        (Form::Text, "text, simple query"),
        (Form::Binary, "binary, prepared"),
        (Form::CopyBinary, "COPY, binary"),
    ];

    /// The rows that came; of a copy its bytes.
    async fn read(self, client: &Client) -> Result<u64> {
        let sql = format!("select * from {}", table());
        let mut count = 0;
        match self {
            Form::Text => {
                let rows = client.simple_query_raw(&sql).await?;
                pin_mut!(rows);
                while let Some(message) = rows.try_next().await? {
                    count += u64::from(matches!(message, SimpleQueryMessage::Row(_)));
                }
            }
            Form::Binary => {
                let none: [&(dyn ToSql + Sync); 0] = [];
                let rows = client.query_raw(&sql, none).await?;
                pin_mut!(rows);
                while rows.try_next().await?.is_some() {
                    count += 1;
                }
            }
            Form::CopyBinary => {
                let copy = format!("copy ({sql}) to stdout (format binary)");
                let data = client.copy_out(&copy).await?;
                pin_mut!(data);
                while let Some(bytes) = data.try_next().await? {
                    count += bytes.len() as u64;
                }
            }
        }
        Ok(count)
    }
}

/// # Errors
/// If the sides do not give as many rows, or as many bytes of a copy.
pub async fn run(place: &Place, runs: usize) -> Result<Vec<Transferred>> {
    let ours = connect(&place.url(Side::Ours)).await?;
    let postgres = connect(&place.url(Side::Postgres)).await?;
    let mut all = Vec::new();
    for (form, name) in Form::ALL {
        report::note(name);
        let mut transferred = Transferred {
            form: name,
            ours: Vec::new(),
            postgres: Vec::new(),
        };
        for run in 0..=runs {
            let started = Instant::now();
            let here = form.read(&ours).await?;
            let took = started.elapsed();
            let started = Instant::now();
            let there = form.read(&postgres).await?;
            if here != there {
                return Err(format!("{name}: {here} here, {there} from PostgreSQL").into());
            }
            // The first run fills caches on both sides.
            if run > 0 {
                transferred.ours.push(took);
                transferred.postgres.push(started.elapsed());
            }
        }
        all.push(transferred);
    }
    Ok(all)
}
