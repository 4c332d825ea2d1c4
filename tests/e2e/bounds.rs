//! Limits: what is too deep, too long or too large ends with its SQLSTATE, never with a panic.

use inflowave_config::Limits;
use inflowave_query_api::QueryService;

use crate::server::{self, texts};

#[test]
fn deep_and_long_statements_meet_their_limits() {
    // As much as the server gives the threads that hold statements.
    let thread = std::thread::Builder::new().stack_size(16 << 20);
    thread.spawn(deep_and_long).unwrap().join().unwrap();
}

fn deep_and_long() {
    server::run(async {
        let service = server::service(Vec::new()).await.unwrap();
        let mut session = server::session(service.as_ref(), "inflowave").await;
        let deep = format!("select {}1{}", "(".repeat(10_000), ")".repeat(10_000));
        let error = texts(session.as_mut(), &deep).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "54001");
        let not = format!("select {} true", "not ".repeat(10_000));
        let error = texts(session.as_mut(), &not).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "54001");
        let long = format!("select '{}'", "x".repeat(64 << 20));
        let error = texts(session.as_mut(), &long).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "54000");
        // A chain is no nesting to the parser; it runs, or it is refused as too deep.
        for length in [500, 10_000] {
            let chain = format!("select 1{}", " + 1".repeat(length));
            match texts(session.as_mut(), &chain).await {
                Ok(rows) => assert_eq!(rows[0][0].as_deref(), Some(&*(length + 1).to_string())),
                Err(error) => assert_eq!(error.sqlstate().code(), "54001"),
            }
        }
        // What makes a deep tree without brackets: it runs, or it is refused; the server stays.
        let repeated = |piece: &str, n: usize| piece.repeat(n);
        for n in [200, 2_000, 20_000] {
            for statement in [
                format!("select 1{}", repeated("::int", n)),
                format!("select 1{}", repeated(" union all select 1", n)),
                format!("select {}'1 day'", repeated("interval ", n)),
                format!("{}select 1", repeated("explain ", n)),
                format!("{}select 1", repeated("prepare a as ", n)),
                format!("select 1{}", repeated(" is null", n)),
                format!("select '{{}}'::jsonb{}", repeated(" -> 'a'", n)),
                format!("select 'a'{}", repeated(" like 'a'", n)),
                format!("select now(){}", repeated(" at time zone 'UTC'", n)),
                format!("select null::int{}", repeated("[]", n)),
                format!("select 1{}", repeated(" ^ 1", n)),
            ] {
                if let Err(error) = texts(session.as_mut(), &statement).await {
                    let code = error.sqlstate();
                    let told = [
                        "54001", "54000", "42601", "42883", "42804", "0A000", "42846",
                    ];
                    let start = &statement[..60];
                    assert!(told.contains(&code.code()), "{code} of {n}: {start}");
                }
            }
        }
        // The session goes on.
        assert_eq!(texts(session.as_mut(), "select 1").await.unwrap().len(), 1);
    });
}

/// Widths that the rows give: neither one text nor those of a batch of rows take the memory.
#[test]
fn padded_texts_meet_their_limits() {
    server::run(async {
        let service = server::service(Vec::new()).await.unwrap();
        let mut session = server::session(service.as_ref(), "inflowave").await;
        let padded = |text: &str, rows: i64| {
            format!("select sum(length({text})) from generate_series(1, {rows}) g")
        };
        let format = |width: i64| format!("format('%*s', {width} + g - g, g)");
        for text in [
            format,
            |width| format!("repeat('x', ({width} + g - g)::int)"),
            |width| format!("lpad('x', ({width} + g - g)::int)"),
            |width| format!("rpad('x', ({width} + g - g)::int, 'ab')"),
            |width| {
                let made = "repeat('a', 1024 + (g - g)::int)";
                format!("replace({made}, 'a', repeat('b', {}))", width / 1024)
            },
        ] {
            for (width, rows) in [(17 << 20, 1), (1 << 20, 100)] {
                let sql = padded(&text(width), rows);
                let error = texts(session.as_mut(), &sql).await.unwrap_err();
                assert_eq!(error.sqlstate().code(), "54000", "{sql}");
            }
        }
        let rows = texts(session.as_mut(), &padded(&format(1 << 20), 20))
            .await
            .unwrap();
        assert_eq!(rows[0][0].as_deref(), Some(&*(20 << 20).to_string()));
    });
}

#[test]
fn a_sort_larger_than_memory_spills_and_one_larger_than_the_disk_limit_says_so() {
    let sort = "select count(*), max(value), max(t) from (select value, cast(value as text) as t \
                from generate_series(1, 2500000) g(value) order by t desc offset 1) s";
    let small = Limits {
        memory_bytes_max: 64 << 20,
        ..Limits::default()
    };
    let tiny_disk = Limits {
        spill_bytes_max: 1 << 20,
        ..small.clone()
    };
    server::run(async {
        let engine = server::engine(small).unwrap();
        let mut session = server::session(&engine, "inflowave").await;
        let rows = texts(session.as_mut(), sort).await.unwrap();
        assert_eq!(rows[0][0].as_deref(), Some("2499999"));
        let engine = server::engine(tiny_disk).unwrap();
        let mut session = server::session(&engine as &dyn QueryService, "inflowave").await;
        let error = texts(session.as_mut(), sort).await.unwrap_err();
        assert!(
            ["53100", "53200"].contains(&error.sqlstate().code()),
            "{error:?}"
        );
    });
}
