//! Credentials of pods: a token in a file, as good as long as its pod.

use crate::harness::{Session, eventually, http};

const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

#[test]
fn a_pod_has_a_token_that_ends_with_it() {
    let session = Session::new("pod-token");
    session.apply(&format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: bearer, labels: {{app: bearer}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {{name: main, image: 'localhost/web:1.21', env: [{{name: WEB_ROOT, value: {FOLDER}}}]}}
"
    ));
    session.ready("app=bearer");
    session.run("kubectl expose pod bearer --port=80 --type=NodePort");
    let port = session.node_port("bearer");
    let token = eventually("the token", || {
        let answer = http::get(&port, "/token").map_err(|error| error.to_string())?;
        let body = answer.rsplit("\r\n\r\n").next().unwrap_or_default().to_owned();
        if body.split('.').count() == 3 { Ok(body) } else { Err(answer) }
    });
    let as_bearer = format!(
        "kubectl --kubeconfig=/dev/null --server={} --insecure-skip-tls-verify --token={}",
        session.server().url(),
        token.trim()
    );
    let who = session.run(&format!("{as_bearer} auth whoami"));
    assert!(who.contains("system:serviceaccount:pod-token:default"), "{who}");
    assert!(who.contains("authentication.kubernetes.io/pod-name") && who.contains("bearer"), "{who}");
    session.run("kubectl delete pod bearer --now");
    eventually("the token's end", || {
        let said = session.feed(&format!("{as_bearer} auth whoami"), "");
        if said.stderr.contains("Unauthorized") || said.stderr.contains("must be logged in") {
            Ok(())
        } else {
            Err(said.stderr)
        }
    });
}

#[test]
fn kubectl_makes_tokens() {
    let session = Session::new("made-token");
    session.run("kubectl create serviceaccount robot");
    let token = session.run("kubectl create token robot --duration=10m --audience=vault");
    assert_eq!(token.trim().split('.').count(), 3);
    let refused = session.refused("kubectl create token robot --duration=1m");
    assert!(refused.contains("may not specify a duration less than 10 minutes"), "{refused}");
    let missing = session.refused("kubectl create token nobody");
    assert!(missing.contains("serviceaccounts \"nobody\" not found"), "{missing}");
}

/// The API listens on the host's loopback here, as it does by default; requests of pods trust its authority.
#[test]
fn a_pod_reaches_the_api_by_its_names_with_its_token() {
    let session = Session::new("in-cluster");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: localhost/toolbox, command: [sleep, infinity]}]
",
    );
    session.ready("app=client");
    let bearer = format!("Authorization: Bearer $(cat {FOLDER}/token)");
    for name in ["kubernetes.default.svc", "kubernetes.default"] {
        let curl = format!("curl -sS -H \"{bearer}\" https://{name}");
        let api = session.run(&format!("kubectl exec client -- sh -c '{curl}/api'"));
        assert!(api.contains("\"kind\":\"APIVersions\"") || api.contains("\"kind\": \"APIVersions\""), "{api}");
        let refused = session.run(&format!("kubectl exec client -- sh -c '{curl}/api/v1/namespaces/in-cluster/pods'"));
        assert!(refused.contains("system:serviceaccount:in-cluster:default"), "it is known there: {refused}");
    }
}
