//! The part of a logical plan that one source runs.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion_catalog::default_table_source::DefaultTableSource;
use datafusion_common::{Column, DFSchema, DFSchemaRef, ExprSchema};
use datafusion_expr::{Distinct, Expr, LogicalPlan, TableScan};
use inflowave_types::{Error, Result};

use crate::{Collation, RemoteColumn, RemoteSource, RemoteTable, RemoteTableProvider};

/// A checked logical plan: only the nodes listed in [`Fragment::new`], every scan over a remote
/// table of one source. Column references are resolved by the schemas of its nodes.
#[derive(Debug, Clone)]
pub struct Fragment {
    plan: LogicalPlan,
    source: Arc<dyn RemoteSource>,
    catalog: String,
}

impl Fragment {
    /// Checks `plan`.
    ///
    /// # Errors
    /// `XX000` if it holds another node than scan, projection, filter, aggregate, distinct, sort,
    /// limit, join, union, window and alias, or scans tables of more than one source.
    pub fn new(plan: LogicalPlan) -> Result<Fragment> {
        let mut owner: Option<(Arc<dyn RemoteSource>, String)> = None;
        let mut stack = vec![&plan];
        while let Some(node) = stack.pop() {
            match node {
                LogicalPlan::TableScan(scan) => {
                    let table = remote_table(scan).ok_or_else(|| {
                        Error::internal(format!("{} is not a remote table", scan.table_name))
                    })?;
                    match &owner {
                        None => owner = Some((Arc::clone(&table.source), table.catalog.clone())),
                        Some((source, _)) if Arc::ptr_eq(source, &table.source) => {}
                        Some(_) => {
                            return Err(Error::internal("a fragment over more than one source"));
                        }
                    }
                }
                LogicalPlan::Projection(_)
                | LogicalPlan::Filter(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Distinct(Distinct::All(_))
                | LogicalPlan::Sort(_)
                | LogicalPlan::Limit(_)
                | LogicalPlan::Join(_)
                | LogicalPlan::Union(_)
                | LogicalPlan::Window(_)
                | LogicalPlan::SubqueryAlias(_) => stack.extend(node.inputs()),
                other => {
                    return Err(Error::internal(format!(
                        "a fragment cannot hold {}",
                        other.display()
                    )));
                }
            }
        }
        let (source, catalog) =
            owner.ok_or_else(|| Error::internal("a fragment without a table"))?;
        Ok(Fragment {
            plan,
            source,
            catalog,
        })
    }

    pub fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    pub fn source(&self) -> &Arc<dyn RemoteSource> {
        &self.source
    }

    /// The catalog under which users know the source.
    pub fn catalog(&self) -> &str {
        &self.catalog
    }

    /// The Arrow schema of its rows.
    pub fn schema(&self) -> SchemaRef {
        Arc::new(self.plan.schema().as_arrow().clone())
    }

    /// For each output column the table and column that it is read from unchanged, if there is one.
    pub fn origins(&self) -> Vec<Option<(String, String)>> {
        Scope::of(&self.plan)
            .facts
            .into_iter()
            .map(|f| {
                let (table, index) = f.origin?;
                Some((
                    format!("{}.{}", table.catalog, table.name),
                    table.columns[index].field.name().clone(),
                ))
            })
            .collect()
    }
}

/// The remote table behind a scan, if it is one.
pub fn remote_table(scan: &TableScan) -> Option<&Arc<RemoteTable>> {
    let source =
        (scan.source.as_ref() as &dyn std::any::Any).downcast_ref::<DefaultTableSource>()?;
    let provider = (source.table_provider.as_ref() as &dyn std::any::Any)
        .downcast_ref::<RemoteTableProvider>()?;
    Some(&provider.table)
}

/// What is known of one column at one place in a fragment.
#[derive(Debug, Clone)]
pub struct ColumnFacts {
    pub data_type: DataType,
    pub nullable: bool,
    pub collation: Collation,
    /// The table and the index of its column, if it comes from there unchanged.
    pub origin: Option<(Arc<RemoteTable>, usize)>,
}

impl ColumnFacts {
    /// The column at the source, if it comes from there unchanged.
    pub fn column(&self) -> Option<&RemoteColumn> {
        let (table, index) = self.origin.as_ref()?;
        table.columns.get(*index)
    }
}

/// The columns that an expression may name, each with what is known of it.
#[derive(Debug, Clone)]
pub struct Scope {
    pub schema: DFSchemaRef,
    /// One for each field of `schema`.
    pub facts: Vec<ColumnFacts>,
}

impl Scope {
    /// The output columns of a plan made of a fragment's nodes. Of any other node nothing is known
    /// but the types.
    pub fn of(plan: &LogicalPlan) -> Scope {
        let schema = Arc::clone(plan.schema());
        let facts = match plan {
            LogicalPlan::TableScan(scan) => match remote_table(scan) {
                Some(table) => {
                    let all: Vec<usize> = (0..table.columns.len()).collect();
                    scan.projection
                        .as_ref()
                        .unwrap_or(&all)
                        .iter()
                        .map(|&index| ColumnFacts {
                            data_type: table.columns[index].field.data_type().clone(),
                            nullable: table.columns[index].field.is_nullable(),
                            collation: table.columns[index].collation,
                            origin: Some((Arc::clone(table), index)),
                        })
                        .collect()
                }
                None => computed(&schema),
            },
            LogicalPlan::Projection(p) => {
                let input = Scope::of(&p.input);
                p.expr
                    .iter()
                    .zip(computed(&schema))
                    .map(|(e, unknown)| input.facts_of(e).unwrap_or(unknown))
                    .collect()
            }
            LogicalPlan::Aggregate(a) => {
                let input = Scope::of(&a.input);
                let known = a.group_expr.iter().map(|e| input.facts_of(e));
                computed(&schema)
                    .into_iter()
                    .zip(known.chain(std::iter::repeat_with(|| None)))
                    .map(|(unknown, known)| known.unwrap_or(unknown))
                    .collect()
            }
            LogicalPlan::Window(w) => {
                let mut facts = Scope::of(&w.input).facts;
                facts.extend(computed(&schema).into_iter().skip(facts.len()));
                facts
            }
            LogicalPlan::Join(_) => {
                let mut facts: Vec<ColumnFacts> = Vec::new();
                let inputs = plan.inputs();
                let (left, right) = (Scope::of(inputs[0]).facts, Scope::of(inputs[1]).facts);
                if schema.fields().len() == left.len() + right.len() {
                    facts.extend(left);
                    facts.extend(right);
                } else if left.len() == schema.fields().len() {
                    facts.extend(left);
                } else if right.len() == schema.fields().len() {
                    facts.extend(right);
                } else {
                    facts.extend(computed(&schema));
                }
                for (fact, field) in facts.iter_mut().zip(schema.fields()) {
                    fact.nullable = field.is_nullable();
                }
                facts
            }
            LogicalPlan::Filter(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Distinct(Distinct::All(_)) => Scope::of(plan.inputs()[0]).facts,
            _ => computed(&schema),
        };
        debug_assert_eq!(facts.len(), schema.fields().len());
        Scope { schema, facts }
    }

    /// The scope of a condition over the columns of both.
    ///
    /// # Errors
    /// `XX000` if both have a column of the same qualified name.
    pub fn join(left: &Scope, right: &Scope) -> Result<Scope> {
        let schema: DFSchema = left
            .schema
            .join(&right.schema)
            .map_err(|e| Error::internal(e.to_string()))?;
        let mut facts = left.facts.clone();
        facts.extend(right.facts.iter().cloned());
        Ok(Scope {
            schema: Arc::new(schema),
            facts,
        })
    }

    /// What is known of a column, if it is of this scope.
    pub fn column(&self, column: &Column) -> Option<&ColumnFacts> {
        self.facts.get(self.index_of(column)?)
    }

    /// Its index in `schema` and `facts`.
    pub fn index_of(&self, column: &Column) -> Option<usize> {
        self.schema.maybe_index_of_column(column)
    }

    /// Facts of an expression that passes a column through unchanged.
    fn facts_of(&self, expr: &Expr) -> Option<ColumnFacts> {
        match expr {
            Expr::Column(column) => self.column(column).cloned(),
            Expr::Alias(alias) => self.facts_of(&alias.expr),
            _ => None,
        }
    }

    /// Type of an expression over this scope.
    pub fn data_type(&self, expr: &Expr) -> Option<DataType> {
        use datafusion_expr::ExprSchemable;
        expr.get_type(self.schema.as_ref()).ok()
    }

    /// Whether an expression over this scope can be NULL; `true` when unknown.
    pub fn nullable(&self, expr: &Expr) -> bool {
        use datafusion_expr::ExprSchemable;
        match expr {
            Expr::Column(c) => ExprSchema::nullable(self.schema.as_ref(), c).unwrap_or(true),
            e => e.nullable(self.schema.as_ref()).unwrap_or(true),
        }
    }
}

fn computed(schema: &DFSchema) -> Vec<ColumnFacts> {
    schema
        .fields()
        .iter()
        .map(|field| ColumnFacts {
            data_type: field.data_type().clone(),
            nullable: field.is_nullable(),
            collation: match field.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Collation::Unknown,
                _ => Collation::NotText,
            },
            origin: None,
        })
        .collect()
}
