//! One query of the conformance suite, and what it must show.

use inflowave_connector_api::Capability;

/// One query.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub capability: Capability,
    pub sql: &'static str,
    /// One of these stands in the remote query (in upper case) when it is pushed; empty if nothing
    /// tells.
    pub words: &'static [&'static str],
    /// Nothing stands in its way at any source: it reads the key of a table only, so that neither
    /// collations nor loose typing can be the reason of a refusal.
    pub must_push: bool,
    /// Output columns that the answer is sorted by.
    pub sorted_by: &'static [usize],
    /// The query without its LIMIT, where the LIMIT may choose.
    pub any_of: Option<&'static str>,
}

pub(super) const fn case(
    capability: Capability,
    words: &'static [&'static str],
    sql: &'static str,
) -> Case {
    Case {
        capability,
        sql,
        words,
        must_push: false,
        sorted_by: &[],
        any_of: None,
    }
}

pub(super) const fn must(
    capability: Capability,
    words: &'static [&'static str],
    sql: &'static str,
) -> Case {
    Case {
        must_push: true,
        ..case(capability, words, sql)
    }
}

pub(super) const fn sorted(by: &'static [usize], case: Case) -> Case {
    Case {
        sorted_by: by,
        ..case
    }
}

pub(super) const fn any_of(whole: &'static str, case: Case) -> Case {
    Case {
        any_of: Some(whole),
        ..case
    }
}
