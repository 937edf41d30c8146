//! What a pod may keep on the node's disk: `sizeLimit` of its emptyDirs, `ephemeral-storage` of its containers.
//!
//! A file system of ours would refuse the write; the host's can't. So, as a kubelet does, the node [measures](measure)
//! what is there, and evicts a pod that keeps too much, in a kubelet's words. Only pods with such a limit are
//! [watched](watch), and they are measured only after a guest has run.

mod measure;
mod watch;

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use objects::quantity::Quantity;

pub use measure::usage;
pub use watch::Watch;

/// The reason of a pod that was evicted.
pub const EVICTED: &str = "Evicted";

/// The limits of a pod that has any, and where to look.
#[derive(Debug)]
struct Limits {
    /// All emptyDirs; those with a limit have it.
    volumes: Vec<Volume>,
    /// All containers, with what each may keep of its own.
    containers: Vec<(String, Option<Quantity>)>,
    /// Of the pod.
    total: Option<Quantity>,
}

#[derive(Debug)]
struct Volume {
    name: String,
    path: PathBuf,
    in_memory: bool,
    limit: Option<Quantity>,
}

/// Bytes, in the order of the limits.
#[derive(Debug, Default)]
struct Measured {
    volumes: Vec<u64>,
    containers: Vec<u64>,
}

impl Limits {
    /// None for a pod that has none. Its volumes are in directories by their names.
    fn of(pod: &Pod, on_disk: &Path, in_memory: Option<&Path>) -> Option<Limits> {
        let spec = pod.spec.as_ref()?;
        let volumes = spec.volumes.iter().flatten().filter_map(|volume| {
            let source = volume.empty_dir.as_ref()?;
            let memory = source.medium.as_deref() == Some("Memory");
            let place = if memory { in_memory? } else { on_disk };
            let limit = source.size_limit.as_ref().map(Quantity::lenient).filter(|limit| !limit.is_zero());
            Some(Volume { name: volume.name.clone(), path: place.join(&volume.name), in_memory: memory, limit })
        });
        let main = spec.containers.iter();
        let containers = main.chain(spec.init_containers.iter().flatten());
        let limits = Limits {
            volumes: volumes.collect(),
            containers: containers.map(|one| (one.name.clone(), of_container(one))).collect(),
            total: total(&spec.containers, spec.init_containers.as_deref().unwrap_or_default()),
        };
        let any = limits.total.is_some() || limits.volumes.iter().any(|volume| volume.limit.is_some());
        any.then_some(limits)
    }

    /// The first limit that is exceeded, in the order and the words of a kubelet's eviction manager.
    fn judge(&self, measured: &Measured) -> Option<String> {
        for (volume, used) in self.volumes.iter().zip(&measured.volumes) {
            if let Some(limit) = volume.limit.filter(|limit| exceeds(*used, *limit)) {
                return Some(format!(
                    "Usage of EmptyDir volume {:?} exceeds the limit {:?}. ",
                    volume.name,
                    text(limit)
                ));
            }
        }
        let on_disk = self.volumes.iter().zip(&measured.volumes).filter(|(volume, _)| !volume.in_memory);
        let used = on_disk.map(|(_, used)| used).chain(&measured.containers).sum();
        if let Some(limit) = self.total.filter(|limit| exceeds(used, *limit)) {
            let limit = text(limit);
            return Some(format!("Pod ephemeral local storage usage exceeds the total limit of containers {limit}. "));
        }
        let each = self.containers.iter().zip(&measured.containers);
        each.filter_map(|((name, limit), used)| Some((name, (*limit)?, used))).find_map(|(name, limit, used)| {
            let words = || format!("Container {name} exceeded its local ephemeral storage limit {:?}. ", text(limit));
            exceeds(*used, limit).then(words)
        })
    }
}

fn exceeds(used: u64, limit: Quantity) -> bool {
    i64::try_from(used).is_ok_and(|used| Quantity::from_whole(used) > limit)
}

fn text(limit: Quantity) -> String {
    limit.to_text().0
}

fn of_container(container: &Container) -> Option<Quantity> {
    of_resources(container.resources.as_ref()?)
}

fn of_resources(resources: &ResourceRequirements) -> Option<Quantity> {
    let limit = resources.limits.as_ref()?.get("ephemeral-storage")?;
    Some(Quantity::lenient(limit)).filter(|limit| !limit.is_zero())
}

/// As scheduler and kubelet sum it up: the containers together, or the greediest init container.
fn total(main: &[Container], init: &[Container]) -> Option<Quantity> {
    let sum = main.iter().filter_map(of_container).reduce(|sum, one| sum + one);
    init.iter().filter_map(of_container).chain(sum).max()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn limits(spec: Value) -> Option<Limits> {
        let pod: Pod = from_value(json!({ "spec": spec })).expect("pod");
        Limits::of(&pod, "/disk".as_ref(), Some("/memory".as_ref()))
    }

    fn container(name: &str, limit: &str) -> Value {
        json!({"name": name, "resources": {"limits": {"ephemeral-storage": limit}}})
    }

    #[test]
    fn a_pod_without_limits_is_not_watched() {
        let spec = json!({"containers": [{"name": "c", "resources": {"limits": {"cpu": "1"}}}],
            "volumes": [{"name": "v", "emptyDir": {}}]});
        assert!(limits(spec).is_none());
    }

    #[test]
    fn the_words_are_a_kubelets() {
        let spec = json!({
            "containers": [container("a", "1Mi"), container("b", "2Mi")],
            "volumes": [
                {"name": "x", "emptyDir": {"sizeLimit": "1Mi"}},
                {"name": "m", "emptyDir": {"medium": "Memory"}},
                {"name": "free", "emptyDir": {}}],
        });
        let limits = limits(spec).expect("limits");
        assert_eq!(limits.volumes[1].path, Path::new("/memory/m"));
        const MIB: u64 = 1 << 20;
        let said = |volumes: [u64; 3], containers: [u64; 2]| {
            limits.judge(&Measured { volumes: volumes.into(), containers: containers.into() })
        };
        assert_eq!(said([MIB, 9 * MIB, MIB], [MIB / 2, MIB / 2]), None, "a limit may be reached");
        let volume = "Usage of EmptyDir volume \"x\" exceeds the limit \"1Mi\". ";
        assert_eq!(said([MIB + 1, 0, 0], [0, 0]).as_deref(), Some(volume));
        let pod = "Pod ephemeral local storage usage exceeds the total limit of containers 3Mi. ";
        assert_eq!(said([MIB, 0, MIB], [MIB, 1]).as_deref(), Some(pod));
        let one = "Container a exceeded its local ephemeral storage limit \"1Mi\". ";
        assert_eq!(said([0, 0, 0], [MIB + 1, 0]).as_deref(), Some(one));
    }

    #[test]
    fn init_containers_count_one_at_a_time() {
        let spec = json!({"initContainers": [container("i", "5Mi")], "containers": [container("c", "2Mi")]});
        assert_eq!(text(limits(spec).expect("limits").total.expect("a total")), "5Mi");
    }
}
