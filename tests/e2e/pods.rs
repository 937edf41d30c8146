//! Pods: one container, several, their labels and their logs.

use crate::harness::Session;

const WEB: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: web
spec:
  containers:
    - name: web
      image: localhost/web:1.21
      ports:
        - containerPort: 80
";

#[test]
fn a_pod_is_seen_in_every_form() {
    let session = Session::new("pod-forms");
    session.file("pod.yaml", WEB);
    assert_eq!(session.run("kubectl apply -f pod.yaml"), "pod/web created\n");
    session.ready("app=web");
    assert_eq!(session.run("kubectl apply -f pod.yaml"), "pod/web unchanged\n");

    let pods = session.run("kubectl get pods");
    let (header, row) = pods.split_once('\n').expect("a header and a row");
    assert_eq!(header.split_whitespace().collect::<Vec<_>>(), ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(row.split_whitespace().take(4).collect::<Vec<_>>(), ["web", "1/1", "Running", "0"]);

    let wide = session.run("kubectl get pods -o wide");
    assert!(wide.contains(" 10.42."), "{wide}");
    assert!(wide.contains(&session.field("nodes", ".items[0].metadata.name")), "{wide}");
    assert!(session.run("kubectl get pod web -o yaml").contains("qosClass: BestEffort"));
    assert!(session.run("kubectl get pod web -o json").contains(r#""phase": "Running""#));
    assert_eq!(session.run("kubectl get pods -o name"), "pod/web\n");
    assert!(session.field("pod web", ".status.podIP").starts_with("10.42."));
    let watched = session.run("timeout 2 kubectl get pods -w || true");
    assert!(watched.contains("web"), "{watched}");
}

#[test]
fn describe_tells_all_of_a_pod() {
    let session = Session::new("pod-describe");
    session.apply(WEB);
    session.ready("app=web");
    let described = session.until("kubectl describe pod web | tr -s ' '", |described| described.contains("Started"));
    for section in [
        "Node:",
        "Start Time:",
        "Labels: app=web",
        "Status: Running",
        "IP:",
        "IPs:",
        "Containers:",
        "Container ID:",
        "Image ID:",
        "Conditions:",
        "Volumes:",
        "QoS Class:",
        "BestEffort",
        "Tolerations:",
        "node.kubernetes.io/not-ready:NoExecute op=Exists for 300s",
    ] {
        assert!(described.contains(section), "{section} in\n{described}");
    }
    for reason in ["Scheduled", "Pulled", "Created", "Started"] {
        let lines = described.lines().skip_while(|line| !line.starts_with("Events:"));
        assert!(lines.clone().any(|line| line.contains(reason)), "{reason} in\n{described}");
    }
}

#[test]
fn logs_come_in_every_form() {
    let session = Session::new("pod-logs");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: ticker, labels: {app: ticker}}
spec:
  restartPolicy: Never
  containers:
    - name: fast
      image: localhost/ticker:v1
      env: [{name: COUNT, value: '20'}, {name: INTERVAL_MS, value: '50'}]
    - name: short
      image: localhost/ticker:v1
      env: [{name: COUNT, value: '2'}, {name: INTERVAL_MS, value: '10'}]
",
    );
    session.until("kubectl get pod ticker", |pod| pod.contains("Running") || pod.contains("Completed"));
    let followed = session.run("kubectl logs ticker -c fast -f");
    assert_eq!(followed.lines().count(), 20, "{followed}");
    assert_eq!(followed.lines().last(), Some("tick 20"));

    session.until("kubectl get pod ticker", |pod| pod.contains("Completed"));
    assert_eq!(session.run("kubectl logs ticker -c short"), "tick 1\ntick 2\n");
    assert_eq!(session.run("kubectl logs ticker -c fast --tail=2"), "tick 19\ntick 20\n");
    assert_eq!(session.run("kubectl logs ticker -c fast --since=1h").lines().count(), 20);
    assert_eq!(session.run("kubectl logs ticker -c fast --limit-bytes=6"), "tick 1");
    let stamped = session.run("kubectl logs ticker -c fast --timestamps --tail=1");
    let (time, text) = stamped.trim_end().split_once(' ').expect("a time and a text");
    assert!(time.contains('T') && time.ends_with('Z') && text == "tick 20", "{stamped}");
    let all = session.run("kubectl logs -l app=ticker --all-containers --tail=-1");
    assert_eq!(all.lines().count(), 22, "{all}");
    // Before 1.21 kubectl wants to be told which; since then it takes the first and says so.
    let unchosen = session.feed("kubectl logs ticker", "");
    assert!(unchosen.stderr.contains("fast") && unchosen.stderr.contains("short"), "{unchosen}");
    let wrong = session.refused("kubectl logs ticker -c nobody");
    assert!(wrong.contains("container nobody is not valid for pod ticker"), "{wrong}");
}

#[test]
fn a_crashed_container_leaves_its_last_words() {
    let session = Session::new("pod-previous");
    session.run("kubectl run crash --image=localhost/crash:v1");
    session.until("kubectl get pod crash", |pod| pod.contains("CrashLoopBackOff"));
    let restarts: u32 =
        session.field("pod crash", ".status.containerStatuses[0].restartCount").parse().expect("a count");
    assert!(restarts >= 1);
    assert_eq!(session.field("pod crash", ".status.containerStatuses[0].lastState.terminated.exitCode"), "1");
    assert!(session.run("kubectl logs crash --previous").contains("crash: giving up"));
    session.until("kubectl describe pod crash", |described| described.contains("BackOff"));
}

#[test]
fn containers_of_a_pod_talk_over_localhost() {
    let session = Session::new("pod-localhost");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: pair, labels: {app: pair}}
spec:
  containers:
    - name: web
      image: localhost/web:1.21
      ports: [{containerPort: 80}]
    - name: client
      image: localhost/fetch:v1
      args: ['http://localhost/', 'http://127.0.0.1:80/']
      env: [{name: TIMES, value: '0'}]
",
    );
    session.ready("app=pair");
    session.until("kubectl logs pair -c client", |logs| logs.matches("Welcome to web 1.21").count() >= 4);
    assert!(session.run("kubectl logs pair -c web").contains("GET / 200 OK"));
}

#[test]
fn an_http_handler_is_reached_over_localhost_too() {
    let session = Session::new("handler-localhost");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: pair, labels: {app: pair}}
spec:
  containers:
    - name: handler
      image: localhost/echo-hostname:v1
      ports: [{containerPort: 80}]
    - name: client
      image: localhost/fetch:v1
      args: ['http://localhost/']
      env: [{name: TIMES, value: '0'}]
",
    );
    session.ready("app=pair");
    session.until("kubectl logs pair -c client", |logs| logs.contains("<p>Hello, pair</p>"));
}

#[test]
fn a_sidecar_reads_what_the_app_writes() {
    let session = Session::new("pod-volume");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: logging, labels: {app: logging}}
spec:
  containers:
    - name: app
      image: localhost/ticker:v1
      args: [/var/log/app.log]
      env: [{name: INTERVAL_MS, value: '100'}]
      volumeMounts: [{name: logs, mountPath: /var/log}]
    - name: log-tail
      image: localhost/log-tail:v1
      args: [/var/log/app.log]
      volumeMounts: [{name: logs, mountPath: /var/log}]
  volumes:
    - name: logs
      emptyDir: {}
",
    );
    session.ready("app=logging");
    session.until("kubectl logs logging -c log-tail", |logs| logs.starts_with("tick 1\n") && logs.contains("tick 5"));
    assert_eq!(session.run("kubectl logs logging -c app"), "");
}

#[test]
fn init_containers_go_first() {
    let session = Session::new("pod-init");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: staged, labels: {app: staged}}
spec:
  initContainers:
    - name: write
      image: localhost/ticker:v1
      args: [/www/index.html]
      env: [{name: COUNT, value: '1'}, {name: INTERVAL_MS, value: '1'}]
      volumeMounts: [{name: www, mountPath: /www}]
    - name: beside
      image: localhost/ticker:v1
      restartPolicy: Always
  containers:
    - name: web
      image: localhost/web:1.21
      env: [{name: WEB_ROOT, value: /www}]
      volumeMounts: [{name: www, mountPath: /www, readOnly: true}]
  volumes:
    - name: www
      emptyDir: {}
",
    );
    session.ready("app=staged");
    let ip = session.field("pod staged", ".status.podIP");
    let page = session.task("fetch", &format!("image: localhost/fetch:v1\nargs: ['http://{ip}/']"));
    assert_eq!(page, "tick 1\n");
    assert!(session.run("kubectl logs staged -c beside").contains("tick 1"));
    assert!(session.run("kubectl get pod staged").contains("2/2"));
}

#[test]
fn a_taken_port_is_refused_in_the_same_pod() {
    let session = Session::new("pod-port-taken");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: rivals}
spec:
  restartPolicy: Never
  containers:
    - name: first
      image: localhost/tcp-echo:v1
      env: [{name: PORT, value: '7000'}]
    - name: second
      image: localhost/tcp-echo:v1
      env: [{name: PORT, value: '7000'}]
",
    );
    let codes = "{range .status.containerStatuses[*]}{.state.terminated.exitCode}{\"\\n\"}{end}";
    session
        .until(&format!("kubectl get pod rivals -o jsonpath='{codes}'"), |codes| codes.lines().any(|code| code == "1"));
    let said = session.run("kubectl logs rivals --all-containers");
    assert!(said.contains("AddrInUse") || said.to_lowercase().contains("address in use"), "{said}");
    assert_eq!(said.matches("listening on").count(), 1, "{said}");
}

#[test]
fn one_file_holds_three_pods() {
    let session = Session::new("pod-three");
    let pod = |number: u32| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}, labels: {{app: three}}}}\nspec: {{containers: [{{name: web, image: 'localhost/web:1.21'}}]}}\n"
        )
    };
    session.file("pod.yaml", [pod(1), pod(2), pod(3)].join("---\n"));
    assert_eq!(session.run("kubectl apply -f pod.yaml"), "pod/p1 created\npod/p2 created\npod/p3 created\n");
    session.ready("app=three");
    assert_eq!(session.names("pods"), ["p1", "p2", "p3"]);
    assert!(session.run("kubectl delete pod p1 --now").contains("\"p1\""));
    session.run("kubectl delete -f pod.yaml --ignore-not-found");
    assert!(session.names("pods").is_empty());
}

#[test]
fn labels_are_edited_and_selected() {
    let session = Session::new("pod-labels");
    for (name, env) in [("a", "env=test"), ("b", "env=dev"), ("c", "app=web")] {
        session.run(&format!("kubectl run {name} --image=localhost/sleep:v1 --labels={env}"));
    }
    assert_eq!(session.names("pods -l env=test"), ["a"]);
    assert_eq!(session.names("pods --selector env=test"), ["a"]);
    assert_eq!(session.names("pods -l 'env in (dev,test)'"), ["a", "b"]);
    assert_eq!(session.names("pods -l '!env'"), ["c"]);
    assert_eq!(session.names("pods -l 'env,env!=test'"), ["b"]);
    assert!(session.run("kubectl get pods --show-labels").contains("env=dev"));
    assert!(session.run("kubectl get pods -L app").lines().next().expect("a header").contains("APP"));

    session.run("kubectl label pod c env=prod");
    assert_eq!(session.names("pods -l env=prod"), ["c"]);
    assert!(session.refused("kubectl label pod c env=test").contains("--overwrite"));
    session.run("kubectl label pod c env-");
    session.run("kubectl annotate pod c note='a note'");
    assert_eq!(session.field("pod c", ".metadata.annotations.note"), "a note");

    session.file("editor.sh", "sed -i.bak 's/^  labels:/  labels:\\n    edited: by-script/' \"$1\"\n");
    session.run("KUBE_EDITOR='sh editor.sh' kubectl edit pod c");
    assert_eq!(session.field("pod c", ".metadata.labels.edited"), "by-script");
    assert_eq!(session.names("pods --field-selector metadata.name=b"), ["b"]);
}

#[test]
fn a_finished_pod_is_completed() {
    let session = Session::new("pod-completed");
    let said = session.task("task", "image: localhost/env:v1\nargs: [one, two]");
    assert!(
        said.contains("arg 1: one\n") && said.contains("arg 2: two\n") && said.contains("HOSTNAME=task\n"),
        "{said}"
    );
    assert!(session.run("kubectl get pod task").contains("Completed"));
    session.task("failing", "image: localhost/crash:v1");
    assert!(session.run("kubectl get pod failing").contains("Error"));
}

#[test]
fn a_field_that_is_not_supported_is_named() {
    let session = Session::new("pod-unsupported");
    let run = session.feed(
        "kubectl apply -f -",
        "
apiVersion: v1
kind: Pod
metadata: {name: host}
spec:
  hostPID: true
  containers: [{name: web, image: 'localhost/web:1.21'}]
",
    );
    assert!(run.well && run.stderr.contains("spec.hostPID"), "{run}");
}
