//! Expressions: one walk that both decides and prints, so that what is allowed and what is printed
//! cannot differ.

use arrow::datatypes::DataType;
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::expr::{BinaryExpr, Case, InList, Like};
use datafusion_expr::{Between, Expr, Operator};
use inflowave_connector_api::{ColumnFacts, Scope};

use crate::Dialect;
use crate::binder::Binder;
use crate::compare::{common_kind, compare, in_list};
use crate::pattern;
use crate::value::{Answer, Arithmetic, Compare, Kind, RawColumn, Value, refuse, text_of};

/// Deeper expressions are computed here: SQLite reads 1,000 levels at most, and every level costs
/// stack here too.
const DEPTH_MAX: usize = 200;

/// Terms of an AND or OR in one row at most; longer chains are printed as a balanced tree, for
/// sources count the depth of a chain.
const CHAIN_MAX: usize = 100;

/// A column of a select that is being built.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub sql: String,
    /// It is the column of its origin, as the source has it.
    pub raw: bool,
    /// It costs nothing to print it twice.
    pub simple: bool,
    pub literal: Option<ScalarValue>,
}

/// Where the columns of an expression come from.
pub(crate) trait Columns {
    fn cell(&self, index: usize) -> Answer<Cell>;
}

impl Columns for &[Cell] {
    fn cell(&self, index: usize) -> Answer<Cell> {
        match self.get(index) {
            Some(cell) => Ok(cell.clone()),
            None => refuse(format!("there is no column {index}")),
        }
    }
}

pub(crate) struct Printer<'a> {
    pub d: &'a dyn Dialect,
    pub scope: &'a Scope,
    pub columns: &'a dyn Columns,
    pub binder: &'a mut Binder,
    depth: usize,
}

impl<'a> Printer<'a> {
    pub fn new(
        d: &'a dyn Dialect,
        scope: &'a Scope,
        columns: &'a dyn Columns,
        binder: &'a mut Binder,
    ) -> Self {
        Printer {
            d,
            scope,
            columns,
            binder,
            depth: 0,
        }
    }

    /// The value of an expression.
    pub fn value(&mut self, expr: &Expr) -> Answer<Value> {
        if self.depth >= DEPTH_MAX {
            return refuse(format!(
                "an expression nested deeper than {DEPTH_MAX} levels is computed here"
            ));
        }
        self.depth += 1;
        let value = self.dispatch(expr);
        self.depth -= 1;
        value
    }

    fn dispatch(&mut self, expr: &Expr) -> Answer<Value> {
        match expr {
            Expr::Alias(alias) => self.value(&alias.expr),
            Expr::Column(column) => self.column(column),
            Expr::Literal(value, _) => self.literal(value),
            Expr::BinaryExpr(binary) => self.binary(expr, binary),
            Expr::Like(like) => self.like(like),
            Expr::Not(inner) => {
                let inner = self.boolean(inner)?;
                Ok(Value::boolean(format!("(NOT {inner})")))
            }
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => self.is_null(inner, "IS NULL"),
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => {
                self.is_null(inner, "IS NOT NULL")
            }
            Expr::IsTrue(inner) => self.is(inner, "IS TRUE"),
            Expr::IsFalse(inner) => self.is(inner, "IS FALSE"),
            Expr::IsNotTrue(inner) => self.is(inner, "IS NOT TRUE"),
            Expr::IsNotFalse(inner) => self.is(inner, "IS NOT FALSE"),
            Expr::Negative(inner) => {
                let inner = self.value(inner)?;
                if inner.kind()? == Kind::Int {
                    return refuse("an unchecked minus over integers is computed here");
                }
                let sql = self.d.negate(&inner)?;
                Ok(self.with_digits(Value::computed(sql, inner.data_type.clone()), inner.digits))
            }
            Expr::Between(between) => self.between(between),
            Expr::InList(list) => self.in_list(list),
            Expr::Case(case) => self.case(expr, case),
            Expr::Cast(cast) => {
                let value = self.value(&cast.expr)?;
                let metadata = cast.field.metadata();
                self.cast_to(value, cast.field.data_type(), metadata)
            }
            Expr::ScalarFunction(call) => self.call(expr, call),
            Expr::TryCast(_) => refuse("a cast that gives NULL where it fails is computed here"),
            Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
            | Expr::SetComparison(_)
            | Expr::OuterReferenceColumn(..) => {
                refuse("a subquery inside of an expression is computed here")
            }
            Expr::Placeholder(_) => refuse("a parameter without a value"),
            Expr::AggregateFunction(_) | Expr::WindowFunction(_) => {
                refuse("an aggregate inside of an expression is computed here")
            }
            other => refuse(format!("{} is computed here", other.variant_name())),
        }
    }

    /// A column as its source has it, if it still is that.
    pub fn raw_column(&self, expr: &Expr) -> Answer<Option<RawColumn>> {
        let mut expr = expr;
        while let Expr::Alias(alias) = expr {
            expr = &alias.expr;
        }
        let Expr::Column(column) = expr else {
            return Ok(None);
        };
        let (cell, facts) = self.resolve(column)?;
        Ok(cell.raw.then_some(RawColumn {
            sql: cell.sql,
            facts,
        }))
    }

    /// What stands for a column, and what is known of it.
    pub fn resolve(&self, column: &Column) -> Answer<(Cell, ColumnFacts)> {
        let index = self.scope.index_of(column);
        let Some((index, facts)) = index.and_then(|i| Some((i, self.scope.facts.get(i)?))) else {
            return refuse(format!("the column {column} is not of this source"));
        };
        Ok((self.columns.cell(index)?, facts.clone()))
    }

    fn column(&mut self, column: &Column) -> Answer<Value> {
        let (cell, facts) = self.resolve(column)?;
        let data_type = facts.data_type.clone();
        if let Some(literal) = &cell.literal {
            return self.literal(literal);
        }
        let known = facts.origin.is_some().then(|| facts.clone());
        if !cell.raw {
            return Ok(Value {
                facts: known,
                ..Value::computed(cell.sql, data_type)
            });
        }
        let raw = RawColumn {
            sql: cell.sql,
            facts,
        };
        let sql = self.d.column(&raw)?;
        Ok(Value {
            raw: Some(raw),
            facts: known,
            ..Value::computed(sql, data_type)
        })
    }

    fn literal(&mut self, value: &ScalarValue) -> Answer<Value> {
        let sql = if self.d.binds(value) {
            self.binder.bind(value)?
        } else {
            self.d.literal(value)?
        };
        let mut out = Value::computed(sql, value.data_type());
        if let Ok(crate::literal::Plain::Decimal(_, digits)) = crate::literal::plain(value) {
            out.digits = digits;
        }
        out.literal = Some(value.clone());
        Ok(out)
    }

    /// The SQL of an expression that must be a Boolean.
    pub fn boolean(&mut self, expr: &Expr) -> Answer<String> {
        let value = self.value(expr)?;
        match value.kind()? {
            Kind::Bool | Kind::Null => Ok(value.sql),
            _ => refuse("a condition that is not Boolean"),
        }
    }

    fn is(&mut self, inner: &Expr, what: &str) -> Answer<Value> {
        let inner = self.boolean(inner)?;
        Ok(Value::boolean(format!("({inner} {what})")))
    }

    fn is_null(&mut self, inner: &Expr, what: &str) -> Answer<Value> {
        let sql = match (self.value(inner), self.raw_column(inner)?) {
            (Ok(value), _) => value.sql,
            // A column of a type that is not computed with is still NULL or not.
            (Err(_), Some(raw)) => raw.sql,
            (Err(refusal), None) => return Err(refusal),
        };
        Ok(Value::boolean(format!("({sql} {what})")))
    }

    fn binary(&mut self, whole: &Expr, binary: &BinaryExpr) -> Answer<Value> {
        if let Some(op) = comparison(binary.op) {
            let (left, right) = (self.value(&binary.left)?, self.value(&binary.right)?);
            return Ok(Value::boolean(compare(self.d, op, &left, &right)?));
        }
        let op = match binary.op {
            Operator::And => return self.chain(whole, Operator::And, "AND"),
            Operator::Or => return self.chain(whole, Operator::Or, "OR"),
            Operator::StringConcat => {
                let (left, right) = (self.value(&binary.left)?, self.value(&binary.right)?);
                if (left.kind()?, right.kind()?) != (Kind::Text, Kind::Text) {
                    return refuse("|| over what is not text is computed here");
                }
                let sql = self.d.concat(&left, &right);
                return Ok(Value::computed(sql, self.data_type(whole)?));
            }
            Operator::Plus => Arithmetic::Add,
            Operator::Minus => Arithmetic::Sub,
            Operator::Multiply => Arithmetic::Mul,
            Operator::Divide => Arithmetic::Div,
            Operator::Modulo => Arithmetic::Rem,
            other => return refuse(format!("the operator {other} is computed here")),
        };
        let (left, right) = (self.value(&binary.left)?, self.value(&binary.right)?);
        let unchecked = matches!(op, Arithmetic::Add | Arithmetic::Sub | Arithmetic::Mul);
        if left.kind()? == Kind::Int && unchecked {
            return refuse("unchecked arithmetic over integers is computed here");
        }
        let data_type = self.data_type(whole)?;
        self.arithmetic(op, &left, &right, data_type)
    }

    pub fn arithmetic(
        &mut self,
        op: Arithmetic,
        left: &Value,
        right: &Value,
        result: DataType,
    ) -> Answer<Value> {
        match common_kind(left, right)? {
            Kind::Int | Kind::Decimal => {}
            Kind::Float => {
                return refuse("float arithmetic is computed here, so that every digit is ours");
            }
            _ => return refuse("arithmetic over dates and times is computed here"),
        }
        let sql = self.d.arithmetic(op, left, right, &result)?;
        let (l, r) = (left.digits, right.digits);
        let digits = match op {
            Arithmetic::Mul => (l.0 + r.0, l.1 + r.1),
            _ => {
                let scale = l.1.max(r.1);
                let whole = (l.0.saturating_sub(l.1)).max(r.0.saturating_sub(r.1));
                (whole + scale + 1, scale)
            }
        };
        Ok(self.with_digits(Value::computed(sql, result), digits))
    }

    fn with_digits(&self, mut value: Value, digits: (u32, u32)) -> Value {
        value.digits = digits;
        value
    }

    /// `a AND b AND c ..`, walked without recursion: users write chains of thousands.
    fn chain(&mut self, whole: &Expr, op: Operator, word: &str) -> Answer<Value> {
        let mut terms = Vec::new();
        let mut stack = vec![whole];
        while let Some(expr) = stack.pop() {
            match expr {
                Expr::BinaryExpr(b) if b.op == op => {
                    stack.push(&b.right);
                    stack.push(&b.left);
                }
                term => terms.push(self.boolean(term)?),
            }
        }
        Ok(Value::boolean(chained(terms, word)))
    }

    fn like(&mut self, like: &Like) -> Answer<Value> {
        if like.case_insensitive {
            return refuse("ILIKE folds by all of Unicode here");
        }
        if like.escape_char.is_some() {
            return refuse("LIKE with an ESCAPE is computed here");
        }
        let value = self.value(&like.expr)?;
        let pattern = self.value(strip_text_casts(&like.pattern))?;
        if value.kind()? != Kind::Text {
            return refuse("LIKE over what is not text is computed here");
        }
        let Some(text) = pattern.text_literal() else {
            return refuse("LIKE with a pattern that is not constant is computed here");
        };
        let pattern = self.d.like_pattern(&pattern::parse(text)?)?;
        let pattern = ScalarValue::from(pattern);
        let pattern = self.binder.bind(&pattern)?;
        let sql = self.d.like(&value, &pattern)?;
        Ok(Value::boolean(negated(like.negated, sql)))
    }

    fn between(&mut self, between: &Between) -> Answer<Value> {
        let value = self.value(&between.expr)?;
        let (low, high) = (self.value(&between.low)?, self.value(&between.high)?);
        let low = compare(self.d, Compare::GtEq, &value, &low)?;
        let high = compare(self.d, Compare::LtEq, &value, &high)?;
        Ok(Value::boolean(negated(
            between.negated,
            format!("({low} AND {high})"),
        )))
    }

    fn in_list(&mut self, list: &InList) -> Answer<Value> {
        let value = self.value(&list.expr)?;
        if list.list.is_empty() {
            let never = ScalarValue::Boolean(Some(list.negated));
            return self.literal(&never);
        }
        let members = list
            .list
            .iter()
            .map(|e| self.value(strip_text_casts(e)))
            .collect::<Answer<Vec<_>>>()?;
        let sql = in_list(self.d, &value, &members)?;
        Ok(Value::boolean(negated(list.negated, sql)))
    }

    fn case(&mut self, whole: &Expr, case: &Case) -> Answer<Value> {
        let result = self.data_type(whole)?;
        let base = case.expr.as_ref().map(|e| self.value(e)).transpose()?;
        let mut sql = "(CASE".to_owned();
        if let Some(base) = &base {
            self.d.comparable(base.kind()?)?;
            sql.push(' ');
            sql.push_str(&self.equal_form(base)?);
        }
        for (when, then) in &case.when_then_expr {
            let when = match &base {
                Some(base) => {
                    let when = self.value(when)?;
                    common_kind(base, &when)?;
                    self.equal_form(&when)?
                }
                None => self.boolean(when)?,
            };
            let then = self.branch(then, &result)?;
            sql.push_str(&format!(" WHEN {when} THEN {then}"));
        }
        if let Some(otherwise) = &case.else_expr {
            let otherwise = self.branch(otherwise, &result)?;
            sql.push_str(&format!(" ELSE {otherwise}"));
        }
        sql.push_str(" END)");
        Ok(Value::computed(sql, result))
    }

    fn equal_form(&self, value: &Value) -> Answer<String> {
        Ok(match value.kind()? {
            Kind::Text => self.d.text_key(value),
            _ => value.sql.clone(),
        })
    }

    /// One of several expressions that give one result.
    pub fn branch(&mut self, expr: &Expr, result: &DataType) -> Answer<String> {
        let value = self.value(expr)?;
        let (kind, wanted) = (value.kind()?, Kind::of(result)?);
        if kind != wanted && kind != Kind::Null {
            return refuse("branches of different types are computed here");
        }
        if wanted == Kind::Int && kind == Kind::Int && value.data_type != *result {
            return refuse("branches of different types are computed here");
        }
        Ok(match kind {
            Kind::Text => self.d.text_result(&value),
            _ => value.sql,
        })
    }

    pub fn data_type(&self, expr: &Expr) -> Answer<DataType> {
        match self.scope.data_type(expr) {
            Some(data_type) => Ok(data_type),
            None => refuse("an expression of an unknown type is computed here"),
        }
    }
}

/// Casts between our representations of text change nothing.
pub(crate) fn strip_text_casts(expr: &Expr) -> &Expr {
    let mut expr = expr;
    loop {
        match expr {
            Expr::Cast(cast)
                if Kind::of(cast.field.data_type()) == Ok(Kind::Text)
                    && cast.field.metadata().is_empty()
                    && matches!(&*cast.expr, Expr::Literal(v, _) if text_of(v).is_some()) =>
            {
                expr = &cast.expr;
            }
            other => return other,
        }
    }
}

fn comparison(op: Operator) -> Option<Compare> {
    Some(match op {
        Operator::Eq => Compare::Eq,
        Operator::NotEq => Compare::NotEq,
        Operator::Lt => Compare::Lt,
        Operator::LtEq => Compare::LtEq,
        Operator::Gt => Compare::Gt,
        Operator::GtEq => Compare::GtEq,
        Operator::IsDistinctFrom => Compare::Distinct,
        Operator::IsNotDistinctFrom => Compare::NotDistinct,
        _ => return None,
    })
}

fn negated(negated: bool, sql: String) -> String {
    if negated { format!("(NOT {sql})") } else { sql }
}

/// The terms with `word` between them.
pub(crate) fn chained(mut terms: Vec<String>, word: &str) -> String {
    let between = format!(" {word} ");
    while terms.len() > CHAIN_MAX {
        terms = terms
            .chunks(CHAIN_MAX)
            .map(|some| format!("({})", some.join(&between)))
            .collect();
    }
    match terms.len() {
        1 => terms.remove(0),
        _ => format!("({})", terms.join(&between)),
    }
}
