//! Object stores on bad days: each fault of a server gives its error, within its limits.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::server::{Answer, Request, Server, file, part};
use super::*;

const SECRET: &str = "pl4nted-S3cret";

async fn opened(params: &[(&str, &str)]) -> Result<Arc<dyn Source>> {
    let given = params
        .iter()
        .map(|(n, v)| ((*n).to_owned(), Secret::new(*v)));
    let params = Params::check(FilesConnector.descriptor().params, given)?;
    let context = OpenContext {
        catalog: "lake".to_owned(),
        io: tokio::runtime::Handle::current(),
        base_dir: PathBuf::from("/nowhere"),
    };
    FilesConnector.open(params, context).await
}

/// A bucket behind a server, with few and short retries.
async fn bucket(server: &Server, path: &str, more: &[(&str, &str)]) -> Arc<dyn Source> {
    let mut params = vec![
        ("path", path),
        ("endpoint", server.url.as_str()),
        ("allow_http", "true"),
        ("access_key_id", "id"),
        ("secret_access_key", SECRET),
        ("retries_max", "2"),
    ];
    params.extend_from_slice(more);
    opened(&params).await.unwrap()
}

async fn web(server: &Server, name: &str, more: &[(&str, &str)]) -> Arc<dyn Source> {
    let path = format!("{}/{name}", server.url);
    let mut params = vec![("path", path.as_str()), ("retries_max", "2")];
    params.extend_from_slice(more);
    opened(&params).await.unwrap()
}

fn clean(error: &Error) {
    let all = format!("{error:?}");
    assert!(!all.contains(SECRET), "{all}");
    assert!(error.message().contains("\"lake\""), "{all}");
    assert!(error.hint().is_some_and(|h| h.ends_with('.')), "{all}");
}

fn xml(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>told {SECRET}</Message></Error>"
    );
    Answer::Full(status, Vec::new(), body.into_bytes())
}

fn parquet_bytes(value: i64) -> Vec<u8> {
    let column = ints((0..1000).map(|n| n + value));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    let mut bytes = Vec::new();
    let small = WriterProperties::builder()
        .set_max_row_group_row_count(Some(100))
        .build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(small)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn sum(batches: &[RecordBatch]) -> String {
    lines(batches).join(";")
}

#[tokio::test]
async fn a_server_that_recovers_is_asked_again() {
    let server = Server::start(|request, before| match before {
        0 | 1 => Answer::Full(503, Vec::new(), Vec::new()),
        _ => file(request, "1", b"a,b\n1,x\n"),
    })
    .await;
    let source = web(&server, "t.csv", &[]).await;
    assert_eq!(tables(&source).await, ["t"]);
    assert_eq!(server.count(), 3);
    assert_eq!(lines(&all(&source, "t").await.unwrap()), ["1,x"]);
}

#[tokio::test]
async fn retries_end() {
    let server = Server::start(|_, _| xml(503, "SlowDown")).await;
    let started = Instant::now();
    let source = bucket(&server, "s3://b/x/", &[]).await;
    let error = source.tables("files").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "08001", "{error:?}");
    assert!(error.message().contains("503 (SlowDown)"), "{error:?}");
    clean(&error);
    assert_eq!(server.count(), 3);
    // By time, too, whatever their number.
    let patient = [("retries_max", "100"), ("retry_timeout_s", "1")];
    let source = bucket(&server, "s3://b/x/", &patient[1..]).await;
    assert!(source.ping().await.is_err());
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_refusal_says_whose_fault_it_is_and_not_what_was_said() {
    let answers: [(u16, &str, &str, &str); 7] = [
        (403, "InvalidAccessKeyId", "28000", "did not accept"),
        (403, "SignatureDoesNotMatch", "28000", "did not accept"),
        (401, "", "28000", "did not accept"),
        (403, "AccessDenied", "42501", "denied"),
        (
            404,
            "NoSuchBucket",
            "08001",
            "bucket \"s3://b\" does not exist",
        ),
        (301, "PermanentRedirect", "HV000", "redirect"),
        (
            400,
            "AuthorizationHeaderMalformed",
            "HV000",
            "400 (AuthorizationHeaderMalformed)",
        ),
    ];
    for (status, code, state, text) in answers {
        let server = Server::start(move |_, _| xml(status, code)).await;
        let source = bucket(&server, "s3://b/x/", &[("session_token", SECRET)]).await;
        let error = source.tables("files").await.unwrap_err();
        assert_eq!(error.sqlstate().code(), state, "{code}: {error:?}");
        assert!(error.message().contains(text), "{code}: {error:?}");
        clean(&error);
        let error = Arc::clone(&source).table("files", "x").await.unwrap_err();
        clean(&error);
        // A refused HEAD has no text: the listing behind it gives the reason.
        let source = bucket(&server, "s3://b/x.csv", &[]).await;
        let error = source.ping().await.unwrap_err();
        clean(&error);
    }
}

#[tokio::test]
async fn a_signed_address_is_not_shown() {
    let server = Server::start(|_, _| xml(403, "AuthenticationFailed")).await;
    let token = format!("sv=2024-01-01&sig={SECRET}");
    let source = opened(&[
        ("path", "az://c/x/"),
        ("endpoint", &server.url),
        ("allow_http", "true"),
        ("account", "acc"),
        ("sas_token", &token),
        ("retries_max", "0"),
    ])
    .await
    .unwrap();
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "28000", "{error:?}");
    clean(&error);
    // It was sent, though.
    assert!(server.requests.lock().unwrap()[0].path.contains(SECRET));
    let source = opened(&[
        ("path", "az://c/x/"),
        ("endpoint", "http://127.0.0.1:1"),
        ("allow_http", "true"),
        ("account", "acc"),
        ("sas_token", &token),
        ("retries_max", "0"),
    ])
    .await
    .unwrap();
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "08001", "{error:?}");
    assert!(error.message().contains("refused"), "{error:?}");
    clean(&error);
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let server = Server::start(|_, _| Answer::Silence).await;
    let limits = [("request_timeout_s", "1"), ("retries_max", "0")];
    let path = format!("{}/t.csv", server.url);
    let source = opened(&[("path", &path), limits[0], limits[1]])
        .await
        .unwrap();
    let started = Instant::now();
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "08001", "{error:?}");
    clean(&error);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_is_an_error_and_not_an_end() {
    let body = "a,b\n".to_owned() + &"1,x\n".repeat(10_000);
    let bytes = body.clone().into_bytes();
    let server = Server::start(move |request, before| match before {
        0 | 1 => file(request, "1", &bytes),
        _ if request.method == "HEAD" => file(request, "1", &bytes),
        _ => {
            let headers = vec![("ETag", "\"1\"".to_owned())];
            Answer::Cut(headers, bytes.clone(), bytes.len() / 2)
        }
    })
    .await;
    let path = format!("{}/t.csv", server.url);
    let source = opened(&[("path", &path), ("retries_max", "0")])
        .await
        .unwrap();
    let provider = table(&source, "t").await.unwrap();
    let error = query(provider, "SELECT count(*) FROM t").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "08006", "{error:?}");
    clean(&error);
}

/// Whether the server heeds the condition of a read or not.
#[tokio::test]
async fn an_object_that_changes_is_an_error_and_never_a_mix() {
    for heeds in [true, false] {
        let version = Arc::new(AtomicUsize::new(1));
        let now = Arc::clone(&version);
        let bodies = [parquet_bytes(0), parquet_bytes(1)];
        assert_eq!(bodies[0].len(), bodies[1].len());
        let answer = move |request: &Request, _: usize| {
            let version = now.load(Ordering::SeqCst);
            let body = &bodies[version - 1];
            let tag = version.to_string();
            if heeds {
                return file(request, &tag, body);
            }
            let date = "Thu, 01 Jan 2026 00:00:00 GMT".to_owned();
            let headers = vec![("ETag", format!("\"{tag}\"")), ("Last-Modified", date)];
            part(request, headers, body)
        };
        let server = Server::start(answer).await;
        let source = web(&server, "t.parquet", &[]).await;
        let provider = table(&source, "t").await.unwrap();
        let sql = "SELECT count(x), min(x + 0), sum(x) FROM t";
        let batches = query(Arc::clone(&provider), sql).await.unwrap();
        assert_eq!(sum(&batches), "1000,0,499500");
        // Planned before, read after.
        let session = session(Arc::clone(&provider));
        let frame = session.sql(sql).await.unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        version.store(2, Ordering::SeqCst);
        let failed = collect(plan, session.task_ctx()).await.unwrap_err();
        let failed = match failed.find_root() {
            DataFusionError::External(e) => e.downcast_ref::<Error>().unwrap().clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(failed.sqlstate().code(), "42P16", "{failed:?}");
        clean(&failed);
        // The next statement sees the new version with its own footer, although size and time are
        // those of the old one.
        let batches = query(provider, sql).await.unwrap();
        assert_eq!(sum(&batches), "1000,1,500500");
    }
}

#[tokio::test]
async fn parquet_is_read_by_ranges_and_its_footer_once() {
    let body = parquet_bytes(0);
    let size = body.len();
    let server = Server::start(move |request, _| file(request, "1", &body)).await;
    let source = web(&server, "t.parquet", &[]).await;
    let provider = table(&source, "t").await.unwrap();
    let batches = query(Arc::clone(&provider), "SELECT x FROM t WHERE x >= 990")
        .await
        .unwrap();
    assert_eq!(rows(&batches), 10);
    let requests = server.requests.lock().unwrap().clone();
    let gets: Vec<&Request> = requests.iter().filter(|r| r.method == "GET").collect();
    // The footer, and one row group of ten.
    assert_eq!(gets.len(), 2, "{gets:?}");
    assert!(
        gets.iter().all(|r| r.headers.contains_key("range")),
        "{gets:?}"
    );
    assert!(
        gets.iter().all(|r| r.headers["if-match"] == "\"1\""),
        "{gets:?}"
    );
    let (start, end) = gets[1].headers["range"][6..].split_once('-').unwrap();
    let read = end.parse::<usize>().unwrap() - start.parse::<usize>().unwrap();
    assert!(read < size / 5, "{read} of {size}");
    // No cache, no memory: the footer is read again.
    let source = web(&server, "t.parquet", &[("metadata_cache_bytes_max", "0")]).await;
    let provider = table(&source, "t").await.unwrap();
    let before = server.count();
    query(provider, "SELECT x FROM t WHERE x >= 990")
        .await
        .unwrap();
    assert!(server.count() > before + 2);
}

#[tokio::test]
async fn large_text_is_read_in_pieces() {
    let line = format!("1,{}\n", "x".repeat(100_000));
    let body = Arc::new(format!("a,b\n{}", line.repeat(130)).into_bytes());
    let sent = Arc::clone(&body);
    let server = Server::start(move |request, _| file(request, "1", &sent)).await;
    let source = web(&server, "t.csv", &[("infer_rows", "1")]).await;
    let batches = all(&source, "t").await.unwrap();
    assert_eq!(rows(&batches), 130);
    let requests = server.requests.lock().unwrap().clone();
    let ranges = requests.iter().filter_map(|r| r.headers.get("range"));
    assert!(
        ranges.clone().count() >= 4,
        "{:?}",
        ranges.collect::<Vec<_>>()
    );
    // A server that knows no ranges gives small files, and says what is wrong with large ones.
    let plain = Server::start(move |request, _| {
        let small = request.path.contains("small");
        let body = if small {
            b"a\n1\n".to_vec()
        } else {
            body.to_vec()
        };
        Answer::Full(200, Vec::new(), body)
    })
    .await;
    let source = web(&plain, "small.csv", &[]).await;
    assert_eq!(lines(&all(&source, "small").await.unwrap()), ["1"]);
    let source = web(&plain, "large.csv", &[]).await;
    let error = Arc::clone(&source)
        .table("files", "large")
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate().code(), "0A000", "{error:?}");
    assert!(error.hint().unwrap().contains("range"), "{error:?}");
}

#[tokio::test]
async fn who_no_longer_wants_the_rows_ends_the_requests() {
    let body = "a,b\n".to_owned() + &"1,x\n".repeat(3_000_000);
    let bytes = Arc::new(body.into_bytes());
    let server = Server::start(move |request, _| {
        let far = request
            .headers
            .get("range")
            .is_some_and(|r| !r.starts_with("bytes=0-"));
        if far {
            Answer::Silence
        } else {
            file(request, "1", &bytes)
        }
    })
    .await;
    let source = web(&server, "t.csv", &[("infer_rows", "100")]).await;
    let provider = table(&source, "t").await.unwrap();
    let frame = session(provider).sql("SELECT * FROM t").await.unwrap();
    let mut stream = frame.execute_stream().await.unwrap();
    use futures::StreamExt;
    assert!(stream.next().await.unwrap().unwrap().num_rows() > 0);
    drop(stream);
    let deadline = Instant::now() + Duration::from_secs(10);
    let silent = |r: &Request| {
        r.headers
            .get("range")
            .is_some_and(|r| !r.starts_with("bytes=0-"))
    };
    while server.gone.load(Ordering::SeqCst)
        < server
            .requests
            .lock()
            .unwrap()
            .iter()
            .filter(|r| silent(r))
            .count()
    {
        assert!(Instant::now() < deadline, "a request goes on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn redirects_are_followed_where_that_is_allowed() {
    let target = Server::start(|request, _| file(request, "1", b"a\n1\n")).await;
    let to = format!("{}/t.csv", target.url);
    let server =
        Server::start(move |_, _| Answer::Full(302, vec![("Location", to.clone())], Vec::new()))
            .await;
    let source = web(&server, "t.csv", &[]).await;
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "HV000", "{error:?}");
    assert!(error.hint().unwrap().contains("follow_redirects"));
    clean(&error);
    assert_eq!(target.count(), 0);
    let more = [("follow_redirects", "true"), ("bearer_token", SECRET)];
    let source = web(&server, "t.csv", &more).await;
    assert_eq!(lines(&all(&source, "t").await.unwrap()), ["1"]);
    let sent = |server: &Server| {
        let requests = server.requests.lock().unwrap();
        requests
            .iter()
            .any(|r| r.headers.contains_key("authorization"))
    };
    // The token is for the server that was named, and for no other.
    assert!(sent(&server) && !sent(&target));
}

/// Without credentials of its own a catalog has none, whatever this machine and its environment hold.
#[tokio::test]
async fn who_is_anonymous_signs_nothing_and_asks_nobody() {
    for (path, body) in [
        ("s3://b/x/", "<ListBucketResult></ListBucketResult>"),
        ("gs://b/x/", "<ListBucketResult></ListBucketResult>"),
        (
            "az://c/x/",
            "<EnumerationResults><Blobs></Blobs></EnumerationResults>",
        ),
    ] {
        let server =
            Server::start(|_, _| Answer::Full(200, Vec::new(), body.as_bytes().to_vec())).await;
        let mut params = vec![
            ("path", path),
            ("endpoint", server.url.as_str()),
            ("allow_http", "true"),
            ("anonymous", "true"),
            ("retries_max", "0"),
        ];
        if path.starts_with("az") {
            params.push(("account", "acc"));
        }
        let source = opened(&params).await.unwrap();
        let error = source.ping().await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "08001", "{path}: {error:?}");
        assert!(error.message().contains("x\" does not exist"), "{error:?}");
        let requests = server.requests.lock().unwrap().clone();
        assert_eq!(requests.len(), 1, "{path}: {requests:?}");
        assert!(!requests[0].headers.contains_key("authorization"));
        assert!(!requests[0].path.contains("sig="), "{requests:?}");
    }
}

#[tokio::test]
async fn a_web_server_gives_one_file() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/a%20b/t.csv" => file(request, "1", b"a\n1\n"),
        _ => Answer::Full(404, Vec::new(), Vec::new()),
    })
    .await;
    let source = web(&server, "a%20b/t.csv", &[("table", "mine")]).await;
    assert_eq!(tables(&source).await, ["mine"]);
    assert_eq!(lines(&all(&source, "mine").await.unwrap()), ["1"]);
    let source = web(&server, "none.csv", &[]).await;
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "08001", "{error:?}");
    let error = Arc::clone(&source)
        .table("files", "none")
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate().code(), "58P01", "{error:?}");
    clean(&error);
    let path = format!("{}/folder/", server.url);
    let error = opened(&[("path", &path)]).await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "0A000", "{error:?}");
    assert!(error.hint().unwrap().contains("one file"), "{error:?}");
}

#[tokio::test]
async fn parameters_that_do_not_fit_say_what_does() {
    let key = [("access_key_id", "a"), ("secret_access_key", SECRET)];
    let cases: Vec<(Vec<(&str, &str)>, &str)> = vec![
        (vec![("path", "s3://b/x")], "anonymous = true"),
        (vec![("path", "s3://b/x"), key[0]], "both"),
        (
            vec![("path", "s3://b/x"), key[0], key[1], ("anonymous", "true")],
            "anonymous",
        ),
        (
            vec![("path", "s3://b/x"), ("account_key", SECRET)],
            "access_key_id",
        ),
        (vec![("path", "x"), ("region", "eu")], "s3://"),
        (
            vec![
                ("path", "s3://b/x"),
                key[0],
                key[1],
                ("region", "evil.example/x?"),
            ],
            "eu-central-1",
        ),
        (
            vec![("path", "az://c/x"), ("account_key", "AAAA")],
            "account = ",
        ),
        (
            vec![
                ("path", "az://c/x"),
                ("account", "a"),
                ("account_key", SECRET),
            ],
            "base64",
        ),
        (
            vec![("path", "gs://b/x"), ("service_account", SECRET)],
            "JSON",
        ),
        (
            vec![
                ("path", "s3://b/x"),
                key[0],
                key[1],
                ("endpoint", "http://h:1"),
            ],
            "allow_http",
        ),
        (
            vec![
                ("path", "s3://b/x"),
                key[0],
                key[1],
                ("endpoint", "https://u:p@h"),
            ],
            "https://host",
        ),
        (vec![("path", "ftp://h/x")], "s3://bucket"),
        (
            vec![("path", "s3://b/a["), ("anonymous", "true")],
            "Wildcards",
        ),
    ];
    for (params, hint) in cases {
        let error = opened(&params).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "22023", "{params:?}: {error:?}");
        assert!(
            error.hint().unwrap_or_default().contains(hint),
            "{params:?}: {error:?}"
        );
        assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
    }
}

/// Listings by pages, as S3 gives them.
#[tokio::test]
async fn listings_come_by_pages_and_have_a_limit() {
    let asked = Arc::new(Mutex::new(0));
    let pages = Arc::clone(&asked);
    let server = Server::start(move |request, _| {
        if !request.path.contains("list-type=2") {
            return match request.path.contains(".csv") {
                true => file(request, "1", b"a\n1\n"),
                false => Answer::Full(404, Vec::new(), Vec::new()),
            };
        }
        *pages.lock().unwrap() += 1;
        // Three pages of two.
        let page = match request.path.split("continuation-token=").nth(1) {
            Some(token) => token[..1].parse::<usize>().unwrap(),
            None => 0,
        };
        let mut body = "<ListBucketResult>".to_owned();
        for n in [2 * page, 2 * page + 1] {
            body += &format!("<Contents><Key>x/t/{n}.csv</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"1\"</ETag><Size>4</Size></Contents>");
        }
        body += "<Contents><Key>x/t/</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"0\"</ETag><Size>0</Size></Contents>";
        if page < 2 {
            body += &format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>", page + 1);
        }
        body += "</ListBucketResult>";
        Answer::Full(200, Vec::new(), body.into_bytes())
    })
    .await;
    let pattern = "s3://b/x/t/*.csv";
    let source = bucket(&server, pattern, &[]).await;
    assert_eq!(tables(&source).await, ["t"]);
    assert_eq!(*asked.lock().unwrap(), 1);
    assert_eq!(rows(&all(&source, "t").await.unwrap()), 6);
    *asked.lock().unwrap() = 0;
    let source = bucket(&server, pattern, &[("listed_objects_max", "5")]).await;
    let error = Arc::clone(&source).table("files", "t").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "54000", "{error:?}");
    assert!(error.hint().unwrap().contains("listed_objects_max"));
    clean(&error);
    assert_eq!(*asked.lock().unwrap(), 2);
}
