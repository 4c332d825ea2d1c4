//! Every connector of this build.
//!
//! **Owns**: the list. **Never**: logic.
//! **Start reading at**: [`connectors`].

use std::sync::Arc;

use inflowave_connector_api::Connector;

/// The connectors, in the order of their names.
pub fn connectors() -> Vec<Arc<dyn Connector>> {
    vec![
        Arc::new(inflowave_files::FilesConnector),
        Arc::new(inflowave_mysql::MySqlConnector),
        Arc::new(inflowave_postgres::PostgresConnector),
        Arc::new(inflowave_sqlite::SqliteConnector),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_sorted_and_every_parameter_is_documented() {
        let all = super::connectors();
        let names: Vec<_> = all.iter().map(|c| c.descriptor().name).collect();
        assert_eq!(names, ["files", "mysql", "postgres", "sqlite"]);
        for connector in &all {
            for param in connector.descriptor().params {
                assert!(param.doc.ends_with('.'), "{}: {}", param.name, param.doc);
                assert!(!param.example.is_empty(), "{}", param.name);
            }
        }
    }
}
