//! The types of SQL text.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, CharacterLength, DataType as SqlType, ExactNumberInfo, TimezoneInfo,
};
use inflowave_types::{PgType, SqlState};

use crate::raise::raise;
use crate::types;

/// The name of the field of a cast that stands in the SQL text. DataFusion adds casts of its own
/// while it plans `VALUES`, which must be told apart.
pub(crate) const EXPLICIT: &str = "explicit";

/// The same for `numeric` without a precision, which keeps the digits that it is given.
pub(crate) const UNCONSTRAINED: &str = "unconstrained";

/// Digits of a numeric at most, in 256 bits.
const PRECISION_MAX: u64 = 76;

/// PostgreSQL's types as Arrow's: times in microseconds, texts as views, numerics in 128 bits up to
/// 38 digits and in 256 up to 76. What Arrow cannot tell apart goes into the metadata.
#[derive(Debug, Default)]
pub struct PgTypePlanner;

impl TypePlanner for PgTypePlanner {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let plain = |t: DataType| Ok(Some(Arc::new(Field::new(EXPLICIT, t, true)) as FieldRef));
        let marked = |mark: PgType| {
            let field = Field::new(EXPLICIT, DataType::Utf8View, true)
                .with_metadata([(PgType::KEY.to_owned(), mark.to_string())].into());
            Ok(Some(Arc::new(field) as FieldRef))
        };
        // Printed as names or by a form of their own, they are numbers until then.
        let number = |mark: PgType| {
            let field = Field::new(EXPLICIT, DataType::Int64, true)
                .with_metadata([(PgType::KEY.to_owned(), mark.to_string())].into());
            Ok(Some(Arc::new(field) as FieldRef))
        };
        match sql_type {
            SqlType::Regclass => number(PgType::Regclass),
            SqlType::Boolean | SqlType::Bool => plain(DataType::Boolean),
            SqlType::SmallInt(None) | SqlType::Int2(None) => plain(DataType::Int16),
            SqlType::Int(None) | SqlType::Integer(None) | SqlType::Int4(None) => {
                plain(DataType::Int32)
            }
            SqlType::BigInt(None) | SqlType::Int8(None) => plain(DataType::Int64),
            SqlType::Real | SqlType::Float4 => plain(DataType::Float32),
            SqlType::Float(ExactNumberInfo::Precision(n)) if *n <= 24 => plain(DataType::Float32),
            SqlType::Double(ExactNumberInfo::None)
            | SqlType::DoublePrecision
            | SqlType::Float8
            | SqlType::Float(_) => plain(DataType::Float64),
            SqlType::Numeric(ExactNumberInfo::None)
            | SqlType::Decimal(ExactNumberInfo::None)
            | SqlType::Dec(ExactNumberInfo::None) => Ok(Some(Arc::new(Field::new(
                UNCONSTRAINED,
                types::NUMERIC,
                true,
            )))),
            SqlType::Numeric(n) | SqlType::Decimal(n) | SqlType::Dec(n) => plain(numeric(*n)?),
            SqlType::Text => plain(DataType::Utf8View),
            SqlType::Varchar(n)
            | SqlType::CharacterVarying(n)
            | SqlType::CharVarying(n)
            | SqlType::Nvarchar(n) => {
                let n = n.as_ref().map(|n| length(n, "varchar")).transpose()?;
                marked(PgType::Varchar(n))
            }
            SqlType::Char(n) | SqlType::Character(n) => {
                let n = n.as_ref().map_or(Ok(1), |n| length(n, "char"))?;
                marked(PgType::Bpchar(Some(n)))
            }
            SqlType::Uuid => marked(PgType::Uuid),
            SqlType::JSON => marked(PgType::Json),
            SqlType::JSONB => marked(PgType::Jsonb),
            SqlType::Bytea => plain(DataType::BinaryView),
            SqlType::Date => plain(DataType::Date32),
            SqlType::Timestamp(precision, zone) => {
                fraction(*precision, "timestamp")?;
                plain(match zone {
                    TimezoneInfo::Tz | TimezoneInfo::WithTimeZone => types::timestamptz(),
                    _ => types::TIMESTAMP,
                })
            }
            SqlType::Time(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
                fraction(*precision, "time")?;
                plain(types::TIME)
            }
            SqlType::Interval {
                fields: None,
                precision: None,
            } => plain(types::INTERVAL),
            SqlType::Array(
                ArrayElemTypeDef::SquareBracket(inner, _) | ArrayElemTypeDef::AngleBracket(inner),
            ) => match self.plan_type_field(inner)? {
                Some(item) => plain(DataType::List(Arc::new(
                    item.as_ref().clone().with_name("item"),
                ))),
                None => Ok(None),
            },
            SqlType::Custom(name, modifiers) => {
                let name = name.to_string().to_lowercase();
                let limit = modifiers.first().and_then(|m| m.parse().ok());
                let bare = name.trim_start_matches("pg_catalog.");
                // Without the quotes it is `char(1)`.
                if bare == "\"char\"" {
                    return marked(PgType::Char);
                }
                match bare.trim_matches('"') {
                    "text" => plain(DataType::Utf8View),
                    "varchar" => marked(PgType::Varchar(limit)),
                    "char" | "character" => marked(PgType::Bpchar(limit.or(Some(1)))),
                    "numeric" => Ok(Some(Arc::new(Field::new(
                        UNCONSTRAINED,
                        types::NUMERIC,
                        true,
                    )))),
                    "date" => plain(DataType::Date32),
                    "time" => plain(types::TIME),
                    "timestamp" => plain(types::TIMESTAMP),
                    "interval" => plain(types::INTERVAL),
                    "bytea" => plain(DataType::BinaryView),
                    "uuid" => marked(PgType::Uuid),
                    "json" => marked(PgType::Json),
                    "jsonb" => marked(PgType::Jsonb),
                    "oid" => number(PgType::Oid),
                    "xid" => number(PgType::Xid),
                    "regclass" => number(PgType::Regclass),
                    "regtype" => number(PgType::Regtype),
                    "regproc" => number(PgType::Regproc),
                    "regprocedure" => number(PgType::Regprocedure),
                    "regoperator" => number(PgType::Regoperator),
                    "regdictionary" => number(PgType::Regdictionary),
                    "regconfig" => number(PgType::Regconfig),
                    "regcollation" => number(PgType::Regcollation),
                    "aclitem" => marked(PgType::AclItem),
                    "regnamespace" => number(PgType::Regnamespace),
                    "regrole" => number(PgType::Regrole),
                    "timestamptz" => plain(types::timestamptz()),
                    "bpchar" => marked(PgType::Bpchar(limit)),
                    "name" => marked(PgType::Name),
                    "citext" => marked(PgType::Citext),
                    "inet" => marked(PgType::Inet),
                    "int2" => plain(DataType::Int16),
                    "int4" => plain(DataType::Int32),
                    "int8" => plain(DataType::Int64),
                    "float4" => plain(DataType::Float32),
                    "float8" => plain(DataType::Float64),
                    "bool" => plain(DataType::Boolean),
                    _ => Err(raise(
                        SqlState::UndefinedObject,
                        format!("type \"{name}\" does not exist"),
                    )),
                }
            }
            other => Err(raise(
                SqlState::FeatureNotSupported,
                format!("type {} is not supported", other.to_string().to_lowercase()),
            )),
        }
    }
}

fn numeric(info: ExactNumberInfo) -> Result<DataType> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Ok(types::NUMERIC),
        ExactNumberInfo::Precision(p) => (p, 0),
        ExactNumberInfo::PrecisionAndScale(p, s) => (p, s),
    };
    if precision == 0 || precision > PRECISION_MAX {
        return Err(raise(
            SqlState::InvalidParameterValue,
            format!("NUMERIC precision {precision} must be between 1 and {PRECISION_MAX}"),
        ));
    }
    if scale < 0 || scale as u64 > precision {
        return Err(raise(
            SqlState::InvalidParameterValue,
            format!("NUMERIC scale {scale} must be between 0 and precision {precision}"),
        ));
    }
    Ok(types::exact_decimal(precision as i16, scale as i16))
}

fn length(n: &CharacterLength, type_name: &str) -> Result<u32> {
    match n {
        CharacterLength::IntegerLength { length, .. } if (1..=10_485_760).contains(length) => {
            Ok(*length as u32)
        }
        CharacterLength::IntegerLength { length: 0, .. } => Err(raise(
            SqlState::InvalidParameterValue,
            format!("length for type {type_name} must be at least 1"),
        )),
        _ => Err(raise(
            SqlState::InvalidParameterValue,
            format!("length for type {type_name} cannot exceed 10485760"),
        )),
    }
}

/// Times always have six digits; fewer would have to be rounded to.
fn fraction(precision: Option<u64>, type_name: &str) -> Result<()> {
    match precision {
        None | Some(6) => Ok(()),
        Some(n) => Err(raise(
            SqlState::FeatureNotSupported,
            format!("{type_name}({n}) is not supported, only {type_name} and {type_name}(6)"),
        )),
    }
}
