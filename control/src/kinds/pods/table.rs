//! The row of a pod: what STATUS, READY and RESTARTS say follows from the states of all its containers.

use jiff::Timestamp;
use serde_json::Value;

use crate::kinds::access::Look;
use crate::kinds::{age, cells};

/// The cells of a pod.
pub fn row(pod: &Value, now: Timestamp) -> Vec<Value> {
    let summary = Summary::of(pod);
    vec![
        cells::name(pod),
        format!("{}/{}", summary.ready, summary.total).into(),
        summary.reason.clone().into(),
        summary.restarts(now).into(),
        cells::age(pod, now),
        cells::or(pod.items("status.podIPs").first().map(|ip| ip.text("ip")).unwrap_or_default(), "<none>"),
        cells::text_or_none(pod, "spec.nodeName"),
        cells::text_or_none(pod, "status.nominatedNodeName"),
        gates(pod).into(),
    ]
}

/// What the containers of a pod add up to.
struct Summary {
    reason: String,
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
}

impl Summary {
    fn of(pod: &Value) -> Self {
        let sidecars = pod.items("spec.initContainers").iter().filter(|c| is_sidecar(c)).count();
        let mut summary = Summary {
            reason: phase(pod),
            ready: 0,
            total: pod.items("spec.containers").len() + sidecars,
            restarts: 0,
            last_restart: None,
        };
        let sidecar_restarts = summary.initialization(pod);
        let initializing = sidecar_restarts.is_none();
        if !initializing || is_true(pod, "Initialized") {
            let (restarts, last_restart) = sidecar_restarts.unwrap_or_default();
            summary.restarts = restarts;
            summary.last_restart = last_restart;
            summary.running(pod);
        }
        if pod.has("metadata.deletionTimestamp") {
            if pod.text("status.reason") == "NodeLost" {
                summary.reason = "Unknown".into();
            } else if !matches!(pod.text("status.phase"), "Succeeded" | "Failed") {
                summary.reason = "Terminating".into();
            }
        }
        summary
    }

    /// Goes through the init containers: none when one of them is still at it, else the restarts of the sidecars.
    fn initialization(&mut self, pod: &Value) -> Option<(i64, Option<Timestamp>)> {
        let specs = pod.items("spec.initContainers");
        let mut sidecar_restarts = (0, None);
        for (i, status) in pod.items("status.initContainerStatuses").iter().enumerate() {
            self.count(status);
            let sidecar = specs.iter().any(|c| c.text("name") == status.text("name") && is_sidecar(c));
            if sidecar {
                sidecar_restarts.0 += status.int("restartCount").unwrap_or_default();
                sidecar_restarts.1 = sidecar_restarts.1.max(finished(status));
            }
            let (ended, waiting) = (status.at("state.terminated"), status.text("state.waiting.reason"));
            if !ended.is_null() && ended.int("exitCode").unwrap_or_default() == 0 {
                continue;
            }
            if sidecar && status.flag("started") {
                self.ready += usize::from(status.flag("ready"));
                continue;
            }
            self.reason = if !ended.is_null() {
                format!("Init:{}", why(ended))
            } else if !waiting.is_empty() && waiting != "PodInitializing" {
                format!("Init:{waiting}")
            } else {
                format!("Init:{i}/{}", specs.len())
            };
            return None;
        }
        Some(sidecar_restarts)
    }

    /// Goes through the containers, the first one having the last word.
    fn running(&mut self, pod: &Value) {
        let mut has_running = false;
        for status in pod.items("status.containerStatuses").iter().rev() {
            self.count(status);
            let (ended, waiting) = (status.at("state.terminated"), status.text("state.waiting.reason"));
            if !waiting.is_empty() {
                self.reason = waiting.to_owned();
            } else if !ended.is_null() {
                self.reason = why(ended);
            } else if status.flag("ready") && status.has("state.running") {
                has_running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && has_running {
            self.reason = if is_true(pod, "Ready") { "Running".into() } else { "NotReady".into() };
        }
    }

    fn count(&mut self, status: &Value) {
        self.restarts += status.int("restartCount").unwrap_or_default();
        self.last_restart = self.last_restart.max(finished(status));
    }

    /// `3 (20s ago)`.
    fn restarts(&self, now: Timestamp) -> String {
        match self.last_restart {
            Some(at) if self.restarts != 0 => {
                format!("{} ({} ago)", self.restarts, age::human(now.as_second() - at.as_second()))
            }
            _ => self.restarts.to_string(),
        }
    }
}

fn phase(pod: &Value) -> String {
    if pod
        .items("status.conditions")
        .iter()
        .any(|c| c.text("type") == "PodScheduled" && c.text("reason") == "SchedulingGated")
    {
        return "SchedulingGated".into();
    }
    match pod.text("status.reason") {
        "" => pod.text("status.phase").to_owned(),
        reason => reason.to_owned(),
    }
}

fn is_sidecar(container: &Value) -> bool {
    container.text("restartPolicy") == "Always"
}

fn is_true(pod: &Value, condition: &str) -> bool {
    pod.items("status.conditions").iter().any(|c| c.text("type") == condition && c.text("status") == "True")
}

fn finished(status: &Value) -> Option<Timestamp> {
    status.text("lastState.terminated.finishedAt").parse().ok()
}

/// Why a container ended.
fn why(ended: &Value) -> String {
    match (ended.text("reason"), ended.int("signal").unwrap_or_default()) {
        ("", 0) => format!("ExitCode:{}", ended.int("exitCode").unwrap_or_default()),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn gates(pod: &Value) -> String {
    let gates = pod.items("spec.readinessGates");
    if gates.is_empty() {
        return "<none>".into();
    }
    let open = gates.iter().filter(|gate| is_true(pod, gate.text("conditionType"))).count();
    format!("{open}/{}", gates.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(pod: Value) -> (String, String, String) {
        let cells = row(&pod, "2026-11-20T10:00:00Z".parse().expect("a time"));
        let cell = |i: usize| cells[i].as_str().unwrap_or_default().to_owned();
        (cell(1), cell(2), cell(3))
    }

    #[test]
    fn status_follows_from_the_containers() {
        let two = json!({"containers": [{"name": "a"}, {"name": "b"}]});
        let running = json!({"name": "b", "ready": true, "state": {"running": {}}, "restartCount": 0});
        let cases = [
            (json!({"spec": two, "status": {"phase": "Pending"}}), ("0/2", "Pending", "0")),
            (
                json!({"spec": two, "status": {"phase": "Running", "containerStatuses": [
                    {"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 3,
                     "lastState": {"terminated": {"finishedAt": "2026-11-20T09:59:40Z"}}}, running]}}),
                ("1/2", "CrashLoopBackOff", "3 (20s ago)"),
            ),
            (
                json!({"spec": two, "status": {"phase": "Running",
                    "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [
                    {"name": "a", "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}, running]}}),
                ("1/2", "Running", "0"),
            ),
            (
                json!({"spec": two, "status": {"phase": "Running", "containerStatuses": [
                    {"name": "a", "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}, running]}}),
                ("1/2", "NotReady", "0"),
            ),
            (
                json!({"spec": two, "status": {"phase": "Failed", "containerStatuses": [
                    {"name": "a", "state": {"terminated": {"exitCode": 3}}}]}}),
                ("0/2", "ExitCode:3", "0"),
            ),
            (
                json!({"metadata": {"deletionTimestamp": "2026-11-20T09:59:40Z"}, "spec": two,
                    "status": {"phase": "Running", "containerStatuses": [running]}}),
                ("1/2", "Terminating", "0"),
            ),
            (json!({"spec": two, "status": {"phase": "Failed", "reason": "Evicted"}}), ("0/2", "Evicted", "0")),
            (
                json!({"spec": {"initContainers": [{"name": "i"}, {"name": "j"}], "containers": [{"name": "a"}]},
                    "status": {"phase": "Pending", "initContainerStatuses": [
                        {"name": "i", "state": {"terminated": {"exitCode": 0}}}, {"name": "j", "state": {"running": {}}}]}}),
                ("0/1", "Init:1/2", "0"),
            ),
            (
                json!({"spec": {"initContainers": [{"name": "i"}], "containers": [{"name": "a"}]},
                    "status": {"phase": "Pending", "initContainerStatuses": [
                        {"name": "i", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}),
                ("0/1", "Init:CrashLoopBackOff", "2"),
            ),
        ];
        for (pod, (ready, status, restarts)) in cases {
            assert_eq!(shown(pod), (ready.into(), status.into(), restarts.into()));
        }
    }
}
