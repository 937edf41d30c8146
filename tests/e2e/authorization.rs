//! Who may do what: the identities of pods have what roles give them, and no more.

use crate::harness::Session;

#[test]
fn an_account_may_do_what_it_is_bound_to() {
    let session = Session::new("roles");
    session.run("kubectl create serviceaccount robot");
    let token = session.run("kubectl create token robot");
    let robot = format!(
        "kubectl --kubeconfig=/dev/null --server={} --insecure-skip-tls-verify --token={} -n roles",
        session.server().url(),
        token.trim()
    );
    let refused = session.refused(&format!("{robot} get pods"));
    assert!(refused.contains("User \"system:serviceaccount:roles:robot\" cannot list resource \"pods\""), "{refused}");
    session.run("kubectl create rolebinding robot --clusterrole=view --serviceaccount=roles:robot");
    session.run(&format!("{robot} get pods"));
    let refused = session.refused(&format!("{robot} get secrets"));
    assert!(refused.contains("forbidden"), "{refused}");
    let allowed = session.run("kubectl auth can-i --list --as system:serviceaccount:roles:robot -n roles");
    assert!(allowed.contains("pods/log") && allowed.contains("selfsubjectreviews.authentication.k8s.io"), "{allowed}");
}
