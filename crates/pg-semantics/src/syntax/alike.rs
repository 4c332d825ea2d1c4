//! Calls that differ in casts alone, as `min(x)` and `min(CAST(x AS integer))`: DataFusion gives an
//! expression the name that it has without its casts, and refuses two of one name in one plan node.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Query, SetExpr, Statement, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::call;
use crate::functions::CAST_APART;

/// Gives the casts of such calls, and of such keys of `GROUP BY`, a name.
pub(super) fn tell_apart(statement: &mut Statement) {
    let mut found = Found::default();
    // It never ends early.
    let _ = Visit::visit(statement, &mut found);
    if !found.has_cast {
        return;
    }
    let mut called: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for expr in found.named {
        let text = expr.to_string();
        called
            .entry(uncast(expr).to_string())
            .or_default()
            .insert(text);
    }
    let alike: BTreeSet<String> = called
        .into_values()
        .filter(|texts| texts.len() > 1)
        .flatten()
        .collect();
    if !alike.is_empty() {
        let _ = VisitMut::visit(statement, &mut Name { alike });
    }
}

/// What a plan node can hold several of, each under its name.
#[derive(Default)]
struct Found {
    named: Vec<Expr>,
    has_cast: bool,
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_ref()
            && let GroupByExpr::Expressions(keys, _) = &select.group_by
        {
            self.named.extend(keys.iter().cloned());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(_) => self.named.push(expr.clone()),
            Expr::Cast { .. } => self.has_cast = true,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The expression without its casts, as the planner names it.
fn uncast(mut expr: Expr) -> Expr {
    struct Uncast;
    impl VisitorMut for Uncast {
        type Break = ();
        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::Cast { expr: inner, .. } | Expr::Nested(inner) = expr {
                *expr = inner.as_ref().clone();
            }
            ControlFlow::Continue(())
        }
    }
    let _ = VisitMut::visit(&mut expr, &mut Uncast);
    expr
}

struct Name {
    alike: BTreeSet<String>,
}

impl VisitorMut for Name {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.alike.contains(&expr.to_string()) {
            let _ = VisitMut::visit(expr, &mut NameCasts);
        }
        ControlFlow::Continue(())
    }
}

/// `x::t` becomes `pg_cast_apart(x::t, 't')`, whose name has the type in it.
struct NameCasts;

impl VisitorMut for NameCasts {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Cast { data_type, .. } = expr {
            let name = Value::SingleQuotedString(data_type.to_string());
            let name = Expr::Value(name.with_empty_span());
            *expr = call(CAST_APART, vec![expr.clone(), name]);
        }
        ControlFlow::Continue(())
    }
}
