use serde_json::{from_value, json};
use tokio::time::Instant;

use super::*;
use crate::pod::observed::{Ended, Ending, Sandbox, Trouble};

fn begin(policy: &str) -> (Pod, Wish, Observed) {
    let pod: Pod = from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"restartPolicy": policy, "containers": [{"name": "b", "image": "i"}, {"name": "a", "image": "i"}]},
    }))
    .expect("pod");
    let now = Instant::now();
    let observed = Observed::first(&pod, "2026-01-01T00:00:00.7Z".parse().expect("time"), now);
    (pod.clone(), Wish::of(&pod, now), observed)
}

fn run(observed: &mut Observed, index: usize) {
    let unit = &mut observed.units[index];
    unit.state = State::Running { since: Timestamp::UNIX_EPOCH, stopping: None, id: "wasmtime://1".into() };
    (unit.started, unit.ready) = (true, true);
}

fn exit(observed: &mut Observed, index: usize, code: i32) {
    observed.units[index].state = State::Ended(Ended {
        code,
        reason: if code == 0 { "Completed".into() } else { "Error".into() },
        message: None,
        started: None,
        finished: Timestamp::UNIX_EPOCH,
        at: Instant::now(),
        id: "wasmtime://1".into(),
    });
}

fn status(pod: &Pod, wish: &Wish, observed: &Observed, before: Option<&PodStatus>) -> PodStatus {
    build(pod, wish, observed, [192, 0, 2, 1].into(), before, "2026-01-01T00:00:09.9Z".parse().expect("time"))
}

fn condition(status: &PodStatus, kind: &str) -> (String, Option<String>, Option<String>) {
    let conditions = status.conditions.as_deref().expect("conditions");
    let found = conditions.iter().find(|condition| condition.type_ == kind).expect("condition");
    (found.status.clone(), found.reason.clone(), found.message.clone())
}

#[test]
fn a_pod_becomes_ready() {
    let (pod, wish, mut observed) = begin("Always");
    let pending = status(&pod, &wish, &observed, None);
    assert_eq!(pending.phase.as_deref(), Some("Pending"));
    let unready = "containers with unready status: [b a]".to_owned();
    let ready = ("False".to_owned(), Some("ContainersNotReady".to_owned()), Some(unready));
    assert_eq!(condition(&pending, "Ready"), ready);
    observed.sandbox = Sandbox::Ready([10, 42, 0, 7].into());
    run(&mut observed, 0);
    run(&mut observed, 1);
    let running = status(&pod, &wish, &observed, Some(&pending));
    assert_eq!(running.phase.as_deref(), Some("Running"));
    assert_eq!(condition(&running, "Ready").0, "True");
    assert_eq!(running.start_time.as_ref().map(|time| time.0.to_string()).as_deref(), Some("2026-01-01T00:00:00Z"));
    let names: Vec<_> = running.container_statuses.iter().flatten().map(|status| status.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(status(&pod, &wish, &observed, Some(&running)), running, "nothing new, nothing to report");
}

#[test]
fn phases_of_pods_that_end() {
    // policy, exit codes, deleted, phase, reason of Ready
    let cases = [
        ("Never", [0, 0], false, "Succeeded", Some("PodCompleted")),
        ("Never", [0, 1], false, "Failed", Some("PodFailed")),
        ("OnFailure", [0, 1], false, "Running", Some("ContainersNotReady")),
        ("Always", [0, 0], false, "Running", Some("ContainersNotReady")),
        ("Always", [143, 143], true, "Failed", Some("PodFailed")),
    ];
    for (policy, codes, deleted, phase, reason) in cases {
        let (pod, wish, mut observed) = begin(policy);
        observed.sandbox = Sandbox::Ready([10, 42, 0, 7].into());
        codes.into_iter().enumerate().for_each(|(index, code)| exit(&mut observed, index, code));
        observed.ending = deleted.then(|| Ending { deadline: Instant::now() });
        let status = status(&pod, &wish, &observed, None);
        assert_eq!(status.phase.as_deref(), Some(phase), "{policy} {codes:?}");
        assert_eq!(condition(&status, "Ready").1.as_deref(), reason, "{policy} {codes:?}");
    }
}

#[test]
fn a_container_in_back_off_shows_how_it_ended() {
    let (pod, wish, mut observed) = begin("Always");
    run(&mut observed, 0);
    exit(&mut observed, 1, 1);
    observed.units[1].trouble = Some(Trouble::new("CrashLoopBackOff", "back-off 10s"));
    let status = status(&pod, &wish, &observed, None);
    assert_eq!(status.phase.as_deref(), Some("Running"));
    let crashed = &status.container_statuses.as_deref().expect("statuses")[0];
    let reason = crashed.state.as_ref().and_then(|state| state.waiting.as_ref()).and_then(|it| it.reason.as_deref());
    assert_eq!(reason, Some("CrashLoopBackOff"));
    let last = crashed.last_state.as_ref().and_then(|state| state.terminated.as_ref()).map(|last| last.exit_code);
    assert_eq!(last, Some(1));
}

#[test]
fn a_patch_takes_back_what_is_no_more() {
    let old = PodStatus { reason: Some("Evicted".into()), phase: Some("Failed".into()), ..PodStatus::default() };
    let new = PodStatus { phase: Some("Running".into()), ..PodStatus::default() };
    let patch = patch("u1", &new, Some(&old));
    assert_eq!(patch, json!({"metadata": {"uid": "u1"}, "status": {"phase": "Running", "reason": null}}));
}

#[test]
fn a_pod_that_moved_has_its_new_address_alone() {
    let at = |ip: &str| PodStatus { pod_ips: Some(vec![PodIP { ip: ip.into() }]), ..PodStatus::default() };
    let stays = patch("u1", &at("10.42.0.2"), Some(&at("10.42.0.2")));
    assert_eq!(stays["status"], json!({"podIPs": [{"ip": "10.42.0.2"}]}));
    let moved = patch("u1", &at("10.42.0.3"), Some(&at("10.42.0.2")));
    assert_eq!(moved["status"], json!({"podIPs": [{"ip": "10.42.0.3"}, {"$patch": "replace"}]}));
}
