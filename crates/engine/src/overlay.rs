//! Schemas that extensions lay over every catalog: how a name finds them, and what they see of the
//! statement.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult, TableReference};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::sql::sqlparser::ast::{self, Visit, Visitor};
use inflowave_types::{Error, Result, SessionId, SqlState};
use parking_lot::Mutex;

use crate::authority::Authority;
use crate::cursor::{CursorInfo, Cursors};
use crate::engine::Shared;
use crate::extension::Overlay;
use crate::lookup;
use crate::prepared::{PreparedInfo, PreparedStatements};
use crate::settings::Settings;
use crate::specs::SPECS;
use crate::{Catalogs, Registry, suggest};

/// The session and the server, as a statement finds them.
#[derive(Clone)]
pub struct StatementView {
    pub(crate) shared: Arc<Shared>,
    pub(crate) settings: Settings,
    pub(crate) database: String,
    pub(crate) session: SessionId,
    pub(crate) prepared: Arc<Mutex<PreparedStatements>>,
    pub(crate) cursors: Arc<Mutex<Cursors>>,
    pub(crate) assigned: Arc<Mutex<Vec<Assignment>>>,
}

/// A setting that a function has set.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub name: String,
    pub value: String,
    /// To the end of the transaction.
    pub local: bool,
}

/// A setting and its value in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub name: &'static str,
    pub value: String,
    pub default: &'static str,
    pub doc: &'static str,
    /// A client can set it.
    pub settable: bool,
    /// The only values that it takes, if it takes no others.
    pub choices: &'static [&'static str],
}

impl StatementView {
    /// The current catalog.
    pub fn database(&self) -> &str {
        &self.database
    }

    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The user of the session.
    pub fn user(&self) -> &str {
        self.settings.user()
    }

    /// The role whose privileges count.
    pub fn role(&self) -> &str {
        self.settings.role()
    }

    pub fn authority(&self) -> &Arc<dyn Authority> {
        &self.shared.authority
    }

    /// Where work that blocks is done.
    pub fn io(&self) -> &tokio::runtime::Handle {
        &self.shared.runtimes.io
    }

    /// The full name of a relation, as its path is written.
    ///
    /// # Errors
    /// `42P01` and its like; the source's own.
    pub async fn relation(&self, path: &[String]) -> Result<[String; 3]> {
        let catalogs = self.catalogs();
        let (catalog, schema, table) = match path {
            [c, s, t] => (c.clone(), Some(s.clone()), t),
            [s, t] => (self.database.clone(), Some(s.clone()), t),
            [t] => (self.database.clone(), None, t),
            _ => {
                return Err(Error::new(
                    SqlState::SyntaxError,
                    format!("improper relation name: {}", path.join(".")),
                ));
            }
        };
        catalogs.exists(&catalog)?;
        let schemas = schema.map_or_else(|| self.search_path(), |s| vec![s]);
        for schema in &schemas {
            if catalogs.has_table(&catalog, schema, table).await? {
                return Ok([catalog, schema.clone(), table.clone()]);
            }
        }
        Err(Error::new(
            SqlState::UndefinedTable,
            format!("relation \"{}\" does not exist", path.join(".")),
        ))
    }

    /// The schemas in which a name without one is looked up, whether or not they are there.
    pub fn search_path(&self) -> Vec<String> {
        lookup::path(&self.settings, &self.shared.catalogs, &self.database)
    }

    /// Whether the session has set that path itself.
    pub fn has_own_path(&self) -> bool {
        self.settings.search_path().is_some()
    }

    /// The value of a setting.
    ///
    /// # Errors
    /// `42704`.
    pub fn setting(&self, name: &str) -> Result<String> {
        self.settings.show(name).map(|(_, value)| value)
    }

    /// Sets a setting of the session, behind this statement; gives the value as it will stand.
    ///
    /// # Errors
    /// `42704`, `22023`.
    pub fn set(&self, name: &str, value: &str, local: bool) -> Result<String> {
        let mut settings = self.settings.clone();
        if matches!(settings.set(name, value)?, "role" | "session_authorization") {
            return Err(
                Error::unsupported(format!("set_config of \"{name}\" is not supported"))
                    .with_hint("Send SET ROLE or SET SESSION AUTHORIZATION."),
            );
        }
        self.assigned.lock().push(Assignment {
            name: name.to_owned(),
            value: value.to_owned(),
            local,
        });
        settings.show(name).map(|(_, value)| value)
    }

    /// The session's prepared statements that have a name, sorted by it.
    pub fn prepared_statements(&self) -> Vec<PreparedInfo> {
        self.prepared.lock().infos()
    }

    /// The session's open cursors, sorted by name.
    pub fn cursors(&self) -> Vec<CursorInfo> {
        self.cursors.lock().infos()
    }

    pub fn catalogs(&self) -> &Arc<Catalogs> {
        &self.shared.catalogs
    }

    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Every setting, in the order of `SHOW ALL`.
    pub fn settings(&self) -> Vec<Setting> {
        let specs = SPECS.iter();
        specs
            .map(|spec| Setting {
                name: spec.name,
                value: self.settings.get(spec).to_owned(),
                default: spec.default,
                doc: spec.doc,
                settable: spec.settable(),
                choices: spec.choices(),
            })
            .collect()
    }

    /// Functions that a statement can call, under each of their names.
    pub fn scalar_functions(&self) -> impl Iterator<Item = (&String, &Arc<ScalarUDF>)> {
        self.shared.base.scalar_functions().iter()
    }

    pub fn aggregate_functions(&self) -> impl Iterator<Item = (&String, &Arc<AggregateUDF>)> {
        self.shared.base.aggregate_functions().iter()
    }

    pub fn window_functions(&self) -> impl Iterator<Item = (&String, &Arc<WindowUDF>)> {
        self.shared.base.window_functions().iter()
    }

    /// Names of functions that stand where a table does.
    pub fn table_functions(&self) -> impl Iterator<Item = &String> {
        self.shared.base.table_functions().keys()
    }
}

impl Debug for StatementView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementView")
            .field("database", &self.database)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// The overlays of one statement.
pub(crate) type Overlays = Arc<[Arc<dyn Overlay>]>;

/// Lets `state` find the tables of overlays among `references`; gives the other references. Each has
/// a schema, or is of the default one.
///
/// # Errors
/// `42P01` for a table that an overlay's schema does not have.
pub(crate) fn lay(
    overlays: &Overlays,
    catalogs: &Catalogs,
    database: &str,
    state: &mut SessionState,
    references: Vec<TableReference>,
) -> Result<Vec<TableReference>> {
    let (mut others, mut found) = (Vec::new(), false);
    for reference in references {
        let schema = reference.schema().unwrap_or_default();
        let Some(overlay) = overlays.iter().find(|o| o.schemas().contains(&schema)) else {
            others.push(reference);
            continue;
        };
        found = true;
        catalogs.exists(reference.catalog().unwrap_or(database))?;
        if !overlay.has_table(schema, reference.table()) {
            return Err(unknown(overlay.as_ref(), schema, reference.table()));
        }
    }
    if found {
        state.register_catalog_list(Arc::new(Laid {
            base: Arc::clone(state.catalog_list()),
            exists: catalogs.names().into_iter().collect(),
            overlays: Arc::clone(overlays),
        }));
    }
    Ok(others)
}

fn unknown(overlay: &dyn Overlay, schema: &str, table: &str) -> Error {
    let names = overlay.table_names(schema);
    Error::new(
        SqlState::UndefinedTable,
        format!("relation \"{schema}.{table}\" does not exist"),
    )
    .with_hint(suggest::hint("table", table, &names))
}

/// The names of the functions, types and system columns of a statement, in lower case and without a
/// schema.
pub(crate) fn names(statement: &ast::Statement) -> BTreeSet<String> {
    let mut names = Names::default();
    let _ = statement.visit(&mut names);
    names.0
}

#[derive(Default)]
struct Names(BTreeSet<String>);

/// Columns that every relation of the system catalogs has and `*` does not show: its own OID, and the
/// transaction that wrote the row.
pub const SYSTEM_COLUMNS: [&str; 2] = ["tableoid", "xmin"];

impl Names {
    fn system_column(&mut self, ident: &ast::Ident) {
        let mut columns = SYSTEM_COLUMNS.iter();
        if let Some(column) = columns.find(|c| ident.value.eq_ignore_ascii_case(c)) {
            self.0.insert((*column).to_owned());
        }
    }

    fn add(&mut self, name: &ast::ObjectName) {
        if let Some(ast::ObjectNamePart::Identifier(last)) = name.0.last() {
            self.0.insert(last.value.to_lowercase());
        }
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        match expr {
            ast::Expr::Identifier(last) => self.system_column(last),
            ast::Expr::CompoundIdentifier(parts) => {
                if let Some(last) = parts.last() {
                    self.system_column(last);
                }
            }
            ast::Expr::Function(function) => self.add(&function.name),
            ast::Expr::Cast { data_type, .. }
            | ast::Expr::TypedString(ast::TypedString { data_type, .. }) => {
                let mut t = data_type;
                while let ast::DataType::Array(
                    ast::ArrayElemTypeDef::SquareBracket(inner, _)
                    | ast::ArrayElemTypeDef::AngleBracket(inner),
                ) = t
                {
                    t = inner;
                }
                match t {
                    ast::DataType::Custom(name, _) => self.add(name),
                    ast::DataType::Regclass => {
                        self.0.insert("regclass".to_owned());
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The catalogs of one statement, with overlays.
#[derive(Debug)]
struct Laid {
    base: Arc<dyn CatalogProviderList>,
    /// Also catalogs that cannot be opened now: what is laid over them is there.
    exists: BTreeSet<String>,
    overlays: Overlays,
}

impl CatalogProviderList for Laid {
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
        self.exists.contains(name).then(|| {
            Arc::new(LaidCatalog {
                name: name.to_owned(),
                base: self.base.catalog(name),
                overlays: Arc::clone(&self.overlays),
            }) as Arc<dyn CatalogProvider>
        })
    }
}

#[derive(Debug)]
struct LaidCatalog {
    name: String,
    base: Option<Arc<dyn CatalogProvider>>,
    overlays: Overlays,
}

impl CatalogProvider for LaidCatalog {
    fn schema_names(&self) -> Vec<String> {
        self.base
            .as_ref()
            .map_or_else(Vec::new, |b| b.schema_names())
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let mut overlays = self.overlays.iter();
        match overlays.find(|o| o.schemas().contains(&name)) {
            Some(overlay) => Some(Arc::new(LaidSchema {
                overlay: Arc::clone(overlay),
                catalog: self.name.clone(),
                schema: name.to_owned(),
            })),
            None => self.base.as_ref().and_then(|b| b.schema(name)),
        }
    }
}

/// A schema of an overlay.
#[derive(Debug)]
struct LaidSchema {
    overlay: Arc<dyn Overlay>,
    catalog: String,
    schema: String,
}

#[async_trait]
impl SchemaProvider for LaidSchema {
    fn table_names(&self) -> Vec<String> {
        self.overlay.table_names(&self.schema)
    }

    async fn table(&self, name: &str) -> DfResult<Option<Arc<dyn TableProvider>>> {
        let table = self.overlay.table(&self.catalog, &self.schema, name).await;
        table.map_err(|e| DataFusionError::External(Box::new(e)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.overlay.has_table(&self.schema, name)
    }
}
