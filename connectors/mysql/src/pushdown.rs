//! What this source refuses before the dialect is asked.

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::Expr;
use inflowave_connector_api::{Scope, Support};

use crate::types::collation_name;

/// The reason why `expr` stays here, if only the columns' collations show it.
///
/// MariaDB 10.11 answers `utf8mb3_column = '😀'` with error 1267 (illegal mix of collations): a
/// character beyond U+FFFF cannot be converted to the column's character set. The comparison is
/// false here, so it must not fail there.
pub fn native_support(expr: &Expr, scope: &Scope) -> Support {
    let (mut narrow, mut beyond) = (false, false);
    let visited = expr.apply(|e| {
        match e {
            Expr::Column(column) => {
                let native = scope.column(column).and_then(|facts| facts.column());
                narrow |= native
                    .and_then(|c| collation_name(&c.native_type))
                    .is_some_and(|name| name.starts_with("utf8mb3_") || name.starts_with("utf8_"));
            }
            Expr::Literal(value, _) => {
                if let Some(Some(text)) = value.try_as_str() {
                    beyond |= text.chars().any(|c| u32::from(c) > 0xFFFF);
                }
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "the visitor never fails");
    if narrow && beyond {
        return Support::no("a utf8mb3 column cannot be compared with this text at the source");
    }
    Support::Exact
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use datafusion_common::DFSchema;
    use datafusion_expr::{col, lit};
    use inflowave_connector_api::{
        ColumnFacts, OpenContext, Params, RemoteTable, TableName, TableStatistics,
    };
    use inflowave_types::Secret;

    use super::*;
    use crate::types::{Mapping, SourceColumn};

    fn scope(collation: &str) -> Scope {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let given = [("url".to_owned(), Secret::new("mysql://127.0.0.1:1/d"))];
        let context = OpenContext {
            catalog: "c".to_owned(),
            io: runtime.handle().clone(),
            base_dir: PathBuf::new(),
        };
        let params = Params::check(crate::params::SPECS, given).unwrap();
        let column = SourceColumn {
            name: "a".to_owned(),
            data_type: "varchar".to_owned(),
            column_type: "varchar(9)".to_owned(),
            characters: Some(9),
            charset: collation.split('_').next().map(str::to_owned),
            collation: Some(collation.to_owned()),
            ..SourceColumn::default()
        };
        let table = Arc::new(RemoteTable {
            source: Arc::new(crate::MySqlSource::new(&params, context).unwrap()),
            catalog: "c".to_owned(),
            name: TableName {
                schema: "d".to_owned(),
                table: "t".to_owned(),
            },
            columns: vec![column.mapped(Mapping::default()).unwrap()],
            statistics: TableStatistics::default(),
        });
        let column = &table.columns[0];
        Scope {
            schema: Arc::new(DFSchema::try_from(table.schema()).unwrap()),
            facts: vec![ColumnFacts {
                data_type: column.field.data_type().clone(),
                nullable: true,
                collation: column.collation,
                origin: Some((Arc::clone(&table), 0)),
            }],
        }
    }

    #[test]
    fn a_narrow_column_never_meets_a_wide_character() {
        let ask = |collation: &str, text: &str| {
            native_support(&col("a").eq(lit(text)), &scope(collation)).is_exact()
        };
        assert!(ask("utf8mb3_general_ci", "łąka"));
        assert!(!ask("utf8mb3_general_ci", "😀"));
        assert!(!ask("utf8mb3_nopad_bin", "a😀"));
        assert!(ask("utf8mb4_general_ci", "😀"));
    }
}
