//! Static pods, and how pods end and come back with their node.

use crate::harness::Session;

const STATIC: &str = "
apiVersion: v1
kind: Pod
metadata: {name: lamp, labels: {app: lamp}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: c, image: localhost/toolbox, command: [sh, -c, 'echo lit; sleep 3600']}]
";

#[test]
fn a_folder_of_pods_is_run_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a manifest");
    write("lamp.yaml", STATIC);
    write("broken.yaml", "kind: {");
    let path = folder.path().display().to_string();
    let session = Session::alone_with(&["--node-name", "pi", "--static-pod-path", &path]);
    session.ready("app=lamp");
    assert_eq!(session.names("pods"), ["lamp-pi"]);
    assert_eq!(session.field("pod lamp-pi", r".metadata.annotations.kubernetes\.io/config\.source"), "file");
    assert_eq!(session.run("kubectl logs lamp-pi"), "lit\n");
    session.until("kubectl describe pod lamp-pi", |pod| pod.contains("Started container c"));
    session.until("kubectl get events", |events| events.contains("InvalidStaticPod") && events.contains("broken.yaml"));

    let uid = session.field("pod lamp-pi", ".metadata.uid");
    let id = session.field("pod lamp-pi", ".status.containerStatuses[0].containerID");
    session.run("kubectl delete pod lamp-pi --wait=false");
    session.until("kubectl get pod lamp-pi -o jsonpath='{.metadata.uid}'", |now| !now.is_empty() && now != uid);
    session.ready("app=lamp");
    assert_eq!(session.field("pod lamp-pi", ".status.containerStatuses[0].containerID"), id, "only its mirror went");

    write("lamp.yaml", &STATIC.replace("echo lit", "echo brighter"));
    session.until("kubectl logs lamp-pi", |said| said == "brighter\n");
    std::fs::remove_file(folder.path().join("lamp.yaml")).expect("removed");
    session.until("kubectl get pods -o name", str::is_empty);
}

#[test]
fn a_server_that_is_stopped_lets_its_pods_end() {
    let mut session = Session::alone();
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: polite, labels: {app: polite}}
spec:
  containers:
    - name: c
      image: localhost/toolbox
      stdin: true
      command: [sh, -c, 'cat; echo -n until then > /dev/termination-log']
",
    );
    session.ready("app=polite");
    session.stop_and_restart();
    session.ready("app=polite");
    let last = "kubectl get pod polite -o jsonpath='{.status.containerStatuses[0].lastState.terminated.message}'";
    session.until(last, |message| message == "until then");
    assert_eq!(session.field("pod polite", ".status.containerStatuses[0].restartCount"), "1");
}
