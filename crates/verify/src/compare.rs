//! Are two answers the same? Everything exact but for what [`Rule`] names; a wider tolerance
//! anywhere is a defect.
//!
//! **Answer**: rows, or an error with its SQLSTATE. **Rule**: what a query leaves open (which rows
//! a LIMIT takes, the order of float additions, the last place of a quotient). **Verdict**: the
//! same, allowed to differ and why, or different and where.

use std::cmp::Ordering;
use std::fmt;

use inflowave_types::Error;

use crate::{Rows, Value};

/// What a side gave.
pub type Answer = Result<Rows, Failure>;

/// An error, as far as answers are told apart by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub sqlstate: String,
    pub message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure {
            sqlstate: error.sqlstate().code().to_owned(),
            message: error.message().to_owned(),
        }
    }
}

/// How two values of an output column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tolerance {
    #[default]
    Exact,
    /// A quotient or `avg` of numerics against PostgreSQL: equal after rounding the longer to the
    /// shorter scale, within one unit in its last place.
    Quotient,
    /// Made of float additions in any order: `1e-12`, relative.
    FloatSum,
    /// To the last bit, scales and the sign of zero included: type round trips.
    Identical,
}

/// Which types output columns must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TypeRule {
    /// PostgreSQL's, to the width of an integer.
    Exact,
    /// Of one family: the width of integers and floats is free.
    #[default]
    Family,
}

/// What a query leaves open.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Output columns by which the rows are sorted, in order; empty if they are not.
    pub sorted_by: Vec<usize>,
    /// LIMIT without a total order: the number of rows and the sort keys count, and every row must
    /// be one of the unlimited query.
    pub any_rows: bool,
    /// By output column; [`Tolerance::Exact`] where none is given.
    pub columns: Vec<Tolerance>,
    pub types: TypeRule,
    /// Why PostgreSQL may evaluate in another order here, so that an error on one side only is
    /// no difference; `None` if it may not.
    pub errors_free: Option<&'static str>,
}

impl Rule {
    fn tolerance(&self, column: usize) -> Tolerance {
        self.columns.get(column).copied().unwrap_or_default()
    }
}

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Same,
    /// Both are right, and why.
    Allowed(&'static str),
    Different(Difference),
}

/// Where two answers differ, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference(pub String);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Rows of each side that a difference shows.
const SHOWN_ROWS_MAX: usize = 5;

/// Compares two answers. `whole` is the answer without its LIMIT, for [`Rule::any_rows`].
pub fn compare(left: &Answer, right: &Answer, rule: &Rule, whole: Option<&Rows>) -> Verdict {
    match (left, right) {
        (Ok(left), Ok(right)) => match rows(left, right, rule, whole) {
            None => Verdict::Same,
            Some(text) => Verdict::Different(Difference(text)),
        },
        (Err(left), Err(right)) if left.sqlstate == right.sqlstate => Verdict::Same,
        (left, right) => match rule.errors_free {
            Some(why) => Verdict::Allowed(why),
            None => Verdict::Different(Difference(format!(
                "left:  {}\nright: {}",
                outcome(left),
                outcome(right)
            ))),
        },
    }
}

fn outcome(answer: &Answer) -> String {
    match answer {
        Ok(rows) => format!("{} rows", rows.rows.len()),
        Err(failure) => format!("error {}: {}", failure.sqlstate, failure.message),
    }
}

/// What differs, if anything.
fn rows(left: &Rows, right: &Rows, rule: &Rule, whole: Option<&Rows>) -> Option<String> {
    if let Some(text) = columns(left, right, rule) {
        return Some(text);
    }
    if left.rows.len() != right.rows.len() || !rule.any_rows {
        let (only_left, only_right) = unmatched(&left.rows, &right.rows, rule);
        if !only_left.is_empty() || !only_right.is_empty() {
            return Some(format!(
                "{} rows against {}\n{}{}",
                left.rows.len(),
                right.rows.len(),
                sample("only left ", &only_left),
                sample("only right", &only_right)
            ));
        }
    }
    if rule.any_rows
        && let Some(whole) = whole
    {
        for (side, rows) in [("left", left), ("right", right)] {
            let (strange, _) = unmatched(&rows.rows, &whole.rows, rule);
            if !strange.is_empty() {
                return Some(format!(
                    "{side} has rows that the query without its LIMIT has not\n{}",
                    sample(side, &strange)
                ));
            }
        }
    }
    for (n, (a, b)) in left.rows.iter().zip(&right.rows).enumerate() {
        for &key in &rule.sorted_by {
            if !same(&a[key], &b[key], rule.tolerance(key)) {
                return Some(format!(
                    "row {} has another sort key in column {}\n{}{}",
                    n + 1,
                    left.columns[key].name,
                    sample("left ", &[a]),
                    sample("right", &[b])
                ));
            }
        }
    }
    None
}

fn columns(left: &Rows, right: &Rows, rule: &Rule) -> Option<String> {
    if left.columns.len() != right.columns.len() {
        return Some(format!(
            "{} columns against {}",
            left.columns.len(),
            right.columns.len()
        ));
    }
    for (n, (a, b)) in left.columns.iter().zip(&right.columns).enumerate() {
        let same_type = match rule.types {
            TypeRule::Exact => a.ty == b.ty,
            TypeRule::Family => a.ty.same_family(&b.ty),
        };
        if a.name != b.name || !same_type {
            return Some(format!(
                "column {} is {} {:?} against {} {:?}",
                n + 1,
                a.name,
                a.ty,
                b.name,
                b.ty
            ));
        }
    }
    None
}

fn sample(side: &str, rows: &[&Vec<Value>]) -> String {
    let mut text = String::new();
    for row in rows.iter().take(SHOWN_ROWS_MAX) {
        let values: Vec<_> = row.iter().map(Value::to_string).collect();
        text.push_str(&format!("{side}: ({})\n", values.join(", ")));
    }
    if rows.len() > SHOWN_ROWS_MAX {
        text.push_str(&format!(
            "{side}: .. {} more\n",
            rows.len() - SHOWN_ROWS_MAX
        ));
    }
    text
}

/// The rows of each side that have no partner on the other, as multisets.
fn unmatched<'a>(
    left: &'a [Vec<Value>],
    right: &'a [Vec<Value>],
    rule: &Rule,
) -> (Vec<&'a Vec<Value>>, Vec<&'a Vec<Value>>) {
    let width = left.first().or(right.first()).map_or(0, Vec::len);
    // Columns with a tolerance cannot take part in the sort: two equal values may be apart.
    let (exact, loose): (Vec<usize>, Vec<usize>) = (0..width)
        .partition(|&c| matches!(rule.tolerance(c), Tolerance::Exact | Tolerance::Identical));
    let order = |a: &&Vec<Value>, b: &&Vec<Value>| {
        exact
            .iter()
            .map(|&c| a[c].order(&b[c]))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    let full_order = |a: &&Vec<Value>, b: &&Vec<Value>| {
        order(a, b).then_with(|| {
            loose
                .iter()
                .map(|&c| a[c].order(&b[c]))
                .find(|o| o.is_ne())
                .unwrap_or(Ordering::Equal)
        })
    };
    let (mut l, mut r): (Vec<_>, Vec<_>) = (left.iter().collect(), right.iter().collect());
    l.sort_by(full_order);
    r.sort_by(full_order);
    let (mut only_left, mut only_right) = (Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    while i < l.len() || j < r.len() {
        let which = match (l.get(i), r.get(j)) {
            (Some(a), Some(b)) => order(a, b),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match which {
            Ordering::Less => {
                only_left.push(l[i]);
                i += 1;
            }
            Ordering::Greater => {
                only_right.push(r[j]);
                j += 1;
            }
            Ordering::Equal => {
                let end = |rows: &[&Vec<Value>], from: usize| {
                    from + rows[from..]
                        .iter()
                        .take_while(|row| order(row, &rows[from]).is_eq())
                        .count()
                };
                let (to_i, to_j) = (end(&l, i), end(&r, j));
                match_group(
                    &l[i..to_i],
                    &r[j..to_j],
                    rule,
                    &mut only_left,
                    &mut only_right,
                );
                (i, j) = (to_i, to_j);
            }
        }
    }
    (only_left, only_right)
}

/// Finds partners among rows that are equal but for columns with a tolerance.
fn match_group<'a>(
    left: &[&'a Vec<Value>],
    right: &[&'a Vec<Value>],
    rule: &Rule,
    only_left: &mut Vec<&'a Vec<Value>>,
    only_right: &mut Vec<&'a Vec<Value>>,
) {
    let mut free: Vec<&'a Vec<Value>> = right.to_vec();
    for row in left {
        // The partner of the next row is nearly always the first that is free: both are sorted.
        match free.iter().position(|other| same_row(row, other, rule)) {
            Some(n) => {
                free.remove(n);
            }
            None => only_left.push(row),
        }
    }
    only_right.extend(free);
}

fn same_row(a: &[Value], b: &[Value], rule: &Rule) -> bool {
    a.iter()
        .zip(b)
        .enumerate()
        .all(|(c, (x, y))| same(x, y, rule.tolerance(c)))
}

fn same(a: &Value, b: &Value, tolerance: Tolerance) -> bool {
    match tolerance {
        Tolerance::Exact => a == b,
        Tolerance::Identical => a.is_identical(b),
        Tolerance::Quotient => match (a, b) {
            (Value::Decimal(a), Value::Decimal(b)) => a.equals_as_quotient(b),
            _ => a == b,
        },
        Tolerance::FloatSum => match (a, b) {
            (Value::Float(x), Value::Float(y)) if x.is_finite() && y.is_finite() => {
                (x - y).abs() <= 1e-12 * x.abs().max(y.abs())
            }
            _ => a == b,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{ColumnType, OutputColumn};

    fn answer(ty: ColumnType, rows: Vec<Vec<Value>>) -> Answer {
        let width = rows.first().map_or(1, Vec::len);
        Ok(Rows {
            columns: (0..width)
                .map(|n| OutputColumn {
                    name: format!("c{n}"),
                    ty: ty.clone(),
                })
                .collect(),
            rows,
        })
    }

    fn ints(values: &[i64]) -> Answer {
        answer(
            ColumnType::Int4,
            values.iter().map(|&v| vec![Value::Int(v)]).collect(),
        )
    }

    fn text(verdict: Verdict) -> String {
        match verdict {
            Verdict::Different(difference) => difference.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_are_multisets() {
        let rule = Rule::default();
        assert_eq!(
            compare(&ints(&[1, 2, 2]), &ints(&[2, 1, 2]), &rule, None),
            Verdict::Same
        );
        let shown = text(compare(&ints(&[1, 2, 2]), &ints(&[1, 2, 3]), &rule, None));
        assert_eq!(
            shown,
            "3 rows against 3\nonly left : (2)\nonly right: (3)\n"
        );
    }

    #[test]
    fn a_sort_is_compared_by_its_keys() {
        let rule = Rule {
            sorted_by: vec![0],
            ..Rule::default()
        };
        assert_eq!(
            compare(&ints(&[1, 2]), &ints(&[1, 2]), &rule, None),
            Verdict::Same
        );
        let shown = text(compare(&ints(&[1, 2]), &ints(&[2, 1]), &rule, None));
        assert!(
            shown.starts_with("row 1 has another sort key in column c0"),
            "{shown}"
        );
    }

    #[test]
    fn a_limit_may_choose_but_not_invent() {
        let rule = Rule {
            any_rows: true,
            ..Rule::default()
        };
        let whole = ints(&[1, 2, 3]).unwrap();
        assert_eq!(
            compare(&ints(&[1]), &ints(&[3]), &rule, Some(&whole)),
            Verdict::Same
        );
        let shown = text(compare(&ints(&[1]), &ints(&[4]), &rule, Some(&whole)));
        assert!(shown.contains("right: (4)"), "{shown}");
        text(compare(&ints(&[1]), &ints(&[1, 2]), &rule, Some(&whole)));
        text(compare(&ints(&[1, 1]), &ints(&[1, 2]), &rule, Some(&whole)));
    }

    #[test]
    fn tolerance_only_where_the_rule_gives_it() {
        let floats = |x: f64| answer(ColumnType::Float8, vec![vec![Value::Float(x)]]);
        let loose = Rule {
            columns: vec![Tolerance::FloatSum],
            ..Rule::default()
        };
        let (a, b, c) = (floats(1.0), floats(1.0 + 1e-13), floats(1.0 + 1e-11));
        assert_eq!(compare(&a, &b, &loose, None), Verdict::Same);
        text(compare(&a, &c, &loose, None));
        text(compare(&a, &b, &Rule::default(), None));
        let nan = floats(f64::NAN);
        assert_eq!(
            compare(&nan, &nan.clone(), &Rule::default(), None),
            Verdict::Same
        );
        text(compare(&nan, &a, &loose, None));
    }

    #[test]
    fn rows_within_a_tolerance_find_their_partner() {
        let rows = |values: &[(f64, i64)]| {
            answer(
                ColumnType::Float8,
                values
                    .iter()
                    .map(|&(f, i)| vec![Value::Float(f), Value::Float(i as f64)])
                    .collect(),
            )
        };
        let rule = Rule {
            columns: vec![Tolerance::FloatSum, Tolerance::FloatSum],
            ..Rule::default()
        };
        let (left, right) = (
            rows(&[(1.0, 1), (1.0 + 1e-14, 2)]),
            rows(&[(1.0, 2), (1.0 + 1e-14, 1)]),
        );
        assert_eq!(compare(&left, &right, &rule, None), Verdict::Same);
    }

    #[test]
    fn errors_are_compared_by_sqlstate() {
        let error = |code: &str| -> Answer {
            Err(Failure {
                sqlstate: code.to_owned(),
                message: "m".to_owned(),
            })
        };
        let rule = Rule::default();
        assert_eq!(
            compare(&error("22012"), &error("22012"), &rule, None),
            Verdict::Same
        );
        text(compare(&error("22012"), &error("22003"), &rule, None));
        let shown = text(compare(&error("22012"), &ints(&[1]), &rule, None));
        assert_eq!(shown, "left:  error 22012: m\nright: 1 rows");
        let free = Rule {
            errors_free: Some("an operand of AND"),
            ..Rule::default()
        };
        assert_eq!(
            compare(&error("22012"), &ints(&[1]), &free, None),
            Verdict::Allowed("an operand of AND")
        );
    }

    #[test]
    fn types_and_names_of_columns_count() {
        let a = answer(ColumnType::Int4, vec![vec![Value::Int(1)]]);
        let b = answer(ColumnType::Int8, vec![vec![Value::Int(1)]]);
        let exact = Rule {
            types: TypeRule::Exact,
            ..Rule::default()
        };
        assert_eq!(compare(&a, &b, &Rule::default(), None), Verdict::Same);
        text(compare(&a, &b, &exact, None));
        let c = answer(ColumnType::Numeric, vec![vec![Value::decimal("1")]]);
        text(compare(&a, &c, &Rule::default(), None));
    }
}
