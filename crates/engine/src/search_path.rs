//! `search_path`: the schemas in which a name without one is looked up.

use inflowave_types::{Error, Result, SqlState};

/// The schema that is named after the user.
pub(crate) const USER: &str = "$user";
/// Schemas of a path, at most.
const SCHEMAS_MAX: usize = 100;

/// What a session starts with.
pub(crate) fn default_text(default_schema: &str) -> String {
    written(&[USER.to_owned(), default_schema.to_owned()])
}

/// Names with commas between them, each quoted or not.
///
/// # Errors
/// `22023`.
pub(crate) fn parse(text: &str) -> Result<Vec<String>> {
    let invalid = || {
        Error::new(
            SqlState::InvalidParameterValue,
            format!("invalid value for parameter \"search_path\": \"{text}\""),
        )
        .with_detail("List syntax is invalid.")
        .with_hint("It is a list of schemas such as sales, public.")
    };
    let mut names = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let name;
        (name, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_name(quoted).ok_or_else(invalid)?,
            None => {
                let end = rest.find([',', '"']).unwrap_or(rest.len());
                let name = rest[..end].trim_end();
                if name.is_empty() || name.contains(char::is_whitespace) {
                    return Err(invalid());
                }
                (name.to_lowercase(), &rest[end..])
            }
        };
        names.push(name);
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(more) if !more.trim().is_empty() => rest = more.trim_start(),
            None if rest.is_empty() => {}
            _ => return Err(invalid()),
        }
    }
    if names.len() > SCHEMAS_MAX {
        return Err(invalid());
    }
    Ok(names)
}

/// The name up to its closing quote, and what follows.
fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        if c != '"' {
            name.push(c);
        } else if text[i + 1..].starts_with('"') {
            name.push('"');
            chars.next();
        } else {
            return Some((name, &text[i + 1..]));
        }
    }
    None
}

/// The names as `SHOW` writes them.
pub(crate) fn written(names: &[String]) -> String {
    let quoted = names.iter().map(|name| {
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        match plain {
            true => name.clone(),
            false => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    });
    quoted.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_is_written() {
        for (text, names, again) in [
            (
                "\"$user\", public",
                &["$user", "public"][..],
                "\"$user\", public",
            ),
            ("Sales,\"Sales\"", &["sales", "Sales"], "sales, \"Sales\""),
            ("\"a\"\"b\"", &["a\"b"], "\"a\"\"b\""),
            ("", &[], ""),
            (" \"\" ", &[""], "\"\""),
        ] {
            let read = parse(text).unwrap();
            assert_eq!(read, names, "{text}");
            assert_eq!(written(&read), again);
        }
        for text in ["a,", ",a", "a b", "\"a", "a,,b", "\"a\"b"] {
            assert_eq!(
                parse(text).unwrap_err().sqlstate().code(),
                "22023",
                "{text}"
            );
        }
    }
}
