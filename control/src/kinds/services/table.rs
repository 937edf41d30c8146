//! The row of a service.

use jiff::Timestamp;
use serde_json::Value;

use crate::kinds::access::Look;
use crate::kinds::cells;

/// The cells of a service.
pub fn row(service: &Value, now: Timestamp) -> Vec<Value> {
    let first = service.items("spec.clusterIPs").first().and_then(Value::as_str);
    vec![
        cells::name(service),
        service.text("spec.type").into(),
        cells::or(first.unwrap_or(service.text("spec.clusterIP")), "<none>"),
        external(service).into(),
        ports(service),
        cells::age(service, now),
        cells::labels(service.at("spec.selector")),
    ]
}

fn external(service: &Value) -> String {
    let ips = service.items("spec.externalIPs").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    match service.text("spec.type") {
        "ClusterIP" | "NodePort" if ips.is_empty() => "<none>".into(),
        "ClusterIP" | "NodePort" => ips,
        "LoadBalancer" => match (cells::load_balancer(service.at("status.loadBalancer")), ips) {
            (balancer, ips) if balancer.is_empty() && ips.is_empty() => "<pending>".into(),
            (balancer, ips) if balancer.is_empty() => ips,
            (balancer, ips) if ips.is_empty() => balancer,
            (balancer, ips) => format!("{balancer},{ips}"),
        },
        "ExternalName" => service.text("spec.externalName").to_owned(),
        _ => "<unknown>".into(),
    }
}

/// `8080:31294/TCP`.
fn ports(service: &Value) -> Value {
    let ports: Vec<String> = service
        .items("spec.ports")
        .iter()
        .map(|p| {
            let (port, protocol) = (p.int("port").unwrap_or_default(), p.text("protocol"));
            match p.int("nodePort").unwrap_or_default() {
                0 => format!("{port}/{protocol}"),
                node => format!("{port}:{node}/{protocol}"),
            }
        })
        .collect();
    cells::or(&ports.join(","), "<none>")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_as_the_reference_prints_them() {
        let now = "2026-11-20T09:25:31Z".parse().expect("a time");
        let cells = |name: &str, spec: Value, status: Value| {
            let service = json!({"metadata": {"name": name, "creationTimestamp": "2026-11-20T09:25:29Z"}, "spec": spec,
                "status": status});
            Value::from(row(&service, now))
        };
        assert_eq!(
            cells(
                "s2",
                json!({"type": "NodePort", "clusterIP": "10.0.0.175", "clusterIPs": ["10.0.0.175"],
                "selector": {"a": "b"}, "ports": [{"port": 80, "protocol": "TCP", "nodePort": 31892},
                {"port": 81, "protocol": "UDP", "nodePort": 31944}]}),
                json!({})
            ),
            json!(["s2", "NodePort", "10.0.0.175", "<none>", "80:31892/TCP,81:31944/UDP", "2s", "a=b"])
        );
        assert_eq!(
            cells("s3", json!({"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"]}), json!({})),
            json!(["s3", "ClusterIP", "None", "<none>", "<none>", "2s", "<none>"])
        );
        assert_eq!(
            cells("s4", json!({"type": "ExternalName", "externalName": "example.com"}), json!({})),
            json!(["s4", "ExternalName", "<none>", "example.com", "<none>", "2s", "<none>"])
        );
        let waiting = cells("s5", json!({"type": "LoadBalancer", "clusterIPs": ["10.0.0.9"]}), json!({}));
        assert_eq!(waiting[3], "<pending>");
        let served = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
        assert_eq!(cells("s6", json!({"type": "LoadBalancer", "clusterIPs": ["10.0.0.9"]}), served)[3], "192.0.2.1");
    }
}
