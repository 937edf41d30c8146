//! The quality-of-service class of a pod.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{Pod, PodSpec};

use super::all_containers;
use crate::quantity::Quantity;

/// How firmly a pod's resources are promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QosClass {
    /// Requests equal limits for CPU and memory in every container.
    Guaranteed,
    /// Some are set.
    Burstable,
    /// None is set.
    BestEffort,
}

impl fmt::Display for QosClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Guaranteed => "Guaranteed",
            Self::Burstable => "Burstable",
            Self::BestEffort => "BestEffort",
        })
    }
}

/// The class that the pod's requests and limits of CPU and memory give it.
pub fn qos_class(pod: &Pod) -> QosClass {
    pod.spec.as_ref().map_or(QosClass::BestEffort, class)
}

fn class(spec: &PodSpec) -> QosClass {
    const COUNTED: [&str; 2] = ["cpu", "memory"];
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    let mut all_limited = true;
    for container in all_containers(spec) {
        let resources = container.resources.as_ref();
        for name in COUNTED {
            let asked = resources.and_then(|r| r.requests.as_ref()?.get(name)).map(Quantity::lenient);
            let limit = resources.and_then(|r| r.limits.as_ref()?.get(name)).map(Quantity::lenient);
            for (sum, amount) in [(&mut requests, asked), (&mut limits, limit)] {
                if let Some(amount) = amount.filter(|a| !a.is_zero()) {
                    *sum.entry(name).or_insert(Quantity::ZERO) += amount;
                }
            }
            all_limited &= limit.is_some_and(|l| !l.is_zero());
        }
    }
    match (requests.is_empty() && limits.is_empty(), all_limited && requests == limits) {
        (true, _) => QosClass::BestEffort,
        (_, true) => QosClass::Guaranteed,
        _ => QosClass::Burstable,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{Container, ResourceRequirements};
    use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

    use super::*;

    fn with(requests: &[(&str, &str)], limits: &[(&str, &str)]) -> QosClass {
        let map =
            |list: &[(&str, &str)]| Some(list.iter().map(|(k, v)| ((*k).to_owned(), Text((*v).to_owned()))).collect());
        let resources = ResourceRequirements { requests: map(requests), limits: map(limits), ..Default::default() };
        class(&PodSpec {
            containers: vec![Container { resources: Some(resources), ..Container::default() }],
            ..PodSpec::default()
        })
    }

    #[test]
    fn classes() {
        let both = [("cpu", "1"), ("memory", "1Gi")];
        assert_eq!(with(&[], &[]), QosClass::BestEffort);
        assert_eq!(with(&both, &both), QosClass::Guaranteed);
        assert_eq!(with(&both, &[]), QosClass::Burstable);
        assert_eq!(with(&[("cpu", "1")], &[("cpu", "1")]), QosClass::Burstable);
    }
}
