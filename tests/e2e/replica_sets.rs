//! ReplicaSets and their elder, the ReplicationController: a number of pods, whatever happens to them.

use crate::harness::Session;

fn replica_set(name: &str, replicas: u32) -> String {
    format!(
        "
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: sleep, image: 'localhost/sleep:v1'}}]}}
"
    )
}

fn bare_pod(name: &str, app: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {app}}}}}\nspec: {{containers: [{{name: sleep, image: 'localhost/sleep:v1'}}]}}\n"
    )
}

fn until_ready(session: &Session, object: &str, replicas: u32) {
    let ready = format!("kubectl get {object} -o jsonpath='{{.status.readyReplicas}}'");
    session.until(&ready, |count| count == replicas.to_string());
}

/// The pods that are not on their way out.
fn live_pods(session: &Session, app: &str) -> Vec<String> {
    let template = "{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}} {{end}}{{end}}";
    let pods = session.run(&format!("kubectl get pods -l app={app} -o go-template='{template}'"));
    pods.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn keeps_its_number() {
    let session = Session::new("rs-number");
    assert_eq!(session.apply(&replica_set("keeper", 3)), "replicaset.apps/keeper created\n");
    until_ready(&session, "rs keeper", 3);
    let listed = session.run("kubectl get rs");
    let mut lines = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next(), Some(vec!["NAME", "DESIRED", "CURRENT", "READY", "AGE"]));
    assert_eq!(lines.next().expect("a row")[..4], ["keeper", "3", "3", "3"]);
    let described = session.run("kubectl describe rs keeper | tr -s ' '");
    for words in ["Selector: app=keeper", "3 current / 3 desired", "SuccessfulCreate"] {
        assert!(described.contains(words), "{words} in\n{described}");
    }

    let victim = session.names("pods")[0].clone();
    session.run(&format!("kubectl delete pod {victim} --now"));
    until_ready(&session, "rs keeper", 3);
    let pods = session.names("pods");
    assert!(pods.len() == 3 && !pods.contains(&victim), "{pods:?} after {victim}");

    session.run("kubectl scale rs keeper --replicas=1");
    session.until("kubectl get pods -o name", |pods| pods.lines().count() == 1);
}

#[test]
fn adopts_and_releases() {
    let session = Session::new("rs-adopts");
    session.apply(&bare_pod("orphan", "family"));
    session.run("kubectl wait --for=condition=Ready pod/orphan --timeout=90s");
    session.apply(&replica_set("family", 2));
    until_ready(&session, "rs family", 2);
    assert_eq!(session.field("pod orphan", ".metadata.ownerReferences[0].name"), "family");
    assert_eq!(live_pods(&session, "family").len(), 2);

    session.run("kubectl label pod orphan app=stranger --overwrite");
    session.until("kubectl get pod orphan -o jsonpath='{.metadata.ownerReferences}'", str::is_empty);
    until_ready(&session, "rs family", 2);
    assert_eq!(session.names("pods -l app=stranger"), ["orphan"]);
    session.until("kubectl get pods -l app=family -o name", |pods| pods.lines().count() == 2);
}

#[test]
fn deletes_the_surplus() {
    let session = Session::new("rs-surplus");
    session.apply(&replica_set("full", 2));
    until_ready(&session, "rs full", 2);
    session.apply(&bare_pod("surplus", "full"));
    // Which of the three goes depends on how far the new one is by then: one that is not ready goes first.
    session.until("kubectl describe rs full", |described| described.contains("SuccessfulDelete"));
    session.until("kubectl get pods -l app=full -o name", |pods| pods.lines().count() == 2);
}

#[test]
fn takes_its_pods_with_it_or_leaves_them() {
    let session = Session::new("rs-delete");
    session.apply(&replica_set("mortal", 2));
    until_ready(&session, "rs mortal", 2);
    session.run("kubectl delete rs mortal --cascade=orphan");
    session.until("kubectl get pods -o jsonpath='{.items[*].metadata.ownerReferences}'", str::is_empty);
    assert_eq!(session.names("pods").len(), 2);

    session.apply(&replica_set("mortal", 2));
    until_ready(&session, "rs mortal", 2);
    session.run("kubectl delete rs mortal");
    session.until("kubectl get pods -o name", str::is_empty);
}

#[test]
fn refuses_a_selector_that_misses_its_template() {
    let session = Session::new("rs-selector");
    let manifest = replica_set("wrong", 1).replace("matchLabels: {app: wrong}", "matchLabels: {app: other}");
    let run = session.feed("kubectl apply -f -", &manifest);
    assert!(!run.well, "{run}");
    assert!(
        run.stderr.contains(r#"The ReplicaSet "wrong" is invalid: spec.template.metadata.labels: Invalid value:"#),
        "{run}"
    );
    assert!(run.stderr.contains("`selector` does not match template `labels`"), "{run}");
    assert!(session.names("rs").is_empty());
}

#[test]
fn replication_controllers_do_the_same() {
    let session = Session::new("rc");
    session.apply(
        "
apiVersion: v1
kind: ReplicationController
metadata: {name: elder}
spec:
  replicas: 2
  selector: {app: elder}
  template:
    metadata: {labels: {app: elder}}
    spec: {containers: [{name: sleep, image: 'localhost/sleep:v1'}]}
",
    );
    until_ready(&session, "rc elder", 2);
    let victim = session.names("pods")[0].clone();
    session.run(&format!("kubectl delete pod {victim} --now"));
    until_ready(&session, "rc elder", 2);
    session.run("kubectl scale rc elder --replicas=3");
    until_ready(&session, "rc elder", 3);
    assert!(session.run("kubectl describe rc elder").contains("SuccessfulCreate"));
    session.run("kubectl delete rc elder");
    session.until("kubectl get pods -o name", str::is_empty);
}
