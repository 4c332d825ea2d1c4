//! Numbers: arithmetic that stays within its type but where the grammar lets it fail.

use super::Generator;
use super::ast::{Expr, Kind, Ty};
use super::expr::{Made, Want, arithmetic_kind, call, cast, common, type_range};
use super::scope::{Scope, column};
use crate::Value;
use crate::table::Bounds;

impl Generator<'_> {
    pub(super) fn integer(&mut self, scope: &Scope, depth: u32) -> Made {
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

    pub(super) fn numeric(&mut self, scope: &Scope, depth: u32) -> Made {
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
    pub(super) fn float(&mut self, scope: &Scope, depth: u32) -> Made {
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
}
