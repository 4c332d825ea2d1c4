//! The templates of `to_char` and its kin, taken apart.

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Key(Key),
    /// Text that stands as it is.
    Text(char),
    Space,
    Separator(char),
}

/// A keyword as it was written, with what stands around it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    /// In upper case.
    pub name: &'static str,
    pub case: Case,
    /// `FM`
    pub fill: bool,
    /// `TH` or `th` behind it.
    pub ordinal: Option<Case>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
    Capital,
}

const DATES: [&str; 53] = [
    "A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "CC", "DAY", "DDD", "DD", "DY", "D", "FF1", "FF2",
    "FF3", "FF4", "FF5", "FF6", "FX", "HH24", "HH12", "HH", "IDDD", "ID", "IW", "IYYY", "IYY",
    "IY", "I", "J", "MI", "MM", "MONTH", "MON", "MS", "OF", "P.M.", "PM", "Q", "RM", "SSSSS",
    "SSSS", "SS", "TZH", "TZM", "TZ", "US", "WW", "W", "Y,YYY", "YYYY", "YYY", "YY",
];
const LAST_DATE: &str = "Y";
const NUMBERS: [&str; 19] = [
    ",", ".", "0", "9", "B", "C", "D", "EEEE", "FM", "G", "L", "MI", "PL", "PR", "RN", "SG", "SP",
    "S", "TH",
];
const LAST_NUMBER: &str = "V";
/// Whose first letter alone may be large.
const CAPITALS: [&str; 4] = ["DAY", "DY", "MONTH", "MON"];

fn keyword(rest: &str, names: &[&'static str], last: &'static str) -> Option<(&'static str, Case)> {
    let all = names.iter().chain(std::iter::once(&last));
    for name in all {
        let Some(text) = rest.get(..name.len()) else {
            continue;
        };
        if text == *name {
            return Some((name, Case::Upper));
        }
        if text == name.to_lowercase() {
            return Some((name, Case::Lower));
        }
        let capital = CAPITALS.contains(name)
            && text.starts_with(&name[..1])
            && text[1..] == name[1..].to_lowercase();
        if capital {
            return Some((name, Case::Capital));
        }
    }
    None
}

fn starts(rest: &str, word: &str) -> bool {
    rest.get(..word.len())
        .is_some_and(|text| text == word || text == word.to_lowercase())
}

/// The pieces of a template of dates, or of numbers.
pub(super) fn read(template: &str, of_dates: bool) -> Vec<Piece> {
    let (mut pieces, mut rest) = (Vec::new(), template);
    while let Some(c) = rest.chars().next() {
        let mut fill = false;
        if of_dates {
            // Prefixes.
            while let Some(prefix) = ["FM", "TM"].into_iter().find(|p| starts(rest, p)) {
                fill |= prefix == "FM";
                rest = &rest[prefix.len()..];
            }
        }
        let found = match of_dates {
            true => keyword(rest, &DATES, LAST_DATE),
            false => keyword(rest, &NUMBERS, LAST_NUMBER),
        };
        if let Some((name, case)) = found {
            rest = &rest[name.len()..];
            let mut ordinal = None;
            if of_dates {
                for (suffix, case) in [("TH", Case::Upper), ("th", Case::Lower)] {
                    if let Some(behind) = rest.strip_prefix(suffix) {
                        (ordinal, rest) = (Some(case), behind);
                        break;
                    }
                }
                rest = match starts(rest, "SP") {
                    true => &rest[2..],
                    false => rest,
                };
            }
            pieces.push(Piece::Key(Key {
                name,
                case,
                fill,
                ordinal,
            }));
            continue;
        }
        if fill || rest.is_empty() {
            continue;
        }
        let c = rest.chars().next().unwrap_or(c);
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => {
                // To the next one, with backslashes for what stands behind them.
                let mut escaped = false;
                while let Some(c) = rest.chars().next() {
                    rest = &rest[c.len_utf8()..];
                    match c {
                        '"' if !escaped => break,
                        '\\' if !escaped => escaped = true,
                        c => {
                            pieces.push(Piece::Text(c));
                            escaped = false;
                        }
                    }
                }
            }
            '\\' if rest.starts_with('"') => {
                rest = &rest[1..];
                pieces.push(Piece::Text('"'));
            }
            c if c.is_whitespace() => pieces.push(match of_dates && c == ' ' {
                true => Piece::Space,
                false => Piece::Text(c),
            }),
            c if of_dates && c.is_ascii_punctuation() => pieces.push(Piece::Separator(c)),
            c => pieces.push(Piece::Text(c)),
        }
    }
    pieces
}

/// `st`, `nd`, `rd` or `th` of a number.
pub(super) fn ordinal(number: &str, case: Case) -> &'static str {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let last = digits.last().copied().unwrap_or('0');
    let teen = digits.len() > 1 && digits[digits.len() - 2] == '1';
    let (lower, upper) = match (teen, last) {
        (false, '1') => ("st", "ST"),
        (false, '2') => ("nd", "ND"),
        (false, '3') => ("rd", "RD"),
        _ => ("th", "TH"),
    };
    match case {
        Case::Upper => upper,
        _ => lower,
    }
}
