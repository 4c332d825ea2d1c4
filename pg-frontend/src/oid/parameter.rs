//! The Arrow field of a type OID that a client declares for a parameter: what
//! [`super::WireType::of`] does, backwards.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};
use inflowave_types::{Error, PgType, Result, SqlState};

/// PostgreSQL's pseudo-type of a literal whose type its place tells.
const UNKNOWN: u32 = 705;
/// `numeric` without precision and scale, as the engine keeps it. A value that comes in binary
/// keeps the scale that it came with.
const NUMERIC: DataType = DataType::Decimal128(38, 16);

/// The field that `oid` declares for parameter `number`, counted from 1; `None` if it leaves the
/// type to the statement.
///
/// # Errors
/// `42704` for a type that this server does not know.
pub fn parameter(oid: u32, number: usize) -> Result<Option<FieldRef>> {
    if oid == 0 || oid == UNKNOWN {
        return Ok(None);
    }
    let name = format!("${number}");
    let scalar = |oid| scalar(oid).map(|(t, pg_type)| field(&name, t, pg_type));
    let declared = match array_element(oid) {
        Some(element) => scalar(element).map(|element| {
            let item = Arc::new(element.with_name(Field::LIST_FIELD_DEFAULT_NAME));
            Field::new(&name, DataType::List(item), true)
        }),
        None => scalar(oid),
    };
    match declared {
        Some(declared) => Ok(Some(Arc::new(declared))),
        None => Err(Error::new(
            SqlState::UndefinedObject,
            format!("type with OID {oid} does not exist"),
        )
        .with_hint(format!(
            "Declare no type (0) for parameter ${number} and cast it in the statement, for example \
             as ${number}::text."
        ))),
    }
}

fn field(name: &str, data_type: DataType, pg_type: Option<PgType>) -> Field {
    let field = Field::new(name, data_type, true);
    match pg_type {
        Some(t) => field.with_metadata([(PgType::KEY.to_owned(), t.to_string())].into()),
        None => field,
    }
}

fn scalar(oid: u32) -> Option<(DataType, Option<PgType>)> {
    let tagged = |pg_type| Some((DataType::Utf8, Some(pg_type)));
    match oid {
        19 => return tagged(PgType::Name),
        26 => return Some((DataType::UInt32, Some(PgType::Oid))),
        114 => return tagged(PgType::Json),
        // A network is an address with the bits of its mask.
        650 | 869 => return tagged(PgType::Inet),
        1042 => return tagged(PgType::Bpchar(None)),
        1043 => return tagged(PgType::Varchar(None)),
        2950 => return tagged(PgType::Uuid),
        3802 => return tagged(PgType::Jsonb),
        _ => {}
    }
    let plain = match oid {
        16 => DataType::Boolean,
        17 => DataType::Binary,
        20 => DataType::Int64,
        21 => DataType::Int16,
        23 => DataType::Int32,
        25 => DataType::Utf8,
        700 => DataType::Float32,
        701 => DataType::Float64,
        1082 => DataType::Date32,
        1083 => DataType::Time64(TimeUnit::Microsecond),
        1114 => DataType::Timestamp(TimeUnit::Microsecond, None),
        1184 => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        1186 => DataType::Interval(IntervalUnit::MonthDayNano),
        1700 => NUMERIC,
        _ => return None,
    };
    Some((plain, None))
}

/// `typelem` of `pg_type` for the arrays of all types that a parameter can have.
pub fn array_element(oid: u32) -> Option<u32> {
    Some(match oid {
        199 => 114,
        651 => 650,
        1000 => 16,
        1001 => 17,
        1003 => 19,
        1005 => 21,
        1007 => 23,
        1009 => 25,
        1014 => 1042,
        1015 => 1043,
        1016 => 20,
        1021 => 700,
        1022 => 701,
        1028 => 26,
        1041 => 869,
        1115 => 1114,
        1182 => 1082,
        1183 => 1083,
        1185 => 1184,
        1187 => 1186,
        1231 => 1700,
        2951 => 2950,
        3807 => 3802,
        _ => return None,
    })
}

/// A type's name in a message, as `format_type` gives it.
pub fn name(oid: u32) -> &'static str {
    match oid {
        16 => "boolean",
        17 => "bytea",
        19 => "name",
        20 => "bigint",
        21 => "smallint",
        23 => "integer",
        25 => "text",
        26 => "oid",
        114 => "json",
        650 => "cidr",
        700 => "real",
        701 => "double precision",
        869 => "inet",
        1042 => "character",
        1043 => "character varying",
        1082 => "date",
        1083 => "time without time zone",
        1114 => "timestamp without time zone",
        1184 => "timestamp with time zone",
        1186 => "interval",
        1700 => "numeric",
        2950 => "uuid",
        3802 => "jsonb",
        _ => "???",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oid::WireType;

    #[test]
    fn a_declared_type_is_described_as_it_was_declared() {
        let scalars = [
            16, 17, 19, 20, 21, 23, 25, 26, 114, 700, 701, 869, 1042, 1043, 1082, 1083, 1114, 1184,
            1186, 1700, 2950, 3802,
        ];
        let arrays = [
            199, 1000, 1001, 1003, 1005, 1007, 1009, 1014, 1015, 1016, 1021, 1022, 1028, 1041,
            1115, 1182, 1183, 1185, 1187, 1231, 2951, 3807,
        ];
        for oid in scalars.into_iter().chain(arrays) {
            let field = parameter(oid, 3).unwrap().unwrap();
            assert_eq!(field.name(), "$3");
            assert_eq!(WireType::of(&field).unwrap().oid, oid);
        }
        for oid in scalars {
            assert_ne!(name(oid), "???", "{oid}");
        }
    }

    #[test]
    fn no_type_is_left_to_the_statement_and_an_unknown_one_refused() {
        assert_eq!(parameter(0, 1), Ok(None));
        assert_eq!(parameter(705, 1), Ok(None));
        let error = parameter(2205, 2).unwrap_err();
        assert_eq!(error.sqlstate().code(), "42704");
        assert_eq!(error.message(), "type with OID 2205 does not exist");
        assert!(error.hint().unwrap().contains("$2::text"));
    }
}
