//! Images from registries: Debian's `docker-registry`, filled by `skopeo`, asked by the node.

use crate::harness::images::component;
use crate::harness::registry::{Manner, Registry};
use crate::harness::{Session, eventually};
use serde_json::json;
use std::fs;
use tempfile::TempDir;

fn pod(name: &str, image: &str, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{restartPolicy: Never, {more}containers: [{{name: main, image: '{image}'}}]}}\n"
    )
}

fn waits_with(session: &Session, pod: &str, reason: &str) {
    let path = "{.status.containerStatuses[0].state.waiting.reason}";
    session.until(&format!("kubectl get pod {pod} -o jsonpath='{path}'"), |found| found == reason);
}

#[test]
fn a_pull_that_needs_a_secret_succeeds_when_there_is_one() {
    let registry = Registry::start(Manner::Login);
    registry.push_program("team/sleep:v1", &component("sleep"));
    let session = Session::new("registry-login");
    let image = format!("{}/team/sleep:v1", registry.host);
    session.apply(&pod("private", &image, "imagePullSecrets: [{name: regcred}], "));
    waits_with(&session, "private", "ErrImagePull");
    waits_with(&session, "private", "ImagePullBackOff");
    session.until("kubectl describe pod private", |described| {
        let all = [
            &format!("Pulling image \"{image}\""),
            &format!("Failed to pull image \"{image}\": failed to pull and unpack image"),
            "pull access denied, repository does not exist or may require authorization",
            "Error: ErrImagePull",
            &format!("Back-off pulling image \"{image}\""),
            "Error: ImagePullBackOff",
            "Unable to retrieve some image pull secrets (regcred)",
        ];
        all.iter().all(|words| described.contains(*words))
    });
    let host = &registry.host;
    session.run(&format!(
        "kubectl create secret docker-registry regcred --docker-server={host} --docker-username=me --docker-password=secret"
    ));
    session.run("kubectl wait --for=condition=Ready pod/private --timeout=90s");
    let described = session.run("kubectl describe pod private");
    let pulled = format!("Successfully pulled image \"{image}\" in ");
    assert!(described.contains(&pulled) && described.contains("including waiting). Image size: "), "{described}");
    let id = session.run("kubectl get pod private -o jsonpath='{.status.containerStatuses[0].imageID}'");
    assert!(id.starts_with(&format!("{host}/team/sleep@sha256:")), "{id}");

    // What is here needs no registry any more.
    drop(registry);
    session.apply(&pod("cached", &image, ""));
    session.run("kubectl wait --for=condition=Ready pod/cached --timeout=90s");
    let events = session.run("kubectl describe pod cached");
    assert!(events.contains(&format!("Container image \"{image}\" already present on machine")), "{events}");
    session.run(&format!("kubectl run always --image={image} --image-pull-policy=Always"));
    waits_with(&session, "always", "ErrImagePull");
    waits_with(&session, "always", "ImagePullBackOff");
}

#[test]
fn the_service_accounts_secrets_are_the_pods() {
    let registry = Registry::start(Manner::Login);
    registry.push_program("sleep:v1", &component("sleep"));
    let session = Session::new("registry-account");
    session.run(&format!(
        "kubectl create secret docker-registry regcred --docker-server={} --docker-username=me --docker-password=secret",
        registry.host
    ));
    session.run("kubectl patch serviceaccount default -p '{\"imagePullSecrets\":[{\"name\":\"regcred\"}]}'");
    eventually("the pod is ready", || {
        // The account's change has to reach admission first.
        session.run("kubectl delete pod own --ignore-not-found --now");
        session.run(&format!("kubectl run own --image={}/sleep:v1", registry.host));
        let secrets = session.run("kubectl get pod own -o jsonpath='{.spec.imagePullSecrets[*].name}'");
        if secrets == "regcred" { Ok(()) } else { Err(secrets) }
    });
    session.run("kubectl wait --for=condition=Ready pod/own --timeout=90s");
}

#[test]
fn images_of_files_run_and_linux_images_are_refused_by_name() {
    let registry = Registry::start(Manner::Open);
    let files = TempDir::new().expect("files");
    fs::copy(component("env"), files.path().join("env.wasm")).expect("the program");
    let config = json!({"Entrypoint": ["/env.wasm", "one"], "Cmd": ["two"], "Env": ["A=image", "B=image"]});
    registry.push_files("env:v1", ("wasi", "wasm"), &config, files.path());
    registry.push_files("nginx:v1", ("linux", "amd64"), &json!({"Cmd": ["nginx"]}), files.path());
    let session = Session::new("registry-files");
    session.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: env}}\nspec: {{restartPolicy: Never, containers: [{{name: main, \
         image: '{}/env:v1', args: [three], env: [{{name: B, value: pod}}]}}]}}\n",
        registry.host
    ));
    session.until("kubectl logs env", |log| {
        ["arg 0: /env.wasm\narg 1: one\narg 2: three\n", "A=image\n", "B=pod\n"].iter().all(|line| log.contains(line))
    });
    session.run(&format!("kubectl run linux --image={}/nginx:v1", registry.host));
    waits_with(&session, "linux", "ImagePullBackOff");
    let described = session.run("kubectl describe pod linux");
    assert!(described.contains("this is a container image for linux/amd64"), "{described}");
    assert!(described.contains("Sampan runs WebAssembly"), "{described}");
    assert!(described.contains("ErrImagePull"), "{described}");
}

#[test]
fn the_configuration_names_authorities_mirrors_and_aliases() {
    let (tls, mirror) = (Registry::start(Manner::Tls), Registry::start(Manner::Open));
    tls.push_program("sleep:v1", &component("sleep"));
    mirror.push_program("library/sleep:v2", &component("sleep"));
    let config = json!({
        "registries": {
            tls.host.clone(): {"caFile": tls.authority()},
            "docker.io": {"mirrors": [format!("http://{}", mirror.host)]},
        },
        "imageAliases": {"nginx:*": "localhost/sleep:v1"},
    });
    let session = Session::configured(&config.to_string());
    session.run(&format!("kubectl run tls --image={}/sleep:v1", tls.host));
    session.run("kubectl run mirrored --image=sleep:v2");
    session.run("kubectl run alias --image=nginx:1.25");
    session.run("kubectl wait --for=condition=Ready pod/tls pod/mirrored pod/alias --timeout=90s");
    let image =
        |pod: &str| session.run(&format!("kubectl get pod {pod} -o jsonpath='{{.status.containerStatuses[0].image}}'"));
    assert_eq!(image("mirrored"), "docker.io/library/sleep:v2");
    assert_eq!(image("alias"), "localhost/sleep:v1", "the status says what was really run");
    let described = session.run("kubectl describe pod alias");
    let told =
        "Container image \"localhost/sleep:v1\" already present on machine (by imageAliases, for \"nginx:1.25\")";
    assert!(described.contains(told), "{described}");
}
