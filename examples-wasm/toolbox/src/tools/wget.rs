//! `wget [-qSO FILE] [-T SECONDS] [--spider] [--post-data TEXT] [--header LINE] URL…`, as busybox says things.

use std::io::Write as _;
use std::time::Duration;

use super::http::{self, Error, Patience, Request, Url};
use crate::failure::Failure;
use crate::files;
use crate::io::{Io, copy};
use crate::options::{self, Options};

const REDIRECTS: usize = 20;

const LONG: &[(&str, char)] = &[
    ("quiet", 'q'),
    ("output-document", 'O'),
    ("server-response", 'S'),
    ("timeout", 'T'),
    ("spider", 's'),
    ("post-data", 'd'),
    ("header", 'h'),
    ("user-agent", 'U'),
    ("no-check-certificate", 'k'),
    ("directory-prefix", 'P'),
    ("tries", 't'),
    ("continue", 'c'),
    ("no-verbose", 'n'),
];

pub fn wget(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "qO:ST:sd:h:U:kP:t:cn", LONG)?;
    if options.operands.is_empty() {
        return Err("missing URL".into());
    }
    for text in &options.operands {
        one(text, &options, io)?;
    }
    Ok(0)
}

fn one(text: &str, options: &Options, io: &mut Io) -> Result<(), Failure> {
    let seconds: u64 = options.number('T')?.unwrap_or(900);
    let patience = Patience { connect: Some(Duration::from_secs(seconds)), all: Some(Duration::from_secs(seconds)) };
    let mut request = request(text, options).map_err(|error| told(text, &error))?;
    let quiet = options.has('q');
    for _ in 0..REDIRECTS {
        if !quiet {
            let _ = writeln!(io.err, "Connecting to {}", request.url.authority());
        }
        let mut response = http::send(&request, patience).map_err(|error| told(text, &error))?;
        if options.has('S') {
            let _ = writeln!(io.err, "  {}", response.status_line);
            for (name, value) in &response.headers {
                let _ = writeln!(io.err, "  {name}: {value}");
            }
        }
        let location = response.header("location").map(str::to_owned);
        if let Some(location) = location.filter(|_| (300..400).contains(&response.code)) {
            request.url = request.url.join(&location).map_err(|error| told(text, &error))?;
            continue;
        }
        if !(200..300).contains(&response.code) {
            return Err(format!("server returned error: {}", response.status_line).into());
        }
        if options.has('s') {
            if !quiet {
                let _ = writeln!(io.err, "remote file exists");
            }
            return Ok(());
        }
        return save(&mut response.body, &name(&request.url, options), quiet, io);
    }
    Err("too many redirections".into())
}

fn request(text: &str, options: &Options) -> Result<Request, Error> {
    let url = Url::parse(text)?;
    let agent = options.value('U').unwrap_or("Wget").to_owned();
    let mut headers = vec![("User-Agent".to_owned(), agent), ("Accept".to_owned(), "*/*".to_owned())];
    for line in options.values('h').filter(|line| !line.contains(['\r', '\n'])) {
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    let body = options.value('d').unwrap_or_default().as_bytes().to_vec();
    if options.has('d') {
        headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    }
    let method = match (options.has('d'), options.has('s')) {
        (true, _) => "POST",
        (false, true) => "HEAD",
        (false, false) => "GET",
    };
    Ok(Request { method: method.to_owned(), url, headers, body })
}

fn told(text: &str, error: &Error) -> Failure {
    Failure::from(match error {
        Error::Resolve(host) => format!("bad address '{host}'"),
        Error::Connect { why, .. } => format!("can't connect to remote host: {why}"),
        Error::Timeout => "download timed out".to_owned(),
        Error::Url(_) | Error::Scheme(_) => format!("not an http or ftp url: {text}"),
        other => other.to_string(),
    })
}

fn name(url: &Url, options: &Options) -> String {
    let last = url.path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let last = if last.is_empty() || last == ".." { "index.html" } else { last };
    match (options.value('O'), options.value('P')) {
        (Some(path), _) => path.to_owned(),
        (None, Some(directory)) => super::walk::join(directory, last),
        (None, None) => last.to_owned(),
    }
}

fn save(body: &mut dyn std::io::Read, path: &str, quiet: bool, io: &mut Io) -> Result<(), Failure> {
    if path == "-" {
        copy(body, &mut io.out)?;
        return Ok(());
    }
    let mut file = files::create(path)
        .map_err(|error| Failure::from(format!("can't open '{path}': {}", crate::failure::words(&error))))?;
    copy(body, &mut file)?;
    if !quiet {
        let _ = writeln!(io.err, "'{path}' saved");
    }
    Ok(())
}
