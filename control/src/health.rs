//! `/healthz`, `/livez`, `/readyz`: is the server alive, and does it want traffic?

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use percent_encoding::percent_decode_str;

/// The outcome of one check: well, or why not.
pub type Outcome = Result<(), String>;

/// One thing to check. It has to be quick: it runs within the request.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    run: Arc<dyn Fn() -> Outcome + Send + Sync>,
}

impl Check {
    /// A check under a name.
    pub fn new(name: &'static str, run: impl Fn() -> Outcome + Send + Sync + 'static) -> Self {
        Self { name, run: Arc::new(run) }
    }

    fn ping() -> Self {
        Self::new("ping", || Ok(()))
    }
}

/// The checks behind the endpoints; `ping` is among all of them.
pub struct Health {
    live: Vec<Check>,
    ready: Vec<Check>,
}

impl Health {
    /// `live`: restart me when one fails. `ready`: these too must be well before I want traffic.
    pub fn new(live: Vec<Check>, ready: Vec<Check>) -> Self {
        let live: Vec<Check> = [Check::ping()].into_iter().chain(live).collect();
        let ready = live.iter().cloned().chain(ready).collect();
        Self { live, ready }
    }

    /// Answers a request for health; nothing when the path is of something else.
    pub fn answer(&self, request: &Parts) -> Option<Response<Bytes>> {
        let mut words = request.uri.path().trim_matches('/').splitn(2, '/');
        let endpoint = words.next()?;
        let checks = match endpoint {
            "healthz" | "livez" => &self.live,
            "readyz" => &self.ready,
            _ => return None,
        };
        match words.next() {
            None => Some(all(endpoint, checks, &Wishes::read(request.uri.query().unwrap_or_default()))),
            Some(name) => checks.iter().find(|c| c.name == name).map(one),
        }
    }
}

/// What the query asks for.
#[derive(Default)]
struct Wishes {
    verbose: bool,
    exclude: Vec<String>,
}

impl Wishes {
    fn read(query: &str) -> Self {
        let mut wishes = Self::default();
        for pair in query.split('&') {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("verbose", _) => wishes.verbose = true,
                ("exclude", name) => wishes.exclude.push(percent_decode_str(name).decode_utf8_lossy().into_owned()),
                _ => {}
            }
        }
        wishes
    }
}

fn one(check: &Check) -> Response<Bytes> {
    match (check.run)() {
        Ok(()) => respond(StatusCode::OK, "ok".into()),
        Err(reason) => respond(StatusCode::INTERNAL_SERVER_ERROR, format!("internal server error: {reason}\n")),
    }
}

fn all(endpoint: &str, checks: &[Check], wishes: &Wishes) -> Response<Bytes> {
    let mut report = String::new();
    let mut failed = Vec::new();
    for check in checks {
        let name = check.name;
        // Writing to a string cannot fail.
        let _ = if wishes.exclude.iter().any(|e| e == name) {
            writeln!(report, "[+]{name} excluded: ok")
        } else if let Err(reason) = (check.run)() {
            failed.push(format!("{name}: {reason}"));
            // Anybody may ask for health; the reason is in the log.
            writeln!(report, "[-]{name} failed: reason withheld")
        } else {
            writeln!(report, "[+]{name} ok")
        };
    }
    let unknown: Vec<String> =
        wishes.exclude.iter().filter(|e| checks.iter().all(|c| c.name != **e)).map(|e| format!("\"{e}\"")).collect();
    if !unknown.is_empty() {
        report += &format!("warn: some health checks cannot be excluded: no matches for {}\n", unknown.join(", "));
    }
    if !failed.is_empty() {
        tracing::warn!(endpoint, failed = failed.join("; "), "not healthy");
        return respond(StatusCode::INTERNAL_SERVER_ERROR, format!("{report}{endpoint} check failed\n"));
    }
    respond(StatusCode::OK, if wishes.verbose { format!("{report}{endpoint} check passed\n") } else { "ok".into() })
}

fn respond(status: StatusCode, text: String) -> Response<Bytes> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(uri: &str) -> Option<(u16, String)> {
        let broken = Check::new("store", || Err("disk full".into()));
        let health = Health::new(vec![Check::new("log", || Ok(()))], vec![broken]);
        let (parts, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        let answer = health.answer(&parts)?;
        Some((answer.status().as_u16(), String::from_utf8(answer.into_body().to_vec()).unwrap()))
    }

    #[test]
    fn health_is_short_unless_asked() {
        assert_eq!(ask("/healthz"), Some((200, "ok".into())));
        assert_eq!(ask("/livez?verbose"), Some((200, "[+]ping ok\n[+]log ok\nlivez check passed\n".into())));
        assert_eq!(
            ask("/readyz"),
            Some((500, "[+]ping ok\n[+]log ok\n[-]store failed: reason withheld\nreadyz check failed\n".into()))
        );
    }

    #[test]
    fn checks_can_be_left_out_and_asked_alone() {
        assert_eq!(ask("/readyz?exclude=store"), Some((200, "ok".into())));
        assert_eq!(
            ask("/livez?verbose&exclude=x&exclude=log"),
            Some((200, "[+]ping ok\n[+]log excluded: ok\nwarn: some health checks cannot be excluded: no matches for \"x\"\nlivez check passed\n".into()))
        );
        assert_eq!(ask("/readyz/ping"), Some((200, "ok".into())));
        assert_eq!(ask("/readyz/store"), Some((500, "internal server error: disk full\n".into())));
        assert_eq!(ask("/livez/store"), None);
        assert_eq!(ask("/metrics"), None);
    }
}
