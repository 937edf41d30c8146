//! The whole server, killed again and again: what it acknowledged is there when it comes back.

use crate::harness::{Session, http};

const ROUNDS: u32 = 5;

#[test]
fn what_was_acknowledged_survives() {
    let mut session = Session::alone();
    session.run("kubectl create deployment hostname --image=localhost/echo-hostname:v1 --replicas=3 --port=80");
    session.run("kubectl expose deployment hostname --port=8080 --target-port=80 --type=NodePort");
    session.run("kubectl rollout status deployment/hostname --timeout=90s");
    let cluster_ip = session.field("svc hostname", ".spec.clusterIP");
    let pods = session.names("pods");

    for round in 1..=ROUNDS {
        session.run(&format!("kubectl create configmap round-{round} --from-literal=round={round}"));
        session.crash_and_restart();
        for earlier in 1..=round {
            assert_eq!(session.field(&format!("configmap round-{earlier}"), ".data.round"), earlier.to_string());
        }
    }

    assert_eq!(session.field("svc hostname", ".spec.clusterIP"), cluster_ip);
    session.run("kubectl rollout status deployment/hostname --timeout=90s");
    session.ready("app=hostname");
    assert_eq!(session.names("pods"), pods, "the same pods, started again");
    http::answers(&session.node_port("hostname"), "/", "<p>Hello, hostname-");
    session.run("kubectl scale deployment hostname --replicas=4");
    session.run("kubectl rollout status deployment/hostname --timeout=90s");
}
