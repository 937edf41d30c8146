//! Prometheus' text format, with the names that kubelets use.

use std::fmt::{Display, Write as _};

use super::sample::{ContainerSample, PodSample, Sample};

/// A page of metrics as it is written.
#[derive(Default)]
struct Page(String);

/// The labels of one series.
type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn series(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{text}\"", if at == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.series(name, &[], value);
    }
}

/// Of the process that the node is.
pub fn process(node: &str, sample: &Sample) -> String {
    let (mut page, process) = (Page::default(), sample.machine.process);
    let running = sample.pods.iter().filter(|pod| !pod.containers.is_empty()).count();
    let containers: usize = sample.pods.iter().map(|pod| pod.containers.len()).sum();
    page.family("kubelet_node_name", "gauge", "The node's name. The count is always 1.");
    page.series("kubelet_node_name", &[("node", node)], 1);
    page.single("kubelet_running_pods", "gauge", "Number of pods that have a running container.", running);
    page.family("kubelet_running_containers", "gauge", "Number of containers currently running.");
    page.series("kubelet_running_containers", &[("container_state", "running")], containers);
    page.single(
        "process_cpu_seconds_total",
        "counter",
        "Total user and system CPU time spent in seconds.",
        process.cpu.as_secs_f64(),
    );
    page.single("process_open_fds", "gauge", "Number of open file descriptors.", process.files);
    page.single("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", process.resident);
    page.single("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", process.virtual_size);
    page.single("process_threads", "gauge", "Number of threads.", process.threads);
    page.single(
        "process_start_time_seconds",
        "gauge",
        "Start time of the process since unix epoch in seconds.",
        process.started,
    );
    page.0
}

/// What metrics-server reads of a kubelet.
pub fn resources(sample: &Sample) -> String {
    let mut page = Page::default();
    let machine = &sample.machine;
    let core_seconds = "Cumulative cpu time consumed in core-seconds";
    each(&mut page, "container_cpu_usage_seconds_total", "counter", core_seconds, sample, |c| {
        c.usage.cpu.as_secs_f64().to_string()
    });
    let working_set = "Current working set in bytes";
    each(&mut page, "container_memory_working_set_bytes", "gauge", working_set, sample, |c| c.usage.memory.to_string());
    let start = "Start time since unix epoch in seconds";
    each(&mut page, "container_start_time_seconds", "gauge", start, sample, |c| c.started.as_second().to_string());
    page.single("node_cpu_usage_seconds_total", "counter", core_seconds, machine.cpu.as_secs_f64());
    page.single("node_memory_working_set_bytes", "gauge", working_set, machine.memory_used);
    page.family("pod_cpu_usage_seconds_total", "counter", core_seconds);
    for pod in running(sample) {
        page.series("pod_cpu_usage_seconds_total", &labels(pod), pod.cpu().as_secs_f64());
    }
    page.family("pod_memory_working_set_bytes", "gauge", working_set);
    for pod in running(sample) {
        page.series("pod_memory_working_set_bytes", &labels(pod), pod.memory());
    }
    page.single(
        "resource_scrape_error",
        "gauge",
        "1 if there was an error while getting container metrics, 0 otherwise",
        0,
    );
    page.0
}

/// What dashboards read of a kubelet's cAdvisor.
pub fn containers(sample: &Sample) -> String {
    type Value = fn(&ContainerSample) -> String;
    const FAMILIES: [(&str, &str, &str, Value); 5] = [
        ("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.", |c| {
            c.usage.cpu.as_secs_f64().to_string()
        }),
        ("container_cpu_cfs_throttled_periods_total", "counter", "Number of throttled period intervals.", |c| {
            c.usage.throttled.to_string()
        }),
        ("container_memory_usage_bytes", "gauge", "Current memory usage in bytes.", |c| c.usage.memory.to_string()),
        ("container_memory_working_set_bytes", "gauge", "Current working set in bytes.", |c| {
            c.usage.memory.to_string()
        }),
        ("container_spec_memory_limit_bytes", "gauge", "Memory limit for the container.", |c| {
            c.usage.memory_limit.to_string()
        }),
    ];
    let mut page = Page::default();
    for (name, kind, help, value) in FAMILIES {
        page.family(name, kind, help);
        for (pod, container) in all(sample) {
            let labels = [
                ("container", container.name.as_str()),
                ("id", container.id.as_str()),
                ("image", container.image.as_str()),
                ("namespace", pod.namespace.as_str()),
                ("pod", pod.name.as_str()),
            ];
            page.series(name, &labels, value(container));
        }
    }
    page.0
}

fn each(
    page: &mut Page,
    name: &str,
    kind: &str,
    help: &str,
    sample: &Sample,
    value: impl Fn(&ContainerSample) -> String,
) {
    page.family(name, kind, help);
    for (pod, container) in all(sample) {
        let labels =
            [("container", container.name.as_str()), ("namespace", pod.namespace.as_str()), ("pod", pod.name.as_str())];
        page.series(name, &labels, value(container));
    }
}

fn running(sample: &Sample) -> impl Iterator<Item = &PodSample> {
    sample.pods.iter().filter(|pod| !pod.containers.is_empty())
}

fn labels(pod: &PodSample) -> [(&str, &str); 2] {
    [("namespace", pod.namespace.as_str()), ("pod", pod.name.as_str())]
}

fn all(sample: &Sample) -> impl Iterator<Item = (&PodSample, &ContainerSample)> {
    sample.pods.iter().flat_map(|pod| pod.containers.iter().map(move |container| (pod, container)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::super::machine::Reading;
    use super::*;
    use crate::container::Usage;

    fn sample() -> Sample {
        let usage =
            Usage { cpu: Duration::from_millis(1500), memory: 4096, memory_limit: 8192, throttled: 3, files: 2 };
        let container = ContainerSample {
            name: "c".into(),
            id: "wasmtime://1".into(),
            image: "a\"b".into(),
            started: Timestamp::UNIX_EPOCH,
            usage,
        };
        let pod = PodSample {
            namespace: "dev".into(),
            name: "web".into(),
            containers: vec![container],
            ..PodSample::default()
        };
        Sample { at: Timestamp::UNIX_EPOCH, pods: vec![pod, PodSample::default()], machine: Reading::default() }
    }

    #[test]
    fn containers_and_pods_have_their_series() {
        let page = resources(&sample());
        let series = |line: &str| assert!(page.lines().any(|l| l == line), "{line} in\n{page}");
        series("container_cpu_usage_seconds_total{container=\"c\",namespace=\"dev\",pod=\"web\"} 1.5");
        series("pod_memory_working_set_bytes{namespace=\"dev\",pod=\"web\"} 4096");
        series("# TYPE node_cpu_usage_seconds_total counter");
        assert_eq!(page.matches("pod_cpu_usage_seconds_total{").count(), 1, "a pod without containers has none");
    }

    #[test]
    fn labels_are_escaped() {
        let page = containers(&sample());
        assert!(page.contains("image=\"a\\\"b\""), "{page}");
        assert!(
            page.contains("container_cpu_cfs_throttled_periods_total{container=\"c\",id=\"wasmtime://1\""),
            "{page}"
        );
    }

    #[test]
    fn the_process_counts_what_runs() {
        let page = process("pi", &sample());
        assert!(
            page.contains("\nkubelet_running_pods 1\n") && page.contains("kubelet_node_name{node=\"pi\"} 1"),
            "{page}"
        );
    }
}
