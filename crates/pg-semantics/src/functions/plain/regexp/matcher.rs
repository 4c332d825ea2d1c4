//! Finds what a pattern matches, as PostgreSQL does: the leftmost, of these the longest (or the
//! shortest, if the first quantifier with a preference prefers it), and then what each part of the
//! pattern matched, every part as long as it can before those behind it (Spencer's `dissect`).
//!
//! Where a part can end is found once for each place that it can begin at, so that the work grows with
//! the product of pattern and text, and not with the ways to match.

use std::collections::HashMap;
use std::rc::Rc;

use inflowave_types::{Error, SqlState};

use super::pattern::{Class, Node, Pattern};

/// Ends that are held for one text, and steps that are made for one search.
const HELD_MAX: usize = 8 << 20;

type Id = usize;

#[derive(Debug)]
enum Part {
    Empty,
    Char(char),
    Any(bool),
    Class(Class),
    Place(Place),
    Look {
        ahead: bool,
        negated: bool,
        part: Id,
    },
    Back(usize),
    Concat(Id, Id),
    Alternatives(Vec<Id>),
    Repeat {
        part: Id,
        min: usize,
        max: Option<usize>,
    },
    Capture(usize, Id),
}

#[derive(Debug, Clone, Copy)]
enum Place {
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    WordStart,
    WordEnd,
    WordBoundary,
    NotWordBoundary,
}

/// A pattern, ready to be matched.
#[derive(Debug)]
pub(super) struct Program {
    parts: Vec<Part>,
    /// Does a part prefer to be short? `None` if it has no preference.
    shorter: Vec<Option<bool>>,
    /// Is there a capture or a back reference in it?
    captures: Vec<bool>,
    top: Id,
    /// Where each capture is.
    groups: Vec<Id>,
    pub count: usize,
    ignore_case: bool,
}

/// Begin and end, in characters.
pub(super) type Span = (usize, usize);

/// What was found: the whole, and each capture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Match {
    pub whole: Span,
    pub captures: Vec<Option<Span>>,
}

impl Program {
    pub(super) fn new(pattern: &Pattern) -> Program {
        let mut program = Program {
            parts: Vec::new(),
            shorter: Vec::new(),
            captures: Vec::new(),
            top: 0,
            groups: vec![0; pattern.captures],
            count: pattern.captures,
            ignore_case: pattern.flags.ignore_case,
        };
        program.top = program.add(&pattern.node);
        program
    }

    fn push(&mut self, part: Part, shorter: Option<bool>, captures: bool) -> Id {
        self.parts.push(part);
        self.shorter.push(shorter);
        self.captures.push(captures);
        self.parts.len() - 1
    }

    fn add(&mut self, node: &Node) -> Id {
        let plain = |part| (part, None, false);
        let place = |place| (Part::Place(place), None, false);
        let (part, shorter, captures) = match node {
            Node::Empty => plain(Part::Empty),
            Node::Char(c) => plain(Part::Char(*c)),
            Node::Any(newline) => plain(Part::Any(*newline)),
            Node::Class(class) => plain(Part::Class(class.clone())),
            Node::LineStart => place(Place::LineStart),
            Node::LineEnd => place(Place::LineEnd),
            Node::TextStart => place(Place::TextStart),
            Node::TextEnd => place(Place::TextEnd),
            Node::WordStart => place(Place::WordStart),
            Node::WordEnd => place(Place::WordEnd),
            Node::WordBoundary => place(Place::WordBoundary),
            Node::NotWordBoundary => place(Place::NotWordBoundary),
            Node::Look {
                ahead,
                negated,
                node,
            } => {
                let part = self.add(node);
                let (ahead, negated) = (*ahead, *negated);
                plain(Part::Look {
                    ahead,
                    negated,
                    part,
                })
            }
            Node::Back(number) => (Part::Back(*number), None, true),
            Node::Concat(nodes) => {
                let mut ids: Vec<Id> = nodes.iter().map(|n| self.add(n)).collect();
                let Some(mut right) = ids.pop() else {
                    return self.push(Part::Empty, None, false);
                };
                while let Some(left) = ids.pop() {
                    let shorter = self.shorter[left].or(self.shorter[right]);
                    let captures = self.captures[left] || self.captures[right];
                    right = self.push(Part::Concat(left, right), shorter, captures);
                }
                return right;
            }
            Node::Alternatives(nodes) => {
                let ids: Vec<Id> = nodes.iter().map(|n| self.add(n)).collect();
                let captures = ids.iter().any(|id| self.captures[*id]);
                (Part::Alternatives(ids), Some(false), captures)
            }
            Node::Repeat {
                node,
                min,
                max,
                greedy,
            } => {
                let part = self.add(node);
                let shorter = match greedy {
                    Some(greedy) => Some(!greedy),
                    None => self.shorter[part],
                };
                let (min, max) = (*min as usize, max.map(|m| m as usize));
                let captures = self.captures[part];
                (Part::Repeat { part, min, max }, shorter, captures)
            }
            Node::Capture(number, node) => {
                let part = self.add(node);
                if let Some(group) = self.groups.get_mut(*number - 1) {
                    *group = part;
                }
                (Part::Capture(*number, part), self.shorter[part], true)
            }
        };
        self.push(part, shorter, captures)
    }

    /// The first match that begins at `from` or behind it.
    ///
    /// # Errors
    /// `54000` where it would take too much memory.
    pub(super) fn find(&self, text: &[char], from: usize) -> Result<Option<Match>, Error> {
        let mut search = Search {
            program: self,
            text,
            ends: HashMap::new(),
            held: 0,
        };
        for begin in from..=text.len() {
            let ends = search.ends(self.top, begin)?;
            let shorter = self.shorter[self.top] == Some(true);
            for end in ordered(&ends, shorter) {
                let mut captures = vec![None; self.count];
                if search.dissect(self.top, begin, end, &mut captures)? {
                    return Ok(Some(Match {
                        whole: (begin, end),
                        captures,
                    }));
                }
            }
        }
        Ok(None)
    }
}

/// From the most wanted one on.
fn ordered(ends: &[u32], shorter: bool) -> impl Iterator<Item = usize> {
    let last = ends.len();
    let index = move |i: usize| if shorter { i } else { last - 1 - i };
    (0..last).map(move |i| ends[index(i)] as usize)
}

struct Search<'a> {
    program: &'a Program,
    text: &'a [char],
    ends: HashMap<(Id, u32), Rc<Vec<u32>>>,
    held: usize,
}

fn is_word(c: Option<&char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || *c == '_')
}

impl Search<'_> {
    fn same(&self, a: char, b: char) -> bool {
        a == b || (self.program.ignore_case && a.to_lowercase().eq(b.to_lowercase()))
    }

    fn has(&self, class: &Class, c: char) -> bool {
        let member = |c: char| {
            class
                .ranges
                .iter()
                .any(|(low, high)| (*low..=*high).contains(&c))
                || class.named.iter().any(|(named, is)| named.has(c) == *is)
        };
        let found = member(c)
            || (self.program.ignore_case
                && (c.to_lowercase().any(member) || c.to_uppercase().any(member)));
        found != class.negated
    }

    fn holds(&self, place: Place, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|i| self.text.get(i));
        let after = self.text.get(at);
        match place {
            Place::TextStart => at == 0,
            Place::TextEnd => at == self.text.len(),
            Place::LineStart => at == 0 || before == Some(&'\n'),
            Place::LineEnd => at == self.text.len() || after == Some(&'\n'),
            Place::WordStart => !is_word(before) && is_word(after),
            Place::WordEnd => is_word(before) && !is_word(after),
            Place::WordBoundary => is_word(before) != is_word(after),
            Place::NotWordBoundary => is_word(before) == is_word(after),
        }
    }

    /// Where a part can end that begins at `at`, in ascending order. A back reference can be whatever its
    /// capture can be.
    fn ends(&mut self, id: Id, at: usize) -> Result<Rc<Vec<u32>>, Error> {
        let key = (id, at as u32);
        if let Some(known) = self.ends.get(&key) {
            return Ok(Rc::clone(known));
        }
        let program = self.program;
        let one = |found: bool| match found {
            true => vec![at as u32 + 1],
            false => Vec::new(),
        };
        let here = |found: bool| match found {
            true => vec![at as u32],
            false => Vec::new(),
        };
        let next = self.text.get(at).copied();
        let ends = match &program.parts[id] {
            Part::Empty => here(true),
            Part::Char(c) => one(next.is_some_and(|n| self.same(*c, n))),
            Part::Any(newline) => one(next.is_some_and(|n| *newline || n != '\n')),
            Part::Class(class) => one(next.is_some_and(|n| self.has(class, n))),
            Part::Place(place) => here(self.holds(*place, at)),
            Part::Look {
                ahead,
                negated,
                part,
            } => {
                let found = match ahead {
                    true => !self.ends(*part, at)?.is_empty(),
                    false => {
                        let mut found = false;
                        for begin in 0..=at {
                            let ends = self.ends(*part, begin)?;
                            found |= ends.binary_search(&(at as u32)).is_ok();
                        }
                        found
                    }
                };
                here(found != *negated)
            }
            Part::Back(number) => {
                let group = program.groups.get(*number - 1).copied();
                match group {
                    Some(group) => self.ends(group, at)?.as_ref().clone(),
                    None => Vec::new(),
                }
            }
            Part::Concat(left, right) => {
                let mut all = Vec::new();
                for middle in self.ends(*left, at)?.iter() {
                    all.extend_from_slice(&self.ends(*right, *middle as usize)?);
                    self.hold(1)?;
                }
                sorted(all)
            }
            Part::Alternatives(ids) => {
                let mut all = Vec::new();
                for id in ids {
                    all.extend_from_slice(&self.ends(*id, at)?);
                }
                sorted(all)
            }
            Part::Repeat { part, min, max } => self.repeated(*part, at, *min, *max)?,
            Part::Capture(_, part) => self.ends(*part, at)?.as_ref().clone(),
        };
        self.hold(ends.len() + 1)?;
        let ends = Rc::new(ends);
        self.ends.insert(key, Rc::clone(&ends));
        Ok(ends)
    }

    fn hold(&mut self, count: usize) -> Result<(), Error> {
        self.held += count;
        match self.held > HELD_MAX {
            false => Ok(()),
            true => Err(Error::new(
                SqlState::ProgramLimitExceeded,
                "regular expression is too complex for a text of this length",
            )
            .with_hint(
                "Make the pattern match less: anchor it, or use [^..]* in the place of .*.",
            )),
        }
    }

    fn repeated(
        &mut self,
        part: Id,
        at: usize,
        min: usize,
        max: Option<usize>,
    ) -> Result<Vec<u32>, Error> {
        let mut layer = vec![at as u32];
        for _ in 0..min {
            layer = self.step(part, &layer)?;
            if layer.is_empty() {
                return Ok(layer);
            }
        }
        let mut all = layer.clone();
        let mut seen: std::collections::HashSet<u32> = layer.iter().copied().collect();
        let mut left = max.map(|max| max - min);
        while !layer.is_empty() && left != Some(0) {
            let next = self.step(part, &layer)?;
            layer = next.into_iter().filter(|end| seen.insert(*end)).collect();
            all.extend_from_slice(&layer);
            left = left.map(|n| n - 1);
        }
        Ok(sorted(all))
    }

    fn step(&mut self, part: Id, layer: &[u32]) -> Result<Vec<u32>, Error> {
        let mut next = Vec::new();
        for at in layer {
            next.extend_from_slice(&self.ends(part, *at as usize)?);
            self.hold(1)?;
        }
        Ok(sorted(next))
    }

    /// What the captures of a part are that matches from `begin` to `end`; false if a back reference
    /// is not what its capture was.
    fn dissect(
        &mut self,
        id: Id,
        begin: usize,
        end: usize,
        captures: &mut Vec<Option<Span>>,
    ) -> Result<bool, Error> {
        let program = self.program;
        if !program.captures[id] {
            return Ok(true);
        }
        match &program.parts[id] {
            Part::Capture(number, part) => {
                let found = self.dissect(*part, begin, end, captures)?;
                if found && let Some(capture) = captures.get_mut(*number - 1) {
                    *capture = Some((begin, end));
                }
                Ok(found)
            }
            Part::Back(number) => {
                let Some(Some((from, to))) = captures.get(*number - 1).copied() else {
                    return Ok(false);
                };
                let (then, now) = (&self.text[from..to], &self.text[begin..end]);
                let equal = then.len() == now.len();
                Ok(equal && then.iter().zip(now).all(|(a, b)| self.same(*a, *b)))
            }
            Part::Concat(left, right) => {
                let middles = self.ends(*left, begin)?;
                let shorter = program.shorter[*left] == Some(true);
                for middle in ordered(&middles, shorter) {
                    if middle > end || !self.reaches(*right, middle, end)? {
                        continue;
                    }
                    let before = captures.clone();
                    if self.dissect(*left, begin, middle, captures)?
                        && self.dissect(*right, middle, end, captures)?
                    {
                        return Ok(true);
                    }
                    *captures = before;
                }
                Ok(false)
            }
            Part::Alternatives(ids) => {
                for id in ids {
                    let before = captures.clone();
                    if self.reaches(*id, begin, end)? && self.dissect(*id, begin, end, captures)? {
                        return Ok(true);
                    }
                    *captures = before;
                }
                Ok(false)
            }
            Part::Repeat { part, min, max } => {
                if begin == end && *min == 0 {
                    return Ok(true);
                }
                let limit = max
                    .unwrap_or(usize::MAX)
                    .min((end - begin).max(1).max(*min));
                self.iterate(*part, (begin, end), (*min, limit), captures)
            }
            _ => Ok(true),
        }
    }

    fn reaches(&mut self, id: Id, begin: usize, end: usize) -> Result<bool, Error> {
        Ok(self.ends(id, begin)?.binary_search(&(end as u32)).is_ok())
    }

    /// Divides a text among the repetitions of a part, each as long as it can be (or as short).
    fn iterate(
        &mut self,
        part: Id,
        (begin, end): Span,
        (min, max): (usize, usize),
        captures: &mut Vec<Option<Span>>,
    ) -> Result<bool, Error> {
        let shorter = self.program.shorter[part] == Some(true);
        // What is still to be tried at each repetition, the most wanted one last.
        let choices = |search: &mut Self, at: usize, done: usize| -> Result<Vec<usize>, Error> {
            if done >= max {
                return Ok(Vec::new());
            }
            let ends = search.ends(part, at)?;
            let wanted = ordered(&ends, shorter);
            // A repetition of nothing is none, unless it is needed.
            let wanted = wanted.filter(|e| *e <= end && (*e > at || done < min || at == end));
            let mut wanted: Vec<usize> = wanted.collect();
            wanted.reverse();
            Ok(wanted)
        };
        let first = choices(self, begin, 0)?;
        let mut stack = vec![(begin, first, captures.clone())];
        while let Some((at, left, before)) = stack.last_mut() {
            let Some(next) = left.pop() else {
                stack.pop();
                continue;
            };
            let (at, mut state) = (*at, before.clone());
            self.hold(1 + state.len())?;
            if !self.dissect(part, at, next, &mut state)? {
                continue;
            }
            let done = stack.len();
            if next == end && done >= min {
                *captures = state;
                return Ok(true);
            }
            if next == at && done >= min {
                continue;
            }
            let further = choices(self, next, done)?;
            stack.push((next, further, state));
        }
        Ok(false)
    }
}

fn sorted(mut ends: Vec<u32>) -> Vec<u32> {
    if !ends.is_sorted() {
        ends.sort_unstable();
    }
    ends.dedup();
    ends
}
