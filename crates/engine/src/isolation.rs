//! What a transaction is begun with: how isolated it is, and what it may do.

use std::fmt;
use std::str::FromStr;

use inflowave_types::{Error, Result, SqlState};

use crate::words::Words;

/// PostgreSQL's levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Isolation {
    ReadUncommitted,
    #[default]
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl Isolation {
    /// As settings spell them.
    pub const NAMES: [&'static str; 4] = [
        "serializable",
        "repeatable read",
        "read committed",
        "read uncommitted",
    ];

    /// Whether all statements read one state. Nothing is written here, so that a transaction that
    /// reads one state is serializable, too.
    pub fn fixes_states(self) -> bool {
        matches!(self, Isolation::RepeatableRead | Isolation::Serializable)
    }

    fn name(self) -> &'static str {
        let [serializable, repeatable, committed, uncommitted] = Isolation::NAMES;
        match self {
            Isolation::Serializable => serializable,
            Isolation::RepeatableRead => repeatable,
            Isolation::ReadCommitted => committed,
            Isolation::ReadUncommitted => uncommitted,
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isolation {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        let all = [
            Isolation::Serializable,
            Isolation::RepeatableRead,
            Isolation::ReadCommitted,
            Isolation::ReadUncommitted,
        ];
        let found = all.into_iter().find(|i| i.name().eq_ignore_ascii_case(s));
        found.ok_or(())
    }
}

/// The modes of a transaction. `READ ONLY` is always so, `READ WRITE` finds nothing to write to, and
/// `DEFERRABLE` is about waiting for others that write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Modes {
    pub isolation: Option<Isolation>,
}

impl Modes {
    /// The modes from `at` to the end, with commas between them or not.
    ///
    /// # Errors
    /// `42601` for what is none.
    pub fn parse(words: &Words, at: usize) -> Result<Modes> {
        let (mut modes, mut at) = (Modes::default(), at);
        while words.token(at).is_some() {
            let (first, second) = (words.upper(at), words.upper(at + 1));
            at += match (first.as_str(), second.as_str()) {
                ("ISOLATION", "LEVEL") => {
                    let (isolation, length) = level(words, at + 2)?;
                    modes.isolation = Some(isolation);
                    2 + length
                }
                ("READ", "ONLY" | "WRITE") | ("NOT", "DEFERRABLE") => 2,
                ("DEFERRABLE", _) => 1,
                _ => return Err(words.unexpected(at)),
            };
            if words.is_comma(at) {
                at += 1;
                if words.token(at).is_none() {
                    return Err(words.unexpected(at));
                }
            }
        }
        Ok(modes)
    }

    /// The same, and there must be one.
    ///
    /// # Errors
    /// `42601`; `0A000` for `SNAPSHOT`, which names a state of one PostgreSQL.
    pub fn parse_some(words: &Words, at: usize) -> Result<Modes> {
        if words.upper(at) == "SNAPSHOT" {
            return Err(Error::new(
                SqlState::FeatureNotSupported,
                "SET TRANSACTION SNAPSHOT is not supported",
            )
            .with_hint("BEGIN ISOLATION LEVEL REPEATABLE READ reads each source in one state."));
        }
        if words.token(at).is_none() {
            return Err(words.unexpected(at));
        }
        Modes::parse(words, at)
    }
}

/// The level at `at`, and of how many words it is.
fn level(words: &Words, at: usize) -> Result<(Isolation, usize)> {
    match (words.upper(at).as_str(), words.upper(at + 1).as_str()) {
        ("SERIALIZABLE", _) => Ok((Isolation::Serializable, 1)),
        ("REPEATABLE", "READ") => Ok((Isolation::RepeatableRead, 2)),
        ("READ", "COMMITTED") => Ok((Isolation::ReadCommitted, 2)),
        ("READ", "UNCOMMITTED") => Ok((Isolation::ReadUncommitted, 2)),
        _ => Err(words.unexpected(at)),
    }
}
