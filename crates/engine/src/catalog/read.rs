//! What extensions read of the catalogs: schemas, relations, columns and comments.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::FieldRef;
use datafusion::catalog::CatalogProvider;
use inflowave_types::{Error, Result, SqlState};

use super::{Catalogs, OWN, view};

/// How long a source may take to list its schemas and tables.
const LISTING_MAX: Duration = Duration::from_secs(10);

/// The schemas of a catalog and what stands in them, without columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Sorted.
    pub schemas: Vec<String>,
    /// Sorted by schema and name.
    pub relations: Vec<RelationInfo>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelationInfo {
    pub schema: String,
    pub name: String,
    /// A view of the server. Those of a source are tables here.
    pub view: bool,
}

#[derive(Debug, Clone)]
pub struct ColumnInfo {
    pub name: String,
    pub column_type: ColumnType,
    pub nullable: bool,
}

#[derive(Debug, Clone)]
pub enum ColumnType {
    /// Of a table: what an output column of it would be.
    Field(FieldRef),
    /// Of a view: PostgreSQL's name of its type, when it was made.
    Name(String),
}

/// A comment, and what it is on. A part that does not apply is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentInfo {
    pub catalog: String,
    pub schema: String,
    pub relation: String,
    pub column: String,
    pub text: String,
}

impl Catalogs {
    /// Is there a catalog of that name?
    pub fn contains(&self, catalog: &str) -> bool {
        self.exists(catalog).is_ok()
    }

    /// What a catalog holds; what a source told lately is believed for `limits.metadata_ttl_s`.
    ///
    /// # Errors
    /// `3D000`; the source's own; `08001` if it takes too long.
    pub async fn listing(&self, catalog: &str) -> Result<Arc<Listing>> {
        let Some(fixed) = self.fixed.get(catalog) else {
            let source = self.source(catalog).await?;
            let listed = tokio::time::timeout(LISTING_MAX, source.listing()).await;
            return listed.unwrap_or_else(|_| {
                Err(Error::new(
                    SqlState::ConnectionUnableToEstablish,
                    format!(
                        "catalog \"{catalog}\": its tables were not listed within {} s",
                        LISTING_MAX.as_secs()
                    ),
                )
                .with_hint("Look at system.runtime.sources whether the source is there."))
            });
        };
        let schemas = fixed.schema_names();
        let relations = if catalog == OWN {
            let kept = self.kept();
            let views = kept.views.keys().map(|name| RelationInfo {
                schema: view::SCHEMA.to_owned(),
                name: name.clone(),
                view: true,
            });
            views.collect()
        } else {
            let tables = schemas.iter().flat_map(|schema| {
                let names = fixed.table_names(schema).into_iter();
                names.map(|name| RelationInfo {
                    schema: schema.clone(),
                    name,
                    view: false,
                })
            });
            tables.collect()
        };
        Ok(Arc::new(Listing { schemas, relations }))
    }

    /// Columns of a relation, in order; `None` if it is gone.
    ///
    /// # Errors
    /// `3D000`; the source's own.
    pub async fn columns_of(
        &self,
        catalog: &str,
        schema: &str,
        relation: &str,
    ) -> Result<Option<Vec<ColumnInfo>>> {
        if let Some(columns) = self.view_columns(catalog, schema, relation) {
            let columns = columns.into_iter().map(|(name, type_name)| ColumnInfo {
                name,
                column_type: ColumnType::Name(type_name),
                nullable: true,
            });
            return Ok(Some(columns.collect()));
        }
        let fields = match self.fixed.get(catalog) {
            Some(fixed) => fixed.table_schema(schema, relation),
            None => {
                let source = self.source(catalog).await?;
                source.table(schema, relation).await?.map(|t| t.schema())
            }
        };
        Ok(fields.map(|fields| {
            let fields = fields.fields().iter();
            let columns = fields.map(|f| ColumnInfo {
                name: f.name().clone(),
                column_type: ColumnType::Field(Arc::clone(f)),
                nullable: f.is_nullable(),
            });
            columns.collect()
        }))
    }

    /// The query of a view, as it was written.
    pub fn view_query(&self, name: &str) -> Option<String> {
        self.kept().views.get(name).map(|view| view.query.clone())
    }

    pub fn comments(&self) -> Vec<CommentInfo> {
        let kept = self.kept();
        let comments = kept.comments.iter();
        comments
            .map(|c| CommentInfo {
                catalog: c.target.catalog.clone(),
                schema: c.target.schema.clone(),
                relation: c.target.relation.clone(),
                column: c.target.column.clone(),
                text: c.text.clone(),
            })
            .collect()
    }
}
