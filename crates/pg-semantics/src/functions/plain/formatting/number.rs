//! `to_char` of numbers (`NUM_processor` of PostgreSQL), in the signs of the C locale.

use inflowave_types::{Error, SqlState};

use super::pattern::{Case, Piece, ordinal};

/// Digits of a double that are shown.
const DOUBLE_DIGITS: usize = 15;

pub(super) enum Number {
    /// As numeric prints it.
    Digits(String),
    Double(f64),
}

/// What a template says of the whole number (`NUMDesc`).
#[derive(Debug, Default)]
struct Shape {
    pre: usize,
    post: usize,
    multiplied: Option<usize>,
    zero_start: Option<usize>,
    zero_end: usize,
    decimal: bool,
    fill: bool,
    minus: bool,
    plus: bool,
    bracket: bool,
    roman: bool,
    exponent: bool,
    sign: Sign,
    before_sign: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Sign {
    #[default]
    None,
    Before,
    Behind,
}

fn syntax(message: &str) -> Error {
    Error::new(SqlState::SyntaxError, message)
}

fn shape(pieces: &[Piece]) -> Result<Shape, Error> {
    let mut s = Shape::default();
    for piece in pieces {
        let Piece::Key(key) = piece else { continue };
        if s.exponent && key.name != "EEEE" {
            return Err(syntax("\"EEEE\" must be the last pattern used"));
        }
        match key.name {
            "9" | "0" if s.bracket => {
                return Err(syntax(&format!("\"{}\" must be ahead of \"PR\"", key.name)));
            }
            "9" => match (&mut s.multiplied, s.decimal) {
                (Some(n), _) => *n += 1,
                (None, true) => s.post += 1,
                (None, false) => s.pre += 1,
            },
            "0" => {
                if s.zero_start.is_none() && !s.decimal {
                    s.zero_start = Some(s.pre);
                }
                match s.decimal {
                    true => s.post += 1,
                    false => s.pre += 1,
                }
                s.zero_end = s.pre + s.post;
            }
            "." | "D" => {
                if s.decimal {
                    return Err(syntax("multiple decimal points"));
                }
                if s.multiplied.is_some() {
                    return Err(syntax("cannot use \"V\" and decimal point together"));
                }
                s.decimal = true;
            }
            "FM" => s.fill = true,
            "S" => {
                if s.sign != Sign::None {
                    return Err(syntax("cannot use \"S\" twice"));
                }
                if s.plus || s.minus || s.bracket {
                    return Err(syntax(
                        "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together",
                    ));
                }
                match s.decimal {
                    true => s.sign = Sign::Behind,
                    false => (s.sign, s.before_sign) = (Sign::Before, s.pre),
                }
            }
            "MI" | "PL" | "SG" | "PR" if s.sign != Sign::None => {
                return Err(syntax(&format!(
                    "cannot use \"S\" and \"{}\" together",
                    key.name
                )));
            }
            "MI" => s.minus = true,
            "PL" => s.plus = true,
            "SG" => (s.minus, s.plus) = (true, true),
            "PR" if s.plus || s.minus => {
                return Err(syntax(
                    "cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together",
                ));
            }
            "PR" => s.bracket = true,
            "RN" => s.roman = true,
            "V" => {
                if s.decimal {
                    return Err(syntax("cannot use \"V\" and decimal point together"));
                }
                s.multiplied = Some(0);
            }
            "EEEE" => {
                if s.exponent {
                    return Err(syntax("cannot use \"EEEE\" twice"));
                }
                let others = s.fill
                    || s.sign != Sign::None
                    || s.bracket
                    || s.minus
                    || s.plus
                    || s.roman
                    || s.multiplied.is_some();
                if others {
                    return Err(syntax("\"EEEE\" is incompatible with other formats")
                        .with_detail(
                            "\"EEEE\" may only be used together with digit and decimal point patterns.",
                        ));
                }
                s.exponent = true;
            }
            _ => {}
        }
    }
    Ok(s)
}

/// Rounds digits half away from zero, and gives `post` of them behind the point.
fn rounded(digits: &str, post: usize) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let keep = whole.len() + post;
    let up = all.get(keep).is_some_and(|d| *d >= b'5');
    all.resize(keep, b'0');
    if up {
        let mut at = keep;
        loop {
            match at.checked_sub(1) {
                None => {
                    all.insert(0, b'1');
                    break;
                }
                Some(place) if all[place] == b'9' => {
                    all[place] = b'0';
                    at = place;
                }
                Some(place) => {
                    all[place] += 1;
                    break;
                }
            }
        }
    }
    let point = all.len() - post;
    let text: String = all.iter().map(|b| char::from(*b)).collect();
    match post {
        0 => text,
        _ => format!("{}.{}", &text[..point], &text[point..]),
    }
}

/// Moves the point of digits to the right.
fn shifted(digits: &str, by: usize) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut fraction = fraction.to_owned();
    while fraction.len() < by {
        fraction.push('0');
    }
    let (moved, rest) = fraction.split_at(by);
    let whole = format!("{whole}{moved}");
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    match rest {
        "" => whole.to_owned(),
        rest => format!("{whole}.{rest}"),
    }
}

pub(super) fn printed(value: &Number, pieces: &[Piece]) -> Result<String, Error> {
    let mut shape = shape(pieces)?;
    let (digits, negative) = match value {
        Number::Digits(text) => {
            let digits = text.trim_start_matches('-').to_owned();
            (digits, text.starts_with('-'))
        }
        Number::Double(v) if !v.is_finite() => {
            return Err(Error::unsupported(
                "to_char of NaN or infinity is not supported",
            ));
        }
        Number::Double(v) => (format!("{:.*}", 0, v.abs()), v.is_sign_negative()),
    };
    if shape.roman {
        let rounded = match value {
            Number::Double(v) => format!("{v:.0}"),
            Number::Digits(_) => rounded(&digits, 0),
        };
        return Ok(roman(negative, &rounded, pieces, shape.fill));
    }
    if shape.exponent {
        return Ok(scientific(value, &digits, negative, shape.post));
    }
    let digits = match value {
        Number::Digits(_) => {
            let digits = shifted(&digits, shape.multiplied.unwrap_or(0));
            rounded(&digits, shape.post)
        }
        Number::Double(v) => {
            let v = v * 10_f64.powi(shape.multiplied.unwrap_or(0) as i32);
            let whole = format!("{:.0}", v.abs());
            if whole.len() >= DOUBLE_DIGITS {
                shape.post = 0;
            } else if whole.len() + shape.post > DOUBLE_DIGITS {
                shape.post = DOUBLE_DIGITS - whole.len();
            }
            format!("{:.*}", shape.post, v.abs())
        }
    };
    shape.pre += shape.multiplied.unwrap_or(0);
    let whole = digits.find('.').unwrap_or(digits.len());
    let spaces = shape.pre.saturating_sub(whole);
    let negative = match value {
        Number::Double(_) => negative,
        // A numeric has no zero below zero.
        Number::Digits(_) => negative && digits.bytes().any(|b| matches!(b, b'1'..=b'9')),
    };
    let digits = match whole > shape.pre {
        true => format!("{}.{}", "#".repeat(shape.pre), "#".repeat(shape.post)),
        false => digits,
    };
    let mut writer = Writer::new(shape, digits.into_bytes(), negative, spaces);
    for piece in pieces {
        writer.piece(piece);
        if writer.ended {
            break;
        }
    }
    Ok(writer.out)
}

fn scientific(value: &Number, digits: &str, negative: bool, post: usize) -> String {
    let text = match value {
        Number::Double(v) => format!("{:.*e}", post, v.abs()),
        Number::Digits(_) => {
            // The first digit that is not 0 stands before the point.
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
            let all = format!("{whole}{fraction}");
            match all.find(|c| c != '0') {
                None => format!("{:.*e}", post, 0.0),
                Some(first) => {
                    let significant = &all[first..];
                    let mut exponent = whole.len() as i64 - first as i64 - 1;
                    let (lead, rest) = significant.split_at(1);
                    let mut mantissa = rounded(&format!("{lead}.{rest}"), post);
                    if mantissa.starts_with("10") {
                        mantissa = rounded(&format!("1.{}", "0".repeat(post)), post);
                        exponent += 1;
                    }
                    format!("{mantissa}e{exponent}")
                }
            }
        }
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let sign = if negative { '-' } else { ' ' };
    let of_exponent = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{mantissa}e{of_exponent}{:02}", exponent.abs())
}

fn roman(negative: bool, digits: &str, pieces: &[Piece], fill: bool) -> String {
    const NUMERALS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    const WIDTH: usize = 15;
    let number: i64 = digits.trim_start_matches('-').parse().unwrap_or(0);
    let mut text = String::new();
    match !negative && (1..4000).contains(&number) {
        true => {
            let mut left = number;
            for (value, numeral) in NUMERALS {
                while left >= value {
                    text.push_str(numeral);
                    left -= value;
                }
            }
        }
        false => text = "#".repeat(WIDTH),
    }
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Key(key) if key.name == "RN" => {
                let text = match key.case {
                    Case::Lower => text.to_lowercase(),
                    _ => text.clone(),
                };
                out.push_str(&match fill {
                    true => text,
                    false => format!("{text:>WIDTH$}"),
                });
            }
            Piece::Text(c) | Piece::Separator(c) => out.push(*c),
            Piece::Space => out.push(' '),
            Piece::Key(_) => {}
        }
    }
    out
}

/// `NUMProc`.
struct Writer {
    shape: Shape,
    number: Vec<u8>,
    /// Which digit comes next.
    at: usize,
    negative: bool,
    spaces: usize,
    sign_written: bool,
    digit_written: bool,
    current: usize,
    count: usize,
    /// The last digit that is shown with `FM`; `None` if all are.
    relevant: Option<usize>,
    bracket: bool,
    ended: bool,
    out: String,
}

impl Writer {
    fn new(mut shape: Shape, number: Vec<u8>, negative: bool, spaces: usize) -> Writer {
        let mut bracket = shape.bracket;
        let sign_written = if shape.plus || shape.minus {
            !shape.plus || shape.minus
        } else {
            if !negative && bracket && shape.fill {
                bracket = false;
            }
            if shape.sign == Sign::Before && shape.pre == shape.before_sign {
                shape.sign = Sign::Behind;
            }
            !negative && shape.fill && shape.sign == Sign::None
        };
        let mut count = (shape.post + shape.pre).saturating_sub(1);
        let mut relevant = None;
        if shape.fill && shape.decimal {
            relevant = last_relevant(&number);
            if let Some(place) = relevant
                && shape.zero_end > spaces
            {
                let zero = (number.len() - 1).min(shape.zero_end - spaces);
                relevant = Some(place.max(zero));
            }
        }
        if !sign_written && spaces == 0 {
            count += 1;
        }
        Writer {
            shape,
            number,
            at: 0,
            negative,
            spaces,
            sign_written,
            digit_written: false,
            current: 0,
            count,
            relevant,
            bracket,
            ended: false,
            out: String::new(),
        }
    }

    fn piece(&mut self, piece: &Piece) {
        let key = match piece {
            Piece::Key(key) => key,
            Piece::Text(c) | Piece::Separator(c) => return self.out.push(*c),
            Piece::Space => return self.out.push(' '),
        };
        let fill = self.shape.fill;
        let or_blank = |shown: bool, c: char| match (shown, fill) {
            (true, _) => Some(c),
            (false, true) => None,
            (false, false) => Some(' '),
        };
        match key.name {
            "9" | "0" | "." | "D" => self.digit(key.name),
            "," | "G" => self.out.extend(or_blank(self.digit_written, ',')),
            "L" => self.out.push(' '),
            "MI" => self.out.extend(or_blank(self.negative, '-')),
            "PL" => self.out.extend(or_blank(!self.negative, '+')),
            "SG" => self.out.push(if self.negative { '-' } else { '+' }),
            "TH" => {
                let hidden = self.number.first() == Some(&b'#');
                if !hidden && !self.negative && !self.shape.decimal {
                    let text: String = self.number.iter().map(|b| char::from(*b)).collect();
                    self.out.push_str(ordinal(&text, key.case));
                }
            }
            _ => {}
        }
    }

    /// `0.5` by `9.9` has no 0 before its point.
    fn is_lone_zero(&self) -> bool {
        self.shape.zero_start.is_none()
            && self.at == 0
            && self.number.first() == Some(&b'0')
            && self.shape.post != 0
    }

    fn ends_at_point(&self) -> bool {
        self.relevant
            .is_some_and(|place| self.number.get(place) == Some(&b'.'))
    }

    fn digit(&mut self, name: &str) {
        let (fill, zero) = (self.shape.fill, self.shape.zero_start);
        let from_zero = zero == Some(self.current);
        if !self.sign_written
            && (self.current >= self.spaces || from_zero)
            && (!self.is_lone_zero() || self.ends_at_point())
        {
            if self.shape.sign != Sign::None {
                if self.shape.sign == Sign::Before {
                    self.out.push(if self.negative { '-' } else { '+' });
                    self.sign_written = true;
                }
            } else if self.bracket {
                self.out.push(if self.negative { '<' } else { ' ' });
                self.sign_written = true;
            } else if !self.negative {
                if !fill {
                    self.out.push(' ');
                }
                self.sign_written = true;
            } else {
                self.out.push('-');
                self.sign_written = true;
            }
        }
        if self.current < self.spaces && zero.is_none_or(|start| start > self.current) {
            if !fill {
                self.out.push(' ');
            }
        } else if self.current < self.spaces {
            self.out.push('0');
            self.digit_written = true;
        } else {
            match self.number.get(self.at).copied() {
                Some(b'.') => {
                    if !self.ends_at_point() || fill {
                        self.out.push('.');
                    }
                }
                Some(digit) => {
                    let beyond = self.relevant.is_some_and(|place| self.at > place);
                    if beyond && name != "0" {
                        // Zeros at the end are not shown.
                    } else if self.is_lone_zero() {
                        if !fill {
                            self.out.push(' ');
                        } else if self.ends_at_point() {
                            self.out.push('0');
                        }
                    } else {
                        self.out.push(char::from(digit));
                        self.digit_written = true;
                    }
                }
                // PostgreSQL writes the end of the text here, and nothing behind it is seen.
                None => self.ended = true,
            }
            self.at += usize::from(self.at < self.number.len());
        }
        if self.ended {
            return;
        }
        let mut end = self.count + usize::from(self.spaces > 0) + usize::from(self.shape.decimal);
        if self.relevant == Some(self.at) {
            end = self.current;
        }
        if self.current + 1 == end {
            if self.sign_written && self.bracket {
                self.out.push(if self.negative { '>' } else { ' ' });
            } else if self.shape.sign == Sign::Behind {
                self.out.push(if self.negative { '-' } else { '+' });
            }
        }
        self.current += 1;
    }
}

/// The last digit that is not 0 behind the point, or the point.
fn last_relevant(number: &[u8]) -> Option<usize> {
    let point = number.iter().position(|b| *b == b'.')?;
    let last = number[point..].iter().rposition(|b| *b != b'0')?;
    Some(point + last)
}
