//! Trials and runs against a server that answers what a test says, in the order in which it is
//! asked.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::FieldRef;
use async_trait::async_trait;
use inflowave_query_api::{
    CursorView, Description, NamedStatement, Parameters, Portal, Prepared, QueryService, Session,
    SessionStart, Statement, TransactionStatus,
};
use inflowave_types::{Error, QueryId, Result, SessionId, SqlState};

use super::*;
use crate::generate::ast::Ty;
use crate::table::{Keep, Learner};

/// What one statement gets.
#[derive(Debug, Clone)]
enum Reply {
    Numbers(Vec<i64>),
    Fails(SqlState),
    /// Nothing, for ever.
    Hangs,
}

/// What each side answers to queries, in order; the last reply again and again.
#[derive(Default)]
struct Script {
    pushed: VecDeque<Reply>,
    local: VecDeque<Reply>,
}

#[derive(Clone)]
struct Scripted(Arc<Mutex<Script>>);

impl Scripted {
    fn new(pushed: &[Reply], local: &[Reply]) -> Scripted {
        Scripted(Arc::new(Mutex::new(Script {
            pushed: pushed.iter().cloned().collect(),
            local: local.iter().cloned().collect(),
        })))
    }
}

#[async_trait]
impl QueryService for Scripted {
    async fn open_session(&self, _: SessionStart) -> Result<Box<dyn Session>> {
        Ok(Box::new(ScriptedSession {
            script: self.clone(),
            pushed: true,
        }))
    }

    fn cancel(&self, _: SessionId, _: &[u8]) {}
}

struct ScriptedSession {
    script: Scripted,
    pushed: bool,
}

impl ScriptedSession {
    fn reply(&mut self, sql: &str) -> Result<Option<RecordBatch>> {
        let texts = |names: &[&str]| {
            let array: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
            RecordBatch::try_from_iter([("name", array)]).unwrap()
        };
        let numbers = |name: &str, values: Vec<i64>| {
            let array: ArrayRef = Arc::new(Int64Array::from(values));
            RecordBatch::try_from_iter([(name, array)]).unwrap()
        };
        if let Some(word) = sql.strip_prefix("SET inflowave.pushdown = ") {
            self.pushed = word == "on";
            return Ok(None);
        }
        let first = sql.split(' ').next().unwrap_or_default();
        if matches!(first, "BEGIN" | "SAVEPOINT" | "ROLLBACK") {
            return Ok(None);
        }
        Ok(Some(match sql {
            _ if sql.contains("system.runtime.sources") => texts(&["src"]),
            "SHOW CATALOGS" => texts(&["inflowave", "src", "system"]),
            "SHOW SCHEMAS FROM \"src\"" => texts(&["information_schema", "main"]),
            "SHOW TABLES FROM \"src\".\"main\"" => texts(&["t"]),
            _ if sql.starts_with("EXPLAIN") => texts(&[]),
            _ if sql.contains("\"id\"") || sql.starts_with("SELECT *") => {
                numbers("id", (0..20).collect())
            }
            _ => {
                let mut script = self.script.0.lock().unwrap();
                let side = match self.pushed {
                    true => &mut script.pushed,
                    false => &mut script.local,
                };
                let reply = match side.len() {
                    0 | 1 => side.front().cloned(),
                    _ => side.pop_front(),
                };
                match reply {
                    Some(Reply::Numbers(values)) => numbers("o0", values),
                    Some(Reply::Fails(sqlstate)) => return Err(Error::new(sqlstate, "it failed")),
                    Some(Reply::Hangs) | None => numbers("hangs", Vec::new()),
                }
            }
        }))
    }
}

#[async_trait]
impl Session for ScriptedSession {
    fn id(&self) -> SessionId {
        SessionId(1)
    }
    fn cancel_key(&self) -> [u8; 32] {
        [0; 32]
    }
    fn transaction_status(&self) -> TransactionStatus {
        TransactionStatus::Idle
    }
    fn reported_settings(&mut self) -> Vec<(String, String)> {
        Vec::new()
    }
    fn idle_timeout(&self) -> Option<std::time::Duration> {
        None
    }

    fn named(&self, _name: &str) -> Option<Arc<NamedStatement>> {
        None
    }

    fn keep(&mut self, _name: &str, _statement: NamedStatement) -> Result<()> {
        Ok(())
    }

    fn forget(&mut self, _name: &str) {}

    fn cursor(&self, _name: &str) -> Option<CursorView> {
        None
    }

    fn split(&self, sql: &str) -> Result<Vec<Statement>> {
        Ok(vec![Statement {
            sql: sql.to_owned(),
            offset: 0,
            parsed: Arc::new(()),
        }])
    }
    async fn describe(&mut self, _: &Statement, _: &[Option<FieldRef>]) -> Result<Description> {
        Err(Error::internal("nobody describes"))
    }
    async fn prepare(&mut self, statement: &Statement, _: Option<Parameters>) -> Result<Prepared> {
        let batch = self.reply(&statement.sql)?;
        Ok(Prepared {
            query_id: QueryId(1),
            schema: batch.as_ref().map(RecordBatch::schema),
            copy: None,
            binary: false,
            plan: Box::new(batch) as Box<dyn Any + Send>,
        })
    }
    async fn execute(&mut self, prepared: Prepared) -> Result<Box<dyn Portal>> {
        let batch = prepared.plan.downcast::<Option<RecordBatch>>().unwrap();
        if batch
            .as_ref()
            .as_ref()
            .is_some_and(|b| b.schema().field(0).name() == "hangs")
        {
            std::future::pending::<()>().await;
        }
        Ok(Box::new(ScriptedPortal(*batch)))
    }
    fn fail_transaction(&mut self) {}
}

struct ScriptedPortal(Option<RecordBatch>);

#[async_trait]
impl Portal for ScriptedPortal {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        Ok(self.0.take())
    }
    fn tag(&self) -> String {
        String::new()
    }
}

/// `SELECT t1.id AS o0 FROM t`, or another query whose answer has one column of numbers.
fn query(universe: &Universe) -> Query {
    let grammar = Grammar::default();
    (0..)
        .map(|seed| generate(universe, &grammar, seed))
        .find(|q| {
            let plain = q.limit.is_none() && q.offset.is_none() && q.order_by.is_empty();
            plain && q.width() == 1 && text(q, universe).len() < 80 && q.types() == [Ty::Int8]
        })
        .unwrap()
}

async fn trial<const P: usize, const L: usize>(pushed: [Reply; P], local: [Reply; L]) -> Trial {
    let mut learner = Learner::new([("n".to_owned(), Ty::Int8)], Keep::Sample);
    for n in 0..20 {
        learner.row(&[crate::Value::Int(n)]);
    }
    let universe = Universe::new(vec![Arc::new(learner.finish("src", "main", "t"))]);
    let service = Scripted::new(&pushed, &local);
    let mut pair = Pair {
        asker: Asker::new(&service, Duration::from_millis(50), 5),
    };
    pair.trial(&query(&universe), &universe).await
}

fn numbers(values: &[i64]) -> Reply {
    Reply::Numbers(values.to_vec())
}

#[tokio::test]
async fn a_difference_stands_only_while_the_tables_do() {
    let (one, two, three) = (numbers(&[1]), numbers(&[2]), numbers(&[3]));
    let same = trial([one.clone()], [one.clone()]).await;
    assert!(matches!(same, Trial::Same { rows: true }));
    // Pushed says 1 each time, local 2 each time.
    let Trial::Different(different) = trial([one.clone()], [two.clone()]).await else {
        panic!("no difference");
    };
    assert_eq!(
        different.difference,
        "1 rows against 1\nonly pushed: (1)\nonly local : (2)\n"
    );
    // The local answers before and after are not the same.
    let moved = trial([one.clone()], [two.clone(), two.clone(), three]).await;
    assert!(matches!(moved, Trial::Unsettled));
    // Asked again, the pushed answer is the local one.
    let gone = trial([one, two.clone()], [two]).await;
    assert!(matches!(gone, Trial::Unsettled));
}

#[tokio::test]
async fn what_is_too_slow_or_too_large_is_not_compared() {
    let (few, many) = (numbers(&[1]), numbers(&[1, 2, 3, 4, 5, 6]));
    let slow = trial([Reply::Hangs], [few.clone()]).await;
    assert!(matches!(slow, Trial::NotCompared(why) if why.contains("--query-timeout")));
    let large = trial([few.clone()], [many]).await;
    assert!(matches!(large, Trial::NotCompared(why) if why.contains("too many rows")));
    // It is told as it is: no finding, and no agreement.
    let failed = |state| Reply::Fails(state);
    let divided = [failed(SqlState::DivisionByZero)];
    let alike = trial(divided.clone(), divided).await;
    assert!(matches!(alike, Trial::FailedAlike(f) if f.sqlstate == "22012"));
    let gone = trial([failed(SqlState::ConnectionFailure)], [few]).await;
    assert!(matches!(gone, Trial::SourceFailed(f) if f.sqlstate == "08006"));
}

fn options(queries: u64) -> Options {
    Options {
        catalogs: Vec::new(),
        tables: Vec::new(),
        queries,
        seed: 1,
        rows_max: 100,
        time_limit: Duration::from_secs(60),
        query_timeout: Duration::from_secs(10),
        stop: Arc::default(),
    }
}

#[tokio::test]
async fn a_run_ends_when_a_source_keeps_failing_and_when_it_is_asked_to() {
    let service = Scripted::new(
        &[Reply::Fails(SqlState::ConnectionFailure)],
        &[numbers(&[1])],
    );
    let report = run(&service, &options(100), &mut |_| {}).await.unwrap();
    assert_eq!(report.ended, Ended::SourceFailed("it failed".to_owned()));
    assert_eq!(report.queries, FAILURES_IN_A_ROW_MAX as u64);
    assert_eq!(report.tables, [("src.main.t".to_owned(), 20)]);
    let asked = options(100);
    asked.stop.store(true, Ordering::Relaxed);
    let report = run(&service, &asked, &mut |_| {}).await.unwrap();
    assert_eq!((report.queries, report.ended), (0, Ended::Asked));
    let hurried = Options {
        time_limit: Duration::ZERO,
        ..options(100)
    };
    let error = run(&service, &hurried, &mut |_| {}).await.err().unwrap();
    assert!(
        error.detail().unwrap().contains("the time was over"),
        "{error:?}"
    );
}

fn table(catalog: &str, name: &str, columns: usize) -> Arc<Table> {
    let columns = (0..columns).map(|n| (format!("c{n}"), Ty::Int4));
    let mut learner = Learner::new(columns, Keep::Sample);
    for n in 0..10 {
        // The third column is the key.
        let row: Vec<crate::Value> = (0..40)
            .map(|c| crate::Value::Int(if c == 2 { n } else { 1 }))
            .collect();
        learner.row(&row);
    }
    Arc::new(learner.finish(catalog, "s", name))
}

#[test]
fn a_seed_chooses_few_tables_and_columns_the_same_each_time() {
    let tables: Vec<Arc<Table>> = (0..40)
        .map(|n| table(if n < 20 { "a" } else { "b" }, &format!("t{n}"), 30))
        .collect();
    let mut seen = std::collections::HashSet::new();
    for seed in 0..300 {
        let (once, again) = (universe(&tables, seed), universe(&tables, seed));
        let names = |u: &Universe| -> Vec<String> {
            let columns =
                |t: &Arc<Table>| t.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
            u.tables()
                .iter()
                .map(|t| format!("{} {:?}", t.path(), columns(t)))
                .collect()
        };
        assert_eq!(names(&once), names(&again));
        assert!(once.tables().len() <= TABLES_PER_QUERY_MAX);
        for table in once.tables() {
            assert_eq!(table.columns.len(), COLUMNS_PER_QUERY_MAX);
            assert_eq!((table.key, table.columns[0].name.as_str()), (Some(0), "c2"));
            seen.extend(
                table
                    .columns
                    .iter()
                    .map(|c| format!("{}.{}", table.name, c.name)),
            );
        }
    }
    assert!(
        seen.len() > 1_100,
        "{} of 1200 columns are ever asked of",
        seen.len()
    );
}
