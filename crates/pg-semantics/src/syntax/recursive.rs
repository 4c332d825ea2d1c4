//! A subquery that stands for a value and recurs over its outer row:
//! `(WITH RECURSIVE r(a) AS (SELECT .. WHERE t2.x = t.x UNION ALL SELECT .. FROM r ..) SELECT a FROM r ..)`.
//! DataFusion 55.2 cannot run one. The condition on the outer row becomes a column of the recursion,
//! carried from row to row, and is asked of what comes out: the recursion itself knows no outer row.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Cte, Expr, Ident, Query, Select, SelectItem, SetExpr, SetOperator,
    TableAliasColumnDef, TableFactor, Visit, Visitor,
};

/// The column that says which outer row a row belongs to.
const KEY: &str = "__outer";

/// Rewrites the subquery if it is one that can be.
pub(super) fn without_outer(query: &mut Query) {
    if let Some(rewritten) = rewritten(query) {
        *query = rewritten;
    }
}

fn rewritten(query: &Query) -> Option<Query> {
    let mut query = query.clone();
    let with = query.with.as_mut().filter(|with| with.recursive)?;
    let [cte] = with.cte_tables.as_mut_slice() else {
        return None;
    };
    let (name, outer) = carry(cte)?;
    let SetExpr::Select(select) = query.body.as_mut() else {
        return None;
    };
    // What comes out is asked for by its outer row.
    let alias = alias_of(select, &name)?;
    let key = Expr::CompoundIdentifier(vec![alias, Ident::with_quote('"', KEY)]);
    let asked = Expr::BinaryOp {
        left: Box::new(key),
        op: BinaryOperator::Eq,
        right: Box::new(outer),
    };
    select.selection = Some(match select.selection.take() {
        None => asked,
        Some(before) => Expr::BinaryOp {
            left: Box::new(Expr::Nested(Box::new(before))),
            op: BinaryOperator::And,
            right: Box::new(asked),
        },
    });
    Some(query)
}

/// Adds the key to a recursion: its name, and what the key is compared with outside.
fn carry(cte: &mut Cte) -> Option<(Ident, Expr)> {
    let name = cte.alias.name.clone();
    let SetExpr::SetOperation {
        op: SetOperator::Union,
        left,
        right,
        ..
    } = cte.query.body.as_mut()
    else {
        return None;
    };
    let (SetExpr::Select(first), SetExpr::Select(next)) = (left.as_mut(), right.as_mut()) else {
        return None;
    };
    let parts = conjuncts(first.selection.take()?);
    let own = relations(first)?;
    let (mut kept, mut key) = (Vec::new(), None);
    for part in parts {
        match outer_equality(&part, &own) {
            Some(pair) if key.is_none() => key = Some(pair),
            Some(_) => return None,
            None => kept.push(part),
        }
    }
    let (inner, outer) = key?;
    first.selection = kept.into_iter().reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: BinaryOperator::And,
        right: Box::new(right),
    });
    // Nothing else of it may be of an outer row.
    let mut known = relations(next)?;
    known.extend(own);
    if !knows(first, &known) || !knows(next, &known) {
        return None;
    }
    let alias = alias_of(next, &name)?;
    let quoted = || Ident::with_quote('"', KEY);
    first.projection.push(SelectItem::ExprWithAlias {
        expr: inner,
        alias: quoted(),
    });
    next.projection.push(SelectItem::ExprWithAlias {
        expr: Expr::CompoundIdentifier(vec![alias, quoted()]),
        alias: quoted(),
    });
    // Without a list the first branch names the columns.
    if !cte.alias.columns.is_empty() {
        cte.alias.columns.push(TableAliasColumnDef {
            name: quoted(),
            data_type: None,
        });
    }
    Some((name, outer))
}

fn conjuncts(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            let mut all = conjuncts(*left);
            all.extend(conjuncts(*right));
            all
        }
        other => vec![other],
    }
}

/// `own.x = outer.y`, either way around: what is its own, and what is of the outer row.
fn outer_equality(expr: &Expr, own: &HashSet<String>) -> Option<(Expr, Expr)> {
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::Eq,
        right,
    } = expr
    else {
        return None;
    };
    let is_own = |expr: &Expr| match expr {
        Expr::CompoundIdentifier(parts) => Some(own.contains(&folded(parts.first()?))),
        _ => None,
    };
    match (is_own(left)?, is_own(right)?) {
        (true, false) => Some((left.as_ref().clone(), right.as_ref().clone())),
        (false, true) => Some((right.as_ref().clone(), left.as_ref().clone())),
        _ => None,
    }
}

/// The names of what stands in `FROM`; `None` if that is more than relations.
fn relations(select: &Select) -> Option<HashSet<String>> {
    let mut names = HashSet::new();
    for from in &select.from {
        let joined = from.joins.iter().map(|join| &join.relation);
        for factor in std::iter::once(&from.relation).chain(joined) {
            names.insert(folded(&called(factor)?));
        }
    }
    Some(names)
}

/// What `name` is called in `FROM`.
fn alias_of(select: &Select, name: &Ident) -> Option<Ident> {
    select.from.iter().find_map(|from| {
        let joined = from.joins.iter().map(|join| &join.relation);
        std::iter::once(&from.relation)
            .chain(joined)
            .find_map(|factor| match factor {
                TableFactor::Table { name: table, .. } => {
                    let [part] = table.0.as_slice() else {
                        return None;
                    };
                    let part = part.as_ident()?;
                    (folded(part) == folded(name)).then(|| called(factor))?
                }
                _ => None,
            })
    })
}

fn called(factor: &TableFactor) -> Option<Ident> {
    match factor {
        TableFactor::Table { name, alias, .. } => match alias {
            Some(alias) => Some(alias.name.clone()),
            None => name.0.last()?.as_ident().cloned(),
        },
        TableFactor::Derived { alias, .. } => alias.as_ref().map(|alias| alias.name.clone()),
        _ => None,
    }
}

/// Is every qualified name of one of these relations?
fn knows(select: &Select, known: &HashSet<String>) -> bool {
    struct Strange<'a>(&'a HashSet<String>);
    impl Visitor for Strange<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::CompoundIdentifier(parts)
                    if !parts.first().is_some_and(|p| self.0.contains(&folded(p))) =>
                {
                    ControlFlow::Break(())
                }
                Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    select.visit(&mut Strange(known)).is_continue()
}

fn folded(name: &Ident) -> String {
    match name.quote_style {
        None => name.value.to_lowercase(),
        Some(_) => name.value.clone(),
    }
}
