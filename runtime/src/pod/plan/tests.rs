use jiff::Timestamp;
use serde_json::{Value, from_value, json};

use super::super::observed::{Ended, Trouble};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

struct Case {
    wish: Wish,
    observed: Observed,
    now: Instant,
}

/// A pod with its sandbox made, its containers not started.
fn case(spec: Value) -> Case {
    let pod: Pod = from_value(json!({"metadata": {"name": "web"}, "spec": spec})).expect("pod");
    let now = Instant::now();
    let mut observed = Observed::first(&pod, Timestamp::now(), now);
    observed.sandbox = Sandbox::Ready([10, 42, 0, 7].into());
    Case { wish: Wish::of(&pod, now), observed, now }
}

fn two_containers(policy: &str) -> Case {
    case(json!({"restartPolicy": policy, "containers": [{"name": "a"}, {"name": "b"}]}))
}

impl Case {
    fn plan(&self) -> Step {
        plan(&self.wish, &self.observed, self.now)
    }

    fn run(&mut self, index: usize) {
        let unit = &mut self.observed.units[index];
        unit.state = State::Running { since: Timestamp::now(), stopping: None, id: String::new() };
        unit.started = true;
    }

    /// It was told to end and has until `deadline`.
    fn told(&mut self, index: usize, deadline: Instant) {
        self.stopping(index, Stopping { deadline, hook: false, told: true });
    }

    fn stopping(&mut self, index: usize, how: Stopping) {
        let State::Running { stopping, .. } = &mut self.observed.units[index].state else { panic!("it does not run") };
        *stopping = Some(how);
    }

    fn exit(&mut self, index: usize, code: i32) {
        let (reason, id) = ("Error".to_owned(), String::new());
        let (finished, at) = (Timestamp::now(), self.now);
        let ended = Ended { code, reason, message: None, started: None, finished, at, id };
        self.observed.units[index].state = State::Ended(ended);
    }
}

#[test]
fn the_sandbox_comes_first_and_then_the_containers_in_order() {
    let mut case = two_containers("Always");
    case.observed.sandbox = Sandbox::Absent;
    assert_eq!(case.plan(), Step::MakeSandbox);
    case.observed.busy = true;
    assert_eq!(case.plan(), Step::Wait(None));
    case.observed.busy = false;
    case.observed.hindrance = Some(Trouble { retry: Some(case.now + SECOND), ..Trouble::new("FailedMount", "") });
    assert_eq!(case.plan(), Step::Wait(Some(case.now + SECOND)));
    case.observed.sandbox = Sandbox::Ready([10, 42, 0, 7].into());
    assert_eq!(case.plan(), Step::Start(0));
    case.observed.busy = true;
    case.observed.units[0].state = State::Starting(None);
    assert_eq!(case.plan(), Step::Wait(None), "one at a time");
    case.observed.busy = false;
    case.run(0);
    assert_eq!(case.plan(), Step::Start(1));
    case.run(1);
    assert_eq!(case.plan(), Step::Wait(None), "no timer for a healthy pod");
}

#[test]
fn the_policy_says_who_starts_again() {
    // policy, exit code, what follows once the other container runs on
    let cases = [
        ("Always", 0, Step::Start(0)),
        ("Always", 1, Step::Start(0)),
        ("OnFailure", 0, Step::Wait(None)),
        ("OnFailure", 1, Step::Start(0)),
        ("Never", 1, Step::Wait(None)),
    ];
    for (policy, code, expected) in cases {
        let mut case = two_containers(policy);
        case.run(1);
        case.exit(0, code);
        assert_eq!(case.plan(), expected, "{policy} {code}");
    }
}

#[test]
fn a_failing_container_waits_longer_each_time() {
    let mut case = two_containers("Always");
    case.run(1);
    case.exit(0, 1);
    case.observed.units[0].backoff.advance(case.now, case.now);
    assert_eq!(case.plan(), Step::BackOff(0, 10 * SECOND));
    let retry = case.now + 10 * SECOND;
    case.observed.units[0].trouble = Some(Trouble { retry: Some(retry), ..Trouble::new("CrashLoopBackOff", "") });
    assert_eq!(case.plan(), Step::Wait(Some(retry)));
    case.now = retry;
    assert_eq!(case.plan(), Step::Start(0));
}

#[test]
fn a_missing_image_worsens_and_is_looked_for_again() {
    let mut case = two_containers("Always");
    case.run(1);
    let (soon, later) = (case.now + SECOND, case.now + 10 * SECOND);
    let backoff = Trouble { retry: Some(later), ..Trouble::new("ImagePullBackOff", "") };
    let trouble = Trouble {
        retry: Some(later),
        then: Some(Box::new((soon, backoff.clone()))),
        ..Trouble::new("ErrImagePull", "")
    };
    case.observed.units[0].trouble = Some(trouble);
    assert_eq!(case.plan(), Step::Wait(Some(soon)));
    case.now = soon;
    assert_eq!(case.plan(), Step::Worsen(0));
    case.observed.units[0].trouble = Some(backoff);
    assert_eq!(case.plan(), Step::Wait(Some(later)));
    case.now = later;
    assert_eq!(case.plan(), Step::Start(0));
    case.observed.units[0].trouble = Some(Trouble::new("CreateContainerConfigError", ""));
    assert_eq!(case.plan(), Step::Wait(None), "a change will tell");
}

#[test]
fn a_pod_whose_containers_are_done_gives_its_place_back() {
    let mut case = two_containers("Never");
    case.exit(0, 0);
    case.run(1);
    assert_eq!(case.plan(), Step::Wait(None));
    case.exit(1, 3);
    assert_eq!(case.plan(), Step::Release);
    case.observed.sandbox = Sandbox::Released(None);
    assert_eq!(case.plan(), Step::Wait(None));
    case.observed.end_by(case.now);
    assert_eq!(case.plan(), Step::Remove);
}

#[test]
fn a_deleted_pod_ends_gently_then_by_force() {
    let mut case = two_containers("Always");
    case.run(0);
    case.run(1);
    let deadline = case.now + 30 * SECOND;
    case.observed.end_by(deadline);
    assert_eq!(case.plan(), Step::Stop(0, 30 * SECOND));
    case.stopping(0, Stopping { deadline, hook: false, told: false });
    assert_eq!(case.plan(), Step::Tell(0));
    case.told(0, deadline);
    assert_eq!(case.plan(), Step::Stop(1, 30 * SECOND), "all at once");
    case.told(1, deadline);
    assert_eq!(case.plan(), Step::Wait(Some(deadline)));
    // Deleted again, with less patience, and then with more.
    case.observed.end_by(case.now + SECOND);
    case.observed.end_by(case.now + 60 * SECOND);
    assert_eq!(case.plan(), Step::Wait(Some(case.now + SECOND)));
    case.exit(0, 143);
    case.now += SECOND;
    assert_eq!(case.plan(), Step::Kill(1));
    case.exit(1, 137);
    assert_eq!(case.plan(), Step::Remove);
    case.observed.removed = true;
    assert_eq!(case.plan(), Step::Wait(None), "a finalizer may hold it");
}

#[test]
fn a_pre_stop_hook_has_the_grace_period_and_no_more() {
    let mut case = two_containers("Always");
    case.run(0);
    case.run(1);
    let deadline = case.now + 30 * SECOND;
    case.observed.end_by(deadline);
    case.stopping(0, Stopping { deadline, hook: true, told: false });
    case.told(1, deadline);
    assert_eq!(case.plan(), Step::Wait(Some(deadline)), "it is not told while its hook runs");
    case.stopping(0, Stopping { deadline, hook: false, told: false });
    assert_eq!(case.plan(), Step::Tell(0));
    case.stopping(0, Stopping { deadline, hook: true, told: false });
    case.exit(1, 0);
    case.now = deadline;
    assert_eq!(case.plan(), Step::Tell(0), "the hook is given up");
}

#[test]
fn a_post_start_hook_holds_up_the_next() {
    let mut case = two_containers("Always");
    case.run(0);
    case.observed.units[0].greeting = true;
    assert_eq!(case.plan(), Step::Wait(None));
    case.observed.units[0].greeting = false;
    assert_eq!(case.plan(), Step::Start(1));
}

#[test]
fn a_debugger_runs_once_whatever_the_others_do() {
    let mut case = case(json!({
        "initContainers": [{"name": "first"}],
        "containers": [{"name": "main"}],
        "ephemeralContainers": [{"name": "debugger"}],
    }));
    assert_eq!(case.plan(), Step::Start(2), "before the first init container");
    case.run(2);
    assert_eq!(case.plan(), Step::Start(0));
    case.exit(0, 0);
    case.exit(2, 1);
    assert_eq!(case.plan(), Step::Start(1));
    case.run(1);
    assert_eq!(case.plan(), Step::Wait(None), "never again");
    assert!(!is_over(&case.wish, &case.observed));
}

#[test]
fn a_pod_deleted_before_it_began_is_removed_at_once() {
    let mut case = two_containers("Always");
    case.observed.sandbox = Sandbox::Absent;
    case.observed.end_by(case.now + SECOND);
    assert_eq!(case.plan(), Step::Remove);
}

#[test]
fn init_containers_run_one_after_the_other() {
    let mut case = case(json!({
        "initContainers": [{"name": "first"}, {"name": "side", "restartPolicy": "Always"}, {"name": "last"}],
        "containers": [{"name": "main"}],
    }));
    assert_eq!(case.plan(), Step::Start(0));
    case.run(0);
    assert_eq!(case.plan(), Step::Wait(None));
    case.exit(0, 1);
    assert_eq!(case.plan(), Step::Start(0), "again until it works");
    case.exit(0, 0);
    assert_eq!(case.plan(), Step::Start(1));
    case.run(1);
    case.observed.units[1].started = false;
    assert_eq!(case.plan(), Step::Wait(None), "its startup probe is not through");
    case.observed.units[1].started = true;
    assert_eq!(case.plan(), Step::Start(2));
    case.exit(2, 0);
    assert_eq!(case.plan(), Step::Start(3));
    case.run(3);
    // The sidecar outlives the main container, though its hook runs with the others'.
    let deadline = case.now + SECOND;
    case.observed.end_by(deadline);
    assert_eq!(case.plan(), Step::Stop(1, SECOND));
    case.stopping(1, Stopping { deadline, hook: false, told: false });
    assert_eq!(case.plan(), Step::Stop(3, SECOND));
    case.told(3, deadline);
    assert_eq!(case.plan(), Step::Wait(Some(deadline)));
    case.exit(3, 0);
    assert_eq!(case.plan(), Step::Tell(1));
}

#[test]
fn sidecars_end_in_the_reverse_of_their_order() {
    let mut case = case(json!({
        "initContainers": [{"name": "a", "restartPolicy": "Always"}, {"name": "b", "restartPolicy": "Always"}],
        "containers": [{"name": "main"}],
        "restartPolicy": "Never",
    }));
    (0..2).for_each(|index| case.run(index));
    case.exit(2, 0);
    let deadline = case.now + 30 * SECOND;
    for index in 0..2 {
        assert_eq!(case.plan(), Step::Stop(index, 30 * SECOND), "the pod's work is done");
        case.stopping(index, Stopping { deadline, hook: false, told: false });
    }
    assert_eq!(case.plan(), Step::Tell(1));
    case.told(1, deadline);
    assert_eq!(case.plan(), Step::Wait(Some(deadline)));
    case.exit(1, 143);
    assert_eq!(case.plan(), Step::Tell(0));
}

#[test]
fn a_sidecar_that_its_probes_gave_up_waits_for_nobody() {
    let mut case = case(json!({
        "initContainers": [{"name": "side", "restartPolicy": "Always"}], "containers": [{"name": "main"}],
    }));
    case.run(0);
    case.run(1);
    case.observed.units[0].condemned = Some(SECOND);
    assert_eq!(case.plan(), Step::Stop(0, SECOND));
    case.stopping(0, Stopping { deadline: case.now + SECOND, hook: false, told: false });
    assert_eq!(case.plan(), Step::Tell(0));
}

#[test]
fn a_node_that_stops_lets_its_pods_end_well() {
    let mut case = two_containers("Always");
    case.run(0);
    let deadline = case.now + 10 * SECOND;
    case.observed.leave_by(deadline);
    assert_eq!(case.plan(), Step::Stop(0, 10 * SECOND), "no longer than the node has, though it might");
    case.told(0, deadline);
    assert_eq!(case.plan(), Step::Wait(Some(deadline)));
    case.exit(0, 143);
    assert_eq!(case.plan(), Step::Leave, "nothing is started again");
}

#[test]
fn a_resize_that_was_put_off_is_looked_at_again() {
    let mut case = two_containers("Always");
    case.run(0);
    case.run(1);
    case.observed.resize = Some(Trouble { retry: Some(case.now + SECOND), ..Trouble::new("Deferred", "") });
    assert_eq!(case.plan(), Step::Wait(Some(case.now + SECOND)));
    case.now += SECOND;
    assert_eq!(case.plan(), Step::Resize);
}

#[test]
fn init_containers_run_again_in_a_new_sandbox() {
    let ended = |code: i32| json!({"terminated": {"exitCode": code, "containerID": "wasmtime://0"}});
    let pod: Pod = from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"initContainers": [{"name": "first"}], "containers": [{"name": "main"}]},
        "status": {"phase": "Running",
            "initContainerStatuses": [{"name": "first", "image": "i", "imageID": "", "ready": true, "restartCount": 0,
                "state": ended(0)}],
            "containerStatuses": [{"name": "main", "image": "i", "imageID": "", "ready": true, "restartCount": 0,
                "state": {"running": {}}}]},
    }))
    .expect("pod");
    let now = Instant::now();
    let mut observed = Observed::first(&pod, Timestamp::now(), now);
    observed.sandbox = Sandbox::Ready([10, 42, 0, 7].into());
    assert_eq!(plan(&Wish::of(&pod, now), &observed, now), Step::Start(0));
    assert_eq!((observed.units[0].restarts, observed.units[0].last.as_ref().map(|last| last.code)), (1, Some(0)));
}

#[test]
fn an_init_container_that_may_not_try_again_fails_the_pod() {
    let mut case = case(json!({
        "restartPolicy": "Never", "initContainers": [{"name": "first"}], "containers": [{"name": "main"}],
    }));
    case.exit(0, 1);
    assert!(is_over(&case.wish, &case.observed));
    assert_eq!(case.plan(), Step::Release);
}

#[test]
fn probes_and_deadlines_end_containers() {
    let mut case = case(json!({"activeDeadlineSeconds": 60, "containers": [{"name": "main"}]}));
    case.run(0);
    assert_eq!(case.plan(), Step::Wait(Some(case.now + 60 * SECOND)));
    case.observed.units[0].condemned = Some(5 * SECOND);
    assert_eq!(case.plan(), Step::Stop(0, 5 * SECOND));
    case.observed.units[0].condemned = None;
    case.now += 60 * SECOND;
    assert_eq!(case.plan(), Step::Expire);
    case.observed.failed = Some(("DeadlineExceeded".into(), String::new()));
    assert_eq!(case.plan(), Step::Stop(0, 30 * SECOND));
}

#[test]
fn what_ran_before_a_restart_of_the_node_runs_again() {
    let pod: Pod = from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "a"}]},
        "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z", "containerStatuses": [{
            "name": "a", "image": "i", "imageID": "", "ready": true, "restartCount": 4, "containerID": "wasmtime://1",
            "state": {"running": {"startedAt": "2026-01-01T00:00:01Z"}},
        }]},
    }))
    .expect("pod");
    let now = Instant::now();
    let mut observed = Observed::first(&pod, Timestamp::now(), now);
    let wish = Wish::of(&pod, now);
    assert_eq!(plan(&wish, &observed, now), Step::MakeSandbox);
    observed.sandbox = Sandbox::Ready([10, 42, 0, 7].into());
    assert_eq!(plan(&wish, &observed, now), Step::Start(0));
    assert_eq!(observed.units[0].restarts, 4);
    assert_eq!(observed.units[0].ended().map(|ended| ended.code), Some(255));
    assert_eq!(observed.taken.to_string(), "2026-01-01T00:00:00Z");
}
