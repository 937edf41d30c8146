//! The environment variables that tell a pod about services, as Docker's links once did.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Service;

/// `WEB_SERVICE_HOST`, `WEB_SERVICE_PORT`, `WEB_PORT_80_TCP_ADDR` and so on. All services of the namespace when links
/// are enabled, and always the `kubernetes` service of `default`.
pub fn variables<'a>(
    services: impl IntoIterator<Item = &'a Service>,
    namespace: &str,
    links: bool,
) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for service in services {
        let (Some(name), home) = (&service.metadata.name, service.metadata.namespace.as_deref()) else { continue };
        let master = home == Some("default") && name == "kubernetes";
        if master || (links && home == Some(namespace)) {
            // A namespace's own service called `kubernetes` does not hide the API.
            if master || !variables.contains_key(&format!("{}_SERVICE_HOST", prefix(name))) {
                describe(service, &prefix(name), &mut variables);
            }
        }
    }
    variables
}

fn prefix(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

fn describe(service: &Service, name: &str, variables: &mut BTreeMap<String, String>) {
    let Some(spec) = &service.spec else { return };
    let host = match spec.cluster_ip.as_deref() {
        None | Some("" | "None") => return,
        Some(host) => host,
    };
    let Some(first) = spec.ports.iter().flatten().next() else { return };
    let mut set = |key: String, value: String| variables.insert(key, value);
    set(format!("{name}_SERVICE_HOST"), host.to_owned());
    set(format!("{name}_SERVICE_PORT"), first.port.to_string());
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    for port in spec.ports.iter().flatten() {
        if let Some(called) = port.name.as_deref().filter(|called| !called.is_empty()) {
            set(format!("{name}_SERVICE_PORT_{}", prefix(called)), port.port.to_string());
        }
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        let url = format!("{}://{bracketed}:{}", protocol.to_ascii_lowercase(), port.port);
        let link = format!("{name}_PORT_{}_{protocol}", port.port);
        if port == first {
            set(format!("{name}_PORT"), url.clone());
        }
        set(link.clone(), url);
        set(format!("{link}_PROTO"), protocol.to_ascii_lowercase());
        set(format!("{link}_PORT"), port.port.to_string());
        set(format!("{link}_ADDR"), host.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_service_is_described_as_kubelets_do() {
        let service = |namespace: &str, name: &str, ip: &str| -> Service {
            from_value(json!({
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"clusterIP": ip, "ports": [{"name": "http", "port": 8080}, {"port": 53, "protocol": "UDP"}]},
            }))
            .expect("service")
        };
        let services = [
            service("dev", "my-web", "10.43.0.9"),
            service("default", "kubernetes", "10.43.0.1"),
            service("default", "other", "10.43.0.2"),
            service("dev", "headless", "None"),
        ];
        let all = variables(&services, "dev", true);
        let expected = [
            ("MY_WEB_SERVICE_HOST", "10.43.0.9"),
            ("MY_WEB_SERVICE_PORT", "8080"),
            ("MY_WEB_SERVICE_PORT_HTTP", "8080"),
            ("MY_WEB_PORT", "tcp://10.43.0.9:8080"),
            ("MY_WEB_PORT_8080_TCP", "tcp://10.43.0.9:8080"),
            ("MY_WEB_PORT_8080_TCP_PROTO", "tcp"),
            ("MY_WEB_PORT_53_UDP_ADDR", "10.43.0.9"),
            ("KUBERNETES_SERVICE_HOST", "10.43.0.1"),
        ];
        for (name, value) in expected {
            assert_eq!(all.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!all.keys().any(|name| name.starts_with("OTHER") || name.starts_with("HEADLESS")));
        let without = variables(&services, "dev", false);
        assert!(without.keys().all(|name| name.starts_with("KUBERNETES_")) && !without.is_empty());
    }
}
