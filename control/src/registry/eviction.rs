//! Eviction: a deletion that asks the pod's disruption budget first.

use objects::time;
use serde_json::{Value, json};

use super::managed::Tracking;
use super::object::{is_deleting, meta_str, metadata};
use super::update::Proposal;
use super::{DeleteOptions, Part, Registry, Target, WriteOptions};
use crate::kinds::{Look, selectors};
use crate::status::Status;

/// A budget remembers no more pods than this, as upstream has it.
const REMEMBERED: usize = 2000;
const VIOLATES: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

impl Registry {
    /// Deletes a pod, where no budget objects.
    ///
    /// # Errors
    /// 404 for the pod, 429 where its budget is used up, 500 where it has several, and as [`Registry::delete`].
    pub async fn evict(&self, target: &Target, options: &DeleteOptions) -> Result<(), Status> {
        let pod = self.entry(target)?.value();
        if !ignores_budgets(&pod)
            && let Some(budget) = self.budget_of(target, &pod)?
            && counts(&pod, &budget)
        {
            self.spend(target, &budget, options).await?;
        }
        let options = match options.dry_run {
            true => options.clone(),
            false => self.mark_disrupted(target, options).await?,
        };
        self.delete(target, &options).await.map(drop)
    }

    /// The one budget that selects the pod.
    fn budget_of(&self, target: &Target, pod: &Value) -> Result<Option<Value>, Status> {
        let budgets = self.store().list("poddisruptionbudgets.policy", Some(&target.namespace)).entries;
        let labels = pod.at("metadata.labels");
        let mut found = budgets
            .iter()
            .map(|entry| entry.value())
            .filter(|b| b.has("spec.selector") && selectors::matches(b.at("spec.selector"), labels));
        let first = found.next();
        if found.next().is_some() {
            let words =
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Status::new(500, "", words));
        }
        Ok(first)
    }

    /// Takes one disruption from a budget that has one left.
    async fn spend(&self, target: &Target, budget: &Value, options: &DeleteOptions) -> Result<(), Status> {
        let resources = self.resources();
        let resource = resources.find("policy", "v1", "poddisruptionbudgets").ok_or_else(Status::no_such_resource)?;
        let budget = Target::new(resource, &target.namespace, meta_str(budget, "name"));
        let write =
            WriteOptions { dry_run: options.dry_run, caller: options.caller.clone(), ..WriteOptions::default() };
        let propose = |budget: &Value| {
            let object = spent(budget, &target.name)?;
            Ok(Proposal { object, warnings: Vec::new(), pinned: false, tracking: Tracking::Kept })
        };
        self.mutate(&budget, Part::Internal, &write, propose).await.map(drop)
    }

    /// Says in the pod why it goes, and makes sure that it is this state of the pod that is deleted.
    async fn mark_disrupted(&self, target: &Target, options: &DeleteOptions) -> Result<DeleteOptions, Status> {
        let write = WriteOptions { caller: options.caller.clone(), ..WriteOptions::default() };
        let propose = |pod: &Value| {
            Ok(Proposal { object: disrupted(pod), warnings: Vec::new(), pinned: false, tracking: Tracking::Kept })
        };
        self.mutate(target, Part::Internal, &write, propose).await?;
        Ok(options.clone())
    }
}

/// A pod that is over, or has not begun, is no loss.
fn ignores_budgets(pod: &Value) -> bool {
    is_deleting(pod) || matches!(pod.text("status.phase"), "Succeeded" | "Failed" | "Pending")
}

/// True where the eviction is a disruption that counts: a pod that is not healthy may be let go for free.
fn counts(pod: &Value, budget: &Value) -> bool {
    let ready = |c: &Value| c.text("type") == "Ready" && c.text("status") == "True";
    if pod.items("status.conditions").iter().any(ready) {
        return true;
    }
    let count = |field: &str| budget.at("status").int(field).unwrap_or_default();
    let enough = count("currentHealthy") >= count("desiredHealthy") && count("desiredHealthy") > 0;
    budget.text("spec.unhealthyPodEvictionPolicy") != "AlwaysAllow" && !enough
}

/// The budget with one disruption less.
fn spent(budget: &Value, pod: &str) -> Result<Value, Status> {
    let name = meta_str(budget, "name");
    let generation = metadata(budget).and_then(|m| m.get("generation")).and_then(Value::as_i64).unwrap_or_default();
    let count = |field: &str| budget.at("status").int(field).unwrap_or_default();
    if count("observedGeneration") < generation {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(refused(&why).retry_after(10));
    }
    let allowed = count("disruptionsAllowed");
    let forbidden = |why: &str| Err(Status::forbidden("poddisruptionbudget.policy", name, why));
    if allowed < 0 {
        return forbidden("pdb disruptions allowed is negative");
    }
    if budget.entries("status.disruptedPods").count() > REMEMBERED {
        return forbidden("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
    }
    if allowed == 0 {
        return Err(refused(&used_up(budget, name)));
    }
    let mut spent = budget.clone();
    spent["status"]["disruptionsAllowed"] = (allowed - 1).into();
    spent["status"]["disruptedPods"][pod] = time::text(&time::now()).into();
    if allowed == 1
        && let Some(conditions) = spent.pointer_mut("/status/conditions").and_then(Value::as_array_mut)
        && let Some(allowed) = conditions.iter_mut().find(|c| c.text("type") == "DisruptionAllowed")
    {
        allowed["status"] = "False".into();
        allowed["reason"] = "InsufficientPods".into();
        allowed["lastTransitionTime"] = time::text(&time::now()).into();
    }
    Ok(spent)
}

fn used_up(budget: &Value, name: &str) -> String {
    let failed = |c: &&Value| {
        c.text("type") == "DisruptionAllowed" && c.text("status") == "False" && c.text("reason") == "SyncFailed"
    };
    if let Some(failed) = budget.items("status.conditions").iter().find(failed) {
        let why = failed.text("message");
        return format!(
            "The disruption budget {name} does not allow evicting pods currently because it failed sync: {why}"
        );
    }
    let count = |field: &str| budget.at("status").int(field).unwrap_or_default();
    let (needed, healthy) = (count("desiredHealthy"), count("currentHealthy"));
    format!("The disruption budget {name} needs {needed} healthy pods and has {healthy} currently")
}

fn refused(why: &str) -> Status {
    Status::new(429, "TooManyRequests", VIOLATES).because("DisruptionBudget", why, "")
}

/// The pod with the condition that tells its owner that this was no failure.
fn disrupted(pod: &Value) -> Value {
    let mut pod = pod.clone();
    let now = time::text(&time::now());
    let condition = json!({"type": "DisruptionTarget", "status": "True", "lastProbeTime": null,
        "lastTransitionTime": now, "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"});
    let status = &mut pod["status"];
    let conditions = status.as_object_mut().map(|s| s.entry("conditions").or_insert_with(|| json!([])));
    if let Some(list) = conditions.and_then(Value::as_array_mut) {
        match list.iter_mut().find(|c| c.text("type") == "DisruptionTarget") {
            Some(there) => *there = condition,
            None => list.push(condition),
        }
    }
    pod
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_until_it_is_used_up() {
        let budget = |allowed: i64| {
            json!({"metadata": {"name": "b", "generation": 1}, "status": {"observedGeneration": 1,
                "disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 2}})
        };
        let after = spent(&budget(1), "p").expect("one is left");
        assert_eq!(after["status"]["disruptionsAllowed"], 0);
        assert!(after["status"]["disruptedPods"]["p"].is_string());
        let refusal = spent(&budget(0), "p").expect_err("none is left");
        assert_eq!(
            refusal.object()["details"],
            json!({"causes": [{"reason": "DisruptionBudget",
            "message": "The disruption budget b needs 2 healthy pods and has 2 currently"}]})
        );
        let mut unseen = budget(1);
        unseen["metadata"]["generation"] = 2.into();
        assert_eq!(spent(&unseen, "p").expect_err("not seen yet").retry_after_seconds(), Some(10));
    }

    #[test]
    fn the_sick_may_go_where_enough_are_healthy() {
        let pod = json!({"status": {"phase": "Running"}});
        let budget = |healthy| json!({"status": {"currentHealthy": healthy, "desiredHealthy": 2}});
        assert!(!counts(&pod, &budget(2)));
        assert!(counts(&pod, &budget(1)));
    }
}
