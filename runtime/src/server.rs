//! The requests that a control plane makes of a node, on a kubelet's paths. A tower service: in one process it is
//! called, on another machine it is served.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use jiff::Timestamp;
use netproxy::fabric::Body;
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::agent::directory::Directory;
use crate::logs::{self, Query};

/// Answers for one node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Server {
    directory: Arc<Directory>,
}

/// A request that cannot be answered: its code, and its text as kubelets write it.
struct Refusal(StatusCode, String);

impl Server {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        Self { directory }
    }

    fn answer<B>(&self, request: &Request<B>) -> Result<Response<Body>, Refusal> {
        if request.method() != Method::GET {
            return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed".to_owned()));
        }
        let path: Vec<_> = request.uri().path().trim_matches('/').split('/').collect();
        match path[..] {
            ["healthz"] => Ok(text(StatusCode::OK, "ok".to_owned())),
            ["pods"] => Ok(self.pods()),
            ["containerLogs", namespace, pod, container] => {
                let decode = |part| percent_decode_str(part).decode_utf8_lossy();
                let query = request.uri().query().unwrap_or_default();
                self.logs(&decode(namespace), &decode(pod), &decode(container), query)
            }
            _ => Err(Refusal(StatusCode::NOT_FOUND, "404 page not found".to_owned())),
        }
    }

    fn pods(&self) -> Response<Body> {
        let items: Vec<_> = self.directory.all().iter().map(|view| view.pod()).collect();
        let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items});
        let mut response = text(StatusCode::OK, list.to_string());
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        response
    }

    fn logs(&self, namespace: &str, pod: &str, container: &str, query: &str) -> Result<Response<Body>, Refusal> {
        let bad = |message: String| Refusal(StatusCode::BAD_REQUEST, message);
        let query = Query::parse(query, Timestamp::now()).map_err(|error| bad(error.to_string()))?;
        let missing = || Refusal(StatusCode::NOT_FOUND, format!("pod {pod:?} not found in namespace {namespace:?}"));
        let view = self.directory.find(namespace, pod).ok_or_else(missing)?;
        let source = view.log(container, query.previous).map_err(|error| bad(error.to_string()))?;
        let frames = logs::stream(source, query).map(|piece| piece.map(Frame::data).map_err(Into::into));
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        let plain = header::HeaderValue::from_static("text/plain");
        response.headers_mut().insert(header::CONTENT_TYPE, plain);
        Ok(response)
    }
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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let response = self.answer(&request).unwrap_or_else(|Refusal(status, message)| text(status, message));
        Box::pin(std::future::ready(Ok(response)))
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::from_value;
    use tower::ServiceExt;

    use super::*;
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
        directory.enter(&pod, Arc::new(View::new(root.path().to_owned(), Arc::new(pod.clone()))));
        let server = Server::new(directory);

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
    }
}
