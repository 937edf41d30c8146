//! A pod's life: its hooks, probes, sidecars, debuggers, its last words, its place and name, and what changes while it
//! runs.

use crate::harness::Session;

/// A pod of one container that is a shell.
fn shell(name: &str, pod: &str, script: &str, more: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  terminationGracePeriodSeconds: 5
{pod}
  containers:
    - name: c
      image: localhost/toolbox
      command: [sh, -c, {script:?}]
{more}
"
    )
}

fn ended(pod: &str, of: &str) -> String {
    format!("kubectl get pod {pod} -o jsonpath='{{.status.containerStatuses[0].state.terminated.{of}}}'")
}

#[test]
fn a_container_leaves_its_last_words() {
    let session = Session::new("life-words");
    session.apply(&shell("writes", "  restartPolicy: Never", "echo -n farewell > /dev/termination-log; exit 3", ""));
    session.until(&ended("writes", "exitCode"), |code| code == "3");
    assert_eq!(session.run(&ended("writes", "message")), "farewell");

    let policy = "      terminationMessagePolicy: FallbackToLogsOnError";
    session.apply(&shell("prints", "  restartPolicy: Never", "echo one; echo two; exit 1", policy));
    session.until(&ended("prints", "message"), |message| message == "one\ntwo\n");
    session.run("kubectl run trap --image=localhost/crash:v1 --restart=Never --env=HOW=trap");
    session.until("kubectl describe pod trap", |pod| pod.contains("Reason:") && pod.contains("Error"));
}

#[test]
fn a_pod_finds_its_names_in_etc() {
    let session = Session::new("life-etc");
    let spec = "
  restartPolicy: Never
  hostname: db-0
  subdomain: db
  hostAliases: [{ip: 192.0.2.9, hostnames: [shop.example]}]
  dnsConfig: {searches: [example.com], options: [{name: ndots, value: '2'}]}";
    session.apply(&shell(
        "etc",
        spec,
        "cat /etc/hosts /etc/resolv.conf /etc/hostname; echo x > /etc/hosts || echo refused",
        "",
    ));
    let said = session.until("kubectl logs etc", |said| said.contains("refused"));
    for line in [
        "# Kubernetes-managed hosts file.",
        "\tdb-0.db.life-etc.svc.cluster.local\tdb-0",
        "192.0.2.9\tshop.example",
        "search life-etc.svc.cluster.local svc.cluster.local cluster.local example.com",
        "options ndots:2",
        "\ndb-0\n",
    ] {
        assert!(said.contains(line), "{line:?} in\n{said}");
    }
}

#[test]
fn hooks_run_at_both_ends() {
    let session = Session::new("life-hooks");
    // It outlives the pod, and says who came.
    session.run("kubectl run witness --image=localhost/tcp-echo:v1");
    session.run("kubectl wait --for=condition=Ready pod/witness --timeout=90s");
    let ip = session.field("pod/witness", ".status.podIP");
    let more = format!(
        "
      volumeMounts: [{{name: v, mountPath: /v}}]
      lifecycle:
        postStart: {{exec: {{command: [sh, -c, 'echo started >> /v/hook']}}}}
        preStop: {{exec: {{command: [sh, -c, 'nc -z {ip} 7']}}}}"
    );
    session.apply(&shell("hooks", "  volumes: [{name: v, emptyDir: {}}]", "sleep 3600", &more));
    session.ready("app=hooks");
    assert_eq!(session.run("kubectl exec hooks -- cat /v/hook"), "started\n");
    let own = session.field("pod/hooks", ".status.podIP");
    assert!(!session.run("kubectl logs witness").contains("connection from"));
    session.run("kubectl delete pod hooks");
    session.until("kubectl logs witness", |said| said.contains(&format!("connection from {own}:")));
}

#[test]
fn hooks_that_fail_are_told() {
    let session = Session::new("life-bad-hooks");
    let more = "      lifecycle: {postStart: {exec: {command: ['false']}}, preStop: {exec: {command: ['false']}}}";
    session.apply(&shell("hooks", "", "sleep 3600", more));
    session.until("kubectl describe pod hooks", |pod| {
        pod.contains("FailedPostStartHook  ") && pod.contains("PostStartHook failed")
    });
    session.until("kubectl describe pod hooks", |pod| pod.contains("FailedPreStopHook"));
    session.until("kubectl get pod hooks", |pod| pod.contains("CrashLoopBackOff"));
}

#[test]
fn a_command_can_be_a_probe() {
    let session = Session::new("life-exec-probe");
    let more = "
      livenessProbe: {exec: {command: [sh, -c, 'echo all is lost; exit 1']}, periodSeconds: 1, failureThreshold: 2}
      readinessProbe: {exec: {command: ['true']}, periodSeconds: 1}";
    session.apply(&shell("probed", "", "sleep 3600", more));
    session.ready("app=probed");
    session.until("kubectl describe pod probed", |pod| {
        pod.contains("Liveness probe failed: all is lost")
            && pod.contains("Container c failed liveness probe, will be restarted")
    });
    session.until("kubectl get pod probed -o jsonpath='{.status.containerStatuses[0].restartCount}'", |count| {
        count != "0"
    });
}

#[test]
fn init_containers_and_sidecars_take_turns() {
    let session = Session::new("life-sidecars");
    let pod = "
  restartPolicy: Never
  volumes: [{name: v, emptyDir: {}}]
  initContainers:
    - name: first
      image: localhost/toolbox
      command: [sh, -c, 'while ! test -e /v/go; do sleep 0.1; done']
      volumeMounts: [{name: v, mountPath: /v}]
    - name: side
      image: localhost/toolbox
      restartPolicy: Always
      command: [sh, -c, 'sleep 1; touch /v/side; cat; echo side ends']
      stdin: true
      startupProbe: {exec: {command: [test, -e, /v/side]}, periodSeconds: 1}
      volumeMounts: [{name: v, mountPath: /v}]";
    let more = "      volumeMounts: [{name: v, mountPath: /v}]";
    session.apply(&shell("turns", pod, "test -e /v/side && echo side was first; sleep 2", more));
    session.until("kubectl get pod turns", |pod| pod.contains("Init:0/2"));
    session.until("kubectl exec turns -c first -- touch /v/go && echo went", |said| said.contains("went"));
    session.until("kubectl get pod turns", |pod| pod.contains("Init:1/2"));
    session.until("kubectl get pod turns", |pod| pod.contains("2/2") && pod.contains("Running"));
    session.until("kubectl get pod turns", |pod| pod.contains("Completed"));
    assert_eq!(session.run("kubectl logs turns -c c"), "side was first\n");
    assert_eq!(session.run("kubectl logs turns -c side"), "side ends\n");
    assert_eq!(session.field("pod turns", ".status.phase"), "Succeeded");
}

#[test]
fn an_init_container_that_fails_is_tried_again() {
    let session = Session::new("life-init");
    let pod = "  initContainers: [{name: first, image: localhost/toolbox, command: ['false']}]";
    session.apply(&shell("init", pod, "sleep 3600", ""));
    session.until("kubectl get pod init", |pod| pod.contains("Init:CrashLoopBackOff"));
    assert!(session.refused("kubectl logs init -c c").contains("PodInitializing"));
}

#[test]
fn a_debugger_joins_a_pod_that_runs() {
    let session = Session::new("life-debug");
    session.run("kubectl run web --image=localhost/web:1.21 --port=80 --labels=app=web");
    session.ready("app=web");
    session.run("kubectl debug web --image=localhost/toolbox --target=web -c probe -- sh -c 'curl -s http://127.0.0.1:80/ | head -c 200; echo; echo done'");
    let said = session.until("kubectl logs web -c probe", |said| said.contains("done"));
    assert!(said.contains('<'), "{said}");
    session.until(
        "kubectl get pod web -o jsonpath='{.status.ephemeralContainerStatuses[0].state.terminated.exitCode}'",
        |code| code == "0",
    );
    let described = session.run("kubectl describe pod web");
    assert!(described.contains("Ephemeral Containers:"), "{described}");
    assert_eq!(session.field("pod web", ".status.containerStatuses[0].restartCount"), "0");
}

#[test]
fn gates_hold_pods_back() {
    let session = Session::new("life-gates");
    session.apply(&shell("gated", "  schedulingGates: [{name: example.com/wait}]", "sleep 3600", ""));
    session.until("kubectl get pod gated", |pod| pod.contains("SchedulingGated"));
    session.run(r#"kubectl patch pod gated --type=json -p '[{"op":"remove","path":"/spec/schedulingGates"}]'"#);
    session.ready("app=gated");

    session.apply(&shell("unready", "  readinessGates: [{conditionType: example.com/fed}]", "sleep 3600", ""));
    session.until("kubectl describe pod unready", |pod| pod.contains("ContainersReady             True"));
    let ready = r#"kubectl get pod unready -o jsonpath='{.status.conditions[?(@.type=="Ready")].reason}'"#;
    assert_eq!(session.run(ready), "ReadinessGatesNotReady");
    session.run(
        r#"kubectl patch pod unready --subresource=status -p '{"status":{"conditions":[{"type":"example.com/fed","status":"True"}]}}'"#,
    );
    session.ready("app=unready");
}

#[test]
fn resources_change_while_it_runs() {
    let session = Session::new("life-resize");
    let more = "      resources: {requests: {cpu: 100m, memory: 16Mi}, limits: {cpu: 200m, memory: 32Mi}}";
    session.apply(&shell("sized", "", "sleep 3600", more));
    session.ready("app=sized");
    let resize = |cpu: &str| {
        session.run(&format!(
            "kubectl patch pod sized --subresource=resize -p '{{\"spec\":{{\"containers\":[{{\"name\":\"c\",\"resources\":{{\"requests\":{{\"cpu\":\"{cpu}\"}},\"limits\":{{\"cpu\":\"{cpu}\"}}}}}}]}}}}'"
        ))
    };
    resize("300m");
    let status = |path: &str| format!("kubectl get pod sized -o jsonpath='{{.status.containerStatuses[0]{path}}}'");
    session.until(&status(".resources.limits.cpu"), |cpu| cpu == "300m");
    session.until(&status(".allocatedResources.cpu"), |cpu| cpu == "300m");
    resize("9000");
    let pending = r#"kubectl get pod sized -o jsonpath='{.status.conditions[?(@.type=="PodResizePending")].reason}'"#;
    session.until(pending, |reason| reason == "Infeasible");
    assert_eq!(session.run(&status(".resources.limits.cpu")), "300m");
    resize("250m");
    session.until(pending, str::is_empty);
    assert_eq!(session.run(&status(".restartCount")), "0");
}
