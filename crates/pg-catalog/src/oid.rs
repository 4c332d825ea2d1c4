//! OIDs of what has none: catalogs, schemas, tables, views, roles, functions.
//!
//! An OID is a hash of the object's path, so that it is the same in every session and after a
//! restart. Where two objects of one catalog have one hash, the later of them in the order of their
//! paths takes the next OID that is free: only such an object's OID can change, when the other one
//! comes or goes.

use std::collections::HashSet;

/// OIDs below are PostgreSQL's own.
const FIRST: u32 = 1 << 14;
/// So that drivers that read OIDs as signed numbers see no negative ones.
const SPACE: u32 = (1 << 31) - FIRST;

/// The role that owns what the server has: the first one, as in PostgreSQL.
pub(crate) const OWNER: u32 = 10;
pub(crate) const PG_CATALOG: u32 = 11;
/// PostgreSQL gives it one while a cluster is made; ours is always this.
pub(crate) const INFORMATION_SCHEMA: u32 = 13_000;
pub(crate) const DEFAULT_TABLESPACE: u32 = 1663;

pub(crate) const DEFAULT_COLLATION: u32 = 100;
pub(crate) const C_COLLATION: u32 = 950;

/// Relations of `pg_catalog` that OIDs stand in, for `classoid`.
pub(crate) const CLASS_PG_CLASS: u32 = 1259;
pub(crate) const CLASS_PG_DATABASE: u32 = 1262;

/// The hash of a path, before collisions are looked at.
pub(crate) fn hashed(path: &[&str]) -> u32 {
    // FNV-1a: it must not change with a version of Rust or of a library.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in path {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    // The upper half is mixed better.
    let folded = (hash >> 32) ^ (hash & 0xffff_ffff);
    FIRST + (folded % u64::from(SPACE)) as u32
}

/// OIDs that were given.
#[derive(Debug, Default)]
pub(crate) struct Taken(HashSet<u32>);

impl Taken {
    pub fn with(oids: impl IntoIterator<Item = u32>) -> Taken {
        Taken(oids.into_iter().collect())
    }

    /// The OID of an object; to be asked in the order of paths.
    pub fn take(&mut self, path: &[&str]) -> u32 {
        let mut oid = hashed(path);
        while !self.0.insert(oid) {
            oid = if oid >= FIRST + SPACE - 1 {
                FIRST
            } else {
                oid + 1
            };
        }
        oid
    }
}

pub(crate) fn database(catalog: &str) -> u32 {
    hashed(&["database", catalog])
}

pub(crate) fn role(name: &str) -> u32 {
    match name {
        crate::OWNER_NAME => OWNER,
        _ => hashed(&["role", name]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oid_is_the_same_tomorrow() {
        // Written down once: a change of these would change the OIDs of every user.
        assert_eq!(hashed(&["class", "crm", "public", "customers"]), CUSTOMERS);
        assert_ne!(hashed(&["a", "b"]), hashed(&["ab"]));
    }

    const CUSTOMERS: u32 = 1_762_448_823;

    #[test]
    fn two_objects_never_share_one() {
        let path = ["class", "crm", "public", "customers"];
        let mut taken = Taken::with([hashed(&path)]);
        assert_eq!(taken.take(&path), hashed(&path) + 1);
        assert_eq!(taken.take(&path), hashed(&path) + 2);
        let mut many = Taken::default();
        let oids: HashSet<u32> = (0..100_000)
            .map(|i| many.take(&["t", &i.to_string()]))
            .collect();
        assert_eq!(oids.len(), 100_000);
        assert!(oids.iter().all(|oid| (FIRST..1 << 31).contains(oid)));
    }
}
