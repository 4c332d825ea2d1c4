//! The rows of each relation. Those that are not named here have none.

mod acl;
pub(crate) mod classes;
mod fixed;
mod information;
pub(crate) mod server;
mod sessions;

use arrow::array::RecordBatch;
use datafusion::common::ScalarValue;
use inflowave_types::{Error, Result};

use crate::SCHEMAS;
use crate::data::{self, RelationSpec};
use crate::snapshot::{Class, Snapshot};
use crate::value::Rows;

/// Columns by which tables are chosen before their columns are asked for.
pub(crate) const FILTERS: [&str; 3] = ["attrelid", "table_schema", "table_name"];

/// What a scan will use; more may be given.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    oids: Option<Vec<u32>>,
    schemas: Option<Vec<String>>,
    tables: Option<Vec<String>>,
    columns: Option<Vec<&'static str>>,
}

impl Wanted {
    pub fn columns(&mut self, columns: impl Iterator<Item = &'static str>) {
        self.columns = Some(columns.collect());
    }

    /// Only rows with one of `values` in `column`.
    pub fn only(&mut self, column: &str, values: Vec<&ScalarValue>) {
        let texts = || {
            let texts = values.iter().filter_map(|v| v.try_as_str().flatten());
            texts.map(str::to_owned).collect()
        };
        match column {
            "attrelid" => {
                let oids = values.iter().filter_map(|v| match v {
                    ScalarValue::Int64(Some(v)) => u32::try_from(*v).ok(),
                    _ => None,
                });
                self.oids = Some(oids.collect());
            }
            "table_schema" => self.schemas = Some(texts()),
            "table_name" => self.tables = Some(texts()),
            _ => {}
        }
    }

    fn class(&self, class: &Class) -> bool {
        let among = |names: &Option<Vec<String>>, name: &String| {
            names.as_ref().is_none_or(|names| names.contains(name))
        };
        self.oids
            .as_ref()
            .is_none_or(|oids| oids.contains(&class.oid))
            && among(&self.schemas, &class.schema)
            && among(&self.tables, &class.name)
    }

    fn column(&self, name: &str) -> bool {
        self.columns.as_ref().is_none_or(|c| c.contains(&name))
    }
}

/// Can it ever have a row?
pub(crate) fn has_rows(spec: &RelationSpec) -> bool {
    let names: &[&str] = if spec.schema == SCHEMAS[0] {
        &[
            "pg_am",
            "pg_attribute",
            "pg_auth_members",
            "pg_authid",
            "pg_cast",
            "pg_class",
            "pg_collation",
            "pg_cursors",
            "pg_database",
            "pg_description",
            "pg_group",
            "pg_language",
            "pg_namespace",
            "pg_opclass",
            "pg_operator",
            "pg_opfamily",
            "pg_prepared_statements",
            "pg_proc",
            "pg_range",
            "pg_roles",
            "pg_settings",
            "pg_shdescription",
            "pg_stat_activity",
            "pg_stat_database",
            "pg_tables",
            "pg_tablespace",
            "pg_timezone_names",
            "pg_type",
            "pg_user",
            "pg_views",
        ]
    } else {
        &[
            "applicable_roles",
            "character_sets",
            "collations",
            "columns",
            "enabled_roles",
            "information_schema_catalog_name",
            "role_table_grants",
            "schemata",
            "table_privileges",
            "tables",
            "views",
        ]
    };
    names.contains(&spec.name)
}

/// # Errors
/// `XX000` if the view is not among the relations.
pub(crate) fn time_zones() -> Result<RecordBatch> {
    let spec = data::relation(SCHEMAS[0], "pg_timezone_names");
    let spec = spec.ok_or_else(|| Error::internal("pg_timezone_names is not there"))?;
    let mut rows = Rows::of(spec);
    fixed::time_zones(&mut rows);
    rows.finish()
}

/// # Errors
/// Those of the catalog's source, if it is asked.
pub(crate) async fn rows(
    spec: &'static RelationSpec,
    catalog: &str,
    snapshot: &Snapshot,
    wanted: &Wanted,
) -> Result<RecordBatch> {
    let mut rows = Rows::of(spec);
    if spec.schema != SCHEMAS[0] {
        match spec.name {
            "character_sets" => information::character_sets(&mut rows, catalog),
            "collations" => information::collations(&mut rows, catalog),
            "applicable_roles" => information::applicable_roles(&mut rows, snapshot),
            "role_table_grants" | "table_privileges" => {
                information::table_privileges(&mut rows, catalog, snapshot);
            }
            "enabled_roles" => information::enabled_roles(&mut rows, snapshot),
            "columns" => information::columns(&mut rows, catalog, snapshot, wanted).await?,
            "information_schema_catalog_name" => rows.push([("catalog_name", catalog.into())]),
            "schemata" => information::schemata(&mut rows, catalog, snapshot).await?,
            "tables" => information::tables(&mut rows, catalog, snapshot).await?,
            "views" => information::views(&mut rows, catalog, snapshot).await?,
            _ => {}
        }
        return rows.finish();
    }
    match spec.name {
        "pg_attribute" => classes::attributes(&mut rows, catalog, snapshot, wanted).await?,
        "pg_class" => classes::classes(&mut rows, catalog, snapshot, wanted).await?,
        "pg_description" => classes::descriptions(&mut rows, catalog, snapshot).await?,
        "pg_namespace" => classes::namespaces(&mut rows, catalog, snapshot).await?,
        "pg_tables" => classes::tables(&mut rows, catalog, snapshot).await?,
        "pg_views" => classes::views(&mut rows, catalog, snapshot).await?,
        "pg_am" | "pg_cast" | "pg_opclass" | "pg_operator" | "pg_opfamily" | "pg_range" => {
            data::rows(spec.name).for_each(|cells| rows.push_text(&cells));
        }
        "pg_cursors" => sessions::cursors(&mut rows, snapshot),
        "pg_prepared_statements" => sessions::prepared_statements(&mut rows, snapshot),
        "pg_stat_activity" => sessions::activity(&mut rows, snapshot),
        "pg_stat_database" => sessions::databases(&mut rows, snapshot),
        "pg_collation" => fixed::collations(&mut rows),
        "pg_language" => fixed::languages(&mut rows),
        "pg_tablespace" => fixed::tablespaces(&mut rows),
        "pg_timezone_names" => fixed::time_zones(&mut rows),
        "pg_type" => fixed::types(&mut rows),
        "pg_database" => server::databases(&mut rows, snapshot),
        "pg_proc" => server::procedures(&mut rows, snapshot),
        "pg_auth_members" => server::memberships(&mut rows, snapshot),
        "pg_group" => server::groups(&mut rows, snapshot),
        "pg_authid" => server::logins(&mut rows, snapshot),
        "pg_roles" => server::roles(&mut rows, snapshot),
        "pg_settings" => server::settings(&mut rows, snapshot),
        "pg_shdescription" => server::descriptions(&mut rows, snapshot),
        "pg_user" => server::users(&mut rows, snapshot),
        _ => {}
    }
    rows.finish()
}
