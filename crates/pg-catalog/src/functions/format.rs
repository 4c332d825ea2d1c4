//! `format`: a text with `%s`, `%I` and `%L` in it, filled in as PostgreSQL's `text_format` does.

use std::iter::Peekable;
use std::num::{IntErrorKind, ParseIntError};
use std::str::Chars;

use inflowave_types::{Error, Result, SqlState};

use super::name::quoted;
use super::text::literal;
use super::{Spec, spec};
use crate::value::Value;

/// Bytes of one result: a width comes from the statement's data.
const RESULT_MAX: usize = 16 * 1024 * 1024;

const SINGLE: &str = "For a single \"%\" use \"%%\".";

/// The arguments behind the first are printed before they come here: what is to be filled in has to
/// be the text of its own type.
pub(super) const SPECS: &[Spec] = &[Spec {
    strict: false,
    ..spec("format", (1, 100), "text", |_, args| {
        let (pattern, args) = match args.split_first() {
            Some((Value::Text(pattern), args)) => (pattern, args),
            _ => return Ok(Value::Null),
        };
        let texts: Vec<Option<&str>> = args
            .iter()
            .map(|arg| match arg {
                Value::Text(text) => Ok(Some(text.as_str())),
                Value::Null => Ok(None),
                other => Err(Error::internal(format!("{other:?} is not printed"))),
            })
            .collect::<Result<_>>()?;
        Ok(filled(pattern, &texts)?.into())
    })
}];

/// What stands between `%` and the letter.
#[derive(Default)]
struct Specifier {
    /// From 1 on.
    argument: Option<usize>,
    left: bool,
    width: Width,
}

#[derive(Default)]
enum Width {
    #[default]
    None,
    Fixed(i32),
    /// `*`
    NextArgument,
    /// `*n$`, from 1 on.
    Argument(usize),
}

/// # Errors
/// `22023` for a specifier that is none, and where arguments are missing; `22004` for a name that is
/// NULL; `54000` for a result of more than [`RESULT_MAX`] bytes.
fn filled(pattern: &str, args: &[Option<&str>]) -> Result<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut next = 1;
    while let Some(c) = chars.next() {
        if c != '%' || chars.next_if_eq(&'%').is_some() {
            out.push(c);
            continue;
        }
        let specifier = specifier(&mut chars)?;
        let letter = chars.next().ok_or_else(unterminated)?;
        if !matches!(letter, 's' | 'I' | 'L') {
            return Err(
                invalid(format!("unrecognized format() type specifier \"{letter}\""))
                    .with_hint(SINGLE),
            );
        }
        let width = match specifier.width {
            Width::None => 0,
            Width::Fixed(width) => width,
            Width::NextArgument => read_width(take(args, &mut next, None)?)?,
            Width::Argument(at) => read_width(take(args, &mut next, Some(at))?)?,
        };
        let value = take(args, &mut next, specifier.argument)?;
        let value = match (letter, value) {
            ('s', value) => value.unwrap_or_default().to_owned(),
            ('L', value) => value.map_or_else(|| "NULL".to_owned(), literal),
            (_, Some(name)) => quoted(name),
            (_, None) => {
                return Err(Error::new(
                    SqlState::NullValueNotAllowed,
                    "null values cannot be formatted as an SQL identifier",
                ));
            }
        };
        append(&mut out, &value, width, specifier.left)?;
    }
    Ok(out)
}

fn specifier(chars: &mut Peekable<Chars<'_>>) -> Result<Specifier> {
    let mut found = Specifier::default();
    if let Some(number) = digits(chars)? {
        if chars.next_if_eq(&'$').is_none() {
            found.width = Width::Fixed(number);
            return Ok(found);
        }
        found.argument = Some(position(number)?);
    }
    while chars.next_if_eq(&'-').is_some() {
        found.left = true;
    }
    if chars.next_if_eq(&'*').is_some() {
        found.width = match digits(chars)? {
            None => Width::NextArgument,
            Some(number) if chars.next_if_eq(&'$').is_some() => Width::Argument(position(number)?),
            Some(_) if chars.peek().is_none() => return Err(unterminated()),
            Some(_) => {
                return Err(invalid("width argument position must be ended by \"$\""));
            }
        };
    } else if let Some(number) = digits(chars)? {
        found.width = Width::Fixed(number);
    }
    Ok(found)
}

fn digits(chars: &mut Peekable<Chars<'_>>) -> Result<Option<i32>> {
    let mut number: Option<i32> = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        let grown = number
            .unwrap_or_default()
            .checked_mul(10)
            .and_then(|n| n.checked_add(i32::try_from(digit).ok()?));
        number = Some(grown.ok_or_else(out_of_range)?);
    }
    Ok(number)
}

fn position(number: i32) -> Result<usize> {
    match usize::try_from(number) {
        Ok(at) if at > 0 => Ok(at),
        _ => Err(invalid(
            "format specifies argument 0, but arguments are numbered from 1",
        )),
    }
}

/// The argument at a place, or the one behind the last that was taken.
fn take<'a>(
    args: &[Option<&'a str>],
    next: &mut usize,
    at: Option<usize>,
) -> Result<Option<&'a str>> {
    let at = at.unwrap_or(*next);
    *next = at.saturating_add(1);
    at.checked_sub(1)
        .and_then(|index| args.get(index))
        .copied()
        .ok_or_else(|| invalid("too few arguments for format()"))
}

fn read_width(text: Option<&str>) -> Result<i32> {
    let Some(text) = text else {
        return Ok(0);
    };
    text.trim()
        .parse()
        .map_err(|e: ParseIntError| match e.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => Error::new(
                SqlState::NumericValueOutOfRange,
                format!("value \"{text}\" is out of range for type integer"),
            ),
            _ => Error::new(
                SqlState::InvalidTextRepresentation,
                format!("invalid input syntax for type integer: \"{text}\""),
            ),
        })
}

/// A negative width is one to the left.
fn append(out: &mut String, value: &str, width: i32, left: bool) -> Result<()> {
    let left = left || width < 0;
    let width = usize::try_from(width.unsigned_abs()).map_err(|_| out_of_range())?;
    let blanks = width.saturating_sub(value.chars().count());
    if out.len().saturating_add(value.len()).saturating_add(blanks) > RESULT_MAX {
        return Err(Error::new(
            SqlState::ProgramLimitExceeded,
            "the result of format() is too large",
        )
        .with_detail(format!("It may have {RESULT_MAX} bytes.")));
    }
    if left {
        out.push_str(value);
    }
    out.extend(std::iter::repeat_n(' ', blanks));
    if !left {
        out.push_str(value);
    }
    Ok(())
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(SqlState::InvalidParameterValue, message.into())
}

fn unterminated() -> Error {
    invalid("unterminated format() type specifier").with_hint(SINGLE)
}

fn out_of_range() -> Error {
    Error::new(SqlState::NumericValueOutOfRange, "number is out of range")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as PostgreSQL 15 answers.
    #[test]
    fn texts_are_filled_in_as_postgresql_does() {
        for (pattern, args, expected) in [
            ("Hello %s, %1$s", &[Some("World")][..], "Hello World, World"),
            (
                "%I is %L",
                &[Some("a b"), Some("it's")],
                "\"a b\" is 'it''s'",
            ),
            ("%I %I", &[Some("select"), Some("name")], "\"select\" name"),
            ("%L %L", &[None, Some("a\\b")], "NULL E'a\\\\b'"),
            ("%s|%s", &[None, Some("1.50")], "|1.50"),
            (
                "|%10s|%-10s|%*s|%-*s|",
                &[
                    Some("foo"),
                    Some("bar"),
                    Some("6"),
                    Some("x"),
                    Some("5"),
                    Some("y"),
                ],
                "|       foo|bar       |     x|y    |",
            ),
            (
                "|%*2$s|",
                &[Some("foo"), Some("10"), Some("bar")],
                "|       bar|",
            ),
            ("|%2$*1$s|", &[Some("10"), Some("foo")], "|       foo|"),
            ("%%", &[], "%"),
            ("|%-3s|", &[Some("abcdef")], "|abcdef|"),
            ("|%*s|", &[Some("-5"), Some("a")], "|a    |"),
            ("|%*s|", &[None, Some("a")], "|a|"),
        ] {
            assert_eq!(filled(pattern, args).unwrap(), expected, "{pattern}");
        }
    }

    /// Each as PostgreSQL 15 answers, but the last, which it would allow.
    #[test]
    fn wrong_specifiers_are_refused() {
        for (pattern, args, code) in [
            ("%s", &[][..], "22023"),
            ("%x", &[Some("1")], "22023"),
            ("%", &[Some("1")], "22023"),
            ("%I", &[None], "22004"),
            ("%0$s", &[Some("1")], "22023"),
            ("|%5%|", &[], "22023"),
            ("%1$s %3$s", &[Some("1"), Some("2")], "22023"),
            ("%99999999999s", &[Some("1")], "22003"),
            ("%2000000000s", &[Some("1")], "54000"),
        ] {
            let error = filled(pattern, args).unwrap_err();
            assert_eq!(error.sqlstate().code(), code, "{pattern}");
        }
    }
}
