//! The requests that a control plane makes of a node, on a kubelet's paths. A tower service: in one process it is
//! called, on another machine it is served.
//!
//! Requests for streams answer with an upgrade; the connection comes as hyper's `OnUpgrade` in the request's extensions,
//! whoever accepted it.

mod commands;
mod forward;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use jiff::Timestamp;
use netproxy::fabric::{Body, Fabric};
use percent_encoding::percent_decode_str;
use serde_json::json;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::agent::directory::Directory;
use crate::exec::Exec;
use crate::logs::{self, Query};
use crate::stats::{Page, Stats};

/// Answers for one node. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    directory: Arc<Directory>,
    exec: Exec,
    fabric: Fabric,
    stats: Stats,
    /// Ends the streams with the last server.
    streams: Arc<DropGuard>,
}

/// A request that cannot be answered: its code, and its text as kubelets write it.
struct Refusal(Box<Response<Body>>);

impl Refusal {
    fn new(status: StatusCode, message: String) -> Self {
        Self(Box::new(text(status, message)))
    }

    fn bad_request(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl From<streaming::Refusal> for Refusal {
    fn from(refusal: streaming::Refusal) -> Self {
        let (head, message) = refusal.into_response().into_parts();
        let mut response = text(head.status, message);
        response.headers_mut().extend(head.headers);
        Self(Box::new(response))
    }
}

/// What the path of a request names.
struct Place {
    namespace: String,
    pod: String,
    container: String,
}

impl Place {
    fn new(namespace: &str, pod: &str, container: &str) -> Self {
        let decode = |part| percent_decode_str(part).decode_utf8_lossy().into_owned();
        Self { namespace: decode(namespace), pod: decode(pod), container: decode(container) }
    }
}

impl Server {
    pub(crate) fn new(directory: Arc<Directory>, exec: Exec, fabric: Fabric, stats: Stats) -> Self {
        Self { directory, exec, fabric, stats, streams: Arc::new(CancellationToken::new().drop_guard()) }
    }

    /// The task of an upgraded connection: it ends with the connection, and with the server. `held` is what whoever
    /// accepted the connection wants to be held as long.
    fn spawn(&self, held: http::Extensions, task: impl Future<Output = ()> + Send + 'static) {
        let ended = (*self.streams).token().clone();
        tokio::spawn(async move {
            let _held = held;
            ended.run_until_cancelled_owned(task).await;
        });
    }

    fn answer<B>(&self, request: &mut Request<B>) -> Result<Response<Body>, Refusal> {
        let path = request.uri().path().to_owned();
        let path: Vec<_> = path.trim_matches('/').split('/').collect();
        match (request.method(), &path[..]) {
            // A uid in between says what the name says already.
            (&Method::GET | &Method::POST, ["exec", namespace, pod, .., container]) if path.len() <= 5 => {
                self.exec(&Place::new(namespace, pod, container), request)
            }
            (&Method::GET | &Method::POST, ["attach", namespace, pod, .., container]) if path.len() <= 5 => {
                self.attach(&Place::new(namespace, pod, container), request)
            }
            (&Method::GET | &Method::POST, ["portForward", namespace, pod] | ["portForward", namespace, pod, _]) => {
                self.forward(&Place::new(namespace, pod, ""), request)
            }
            (&Method::GET, ["healthz"]) => Ok(text(StatusCode::OK, "ok".to_owned())),
            (&Method::GET, ["pods"]) => Ok(self.pods()),
            (&Method::GET, ["containerLogs", namespace, pod, container]) => {
                let query = request.uri().query().unwrap_or_default();
                self.logs(&Place::new(namespace, pod, container), query)
            }
            (_, ["exec" | "attach" | "portForward" | "healthz" | "pods" | "containerLogs", ..]) => {
                Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed".to_owned()))
            }
            _ => Err(Refusal::new(StatusCode::NOT_FOUND, "404 page not found".to_owned())),
        }
    }

    fn pods(&self) -> Response<Body> {
        let items: Vec<_> = self.directory.all().iter().map(|view| view.pod()).collect();
        let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items});
        let mut response = text(StatusCode::OK, list.to_string());
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        response
    }

    fn logs(&self, place: &Place, query: &str) -> Result<Response<Body>, Refusal> {
        let Place { namespace, pod, container } = place;
        let query = Query::parse(query, Timestamp::now()).map_err(|error| Refusal::bad_request(error.to_string()))?;
        let missing =
            || Refusal::new(StatusCode::NOT_FOUND, format!("pod {pod:?} not found in namespace {namespace:?}"));
        let view = self.directory.find(namespace, pod).ok_or_else(missing)?;
        let source = view.log(container, query.previous).map_err(|error| Refusal::bad_request(error.to_string()))?;
        let frames = logs::stream(source, query).map(|piece| piece.map(Frame::data).map_err(Into::into));
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        let plain = header::HeaderValue::from_static("text/plain");
        response.headers_mut().insert(header::CONTENT_TYPE, plain);
        Ok(response)
    }
}

/// The answer that hands the connection over.
fn switch(response: Response<()>) -> Response<Body> {
    response.map(|()| Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync())
}

fn page(page: Page) -> Response<Body> {
    let mut response = text(StatusCode::OK, page.text);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(page.media_type));
    response
}

fn text(status: StatusCode, text: String) -> Response<Body> {
    let body = Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let plain = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

impl<B: Send + 'static> tower::Service<Request<B>> for Server {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if request.method() == Method::GET && self.stats.has(request.uri().path()) {
            let (stats, path) = (self.stats.clone(), request.uri().path().to_owned());
            return Box::pin(async move { Ok(page(stats.page(&path).await)) });
        }
        let response = self.answer(&mut request).unwrap_or_else(|Refusal(response)| *response);
        Box::pin(std::future::ready(Ok(response)))
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::from_value;
    use tower::ServiceExt;

    use super::*;
    use crate::pod::kept::Kept;
    use crate::pod::view::View;

    async fn get(server: &Server, path: &str) -> (u16, String) {
        let request = Request::get(path).body(()).expect("request");
        let response = server.clone().oneshot(request).await.expect("infallible");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn logs_are_found_or_refused_in_a_kubelets_words() {
        let root = tempfile::tempdir().expect("directory");
        let pod: Pod = from_value(json!({
            "metadata": {"name": "web", "namespace": "dev", "uid": "1"},
            "status": {"containerStatuses": [
                {"name": "up", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}},
                {"name": "new", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
                 "state": {"waiting": {"reason": "ContainerCreating"}}},
            ]},
        }))
        .expect("pod");
        std::fs::create_dir_all(root.path().join("up")).expect("directory");
        let lines = "2026-01-01T00:00:01Z stdout F one\n2026-01-01T00:00:02Z stderr F two\n";
        std::fs::write(root.path().join("up/0.log"), lines).expect("write");
        let directory = Arc::new(Directory::default());
        directory.enter(&pod, Arc::new(View::new(root.path().to_owned(), Arc::new(Kept::new(pod.clone())))));
        let images = crate::image::Store::open(root.path().join("images")).expect("store");
        let fabric = Fabric::new(netproxy::fabric::Config::default());
        let stats = Stats::new("pi", root.path(), directory.clone());
        let server = Server::new(directory.clone(), Exec::new(directory, images), fabric, stats);

        assert_eq!(get(&server, "/containerLogs/dev/web/up?tailLines=1").await, (200, "two\n".into()));
        let cases = [
            (
                "/containerLogs/dev/web/up?previous=true",
                400,
                "previous terminated container \"up\" in pod \"web\" not found",
            ),
            (
                "/containerLogs/dev/web/new",
                400,
                "container \"new\" in pod \"web\" is waiting to start: ContainerCreating",
            ),
            ("/containerLogs/dev/gone/x", 404, "pod \"gone\" not found in namespace \"dev\""),
            ("/nothing", 404, "404 page not found"),
        ];
        for (path, status, message) in cases {
            assert_eq!(get(&server, path).await, (status, message.into()), "{path}");
        }
        assert_eq!(get(&server, "/healthz").await.0, 200);
        assert!(get(&server, "/pods").await.1.contains("\"name\":\"web\""));
        assert!(get(&server, "/metrics").await.1.contains("kubelet_node_name{node=\"pi\"} 1"));
    }
}
