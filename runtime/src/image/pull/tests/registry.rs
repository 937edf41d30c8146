//! A registry for tests, on a socket of its own: it has what it is given, and misbehaves as it is told.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::image::digest::Digest;
use crate::image::manifest::media;

type Body = BoxBody<Bytes, std::io::Error>;

/// How it answers for one path.
#[derive(Clone)]
pub(super) enum Answer {
    /// This, whole; in parts when asked for parts.
    Content(Vec<u8>),
    /// This, whatever part was asked for.
    Whole(Vec<u8>),
    /// This much of it, then the connection breaks; the next time all of it.
    BreakOnce(Vec<u8>, usize),
    /// This much of it, then nothing any more.
    Stall(Vec<u8>, usize),
    /// A length that is not that of the content.
    Lie(Vec<u8>, u64),
    /// Bytes without end.
    Endless,
    /// Go there.
    Redirect(String),
    /// Who are you?
    Challenge(String),
    /// No.
    Status(u16, &'static str),
}

/// The registry, which ends when it is dropped.
pub(super) struct Registry {
    pub(super) host: String,
    state: Arc<State>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct State {
    host: Mutex<String>,
    answers: Mutex<HashMap<String, Answer>>,
    /// What was asked: method, path, and the range.
    asked: Mutex<Vec<String>>,
    /// A name and a password that are needed, and whether by way of a token.
    login: Mutex<Option<(String, bool)>>,
    open: AtomicUsize,
}

impl Registry {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let state = Arc::new(State::default());
        state.host.lock().clone_from(&host);
        let shared = state.clone();
        let task = tokio::spawn(async move {
            // They end with the registry.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                connections.spawn(async move {
                    let answer = service_fn(|request| answer(state.clone(), request));
                    let connection = hyper::server::conn::http1::Builder::new();
                    let _ = connection.serve_connection(hyper_util::rt::TokioIo::new(stream), answer).await;
                });
            }
        });
        Self { host, state, _task: AbortOnDropHandle::new(task) }
    }

    pub(super) fn set(&self, path: &str, answer: Answer) {
        self.state.answers.lock().insert(path.to_owned(), answer);
    }

    pub(super) fn blob(&self, content: &[u8]) -> Value {
        let digest = Digest::of(content);
        self.set(&format!("/v2/app/blobs/{digest}"), Answer::Content(content.to_vec()));
        json!({"mediaType": "application/octet-stream", "digest": digest, "size": content.len()})
    }

    /// An image of one program under a tag; the path of the program's blob.
    pub(super) fn program(&self, tag: &str, program: &[u8]) -> String {
        let (mut config, mut layer) = (self.blob(b"{}"), self.blob(program));
        config["mediaType"] = json!(media::WASM_CONFIG);
        layer["mediaType"] = json!(media::WASM);
        self.document(tag, &json!({"schemaVersion": 2, "config": config, "layers": [layer]}));
        format!("/v2/app/blobs/{}", Digest::of(program))
    }

    /// A manifest or an index under a tag, and what an index says of it.
    pub(super) fn document(&self, tag: &str, document: &Value) -> Value {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        self.set(&format!("/v2/app/manifests/{tag}"), Answer::Content(bytes.clone()));
        self.set(&format!("/v2/app/manifests/{digest}"), Answer::Content(bytes.clone()));
        json!({"mediaType": media::MANIFEST, "digest": digest, "size": bytes.len()})
    }

    /// From now on who asks must log in.
    pub(super) fn lock(&self, name_and_password: &str, by_token: bool) {
        *self.state.login.lock() = Some((name_and_password.to_owned(), by_token));
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.asked.lock())
    }

    /// Bodies that are being sent.
    pub(super) fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let range = headers.get("range").and_then(|range| range.to_str().ok()).unwrap_or_default();
    state.asked.lock().push(format!("{} {path} {range}", request.method()).trim_end().to_owned());
    if let Some(refusal) = guard(&state, &path, &headers) {
        return Ok(refusal);
    }
    let found = state.answers.lock().get(&path).cloned();
    let from = range.strip_prefix("bytes=").and_then(|range| range.trim_end_matches('-').parse::<usize>().ok());
    let response = match found {
        None => plain(StatusCode::NOT_FOUND, br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}"#),
        Some(Answer::Content(content)) => part(content, from),
        Some(Answer::Whole(content)) => plain(StatusCode::OK, &content),
        Some(Answer::BreakOnce(content, after)) => {
            state.answers.lock().insert(path.clone(), Answer::Content(content.clone()));
            sized(content.len() as u64, stream(&state, content[..after].to_vec(), Some(true)))
        }
        Some(Answer::Stall(content, after)) => {
            sized(content.len() as u64, stream(&state, content[..after].to_vec(), None))
        }
        Some(Answer::Lie(content, length)) => sized(length, stream(&state, content, Some(true))),
        Some(Answer::Endless) => {
            let endless = futures::stream::repeat_with(|| Ok(Frame::data(Bytes::from(vec![b' '; 64 << 10]))));
            Response::new(StreamBody::new(endless).boxed())
        }
        Some(Answer::Redirect(to)) => {
            let mut response = plain(StatusCode::TEMPORARY_REDIRECT, b"");
            response.headers_mut().insert("location", to.parse().expect("a header"));
            response
        }
        Some(Answer::Challenge(challenge)) => {
            let mut response = plain(StatusCode::UNAUTHORIZED, b"");
            response.headers_mut().insert("www-authenticate", challenge.parse().expect("a header"));
            response
        }
        Some(Answer::Status(status, body)) => plain(StatusCode::from_u16(status).expect("a status"), body.as_bytes()),
    };
    Ok(response)
}

/// What is said to those who did not log in.
fn guard(state: &State, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    use base64::Engine as _;
    let (login, by_token) = state.login.lock().clone()?;
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(&login));
    let given = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if path == "/token" {
        return Some(match given == basic {
            true => plain(StatusCode::OK, br#"{"token":"let-me-in"}"#),
            false => plain(StatusCode::UNAUTHORIZED, br#"{"errors":[{"code":"DENIED","message":"who are you"}]}"#),
        });
    }
    let (wanted, challenge) = match by_token {
        true => {
            let host = state.host.lock().clone();
            ("Bearer let-me-in".to_owned(), format!("Bearer realm=\"http://{host}/token\",service=\"test\""))
        }
        false => (basic, "Basic realm=\"test\"".to_owned()),
    };
    if given == wanted {
        return None;
    }
    let mut response = plain(StatusCode::UNAUTHORIZED, b"");
    response.headers_mut().insert("www-authenticate", challenge.parse().expect("a header"));
    Some(response)
}

fn plain(status: StatusCode, body: &[u8]) -> Response<Body> {
    let body = Full::new(Bytes::copy_from_slice(body)).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn part(content: Vec<u8>, from: Option<usize>) -> Response<Body> {
    match from {
        None => {
            let mut response = plain(StatusCode::OK, &content);
            let digest = Digest::of(&content).to_string();
            response.headers_mut().insert("docker-content-digest", digest.parse().expect("a header"));
            response
        }
        Some(from) if from >= content.len() => plain(StatusCode::RANGE_NOT_SATISFIABLE, b""),
        Some(from) => {
            let mut response = plain(StatusCode::PARTIAL_CONTENT, &content[from..]);
            let range = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
            response.headers_mut().insert("content-range", range.parse().expect("a header"));
            response
        }
    }
}

fn sized(length: u64, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert("content-length", length.into());
    response
}

struct Open(Arc<State>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Some bytes, and then: an error when there is one, or nothing for ever.
fn stream(state: &Arc<State>, bytes: Vec<u8>, end: Option<bool>) -> Body {
    state.open.fetch_add(1, Ordering::SeqCst);
    let open = Open(state.clone());
    let first = futures::stream::iter([Ok(Frame::data(Bytes::from(bytes)))]);
    let then = futures::stream::once(async move {
        let _open = open;
        // What is before this goes out.
        tokio::task::yield_now().await;
        match end {
            Some(_) => Err(std::io::Error::other("broken on purpose")),
            None => std::future::pending().await,
        }
    });
    StreamBody::new(futures::StreamExt::chain(first, then)).boxed()
}
