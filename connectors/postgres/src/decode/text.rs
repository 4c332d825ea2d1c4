//! Everything that is text here: text itself, and types that we know by their printed form only.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, LargeStringBuilder, StringBuilder, StringViewBuilder};
use arrow::datatypes::DataType;
use inflowave_types::SqlState;
use tokio_postgres::types::{Kind, Type};

use super::network::{write_inet, write_mac};
use super::numeric::write_text as write_numeric;
use super::temporal::write_timetz;
use super::{Decode, Flaw, exactly, shortened};

pub(super) fn decoder(source: &Type, target: &DataType) -> Option<Box<dyn Decode>> {
    let form = Form::of(source)?;
    Some(match target {
        DataType::Utf8View => boxed(form, StringViewBuilder::new()),
        DataType::Utf8 => boxed(form, StringBuilder::new()),
        DataType::LargeUtf8 => boxed(form, LargeStringBuilder::new()),
        _ => return None,
    })
}

/// Whether values of the type can be read as text without asking the source to cast them.
pub(crate) fn is_text_on_the_wire(source: &Type) -> bool {
    Form::of(super::base(source)).is_some()
}

/// How the bytes of a type become text.
#[derive(Clone, Copy)]
enum Form {
    /// They are text.
    Plain,
    /// `char(n)`: text whose blanks at the end mean nothing.
    Blanks,
    /// `jsonb`: a version byte, then text.
    Versioned,
    /// They are something else, which this function prints.
    Printed(fn(&[u8], &mut String) -> Result<(), Flaw>),
}

impl Form {
    fn of(source: &Type) -> Option<Form> {
        Some(match *source {
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::JSON | Type::UNKNOWN => Form::Plain,
            Type::BPCHAR => Form::Blanks,
            Type::JSONB => Form::Versioned,
            Type::UUID => Form::Printed(write_uuid),
            Type::INET => Form::Printed(|b, out| write_inet(b, false, out)),
            Type::CIDR => Form::Printed(|b, out| write_inet(b, true, out)),
            Type::MACADDR | Type::MACADDR8 => Form::Printed(write_mac),
            Type::BIT | Type::VARBIT => Form::Printed(write_bits),
            Type::TIMETZ => Form::Printed(write_timetz),
            Type::NUMERIC => Form::Printed(write_numeric),
            Type::CHAR => Form::Printed(write_char),
            _ => match source.kind() {
                Kind::Enum(_) => Form::Plain,
                // An extension's type, so it is known by its name only.
                Kind::Simple if source.name() == "citext" => Form::Plain,
                _ => return None,
            },
        })
    }
}

fn boxed<B: Sink + Send + 'static>(form: Form, sink: B) -> Box<dyn Decode> {
    Box::new(Texts {
        form,
        sink,
        scratch: String::new(),
    })
}

struct Texts<B> {
    form: Form,
    sink: B,
    /// Reused for each printed value.
    scratch: String,
}

impl<B: Sink + Send> Decode for Texts<B> {
    fn value(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        let text = match self.form {
            Form::Plain => utf8(bytes)?,
            Form::Blanks => utf8(bytes)?.trim_end_matches(' '),
            Form::Versioned => match bytes.split_first() {
                Some((1, text)) => utf8(text)?,
                _ => return Err(Flaw::malformed(bytes)),
            },
            Form::Printed(write) => {
                self.scratch.clear();
                write(bytes, &mut self.scratch)?;
                &self.scratch
            }
        };
        self.sink.append(text);
        Ok(())
    }

    fn null(&mut self) {
        self.sink.append_null();
    }

    fn finish(&mut self) -> ArrayRef {
        self.sink.finish()
    }
}

/// Arrow's three builders of text.
trait Sink {
    fn append(&mut self, text: &str);
    fn append_null(&mut self);
    fn finish(&mut self) -> ArrayRef;
}

macro_rules! sink {
    ($($builder:ty),*) => {$(
        impl Sink for $builder {
            fn append(&mut self, text: &str) {
                self.append_value(text);
            }
            fn append_null(&mut self) {
                <$builder>::append_null(self);
            }
            fn finish(&mut self) -> ArrayRef {
                Arc::new(<$builder>::finish(self))
            }
        }
    )*};
}

sink!(StringViewBuilder, StringBuilder, LargeStringBuilder);

/// A database with the encoding SQL_ASCII sends whatever bytes were stored.
fn utf8(bytes: &[u8]) -> Result<&str, Flaw> {
    std::str::from_utf8(bytes).map_err(|_| {
        Flaw::new(
            SqlState::CharacterNotInRepertoire,
            shortened(&String::from_utf8_lossy(bytes)),
            "is not valid UTF-8",
        )
    })
}

fn write_uuid(bytes: &[u8], out: &mut String) -> Result<(), Flaw> {
    let bytes: [u8; 16] = exactly(bytes)?;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    Ok(())
}

/// `bit(n)`, `varbit`: the number of bits, then the bits from the left.
fn write_bits(bytes: &[u8], out: &mut String) -> Result<(), Flaw> {
    let Some((count, bits)) = bytes.split_at_checked(4) else {
        return Err(Flaw::malformed(bytes));
    };
    let count = i32::from_be_bytes(exactly(count)?);
    let count = usize::try_from(count).map_err(|_| Flaw::malformed(bytes))?;
    if bits.len() != count.div_ceil(8) {
        return Err(Flaw::malformed(bytes));
    }
    out.extend((0..count).map(|i| match bits[i / 8] >> (7 - i % 8) & 1 {
        0 => '0',
        _ => '1',
    }));
    Ok(())
}

/// `"char"`: one byte, printed as PostgreSQL 16 does: nothing for zero, octal beyond ASCII.
fn write_char(bytes: &[u8], out: &mut String) -> Result<(), Flaw> {
    let [byte]: [u8; 1] = exactly(bytes)?;
    match byte {
        0 => {}
        1..128 => out.push(char::from(byte)),
        _ => {
            let _ = write!(out, "\\{byte:03o}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::decode::testing::one;

    fn text(source: &Type, bytes: &[u8]) -> Result<String, Flaw> {
        let array = one(source, &DataType::Utf8View, bytes)?;
        Ok(array.as_string_view().value(0).to_owned())
    }

    #[test]
    fn blanks_at_the_end_of_char_n_mean_nothing() {
        assert_eq!(text(&Type::BPCHAR, b" a  ").unwrap(), " a");
        assert_eq!(text(&Type::VARCHAR, b" a  ").unwrap(), " a  ");
    }

    #[test]
    fn other_types_print_as_postgres_prints_them() {
        assert_eq!(text(&Type::JSONB, b"\x01{\"a\": 1}").unwrap(), "{\"a\": 1}");
        let uuid: Vec<u8> = (0..16).collect();
        assert_eq!(
            text(&Type::UUID, &uuid).unwrap(),
            "00010203-0405-0607-0809-0a0b0c0d0e0f"
        );
        assert_eq!(
            text(&Type::VARBIT, &[0, 0, 0, 10, 0b1010_0000, 0b1100_0000]).unwrap(),
            "1010000011"
        );
        assert_eq!(text(&Type::BIT, &[0, 0, 0, 0]).unwrap(), "");
        assert_eq!(text(&Type::CHAR, &[0]).unwrap(), "");
        assert_eq!(text(&Type::CHAR, &[0xe9]).unwrap(), "\\351");
    }

    #[test]
    fn broken_text_is_an_error() {
        let flaw = text(&Type::TEXT, b"caf\xe9").unwrap_err();
        assert_eq!(flaw.sqlstate, SqlState::CharacterNotInRepertoire);
        assert_eq!(flaw.value, "\"caf\u{fffd}\"");
        assert!(text(&Type::JSONB, b"\x02{}").is_err());
        assert!(text(&Type::BIT, &[0, 0, 0, 9, 1]).is_err());
    }
}
