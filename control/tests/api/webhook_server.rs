//! A webhook: an HTTPS server on loopback that answers AdmissionReviews, and remembers what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

type Answer = Arc<dyn Fn(&Value) -> Value + Send + Sync>;

/// A server that answers until it is dropped.
pub struct Hook {
    address: SocketAddr,
    authority: String,
    seen: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Hook {
    /// `answer` makes the `response` (without the uid) from the `request`.
    pub async fn start(answer: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a usable certificate");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), Arc::new(answer), seen.clone()));
        Self { address, authority: STANDARD.encode(cert.pem()), seen, task }
    }

    /// The `clientConfig` that leads here.
    pub fn client(&self) -> Value {
        json!({"url": format!("https://{}/review", self.address), "caBundle": self.authority})
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Value> {
        self.seen.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, answer: Answer, seen: Arc<Mutex<Vec<Value>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, answer, seen) = (tls.clone(), answer.clone(), seen.clone());
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(move |request| review(request, answer.clone(), seen.clone()));
            // The client hangs up when it likes.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn review(
    request: Request<Incoming>,
    answer: Answer,
    seen: Arc<Mutex<Vec<Value>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let review: Value = serde_json::from_slice(&body).expect("a review");
    let asked = review["request"].clone();
    let mut response = answer(&asked);
    if response["uid"].is_null() {
        response["uid"] = asked["uid"].clone();
    }
    seen.lock().expect("nobody panicked").push(asked);
    let answer = json!({"kind": review["kind"], "apiVersion": review["apiVersion"], "response": response});
    Ok(Response::new(Full::new(Bytes::from(answer.to_string()))))
}

/// An answer with a JSON patch.
pub fn patch(operations: Value) -> Value {
    json!({"allowed": true, "patchType": "JSONPatch", "patch": STANDARD.encode(operations.to_string())})
}
