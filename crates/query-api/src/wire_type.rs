//! The PostgreSQL type of an Arrow field: OID, length and modifier, as `RowDescription` and
//! `pg_attribute` say them.

use arrow::datatypes::{DataType, Field};
use inflowave_types::{Error, PgType, Result};

/// A type as the wire names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireType {
    /// The type's row in `pg_type`.
    pub oid: u32,
    /// Its size in bytes; -1 for a variable one.
    pub typlen: i16,
    /// Its modifier, such as precision and scale; -1 for none.
    pub typmod: i32,
}

impl WireType {
    /// The type of an output field: its metadata where they tell more, else its Arrow type.
    ///
    /// # Errors
    /// `0A000` for an Arrow type without a PostgreSQL counterpart.
    pub fn of(field: &Field) -> Result<WireType> {
        let tagged = field.metadata().get(PgType::KEY);
        let tagged = tagged.and_then(|t| t.parse::<PgType>().ok());
        // A vector is a list here, and no array there.
        let vector = matches!(
            tagged,
            Some(PgType::Int2vector | PgType::Oidvector | PgType::Anyarray)
        );
        if !vector && let Some(element) = element(field.data_type()) {
            // PostgreSQL has one array type for all numbers of dimensions.
            let mut innermost = element;
            while let Some(deeper) = self::element(innermost.data_type()) {
                innermost = deeper;
            }
            // An array may carry the type of its items itself.
            let own = tagged.map(|tag| tag.oid());
            let element = match own {
                Some(oid) => WireType {
                    oid,
                    typlen: typlen(oid),
                    typmod: tagged.map_or(-1, PgType::typmod),
                },
                None => WireType::of(innermost)?,
            };
            return Ok(WireType {
                oid: array_oid(element.oid),
                typlen: -1,
                typmod: element.typmod,
            });
        }
        if let Some(pg_type) = tagged {
            let oid = pg_type.oid();
            return Ok(WireType {
                oid,
                typlen: typlen(oid),
                typmod: pg_type.typmod(),
            });
        }
        let oid = oid(field)?;
        Ok(WireType {
            oid,
            typlen: typlen(oid),
            typmod: numeric_typmod(field.data_type()),
        })
    }
}

fn oid(field: &Field) -> Result<u32> {
    Ok(match field.data_type() {
        DataType::Boolean => 16,
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => 21,
        DataType::UInt16 | DataType::Int32 => 23,
        DataType::UInt32 | DataType::Int64 => 20,
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => 1700,
        DataType::Float16 | DataType::Float32 => 700,
        DataType::Float64 => 701,
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => 25,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => 17,
        DataType::Date32 | DataType::Date64 => 1082,
        DataType::Time32(_) | DataType::Time64(_) => 1083,
        DataType::Timestamp(_, None) => 1114,
        DataType::Timestamp(_, Some(_)) => 1184,
        DataType::Interval(_) | DataType::Duration(_) => 1186,
        DataType::Struct(_) => 2249,
        DataType::Dictionary(_, values) => {
            return oid(&Field::new(field.name(), (**values).clone(), true));
        }
        DataType::RunEndEncoded(_, values) => return Ok(WireType::of(values)?.oid),
        other => {
            return Err(Error::unsupported(format!(
                "column \"{}\" has the type {other}, which PostgreSQL does not know",
                field.name()
            )));
        }
    })
}

/// The field of a list's elements, with the type that the list carries for them.
pub fn element_of(field: &Field) -> Option<Field> {
    let element = element(field.data_type())?;
    let tag = field.metadata().get(PgType::KEY);
    let vector = tag.is_some_and(|t| t.ends_with("vector"));
    Some(match tag.filter(|_| !vector) {
        Some(tag) => {
            let mut metadata = element.metadata().clone();
            metadata.insert(PgType::KEY.to_owned(), tag.clone());
            element.clone().with_metadata(metadata)
        }
        None => element.clone(),
    })
}

/// The field of a list's elements; a map is a list of its entries.
pub fn element(data_type: &DataType) -> Option<&Field> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => Some(field),
        _ => None,
    }
}

/// `typarray` of `pg_type`; the types are those that [`WireType::of`] gives.
fn array_oid(element: u32) -> u32 {
    match element {
        16 => 1000,
        17 => 1001,
        18 => 1002,
        19 => 1003,
        20 => 1016,
        21 => 1005,
        23 => 1007,
        24 => 1008,
        26 => 1028,
        28 => 1011,
        114 => 199,
        700 => 1021,
        701 => 1022,
        869 => 1041,
        1033 => 1034,
        1042 => 1014,
        1043 => 1015,
        1082 => 1182,
        1083 => 1183,
        1114 => 1115,
        1184 => 1185,
        1186 => 1187,
        1700 => 1231,
        2205 => 2210,
        2206 => 2211,
        2249 => 2287,
        2950 => 2951,
        3802 => 3807,
        4089 => 4090,
        4096 => 4097,
        _ => 1009,
    }
}

fn typlen(oid: u32) -> i16 {
    match oid {
        16 | 18 => 1,
        21 => 2,
        23 | 24 | 26 | 28 | 700 | 1082 | 2205 | 2206 | 4089 | 4096 => 4,
        20 | 701 | 1083 | 1114 | 1184 => 8,
        1186 | 2950 => 16,
        19 => 64,
        _ => -1,
    }
}

fn numeric_typmod(data_type: &DataType) -> i32 {
    let (precision, scale) = match data_type {
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => (*p, *s),
        DataType::UInt64 => (20, 0),
        DataType::Dictionary(_, values) => return numeric_typmod(values),
        DataType::RunEndEncoded(_, values) => return numeric_typmod(values.data_type()),
        _ => return -1,
    };
    // A scale takes eleven bits, with its sign.
    ((i32::from(precision) << 16) | (i32::from(scale) & 0x7ff)) + 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn wire(data_type: DataType, pg_type: Option<&str>) -> (u32, i16, i32) {
        let mut field = Field::new("c", data_type, true);
        if let Some(t) = pg_type {
            field = field.with_metadata([(PgType::KEY.to_owned(), t.to_owned())].into());
        }
        let wire = WireType::of(&field).unwrap();
        (wire.oid, wire.typlen, wire.typmod)
    }

    #[test]
    fn metadata_tell_more_than_the_arrow_type() {
        let text = DataType::Utf8View;
        assert_eq!(wire(text.clone(), None), (25, -1, -1));
        assert_eq!(wire(text.clone(), Some("varchar(25)")), (1043, -1, 29));
        assert_eq!(wire(text.clone(), Some("bpchar(10)")), (1042, -1, 14));
        assert_eq!(wire(text.clone(), Some("uuid")), (2950, 16, -1));
        assert_eq!(wire(text.clone(), Some("name")), (19, 64, -1));
        assert_eq!(wire(text, Some("something new")), (25, -1, -1));
        assert_eq!(wire(DataType::UInt32, Some("oid")), (26, 4, -1));
    }

    #[test]
    fn numbers_carry_precision_and_scale() {
        assert_eq!(
            wire(DataType::Decimal128(12, 2), None),
            (1700, -1, (12 << 16) + 2 + 4)
        );
        assert_eq!(
            wire(DataType::Decimal256(76, 38), None),
            (1700, -1, (76 << 16) + 38 + 4)
        );
        assert_eq!(
            wire(DataType::Decimal128(5, -2), None),
            (1700, -1, (5 << 16) + 0x7fe + 4)
        );
        assert_eq!(wire(DataType::UInt64, None), (1700, -1, (20 << 16) + 4));
        assert_eq!(wire(DataType::Int16, None), (21, 2, -1));
    }

    #[test]
    fn arrays_of_any_dimension_have_one_type() {
        let item = |t| Arc::new(Field::new_list_field(t, true));
        let list = DataType::List(item(DataType::Int32));
        assert_eq!(wire(list.clone(), None), (1007, -1, -1));
        assert_eq!(wire(DataType::List(item(list)), None), (1007, -1, -1));
        let uuid = Field::new_list_field(DataType::Utf8View, true)
            .with_metadata([(PgType::KEY.to_owned(), "uuid".to_owned())].into());
        assert_eq!(
            wire(DataType::LargeList(Arc::new(uuid)), None),
            (2951, -1, -1)
        );
        let coded = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        assert_eq!(wire(coded, None), (25, -1, -1));
    }

    #[test]
    fn a_union_has_no_counterpart() {
        let union = DataType::Union(
            arrow::datatypes::UnionFields::empty(),
            arrow::datatypes::UnionMode::Sparse,
        );
        let error = WireType::of(&Field::new("u", union, true)).unwrap_err();
        assert_eq!(error.sqlstate().code(), "0A000");
    }
}
