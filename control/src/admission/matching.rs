//! Which requests a webhook, a policy or a binding is about: rules, selectors, equivalent versions.

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use objects::selectors::LabelSelector;
use serde_json::Value;

use super::{Operation, Review};
use crate::kinds::Look;
use crate::registry::{Registry, Resource};
use crate::status::Status;
use crate::store::Key;

/// The kinds that configure admission: they are never admitted by what they configure, or nobody could mend it.
const CONFIGURATION: &str = "admissionregistration.k8s.io";
/// Questions about a caller, which change nothing.
const QUESTIONS: [&str; 2] = ["authentication.k8s.io", "authorization.k8s.io"];

/// A request, as rules and selectors look at it.
pub struct Request<'a> {
    /// What is about to be done.
    pub review: &'a Review<'a>,
    /// The object as it is going to be; none for a deletion.
    pub object: Option<&'a Value>,
    /// Where namespaces and versions are looked up.
    pub registry: &'a Registry,
}

impl Request<'_> {
    /// True for what no webhook and no policy is asked about.
    pub fn is_exempt(&self) -> bool {
        let group = self.review.target.resource.row.group.as_str();
        group == CONFIGURATION || QUESTIONS.contains(&group)
    }

    fn is_namespace(&self) -> bool {
        self.review.target.resource.is("", "namespaces")
    }

    /// The namespace that the object lies in; empty for what is of the cluster.
    pub fn namespace(&self) -> &str {
        if self.is_namespace() { "" } else { &self.review.target.namespace }
    }

    /// The name of the object; empty where it is still to be generated.
    pub fn name(&self) -> &str {
        let named = &*self.review.target.name;
        if named.is_empty() {
            self.object.map(|object| object.text("metadata.name")).unwrap_or_default()
        } else {
            named
        }
    }

    /// The name that a refusal says.
    fn shown_name(&self) -> &str {
        match (self.name(), self.object) {
            ("", Some(object)) => object.text("metadata.generateName"),
            (name, _) => name,
        }
    }

    /// The refusal of this request, 403.
    pub fn forbidden(&self, why: &str) -> Status {
        Status::forbidden(&self.review.target.resource.qualified, self.shown_name(), why)
    }

    /// An object in the version that whoever is asked wants to see.
    pub fn shown_as<'v>(&self, seen: &Resource, object: &'v Value) -> Cow<'v, Value> {
        if object.is_null() || seen.api_version == self.review.target.resource.api_version {
            return Cow::Borrowed(object);
        }
        let mut shown = object.clone();
        seen.show(&mut shown);
        shown["apiVersion"] = seen.api_version.as_str().into();
        Cow::Owned(shown)
    }

    /// The namespace object, as it is stored.
    ///
    /// # Errors
    /// 404.
    pub fn namespace_object(&self) -> Result<Option<Arc<Value>>, Status> {
        let name = self.namespace();
        if name.is_empty() {
            return Ok(None);
        }
        let key = Key { resource: "namespaces".into(), namespace: "".into(), name: name.into() };
        let entry = self.registry.store().get(&key).ok_or_else(|| Status::not_found("namespaces", name))?;
        Ok(Some(Arc::new(entry.value())))
    }
}

/// Operations, groups, versions, resources and scope of one rule.
#[derive(Debug)]
pub struct Rule {
    operations: Vec<String>,
    groups: Vec<String>,
    versions: Vec<String>,
    resources: Vec<String>,
    names: Vec<String>,
    scope: String,
}

impl Rule {
    fn of(rule: &Value) -> Self {
        let texts = |field: &str| rule.items(field).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Self {
            operations: texts("operations"),
            groups: texts("apiGroups"),
            versions: texts("apiVersions"),
            resources: texts("resources"),
            names: texts("resourceNames"),
            scope: rule.text("scope").to_owned(),
        }
    }

    /// Every rule of a list.
    pub fn all(rules: &[Value]) -> Vec<Self> {
        rules.iter().map(Self::of).collect()
    }

    /// True where the rule means the request, were it for this resource.
    fn means(&self, request: &Request<'_>, resource: &Resource) -> bool {
        let row = &resource.row;
        has(&self.operations, request.review.operation.name())
            && has(&self.groups, &row.group)
            && has(&self.versions, &row.version)
            && self.means_scope(request)
            && self.resources.iter().any(|pattern| means_resource(pattern, &row.resource, request.review.subresource))
            && (self.names.is_empty() || self.names.iter().any(|name| name == request.name()))
    }

    fn means_scope(&self, request: &Request<'_>) -> bool {
        match self.scope.as_str() {
            "Namespaced" => !request.namespace().is_empty(),
            "Cluster" => request.namespace().is_empty(),
            _ => true,
        }
    }
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|one| one == "*" || one == wanted)
}

/// `pods`, `pods/exec`, `pods/*`, `*/scale`, `*` (all, without sub-resources), `*/*`.
fn means_resource(pattern: &str, resource: &str, subresource: &str) -> bool {
    let (wanted, part) = pattern.split_once('/').unwrap_or((pattern, ""));
    (wanted == "*" || wanted == resource) && (part == subresource || part == "*")
}

impl Operation {
    /// As rules and reviews call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// Rules and selectors together: what a webhook has, and a policy's or a binding's `matchResources`.
#[derive(Debug)]
pub struct Matcher {
    rules: Vec<Rule>,
    excluded: Vec<Rule>,
    equivalent: bool,
    namespaces: Selector,
    objects: Selector,
    /// A binding without rules adds none to its policy's.
    open: bool,
}

impl Matcher {
    /// Of a webhook.
    pub fn webhook(webhook: &Value) -> Self {
        Self { rules: Rule::all(webhook.items("rules")), ..Self::selectors(webhook) }
    }

    /// Of `matchConstraints` or `matchResources`.
    pub fn resources(constraints: &Value) -> Self {
        let rules = Rule::all(constraints.items("resourceRules"));
        let excluded = Rule::all(constraints.items("excludeResourceRules"));
        Self { open: rules.is_empty(), rules, excluded, ..Self::selectors(constraints) }
    }

    fn selectors(of: &Value) -> Self {
        Self {
            rules: Vec::new(),
            excluded: Vec::new(),
            equivalent: of.text("matchPolicy") != "Exact",
            namespaces: Selector::of(of.at("namespaceSelector")),
            objects: Selector::of(of.at("objectSelector")),
            open: false,
        }
    }

    /// The resource in the version that the rules ask for, where they mean the request.
    ///
    /// # Errors
    /// A selector that is none, a namespace that is not there.
    pub fn matched(&self, request: &Request<'_>) -> Result<Option<Arc<Resource>>, Status> {
        // Rules first: they cost nothing, and most requests are not meant.
        let Some(resource) = self.resource(request) else { return Ok(None) };
        if self.excluded.iter().any(|rule| self.meant(rule, request).is_some()) {
            return Ok(None);
        }
        let meant = self.namespaces.means_namespace(request)? && self.objects.means_object(request)?;
        Ok(meant.then_some(resource))
    }

    fn resource(&self, request: &Request<'_>) -> Option<Arc<Resource>> {
        if self.open {
            return Some(request.review.target.resource.clone());
        }
        self.rules.iter().find_map(|rule| self.meant(rule, request))
    }

    /// The requested version if the rule has it, else another one of the same resource.
    fn meant(&self, rule: &Rule, request: &Request<'_>) -> Option<Arc<Resource>> {
        let asked = &request.review.target.resource;
        if rule.means(request, asked) {
            return Some(asked.clone());
        }
        let resources = self.equivalent.then(|| request.registry.resources())?;
        let mut equivalents = resources.iter().filter(|other| other.stored == asked.stored);
        equivalents.find(|other| rule.means(request, other)).cloned()
    }
}

/// A label selector, read once.
#[derive(Debug)]
enum Selector {
    Everything,
    Labels(LabelSelector),
    Broken(String),
}

impl Selector {
    fn of(selector: &Value) -> Self {
        if selector.is_null() || selector.as_object().is_some_and(serde_json::Map::is_empty) {
            return Self::Everything;
        }
        match parse_selector(selector) {
            Ok(selector) => Self::Labels(selector),
            Err(why) => Self::Broken(why),
        }
    }

    fn means(&self, object: &Value) -> Result<bool, Status> {
        match self {
            Self::Everything => Ok(true),
            Self::Labels(selector) => {
                let labels = object.at("metadata.labels");
                Ok(selector.matches_with(|key| labels.get(key).and_then(Value::as_str)))
            }
            Self::Broken(why) => Err(Status::internal(why)),
        }
    }

    /// By the labels of the namespace, or of the object where that is a namespace; what is of the cluster is always meant.
    fn means_namespace(&self, request: &Request<'_>) -> Result<bool, Status> {
        if let Self::Everything = self {
            return Ok(true);
        }
        if request.is_namespace() {
            return request.object.or(request.review.old).map_or(Ok(true), |object| self.means(object));
        }
        request.namespace_object()?.map_or(Ok(true), |namespace| self.means(&namespace))
    }

    /// By the labels of the object as it was or as it is going to be.
    fn means_object(&self, request: &Request<'_>) -> Result<bool, Status> {
        for object in [request.object, request.review.old].into_iter().flatten() {
            if self.means(object)? {
                return Ok(true);
            }
        }
        Ok(matches!(self, Self::Everything))
    }
}

/// A selector as objects carry it.
pub fn parse_selector(selector: &Value) -> Result<LabelSelector, String> {
    let selector: meta::LabelSelector = serde_json::from_value(selector.clone()).map_err(|error| error.to_string())?;
    LabelSelector::of(Some(&selector)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_meant_by_patterns() {
        for (pattern, resource, part, meant) in [
            ("pods", "pods", "", true),
            ("pods", "pods", "status", false),
            ("pods/*", "pods", "", true),
            ("pods/*", "pods", "status", true),
            ("*", "pods", "", true),
            ("*", "pods", "status", false),
            ("*/*", "pods", "status", true),
            ("*/scale", "deployments", "scale", true),
            ("*/scale", "deployments", "", false),
        ] {
            assert_eq!(means_resource(pattern, resource, part), meant, "{pattern} {resource} {part}");
        }
    }
}
