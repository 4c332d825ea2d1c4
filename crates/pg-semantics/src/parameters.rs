//! Parameters, `$1`: their types as PostgreSQL deduces them, and their values in place of them.
//!
//! A parameter without a declared type is what PostgreSQL calls `unknown`, as a quoted literal is:
//! its context says what it is. So both are one thing here, and every rule for literals is one for
//! parameters. To find the types ([`open`], [`deduced`]) a parameter stands in the plan as a literal
//! that no text can be; to run ([`bind`]) its value stands there, with a cast where a type was
//! declared.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::sqlparser::ast::{
    self, CastKind, LimitClause, Statement, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use inflowave_types::{Error, PgType, SqlState};

use crate::cast::{cast_scalar, pg_type, target};
use crate::types;

/// PostgreSQL's limit of parameters of a statement.
const PARAMETERS_MAX: usize = 65_535;

/// What marks a parameter among quoted literals: no text of PostgreSQL holds it.
const MARK: char = '\0';

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// As PostgreSQL prints it; `None` is NULL.
    pub text: Option<String>,
    /// The declared type; `None` leaves it to the context.
    pub declared: Option<FieldRef>,
}

/// How many parameters a statement has: the highest of its `$n`.
///
/// # Errors
/// `42P02` for `$0` and what is no number; `54023` beyond PostgreSQL's limit.
pub fn count(statement: &Statement) -> inflowave_types::Result<usize> {
    let mut count = 0;
    let mut failed = None;
    let _ = ast::visit_expressions(statement, |e| {
        if let Some(name) = placeholder(e) {
            match number(name) {
                Ok(n) => count = count.max(n),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    });
    failed.map_or(Ok(count), Err)
}

/// The values of one row, as [`bind`] takes them: texts as they came, other values as PostgreSQL
/// prints them.
///
/// # Errors
/// `XX000` for a row that has another number of columns than there are types.
pub fn arguments(
    declared: &[FieldRef],
    row: &RecordBatch,
) -> inflowave_types::Result<Vec<Argument>> {
    if row.num_columns() != declared.len() || row.num_rows() != 1 {
        return Err(Error::internal(
            "the values of parameters are not one row of them",
        ));
    }
    let config = ConfigOptions::default();
    let as_text = Arc::new(Field::new("", DataType::Utf8View, true)) as FieldRef;
    declared
        .iter()
        .zip(row.columns())
        .map(|(declared, column)| {
            let printed = ScalarValue::try_from_array(column, 0)
                .and_then(|value| cast_scalar(&value, &as_text, &config))
                .map_err(|e| crate::to_error(&e, ""))?;
            let mut text = match printed {
                ScalarValue::Utf8View(text) => text,
                _ => None,
            };
            if let Some(text) = &mut text
                && matches!(pg_type(declared), Some(PgType::Bpchar(_)))
            {
                // As every char(n) is kept here.
                text.truncate(text.trim_end_matches(' ').len());
            }
            Ok(Argument {
                text,
                declared: Some(Arc::clone(declared)),
            })
        })
        .collect()
}

fn placeholder(e: &ast::Expr) -> Option<&str> {
    match e {
        ast::Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn number(name: &str) -> inflowave_types::Result<usize> {
    match name.strip_prefix('$').and_then(|n| n.parse().ok()) {
        Some(n) if n > PARAMETERS_MAX => Err(Error::new(
            SqlState::TooManyArguments,
            format!("a statement can have at most {PARAMETERS_MAX} parameters"),
        )),
        Some(n) if n > 0 => Ok(n),
        _ => Err(Error::new(
            SqlState::UndefinedParameter,
            format!("there is no parameter {name}"),
        )
        .with_hint("Parameters are written $1, $2 and so on.")),
    }
}

/// Prepares a statement for planning without values: what is declared has its type, the rest waits
/// for [`deduced`]. Gives what is declared then: the arguments of functions that stand where tables
/// do have a type from the outset, because such a function is called to plan it.
///
/// # Errors
/// `0A000` for a declared type that a cast cannot name.
pub fn open(
    statement: &mut Statement,
    declared: &[Option<FieldRef>],
) -> inflowave_types::Result<Vec<Option<FieldRef>>> {
    let mut declared = declared.to_vec();
    if let ControlFlow::Break(error) =
        VisitMut::visit(statement, &mut TableFunctions(&mut declared))
    {
        return Err(error);
    }
    replace(statement, |n| {
        let declared = declared.get(n - 1).and_then(Option::as_ref);
        match declared {
            Some(field) => cast(text(None), field),
            None => Ok(text(Some(format!("{MARK}${n}")))),
        }
    })?;
    Ok(declared)
}

/// Puts a number in the place of each parameter of a table function.
struct TableFunctions<'a>(&'a mut Vec<Option<FieldRef>>);

impl VisitorMut for TableFunctions<'_> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, table: &mut ast::TableFactor) -> ControlFlow<Error> {
        let args = match table {
            ast::TableFactor::Table {
                args: Some(args), ..
            } => &mut args.args,
            ast::TableFactor::Function { args, .. } => args,
            _ => return ControlFlow::Continue(()),
        };
        let wide = args.iter().any(|arg| {
            matches!(argument(arg), Some(ast::Expr::Cast { data_type, .. })
                if matches!(data_type, ast::DataType::BigInt(_) | ast::DataType::Int8(_)))
        });
        let t = if wide {
            DataType::Int64
        } else {
            DataType::Int32
        };
        let mut failed = None;
        for arg in args {
            let _ = ast::visit_expressions_mut(arg, |e| {
                let Some(name) = placeholder(e) else {
                    return ControlFlow::<()>::Continue(());
                };
                match number(name) {
                    Ok(n) => {
                        if self.0.len() < n {
                            self.0.resize(n, None);
                        }
                        self.0[n - 1].get_or_insert_with(|| {
                            Arc::new(Field::new("", t.clone(), true)) as FieldRef
                        });
                        *e = ast::Expr::Value(Value::Number("1".to_owned(), false).into());
                    }
                    Err(error) => failed = Some(error),
                }
                ControlFlow::Continue(())
            });
        }
        failed.map_or(ControlFlow::Continue(()), ControlFlow::Break)
    }
}

fn argument(arg: &ast::FunctionArg) -> Option<&ast::Expr> {
    match arg {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(e)) => Some(e),
        _ => None,
    }
}

/// A query whose output columns are of these types, as they are written.
pub fn nulls(types: &[ast::DataType]) -> Statement {
    let nulls = types.iter().map(|data_type| ast::Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(text(None)),
        data_type: data_type.clone(),
        array: false,
        format: None,
    });
    select(nulls)
}

/// A query of one row: what `EXECUTE` gives for parameters of these types.
///
/// # Errors
/// `0A000` for a type that a cast cannot name.
pub fn assigned(arguments: &[ast::Expr], types: &[FieldRef]) -> inflowave_types::Result<Statement> {
    let values = arguments.iter().zip(types);
    let values = values.map(|(argument, field)| cast(argument.clone(), field));
    let values: Vec<ast::Expr> = values.collect::<inflowave_types::Result<_>>()?;
    Ok(select(values.into_iter()))
}

/// `SELECT a AS "1", b AS "2", ..`
fn select(items: impl Iterator<Item = ast::Expr>) -> Statement {
    let items = items
        .zip(1..)
        .map(|(expr, n)| ast::SelectItem::ExprWithAlias {
            expr,
            alias: ast::Ident::with_quote('"', n.to_string()),
        });
    let mut parsed = Parser::parse_sql(&PostgreSqlDialect {}, "SELECT 1").unwrap_or_default();
    if let Some(Statement::Query(query)) = parsed.first_mut()
        && let ast::SetExpr::Select(select) = query.body.as_mut()
    {
        select.projection = items.collect();
    }
    parsed.swap_remove(0)
}

/// Puts values in the place of parameters.
///
/// # Errors
/// As [`open`]; `42P02` for a parameter without a value.
pub fn bind(statement: &mut Statement, values: &[Argument]) -> inflowave_types::Result<()> {
    replace(statement, |n| {
        let value = values.get(n - 1).ok_or_else(|| {
            Error::new(
                SqlState::UndefinedParameter,
                format!("there is no parameter ${n}"),
            )
        })?;
        match &value.declared {
            Some(field) => cast(text(value.text.clone()), field),
            None => Ok(text(value.text.clone())),
        }
    })
}

fn replace(
    statement: &mut Statement,
    by: impl FnMut(usize) -> inflowave_types::Result<ast::Expr>,
) -> inflowave_types::Result<()> {
    let mut replace = Replace(by);
    match VisitMut::visit(statement, &mut replace) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Replace<F>(F);

impl<F: FnMut(usize) -> inflowave_types::Result<ast::Expr>> Replace<F> {
    fn replace(&mut self, e: &mut ast::Expr, count: bool) -> ControlFlow<Error> {
        let Some(name) = placeholder(e) else {
            return ControlFlow::Continue(());
        };
        match number(name).and_then(&mut self.0) {
            Ok(with) if count => *e = as_count(with),
            Ok(with) => *e = with,
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

impl<F: FnMut(usize) -> inflowave_types::Result<ast::Expr>> VisitorMut for Replace<F> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<Error> {
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause {
            for e in limit
                .iter_mut()
                .chain(offset.iter_mut().map(|o| &mut o.value))
            {
                self.replace(e, true)?;
            }
        }
        ControlFlow::Continue(())
    }

    // Behind its children: what is put in has none of its own to visit.
    fn post_visit_expr(&mut self, e: &mut ast::Expr) -> ControlFlow<Error> {
        self.replace(e, false)
    }
}

/// Behind `LIMIT` and `OFFSET` stands a bigint.
fn as_count(e: ast::Expr) -> ast::Expr {
    let written = match &e {
        ast::Expr::Cast { expr, .. } => expr,
        e => e,
    };
    if let ast::Expr::Value(value) = written
        && let Value::SingleQuotedString(digits) = &value.value
        && digits.trim().parse::<i64>().is_ok()
    {
        return ast::Expr::Value(Value::Number(digits.trim().to_owned(), false).into());
    }
    ast::Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(e),
        data_type: ast::DataType::BigInt(None),
        array: false,
        format: None,
    }
}

fn text(value: Option<String>) -> ast::Expr {
    let value = value.map_or(Value::Null, Value::SingleQuotedString);
    ast::Expr::Value(value.into())
}

fn cast(e: ast::Expr, field: &FieldRef) -> inflowave_types::Result<ast::Expr> {
    let name = type_name(field);
    let parsed = Parser::new(&PostgreSqlDialect {})
        .try_with_sql(&name)
        .and_then(|mut parser| parser.parse_data_type())
        .map_err(|_| Error::unsupported(format!("parameters of type {name} are not supported")))?;
    Ok(ast::Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(e),
        data_type: parsed,
        array: false,
        format: None,
    })
}

/// The type's name in SQL. A numeric is one without a precision, as PostgreSQL declares none.
fn type_name(field: &FieldRef) -> String {
    if let Some(pg_type) = pg_type(field) {
        return match pg_type {
            // A cast to char without a length would cut after the first character.
            PgType::Name | PgType::Citext | PgType::Bpchar(None) => "text".to_owned(),
            PgType::Oid => "bigint".to_owned(),
            PgType::Char => "\"char\"".to_owned(),
            other => other.to_string(),
        };
    }
    match field.data_type() {
        t if t.is_decimal() => "numeric".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => format!("{}[]", type_name(item)),
        other => types::name(other),
    }
}

/// The parameter that a quoted literal stands for.
pub(crate) fn parameter(literal: &str) -> Option<&str> {
    literal.strip_prefix(MARK)
}

/// The types of the parameters of an analysed plan of a statement that was [`open`]ed: the declared
/// ones, those that their context gave, and text for those that could be anything.
///
/// # Errors
/// `42P18` for a parameter below the highest that stands nowhere.
pub fn deduced(
    plan: &LogicalPlan,
    declared: &[Option<FieldRef>],
    count: usize,
) -> Result<Vec<FieldRef>> {
    let mut known: Vec<Option<FieldRef>> = vec![None; count];
    let mut note = |id: &str, field: Option<FieldRef>| {
        let slot = number(id).ok().and_then(|n| known.get_mut(n - 1));
        if let Some(slot @ None) = slot {
            let text = || Arc::new(Field::new("", DataType::Utf8View, true)) as FieldRef;
            *slot = Some(field.unwrap_or_else(text));
        }
    };
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|e| {
            e.apply(|e| {
                match e {
                    Expr::Placeholder(p) => note(&p.id, p.field.clone()),
                    Expr::Cast(c) => {
                        if let Some(id) = marked(&c.expr) {
                            note(id, Some(Arc::clone(&c.field)));
                        }
                    }
                    Expr::ScalarFunction(f) => {
                        if let Some(id) = f.args.first().and_then(marked)
                            && let Some(target) = target(f)
                        {
                            note(id, Some(Arc::clone(target)));
                        }
                    }
                    e => {
                        if let Some(id) = marked(e) {
                            note(id, None);
                        }
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    known
        .into_iter()
        .enumerate()
        .map(|(at, found)| {
            let declared = declared.get(at).cloned().flatten();
            declared.or(found).ok_or_else(|| {
                crate::raise::wrap(
                    Error::new(
                        SqlState::IndeterminateDatatype,
                        format!("could not determine data type of parameter ${}", at + 1),
                    )
                    .with_hint("Use the parameter, or declare its type."),
                )
            })
        })
        .collect()
}

fn marked(e: &Expr) -> Option<&str> {
    match e {
        Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), _) => {
            parameter(text)
        }
        _ => None,
    }
}
