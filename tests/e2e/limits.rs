//! Guests that take more than they may: they alone suffer, and their status says why.

use crate::harness::Session;

fn greedy(name: &str, args: &str, rest: &str) -> String {
    let rest = rest.trim_end();
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  restartPolicy: Never\n  containers:\n  \
         - name: greedy\n    image: localhost/greedy:v1\n    args: [{args}]\n{rest}\n"
    )
}

fn phase(session: &Session, pod: &str, phase: &str) {
    session.until(&format!("kubectl get pod {pod} -o jsonpath='{{.status.phase}}'"), |now| now == phase);
}

#[test]
fn a_full_volume_evicts_its_pod() {
    let session = Session::new("limits-volume");
    session.run("kubectl run neighbour --image=localhost/sleep:v1");
    let volume = "    volumeMounts: [{name: data, mountPath: /data}]\n  \
                  volumes: [{name: data, emptyDir: {sizeLimit: 1Mi}}]\n";
    let applied = session.apply(&greedy("full", "disk, /data", volume));
    assert!(!applied.contains("Warning"), "{applied}");
    phase(&session, "full", "Failed");
    assert_eq!(session.field("pod full", ".status.reason"), "Evicted");
    let message = "Usage of EmptyDir volume \"data\" exceeds the limit \"1Mi\". ";
    assert_eq!(session.field("pod full", ".status.message"), message);
    session.until("kubectl events --for pod/full", |events| {
        events.contains("Evicted") && events.contains(message.trim_end())
    });
    phase(&session, "neighbour", "Running");
}

#[test]
fn a_flood_of_words_evicts_its_pod() {
    let session = Session::new("limits-log");
    let limit = "    resources: {limits: {ephemeral-storage: 1Mi}}\n";
    session.apply(&greedy("flood", "log", limit));
    phase(&session, "flood", "Failed");
    let message = "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ";
    assert_eq!(session.field("pod flood", ".status.message"), message);
    assert_eq!(session.field("pod flood", ".status.reason"), "Evicted");
}

#[test]
fn too_much_memory_is_oom_killed() {
    let session = Session::new("limits-memory");
    session.apply(
        &greedy("hog", "", "    resources: {limits: {memory: 16Mi}}\n").replace("localhost/greedy", "localhost/hog"),
    );
    phase(&session, "hog", "Failed");
    let state = ".status.containerStatuses[0].state.terminated";
    assert_eq!(session.field("pod hog", &format!("{state}.exitCode")), "137");
    assert_eq!(session.field("pod hog", &format!("{state}.reason")), "OOMKilled");
    assert_eq!(session.field("pod hog", ".status.qosClass"), "Burstable");
}

#[test]
fn a_guest_that_never_yields_leaves_the_rest_alone() {
    let session = Session::new("limits-cpu");
    let limit = "    resources: {limits: {cpu: 50m, memory: 64Mi}}\n";
    let applied = session.apply(&greedy("burn", "", limit).replace("localhost/greedy", "localhost/burn"));
    assert!(!applied.contains("Warning"), "{applied}");
    phase(&session, "burn", "Running");
    assert_eq!(session.field("pod burn", ".status.qosClass"), "Guaranteed");
    assert!(session.task("hello", "image: localhost/env:v1\nargs: [hello]").contains("hello"));
    session.run("kubectl delete pod burn --now --timeout=30s");
}

#[test]
fn connections_and_stacks_have_an_end() {
    let session = Session::new("limits-connections");
    session.apply(&greedy("crowd", "connections", ""));
    let log = session.until("kubectl logs crowd", |log| log.contains("refused after"));
    assert!(log.contains("refused after 4095"), "{log}");
    session.apply(&greedy("deep", "stack", ""));
    phase(&session, "deep", "Failed");
    assert_eq!(session.field("pod deep", ".status.containerStatuses[0].state.terminated.exitCode"), "134");
    let message = session.field("pod deep", ".status.containerStatuses[0].state.terminated.message");
    assert!(message.contains("stack"), "{message}");
    phase(&session, "crowd", "Running");
}

#[test]
fn a_guest_that_traps_again_and_again_waits_longer_each_time() {
    let session = Session::new("limits-trap");
    session.run("kubectl run neighbour --image=localhost/echo-hostname:v1 --port=80 --expose");
    let trap = greedy("trap", "panic", "").replace("localhost/greedy", "localhost/crash");
    session.apply(&trap.replace("restartPolicy: Never", "restartPolicy: Always"));
    let status = "kubectl get pod trap -o jsonpath='{.status.containerStatuses[0]}'";
    session.until(status, |status| {
        status.contains("CrashLoopBackOff") && status.contains("back-off ") && !status.contains("back-off 10s")
    });
    let field = |path: &str| session.field("pod trap", &format!(".status.containerStatuses[0].{path}"));
    let restarts: u32 = field("restartCount").parse().expect("a count");
    assert!((2..=8).contains(&restarts), "{restarts}");
    assert_eq!(field("lastState.terminated.exitCode"), "134");
    assert!(session.run("kubectl logs trap --previous").contains("asked to panic"));
    let pod = format!("logs/pods/limits-trap_trap_{}/greedy", session.field("pod trap", ".metadata.uid"));
    let logs = std::fs::read_dir(session.server().data().join(pod)).expect("logs").count();
    assert!(logs <= 2, "the last two instances have logs, not {logs}");
    session.ready("run=neighbour");
    let page = session.task("fetch", "image: localhost/fetch:v1\nargs: [http://neighbour/]");
    assert!(page.contains("<p>Hello, neighbour</p>"), "{page}");
}
