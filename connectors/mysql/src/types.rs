//! A column of MySQL as `information_schema` tells of it -> our type, its collation, its spelling.
//!
//! | MySQL | here |
//! |---|---|
//! | `tinyint`, `smallint`, `tinyint unsigned`, `year` | smallint (`tinyint(1)`: boolean by option) |
//! | `mediumint`, `int`, `smallint unsigned`, `mediumint unsigned` | integer |
//! | `bigint`, `int unsigned` / `bigint unsigned` | bigint / numeric(20, 0) |
//! | `decimal(p, s)` | numeric(p, s) |
//! | `float`, `double` | real, double precision |
//! | `bit(1)` / `bit(n)` | boolean / text of n times `0` or `1` |
//! | `char(n)`, `varchar(n)`, `*text`, `enum`, `set` | text; an enum is its label, a set `a,b` |
//! | `json`, `uuid`, `inet4`, `inet6` | text (MariaDB's `json` is `longtext`, so plain text) |
//! | `binary`, `varbinary`, `*blob` | bytea; `binary(n)` keeps its zero bytes |
//! | `geometry` and its kin, `vector` | bytea: the stored bytes (geometry: 4 bytes SRID, then WKB) |
//! | `date`, `datetime`, `timestamp` | date, timestamp, timestamptz |
//! | `time` | time; outside 00:00 to 24:00 a value is an error |

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use inflowave_connector_api::{Collation, RemoteColumn};
use inflowave_types::PgType;

/// The catalog's options about types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Dates without a year, month or day are NULL instead of an error.
    pub zero_dates_null: bool,
    /// `tinyint(1)` is Boolean.
    pub tinyint1_boolean: bool,
}

/// A row of `information_schema.columns`.
#[derive(Debug, Clone, Default)]
pub struct SourceColumn {
    pub name: String,
    /// `varchar`, `bigint`.
    pub data_type: String,
    /// `varchar(25)`, `bigint(20) unsigned`.
    pub column_type: String,
    pub nullable: bool,
    pub characters: Option<u64>,
    pub precision: Option<u64>,
    pub scale: Option<u64>,
    pub charset: Option<String>,
    pub collation: Option<String>,
}

/// What separates a text column's type from its collation in `native_type`.
const COLLATE: &str = " collate ";

impl SourceColumn {
    /// # Errors
    /// The type's spelling, if it has no mapping.
    pub fn mapped(&self, mapping: Mapping) -> Result<RemoteColumn, String> {
        let (data_type, pg_type) = self
            .arrow_type(mapping)
            .ok_or_else(|| self.column_type.clone())?;
        let temporal = matches!(data_type, DataType::Date32 | DataType::Timestamp(..));
        let nullable = self.nullable || (temporal && mapping.zero_dates_null);
        let collation = match data_type {
            DataType::Utf8View => self.text_collation(),
            _ => Collation::NotText,
        };
        let mut native_type = self.column_type.clone();
        if let Some(name) = &self.collation {
            native_type.push_str(COLLATE);
            native_type.push_str(name);
        }
        let metadata = pg_type.map(|t| (PgType::KEY.to_owned(), t.to_string()));
        Ok(RemoteColumn {
            field: Arc::new(
                Field::new(&self.name, data_type, nullable)
                    .with_metadata(HashMap::from_iter(metadata)),
            ),
            native_type,
            collation,
            strictly_typed: true,
        })
    }

    fn arrow_type(&self, mapping: Mapping) -> Option<(DataType, Option<PgType>)> {
        let unsigned = self.column_type.contains("unsigned");
        let characters = self.characters.and_then(|n| u32::try_from(n).ok());
        let plain = match self.data_type.as_str() {
            "tinyint" if mapping.tinyint1_boolean && self.column_type == "tinyint(1)" => {
                DataType::Boolean
            }
            "tinyint" | "year" => DataType::Int16,
            "smallint" if unsigned => DataType::Int32,
            "smallint" => DataType::Int16,
            "mediumint" => DataType::Int32,
            "int" if unsigned => DataType::Int64,
            "int" => DataType::Int32,
            "bigint" if unsigned => DataType::Decimal128(20, 0),
            "bigint" => DataType::Int64,
            "decimal" => {
                let precision = u8::try_from(self.precision?).ok()?;
                let scale = i8::try_from(self.scale?).ok()?;
                match precision {
                    0..=38 => DataType::Decimal128(precision, scale),
                    39..=76 => DataType::Decimal256(precision, scale),
                    _ => return None,
                }
            }
            "float" => DataType::Float32,
            "double" => DataType::Float64,
            "bit" if self.precision == Some(1) => DataType::Boolean,
            "bit" | "enum" | "set" | "tinytext" | "text" | "mediumtext" | "longtext" => {
                DataType::Utf8View
            }
            "char" if characters.is_some_and(|n| n > 0) => {
                return Some((DataType::Utf8View, Some(PgType::Bpchar(characters))));
            }
            "char" => DataType::Utf8View,
            "varchar" => {
                let limit = characters.filter(|n| *n > 0);
                return Some((DataType::Utf8View, Some(PgType::Varchar(limit))));
            }
            "json" => return Some((DataType::Utf8View, Some(PgType::Json))),
            "uuid" => return Some((DataType::Utf8View, Some(PgType::Uuid))),
            "inet4" | "inet6" => return Some((DataType::Utf8View, Some(PgType::Inet))),
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob"
            | "geometry" | "point" | "linestring" | "polygon" | "multipoint"
            | "multilinestring" | "multipolygon" | "geometrycollection" | "geomcollection"
            | "vector" => DataType::BinaryView,
            "date" => DataType::Date32,
            "datetime" => DataType::Timestamp(TimeUnit::Microsecond, None),
            "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            "time" => DataType::Time64(TimeUnit::Microsecond),
            _ => return None,
        };
        Some((plain, None))
    }

    /// How the server compares the column's text, against binary UTF-8.
    fn text_collation(&self) -> Collation {
        let (Some(charset), Some(collation)) = (&self.charset, &self.collation) else {
            return Collation::Unknown;
        };
        // Text of other character sets is not compared with every literal: one that cannot be
        // converted is an error (1267) at the server.
        if !matches!(charset.as_str(), "utf8mb4" | "utf8mb3" | "utf8") {
            return Collation::Unknown;
        }
        match self.data_type.as_str() {
            // The server sorts an enum by its number, and finds 'a' by 'a ' in the labels.
            "enum" | "set" => Collation::Loose,
            // Seen on MariaDB 10.11: an index on char(n) finds 'a' by 'a ' under NO PAD too.
            "char" => Collation::Loose,
            "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
                match collation.as_str() {
                    "utf8mb4_0900_bin" | "utf8mb4_nopad_bin" | "utf8mb3_nopad_bin"
                    | "utf8_nopad_bin" => Collation::Binary,
                    // `_bin` without NO PAD ignores trailing spaces; the others ignore more.
                    _ => Collation::Loose,
                }
            }
            _ => Collation::Unknown,
        }
    }
}

/// The collation that [`SourceColumn::mapped`] wrote behind the type.
pub fn collation_name(native_type: &str) -> Option<&str> {
    // The labels of an enum may hold anything: the collation is what follows the last mark.
    native_type.rsplit_once(COLLATE).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(data_type: &str, column_type: &str) -> SourceColumn {
        SourceColumn {
            name: "c".to_owned(),
            data_type: data_type.to_owned(),
            column_type: column_type.to_owned(),
            ..SourceColumn::default()
        }
    }

    fn arrow(data_type: &str, column_type: &str) -> DataType {
        let mapped = column(data_type, column_type).mapped(Mapping::default());
        mapped.unwrap().field.data_type().clone()
    }

    #[test]
    fn integers_keep_every_value() {
        assert_eq!(arrow("tinyint", "tinyint(4)"), DataType::Int16);
        assert_eq!(arrow("tinyint", "tinyint(3) unsigned"), DataType::Int16);
        assert_eq!(arrow("smallint", "smallint(5) unsigned"), DataType::Int32);
        assert_eq!(arrow("mediumint", "mediumint(8) unsigned"), DataType::Int32);
        assert_eq!(arrow("int", "int(10) unsigned zerofill"), DataType::Int64);
        assert_eq!(
            arrow("bigint", "bigint(20) unsigned"),
            DataType::Decimal128(20, 0)
        );
        assert_eq!(arrow("year", "year(4)"), DataType::Int16);
    }

    #[test]
    fn options_change_two_types() {
        let mapping = Mapping {
            zero_dates_null: true,
            tinyint1_boolean: true,
        };
        let flag = column("tinyint", "tinyint(1)").mapped(mapping).unwrap();
        assert_eq!(flag.field.data_type(), &DataType::Boolean);
        let small = column("tinyint", "tinyint(4)").mapped(mapping).unwrap();
        assert_eq!(small.field.data_type(), &DataType::Int16);
        let day = column("date", "date").mapped(mapping).unwrap();
        assert!(
            day.field.is_nullable(),
            "a NOT NULL date may be read as NULL"
        );
        assert!(
            !column("date", "date")
                .mapped(Mapping::default())
                .unwrap()
                .field
                .is_nullable()
        );
    }

    #[test]
    fn decimals_and_bits() {
        let decimal = |p, s| {
            let mut c = column("decimal", "decimal");
            (c.precision, c.scale) = (Some(p), Some(s));
            c.mapped(Mapping::default())
                .unwrap()
                .field
                .data_type()
                .clone()
        };
        assert_eq!(decimal(38, 10), DataType::Decimal128(38, 10));
        assert_eq!(decimal(65, 30), DataType::Decimal256(65, 30));
        let bit = |n| {
            let mut c = column("bit", "bit");
            c.precision = Some(n);
            c.mapped(Mapping::default()).unwrap()
        };
        assert_eq!(bit(1).field.data_type(), &DataType::Boolean);
        assert_eq!(bit(8).field.data_type(), &DataType::Utf8View);
        assert_eq!(bit(8).collation, Collation::Unknown);
    }

    #[test]
    fn only_no_pad_binary_text_is_ours() {
        let collation = |data_type: &str, charset: &str, name: &str| {
            let mut c = column(data_type, data_type);
            (c.charset, c.collation) = (Some(charset.into()), Some(name.into()));
            let mapped = c.mapped(Mapping::default()).unwrap();
            assert_eq!(collation_name(&mapped.native_type), Some(name));
            mapped.collation
        };
        use Collation::{Binary, Loose, Unknown};
        assert_eq!(collation("varchar", "utf8mb4", "utf8mb4_0900_bin"), Binary);
        assert_eq!(
            collation("longtext", "utf8mb4", "utf8mb4_nopad_bin"),
            Binary
        );
        assert_eq!(collation("varchar", "utf8mb3", "utf8mb3_nopad_bin"), Binary);
        assert_eq!(collation("varchar", "utf8mb4", "utf8mb4_bin"), Loose);
        assert_eq!(collation("varchar", "utf8mb4", "utf8mb4_general_ci"), Loose);
        assert_eq!(collation("varchar", "utf8mb4", "utf8mb4_0900_as_cs"), Loose);
        assert_eq!(collation("varchar", "latin1", "latin1_bin"), Unknown);
        assert_eq!(collation("enum", "utf8mb4", "utf8mb4_nopad_bin"), Loose);
        assert_eq!(collation("char", "utf8mb4", "utf8mb4_nopad_bin"), Loose);
        assert_eq!(
            column("json", "json")
                .mapped(Mapping::default())
                .unwrap()
                .collation,
            Unknown
        );
    }

    #[test]
    fn an_unknown_type_is_named() {
        let error = column("quaternion", "quaternion(4)").mapped(Mapping::default());
        assert_eq!(error.unwrap_err(), "quaternion(4)");
    }
}
