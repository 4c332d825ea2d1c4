//! Operators: which of PostgreSQL's an operator sign means, for the types on its sides.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ScalarUDF, Volatility,
};
use datafusion::physical_expr::create_physical_expr;
use inflowave_types::{Error, SqlState};

use super::array;
use super::casts;
use super::compared_by;
use super::expression::Rewriter;
use super::type_of::{as_type, type_of};
use super::unknown::{form, integer_as_decimal, typed, typed_as, unknown};
use crate::cast::cast_scalar;
use crate::functions::{self, NumericOperator, base, depth, nest, worst_case};
use crate::raise::wrap;
use crate::temporal::{MICROS_PER_DAY, is_finite};
use crate::types::{self, Category, category, precision_scale};

pub(super) fn binary(left: Expr, op: Operator, right: Expr, r: &Rewriter) -> Result<Expr> {
    match op {
        Operator::And | Operator::Or => {
            let of = op.to_string();
            Ok(plain(r.boolean(left, &of)?, op, r.boolean(right, &of)?))
        }
        Operator::Eq
        | Operator::NotEq
        | Operator::Lt
        | Operator::LtEq
        | Operator::Gt
        | Operator::GtEq
        | Operator::IsDistinctFrom
        | Operator::IsNotDistinctFrom => {
            let sign = op.to_string();
            let sides = vec![constant(left, r)?, constant(right, r)?];
            let sides = comparable(sides, r, |a, b| mismatch(&sign, a, b))?;
            let [left, right] = pair(keys(sides, r)?)?;
            Ok(plain(left, op, right))
        }
        Operator::Plus
        | Operator::Minus
        | Operator::Multiply
        | Operator::Divide
        | Operator::Modulo => arithmetic(left, op, right, r),
        Operator::StringConcat => concat(left, right, r),
        _ => Ok(plain(left, op, right)),
    }
}

/// Have both sides been given types that the operator takes as they are?
pub(super) fn is_resolved(b: &BinaryExpr, schema: &DFSchema) -> bool {
    match b.op {
        Operator::And | Operator::Or => true,
        Operator::Eq
        | Operator::NotEq
        | Operator::Lt
        | Operator::LtEq
        | Operator::Gt
        | Operator::GtEq
        | Operator::IsDistinctFrom
        | Operator::IsNotDistinctFrom
        | Operator::Plus
        | Operator::Minus
        | Operator::Multiply
        | Operator::Divide => {
            // Numerics of different scales are left to DataFusion.
            let number = |e| type_of(e, schema).is_ok_and(|t| t.is_numeric() && !t.is_decimal());
            number(&b.right) && number(&b.left)
        }
        Operator::StringConcat => type_of(&b.right, schema).is_ok_and(|t| t == DataType::Utf8View),
        _ => false,
    }
}

/// Unary minus.
pub(super) fn negative(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let t = type_of(&expr, schema)?;
    match category(&t) {
        Category::Number if types::is_integer(&t) => Ok(call(functions::int_neg(), vec![expr])),
        Category::Number if types::is_float(&t) => Ok(call(functions::float_neg(), vec![expr])),
        Category::Number | Category::Interval | Category::Null => {
            Ok(Expr::Negative(Box::new(expr)))
        }
        _ => Err(no_operator(format!("- {}", types::name(&t)))),
    }
}

/// `42883`: no such operator for these types.
pub(super) fn mismatch(sign: &str, l: &DataType, r: &DataType) -> DataFusionError {
    no_operator(format!("{} {sign} {}", types::name(l), types::name(r)))
}

fn no_operator(what: String) -> DataFusionError {
    wrap(
        Error::new(
            SqlState::UndefinedFunction,
            format!("operator does not exist: {what}"),
        )
        .with_hint(
            "No operator matches the given name and argument types. You might need to add \
             explicit type casts.",
        ),
    )
}

/// Sides of a comparison in one type. Literals move to the type of the columns rather than the
/// columns to theirs, so that a source can use an index and a file its statistics.
pub(super) fn comparable(
    exprs: Vec<Expr>,
    r: &Rewriter,
    conflict: impl Fn(&DataType, &DataType) -> DataFusionError,
) -> Result<Vec<Expr>> {
    if array::has_array(&exprs, r)? {
        return array::comparable(exprs, r, conflict);
    }
    let mut known = DataType::Null;
    for e in exprs.iter().filter(|e| unknown(e).is_none()) {
        let t = type_of(e, r.schema)?;
        known = comparison_type(&known, &t).ok_or_else(|| conflict(&known, &t))?;
    }
    if known.is_null() {
        known = DataType::Utf8View;
    }
    let mut target = Field::new("", known, true);
    if types::is_text(target.data_type()) {
        let forms = exprs.iter().map(|e| form(e, r.schema));
        target.set_metadata(forms.flatten().collect());
    }
    let exprs = exprs
        .into_iter()
        .map(|e| match unknown(&e) {
            Some(text) => typed_as(text, &target, r.config),
            None => Ok(e),
        })
        .collect::<Result<Vec<_>>>()?;
    let exprs = narrow_literals(exprs, r.schema)?;
    let mut common = DataType::Null;
    for e in &exprs {
        let t = type_of(e, r.schema)?;
        common = comparison_type(&common, &t).ok_or_else(|| conflict(&common, &t))?;
    }
    exprs.into_iter().map(|e| to(e, &common, r)).collect()
}

/// A value and an array whose items are compared with it, in one type. An item of which nothing is known
/// is a text, as PostgreSQL has it.
pub(super) fn with_items(
    left: Expr,
    array: Expr,
    sign: &str,
    r: &Rewriter,
) -> Result<(Expr, Expr)> {
    let (t, of_array) = (type_of(&left, r.schema)?, type_of(&array, r.schema)?);
    let item = match base(&of_array).data_type() {
        DataType::Null => DataType::Utf8View,
        item => item.clone(),
    };
    let common = comparison_type(&t, &item).ok_or_else(|| mismatch(sign, &t, &item))?;
    let field = Arc::new(Field::new_list_field(common.clone(), true));
    let of_array = nest(field, depth(&of_array));
    Ok((to(left, &common, r)?, as_type(array, &of_array, r.schema)?))
}

/// Intervals that are compared, by their length, and arrays by their items.
pub(super) fn keys(exprs: Vec<Expr>, r: &Rewriter) -> Result<Vec<Expr>> {
    exprs
        .into_iter()
        .map(|e| {
            let t = type_of(&e, r.schema)?;
            Ok(compared_by(e, &t))
        })
        .collect()
}

/// What `=` makes of an operand of type `t` that is compared in `common`: it is left as it is where
/// PostgreSQL has an `=` of two different types.
pub(super) fn kept_type(t: &DataType, common: &DataType) -> DataType {
    let both = |is: fn(&DataType) -> bool| is(t) && is(common);
    match (category(t), types::as_decimal(t)) {
        _ if both(types::is_integer) || both(types::is_float) => t.clone(),
        (Category::DateTime, _) => t.clone(),
        (_, Some(decimal)) if precision_scale(common).is_some() => decimal,
        _ => common.clone(),
    }
}

/// As [`types::common`], but a real compares with another number as a double.
fn comparison_type(a: &DataType, b: &DataType) -> Option<DataType> {
    match types::common(a, b)? {
        DataType::Float32 if a != b && !a.is_null() && !b.is_null() => Some(DataType::Float64),
        t => Some(t),
    }
}

/// Literals in the type of what is no literal, where their value allows it.
fn narrow_literals(exprs: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let mut of_columns = DataType::Null;
    for e in &exprs {
        if !matches!(e, Expr::Literal(..)) {
            let t = type_of(e, schema)?;
            match types::common(&of_columns, &t) {
                Some(t) => of_columns = t,
                None => return Ok(exprs),
            }
        }
    }
    let narrowed = exprs
        .iter()
        .map(|e| match e {
            Expr::Literal(value, None) => {
                narrow(value, &of_columns).map_or_else(|| e.clone(), |v| Expr::Literal(v, None))
            }
            e => e.clone(),
        })
        .collect();
    Ok(narrowed)
}

fn narrow(value: &ScalarValue, target: &DataType) -> Option<ScalarValue> {
    match (value, target) {
        (ScalarValue::TimestampMicrosecond(Some(micros), None), DataType::Date32)
            if is_finite(*micros) && micros % MICROS_PER_DAY == 0 =>
        {
            Some(ScalarValue::Date32(Some((micros / MICROS_PER_DAY) as i32)))
        }
        (ScalarValue::Decimal128(Some(v), _, scale), t) if *scale > 0 && types::is_exact(t) => {
            let (_, wanted) = precision_scale(t)?;
            let mut v = *v;
            let mut scale = i16::from(*scale);
            while scale > wanted && v % 10 == 0 {
                v /= 10;
                scale -= 1;
            }
            let digits = v.unsigned_abs().checked_ilog10().map_or(1, |d| d + 1) as i16;
            if types::is_integer(t) {
                (scale == 0)
                    .then(|| i64::try_from(v).ok())
                    .flatten()
                    .and_then(|v| ScalarValue::Int64(Some(v)).cast_to(t).ok())
                    .filter(|v| !v.is_null())
            } else {
                Some(ScalarValue::Decimal128(
                    Some(v),
                    digits.max(scale) as u8,
                    scale as i8,
                ))
            }
        }
        (ScalarValue::Int32(Some(_)) | ScalarValue::Int64(Some(_)), t) if types::is_integer(t) => {
            value.cast_to(t).ok().filter(|v| !v.is_null())
        }
        _ => None,
    }
}

/// A date or time made of constants, computed here: `date '1998-12-01' - interval '90 days'`
/// becomes a literal that a date column can be compared with as it is.
pub(super) fn constant(e: Expr, r: &Rewriter) -> Result<Expr> {
    if matches!(e, Expr::Literal(..)) {
        return Ok(e);
    }
    if !matches!(category(&type_of(&e, r.schema)?), Category::DateTime) {
        return Ok(e);
    }
    let empty = DFSchema::empty();
    // A cast that depends on the session's zone is told by its function only.
    if !is_constant(&e)? {
        return Ok(e);
    }
    let checked = casts::checked(e.clone(), &empty)?.data;
    if !is_constant(&checked)? {
        return Ok(e);
    }
    let Ok(physical) = create_physical_expr(
        &checked,
        &empty,
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    ) else {
        return Ok(e);
    };
    let row = arrow::array::RecordBatch::try_new_with_options(
        Arc::new(arrow::datatypes::Schema::empty()),
        vec![],
        &arrow::array::RecordBatchOptions::new().with_row_count(Some(1)),
    )?;
    Ok(match physical.evaluate(&row) {
        Ok(ColumnarValue::Scalar(v)) => Expr::Literal(v, None),
        Ok(ColumnarValue::Array(a)) => Expr::Literal(ScalarValue::try_from_array(&a, 0)?, None),
        // An error belongs to the rows that ask for the value.
        Err(_) => e,
    })
}

fn is_constant(e: &Expr) -> Result<bool> {
    let mut constant = true;
    e.apply(|e| {
        match e {
            Expr::Literal(..) | Expr::BinaryExpr(_) | Expr::Cast(_) | Expr::Negative(_) => {}
            Expr::ScalarFunction(f) if f.func.signature().volatility == Volatility::Immutable => {}
            _ => {
                constant = false;
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(constant)
}

fn arithmetic(left: Expr, op: Operator, right: Expr, r: &Rewriter) -> Result<Expr> {
    let sign = op.to_string();
    let (left, right) = match (unknown(&left), unknown(&right)) {
        (Some(_), Some(_)) => {
            return Err(no_operator(format!("unknown {sign} unknown")));
        }
        (Some(text), None) => {
            let t = partner(&type_of(&right, r.schema)?, op, true);
            (typed(text, &t, r.config)?, right)
        }
        // To a date one can add days, a time or an interval: PostgreSQL cannot choose either.
        (None, Some(_))
            if op == Operator::Plus && type_of(&left, r.schema)? == DataType::Date32 =>
        {
            return Err(no_operator("date + unknown".to_owned()));
        }
        (None, Some(text)) => {
            let t = partner(&type_of(&left, r.schema)?, op, false);
            let right = typed(text, &t, r.config)?;
            (left, right)
        }
        (None, None) => (left, right),
    };
    let (mut lt, mut rt) = (type_of(&left, r.schema)?, type_of(&right, r.schema)?);
    let (mut left, mut right) = (left, right);
    // NULL takes the type of the other side.
    if lt.is_null() && rt.is_numeric() {
        left = as_type(left, &rt, r.schema)?;
        lt = rt.clone();
    } else if rt.is_null() && lt.is_numeric() {
        right = as_type(right, &lt, r.schema)?;
        rt = lt.clone();
    }
    if lt.is_null() || rt.is_null() {
        return null_arithmetic(left, op, right, &lt, &rt, r);
    }
    match (category(&lt), category(&rt)) {
        (Category::Number, Category::Number) => numbers(left, &lt, op, right, &rt, r),
        (Category::Other, _) | (_, Category::Other) => Ok(plain(left, op, right)),
        _ => temporal(left, &lt, op, right, &rt, r)?.ok_or_else(|| mismatch(&sign, &lt, &rt)),
    }
}

/// The type that a quoted literal takes beside one of type `t`: the same, except that what is
/// added to a time is an interval, and what multiplies an interval a number.
fn partner(t: &DataType, op: Operator, is_left: bool) -> DataType {
    match (category(t), op) {
        (Category::DateTime | Category::Time, Operator::Plus) => types::INTERVAL,
        (Category::Interval, Operator::Multiply | Operator::Divide) => DataType::Float64,
        (Category::Interval, Operator::Minus) if is_left => types::INTERVAL,
        _ => t.clone(),
    }
}

/// NULL with a time or with NULL: NULL, of the type that the operator would have.
fn null_arithmetic(
    left: Expr,
    op: Operator,
    right: Expr,
    lt: &DataType,
    rt: &DataType,
    r: &Rewriter,
) -> Result<Expr> {
    let known = if lt.is_null() { rt } else { lt };
    let result = match category(known) {
        Category::Null => DataType::Int32,
        Category::DateTime if op == Operator::Minus => types::INTERVAL,
        Category::DateTime if *known == DataType::Date32 => types::TIMESTAMP,
        Category::Other => return Ok(plain(left, op, right)),
        Category::Text | Category::Boolean | Category::Bytes => {
            return Err(mismatch(&op.to_string(), lt, rt));
        }
        _ => known.clone(),
    };
    Expr::Literal(ScalarValue::Null, None).cast_to(&result, r.schema)
}

fn numbers(
    left: Expr,
    lt: &DataType,
    op: Operator,
    right: Expr,
    rt: &DataType,
    r: &Rewriter,
) -> Result<Expr> {
    if types::is_integer(lt) && types::is_integer(rt) {
        let t = types::wider_integer(lt, rt);
        let (left, right) = (as_type(left, &t, r.schema)?, as_type(right, &t, r.schema)?);
        return Ok(match op {
            Operator::Plus => call(functions::int_add(), vec![left, right]),
            Operator::Minus => call(functions::int_sub(), vec![left, right]),
            Operator::Multiply => call(functions::int_mul(), vec![left, right]),
            // Arrow's division is checked as it is, and truncates as PostgreSQL's.
            Operator::Modulo if !is_safe_divisor(&right) => {
                call(functions::int_mod(), vec![left, right])
            }
            _ => plain(left, op, right),
        });
    }
    if types::is_float(lt) || types::is_float(rt) {
        if op == Operator::Modulo {
            return Err(mismatch("%", lt, rt));
        }
        let t = if *lt == DataType::Float32 && *rt == DataType::Float32 {
            DataType::Float32
        } else {
            DataType::Float64
        };
        let (left, right) = (to(left, &t, r)?, to(right, &t, r)?);
        let function = match op {
            Operator::Plus => functions::float_add(),
            Operator::Minus => functions::float_sub(),
            Operator::Multiply => functions::float_mul(),
            _ => functions::float_div(),
        };
        return Ok(call(function, vec![left, right]));
    }
    let decimal = |e: Expr, t: &DataType| -> Result<(Expr, DataType)> {
        if let Some(literal) = integer_as_decimal(&e) {
            let t = type_of(&literal, r.schema)?;
            return Ok((literal, t));
        }
        let t = types::as_decimal(t).unwrap_or(types::NUMERIC);
        Ok((as_type(e, &t, r.schema)?, t))
    };
    let ((left, lt), (right, rt)) = (decimal(left, lt)?, decimal(right, rt)?);
    let (operator, function) = match op {
        Operator::Plus => (NumericOperator::Add, functions::numeric_add()),
        Operator::Minus => (NumericOperator::Subtract, functions::numeric_sub()),
        Operator::Multiply => (NumericOperator::Multiply, functions::numeric_mul()),
        Operator::Divide => {
            return Ok(call(functions::numeric_div(), vec![left, right]));
        }
        _ => return Ok(plain(left, op, right)),
    };
    let digits = |t: &DataType| precision_scale(t).unwrap_or((38, 16));
    let (precision, _) = worst_case(operator, digits(&lt), digits(&rt));
    let narrow = [&lt, &rt]
        .iter()
        .all(|t| matches!(t, DataType::Decimal128(..)));
    // DataFusion makes `x * 0` the 0 and `x * 1` the x, whatever type the product has.
    let folds = op == Operator::Multiply && (is_zero_or_one(&left) || is_zero_or_one(&right));
    Ok(if narrow && precision <= 38 && !folds {
        plain(left, op, right)
    } else {
        call(function, vec![left, right])
    })
}

/// Dates, times and intervals. `None` if there is no such operator.
fn temporal(
    left: Expr,
    lt: &DataType,
    op: Operator,
    right: Expr,
    rt: &DataType,
    r: &Rewriter,
) -> Result<Option<Expr>> {
    use Category::{DateTime, Interval, Number, Time};
    let (lc, rc) = (category(lt), category(rt));
    if op == Operator::Plus
        && matches!(
            (lc, rc),
            (Interval | Number | Time, DateTime) | (Interval, Time)
        )
    {
        return temporal(right, rt, op, left, lt, r);
    }
    let zoned = |t: &DataType| matches!(t, DataType::Timestamp(_, Some(_)));
    let function = match op {
        Operator::Plus => functions::temporal_add(),
        Operator::Minus => functions::temporal_sub(),
        _ => {
            let (interval, number, number_type) = match (lc, rc, op) {
                (Interval, Number, Operator::Multiply | Operator::Divide) => (left, right, rt),
                (Number, Interval, Operator::Multiply) => (right, left, lt),
                _ => return Ok(None),
            };
            debug_assert!(number_type.is_numeric());
            let function = if op == Operator::Multiply {
                functions::interval_mul()
            } else {
                functions::interval_div()
            };
            let number = to(number, &DataType::Float64, r)?;
            return Ok(Some(call(function, vec![interval, number])));
        }
    };
    let both = |l: Expr, r: Expr| Some(call(Arc::clone(&function), vec![l, r]));
    Ok(match (lc, rc) {
        (DateTime, Interval) if zoned(lt) => both(left, right),
        (DateTime, Interval) => Some(plain(
            as_type(left, &types::TIMESTAMP, r.schema)?,
            op,
            right,
        )),
        (DateTime, Number)
            if *lt == DataType::Date32 && types::is_integer(rt) && *rt != DataType::Int64 =>
        {
            both(left, as_type(right, &DataType::Int32, r.schema)?)
        }
        (DateTime, Time) if *lt == DataType::Date32 && op == Operator::Plus => both(left, right),
        (DateTime, DateTime) if op == Operator::Minus => {
            let common = types::common(lt, rt).unwrap_or(types::TIMESTAMP);
            both(
                as_type(left, &common, r.schema)?,
                as_type(right, &common, r.schema)?,
            )
        }
        (Time, Interval) => both(left, right),
        (Time, Time) if op == Operator::Minus => both(left, right),
        (Interval, Interval) => Some(plain(left, op, right)),
        _ => None,
    })
}

/// `||` takes anything beside a text.
fn concat(left: Expr, right: Expr, r: &Rewriter) -> Result<Expr> {
    let (lt, rt) = (type_of(&left, r.schema)?, type_of(&right, r.schema)?);
    if depth(&lt) > 0 || depth(&rt) > 0 {
        return array::concat(left, right, r);
    }
    let (lc, rc) = (category(&lt), category(&rt));
    if lc == Category::Other || rc == Category::Other || lc == Category::Bytes {
        return Ok(plain(left, Operator::StringConcat, right));
    }
    if lc != Category::Text && rc != Category::Text && lc != Category::Null && rc != Category::Null
    {
        return Err(mismatch("||", &lt, &rt));
    }
    let text = |e: Expr| as_type(e, &DataType::Utf8View, r.schema);
    Ok(plain(text(left)?, Operator::StringConcat, text(right)?))
}

fn is_zero_or_one(e: &Expr) -> bool {
    match e {
        Expr::Literal(ScalarValue::Decimal128(Some(v), _, scale), _) => {
            *v == 0 || 10_i128.checked_pow(scale.unsigned_abs().into()) == Some(*v)
        }
        _ => false,
    }
}

/// A literal that is neither 0 nor -1: dividing by it cannot fail.
fn is_safe_divisor(e: &Expr) -> bool {
    match e {
        Expr::Literal(ScalarValue::Int16(Some(v)), _) => *v != 0 && *v != -1,
        Expr::Literal(ScalarValue::Int32(Some(v)), _) => *v != 0 && *v != -1,
        Expr::Literal(ScalarValue::Int64(Some(v)), _) => *v != 0 && *v != -1,
        Expr::Cast(c) => is_safe_divisor(&c.expr),
        _ => false,
    }
}

/// A cast, which a literal does at once.
pub(super) fn to(e: Expr, t: &DataType, r: &Rewriter) -> Result<Expr> {
    if let Expr::Literal(value, None) = &e
        && !value.is_null()
        && value.data_type() != *t
        && value.data_type().is_numeric()
    {
        let field: FieldRef = Arc::new(Field::new("", t.clone(), true));
        if let Ok(v) = cast_scalar(value, &field, r.config) {
            return Ok(Expr::Literal(v, None));
        }
    }
    as_type(e, t, r.schema)
}

fn plain(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

fn call(function: Arc<ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function, args))
}

fn pair(sides: Vec<Expr>) -> Result<[Expr; 2]> {
    <[Expr; 2]>::try_from(sides).map_err(|_| DataFusionError::Internal("two sides".to_owned()))
}
