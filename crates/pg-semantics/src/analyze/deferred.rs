//! Operators that DataFusion's SQL planner refuses, or types wrongly, before any analyzer rule runs:
//! they wait in a function of their own until [`super::operator`] resolves them.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, internal_err};
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::type_of::planned_category;
use super::unknown::unknown;
use crate::functions::depth;
use crate::types::{self, Category, category};

/// Plans an operator as deferred, if it must be.
pub(crate) fn plan(expr: RawBinaryExpr, schema: &DFSchema) -> PlannerResult<RawBinaryExpr> {
    let Some(op) = operator(&expr.op) else {
        return PlannerResult::Original(expr);
    };
    if is_familiar(op, &expr, schema).unwrap_or(true) {
        return PlannerResult::Original(expr);
    }
    let deferred = ScalarUDF::from(Deferred {
        op,
        signature: Signature::any(2, Volatility::Immutable),
    });
    PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(
        deferred.into(),
        vec![expr.left, expr.right],
    )))
}

/// Does DataFusion's planner take the operator as it is? `None` if the sides have no type yet.
fn is_familiar(op: Operator, expr: &RawBinaryExpr, schema: &DFSchema) -> Option<bool> {
    let has_literal = unknown(&expr.left).is_some() || unknown(&expr.right).is_some();
    if !has_literal
        && let Some(l) = planned_category(&expr.left, schema)
        && let Some(r) = planned_category(&expr.right, schema)
    {
        match (op, l, r) {
            (Operator::Plus | Operator::Minus, Category::Number, Category::Number)
            | (Operator::And | Operator::Or, Category::Boolean, Category::Boolean)
            | (Operator::StringConcat, Category::Text, Category::Text) => return Some(true),
            _ => {}
        }
    }
    let lt = expr.left.get_type(schema).ok()?;
    let rt = expr.right.get_type(schema).ok()?;
    let both = |c: Category| category(&lt) == c && category(&rt) == c;
    let other = category(&lt) == Category::Other || category(&rt) == Category::Other;
    let list = |t: &DataType| matches!(t, DataType::List(_));
    Some(match op {
        Operator::StringConcat if list(&lt) || list(&rt) => false,
        // The planner does not read a text as the list beside it, and takes dimensions for types.
        Operator::Eq
        | Operator::NotEq
        | Operator::Lt
        | Operator::LtEq
        | Operator::Gt
        | Operator::GtEq
            if list(&lt) || list(&rt) =>
        {
            false
        }
        _ if other => true,
        _ if has_literal => both(Category::Text),
        Operator::Plus
        | Operator::Minus
        | Operator::Multiply
        | Operator::Divide
        | Operator::Modulo => {
            both(Category::Number)
                && BinaryTypeCoercer::new(&lt, &op, &rt)
                    .get_result_type()
                    .is_ok()
        }
        Operator::StringConcat => both(Category::Text),
        Operator::And | Operator::Or => both(Category::Boolean),
        _ => types::common(&lt, &rt).is_some(),
    })
}

/// The operator and sides of a deferred one.
pub(super) fn resolve(f: &ScalarFunction) -> Option<Operator> {
    f.func.inner().downcast_ref::<Deferred>().map(|d| d.op)
}

fn operator(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Plus => Operator::Plus,
        BinaryOperator::Minus => Operator::Minus,
        BinaryOperator::Multiply => Operator::Multiply,
        BinaryOperator::Divide => Operator::Divide,
        BinaryOperator::Modulo => Operator::Modulo,
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        BinaryOperator::And => Operator::And,
        BinaryOperator::Or => Operator::Or,
        BinaryOperator::StringConcat => Operator::StringConcat,
        _ => return None,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Deferred {
    op: Operator,
    signature: Signature,
}

impl ScalarUDFImpl for Deferred {
    fn name(&self) -> &'static str {
        "pg_operator"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(format!(
            "{} {} {}",
            args[0].schema_name(),
            self.op,
            args[1].schema_name()
        ))
    }

    /// What the operator will most likely give; where it will fail, anything does.
    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        use Category::{DateTime, Interval, Number, Text, Time};
        let (l, r) = (&given[0], &given[1]);
        Ok(match self.op {
            Operator::StringConcat => match (depth(l), depth(r)) {
                (0, 0) => DataType::Utf8View,
                (of_left, of_right) if of_left >= of_right => l.clone(),
                _ => r.clone(),
            },
            Operator::Plus
            | Operator::Minus
            | Operator::Multiply
            | Operator::Divide
            | Operator::Modulo => {
                let minus = self.op == Operator::Minus;
                match (category(l), category(r)) {
                    (DateTime, DateTime | Text) if minus => {
                        if *l == DataType::Date32 && *r != types::TIMESTAMP {
                            DataType::Int32
                        } else {
                            types::INTERVAL
                        }
                    }
                    (Time, Time) if minus => types::INTERVAL,
                    (DateTime, Interval | Time | Text) if *l == DataType::Date32 => {
                        types::TIMESTAMP
                    }
                    (Interval | Time, DateTime) if *r == DataType::Date32 => types::TIMESTAMP,
                    (Number | Text, DateTime | Interval | Time) | (Interval, DateTime | Time) => {
                        r.clone()
                    }
                    (Text, _) => r.clone(),
                    _ => l.clone(),
                }
            }
            _ => DataType::Boolean,
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("an operator was not resolved")
    }
}
