//! Conditions: comparisons with literals out of the data, IN, BETWEEN, LIKE, IS NULL, logic, and
//! subqueries.

use super::Generator;
use super::ast::{Body, Expr, Kind, Query, Select, Ty};
use super::expr::{Want, common};
use super::scope::Scope;
use crate::Value;

impl Generator<'_> {
    /// The conjuncts of a WHERE clause.
    pub(super) fn filter(&mut self, scope: &Scope, depth: u32) -> Vec<Expr> {
        let count = self.random.weighted(&[34, 46, 16, 4]);
        (0..count)
            .map(|_| self.predicate(scope, depth, true))
            .collect()
    }

    /// A condition; with subqueries only where `top` says that it is a conjunct by itself, or
    /// seldom below OR, where engines handle them in another way.
    pub(super) fn predicate(&mut self, scope: &Scope, depth: u32, top: bool) -> Expr {
        let deep = depth > 0;
        let subqueries = deep && self.grammar.subqueries && top;
        let weights = [
            46,
            if deep { 16 } else { 0 },
            if deep { 5 } else { 0 },
            if subqueries { 12 } else { 0 },
        ];
        match self.random.weighted(&weights) {
            1 => {
                let nested = top && self.random.chance(15);
                let op = if self.random.chance(60) { "OR" } else { "AND" };
                Expr::binary(
                    op,
                    self.predicate(scope, depth - 1, nested),
                    self.predicate(scope, depth - 1, nested),
                )
            }
            2 => {
                let nested = top && self.random.chance(15);
                let arg = self.predicate(scope, depth - 1, nested);
                Expr::new(Ty::Bool, Kind::Not(Box::new(arg)))
            }
            3 => match self.subquery(scope, depth - 1) {
                Some(expr) => expr,
                None => self.simple_predicate(scope, depth - 1),
            },
            _ => self.simple_predicate(scope, depth),
        }
    }

    /// A condition without logic and without subqueries.
    pub(super) fn simple_predicate(&mut self, scope: &Scope, depth: u32) -> Expr {
        let bool_expr = |kind| Expr::new(Ty::Bool, kind);
        let want = self.want(scope);
        if want == Want::Bool && self.random.chance(50) {
            return self.leaf(scope, want).expr;
        }
        let value_depth = if self.random.chance(35) { depth } else { 0 };
        let arg = self.value(scope, want, value_depth).expr;
        let like = self.origin_of(scope, &arg).and_then(|c| c.origin);
        let ordered = !matches!(want, Want::Bool | Want::Bytes | Want::Uuid);
        match self.random.weighted(&[
            50,
            12,
            if ordered { 8 } else { 0 },
            if want == Want::Text && self.grammar.like {
                30
            } else {
                0
            },
            10,
            4,
            if want == Want::Char { 0 } else { 6 },
        ]) {
            1 => {
                let mut list: Vec<Expr> = (0..self.random.between(1, 4))
                    .map(|_| self.operand(want, like, &arg))
                    .filter(|e| e.ty == arg.ty || common(arg.ty, e.ty).is_some())
                    .collect();
                if self.random.chance(8) {
                    list.push(Expr::literal(arg.ty, Value::Null));
                }
                if list.is_empty() {
                    list.push(arg.clone());
                }
                bool_expr(Kind::InList {
                    arg: Box::new(arg),
                    list,
                    negated: self.random.chance(30),
                })
            }
            2 => {
                let (mut low, mut high) = (
                    self.operand(want, like, &arg),
                    self.operand(want, like, &arg),
                );
                if let (Kind::Literal { value: a, .. }, Kind::Literal { value: b, .. }) =
                    (&low.kind, &high.kind)
                    && a.order(b).is_gt()
                    && self.random.chance(90)
                {
                    std::mem::swap(&mut low, &mut high);
                }
                bool_expr(Kind::Between {
                    arg: Box::new(arg),
                    low: Box::new(low),
                    high: Box::new(high),
                    negated: self.random.chance(20),
                })
            }
            3 => self.like(arg, like),
            4 => bool_expr(Kind::IsNull {
                arg: Box::new(arg),
                negated: self.random.chance(55),
            }),
            5 => {
                let right = self.operand(want, like, &arg);
                let op = self
                    .random
                    .pick(&["IS DISTINCT FROM", "IS NOT DISTINCT FROM"]);
                Expr::binary(op, arg, right)
            }
            6 => {
                let mut list: Vec<Expr> = (0..self.random.between(1, 4))
                    .map(|_| match self.random.chance(75) {
                        true => self.literal(want, like).expr,
                        false => self.leaf(scope, want).expr,
                    })
                    .filter(|e| e.ty == arg.ty)
                    .collect();
                if self.random.chance(20) {
                    list.push(Expr::literal(arg.ty, Value::Null));
                }
                if list.is_empty() {
                    list.push(arg.clone());
                }
                let op = match ordered {
                    true => self.random.pick(&["=", "=", "<>", "<", "<=", ">", ">="]),
                    false => self.random.pick(&["=", "<>"]),
                };
                bool_expr(Kind::Quantified {
                    arg: Box::new(arg),
                    op,
                    list,
                    all: self.random.chance(40),
                })
            }
            _ => {
                let right = match self.random.weighted(&[62, 25, 13]) {
                    0 => self.operand(want, like, &arg),
                    1 => self.leaf(scope, want).expr,
                    _ => self.value(scope, want, depth.min(1)).expr,
                };
                let op = if ordered {
                    self.random.pick(&["=", "<>", "<>", "<", "<=", ">", ">="])
                } else {
                    self.random.pick(&["=", "<>"])
                };
                Expr::binary(op, arg, right)
            }
        }
    }

    /// A literal to compare `with`, now and then printed without its type.
    fn operand(&mut self, want: Want, like: Option<(usize, usize)>, with: &Expr) -> Expr {
        let mut literal = self.literal(want, like).expr;
        let typed_elsewhere = !matches!(with.kind, Kind::Literal { .. });
        let share = match want {
            // Our texts know no uuid type; a text next to one is read as one by PostgreSQL.
            Want::Uuid | Want::Char => 100,
            Want::Text => 80,
            Want::Float => 50,
            Want::Date | Want::Timestamp | Want::TimestampTz => 30,
            _ => 0,
        };
        if typed_elsewhere
            && self.random.chance(share)
            && let Kind::Literal { bare, .. } = &mut literal.kind
        {
            *bare = true;
        }
        literal
    }

    fn like(&mut self, arg: Expr, like: Option<(usize, usize)>) -> Expr {
        let sample = match self.literal(Want::Text, like).expr.kind {
            Kind::Literal {
                value: Value::Text(text),
                ..
            } => text,
            _ => String::new(),
        };
        let chars: Vec<char> = sample.chars().collect();
        let half: String = chars[..chars.len().div_ceil(2)].iter().collect();
        let tail: String = chars[chars.len() / 2..].iter().collect();
        let protect = |text: &str, escape: char| {
            let mut out = String::new();
            for c in text.chars() {
                if c == '%' || c == '_' || c == escape {
                    out.push(escape);
                }
                out.push(c);
            }
            out
        };
        let (escape, sign) = if self.random.chance(12) {
            (Some('!'), '!')
        } else {
            (None, '\\')
        };
        let pattern = match self.random.below(6) {
            0 => protect(&sample, sign),
            1 => format!("{}%", protect(&half, sign)),
            2 => format!("%{}", protect(&tail, sign)),
            3 => format!("%{}%", protect(&half, sign)),
            4 => {
                let mut pattern = String::from("_");
                pattern.push_str(&protect(&chars.iter().skip(1).collect::<String>(), sign));
                pattern
            }
            _ => (self
                .random
                .pick(&["%", "", "_%", "%a%", "%\\%%", "a\\_b", "%ł%", "__"]))
            .replace('\\', &sign.to_string()),
        };
        Expr::new(
            Ty::Bool,
            Kind::Like {
                arg: Box::new(arg),
                pattern,
                escape,
                insensitive: self.grammar.ilike && self.random.chance(20),
                negated: self.random.chance(25),
            },
        )
    }

    /// EXISTS, IN over a query, or a comparison with a scalar subquery.
    fn subquery(&mut self, outer: &Scope, depth: u32) -> Option<Expr> {
        let (from, scope) = self.table();
        let mut filter = self.filter(&scope, depth.min(1));
        let bool_expr = |kind| Expr::new(Ty::Bool, kind);
        let select = |items: Vec<Expr>, from, filter| {
            Box::new(Query::select(Select {
                distinct: false,
                items: super::select::items(items),
                from,
                filter,
                group_by: Vec::new(),
                having: Vec::new(),
            }))
        };
        match self.random.below(3) {
            0 => {
                if self.random.chance(90) {
                    filter.push(self.correlation(&scope, outer)?);
                }
                let one = Expr::literal(Ty::Int4, Value::Int(1));
                Some(bool_expr(Kind::Exists {
                    query: select(vec![one], from, filter),
                    negated: self.random.chance(45),
                }))
            }
            1 => {
                let edge = self.correlation(&scope, outer)?;
                let Kind::Binary { left, right, .. } = edge.kind else {
                    return None;
                };
                if self.random.chance(20)
                    && let Some(further) = self.correlation(&scope, outer)
                {
                    filter.push(further);
                }
                // NOT IN over a NULL keeps nothing: half of the time there is none.
                if self.random.chance(50) {
                    filter.push(bool_expr(Kind::IsNull {
                        arg: left.clone(),
                        negated: true,
                    }));
                }
                Some(bool_expr(Kind::InQuery {
                    arg: right,
                    query: select(vec![*left], from, filter),
                    negated: self.random.chance(45),
                }))
            }
            _ => {
                let want = self.want(outer);
                if matches!(want, Want::Bool | Want::Bytes | Want::Uuid | Want::Char) {
                    return None;
                }
                let arg = self.leaf(outer, want).expr;
                let inner = self.leaf(&scope, want).expr;
                if self.random.chance(50) {
                    filter.push(self.correlation(&scope, outer)?);
                }
                // The count of no rows is 0, where the others are NULL.
                let counts = matches!(arg.ty, Ty::Int2 | Ty::Int4 | Ty::Int8);
                let (name, ty) = match counts && self.random.chance(35) {
                    true => ("count", Ty::Int8),
                    false => (self.random.pick(&["min", "max"]), inner.ty),
                };
                let item = Expr::new(
                    ty,
                    Kind::Aggregate {
                        name,
                        distinct: false,
                        arg: Some(Box::new(inner)),
                        filter: None,
                    },
                );
                let mut query = select(vec![item], from, filter);
                if self.random.chance(15)
                    && let Body::Select(select) = &mut query.body
                {
                    let rows = Expr::new(
                        Ty::Int8,
                        Kind::Aggregate {
                            name: "count",
                            distinct: false,
                            arg: None,
                            filter: None,
                        },
                    );
                    let least = Expr::literal(Ty::Int4, Value::Int(self.random.between(0, 2)));
                    select.having.push(Expr::binary(">=", rows, least));
                }
                let right = Expr::new(ty, Kind::Scalar(query));
                let op = self.random.pick(&["=", "<>", "<", ">="]);
                Some(Expr::binary(op, arg, right))
            }
        }
    }
}
