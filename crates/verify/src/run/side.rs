//! A session that answers, with pushdown and without, within limits of time and rows.

use std::time::Duration;

use arrow::datatypes::SchemaRef;
use inflowave_query_api::{QueryService, Session, SessionStart};
use inflowave_types::{Error, Result};

use crate::compare::{Answer, Failure};
use crate::{Rows, Value};

/// What a side gave.
pub(super) enum Asked {
    Answer(Answer),
    /// It was stopped, and why.
    Stopped(&'static str),
}

/// Where a query is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Pushed,
    Local,
}

pub(super) struct Asker<'a> {
    service: &'a dyn QueryService,
    timeout: Duration,
    rows_max: usize,
    session: Option<Box<dyn Session>>,
    /// The session's, if it was set.
    side: Option<Side>,
    /// The session reads each source in one state, where the source has one.
    frozen: bool,
}

/// How many rows a reader of batches still wants.
enum Wants {
    More,
    Enough,
}

impl<'a> Asker<'a> {
    pub fn new(service: &'a dyn QueryService, timeout: Duration, rows_max: usize) -> Asker<'a> {
        Asker {
            service,
            timeout,
            rows_max,
            session: None,
            side: None,
            frozen: false,
        }
    }

    /// From here on sources are read in the state of now, those that have such a thing.
    ///
    /// # Errors
    /// `57014` when it takes too long.
    pub async fn freeze(&mut self) -> Result<()> {
        self.thaw().await?;
        self.command("BEGIN ISOLATION LEVEL REPEATABLE READ")
            .await?;
        // An error fails the transaction, which goes on from here.
        self.command("SAVEPOINT asked").await?;
        self.frozen = true;
        Ok(())
    }

    /// Sources are read as they are again.
    ///
    /// # Errors
    /// `57014` when it takes too long.
    pub async fn thaw(&mut self) -> Result<()> {
        match std::mem::take(&mut self.frozen) {
            true => self.command("ROLLBACK").await,
            false => Ok(()),
        }
    }

    /// A whole answer. One that takes too long or has too many rows is stopped; its session ends
    /// with it, and so does what it ran.
    pub async fn ask(&mut self, side: Side, sql: &str) -> Asked {
        let rows_max = self.rows_max;
        let mut rows: Option<Rows> = None;
        let mut more = false;
        let mut take = |schema: &SchemaRef, row: Option<Vec<Value>>| {
            let all = rows.get_or_insert_with(|| Rows::of_schema(schema));
            if let Some(row) = row {
                more = all.rows.len() >= rows_max;
                if more {
                    return Wants::Enough;
                }
                all.rows.push(row);
            }
            Wants::More
        };
        if let Err(error) = self.turn(side).await {
            return Asked::Answer(Err(Failure::from(error)));
        }
        match self.read(sql, &mut take).await {
            None => Asked::Stopped("an answer took longer than --query-timeout"),
            Some(Ok(())) if more => Asked::Stopped("an answer has too many rows"),
            Some(Ok(())) => Asked::Answer(Ok(rows.unwrap_or(Rows {
                columns: Vec::new(),
                rows: Vec::new(),
            }))),
            Some(Err(error)) => Asked::Answer(Err(Failure::from(error))),
        }
    }

    /// The rows of a statement, computed with pushdown, each given to `each`, at most `rows_max` of
    /// them; `false` if there are more.
    ///
    /// # Errors
    /// The statement's; `57014` when it takes too long.
    pub async fn rows(
        &mut self,
        sql: &str,
        rows_max: usize,
        each: &mut (dyn FnMut(&[Value]) + Send),
    ) -> Result<bool> {
        let (mut read, mut whole) = (0, true);
        let mut take = |_: &SchemaRef, row: Option<Vec<Value>>| match row {
            Some(_) if read >= rows_max => {
                whole = false;
                Wants::Enough
            }
            Some(row) => {
                read += 1;
                each(&row);
                Wants::More
            }
            None => Wants::More,
        };
        self.turn(Side::Pushed).await?;
        match self.read(sql, &mut take).await {
            Some(done) => done.map(|()| whole),
            None => Err(too_slow()),
        }
    }

    /// The texts of a statement's first column.
    ///
    /// # Errors
    /// The statement's; `57014` when it takes too long.
    pub async fn column(&mut self, sql: &str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        let limit = self.rows_max;
        self.rows(sql, limit, &mut |row| {
            if let Some(Value::Text(text)) = row.first() {
                texts.push(text.clone());
            }
        })
        .await?;
        Ok(texts)
    }

    /// The columns of a query, which does not run.
    ///
    /// # Errors
    /// The statement's; `57014` when it takes too long.
    pub async fn schema(&mut self, sql: &str) -> Result<Option<SchemaRef>> {
        let timeout = self.timeout;
        let prepared = async {
            let session = self.session().await?;
            let statements = session.split(sql)?;
            match statements.first() {
                Some(statement) => Ok(session.prepare(statement, None).await?.schema),
                None => Ok(None),
            }
        };
        let prepared = tokio::time::timeout(timeout, prepared).await;
        prepared.unwrap_or_else(|_| Err(too_slow()))
    }

    /// What the session asks next is computed there.
    async fn turn(&mut self, side: Side) -> Result<()> {
        if self.session.is_some() && self.side == Some(side) {
            return Ok(());
        }
        let pushdown = match side {
            Side::Pushed => "on",
            Side::Local => "off",
        };
        let set = format!("SET inflowave.pushdown = {pushdown}");
        self.command(&set).await?;
        self.side = Some(side);
        Ok(())
    }

    /// A statement without rows.
    async fn command(&mut self, sql: &str) -> Result<()> {
        let done = self.read(sql, &mut |_, _| Wants::More).await;
        done.unwrap_or_else(|| Err(too_slow()))
    }

    async fn session(&mut self) -> Result<&mut Box<dyn Session>> {
        if self.session.is_none() {
            let start = SessionStart {
                user: "verify".to_owned(),
                application_name: Some("inflowave verify".to_owned()),
                client: "in process".to_owned(),
                protocol: "command",
                ..SessionStart::default()
            };
            self.session = Some(self.service.open_session(start).await?);
            self.side = None;
            self.frozen = false;
        }
        match &mut self.session {
            Some(session) => Ok(session),
            None => Err(Error::internal("a session that was opened is not there")),
        }
    }

    /// Gives the schema (without a row) and then each row to `take`; `None` when it takes too long.
    async fn read(
        &mut self,
        sql: &str,
        take: &mut (dyn FnMut(&SchemaRef, Option<Vec<Value>>) -> Wants + Send),
    ) -> Option<Result<()>> {
        let timeout = self.timeout;
        let reading = async {
            let session = self.session().await?;
            for statement in session.split(sql)? {
                let prepared = session.prepare(&statement, None).await?;
                let schema = prepared.schema.clone();
                let mut portal = session.execute(prepared).await?;
                if let Some(schema) = &schema {
                    take(schema, None);
                }
                while let Some(batch) = portal.next().await? {
                    for row in 0..batch.num_rows() {
                        let values = batch.columns().iter();
                        let values = values.map(|column| Value::from_array(column, row));
                        let values = values.collect::<Result<Vec<_>>>()?;
                        if matches!(take(batch.schema_ref(), Some(values)), Wants::Enough) {
                            return Ok(());
                        }
                    }
                }
            }
            Ok(())
        };
        match tokio::time::timeout(timeout, reading).await {
            Ok(Err(error)) if self.frozen && sql != RECOVER => {
                match Box::pin(self.command(RECOVER)).await {
                    Ok(()) => {}
                    // The session is of no more use.
                    Err(_) => self.session = None,
                }
                Some(Err(error))
            }
            Ok(done) => Some(done),
            Err(_) => {
                self.session = None;
                None
            }
        }
    }
}

/// Sent after an error in a transaction.
const RECOVER: &str = "ROLLBACK TO SAVEPOINT asked";

fn too_slow() -> Error {
    Error::new(
        inflowave_types::SqlState::QueryCanceled,
        "no answer within --query-timeout",
    )
}
