//! JSON texts, read and written: numbers keep their digits, and the parts of a `json` their own text.

use std::ops::Range;

use inflowave_types::{Error, SqlState};

/// Of arrays and objects in one another: a limit of the stack.
const DEPTH_MAX: usize = 1000;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As numeric prints it.
    Number(String),
    Text(String),
    Array(Vec<Part>),
    Object(Vec<(String, Part)>),
}

/// A value and where it stands in its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub json: Json,
    pub span: Range<usize>,
}

fn invalid(detail: String) -> Error {
    Error::new(
        SqlState::InvalidTextRepresentation,
        "invalid input syntax for type json",
    )
    .with_detail(detail)
}

/// # Errors
/// `22P02` for what is no JSON, `22P05` for `\u0000`, `54001` where it is too deep.
pub(crate) fn read(text: &str) -> Result<Part, Error> {
    let mut reader = Reader { text, at: 0 };
    reader.blanks();
    let part = reader.value(0)?;
    reader.blanks();
    match reader.peek() {
        None => Ok(part),
        Some(_) => Err(reader.unexpected("Expected end of input")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, wanted: &str) -> Error {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let token: String = match rest.chars().next() {
            None => return invalid("The input string ended unexpectedly.".to_owned()),
            Some(c) if c.is_alphanumeric() || c == '_' => rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect(),
            Some(c) => c.to_string(),
        };
        match wanted {
            "" => invalid(format!("Token \"{token}\" is invalid.")),
            wanted => invalid(format!("{wanted}, but found \"{token}\".")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Part, Error> {
        if depth > DEPTH_MAX {
            return Err(Error::new(
                SqlState::StatementTooComplex,
                format!("a JSON text may have {DEPTH_MAX} arrays and objects in one another"),
            ));
        }
        let start = self.at;
        let json = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Json::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Json::Number(self.number()?),
            Some(_) => self.word()?,
            None => return Err(self.unexpected("")),
        };
        Ok(Part {
            json,
            span: start..self.at,
        })
    }

    fn word(&mut self) -> Result<Json, Error> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, json) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
        ] {
            if let Some(behind) = rest.strip_prefix(word)
                && !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            {
                self.at += word.len();
                return Ok(json);
            }
        }
        Err(match rest.starts_with(|c: char| c.is_alphanumeric()) {
            true => self.unexpected(""),
            false => self.unexpected("Expected JSON value"),
        })
    }

    fn number(&mut self) -> Result<String, Error> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while reader.peek().is_some_and(|b| b.is_ascii_digit()) {
                reader.at += 1;
            }
            reader.at - from
        };
        let bad = |reader: &Self, start: usize| {
            let rest = reader.text.get(start..).unwrap_or_default();
            let token: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '+' | '_'))
                .collect();
            invalid(format!("Token \"{token}\" is invalid."))
        };
        self.at += usize::from(self.peek() == Some(b'-'));
        let first = self.peek();
        let whole = digits(self);
        if whole == 0 || (whole > 1 && first == Some(b'0')) {
            return Err(bad(self, start));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if digits(self) == 0 {
                return Err(bad(self, start));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if digits(self) == 0 {
                return Err(bad(self, start));
            }
        }
        if self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            return Err(bad(self, start));
        }
        numeric(&self.text[start..self.at])
    }

    fn string(&mut self) -> Result<String, Error> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(c) = rest.chars().next() else {
                return Err(invalid(format!("Token \"\"{out}\" is invalid.")));
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => self.escape(&mut out)?,
                c if (c as u32) < 0x20 => {
                    return Err(invalid(format!(
                        "Character with value 0x{:02x} must be escaped.",
                        c as u32
                    )));
                }
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), Error> {
        let Some(escaped) = self.peek() else {
            return Err(self.unexpected(""));
        };
        self.at += 1;
        out.push(match escaped {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(out),
            _ => {
                let c = self.text.get(self.at - 1..).and_then(|r| r.chars().next());
                return Err(invalid(format!(
                    "Escape sequence \"\\{}\" is invalid.",
                    c.unwrap_or(' ')
                )));
            }
        });
        Ok(())
    }

    fn unit(&mut self) -> Result<u32, Error> {
        let hex = self.text.get(self.at..self.at + 4).unwrap_or_default();
        let bad = || invalid("\"\\u\" must be followed by four hexadecimal digits.".to_owned());
        if hex.len() != 4 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        self.at += 4;
        u32::from_str_radix(hex, 16).map_err(|_| bad())
    }

    fn unicode(&mut self, out: &mut String) -> Result<(), Error> {
        let unit = self.unit()?;
        let value = match unit {
            0 => {
                return Err(Error::new(
                    SqlState::UntranslatableCharacter,
                    "unsupported Unicode escape sequence",
                )
                .with_detail("\\u0000 cannot be converted to text."));
            }
            0xD800..=0xDBFF => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let low = match rest.starts_with("\\u") {
                    true => {
                        self.at += 2;
                        self.unit()?
                    }
                    false => 0,
                };
                if !(0xDC00..=0xDFFF).contains(&low) {
                    return Err(invalid(
                        "Unicode low surrogate must follow a high surrogate.".to_owned(),
                    ));
                }
                0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
            }
            0xDC00..=0xDFFF => {
                return Err(invalid(
                    "Unicode low surrogate must follow a high surrogate.".to_owned(),
                ));
            }
            unit => unit,
        };
        out.push(char::from_u32(value).unwrap_or('\u{fffd}'));
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<Json, Error> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            self.blanks();
            items.push(self.value(depth + 1)?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::Array(items));
                }
                _ => return Err(self.unexpected("Expected \",\" or \"]\"")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Error> {
        self.at += 1;
        let mut fields = Vec::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(fields));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected(match fields.is_empty() {
                    true => "Expected string or \"}\"",
                    false => "Expected string",
                }));
            }
            let key = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("Expected \":\""));
            }
            self.at += 1;
            self.blanks();
            let value = self.value(depth + 1)?;
            fields.push((key, value));
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Json::Object(fields));
                }
                _ => return Err(self.unexpected("Expected \",\" or \"}\"")),
            }
        }
    }
}

/// A number of JSON as numeric prints it: `1e2` is `100`, `1.50` stays.
fn numeric(text: &str) -> Result<String, Error> {
    /// Digits that an exponent may write out.
    const DIGITS_MAX: i64 = 16_383;
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let overflow = || {
        Error::new(
            SqlState::NumericValueOutOfRange,
            "value overflows numeric format",
        )
    };
    let exponent: i64 = exponent.parse().map_err(|_| overflow())?;
    if exponent.abs() > DIGITS_MAX {
        return Err(overflow());
    }
    let digits = format!("{whole}{fraction}");
    let point = whole.len() as i64 + exponent;
    let scale = (fraction.len() as i64 - exponent).max(0) as usize;
    let (whole, fraction) = if point <= 0 {
        let zeros = usize::try_from(-point).unwrap_or(0);
        ("0".to_owned(), format!("{}{digits}", "0".repeat(zeros)))
    } else if point as usize >= digits.len() {
        let zeros = point as usize - digits.len();
        (format!("{digits}{}", "0".repeat(zeros)), String::new())
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        (whole.to_owned(), fraction.to_owned())
    };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let fraction = fraction.get(..scale).unwrap_or(&fraction);
    let zero = whole == "0" && fraction.bytes().all(|b| b == b'0');
    let sign = if negative && !zero { "-" } else { "" };
    Ok(match fraction {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    })
}

impl Json {
    /// As `jsonb` prints it.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(true) => out.push_str("true"),
            Json::Bool(false) => out.push_str("false"),
            Json::Number(digits) => out.push_str(digits),
            Json::Text(text) => quoted(out, text),
            Json::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    item.json.write(out);
                }
                out.push(']');
            }
            Json::Object(fields) => {
                out.push('{');
                for (at, (key, value)) in unique(fields).into_iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    quoted(out, key);
                    out.push_str(": ");
                    value.json.write(out);
                }
                out.push('}');
            }
        }
    }

    pub(crate) fn printed(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// Fields in the order of `jsonb`, each once: shorter keys first, the last value of a key.
pub(crate) fn unique(fields: &[(String, Part)]) -> Vec<(&String, &Part)> {
    let mut sorted: Vec<(&String, &Part)> = fields.iter().map(|(k, v)| (k, v)).collect();
    sorted.sort_by(|(a, _), (b, _)| (a.len(), a.as_bytes()).cmp(&(b.len(), b.as_bytes())));
    let mut kept: Vec<(&String, &Part)> = Vec::with_capacity(sorted.len());
    for field in sorted {
        match kept.last_mut() {
            Some(last) if last.0 == field.0 => *last = field,
            _ => kept.push(field),
        }
    }
    kept
}

pub(crate) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}
