//! `/stats/summary`, as kubelets answer it (stats.kubelet/v1alpha1), with the window of each rate added.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rate::{MACHINE, Rate, Rates};
use super::sample::{ContainerSample, PodSample, Sample};

/// Everything about one node.
pub fn build(node: &str, sample: &Sample, rates: &Rates) -> Value {
    let machine = &sample.machine;
    let ((disk, disk_left), (inodes, inodes_left)) = (machine.disk, machine.inodes);
    let fs = json!({
        "time": sample.at.to_string(),
        "availableBytes": disk_left,
        "capacityBytes": disk,
        "usedBytes": disk.saturating_sub(disk_left),
        "inodesFree": inodes_left,
        "inodes": inodes,
        "inodesUsed": inodes.saturating_sub(inodes_left),
    });
    let process = machine.process;
    let started = |seconds: u64| Timestamp::from_second(seconds.try_into().unwrap_or(0)).unwrap_or_default();
    json!({
        "node": {
            "nodeName": node,
            "startTime": started(process.started).to_string(),
            "cpu": cpu(sample.at, machine.cpu, rates.of(MACHINE)),
            "memory": {
                "time": sample.at.to_string(),
                "availableBytes": machine.memory_available,
                "usageBytes": machine.memory_used,
                "workingSetBytes": machine.memory_used,
            },
            "fs": fs,
            "runtime": {"imageFs": fs, "containerFs": fs},
            "systemContainers": [{
                "name": "kubelet",
                "startTime": started(process.started).to_string(),
                "cpu": cpu(sample.at, process.cpu, None),
                "memory": memory(sample.at, process.resident),
            }],
        },
        "pods": sample.pods.iter().map(|one| pod(sample.at, one, rates)).collect::<Vec<_>>(),
    })
}

fn pod(at: Timestamp, pod: &PodSample, rates: &Rates) -> Value {
    let parts: Vec<Option<Rate>> = pod.containers.iter().map(|container| rates.of(&container.id)).collect();
    let windows = parts.iter().flatten().map(|rate| rate.window);
    let rate =
        windows.max().map(|window| Rate { nanocores: parts.iter().flatten().map(|rate| rate.nanocores).sum(), window });
    let mut stats = json!({
        "podRef": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
        "startTime": pod.started.map(|started| started.to_string()),
        "containers": pod.containers.iter().map(|one| container(at, one, rates)).collect::<Vec<_>>(),
    });
    if !pod.containers.is_empty() {
        stats["cpu"] = cpu(at, pod.cpu(), rate);
        stats["memory"] = memory(at, pod.memory());
    }
    stats
}

fn container(at: Timestamp, container: &ContainerSample, rates: &Rates) -> Value {
    json!({
        "name": container.name,
        "startTime": container.started.to_string(),
        "cpu": cpu(at, container.usage.cpu, rates.of(&container.id)),
        "memory": memory(at, container.usage.memory),
    })
}

fn cpu(at: Timestamp, used: Duration, rate: Option<Rate>) -> Value {
    let mut cpu =
        json!({"time": at.to_string(), "usageCoreNanoSeconds": u64::try_from(used.as_nanos()).unwrap_or(u64::MAX)});
    if let Some(rate) = rate {
        cpu["usageNanoCores"] = rate.nanocores.into();
        cpu["window"] = format!("{:.3}s", rate.window.as_secs_f64()).into();
    }
    cpu
}

/// Linear memory: there is no cache in it that could be given up.
fn memory(at: Timestamp, bytes: u64) -> Value {
    json!({"time": at.to_string(), "usageBytes": bytes, "workingSetBytes": bytes, "rssBytes": bytes})
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::super::machine::Reading;
    use super::*;
    use crate::container::Usage;

    #[test]
    fn a_pod_is_the_sum_of_its_containers() {
        let container = |name: &str, cpu: u64, memory: u64| ContainerSample {
            name: name.into(),
            id: name.into(),
            image: String::new(),
            started: Timestamp::UNIX_EPOCH,
            usage: Usage { cpu: Duration::from_millis(cpu), memory, ..Usage::default() },
        };
        let sample = |cpu: u64| Sample {
            at: Timestamp::UNIX_EPOCH,
            pods: vec![PodSample {
                name: "web".into(),
                containers: vec![container("a", cpu, 1024), container("b", 2 * cpu, 2048)],
                ..PodSample::default()
            }],
            machine: Reading::default(),
        };
        let (rates, begin) = (Rates::default(), Instant::now());
        rates.note(&sample(0), begin);
        let last = sample(500);
        rates.note(&last, begin + Duration::from_secs(1));
        let summary = build("pi", &last, &rates);
        let pod = &summary["pods"][0];
        assert_eq!(pod["cpu"]["usageNanoCores"], 1_500_000_000u64);
        assert_eq!(pod["cpu"]["usageCoreNanoSeconds"], 1_500_000_000u64);
        assert_eq!(pod["memory"]["workingSetBytes"], 3072);
        assert_eq!(pod["containers"][1]["cpu"]["window"], "1.000s");
        assert_eq!(summary["node"]["nodeName"], "pi");
    }
}
