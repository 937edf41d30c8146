//! `httpd [-f] [-v] [-p [ADDRESS:]PORT] [-h DIRECTORY]`: the files of a directory over HTTP, one request at a time.

use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::failure::Failure;
use crate::files::{self, Kind};
use crate::host::{self, Program, Sink, Source};
use crate::io::Io;
use crate::options;
use crate::tools::walk::join;

/// How long a client may take for a piece: others wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a request's head.
const HEAD: u64 = 64 << 10;

pub fn httpd(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "fvp:h:", &[])?;
    if !options.has('f') {
        return detach(arguments);
    }
    let listen = options.value('p').unwrap_or("80");
    let address = if listen.contains(':') { listen.to_owned() } else { format!("0.0.0.0:{listen}") };
    let root = options.value('h').unwrap_or(".").to_owned();
    let listener = TcpListener::bind(&address).map_err(|error| Failure::of("bind", &error))?;
    loop {
        let (stream, peer) = listener.accept()?;
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let _ = stream.set_write_timeout(Some(PATIENCE));
        // A client that goes away is its own business.
        let served = serve(&stream, &root);
        if options.has('v') {
            let (line, code) = served.unwrap_or_default();
            let _ = writeln!(io.err, "{peer} \"{line}\" {code}");
        }
    }
}

/// Without `-f` it goes on beside the shell.
fn detach(arguments: &[String]) -> Result<u8, Failure> {
    let program = Program {
        arguments: [&["httpd".to_owned(), "-f".to_owned()], arguments].concat(),
        environment: std::env::vars().collect(),
        directory: files::working().to_string_lossy().into_owned(),
        input: Source::Empty,
        output: Sink::Discard,
        error: Sink::Inherit,
    };
    host::spawn(program).map(|_| 0).map_err(Failure::from)
}

fn serve(stream: &TcpStream, root: &str) -> io::Result<(String, u16)> {
    let mut reader = BufReader::new(stream).take(HEAD);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 0 && !header.trim_end().is_empty() {
        header.clear();
    }
    let line = line.trim_end().to_owned();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let answer = match method {
        "GET" | "HEAD" => answer(root, target),
        _ => Answer::text(501, "Not Implemented", ""),
    };
    let mut out = stream;
    write!(
        out,
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Connection: close\r\n\r\n",
        answer.code,
        answer.reason,
        answer.kind,
        answer.body.len(),
        answer.location.map(|location| format!("Location: {location}\r\n")).unwrap_or_default()
    )?;
    if method != "HEAD" {
        out.write_all(&answer.body)?;
    }
    Ok((line, answer.code))
}

struct Answer {
    code: u16,
    reason: &'static str,
    kind: &'static str,
    location: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn text(code: u16, reason: &'static str, more: &str) -> Answer {
        let body = format!(
            "<html><head><title>{code} {reason}</title></head><body><h1>{code} {reason}</h1>{more}</body></html>\n"
        );
        Answer { code, reason, kind: "text/html", location: None, body: body.into_bytes() }
    }
}

fn answer(root: &str, target: &str) -> Answer {
    let path = decoded(target.split(['?', '#']).next().unwrap_or_default());
    let missing = || Answer::text(404, "Not Found", "");
    if !path.starts_with('/') || path.split('/').any(|name| name == "..") || path.contains('\0') {
        return missing();
    }
    let place = join(root, path.trim_start_matches('/'));
    match files::facts(&place) {
        Ok(facts) if facts.kind == Kind::Directory && !path.ends_with('/') => Answer {
            location: Some(format!("{}/", target.split('?').next().unwrap_or_default())),
            ..Answer::text(301, "Moved Permanently", "")
        },
        Ok(facts) if facts.kind == Kind::Directory => match files::read(&join(&place, "index.html")) {
            Ok(body) => Answer { code: 200, reason: "OK", kind: "text/html", location: None, body },
            Err(_) => listing(&place, &path),
        },
        Ok(facts) if facts.kind == Kind::File => match files::read(&place) {
            Ok(body) => Answer { code: 200, reason: "OK", kind: kind(&place), location: None, body },
            Err(_) => missing(),
        },
        _ => missing(),
    }
}

fn listing(place: &str, path: &str) -> Answer {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let row = |name: &String| {
        let name = if files::is_directory(&join(place, name)) { format!("{name}/") } else { name.clone() };
        format!("<li><a href=\"{0}\">{0}</a></li>", escape(&name))
    };
    let rows: String = files::names(place).unwrap_or_default().iter().map(row).collect();
    let body =
        format!("<html><head><title>{0}</title></head><body><h1>{0}</h1><ul>{rows}</ul></body></html>\n", escape(path));
    Answer { code: 200, reason: "OK", kind: "text/html", location: None, body: body.into_bytes() }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" | "htm" => "text/html",
        "txt" | "log" | "md" | "yaml" | "yml" => "text/plain",
        "css" => "text/css",
        "js" => "text/javascript",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

/// Without the percents.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_is_served() {
        let root = std::env::temp_dir().join(format!("toolbox-httpd-{}", std::process::id()));
        std::fs::create_dir_all(root.join("pub/in ner")).unwrap();
        std::fs::write(root.join("secret"), "s").unwrap();
        std::fs::write(root.join("pub/a.json"), "{}").unwrap();
        let base = root.join("pub").to_string_lossy().into_owned();
        let got = |target: &str| answer(&base, target);
        assert_eq!((got("/a.json").code, got("/a.json").kind), (200, "application/json"));
        for target in ["/../secret", "/%2e%2e/secret", "/nothing", "a.json"] {
            assert_eq!(got(target).code, 404, "{target}");
        }
        assert_eq!(got("/in%20ner").location.as_deref(), Some("/in%20ner/"));
        assert!(String::from_utf8(got("/").body).unwrap().contains("<a href=\"in ner/\">"));
        std::fs::remove_dir_all(&root).unwrap();
    }
}
