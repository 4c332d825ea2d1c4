//! The body of a client's message, or a binary value, read field by field with PostgreSQL's words
//! for what is wrong with it. (pgwire would read what is no UTF-8 as something else.)

use inflowave_types::{Error, Result, SqlState};

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Body(bytes)
    }

    /// What is left, in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// `08P01` if fewer are left.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let Some((bytes, rest)) = self.0.split_at_checked(len) else {
            return Err(violation("insufficient data left in message"));
        };
        self.0 = rest;
        Ok(bytes)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub fn i16(&mut self) -> Result<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// A string up to its NUL.
    ///
    /// # Errors
    /// `08P01` without a NUL, `22021` for what is no UTF-8.
    pub fn string(&mut self) -> Result<&'a str> {
        let Some(end) = self.0.iter().position(|b| *b == 0) else {
            return Err(violation("invalid string in message"));
        };
        let text = self.bytes(end)?;
        self.0 = &self.0[1..];
        utf8(text)
    }

    /// A count of 16 bits and so many items.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.u16()?;
        // A count is a claim of the client: room is made for what really comes.
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// # Errors
    /// `08P01` if anything is left.
    pub fn end(&self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        Err(violation("invalid message format"))
    }
}

/// A text of a client.
///
/// # Errors
/// `22021` for what is no UTF-8, and for a NUL, which PostgreSQL keeps in no text.
pub fn utf8(bytes: &[u8]) -> Result<&str> {
    let (valid_up_to, text) = match std::str::from_utf8(bytes) {
        Ok(text) => (bytes.len(), text),
        Err(error) => (error.valid_up_to(), ""),
    };
    let nul = bytes[..valid_up_to].iter().position(|b| *b == 0);
    if nul.is_none() && valid_up_to == bytes.len() {
        return Ok(text);
    }
    let wrong = &bytes[nul.unwrap_or(valid_up_to)..];
    let shown: Vec<String> = wrong
        .iter()
        .take(announced(wrong[0]))
        .map(|b| format!("0x{b:02x}"))
        .collect();
    Err(Error::new(
        SqlState::CharacterNotInRepertoire,
        format!(
            "invalid byte sequence for encoding \"UTF8\": {}",
            shown.join(" ")
        ),
    )
    .with_hint("Set the client's encoding to UTF8; a text cannot hold a NUL."))
}

/// How many bytes the first byte of a character says that there are (`pg_utf_mblen`).
fn announced(first: u8) -> usize {
    match first {
        0xf0..=0xf7 => 4,
        0xe0..=0xef => 3,
        0xc0..=0xdf => 2,
        _ => 1,
    }
}

fn violation(message: &str) -> Error {
    Error::new(SqlState::ProtocolViolation, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_their_order() {
        let mut body = Body::new(b"a\0\0\x02\0\x01\xff\xff\0\0\0\x05rest");
        assert_eq!(body.string(), Ok("a"));
        assert_eq!(body.list(Body::i16), Ok(vec![1, -1]));
        assert_eq!(body.i32(), Ok(5));
        assert_eq!(body.bytes(4), Ok(&b"rest"[..]));
        assert_eq!(body.end(), Ok(()));
        assert!(body.is_empty());
    }

    #[test]
    fn a_body_that_ends_early_or_late_breaks_the_protocol() {
        let wrong = |result: Result<()>| {
            let error = result.unwrap_err();
            assert_eq!(error.sqlstate(), SqlState::ProtocolViolation);
            error.message().to_owned()
        };
        let short = "insufficient data left in message";
        assert_eq!(wrong(Body::new(b"\0").i16().map(drop)), short);
        let mut list = Body::new(b"\xff\xff\0\0");
        assert_eq!(wrong(list.list(Body::i32).map(drop)), short);
        let string = Body::new(b"abc").string().map(drop);
        assert_eq!(wrong(string), "invalid string in message");
        assert_eq!(wrong(Body::new(b"x").end()), "invalid message format");
    }

    /// The messages are those of PostgreSQL 15.
    #[test]
    fn a_text_is_utf8_without_nul() {
        assert_eq!(utf8("żaba".as_bytes()), Ok("żaba"));
        for (bytes, shown) in [
            (&b"ab\xc3(c"[..], "0xc3 0x28"),
            (b"a\xe2\x28\xa1b", "0xe2 0x28 0xa1"),
            (b"'\xe2'", "0xe2 0x27"),
            (b"\xff\0", "0xff"),
            (b"a\0b\xff", "0x00"),
        ] {
            let error = utf8(bytes).unwrap_err();
            assert_eq!(error.sqlstate().code(), "22021");
            let message = format!("invalid byte sequence for encoding \"UTF8\": {shown}");
            assert_eq!(error.message(), message);
        }
    }
}
