use std::convert::Infallible;
use std::net::SocketAddr;

use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;
use crate::fabric::Config;
use crate::routes::Protocol;

/// An API with one service and one slice, whose watches never tell anything new.
fn api() -> Client {
    let service = tower::service_fn(|request: Request<Body>| async move {
        if request.uri().query().is_some_and(|query| query.contains("watch=true")) {
            return std::future::pending::<Result<Response<Body>, Infallible>>().await;
        }
        let (kind, item) = match request.uri().path() {
            "/api/v1/services" => ("ServiceList", service()),
            _ => ("EndpointSliceList", slice()),
        };
        let list = json!({"kind": kind, "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": [item]});
        Ok(Response::new(Body::from(list.to_string().into_bytes())))
    });
    Client::new(service, "default")
}

fn service() -> Value {
    json!({
        "metadata": {"namespace": "default", "name": "web"},
        "spec": {"clusterIP": "10.43.0.10", "ports": [{"port": 80}]},
    })
}

fn slice() -> Value {
    json!({
        "metadata": {"namespace": "default", "name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4", "ports": [{"name": "", "port": 8080}], "endpoints": [{"addresses": ["10.42.0.2"]}],
    })
}

#[tokio::test(start_paused = true)]
async fn what_the_api_lists_is_routed() {
    let (fabric, stop) = (Fabric::new(Config::default()), CancellationToken::new());
    let mut changed = fabric.routes_changed();
    let following = tokio::spawn(keep_current(api(), fabric.clone(), "here".to_owned(), stop.clone()));
    changed.changed().await.unwrap();
    let at: SocketAddr = "10.43.0.10:80".parse().unwrap();
    let routed = fabric.routes().service(Protocol::Tcp, at).unwrap().pick();
    assert_eq!(routed, Some("10.42.0.2:8080".parse().unwrap()));
    stop.cancel();
    following.await.unwrap();
}

#[test]
fn a_listing_replaces_what_was_there() {
    let of = |name: &str| {
        let mut service: Service = serde_json::from_value(service()).unwrap();
        service.metadata.name = Some(name.to_owned());
        service
    };
    let mut held = Held::new();
    held.apply(Event::Init);
    held.apply(Event::InitApply(of("old")));
    assert!(!held.complete);
    held.apply(Event::InitDone);
    held.apply(Event::Apply(of("new")));
    held.apply(Event::Delete(of("old")));
    assert_eq!(held.live.len(), 1);
    held.apply(Event::Init);
    held.apply(Event::InitApply(of("newest")));
    assert_eq!(held.live.len(), 1, "what is known stays until the listing is complete");
    held.apply(Event::InitDone);
    assert_eq!(held.live.values().next().unwrap().metadata.name.as_deref(), Some("newest"));
}
