//! The store under what can happen to it: a second writer, an older and a newer server, a death in
//! the middle of a migration.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

const ONE: &str = "CREATE TABLE thing (name TEXT NOT NULL PRIMARY KEY) STRICT";
const TWO: &str = "ALTER TABLE thing ADD COLUMN doc TEXT; INSERT INTO thing VALUES ('seed', 'x')";
const V1: &[Domain] = &[Domain {
    name: "things",
    migrations: &[ONE],
}];
const V2: &[Domain] = &[Domain {
    name: "things",
    migrations: &[ONE, TWO],
}];
/// Set for the process that holds a store while another one wants it.
const HOLDER: &str = "METASTORE_TEST_HOLD";

fn add(store: &Metastore, name: &str) -> Result<usize> {
    store.write(|t| t.execute("INSERT INTO thing (name) VALUES (?1)", &[Some(name)]))
}

fn names(store: &Metastore) -> Vec<Option<String>> {
    let rows = store.read(|t| t.rows("SELECT name FROM thing ORDER BY name", &[]));
    rows.unwrap().into_iter().map(|mut r| r.remove(0)).collect()
}

fn some(names: &[&str]) -> Vec<Option<String>> {
    names.iter().map(|n| Some((*n).to_owned())).collect()
}

#[test]
fn what_was_committed_is_there_again_and_what_failed_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = Metastore::open(dir.path(), V1).unwrap();
    add(&store, "a").unwrap();
    let failed = store.write(|t| {
        t.execute("INSERT INTO thing (name) VALUES ('b')", &[])?;
        Err::<(), _>(Error::internal("no"))
    });
    assert!(failed.is_err());
    // A statement that fails leaves nothing of its transaction either.
    assert_eq!(add(&store, "a").unwrap_err().sqlstate().code(), "XX000");
    drop(store);
    let store = Metastore::open(dir.path(), V1).unwrap();
    assert_eq!(names(&store), some(&["a"]));
}

#[test]
fn it_writes_through_to_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = Metastore::open(dir.path(), V1).unwrap();
    let pragma = |name: &str| -> String {
        let connection = store.connection.lock();
        let value: Value = connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
            .unwrap();
        text(value).unwrap()
    };
    assert_eq!(pragma("journal_mode"), "wal");
    assert_eq!(pragma("synchronous"), "2");
    assert_eq!(pragma("foreign_keys"), "1");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(store.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_migration_that_was_interrupted_is_done_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Metastore::open(dir.path(), V1).unwrap();
    add(&store, "a").unwrap();
    // What a death in the middle of the second migration leaves on the disk: pages of a
    // transaction without its commit. A cache of one page sends them to the log at once.
    let image = tempfile::tempdir().unwrap();
    {
        let mut connection = store.connection.lock();
        connection.pragma_update(None, "cache_size", 1).unwrap();
        let transaction = connection.transaction().unwrap();
        transaction.execute_batch(TWO).unwrap();
        transaction
            .execute_batch(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                 INSERT INTO thing SELECT 'torn' || i, hex(zeroblob(100)) FROM n",
            )
            .unwrap();
        for file in [FILE, "metastore.db-wal"] {
            std::fs::copy(dir.path().join(file), image.path().join(file)).unwrap();
        }
    }
    let wal = std::fs::metadata(image.path().join("metastore.db-wal")).unwrap();
    assert!(
        wal.len() > 100_000,
        "nothing of the transaction was written"
    );
    let store = Metastore::open(image.path(), V2).unwrap();
    assert_eq!(names(&store), some(&["a", "seed"]));
}

/// What a death in the middle of writing the log leaves: each of its beginnings, and a beginning
/// with a page that was written half.
#[test]
fn a_torn_log_gives_what_was_committed_before_the_tear() {
    const ROWS: usize = 12;
    const STEP_BYTES: usize = 2500;
    let dir = tempfile::tempdir().unwrap();
    let store = Metastore::open(dir.path(), V1).unwrap();
    let all: Vec<String> = (0..ROWS).map(|n| format!("row {n:02}")).collect();
    for name in &all {
        add(&store, name).unwrap();
    }
    let base = std::fs::read(dir.path().join(FILE)).unwrap();
    let log = std::fs::read(dir.path().join("metastore.db-wal")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for length in (0..=log.len()).step_by(STEP_BYTES).chain([log.len()]) {
        for torn in [false, true] {
            let mut log = log[..length].to_vec();
            if torn {
                let from = length.saturating_sub(100);
                log[from..].fill(0xAA);
            }
            let image = tempfile::tempdir().unwrap();
            std::fs::write(image.path().join(FILE), &base).unwrap();
            std::fs::write(image.path().join("metastore.db-wal"), log).unwrap();
            let store = Metastore::open(image.path(), V1).unwrap();
            let found = names(&store);
            let wanted: Vec<_> = all.iter().take(found.len()).cloned().map(Some).collect();
            assert_eq!(found, wanted, "the first {length} bytes, torn: {torn}");
            seen.insert(found.len());
            // It goes on from there.
            add(&store, "row next").unwrap();
        }
    }
    assert!(seen.len() > ROWS / 2, "only {seen:?} rows were seen");
    assert!(seen.contains(&ROWS), "the whole log has all rows");
}

#[test]
fn a_migration_that_fails_leaves_the_version_before() {
    const BROKEN: &[Domain] = &[Domain {
        name: "things",
        migrations: &[
            ONE,
            "ALTER TABLE thing ADD COLUMN doc TEXT; INSERT INTO nothing VALUES (1)",
        ],
    }];
    let dir = tempfile::tempdir().unwrap();
    let error = Metastore::open(dir.path(), BROKEN).unwrap_err();
    assert!(
        error.message().starts_with("migration 2 of \"things\""),
        "{error}"
    );
    let store = Metastore::open(dir.path(), V2).unwrap();
    assert_eq!(names(&store), some(&["seed"]));
}

#[test]
fn a_newer_servers_store_is_refused_and_an_older_ones_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    drop(Metastore::open(dir.path(), V1).unwrap());
    drop(Metastore::open(dir.path(), V2).unwrap());
    let error = Metastore::open(dir.path(), V1).unwrap_err();
    assert_eq!(error.sqlstate().code(), "55000");
    assert!(
        error
            .message()
            .contains("\"things\" has version 2, this server knows 1"),
        "{error}"
    );
    assert!(error.message().contains(FILE), "{error}");
}

#[test]
fn a_file_that_is_none_of_ours_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), "this is no database, it is a text").unwrap();
    let error = Metastore::open(dir.path(), V1).unwrap_err();
    assert_eq!(error.sqlstate().code(), "XX001", "{error}");
    assert!(error.message().contains(FILE), "{error}");
}

#[test]
fn a_reader_sees_what_the_writer_committed_and_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Metastore::open(dir.path(), V1).unwrap();
    add(&writer, "a").unwrap();
    let reader = Metastore::open_read_only(dir.path(), V1).unwrap();
    assert_eq!(names(&reader), some(&["a"]));
    assert_eq!(add(&reader, "b").unwrap_err().sqlstate().code(), "25006");
    let error = Metastore::open_read_only(dir.path(), V2).unwrap_err();
    assert_eq!(error.sqlstate().code(), "55000");
}

/// The other process of the next test.
#[test]
fn holder() {
    let Some(dir) = std::env::var_os(HOLDER) else {
        return;
    };
    let _store = Metastore::open(Path::new(&dir), V1).unwrap();
    println!("\nheld");
    // Until the other side closes the pipe, or kills this process.
    let _ = std::io::stdin().lines().count();
}

#[test]
fn a_second_process_is_told_and_a_killed_one_leaves_no_lock() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::holder", "--nocapture"])
        .env(HOLDER, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|l| l.unwrap() == "held"));
    let error = Metastore::open(dir.path(), V1).unwrap_err();
    assert_eq!(error.sqlstate().code(), "55006");
    assert!(error.message().contains(FILE), "{error}");
    assert!(
        error.message().contains(&child.id().to_string()),
        "{error} names process {}",
        child.id()
    );
    assert!(error.hint().is_some());
    child.kill().unwrap();
    child.wait().unwrap();
    Metastore::open(dir.path(), V1).unwrap();
}
