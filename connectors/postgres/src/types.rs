//! The stated mapping of PostgreSQL's types.
//!
//! | PostgreSQL | here |
//! |---|---|
//! | boolean, smallint, integer, bigint, real, double precision | the same |
//! | oid | bigint |
//! | numeric(p,s) up to p = 76 | decimal(p,s); (3,5) as (5,5), (3,-2) as (5,0) |
//! | numeric without precision or with a greater one | numeric(38,16), or text by the parameter `numeric` |
//! | text, varchar(n), name, citext, json, jsonb, uuid, inet, enums | text of that type |
//! | char(n) | text without the blanks at its end |
//! | bytea | bytea |
//! | date, time, timestamp, timestamptz, interval | the same, in microseconds |
//! | a domain | its base type |
//! | an array of one dimension of any of these | a list |
//! | everything else: timetz, money (in the locale C), xml, bit, cidr, macaddr, ranges, composites, geometry, tsvector, .. | its printed form, as text |
//!
//! A type that is text here and something else there compares otherwise at the source; the dialect
//! knows it by the column's native type, and its collation is unknown.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};
use inflowave_connector_api::Collation;
use inflowave_types::PgType;
use tokio_postgres::types::{Kind, Type};

use crate::decode::{base, decoder, is_text_on_the_wire};

/// A type of the source's catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NativeType {
    pub oid: u32,
    pub name: String,
    pub typmod: i32,
    /// The type of the elements of an array: OID and name.
    pub element: Option<(u32, String)>,
}

/// What a column of the type is here.
pub(crate) fn map(native: &NativeType, numeric_as_text: bool) -> (DataType, Option<PgType>) {
    match &native.element {
        Some((oid, name)) => {
            let (element, _) = scalar(*oid, name, native.typmod, numeric_as_text);
            let element = Field::new_list_field(element, true);
            (DataType::List(Arc::new(element)), None)
        }
        None => scalar(native.oid, &native.name, native.typmod, numeric_as_text),
    }
}

fn scalar(oid: u32, name: &str, typmod: i32, numeric_as_text: bool) -> (DataType, Option<PgType>) {
    let length = u32::try_from(typmod - 4).ok();
    let text = |pg_type| (DataType::Utf8View, Some(pg_type));
    let Some(builtin) = Type::from_oid(oid) else {
        return match name {
            "citext" => text(PgType::Citext),
            _ => (DataType::Utf8View, None),
        };
    };
    let plain = match builtin {
        Type::BOOL => DataType::Boolean,
        Type::INT2 => DataType::Int16,
        Type::INT4 => DataType::Int32,
        Type::INT8 => DataType::Int64,
        Type::FLOAT4 => DataType::Float32,
        Type::FLOAT8 => DataType::Float64,
        Type::NUMERIC => return numeric(typmod, numeric_as_text),
        Type::BYTEA => DataType::BinaryView,
        Type::DATE => DataType::Date32,
        Type::TIME => DataType::Time64(TimeUnit::Microsecond),
        Type::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
        Type::OID => return (DataType::Int64, Some(PgType::Oid)),
        Type::VARCHAR => return text(PgType::Varchar(length)),
        Type::BPCHAR => return text(PgType::Bpchar(length)),
        Type::NAME => return text(PgType::Name),
        Type::JSON => return text(PgType::Json),
        Type::JSONB => return text(PgType::Jsonb),
        Type::UUID => return text(PgType::Uuid),
        Type::INET => return text(PgType::Inet),
        _ => DataType::Utf8View,
    };
    (plain, None)
}

fn numeric(typmod: i32, as_text: bool) -> (DataType, Option<PgType>) {
    let unconstrained = if as_text {
        DataType::Utf8View
    } else {
        DataType::Decimal128(38, 16)
    };
    let Some((precision, scale)) = numeric_limits(typmod) else {
        return (unconstrained, None);
    };
    // The digits in front of the point and behind it that a value can have.
    let behind = scale.max(0);
    let digits = (precision - scale).max(0) + behind;
    let data_type = match (u8::try_from(digits.max(1)), i8::try_from(behind)) {
        (Ok(precision @ 1..=38), Ok(scale)) => DataType::Decimal128(precision, scale),
        (Ok(precision @ 39..=76), Ok(scale)) => DataType::Decimal256(precision, scale),
        _ => unconstrained,
    };
    (data_type, None)
}

/// Precision and scale in a type modifier (`numeric_typmod_precision`): the scale has 11 bits with
/// a sign.
fn numeric_limits(typmod: i32) -> Option<(i32, i32)> {
    let packed = typmod.checked_sub(4).filter(|packed| *packed >= 0)?;
    Some(((packed >> 16) & 0xffff, ((packed & 0x7ff) ^ 1024) - 1024))
}

/// How the source compares a column, from what its catalog says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CollationFacts {
    /// The column has a collation.
    pub collatable: bool,
    /// `c` for libc, `i` for ICU, `b` for PostgreSQL itself.
    pub provider: String,
    pub locale: String,
    pub deterministic: bool,
    /// The encoding of the database.
    pub encoding: String,
}

/// `C` and `POSIX` compare bytes, and so do the locales that PostgreSQL 17 brings itself. The
/// `C.UTF-8` of an operating system very likely does, but nothing proves it.
pub(crate) fn collation(native: &NativeType, facts: &CollationFacts) -> Collation {
    let (oid, name) = match &native.element {
        Some((oid, name)) => (*oid, name),
        None => (native.oid, &native.name),
    };
    let is_text = matches!(
        Type::from_oid(oid),
        Some(Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME)
    );
    let is_citext = name == "citext";
    if !is_text && !is_citext {
        return match scalar(oid, name, native.typmod, false).0 {
            DataType::Utf8View => Collation::Unknown,
            _ => Collation::NotText,
        };
    }
    if !facts.collatable || facts.encoding != "UTF8" {
        // In another encoding bytes sort otherwise, and not every text of ours can be sent.
        return Collation::Unknown;
    }
    if is_citext || !facts.deterministic {
        return Collation::Loose;
    }
    match facts.provider.as_str() {
        "c" if matches!(facts.locale.as_str(), "C" | "POSIX") => Collation::Binary,
        "b" => Collation::Binary,
        "c" | "i" => Collation::Deterministic,
        _ => Collation::Unknown,
    }
}

/// What must be cast at the source before it can be read as `target`: `Some` is the SQL type.
///
/// Only for types that are text by our mapping; a column whose type has become another one must
/// fail and not be cast.
pub(crate) fn cast(source: &Type, target: &DataType) -> Option<&'static str> {
    let source = base(source);
    match (target, source.kind()) {
        (DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8, kind) => {
            let is_vector = matches!(*source, Type::INT2_VECTOR | Type::OID_VECTOR);
            let is_array = matches!(kind, Kind::Array(_)) && !is_vector;
            let is_text_here =
                scalar(source.oid(), source.name(), -1, false).0 == DataType::Utf8View;
            (!is_array && is_text_here && !is_text_on_the_wire(source)).then_some("pg_catalog.text")
        }
        (DataType::List(field), Kind::Array(element)) => {
            let one = cast(element, field.data_type())?;
            (one == "pg_catalog.text").then_some("pg_catalog.text[]")
        }
        _ => None,
    }
}

/// Whether a value of `source` can be read as `target` at all, and is so by our mapping.
pub(crate) fn is_readable(source: &Type, target: &DataType, numeric_as_text: bool) -> bool {
    let is_text =
        |t: &DataType| matches!(t, DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8);
    let numeric_to_text = match (base(source).kind(), target) {
        (Kind::Array(element), DataType::List(field)) => {
            *base(element) == Type::NUMERIC && is_text(field.data_type())
        }
        _ => *base(source) == Type::NUMERIC && is_text(target),
    };
    decoder(source, target).is_some() && (numeric_as_text || !numeric_to_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn native(ty: &Type, typmod: i32) -> NativeType {
        NativeType {
            oid: ty.oid(),
            name: ty.name().into(),
            typmod,
            element: None,
        }
    }

    fn typmod(precision: i32, scale: i32) -> i32 {
        ((precision << 16) | (scale & 0x7ff)) + 4
    }

    #[test]
    fn numerics_keep_their_digits() {
        for (precision, scale, wanted) in [
            (15, 2, DataType::Decimal128(15, 2)),
            (38, 38, DataType::Decimal128(38, 38)),
            (39, 0, DataType::Decimal256(39, 0)),
            (76, 10, DataType::Decimal256(76, 10)),
            (77, 0, DataType::Decimal128(38, 16)),
            (1000, 1000, DataType::Decimal128(38, 16)),
            (3, 5, DataType::Decimal128(5, 5)),
            (3, -2, DataType::Decimal128(5, 0)),
        ] {
            let mapped = map(&native(&Type::NUMERIC, typmod(precision, scale)), false);
            assert_eq!(mapped.0, wanted, "numeric({precision},{scale})");
        }
        assert_eq!(
            map(&native(&Type::NUMERIC, -1), false).0,
            DataType::Decimal128(38, 16)
        );
        assert_eq!(map(&native(&Type::NUMERIC, -1), true).0, DataType::Utf8View);
    }

    #[test]
    fn lengths_are_kept() {
        assert_eq!(
            map(&native(&Type::VARCHAR, 29), false),
            (DataType::Utf8View, Some(PgType::Varchar(Some(25))))
        );
        assert_eq!(
            map(&native(&Type::BPCHAR, -1), false),
            (DataType::Utf8View, Some(PgType::Bpchar(None)))
        );
    }

    #[test]
    fn only_what_compares_bytes_is_binary() {
        let facts = |provider: &str, locale: &str, deterministic| CollationFacts {
            collatable: true,
            provider: provider.into(),
            locale: locale.into(),
            deterministic,
            encoding: "UTF8".into(),
        };
        let text = native(&Type::TEXT, -1);
        for (facts, wanted) in [
            (facts("c", "C", true), Collation::Binary),
            (facts("c", "POSIX", true), Collation::Binary),
            (facts("b", "C.UTF-8", true), Collation::Binary),
            (facts("c", "C.UTF-8", true), Collation::Deterministic),
            (facts("i", "und", true), Collation::Deterministic),
            (facts("i", "und", false), Collation::Loose),
        ] {
            assert_eq!(collation(&text, &facts), wanted, "{facts:?}");
        }
        let mut latin = facts("c", "C", true);
        latin.encoding = "LATIN2".into();
        assert_eq!(collation(&text, &latin), Collation::Unknown);
        let c = facts("c", "C", true);
        assert_eq!(collation(&native(&Type::UUID, -1), &c), Collation::Unknown);
        assert_eq!(collation(&native(&Type::INT4, -1), &c), Collation::NotText);
        let citext = NativeType {
            oid: 99_999,
            name: "citext".into(),
            typmod: -1,
            element: None,
        };
        assert_eq!(collation(&citext, &c), Collation::Loose);
    }

    #[test]
    fn only_types_that_are_text_here_are_cast() {
        let text = DataType::Utf8View;
        assert_eq!(cast(&Type::TS_VECTOR, &text), Some("pg_catalog.text"));
        assert_eq!(cast(&Type::INT4_RANGE, &text), Some("pg_catalog.text"));
        assert_eq!(cast(&Type::MONEY, &text), Some("pg_catalog.text"));
        assert_eq!(cast(&Type::INT4, &text), None);
        assert_eq!(cast(&Type::UUID, &text), None);
        assert_eq!(cast(&Type::INT4_ARRAY, &text), None);
        let texts = DataType::List(Arc::new(Field::new_list_field(text, true)));
        assert_eq!(cast(&Type::MONEY_ARRAY, &texts), Some("pg_catalog.text[]"));
        assert_eq!(cast(&Type::INT4_ARRAY, &texts), None);
    }
}
