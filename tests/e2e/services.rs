//! Services: how pods find and reach each other, and how the outside reaches them.

use crate::harness::{Session, eventually, http};
use std::collections::BTreeSet;
use std::io::{Read, Write};

const HOSTNAME: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: hostname}
spec:
  replicas: 3
  selector: {matchLabels: {app: hostname}}
  template:
    metadata: {labels: {app: hostname}}
    spec:
      containers:
        - name: echo-hostname
          image: localhost/echo-hostname:v1
          ports: [{name: http, containerPort: 80}]
          readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
";

const CLUSTER_IP: &str = "
apiVersion: v1
kind: Service
metadata: {name: hostname-svc-clusterip}
spec:
  selector: {app: hostname}
  ports: [{port: 8080, targetPort: 80}]
";

/// Three pods that tell their names, behind a service of that manifest.
fn hostname(session: &Session, service: &str) {
    session.apply(HOSTNAME);
    session.apply(service);
    session.run("kubectl rollout status deployment/hostname --timeout=90s");
}

/// What a pod sees when it fetches `url`, so many times.
fn fetch(session: &Session, name: &str, url: &str, times: u32) -> String {
    session.task(
        name,
        &format!("image: localhost/fetch:v1\nargs: ['{url}']\nenv: [{{name: TIMES, value: '{times}'}}, {{name: INTERVAL_MS, value: '20'}}]"),
    )
}

fn addresses(said: &str) -> BTreeSet<&str> {
    said.split_whitespace().skip(1).collect()
}

#[test]
fn a_cluster_ip_is_reached_by_all_its_names() {
    let session = Session::new("svc-cluster-ip");
    hostname(&session, CLUSTER_IP);
    let listed = session.run("kubectl get svc");
    let mut lines = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next(), Some(vec!["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]));
    let row = lines.next().expect("a row");
    assert_eq!((row[1], row[3], row[4]), ("ClusterIP", "<none>", "8080/TCP"));
    assert!(row[2].starts_with("10.43."), "{listed}");

    let name = "hostname-svc-clusterip";
    let hosts = [row[2], name, &format!("{name}.svc-cluster-ip"), &format!("{name}.svc-cluster-ip.svc.cluster.local")];
    for (number, host) in hosts.iter().enumerate() {
        let page = fetch(&session, &format!("fetch-{number}"), &format!("http://{host}:8080"), 1);
        assert!(page.contains("<p>Hello, hostname-"), "{host}: {page}");
    }
    let page =
        session.task("over-wasi-http", &format!("image: localhost/fetch-wasi-http:v1\nargs: ['http://{name}:8080/']"));
    assert!(page.contains("200 OK") && page.contains("<p>Hello, hostname-"), "{page}");
}

#[test]
fn requests_are_spread_over_the_pods() {
    let session = Session::new("svc-spread");
    hostname(&session, CLUSTER_IP);
    let pages = fetch(&session, "many", "http://hostname-svc-clusterip:8080", 30);
    let greeters: BTreeSet<String> = pages.lines().filter_map(http::greeter).collect();
    assert_eq!(greeters, session.names("pods -l app=hostname").into_iter().collect(), "{pages}");
}

#[test]
fn endpoints_follow_the_pods() {
    let session = Session::new("svc-endpoints");
    hostname(&session, CLUSTER_IP);
    let endpoints = "kubectl get endpoints hostname-svc-clusterip -o jsonpath='{.subsets[*].addresses[*].ip}'";
    let pods = session.run("kubectl get pods -l app=hostname -o jsonpath='{.items[*].status.podIP}'");
    let pods: BTreeSet<&str> = pods.split(' ').collect();
    session.until(endpoints, |ips| ips.split(' ').collect::<BTreeSet<_>>() == pods);
    let slices = session.run("kubectl get endpointslices -l kubernetes.io/service-name=hostname-svc-clusterip");
    assert!(slices.contains("IPv4") && slices.contains("80"), "{slices}");
    assert!(session.run("kubectl describe svc hostname-svc-clusterip").contains(":80"));
    session.run("kubectl scale deployment hostname --replicas=1");
    session.until(endpoints, |ips| ips.split_whitespace().count() == 1);
}

#[test]
fn ports_may_be_named_and_many() {
    let session = Session::new("svc-ports");
    hostname(
        &session,
        "
apiVersion: v1
kind: Service
metadata: {name: ports}
spec:
  selector: {app: hostname}
  ports: [{name: one, port: 8080, targetPort: http}, {name: two, port: 9090, targetPort: 80}]
",
    );
    assert!(session.run("kubectl get svc ports").contains("8080/TCP,9090/TCP"));
    for port in [8080, 9090] {
        let page = fetch(&session, &format!("fetch-{port}"), &format!("http://ports:{port}"), 1);
        assert!(page.contains("<p>Hello, "), "{port}: {page}");
    }
    let nameless = session.feed(
        "kubectl apply -f -",
        "apiVersion: v1\nkind: Service\nmetadata: {name: nameless}\nspec: {ports: [{port: 1}, {port: 2}]}\n",
    );
    assert!(nameless.stderr.contains("spec.ports[0].name: Required value"), "{nameless}");
}

#[test]
fn a_deployment_is_exposed() {
    let session = Session::new("svc-expose");
    session.apply(HOSTNAME);
    assert_eq!(
        session.run("kubectl expose deployment hostname --port=8080 --target-port=80"),
        "service/hostname exposed\n"
    );
    session.run("kubectl rollout status deployment/hostname --timeout=90s");
    let page = fetch(&session, "fetch", "http://hostname:8080", 1);
    assert!(page.contains("<p>Hello, hostname-"), "{page}");
}

#[test]
fn a_node_port_is_reached_from_outside() {
    let session = Session::new("svc-node-port");
    hostname(&session, &CLUSTER_IP.replace("spec:", "spec:\n  type: NodePort"));
    let listed = session.run("kubectl get svc");
    let port: u16 = session.field("svc hostname-svc-clusterip", ".spec.ports[0].nodePort").parse().expect("a port");
    assert!((30000..=32767).contains(&port) && listed.contains(&format!("8080:{port}/TCP")), "{listed}");
    let address = session.node_port("hostname-svc-clusterip");
    http::answers(&address, "/", "<p>Hello, hostname-");
    assert_eq!(http::greeters(&address, 30), session.names("pods -l app=hostname").into_iter().collect());

    session.run("kubectl delete svc hostname-svc-clusterip");
    http::refuses(&address);
}

#[test]
fn a_node_port_may_be_asked_for() {
    let session = Session::new("svc-node-port-asked");
    let service = |name: &str, port: u16| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{type: NodePort, selector: {{app: x}}, ports: [{{port: 80, nodePort: {port}}}]}}\n"
        )
    };
    let others = session.run("kubectl get svc -A");
    let port = (30000..32768u16).find(|port| !others.contains(&port.to_string())).expect("a port that is free");
    session.apply(&service("first", port));
    assert!(session.run("kubectl get svc first").contains(&format!("80:{port}/TCP")));
    let taken = session.feed("kubectl apply -f -", &service("second", port));
    assert!(
        taken
            .stderr
            .contains(&format!("spec.ports[0].nodePort: Invalid value: {port}: provided port is already allocated")),
        "{taken}"
    );
    let outside = session.feed("kubectl apply -f -", &service("third", 20000));
    let words = "spec.ports[0].nodePort: Invalid value: 20000: provided port is not in the valid range. The range of valid ports is 30000-32767";
    assert!(outside.stderr.contains(words), "{outside}");
    session.run("kubectl delete svc first");
    session.apply(&service("second", port));
}

#[test]
fn what_is_not_http_passes_a_node_port_too() {
    let session = Session::new("svc-tcp");
    session.run("kubectl run echo --image=localhost/tcp-echo:v1 --port=7 --labels=app=echo");
    session.run("kubectl expose pod echo --port=7 --type=NodePort");
    session.ready("app=echo");
    let address = session.node_port("echo");
    eventually("an echo", || {
        let mut stream = http::connect(&address).map_err(|error| error.to_string())?;
        let mut answer = [0; 15];
        stream.write_all(b"not HTTP at all").map_err(|error| error.to_string())?;
        stream.read_exact(&mut answer).map_err(|error| error.to_string())?;
        match &answer == b"not HTTP at all" {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&answer).into_owned()),
        }
    });
}

#[test]
fn datagrams_reach_a_service() {
    let session = Session::new("svc-udp");
    session.run("kubectl run echo --image=localhost/udp-echo:v1 --labels=app=echo");
    session.apply(
        "
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {selector: {app: echo}, ports: [{protocol: UDP, port: 7007, targetPort: 7}]}
",
    );
    session.ready("app=echo");
    session.until("kubectl logs echo", |logs| logs.contains("listening"));
    let ip = session.field("pod echo", ".status.podIP");
    for (name, target) in [("to-pod", format!("{ip}:7")), ("to-service", "echo:7007".to_owned())] {
        let said = session.task(name, &format!("image: localhost/udp-say:v1\nargs: ['{target}', ahoy]"));
        assert!(said.contains("ahoy"), "{target}: {said}");
    }
}

#[test]
fn a_headless_service_resolves_to_its_pods() {
    let session = Session::new("svc-headless");
    hostname(
        &session,
        &CLUSTER_IP.replace("spec:", "spec:\n  clusterIP: None").replace("hostname-svc-clusterip", "headless"),
    );
    assert!(session.run("kubectl get svc headless").contains("None"));
    let pods = session.run("kubectl get pods -l app=hostname -o jsonpath='{.items[*].status.podIP}'");
    let said = session.task("lookup", "image: localhost/lookup:v1\nargs: [headless]");
    assert_eq!(addresses(&said), pods.split(' ').collect(), "{said}");
}

#[test]
fn an_external_name_stands_for_another() {
    let session = Session::new("svc-external");
    hostname(&session, CLUSTER_IP);
    let target = "hostname-svc-clusterip.svc-external.svc.cluster.local";
    session.run(&format!("kubectl create service externalname externalname-svc --external-name {target}"));
    assert!(session.run("kubectl get svc externalname-svc").contains(target));
    let said = session.task("lookup", "image: localhost/lookup:v1\nargs: [externalname-svc]");
    let ip = session.field("svc hostname-svc-clusterip", ".spec.clusterIP");
    assert_eq!(addresses(&said), BTreeSet::from([ip.as_str()]), "{said}");
}

#[test]
fn a_deleted_service_is_gone_at_once() {
    let session = Session::new("svc-deleted");
    session.apply(CLUSTER_IP);
    let ip = session.field("svc hostname-svc-clusterip", ".spec.clusterIP");
    let said = session.task("before", "image: localhost/lookup:v1\nargs: [hostname-svc-clusterip]");
    assert!(said.contains(&ip), "{said}");
    session.run("kubectl delete svc hostname-svc-clusterip");
    let said = session.task("after", "image: localhost/lookup:v1\nargs: [hostname-svc-clusterip]");
    assert!(!said.contains(&ip), "{said}");
    session.apply(&CLUSTER_IP.replace("spec:", &format!("spec:\n  clusterIP: {ip}")));
}

#[test]
fn an_address_is_not_given_twice() {
    let session = Session::new("svc-address");
    session.apply(CLUSTER_IP);
    let ip = session.field("svc hostname-svc-clusterip", ".spec.clusterIP");
    let again = CLUSTER_IP.replace("hostname-svc", "again").replace("spec:", &format!("spec:\n  clusterIP: {ip}"));
    let run = session.feed("kubectl apply -f -", &again);
    assert!(run.stderr.contains("provided IP is already allocated"), "{run}");
    let run = session.feed(
        "kubectl apply -f -",
        &CLUSTER_IP.replace("spec:", "spec:\n  clusterIP: 192.168.1.1").replace("hostname-svc", "outside"),
    );
    assert!(run.stderr.contains("not in the valid range") || run.stderr.contains("not in range"), "{run}");
}

#[test]
fn the_host_s_loopback_is_out_of_reach() {
    let session = Session::new("svc-loopback");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener of the test's own");
    let port = listener.local_addr().expect("its address").port();
    let said = fetch(&session, "fetch", &format!("http://127.0.0.1:{port}"), 1);
    assert!(said.contains("refused"), "{said}");
}
