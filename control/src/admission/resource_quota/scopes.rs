//! Scopes: which pods a quota is about.

use serde_json::Value;

use crate::kinds::Look;

/// One condition that a pod has to meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    name: String,
    operator: String,
    values: Vec<String>,
}

impl Scope {
    /// All scopes of a quota's spec.
    pub fn of(spec: &Value) -> Vec<Self> {
        let plain = spec.items("scopes").iter().filter_map(Value::as_str).map(|name| Self {
            name: name.to_owned(),
            operator: "Exists".to_owned(),
            values: Vec::new(),
        });
        let selected = spec.items("scopeSelector.matchExpressions").iter().map(|e| Self {
            name: e.text("scopeName").to_owned(),
            operator: e.text("operator").to_owned(),
            values: e.items("values").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        });
        plain.chain(selected).collect()
    }
}

/// What scopes ask about a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traits {
    ends: bool,
    best_effort: bool,
    priority_class: String,
    /// Its affinity looks into other namespaces.
    looks_abroad: bool,
}

impl Traits {
    /// Of a pod.
    pub fn of(pod: &Value) -> Self {
        let spec = pod.at("spec");
        Self {
            ends: spec.int("activeDeadlineSeconds").is_some_and(|s| s >= 0),
            best_effort: crate::kinds::quality_of(spec) == "BestEffort",
            priority_class: spec.text("priorityClassName").to_owned(),
            looks_abroad: looks_abroad(spec.at("affinity")),
        }
    }

    /// True where the pod meets every condition.
    pub fn meet(&self, scopes: &[Scope]) -> bool {
        scopes.iter().all(|scope| self.meets(scope))
    }

    fn meets(&self, scope: &Scope) -> bool {
        match scope.name.as_str() {
            "Terminating" => self.ends,
            "NotTerminating" => !self.ends,
            "BestEffort" => self.best_effort,
            "NotBestEffort" => !self.best_effort,
            "CrossNamespacePodAffinity" => self.looks_abroad,
            "PriorityClass" => {
                let (class, listed) = (&self.priority_class, scope.values.contains(&self.priority_class));
                match scope.operator.as_str() {
                    "In" => !class.is_empty() && listed,
                    "NotIn" => class.is_empty() || !listed,
                    "DoesNotExist" => class.is_empty(),
                    _ => !class.is_empty(),
                }
            }
            _ => false,
        }
    }
}

fn looks_abroad(affinity: &Value) -> bool {
    let abroad = |term: &Value| !term.items("namespaces").is_empty() || term.has("namespaceSelector");
    ["podAffinity", "podAntiAffinity"].iter().any(|kind| {
        let of = affinity.at(kind);
        of.items("requiredDuringSchedulingIgnoredDuringExecution").iter().any(abroad)
            || of
                .items("preferredDuringSchedulingIgnoredDuringExecution")
                .iter()
                .any(|weighted| abroad(weighted.at("podAffinityTerm")))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scopes_select_pods() {
        let pod =
            json!({"spec": {"containers": [{"name": "c"}], "activeDeadlineSeconds": 5, "priorityClassName": "high"}});
        let plain = json!({"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]}});
        let class = |operator: &str, values: Value| {
            json!({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": operator,
                "values": values}]}})
        };
        for (spec, of_pod, of_plain) in [
            (json!({}), true, true),
            (json!({"scopes": ["Terminating"]}), true, false),
            (json!({"scopes": ["NotTerminating", "NotBestEffort"]}), false, true),
            (json!({"scopes": ["BestEffort"]}), true, false),
            (json!({"scopes": ["CrossNamespacePodAffinity"]}), false, false),
            (class("In", json!(["high"])), true, false),
            (class("NotIn", json!(["high"])), false, true),
            (class("Exists", json!([])), true, false),
            (class("DoesNotExist", json!([])), false, true),
        ] {
            let scopes = Scope::of(&spec);
            assert_eq!(
                (Traits::of(&pod).meet(&scopes), Traits::of(&plain).meet(&scopes)),
                (of_pod, of_plain),
                "{spec}"
            );
        }
    }
}
