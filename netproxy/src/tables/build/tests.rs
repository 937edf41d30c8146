use serde_json::{Value, json};

use super::*;

fn service(name: &str, spec: Value) -> Service {
    let value = json!({"metadata": {"namespace": "default", "name": name, "uid": name}, "spec": spec});
    serde_json::from_value(value).unwrap()
}

fn slice(service: &str, ports: Value, endpoints: Value) -> EndpointSlice {
    let value = json!({
        "metadata": {"namespace": "default", "name": format!("{service}-x"), "labels": {OWNER: service}},
        "addressType": "IPv4", "ports": ports, "endpoints": endpoints,
    });
    serde_json::from_value(value).unwrap()
}

fn web(extra: Value) -> Service {
    let mut spec = json!({
        "clusterIP": "10.43.0.10", "clusterIPs": ["10.43.0.10"], "type": "NodePort",
        "ports": [{"name": "http", "port": 80, "nodePort": 30080, "protocol": "TCP", "targetPort": "web"}],
    });
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    service("web", spec)
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn web_endpoints(service: &Service, endpoints: Value) -> Vec<String> {
    let slice = slice("web", json!([{"name": "http", "port": 8080, "protocol": "TCP"}]), endpoints);
    let routes = build([service], [&slice], "here", &Routes::default());
    let port = routes.service(Protocol::Tcp, at("10.43.0.10:80")).unwrap();
    port.endpoints().iter().map(ToString::to_string).collect()
}

#[test]
fn the_ready_ones_else_those_that_still_serve() {
    for (conditions, expected) in [
        (json!([null, null]), vec!["10.42.0.2:8080", "10.42.0.3:8080"]),
        (json!([{"ready": true}, {"ready": false}]), vec!["10.42.0.2:8080"]),
        (json!([{"ready": false, "serving": true, "terminating": true}, {"ready": false}]), vec!["10.42.0.2:8080"]),
        (json!([{"ready": false, "serving": true, "terminating": true}, {"ready": true}]), vec!["10.42.0.3:8080"]),
        (json!([{"ready": false, "serving": false, "terminating": true}, {"ready": false}]), vec![]),
    ] {
        let endpoints = json!([
            {"addresses": ["10.42.0.2"], "conditions": conditions[0]},
            {"addresses": ["10.42.0.3"], "conditions": conditions[1]},
        ]);
        assert_eq!(web_endpoints(&web(json!({})), endpoints), expected, "{conditions}");
    }
}

#[test]
fn local_policies_keep_to_this_node() {
    let endpoints = json!([
        {"addresses": ["10.42.0.2"], "nodeName": "here"},
        {"addresses": ["10.42.0.3"], "nodeName": "there"},
    ]);
    let local = web(json!({"internalTrafficPolicy": "Local"}));
    assert_eq!(web_endpoints(&local, endpoints.clone()), ["10.42.0.2:8080"]);

    let external = web(json!({"externalTrafficPolicy": "Local"}));
    assert_eq!(web_endpoints(&external, endpoints.clone()).len(), 2);
    let slice = slice("web", json!([{"name": "http", "port": 8080, "protocol": "TCP"}]), endpoints);
    let routes = build([&external], [&slice], "there", &Routes::default());
    let port = routes.node_port(Protocol::Tcp, 30080).unwrap();
    assert_eq!(port.external_endpoints(), [at("10.42.0.3:8080")]);
}

#[test]
fn turns_go_on_from_snapshot_to_snapshot() {
    let endpoints = json!([{"addresses": ["10.42.0.2"]}, {"addresses": ["10.42.0.3"]}, {"addresses": ["10.42.0.4"]}]);
    let slice = slice("web", json!([{"name": "http", "port": 8080}]), endpoints);
    let service = web(json!({}));
    let mut routes = Routes::default();
    let mut seen = Vec::new();
    for _ in 0..6 {
        routes = build([&service], [&slice], "here", &routes);
        seen.push(routes.node_port(Protocol::Tcp, 30080).unwrap().pick().unwrap().to_string());
    }
    let turn = ["10.42.0.2:8080", "10.42.0.3:8080", "10.42.0.4:8080"];
    assert_eq!(seen, [turn, turn].concat());
}

#[test]
fn several_ports_of_two_protocols() {
    let spec = json!({"clusterIP": "10.43.0.53", "ports": [
        {"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
        {"name": "sctp", "port": 9, "protocol": "SCTP"},
    ]});
    let ports = json!([{"name": "dns", "port": 5353, "protocol": "UDP"}, {"name": "dns-tcp", "port": 5354}]);
    let slice = slice("dns", ports, json!([{"addresses": ["10.42.0.9"]}]));
    let routes = build([&service("dns", spec)], [&slice], "here", &Routes::default());
    let pick = |protocol| routes.service(protocol, at("10.43.0.53:53")).unwrap().pick().unwrap();
    assert_eq!(pick(Protocol::Udp), at("10.42.0.9:5353"));
    assert_eq!(pick(Protocol::Tcp), at("10.42.0.9:5354"));
    assert!(routes.is_service_address(at("10.43.0.53:1").ip()));
    assert!(routes.service(Protocol::Tcp, at("10.43.0.53:9")).is_none());
}

#[test]
fn names() {
    let headless = service("db", json!({"clusterIP": "None", "ports": [{"port": 5432}]}));
    let external = service("out", json!({"type": "ExternalName", "externalName": "my.database.com"}));
    let endpoints = json!([
        {"addresses": ["10.42.0.3"], "hostname": "DB-0"},
        {"addresses": ["10.42.0.2"]},
        {"addresses": ["10.42.0.4"], "conditions": {"ready": false}},
    ]);
    let slice = slice("db", json!([{"name": "", "port": 5432}]), endpoints);
    let routes = build([&headless, &external, &web(json!({}))], [&slice], "here", &Routes::default());
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let hosts = HashMap::from([("db-0".to_owned(), vec![ip("10.42.0.3")])]);
    let addresses = vec![ip("10.42.0.2"), ip("10.42.0.3")];
    assert_eq!(routes.named("default", "db"), Some(&Named::Headless { addresses, hosts }));
    assert_eq!(routes.named("default", "out"), Some(&Named::External("my.database.com".to_owned())));
    assert_eq!(routes.named("default", "web"), Some(&Named::Cluster(vec![ip("10.43.0.10")])));
    assert_eq!(routes.named("dev", "web"), None);
}

#[test]
fn what_is_spoken() {
    for (app_protocol, name, expected) in [
        (None, "http", Spoken::Http),
        (None, "http-alt", Spoken::Http),
        (None, "https", Spoken::Bytes),
        (None, "", Spoken::Unknown),
        (None, "web", Spoken::Unknown),
        (Some("kubernetes.io/h2c"), "web", Spoken::Http),
        (Some("tcp"), "http", Spoken::Bytes),
    ] {
        assert_eq!(spoken(app_protocol, name), expected, "{app_protocol:?} {name}");
    }
}
