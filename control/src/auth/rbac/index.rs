//! Roles and bindings, by what a decision asks for.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::Rule;
use crate::auth::attributes::Attributes;
use crate::auth::follower::View;
use crate::auth::{Caller, SERVICE_ACCOUNT};
use crate::kinds::Look;
use crate::status::Status;
use crate::store::Key;

/// All roles and bindings.
#[derive(Default)]
pub struct Index {
    cluster_roles: Roles,
    /// By namespace.
    roles: HashMap<Arc<str>, Roles>,
    cluster_bindings: Bindings,
    /// By namespace.
    bindings: HashMap<Arc<str>, Bindings>,
}

/// The rules of the roles of one scope, by name.
type Roles = HashMap<Arc<str>, Box<[Rule]>>;

/// The bindings of one scope, by name.
type Named = BTreeMap<Arc<str>, Arc<Binding>>;

#[derive(Default)]
struct Bindings {
    all: Named,
    users: HashMap<Box<str>, Named>,
    groups: HashMap<Box<str>, Named>,
}

struct Binding {
    /// Empty for one of the cluster.
    namespace: Arc<str>,
    name: Arc<str>,
    role: RoleRef,
    subjects: Box<[Subject]>,
}

/// The role that a binding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRef {
    /// A ClusterRole, not a Role of the binding's namespace.
    pub cluster: bool,
    /// Its name.
    pub name: Box<str>,
}

enum Subject {
    User(Box<str>),
    Group(Box<str>),
    /// The namespace is empty where the binding left it out.
    ServiceAccount {
        namespace: Box<str>,
        name: Box<str>,
    },
}

/// The role of a binding is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRole(RoleRef);

impl fmt::Display for NoRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.0.cluster { "clusterrole" } else { "role" };
        write!(f, "{kind}.{} \"{}\" not found", super::GROUP, self.0.name)
    }
}

impl NoRole {
    /// The answer to a binding of it.
    pub fn status(&self) -> Status {
        let kind = if self.0.cluster { "clusterrole" } else { "role" };
        Status::not_found(&format!("{kind}.{}", super::GROUP), &self.0.name)
    }
}

impl Index {
    /// Why the caller may do what is wanted: the binding that says so. Otherwise what stood in the way of finding one; empty
    /// where simply none says so.
    pub fn decide(&self, caller: &Caller, wanted: &Attributes) -> Result<String, String> {
        let namespace = match wanted {
            Attributes::Resource(action) => action.namespace.as_str(),
            Attributes::Path { .. } => "",
        };
        let mut missing = Vec::new();
        for binding in self.bindings_of(caller, namespace) {
            match self.rules_of(&binding.role, namespace) {
                Ok(rules) if rules.iter().any(|rule| rule.allows(wanted)) => {
                    return Ok(format!("RBAC: allowed by {}", binding.describe(caller)));
                }
                Ok(_) => {}
                Err(no_role) => missing.push(no_role.to_string()),
            }
        }
        Err(aggregate(missing).map(|why| format!("RBAC: {why}")).unwrap_or_default())
    }

    /// All rules that hold for the caller in a namespace (an empty one: in the cluster as a whole), and what stood in the way
    /// of finding more.
    pub fn rules_for(&self, caller: &Caller, namespace: &str) -> (Vec<&Rule>, Option<String>) {
        let (mut rules, mut missing) = (Vec::new(), Vec::new());
        for binding in self.bindings_of(caller, namespace) {
            match self.rules_of(&binding.role, namespace) {
                Ok(found) => rules.extend(found),
                Err(no_role) => missing.push(no_role.to_string()),
            }
        }
        (rules, aggregate(missing))
    }

    /// The rules of a role, as seen from a namespace.
    pub fn rules_of(&self, role: &RoleRef, namespace: &str) -> Result<&[Rule], NoRole> {
        let found = match role.cluster {
            true => self.cluster_roles.get(&*role.name),
            false => self.roles.get(namespace).and_then(|roles| roles.get(&*role.name)),
        };
        found.map(|rules| &**rules).ok_or_else(|| NoRole(role.clone()))
    }

    fn bindings_of<'a>(&'a self, caller: &'a Caller, namespace: &'a str) -> impl Iterator<Item = &'a Binding> {
        let of_cluster = self.cluster_bindings.of(caller);
        let of_namespace = self.bindings.get(namespace).map(|bindings| bindings.of(caller));
        of_cluster.into_iter().chain(of_namespace.into_iter().flatten())
    }
}

impl View for Index {
    const RESOURCES: &'static [&'static str] = &[
        "clusterroles.rbac.authorization.k8s.io",
        "roles.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
        "rolebindings.rbac.authorization.k8s.io",
    ];

    fn set(&mut self, key: &Key, object: Option<&Value>) {
        let (namespace, name) = (key.namespace.clone(), key.name.clone());
        match key.resource.split('.').next() {
            Some("clusterroles") => put(&mut self.cluster_roles, name, object.map(Rule::all_of)),
            Some("roles") => {
                let roles = self.roles.entry(namespace.clone()).or_default();
                put(roles, name, object.map(Rule::all_of));
                if roles.is_empty() {
                    self.roles.remove(&namespace);
                }
            }
            Some("clusterrolebindings") => {
                self.cluster_bindings.set(&name, object.map(|o| Binding::of(namespace, name.clone(), o)));
            }
            _ => {
                let bindings = self.bindings.entry(namespace.clone()).or_default();
                bindings.set(&name, object.map(|o| Binding::of(namespace.clone(), name.clone(), o)));
                if bindings.all.is_empty() {
                    self.bindings.remove(&namespace);
                }
            }
        }
    }
}

fn put(roles: &mut Roles, name: Arc<str>, rules: Option<Box<[Rule]>>) {
    match rules {
        Some(rules) => drop(roles.insert(name, rules)),
        None => drop(roles.remove(&name)),
    }
}

impl Bindings {
    /// Those that name the caller, each once, by name.
    fn of(&self, caller: &Caller) -> Vec<&Binding> {
        let groups = caller.groups.iter().filter_map(|group| self.groups.get(group.as_str()));
        let named = self.users.get(caller.user.as_str()).into_iter().chain(groups).flat_map(Named::values);
        let mut found: Vec<&Binding> = named.map(|binding| &**binding).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.dedup_by(|a, b| a.name == b.name);
        found
    }

    fn set(&mut self, name: &Arc<str>, binding: Option<Binding>) {
        if let Some(old) = self.all.remove(name) {
            for subject in &old.subjects {
                let (table, key) = self.table(subject, &old.namespace);
                if let Some(named) = table.get_mut(&*key) {
                    named.remove(name);
                    if named.is_empty() {
                        table.remove(&*key);
                    }
                }
            }
        }
        let Some(binding) = binding.map(Arc::new) else { return };
        for subject in &binding.subjects {
            let (table, key) = self.table(subject, &binding.namespace);
            table.entry(key).or_default().insert(name.clone(), binding.clone());
        }
        self.all.insert(name.clone(), binding);
    }

    fn table(&mut self, subject: &Subject, namespace: &str) -> (&mut HashMap<Box<str>, Named>, Box<str>) {
        match subject {
            Subject::Group(group) => (&mut self.groups, group.clone()),
            Subject::User(user) => (&mut self.users, user.clone()),
            Subject::ServiceAccount { .. } => (&mut self.users, subject.account(namespace).into()),
        }
    }
}

impl Binding {
    fn of(namespace: Arc<str>, name: Arc<str>, object: &Value) -> Self {
        Self {
            namespace,
            name,
            role: RoleRef::of(object),
            subjects: object.items("subjects").iter().filter_map(Subject::of).collect(),
        }
    }

    fn describe(&self, caller: &Caller) -> String {
        let (kind, of) = if self.role.cluster { ("ClusterRole", &self.role.name) } else { ("Role", &self.role.name) };
        let subject = self.subjects.iter().find(|subject| subject.is(caller, &self.namespace));
        let to = subject.map(|subject| subject.describe(&self.namespace)).unwrap_or_default();
        match &*self.namespace {
            "" => format!("ClusterRoleBinding \"{}\" of {kind} \"{of}\" to {to}", self.name),
            namespace => format!("RoleBinding \"{}/{namespace}\" of {kind} \"{of}\" to {to}", self.name),
        }
    }
}

impl RoleRef {
    /// The role of a binding.
    pub fn of(binding: &Value) -> Self {
        Self { cluster: binding.text("roleRef.kind") == "ClusterRole", name: binding.text("roleRef.name").into() }
    }
}

impl Subject {
    fn of(subject: &Value) -> Option<Self> {
        let name = subject.text("name").into();
        match subject.text("kind") {
            "User" => Some(Self::User(name)),
            "Group" => Some(Self::Group(name)),
            "ServiceAccount" => Some(Self::ServiceAccount { namespace: subject.text("namespace").into(), name }),
            _ => None,
        }
    }

    fn is(&self, caller: &Caller, namespace: &str) -> bool {
        match self {
            Self::User(user) => **user == *caller.user,
            Self::Group(group) => caller.is_in(group),
            Self::ServiceAccount { .. } => self.account(namespace) == caller.user,
        }
    }

    /// The user name of a service account that is named from `namespace`.
    fn account(&self, namespace: &str) -> String {
        match self {
            Self::User(name) | Self::Group(name) => name.to_string(),
            Self::ServiceAccount { namespace: own, name } => {
                format!("{SERVICE_ACCOUNT}{}:{name}", if own.is_empty() { namespace } else { own })
            }
        }
    }

    fn describe(&self, namespace: &str) -> String {
        match self {
            Self::User(name) => format!("User \"{name}\""),
            Self::Group(name) => format!("Group \"{name}\""),
            Self::ServiceAccount { namespace: own, name } => {
                format!("ServiceAccount \"{name}/{}\"", if own.is_empty() { namespace } else { own })
            }
        }
    }
}

/// Several complaints as one, each once.
pub fn aggregate(mut said: Vec<String>) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    said.retain(|text| seen.insert(text.clone()));
    match said.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("[{}]", many.join(", "))),
    }
}

#[cfg(test)]
mod tests;
