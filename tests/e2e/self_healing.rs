//! Self-healing: probes, limits, and what becomes of a pod that misbehaves.

use crate::harness::{Session, http};

fn healthz(env: &str, probes: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: healthz, labels: {{app: healthz}}}}
spec:
  containers:
    - name: healthz
      image: localhost/healthz:v1
      ports: [{{name: http, containerPort: 80}}]
      env: [{env}]
{probes}"
    )
}

#[test]
fn a_liveness_failure_restarts_the_container() {
    let session = Session::new("probe-liveness");
    let probe = "      livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1, failureThreshold: 2}\n";
    session.apply(&healthz("{name: HEALTHY_FOR, value: '3'}", probe));
    session.ready("app=healthz");
    session.until("kubectl get pod healthz -o jsonpath='{.status.containerStatuses[0].restartCount}'", |count| {
        count == "1"
    });
    session.until("kubectl describe pod healthz", |described| {
        described.contains("Liveness probe failed: HTTP probe failed with statuscode: 500")
            && described.contains("Container healthz failed liveness probe, will be restarted")
    });
}

#[test]
fn a_pod_that_is_not_ready_gets_no_traffic() {
    let session = Session::new("probe-readiness");
    let probe = "      readinessProbe: {httpGet: {path: /ready, port: 80}, periodSeconds: 1}\n";
    session.apply(&healthz("{name: READY_AFTER, value: '4'}", probe));
    session.run("kubectl expose pod healthz --port=80 --type=NodePort");
    session.until("kubectl get pod healthz", |pod| pod.contains("0/1") && pod.contains("Running"));
    let endpoints = "kubectl get endpoints healthz -o jsonpath='{.subsets[*].addresses[*].ip}'";
    assert_eq!(session.run(endpoints), "");
    assert!(http::get(&session.node_port("healthz"), "/").map_or(true, |answer| !answer.contains("Hello, healthz")));
    session.ready("app=healthz");
    session.until(endpoints, |ips| ips.starts_with("10.42."));
    http::answers(&session.node_port("healthz"), "/", "Hello, healthz");
    session.until("kubectl describe pod healthz", |described| described.contains("Readiness probe failed"));
}

#[test]
fn a_startup_probe_holds_the_others_back() {
    let session = Session::new("probe-startup");
    let probes = "
      startupProbe: {httpGet: {path: /ready, port: 80}, periodSeconds: 1, failureThreshold: 30}
      livenessProbe: {httpGet: {path: /ready, port: 80}, periodSeconds: 1, failureThreshold: 1}
";
    session.apply(&healthz("{name: READY_AFTER, value: '3'}", probes));
    session.until("kubectl get pod healthz -o jsonpath='{.status.containerStatuses[0].started}'", |started| {
        started == "false"
    });
    session.ready("app=healthz");
    assert_eq!(session.field("pod healthz", ".status.containerStatuses[0].restartCount"), "0");
}

#[test]
fn a_tcp_probe_needs_only_a_listener() {
    let session = Session::new("probe-tcp");
    let pod = |name: &str, port: u16| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\nspec: {{containers: [{{name: echo, image: 'localhost/tcp-echo:v1', readinessProbe: {{tcpSocket: {{port: {port}}}, periodSeconds: 1}}}}]}}\n"
        )
    };
    session.apply(&pod("listening", 7));
    session.apply(&pod("deaf", 8));
    session.ready("app=listening");
    session.until("kubectl describe pod deaf", |described| described.contains("Readiness probe failed"));
    assert!(session.run("kubectl get pod deaf").contains("0/1"));
}

#[test]
fn too_much_memory_is_oom_killed() {
    let session = Session::new("oom");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: hog}
spec:
  restartPolicy: Never
  containers: [{name: hog, image: 'localhost/hog:v1', resources: {limits: {memory: 32Mi}}}]
",
    );
    session.until("kubectl get pod hog", |pod| pod.contains("OOMKilled"));
    assert_eq!(session.field("pod hog", ".status.containerStatuses[0].state.terminated.exitCode"), "137");
    let logs = session.run("kubectl logs hog");
    let last = logs.lines().rfind(|line| line.starts_with("holding ")).expect("a line that says how much");
    let held: u32 = last.trim_start_matches("holding ").trim_end_matches(" MiB").parse().expect("a number");
    assert!((16..32).contains(&held), "{held} MiB");
}

#[test]
fn a_busy_guest_starves_nobody() {
    let session = Session::new("busy");
    for number in 0..4 {
        session.run(&format!("kubectl run burn-{number} --image=localhost/burn:v1 --labels=app=burn"));
    }
    session.ready("app=burn");
    session.run("kubectl run web --image=localhost/web:1.21 --port=80 --labels=app=web");
    session.run("kubectl expose pod web --port=80 --type=NodePort");
    session.ready("app=web");
    http::answers(&session.node_port("web"), "/", "Welcome to web 1.21!");
    session.run("kubectl delete pod -l app=burn --now --timeout=60s");
}

#[test]
fn a_pod_that_fits_nowhere_waits() {
    let session = Session::new("pending");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: giant}
spec: {containers: [{name: giant, image: 'localhost/sleep:v1', resources: {requests: {memory: 1000Ti}}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: picky}
spec: {nodeSelector: {disk: gold}, containers: [{name: picky, image: 'localhost/sleep:v1'}]}
",
    );
    session.until("kubectl describe pod giant", |described| {
        described.contains("FailedScheduling") && described.contains("0/1 nodes are available: 1 Insufficient memory")
    });
    session.until("kubectl describe pod picky", |described| {
        described.contains("FailedScheduling") && described.contains("didn't match Pod's node affinity/selector")
    });
    let pods = session.run("kubectl get pods");
    assert_eq!(pods.matches("Pending").count(), 2, "{pods}");

    let node = session.field("nodes", ".items[0].metadata.name");
    session.run(&format!("kubectl label node {node} disk=gold"));
    session.run("kubectl wait --for=condition=Ready pod/picky --timeout=90s");
    session.run(&format!("kubectl label node {node} disk-"));
}

#[test]
fn a_killed_pod_gives_its_port_back() {
    let session = Session::new("port-freed");
    session.apply(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      containers:
        - name: echo
          image: localhost/tcp-echo:v1
          ports: [{containerPort: 7}]
          readinessProbe: {tcpSocket: {port: 7}, periodSeconds: 1}
",
    );
    for _ in 0..3 {
        session.ready("app=echo");
        let pod = session.names("pods")[0].clone();
        session.run(&format!("kubectl delete pod {pod} --grace-period=0 --force"));
        session.until("kubectl get pods -o name", |pods| !pods.is_empty() && !pods.contains(&pod));
    }
    session.ready("app=echo");
    let logs = session.run("kubectl logs -l app=echo");
    assert!(logs.contains("listening on") && !logs.contains("AddrInUse"), "{logs}");
}

#[test]
fn a_restarted_container_binds_its_port_again() {
    let session = Session::new("port-again");
    let probe = "      livenessProbe: {httpGet: {path: /healthz, port: 80}, periodSeconds: 1, failureThreshold: 1}\n";
    session.apply(&healthz("{name: HEALTHY_FOR, value: '2'}", probe));
    let restarts = "kubectl get pod healthz -o jsonpath='{.status.containerStatuses[0].restartCount}'";
    session.until(restarts, |count| count == "1");
    session.until("kubectl logs healthz", |logs| logs.contains("listening on 0.0.0.0:80"));
    let ip = session.field("pod healthz", ".status.podIP");
    let page = session.task(
        "fetch",
        &format!("image: localhost/fetch:v1\nargs: ['http://{ip}/']\nenv: [{{name: TIMES, value: '50'}}]"),
    );
    assert!(page.contains("Hello, healthz"), "{page}");
}

#[test]
fn a_trap_is_an_error_of_the_guest() {
    let session = Session::new("trap");
    session.task("trap", "image: localhost/crash:v1\nargs: [panic]");
    assert_eq!(session.field("pod trap", ".status.containerStatuses[0].state.terminated.exitCode"), "134");
    assert!(session.run("kubectl logs trap").contains("crash: asked to panic"));
}
