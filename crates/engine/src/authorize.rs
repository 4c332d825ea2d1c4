//! Whether a statement may read what it names, asked of its resolved names before a source is.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast;
use inflowave_types::{Error, Result, SqlState};

use crate::authority::{Object, Privilege, denied};
use crate::catalog::{OWN, view};
use crate::engine::Shared;
use crate::plan::Context;
use crate::views;

/// The columns of relations, by the full names of these.
pub(crate) type Needed = BTreeMap<[String; 3], BTreeSet<String>>;

impl Shared {
    /// Was it granted, or is it a catalog that the role has made?
    pub fn allows(&self, role: &str, privilege: Privilege, object: &Object) -> bool {
        // A view of before there were roles has no owner: it is the server's own.
        if role.is_empty() || self.authority.allows(role, privilege, object) {
            return true;
        }
        let owner = self.catalogs.owner(object.catalog());
        owner.is_some_and(|owner| self.authority.inherits(role, &owner))
    }
}

impl Context {
    pub fn may(&self, privilege: Privilege, object: &Object) -> bool {
        self.shared.allows(&self.role, privilege, object)
    }

    /// # Errors
    /// `42501`.
    pub fn require(&self, privilege: Privilege, object: &Object) -> Result<()> {
        match self.may(privilege, object) {
            true => Ok(()),
            false => Err(denied(privilege, object)),
        }
    }

    /// May the role do what an owner may?
    pub fn owns(&self, owner: &str) -> bool {
        self.shared.authority.inherits(&self.role, owner)
            || self.shared.authority.is_superuser(&self.role)
    }

    /// May what stands in a schema be named at all? Asked before it is looked whether it is there.
    ///
    /// # Errors
    /// `42501`.
    pub fn may_name(&self, catalog: &str, schema: &str) -> Result<()> {
        self.require(Privilege::Usage, &Object::Catalog(catalog.to_owned()))?;
        let schema = Object::Schema(catalog.to_owned(), schema.to_owned());
        self.require(Privilege::Usage, &schema)
    }

    /// The full name of a reference that has a schema.
    pub fn full(&self, reference: &TableReference) -> [String; 3] {
        let catalog = reference.catalog().unwrap_or(&self.database);
        let schema = match reference.schema() {
            Some(schema) => schema.to_owned(),
            None => self.shared.catalogs.default_schema(catalog),
        };
        [catalog.to_owned(), schema, reference.table().to_owned()]
    }

    /// May the relations be read? Gives those of which only some columns may be.
    ///
    /// # Errors
    /// `42501`.
    pub fn may_read(&self, references: &[TableReference]) -> Result<Vec<[String; 3]>> {
        let mut partly = Vec::new();
        for reference in references {
            let path = self.full(reference);
            let object = Object::Relation(path.clone());
            if self.may(Privilege::Select, &object) || self.owns_view(&path) {
                continue;
            }
            if !self.shared.authority.allows_any_column(&self.role, &path) {
                return Err(denied(Privilege::Select, &object));
            }
            partly.push(path);
        }
        Ok(partly)
    }

    fn owns_view(&self, path: &[String; 3]) -> bool {
        let [catalog, schema, name] = path;
        if catalog != OWN || schema != view::SCHEMA {
            return false;
        }
        let kept = self.shared.catalogs.kept();
        let view = kept.views.get(name);
        view.is_some_and(|view| self.owns(&view.owner))
    }

    /// Whether the columns that a statement needs may be read, of relations that may be read in part.
    /// Boxed: the plan of a statement is made in here, too.
    ///
    /// # Errors
    /// `42501`; those of planning.
    pub async fn may_read_columns(
        &self,
        query: &ast::Statement,
        partly: &[[String; 3]],
    ) -> Result<()> {
        let needed = Box::pin(self.needed(query)).await?;
        for path in partly {
            let columns = needed.get(path);
            let mut columns = columns.into_iter().flatten();
            let denied_one = columns.find(|column| {
                let column = Object::Column(path.clone(), (*column).clone());
                !self.may(Privilege::Select, &column)
            });
            if denied_one.is_some() {
                return Err(denied(Privilege::Select, &Object::Relation(path.clone())));
            }
        }
        Ok(())
    }

    /// The columns that a query needs of what its text names.
    pub async fn needed(&self, query: &ast::Statement) -> Result<Needed> {
        let opaque = views::opaque(self, query).await?;
        let mut needed = Needed::new();
        for reference in &opaque.references {
            needed.insert(self.full(reference), BTreeSet::new());
        }
        // The closure never fails.
        let _ = opaque.plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let mut reference = scan.table_name.clone();
                if reference.schema().is_none()
                    && let Some(schema) = opaque.found.schema(reference.table())
                {
                    reference = TableReference::partial(schema, reference.table());
                }
                let fields = scan.projected_schema.fields().iter();
                let mut columns: BTreeSet<String> = fields.map(|f| f.name().clone()).collect();
                for filter in &scan.filters {
                    columns.extend(filter.column_refs().into_iter().map(|c| c.name.clone()));
                }
                needed
                    .entry(self.full(&reference))
                    .or_default()
                    .extend(columns);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        Ok(needed)
    }

    /// # Errors
    /// `42501`.
    pub fn require_superuser(&self, to: &str) -> Result<()> {
        let authority = &self.shared.authority;
        if authority.is_superuser(&self.role) || !authority.restricts() {
            return Ok(());
        }
        Err(Error::new(
            SqlState::InsufficientPrivilege,
            format!("permission denied to {to}"),
        )
        .with_hint("Only a superuser may."))
    }
}
