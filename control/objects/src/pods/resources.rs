//! What a pod asks of its node.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

use super::is_sidecar;
use crate::quantity::Quantity;

/// Amounts by resource name: `cpu`, `memory`, `example.com/widget`.
pub type Requests = BTreeMap<String, Quantity>;

/// What the scheduler keeps free for the pod: the greater of what its containers ask for together and what any init
/// container asks for, sidecars counting towards all that comes after them, and the overhead.
pub fn requests(pod: &Pod) -> Requests {
    total(pod, |c| c.resources.as_ref()?.requests.as_ref())
}

/// The same sum over limits.
pub fn limits(pod: &Pod) -> Requests {
    total(pod, |c| c.resources.as_ref()?.limits.as_ref())
}

fn total<'a>(pod: &'a Pod, of: impl Fn(&'a Container) -> Option<&'a BTreeMap<String, Text>>) -> Requests {
    let Some(spec) = &pod.spec else { return Requests::new() };
    let mut running = Requests::new();
    for container in &spec.containers {
        add(&mut running, of(container));
    }
    let (mut sidecars, mut peak) = (Requests::new(), Requests::new());
    for container in spec.init_containers.iter().flatten() {
        if is_sidecar(container) {
            add(&mut running, of(container));
            add(&mut sidecars, of(container));
            raise(&mut peak, &sidecars);
        } else {
            let mut alone = sidecars.clone();
            add(&mut alone, of(container));
            raise(&mut peak, &alone);
        }
    }
    raise(&mut running, &peak);
    add(&mut running, spec.overhead.as_ref());
    running
}

fn add(sum: &mut Requests, more: Option<&BTreeMap<String, Text>>) {
    for (name, text) in more.into_iter().flatten() {
        match sum.get_mut(name) {
            Some(present) => *present += Quantity::lenient(text),
            None => {
                sum.insert(name.clone(), Quantity::lenient(text));
            }
        }
    }
}

fn raise(sum: &mut Requests, floor: &Requests) {
    for (name, amount) in floor {
        match sum.get_mut(name) {
            Some(present) => *present = (*present).max(*amount),
            None => {
                sum.insert(name.clone(), *amount);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{PodSpec, ResourceRequirements};

    use super::*;

    fn container(memory: &str, sidecar: bool) -> Container {
        let requests = BTreeMap::from([("memory".to_owned(), Text(memory.to_owned()))]);
        Container {
            resources: Some(ResourceRequirements { requests: Some(requests), ..Default::default() }),
            restart_policy: sidecar.then(|| "Always".to_owned()),
            ..Container::default()
        }
    }

    fn memory(init: Vec<Container>, containers: Vec<Container>) -> String {
        let spec = PodSpec { init_containers: Some(init), containers, ..PodSpec::default() };
        requests(&Pod { spec: Some(spec), ..Pod::default() })["memory"].to_string()
    }

    #[test]
    fn init_containers_and_sidecars_count_as_upstream_counts_them() {
        assert_eq!(memory(vec![], vec![container("10Mi", false), container("20Mi", false)]), "30Mi");
        assert_eq!(memory(vec![container("50Mi", false)], vec![container("10Mi", false)]), "50Mi");
        assert_eq!(memory(vec![container("5Mi", true)], vec![container("10Mi", false)]), "15Mi");
        let both = vec![container("5Mi", true), container("20Mi", false)];
        assert_eq!(memory(both, vec![container("10Mi", false)]), "25Mi");
    }
}
