//! A whole answer as typed rows, and how to get one from a session.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, SchemaRef, TimeUnit};
use inflowave_query_api::{Portal, Session};
use inflowave_types::{Error, PgType, Result};

use crate::Value;

/// The PostgreSQL type of an output column, as far as answers are told apart by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    /// text, varchar, char(n), uuid, json, ..: their values are compared as text.
    Text,
    Bytea,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    List(Box<ColumnType>),
    /// Only NULLs: a type is not known.
    Unknown,
    /// Another one, by name.
    Other(String),
}

impl ColumnType {
    /// What PostgreSQL calls the type that an output field is sent as.
    pub fn of_field(field: &Field) -> ColumnType {
        match field.data_type() {
            DataType::Boolean => ColumnType::Bool,
            DataType::Int8 | DataType::Int16 | DataType::UInt8 => ColumnType::Int2,
            DataType::Int32 | DataType::UInt16 => ColumnType::Int4,
            DataType::Int64 | DataType::UInt32 => {
                if field
                    .metadata()
                    .get(PgType::KEY)
                    .is_some_and(|t| t == "oid")
                {
                    ColumnType::Other("oid".to_owned())
                } else {
                    ColumnType::Int8
                }
            }
            DataType::Float32 => ColumnType::Float4,
            DataType::Float64 => ColumnType::Float8,
            DataType::UInt64 | DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => {
                ColumnType::Numeric
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnType::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => ColumnType::Bytea,
            DataType::Date32 => ColumnType::Date,
            DataType::Time64(TimeUnit::Microsecond) => ColumnType::Time,
            DataType::Timestamp(TimeUnit::Microsecond, None) => ColumnType::Timestamp,
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => ColumnType::TimestampTz,
            DataType::Interval(_) => ColumnType::Interval,
            DataType::List(item) | DataType::LargeList(item) => {
                ColumnType::List(Box::new(ColumnType::of_field(item)))
            }
            DataType::Null => ColumnType::Unknown,
            other => ColumnType::Other(other.to_string()),
        }
    }

    /// The same but for the width of integers and floats.
    pub fn same_family(&self, other: &ColumnType) -> bool {
        let family = |t: &ColumnType| match t {
            ColumnType::Int2 | ColumnType::Int4 => ColumnType::Int8,
            ColumnType::Float4 => ColumnType::Float8,
            other => other.clone(),
        };
        *self == ColumnType::Unknown
            || *other == ColumnType::Unknown
            || family(self) == family(other)
    }
}

/// An output column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    pub name: String,
    pub ty: ColumnType,
}

/// An answer: its columns, and its rows in the order in which they came.
#[derive(Debug, Clone)]
pub struct Rows {
    pub columns: Vec<OutputColumn>,
    pub rows: Vec<Vec<Value>>,
}

impl Rows {
    /// No rows yet.
    pub fn of_schema(schema: &SchemaRef) -> Rows {
        let columns = schema
            .fields()
            .iter()
            .map(|field| OutputColumn {
                name: field.name().clone(),
                ty: ColumnType::of_field(field),
            })
            .collect();
        Rows {
            columns,
            rows: Vec::new(),
        }
    }

    /// # Errors
    /// `XX000` for a column of a type that no PostgreSQL type stands for.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            let values = batch
                .columns()
                .iter()
                .map(|column| Value::from_array(column, row))
                .collect::<Result<Vec<_>>>()?;
            self.rows.push(values);
        }
        Ok(())
    }

    /// The text of one column, NULL as the empty string: for `EXPLAIN` and system tables.
    pub fn texts(&self, column: &str) -> Vec<String> {
        let Some(index) = self.columns.iter().position(|c| c.name == column) else {
            return Vec::new();
        };
        self.rows
            .iter()
            .map(|row| match &row[index] {
                Value::Null => String::new(),
                other => crate::value::plain(other),
            })
            .collect()
    }
}

/// Runs a text of one or more statements and gives the answer of the last one; a statement
/// without rows gives none.
///
/// # Errors
/// Those of the statements; the transaction of the session is then failed, as a front end does it.
pub async fn ask(session: &mut dyn Session, sql: &str) -> Result<Rows> {
    let mut answer = Rows {
        columns: Vec::new(),
        rows: Vec::new(),
    };
    for statement in session.split(sql)? {
        let prepared = session.prepare(&statement, None).await?;
        let schema = prepared.schema.clone();
        let mut portal = session.execute(prepared).await?;
        answer = match schema {
            Some(schema) => Rows::of_schema(&schema),
            None => Rows {
                columns: Vec::new(),
                rows: Vec::new(),
            },
        };
        if let Err(error) = drain(portal.as_mut(), &mut answer).await {
            drop(portal);
            session.fail_transaction();
            return Err(error);
        }
    }
    Ok(answer)
}

async fn drain(portal: &mut dyn Portal, answer: &mut Rows) -> Result<(), Error> {
    while let Some(batch) = portal.next().await? {
        answer.push(&batch)?;
    }
    Ok(())
}
