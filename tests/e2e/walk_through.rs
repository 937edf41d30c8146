//! What one does with a node: look inside its pods, reach them, debug them. Typed as tutorials have it, with the oldest
//! and the newest `kubectl` that the tests have.

use crate::clients::installed;
use crate::harness::Session;
use crate::harness::terminal::Terminal;

const HOSTNAME: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: hostname}
spec:
  replicas: 3
  selector: {matchLabels: {app: hostname}}
  template:
    metadata: {labels: {app: hostname}}
    spec: {containers: [{name: hostname, image: 'localhost/echo-hostname:v1', ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: hostname-svc-clusterip}
spec: {selector: {app: hostname}, ports: [{port: 8080, targetPort: 80}]}
";

const WEB: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: 'localhost/web:1.21', ports: [{containerPort: 80}]}]}
";

/// The prompt's end: guests are root.
const PROMPT: &str = "# ";

/// Walks the same way with both versions, each in a namespace of its own.
fn walk(name: &str, way: impl Fn(&Session)) {
    for version in ["debian", "newest"] {
        let kubectl = installed("kubectl", &format!("kubectl/{version}/kubectl"));
        way(&Session::new(&format!("walk-{name}-{version}")).with_kubectl(&kubectl));
    }
}

fn with(manifest: &str, selector: &str, session: &Session) {
    session.apply(manifest);
    session.ready(selector);
}

/// Types a line at the shell's prompt and waits for these words of its output; `words` must not be in the line itself.
fn type_in(shell: &mut Terminal, line: &str, words: &str) {
    shell.see(PROMPT);
    shell.say(&format!("{line}\r"));
    shell.see(words);
}

fn interrupt_a_sleep(shell: &mut Terminal) {
    type_in(shell, "echo sleep''ing; sleep 100", "sleeping\r\n");
    shell.say("\x03");
    type_in(shell, "echo code=$?", "code=130\r\n");
}

#[test]
fn commands_run_in_a_pod() {
    walk("exec", |session| {
        with(WEB, "app=web", session);
        let environment = session.run("kubectl exec web -- env");
        for line in ["HOSTNAME=web", "KUBERNETES_SERVICE_PORT=443"] {
            assert!(environment.lines().any(|one| one == line), "{line} in\n{environment}");
        }
        let mut shell = session.terminal("kubectl exec -it web -- /bin/bash");
        type_in(&mut shell, "echo TERM=$TERM", "TERM=xterm\r\n");
        type_in(&mut shell, "curl --silent localhost | grep -c Welcome", "1\r\n");
        interrupt_a_sleep(&mut shell);
        shell.see(PROMPT);
        shell.say("exit 3\r");
        shell.see("command terminated with exit code 3");
        assert_eq!(shell.code(), Some(3));
    });
}

#[test]
fn a_pod_is_run_to_look_around() {
    walk("run", |session| {
        with(HOSTNAME, "app=hostname", session);
        let ip = session.field("service hostname-svc-clusterip", ".spec.clusterIP");
        let mut shell =
            session.terminal("kubectl run -i --tty --rm debug --image=localhost/toolbox --restart=Never -- bash");
        type_in(&mut shell, &format!("curl {ip}:8080"), "<p>Hello, hostname-");
        let by_name = "curl hostname-svc-clusterip:8080 --silent | grep Hello";
        type_in(&mut shell, by_name, "<p>Hello, hostname-");
        let namespace = session.field("service hostname-svc-clusterip", ".metadata.namespace");
        let name = format!("hostname-svc-clusterip.{namespace}.svc.cluster.local");
        type_in(&mut shell, &format!("nslookup {name}"), &format!("Name:\t{name}\r\nAddress: {ip}\r\n"));
        interrupt_a_sleep(&mut shell);
        shell.see(PROMPT);
        shell.say("\x04");
        shell.see("pod \"debug\" deleted");
        assert_eq!(shell.code(), Some(0));
        session.refused("kubectl get pod debug");
    });
}

#[test]
fn a_debugger_joins_a_pod() {
    walk("debug", |session| {
        with(WEB, "app=web", session);
        for _ in 0..2 {
            let mut shell = session.terminal("kubectl debug -it web --image=localhost/toolbox --target=web");
            type_in(&mut shell, "curl --silent localhost", "Welcome to web 1.21!");
            type_in(&mut shell, "hostname", "web\r\n");
            shell.see(PROMPT);
            shell.say("\x04");
            assert_eq!(shell.code(), Some(0));
        }
        assert_eq!(
            session.field("pod web", ".spec.ephemeralContainers[*].image"),
            "localhost/toolbox localhost/toolbox"
        );
        assert_eq!(session.field("pod web", ".status.containerStatuses[*].restartCount"), "0");
    });
}

#[test]
fn what_runs_is_attached_to() {
    walk("attach", |session| {
        with(
            "
apiVersion: v1
kind: Pod
metadata: {name: talk, labels: {app: talk}}
spec:
  containers: [{name: talk, image: localhost/toolbox, command: [bash], stdin: true, tty: true}]
",
            "app=talk",
            session,
        );
        let mut shell = session.terminal("kubectl attach -it talk");
        type_in(&mut shell, "echo $((6 * 7))", "42\r\n");
        shell.kill();
        session.until("kubectl logs talk", |log| log.contains("42"));
        assert_eq!(session.field("pod talk", ".status.containerStatuses[0].restartCount"), "0");
    });
}

#[test]
fn ports_are_forwarded() {
    walk("forward", |session| {
        with(&format!("{WEB}---{HOSTNAME}"), "app=web", session);
        session.ready("app=hostname");
        for (what, words) in [
            ("pod/web :80", "Welcome to web 1.21!"),
            ("svc/hostname-svc-clusterip :8080", "<p>Hello, hostname-"),
            ("deploy/hostname :80", "<p>Hello, hostname-"),
        ] {
            let mut forward = session.terminal(&format!("kubectl port-forward {what}"));
            forward.see("Forwarding from 127.0.0.1:");
            let port = forward.see(" -> 80");
            for _ in 0..2 {
                let page = session.run(&format!("curl --silent --show-error localhost:{port}"));
                assert!(page.contains(words), "{what}: {page}");
            }
        }
        let mut closed = session.terminal("kubectl port-forward pod/web :81");
        closed.see("Forwarding from 127.0.0.1:");
        let port = closed.see(" -> 81");
        session.refused(&format!("curl --silent --show-error localhost:{port}"));
        closed.see("dial tcp4 127.0.0.1:81: connect: connection refused");
    });
}

#[test]
fn a_proxy_leads_to_pods_and_services() {
    walk("proxy", |session| {
        with(&format!("{WEB}---{HOSTNAME}"), "app=web", session);
        session.ready("app=hostname");
        let namespace = session.field("pod web", ".metadata.namespace");
        let mut proxy = session.terminal("kubectl proxy --port=0");
        proxy.see("Starting to serve on ");
        let address = proxy.see("\r\n");
        let get = |path: &str| {
            session.run(&format!("curl --silent --show-error {address}/api/v1/namespaces/{namespace}/{path}"))
        };
        assert!(get("pods").contains("\"PodList\""));
        assert!(get("pods/web/proxy/").contains("Welcome to web 1.21!"));
        assert!(get("pods/web:80/proxy/").contains("Welcome to web 1.21!"));
        assert!(get("services/hostname-svc-clusterip:8080/proxy/").contains("<p>Hello, hostname-"));
        assert!(get("services/nothing:8080/proxy/").contains("services \\\"nothing\\\" not found"));
        assert!(get("pods/web:81/proxy/").contains("error trying to reach service"));
    });
}

#[test]
fn files_are_copied_both_ways() {
    walk("cp", |session| {
        with(WEB, "app=web", session);
        session.run("mkdir -p site/deep && echo one > site/one && head -c 3000000 /dev/urandom > site/deep/big");
        session.run("kubectl cp site web:/tmp/");
        assert_eq!(session.run("kubectl exec web -- cat /tmp/site/one"), "one\n");
        session.run("kubectl cp web:/tmp/site back && diff -r site back");
        session.run("kubectl cp site/one web:/tmp/other && kubectl cp web:/tmp/other other && diff site/one other");
        let missing = session.run("kubectl cp web:/tmp/nothing here 2>&1 && echo as if nothing were wrong; true");
        assert!(!missing.contains("as if nothing were wrong"), "{missing}");
        assert!(missing.contains("tmp/nothing: Cannot stat: No such file or directory"), "{missing}");
        // Its own file, and gone with it.
        session.run("kubectl delete pod web");
        with(WEB, "app=web", session);
        let gone = session.refused("kubectl exec web -- cat /tmp/other");
        assert!(gone.contains("No such file or directory"), "{gone}");
    });
}

#[test]
fn containers_of_a_pod_share_what_a_pod_has() {
    walk("sidecars", |session| {
        let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: pair, labels: {app: pair}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {name: web, image: 'localhost/web:1.21', ports: [{containerPort: 80}]}
    - name: sidecar
      image: localhost/toolbox
      command: [sh, -c, 'while true; do curl --silent localhost >> /log/seen; sleep 1; done']
      volumeMounts: [{name: log, mountPath: /log}]
    - {name: tail, image: 'localhost/log-tail:v1', args: [/log/seen], volumeMounts: [{name: log, mountPath: /log}]}
  volumes: [{name: log, emptyDir: {}}]
---
apiVersion: v1
kind: Pod
metadata: {name: rivals}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: first, image: 'localhost/web:1.21'}, {name: second, image: 'localhost/web:1.22'}]
";
        with(manifest, "app=pair", session);
        session.until("kubectl logs pair -c tail", |log| log.contains("Welcome to web 1.21!"));
        let names = session.run("for c in web sidecar tail; do kubectl exec pair -c $c -- hostname; done");
        assert_eq!(names, "pair\npair\npair\n");
        let said = "for c in first second; do kubectl logs rivals -c $c --previous; kubectl logs rivals -c $c; done";
        session.until(&format!("{{ {said}; }} 2>&1 || true"), |log| {
            log.contains("address already in use") && log.contains("listening on 0.0.0.0:80")
        });
    });
}

#[test]
fn init_containers_are_counted() {
    walk("init", |session| {
        let waits = "command: [sh, -c, 'until test -e /tmp/go; do sleep 0.1; done']";
        session.apply(&format!(
            "
apiVersion: v1
kind: Pod
metadata: {{name: staged, labels: {{app: staged}}}}
spec:
  terminationGracePeriodSeconds: 0
  initContainers:
    - {{name: one, image: localhost/toolbox, {waits}}}
    - {{name: two, image: localhost/toolbox, {waits}}}
  containers: [{{name: web, image: 'localhost/web:1.21'}}]
"
        ));
        for (status, go) in [("Init:0/2", "one"), ("Init:1/2", "two")] {
            session.until("kubectl get pod staged", |pod| pod.contains(status));
            session
                .until(&format!("kubectl exec staged -c {go} -- touch /tmp/go && echo gone"), |said| said == "gone\n");
        }
        session.ready("app=staged");
        assert!(session.run("kubectl get pod staged").contains("Running"));
    });
}

#[test]
fn a_file_that_goes_ends_a_life() {
    walk("healthy", |session| {
        session.apply(
            "
apiVersion: v1
kind: Pod
metadata: {name: liveness, labels: {app: liveness}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: liveness
      image: localhost/toolbox
      command: [/bin/sh, -c, touch /tmp/healthy; sleep 4; rm -f /tmp/healthy; sleep 600]
      livenessProbe: {exec: {command: [cat, /tmp/healthy]}, initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 2}
",
        );
        session.ready("app=liveness");
        let restarts = "kubectl get pod liveness -o jsonpath='{.status.containerStatuses[0].restartCount}'";
        session.until(restarts, |count| count == "1");
        session.until("kubectl describe pod liveness", |described| {
            described.contains("Liveness probe failed: cat: /tmp/healthy: No such file or directory")
                && described.contains("Container liveness failed liveness probe, will be restarted")
        });
    });
}

#[test]
fn what_pods_use_is_shown() {
    walk("top", |session| {
        with(WEB, "app=web", session);
        session
            .until("kubectl top pods", |pods| pods.lines().any(|line| line.starts_with("web ") && line.contains("Mi")));
        let containers = session.until("kubectl top pod web --containers", |pod| pod.contains("Mi"));
        assert!(containers.starts_with("POD"), "{containers}");
        session.until("kubectl top nodes", |nodes| nodes.contains("CPU%") || nodes.contains("CPU(%)"));
    });
}

#[test]
fn last_words_outlive_the_server() {
    let mut session = Session::alone();
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: clock, labels: {app: clock}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {name: clock, image: localhost/toolbox, command: [sh, -c, 'echo began; touch /tmp/mine || exit; ls /tmp; sleep 1000']}
",
    );
    session.until("kubectl logs clock", |log| log == "began\nmine\n");
    session.crash_and_restart();
    session
        .until("kubectl get pod clock -o jsonpath='{.status.containerStatuses[0].restartCount}'", |count| count == "1");
    session.until("kubectl logs clock", |log| log == "began\nmine\n");
    assert_eq!(session.run("kubectl logs clock --previous"), "began\nmine\n");
}
