//! The nouns of printing: a piece of SQL with what is known of it, or the reason why there is none.

use std::borrow::Cow;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::ScalarValue;
use inflowave_connector_api::ColumnFacts;

/// Why a dialect does not say something; shown to users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub Cow<'static, str>);

impl Refusal {
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Refusal(reason.into())
    }
}

impl From<inflowave_types::Error> for Refusal {
    fn from(error: inflowave_types::Error) -> Self {
        Refusal(error.message().to_owned().into())
    }
}

/// SQL that means exactly what was asked, or the reason why it cannot be said.
pub type Answer<T> = Result<T, Refusal>;

pub(crate) fn refuse<T>(reason: impl Into<Cow<'static, str>>) -> Answer<T> {
    Err(Refusal::new(reason))
}

/// A column as the source has it: its native type, compared the source's way.
#[derive(Debug, Clone)]
pub struct RawColumn {
    pub sql: String,
    pub facts: ColumnFacts,
}

impl RawColumn {
    /// The source's own type, as it spells it; empty when it is not known.
    pub fn native(&self) -> &str {
        self.facts.column().map_or("", |c| c.native_type.as_str())
    }
}

/// A piece of SQL that computes a value of one of our types. It can stand as an operand of any
/// operator: it is an atom, a call, or in parentheses.
#[derive(Debug, Clone)]
pub struct Value {
    pub sql: String,
    pub data_type: DataType,
    /// Set for a constant.
    pub literal: Option<ScalarValue>,
    /// Set for a column that stands there as its source has it.
    pub raw: Option<RawColumn>,
    /// What is known of the column, if it is one, whether or not it is still as its source has it.
    pub facts: Option<ColumnFacts>,
    /// Bounds of the digits (all, behind the point) of a decimal as the source derives them.
    pub digits: (u32, u32),
}

impl Value {
    pub fn computed(sql: String, data_type: DataType) -> Value {
        let digits = declared_digits(&data_type);
        Value {
            sql,
            data_type,
            literal: None,
            raw: None,
            facts: None,
            digits,
        }
    }

    pub fn boolean(sql: String) -> Value {
        Value::computed(sql, DataType::Boolean)
    }

    /// The text of a constant, if it is one.
    pub fn text_literal(&self) -> Option<&str> {
        self.literal.as_ref().and_then(text_of)
    }

    /// A whole number, if it is a constant one.
    pub fn integer_literal(&self) -> Option<i128> {
        match self.literal.as_ref()? {
            ScalarValue::Int8(v) => v.map(i128::from),
            ScalarValue::Int16(v) => v.map(i128::from),
            ScalarValue::Int32(v) => v.map(i128::from),
            ScalarValue::Int64(v) => v.map(i128::from),
            _ => None,
        }
    }

    pub fn kind(&self) -> Answer<Kind> {
        Kind::of(&self.data_type)
    }
}

/// The text in a constant of a text type; `None` for NULL and for other types.
pub fn text_of(value: &ScalarValue) -> Option<&str> {
    match value {
        ScalarValue::Utf8(v) | ScalarValue::LargeUtf8(v) | ScalarValue::Utf8View(v) => v.as_deref(),
        _ => None,
    }
}

fn declared_digits(data_type: &DataType) -> (u32, u32) {
    match data_type {
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => {
            (u32::from(*p), u32::try_from(*s).unwrap_or(0))
        }
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        _ => (20, 0),
    }
}

/// Types that are compared alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Int,
    Decimal,
    Float,
    Bool,
    Text,
    Binary,
    Date,
    Timestamp { utc: bool },
    Time,
}

impl Kind {
    pub fn of(data_type: &DataType) -> Answer<Kind> {
        Ok(match data_type {
            DataType::Null => Kind::Null,
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64 => Kind::Int,
            DataType::Decimal128(_, s) | DataType::Decimal256(_, s) if *s >= 0 => Kind::Decimal,
            DataType::Float32 | DataType::Float64 => Kind::Float,
            DataType::Boolean => Kind::Bool,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Kind::Binary,
            DataType::Date32 => Kind::Date,
            DataType::Timestamp(TimeUnit::Microsecond, zone) => Kind::Timestamp {
                utc: zone.is_some(),
            },
            DataType::Time64(TimeUnit::Microsecond) => Kind::Time,
            DataType::Interval(_) => return refuse("intervals are computed here"),
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
                return refuse("arrays are computed here");
            }
            other => return refuse(format!("values of the type {other} are computed here")),
        })
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    Distinct,
    NotDistinct,
}

impl Compare {
    /// The operator, for the six that every dialect spells alike.
    pub fn symbol(self) -> Option<&'static str> {
        Some(match self {
            Compare::Eq => "=",
            Compare::NotEq => "<>",
            Compare::Lt => "<",
            Compare::LtEq => "<=",
            Compare::Gt => ">",
            Compare::GtEq => ">=",
            Compare::Distinct | Compare::NotDistinct => return None,
        })
    }

    /// Only the equality of the two sides matters, not their order.
    pub fn is_equality(self) -> bool {
        matches!(
            self,
            Compare::Eq | Compare::NotEq | Compare::Distinct | Compare::NotDistinct
        )
    }
}

/// An arithmetic operator over numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl Arithmetic {
    pub fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Sub => "-",
            Arithmetic::Mul => "*",
            Arithmetic::Div => "/",
            Arithmetic::Rem => "%",
        }
    }
}

/// A key of `GROUP BY`.
#[derive(Debug, Clone)]
pub struct GroupKey {
    /// What stands behind `GROUP BY`.
    pub by: String,
    /// What gives the key's value in the select list.
    pub out: String,
    /// The value in `out` is still the column as its source has it.
    pub raw: bool,
}
