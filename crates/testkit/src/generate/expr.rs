//! Scalar expressions of a wanted kind, with the bounds of their values tracked, so that they fail
//! only where the grammar lets them.

use super::Generator;
use super::ast::{Expr, Kind, Ty};
use super::scope::{Bounds, Scope, ScopeColumn, column};
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
    fn unknown(ty: Ty, kind: Kind) -> Made {
        Made {
            expr: Expr::new(ty, kind),
            bounds: Bounds::Unknown,
        }
    }

    fn whole(ty: Ty, kind: Kind, low: i128, high: i128) -> Made {
        Made {
            expr: Expr::new(ty, kind),
            bounds: Bounds::Whole(low, high),
        }
    }

    /// The bounds of an integer, those of its type where no others are known.
    fn range(&self) -> (i128, i128) {
        match self.bounds {
            Bounds::Whole(low, high) => (low, high),
            _ => type_range(self.expr.ty),
        }
    }
}

fn type_range(ty: Ty) -> (i128, i128) {
    match ty {
        Ty::Int2 => (i16::MIN.into(), i16::MAX.into()),
        Ty::Int4 => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

/// Days of 1900 and 2100: calendar arithmetic stays between year 1 and 9999.
const CALENDAR: (i128, i128) = (-25_567, 47_482);

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
            let facts = &self.universe.facts[table].columns[n];
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

    fn integer(&mut self, scope: &Scope, depth: u32) -> Made {
        match self.random.weighted(&[45, 10, 6, 8, 8, 6, 8, 5, 4]) {
            0 => {
                let left = self.value(scope, Want::Int, depth);
                let right = if self.random.chance(50) {
                    self.literal(Want::Int, None)
                } else {
                    self.value(scope, Want::Int, depth)
                };
                self.arithmetic(left, right)
            }
            1 => self.divided(scope, depth),
            2 => {
                let arg = self.value(scope, Want::Int, depth);
                let (low, high) = arg.range();
                if low == type_range(arg.expr.ty).0 {
                    return arg;
                }
                let ty = arg.expr.ty;
                if self.random.chance(50) {
                    Made::whole(ty, Kind::Negate(Box::new(arg.expr)), -high, -low)
                } else {
                    let name = "abs";
                    let size = low.abs().max(high.abs());
                    Made::whole(ty, call(name, vec![arg.expr]), 0, size)
                }
            }
            3 => {
                let arg = self.value(scope, Want::Text, depth);
                let name = if self.random.chance(70) {
                    "length"
                } else {
                    "char_length"
                };
                Made::whole(Ty::Int4, call(name, vec![arg.expr]), 0, 10_000)
            }
            4 => {
                let want = if self.random.chance(60) {
                    Want::Date
                } else {
                    Want::Timestamp
                };
                let arg = self.leaf(scope, want).expr;
                let fields = [
                    "year", "month", "day", "quarter", "dow", "doy", "isodow", "week",
                ];
                let field = self.random.pick(&fields);
                let part = Expr::new(
                    Ty::Numeric(6, 0),
                    Kind::Extract {
                        field,
                        arg: Box::new(arg),
                    },
                );
                Made::whole(Ty::Int4, cast(part), 0, 9999)
            }
            5 => {
                let arg = self.value(scope, Want::Int, depth);
                if arg.expr.ty == Ty::Int8 {
                    return self.narrowed(arg);
                }
                let bounds = arg.bounds;
                Made {
                    expr: Expr::new(Ty::Int8, cast(arg.expr)),
                    bounds,
                }
            }
            6 => {
                let arg = self.value(scope, Want::Numeric, depth);
                let Ty::Numeric(p, s) = arg.expr.ty else {
                    return arg;
                };
                match p - s.min(p) {
                    0..9 => Made::unknown(Ty::Int4, cast(arg.expr)),
                    9..18 => Made::unknown(Ty::Int8, cast(arg.expr)),
                    _ => self.leaf(scope, Want::Int),
                }
            }
            7 if self.grammar.date_arithmetic => {
                let (a, b) = (self.leaf(scope, Want::Date), self.leaf(scope, Want::Date));
                arithmetic_kind(
                    Ty::Int4,
                    "-",
                    a.expr,
                    b.expr,
                    false,
                    Bounds::Whole(-4_000_000, 4_000_000),
                )
            }
            8 if self.grammar.more_functions => {
                let text = self.value(scope, Want::Text, depth);
                let part = self.literal(Want::Text, None);
                Made::whole(
                    Ty::Int4,
                    call("strpos", vec![text.expr, part.expr]),
                    0,
                    10_000,
                )
            }
            _ => {
                let arg = self.value(scope, Want::Bool, depth);
                Made::whole(Ty::Int4, cast(arg.expr), 0, 1)
            }
        }
    }

    /// A bigint as integer, where all its values fit or failing is allowed.
    fn narrowed(&mut self, arg: Made) -> Made {
        let ((low, high), (min, max)) = (arg.range(), type_range(Ty::Int4));
        let may_fail = low < min || high > max;
        if may_fail && !self.random.chance(self.grammar.fail_percent) {
            return arg;
        }
        let kind = Kind::Cast {
            arg: Box::new(arg.expr),
            may_fail,
        };
        Made::whole(Ty::Int4, kind, low.max(min), high.min(max))
    }

    /// `+`, `-`, `*` of integers; the left operand alone if that could overflow and must not.
    fn arithmetic(&mut self, left: Made, right: Made) -> Made {
        let Some(ty) = common(left.expr.ty, right.expr.ty) else {
            return left;
        };
        let op = self.random.pick(&["+", "-", "*", "+"]);
        let ((a, b), (c, d)) = (left.range(), right.range());
        let (low, high) = match op {
            "+" => (a + c, b + d),
            "-" => (a - d, b - c),
            _ => {
                let corners = [a * c, a * d, b * c, b * d];
                (
                    corners.into_iter().fold(i128::MAX, i128::min),
                    corners.into_iter().fold(i128::MIN, i128::max),
                )
            }
        };
        let (min, max) = type_range(ty);
        let may_fail = low < min || high > max;
        if may_fail && !self.random.chance(self.grammar.fail_percent) {
            return left;
        }
        let bounds = Bounds::Whole(low.max(min), high.min(max));
        arithmetic_kind(ty, op, left.expr, right.expr, may_fail, bounds)
    }

    /// `/` and `%` of integers, by a literal that is not zero but for a few.
    fn divided(&mut self, scope: &Scope, depth: u32) -> Made {
        let left = self.value(scope, Want::Int, depth);
        let op = self.random.pick(&["/", "%"]);
        let may_fail = self.random.chance(self.grammar.fail_percent * 2);
        let divisor = if may_fail {
            let other = self.leaf(scope, Want::Int);
            if matches!(other.expr.kind, Kind::Literal { .. }) {
                return left;
            }
            other.expr
        } else {
            let n = self.random.pick(&[2, 3, 5, 7, 10, -2, -3]);
            Expr::literal(Ty::Int4, Value::Int(n))
        };
        let ty = common(left.expr.ty, divisor.ty).unwrap_or(Ty::Int8);
        let (low, high) = left.range();
        let size = low.abs().max(high.abs());
        arithmetic_kind(
            ty,
            op,
            left.expr,
            divisor,
            may_fail,
            Bounds::Whole(-size, size),
        )
    }

    fn numeric(&mut self, scope: &Scope, depth: u32) -> Made {
        let arg = self.value(scope, Want::Numeric, depth);
        let Ty::Numeric(p, s) = arg.expr.ty else {
            return arg;
        };
        let whole = p.saturating_sub(s);
        match self.random.weighted(&[40, 10, 8, 8, 8, 10]) {
            0 => {
                let right = match self.random.below(3) {
                    0 => self.literal(Want::Numeric, None),
                    1 => self.value(scope, Want::Int, depth),
                    _ => self.value(scope, Want::Numeric, depth),
                };
                let (p2, s2) = match right.expr.ty {
                    Ty::Numeric(p2, s2) => (p2, s2),
                    Ty::Int2 => (5, 0),
                    Ty::Int4 => (10, 0),
                    _ => (19, 0),
                };
                let op = self.random.pick(&["+", "-", "*"]);
                let (digits, scale) = if op == "*" {
                    (p + p2, s + s2)
                } else {
                    let scale = s.max(s2);
                    (whole.max(p2.saturating_sub(s2)) + scale + 1, scale)
                };
                if digits > 38 {
                    return arg;
                }
                let ty = Ty::Numeric(digits, scale);
                arithmetic_kind(ty, op, arg.expr, right.expr, false, Bounds::Unknown)
            }
            1 => {
                let digits = self.random.below(u64::from(s) + 1) as u32;
                let n = Expr::literal(Ty::Int4, Value::Int(digits.into()));
                Made::unknown(
                    Ty::Numeric(whole + digits + 1, digits),
                    call("round", vec![arg.expr, n]),
                )
            }
            2 => {
                let name = self.random.pick(&["floor", "ceil"]);
                Made::unknown(Ty::Numeric(whole + 1, 0), call(name, vec![arg.expr]))
            }
            3 => Made::unknown(arg.expr.ty, call("abs", vec![arg.expr])),
            4 => Made::unknown(arg.expr.ty, Kind::Negate(Box::new(arg.expr))),
            _ => {
                let int = self.value(scope, Want::Int, depth);
                let digits = match int.expr.ty {
                    Ty::Int2 => 5,
                    Ty::Int4 => 10,
                    _ => 19,
                };
                Made::unknown(Ty::Numeric(digits + 2, 2), cast(int.expr))
            }
        }
    }

    /// Floats are added only where no sum can leave the range, because PostgreSQL fails there.
    fn float(&mut self, scope: &Scope, depth: u32) -> Made {
        let moderate = scope.columns(|c| c.ty == Ty::Float && c.bounds == Bounds::Moderate);
        let arg = if moderate.is_empty() || self.random.chance(35) {
            let from = if self.random.chance(50) {
                Want::Int
            } else {
                Want::Numeric
            };
            Expr::new(Ty::Float, cast(self.value(scope, from, depth).expr))
        } else {
            let (alias, found) = self.random.pick(&moderate);
            column(alias, found)
        };
        match self.random.below(5) {
            0 => {
                let factor = Expr::literal(
                    Ty::Float,
                    Value::Float(self.random.pick(&[0.5, 2.0, 0.1, 3.0])),
                );
                let op = self.random.pick(&["*", "/", "+", "-"]);
                arithmetic_kind(Ty::Float, op, arg, factor, false, Bounds::Unknown)
            }
            1 => Made::unknown(Ty::Float, call("abs", vec![arg])),
            2 => Made::unknown(
                Ty::Float,
                call(self.random.pick(&["floor", "ceil"]), vec![arg]),
            ),
            3 => Made::unknown(Ty::Float, call("round", vec![arg])),
            _ => Made::unknown(Ty::Float, arg.kind),
        }
    }

    fn text(&mut self, scope: &Scope, depth: u32) -> Made {
        let arg = self.value(scope, Want::Text, depth).expr;
        let int = |n: i64| Expr::literal(Ty::Int4, Value::Int(n));
        let limit = if self.grammar.more_functions { 11 } else { 6 };
        let kind = match self.random.below(limit) {
            0 => call("lower", vec![arg]),
            1 => call("upper", vec![arg]),
            2 => {
                let (from, length) = (self.random.between(0, 4), self.random.between(0, 5));
                call("substr", vec![arg, int(from), int(length)])
            }
            3 => call(self.random.pick(&["trim", "ltrim", "rtrim"]), vec![arg]),
            4 => {
                let right = if self.random.chance(50) {
                    self.literal(Want::Text, None).expr
                } else {
                    self.value(scope, Want::Text, depth).expr
                };
                return arithmetic_kind(Ty::Text, "||", arg, right, false, Bounds::Unknown);
            }
            5 => return self.as_text(scope, depth),
            6 => {
                let (from, to) = (
                    self.literal(Want::Text, None),
                    self.literal(Want::Text, None),
                );
                call("replace", vec![arg, from.expr, to.expr])
            }
            7 => call("left", vec![arg, int(self.random.between(-1, 4))]),
            8 => call("right", vec![arg, int(self.random.between(-1, 4))]),
            9 => call("reverse", vec![arg]),
            _ => {
                let fill = self.literal(Want::Text, None).expr;
                let name = self.random.pick(&["lpad", "rpad"]);
                call(name, vec![arg, int(self.random.between(0, 12)), fill])
            }
        };
        Made::unknown(Ty::Text, kind)
    }

    /// A cast to text, of values whose text PostgreSQL and we both know.
    fn as_text(&mut self, scope: &Scope, depth: u32) -> Made {
        let want = self.random.pick(&[
            Want::Int,
            Want::Char,
            Want::Date,
            Want::Numeric,
            Want::Timestamp,
            Want::Bool,
        ]);
        let arg = match want {
            Want::Int => self.value(scope, want, depth),
            // The scale of a computed numeric is PostgreSQL's own: only that of a column is known.
            _ => self.leaf(scope, want),
        };
        if want != Want::Char && !self.grammar.text_casts {
            return self.leaf(scope, Want::Text);
        }
        Made::unknown(Ty::Text, cast(arg.expr))
    }

    fn time(&mut self, scope: &Scope, want: Want, depth: u32) -> Made {
        let arg = self.leaf(scope, want);
        let in_calendar = match arg.bounds {
            Bounds::Whole(low, high) => low >= CALENDAR.0 && high <= CALENDAR.1,
            _ => false,
        };
        let ty = arg.expr.ty;
        match (self.random.below(3), want) {
            (0, Want::Date) if self.grammar.date_arithmetic && in_calendar => {
                let days = Expr::literal(Ty::Int4, Value::Int(self.random.between(0, 400)));
                let op = self.random.pick(&["+", "-"]);
                arithmetic_kind(ty, op, arg.expr, days, false, Bounds::Unknown)
            }
            (1, Want::Date) => {
                let from = self.value(scope, Want::Timestamp, depth);
                Made::unknown(ty, cast(from.expr))
            }
            (_, Want::Date) => arg,
            (0, _) if self.grammar.date_arithmetic && in_calendar => {
                let spans = [
                    "1 day",
                    "1 month",
                    "-1 month",
                    "1 year",
                    "90 minutes",
                    "1 month 1 day",
                    "0.5 seconds",
                ];
                let interval = self.random.pick(&spans);
                let arg = Box::new(arg.expr);
                Made::unknown(ty, Kind::AddInterval { arg, interval })
            }
            (1, Want::Timestamp) => {
                let from = self.leaf(scope, Want::Date);
                Made::unknown(ty, cast(from.expr))
            }
            _ => {
                let units = [
                    "year", "quarter", "month", "week", "day", "hour", "minute", "second",
                ];
                let unit = Expr::new(
                    Ty::Text,
                    Kind::Literal {
                        value: Value::text(self.random.pick(&units)),
                        bare: true,
                    },
                );
                Made::unknown(ty, call("date_trunc", vec![unit, arg.expr]))
            }
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

fn call(name: &'static str, args: Vec<Expr>) -> Kind {
    Kind::Call { name, args }
}

fn cast(arg: Expr) -> Kind {
    Kind::Cast {
        arg: Box::new(arg),
        may_fail: false,
    }
}

fn arithmetic_kind(
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
