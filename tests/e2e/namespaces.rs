//! Namespaces: the same names twice, and what deleting one does.

use crate::harness::Session;

#[test]
fn hold_the_same_names_apart() {
    let session = Session::new("ns-apart");
    assert_eq!(session.run("kubectl create namespace ns-apart-dev"), "namespace/ns-apart-dev created\n");
    for namespace in ["ns-apart", "ns-apart-dev"] {
        session.run(&format!("kubectl create configmap same --from-literal=where={namespace} -n {namespace}"));
    }
    assert_eq!(session.field("configmap same -n ns-apart-dev", ".data.where"), "ns-apart-dev");
    assert_eq!(session.field("configmap same", ".data.where"), "ns-apart");
    let again = session.refused("kubectl create namespace ns-apart-dev");
    assert!(again.contains(r#"namespaces "ns-apart-dev" already exists"#), "{again}");
}

#[test]
fn are_emptied_when_deleted() {
    let session = Session::new("ns-empty");
    session.run("kubectl create namespace ns-doomed");
    session.until("kubectl get serviceaccounts -n ns-doomed", |accounts| accounts.contains("default"));
    session.run("kubectl create deployment web --image=localhost/web:1.21 --replicas=2 -n ns-doomed");
    session.run("kubectl create configmap config --from-literal=a=b -n ns-doomed");
    session.run("kubectl rollout status deployment/web -n ns-doomed --timeout=90s");
    session.run("kubectl delete namespace ns-doomed --timeout=90s");
    let missing = session.refused("kubectl get namespace ns-doomed");
    assert!(missing.contains(r#"namespaces "ns-doomed" not found"#), "{missing}");
    assert_eq!(session.run("kubectl get all,configmaps -n ns-doomed -o name"), "");
    let late = session.refused("kubectl create configmap config -n ns-doomed");
    assert!(late.contains(r#"namespaces "ns-doomed" not found"#), "{late}");
}

#[test]
fn the_first_ones_stay() {
    let session = Session::new("ns-first");
    let refused = session.refused("kubectl delete namespace kube-system");
    assert!(refused.contains("forbidden"), "{refused}");
}
