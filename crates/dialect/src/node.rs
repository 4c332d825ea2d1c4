//! Plans: one select under construction goes up the tree, and becomes a derived table only where
//! SQL's order of clauses does not allow the next node in the same one.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{
    Aggregate, Distinct, Expr, FetchType, Filter, Limit, LogicalPlan, Projection, SkipType, Sort,
    TableScan, Union, Window,
};
use inflowave_connector_api::{Scope, remote_table};
use inflowave_types::{Error, Result};

use crate::Dialect;
use crate::aggregate::strip_aliases;
use crate::binder::Binder;
use crate::expr::{Cell, Printer};
use crate::operator::node;
use crate::select::{Select, names};
use crate::value::{Answer, Kind, RawColumn, Refusal, Value};

pub(crate) struct Compiler<'a> {
    pub d: &'a dyn Dialect,
    pub binder: Binder,
    /// A subquery refers to a text or binary column of the query around it.
    pub correlates_text: bool,
    tables: usize,
}

impl<'a> Compiler<'a> {
    pub fn new(d: &'a dyn Dialect) -> Self {
        Compiler {
            d,
            binder: Binder::default(),
            correlates_text: false,
            tables: 0,
        }
    }

    /// A new alias of a table.
    pub fn alias(&mut self) -> String {
        let alias = format!("t{}", self.tables);
        self.tables += 1;
        alias
    }

    pub fn refused<T>(&self, answer: Answer<T>) -> Result<T> {
        answer.map_err(|Refusal(reason)| {
            Error::internal(format!(
                "{} was given what it does not run: {reason}",
                self.d.name()
            ))
        })
    }

    pub fn printed<T>(
        &mut self,
        scope: &Scope,
        cells: &[Cell],
        print: impl FnOnce(&mut Printer<'_>) -> Answer<T>,
    ) -> Result<T> {
        let answer = print(&mut Printer::new(self.d, scope, &cells, &mut self.binder));
        self.refused(answer)
    }

    pub fn wrap(&mut self, select: Select, plan: &LogicalPlan, keep_order: bool) -> Result<Select> {
        let alias = self.alias();
        select.wrap(self.d, &alias, plan.schema().as_arrow(), keep_order)
    }

    /// The depth of `plan` has been checked.
    pub fn select(&mut self, plan: &LogicalPlan) -> Result<Select> {
        let answer = node(self.d, plan);
        self.refused(answer)?;
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::SubqueryAlias(alias) => self.select(&alias.input),
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Distinct(Distinct::All(input)) => self.distinct(input),
            LogicalPlan::Sort(sort) => self.sort(sort),
            LogicalPlan::Limit(limit) => self.limit(limit),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Window(window) => self.window(window),
            other => Err(Error::internal(format!(
                "a fragment cannot hold {}",
                other.display()
            ))),
        }
    }

    fn scan(&mut self, scan: &TableScan) -> Result<Select> {
        let table = remote_table(scan)
            .ok_or_else(|| Error::internal(format!("{} is not a remote table", scan.table_name)))?;
        let alias = self.alias();
        let from = format!(
            "{}.{} AS {alias}",
            self.d.quote_ident(&table.name.schema)?,
            self.d.quote_ident(&table.name.table)?
        );
        let all: Vec<usize> = (0..table.columns.len()).collect();
        let cells = scan
            .projection
            .as_ref()
            .unwrap_or(&all)
            .iter()
            .map(|&index| {
                let name = table.columns[index].field.name();
                Ok(Cell {
                    sql: format!("{alias}.{}", self.d.quote_ident(name)?),
                    raw: true,
                    simple: true,
                    literal: None,
                })
            })
            .collect::<Result<_>>()?;
        let mut select = Select::new(from, cells);
        select.fetch = scan.fetch.map(|n| n as u64);
        Ok(select)
    }

    fn filter(&mut self, filter: &Filter) -> Result<Select> {
        let input = &filter.input;
        let mut select = self.select(input)?;
        let scope = Scope::of(input);
        let twice = is_computed(&select, &scope, std::slice::from_ref(&filter.predicate), 1);
        if !select.is_plain() || twice {
            select = self.wrap(select, input, true)?;
        }
        let condition = self.printed(&scope, &select.cells, |p| p.boolean(&filter.predicate))?;
        select.wheres.push(condition);
        Ok(select)
    }

    fn projection(&mut self, projection: &Projection) -> Result<Select> {
        let input = &projection.input;
        let mut select = self.select(input)?;
        let scope = Scope::of(input);
        // One group of all rows gives one row only as long as an aggregate stands in the list.
        let loses_group = select.group_by.as_ref().is_some_and(Vec::is_empty)
            && projection.expr.iter().all(|e| e.column_refs().is_empty());
        if loses_group || is_computed(&select, &scope, &projection.expr, 2) {
            select = self.wrap(select, input, true)?;
        }
        let cells = projection
            .expr
            .iter()
            .map(|e| self.output(e, &scope, &select.cells))
            .collect::<Result<_>>()?;
        select.cells = cells;
        Ok(select)
    }

    /// An output column: a column passes as it is, everything else is computed.
    fn output(&mut self, expr: &Expr, scope: &Scope, cells: &[Cell]) -> Result<Cell> {
        if let Expr::Column(column) = strip_aliases(expr) {
            return self.printed(scope, cells, |p| Ok(p.resolve(column)?.0));
        }
        let value = self.printed(scope, cells, |p| p.value(expr))?;
        Ok(computed(value))
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Select> {
        let input = &aggregate.input;
        let mut select = self.select(input)?;
        let scope = Scope::of(input);
        let exprs: Vec<Expr> = [&aggregate.group_expr[..], &aggregate.aggr_expr[..]].concat();
        if !select.is_plain() || is_computed(&select, &scope, &exprs, 2) {
            select = self.wrap(select, input, false)?;
        }
        let mut keys: Vec<Value> = aggregate
            .group_expr
            .iter()
            .map(|e| self.printed(&scope, &select.cells, |p| p.value(e)))
            .collect::<Result<_>>()?;
        // `GROUP BY 1` would be the first column of the list.
        if keys.iter().any(|k| k.literal.is_some()) {
            let refs: Vec<Expr> = aggregate.group_expr.clone();
            select = self.with_constants(select, input, &scope, &refs, &mut keys)?;
        }
        let mut cells = Vec::with_capacity(exprs.len());
        let mut group_by = Vec::with_capacity(keys.len());
        for key in &keys {
            let key = self.refused(self.d.group_key(key))?;
            group_by.push(key.by);
            cells.push(Cell {
                sql: key.out,
                raw: key.raw,
                simple: false,
                literal: None,
            });
        }
        for expr in &aggregate.aggr_expr {
            let value = self.printed(&scope, &select.cells, |p| p.aggregate(expr))?;
            cells.push(computed(value));
        }
        select.cells = cells;
        select.group_by = Some(group_by);
        select.order_by.clear();
        Ok(select)
    }

    /// Wraps `select` with a column for each constant among the keys, which then stand for columns.
    fn with_constants(
        &mut self,
        mut select: Select,
        input: &Arc<LogicalPlan>,
        scope: &Scope,
        exprs: &[Expr],
        keys: &mut [Value],
    ) -> Result<Select> {
        let alias = self.alias();
        let names = names(input.schema().as_arrow());
        let columns: Vec<String> = select.cells.iter().map(|c| c.sql.clone()).collect();
        let mut extra = Vec::new();
        select.order_by.clear();
        for (i, key) in keys.iter().enumerate() {
            if key.literal.is_some() {
                extra.push((key.sql.clone(), format!("key {i}")));
            }
        }
        let text = select.print(self.d, &columns, &names, &extra)?;
        let cells = select
            .cells
            .iter()
            .zip(&names)
            .map(|(cell, name)| {
                Ok(Cell {
                    sql: format!("{alias}.{}", self.d.quote_ident(name)?),
                    raw: cell.raw,
                    simple: true,
                    literal: None,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let wrapped = Select::new(format!("({text}) AS {alias}"), cells);
        for (i, (key, expr)) in keys.iter_mut().zip(exprs).enumerate() {
            *key = if key.literal.is_some() {
                let name = self.d.quote_ident(&format!("key {i}"))?;
                Value::computed(format!("{alias}.{name}"), key.data_type.clone())
            } else {
                self.printed(scope, &wrapped.cells, |p| p.value(expr))?
            };
        }
        Ok(wrapped)
    }

    /// `GROUP BY` all columns: it says the same, and lets each key be compared our way.
    fn distinct(&mut self, input: &Arc<LogicalPlan>) -> Result<Select> {
        let columns: Vec<Expr> = input
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        let aggregate = Aggregate::try_new(Arc::clone(input), columns, Vec::new())
            .map_err(|e| Error::internal(e.to_string()))?;
        self.aggregate(&aggregate)
    }

    fn sort(&mut self, sort: &Sort) -> Result<Select> {
        let input = &sort.input;
        let mut select = self.select(input)?;
        let scope = Scope::of(input);
        let exprs: Vec<Expr> = sort.expr.iter().map(|s| s.expr.clone()).collect();
        if !select.is_plain() || is_computed(&select, &scope, &exprs, 1) {
            select = self.wrap(select, input, false)?;
        }
        select.order_by = self.printed(&scope, &select.cells, |p| p.sort_keys(&sort.expr))?;
        select.fetch = sort.fetch.map(|n| n as u64);
        Ok(select)
    }

    fn limit(&mut self, limit: &Limit) -> Result<Select> {
        let mut select = self.select(&limit.input)?;
        let (Ok(SkipType::Literal(skip)), Ok(FetchType::Literal(fetch))) =
            (limit.get_skip_type(), limit.get_fetch_type())
        else {
            return Err(Error::internal("a limit that is not constant"));
        };
        let (skip, fetch) = (skip as u64, fetch.map(|n| n as u64));
        // What is left of the rows below after they were skipped and counted there.
        let left = select.fetch.map(|n| n.saturating_sub(skip));
        select.skip = select.skip.saturating_add(skip);
        select.fetch = match (left, fetch) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Ok(select)
    }

    fn union(&mut self, union: &Union) -> Result<Select> {
        let names = names(union.schema.as_arrow());
        let mut branches = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            let mut select = self.select(input)?;
            if select.is_limited() {
                select = self.wrap(select, input, false)?;
            }
            select.order_by.clear();
            let scope = Scope::of(input);
            let mut columns = Vec::with_capacity(select.cells.len());
            for (cell, facts) in select.cells.iter().zip(&scope.facts) {
                // Above a union the origin of a column is forgotten: it must be a value of ours.
                let sql = match cell.raw {
                    true => self.refused(self.d.column(&RawColumn {
                        sql: cell.sql.clone(),
                        facts: facts.clone(),
                    }))?,
                    false => cell.sql.clone(),
                };
                let value = Value::computed(sql, facts.data_type.clone());
                columns.push(match value.kind() {
                    Ok(Kind::Text) => self.d.text_result(&value),
                    _ => value.sql,
                });
            }
            branches.push(select.print(self.d, &columns, &names, &[])?);
        }
        let alias = self.alias();
        let cells = names
            .iter()
            .map(|name| {
                Ok(Cell {
                    sql: format!("{alias}.{}", self.d.quote_ident(name)?),
                    raw: false,
                    simple: true,
                    literal: None,
                })
            })
            .collect::<Result<_>>()?;
        let from = format!("({}) AS {alias}", branches.join(" UNION ALL "));
        Ok(Select::new(from, cells))
    }

    fn window(&mut self, window: &Window) -> Result<Select> {
        let input = &window.input;
        let mut select = self.select(input)?;
        let scope = Scope::of(input);
        if !select.is_plain() || is_computed(&select, &scope, &window.window_expr, 2) {
            select = self.wrap(select, input, true)?;
        }
        for expr in &window.window_expr {
            let value = self.printed(&scope, &select.cells, |p| p.window(expr))?;
            let cell = computed(value);
            select.cells.push(cell);
        }
        select.has_window = true;
        Ok(select)
    }
}

fn computed(value: Value) -> Cell {
    Cell {
        simple: value.literal.is_some(),
        sql: value.sql,
        raw: false,
        literal: value.literal,
    }
}

/// Whether a computed column would be printed `times` times or more.
pub(crate) fn is_computed(select: &Select, scope: &Scope, exprs: &[Expr], times: usize) -> bool {
    if select.cells.iter().all(|c| c.simple) {
        return false;
    }
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for expr in exprs {
        // The closure never fails.
        let _ = expr.apply(|e| {
            if let Expr::Column(column) = e
                && let Some(index) = scope.index_of(column)
            {
                *counts.entry(index).or_default() += 1;
            }
            Ok(TreeNodeRecursion::Continue)
        });
    }
    counts
        .into_iter()
        .any(|(index, count)| count >= times && select.cells.get(index).is_some_and(|c| !c.simple))
}
