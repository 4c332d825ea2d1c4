//! From a declared type to ours: the table at the top of the crate, as code.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, TimeUnit};
use inflowave_types::PgType;

/// What a declared type means here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    pub data_type: DataType,
    /// What Arrow cannot tell.
    pub pg_type: Option<PgType>,
    /// Values of other storage classes are taken by their text.
    pub any_class: bool,
}

/// The meaning of a declared type; empty for a column without one.
pub fn map(declared: &str) -> Mapped {
    let (base, arguments) = split(declared);
    let has = |part: &str| base.contains(part);
    let plain = |data_type| Mapped {
        data_type,
        pg_type: None,
        any_class: false,
    };
    let text = |pg_type, any_class| Mapped {
        data_type: DataType::Utf8View,
        pg_type,
        any_class,
    };
    match base.as_str() {
        "BOOLEAN" | "BOOL" => plain(DataType::Boolean),
        "DATE" => plain(DataType::Date32),
        "DATETIME" | "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE" => {
            plain(DataType::Timestamp(TimeUnit::Microsecond, None))
        }
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => plain(DataType::Timestamp(
            TimeUnit::Microsecond,
            Some("UTC".into()),
        )),
        "TIME" | "TIME WITHOUT TIME ZONE" => plain(DataType::Time64(TimeUnit::Microsecond)),
        "DECIMAL" | "NUMERIC" | "DEC" => plain(decimal(&arguments)),
        "JSON" | "JSONB" => text(Some(PgType::Json), true),
        "UUID" => text(Some(PgType::Uuid), false),
        _ if has("INT") => plain(DataType::Int64),
        "CHAR" | "CHARACTER" | "NCHAR" | "BPCHAR" => {
            // `char` without a length is char(1) in SQL, but nothing in SQLite cuts it there.
            match length(&arguments) {
                Some(n) => text(Some(PgType::Bpchar(Some(n))), false),
                None => text(None, false),
            }
        }
        "VARCHAR" | "NVARCHAR" | "VARCHAR2" | "VARYING CHARACTER" | "CHARACTER VARYING"
        | "CHAR VARYING" | "NATIVE CHARACTER" => {
            text(Some(PgType::Varchar(length(&arguments))), false)
        }
        _ if has("CHAR") || has("CLOB") || has("TEXT") => text(None, false),
        _ if has("BLOB") => plain(DataType::BinaryView),
        // SQLite itself says `NUM` for a computed column of a view.
        "NUM" => plain(DataType::Float64),
        _ if has("REAL") || has("FLOA") || has("DOUB") => plain(DataType::Float64),
        _ => text(None, true),
    }
}

/// `numeric(10, 2)` as `NUMERIC` and `[10, 2]`.
fn split(declared: &str) -> (String, Vec<u32>) {
    let upper = declared.to_ascii_uppercase();
    let (head, rest) = upper.split_once('(').unwrap_or((&upper, ""));
    let (inside, tail) = rest.split_once(')').unwrap_or((rest, ""));
    let words: Vec<&str> = head
        .split_whitespace()
        .chain(tail.split_whitespace())
        .collect();
    let arguments = inside
        .split(',')
        .map_while(|a| a.trim().parse().ok())
        .collect();
    (words.join(" "), arguments)
}

fn length(arguments: &[u32]) -> Option<u32> {
    arguments.first().copied().filter(|n| *n > 0)
}

/// Without arguments, or with ones that no decimal has, as an unconstrained numeric.
fn decimal(arguments: &[u32]) -> DataType {
    let precision = arguments.first().copied().unwrap_or(0);
    let scale = arguments.get(1).copied().unwrap_or(0);
    if precision == 0 || precision > u32::from(DECIMAL256_MAX_PRECISION) || scale > precision {
        return DataType::Decimal128(38, 16);
    }
    if precision > u32::from(DECIMAL128_MAX_PRECISION) {
        DataType::Decimal256(precision as u8, scale as i8)
    } else {
        DataType::Decimal128(precision as u8, scale as i8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_have_the_stated_meaning() {
        let data_type = |declared: &str| map(declared).data_type;
        assert_eq!(data_type("integer"), DataType::Int64);
        assert_eq!(data_type("UNSIGNED BIG INT"), DataType::Int64);
        assert_eq!(data_type("tinyint(1)"), DataType::Int64);
        assert_eq!(data_type("Double Precision"), DataType::Float64);
        assert_eq!(data_type("decimal(12, 3)"), DataType::Decimal128(12, 3));
        assert_eq!(data_type("numeric(50,2)"), DataType::Decimal256(50, 2));
        assert_eq!(data_type("NUMERIC"), DataType::Decimal128(38, 16));
        assert_eq!(data_type("numeric(100,2)"), DataType::Decimal128(38, 16));
        assert_eq!(data_type("BLOB"), DataType::BinaryView);
        assert_eq!(data_type("date"), DataType::Date32);
        assert_eq!(
            map("varchar( 25 )").pg_type,
            Some(PgType::Varchar(Some(25)))
        );
        assert_eq!(map("CHAR(10)").pg_type, Some(PgType::Bpchar(Some(10))));
        assert_eq!(map("text").pg_type, None);
        assert!(map("").any_class && map("MONEY").any_class && !map("text").any_class);
    }
}
