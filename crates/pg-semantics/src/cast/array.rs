//! `{..}` read as a list (`array_in`).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, ListArray, StringViewArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use inflowave_types::{Error, SqlState};

use super::cast_array;
use crate::raise::wrap;
use crate::types;

/// Reads texts as lists of `item`; the items are read as `item` is.
///
/// # Errors
/// `22P02` for a text that is no array, `0A000` for one of more dimensions than the type says here,
/// those of the items.
pub(super) fn read(texts: &ArrayRef, item: &FieldRef, config: &ConfigOptions) -> Result<ArrayRef> {
    let nested = matches!(item.data_type(), DataType::List(_));
    let (mut lengths, mut valid, mut items) = (Vec::new(), Vec::new(), Vec::new());
    for text in texts.as_string_view() {
        let parts = match text {
            Some(text) => split(text, nested).map_err(wrap)?,
            None => Vec::new(),
        };
        lengths.push(parts.len());
        valid.push(text.is_some());
        items.extend(parts);
    }
    let items: ArrayRef = Arc::new(items.into_iter().collect::<StringViewArray>());
    let items = match item.data_type() {
        // Behind this the parts are whole arrays themselves.
        DataType::List(inner) => read(&items, inner, config)?,
        _ => cast_array(&items, item, config)?,
    };
    Ok(Arc::new(ListArray::try_new(
        Arc::clone(item),
        OffsetBuffer::from_lengths(lengths),
        items,
        Some(NullBuffer::from(valid)),
    )?))
}

/// Casts the items of lists.
///
/// # Errors
/// Those of the items.
pub(super) fn items(
    lists: &ListArray,
    item: &FieldRef,
    config: &ConfigOptions,
) -> Result<ArrayRef> {
    let (_, offsets, values, nulls) = lists.clone().into_parts();
    let values = cast_array(&values, item, config)?;
    Ok(Arc::new(ListArray::try_new(
        Arc::clone(item),
        offsets,
        values,
        nulls,
    )?))
}

/// The numeric that holds every item of the text of an array, with just its digits.
pub(crate) fn minimal_decimal(text: &str) -> Option<DataType> {
    let mut digits = None;
    for part in split(text, false).ok()?.into_iter().flatten() {
        let of_part = super::minimal_decimal(&part)?;
        digits = Some(match digits {
            None => of_part,
            Some(before) => types::wider_decimal(&before, &of_part)?,
        });
    }
    digits
}

/// The parts of an array's text: NULL, the text of an item, or the text of an array.
fn split(text: &str, nested: bool) -> std::result::Result<Vec<Option<String>>, Error> {
    let malformed = || {
        Error::new(
            SqlState::InvalidTextRepresentation,
            format!("malformed array literal: \"{text}\""),
        )
        .with_detail("An array is written as {1,2,NULL,\"a text\"}.")
    };
    let inner = text.trim();
    let inner = inner.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    let inner = inner.ok_or_else(malformed)?;
    if inner.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut parts = Vec::new();
    let mut chars = inner.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let part = match chars.peek() {
            Some('"') => {
                chars.next();
                let mut part = String::new();
                loop {
                    match chars.next().ok_or_else(malformed)? {
                        '"' => break Some(part),
                        '\\' => part.push(chars.next().ok_or_else(malformed)?),
                        c => part.push(c),
                    }
                }
            }
            Some('{') if !nested => {
                return Err(Error::unsupported(
                    "arrays of several dimensions are not read from text",
                )
                .with_hint("Write it as ARRAY[[1, 2], [3, 4]]."));
            }
            Some('{') => {
                let (mut part, mut depth, mut quoted) = (String::new(), 0_usize, false);
                loop {
                    let c = chars.next().ok_or_else(malformed)?;
                    part.push(c);
                    match c {
                        '\\' => part.push(chars.next().ok_or_else(malformed)?),
                        '"' => quoted = !quoted,
                        '{' if !quoted => depth += 1,
                        '}' if !quoted => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break Some(part);
                    }
                }
            }
            _ => {
                let mut part = String::new();
                while let Some(c) = chars.next_if(|c| *c != ',') {
                    match c {
                        '{' | '}' | '"' => return Err(malformed()),
                        '\\' => part.push(chars.next().ok_or_else(malformed)?),
                        c => part.push(c),
                    }
                }
                let part = part.trim_end();
                if part.is_empty() {
                    return Err(malformed());
                }
                (!part.eq_ignore_ascii_case("null")).then(|| part.to_owned())
            }
        };
        parts.push(part);
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        match chars.next() {
            Some(',') => {}
            None => return Ok(parts),
            Some(_) => return Err(malformed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_taken_apart_as_postgresql_does() {
        let of = |text: &str| {
            let parts = split(text, true).unwrap().into_iter();
            parts
                .map(|p| p.unwrap_or_else(|| "-".into()))
                .collect::<Vec<_>>()
        };
        assert_eq!(of("{1, 2 ,NULL}"), ["1", "2", "-"]);
        assert_eq!(of(" { } "), [""; 0]);
        assert_eq!(
            of(r#"{"a,b","c\"d",e f,"NULL"}"#),
            ["a,b", "c\"d", "e f", "NULL"]
        );
        assert_eq!(of(r#"{{1,2},{"}",3}}"#), ["{1,2}", r#"{"}",3}"#]);
        assert_eq!(
            split("{{1}}", false).unwrap_err().sqlstate().code(),
            "0A000"
        );
        for wrong in ["1", "{1", "{1,}", "{,1}", "{\"a\"b}", "{1}2"] {
            assert_eq!(
                split(wrong, true).unwrap_err().sqlstate().code(),
                "22P02",
                "{wrong}"
            );
        }
    }
}
