//! PostgreSQL's advanced regular expressions, read.

use inflowave_types::{Error, SqlState};

/// Of a repetition count: `DUPMAX`.
const COUNT_MAX: u32 = 255;
/// Of brackets within brackets.
const DEPTH_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Empty,
    Char(char),
    /// `.`; false if it does not match a line feed.
    Any(bool),
    Class(Class),
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    WordStart,
    WordEnd,
    WordBoundary,
    NotWordBoundary,
    Look {
        ahead: bool,
        negated: bool,
        node: Box<Node>,
    },
    Back(usize),
    Concat(Vec<Node>),
    Alternatives(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        /// Does it prefer to be long? `{n}` has no preference.
        greedy: Option<bool>,
    },
    /// The number of what it captures.
    Capture(usize, Box<Node>),
}

/// A bracket expression.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Class {
    pub negated: bool,
    pub ranges: Vec<(char, char)>,
    pub named: Vec<(Named, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
    Word,
}

impl Named {
    pub(super) fn has(self, c: char) -> bool {
        match self {
            Named::Alnum => c.is_alphanumeric(),
            Named::Alpha => c.is_alphabetic(),
            Named::Blank => matches!(c, ' ' | '\t'),
            Named::Cntrl => c.is_control(),
            Named::Digit => c.is_ascii_digit(),
            Named::Graph => !c.is_whitespace() && !c.is_control(),
            Named::Lower => c.is_lowercase(),
            Named::Print => !c.is_control(),
            Named::Punct => {
                c.is_ascii_punctuation()
                    || (!c.is_ascii()
                        && !c.is_alphanumeric()
                        && !c.is_whitespace()
                        && !c.is_control())
            }
            Named::Space => c.is_whitespace(),
            Named::Upper => c.is_uppercase(),
            Named::Xdigit => c.is_ascii_hexdigit(),
            Named::Word => c.is_alphanumeric() || c == '_',
        }
    }

    fn of(name: &str) -> Option<Named> {
        Some(match name {
            "alnum" => Named::Alnum,
            "alpha" => Named::Alpha,
            "blank" => Named::Blank,
            "cntrl" => Named::Cntrl,
            "digit" => Named::Digit,
            "graph" => Named::Graph,
            "lower" => Named::Lower,
            "print" => Named::Print,
            "punct" => Named::Punct,
            "space" => Named::Space,
            "upper" => Named::Upper,
            "xdigit" => Named::Xdigit,
            "word" => Named::Word,
            _ => return None,
        })
    }
}

/// How a pattern is read and matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Flags {
    pub ignore_case: bool,
    /// `.` and negated brackets do not match a line feed.
    pub newline_stop: bool,
    /// `^` and `$` match at lines.
    pub line_anchors: bool,
    pub expanded: bool,
    pub literal: bool,
    /// All matches, not the first: of the functions, not of the pattern.
    pub global: bool,
}

impl Flags {
    /// # Errors
    /// `22023` for a letter that is none.
    pub(super) fn read(letters: &str) -> Result<Flags, Error> {
        let mut flags = Flags::default();
        for letter in letters.chars() {
            if !flags.set(letter) {
                return Err(Error::new(
                    SqlState::InvalidParameterValue,
                    format!("invalid regular expression option: \"{letter}\""),
                ));
            }
        }
        Ok(flags)
    }

    fn set(&mut self, letter: char) -> bool {
        match letter {
            'g' => self.global = true,
            'i' => self.ignore_case = true,
            'c' => self.ignore_case = false,
            'n' | 'm' => (self.newline_stop, self.line_anchors) = (true, true),
            'p' => (self.newline_stop, self.line_anchors) = (true, false),
            'w' => (self.newline_stop, self.line_anchors) = (false, true),
            's' => (self.newline_stop, self.line_anchors) = (false, false),
            'x' => self.expanded = true,
            't' => self.expanded = false,
            'q' => self.literal = true,
            'e' => {}
            _ => return false,
        }
        true
    }
}

/// A pattern that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    pub node: Node,
    pub captures: usize,
    pub flags: Flags,
}

/// # Errors
/// `2201B` for what is no pattern.
pub(super) fn read(pattern: &str, flags: Flags) -> Result<Pattern, Error> {
    let (mut flags, mut rest) = (flags, pattern);
    if let Some(literal) = rest.strip_prefix("***=") {
        (flags.literal, rest) = (true, literal);
    } else if let Some(advanced) = rest.strip_prefix("***:") {
        rest = advanced;
    } else if rest.starts_with("***") {
        return Err(invalid("invalid regular expression (bad prefix)"));
    }
    if !flags.literal
        && let Some(options) = rest.strip_prefix("(?")
        && options.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        let Some((letters, behind)) = options.split_once(')') else {
            return Err(invalid("invalid embedded option"));
        };
        for letter in letters.chars() {
            if letter == 'g' || !flags.set(letter) {
                return Err(invalid("invalid embedded option"));
            }
        }
        rest = behind;
    }
    if flags.literal {
        let chars = rest.chars().map(Node::Char).collect();
        return Ok(Pattern {
            node: Node::Concat(chars),
            captures: 0,
            flags,
        });
    }
    let mut reader = Reader {
        chars: rest.chars().collect(),
        at: 0,
        captures: 0,
        open: Vec::new(),
        looks: false,
        flags,
    };
    let node = reader.alternatives(0)?;
    match reader.peek() {
        None => Ok(Pattern {
            node,
            captures: reader.captures,
            flags,
        }),
        Some(_) => Err(invalid("parentheses () not balanced")),
    }
}

pub(super) fn invalid(what: &str) -> Error {
    Error::new(
        SqlState::InvalidRegularExpression,
        format!("invalid regular expression: {what}"),
    )
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    captures: usize,
    /// Captures that are not closed yet: a back reference cannot mean them.
    open: Vec<usize>,
    /// Within what looks ahead or behind there are no back references.
    looks: bool,
    flags: Flags,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn ahead(&self, n: usize) -> Option<char> {
        self.chars.get(self.at + n).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn eats(&mut self, text: &str) -> bool {
        let found = text
            .chars()
            .enumerate()
            .all(|(i, c)| self.ahead(i) == Some(c));
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn skip_blanks(&mut self) {
        loop {
            if self.flags.expanded {
                while self.peek().is_some_and(char::is_whitespace) {
                    self.at += 1;
                }
                if self.peek() == Some('#') {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                    continue;
                }
            }
            if self.peek() == Some('(') && self.ahead(1) == Some('?') && self.ahead(2) == Some('#')
            {
                while self.next().is_some_and(|c| c != ')') {}
                continue;
            }
            return;
        }
    }

    fn alternatives(&mut self, depth: usize) -> Result<Node, Error> {
        if depth > DEPTH_MAX {
            return Err(invalid("regular expression is too complex"));
        }
        let mut all = vec![self.branch(depth)?];
        while self.peek() == Some('|') {
            self.at += 1;
            all.push(self.branch(depth)?);
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Node::Alternatives(all),
        })
    }

    fn branch(&mut self, depth: usize) -> Result<Node, Error> {
        let mut parts = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some('|') => break,
                Some(')') if depth > 0 => break,
                Some(')') => return Err(invalid("parentheses () not balanced")),
                Some(_) => {
                    let part = self.quantified(depth)?;
                    parts.push(part);
                }
            }
        }
        Ok(match parts.len() {
            0 => Node::Empty,
            1 => parts.remove(0),
            _ => Node::Concat(parts),
        })
    }

    fn quantified(&mut self, depth: usize) -> Result<Node, Error> {
        let atom = self.atom(depth)?;
        self.skip_blanks();
        let mut exact = self.peek() == Some('{');
        let (min, max) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') if self.ahead(1).is_some_and(|c| c.is_ascii_digit()) => {
                self.at += 1;
                let min = self.count()?;
                let max = match self.peek() {
                    Some(',') => {
                        exact = false;
                        self.at += 1;
                        match self.peek() {
                            Some('}') => None,
                            _ => Some(self.count()?),
                        }
                    }
                    _ => Some(min),
                };
                if self.peek() != Some('}') {
                    return Err(match self.peek() {
                        None => invalid("braces {} not balanced"),
                        Some(_) => invalid("invalid repetition count(s)"),
                    });
                }
                if max.is_some_and(|max| max < min) {
                    return Err(invalid("invalid repetition count(s)"));
                }
                (min, max)
            }
            _ => return Ok(atom),
        };
        self.at += 1;
        let greedy = self.peek() != Some('?');
        self.at += usize::from(!greedy);
        if matches!(
            atom,
            Node::LineStart
                | Node::LineEnd
                | Node::TextStart
                | Node::TextEnd
                | Node::WordStart
                | Node::WordEnd
                | Node::WordBoundary
                | Node::NotWordBoundary
                | Node::Look { .. }
        ) || matches!(self.peek(), Some('*' | '+' | '?'))
        {
            return Err(invalid("quantifier operand invalid"));
        }
        Ok(Node::Repeat {
            node: Box::new(atom),
            min,
            max,
            greedy: (!exact).then_some(greedy),
        })
    }

    fn count(&mut self) -> Result<u32, Error> {
        let mut count = 0_u32;
        let mut digits = 0;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            count = count.saturating_mul(10).saturating_add(digit);
            digits += 1;
            self.at += 1;
        }
        match digits > 0 && count <= COUNT_MAX {
            true => Ok(count),
            false => Err(invalid("invalid repetition count(s)")),
        }
    }

    fn atom(&mut self, depth: usize) -> Result<Node, Error> {
        let Some(c) = self.next() else {
            return Ok(Node::Empty);
        };
        Ok(match c {
            '(' => self.group(depth)?,
            '[' => match (self.eats("[:<:]]"), self.eats("[:>:]]")) {
                (true, _) => Node::WordStart,
                (_, true) => Node::WordEnd,
                _ => Node::Class(self.bracket()?),
            },
            '.' => Node::Any(!self.flags.newline_stop),
            '^' => match self.flags.line_anchors {
                true => Node::LineStart,
                false => Node::TextStart,
            },
            '$' => match self.flags.line_anchors {
                true => Node::LineEnd,
                false => Node::TextEnd,
            },
            '*' | '+' | '?' => return Err(invalid("quantifier operand invalid")),
            '{' if self.peek().is_some_and(|c| c.is_ascii_digit()) => {
                return Err(invalid("quantifier operand invalid"));
            }
            '\\' => self.escape()?,
            c => Node::Char(c),
        })
    }

    fn group(&mut self, depth: usize) -> Result<Node, Error> {
        let look = [
            ("?=", true, false),
            ("?!", true, true),
            ("?<=", false, false),
            ("?<!", false, true),
        ];
        let closed = |reader: &mut Reader| match reader.next() {
            Some(')') => Ok(()),
            _ => Err(invalid("parentheses () not balanced")),
        };
        for (mark, ahead, negated) in look {
            if self.eats(mark) {
                // What is in it captures nothing.
                let (before, outside) = (self.captures, self.looks);
                self.looks = true;
                let node = Box::new(uncaptured(self.alternatives(depth + 1)?));
                (self.captures, self.looks) = (before, outside);
                closed(self)?;
                return Ok(Node::Look {
                    ahead,
                    negated,
                    node,
                });
            }
        }
        if self.eats("?:") {
            let node = self.alternatives(depth + 1)?;
            closed(self)?;
            return Ok(Node::Concat(vec![node]));
        }
        if self.peek() == Some('?') {
            return Err(invalid("quantifier operand invalid"));
        }
        self.captures += 1;
        let number = self.captures;
        self.open.push(number);
        let node = self.alternatives(depth + 1)?;
        self.open.pop();
        closed(self)?;
        Ok(Node::Capture(number, Box::new(node)))
    }

    fn escape(&mut self) -> Result<Node, Error> {
        let bad = || invalid("invalid escape \\ sequence");
        let Some(c) = self.next() else {
            return Err(bad());
        };
        let named = |named, is| {
            Node::Class(Class {
                negated: false,
                ranges: Vec::new(),
                named: vec![(named, is)],
            })
        };
        Ok(match c {
            'd' => named(Named::Digit, true),
            'D' => named(Named::Digit, false),
            's' => named(Named::Space, true),
            'S' => named(Named::Space, false),
            'w' => named(Named::Word, true),
            'W' => named(Named::Word, false),
            'A' => Node::TextStart,
            'Z' => Node::TextEnd,
            'm' => Node::WordStart,
            'M' => Node::WordEnd,
            'y' => Node::WordBoundary,
            'Y' => Node::NotWordBoundary,
            '1'..='9' => {
                let mut number = c.to_digit(10).unwrap_or(0) as usize;
                // More digits belong to it as long as there are as many captures.
                while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
                    let longer = number * 10 + digit as usize;
                    if longer > self.captures {
                        break;
                    }
                    number = longer;
                    self.at += 1;
                }
                if self.looks || number > self.captures || self.open.contains(&number) {
                    return Err(invalid("invalid backreference number"));
                }
                Node::Back(number)
            }
            c => Node::Char(self.character(c)?),
        })
    }

    /// What stands for one character behind a backslash.
    fn character(&mut self, c: char) -> Result<char, Error> {
        let bad = || invalid("invalid escape \\ sequence");
        Ok(match c {
            'a' => '\x07',
            'b' => '\x08',
            'B' => '\\',
            'c' => {
                let control = self.next().ok_or_else(bad)?;
                char::from((control as u32 & 0x1f) as u8)
            }
            'e' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'u' => self.hex(4, 4)?,
            'U' => self.hex(8, 8)?,
            'x' => self.hex(1, 255)?,
            '0' => {
                let mut value = 0;
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    value = value * 8 + digit;
                    self.at += 1;
                }
                char::from_u32(value).ok_or_else(bad)?
            }
            c if c.is_alphanumeric() => return Err(bad()),
            c => c,
        })
    }

    fn hex(&mut self, min: usize, max: usize) -> Result<char, Error> {
        let (mut value, mut digits) = (0_u32, 0);
        while digits < max
            && let Some(digit) = self.peek().and_then(|c| c.to_digit(16))
        {
            value = value.wrapping_mul(16).wrapping_add(digit);
            digits += 1;
            self.at += 1;
        }
        match char::from_u32(value) {
            Some(c) if digits >= min => Ok(c),
            _ => Err(invalid("invalid escape \\ sequence")),
        }
    }

    fn bracket(&mut self) -> Result<Class, Error> {
        let unbalanced = || invalid("brackets [] not balanced");
        let mut class = Class {
            negated: self.eats("^"),
            ..Class::default()
        };
        let mut first = true;
        loop {
            let Some(c) = self.next() else {
                return Err(unbalanced());
            };
            if c == ']' && !first {
                break;
            }
            first = false;
            let Some(low) = self.member(c, &mut class)? else {
                continue;
            };
            let high = match (self.peek(), self.ahead(1)) {
                (Some('-'), Some(end)) if end != ']' => {
                    self.at += 2;
                    match self.member(end, &mut class)? {
                        Some(high) => high,
                        None => return Err(invalid("invalid character range")),
                    }
                }
                _ => low,
            };
            if high < low {
                return Err(invalid("invalid character range"));
            }
            class.ranges.push((low, high));
        }
        if class.negated && self.flags.newline_stop {
            class.ranges.push(('\n', '\n'));
        }
        Ok(class)
    }

    /// A character of a bracket expression; `None` for a class, which is added.
    fn member(&mut self, c: char, class: &mut Class) -> Result<Option<char>, Error> {
        if c == '\\' {
            let Some(escaped) = self.next() else {
                return Err(invalid("brackets [] not balanced"));
            };
            let named = match escaped.to_ascii_lowercase() {
                'd' => Some(Named::Digit),
                's' => Some(Named::Space),
                'w' => Some(Named::Word),
                _ => None,
            };
            return match named {
                Some(named) => {
                    class.named.push((named, escaped.is_ascii_lowercase()));
                    Ok(None)
                }
                None => self.character(escaped).map(Some),
            };
        }
        let kind = match (c, self.peek()) {
            ('[', Some(kind @ (':' | '.' | '='))) => kind,
            _ => return Ok(Some(c)),
        };
        self.at += 1;
        let start = self.at;
        while self.peek().is_some_and(|c| c != kind) || self.ahead(1).is_some_and(|c| c != ']') {
            self.at += 1;
        }
        let name: String = self
            .chars
            .get(start..self.at)
            .unwrap_or_default()
            .iter()
            .collect();
        if !self.eats(&format!("{kind}]")) {
            return Err(invalid("brackets [] not balanced"));
        }
        if kind == ':' {
            let named = Named::of(&name).ok_or_else(|| invalid("invalid character class"))?;
            class.named.push((named, true));
            return Ok(None);
        }
        let mut chars = name.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(Some(c)),
            _ => Err(invalid("invalid collating element")),
        }
    }
}

fn uncaptured(node: Node) -> Node {
    let all = |nodes: Vec<Node>| nodes.into_iter().map(uncaptured).collect();
    match node {
        Node::Capture(_, node) => Node::Concat(vec![uncaptured(*node)]),
        Node::Concat(nodes) => Node::Concat(all(nodes)),
        Node::Alternatives(nodes) => Node::Alternatives(all(nodes)),
        Node::Repeat {
            node,
            min,
            max,
            greedy,
        } => Node::Repeat {
            node: Box::new(uncaptured(*node)),
            min,
            max,
            greedy,
        },
        other => other,
    }
}
