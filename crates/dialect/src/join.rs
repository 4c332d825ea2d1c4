//! Joins, and semi joins as EXISTS.

use datafusion_common::{JoinType, NullEquality};
use datafusion_expr::{Expr, Join, LogicalPlan};
use inflowave_connector_api::Scope;
use inflowave_types::Result;

use crate::compare::compare;
use crate::expr::chained;
use crate::node::{Compiler, is_computed};
use crate::select::Select;
use crate::value::{Compare, Kind};

impl Compiler<'_> {
    pub(crate) fn join(&mut self, join: &Join) -> Result<Select> {
        let mut exprs: Vec<Expr> = join.filter.iter().cloned().collect();
        exprs.extend(join.on.iter().flat_map(|(l, r)| [l.clone(), r.clone()]));
        let mut left = self.side(&join.left, &exprs)?;
        let mut right = self.side(&join.right, &exprs)?;
        let (left_null, right_null) = match join.join_type {
            JoinType::Left => (false, true),
            JoinType::Right => (true, false),
            JoinType::Full => (true, true),
            _ => (false, false),
        };
        // Where a row has no partner its columns are NULL, and so must be what is computed of them.
        if left_null && !self.is_bare(&left, right_null) {
            left = self.wrap(left, &join.left, false)?;
        }
        if right_null && !self.is_bare(&right, left_null) {
            right = self.wrap(right, &join.right, false)?;
        }
        match join.join_type {
            JoinType::LeftSemi => self.semi(join, left, right, &join.left, false),
            JoinType::LeftAnti => self.semi(join, left, right, &join.left, true),
            JoinType::RightSemi => self.semi(join, left, right, &join.right, false),
            JoinType::RightAnti => self.semi(join, left, right, &join.right, true),
            _ => self.paired(join, left, right),
        }
    }

    /// One side, whose order does not matter, as FROM and WHERE.
    fn side(&mut self, plan: &LogicalPlan, exprs: &[Expr]) -> Result<Select> {
        let mut select = self.select(plan)?;
        if !select.is_plain() || is_computed(&select, &Scope::of(plan), exprs, 1) {
            select = self.wrap(select, plan, false)?;
        }
        select.order_by.clear();
        Ok(select)
    }

    /// A side can be the one without partners as it is: its columns are columns, and its own
    /// conditions can go into ON, which a full join does not allow.
    fn is_bare(&self, select: &Select, full: bool) -> bool {
        select.cells.iter().all(|c| c.simple && c.literal.is_none())
            && (select.wheres.is_empty() || !full)
    }

    fn paired(&mut self, join: &Join, left: Select, right: Select) -> Result<Select> {
        let mut on = self.conditions(join, &left, &right)?;
        let mut wheres = Vec::new();
        match join.join_type {
            JoinType::Left => {
                wheres.extend(left.wheres);
                on.extend(right.wheres);
            }
            JoinType::Right => {
                on.extend(left.wheres);
                wheres.extend(right.wheres);
            }
            _ => {
                wheres.extend(left.wheres);
                wheres.extend(right.wheres);
            }
        }
        let word = match join.join_type {
            JoinType::Left => "LEFT JOIN",
            JoinType::Right => "RIGHT JOIN",
            JoinType::Full => "FULL JOIN",
            _ => "JOIN",
        };
        let right_from = match right.is_join {
            true => format!("({})", right.from),
            false => right.from,
        };
        let on = match on.is_empty() {
            true => "1 = 1".to_owned(),
            false => chained(on, "AND"),
        };
        let from = format!("{} {word} {right_from} ON {on}", left.from);
        let mut select = Select::new(from, left.cells);
        select.cells.extend(right.cells);
        select.is_join = true;
        select.wheres = wheres;
        Ok(select)
    }

    fn semi(
        &mut self,
        join: &Join,
        left: Select,
        right: Select,
        kept: &LogicalPlan,
        anti: bool,
    ) -> Result<Select> {
        let conditions = self.conditions(join, &left, &right)?;
        self.correlates_text |= names_text(join);
        let is_left = std::ptr::eq(kept, join.left.as_ref());
        let (mut outer, mut inner) = if is_left {
            (left, right)
        } else {
            (right, left)
        };
        inner.wheres.extend(conditions);
        let mut exists = format!("EXISTS (SELECT 1 FROM {}", inner.from);
        if !inner.wheres.is_empty() {
            exists.push_str(" WHERE ");
            exists.push_str(&inner.condition());
        }
        exists.push(')');
        outer.wheres.push(match anti {
            true => format!("(NOT {exists})"),
            false => exists,
        });
        Ok(outer)
    }

    /// The conditions of the join, each printed.
    fn conditions(&mut self, join: &Join, left: &Select, right: &Select) -> Result<Vec<String>> {
        let (l_scope, r_scope) = (Scope::of(&join.left), Scope::of(&join.right));
        let mut on = Vec::with_capacity(join.on.len() + 1);
        for (l, r) in &join.on {
            // Where one of both is never NULL, the common and faster `=` says the same.
            let op = match join.null_equality {
                NullEquality::NullEqualsNull if l_scope.nullable(l) && r_scope.nullable(r) => {
                    Compare::NotDistinct
                }
                _ => Compare::Eq,
            };
            let l = self.printed(&l_scope, &left.cells, |p| p.value(l))?;
            let r = self.printed(&r_scope, &right.cells, |p| p.value(r))?;
            on.push(self.refused(compare(self.d, op, &l, &r))?);
        }
        if let Some(filter) = &join.filter {
            let scope = Scope::join(&l_scope, &r_scope)?;
            let cells = [&left.cells[..], &right.cells[..]].concat();
            on.push(self.printed(&scope, &cells, |p| p.boolean(filter))?);
        }
        Ok(on)
    }
}

/// A column in the conditions of the join is a text or bytes, or may be computed of them.
fn names_text(join: &Join) -> bool {
    let sides = [Scope::of(&join.left), Scope::of(&join.right)];
    let on = join.on.iter().flat_map(|(l, r)| [l, r]);
    let mut columns = on.chain(&join.filter).flat_map(Expr::column_refs);
    columns.any(|column| {
        let known = sides.iter().find_map(|side| side.column(column));
        let Some(facts) = known.filter(|facts| facts.origin.is_some()) else {
            return true;
        };
        !Kind::of(&facts.data_type).is_ok_and(|k| !matches!(k, Kind::Text | Kind::Binary))
    })
}
