//! The PostgreSQL type of an output field, which Arrow alone cannot tell.
//!
//! It travels in the metadata of an Arrow field under [`PgType::KEY`] (for example `bpchar(10)`),
//! is set by connectors and by `pg-semantics`, and read by the encoders.

use std::fmt;
use std::str::FromStr;

/// Types that share an Arrow type with another one, and so need saying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PgType {
    Text,
    /// `varchar(n)`; `None` is without a limit.
    Varchar(Option<u32>),
    /// `char(n)`; its text is kept without the trailing blanks.
    Bpchar(Option<u32>),
    Json,
    Jsonb,
    Uuid,
    Citext,
    Inet,
    Name,
    Oid,
    /// `"char"`: one byte of text, as the system catalogs have it.
    Char,
    /// An OID that is printed as a name, as the other types of `reg..` are. Its values are numbers
    /// until they are printed.
    Regproc,
    /// A function with the types of its arguments.
    Regprocedure,
    /// An operator with the types of its operands.
    Regoperator,
    Regdictionary,
    Regconfig,
    Regcollation,
    Regclass,
    Regtype,
    Regnamespace,
    Regrole,
    Xid,
    /// An expression of the server, as text.
    NodeTree,
    AclItem,
    /// A place in PostgreSQL's log: nothing here has one.
    Lsn,
    /// A list that starts at 0 and is printed without braces.
    Int2vector,
    Oidvector,
    /// A list of what a column of another table has.
    Anyarray,
    /// Of a function that gives nothing: an empty text.
    Void,
}

impl PgType {
    /// The key in the metadata of an Arrow field.
    pub const KEY: &'static str = "pg_type";

    /// The type's OID in `pg_type`.
    pub const fn oid(self) -> u32 {
        match self {
            // citext is an extension type: its OID differs per database, so it is sent as text.
            PgType::Text | PgType::Citext => 25,
            PgType::Varchar(_) => 1043,
            PgType::Bpchar(_) => 1042,
            PgType::Json => 114,
            PgType::Jsonb => 3802,
            PgType::Uuid => 2950,
            PgType::Inet => 869,
            PgType::Name => 19,
            PgType::Oid => 26,
            PgType::Char => 18,
            PgType::Regproc => 24,
            PgType::Regprocedure => 2202,
            PgType::Regoperator => 2204,
            PgType::Regdictionary => 3769,
            PgType::Regconfig => 3734,
            PgType::Regcollation => 4191,
            PgType::Regclass => 2205,
            PgType::Regtype => 2206,
            PgType::Regnamespace => 4089,
            PgType::Regrole => 4096,
            PgType::Xid => 28,
            PgType::NodeTree => 194,
            PgType::AclItem => 1033,
            PgType::Lsn => 3220,
            PgType::Int2vector => 22,
            PgType::Oidvector => 30,
            PgType::Anyarray => 2277,
            PgType::Void => 2278,
        }
    }

    /// `atttypmod`: length + 4 for `varchar(n)` and `char(n)`, else -1.
    pub const fn typmod(self) -> i32 {
        match self {
            PgType::Varchar(Some(n)) | PgType::Bpchar(Some(n)) => n as i32 + 4,
            _ => -1,
        }
    }
}

impl fmt::Display for PgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PgType::Text => f.write_str("text"),
            PgType::Varchar(None) => f.write_str("varchar"),
            PgType::Varchar(Some(n)) => write!(f, "varchar({n})"),
            PgType::Bpchar(None) => f.write_str("bpchar"),
            PgType::Bpchar(Some(n)) => write!(f, "bpchar({n})"),
            PgType::Json => f.write_str("json"),
            PgType::Jsonb => f.write_str("jsonb"),
            PgType::Uuid => f.write_str("uuid"),
            PgType::Citext => f.write_str("citext"),
            PgType::Inet => f.write_str("inet"),
            PgType::Name => f.write_str("name"),
            PgType::Oid => f.write_str("oid"),
            PgType::Char => f.write_str("char"),
            PgType::Regproc => f.write_str("regproc"),
            PgType::Regprocedure => f.write_str("regprocedure"),
            PgType::Regoperator => f.write_str("regoperator"),
            PgType::Regdictionary => f.write_str("regdictionary"),
            PgType::Regconfig => f.write_str("regconfig"),
            PgType::Regcollation => f.write_str("regcollation"),
            PgType::Regclass => f.write_str("regclass"),
            PgType::Regtype => f.write_str("regtype"),
            PgType::Regnamespace => f.write_str("regnamespace"),
            PgType::Regrole => f.write_str("regrole"),
            PgType::Xid => f.write_str("xid"),
            PgType::NodeTree => f.write_str("pg_node_tree"),
            PgType::AclItem => f.write_str("aclitem"),
            PgType::Lsn => f.write_str("pg_lsn"),
            PgType::Int2vector => f.write_str("int2vector"),
            PgType::Oidvector => f.write_str("oidvector"),
            PgType::Anyarray => f.write_str("anyarray"),
            PgType::Void => f.write_str("void"),
        }
    }
}

impl FromStr for PgType {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        let (base, length) = match s.strip_suffix(')').and_then(|s| s.split_once('(')) {
            Some((base, n)) => (base, Some(n.parse().map_err(|_| ())?)),
            None => (s, None),
        };
        Ok(match (base, length) {
            ("varchar", n) => PgType::Varchar(n),
            ("bpchar", n) => PgType::Bpchar(n),
            ("text", None) => PgType::Text,
            ("json", None) => PgType::Json,
            ("jsonb", None) => PgType::Jsonb,
            ("uuid", None) => PgType::Uuid,
            ("citext", None) => PgType::Citext,
            ("inet", None) => PgType::Inet,
            ("name", None) => PgType::Name,
            ("oid", None) => PgType::Oid,
            ("char", None) => PgType::Char,
            ("regproc", None) => PgType::Regproc,
            ("regprocedure", None) => PgType::Regprocedure,
            ("regoperator", None) => PgType::Regoperator,
            ("regdictionary", None) => PgType::Regdictionary,
            ("regconfig", None) => PgType::Regconfig,
            ("regcollation", None) => PgType::Regcollation,
            ("regclass", None) => PgType::Regclass,
            ("regtype", None) => PgType::Regtype,
            ("regnamespace", None) => PgType::Regnamespace,
            ("regrole", None) => PgType::Regrole,
            ("xid", None) => PgType::Xid,
            ("pg_node_tree", None) => PgType::NodeTree,
            ("aclitem", None) => PgType::AclItem,
            ("pg_lsn", None) => PgType::Lsn,
            ("int2vector", None) => PgType::Int2vector,
            ("oidvector", None) => PgType::Oidvector,
            ("anyarray", None) => PgType::Anyarray,
            ("void", None) => PgType::Void,
            _ => return Err(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_reads_back_from_its_text() {
        for t in [
            PgType::Text,
            PgType::Varchar(None),
            PgType::Varchar(Some(25)),
            PgType::Bpchar(Some(10)),
            PgType::Jsonb,
            PgType::Uuid,
            PgType::Oid,
            PgType::Regclass,
            PgType::Oidvector,
        ] {
            assert_eq!(t.to_string().parse(), Ok(t));
        }
        assert_eq!("bpchar(x)".parse::<PgType>(), Err(()));
        assert_eq!(PgType::Bpchar(Some(10)).typmod(), 14);
    }
}
