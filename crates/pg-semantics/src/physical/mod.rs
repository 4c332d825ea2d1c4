//! DataFusion's physical optimizer, with guards around the rules that change an answer.
//!
//! [`same_names`] keeps filters from going by a column's name where two have the same,
//! [`pinned`] keeps what can fail above the filter that it stands on, [`missing_sorts`] puts a sort
//! where one was lost, [`distinct`] counts distinct values.

mod distinct;
mod missing_sorts;
mod pinned;
mod same_names;

use std::sync::Arc;

use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

use distinct::UnlessDistinct;
use missing_sorts::MissingSorts;
use pinned::Pinned;
use same_names::UnlessSameNames;

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// DataFusion's rules in their order, guarded.
pub(crate) fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for rule in PhysicalOptimizer::new().rules {
        match rule.name() {
            "aggregate_statistics" => rules.push(Arc::new(UnlessDistinct(rule))),
            "ProjectionPushdown" => rules.push(Arc::new(Pinned(rule))),
            name if name.starts_with("FilterPushdown") => {
                rules.push(Arc::new(UnlessSameNames(rule)));
            }
            // Behind the rules that move operators, and before the one that ties filters of joins
            // to the scans below them.
            "EnsureCooperative" => rules.extend([Arc::new(MissingSorts) as Rule, rule]),
            _ => rules.push(rule),
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rules_that_are_guarded_are_there() {
        let names: Vec<String> = super::rules()
            .iter()
            .map(|rule| format!("{rule:?}"))
            .collect();
        let count = |of: &str| names.iter().filter(|name| name.starts_with(of)).count();
        assert_eq!(count("UnlessDistinct("), 1);
        assert_eq!(count("Pinned("), 2);
        assert_eq!(count("UnlessSameNames("), 2);
        assert_eq!(count("MissingSorts"), 1);
    }
}
