//! The syntax tree of generated queries: typed, so that a smaller query of the same types can be
//! made from it by [`crate::shrink`], and never text before it is rendered.

use crate::Value;
use crate::compare::Tolerance;

/// The type of an expression, by PostgreSQL's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ty {
    Bool,
    Int2,
    Int4,
    Int8,
    Float,
    /// Digits in all, digits behind the point: an upper bound of what its values need.
    Numeric(u32, u32),
    Text,
    Char,
    Date,
    Timestamp,
    TimestampTz,
    Bytes,
    Uuid,
}

impl Ty {
    pub fn is_integer(self) -> bool {
        matches!(self, Ty::Int2 | Ty::Int4 | Ty::Int8)
    }

    /// The same type where arms of a set operation or of CASE must agree.
    pub fn agrees(self, other: Ty) -> bool {
        self == other || matches!((self, other), (Ty::Numeric(..), Ty::Numeric(..)))
    }
}

/// A typed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub ty: Ty,
    pub kind: Kind,
}

/// A column of a relation of a FROM clause. Aliases of relations are unique in a whole query.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnRef {
    pub relation: String,
    pub name: String,
    /// Not exact if the column of a derived table is none.
    pub tolerance: Tolerance,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Column(ColumnRef),
    Literal {
        value: Value,
        /// Printed without its type: `'2024-02-29'` for a date.
        bare: bool,
    },
    Not(Box<Expr>),
    Negate(Box<Expr>),
    /// An operator between two operands, such as `+`, `=`, `AND`, `IS DISTINCT FROM`.
    Binary {
        op: &'static str,
        left: Box<Expr>,
        right: Box<Expr>,
        /// Rows of the data may make it fail (overflow, division by zero).
        may_fail: bool,
    },
    IsNull {
        arg: Box<Expr>,
        negated: bool,
    },
    InList {
        arg: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    /// `arg op ANY (ARRAY[..])`, or `ALL`.
    Quantified {
        arg: Box<Expr>,
        op: &'static str,
        list: Vec<Expr>,
        all: bool,
    },
    Between {
        arg: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    Like {
        arg: Box<Expr>,
        pattern: String,
        escape: Option<char>,
        insensitive: bool,
        negated: bool,
    },
    Case {
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Call {
        name: &'static str,
        args: Vec<Expr>,
    },
    /// To the type of the expression.
    Cast {
        arg: Box<Expr>,
        may_fail: bool,
    },
    /// `extract(field from arg)`.
    Extract {
        field: &'static str,
        arg: Box<Expr>,
    },
    /// `arg + interval 'text'`.
    AddInterval {
        arg: Box<Expr>,
        interval: &'static str,
    },
    Aggregate {
        name: &'static str,
        distinct: bool,
        /// None is `count(*)`.
        arg: Option<Box<Expr>>,
        filter: Option<Box<Expr>>,
    },
    Window {
        name: &'static str,
        args: Vec<Expr>,
        partition_by: Vec<Expr>,
        order_by: Vec<WindowSort>,
        /// `ROWS BETWEEN n PRECEDING AND CURRENT ROW`.
        rows_preceding: Option<u32>,
    },
    Exists {
        query: Box<Query>,
        negated: bool,
    },
    InQuery {
        arg: Box<Expr>,
        query: Box<Query>,
        negated: bool,
    },
    Scalar(Box<Query>),
}

/// A key of a window's ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSort {
    pub expr: Expr,
    pub descending: bool,
}

/// A query: a SELECT or a set operation, sorted by output columns, limited.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub body: Body,
    pub order_by: Vec<Sort>,
    pub limit: Option<u64>,
    pub offset: Option<u64>,
}

/// A key of ORDER BY: an output column.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// From 0.
    pub column: usize,
    pub descending: bool,
    /// `Some(true)` is NULLS FIRST.
    pub nulls_first: Option<bool>,
    /// Printed as a number instead of a name.
    pub by_number: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Select(Box<Select>),
    Set {
        op: &'static str,
        all: bool,
        left: Box<Body>,
        right: Box<Body>,
    },
}

/// A SELECT. Conjuncts of WHERE, HAVING and ON are kept apart, so that each can be dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    pub distinct: bool,
    pub items: Vec<Item>,
    pub from: From,
    pub filter: Vec<Expr>,
    pub group_by: Vec<Expr>,
    pub having: Vec<Expr>,
}

/// An output column.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub expr: Expr,
    pub alias: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    Cross,
}

#[derive(Debug, Clone, PartialEq)]
pub enum From {
    Table {
        /// Its index in the universe.
        table: usize,
        alias: String,
    },
    Query {
        query: Box<Query>,
        alias: String,
    },
    Join {
        kind: JoinKind,
        left: Box<From>,
        right: Box<From>,
        /// Empty for a cross join only.
        on: Vec<Expr>,
    },
}

impl Expr {
    pub fn new(ty: Ty, kind: Kind) -> Expr {
        Expr { ty, kind }
    }

    pub fn literal(ty: Ty, value: Value) -> Expr {
        Expr::new(ty, Kind::Literal { value, bare: false })
    }

    pub fn binary(op: &'static str, left: Expr, right: Expr) -> Expr {
        Expr::new(
            Ty::Bool,
            Kind::Binary {
                op,
                left: Box::new(left),
                right: Box::new(right),
                may_fail: false,
            },
        )
    }

    pub fn is_leaf(&self) -> bool {
        matches!(self.kind, Kind::Column(_) | Kind::Literal { .. })
    }

    /// The expressions directly below it; those of subqueries are not.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            Kind::Column(_) | Kind::Literal { .. } | Kind::Exists { .. } | Kind::Scalar(_) => {
                Vec::new()
            }
            Kind::Not(arg)
            | Kind::Negate(arg)
            | Kind::IsNull { arg, .. }
            | Kind::Like { arg, .. }
            | Kind::Cast { arg, .. }
            | Kind::Extract { arg, .. }
            | Kind::AddInterval { arg, .. }
            | Kind::InQuery { arg, .. } => vec![arg],
            Kind::Binary { left, right, .. } => vec![left, right],
            Kind::InList { arg, list, .. } | Kind::Quantified { arg, list, .. } => {
                std::iter::once(&**arg).chain(list).collect()
            }
            Kind::Between { arg, low, high, .. } => vec![arg, low, high],
            Kind::Case { arms, otherwise } => arms
                .iter()
                .flat_map(|(when, then)| [when, then])
                .chain(otherwise.as_deref())
                .collect(),
            Kind::Call { args, .. } => args.iter().collect(),
            Kind::Aggregate { arg, filter, .. } => arg
                .as_deref()
                .into_iter()
                .chain(filter.as_deref())
                .collect(),
            Kind::Window {
                args,
                partition_by,
                order_by,
                ..
            } => args
                .iter()
                .chain(partition_by)
                .chain(order_by.iter().map(|s| &s.expr))
                .collect(),
        }
    }

    /// The same, to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            Kind::Column(_) | Kind::Literal { .. } | Kind::Exists { .. } | Kind::Scalar(_) => {
                Vec::new()
            }
            Kind::Not(arg)
            | Kind::Negate(arg)
            | Kind::IsNull { arg, .. }
            | Kind::Like { arg, .. }
            | Kind::Cast { arg, .. }
            | Kind::Extract { arg, .. }
            | Kind::AddInterval { arg, .. }
            | Kind::InQuery { arg, .. } => vec![arg],
            Kind::Binary { left, right, .. } => vec![left, right],
            Kind::InList { arg, list, .. } | Kind::Quantified { arg, list, .. } => {
                std::iter::once(&mut **arg).chain(list).collect()
            }
            Kind::Between { arg, low, high, .. } => vec![arg, low, high],
            Kind::Case { arms, otherwise } => arms
                .iter_mut()
                .flat_map(|(when, then)| [when, then])
                .chain(otherwise.as_deref_mut())
                .collect(),
            Kind::Call { args, .. } => args.iter_mut().collect(),
            Kind::Aggregate { arg, filter, .. } => arg
                .as_deref_mut()
                .into_iter()
                .chain(filter.as_deref_mut())
                .collect(),
            Kind::Window {
                args,
                partition_by,
                order_by,
                ..
            } => args
                .iter_mut()
                .chain(partition_by)
                .chain(order_by.iter_mut().map(|s| &mut s.expr))
                .collect(),
        }
    }

    /// The subquery of EXISTS, IN and a scalar subquery.
    pub fn subquery(&self) -> Option<&Query> {
        match &self.kind {
            Kind::Exists { query, .. } | Kind::InQuery { query, .. } | Kind::Scalar(query) => {
                Some(query)
            }
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn subquery_mut(&mut self) -> Option<&mut Query> {
        match &mut self.kind {
            Kind::Exists { query, .. } | Kind::InQuery { query, .. } | Kind::Scalar(query) => {
                Some(query)
            }
            _ => None,
        }
    }

    /// Whether `test` holds for it or an expression below it, subqueries left out.
    pub fn any(&self, test: &mut dyn FnMut(&Expr) -> bool) -> bool {
        test(self) || self.children().into_iter().any(|child| child.any(test))
    }

    pub fn has_aggregate(&self) -> bool {
        self.any(&mut |e| matches!(e.kind, Kind::Aggregate { .. }))
    }

    pub fn has_window(&self) -> bool {
        self.any(&mut |e| matches!(e.kind, Kind::Window { .. }))
    }
}

impl Body {
    /// The SELECT whose names the output has.
    pub fn first(&self) -> &Select {
        match self {
            Body::Select(select) => select,
            Body::Set { left, .. } => left.first(),
        }
    }

    /// Every SELECT of it, derived tables and subqueries left out.
    pub fn selects(&self) -> Vec<&Select> {
        match self {
            Body::Select(select) => vec![select],
            Body::Set { left, right, .. } => {
                let mut all = left.selects();
                all.extend(right.selects());
                all
            }
        }
    }

    /// The same, to be changed.
    pub fn selects_mut(&mut self) -> Vec<&mut Select> {
        match self {
            Body::Select(select) => vec![select],
            Body::Set { left, right, .. } => {
                let mut all = left.selects_mut();
                all.extend(right.selects_mut());
                all
            }
        }
    }
}

impl Select {
    pub fn is_grouped(&self) -> bool {
        !self.group_by.is_empty()
            || self
                .items
                .iter()
                .map(|i| &i.expr)
                .chain(&self.having)
                .any(Expr::has_aggregate)
    }

    /// Every expression of it, those of ON included.
    pub fn exprs(&self) -> Vec<&Expr> {
        let mut all: Vec<&Expr> = self.items.iter().map(|i| &i.expr).collect();
        all.extend(&self.filter);
        all.extend(&self.group_by);
        all.extend(&self.having);
        self.from.conditions(&mut all);
        all
    }
}

impl From {
    fn conditions<'a>(&'a self, into: &mut Vec<&'a Expr>) {
        if let From::Join {
            left, right, on, ..
        } = self
        {
            left.conditions(into);
            right.conditions(into);
            into.extend(on);
        }
    }

    /// Its tables and derived tables, left to right.
    pub fn relations(&self) -> Vec<&From> {
        match self {
            From::Join { left, right, .. } => {
                let mut all = left.relations();
                all.extend(right.relations());
                all
            }
            leaf => vec![leaf],
        }
    }
}

impl Query {
    pub fn select(select: Select) -> Query {
        Query {
            body: Body::Select(Box::new(select)),
            order_by: Vec::new(),
            limit: None,
            offset: None,
        }
    }

    /// Output columns.
    pub fn width(&self) -> usize {
        self.body.first().items.len()
    }

    /// The types of its output columns; a numeric has those of the widest arm.
    pub fn types(&self) -> Vec<Ty> {
        let mut types: Vec<Ty> = self.body.first().items.iter().map(|i| i.expr.ty).collect();
        for select in self.body.selects() {
            for (ty, item) in types.iter_mut().zip(&select.items) {
                if let (Ty::Numeric(p, s), Ty::Numeric(p2, s2)) = (*ty, item.expr.ty) {
                    let scale = s.max(s2);
                    let whole = p.saturating_sub(s).max(p2.saturating_sub(s2));
                    *ty = Ty::Numeric(whole + scale, scale);
                }
            }
        }
        types
    }

    /// Calls `see` with this query and every one inside it.
    pub fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Query)) {
        see(self);
        for select in self.body.selects() {
            for relation in select.from.relations() {
                if let From::Query { query, .. } = relation {
                    query.visit(see);
                }
            }
            for expr in select.exprs() {
                visit_subqueries(expr, see);
            }
        }
    }

    /// Nodes of the tree: what a shrinker makes fewer.
    pub fn size(&self) -> usize {
        let mut size = 0;
        self.visit(&mut |query| {
            size += 1
                + query.order_by.len()
                + usize::from(query.limit.is_some())
                + usize::from(query.offset.is_some());
            for select in query.body.selects() {
                size += 1 + usize::from(select.distinct) + select.from.relations().len();
                for expr in select.exprs() {
                    size += expr_size(expr);
                }
            }
        });
        size
    }
}

fn visit_subqueries<'a>(expr: &'a Expr, see: &mut dyn FnMut(&'a Query)) {
    if let Some(query) = expr.subquery() {
        query.visit(see);
    }
    for child in expr.children() {
        visit_subqueries(child, see);
    }
}

fn expr_size(expr: &Expr) -> usize {
    // A literal is smaller than a column, and a column than anything else.
    let own = match &expr.kind {
        Kind::Literal { value, .. } => match value {
            Value::Null | Value::Bool(_) | Value::Int(0..=1) => 1,
            _ => 2,
        },
        Kind::Column(_) => 3,
        _ => 4,
    };
    own + expr.children().into_iter().map(expr_size).sum::<usize>()
}
