//! Patterns of LIKE, read once and written anew for each dialect.

use crate::value::{Answer, refuse};

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternPart {
    /// `%`
    Any,
    /// `_`
    One,
    /// This character and no other.
    Char(char),
}

/// Reads a pattern whose escape character is the backslash.
pub(crate) fn parse(pattern: &str) -> Answer<Vec<PatternPart>> {
    let mut parts = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '%' => PatternPart::Any,
            '_' => PatternPart::One,
            '\\' => match chars.next() {
                Some(c @ ('%' | '_' | '\\')) => PatternPart::Char(c),
                _ => {
                    return refuse("LIKE with a backslash that escapes nothing is computed here");
                }
            },
            c => PatternPart::Char(c),
        });
    }
    Ok(parts)
}

/// The pattern with `escape` as its escape character.
pub(crate) fn escaped(parts: &[PatternPart], escape: char) -> String {
    let mut out = String::with_capacity(parts.len());
    for part in parts {
        match *part {
            PatternPart::Any => out.push('%'),
            PatternPart::One => out.push('_'),
            PatternPart::Char(c) => {
                if c == '%' || c == '_' || c == escape {
                    out.push(escape);
                }
                out.push(c);
            }
        }
    }
    out
}

/// The pattern for GLOB, which has classes and no escape character.
pub(crate) fn glob(parts: &[PatternPart]) -> String {
    let mut out = String::with_capacity(parts.len());
    for part in parts {
        match *part {
            PatternPart::Any => out.push('*'),
            PatternPart::One => out.push('?'),
            PatternPart::Char(c @ ('*' | '?' | '[')) => out.extend(['[', c, ']']),
            PatternPart::Char(c) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_written_with_another_escape() {
        let parts = parse("a%_\\%\\_\\\\|*[x]?").unwrap();
        assert_eq!(escaped(&parts, '\\'), "a%_\\%\\_\\\\|*[x]?");
        assert_eq!(escaped(&parts, '|'), "a%_|%|_\\||*[x]?");
        assert_eq!(glob(&parts), "a*?%_\\|[*][[]x][?]");
        assert!(parse("a\\").is_err());
        assert!(parse("\\a").is_err());
    }
}
