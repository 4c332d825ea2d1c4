//! Views in a statement: each name is put in the place of its plan, as a subquery would be.
//!
//! A view's query is planned in the catalog that it was written in, by the same way as any other;
//! the analyzer and the optimizer then see one plan.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result as DfResult, TableReference};
use datafusion::datasource::ViewTable;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast;
use futures::future::BoxFuture;
use inflowave_federation::Pushdown;
use inflowave_types::{Error, Result, SqlState};

use crate::catalog::view::{Used, View, named};
use crate::catalog::{Catalogs, OWN, view};
use crate::lookup::Found;
use crate::names;
use crate::plan::{Context, Readied, allowed};
use crate::statement::{self, Bounds, Kind};

/// Views that stand on each other, at most.
const DEPTH_MAX: usize = 32;
/// Nodes of a view's plan, at most: ten views that each read the one before twice would make
/// thousands.
const NODES_MAX: usize = 2_000;

type Plans = HashMap<String, Arc<dyn TableProvider>>;

/// Lets `state` find the views that `references` name.
///
/// # Errors
/// Those of a view's query, naming the view; `42P16` if a source's columns are no longer what the
/// view was made for; `54001`.
pub(crate) async fn expand(
    context: &Context,
    state: &mut SessionState,
    references: &[TableReference],
    pushdown: Pushdown,
) -> Result<()> {
    let mut expander = Expander {
        pushdown,
        plans: Plans::new(),
        chain: Vec::new(),
    };
    expander.all(context, references).await?;
    expander.offer(state);
    Ok(())
}

/// A query planned with its views as if they were tables: what stands in its own text.
pub(crate) struct Opaque {
    pub references: Vec<TableReference>,
    pub found: Found,
    pub plan: LogicalPlan,
}

/// # Errors
/// Those of the query.
pub(crate) async fn opaque(context: &Context, query: &ast::Statement) -> Result<Opaque> {
    use datafusion::datasource::empty::EmptyTable;
    let error = |e| context.error(&e).without_position();
    let ready = context.ready(query.clone(), Pushdown::Off).await;
    let Readied {
        statement: query,
        mut state,
        references,
        found,
    } = ready.map_err(Error::without_position)?;
    // The views with their columns: found by planning them, since their types are kept as names.
    expand(context, &mut state, &references, Pushdown::Off).await?;
    let mut plans = Plans::new();
    for name in references
        .iter()
        .filter_map(|r| named(&context.database, r))
    {
        let provider = state
            .catalog_list()
            .catalog(OWN)
            .and_then(|c| c.schema(view::SCHEMA));
        if let Some(schema) = provider
            && let Some(table) = schema.table(name).await.map_err(error)?
        {
            let fields: Vec<Field> = table
                .schema()
                .fields()
                .iter()
                .map(|f| match f.data_type() {
                    DataType::Null => f.as_ref().clone().with_data_type(DataType::Utf8View),
                    _ => f.as_ref().clone(),
                })
                .collect();
            let empty = EmptyTable::new(Arc::new(Schema::new(fields)));
            plans.insert(name.to_owned(), Arc::new(empty));
        }
    }
    offer(&mut state, plans);
    found.offer(&mut state, &context.database);
    let plan = state.statement_to_plan(query).await.map_err(error)?;
    let plan = state
        .analyzer()
        .execute_and_check(plan, state.config_options(), |_, _| {})
        .map_err(error)?;
    let plan = state
        .optimizer()
        .optimize(plan, &state, |_, _| {})
        .map_err(error)?;
    Ok(Opaque {
        references,
        found,
        plan,
    })
}

struct Expander {
    pushdown: Pushdown,
    /// Ready ones, each planned once a statement.
    plans: Plans,
    /// The views that are being planned, the outermost first.
    chain: Vec<String>,
}

impl Expander {
    fn all<'a>(
        &'a mut self,
        context: &'a Context,
        references: &'a [TableReference],
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let kept = context.shared.catalogs.kept();
            for reference in references {
                let view = named(&context.database, reference).and_then(|n| kept.views.get(n));
                let Some(view) = view.filter(|v| !self.plans.contains_key(&v.name)) else {
                    continue;
                };
                if self.chain.contains(&view.name) || self.chain.len() >= DEPTH_MAX {
                    return Err(too_deep(&self.chain));
                }
                self.chain.push(view.name.clone());
                let planned = self.one(context, view).await;
                self.chain.pop();
                let provider = planned.map_err(|e| {
                    e.without_position()
                        .context(format!("view \"{}\"", view.name))
                })?;
                self.plans.insert(view.name.clone(), Arc::new(provider));
            }
            Ok(())
        })
    }

    async fn one(&mut self, outer: &Context, view: &View) -> Result<ViewTable> {
        // Its names are looked up where they were when it was made, whatever the session's path is.
        let mut settings = outer.settings.clone();
        settings.without_own_path();
        let context = Context {
            // It reads with the privileges of who made it.
            role: view.owner.as_str().into(),
            settings,
            database: view.default_catalog.clone(),
            sql: view.query.as_str().into(),
            ..outer.clone()
        };
        let limits = &context.shared.limits;
        let bounds = Bounds {
            bytes_max: limits.statement_bytes_max,
            depth_max: limits.statement_depth_max,
        };
        let parsed = statement::split(&view.query, bounds, &[])?;
        let [parsed] = parsed.as_slice() else {
            return Err(Error::internal("a view of no statement or of several"));
        };
        let Kind::Query(query) = statement::kind(parsed)? else {
            return Err(Error::internal("a view that is no query"));
        };
        let Readied {
            statement: prepared,
            mut state,
            references,
            found,
        } = context.ready(query.as_ref().clone(), self.pushdown).await?;
        context.check(query, &references).await?;
        for used in &view.used {
            unchanged(&context.shared.catalogs, used).await?;
        }
        self.all(&context, &references).await?;
        self.offer(&mut state);
        found.offer(&mut state, &context.database);
        let plan = state
            .statement_to_plan(prepared)
            .await
            .map_err(|e| context.error(&e))?;
        allowed(&plan).map_err(|e| context.error(&e))?;
        bounded(&plan)?;
        let plan = renamed(view, query, plan, &context)?;
        Ok(ViewTable::new(plan, Some(view.query.clone())))
    }

    fn offer(&self, state: &mut SessionState) {
        if !self.plans.is_empty() {
            offer(state, self.plans.clone());
        }
    }
}

/// The view's columns. Behind a `*` they are found by the names that the query gives them; without
/// one each has its place.
fn renamed(
    view: &View,
    query: &ast::Statement,
    plan: LogicalPlan,
    context: &Context,
) -> Result<LogicalPlan> {
    let schema = plan.schema();
    let outputs: Vec<String> = names::output(query, schema.fields().len())
        .into_iter()
        .zip(schema.fields())
        .map(|(name, field)| name.unwrap_or_else(|| field.name().clone()))
        .collect();
    let starred = star_on_top(query);
    if !starred && outputs.len() != view.columns.len() {
        return Err(changed(format!(
            "its query has {} columns now; it had {} when the view was made",
            outputs.len(),
            view.columns.len()
        )));
    }
    let mut columns = Vec::with_capacity(view.columns.len());
    for (index, column) in view.columns.iter().enumerate() {
        let place = if starred {
            place(&outputs, &column.output)?
        } else {
            index
        };
        let found = Column::from(schema.qualified_field(place));
        columns.push(Expr::Column(found).alias(column.name.clone()));
    }
    LogicalPlanBuilder::from(plan)
        .project(columns)
        .and_then(LogicalPlanBuilder::build)
        .map_err(|e| context.error(&e))
}

fn place(outputs: &[String], wanted: &str) -> Result<usize> {
    let mut places = (0..outputs.len()).filter(|i| outputs[*i] == wanted);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (None, _) => Err(changed(format!(
            "column \"{wanted}\" of its query is no longer there"
        ))),
        (Some(_), Some(_)) => Err(changed(format!(
            "column \"{wanted}\" of its query is there more than once now"
        ))),
    }
}

/// Does the query itself take all columns of something?
pub(crate) fn star_on_top(query: &ast::Statement) -> bool {
    let ast::Statement::Query(query) = query else {
        return false;
    };
    match query.body.as_ref() {
        ast::SetExpr::Select(select) => select.projection.iter().any(is_star),
        _ => false,
    }
}

pub(crate) fn is_star(item: &ast::SelectItem) -> bool {
    matches!(
        item,
        ast::SelectItem::Wildcard(_) | ast::SelectItem::QualifiedWildcard(..)
    )
}

/// Is a relation still what the view was made for?
async fn unchanged(catalogs: &Catalogs, used: &Used) -> Result<()> {
    let now = catalogs
        .columns(&used.catalog, &used.schema, &used.relation)
        .await?
        .unwrap_or_default();
    let path = used.path();
    for (name, old) in &used.columns {
        match now.iter().find(|(n, _)| n == name) {
            None => {
                return Err(changed(format!(
                    "column \"{name}\" of {path} is no longer there; it was {old} when the view was made"
                )));
            }
            Some((_, new)) if new != old => {
                return Err(changed(format!(
                    "column \"{name}\" of {path} is {new} now; it was {old} when the view was made"
                )));
            }
            Some(_) => {}
        }
    }
    if !used.whole || now == used.columns {
        return Ok(());
    }
    let new = now.iter().find(|c| !used.columns.contains(c));
    Err(changed(match new {
        Some((name, new)) => format!(
            "column \"{name}\" of {path} is new ({new}), and the view takes all its columns"
        ),
        None => format!("the columns of {path} stand in another order now"),
    }))
}

fn changed(what: String) -> Error {
    Error::new(SqlState::InvalidTableDefinition, what).with_hint(
        "Look whether the view still means what it should, and make it again with CREATE OR REPLACE VIEW.",
    )
}

fn too_deep(chain: &[String]) -> Error {
    Error::new(
        SqlState::StatementTooComplex,
        format!("views stand on each other more than {DEPTH_MAX} deep"),
    )
    .with_detail(format!("They are: {}.", chain.join(", ")))
}

fn bounded(plan: &LogicalPlan) -> Result<()> {
    let mut nodes = 0;
    // The closure never fails.
    let _ = plan.apply(|_| {
        nodes += 1;
        Ok(if nodes > NODES_MAX {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    if nodes <= NODES_MAX {
        return Ok(());
    }
    Err(Error::new(
        SqlState::StatementTooComplex,
        format!("the view's plan has more than {NODES_MAX} nodes"),
    )
    .with_hint("Views that read others several times each multiply: write it with fewer."))
}

fn offer(state: &mut SessionState, plans: Plans) {
    let base = Arc::clone(state.catalog_list());
    state.register_catalog_list(Arc::new(WithViews {
        views: Arc::new(Views {
            plans,
            base: base.catalog(OWN),
        }),
        base,
    }));
}

/// The catalogs, and the views of one statement in the server's own.
#[derive(Debug)]
struct WithViews {
    base: Arc<dyn CatalogProviderList>,
    views: Arc<Views>,
}

impl CatalogProviderList for WithViews {
    fn register_catalog(
        &self,
        _name: String,
        _catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        self.base.catalog_names()
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        if name == OWN {
            return Some(Arc::<Views>::clone(&self.views));
        }
        self.base.catalog(name)
    }
}

/// The server's own catalog, with the views of one statement before what else is in it.
#[derive(Debug)]
struct Views {
    plans: Plans,
    base: Option<Arc<dyn CatalogProvider>>,
}

impl CatalogProvider for Views {
    fn schema_names(&self) -> Vec<String> {
        vec![view::SCHEMA.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let base = self.base.as_ref().and_then(|b| b.schema(name));
        if name != view::SCHEMA {
            return base;
        }
        Some(Arc::new(ViewsSchema {
            plans: self.plans.clone(),
            base,
        }))
    }
}

#[derive(Debug)]
struct ViewsSchema {
    plans: Plans,
    base: Option<Arc<dyn SchemaProvider>>,
}

#[async_trait]
impl SchemaProvider for ViewsSchema {
    fn table_names(&self) -> Vec<String> {
        self.plans.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> DfResult<Option<Arc<dyn TableProvider>>> {
        match (self.plans.get(name), &self.base) {
            (Some(plan), _) => Ok(Some(Arc::clone(plan))),
            (None, Some(base)) => base.table(name).await,
            (None, None) => Ok(None),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.plans.contains_key(name)
    }
}
