//! The node as a registry: pushed to and pulled from with `skopeo`, with a token as the password.

use crate::harness::Session;
use crate::harness::images::component;
use crate::harness::registry::{Manner, Registry};
use crate::harness::server::SAMPAN;

/// The registry's address, and `--creds` with a token of an account that may push.
fn registry_of(session: &Session, account: &str) -> (String, String) {
    let host = session.server().url().trim_start_matches("https://").to_owned();
    session.run(&format!("kubectl create serviceaccount {account}"));
    let token = session.run(&format!("kubectl create token {account}"));
    (host, format!("any:{}", token.trim()))
}

#[test]
fn what_is_pushed_to_the_node_runs_there_and_can_be_pulled_again() {
    let elsewhere = Registry::start(Manner::Open);
    elsewhere.push_program("sleep:v1", &component("sleep"));
    let session = Session::new("own-registry");
    let (host, login) = registry_of(&session, "builder");
    let from = format!("--src-tls-verify=false docker://{}/sleep:v1", elsewhere.host);
    let to = format!("--dest-tls-verify=false --dest-creds {login} docker://{host}/own/team/sleep:v1");
    let copy = "skopeo copy --quiet --insecure-policy";

    let refused = session.refused(&format!("{copy} {from} {to}"));
    assert!(refused.contains("denied") || refused.contains("403") || refused.contains("forbidden"), "{refused}");
    session.run("kubectl create clusterrolebinding own-pusher --clusterrole=sampan:image-pusher --serviceaccount=own-registry:builder");
    session.run(&format!("{copy} {from} {to}"));
    session.run("kubectl run pushed --image=localhost/own/team/sleep:v1 --restart=Never");
    session.run("kubectl wait --for=condition=Ready pod/pushed --timeout=90s");

    let tags =
        session.run(&format!("skopeo list-tags --tls-verify=false --creds {login} docker://{host}/own/team/sleep"));
    assert!(tags.contains("\"v1\""), "{tags}");
    let back = format!("--src-tls-verify=false --src-creds {login} docker://{host}/own/team/sleep:v1");
    session.run(&format!("{copy} --dest-tls-verify=false {back} docker://{}/again:v1", elsewhere.host));
    let manifest = |of: &str| session.run(&format!("skopeo inspect --raw --tls-verify=false {of}"));
    let there = manifest(&format!("docker://{}/again:v1", elsewhere.host));
    assert_eq!(there, manifest(&format!("--creds {login} docker://{host}/own/team/sleep:v1")));

    session.run(&format!("skopeo delete --tls-verify=false --creds {login} docker://{host}/own/team/sleep:v1"));
    session.refused(&format!("skopeo inspect --tls-verify=false --creds {login} docker://{host}/own/team/sleep:v1"));
    session.run("kubectl get pod pushed -o jsonpath='{.status.phase}' | grep Running");
}

#[test]
fn sampan_pushes_a_file_and_pulls_it_again() {
    let session = Session::new("own-registry-push");
    let (host, login) = registry_of(&session, "builder");
    let program = component("sleep");
    let program = program.display();
    let sampan = format!("{SAMPAN} image");
    let token = login.trim_start_matches("any:");
    let authority = session.server().data().join("pki/ca.crt");
    let way = format!("--username any --password-stdin --ca-file {}", authority.display());
    let push = format!("echo '{token}' | {sampan} push {program} {host}/pushed/sleep:v1 {way}");
    let refused = session.refused(&push);
    assert!(refused.contains("push access denied"), "{refused}");
    session.run("kubectl create clusterrolebinding push-pusher --clusterrole=sampan:image-pusher --serviceaccount=own-registry-push:builder");
    session.run(&push);
    session.run(&push);
    session.run("kubectl run pushed --image=localhost/pushed/sleep:v1 --restart=Never");
    session.run("kubectl wait --for=condition=Ready pod/pushed --timeout=90s");

    let elsewhere = Registry::start(Manner::Login);
    let name = format!("{}/team/sleep:v1", elsewhere.host);
    let refused =
        session.refused(&format!("echo wrong | {sampan} push {program} {name} --username me --password-stdin"));
    assert!(refused.contains("denied"), "{refused}");
    let said = session.run(&format!("echo secret | {sampan} push {program} {name} --username me --password-stdin"));
    let digest = said.split_whitespace().nth(1).expect("a digest").to_owned();
    let data = tempfile::tempdir().expect("a directory");
    let place = format!("--data-dir {}", data.path().display());
    let pulled = session.run(&format!("echo secret | {sampan} pull {name} --username me --password-stdin {place}"));
    assert!(pulled.contains(&digest), "{pulled}");
    let listed = session.run(&format!("{sampan} ls {place}"));
    assert!(listed.contains(&name) && listed.contains(&digest[..19]), "{listed}");
    let refused = session.refused(&format!("{sampan} push {program} localhost/own:v1"));
    assert!(refused.contains("this device's own store"), "{refused}");
}

#[test]
fn strangers_are_asked_who_they_are() {
    let session = Session::new("own-registry-strangers");
    let (host, _) = registry_of(&session, "nobody");
    let status =
        |more: &str| session.run(&format!("curl -sk -o /dev/null -w '%{{http_code}}' {more} https://{host}/v2/"));
    assert_eq!(status("").trim(), "401");
    assert_eq!(status("-u any:wrong").trim(), "401");
    let challenge = session.run(&format!("curl -skD - -o /dev/null https://{host}/v2/"));
    assert!(challenge.to_lowercase().contains("www-authenticate: basic realm=\"sampan\""), "{challenge}");
}
