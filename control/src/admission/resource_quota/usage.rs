//! What one object takes from a quota, and under which names.

use objects::quantity::Quantity;
use objects::time;
use serde_json::Value;

use crate::admission::amounts::{self, Amounts};
use crate::admission::default_class::class_of;
use crate::kinds::Look;
use crate::kinds::resource_names::is_extended;

const ONE: Quantity = Quantity::from_whole(1);
const STORAGE_CLASS: &str = ".storageclass.storage.k8s.io/";
/// Compute resources with a name of their own in quotas; all others are known by their prefix.
const COMPUTE: &[&str] = &[
    "count/pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
];
/// Where a quota has one of these, every container must say how much it wants.
const REQUIRED: &[&str] = &["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
/// Kinds whose number has a short name besides `count/…`.
const COUNTED: &[&str] = &["configmaps", "replicationcontrollers", "resourcequotas", "secrets"];
/// Kinds whose number no quota limits.
const UNCOUNTED: &[&str] = &[
    "bindings",
    "componentstatuses",
    "events",
    "events.events.k8s.io",
    "localsubjectaccessreviews.authorization.k8s.io",
    "namespaces",
];

/// How a resource is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By what its containers ask for.
    Pods,
    /// By its type and ports.
    Services,
    /// By its size and class.
    Claims,
    /// By its number.
    Others,
}

impl Kind {
    /// Of a resource by its qualified name; none where no quota can limit it.
    pub fn of(resource: &str) -> Option<Self> {
        match resource {
            "pods" => Some(Self::Pods),
            "services" => Some(Self::Services),
            "persistentvolumeclaims" => Some(Self::Claims),
            other if UNCOUNTED.contains(&other) => None,
            _ => Some(Self::Others),
        }
    }

    /// True where objects of this resource count under a quota's `name`.
    pub fn counts_as(self, resource: &str, name: &str) -> bool {
        let by_number = name.strip_prefix("count/") == Some(resource);
        match self {
            Self::Pods => {
                COMPUTE.contains(&name)
                    || name.starts_with("hugepages-")
                    || name.starts_with("requests.hugepages-")
                    || name.strip_prefix("requests.").is_some_and(is_extended)
            }
            Self::Services => by_number || matches!(name, "services" | "services.nodeports" | "services.loadbalancers"),
            Self::Claims => {
                by_number
                    || matches!(name, "persistentvolumeclaims" | "requests.storage")
                    || name.ends_with(".storageclass.storage.k8s.io/persistentvolumeclaims")
                    || name.ends_with(".storageclass.storage.k8s.io/requests.storage")
            }
            Self::Others => by_number || COUNTED.contains(&resource) && name == resource,
        }
    }

    /// What one object takes.
    pub fn usage(self, resource: &str, object: &Value) -> Amounts {
        match self {
            Self::Pods => of_pod(object),
            Self::Services => of_service(object),
            Self::Claims => of_claim(object),
            Self::Others => of_number(resource),
        }
    }
}

/// What one object of a kind takes that is reckoned by its number.
pub fn of_number(resource: &str) -> Amounts {
    let mut used = Amounts::from([(format!("count/{resource}"), ONE)]);
    if COUNTED.contains(&resource) {
        used.insert(resource.to_owned(), ONE);
    }
    used
}

fn of_pod(pod: &Value) -> Amounts {
    let mut used = Amounts::from([("count/pods".to_owned(), ONE)]);
    if is_over(pod) {
        return used;
    }
    let spec = pod.at("spec");
    let overhead = amounts::read(spec.at("overhead"));
    let mut requests = amounts::of_pod(spec, "requests");
    amounts::add(&mut requests, &overhead);
    let mut limits = amounts::of_pod(spec, "limits");
    let limited = overhead.into_iter().filter(|(name, _)| limits.contains_key(name)).collect();
    amounts::add(&mut limits, &limited);
    used.extend(compute(&requests, &limits));
    used
}

/// The amounts of a pod or container under the names that quotas know them by.
fn compute(requests: &Amounts, limits: &Amounts) -> Amounts {
    let mut used = Amounts::from([("pods".to_owned(), ONE)]);
    for name in ["cpu", "memory", "ephemeral-storage"] {
        if let Some(request) = requests.get(name) {
            used.insert(name.to_owned(), *request);
            used.insert(format!("requests.{name}"), *request);
        }
        if let Some(limit) = limits.get(name) {
            used.insert(format!("limits.{name}"), *limit);
        }
    }
    for (name, request) in requests {
        if name.starts_with("hugepages-") {
            used.insert(name.clone(), *request);
        }
        if name.starts_with("hugepages-") || is_extended(name) {
            used.insert(format!("requests.{name}"), *request);
        }
    }
    used
}

/// True once a pod uses nothing any more: it has ended, or should have and its node does not answer.
fn is_over(pod: &Value) -> bool {
    if matches!(pod.text("status.phase"), "Failed" | "Succeeded") {
        return true;
    }
    let grace = pod.int("metadata.deletionGracePeriodSeconds");
    match (time::parse(pod.text("metadata.deletionTimestamp")), grace) {
        (Some(at), Some(grace)) => time::now().0 > time::plus_seconds(&at, grace).0,
        _ => false,
    }
}

/// The names of `hard` that a pod's containers must say something about and do not, in upstream's words.
pub fn unsaid<'a>(hard: impl Iterator<Item = &'a str>, pod: &Value) -> Option<String> {
    let mut said = Vec::new();
    let mut required: Vec<&str> = hard.filter(|name| REQUIRED.contains(name)).collect();
    required.sort_unstable();
    for name in required {
        let mut silent: Vec<&str> = ["containers", "initContainers"]
            .iter()
            .flat_map(|list| pod.at("spec").items(list))
            .filter(|c| {
                let of = |field: &str| amounts::read(c.at("resources").at(field));
                !compute(&of("requests"), &of("limits")).contains_key(name)
            })
            .map(|c| c.text("name"))
            .collect();
        silent.sort_unstable();
        if !silent.is_empty() {
            said.push(format!("{name} for: {}", silent.join(",")));
        }
    }
    (!said.is_empty()).then(|| format!("must specify {}", said.join("; ")))
}

fn of_service(service: &Value) -> Amounts {
    let ports = service.items("spec.ports");
    let chosen = || ports.iter().filter(|p| p.int("nodePort").is_some_and(|n| n != 0)).count();
    let allots = service.at("spec.allocateLoadBalancerNodePorts").as_bool() != Some(false);
    let (node_ports, balancers) = match service.text("spec.type") {
        "NodePort" => (ports.len(), 0),
        "LoadBalancer" if allots => (ports.len(), 1),
        "LoadBalancer" => (chosen(), 1),
        _ => (0, 0),
    };
    let whole = |n: usize| Quantity::from_whole(i64::try_from(n).unwrap_or(i64::MAX));
    Amounts::from([
        ("count/services".to_owned(), ONE),
        ("services".to_owned(), ONE),
        ("services.loadbalancers".to_owned(), whole(balancers)),
        ("services.nodeports".to_owned(), whole(node_ports)),
    ])
}

fn of_claim(claim: &Value) -> Amounts {
    let mut used =
        Amounts::from([("count/persistentvolumeclaims".to_owned(), ONE), ("persistentvolumeclaims".to_owned(), ONE)]);
    let class = class_of(claim);
    if !class.is_empty() {
        used.insert(format!("{class}{STORAGE_CLASS}persistentvolumeclaims"), ONE);
    }
    if claim.has("spec.resources.requests.storage") {
        let asked = amounts::quantity(claim.at("spec.resources.requests.storage"));
        let size = asked.max(amounts::quantity(claim.at("status.allocatedResources.storage")));
        used.insert("requests.storage".to_owned(), size);
        if !class.is_empty() {
            used.insert(format!("{class}{STORAGE_CLASS}requests.storage"), size);
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn used(resource: &str, object: Value) -> String {
        let kind = Kind::of(resource).expect("a resource that quotas count");
        amounts::shown(&kind.usage(resource, &object))
    }

    #[test]
    fn what_objects_take() {
        let resources =
            json!({"requests": {"cpu": "1", "memory": "2Gi", "example.com/gpu": "2"}, "limits": {"cpu": "2"}});
        let pod = json!({"spec": {"containers": [{"name": "c", "resources": resources}], "overhead": {"cpu": "100m"}}});
        assert_eq!(
            used("pods", pod.clone()),
            "count/pods=1,cpu=1100m,limits.cpu=2100m,memory=2Gi,pods=1,requests.cpu=1100m,\
             requests.example.com/gpu=2,requests.memory=2Gi"
        );
        let mut ended = pod;
        ended["status"]["phase"] = "Succeeded".into();
        assert_eq!(used("pods", ended), "count/pods=1");
        for (spec, want) in [
            (json!({"type": "ClusterIP", "ports": [{"port": 1}]}), "services.loadbalancers=0,services.nodeports=0"),
            (
                json!({"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]}),
                "services.loadbalancers=0,services.nodeports=2",
            ),
            (json!({"type": "LoadBalancer", "ports": [{"port": 1}]}), "services.loadbalancers=1,services.nodeports=1"),
            (
                json!({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "ports": [{"port": 1}]}),
                "services.loadbalancers=1,services.nodeports=0",
            ),
        ] {
            assert_eq!(used("services", json!({"spec": spec})), format!("count/services=1,services=1,{want}"));
        }
        assert_eq!(
            used(
                "persistentvolumeclaims",
                json!({"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}}})
            ),
            "count/persistentvolumeclaims=1,fast.storageclass.storage.k8s.io/persistentvolumeclaims=1,\
             fast.storageclass.storage.k8s.io/requests.storage=1Gi,persistentvolumeclaims=1,requests.storage=1Gi"
        );
        assert_eq!(used("secrets", json!({})), "count/secrets=1,secrets=1");
        assert_eq!(used("widgets.example.com", json!({})), "count/widgets.example.com=1");
        assert_eq!(Kind::of("events"), None);
    }

    #[test]
    fn names_belong_to_kinds() {
        for (resource, name, counts) in [
            ("pods", "limits.memory", true),
            ("pods", "requests.example.com/gpu", true),
            ("pods", "requests.storage", false),
            ("pods", "secrets", false),
            ("persistentvolumeclaims", "fast.storageclass.storage.k8s.io/requests.storage", true),
            ("deployments.apps", "count/deployments.apps", true),
            ("deployments.apps", "deployments.apps", false),
            ("configmaps", "configmaps", true),
        ] {
            let kind = Kind::of(resource).expect("a resource that quotas count");
            assert_eq!(kind.counts_as(resource, name), counts, "{resource} {name}");
        }
    }

    #[test]
    fn containers_say_what_they_want() {
        let pod =
            json!({"spec": {"containers": [{"name": "b", "resources": {"limits": {"cpu": "1"}}}, {"name": "a"}]}});
        let hard = ["limits.cpu", "requests.memory", "pods"];
        assert_eq!(
            unsaid(hard.into_iter(), &pod).as_deref(),
            Some("must specify limits.cpu for: a; requests.memory for: a,b")
        );
        assert_eq!(unsaid(["pods"].into_iter(), &pod), None);
    }
}
