//! The grammar of `DECLARE`, `FETCH` and `MOVE`, and which rows a direction means.

use arrow::array::RecordBatch;
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::tokenizer::Token;
use inflowave_types::{Error, Result, SqlState};

use crate::words::Words;

/// `DECLARE name [BINARY] [INSENSITIVE | ASENSITIVE] [[NO] SCROLL] CURSOR [WITH | WITHOUT HOLD] FOR
/// query`
#[derive(Debug, Clone)]
pub(crate) struct Declare {
    pub name: String,
    pub binary: bool,
    pub hold: bool,
    pub scroll: bool,
    pub query: Box<ast::Statement>,
}

impl Declare {
    /// # Errors
    /// `42601` with position.
    pub fn parse(words: &Words, depth_max: usize) -> Result<Declare> {
        let name = words.identifier(1)?;
        let (mut binary, mut hold, mut scroll, mut at) = (false, false, false, 2);
        loop {
            match words.upper(at).as_str() {
                "BINARY" => binary = true,
                // A query here sees no changes of its own.
                "INSENSITIVE" | "ASENSITIVE" => {}
                "NO" if words.upper(at + 1) == "SCROLL" => at += 1,
                "SCROLL" => scroll = true,
                "CURSOR" => break,
                _ => return Err(words.unexpected(at)),
            }
            at += 1;
        }
        at += 1;
        match (words.upper(at).as_str(), words.upper(at + 1).as_str()) {
            ("WITH", "HOLD") => (hold, at) = (true, at + 2),
            ("WITHOUT", "HOLD") => at += 2,
            _ => {}
        }
        if words.upper(at) != "FOR" {
            return Err(words.unexpected(at));
        }
        let (query, _) = words.query_from(at + 1, depth_max)?;
        Ok(Declare {
            name,
            binary,
            hold,
            scroll,
            query,
        })
    }
}

/// `FETCH | MOVE [direction] [FROM | IN] cursor`
#[derive(Debug, Clone)]
pub(crate) struct Fetch {
    pub cursor: String,
    pub direction: Direction,
    pub moves: bool,
}

/// Counted in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The next so many rows, or the row that it stands on for none.
    Forward(u64),
    /// The rows before, the nearest first.
    Backward(u64),
    Absolute(i64),
    Relative(i64),
    Last,
}

impl Fetch {
    /// # Errors
    /// `42601` with position.
    pub fn parse(words: &Words) -> Result<Fetch> {
        let moves = words.upper(0) == "MOVE";
        let (direction, mut at) = direction(words)?;
        if matches!(words.upper(at).as_str(), "FROM" | "IN") {
            at += 1;
        }
        let cursor = words.identifier(at)?;
        words.end(at + 1)?;
        Ok(Fetch {
            cursor,
            direction,
            moves,
        })
    }
}

/// The direction behind the first word, and the index behind it.
fn direction(words: &Words) -> Result<(Direction, usize)> {
    // A cursor may have the name of a direction: then nothing follows.
    if words.token(2).is_none() {
        return Ok((Direction::Forward(1), 1));
    }
    let counted = |at: usize| -> Result<(i64, usize)> {
        number(words, at)?.ok_or_else(|| words.unexpected(at))
    };
    Ok(match words.upper(1).as_str() {
        "NEXT" => (Direction::Forward(1), 2),
        "PRIOR" => (Direction::Backward(1), 2),
        "FIRST" => (Direction::Absolute(1), 2),
        "LAST" => (Direction::Last, 2),
        "ALL" => (Direction::Forward(u64::MAX), 2),
        "ABSOLUTE" => {
            let (n, at) = counted(2)?;
            (Direction::Absolute(n), at)
        }
        "RELATIVE" => {
            let (n, at) = counted(2)?;
            (Direction::Relative(n), at)
        }
        word @ ("FORWARD" | "BACKWARD") => {
            let (n, at) = match words.upper(2).as_str() {
                "ALL" => (i64::MAX, 3),
                _ => number(words, 2)?.unwrap_or((1, 2)),
            };
            let n = if word == "FORWARD" {
                n
            } else {
                n.saturating_neg()
            };
            (signed(n), at)
        }
        _ => match number(words, 1)? {
            Some((n, at)) => (signed(n), at),
            None => (Direction::Forward(1), 1),
        },
    })
}

fn signed(n: i64) -> Direction {
    match u64::try_from(n) {
        Ok(n) if n == i64::MAX as u64 => Direction::Forward(u64::MAX),
        Ok(n) => Direction::Forward(n),
        Err(_) if n == -i64::MAX => Direction::Backward(u64::MAX),
        Err(_) => Direction::Backward(n.unsigned_abs()),
    }
}

/// A signed number at `at`, and the index behind it.
fn number(words: &Words, at: usize) -> Result<Option<(i64, usize)>> {
    let (negative, digits) = match words.token(at) {
        Some(Token::Minus) => (true, at + 1),
        Some(Token::Plus) => (false, at + 1),
        _ => (false, at),
    };
    match words.token(digits) {
        Some(Token::Number(text, _)) => {
            let n: i64 = text.parse().map_err(|_| words.unexpected(digits))?;
            Ok(Some((if negative { -n } else { n }, digits + 1)))
        }
        _ if digits > at => Err(words.unexpected(digits)),
        _ => Ok(None),
    }
}

/// What a direction means from where a cursor stands.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// Gives the row that it stands on.
    pub again: bool,
    pub skip: u64,
    pub take: u64,
    /// Gives the last of the rows that were skipped.
    pub gives_last: bool,
    pub last: Option<RecordBatch>,
}

impl Direction {
    /// `position` counts the rows that have been read; `behind` once the end has been met.
    ///
    /// # Errors
    /// `55000` for a way back.
    pub fn steps(self, position: u64, behind: bool) -> Result<Steps> {
        let forward = |skip, take| Steps {
            skip,
            take,
            ..Steps::default()
        };
        let stay = Steps {
            again: true,
            ..Steps::default()
        };
        let here = |n: i64| u64::try_from(n).ok();
        Ok(match self {
            Direction::Forward(0) | Direction::Relative(0) => stay,
            Direction::Forward(n) => forward(0, n),
            Direction::Relative(n) if n > 0 => forward(here(n).unwrap_or(0) - 1, 1),
            Direction::Absolute(0) if position == 0 && !behind => stay,
            Direction::Absolute(n) => match here(n) {
                Some(n) if n > 0 && n == position && !behind => stay,
                Some(n) if n > position => forward(n - position - 1, 1),
                _ => return Err(backward()),
            },
            Direction::Last if !behind => Steps {
                skip: u64::MAX,
                gives_last: true,
                ..Steps::default()
            },
            Direction::Backward(_) | Direction::Relative(_) | Direction::Last => {
                return Err(backward());
            }
        })
    }
}

fn backward() -> Error {
    Error::new(
        SqlState::ObjectNotInPrerequisiteState,
        "cursor can only scan forward",
    )
    .with_hint("Declare it with SCROLL option to enable backward scan.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::{self, Bounds, Kind};

    fn fetch(sql: &str) -> Result<Fetch> {
        let bounds = Bounds {
            bytes_max: 1 << 20,
            depth_max: 100,
        };
        let parsed = statement::split(sql, bounds, &[])?;
        match statement::kind(&parsed[0])? {
            Kind::Fetch(fetch) => Ok(fetch.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn directions_are_read_as_postgresql_does() {
        for (sql, direction, cursor) in [
            ("fetch c", Direction::Forward(1), "c"),
            ("fetch next", Direction::Forward(1), "next"),
            ("fetch next from c", Direction::Forward(1), "c"),
            ("fetch 10 in c", Direction::Forward(10), "c"),
            ("fetch 10 c", Direction::Forward(10), "c"),
            ("fetch -1 from c", Direction::Backward(1), "c"),
            ("fetch all from \"C\"", Direction::Forward(u64::MAX), "C"),
            ("fetch forward c", Direction::Forward(1), "c"),
            ("fetch forward all c", Direction::Forward(u64::MAX), "c"),
            ("fetch backward 2 from c", Direction::Backward(2), "c"),
            (
                "fetch backward all from c",
                Direction::Backward(u64::MAX),
                "c",
            ),
            ("fetch prior from c", Direction::Backward(1), "c"),
            ("move absolute 7 from c", Direction::Absolute(7), "c"),
            ("fetch relative -1 from c", Direction::Relative(-1), "c"),
            ("fetch last from c", Direction::Last, "c"),
            ("fetch first from c", Direction::Absolute(1), "c"),
        ] {
            let fetch = fetch(sql).unwrap();
            assert_eq!(
                (fetch.direction, fetch.cursor.as_str()),
                (direction, cursor),
                "{sql}"
            );
        }
        for sql in [
            "fetch",
            "fetch 10 from",
            "fetch absolute from c",
            "fetch from c c",
        ] {
            assert_eq!(fetch(sql).unwrap_err().sqlstate().code(), "42601", "{sql}");
        }
    }

    #[test]
    fn a_direction_is_steps_from_where_the_cursor_stands() {
        let steps = |d: Direction| d.steps(3, false).map(|s| (s.again, s.skip, s.take));
        assert_eq!(steps(Direction::Forward(2)), Ok((false, 0, 2)));
        assert_eq!(steps(Direction::Forward(0)), Ok((true, 0, 0)));
        assert_eq!(steps(Direction::Absolute(3)), Ok((true, 0, 0)));
        assert_eq!(steps(Direction::Absolute(6)), Ok((false, 2, 1)));
        assert_eq!(steps(Direction::Relative(2)), Ok((false, 1, 1)));
        for back in [
            Direction::Absolute(2),
            Direction::Absolute(-1),
            Direction::Relative(-1),
            Direction::Backward(1),
        ] {
            assert_eq!(steps(back).unwrap_err().sqlstate().code(), "55000");
        }
    }
}
