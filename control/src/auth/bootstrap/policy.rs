//! From the text to objects. The text is part of the program, so what is wrong with it is found by its tests.

use serde_json::{Map, Value, json};

use crate::auth::rbac::GROUP;
use crate::kinds::{Change as _, Look as _};

const TEXT: &str = include_str!("policy.txt");
/// Labels that say of which other roles a ClusterRole is a part start with this.
const PART_OF: &str = "rbac.authorization.k8s.io/";

/// One object that is to be there.
pub struct Item {
    /// `clusterroles`, `rolebindings`, ….
    pub resource: &'static str,
    /// Empty for one of the cluster.
    pub namespace: &'static str,
    /// Its name.
    pub name: String,
    /// The object. A role that gathers the rules of others has none of its own.
    pub object: Value,
}

/// All that is to be there.
pub fn items() -> Vec<Item> {
    let mut items = Vec::new();
    for line in TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line.strip_prefix("  "), items.last_mut()) {
            (Some(rule), Some(role)) => add_rule(role, rule),
            _ => items.extend(head(line)),
        }
    }
    items
}

/// The objects of a line that starts one; the one that rules are added to comes last.
fn head(line: &'static str) -> Vec<Item> {
    let words: Vec<&'static str> = line.split(' ').collect();
    match *words.as_slice() {
        ["ClusterRole", name, ref labels @ ..] => vec![cluster_role(name.to_owned(), labels)],
        ["Controller", account] => {
            let name = format!("system:controller:{account}");
            let subject = json!([{"kind": "ServiceAccount", "name": account, "namespace": "kube-system"}]);
            let binding = binding("", name.clone(), ("ClusterRole", &name), subject);
            vec![binding, cluster_role(name, &[])]
        }
        ["Role", namespace, name] => {
            let object = object("Role", namespace, name, [("rules", json!([]))]);
            vec![Item { resource: "roles", namespace, name: name.to_owned(), object }]
        }
        ["ClusterRoleBinding", name, of] => vec![binding("", name.to_owned(), ("ClusterRole", name), subjects(of))],
        ["RoleBinding", namespace, name, role, of] => {
            vec![binding(namespace, name.to_owned(), ("Role", role), subjects(of))]
        }
        _ => Vec::new(),
    }
}

fn cluster_role(name: String, words: &[&str]) -> Item {
    let mut object = object("ClusterRole", "", &name, [("rules", json!([]))]);
    for word in words {
        match word.split_at(1) {
            ("+", label) => object.set("metadata.labels", &format!("{PART_OF}{label}"), "true"),
            (_, label) => {
                let selector = json!({"matchLabels": {format!("{PART_OF}{label}"): "true"}});
                object.set("aggregationRule", "clusterRoleSelectors", json!([selector]));
            }
        }
    }
    Item { resource: "clusterroles", namespace: "", name, object }
}

fn binding(namespace: &'static str, name: String, (kind, role): (&str, &str), subjects: Value) -> Item {
    let (resource, own) = if namespace.is_empty() {
        ("clusterrolebindings", "ClusterRoleBinding")
    } else {
        ("rolebindings", "RoleBinding")
    };
    let role = json!({"apiGroup": GROUP, "kind": kind, "name": role});
    let object = object(own, namespace, &name, [("subjects", subjects), ("roleRef", role)]);
    Item { resource, namespace, name, object }
}

fn object<const N: usize>(kind: &str, namespace: &str, name: &str, fields: [(&str, Value); N]) -> Value {
    let mut object = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": kind,
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
            "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
        },
    });
    if !namespace.is_empty() {
        object.set("metadata", "namespace", namespace);
    }
    for (field, value) in fields {
        object.set("", field, value);
    }
    object
}

fn subjects(words: &str) -> Value {
    let subject = |word: &str| match *word.split('/').collect::<Vec<_>>() {
        ["group", name] => Some(json!({"kind": "Group", "apiGroup": GROUP, "name": name})),
        ["user", name] => Some(json!({"kind": "User", "apiGroup": GROUP, "name": name})),
        ["account", namespace, name] => Some(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace})),
        _ => None,
    };
    words.split(',').filter_map(subject).collect()
}

fn add_rule(role: &mut Item, line: &str) {
    let mut rule = Map::new();
    let mut set = |field: &str, words: Vec<&str>| rule.insert(field.to_owned(), json!(words));
    match *line.split(' ').collect::<Vec<_>>() {
        [verbs, "urls", paths] => {
            set("verbs", self::verbs(verbs));
            set("nonResourceURLs", sorted(paths));
        }
        [verbs, groups, resources, ref names @ ..] => {
            set("verbs", self::verbs(verbs));
            let mut groups = sorted(groups);
            groups.iter_mut().filter(|group| **group == "core").for_each(|group| *group = "");
            groups.sort_unstable();
            set("apiGroups", groups);
            set("resources", sorted(resources));
            if let Some(names) = names.first() {
                set("resourceNames", sorted(names));
            }
        }
        _ => return,
    }
    if let Some(rules) = role.object.get_mut("rules").and_then(Value::as_array_mut) {
        rules.push(rule.into());
    }
}

fn verbs(words: &str) -> Vec<&str> {
    let expand = |word| match word {
        "read" => vec!["get", "list", "watch"],
        "write" => vec!["create", "delete", "deletecollection", "patch", "update"],
        verb => vec![verb],
    };
    let mut verbs: Vec<&str> = words.split(',').flat_map(expand).collect();
    verbs.sort_unstable();
    verbs
}

fn sorted(words: &str) -> Vec<&str> {
    let mut words: Vec<&str> = words.split(',').collect();
    words.sort_unstable();
    words
}

/// The role with the rules that it gathers, as far as these come from the text. The controller that keeps them up to date
/// comes to the same; so it has nothing to do in a new cluster.
pub fn gathered(items: &[Item], role: &Value) -> Value {
    let selectors = role.items("aggregationRule.clusterRoleSelectors");
    let labels: Vec<&str> = selectors.iter().flat_map(|s| s.entries("matchLabels").map(|(label, _)| label)).collect();
    if labels.is_empty() {
        return role.clone();
    }
    let is_part = |item: &&Item| labels.iter().any(|label| item.object.at("metadata.labels").get(label).is_some());
    let mut parts: Vec<&Item> = items.iter().filter(is_part).collect();
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut rules: Vec<Value> = Vec::new();
    for part in parts {
        for rule in gathered(items, &part.object).items("rules") {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
    let mut role = role.clone();
    role.set("", "rules", rules);
    role
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'a>(items: &'a [Item], resource: &str, name: &str) -> &'a Item {
        items.iter().find(|item| item.resource == resource && item.name == name).unwrap()
    }

    #[test]
    fn every_line_of_the_text_is_understood() {
        let heads = TEXT.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
        let objects: usize = heads.map(|line| if line.starts_with("Controller ") { 2 } else { 1 }).sum();
        let rules = TEXT.lines().filter(|line| line.starts_with("  ")).count();
        let items = items();
        assert_eq!(items.len(), objects);
        assert_eq!(items.iter().map(|item| item.object.items("rules").len()).sum::<usize>(), rules);
        assert!(TEXT.lines().filter(|line| line.contains("  ") && !line.starts_with('#')).all(|l| l.starts_with("  ")));
        for item in items.iter().filter(|item| item.resource.ends_with("bindings") && item.name != "system:node") {
            assert!(!item.object.items("subjects").is_empty(), "{}", item.name);
            let (kind, role) = (item.object.text("roleRef.kind"), item.object.text("roleRef.name"));
            let resource = if kind == "ClusterRole" { "clusterroles" } else { "roles" };
            find(&items, resource, role);
        }
    }

    #[test]
    fn objects_are_those_of_kubernetes() {
        let items = items();
        assert_eq!(
            find(&items, "clusterroles", "system:kube-scheduler").object.items("rules")[0].to_string(),
            r#"{"verbs":["create","patch","update"],"apiGroups":["","events.k8s.io"],"resources":["events"]}"#
        );
        assert_eq!(
            find(&items, "clusterroles", "view").object.at("metadata.labels").to_string(),
            r#"{"kubernetes.io/bootstrapping":"rbac-defaults","rbac.authorization.k8s.io/aggregate-to-edit":"true"}"#
        );
        assert_eq!(
            find(&items, "clusterrolebindings", "system:controller:job-controller").object.at("subjects").to_string(),
            r#"[{"kind":"ServiceAccount","name":"job-controller","namespace":"kube-system"}]"#
        );
    }

    #[test]
    fn gathering_roles_have_the_rules_of_their_parts() {
        let items = items();
        let rules = |name: &str| gathered(&items, &find(&items, "clusterroles", name).object).items("rules").len();
        let (view, edit, admin) = (rules("view"), rules("edit"), rules("admin"));
        assert_eq!(view, rules("system:aggregate-to-view") + rules("system:aggregated-metrics-reader"));
        assert_eq!(edit, view + rules("system:aggregate-to-edit"));
        assert_eq!(admin, edit + rules("system:aggregate-to-admin"));
    }
}
