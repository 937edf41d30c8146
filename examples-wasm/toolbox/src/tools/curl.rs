//! `curl`.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::base64::encode;
use super::http::{self, Error, Patience, Request, Response, Url};
use crate::failure::Failure;
use crate::files;
use crate::io::{Io, copy};
use crate::options::{self, Options};
use crate::stream::Stream;

/// Answers that lead elsewhere.
const REDIRECTS: usize = 50;

const LONG: &[(&str, char)] = &[
    ("silent", 's'),
    ("show-error", 'S'),
    ("include", 'i'),
    ("head", 'I'),
    ("verbose", 'v'),
    ("output", 'o'),
    ("remote-name", 'O'),
    ("request", 'X'),
    ("data", 'd'),
    ("data-raw", 'r'),
    ("data-binary", 'b'),
    ("data-ascii", 'd'),
    ("json", 'j'),
    ("header", 'H'),
    ("location", 'L'),
    ("insecure", 'k'),
    ("fail", 'f'),
    ("fail-with-body", 'F'),
    ("write-out", 'w'),
    ("max-time", 'm'),
    ("connect-timeout", 'c'),
    ("upload-file", 'T'),
    ("user-agent", 'A'),
    ("user", 'u'),
    ("get", 'G'),
    ("url", 'U'),
    ("no-buffer", 'N'),
    ("retry", 'R'),
    ("globoff", 'g'),
    ("http1.1", '1'),
];

pub fn curl(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "sSiIvo:OX:d:r:b:j:H:Lkm:fFw:c:T:A:u:GU:NR:g1", LONG);
    let mut options = options.map_err(|error| Failure::new(2, error.message))?;
    let named: Vec<String> = options.values('U').map(str::to_owned).collect();
    options.operands.extend(named);
    if options.operands.is_empty() {
        return Err(Failure::new(2, "no URL specified!\ncurl: try 'curl --help' for more information"));
    }
    let mut code = 0;
    for text in &options.operands {
        code = match one(text, &options, io) {
            Ok(code) => code,
            Err(error) => {
                let number = number(&error);
                if !options.has('s') || options.has('S') {
                    let _ = io.out.flush();
                    let _ = writeln!(io.err, "curl: ({number}) {error}");
                }
                if let Some(format) = options.value('w') {
                    write!(io.out, "{}", written(format, 0, 0, text, Duration::ZERO))?;
                }
                number
            }
        };
    }
    Ok(code)
}

/// curl's own numbers.
fn number(error: &Error) -> u8 {
    match error {
        Error::Scheme(_) => 1,
        Error::Url(_) => 3,
        Error::Resolve(_) => 6,
        Error::Connect { .. } => 7,
        Error::NotHttp => 1,
        Error::Timeout => 28,
        Error::Secure(_) => 35,
        Error::Empty => 52,
        Error::Io(error) => match error.kind() {
            std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => 28,
            std::io::ErrorKind::BrokenPipe => 23,
            _ => 56,
        },
    }
}

fn one(text: &str, options: &Options, io: &mut Io) -> Result<u8, Error> {
    let start = Instant::now();
    let mut request = request(text, options, io)?;
    let limit = |letter| {
        options.value(letter).and_then(|text| text.parse().ok()).and_then(|s| Duration::try_from_secs_f64(s).ok())
    };
    let patience = Patience { connect: limit('c'), all: limit('m') };
    let mut response = exchange(&request, patience, options, io)?;
    for _ in 0..REDIRECTS {
        let location = response.header("location").map(str::to_owned);
        let Some(location) = location.filter(|_| options.has('L') && (300..400).contains(&response.code)) else {
            break;
        };
        let url = request.url.join(&location)?;
        // What a host was told must not be told to others.
        if url.authority() != request.url.authority() {
            request.headers.retain(|(name, _)| {
                !name.eq_ignore_ascii_case("authorization") && !name.eq_ignore_ascii_case("cookie")
            });
        }
        if matches!(response.code, 301..=303) && request.method != "HEAD" && !options.has('X') {
            request.method = "GET".to_owned();
            request.body.clear();
        }
        request.url = url;
        response = exchange(&request, patience, options, io)?;
    }
    let failed = response.code >= 400 && (options.has('f') || options.has('F'));
    let mut count = 0;
    if !failed || options.has('F') {
        count = save(&mut response, &request.url, options, io)?;
    }
    if let Some(format) = options.value('w') {
        write!(io.out, "{}", written(format, response.code, count, text, start.elapsed()))?;
    }
    if failed {
        if !options.has('s') || options.has('S') {
            io.out.flush()?;
            writeln!(io.err, "curl: (22) The requested URL returned error: {}", response.code)?;
        }
        return Ok(22);
    }
    Ok(0)
}

fn request(text: &str, options: &Options, io: &mut Io) -> Result<Request, Error> {
    let mut url = Url::parse(text)?;
    let mut data: Vec<Vec<u8>> = Vec::new();
    for (letter, value) in &options.given {
        let bytes = match (letter, value.strip_prefix('@')) {
            ('d' | 'b' | 'j', Some(file)) => {
                let mut bytes = io.read(file)?;
                if *letter == 'd' {
                    bytes.retain(|byte| !matches!(byte, b'\n' | b'\r'));
                }
                bytes
            }
            ('d' | 'b' | 'j' | 'r', _) => value.clone().into_bytes(),
            _ => continue,
        };
        data.push(bytes);
    }
    let has_data = !data.is_empty();
    let mut body = data.join(&b'&');
    if let Some(file) = options.value('T') {
        body = io.read(file)?;
        if url.path.ends_with('/') && file != "-" {
            url.path += file.rsplit('/').next().unwrap_or_default();
        }
    }
    if options.has('G') {
        let query = String::from_utf8_lossy(&std::mem::take(&mut body)).into_owned();
        url.path += if url.path.contains('?') { "&" } else { "?" };
        url.path += &query;
    }
    let usual = match () {
        () if options.has('I') => "HEAD",
        () if options.has('T') => "PUT",
        () if has_data && !options.has('G') => "POST",
        () => "GET",
    };
    let method = options.value('X').unwrap_or(usual).to_owned();
    let mut headers: Vec<(String, String)> = Vec::new();
    let agent = options.value('A').unwrap_or(concat!("curl/8 (sampan toolbox ", env!("CARGO_PKG_VERSION"), ")"));
    headers.push(("User-Agent".to_owned(), agent.to_owned()));
    headers.push(("Accept".to_owned(), if options.has('j') { "application/json" } else { "*/*" }.to_owned()));
    if let Some(credentials) = options.value('u').or(url.credentials.as_deref()) {
        headers.push(("Authorization".to_owned(), format!("Basic {}", encode(credentials.as_bytes()))));
    }
    if has_data && !options.has('G') {
        let kind = if options.has('j') { "application/json" } else { "application/x-www-form-urlencoded" };
        headers.push(("Content-Type".to_owned(), kind.to_owned()));
    }
    for line in options.values('H') {
        let (name, value) = line.split_once([':', ';']).unwrap_or((line, ""));
        let clean = |text: &str| !text.contains(['\r', '\n']);
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name.trim()));
        if !value.trim().is_empty() && clean(line) {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    Ok(Request { method, url, headers, body })
}

/// Sends, and shows what `-v`, `-i` and `-I` want to see.
fn exchange(request: &Request, patience: Patience, options: &Options, io: &mut Io) -> Result<Response, Error> {
    let verbose = options.has('v');
    if verbose {
        writeln!(io.err, "* Connecting to {} port {}", request.url.host, request.url.port)?;
        let head = http::head(request);
        for line in String::from_utf8_lossy(&head).lines() {
            writeln!(io.err, "> {line}")?;
        }
    }
    let response = http::send(request, patience)?;
    let lines = || {
        std::iter::once(response.status_line.clone())
            .chain(response.headers.iter().map(|(name, value)| format!("{name}: {value}")))
    };
    if verbose {
        lines().chain([String::new()]).try_for_each(|line| writeln!(io.err, "< {line}"))?;
    }
    if options.has('i') || options.has('I') {
        lines().chain([String::new()]).try_for_each(|line| write!(io.out, "{line}\r\n"))?;
    }
    Ok(response)
}

fn save(response: &mut Response, url: &Url, options: &Options, io: &mut Io) -> Result<u64, Error> {
    let remote = || url.path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
    let path = options.value('o').map(str::to_owned).or_else(|| options.has('O').then(remote));
    match path.filter(|path| path != "-") {
        Some(path) => {
            let mut file: Stream = files::create(&path)?;
            Ok(copy(&mut response.body, &mut file)?)
        }
        None => Ok(live(&mut response.body, io)?),
    }
}

/// What comes slowly is shown as it comes.
fn live(body: &mut dyn Read, io: &mut Io) -> std::io::Result<u64> {
    let mut bytes = vec![0; 16 << 10];
    let mut all = 0;
    loop {
        let read = body.read(&mut bytes)?;
        if read == 0 {
            return Ok(all);
        }
        io.out.write_all(&bytes[..read])?;
        io.out.flush()?;
        all += read as u64;
    }
}

fn written(format: &str, code: u16, count: u64, url: &str, time: Duration) -> String {
    let time = format!("{:.6}", time.as_secs_f64());
    let known = [
        ("%{http_code}", format!("{code:03}")),
        ("%{response_code}", format!("{code:03}")),
        ("%{size_download}", count.to_string()),
        ("%{time_total}", time),
        ("%{url_effective}", url.to_owned()),
        ("%{url}", url.to_owned()),
        ("\\n", "\n".to_owned()),
        ("\\t", "\t".to_owned()),
    ];
    known.into_iter().fold(format.to_owned(), |text, (name, value)| text.replace(name, &value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out() {
        assert_eq!(written("%{http_code} %{size_download}\\n", 200, 5, "u", Duration::ZERO), "200 5\n");
        assert_eq!(written("%{http_code}", 0, 0, "u", Duration::ZERO), "000");
    }

    #[test]
    fn errors_have_curls_numbers() {
        let (code, _, said) = crate::tools::tests::run_on("curl http://", "");
        assert_eq!((code, said.starts_with("curl: (3)")), (3, true));
        let (code, _, said) = crate::tools::tests::run_on("curl -s http://127.0.0.1:1/", "");
        assert_eq!((code, said.as_str()), (7, ""));
    }
}
