//! Values that leave the text of a query.
//!
//! While a query grows its parts are moved about, so that the order of its values is known only at
//! the end. Until then a value stands in the text as a mark between two NUL characters, which no
//! name and no text can hold; [`Binder::finish`] turns the marks into placeholders or literals.

use std::collections::HashMap;

use datafusion_common::ScalarValue;
use inflowave_types::{Error, Result};

use crate::Dialect;
use crate::value::{Answer, refuse, text_of};

const MARK: char = '\0';

#[derive(Debug, Default)]
pub(crate) struct Binder {
    values: Vec<ScalarValue>,
    numbers: HashMap<ScalarValue, usize>,
}

impl Binder {
    /// The mark of a value. Equal values share one, so that an expression printed twice stays equal
    /// to itself (PostgreSQL compares the texts of `GROUP BY` and of the select list so).
    pub fn bind(&mut self, value: &ScalarValue) -> Answer<String> {
        if text_of(value).is_some_and(|text| text.contains(MARK)) {
            return refuse("a text with a NUL character cannot be sent to a source");
        }
        let index = *self.numbers.entry(value.clone()).or_insert_with(|| {
            self.values.push(value.clone());
            self.values.len() - 1
        });
        Ok(format!("{MARK}{index}{MARK}"))
    }

    /// The text with placeholders, and their values in order.
    pub fn finish(&self, d: &dyn Dialect, text: &str) -> Result<(String, Vec<ScalarValue>)> {
        let mut params = Vec::new();
        let mut numbers: Vec<Option<usize>> = vec![None; self.values.len()];
        let text = self.replace(text, |index, value| {
            let number = match numbers[index] {
                Some(number) if d.numbers_placeholders() => number,
                _ => {
                    params.push(value.clone());
                    numbers[index] = Some(params.len());
                    params.len()
                }
            };
            Ok(d.bound(&d.placeholder(number), value))
        })?;
        Ok((text, params))
    }

    /// The text with every value as a literal.
    pub fn finish_inline(&self, d: &dyn Dialect, text: &str) -> Result<String> {
        self.replace(text, |_, value| {
            let literal = match text_of(value) {
                Some(text) => d.quote_text(text)?,
                None => d.literal(value).map_err(|r| Error::internal(r.0))?,
            };
            Ok(d.bound(&literal, value))
        })
    }

    fn replace(
        &self,
        text: &str,
        mut with: impl FnMut(usize, &ScalarValue) -> Result<String>,
    ) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        for (i, part) in text.split(MARK).enumerate() {
            if i % 2 == 0 {
                out.push_str(part);
                continue;
            }
            let found = part
                .parse::<usize>()
                .ok()
                .and_then(|index| Some((index, self.values.get(index)?)));
            let (index, value) =
                found.ok_or_else(|| Error::internal("a broken mark in the text of a query"))?;
            out.push_str(&with(index, value)?);
        }
        Ok(out)
    }
}
