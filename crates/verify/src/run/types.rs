//! Which columns queries may name: those whose PostgreSQL type the generator knows.

use arrow::datatypes::{DataType, Field, TimeUnit};
use inflowave_types::PgType;

use crate::generate::ast::Ty;

/// The generator's type of a column.
///
/// # Errors
/// The name of a type that it does not know.
pub(super) fn ty_of(field: &Field) -> Result<Ty, String> {
    let pg: Option<PgType> = field
        .metadata()
        .get(PgType::KEY)
        .and_then(|t| t.parse().ok());
    Ok(match field.data_type() {
        DataType::Boolean => Ty::Bool,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => Ty::Int2,
        DataType::Int32 | DataType::UInt16 => Ty::Int4,
        DataType::Int64 | DataType::UInt32 if pg.is_none() => Ty::Int8,
        DataType::UInt64 => Ty::Numeric(20, 0),
        DataType::Float64 => Ty::Float,
        DataType::Decimal128(p, s) if *s >= 0 => Ty::Numeric((*p).into(), s.unsigned_abs().into()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => match pg {
            None | Some(PgType::Text | PgType::Varchar(_)) => Ty::Text,
            Some(PgType::Bpchar(_)) => Ty::Char,
            Some(PgType::Uuid) => Ty::Uuid,
            Some(other) => return Err(other.to_string()),
        },
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Ty::Bytes,
        DataType::Date32 => Ty::Date,
        DataType::Timestamp(TimeUnit::Microsecond, None) => Ty::Timestamp,
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Ty::TimestampTz,
        DataType::Float32 => return Err("real".to_owned()),
        DataType::Time64(_) => return Err("time".to_owned()),
        DataType::Interval(_) => return Err("interval".to_owned()),
        DataType::List(_) | DataType::LargeList(_) => return Err("array".to_owned()),
        other => return Err(pg.map_or_else(|| other.to_string(), |pg| pg.to_string())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_share_an_arrow_type_are_told_apart() {
        let field = |data_type, pg: Option<PgType>| {
            let metadata = pg.map(|pg| (PgType::KEY.to_owned(), pg.to_string()));
            Field::new("c", data_type, true).with_metadata(metadata.into_iter().collect())
        };
        let text = |pg| ty_of(&field(DataType::Utf8View, pg));
        assert_eq!(text(None), Ok(Ty::Text));
        assert_eq!(text(Some(PgType::Bpchar(Some(3)))), Ok(Ty::Char));
        assert_eq!(text(Some(PgType::Uuid)), Ok(Ty::Uuid));
        assert_eq!(text(Some(PgType::Jsonb)), Err("jsonb".to_owned()));
        let numeric = ty_of(&field(DataType::Decimal128(15, 2), None));
        assert_eq!(numeric, Ok(Ty::Numeric(15, 2)));
        assert_eq!(
            ty_of(&field(DataType::Float32, None)),
            Err("real".to_owned())
        );
        assert_eq!(
            ty_of(&field(DataType::Int64, Some(PgType::Oid))),
            Err("oid".to_owned())
        );
    }
}
