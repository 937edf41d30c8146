//! The cluster: what one sees of it before there is anything in it.

use crate::harness::Session;

#[test]
fn says_its_version() {
    let session = Session::new("version");
    let version = session.run("kubectl version -o json");
    let (_, server) = version.split_once("serverVersion").expect("the server's version");
    assert!(server.contains(r#""major": "1""#) && server.contains(r#""minor": "33""#), "{version}");
}

#[test]
fn says_where_it_is() {
    let session = Session::new("cluster-info");
    let info = session.run("kubectl cluster-info");
    assert!(info.contains("Kubernetes control plane"), "{info}");
    assert!(info.contains(session.server().url()), "{info}");
}

#[test]
fn lists_what_it_knows() {
    let session = Session::new("discovery");
    let resources = session.run("kubectl api-resources");
    let deployments = row(&resources, "deployments");
    assert_eq!(deployments, ["deployments", "deploy", "apps/v1", "true", "Deployment"]);
    assert_eq!(row(&resources, "namespaces"), ["namespaces", "ns", "v1", "false", "Namespace"]);
    for resource in ["pods", "services", "configmaps", "secrets", "endpointslices", "leases", "replicasets", "events"] {
        assert!(!row(&resources, resource).is_empty(), "{resource} in\n{resources}");
    }
    let versions = session.run("kubectl api-versions");
    for version in ["v1", "apps/v1", "coordination.k8s.io/v1", "discovery.k8s.io/v1"] {
        assert!(versions.lines().any(|line| line == version), "{version} in\n{versions}");
    }
    assert!(session.run("kubectl completion bash").contains("kubectl"));
}

#[test]
fn has_one_ready_node() {
    let session = Session::new("nodes");
    let nodes = session.until("kubectl get nodes", |nodes| nodes.contains(" Ready "));
    let (header, rows) = nodes.split_once('\n').expect("a header and a row");
    assert_eq!(words(header), ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]);
    let node = words(rows.trim());
    assert_eq!(node[1..3], ["Ready", "control-plane"], "{nodes}");
    assert!(node[4].starts_with("v1.33."), "{nodes}");

    let wide = session.run("kubectl get nodes -o wide");
    let header = wide.lines().next().expect("a header");
    for column in ["INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"] {
        assert!(header.contains(column), "{wide}");
    }
    assert!(wide.contains("wasmtime://48."), "{wide}");
    assert!(!session.node().is_empty(), "{wide}");
    let described = session.run("kubectl describe nodes");
    for section in ["Conditions:", "Capacity:", "Allocatable:", "System Info:", "KubeletReady"] {
        assert!(described.contains(section), "{section} in\n{described}");
    }
}

#[test]
fn starts_with_four_namespaces() {
    let session = Session::new("four-namespaces");
    let namespaces = session.run("kubectl get namespaces");
    assert_eq!(words(namespaces.lines().next().expect("a header")), ["NAME", "STATUS", "AGE"]);
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        assert_eq!(row(&namespaces, name).get(1), Some(&"Active"), "{name} in\n{namespaces}");
    }
}

#[test]
fn offers_itself_as_a_service() {
    let session = Session::new("kubernetes-service");
    let services = session.until("kubectl get svc -n default", |services| services.contains("kubernetes"));
    let kubernetes = row(&services, "kubernetes");
    assert_eq!(kubernetes[1..5], ["ClusterIP", "10.43.0.1", "<none>", "443/TCP"], "{services}");

    session.until("kubectl get endpoints kubernetes -n default", |endpoints| {
        row(endpoints, "kubernetes")[1].contains(':')
    });
    let run = session.run_whole("kubectl get endpoints kubernetes -n default");
    let warning = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
    assert!(run.stderr.contains(warning), "{run}");
}

#[test]
fn lists_all_pods_and_health() {
    let session = Session::new("all-pods");
    session.run("kubectl get pods -A");
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(session.run(&format!("kubectl get --raw {path}")), "ok");
    }
}

#[test]
fn explains_fields() {
    let session = Session::new("explain");
    let explained = session.run("kubectl explain deployment.spec.strategy");
    for words in ["DeploymentStrategy", "rollingUpdate", "type"] {
        assert!(explained.contains(words), "{words} in\n{explained}");
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The words of the line that starts with `name`.
fn row<'table>(table: &'table str, name: &str) -> Vec<&'table str> {
    table.lines().map(words).find(|words| words.first() == Some(&name)).unwrap_or_default()
}
