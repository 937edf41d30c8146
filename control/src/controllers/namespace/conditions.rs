//! What a namespace says about its own end.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::NamespaceCondition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use objects::conditions;

use super::Left;

/// Brings the conditions up to date with what is left; true where that is news.
pub(super) fn report(held: &mut Vec<NamespaceCondition>, left: &BTreeMap<String, Left>, now: &Time) -> bool {
    let counts: Vec<String> = left
        .iter()
        .filter(|(_, l)| l.count > 0)
        .map(|(resource, l)| {
            // Upstream puts a dot between resource and group, also where there is no group.
            let dot = if resource.contains('.') { "" } else { "." };
            format!("{resource}{dot} has {} resource instances", l.count)
        })
        .collect();
    let mut finalizers: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, count) in left.values().flat_map(|l| &l.finalizers) {
        *finalizers.entry(name).or_default() += count;
    }
    let held_by: Vec<String> =
        finalizers.iter().map(|(name, count)| format!("{name} in {count} resource instances")).collect();
    let failures: Vec<&str> = left.values().filter_map(|l| l.failure.as_deref()).collect();
    let facts = [
        fact(
            "NamespaceDeletionDiscoveryFailure",
            false,
            ("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        fact(
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        match failures.is_empty() {
            true => fact(
                "NamespaceDeletionContentFailure",
                false,
                ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
            ),
            false => fact("NamespaceDeletionContentFailure", true, ("ContentDeletionFailed", &failures.join(", "))),
        },
        match counts.is_empty() {
            true => fact("NamespaceContentRemaining", false, ("ContentRemoved", "All content successfully removed")),
            false => fact(
                "NamespaceContentRemaining",
                true,
                ("SomeResourcesRemain", &format!("Some resources are remaining: {}", counts.join(", "))),
            ),
        },
        match held_by.is_empty() {
            true => fact(
                "NamespaceFinalizersRemaining",
                false,
                ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
            ),
            false => fact(
                "NamespaceFinalizersRemaining",
                true,
                (
                    "SomeFinalizersRemain",
                    &format!("Some content in the namespace has finalizers remaining: {}", held_by.join(", ")),
                ),
            ),
        },
    ];
    let mut news = false;
    for mut fact in facts {
        fact.last_transition_time = Some(now.clone());
        news |= conditions::set(held, fact);
    }
    news
}

fn fact(kind: &str, holds: bool, (reason, message): (&str, &str)) -> NamespaceCondition {
    NamespaceCondition {
        type_: kind.to_owned(),
        status: if holds { "True" } else { "False" }.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_transition_time: None,
    }
}
