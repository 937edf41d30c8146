//! Just enough HTTP/1.1 for the sample web servers: one response a connection, over a TCP socket of the guest's own.
//!
//! A guest has one thread. Each connection is a task on `wstd`'s event loop, so one that is idle holds up no other.

use std::io::ErrorKind;
use std::path::Path;
use wstd::io::{self, AsyncRead, AsyncWrite};
use wstd::iter::AsyncIterator;
use wstd::net::{TcpListener, TcpStream};
use wstd::runtime::spawn;

/// A request's head may be this long.
const HEAD_LIMIT: usize = 8 * 1024;

/// What a request is answered with.
pub struct Page {
    pub status: &'static str,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Page {
    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Page { status: "200 OK", content_type: "text/html", body: body.into() }
    }

    pub fn text(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Page { status, content_type: "text/plain", body: body.into() }
    }

    /// The file at `path`, whose extension tells its type.
    pub fn file(path: &Path) -> io::Result<Self> {
        let content_type = match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => "text/html",
            Some("css") => "text/css",
            Some("js") => "text/javascript",
            Some("json") => "application/json",
            _ => "text/plain",
        };
        Ok(Page { status: "200 OK", content_type, body: std::fs::read(path)? })
    }
}

/// Listens on `port` of every address of the pod and answers each request with what `answer` makes of its path.
pub async fn serve(port: u16, answer: fn(&str) -> Page) -> io::Result<()> {
    let address = format!("0.0.0.0:{port}");
    let listener = TcpListener::bind(&address).await.map_err(|error| match error.kind() {
        // As everybody knows it; the standard library's own words are only almost the same.
        kind @ ErrorKind::AddrInUse => io::Error::new(kind, format!("listen {address}: address already in use")),
        _ => error,
    })?;
    println!("listening on {}", listener.local_addr()?);
    let mut incoming = listener.incoming();
    while let Some(connection) = incoming.next().await {
        let stream = match connection {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionAborted) => continue,
            Err(error) => return Err(error),
        };
        spawn(async move {
            if let Err(error) = converse(stream, answer).await {
                eprintln!("connection: {error}");
            }
        })
        .detach();
    }
    Ok(())
}

async fn converse(mut stream: TcpStream, answer: fn(&str) -> Page) -> io::Result<()> {
    let Some(head) = read_head(&mut stream).await? else { return Ok(()) };
    let mut words = head.split_ascii_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path.split('?').next().unwrap_or_default();
    let page = match method {
        "GET" | "HEAD" => answer(path),
        _ => Page::text("405 Method Not Allowed", "this server has pages to GET\n"),
    };
    println!("{method} {path} {}", page.status);
    let Page { status, content_type, body } = &page;
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(body).await?;
    }
    stream.flush().await
}

/// Reads up to the empty line; `None` when the peer closes before it, as a TCP probe does.
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut chunk).await? {
            0 => return Ok(None),
            count => head.extend_from_slice(&chunk[..count]),
        }
        if head.len() > HEAD_LIMIT {
            return Err(io::Error::other("the request's head is too long"));
        }
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}
