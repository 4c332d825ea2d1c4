//! `VALUES` whose rows cast in some places: DataFusion wants one type in all rows, as far as types are
//! told apart in metadata.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, CharacterLength, DataType, Expr, Ident, Query, SelectItem, SetExpr, SetOperator,
    SetQuantifier, Value, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// `VALUES` with a subquery in a cell becomes `SELECT .. UNION ALL SELECT ..`: DataFusion 55.2 computes
/// the cells of `VALUES` before it runs anything. The columns keep their names.
pub(super) fn with_subqueries(query: &mut Query) {
    let SetExpr::Values(values) = query.body.as_ref() else {
        return;
    };
    let mut finds = Finds(false);
    let _ = Visit::visit(values, &mut finds);
    if !finds.0 {
        return;
    }
    let Some(SetExpr::Select(some)) = some_select() else {
        return;
    };
    let selects = values.rows.iter().map(|row| {
        let cells = row.iter().enumerate();
        let cells = cells.map(|(at, cell)| SelectItem::ExprWithAlias {
            expr: cell.clone(),
            alias: Ident::new(format!("column{}", at + 1)),
        });
        let mut select = some.clone();
        select.projection = cells.collect();
        SetExpr::Select(select)
    });
    let all = selects.reduce(|left, right| SetExpr::SetOperation {
        op: SetOperator::Union,
        set_quantifier: SetQuantifier::All,
        left: Box::new(left),
        right: Box::new(right),
    });
    if let Some(all) = all {
        *query.body = all;
    }
}

fn some_select() -> Option<SetExpr> {
    let mut parser = Parser::new(&PostgreSqlDialect {})
        .try_with_sql("SELECT 1")
        .ok()?;
    parser.parse_query().ok().map(|query| *query.body)
}

struct Finds(bool);

impl Visitor for Finds {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                self.0 = true;
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Casts the literals of a column to the type that one of its rows names.
pub(super) fn same_types(query: &mut Query) {
    let SetExpr::Values(values) = query.body.as_mut() else {
        return;
    };
    let width = values.rows.first().map_or(0, |row| row.len());
    for column in 0..width {
        let cells = values.rows.iter().filter_map(|row| row.get(column));
        let types: Vec<Option<&DataType>> = cells.map(cast_type).collect();
        let Some(named) = types.iter().flatten().find(|t| is_told_apart(t)) else {
            continue;
        };
        if types.iter().all(|t| *t == Some(*named)) {
            continue;
        }
        let target = without_length(named);
        for row in &mut values.rows {
            let Some(cell) = row.get_mut(column) else {
                continue;
            };
            let same_kind = cast_type(cell).is_some_and(|t| without_length(t) == target);
            if same_kind || is_literal(cell) {
                *cell = Expr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new(cell.clone()),
                    data_type: target.clone(),
                    array: false,
                    format: None,
                };
            }
        }
    }
}

fn cast_type(expr: &Expr) -> Option<&DataType> {
    match expr {
        Expr::Cast { data_type, .. } => Some(data_type),
        Expr::TypedString(typed) => Some(&typed.data_type),
        Expr::Nested(inner) => cast_type(inner),
        _ => None,
    }
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => {
            matches!(value.value, Value::SingleQuotedString(_) | Value::Null)
        }
        Expr::Nested(inner) => is_literal(inner),
        _ => false,
    }
}

/// Does Arrow have another type's values for it?
fn is_told_apart(t: &DataType) -> bool {
    matches!(
        t,
        DataType::Varchar(_)
            | DataType::CharacterVarying(_)
            | DataType::CharVarying(_)
            | DataType::Char(_)
            | DataType::Character(_)
            | DataType::JSON
            | DataType::JSONB
            | DataType::Uuid
            | DataType::Regclass
            | DataType::Custom(..)
    )
}

/// `char` means one of length 1 and keeps it.
fn without_length(t: &DataType) -> DataType {
    match t {
        DataType::Varchar(Some(CharacterLength::IntegerLength { .. }))
        | DataType::CharacterVarying(_)
        | DataType::CharVarying(_) => DataType::Varchar(None),
        other => other.clone(),
    }
}
