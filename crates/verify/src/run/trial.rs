//! One query asked of both sides, and what its answers come to.

use crate::compare::{Answer, Failure, Rule, Verdict, compare};
use crate::generate::{Against, Query, Universe, render, rule};
use crate::{Rows, Value};

use super::side::{Asked, Asker, Side};

/// Asks both sides, of one state of each source that has such a thing.
pub(super) struct Pair<'a> {
    pub asker: Asker<'a>,
}

/// What came of one query.
pub(super) enum Trial {
    Same {
        /// There was at least one row.
        rows: bool,
    },
    /// Both failed with one SQLSTATE.
    FailedAlike(Failure),
    /// One failed, and why that is right.
    Allowed(&'static str),
    /// There is nothing to compare, and why.
    NotCompared(String),
    /// A source did not answer.
    SourceFailed(Failure),
    /// The answers did not come out the same when asked again: the tables changed, or the answer
    /// is not one.
    Unsettled,
    Different(Box<Different>),
}

/// Two answers that differ, twice.
pub struct Different {
    pub pushed: Answer,
    pub local: Answer,
    /// Where, for a person.
    pub difference: String,
}

/// What the source of a query was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// More than columns.
    Pushed,
    /// Columns only.
    ColumnsOnly,
    /// No source that runs queries has a part in it.
    None,
}

enum Compared {
    Verdict(Verdict),
    /// There is nothing to compare, and why.
    Nothing(String),
    SourceFailed(Failure),
}

impl Pair<'_> {
    /// Asks both sides; where they differ, local, pushed and local again.
    pub async fn trial(&mut self, query: &Query, universe: &Universe) -> Trial {
        if let Err(error) = self.asker.freeze().await {
            return Trial::SourceFailed(error.into());
        }
        let trial = self.compared(query, universe).await;
        match self.asker.thaw().await {
            Ok(()) => trial,
            Err(error) => Trial::SourceFailed(error.into()),
        }
    }

    async fn compared(&mut self, query: &Query, universe: &Universe) -> Trial {
        let rule = rule(query, Against::Ourselves);
        let name = |n: usize| universe.tables()[n].path();
        let sql = render(query, &name);
        let pushed = self.asker.ask(Side::Pushed, &sql).await;
        let local = self.asker.ask(Side::Local, &sql).await;
        let whole = match (&pushed, &local, rule.any_rows) {
            (Asked::Answer(Ok(_)), Asked::Answer(Ok(_)), true) => self.whole(query, &name).await,
            _ => None,
        };
        match compared(&pushed, &local, &rule, whole.as_ref()) {
            Compared::Verdict(Verdict::Same) => match pushed {
                Asked::Answer(Err(failure)) => Trial::FailedAlike(failure),
                Asked::Answer(Ok(rows)) => Trial::Same {
                    rows: !rows.rows.is_empty(),
                },
                Asked::Stopped(why) => Trial::NotCompared(why.to_owned()),
            },
            Compared::Verdict(Verdict::Allowed(why)) => Trial::Allowed(why),
            Compared::Nothing(why) => Trial::NotCompared(why),
            Compared::SourceFailed(failure) => Trial::SourceFailed(failure),
            Compared::Verdict(Verdict::Different(_)) => self.again(query, &rule, &name).await,
        }
    }

    /// The question of a difference: does it stand while the tables do? Those of a source that has
    /// no snapshots can change meanwhile, and an answer can be another each time.
    async fn again(&mut self, query: &Query, rule: &Rule, name: &dyn Fn(usize) -> String) -> Trial {
        let sql = render(query, name);
        let before = self.asker.ask(Side::Local, &sql).await;
        let whole = match rule.any_rows {
            true => self.whole(query, name).await,
            false => None,
        };
        let pushed = self.asker.ask(Side::Pushed, &sql).await;
        let after = self.asker.ask(Side::Local, &sql).await;
        let settled = compared(&before, &after, rule, whole.as_ref());
        if !matches!(settled, Compared::Verdict(Verdict::Same)) {
            return Trial::Unsettled;
        }
        match compared(&pushed, &after, rule, whole.as_ref()) {
            Compared::Verdict(Verdict::Different(difference)) => match (pushed, after) {
                (Asked::Answer(pushed), Asked::Answer(local)) => {
                    Trial::Different(Box::new(Different {
                        pushed,
                        local,
                        // The sides of a comparison have our names for them.
                        difference: difference
                            .0
                            .replace("only left ", "only pushed")
                            .replace("only right", "only local ")
                            .replace("left:  ", "pushed: ")
                            .replace("right: ", "local:  "),
                    }))
                }
                _ => Trial::Unsettled,
            },
            Compared::Nothing(why) => Trial::NotCompared(why),
            Compared::SourceFailed(failure) => Trial::SourceFailed(failure),
            Compared::Verdict(_) => Trial::Unsettled,
        }
    }

    /// The local answer without the limit: which rows an unsorted one takes is open, but they are
    /// rows of the query.
    async fn whole(&mut self, query: &Query, name: &dyn Fn(usize) -> String) -> Option<Rows> {
        let unlimited = Query {
            limit: None,
            offset: None,
            order_by: Vec::new(),
            ..query.clone()
        };
        match self.asker.ask(Side::Local, &render(&unlimited, name)).await {
            Asked::Answer(answer) => answer.ok(),
            Asked::Stopped(_) => None,
        }
    }

    /// What was pushed of a query; `None` for one that is refused whole.
    pub async fn work(&mut self, sql: &str) -> Option<Work> {
        let fragments = self.fragments(sql).await.ok()?;
        // The columns are named first; what else is pushed stands behind them.
        Some(match fragments.iter().any(|f| f.pushed.contains("; ")) {
            true => Work::Pushed,
            false if fragments.is_empty() => Work::None,
            false => Work::ColumnsOnly,
        })
    }

    /// What each source was sent for a query, with the source's catalog.
    pub async fn remote(&mut self, sql: &str) -> Vec<(String, String)> {
        let fragments = self.fragments(sql).await.unwrap_or_default();
        fragments.into_iter().map(|f| (f.source, f.sent)).collect()
    }

    /// The remote queries that `EXPLAIN (FEDERATION)` has of a query.
    async fn fragments(&mut self, sql: &str) -> inflowave_types::Result<Vec<Fragment>> {
        let text = |value: Option<&Value>| match value {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let explain = format!("EXPLAIN (FEDERATION) {sql}");
        let mut fragments = Vec::new();
        // Its first columns are the source, the remote query and what was pushed.
        let mut each = |row: &[Value]| {
            if let Some(sent) = text(row.get(1)) {
                fragments.push(Fragment {
                    source: text(row.first()).unwrap_or_default(),
                    sent,
                    pushed: text(row.get(2)).unwrap_or_default(),
                });
            }
        };
        self.asker
            .rows(&explain, EXPLAIN_ROWS_MAX, &mut each)
            .await?;
        Ok(fragments)
    }
}

/// A remote query.
struct Fragment {
    source: String,
    sent: String,
    pushed: String,
}

/// Fragments and refusals of one query that anybody reads.
const EXPLAIN_ROWS_MAX: usize = 1000;

fn compared(pushed: &Asked, local: &Asked, rule: &Rule, whole: Option<&Rows>) -> Compared {
    let answer = |asked: &Asked| match asked {
        Asked::Answer(Err(failure)) => Some(failure.clone()),
        _ => None,
    };
    for failure in [answer(pushed), answer(local)].into_iter().flatten() {
        if source_failed(&failure) {
            return Compared::SourceFailed(failure);
        }
    }
    match (pushed, local) {
        (Asked::Stopped(why), _) | (_, Asked::Stopped(why)) => Compared::Nothing((*why).to_owned()),
        (Asked::Answer(a), Asked::Answer(b)) => match compare(a, b, rule, whole) {
            // A limit of ours that one way meets and the other does not, named in the README.
            Verdict::Different(_) if [a, b].into_iter().any(is_too_long_a_number) => {
                Compared::Nothing("a numeric of more than 38 digits".to_owned())
            }
            verdict => Compared::Verdict(verdict),
        },
    }
}

/// A source that is not there, or that sends us away: nothing of the query.
fn source_failed(failure: &Failure) -> bool {
    ["08", "28", "53", "57", "58"]
        .iter()
        .any(|class| failure.sqlstate.starts_with(class))
}

fn is_too_long_a_number(answer: &Answer) -> bool {
    matches!(answer, Err(failure) if failure.sqlstate == "22003"
        && failure.message == "value overflows numeric format")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(sqlstate: &str) -> Asked {
        Asked::Answer(Err(Failure {
            sqlstate: sqlstate.to_owned(),
            message: "m".to_owned(),
        }))
    }

    fn empty() -> Asked {
        Asked::Answer(Ok(Rows {
            columns: Vec::new(),
            rows: Vec::new(),
        }))
    }

    #[test]
    fn a_source_that_is_gone_is_no_difference_and_an_error_of_the_query_is_one() {
        let rule = Rule::default();
        let verdict = |a: &Asked, b: &Asked| compared(a, b, &rule, None);
        assert!(matches!(
            verdict(&failure("08006"), &empty()),
            Compared::SourceFailed(_)
        ));
        assert!(matches!(
            verdict(&empty(), &failure("57014")),
            Compared::SourceFailed(_)
        ));
        assert!(matches!(
            verdict(&failure("0A000"), &empty()),
            Compared::Verdict(Verdict::Different(_))
        ));
        assert!(matches!(
            verdict(&Asked::Stopped("slow"), &empty()),
            Compared::Nothing(_)
        ));
        assert!(matches!(
            verdict(&empty(), &empty()),
            Compared::Verdict(Verdict::Same)
        ));
    }
}
