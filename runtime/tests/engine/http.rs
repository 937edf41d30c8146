//! Guests that handle HTTP requests.

use std::net::SocketAddr;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use netproxy::fabric::{Body, Origin};
use runtime::container::{self, StartError};
use runtime::sandbox::Sandbox;

use crate::harness::{Net, engine, load, sample, spec, start, start_with, written};

async fn get(net: &Net, pod: &Sandbox, port: u16) -> Response<Body> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::get("/").body(body).unwrap();
    net.fabric.request(Origin::Host, SocketAddr::new(pod.plug.address(), port), request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_request_makes_an_instance_that_does_not_stay() {
    let net = Net::new();
    let pod = net.pod("page-1");
    let (handler, _) = start_with(&pod, &["echo-hostname"], |spec| spec.http_ports = vec![80, 8080]).await;
    for port in [80, 8080, 80] {
        let response = get(&net, &pod, port).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(response).await, "<p>Hello, page-1</p>\n");
    }
    tokio::time::timeout(std::time::Duration::from_secs(5), async {
        while handler.usage().memory != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("no instance lives while idle");
}

#[tokio::test]
async fn many_requests_at_once_are_all_answered() {
    let net = std::sync::Arc::new(Net::new());
    let pod = net.pod("busy");
    // Room for a few instances only: the others wait.
    let (_handler, _) = start_with(&pod, &["echo-hostname"], |spec| {
        spec.http_ports = vec![80];
        spec.memory_limit = Some(8 << 20);
    })
    .await;
    let calls = (0..200).map(|_| {
        let (net, pod) = (net.clone(), pod.clone());
        tokio::spawn(async move { get(&net, &pod, 80).await.status() })
    });
    for status in futures::future::join_all(calls).await {
        assert_eq!(status.unwrap(), StatusCode::OK);
    }
}

#[tokio::test]
async fn guests_call_handlers_over_sockets_and_over_http() {
    let net = Net::new();
    let (page, client) = (net.pod("page"), net.pod("client"));
    let (_handler, _) = start_with(&page, &["echo-hostname"], |spec| spec.http_ports = vec![80]).await;
    let url = format!("http://{}/", page.plug.address());
    for program in ["fetch", "fetch-wasi-http"] {
        let (mut guest, heard) = start(&client, &[program, &url]).await;
        crate::harness::exit(&mut guest).await;
        assert!(heard.text().contains("<p>Hello, page</p>"), "{program}: {}", heard.text());
    }
}

#[tokio::test]
async fn an_instance_without_memory_fails_its_request_and_says_so_in_the_log() {
    let net = Net::new();
    let pod = net.pod("tiny");
    let (_handler, ears) = start_with(&pod, &["echo-hostname"], |spec| {
        spec.http_ports = vec![80];
        spec.memory_limit = Some(64 << 10);
    })
    .await;
    let response = get(&net, &pod, 80).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text(response).await.contains("memory"));
    assert!(ears.text().contains("memory"), "{}", ears.text());
}

#[tokio::test]
async fn a_taken_port_fails_the_start_and_a_dropped_one_is_free() {
    let net = Net::new();
    let pod = net.pod("page");
    let (first, _) = start_with(&pod, &["echo-hostname"], |spec| spec.http_ports = vec![80]).await;
    let guest = load(&sample("echo-hostname")).await;
    let mut again = spec(&Default::default(), &["echo-hostname"]);
    again.http_ports = vec![80];
    let taken = container::start(engine(), guest.clone(), &pod, again.clone()).map(drop);
    assert!(matches!(taken, Err(StartError::Port { port: 80, .. })), "{taken:?}");
    first.kill().await;
    container::start(engine(), guest, &pod, again).unwrap();
}

#[tokio::test]
async fn a_trap_fails_its_request_and_no_other() {
    let net = Net::new();
    let pod = net.pod("broken");
    let path = written(
        "trapping-handler",
        r#"(component
            (import "wasi:http/types@0.2.0" (instance $types
                (export "incoming-request" (type (sub resource)))
                (export "response-outparam" (type (sub resource)))))
            (alias export $types "incoming-request" (type $request))
            (alias export $types "response-outparam" (type $outparam))
            (core module $m (func (export "handle") (param i32 i32) unreachable))
            (core instance $i (instantiate $m))
            (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
                (canon lift (core func $i "handle")))
            (instance $handler (export "handle" (func $handle)))
            (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))"#,
    );
    let ears = Default::default();
    let mut spec = spec(&ears, &["broken"]);
    spec.http_ports = vec![80];
    let _handler = container::start(engine(), load(&path).await, &pod, spec).unwrap();
    for _ in 0..2 {
        let response = get(&net, &pod, 80).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(text(response).await.contains("unreachable"));
    }
    assert!(ears.text().contains("handler trapped") && ears.text().contains("backtrace"), "{}", ears.text());
}
