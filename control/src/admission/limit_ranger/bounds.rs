//! The bounds of a LimitRange: least, most, and how far a limit may be from its request.

use objects::quantity::Quantity;
use serde_json::Value;

use crate::admission::amounts::{self, Amounts};
use crate::kinds::Look;

/// What is out of bounds in a pod, one line each.
pub fn of_pod(limits: &[Value], spec: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for limit in limits {
        match limit.text("type") {
            "Container" => {
                for container in spec.items("containers").iter().chain(spec.items("initContainers")) {
                    let read = |field: &str| amounts::read(container.at("resources").at(field));
                    Bounded { limit, requests: read("requests"), limits: read("limits") }.check(&mut broken);
                }
            }
            "Pod" => {
                let (requests, limits) = (amounts::of_pod(spec, "requests"), amounts::of_pod(spec, "limits"));
                Bounded { limit, requests, limits }.check(&mut broken);
            }
            _ => {}
        }
    }
    once_each(broken)
}

/// What is out of bounds in a claim: its request stands alone.
pub fn of_claim(limits: &[Value], spec: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for limit in limits.iter().filter(|l| l.text("type") == "PersistentVolumeClaim") {
        let requests = amounts::read(spec.at("resources.requests"));
        let claim = Bounded { limit, requests, limits: Amounts::new() };
        let of = |field: &str| amounts::read(limit.at(field));
        broken.extend(of("min").iter().filter_map(|(name, bound)| claim.least(name, *bound)));
        broken.extend(of("max").iter().filter_map(|(name, bound)| claim.most_requested(name, *bound)));
    }
    once_each(broken)
}

fn once_each(mut lines: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines
}

/// A container, pod or claim under one limit.
struct Bounded<'a> {
    limit: &'a Value,
    requests: Amounts,
    limits: Amounts,
}

impl Bounded<'_> {
    fn check(&self, broken: &mut Vec<String>) {
        let of = |field: &str| amounts::read(self.limit.at(field));
        broken.extend(of("min").iter().filter_map(|(name, bound)| self.least(name, *bound)));
        broken.extend(of("max").iter().filter_map(|(name, bound)| self.most(name, *bound)));
        broken.extend(of("maxLimitRequestRatio").iter().filter_map(|(name, bound)| self.ratio(name, *bound)));
    }

    fn least(&self, name: &str, bound: Quantity) -> Option<String> {
        let start = format!("minimum {name} usage per {} is {bound}", self.limit.text("type"));
        match (self.requests.get(name), self.limits.get(name)) {
            (None, _) => Some(format!("{start}.  No request is specified")),
            (Some(request), _) if *request < bound => Some(format!("{start}, but request is {request}")),
            (_, Some(limit)) if *limit < bound => Some(format!("{start}, but limit is {limit}")),
            _ => None,
        }
    }

    fn most(&self, name: &str, bound: Quantity) -> Option<String> {
        let start = format!("maximum {name} usage per {} is {bound}", self.limit.text("type"));
        match (self.requests.get(name), self.limits.get(name)) {
            (_, None) => Some(format!("{start}.  No limit is specified")),
            (_, Some(limit)) if *limit > bound => Some(format!("{start}, but limit is {limit}")),
            (Some(request), _) if *request > bound => Some(format!("{start}, but request is {request}")),
            _ => None,
        }
    }

    fn most_requested(&self, name: &str, bound: Quantity) -> Option<String> {
        let start = format!("maximum {name} usage per {} is {bound}", self.limit.text("type"));
        match self.requests.get(name) {
            None => Some(format!("{start}.  No request is specified")),
            Some(request) if *request > bound => Some(format!("{start}, but request is {request}")),
            Some(_) => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "upstream compares ratios as floats too, and shows them so")]
    fn ratio(&self, name: &str, bound: Quantity) -> Option<String> {
        let start = format!("{name} max limit to request ratio per {} is {bound}", self.limit.text("type"));
        let set = |amounts: &Amounts| amounts.get(name).filter(|a| !a.is_zero()).copied();
        let Some(request) = set(&self.requests) else {
            return Some(format!("{start}, but no request is specified or request is 0"));
        };
        let Some(limit) = set(&self.limits) else {
            return Some(format!("{start}, but no limit is specified or limit is 0"));
        };
        let ratio = limit.milli() as f64 / request.milli() as f64;
        (ratio * 1000.0 > bound.milli() as f64).then(|| format!("{start}, but provided ratio is {ratio:.6}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn container(resources: Value) -> Value {
        json!({"containers": [{"name": "c", "resources": resources}]})
    }

    #[test]
    fn bounds_of_containers_and_pods_by_message() {
        for (limit, resources, want) in [
            (
                json!({"type": "Container", "min": {"cpu": "100m"}}),
                json!({}),
                "minimum cpu usage per Container is 100m.  No request is specified",
            ),
            (
                json!({"type": "Container", "min": {"cpu": "100m"}}),
                json!({"requests": {"cpu": "50m"}}),
                "minimum cpu usage per Container is 100m, but request is 50m",
            ),
            (
                json!({"type": "Container", "max": {"memory": "1Gi"}}),
                json!({"requests": {"memory": "1Gi"}}),
                "maximum memory usage per Container is 1Gi.  No limit is specified",
            ),
            (
                json!({"type": "Pod", "max": {"memory": "1Gi"}}),
                json!({"limits": {"memory": "2Gi"}}),
                "maximum memory usage per Pod is 1Gi, but limit is 2Gi",
            ),
            (
                json!({"type": "Container", "maxLimitRequestRatio": {"cpu": "1500m"}}),
                json!({"limits": {"cpu": "1"}, "requests": {"cpu": "500m"}}),
                "cpu max limit to request ratio per Container is 1500m, but provided ratio is 2.000000",
            ),
            (
                json!({"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}),
                json!({"limits": {"cpu": "1"}}),
                "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
            ),
        ] {
            assert_eq!(of_pod(&[limit], &container(resources)), [want]);
        }
        let fine = json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}});
        let limit = json!({"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "1"}, "maxLimitRequestRatio": {"cpu": "1"}});
        assert_eq!(of_pod(&[limit], &container(fine)), [] as [&str; 0]);
    }

    #[test]
    fn bounds_of_claims() {
        let limits = [json!({"type": "PersistentVolumeClaim", "min": {"storage": "2Gi"}, "max": {"storage": "5Gi"}})];
        let claim = |size: &str| json!({"resources": {"requests": {"storage": size}}});
        assert_eq!(
            of_claim(&limits, &claim("1Gi")),
            ["minimum storage usage per PersistentVolumeClaim is 2Gi, but request is 1Gi"]
        );
        assert_eq!(
            of_claim(&limits, &claim("6Gi")),
            ["maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi"]
        );
        assert_eq!(of_claim(&limits, &claim("3Gi")), [] as [&str; 0]);
    }
}
