//! PostgreSQL by `tokio-postgres`: rows streamed in the binary protocol.

use async_trait::async_trait;
use futures::TryStreamExt;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Row};

use super::{Answer, Reader, parse};
use crate::{Result, report};

pub struct Postgres {
    client: Client,
    sql: String,
    column: usize,
}

impl Postgres {
    pub async fn open(url: &str, sql: String, column: usize) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Postgres {
            client: connect(url).await?,
            sql,
            column,
        }))
    }
}

#[async_trait]
impl Reader for Postgres {
    fn name(&self) -> &'static str {
        "tokio-postgres"
    }

    async fn read(&mut self) -> Result<Answer> {
        let nothing: [&str; 0] = [];
        let rows = self.client.query_raw(&self.sql, nothing).await?;
        futures::pin_mut!(rows);
        let (mut count, mut sum) = (0, 0);
        while let Some(row) = rows.try_next().await? {
            count += 1;
            sum += value(&row, self.column)?;
        }
        Ok(Answer {
            rows: count,
            sum: Some(sum),
        })
    }
}

fn value(row: &Row, column: usize) -> Result<i128> {
    match *row.columns()[column].type_() {
        Type::INT4 => Ok(row.try_get::<_, i32>(column)?.into()),
        Type::INT8 => Ok(row.try_get::<_, i64>(column)?.into()),
        Type::TEXT => parse(row.try_get(column)?),
        ref other => Err(format!("cannot check a column of type {other}").into()),
    }
}

/// A connection that is driven until its client is dropped.
pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            report::note(&format!("the connection to PostgreSQL ended: {error}"));
        }
    });
    Ok(client)
}
