//! The fabric as its users see it.

mod http;
mod tcp;
mod tls;
mod udp;

use std::net::SocketAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde_json::json;

use super::*;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn fabric() -> Fabric {
    Fabric::new(Config::default())
}

fn plug(fabric: &Fabric, ip: &str) -> Plug {
    fabric.attach(PodAddress::for_test(ip)).unwrap()
}

/// The service `web` at 10.43.0.10:80, for TCP and UDP, with these endpoints at port 80.
fn serve_by(fabric: &Fabric, endpoints: &[&str]) {
    let service: Service = serde_json::from_value(json!({
        "metadata": {"namespace": "default", "name": "web"},
        "spec": {"clusterIP": "10.43.0.10", "ports": [
            {"name": "t", "port": 80, "nodePort": 30080}, {"name": "u", "port": 80, "protocol": "UDP"},
        ]},
    }))
    .unwrap();
    let endpoints: Vec<_> = endpoints.iter().map(|ip| json!({"addresses": [ip]})).collect();
    let slice: EndpointSlice = serde_json::from_value(json!({
        "metadata": {"namespace": "default", "name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4", "endpoints": endpoints,
        "ports": [{"name": "t", "port": 80}, {"name": "u", "port": 80, "protocol": "UDP"}],
    }))
    .unwrap();
    let previous = fabric.routes().clone();
    fabric.set_routes(Arc::new(crate::tables::build([&service], [&slice], "here", &previous)));
}
