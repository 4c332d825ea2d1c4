//! The answer for one expression: it is exact if it can be printed.

use datafusion_expr::Expr;
use inflowave_connector_api::{Place, Scope, Support};

use crate::Dialect;
use crate::aggregate::strip_aliases;
use crate::binder::Binder;
use crate::compare::common_kind;
use crate::expr::{Cell, Columns, Printer};
use crate::value::{Answer, Kind, Refusal, refuse};

/// Can `d` compute `expr`, standing at `place`, with exactly our meaning? What a source compares
/// otherwise is written so that it compares our way, or refused: the answer is never
/// [`Support::Superset`].
pub fn supports(d: &dyn Dialect, expr: &Expr, place: Place, scope: &Scope) -> Support {
    match answer(d, expr, place, scope) {
        Ok(()) => Support::Exact,
        Err(Refusal(reason)) => Support::No(reason),
    }
}

/// Columns that stand for themselves: only whether something can be printed matters.
struct Names<'a>(&'a Scope);

impl Columns for Names<'_> {
    fn cell(&self, index: usize) -> Answer<Cell> {
        let raw = self.0.facts.get(index).is_some_and(|f| f.origin.is_some());
        Ok(Cell {
            sql: format!("c{index}"),
            raw,
            simple: true,
            literal: None,
        })
    }
}

pub(crate) fn answer(d: &dyn Dialect, expr: &Expr, place: Place, scope: &Scope) -> Answer<()> {
    let mut binder = Binder::default();
    let columns = Names(scope);
    let mut printer = Printer::new(d, scope, &columns, &mut binder);
    match place {
        Place::Filter => printer.boolean(expr).map(drop),
        Place::Projection => match strip_aliases(expr) {
            // A column leaves as it is, whatever its type.
            Expr::Column(column) => printer.resolve(column).map(drop),
            expr => {
                let value = printer.value(expr)?;
                match value.kind()? {
                    Kind::Null => refuse("a column without a type is computed here"),
                    _ => Ok(()),
                }
            }
        },
        Place::GroupKey => {
            let value = printer.value(expr)?;
            match value.literal {
                Some(_) if value.kind()? == Kind::Null => {
                    refuse("a key without a type is computed here")
                }
                _ => d.group_key(&value).map(drop),
            }
        }
        Place::Aggregate => printer.aggregate(expr).map(drop),
        Place::SortKey => {
            let value = printer.value(expr)?;
            d.sortable(&value)
        }
        Place::JoinCondition => {
            let value = printer.value(expr)?;
            d.comparable(common_kind(&value, &value)?)
        }
        Place::Window => printer.window(expr).map(drop),
    }
}
