//! Values of catalog tables, and their Arrow types.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryViewBuilder, BooleanArray, Float32Array, Float64Array, Int16Array, Int32Array,
    Int64Array, IntervalMonthDayNanoArray, ListArray, RecordBatch, StringViewArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType, Field, IntervalMonthDayNano, IntervalUnit, Schema, SchemaRef, TimeUnit,
};
use inflowave_types::{Error, PgType, Result};

use inflowave_engine::SYSTEM_COLUMNS;

use crate::data::{ColumnSpec, RelationSpec};

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// The items of an array, or the columns of a row.
    List(Vec<Value>),
    /// Microseconds.
    Interval(i64),
}

impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Value::Bool(v)
    }
}

impl From<u32> for Value {
    fn from(v: u32) -> Self {
        Value::Int(v.into())
    }
}

impl From<i16> for Value {
    fn from(v: i16) -> Self {
        Value::Int(v.into())
    }
}

impl From<i32> for Value {
    fn from(v: i32) -> Self {
        Value::Int(v.into())
    }
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Value::Int(v)
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Value::Text(v.to_owned())
    }
}

impl From<String> for Value {
    fn from(v: String) -> Self {
        Value::Text(v)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(v: Vec<T>) -> Self {
        Value::List(v.into_iter().map(Into::into).collect())
    }
}

/// The field of a column whose type is called `type_name` in `pg_type`; of rows with columns of
/// their own it is `(name type, name type)`.
pub(crate) fn field(name: &str, type_name: &str, nullable: bool) -> Field {
    let tagged = |data_type, tag: PgType| {
        Field::new(name, data_type, nullable)
            .with_metadata([(PgType::KEY.to_owned(), tag.to_string())].into())
    };
    if let Some(element) = type_name.strip_prefix('_') {
        return Field::new(
            name,
            DataType::List(Arc::new(field("item", element, true))),
            nullable,
        );
    }
    if let Some(row) = type_name.strip_prefix('(') {
        let columns = row.trim_end_matches(')').split(", ");
        let columns = columns.filter_map(|c| c.split_once(' '));
        let columns = columns.map(|(name, type_name)| field(name, type_name, true));
        let columns = DataType::Struct(columns.collect());
        return Field::new(name, columns, nullable);
    }
    let plain = |data_type| Field::new(name, data_type, nullable);
    match type_name {
        "bool" => plain(DataType::Boolean),
        "int2" => plain(DataType::Int16),
        "int4" => plain(DataType::Int32),
        "int8" => plain(DataType::Int64),
        "float4" => plain(DataType::Float32),
        "float8" => plain(DataType::Float64),
        "bytea" => plain(DataType::BinaryView),
        "timestamptz" => plain(DataType::Timestamp(
            TimeUnit::Microsecond,
            Some("UTC".into()),
        )),
        "interval" => plain(DataType::Interval(IntervalUnit::MonthDayNano)),
        "name" => tagged(DataType::Utf8View, PgType::Name),
        "char" => tagged(DataType::Utf8View, PgType::Char),
        "varchar" => tagged(DataType::Utf8View, PgType::Varchar(None)),
        "pg_node_tree" => tagged(DataType::Utf8View, PgType::NodeTree),
        "aclitem" => tagged(DataType::Utf8View, PgType::AclItem),
        "inet" => tagged(DataType::Utf8View, PgType::Inet),
        "pg_lsn" => tagged(DataType::Utf8View, PgType::Lsn),
        "oid" => tagged(DataType::Int64, PgType::Oid),
        "xid" => tagged(DataType::Int64, PgType::Xid),
        "regproc" => tagged(DataType::Int64, PgType::Regproc),
        "regprocedure" => tagged(DataType::Int64, PgType::Regprocedure),
        "regoperator" => tagged(DataType::Int64, PgType::Regoperator),
        "regdictionary" => tagged(DataType::Int64, PgType::Regdictionary),
        "regconfig" => tagged(DataType::Int64, PgType::Regconfig),
        "regcollation" => tagged(DataType::Int64, PgType::Regcollation),
        "regclass" => tagged(DataType::Int64, PgType::Regclass),
        "regtype" => tagged(DataType::Int64, PgType::Regtype),
        // As a client gets it.
        "regtype_name" => tagged(DataType::Utf8View, PgType::Regtype),
        "numeric" => plain(DataType::Decimal128(38, 0)),
        "regnamespace" => tagged(DataType::Int64, PgType::Regnamespace),
        "regrole" => tagged(DataType::Int64, PgType::Regrole),
        "int2vector" => {
            let item = Field::new_list_field(DataType::Int16, true);
            tagged(DataType::List(Arc::new(item)), PgType::Int2vector)
        }
        "oidvector" => {
            let item = Arc::new(field("item", "oid", true));
            tagged(DataType::List(item), PgType::Oidvector)
        }
        "anyarray" => {
            let item = Field::new_list_field(DataType::Utf8View, true);
            tagged(DataType::List(Arc::new(item)), PgType::Anyarray)
        }
        "void" => tagged(DataType::Utf8View, PgType::Void),
        _ => plain(DataType::Utf8View),
    }
}

/// The fields of a relation, with the system columns behind them if they are asked for.
pub(crate) fn schema(spec: &RelationSpec, system_columns: bool) -> SchemaRef {
    let fields = spec.columns.iter();
    let fields = fields.map(|c| field(c.name, c.type_name, !c.not_null));
    let own = SYSTEM_COLUMNS.iter().zip(["oid", "xid"]);
    let own = own.filter(|_| system_columns);
    let own = own.map(|(name, type_name)| field(name, type_name, false));
    Arc::new(Schema::new(fields.chain(own).collect::<Vec<Field>>()))
}

/// Rows of a relation, put together by the names of its columns.
pub(crate) struct Rows {
    spec: &'static RelationSpec,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    pub fn of(spec: &'static RelationSpec) -> Rows {
        Rows {
            spec,
            rows: Vec::new(),
        }
    }

    /// What is not given is NULL, or the empty value of a column that cannot be NULL.
    pub fn push<const N: usize>(&mut self, given: [(&str, Value); N]) {
        let columns = self.spec.columns.iter();
        let mut row: Vec<Value> = columns.map(empty).collect();
        for (name, value) in given {
            match self.spec.columns.iter().position(|c| c.name == name) {
                Some(at) => row[at] = value,
                None => debug_assert!(false, "{} has no column {name}", self.spec.name),
            }
        }
        self.rows.push(row);
    }

    /// A row in the words of PostgreSQL, in the order of the columns.
    pub fn push_text(&mut self, cells: &[&str]) {
        let columns = self.spec.columns.iter().zip(cells);
        let row = columns.map(|(column, cell)| match (*cell, column.type_name) {
            ("\\N", _) => Value::Null,
            (cell, "bool") => Value::Bool(cell == "t"),
            (cell, "int2" | "int4" | "int8" | "oid" | "regproc") => {
                cell.parse::<i64>().map_or(Value::Null, Value::Int)
            }
            (cell, _) => cell.into(),
        });
        self.rows.push(row.collect());
    }

    /// # Errors
    /// `XX000` for a NULL where none may be.
    pub fn finish(self) -> Result<RecordBatch> {
        let schema = schema(self.spec, false);
        let mut columns = Vec::with_capacity(schema.fields().len());
        for (index, field) in schema.fields().iter().enumerate() {
            let values = self.rows.iter().map(|row| &row[index]);
            columns.push(array(field.data_type(), values)?);
        }
        RecordBatch::try_new(schema, columns)
            .map_err(|e| Error::internal(format!("{}: {e}", self.spec.name)))
    }
}

fn empty(column: &ColumnSpec) -> Value {
    if !column.not_null {
        return Value::Null;
    }
    match column.type_name {
        "bool" => Value::Bool(false),
        "float4" | "float8" => Value::Float(0.0),
        "int2" | "int4" | "int8" | "oid" | "xid" | "regproc" | "regtype" => Value::Int(0),
        t if t.starts_with('_') || t.ends_with("vector") => Value::List(Vec::new()),
        _ => Value::Text(String::new()),
    }
}

/// Values as an array; one of another kind is NULL.
pub(crate) fn array<'a>(
    data_type: &DataType,
    values: impl Iterator<Item = &'a Value>,
) -> Result<ArrayRef> {
    let int = |v: &Value| match v {
        Value::Int(v) => Some(*v),
        _ => None,
    };
    let float = |v: &Value| match v {
        Value::Float(v) => Some(*v),
        _ => None,
    };
    Ok(match data_type {
        DataType::Boolean => Arc::new(
            values
                .map(|v| match v {
                    Value::Bool(v) => Some(*v),
                    _ => None,
                })
                .collect::<BooleanArray>(),
        ),
        DataType::Int16 => Arc::new(
            values
                .map(|v| int(v).and_then(|v| i16::try_from(v).ok()))
                .collect::<Int16Array>(),
        ),
        DataType::Int32 => Arc::new(
            values
                .map(|v| int(v).and_then(|v| i32::try_from(v).ok()))
                .collect::<Int32Array>(),
        ),
        DataType::Int64 => Arc::new(values.map(int).collect::<Int64Array>()),
        DataType::Float32 => Arc::new(
            values
                .map(|v| float(v).map(|v| v as f32))
                .collect::<Float32Array>(),
        ),
        DataType::Float64 => Arc::new(values.map(float).collect::<Float64Array>()),
        DataType::Timestamp(..) => Arc::new(
            values
                .map(int)
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        ),
        DataType::Interval(_) => Arc::new(
            values
                .map(|v| match v {
                    Value::Interval(micros) => Some(IntervalMonthDayNano::new(0, 0, micros * 1000)),
                    _ => None,
                })
                .collect::<IntervalMonthDayNanoArray>(),
        ),
        DataType::BinaryView => {
            let mut out = BinaryViewBuilder::new();
            for value in values {
                match value {
                    Value::Text(text) => out.append_value(text.as_bytes()),
                    _ => out.append_null(),
                }
            }
            Arc::new(out.finish())
        }
        DataType::List(item) => {
            let (mut lengths, mut valid, mut items) = (Vec::new(), Vec::new(), Vec::new());
            for value in values {
                match value {
                    Value::List(list) => {
                        lengths.push(list.len());
                        valid.push(true);
                        items.extend(list);
                    }
                    _ => {
                        lengths.push(0);
                        valid.push(false);
                    }
                }
            }
            let list = ListArray::try_new(
                Arc::clone(item),
                OffsetBuffer::from_lengths(lengths),
                array(item.data_type(), items.into_iter())?,
                Some(NullBuffer::from(valid)),
            );
            Arc::new(list.map_err(|e| Error::internal(e.to_string()))?)
        }
        DataType::Struct(fields) => {
            let rows: Vec<&Value> = values.collect();
            let mut columns = Vec::with_capacity(fields.len());
            for (at, field) in fields.iter().enumerate() {
                let column = rows.iter().map(|row| match row {
                    Value::List(row) => row.get(at).unwrap_or(&Value::Null),
                    _ => &Value::Null,
                });
                let column: Vec<&Value> = column.collect();
                columns.push(array(field.data_type(), column.into_iter())?);
            }
            let valid = rows.iter().map(|row| **row != Value::Null).collect();
            let rows = StructArray::try_new(fields.clone(), columns, Some(valid));
            Arc::new(rows.map_err(|e| Error::internal(e.to_string()))?)
        }
        _ => Arc::new(
            values
                .map(|v| match v {
                    Value::Text(v) => Some(v.as_str()),
                    _ => None,
                })
                .collect::<StringViewArray>(),
        ),
    })
}
