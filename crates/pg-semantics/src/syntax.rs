//! What the parser reads as DataFusion's planner would misread it, rewritten in the syntax tree.

mod alike;
mod array;
mod from;
mod qualified;
mod quantified;
mod subscript;
mod values;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, Interval, ObjectName, Query, Statement,
    TableFactor, TypedString, UnaryOperator, Value, VisitMut, VisitorMut,
};
use inflowave_types::{Error, Result};

use crate::functions::{NUMBERED, SUBSCRIPTS};

/// To be called on each statement before it is planned.
///
/// - `INTERVAL '1' DAY` becomes a typed text, which this crate reads (DataFusion's planner reads
///   less than PostgreSQL does, and negates only the first part of one).
/// - `x AT TIME ZONE z` becomes `timezone(z, x)`.
/// - `x = ANY (SELECT ..)` becomes `x IN (SELECT ..)`, `x <> ALL (..)` becomes `NOT IN`; over an array
///   they become calls ([`quantified`]), as subscripts do ([`subscript`]).
/// - `-2 ^ 2` is `(-2) ^ 2`: in PostgreSQL the minus binds more tightly.
/// - `U&'..'` and `N'..'` are texts like any other.
/// - `1e300::float8` becomes `'1e300'::float8`: as a numeric it would not fit.
/// - `pg_catalog.f(x)`, `OPERATOR(pg_catalog.~)` and collations that are ours lose what says where
///   they are found ([`qualified`]).
/// - `ARRAY[a, b]` becomes a call: DataFusion plans its items without the columns around a subquery.
/// - `ARRAY(SELECT ..)` becomes an aggregate ([`array`]).
/// - Casts that alone tell two calls apart get a name ([`alike`]).
/// - Literals of `VALUES` beside a cast are cast, too ([`values`]).
/// - Functions in `FROM` get the column names that PostgreSQL gives them ([`from`]).
///
/// # Errors
/// `42883` for an operator and `42704` for a collation that there is not.
pub fn prepare(statement: &mut Statement) -> Result<()> {
    alike::tell_apart(statement);
    match VisitMut::visit(statement, &mut Prepare) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

struct Prepare;

impl VisitorMut for Prepare {
    type Break = Box<Error>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        values::same_types(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        from::function(factor);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Err(error) = qualified::resolve(expr) {
            return ControlFlow::Break(Box::new(error));
        }
        array::of_query(expr);
        // A minus before an interval stands outside of its text.
        if let Some(rewritten) = rewrite(expr) {
            *expr = rewritten;
        }
        ControlFlow::Continue(())
    }
}

/// `(row).field`, where the row is no name.
fn field(root: &Expr, chain: &[AccessExpr]) -> Option<Expr> {
    let Expr::Nested(row) = root else {
        return None;
    };
    let mut value = row.as_ref().clone();
    for access in chain {
        let AccessExpr::Dot(Expr::Identifier(name)) = access else {
            return None;
        };
        let name = match name.quote_style {
            None => name.value.to_lowercase(),
            Some(_) => name.value.clone(),
        };
        let name = Expr::Value(Value::SingleQuotedString(name).into());
        value = call("get_field", vec![value, name]);
    }
    Some(value)
}

fn unnested(name: &str, function: &Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let args = list.args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) => Some(arg.clone()),
        _ => None,
    });
    let array = call(name, args.collect::<Option<Vec<Expr>>>()?);
    Some(call("unnest", vec![array]))
}

/// By its last name, which may stand behind `pg_catalog`.
fn is_called(function: &Function, name: &str) -> bool {
    let last = function.name.0.last().and_then(|part| part.as_ident());
    last.is_some_and(|ident| ident.value.eq_ignore_ascii_case(name))
}

fn rewrite(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Array(array) if !array.elem.is_empty() => {
            Some(call("make_array", array.elem.clone()))
        }
        Expr::Interval(interval) => interval_text(interval),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: inner,
        } => match inner.as_ref() {
            // In brackets the planner does not look into it.
            Expr::Interval(interval) => Some(Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr: Box::new(Expr::Nested(Box::new(interval_text(interval)?))),
            }),
            power @ Expr::BinaryOp {
                op: BinaryOperator::PGExp,
                ..
            } => Some(negate_first(power)),
            _ => None,
        },
        Expr::Value(value) => match &value.value {
            Value::UnicodeStringLiteral(text) | Value::NationalStringLiteral(text) => Some(
                Expr::Value(Value::SingleQuotedString(text.clone()).with_span(value.span)),
            ),
            Value::Number(digits, _) if beyond_numeric(digits) => Some(Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(Expr::Value(
                    Value::SingleQuotedString(digits.clone()).with_span(value.span),
                )),
                data_type: DataType::DoublePrecision,
                array: false,
                format: None,
            }),
            _ => None,
        },
        // Functions that give rows, each a function that gives an array and `unnest`.
        Expr::Function(function) if is_called(function, "generate_subscripts") => {
            unnested(SUBSCRIPTS, function)
        }
        Expr::Function(function) if is_called(function, "_pg_expandarray") => {
            unnested(NUMBERED, function)
        }
        Expr::AtTimeZone {
            timestamp,
            time_zone,
        } => Some(call(
            "timezone",
            vec![time_zone.as_ref().clone(), timestamp.as_ref().clone()],
        )),
        Expr::AnyOp { .. } | Expr::AllOp { .. } | Expr::Like { .. } | Expr::ILike { .. } => {
            quantified::called(expr)
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            field(root, access_chain).or_else(|| subscript::called(root, access_chain))
        }
        Expr::Cast {
            kind,
            expr: inner,
            data_type,
            array,
            format,
        } if is_integer(data_type) => Some(Expr::Cast {
            kind: kind.clone(),
            expr: Box::new(rounded(inner)?),
            data_type: data_type.clone(),
            array: *array,
            format: format.clone(),
        }),
        Expr::Cast {
            kind: kind @ (CastKind::Cast | CastKind::DoubleColon),
            expr: inner,
            data_type,
            array,
            format,
        } if is_float(data_type) => match inner.as_ref() {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) => Some(Expr::Cast {
                    kind: kind.clone(),
                    expr: Box::new(Expr::Value(
                        Value::SingleQuotedString(digits.clone()).with_span(value.span),
                    )),
                    data_type: data_type.clone(),
                    array: *array,
                    format: format.clone(),
                }),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn is_integer(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int(None)
            | DataType::Integer(None)
            | DataType::BigInt(None)
            | DataType::SmallInt(None)
            | DataType::Int2(None)
            | DataType::Int4(None)
            | DataType::Int8(None)
    )
}

/// A decimal literal, perhaps with a minus, as the whole number that it is cast to: half away from
/// zero. Inside a function's argument DataFusion would cut it.
fn rounded(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Nested(inner) => rounded(inner),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: inner,
        } => Some(Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: Box::new(rounded(inner)?),
        }),
        Expr::Value(value) => {
            let Value::Number(digits, long) = &value.value else {
                return None;
            };
            let (whole, fraction) = digits.split_once('.')?;
            if fraction.contains(['e', 'E']) {
                return None;
            }
            let whole: u128 = if whole.is_empty() {
                0
            } else {
                whole.parse().ok()?
            };
            let up = fraction.bytes().next().is_some_and(|digit| digit >= b'5');
            let number = (whole + u128::from(up)).to_string();
            Some(Expr::Value(
                Value::Number(number, *long).with_span(value.span),
            ))
        }
        _ => None,
    }
}

/// A number with an exponent for which no numeric of ours has room. It becomes a double: beside
/// one, PostgreSQL's numeric would become one too.
fn beyond_numeric(digits: &str) -> bool {
    const DIGITS_MAX: i64 = 76;
    let Some((_, exponent)) = digits.split_once(['e', 'E']) else {
        return false;
    };
    exponent
        .parse::<i64>()
        .map_or(true, |e| e.abs() + digits.len() as i64 > DIGITS_MAX)
}

/// `-` before the first operand of a chain of `^`.
fn negate_first(expr: &Expr) -> Expr {
    match expr {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::PGExp,
            right,
        } => Expr::BinaryOp {
            left: Box::new(negate_first(left)),
            op: BinaryOperator::PGExp,
            right: right.clone(),
        },
        first => Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: Box::new(first.clone()),
        },
    }
}

fn is_float(t: &DataType) -> bool {
    matches!(
        t,
        DataType::Float8
            | DataType::DoublePrecision
            | DataType::Double(_)
            | DataType::Float4
            | DataType::Real
    )
}

fn interval_text(interval: &Interval) -> Option<Expr> {
    let Expr::Value(value) = interval.value.as_ref() else {
        return None;
    };
    let Value::SingleQuotedString(text) = &value.value else {
        return None;
    };
    if interval.leading_precision.is_some()
        || interval.last_field.is_some()
        || interval.fractional_seconds_precision.is_some()
    {
        return None;
    }
    let text = match &interval.leading_field {
        Some(field) => format!("{text} {field}"),
        None => text.clone(),
    };
    Some(Expr::TypedString(TypedString {
        data_type: DataType::Interval {
            fields: None,
            precision: None,
        },
        value: Value::SingleQuotedString(text).with_span(value.span),
        uses_odbc_syntax: false,
    }))
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args
                .into_iter()
                .map(|a| FunctionArg::Unnamed(FunctionArgExpr::Expr(a)))
                .collect(),
            clauses: vec![],
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}
