//! HTTP/1.1 as a client, over the standard library's sockets; `https` is given to the node, which knows TLS.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use crate::failure::words;

/// Bytes of an answer's head.
const HEAD: u64 = 256 << 10;

/// Parts of an address such as `http://user:word@host:80/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    pub secure: bool,
    pub credentials: Option<String>,
    /// Without the brackets of IPv6.
    pub host: String,
    pub port: u16,
    /// With the query.
    pub path: String,
}

impl Url {
    pub fn parse(text: &str) -> Result<Url, Error> {
        let bad = || Error::Url(text.to_owned());
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            other => return Err(Error::Scheme(other.to_owned())),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((credentials, address)) => (Some(credentials.to_owned()), address),
            None => (None, authority),
        };
        let usual = if secure { 443 } else { 80 };
        let (host, port) = match address.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(bad)?;
                (host, rest.strip_prefix(':').map_or(Ok(usual), str::parse).map_err(|_| bad())?)
            }
            None => match address.split_once(':') {
                Some((host, port)) => (host, port.parse().map_err(|_| bad())?),
                None => (address, usual),
            },
        };
        let clean = |text: &str| !text.chars().any(|c| c.is_control() || c == ' ');
        if host.is_empty() || !clean(text) {
            return Err(bad());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Url { secure, credentials, host: host.to_owned(), port, path })
    }

    /// The host as a `Host` header has it.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// Where a `Location` leads.
    pub fn join(&self, location: &str) -> Result<Url, Error> {
        match location {
            whole if whole.contains("://") => Url::parse(whole),
            other if other.starts_with("//") => Url::parse(&format!("{}:{other}", self.scheme())),
            path if path.starts_with('/') => Ok(Url { path: path.to_owned(), ..self.clone() }),
            path => {
                let base = self.path.split('?').next().unwrap_or_default();
                let directory = base.rsplit_once('/').map_or("", |(directory, _)| directory);
                Ok(Url { path: format!("{directory}/{path}"), ..self.clone() })
            }
        }
    }
}

/// What is asked for.
pub struct Request {
    pub method: String,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The head of an answer, and the rest of it to read.
pub struct Response {
    /// `HTTP/1.1 200 OK`.
    pub status_line: String,
    pub code: u16,
    pub headers: Vec<(String, String)>,
    pub body: Box<dyn Read>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer. The tools have numbers and words of their own for each.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("URL using bad/illegal format or missing URL: {0}")]
    Url(String),
    #[error("Protocol \"{0}\" not supported")]
    Scheme(String),
    #[error("Could not resolve host: {0}")]
    Resolve(String),
    #[error("Failed to connect to {host} port {port}: {why}")]
    Connect { host: String, port: u16, why: String },
    #[error("Operation timed out")]
    Timeout,
    #[error("Received HTTP/0.9 when not allowed")]
    NotHttp,
    #[error("Empty reply from server")]
    Empty,
    #[error("{0}")]
    Secure(String),
    #[error("{}", words(.0))]
    Io(#[from] io::Error),
}

/// What a request has to end within; a socket waits no longer for one piece.
#[derive(Clone, Copy, Default)]
pub struct Patience {
    pub connect: Option<Duration>,
    pub all: Option<Duration>,
}

/// Sends a request and reads the head of its answer.
pub fn send(request: &Request, patience: Patience) -> Result<Response, Error> {
    if request.url.secure {
        return secure::send(request, patience);
    }
    let mut stream = connect(&request.url.host, request.url.port, patience)?;
    stream.write_all(&head(request))?;
    stream.write_all(&request.body)?;
    answer(BufReader::new(stream), request.method == "HEAD")
}

/// Connects to the first address of a host that answers.
pub fn connect(host: &str, port: u16, patience: Patience) -> Result<TcpStream, Error> {
    let addresses: Vec<_> = (host, port).to_socket_addrs().map_err(|_| Error::Resolve(host.to_owned()))?.collect();
    let failed = |why: &io::Error| Error::Connect { host: host.to_owned(), port, why: words(why) };
    let mut last = Error::Resolve(host.to_owned());
    for address in addresses {
        let connected = match patience.connect.or(patience.all) {
            Some(limit) => TcpStream::connect_timeout(&address, limit),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => {
                // Where a socket can't be told, the limit is the host's.
                let _ = stream.set_read_timeout(patience.all);
                let _ = stream.set_write_timeout(patience.all);
                return Ok(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => last = Error::Timeout,
            Err(error) => last = failed(&error),
        }
    }
    Err(last)
}

/// The head of a request, as it is sent.
pub fn head(request: &Request) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.url.path, request.url.authority());
    for (name, value) in &request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") {
        head += &format!("Content-Length: {}\r\n", request.body.len());
    }
    (head + "Connection: close\r\n\r\n").into_bytes()
}

fn answer<R: BufRead + 'static>(mut reader: R, only_head: bool) -> Result<Response, Error> {
    loop {
        let mut limited = (&mut reader).take(HEAD);
        let status_line = text_line(&mut limited)?.ok_or(Error::Empty)?;
        let code = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let code: u16 = code.filter(|_| status_line.starts_with("HTTP/")).ok_or(Error::NotHttp)?;
        let mut headers = Vec::new();
        loop {
            let line = text_line(&mut limited)?.ok_or(Error::Empty)?;
            match line.split_once(':') {
                _ if line.is_empty() => break,
                Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
                None => {}
            }
        }
        // `100 Continue` and the like come before the answer.
        if (100..200).contains(&code) && code != 101 {
            continue;
        }
        let value =
            |name: &str| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let chunked = value("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
        let length = value("content-length").and_then(|length| length.parse::<u64>().ok());
        let body: Box<dyn Read> = match (only_head || matches!(code, 204 | 304), chunked, length) {
            (true, _, _) => Box::new(io::empty()),
            (_, true, _) => Box::new(Chunked { reader, left: 0, over: false }),
            (_, _, Some(length)) => Box::new(Whole { reader, left: length }),
            _ => Box::new(reader),
        };
        return Ok(Response { status_line, code, headers, body });
    }
}

fn text_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if reader.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A body of a known length; it is an error when there is less.
struct Whole<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.reader.read(&mut bytes[..most])?;
        self.left -= read as u64;
        match read {
            0 if most > 0 => Err(io::Error::other("transfer closed with outstanding read data remaining")),
            read => Ok(read),
        }
    }
}

/// A body in pieces, each with its length before it.
struct Chunked<R> {
    reader: R,
    left: u64,
    over: bool,
}

impl<R: BufRead> Read for Chunked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let broken = || io::Error::other("invalid chunked encoding");
        if self.over || bytes.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            let line = text_line(&mut (&mut self.reader).take(HEAD))?.ok_or_else(broken)?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            self.left = u64::from_str_radix(digits, 16).map_err(|_| broken())?;
            if self.left == 0 {
                self.over = true;
                return Ok(0);
            }
        }
        let most = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.reader.read(&mut bytes[..most])?;
        if read == 0 {
            return Err(broken());
        }
        self.left -= read as u64;
        if self.left == 0 {
            text_line(&mut (&mut self.reader).take(HEAD))?;
        }
        Ok(read)
    }
}

#[cfg(target_family = "wasm")]
#[path = "http/secure.rs"]
mod secure;

#[cfg(not(target_family = "wasm"))]
mod secure {
    use super::{Error, Patience, Request, Response};

    pub fn send(_: &Request, _: Patience) -> Result<Response, Error> {
        Err(Error::Secure("there is no TLS outside of a pod".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let url = Url::parse("http://me:word@web.default:8080/a?b#c").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("web.default", 8080, "/a?b"));
        assert_eq!(url.credentials.as_deref(), Some("me:word"));
        assert_eq!(Url::parse("web").unwrap().authority(), "web");
        assert_eq!(Url::parse("https://[::1]:8443").unwrap().authority(), "[::1]:8443");
        assert_eq!(Url::parse("10.43.0.9:8080").unwrap().authority(), "10.43.0.9:8080");
        for bad in ["", "http://", "http://a:x/", "ftp://a", "http://a/ b", "http://a/\r\nx: y"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(url.join("/x").unwrap().path, "/x");
        assert_eq!(url.join("http://b/y").unwrap().host, "b");
        assert_eq!(Url::parse("a/b/c").unwrap().join("d").unwrap().path, "/b/d");
    }

    fn body(answered: &'static str) -> Result<(u16, String), Error> {
        let mut response = answer(answered.as_bytes(), false)?;
        let mut text = String::new();
        response.body.read_to_string(&mut text)?;
        Ok((response.code, text))
    }

    #[test]
    fn answers() {
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhixx").unwrap(), (200, "hi".to_owned()));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
        assert_eq!(body(chunked).unwrap(), (200, "abcde".to_owned()));
        assert_eq!(body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\n\r\nrest").unwrap(), (404, "rest".to_owned()));
        assert!(body("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").is_err());
        assert!(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").is_err());
        assert!(matches!(body("hello\n"), Err(Error::NotHttp)) && matches!(body(""), Err(Error::Empty)));
    }
}
