//! Images: where they come from, and what is said when they do not.

use crate::harness::{Session, images};

fn pod(name: &str, image: &str, policy: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: main, image: '{image}', imagePullPolicy: {policy}}}]}}\n"
    )
}

#[test]
fn a_missing_image_is_reported() {
    let session = Session::new("image-missing");
    session.apply(&pod("absent", "localhost/absent:v1", "IfNotPresent"));
    session.until("kubectl get pod absent", |pod| pod.contains("ErrImagePull") || pod.contains("ImagePullBackOff"));
    session.until("kubectl get pod absent", |pod| pod.contains("ImagePullBackOff"));
    session.until("kubectl describe pod absent", |described| {
        described.contains("Failed") && described.contains("localhost/absent:v1") && described.contains("ErrImagePull")
    });
}

#[test]
fn never_means_never() {
    let session = Session::new("image-never");
    session.apply(&pod("absent", "localhost/absent:v1", "Never"));
    session.until("kubectl get pod absent", |pod| pod.contains("ErrImageNeverPull"));
    session.apply(&pod("present", "localhost/sleep:v1", "Never"));
    session.run("kubectl wait --for=condition=Ready pod/present --timeout=90s");
}

#[test]
fn an_image_imported_later_is_found() {
    let session = Session::new("image-later");
    let later = "localhost/later:v1";
    session.apply(&pod("patient", later, "IfNotPresent"));
    session.until("kubectl get pod patient", |pod| pod.contains("ErrImagePull") || pod.contains("ImagePullBackOff"));
    images::import(&images::component("sleep"), later, &session.server().data()).expect("the import");
    session.run("kubectl wait --for=condition=Ready pod/patient --timeout=90s");
}

#[test]
fn the_pull_policy_has_its_default() {
    let session = Session::new("image-policy");
    session.run("kubectl run tagged --image=localhost/sleep:v1");
    session.run("kubectl run latest --image=localhost/sleep:latest");
    session.run("kubectl run bare --image=localhost/sleep");
    let policies = session.run("kubectl get pods -o jsonpath='{.items[*].spec.containers[0].imagePullPolicy}'");
    assert_eq!(policies, "Always Always IfNotPresent");
}
