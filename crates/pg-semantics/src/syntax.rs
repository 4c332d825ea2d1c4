//! What the parser reads as DataFusion's planner would misread it, rewritten in the syntax tree.

mod alike;
mod array;
mod order;
mod qualified;
mod quantified;
mod recursive;
mod row_json;
mod rows;
mod subscript;
mod values;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, Interval, ObjectName, ObjectNamePart, Query,
    SetExpr, Statement, TableFactor, TypedString, UnaryOperator, Value, VisitMut, VisitorMut,
};
use inflowave_types::{Error, Result, SqlState};

/// The operator between a pattern of LIKE and what escapes in it, where that is no literal: whoever
/// reads the text writes it so.
pub const ESCAPE: &str = "~pg_escape~";

/// A pattern, and what escapes in it.
fn escaped(pattern: &Expr) -> Option<(&Expr, &Expr)> {
    match pattern {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Custom(op),
            right,
        } if op == ESCAPE => Some((left, right)),
        _ => None,
    }
}

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
/// - A recursion over an outer row carries what it needs of it ([`recursive`]).
/// - `ORDER BY` an output column's name becomes its number ([`order`]).
/// - Functions that give rows become `unnest` of a list ([`rows`]).
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
        values::with_subqueries(query);
        rows::whole_rows(&mut query.body);
        row_json::of_subqueries(&mut query.body);
        if let Err(error) = order::by_output(query) {
            return ControlFlow::Break(Box::new(error));
        }
        order::beside_output(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        rows::in_from(factor);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Err(error) = qualified::resolve(expr).and_then(|()| has_columns(expr)) {
            return ControlFlow::Break(Box::new(error));
        }
        match expr {
            Expr::Subquery(query) => recursive::without_outer(query),
            // `ARRAY(SELECT ..)`
            Expr::Function(Function {
                args: FunctionArguments::Subquery(query),
                ..
            }) => recursive::without_outer(query),
            _ => {}
        }
        array::of_query(expr);
        // A minus before an interval stands outside of its text.
        if let Some(rewritten) = rewrite(expr) {
            *expr = rewritten;
        }
        ControlFlow::Continue(())
    }
}

/// A subquery that stands for a value has one: DataFusion 55.2 takes its first column unseen.
fn has_columns(expr: &Expr) -> Result<()> {
    let (Expr::Subquery(query)
    | Expr::InSubquery {
        subquery: query, ..
    }) = expr
    else {
        return Ok(());
    };
    let mut body = query.body.as_ref();
    loop {
        match body {
            SetExpr::Select(select) if select.projection.is_empty() => {
                return Err(Error::new(
                    SqlState::SyntaxError,
                    "subquery must return only one column",
                ));
            }
            SetExpr::Query(query) => body = query.body.as_ref(),
            SetExpr::SetOperation { left, .. } => body = left.as_ref(),
            _ => return Ok(()),
        }
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
        Expr::Function(function) => match &function.args {
            FunctionArguments::List(list) => rows::in_expression(&function.name, &list.args)
                .or_else(|| cast_by_name(function, &list.args))
                .or_else(|| named_parts(function, &list.args))
                .or_else(|| by_another_name(function, &list.args)),
            _ => None,
        },
        Expr::Substring {
            expr: text,
            substring_from: Some(pattern),
            substring_for,
            ..
        } if is_text(pattern) => {
            let (text, pattern) = (text.as_ref().clone(), pattern.as_ref().clone());
            Some(match substring_for {
                None => call("pg_substring_regex", vec![text, pattern]),
                Some(escape) => call(
                    "pg_substring_similar",
                    vec![text, pattern, escape.as_ref().clone()],
                ),
            })
        }
        Expr::Like { pattern, .. } | Expr::ILike { pattern, .. } if escaped(pattern).is_some() => {
            let (written, escape) = escaped(pattern)?;
            let mut like = expr.clone();
            if let Expr::Like { pattern, .. } | Expr::ILike { pattern, .. } = &mut like {
                **pattern = call("like_escape", vec![written.clone(), escape.clone()]);
            }
            Some(like)
        }
        Expr::SimilarTo {
            negated,
            expr: text,
            pattern,
            escape_char,
        } => {
            let mut args = vec![text.as_ref().clone()];
            match escaped(pattern) {
                Some((pattern, escape)) => args.extend([pattern.clone(), escape.clone()]),
                None => args.push(pattern.as_ref().clone()),
            }
            if let Some(escape) = escape_char {
                args.push(Expr::Value(escape.clone()));
            }
            let similar = call("pg_similar_to", args);
            Some(match negated {
                true => Expr::UnaryOp {
                    op: UnaryOperator::Not,
                    expr: Box::new(similar),
                },
                false => similar,
            })
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

/// Is it a text as it stands there?
fn is_text(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(
            value.value,
            Value::SingleQuotedString(_)
                | Value::EscapedStringLiteral(_)
                | Value::DollarQuotedString(_)
        ),
        Expr::Nested(inner) => is_text(inner),
        Expr::Cast { data_type, .. } => {
            matches!(data_type, DataType::Text | DataType::Varchar(_))
        }
        _ => false,
    }
}

/// Types whose names are functions of one argument, too: `bpchar(x)` is `x::bpchar`.
const CASTS: [&str; 13] = [
    "bool",
    "bpchar",
    "date",
    "float4",
    "float8",
    "int2",
    "int4",
    "int8",
    "name",
    "oid",
    "text",
    "timestamptz",
    "uuid",
];

/// Calls of a function that is another one for this number of arguments: `to_timestamp(text, template)`,
/// `age(x)`, `gen_random_uuid()`.
fn by_another_name(function: &Function, args: &[FunctionArg]) -> Option<Expr> {
    let name = simple_name(function)?;
    let args = args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) => Some(arg.clone()),
        _ => None,
    });
    let mut args = args.collect::<Option<Vec<Expr>>>()?;
    match (name.as_str(), args.len()) {
        ("to_timestamp", 2) => Some(call("pg_to_timestamp", args)),
        ("age", 1) => {
            args.insert(0, call("current_date", Vec::new()));
            Some(call("age", args))
        }
        ("gen_random_uuid", 0) => Some(Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(call("uuid", args)),
            data_type: DataType::Uuid,
            array: false,
            format: None,
        }),
        _ => None,
    }
}

/// `make_interval(days => 10)`, whose parts are named, with a zero for each that is not.
fn named_parts(function: &Function, args: &[FunctionArg]) -> Option<Expr> {
    const PARTS: [&str; 7] = ["years", "months", "weeks", "days", "hours", "mins", "secs"];
    if simple_name(function)? != "make_interval" {
        return None;
    }
    let zero = Expr::Value(Value::Number("0".to_owned(), false).into());
    let mut parts = vec![zero; PARTS.len()];
    let mut named = false;
    for (at, arg) in args.iter().enumerate() {
        let (name, value) = match arg {
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(value),
                ..
            } => (Some(name), value),
            FunctionArg::ExprNamed {
                name: Expr::Identifier(name),
                arg: FunctionArgExpr::Expr(value),
                ..
            } => (Some(name), value),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (None, value),
            _ => return None,
        };
        let at = match name {
            Some(name) => {
                named = true;
                let name = name.value.to_lowercase();
                PARTS.iter().position(|part| *part == name)?
            }
            None if named => return None,
            None => at,
        };
        *parts.get_mut(at)? = value.clone();
    }
    named.then(|| call("make_interval", parts))
}

/// A function's name without a schema, as PostgreSQL reads it.
fn simple_name(function: &Function) -> Option<String> {
    let [ObjectNamePart::Identifier(ident)] = function.name.0.as_slice() else {
        return None;
    };
    Some(match ident.quote_style {
        None => ident.value.to_lowercase(),
        Some(_) => ident.value.clone(),
    })
}

fn cast_by_name(function: &Function, args: &[FunctionArg]) -> Option<Expr> {
    let name = simple_name(function)?;
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))] = args else {
        return None;
    };
    let plain = function.over.is_none() && function.filter.is_none();
    let name = CASTS.iter().find(|cast| **cast == name).filter(|_| plain)?;
    Some(Expr::Cast {
        kind: CastKind::DoubleColon,
        expr: Box::new(Expr::Nested(Box::new(arg.clone()))),
        data_type: DataType::Custom(ObjectName::from(vec![Ident::new(*name)]), Vec::new()),
        array: false,
        format: None,
    })
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
