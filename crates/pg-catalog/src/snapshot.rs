//! What one statement sees of the catalogs: each is listed once, when it is first needed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::common::DFSchema;
use datafusion::config::ConfigOptions;
use datafusion::datasource::ViewTable;
use datafusion::logical_expr::{EmptyRelation, LogicalPlan};
use futures::StreamExt;
use futures::future::BoxFuture;
use inflowave_engine::{
    ColumnType, CommentInfo, Object, Overlay, Privilege, RoleInfo, SYSTEM_COLUMNS, StatementView,
};
use inflowave_query_api::WireType;
use inflowave_types::{Error, Result, SqlState};
use parking_lot::Mutex;

use crate::data::{self, RELATIONS, RelationSpec};
use crate::functions::{Bound, NEED_NAMES};
use crate::oid::{self, Taken};
use crate::procedures::Procedures;
use crate::relation::Relation;
use crate::rows::has_rows;
use crate::type_name;
use crate::value;
use crate::{OWNER_NAME, SCHEMAS};

/// Tables whose columns are asked for at a time.
const TABLES_AT_ONCE: usize = 8;
/// Tables of which one statement reads the columns, at most.
const TABLES_MAX: usize = 20_000;
/// How long it may take to read the columns of many tables.
const COLUMNS_MAX: Duration = Duration::from_secs(30);

const HINT: &str = "Ask for the columns of one table: with attrelid = .. or table_name = '..'.";

/// A schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namespace {
    pub oid: u32,
    pub name: String,
}

/// A table or a view.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub oid: u32,
    /// Of its schema.
    pub namespace: u32,
    pub schema: String,
    pub name: String,
    /// `relkind`.
    pub kind: &'static str,
    /// Of `pg_catalog` or `information_schema`.
    pub own: Option<&'static RelationSpec>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub name: String,
    pub type_oid: u32,
    pub typmod: i32,
    pub collation: u32,
    pub not_null: bool,
}

/// Those of a table, in order.
type Columns = Arc<Vec<Attribute>>;
/// Those of the table with this OID, if it is still there.
type Read = (u32, Option<Columns>);

/// The names of a catalog and their OIDs.
#[derive(Debug)]
pub(crate) struct Names {
    pub namespaces: Vec<Namespace>,
    pub classes: Vec<Class>,
    by_oid: HashMap<u32, usize>,
    /// The schemas in which a name without one is looked up.
    path: Vec<String>,
}

/// A role, with its OID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub oid: u32,
    pub info: RoleInfo,
}

#[derive(Debug)]
pub(crate) struct Snapshot {
    pub view: StatementView,
    names: tokio::sync::Mutex<BTreeMap<String, Arc<Names>>>,
    /// The names of the current catalog, for functions, which cannot wait.
    current: Mutex<Option<Arc<Names>>>,
    columns: Mutex<HashMap<(String, u32), Columns>>,
    comments: OnceLock<Vec<CommentInfo>>,
    procedures: Arc<OnceLock<Procedures>>,
    /// The statement names a system column: relations have them then.
    system_columns: AtomicBool,
}

impl Snapshot {
    pub fn new(view: StatementView, procedures: Arc<OnceLock<Procedures>>) -> Snapshot {
        Snapshot {
            view,
            names: tokio::sync::Mutex::default(),
            current: Mutex::default(),
            columns: Mutex::default(),
            comments: OnceLock::new(),
            procedures,
            system_columns: AtomicBool::new(false),
        }
    }

    pub fn has_system_columns(&self) -> bool {
        self.system_columns.load(Ordering::Relaxed)
    }

    /// # Errors
    /// `08001` if the catalog's source is not there; the source's own.
    pub async fn names(&self, catalog: &str) -> Result<Arc<Names>> {
        let mut all = self.names.lock().await;
        if let Some(names) = all.get(catalog) {
            return Ok(Arc::clone(names));
        }
        let listing = self.view.catalogs().listing(catalog).await?;
        let path = match catalog == self.view.database() {
            true => self.view.search_path(),
            false => vec![self.view.catalogs().default_schema(catalog)],
        };
        let names = Arc::new(Names::new(catalog, &listing, path));
        all.insert(catalog.to_owned(), Arc::clone(&names));
        if catalog == self.view.database() {
            *self.current.lock() = Some(Arc::clone(&names));
        }
        Ok(names)
    }

    /// The names of the current catalog, read before.
    ///
    /// # Errors
    /// `XX000` if they were not.
    pub fn current(&self) -> Result<Arc<Names>> {
        let current = self.current.lock().clone();
        current.ok_or_else(|| Error::internal("the names of the current catalog were not read"))
    }

    /// Columns of some tables, by the OID of each. A table that cannot be read is left out, unless
    /// its source is not there.
    ///
    /// # Errors
    /// `08001` and its like if the source is not there; `54000` beyond [`TABLES_MAX`].
    pub async fn columns(
        &self,
        catalog: &str,
        classes: &[&Class],
    ) -> Result<HashMap<u32, Columns>> {
        if classes.len() > TABLES_MAX {
            return Err(Error::new(
                SqlState::ProgramLimitExceeded,
                format!(
                    "catalog \"{catalog}\": the columns of more than {TABLES_MAX} tables are not read at once"
                ),
            )
            .with_hint(HINT));
        }
        let mut reads: Vec<BoxFuture<'_, Result<Read>>> = Vec::new();
        for class in classes {
            reads.push(Box::pin(async move {
                let columns = self.columns_of(catalog, class).await?;
                Ok((class.oid, columns))
            }));
        }
        let reads = futures::stream::iter(reads);
        let mut reads = reads.buffer_unordered(TABLES_AT_ONCE);
        let all = async {
            let mut found = HashMap::new();
            while let Some(read) = reads.next().await {
                if let (oid, Some(columns)) = read? {
                    found.insert(oid, columns);
                }
            }
            Ok(found)
        };
        let read = tokio::time::timeout(COLUMNS_MAX, all).await;
        read.unwrap_or_else(|_| {
            Err(Error::new(
                SqlState::ConnectionUnableToEstablish,
                format!(
                    "catalog \"{catalog}\": the columns of {} tables were not read within {} s",
                    classes.len(),
                    COLUMNS_MAX.as_secs()
                ),
            )
            .with_hint(HINT))
        })
    }

    async fn columns_of(&self, catalog: &str, class: &Class) -> Result<Option<Columns>> {
        let key = (catalog.to_owned(), class.oid);
        if let Some(columns) = self.columns.lock().get(&key) {
            return Ok(Some(Arc::clone(columns)));
        }
        let columns: Vec<Attribute> = match class.own {
            Some(spec) => spec.columns.iter().map(own_column).collect(),
            None => {
                let catalogs = self.view.catalogs();
                let read = catalogs.columns_of(catalog, &class.schema, &class.name);
                match read.await {
                    Ok(Some(columns)) => columns
                        .into_iter()
                        .map(|c| {
                            let (type_oid, typmod) = match &c.column_type {
                                ColumnType::Field(field) => WireType::of(field)
                                    .map_or((type_name::TEXT, -1), |t| (t.oid, t.typmod)),
                                ColumnType::Name(name) => type_name::parse(name),
                            };
                            Attribute {
                                name: c.name,
                                type_oid,
                                typmod,
                                collation: collation(type_oid),
                                not_null: !c.nullable,
                            }
                        })
                        .collect(),
                    Ok(None) => return Ok(None),
                    Err(e) if e.sqlstate().code().starts_with("08") => return Err(e),
                    // One table that cannot be read does not hide the others.
                    Err(_) => return Ok(None),
                }
            }
        };
        let columns = Arc::new(columns);
        self.columns.lock().insert(key, Arc::clone(&columns));
        Ok(Some(columns))
    }

    /// Columns of a table that were read before.
    pub fn known_columns(&self, catalog: &str, class: u32) -> Option<Columns> {
        self.columns
            .lock()
            .get(&(catalog.to_owned(), class))
            .cloned()
    }

    pub fn comments(&self) -> &[CommentInfo] {
        self.comments
            .get_or_init(|| self.view.catalogs().comments())
    }

    pub fn procedures(&self) -> &Procedures {
        self.procedures.get_or_init(|| Procedures::of(&self.view))
    }

    /// The owner of what the server has, and the roles that there are: where everyone may do
    /// everything, those who are connected; by name.
    pub fn roles(&self) -> Vec<Role> {
        let authority = self.view.authority();
        let mut roles: BTreeMap<String, RoleInfo> = BTreeMap::new();
        if authority.restricts() {
            roles.extend(authority.roles().into_iter().map(|r| (r.name.clone(), r)));
        } else {
            let sessions = self.view.registry().sessions().into_iter();
            let users = sessions
                .map(|s| s.user)
                .chain([self.view.user().to_owned()]);
            let users = users.filter(|name| !name.is_empty());
            roles.extend(users.filter_map(|name| Some((name.clone(), authority.role(&name)?))));
        }
        roles
            .entry(OWNER_NAME.to_owned())
            .or_insert_with(|| RoleInfo {
                name: OWNER_NAME.to_owned(),
                superuser: true,
                login: false,
                inherit: true,
                create_role: false,
                create_catalog: false,
                bypass_policies: false,
                connection_limit: None,
                valid_until: None,
                has_password: false,
            });
        let roles = roles.into_values();
        roles
            .map(|info| Role {
                oid: oid::role(&info.name),
                info,
            })
            .collect()
    }

    /// Who owns a relation: of the server's views, who made them.
    pub fn owner(&self, catalog: &str, class: &Class) -> String {
        let catalogs = self.view.catalogs();
        let owner = match class.kind == "v" && class.own.is_none() {
            true => catalogs.view_owner(&class.name),
            false => catalogs.owner(catalog),
        };
        owner
            .filter(|owner| !owner.is_empty())
            .unwrap_or_else(|| OWNER_NAME.to_owned())
    }

    /// May `role` read a relation, or a column of it?
    pub fn may_read(&self, role: &str, catalog: &str, class: &Class, any_column: bool) -> bool {
        let authority = self.view.authority();
        if class.own.is_some() || authority.inherits(role, &self.owner(catalog, class)) {
            return true;
        }
        let path = [catalog.to_owned(), class.schema.clone(), class.name.clone()];
        match any_column {
            true => authority.allows_any_column(role, &path),
            false => authority.allows(role, Privilege::Select, &Object::Relation(path)),
        }
    }

    /// May `role` read this column of it?
    pub fn may_read_column(&self, role: &str, catalog: &str, class: &Class, column: &str) -> bool {
        if self.may_read(role, catalog, class, false) {
            return true;
        }
        let path = [catalog.to_owned(), class.schema.clone(), class.name.clone()];
        let object = Object::Column(path, column.to_owned());
        self.view
            .authority()
            .allows(role, Privilege::Select, &object)
    }
}

fn collation(type_oid: u32) -> u32 {
    data::type_of_oid(type_oid).map_or(0, |t| t.collation)
}

fn own_column(column: &data::ColumnSpec) -> Attribute {
    let type_oid = data::type_named(column.type_name).map_or(type_name::TEXT, |t| t.oid);
    Attribute {
        name: column.name.to_owned(),
        type_oid,
        typmod: -1,
        // Texts of the system catalogs are of the collation "C".
        collation: match collation(type_oid) {
            oid::DEFAULT_COLLATION => oid::C_COLLATION,
            other => other,
        },
        not_null: column.not_null,
    }
}

impl Names {
    pub fn new(catalog: &str, listing: &inflowave_engine::Listing, path: Vec<String>) -> Names {
        let mut namespaces = vec![
            Namespace {
                oid: oid::PG_CATALOG,
                name: SCHEMAS[0].to_owned(),
            },
            Namespace {
                oid: oid::INFORMATION_SCHEMA,
                name: SCHEMAS[1].to_owned(),
            },
        ];
        let mut classes: Vec<Class> = RELATIONS
            .iter()
            .map(|spec| Class {
                oid: spec.oid,
                namespace: match spec.schema {
                    schema if schema == SCHEMAS[0] => oid::PG_CATALOG,
                    _ => oid::INFORMATION_SCHEMA,
                },
                schema: spec.schema.to_owned(),
                name: spec.name.to_owned(),
                kind: spec.kind,
                own: Some(spec),
            })
            .collect();
        let mut taken = Taken::default();
        let schemas = listing.schemas.iter();
        for name in schemas.filter(|s| !SCHEMAS.contains(&s.as_str())) {
            namespaces.push(Namespace {
                oid: taken.take(&["namespace", catalog, name]),
                name: name.clone(),
            });
        }
        let mut taken = Taken::with(classes.iter().map(|c| c.oid));
        for relation in &listing.relations {
            let mut namespaces = namespaces.iter().skip(SCHEMAS.len());
            let Some(namespace) = namespaces.find(|n| n.name == relation.schema) else {
                continue;
            };
            classes.push(Class {
                oid: taken.take(&["class", catalog, &relation.schema, &relation.name]),
                namespace: namespace.oid,
                schema: relation.schema.clone(),
                name: relation.name.clone(),
                kind: if relation.view { "v" } else { "r" },
                own: None,
            });
        }
        let by_oid = classes
            .iter()
            .enumerate()
            .map(|(i, c)| (c.oid, i))
            .collect();
        Names {
            namespaces,
            classes,
            by_oid,
            path,
        }
    }

    pub fn class(&self, oid: u32) -> Option<&Class> {
        self.by_oid.get(&oid).map(|i| &self.classes[*i])
    }

    pub fn class_named(&self, schema: &str, name: &str) -> Option<&Class> {
        let mut classes = self.classes.iter();
        classes.find(|c| c.schema == schema && c.name == name)
    }

    /// What a name without a schema means: `pg_catalog` is looked at first, unless the path names it.
    pub fn visible(&self, name: &str) -> Option<&Class> {
        let implicit = match self.path.iter().any(|s| s == SCHEMAS[0]) {
            true => None,
            false => self.class_named(SCHEMAS[0], name),
        };
        let mut path = self.path.iter();
        implicit.or_else(|| path.find_map(|schema| self.class_named(schema, name)))
    }

    pub fn has_schema(&self, name: &str) -> bool {
        self.namespaces.iter().any(|n| n.name == name)
    }

    pub fn is_visible(&self, class: &Class) -> bool {
        self.visible(&class.name)
            .is_some_and(|c| c.oid == class.oid)
    }

    pub fn namespace(&self, oid: u32) -> Option<&Namespace> {
        self.namespaces.iter().find(|n| n.oid == oid)
    }

    pub fn namespace_named(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|n| n.name == name)
    }
}

/// The overlay of one statement.
#[derive(Debug)]
pub(crate) struct Laid(pub Arc<Snapshot>);

#[async_trait]
impl Overlay for Laid {
    fn schemas(&self) -> &'static [&'static str] {
        &SCHEMAS
    }

    fn searched_first(&self) -> Option<&'static str> {
        Some(SCHEMAS[0])
    }

    fn table_names(&self, schema: &str) -> Vec<String> {
        let relations = RELATIONS.iter().filter(|r| r.schema == schema);
        relations.map(|r| r.name.to_owned()).collect()
    }

    fn has_table(&self, schema: &str, table: &str) -> bool {
        data::relation(schema, table).is_some()
    }

    async fn table(
        &self,
        catalog: &str,
        schema: &str,
        table: &str,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(spec) = data::relation(schema, table) else {
            return Ok(None);
        };
        Ok(Some(match has_rows(spec) {
            true => Arc::new(Relation::new(spec, catalog, Arc::clone(&self.0))),
            // The planner sees that there are none, and plans nothing over them.
            false => {
                let schema = value::schema(spec, self.0.has_system_columns());
                let schema = DFSchema::try_from(schema.as_ref().clone());
                let none = LogicalPlan::EmptyRelation(EmptyRelation {
                    produce_one_row: false,
                    schema: Arc::new(schema.map_err(|e| Error::internal(e.to_string()))?),
                });
                Arc::new(ViewTable::new(none, None))
            }
        }))
    }

    async fn ready(&self, names: &BTreeSet<String>) -> Result<()> {
        if SYSTEM_COLUMNS.iter().any(|c| names.contains(*c)) {
            self.0.system_columns.store(true, Ordering::Relaxed);
        }
        let paths = ["current_schema", "current_schemas"];
        let of_path = self.0.view.has_own_path() && paths.iter().any(|n| names.contains(*n));
        if !of_path && !NEED_NAMES.iter().any(|name| names.contains(*name)) {
            return Ok(());
        }
        let database = self.0.view.database().to_owned();
        let known = self.0.names(&database).await?;
        if names.contains("col_description") {
            // Comments are kept by the names of columns, and asked for by their numbers.
            let comments = self.0.comments().iter();
            let commented: Vec<&Class> = comments
                .filter(|c| c.catalog == database && !c.column.is_empty())
                .filter_map(|c| known.class_named(&c.schema, &c.relation))
                .collect();
            self.0.columns(&database, &commented).await?;
        }
        Ok(())
    }

    fn configure(&self, options: &mut ConfigOptions) {
        options.extensions.insert(Bound(Arc::clone(&self.0)));
    }
}

#[cfg(test)]
mod tests {
    use inflowave_engine::{Listing, RelationInfo};

    use super::*;

    fn names() -> Names {
        let relation = |schema: &str, name: &str, view| RelationInfo {
            schema: schema.to_owned(),
            name: name.to_owned(),
            view,
        };
        let listing = Listing {
            // A source's own schema of the name is hidden.
            schemas: vec!["a".into(), "information_schema".into(), "public".into()],
            relations: vec![
                relation("a", "t", false),
                relation("information_schema", "tables", false),
                relation("public", "pg_class", false),
                relation("public", "t", false),
                relation("public", "v", true),
            ],
        };
        Names::new("crm", &listing, vec!["public".to_owned()])
    }

    #[test]
    fn a_name_without_a_schema_is_looked_up_in_pg_catalog_first() {
        let names = names();
        assert_eq!(names.visible("pg_class").unwrap().oid, 1259);
        assert_eq!(names.visible("t").unwrap().schema, "public");
        assert!(names.visible("tables").is_none());
        let hidden = names.class_named("public", "pg_class").unwrap();
        assert!(!names.is_visible(hidden));
        let elsewhere = names.class_named("a", "t").unwrap();
        assert!(!names.is_visible(elsewhere));
        assert_eq!(names.class_named("public", "v").unwrap().kind, "v");
    }

    #[test]
    fn each_object_has_an_oid_of_its_own() {
        let names = names();
        let schemas: Vec<&str> = names.namespaces.iter().map(|n| n.name.as_str()).collect();
        assert_eq!(schemas, ["pg_catalog", "information_schema", "a", "public"]);
        for class in &names.classes {
            assert_eq!(names.class(class.oid).unwrap().name, class.name);
            let namespace = names.namespace(class.namespace).unwrap();
            assert_eq!(namespace.name, class.schema);
        }
        let tables = names.classes.iter().filter(|c| c.name == "tables");
        assert_eq!(tables.count(), 1);
    }
}
