//! Calls to other people's HTTPS servers: admission and the conversion of custom resources are asked there.
//!
//! A configuration names a URL or a service of the cluster. A service is looked up on each connection, not each call, and
//! one of its ready endpoints is dialled: through the cluster's own network, which lives in this process and which the
//! [`Dialer`] leads into. Connections are kept, as a handshake costs more than most answers.
//!
//! # Guarantees
//! A call ends within its time, reads a bounded answer, and trusts the authority of its configuration and no other.

mod dial;
mod endpoint;
mod target;
mod trust;

use std::collections::HashMap;
use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use serde_json::Value;

use crate::store::Store;
use dial::Connector;
pub use dial::{Connection, DialError, Dialer};
pub(crate) use endpoint::ready_endpoints;
pub use target::{ClientConfig, ConfigError, Place};
pub use trust::TrustError;

/// The largest answer that is read.
const LARGEST: usize = 32 << 20;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(90);
/// So many servers' connections are kept at a time.
const SERVERS: usize = 256;

/// Why a webhook gave no answer. The words follow Go's, which people search for.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The authority is no certificate.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The server could not be reached, or broke off.
    #[error("Post \"{url}\": {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// It took too long.
    #[error("Post \"{url}\": context deadline exceeded")]
    Late {
        /// Where.
        url: String,
    },
    /// It answered with a failure.
    #[error("{message}")]
    Refused {
        /// The HTTP status code.
        code: u16,
        /// What client-go makes of it.
        message: String,
    },
    /// The answer is no JSON.
    #[error("couldn't get version/kind; json parse error: {0}")]
    Unreadable(#[source] serde_json::Error),
}

type Hyper = legacy::Client<Connector, Full<Bytes>>;

/// Calls webhooks; clones share the connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    store: Store,
    dialer: OnceLock<Dialer>,
    servers: Mutex<HashMap<ClientConfig, Hyper>>,
}

impl Client {
    /// A client that finds services in `store`, and reaches addresses through sockets of the host.
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Inner { store, dialer: OnceLock::new(), servers: Mutex::default() }))
    }

    /// Leads all further connections through `dialer`. The first one that is given stays.
    pub fn dial_through(&self, dialer: Dialer) {
        let _ = self.0.dialer.set(dialer);
    }

    /// A connection to an address of the cluster's network.
    ///
    /// # Errors
    /// Nobody answers there.
    pub async fn dial(&self, address: SocketAddr) -> Result<Box<dyn Connection>, DialError> {
        let dialer = self.0.dialer.get().cloned().unwrap_or_else(dial::direct);
        dialer(address).await.map_err(|source| DialError::Connect { address, source })
    }

    /// Posts `body` and returns the answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call(&self, config: &ClientConfig, body: &Value, timeout: Duration) -> Result<Value, CallError> {
        let url = config.url(timeout);
        let server = self.server(config)?;
        let late = |_| CallError::Late { url: url.clone() };
        tokio::time::timeout(timeout, exchange(&server, &url, body)).await.map_err(late)?
    }

    /// The connections to a server; others' are dropped where there are too many.
    fn server(&self, config: &ClientConfig) -> Result<Hyper, CallError> {
        let mut servers = self.0.servers.lock();
        if let Some(known) = servers.get(config) {
            return Ok(known.clone());
        }
        let dialer = self.0.dialer.get().cloned().unwrap_or_else(dial::direct);
        let tls = trust::connector(&config.ca_bundle)?;
        let connector = Connector::new(self.0.store.clone(), dialer, config.place.clone(), tls);
        let server = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        if servers.len() >= SERVERS {
            servers.clear();
        }
        servers.insert(config.clone(), server.clone());
        Ok(server)
    }
}

async fn exchange(server: &Hyper, url: &str, body: &Value) -> Result<Value, CallError> {
    let unreachable = |why: String| CallError::Unreachable { url: url.to_owned(), why };
    let request = Request::post(url)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(ACCEPT, HeaderValue::from_static("application/json, */*"))
        .header(USER_AGENT, HeaderValue::from_static("kube-apiserver-admission"))
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|e| unreachable(e.to_string()))?;
    let response = server.request(request).await.map_err(|e| unreachable(innermost(&e)))?;
    let code = response.status();
    let read = Limited::new(response.into_body(), LARGEST).collect().await;
    let bytes = read.map_err(|e| unreachable(innermost(&*e)))?.to_bytes();
    if !code.is_success() {
        return Err(CallError::Refused { code: code.as_u16(), message: refusal(code, &bytes) });
    }
    serde_json::from_slice(&bytes).map_err(CallError::Unreadable)
}

/// What went wrong at the bottom: the layers above only say that they failed.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        if let Some(dial) = source.downcast_ref::<DialError>() {
            return dial.to_string();
        }
        deepest = source;
    }
    deepest.to_string()
}

/// The words that client-go has for an HTTP failure without a `Status`.
fn refusal(code: StatusCode, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(&body[..body.len().min(2048)]);
    match code.as_u16() {
        400 => "the server rejected our request for an unknown reason".to_owned(),
        401 => "the server has asked for the client to provide credentials".to_owned(),
        403 => body.into_owned(),
        404 => "the server could not find the requested resource".to_owned(),
        405 => "the server does not allow this method on the requested resource".to_owned(),
        406 => format!("the server was unable to respond with a content type that the client supports: {body}"),
        415 => format!("the server was unable to process the request body: {body}"),
        422 => "the server rejected our request due to an error in our request".to_owned(),
        429 => "the server has received too many requests and has asked us to try again later".to_owned(),
        503 => "the server is currently unable to handle the request".to_owned(),
        504 => {
            "the server was unable to return a response in the time allotted, but may still be processing the request"
                .to_owned()
        }
        code if code >= 500 => {
            format!("an error on the server ({:?}) has prevented the request from succeeding", body.trim())
        }
        _ => "the server responded with the status code but did not return more information".to_owned(),
    }
}
