//! `regexp_*`, `substring(text from pattern)` and `SIMILAR TO`.

mod matcher;
mod pattern;
mod similar;

use std::collections::HashMap;
use std::rc::Rc;

use inflowave_types::{Error, SqlState};

use super::{Arg, Body, Kept, Out, Overload, Plain, T};
use matcher::{Match, Program, Span};
use pattern::Flags;

/// Patterns that are kept while rows have different ones.
const KEPT_MAX: usize = 64;

/// Patterns that were read, with their flags.
#[derive(Default)]
pub(in crate::functions) struct Cache(HashMap<(String, Flags), Rc<Program>>);

impl Cache {
    fn get(&mut self, text: &str, flags: Flags) -> Result<Rc<Program>, Error> {
        let key = (text.to_owned(), flags);
        if let Some(program) = self.0.get(&key) {
            return Ok(Rc::clone(program));
        }
        let program = Rc::new(Program::new(&pattern::read(text, flags)?));
        if self.0.len() >= KEPT_MAX {
            self.0.clear();
        }
        self.0.insert(key, Rc::clone(&program));
        Ok(program)
    }
}

const fn of(args: &'static [T], result: T, body: Body) -> Overload {
    Overload { args, result, body }
}

const TEXT2: &[T] = &[T::Text, T::Text];
const TEXT3: &[T] = &[T::Text, T::Text, T::Text];
const TEXT4: &[T] = &[T::Text, T::Text, T::Text, T::Text];
const FROM: &[T] = &[T::Text, T::Text, T::Int4];
const FROM_FLAGS: &[T] = &[T::Text, T::Text, T::Int4, T::Text];
const FROM_NTH: &[T] = &[T::Text, T::Text, T::Int4, T::Int4];
const FROM_NTH_FLAGS: &[T] = &[T::Text, T::Text, T::Int4, T::Int4, T::Text];
const FROM_NTH_FLAGS_PART: &[T] = &[T::Text, T::Text, T::Int4, T::Int4, T::Text, T::Int4];
const INSTR4: &[T] = &[T::Text, T::Text, T::Int4, T::Int4, T::Int4];
const INSTR5: &[T] = &[T::Text, T::Text, T::Int4, T::Int4, T::Int4, T::Text];
const INSTR6: &[T] = &[
    T::Text,
    T::Text,
    T::Int4,
    T::Int4,
    T::Int4,
    T::Text,
    T::Int4,
];
const REPLACE_FROM: &[T] = &[T::Text, T::Text, T::Text, T::Int4];
const REPLACE_NTH: &[T] = &[T::Text, T::Text, T::Text, T::Int4, T::Int4];
const REPLACE_FLAGS: &[T] = &[T::Text, T::Text, T::Text, T::Int4, T::Int4, T::Text];

pub(super) const ALL: &[Plain] = &[
    Plain {
        name: "pg_substring_regex",
        overloads: &[of(TEXT2, T::Text, |kept, args| {
            Ok(substring(kept, args[0].text(), args[1].text())?.into())
        })],
    },
    Plain {
        name: "pg_substring_similar",
        overloads: &[of(TEXT3, T::Text, |kept, args| {
            let pattern = similar::translated(args[1].text(), Some(args[2].text()))?;
            Ok(substring(kept, args[0].text(), &pattern)?.into())
        })],
    },
    Plain {
        name: "pg_similar_to",
        overloads: &[
            of(TEXT2, T::Bool, |kept, args| {
                let pattern = similar::translated(args[1].text(), Some("\\"))?;
                Ok(Out::Bool(first(kept, args[0].text(), &pattern)?.is_some()))
            }),
            of(TEXT3, T::Bool, |kept, args| {
                let pattern = similar::translated(args[1].text(), Some(args[2].text()))?;
                Ok(Out::Bool(first(kept, args[0].text(), &pattern)?.is_some()))
            }),
        ],
    },
    Plain {
        name: "regexp_match",
        overloads: &[
            of(TEXT2, T::Texts, |kept, args| matched(kept, args, "")),
            of(TEXT3, T::Texts, |kept, args| {
                matched(kept, args, args[2].text())
            }),
        ],
    },
    Plain {
        name: "pg_regexp_matches",
        overloads: &[
            of(TEXT2, T::RowsOfTexts("regexp_matches"), |kept, args| {
                all_matched(kept, args, "")
            }),
            of(TEXT3, T::RowsOfTexts("regexp_matches"), |kept, args| {
                all_matched(kept, args, args[2].text())
            }),
        ],
    },
    Plain {
        name: "regexp_split_to_array",
        overloads: &[
            of(TEXT2, T::Texts, |kept, args| split(kept, args, "")),
            of(TEXT3, T::Texts, |kept, args| {
                split(kept, args, args[2].text())
            }),
        ],
    },
    Plain {
        name: "regexp_like",
        overloads: &[
            of(TEXT2, T::Bool, |kept, args| like(kept, args, "")),
            of(TEXT3, T::Bool, |kept, args| {
                like(kept, args, args[2].text())
            }),
        ],
    },
    Plain {
        name: "regexp_count",
        overloads: &[
            of(TEXT2, T::Int4, |kept, args| count(kept, args, 1, "")),
            of(FROM, T::Int4, |kept, args| {
                count(kept, args, args[2].int(), "")
            }),
            of(FROM_FLAGS, T::Int4, |kept, args| {
                count(kept, args, args[2].int(), args[3].text())
            }),
        ],
    },
    Plain {
        name: "regexp_substr",
        overloads: &[
            of(TEXT2, T::Text, substr),
            of(FROM, T::Text, substr),
            of(FROM_NTH, T::Text, substr),
            of(FROM_NTH_FLAGS, T::Text, substr),
            of(FROM_NTH_FLAGS_PART, T::Text, substr),
        ],
    },
    Plain {
        name: "regexp_instr",
        overloads: &[
            of(TEXT2, T::Int4, instr),
            of(FROM, T::Int4, instr),
            of(FROM_NTH, T::Int4, instr),
            of(INSTR4, T::Int4, instr),
            of(INSTR5, T::Int4, instr),
            of(INSTR6, T::Int4, instr),
        ],
    },
    Plain {
        name: "regexp_replace",
        overloads: &[
            of(TEXT3, T::Text, |kept, args| {
                replace(kept, args, 1, Some(1), "")
            }),
            of(TEXT4, T::Text, |kept, args| {
                let letters = args[3].text();
                if letters.starts_with(|c: char| c.is_ascii_digit()) {
                    return Err(Error::new(
                        SqlState::InvalidParameterValue,
                        format!("invalid regular expression option: \"{}\"", &letters[..1]),
                    )
                    .with_hint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
                }
                replace(kept, args, 1, None, letters)
            }),
            of(REPLACE_FROM, T::Text, |kept, args| {
                replace(kept, args, args[3].int(), Some(1), "")
            }),
            of(REPLACE_NTH, T::Text, |kept, args| {
                replace(kept, args, args[3].int(), Some(args[4].int()), "")
            }),
            of(REPLACE_FLAGS, T::Text, |kept, args| {
                replace(
                    kept,
                    args,
                    args[3].int(),
                    Some(args[4].int()),
                    args[5].text(),
                )
            }),
        ],
    },
];

impl From<Option<String>> for Out {
    fn from(text: Option<String>) -> Out {
        text.map_or(Out::Null, Out::Text)
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn slice(text: &[char], (from, to): Span) -> String {
    text.get(from..to).unwrap_or_default().iter().collect()
}

/// Flags of a function that has no `g`.
fn without_global(letters: &str, function: &str) -> Result<Flags, Error> {
    let flags = Flags::read(letters)?;
    match flags.global {
        false => Ok(flags),
        true => Err(Error::new(
            SqlState::InvalidParameterValue,
            format!("{function} does not support the \"global\" option"),
        )),
    }
}

fn first(kept: &mut Kept, text: &str, pattern: &str) -> Result<Option<Match>, Error> {
    let program = kept.pattern.get(pattern, Flags::default())?;
    program.find(&chars(text), 0)
}

/// The first capture, or the whole match of a pattern without one.
fn substring(kept: &mut Kept, text: &str, pattern: &str) -> Result<Option<String>, Error> {
    let program = kept.pattern.get(pattern, Flags::default())?;
    let text = chars(text);
    Ok(program.find(&text, 0)?.and_then(|found| {
        let span = match found.captures.first() {
            Some(capture) => *capture,
            None => Some(found.whole),
        };
        span.map(|span| slice(&text, span))
    }))
}

fn captured(text: &[char], found: &Match) -> Vec<Option<String>> {
    match found.captures.is_empty() {
        true => vec![Some(slice(text, found.whole))],
        false => found
            .captures
            .iter()
            .map(|span| span.map(|span| slice(text, span)))
            .collect(),
    }
}

fn matched(kept: &mut Kept, args: &[Arg], letters: &str) -> Result<Out, Error> {
    let flags =
        without_global(letters, "regexp_match()").map_err(|e| match letters.contains('g') {
            true => e.with_hint("Use the regexp_matches function instead."),
            false => e,
        })?;
    let program = kept.pattern.get(args[1].text(), flags)?;
    let text = chars(args[0].text());
    Ok(match program.find(&text, 0)? {
        Some(found) => Out::Texts(captured(&text, &found)),
        None => Out::Null,
    })
}

/// Matches behind one another, up to `limit`.
fn matches(
    program: &Program,
    text: &[char],
    from: usize,
    limit: usize,
) -> Result<Vec<Match>, Error> {
    let (mut all, mut at) = (Vec::new(), from);
    while at <= text.len()
        && all.len() < limit
        && let Some(found) = program.find(text, at)?
    {
        let (begin, end) = found.whole;
        // Behind an empty match the next one begins a character later.
        at = if end > begin { end } else { end + 1 };
        all.push(found);
    }
    Ok(all)
}

fn all_matched(kept: &mut Kept, args: &[Arg], letters: &str) -> Result<Out, Error> {
    let flags = Flags::read(letters)?;
    let program = kept.pattern.get(args[1].text(), flags)?;
    let text = chars(args[0].text());
    let limit = if flags.global { usize::MAX } else { 1 };
    let found = matches(&program, &text, 0, limit)?;
    Ok(Out::Rows(
        found.iter().map(|m| captured(&text, m)).collect(),
    ))
}

fn split(kept: &mut Kept, args: &[Arg], letters: &str) -> Result<Out, Error> {
    let flags = without_global(letters, "regexp_split_to_array()")?;
    let program = kept.pattern.get(args[1].text(), flags)?;
    let text = chars(args[0].text());
    let (mut parts, mut at, mut before) = (Vec::new(), 0, 0);
    for found in matches(&program, &text, 0, usize::MAX)? {
        let (begin, end) = found.whole;
        // An empty match at an end, or behind the one before, divides nothing.
        if begin < text.len() && end > before {
            parts.push(Some(slice(&text, (at, begin))));
            at = end;
        }
        before = end;
    }
    parts.push(Some(slice(&text, (at, text.len()))));
    Ok(Out::Texts(parts))
}

fn like(kept: &mut Kept, args: &[Arg], letters: &str) -> Result<Out, Error> {
    let flags = without_global(letters, "regexp_like()")?;
    let program = kept.pattern.get(args[1].text(), flags)?;
    Ok(Out::Bool(
        program.find(&chars(args[0].text()), 0)?.is_some(),
    ))
}

fn positive(value: i64, name: &str) -> Result<usize, Error> {
    match usize::try_from(value) {
        Ok(value) if value > 0 => Ok(value),
        _ => Err(Error::new(
            SqlState::InvalidParameterValue,
            format!("invalid value for parameter \"{name}\": {value}"),
        )),
    }
}

fn count(kept: &mut Kept, args: &[Arg], start: i64, letters: &str) -> Result<Out, Error> {
    let start = positive(start, "start")?;
    let flags = without_global(letters, "regexp_count()")?;
    let program = kept.pattern.get(args[1].text(), flags)?;
    let found = matches(&program, &chars(args[0].text()), start - 1, usize::MAX)?;
    Ok(Out::Int(found.len() as i64))
}

/// The match that `start`, `n`, `flags` and `subexpr` mean.
fn chosen(
    kept: &mut Kept,
    args: &[Arg],
    [start, nth, flags, part]: [usize; 4],
    function: &str,
) -> Result<(Vec<char>, Option<Span>), Error> {
    let int = |at: usize, default: i64| args.get(at).map_or(default, Arg::int);
    let start = positive(int(start, 1), "start")?;
    let nth = positive(int(nth, 1), "n")?;
    let flags = without_global(args.get(flags).map_or("", Arg::text), function)?;
    let part = int(part, 0);
    if part < 0 {
        return Err(Error::new(
            SqlState::InvalidParameterValue,
            format!("invalid value for parameter \"subexpr\": {part}"),
        ));
    }
    let program = kept.pattern.get(args[1].text(), flags)?;
    let text = chars(args[0].text());
    let found = matches(&program, &text, start - 1, nth)?;
    let span = found.get(nth - 1).and_then(|m| match part as usize {
        0 => Some(m.whole),
        part => m.captures.get(part - 1).copied().flatten(),
    });
    Ok((text, span))
}

fn substr(kept: &mut Kept, args: &[Arg]) -> Result<Out, Error> {
    let (text, span) = chosen(kept, args, [2, 3, 4, 5], "regexp_substr()")?;
    Ok(span.map(|span| slice(&text, span)).into())
}

fn instr(kept: &mut Kept, args: &[Arg]) -> Result<Out, Error> {
    let end = args.get(4).map_or(0, Arg::int);
    if !(0..=1).contains(&end) {
        return Err(Error::new(
            SqlState::InvalidParameterValue,
            format!("invalid value for parameter \"endoption\": {end}"),
        ));
    }
    let (_, span) = chosen(kept, args, [2, 3, 5, 6], "regexp_instr()")?;
    let place = span.map_or(0, |(from, to)| if end == 1 { to } else { from } + 1);
    Ok(Out::Int(place as i64))
}

/// Replaces the `nth` match from `start` on, all for 0. The flag `g` means all where no number is given.
fn replace(
    kept: &mut Kept,
    args: &[Arg],
    start: i64,
    nth: Option<i64>,
    letters: &str,
) -> Result<Out, Error> {
    let start = positive(start, "start")?;
    if nth.is_some_and(|n| n < 0) {
        return Err(Error::new(
            SqlState::InvalidParameterValue,
            format!("invalid value for parameter \"n\": {}", nth.unwrap_or(0)),
        ));
    }
    let flags = Flags::read(letters)?;
    let nth = nth.unwrap_or(i64::from(!flags.global)) as usize;
    let program = kept.pattern.get(args[1].text(), flags)?;
    let text = chars(args[0].text());
    let limit = if nth == 0 { usize::MAX } else { nth };
    let found = matches(&program, &text, start - 1, limit)?;
    let found = match nth {
        0 => found.as_slice(),
        nth => found.get(nth - 1..).unwrap_or_default(),
    };
    let (mut out, mut at) = (String::new(), 0);
    for m in found {
        out.push_str(&slice(&text, (at, m.whole.0)));
        put(&mut out, args[2].text(), &text, m);
        at = m.whole.1;
        if out.len() > super::RESULT_MAX {
            break;
        }
    }
    out.push_str(&slice(&text, (at.min(text.len()), text.len())));
    Ok(Out::Text(out))
}

/// `\1` to `\9` are captures, `\&` is the whole match, `\\` a backslash.
fn put(out: &mut String, replacement: &str, text: &[char], found: &Match) {
    let mut rest = replacement.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('&') => out.push_str(&slice(text, found.whole)),
            Some(digit @ '1'..='9') => {
                let number = digit.to_digit(10).unwrap_or(1) as usize;
                if let Some(Some(span)) = found.captures.get(number - 1) {
                    out.push_str(&slice(text, *span));
                }
            }
            Some('\\') | None => out.push('\\'),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
}
