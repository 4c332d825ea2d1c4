//! Texts of all kinds: the types whose values are kept as texts.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, StringBuilder};
use inflowave_types::Result;

use super::{Value, malformed};
use crate::body::{Body, utf8};

pub fn texts(values: &[Value<'_>]) -> Result<ArrayRef> {
    each(values, |body| utf8(body.rest()))
}

/// A text after the version of its format.
pub fn jsonb(values: &[Value<'_>]) -> Result<ArrayRef> {
    each(values, |body| match body.u8()? {
        1 => utf8(body.rest()),
        other => Err(malformed(format!(
            "unsupported jsonb version number {other}"
        ))),
    })
}

pub fn uuid(values: &[Value<'_>]) -> Result<ArrayRef> {
    printed(values, |body, out| {
        for (i, byte) in body.bytes(16)?.iter().enumerate() {
            if [4, 6, 8, 10].contains(&i) {
                out.push('-');
            }
            // Writing to a string does not fail.
            let _ = write!(out, "{byte:02x}");
        }
        Ok(())
    })
}

/// Values as the texts that `print` appends.
pub fn printed(
    values: &[Value<'_>],
    print: impl Fn(&mut Body<'_>, &mut String) -> Result<()>,
) -> Result<ArrayRef> {
    let mut array = StringBuilder::new();
    for value in values {
        let text = value.read(|body| {
            let mut text = String::new();
            print(body, &mut text).map(|()| text)
        })?;
        array.append_option(text);
    }
    Ok(Arc::new(array.finish()))
}

fn each<'a>(
    values: &[Value<'a>],
    read: impl Fn(&mut Body<'a>) -> Result<&'a str>,
) -> Result<ArrayRef> {
    let texts = values.iter().map(|value| value.read(&read));
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}
