//! A web server of a few lines, for what real ones do only on bad days.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
}

pub enum Answer {
    Full(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Says that it sends all, and ends behind so many bytes.
    Cut(Vec<(&'static str, String)>, Vec<u8>, usize),
    /// Says nothing for as long as the client stays.
    Silence,
}

pub struct Server {
    pub url: String,
    pub requests: Arc<Mutex<Vec<Request>>>,
    /// Clients that went away while nothing was said.
    pub gone: Arc<AtomicUsize>,
}

impl Server {
    /// `answer` gets the request, and how many there were before it.
    pub async fn start(
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            url: format!("http://{}", listener.local_addr().unwrap()),
            requests: Arc::default(),
            gone: Arc::default(),
        };
        let (requests, gone) = (Arc::clone(&server.requests), Arc::clone(&server.gone));
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (requests, gone) = (Arc::clone(&requests), Arc::clone(&gone));
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let mut stream = stream;
                    let Some(request) = read(&mut stream).await else {
                        return;
                    };
                    let before = {
                        let mut requests = requests.lock().unwrap();
                        requests.push(request.clone());
                        requests.len() - 1
                    };
                    write(stream, &request, answer(&request, before), &gone).await;
                });
            }
        });
        server
    }

    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8(text).ok()?;
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let headers = lines.filter_map(|l| l.split_once(": "));
    Some(Request {
        method: first.next()?.to_owned(),
        path: first.next()?.to_owned(),
        headers: headers
            .map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned()))
            .collect(),
    })
}

async fn write(mut stream: TcpStream, request: &Request, answer: Answer, gone: &AtomicUsize) {
    let (status, headers, body, sent) = match answer {
        Answer::Full(status, headers, body) => {
            let all = body.len();
            (status, headers, body, all)
        }
        Answer::Cut(headers, body, at) => (200, headers, body, at),
        Answer::Silence => {
            while stream.read_u8().await.is_ok() {}
            gone.fetch_add(1, Ordering::SeqCst);
            return;
        }
    };
    let mut head = format!(
        "HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    let _ = stream.write_all(head.as_bytes()).await;
    if request.method != "HEAD" {
        let _ = stream.write_all(&body[..sent]).await;
    }
    let _ = stream.shutdown().await;
}

/// A file as a good server gives it: with its tag, in parts, and only while it has that tag.
pub fn file(request: &Request, tag: &str, body: &[u8]) -> Answer {
    let headers = vec![
        ("ETag", format!("\"{tag}\"")),
        ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT".to_owned()),
    ];
    let wanted = request.headers.get("if-match");
    if wanted.is_some_and(|wanted| *wanted != format!("\"{tag}\"")) {
        return Answer::Full(412, headers, Vec::new());
    }
    part(request, headers, body)
}

pub fn part(request: &Request, mut headers: Vec<(&'static str, String)>, body: &[u8]) -> Answer {
    let Some(range) = request.headers.get("range") else {
        return Answer::Full(200, headers, body.to_vec());
    };
    let (start, end) = range.trim_start_matches("bytes=").split_once('-').unwrap();
    let start: usize = start.parse().unwrap();
    let end = end
        .parse()
        .map_or(body.len(), |e: usize| (e + 1).min(body.len()));
    headers.push((
        "Content-Range",
        format!("bytes {start}-{}/{}", end - 1, body.len()),
    ));
    Answer::Full(206, headers, body[start..end].to_vec())
}
