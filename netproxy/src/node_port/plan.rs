//! Which ports to open and close: pure.

use std::sync::Arc;

use super::Key;
use crate::routes::{Routes, ServicePort};

/// What is to be done, in this order: a port may go from one service to another.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub close: Vec<Key>,
    /// All that should be open, those that are open already included.
    pub serve: Vec<(Key, Arc<ServicePort>)>,
}

pub(super) fn plan(open: impl Iterator<Item = Key>, routes: &Routes) -> Steps {
    let close = open.filter(|(protocol, port)| routes.node_port(*protocol, *port).is_none()).collect();
    let serve = routes.node_ports().map(|(protocol, port, service)| ((protocol, port), service.clone())).collect();
    Steps { close, serve }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Protocol;

    #[test]
    fn closes_what_went_and_serves_what_is_there() {
        let service: k8s_openapi::api::core::v1::Service = serde_json::from_value(serde_json::json!({
            "metadata": {"namespace": "default", "name": "web"},
            "spec": {"clusterIP": "10.43.0.10", "ports": [{"port": 80, "nodePort": 30080}]},
        }))
        .unwrap();
        let routes = crate::tables::build([&service], [], "here", &Routes::default());
        let steps = plan([(Protocol::Tcp, 30080), (Protocol::Udp, 30080)].into_iter(), &routes);
        assert_eq!(steps.close, [(Protocol::Udp, 30080)]);
        assert_eq!(steps.serve.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [(Protocol::Tcp, 30080)]);
    }
}
