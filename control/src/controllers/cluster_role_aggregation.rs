//! ClusterRoles that are made of others: their rules are those of every role that their selectors pick.

use std::sync::Arc;

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use objects::selectors::LabelSelector;
use serde_json::json;

use super::{Context, Key, Next, Queue, feed};
use crate::registry::{Api, Informer};
use crate::status::Status;

const NAME: &str = "clusterrole-aggregation-controller";
const AT_ONCE: usize = 4;

/// Gathers rules, and again when a part changes.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Roles { roles: context.registry.informer(), api: context.registry.api().acting_as(NAME), queue: Queue::new() }.run()
}

struct Roles {
    roles: Arc<Informer<ClusterRole>>,
    api: Api<ClusterRole>,
    queue: Queue<Key>,
}

impl Roles {
    async fn run(self) {
        self.roles.synced().await;
        futures::join!(
            // Any role may be a part, or have been one: whoever gathers looks again.
            feed(self.roles.subscribe(), |_| {
                let all = self.roles.list(None);
                all.iter().filter(|role| gathers(role)).for_each(|role| self.queue.add(Key::of(&**role)));
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(role) = self.roles.get("", &key.name).filter(|role| gathers(role)) else { return Ok(Next::Done) };
        let rules = gathered(&role, &self.roles.list(None));
        if role.rules.as_deref().unwrap_or_default() == rules {
            return Ok(Next::Done);
        }
        match self.api.patch_merge("", &key.name, json!({"rules": rules})).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }
}

fn gathers(role: &ClusterRole) -> bool {
    role.aggregation_rule.as_ref().is_some_and(|rule| rule.cluster_role_selectors.is_some())
}

/// The rules of the parts, by the names of these, each once.
fn gathered(role: &ClusterRole, all: &[Arc<ClusterRole>]) -> Vec<PolicyRule> {
    let selectors = role.aggregation_rule.as_ref().and_then(|rule| rule.cluster_role_selectors.as_deref());
    // One that cannot be read picks nothing.
    let selectors: Vec<LabelSelector> =
        selectors.unwrap_or_default().iter().filter_map(|selector| LabelSelector::of(Some(selector)).ok()).collect();
    let is_part = |part: &&Arc<ClusterRole>| {
        part.metadata.name != role.metadata.name
            && selectors.iter().any(|selector| selector.matches(part.metadata.labels.as_ref()))
    };
    let mut rules: Vec<PolicyRule> = Vec::new();
    for rule in all.iter().filter(is_part).flat_map(|part| part.rules.as_deref().unwrap_or_default()) {
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(object: serde_json::Value) -> Arc<ClusterRole> {
        Arc::new(serde_json::from_value(object).unwrap())
    }

    fn part(name: &str, label: &str, verb: &str) -> Arc<ClusterRole> {
        role(json!({"metadata": {"name": name, "labels": {"to": label}}, "rules": [{"verbs": [verb]}]}))
    }

    #[test]
    fn rules_are_those_of_the_parts() {
        let whole = role(json!({"metadata": {"name": "whole", "labels": {"to": "a"}}, "aggregationRule":
            {"clusterRoleSelectors": [{"matchLabels": {"to": "a"}}, {"matchLabels": {"to": "b"}}]},
            "rules": [{"verbs": ["old"]}]}));
        let all =
            [part("p", "a", "get"), part("q", "b", "list"), part("r", "b", "get"), part("s", "c", "watch"), whole];
        let verbs: Vec<String> = gathered(&all[4], &all).into_iter().flat_map(|rule| rule.verbs).collect();
        assert_eq!(verbs, ["get", "list"]);
    }
}
