//! Does what somebody holds cover what he hands out?

use super::Rule;
use super::rule::{covers_path, has, has_or_all};

/// What of `wanted` is not in `held`, in the smallest pieces: one verb on one resource, name or path each.
pub fn uncovered(held: &[&Rule], wanted: &[Rule]) -> Vec<Rule> {
    let pieces = wanted.iter().flat_map(pieces);
    pieces.filter(|piece| !held.iter().any(|rule| covers(rule, piece))).collect()
}

/// Every combination of the words of a rule, as a rule of its own.
fn pieces(rule: &Rule) -> Vec<Rule> {
    let one = |word: &str| -> Box<[Box<str>]> { [Box::from(word)].into() };
    let mut pieces = Vec::new();
    for group in &rule.api_groups {
        for resource in &rule.resources {
            for verb in &rule.verbs {
                let all =
                    Rule { api_groups: one(group), resources: one(resource), verbs: one(verb), ..Rule::default() };
                if rule.resource_names.is_empty() {
                    pieces.push(all);
                    continue;
                }
                pieces.extend(rule.resource_names.iter().map(|n| Rule { resource_names: one(n), ..all.clone() }));
            }
        }
    }
    for path in &rule.non_resource_urls {
        pieces.extend(rule.verbs.iter().map(|verb| Rule {
            non_resource_urls: one(path),
            verbs: one(verb),
            ..Rule::default()
        }));
    }
    pieces
}

fn covers(held: &Rule, piece: &Rule) -> bool {
    piece.verbs.iter().all(|verb| has_or_all(&held.verbs, verb))
        && piece.api_groups.iter().all(|group| has_or_all(&held.api_groups, group))
        && piece.resources.iter().all(|resource| covers_resource(&held.resources, resource))
        && (held.resource_names.is_empty()
            || !piece.resource_names.is_empty() && piece.resource_names.iter().all(|n| has(&held.resource_names, n)))
        && piece.non_resource_urls.iter().all(|path| held.non_resource_urls.iter().any(|own| covers_path(own, path)))
}

fn covers_resource(held: &[Box<str>], resource: &str) -> bool {
    let part = resource.split_once('/').map(|(_, part)| format!("*/{part}"));
    has_or_all(held, resource) || part.is_some_and(|any| has(held, &any))
}

/// The same rules in fewer: pieces that differ in their verbs alone become one.
pub(super) fn compact(pieces: Vec<Rule>) -> Vec<Rule> {
    let mut whole: Vec<Rule> = Vec::new();
    for piece in pieces {
        let simple = piece.non_resource_urls.is_empty() && piece.resource_names.len() <= 1;
        let same = |other: &&mut Rule| {
            simple
                && other.api_groups == piece.api_groups
                && other.resources == piece.resources
                && other.resource_names == piece.resource_names
        };
        match whole.iter_mut().find(same) {
            Some(rule) => {
                let more = piece.verbs.iter().filter(|verb| !has(&rule.verbs, verb)).cloned();
                rule.verbs = rule.verbs.iter().cloned().chain(more).collect();
            }
            None => whole.push(piece),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rules(rules: &Value) -> Box<[Rule]> {
        Rule::all_of(&json!({"rules": rules}))
    }

    fn missing(held: Value, wanted: Value) -> Vec<String> {
        let held = rules(&held);
        let missing = uncovered(&held.iter().collect::<Vec<_>>(), &rules(&wanted));
        compact(missing).iter().map(Rule::to_string).collect()
    }

    #[test]
    fn what_is_held_in_pieces_is_held() {
        let held = json!([
            {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]},
            {"verbs": ["list"], "apiGroups": ["", "apps"], "resources": ["*/scale", "pods"]},
        ]);
        let wanted = json!([{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]},
            {"verbs": ["list"], "apiGroups": ["apps"], "resources": ["deployments/scale"]}]);
        assert!(missing(held, wanted).is_empty());
    }

    #[test]
    fn what_is_missing_is_named_by_resource() {
        let held = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]);
        let wanted = json!([{"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["pods", "secrets"]}]);
        assert_eq!(
            missing(held, wanted),
            [
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}"#,
                r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "watch"]}"#
            ]
        );
    }

    #[test]
    fn names_and_paths_count() {
        let held = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]},
            {"verbs": ["get"], "nonResourceURLs": ["/apis/*"]}]);
        let all = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]);
        assert_eq!(missing(held.clone(), all), [r#"{APIGroups:[""], Resources:["pods"], Verbs:["get"]}"#]);
        let some = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]},
            {"verbs": ["get"], "nonResourceURLs": ["/apis/apps/*", "/api"]}]);
        assert_eq!(missing(held, some), [r#"{NonResourceURLs:["/api"], Verbs:["get"]}"#]);
    }
}
