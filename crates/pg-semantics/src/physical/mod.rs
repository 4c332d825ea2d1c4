//! DataFusion's physical optimizer, with guards around the rules that change an answer.
//!
//! [`same_names`] keeps filters from going by a column's name where two have the same,
//! [`pinned`] keeps what can fail above the filter that it stands on, [`missing_sorts`] puts a sort
//! where one was lost, [`forget`] hides what is known of rows where it would mislead, [`distinct`]
//! counts distinct values.

mod distinct;
mod forget;
mod missing_sorts;
mod pinned;
mod same_names;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;

use forget::Forgetting;
use missing_sorts::MissingSorts;
use pinned::Pinned;

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// DataFusion's rules in their order, guarded.
pub(crate) fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for rule in PhysicalOptimizer::new().rules {
        match rule.name() {
            "aggregate_statistics" => rules.push(unless(distinct::is_there, rule)),
            "ProjectionPushdown" => rules.push(Arc::new(Pinned(rule))),
            name if name.starts_with("FilterPushdown") => {
                rules.push(unless(same_names::are_there, rule));
            }
            // Behind the choice of the sides of joins, and before what is said of their rows is used.
            "EnsureRequirements" => rules.extend([Arc::new(Forgetting) as Rule, rule]),
            // Behind the rules that move operators, and before the one that ties filters of joins
            // to the scans below them.
            "EnsureCooperative" => rules.extend([Arc::new(MissingSorts) as Rule, rule]),
            _ => rules.push(rule),
        }
    }
    rules
}

type Finding = fn(&Arc<dyn ExecutionPlan>) -> Result<bool>;

/// A rule that is left out for plans in which something is found.
#[derive(Debug)]
struct Unless {
    rule: Rule,
    found: Finding,
}

fn unless(found: Finding, rule: Rule) -> Rule {
    Arc::new(Unless { rule, found })
}

impl PhysicalOptimizerRule for Unless {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn schema_check(&self) -> bool {
        self.rule.schema_check()
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if (self.found)(&plan)? {
            return Ok(plan);
        }
        self.rule.optimize(plan, config)
    }
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
        assert_eq!(count("Pinned("), 2);
        // The statistics of aggregates, and two rules that push filters down.
        assert_eq!(count("Unless "), 3);
        assert_eq!(count("MissingSorts"), 1);
        assert_eq!(count("Forgetting"), 1);
    }
}
