//! A view as it is kept: its text, what it gave when it was made, and what it stands on.

use datafusion::common::TableReference;

use super::OWN;

/// The schema of views, in the server's own catalog.
pub(crate) const SCHEMA: &str = "public";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub name: String,
    /// The text behind `AS`.
    pub query: String,
    /// The database of the session that made it: names without a catalog mean that one.
    pub default_catalog: String,
    /// The role that made it, with whose privileges it reads.
    pub owner: String,
    pub columns: Vec<ViewColumn>,
    pub used: Vec<Used>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ViewColumn {
    /// What users call it.
    pub name: String,
    /// What the query calls it: behind a `*` a column is found by its name, not by its place.
    pub output: String,
    /// PostgreSQL's name of its type, when the view was made.
    pub type_name: String,
}

/// A relation whose name stands in the view's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Used {
    pub catalog: String,
    pub schema: String,
    pub relation: String,
    /// The text takes all its columns, in a place where one more would mean something else
    /// (`NATURAL JOIN`, a `*` below the top): the list must stay as it was.
    pub whole: bool,
    /// Names and PostgreSQL types of the columns that the query needs, or of all.
    pub columns: Vec<(String, String)>,
}

impl Used {
    pub fn is_view(&self, name: &str) -> bool {
        self.catalog == OWN && self.schema == SCHEMA && self.relation == name
    }

    pub fn path(&self) -> String {
        format!("{}.{}.{}", self.catalog, self.schema, self.relation)
    }
}

/// The view that a reference means, if it can only mean one.
pub(crate) fn named<'a>(database: &str, reference: &'a TableReference) -> Option<&'a str> {
    let catalog = reference.catalog().unwrap_or(database);
    let schema = reference.schema().unwrap_or(SCHEMA);
    (catalog == OWN && schema == SCHEMA).then(|| reference.table())
}
