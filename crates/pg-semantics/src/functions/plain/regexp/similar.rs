//! Patterns of `SIMILAR TO` as regular expressions (`similar_escape_internal` of PostgreSQL).

use inflowave_types::{Error, SqlState};

/// The pattern of the whole text; `"` behind the escape character divides one in three, of which the
/// second is captured.
///
/// # Errors
/// `22025` for an escape that is no character.
pub(super) fn translated(pattern: &str, escape: Option<&str>) -> Result<String, Error> {
    let mut escapes = escape.unwrap_or("\\").chars();
    let escape = match (escapes.next(), escapes.next()) {
        (escape, None) => escape,
        _ => {
            return Err(
                Error::new(SqlState::InvalidEscapeSequence, "invalid escape string")
                    .with_hint("Escape string must be empty or one character."),
            );
        }
    };
    let mut out = String::from("^(?:");
    let (mut escaped, mut quotes) = (false, 0);
    // Within brackets: at their start, where `]` and `^` are members, or behind it.
    let (mut in_class, mut class_start) = (false, 0);
    for c in pattern.chars() {
        if escaped {
            if c == '"' && !in_class {
                match quotes {
                    0 => out.push_str("){1,1}?("),
                    1 => out.push_str("){1,1}(?:"),
                    _ => {
                        return Err(Error::new(
                            SqlState::InvalidUseOfEscapeCharacter,
                            "SQL regular expression may not contain more than two escape-double-quote separators",
                        ));
                    }
                }
                quotes += 1;
            } else {
                out.push('\\');
                out.push(c);
            }
            escaped = false;
        } else if Some(c) == escape {
            escaped = true;
        } else if in_class {
            if c == '\\' {
                out.push('\\');
            }
            out.push(c);
            if c == ']' && class_start > 0 {
                in_class = false;
            }
            if !(c == '^' && class_start == 0) {
                class_start += 1;
            }
        } else {
            match c {
                '[' => {
                    (in_class, class_start) = (true, 0);
                    out.push(c);
                }
                '%' => out.push_str(".*"),
                '_' => out.push('.'),
                '(' => out.push_str("(?:"),
                '\\' | '.' | '^' | '$' => {
                    out.push('\\');
                    out.push(c);
                }
                c => out.push(c),
            }
        }
    }
    out.push_str(")$");
    Ok(out)
}
