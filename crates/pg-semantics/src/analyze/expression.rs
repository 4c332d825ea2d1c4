//! One expression, from its leaves up.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRewriter};
use datafusion::common::{DFSchema, DataFusionError, ExprSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::functions::core;
use datafusion::functions::expr_fn::{coalesce, nullif};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{
    AggregateFunction, Between, Case, Cast, Exists, InList, InSubquery, ScalarFunction,
    SetComparison, WindowFunction, WindowFunctionDefinition,
};
use datafusion::logical_expr::expr_schema::cast_subquery;
use datafusion::logical_expr::{
    BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator, ScalarUDF, Subquery,
    WindowFrameBound, WindowFrameUnits, cast, lit, when,
};
use datafusion::optimizer::analyzer::type_coercion::TypeCoercionRewriter;
use inflowave_types::SqlState;

use super::operator::{self, mismatch};
use super::type_of::{as_type, type_of};
use super::unknown::{number, placeholder, typed, unknown};
use super::{
    analyze, array, by_key, compared_by, condition, deferred, like, quantified, scalar_subquery,
    three_valued,
};
use crate::aggregates;
use crate::cast::{cast_scalar, minimal_decimal};
use crate::functions::{self, base, depth, nest};
use crate::local::both_zeros;
use crate::parameters::parameter;
use crate::raise::raise;
use crate::type_planner::{EXPLICIT, UNCONSTRAINED};
use crate::types;

/// Aggregates whose result shows the order of their input.
const COLLECTING: [&str; 2] = ["array_agg", "string_agg"];

pub(super) struct Rewriter<'a> {
    pub(super) schema: &'a DFSchema,
    pub(super) config: &'a ConfigOptions,
    /// Is it a condition, whose `EXISTS` DataFusion turns into a join?
    joins: bool,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(schema: &'a DFSchema, config: &'a ConfigOptions, joins: bool) -> Self {
        Rewriter {
            schema,
            config,
            joins,
        }
    }
}

impl TreeNodeRewriter for Rewriter<'_> {
    type Node = Expr;

    fn f_up(&mut self, expr: Expr) -> Result<Transformed<Expr>> {
        let resolved = match expr {
            Expr::Literal(value, None) => Expr::Literal(number(value), None),
            Expr::OuterReferenceColumn(field, column) => {
                let field = match self.schema.field_from_column(&column) {
                    Ok(now) => Arc::clone(now),
                    Err(_) => field,
                };
                Expr::OuterReferenceColumn(field, column)
            }
            Expr::ScalarSubquery(s) => scalar_subquery::value(self.subquery(s)?)?,
            Expr::Exists(e) if !self.joins => return self.exists(e).map(Transformed::yes),
            Expr::Exists(e) => Expr::Exists(Exists {
                subquery: self.any_row(e.subquery)?,
                negated: e.negated,
            }),
            Expr::InSubquery(e) => return self.in_subquery(e).map(Transformed::yes),
            Expr::SetComparison(e) => return self.set_comparison(e).map(Transformed::yes),
            Expr::Cast(c) => self.cast(c)?,
            Expr::Negative(e) => operator::negative(*e, self.schema)?,
            Expr::Not(e) => Expr::Not(Box::new(self.boolean(*e, "NOT")?)),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                operator::binary(*left, op, *right, self)?
            }
            Expr::Between(b) => self.between(b)?,
            Expr::InList(l) => self.in_list(l)?,
            Expr::Case(c) => self.case(c)?,
            Expr::Like(l) => Expr::Like(like::like(l, self.schema)?),
            Expr::ScalarFunction(f) => self.scalar_function(f)?,
            Expr::AggregateFunction(f) => return self.aggregate(f).map(Transformed::yes),
            Expr::WindowFunction(f) => return self.window(*f).map(Transformed::yes),
            other => other,
        };
        // What this crate has resolved needs no further coercion, and asking for it costs a walk
        // down to the leaves.
        let resolved_here = match &resolved {
            Expr::ScalarFunction(f) => {
                f.func.name().starts_with("pg_") && !functions::is_plain(&f.func)
            }
            Expr::BinaryExpr(b) => operator::is_resolved(b, self.schema),
            _ => false,
        };
        if resolved_here {
            return Ok(Transformed::yes(resolved));
        }
        let coerced = self.coerced(resolved)?;
        Ok(Transformed::yes(self.signed(coerced)?))
    }
}

/// `EXISTS` of an analysed subquery, as a value.
fn counted(subquery: Subquery, negated: bool) -> Result<Expr> {
    let mut rows = LogicalPlanBuilder::from(Arc::unwrap_or_clone(subquery.subquery));
    if subquery.outer_ref_columns.is_empty() {
        rows = rows.limit(0, Some(1))?;
    }
    let counted = rows.aggregate(Vec::<Expr>::new(), [count(lit(1_i64)).alias("rows")])?;
    let count = Expr::ScalarSubquery(Subquery {
        subquery: Arc::new(counted.build()?),
        ..subquery
    });
    Ok(match negated {
        true => count.eq(lit(0_i64)),
        false => count.gt(lit(0_i64)),
    })
}

impl Rewriter<'_> {
    fn type_of(&self, e: &Expr) -> Result<DataType> {
        type_of(e, self.schema)
    }

    fn subquery(&self, s: Subquery) -> Result<Subquery> {
        let plan = analyze(Arc::unwrap_or_clone(s.subquery), self.schema, self.config)?;
        Ok(Subquery {
            outer_ref_columns: s
                .outer_ref_columns
                .into_iter()
                .map(|e| match e {
                    Expr::OuterReferenceColumn(field, column) => {
                        let now = self.schema.field_from_column(&column).map(Arc::clone);
                        Expr::OuterReferenceColumn(now.unwrap_or(field), column)
                    }
                    other => other,
                })
                .collect(),
            subquery: Arc::new(plan),
            spans: s.spans,
        })
    }

    fn any_row(&self, subquery: Subquery) -> Result<Subquery> {
        let mut subquery = self.subquery(subquery)?;
        if !subquery.outer_ref_columns.is_empty() {
            subquery.subquery = scalar_subquery::any_row(subquery.subquery);
        }
        Ok(subquery)
    }

    /// `EXISTS` as a value: is there a row to count?
    fn exists(&self, e: Exists) -> Result<Expr> {
        counted(self.any_row(e.subquery)?, e.negated)
    }

    /// Both sides of a comparison with a subquery, in their common type.
    fn against_subquery(
        &self,
        expr: Expr,
        subquery: Subquery,
        operator: &str,
    ) -> Result<(Expr, Subquery)> {
        let subquery = self.subquery(subquery)?;
        let right = first_type(&subquery.subquery)?;
        let expr = match unknown(&expr) {
            Some(text) => typed(text, &right, self.config)?,
            None => expr,
        };
        let left = self.type_of(&expr)?;
        let common =
            types::common(&left, &right).ok_or_else(|| mismatch(operator, &left, &right))?;
        Ok((
            as_type(expr, &common, self.schema)?,
            cast_subquery(subquery, &common)?,
        ))
    }

    fn in_subquery(&self, e: InSubquery) -> Result<Expr> {
        let (expr, subquery) = self.against_subquery(*e.expr, e.subquery, "=")?;
        let within = InSubquery::new(Box::new(expr), subquery, e.negated);
        if self.joins {
            return Ok(Expr::InSubquery(within));
        }
        // DataFusion makes joins of conditions alone.
        let value = three_valued::value(within, self.schema)?;
        let counted = value.transform_up(|e| match e {
            Expr::Exists(e) => counted(e.subquery, e.negated).map(Transformed::yes),
            other => Ok(Transformed::no(other)),
        })?;
        Ok(counted.data)
    }

    fn set_comparison(&self, e: SetComparison) -> Result<Expr> {
        let operator = e.op.to_string();
        let (expr, subquery) = self.against_subquery(*e.expr, e.subquery, &operator)?;
        Ok(Expr::SetComparison(SetComparison::new(
            Box::new(expr),
            subquery,
            e.op,
            e.quantifier,
        )))
    }

    /// A cast of a literal is done here, so that sources see a literal. `numeric` without a
    /// precision keeps the digits that there are.
    fn cast(&self, mut c: Cast) -> Result<Expr> {
        let literal = unknown(&c.expr);
        if c.field.name() == UNCONSTRAINED {
            let own = match literal {
                Some(text) => minimal_decimal(text),
                None => types::as_decimal(&self.type_of(&c.expr)?),
            };
            let t = own.unwrap_or(types::NUMERIC);
            c.field = Arc::new(Field::new(EXPLICIT, t, true));
        }
        // An array keeps its dimensions.
        if depth(c.field.data_type()) > 0 && literal.is_none() {
            let own = depth(&self.type_of(&c.expr)?);
            if own > depth(c.field.data_type()) {
                let t = nest(base(c.field.data_type()), own);
                c.field = Arc::new(c.field.as_ref().clone().with_data_type(t));
            }
        }
        let t = c.field.data_type();
        // A zone is the session's when the statement runs. Text and whole numbers keep their
        // cast: without one the literal would be typed anew.
        let zoned = matches!(t, DataType::Timestamp(_, Some(_)));
        let limited = !c.field.metadata().is_empty();
        if let Some(id) = literal.and_then(parameter)
            && !limited
        {
            return Ok(placeholder(id, t));
        }
        match literal {
            Some(text) if !zoned && !limited && !types::is_text(t) && !types::is_integer(t) => {
                let value = ScalarValue::Utf8View(Some(text.to_owned()));
                let value = cast_scalar(&value, &c.field, self.config)?;
                Ok(Expr::Literal(value, None))
            }
            _ => Ok(Expr::Cast(c)),
        }
    }

    pub(super) fn boolean(&self, e: Expr, of: &str) -> Result<Expr> {
        let e = match unknown(&e) {
            Some(text) => typed(text, &DataType::Boolean, self.config)?,
            None => e,
        };
        condition(e, self.schema, of)
    }

    /// Expressions that must agree: quoted literals take the type of the others, then all are cast
    /// to their common type.
    pub(super) fn agree(
        &self,
        exprs: Vec<Expr>,
        conflict: impl Fn(&DataType, &DataType) -> DataFusionError,
    ) -> Result<Vec<Expr>> {
        let mut common = DataType::Null;
        for e in exprs.iter().filter(|e| unknown(e).is_none()) {
            let t = self.type_of(e)?;
            common = types::common(&common, &t).ok_or_else(|| conflict(&common, &t))?;
        }
        if common.is_null() && exprs.iter().any(|e| unknown(e).is_some()) {
            common = DataType::Utf8View;
        }
        exprs
            .into_iter()
            .map(|e| match unknown(&e) {
                Some(text) => {
                    let literal = typed(text, &common, self.config)?;
                    // A numeric literal with digits of its own may need a wider common type.
                    as_type(literal, &common, self.schema)
                }
                None => self.literal_to(e, &common),
            })
            .collect()
    }

    /// A cast that a number literal does at once.
    fn literal_to(&self, e: Expr, t: &DataType) -> Result<Expr> {
        if let (Expr::Literal(value, None), true) = (&e, t.is_numeric())
            && !value.is_null()
            && value.data_type() != *t
            && let Ok(v) = value.cast_to(t)
        {
            return Ok(Expr::Literal(v, None));
        }
        as_type(e, t, self.schema)
    }

    fn between(&self, b: Between) -> Result<Expr> {
        // BETWEEN is two comparisons; where its three sides do not share a type they are typed
        // apart, as PostgreSQL does.
        let conflict = |l: &DataType, r: &DataType| mismatch(">=", l, r);
        let [expr, low, high] = [*b.expr, *b.low, *b.high].map(|e| operator::constant(e, self));
        let sides = operator::comparable(vec![expr?, low?, high?], self, conflict)?;
        let sides = operator::keys(sides, self)?;
        let [expr, low, high] = <[Expr; 3]>::try_from(sides)
            .map_err(|_| DataFusionError::Internal("three sides".to_owned()))?;
        Ok(Expr::Between(Between::new(
            Box::new(expr),
            b.negated,
            Box::new(low),
            Box::new(high),
        )))
    }

    pub(super) fn in_list(&self, l: InList) -> Result<Expr> {
        let mut all = vec![*l.expr];
        for e in l.list {
            all.push(operator::constant(e, self)?);
        }
        let all = operator::comparable(all, self, |l, r| mismatch("=", l, r))?;
        let mut all = operator::keys(all, self)?;
        let expr = all.remove(0);
        // Constants are looked up by their bits before anything runs.
        both_zeros(&mut all);
        // DataFusion 55.2 puts two lists together as sets, in which NULL were a value: it stands
        // beside the list.
        let listed = all.len();
        all.retain(|e| !super::is_null(e));
        let has_null = all.len() < listed;
        let unknown = Expr::Literal(ScalarValue::Boolean(None), None);
        if all.is_empty() {
            return Ok(unknown);
        }
        let list = Expr::InList(InList::new(Box::new(expr), all, l.negated));
        Ok(match (has_null, l.negated) {
            (false, _) => list,
            (true, false) => list.or(unknown),
            (true, true) => list.and(unknown),
        })
    }

    fn case(&self, c: Case) -> Result<Expr> {
        let (whens, thens): (Vec<_>, Vec<_>) =
            c.when_then_expr.into_iter().map(|(w, t)| (*w, *t)).unzip();
        let (operand, whens) = match c.expr {
            Some(operand) => {
                let mut all = vec![*operand];
                all.extend(whens);
                let all = operator::comparable(all, self, |l, r| mismatch("=", l, r))?;
                let mut all = operator::keys(all, self)?;
                let operand = all.remove(0);
                if self.has_two_zeros(&operand)? {
                    let equal = |w: Expr| operand.clone().eq(w);
                    (None, all.into_iter().map(equal).collect())
                } else {
                    (Some(Box::new(operand)), all)
                }
            }
            None => (
                None,
                whens
                    .into_iter()
                    .map(|w| self.boolean(w, "CASE/WHEN"))
                    .collect::<Result<_>>()?,
            ),
        };
        let count = thens.len();
        let results = thens.into_iter().chain(c.else_expr.map(|e| *e)).collect();
        let mut results = self.agree(results, |l, r| unmatched("CASE", l, r))?;
        let otherwise = results.split_off(count).pop().map(Box::new);
        let pairs = whens
            .into_iter()
            .zip(results)
            .map(|(w, t)| (Box::new(w), Box::new(t)))
            .collect();
        Ok(Expr::Case(Case::new(operand, pairs, otherwise)))
    }

    fn scalar_function(&self, f: ScalarFunction) -> Result<Expr> {
        if let Some(op) = deferred::resolve(&f) {
            let [left, right] = <[Expr; 2]>::try_from(f.args)
                .map_err(|_| DataFusionError::Internal("two sides".to_owned()))?;
            return operator::binary(left, op, right, self);
        }
        if let Some(function) = functions::array_function(&f.func) {
            return array::resolve(function, f.args, self);
        }
        let args = match f.func.name() {
            functions::QUANTIFIED => return quantified::resolve(f, self),
            functions::CAST_APART => {
                let cast = f.args.into_iter().next();
                return cast.ok_or_else(|| DataFusionError::Internal("a cast".to_owned()));
            }
            "coalesce" => {
                let args = self.agree(f.args, |l, r| unmatched("COALESCE", l, r))?;
                return Ok(coalesce(args));
            }
            "greatest" => {
                let args = self.agree(f.args, |l, r| unmatched("GREATEST", l, r))?;
                return self.extreme(args, Operator::GtEq, core::greatest());
            }
            "least" => {
                let args = self.agree(f.args, |l, r| unmatched("LEAST", l, r))?;
                return self.extreme(args, Operator::LtEq, core::least());
            }
            "make_array" => {
                let items = self.agree(f.args, |l, r| unmatched("ARRAY", l, r))?;
                return array::made(f.func, items, self);
            }
            "nullif" if f.args.len() == 2 => return self.nullif(f),
            "nullif" => {
                return Err(raise(SqlState::SyntaxError, "NULLIF takes two values"));
            }
            name => functions::prepare_arguments(name, f.args, self.schema, self.config)?,
        };
        Ok(Expr::ScalarFunction(ScalarFunction::new_udf(f.func, args)))
    }

    /// `greatest` and `least`. What DataFusion 55.2 compares otherwise is compared by its key.
    fn extreme(&self, args: Vec<Expr>, op: Operator, function: Arc<ScalarUDF>) -> Result<Expr> {
        let t = match args.first() {
            Some(first) => self.type_of(first)?,
            None => DataType::Null,
        };
        let by_key = matches!(t, DataType::Interval(_) | DataType::List(_));
        if !by_key || args.iter().any(Expr::is_volatile) {
            return Ok(Expr::ScalarFunction(ScalarFunction::new_udf(
                function, args,
            )));
        }
        let found = args.into_iter().map(Ok).reduce(|a, b| {
            let (a, b) = (a?, b?);
            let [of_a, of_b] = [a.clone(), b.clone()].map(|e| compared_by(e, &t));
            let holds = Expr::BinaryExpr(BinaryExpr::new(Box::new(of_a), op, Box::new(of_b)));
            when(b.clone().is_null().or(holds), a).otherwise(b)
        });
        found.unwrap_or_else(|| Err(DataFusionError::Internal("no arguments".to_owned())))
    }

    /// The two are compared in one type, and the first one is given in the type that `=` takes it in.
    fn nullif(&self, f: ScalarFunction) -> Result<Expr> {
        let first = match f.args.first() {
            Some(e) if unknown(e).is_none() => Some((e.clone(), self.type_of(e)?)),
            _ => None,
        };
        let args = operator::comparable(f.args, self, |l, r| mismatch("=", l, r))?;
        let Ok([a, b]) = <[Expr; 2]>::try_from(args) else {
            return Err(DataFusionError::Internal(
                "nullif of another number".to_owned(),
            ));
        };
        let common = self.type_of(&a)?;
        let (given, kept) = match first {
            Some((e, t)) => (e, operator::kept_type(&t, &common)),
            None => (a.clone(), common.clone()),
        };
        let by_bits = !types::is_float(&common)
            && !matches!(common, DataType::Interval(_) | DataType::List(_));
        if a.is_volatile() || (kept == common && by_bits) {
            return operator::to(nullif(a, b), &kept, self);
        }
        let null = Expr::Literal(ScalarValue::try_from(&kept)?, None);
        let [a, b] = [a, b].map(|e| compared_by(e, &common));
        when(a.eq(b), null).otherwise(operator::to(given, &kept, self)?)
    }

    /// DataFusion 55.2 compares the operand of `CASE` and the sides of `nullif` by their bits: of
    /// floats they are written with `=`, unless a value were asked for twice.
    fn has_two_zeros(&self, e: &Expr) -> Result<bool> {
        Ok(types::is_float(&self.type_of(e)?) && !e.is_volatile())
    }

    /// `avg` over exact numbers keeps its argument: it is taken apart once its plan node is known.
    fn aggregate(&self, mut f: AggregateFunction) -> Result<Expr> {
        f.params.filter = f
            .params
            .filter
            .map(|e| self.boolean(*e, "FILTER").map(Box::new))
            .transpose()?;
        if aggregates::is_ordered_set(&f.func) {
            let name = f.func.name();
            if f.params.order_by.is_empty() {
                return Err(raise(
                    SqlState::WrongObjectType,
                    format!("WITHIN GROUP is required for ordered-set aggregate {name}"),
                ));
            }
            if f.params.distinct {
                return Err(raise(
                    SqlState::SyntaxError,
                    "cannot use DISTINCT with WITHIN GROUP",
                ));
            }
        }
        if !f.params.distinct {
            by_key(&mut f.params.order_by, self.schema)?;
        } else if f.params.order_by.is_empty() && COLLECTING.contains(&f.func.name()) {
            // PostgreSQL sorts to find what is distinct.
            f.params.order_by = vec![f.params.args[0].clone().sort(true, false)];
        }
        if f.func.name() == "avg" && types::is_exact(&self.type_of(&f.params.args[0])?) {
            return Ok(Expr::AggregateFunction(f));
        }
        self.coerced(Expr::AggregateFunction(f))
    }

    fn window(&self, mut f: WindowFunction) -> Result<Expr> {
        f.params.filter = f
            .params
            .filter
            .map(|e| self.boolean(*e, "FILTER").map(Box::new))
            .transpose()?;
        match &f.fun {
            WindowFunctionDefinition::AggregateUDF(udf) => {
                let exact = match f.params.args.first() {
                    Some(arg) => types::is_exact(&self.type_of(arg)?),
                    None => false,
                };
                if udf.name() == "avg" && exact {
                    // The frame is coerced all the same: by way of `count`, which takes any type.
                    let avg = f.fun.clone();
                    f.fun = WindowFunctionDefinition::AggregateUDF(
                        datafusion::functions_aggregate::count::count_udaf(),
                    );
                    let mut f = self.coerced_window(f)?;
                    f.fun = avg;
                    return Ok(Expr::WindowFunction(f));
                }
            }
            // Offsets and counts of window functions are int8 constants.
            WindowFunctionDefinition::WindowUDF(udf) => {
                self.has_type(udf.name(), &f.params.args)?;
                for arg in f.params.args.iter_mut().skip(1).take(1) {
                    if let Expr::Literal(ScalarValue::Int32(Some(v)), None) = arg {
                        *arg = Expr::Literal(ScalarValue::Int64(Some(i64::from(*v))), None);
                    }
                }
                if f.fun.name() == "ntile"
                    && let Some(Expr::Literal(ScalarValue::Int32(Some(v)), None)) =
                        f.params.args.first()
                {
                    let v = i64::from(*v);
                    f.params.args[0] = Expr::Literal(ScalarValue::Int64(Some(v)), None);
                }
            }
        }
        by_key(&mut f.params.order_by, self.schema)?;
        let mut f = self.coerced_window(f)?;
        if let WindowFunctionDefinition::AggregateUDF(udf) = &f.fun
            && COLLECTING.contains(&udf.name())
        {
            f.fun = WindowFunctionDefinition::AggregateUDF(aggregates::in_order(udf));
        }
        Ok(Expr::WindowFunction(f))
    }

    /// The value of these functions has the type of their argument; only a default beside it, as the
    /// third one of `lag` and `lead`, lets a literal be a text.
    fn has_type(&self, name: &str, args: &[Expr]) -> Result<()> {
        const POLYMORPHIC: [&str; 5] = ["lag", "lead", "first_value", "last_value", "nth_value"];
        let Some(value) = args.first() else {
            return Ok(());
        };
        let is_open = unknown(value).is_some() || self.type_of(value)? == DataType::Null;
        if is_open && args.len() < 3 && POLYMORPHIC.contains(&name) {
            return Err(raise(
                SqlState::DatatypeMismatch,
                "could not determine polymorphic type because input has type unknown",
            ));
        }
        Ok(())
    }

    /// DataFusion coerces the bounds of a `RANGE` to few types of keys. Those of a frame without an
    /// offset have no value to coerce, so that any type that sorts can be the key.
    fn coerced_window(&self, mut f: WindowFunction) -> Result<Box<WindowFunction>> {
        let has_offset = |bound: &WindowFrameBound| match bound {
            WindowFrameBound::Preceding(v) | WindowFrameBound::Following(v) => !v.is_null(),
            WindowFrameBound::CurrentRow => false,
        };
        let frame = f.params.window_frame.clone();
        let by_itself = frame.units == WindowFrameUnits::Range
            && !has_offset(&frame.start_bound)
            && !has_offset(&frame.end_bound);
        if by_itself {
            f.params.window_frame.units = WindowFrameUnits::Rows;
        }
        let Expr::WindowFunction(mut f) = self.coerced(Expr::WindowFunction(Box::new(f)))? else {
            return Err(DataFusionError::Internal("a window function".to_owned()));
        };
        if by_itself {
            f.params.window_frame = frame;
        }
        Ok(f)
    }

    fn coerced(&self, e: Expr) -> Result<Expr> {
        let coerced = TypeCoercionRewriter::new(self.schema).f_up(e)?.data;
        Ok(fold_arguments(coerced))
    }

    /// PostgreSQL has no unsigned numbers: DataFusion's lengths and positions become int4.
    fn signed(&self, e: Expr) -> Result<Expr> {
        if matches!(e, Expr::ScalarFunction(_)) && self.type_of(&e)? == DataType::UInt64 {
            return Ok(cast(e, DataType::Int32));
        }
        Ok(e)
    }
}

/// Some functions look for literals among their arguments, so that a cast around one is done here.
fn fold_arguments(e: Expr) -> Expr {
    let fold = |args: Vec<Expr>| {
        args.into_iter()
            .map(|arg| match &arg {
                Expr::Cast(Cast { expr, field }) => match expr.as_ref() {
                    Expr::Literal(value, None)
                        if !value.is_null()
                            && value.data_type().is_numeric()
                            && field.data_type().is_numeric() =>
                    {
                        value
                            .cast_to(field.data_type())
                            .map_or(arg, |v| Expr::Literal(v, None))
                    }
                    _ => arg,
                },
                _ => arg,
            })
            .collect()
    };
    match e {
        Expr::ScalarFunction(mut f) if !f.func.name().starts_with("pg_") => {
            f.args = fold(f.args);
            Expr::ScalarFunction(f)
        }
        Expr::AggregateFunction(mut f) => {
            f.params.args = fold(f.params.args);
            Expr::AggregateFunction(f)
        }
        other => other,
    }
}

fn first_type(plan: &LogicalPlan) -> Result<DataType> {
    plan.schema()
        .fields()
        .first()
        .map(|f| f.data_type().clone())
        .ok_or_else(|| {
            raise(
                SqlState::SyntaxError,
                "subquery must return only one column",
            )
        })
}

/// `42804`, of expressions that must agree.
pub(super) fn unmatched(of: &str, l: &DataType, r: &DataType) -> DataFusionError {
    raise(
        SqlState::DatatypeMismatch,
        format!(
            "{of} types {} and {} cannot be matched",
            types::name(l),
            types::name(r)
        ),
    )
}
