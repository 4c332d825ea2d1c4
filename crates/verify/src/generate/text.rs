//! Texts and times: functions, casts, calendar arithmetic.

use super::Generator;
use super::ast::{Expr, Kind, Ty};
use super::expr::{Made, Want, arithmetic_kind, call, cast};
use super::scope::Scope;
use crate::Value;
use crate::table::Bounds;

/// Days of 1900 and 2100: calendar arithmetic stays between year 1 and 9999.
const CALENDAR: (i128, i128) = (-25_567, 47_482);

impl Generator<'_> {
    pub(super) fn text(&mut self, scope: &Scope, depth: u32) -> Made {
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

    pub(super) fn time(&mut self, scope: &Scope, want: Want, depth: u32) -> Made {
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
}
