//! Scalar expressions of a wanted kind, with the bounds of their values tracked, so that they fail
//! only where the grammar lets them.

use super::Generator;
use super::ast::{Expr, Kind, Ty};
use super::scope::{Scope, ScopeColumn, column};
use crate::table::Bounds;
use crate::{Decimal, Value};

/// What kind of value is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Bool,
    Int,
    Float,
    Numeric,
    Text,
    Char,
    Date,
    Timestamp,
    TimestampTz,
    Bytes,
    Uuid,
}

impl Want {
    pub fn of(ty: Ty) -> Want {
        match ty {
            Ty::Bool => Want::Bool,
            Ty::Int2 | Ty::Int4 | Ty::Int8 => Want::Int,
            Ty::Float => Want::Float,
            Ty::Numeric(..) => Want::Numeric,
            Ty::Text => Want::Text,
            Ty::Char => Want::Char,
            Ty::Date => Want::Date,
            Ty::Timestamp => Want::Timestamp,
            Ty::TimestampTz => Want::TimestampTz,
            Ty::Bytes => Want::Bytes,
            Ty::Uuid => Want::Uuid,
        }
    }
}

/// An expression with what is known of its values.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub expr: Expr,
    pub bounds: Bounds,
}

impl Made {
    pub(super) fn unknown(ty: Ty, kind: Kind) -> Made {
        Made {
            expr: Expr::new(ty, kind),
            bounds: Bounds::Unknown,
        }
    }

    pub(super) fn whole(ty: Ty, kind: Kind, low: i128, high: i128) -> Made {
        Made {
            expr: Expr::new(ty, kind),
            bounds: Bounds::Whole(low, high),
        }
    }

    /// The bounds of an integer, those of its type where no others are known.
    pub(super) fn range(&self) -> (i128, i128) {
        match self.bounds {
            Bounds::Whole(low, high) => (low, high),
            _ => type_range(self.expr.ty),
        }
    }
}

pub(super) fn type_range(ty: Ty) -> (i128, i128) {
    match ty {
        Ty::Int2 => (i16::MIN.into(), i16::MAX.into()),
        Ty::Int4 => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

impl Generator<'_> {
    /// A kind of value that the scope has columns of, booleans seldom.
    pub(super) fn want(&mut self, scope: &Scope) -> Want {
        let columns = scope.columns(|_| true);
        if columns.is_empty() {
            return Want::Int;
        }
        let ty = self.random.pick(&columns).1.ty;
        Want::of(ty)
    }

    /// A value that is wanted, `depth` levels at most.
    pub(super) fn value(&mut self, scope: &Scope, want: Want, depth: u32) -> Made {
        if depth == 0 || self.random.chance(45) {
            return self.leaf(scope, want);
        }
        if self.random.chance(16) && !matches!(want, Want::Bytes | Want::Uuid | Want::Char) {
            return self.conditional(scope, want, depth - 1);
        }
        let depth = depth - 1;
        match want {
            Want::Bool => Made {
                expr: self.predicate(scope, depth, false),
                bounds: Bounds::Unknown,
            },
            Want::Int => self.integer(scope, depth),
            Want::Float => self.float(scope, depth),
            Want::Numeric => self.numeric(scope, depth),
            Want::Text => self.text(scope, depth),
            Want::Date | Want::Timestamp | Want::TimestampTz => self.time(scope, want, depth),
            Want::Char | Want::Bytes | Want::Uuid => self.leaf(scope, want),
        }
    }

    /// A column, or a literal where there is none.
    pub(super) fn leaf(&mut self, scope: &Scope, want: Want) -> Made {
        let columns = scope.columns(|c| Want::of(c.ty) == want);
        if columns.is_empty() || self.random.chance(8) {
            return self.literal(want, None);
        }
        let (alias, found) = self.random.pick(&columns);
        Made {
            expr: column(alias, found),
            bounds: found.bounds,
        }
    }

    /// A literal, out of the column `like` if that is known, else an edge of its type.
    pub(super) fn literal(&mut self, want: Want, like: Option<(usize, usize)>) -> Made {
        if let Some((table, n)) = like {
            let facts = &self.universe.tables[table].columns[n];
            if !facts.values.is_empty() && Want::of(facts.ty) == want && self.random.chance(85) {
                let value = self.random.pick(&facts.values);
                return typed(want, value);
            }
        }
        let r = &mut self.random;
        let value = match want {
            Want::Bool => Value::Bool(r.chance(50)),
            Want::Int => {
                let small = r.between(-9, 60);
                let edges = [
                    0,
                    1,
                    2,
                    3,
                    7,
                    -1,
                    small,
                    small,
                    100,
                    1000,
                    i64::from(i32::MAX),
                ];
                Value::Int(r.pick(&edges))
            }
            Want::Float => Value::Float(r.pick(&[
                0.0,
                -0.0,
                1.0,
                0.5,
                2.5,
                -2.5,
                0.1,
                100.0,
                1e10,
                1e-9,
                f64::NAN,
                f64::INFINITY,
            ])),
            Want::Numeric => {
                let small = Value::Decimal(Decimal::new(r.between(-5000, 500_000).into(), 2));
                let edges = [
                    small.clone(),
                    small,
                    Value::decimal("0.00"),
                    Value::decimal("1.5"),
                    Value::decimal("-0.001"),
                    Value::decimal("99.95"),
                ];
                r.pick(&edges)
            }
            Want::Text => Value::text(r.pick(&[
                "", " ", "a", "A", "a ", "b", "łąka", "ŁĄKA", "late", "Late", "%", "_", "'", "\\",
                "é", "straße", "😀", "north", "x", "NULL",
            ])),
            Want::Char => Value::text(r.pick(&["", "a", "A", "bb", "CCCC", "ł"])),
            Want::Date => Value::date(r.pick(&[
                "0001-01-01",
                "1970-01-01",
                "2023-06-30",
                "2024-02-29",
                "2024-07-01",
                "9999-12-31",
            ])),
            Want::Timestamp => Value::timestamp(r.pick(&[
                "1970-01-01 00:00:00",
                "2023-12-31 23:59:59.999999",
                "2024-02-29 12:00:00",
                "2024-03-31 01:30:00",
                "2024-10-27 01:30:00.5",
            ])),
            Want::TimestampTz => Value::timestamptz(r.pick(&[
                "1970-01-01 00:00:00",
                "2024-03-31 01:00:00",
                "2024-10-27 00:30:00",
                "9999-12-31 23:59:59.999999",
            ])),
            Want::Bytes => Value::Bytes(b"a".to_vec()),
            Want::Uuid => Value::text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        };
        typed(want, value)
    }

    /// CASE, COALESCE and NULLIF, of every kind.
    fn conditional(&mut self, scope: &Scope, want: Want, depth: u32) -> Made {
        let first = self.value(scope, want, depth);
        let second = if self.random.chance(60) {
            self.literal(want, None)
        } else {
            self.value(scope, want, depth)
        };
        let Some(ty) = common(first.expr.ty, second.expr.ty) else {
            return first;
        };
        let bounds = match (first.bounds, second.bounds) {
            (Bounds::Whole(a, b), Bounds::Whole(c, d)) => Bounds::Whole(a.min(c), b.max(d)),
            _ => Bounds::Unknown,
        };
        let kind = match self
            .random
            .below(if self.grammar.more_functions { 5 } else { 3 })
        {
            0 => {
                let mut arms = vec![(self.predicate(scope, depth, false), first.expr)];
                if self.random.chance(25) {
                    let third = self.literal(want, None);
                    if third.expr.ty.agrees(ty) {
                        arms.push((self.predicate(scope, depth, false), third.expr));
                        return Made::unknown(
                            common(ty, arms[1].1.ty).unwrap_or(ty),
                            Kind::Case {
                                arms,
                                otherwise: self.random.chance(70).then(|| Box::new(second.expr)),
                            },
                        );
                    }
                }
                Kind::Case {
                    arms,
                    otherwise: self.random.chance(75).then(|| Box::new(second.expr)),
                }
            }
            1 => Kind::Call {
                name: "coalesce",
                args: vec![first.expr, second.expr],
            },
            // NULLIF has the type of its first argument.
            2 => {
                return Made {
                    bounds: first.bounds,
                    expr: Expr::new(
                        first.expr.ty,
                        Kind::Call {
                            name: "nullif",
                            args: vec![first.expr, second.expr],
                        },
                    ),
                };
            }
            3 => Kind::Call {
                name: "greatest",
                args: vec![first.expr, second.expr],
            },
            _ => Kind::Call {
                name: "least",
                args: vec![first.expr, second.expr],
            },
        };
        Made {
            expr: Expr::new(ty, kind),
            bounds,
        }
    }

    /// The column that an expression is, if it is one of a table.
    pub(super) fn origin_of<'s>(&self, scope: &'s Scope, expr: &Expr) -> Option<&'s ScopeColumn> {
        let Kind::Column(reference) = &expr.kind else {
            return None;
        };
        scope
            .relations
            .iter()
            .find(|r| r.alias == reference.relation)?
            .columns
            .iter()
            .find(|c| c.name == reference.name)
    }
}

/// A literal with the type that PostgreSQL gives it.
fn typed(want: Want, value: Value) -> Made {
    let ty = match (want, &value) {
        (Want::Bool, _) => Ty::Bool,
        (Want::Int, Value::Int(i)) if i32::try_from(*i).is_ok() => Ty::Int4,
        (Want::Int, _) => Ty::Int8,
        (Want::Float, _) => Ty::Float,
        (Want::Numeric, Value::Decimal(d)) => {
            let (p, s) = (d.precision() as u32, d.scale() as u32);
            Ty::Numeric(p.max(s + 1), s)
        }
        (Want::Numeric, _) => Ty::Numeric(1, 0),
        (Want::Text, _) => Ty::Text,
        (Want::Char, _) => Ty::Char,
        (Want::Date, _) => Ty::Date,
        (Want::Timestamp, _) => Ty::Timestamp,
        (Want::TimestampTz, _) => Ty::TimestampTz,
        (Want::Bytes, _) => Ty::Bytes,
        (Want::Uuid, _) => Ty::Uuid,
    };
    let bounds = match &value {
        Value::Int(i) => Bounds::Whole(i128::from(*i), i128::from(*i)),
        Value::Date(days) => Bounds::Whole(i128::from(*days), i128::from(*days)),
        _ => Bounds::Unknown,
    };
    Made {
        expr: Expr::literal(ty, value),
        bounds,
    }
}

/// The type in which PostgreSQL brings two operands together, for those that we mix.
pub(super) fn common(a: Ty, b: Ty) -> Option<Ty> {
    match (a, b) {
        _ if a == b => Some(a),
        (Ty::Numeric(p, s), Ty::Numeric(p2, s2)) => {
            let scale = s.max(s2);
            let digits = p.saturating_sub(s).max(p2.saturating_sub(s2)) + scale;
            (digits <= 38).then_some(Ty::Numeric(digits, scale))
        }
        _ if a.is_integer() && b.is_integer() => Some(if a == Ty::Int8 || b == Ty::Int8 {
            Ty::Int8
        } else {
            Ty::Int4
        }),
        _ => None,
    }
}

pub(super) fn call(name: &'static str, args: Vec<Expr>) -> Kind {
    Kind::Call { name, args }
}

pub(super) fn cast(arg: Expr) -> Kind {
    Kind::Cast {
        arg: Box::new(arg),
        may_fail: false,
    }
}

pub(super) fn arithmetic_kind(
    ty: Ty,
    op: &'static str,
    left: Expr,
    right: Expr,
    may_fail: bool,
    bounds: Bounds,
) -> Made {
    Made {
        expr: Expr::new(
            ty,
            Kind::Binary {
                op,
                left: Box::new(left),
                right: Box::new(right),
                may_fail,
            },
        ),
        bounds,
    }
}
