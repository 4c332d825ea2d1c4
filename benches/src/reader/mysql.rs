//! MariaDB or MySQL by `mysql_async`: rows streamed in the text protocol.

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Value};

use super::{Answer, Reader, parse};
use crate::Result;

pub struct MySql {
    conn: Conn,
    sql: String,
    column: usize,
}

impl MySql {
    pub async fn open(url: &str, sql: String, column: usize) -> Result<Box<dyn Reader>> {
        Ok(Box::new(MySql {
            conn: Conn::from_url(url).await?,
            sql,
            column,
        }))
    }
}

#[async_trait]
impl Reader for MySql {
    fn name(&self) -> &'static str {
        "mysql_async"
    }

    async fn read(&mut self) -> Result<Answer> {
        let mut rows = self.conn.query_iter(&self.sql).await?;
        let (mut count, mut sum) = (0, 0);
        while let Some(row) = rows.next().await? {
            count += 1;
            sum += match row.as_ref(self.column) {
                Some(Value::Bytes(text)) => parse(std::str::from_utf8(text)?)?,
                other => return Err(format!("cannot check the value {other:?}").into()),
            };
        }
        Ok(Answer {
            rows: count,
            sum: Some(sum),
        })
    }
}
