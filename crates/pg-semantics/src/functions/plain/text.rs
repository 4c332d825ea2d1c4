//! Functions of texts and numbers that DataFusion lacks, or knows by another meaning.

use inflowave_types::{Error, SqlState};

use super::{Arg, Out, Overload, Plain, T};

pub(crate) const NAME_CHAR: &str = "pg_name_char";

pub(super) const ALL: &[Plain] = &[
    Plain {
        name: "to_hex",
        overloads: &[
            overload!([T::Int4] => T::Text, |_, args| {
                Ok(Out::Text(format!("{:x}", args[0].int() as i32)))
            }),
            overload!([T::Int8] => T::Text, |_, args| {
                Ok(Out::Text(format!("{:x}", args[0].int())))
            }),
        ],
    },
    Plain {
        name: "gcd",
        overloads: &[
            overload!([T::Int4, T::Int4] => T::Int4, |_, args| divisor(args, i64::from(i32::MAX))),
            overload!([T::Int8, T::Int8] => T::Int8, |_, args| divisor(args, i64::MAX)),
        ],
    },
    Plain {
        name: "lcm",
        overloads: &[
            overload!([T::Int4, T::Int4] => T::Int4, |_, args| multiple(args, i64::from(i32::MAX))),
            overload!([T::Int8, T::Int8] => T::Int8, |_, args| multiple(args, i64::MAX)),
        ],
    },
    Plain {
        name: "parse_ident",
        overloads: &[
            overload!([T::Text] => T::Texts, |_, args| identifiers(args[0].text(), true)),
            overload!([T::Text, T::Bool] => T::Texts, |_, args| {
                identifiers(args[0].text(), args[1] == Arg::Bool(true))
            }),
        ],
    },
    Plain {
        name: "width_bucket",
        overloads: &[
            overload!([T::Float8, T::Float8, T::Float8, T::Int4] => T::Int4, |_, args| {
                bucket(args)
            }),
        ],
    },
    Plain {
        name: "pg_string_items",
        overloads: &[overload!([T::Text, T::Text] => T::Texts, |_, args| {
            let (text, by) = (args[0].text(), args[1].text());
            Ok(Out::Texts(match (text, by) {
                ("", _) => Vec::new(),
                (text, "") => vec![Some(text.to_owned())],
                (text, by) => text.split(by).map(|t| Some(t.to_owned())).collect(),
            }))
        })],
    },
    // A subscript of a `name`, whose bytes it numbers from 0.
    Plain {
        name: NAME_CHAR,
        overloads: &[overload!([T::Text, T::Int4] => T::Text, |_, args| {
            let at = usize::try_from(args[1].int()).ok();
            let c = at.and_then(|at| args[0].text().chars().nth(at));
            Ok(Out::Text(c.map_or_else(String::new, String::from)))
        })],
    },
    // DataFusion's take what memory they can get.
    Plain {
        name: "repeat",
        overloads: &[overload!([T::Text, T::Int4] => T::Text, |_, args| {
            let (text, times) = (args[0].text(), usize::try_from(args[1].int()).unwrap_or(0));
            bounded("repeat", text.len().saturating_mul(times))?;
            Ok(Out::Text(text.repeat(times)))
        })],
    },
    Plain {
        name: "lpad",
        overloads: &[
            overload!([T::Text, T::Int4] => T::Text, |_, args| padded(args, " ", true)),
            overload!([T::Text, T::Int4, T::Text] => T::Text, |_, args| {
                padded(args, args[2].text(), true)
            }),
        ],
    },
    Plain {
        name: "rpad",
        overloads: &[
            overload!([T::Text, T::Int4] => T::Text, |_, args| padded(args, " ", false)),
            overload!([T::Text, T::Int4, T::Text] => T::Text, |_, args| {
                padded(args, args[2].text(), false)
            }),
        ],
    },
    Plain {
        name: "replace",
        overloads: &[
            overload!([T::Text, T::Text, T::Text] => T::Text, |_, args| {
                let (text, from, to) = (args[0].text(), args[1].text(), args[2].text());
                if from.is_empty() {
                    return Ok(Out::Text(text.to_owned()));
                }
                let found = text.matches(from).count();
                let grown = found.saturating_mul(to.len());
                bounded("replace", text.len().saturating_add(grown) - found * from.len())?;
                Ok(Out::Text(text.replace(from, to)))
            }),
        ],
    },
    // DataFusion's prints what is no text.
    Plain {
        name: "translate",
        overloads: &[
            overload!([T::Text, T::Text, T::Text] => T::Text, |_, args| {
                let (from, to) = (args[1].text(), args[2].text());
                let to: Vec<char> = to.chars().collect();
                let changed = args[0].text().chars().filter_map(|c| {
                    match from.chars().position(|known| known == c) {
                        Some(at) => to.get(at).copied(),
                        None => Some(c),
                    }
                });
                Ok(Out::Text(changed.collect()))
            }),
        ],
    },
    Plain {
        name: "unistr",
        overloads: &[overload!([T::Text] => T::Text, |_, args| unistr(args[0].text()))],
    },
];

fn common(args: &[Arg]) -> i128 {
    let (mut a, mut b) = (
        i128::from(args[0].int()).abs(),
        i128::from(args[1].int()).abs(),
    );
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn within(value: i128, max: i64) -> Result<Out, Error> {
    match i64::try_from(value) {
        Ok(value) if value <= max => Ok(Out::Int(value)),
        _ => Err(Error::new(
            SqlState::NumericValueOutOfRange,
            match max == i64::MAX {
                true => "bigint out of range",
                false => "integer out of range",
            },
        )),
    }
}

/// The greatest common divisor.
fn divisor(args: &[Arg], max: i64) -> Result<Out, Error> {
    within(common(args), max)
}

/// The least common multiple.
fn multiple(args: &[Arg], max: i64) -> Result<Out, Error> {
    let (a, b) = (i128::from(args[0].int()), i128::from(args[1].int()));
    match common(args) {
        0 => Ok(Out::Int(0)),
        common => within((a / common * b).abs(), max),
    }
}

/// # Errors
/// `54000` for a text that would be too long, before it is made.
fn bounded(function: &str, bytes: usize) -> Result<(), Error> {
    match bytes > super::RESULT_MAX {
        false => Ok(()),
        true => Err(Error::new(
            SqlState::ProgramLimitExceeded,
            format!(
                "the result of {function}() is too large: one may have {} bytes",
                super::RESULT_MAX
            ),
        )),
    }
}

/// To a number of characters, by `fill` over and over; a longer text is cut.
fn padded(args: &[Arg], fill: &str, left: bool) -> Result<Out, Error> {
    let text = args[0].text();
    let width = usize::try_from(args[1].int()).unwrap_or(0);
    let length = text.chars().count();
    if length >= width || fill.is_empty() {
        return Ok(Out::Text(text.chars().take(width).collect()));
    }
    let missing = width - length;
    // A character has a byte at least, and those of the fill are counted as they are.
    let each = fill.len().div_ceil(fill.chars().count().max(1));
    bounded(
        if left { "lpad" } else { "rpad" },
        text.len().saturating_add(missing.saturating_mul(each)),
    )?;
    let pad = fill.chars().cycle().take(missing);
    Ok(Out::Text(match left {
        true => pad.chain(text.chars()).collect(),
        false => text.chars().chain(pad).collect(),
    }))
}

/// `a."B".c` taken apart.
fn identifiers(text: &str, strict: bool) -> Result<Out, Error> {
    let invalid = || {
        Error::new(
            SqlState::InvalidParameterValue,
            format!("string is not a valid identifier: \"{text}\""),
        )
    };
    let chars: Vec<char> = text.chars().collect();
    let (mut parts, mut at) = (Vec::new(), 0);
    let skip = |at: &mut usize| {
        while chars.get(*at).is_some_and(|c| c.is_whitespace()) {
            *at += 1;
        }
    };
    loop {
        skip(&mut at);
        let mut part = String::new();
        match chars.get(at) {
            Some('"') => {
                at += 1;
                loop {
                    match (chars.get(at), chars.get(at + 1)) {
                        (Some('"'), Some('"')) => {
                            part.push('"');
                            at += 2;
                        }
                        (Some('"'), _) => {
                            at += 1;
                            break;
                        }
                        (Some(c), _) => {
                            part.push(*c);
                            at += 1;
                        }
                        (None, _) => {
                            return Err(invalid().with_detail("String has unclosed double quotes."));
                        }
                    }
                }
                if part.is_empty() {
                    return Err(invalid().with_detail("Quoted identifier must not be empty."));
                }
            }
            Some(c) if c.is_alphabetic() || *c == '_' => {
                while let Some(c) = chars.get(at)
                    && (c.is_alphanumeric() || matches!(c, '_' | '$'))
                {
                    part.extend(c.to_lowercase());
                    at += 1;
                }
            }
            Some('.') => {
                return Err(invalid().with_detail("No valid identifier before \".\"."));
            }
            _ if !parts.is_empty() => {
                return Err(invalid().with_detail("No valid identifier after \".\"."));
            }
            _ => return Err(invalid()),
        }
        parts.push(Some(part));
        skip(&mut at);
        match chars.get(at) {
            Some('.') => at += 1,
            None => return Ok(Out::Texts(parts)),
            Some(_) if !strict => return Ok(Out::Texts(parts)),
            Some(_) => return Err(invalid()),
        }
    }
}

/// In which of `count` parts of equal width a value is, from 1; 0 and `count + 1` are outside.
fn bucket(args: &[Arg]) -> Result<Out, Error> {
    let [
        Arg::Float(value),
        Arg::Float(low),
        Arg::Float(high),
        Arg::Int(count),
    ] = args
    else {
        return Ok(Out::Null);
    };
    let invalid = |message: &str| {
        Err(Error::new(
            SqlState::InvalidArgumentForWidthBucketFunction,
            message,
        ))
    };
    if *count <= 0 {
        return invalid("count must be greater than zero");
    }
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return invalid("operand, lower bound, and upper bound cannot be NaN");
    }
    if low.is_infinite() || high.is_infinite() {
        return invalid("lower and upper bounds must be finite");
    }
    if low == high {
        return invalid("lower bound cannot equal upper bound");
    }
    let upwards = low < high;
    let (before, behind) = match upwards {
        true => (value < low, value >= high),
        false => (value > low, value <= high),
    };
    let bucket = match (before, behind) {
        (true, _) => 0,
        (_, true) => count + 1,
        // Halves where the width itself is too large for a double.
        _ => {
            let (width, part) = match (high - low).is_finite() {
                true => (high - low, value - low),
                false => (high / 2.0 - low / 2.0, value / 2.0 - low / 2.0),
            };
            let place = (*count as f64 * (part / width)).floor() as i64;
            place.min(count - 1) + 1
        }
    };
    match i32::try_from(bucket) {
        Ok(bucket) => Ok(Out::Int(bucket.into())),
        Err(_) => Err(Error::new(
            SqlState::NumericValueOutOfRange,
            "integer out of range",
        )),
    }
}

fn unistr(text: &str) -> Result<Out, Error> {
    let invalid = || {
        Error::new(SqlState::SyntaxError, "invalid Unicode escape")
            .with_hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
    };
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix('\\') {
            out.push('\\');
            rest = behind;
            continue;
        }
        let (digits, skip) = match behind.chars().next() {
            Some('u') => (4, 1),
            Some('U') => (8, 1),
            Some('+') => (6, 1),
            _ => (4, 0),
        };
        let hex = behind.get(skip..skip + digits).ok_or_else(invalid)?;
        let unit = u32::from_str_radix(hex, 16).map_err(|_| invalid())?;
        rest = &behind[skip + digits..];
        if (0xD800..0xDC00).contains(&unit) {
            // The other half of the pair.
            let low = rest.strip_prefix('\\').ok_or_else(invalid)?;
            let low = low.strip_prefix('u').unwrap_or(low);
            let hex = low.get(..4).ok_or_else(invalid)?;
            let half = u32::from_str_radix(hex, 16).map_err(|_| invalid())?;
            if !(0xDC00..0xE000).contains(&half) {
                return Err(Error::new(
                    SqlState::SyntaxError,
                    "invalid Unicode surrogate pair",
                ));
            }
            let value = 0x10000 + ((unit - 0xD800) << 10) + (half - 0xDC00);
            out.push(char::from_u32(value).ok_or_else(invalid)?);
            rest = &low[4..];
            continue;
        }
        match char::from_u32(unit) {
            Some(c) if unit != 0 => out.push(c),
            _ => {
                return Err(Error::new(
                    SqlState::InvalidParameterValue,
                    "invalid Unicode code point",
                ));
            }
        }
    }
    out.push_str(rest);
    Ok(Out::Text(out))
}
