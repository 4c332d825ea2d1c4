//! What is the same in every session: types, collations, languages, time zones.

use chrono::{Offset, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName};

use crate::data::TYPES;
use crate::oid;
use crate::value::{Rows, Value};

/// `default`, `C` and `POSIX`, as they are in PostgreSQL; all three compare bytes here.
pub(super) const COLLATIONS: [(u32, &str); 3] = [
    (oid::DEFAULT_COLLATION, "default"),
    (oid::C_COLLATION, "C"),
    (951, "POSIX"),
];
/// `internal`: what is built in.
pub(super) const LANGUAGE_INTERNAL: u32 = 12;

pub(super) fn types(rows: &mut Rows) {
    for t in TYPES.iter() {
        let [
            subscript,
            input,
            output,
            receive,
            send,
            modifier_in,
            modifier_out,
        ] = t.functions;
        rows.push([
            ("oid", t.oid.into()),
            ("typname", t.name.into()),
            ("typnamespace", oid::PG_CATALOG.into()),
            ("typowner", oid::OWNER.into()),
            ("typlen", t.len.into()),
            ("typbyval", t.by_value.into()),
            ("typtype", t.kind.into()),
            ("typcategory", t.category.into()),
            ("typispreferred", t.preferred.into()),
            ("typisdefined", true.into()),
            ("typdelim", t.delimiter.into()),
            ("typsubscript", subscript.into()),
            ("typelem", t.element.into()),
            ("typarray", t.array.into()),
            ("typinput", input.into()),
            ("typoutput", output.into()),
            ("typreceive", receive.into()),
            ("typsend", send.into()),
            ("typmodin", modifier_in.into()),
            ("typmodout", modifier_out.into()),
            ("typalign", t.align.into()),
            ("typstorage", t.storage.into()),
            ("typtypmod", (-1).into()),
            ("typcollation", t.collation.into()),
        ]);
    }
}

pub(super) fn collations(rows: &mut Rows) {
    for (oid, name) in COLLATIONS {
        let built_in = name == "default";
        rows.push([
            ("oid", oid.into()),
            ("collname", name.into()),
            ("collnamespace", oid::PG_CATALOG.into()),
            ("collowner", oid::OWNER.into()),
            ("collprovider", if built_in { "d" } else { "c" }.into()),
            ("collisdeterministic", true.into()),
            ("collencoding", (-1).into()),
            ("collcollate", (!built_in).then_some(name).into()),
            ("collctype", (!built_in).then_some(name).into()),
        ]);
    }
}

pub(super) fn languages(rows: &mut Rows) {
    rows.push([
        ("oid", LANGUAGE_INTERNAL.into()),
        ("lanname", "internal".into()),
        ("lanowner", oid::OWNER.into()),
    ]);
}

pub(super) fn tablespaces(rows: &mut Rows) {
    rows.push([
        ("oid", oid::DEFAULT_TABLESPACE.into()),
        ("spcname", "pg_default".into()),
        ("spcowner", oid::OWNER.into()),
    ]);
}

pub(super) fn time_zones(rows: &mut Rows) {
    let now = Utc::now().naive_utc();
    for zone in chrono_tz::TZ_VARIANTS {
        let offset = zone.offset_from_utc_datetime(&now);
        let seconds = i64::from(offset.fix().local_minus_utc());
        rows.push([
            ("name", zone.name().into()),
            ("abbrev", offset.abbreviation().into()),
            ("utc_offset", Value::Interval(seconds * 1_000_000)),
            ("is_dst", (offset.dst_offset().num_seconds() != 0).into()),
        ]);
    }
}
