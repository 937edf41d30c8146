//! What is wrong with a policy's expressions, if `object` is of the types that its rules name.
//!
//! A policy may be about many types, and is in force whatever is found here: it is told in its status.

use std::sync::Arc;

use schema::{Shape, TypeRef};
use serde_json::{Value, json};

use crate::admission::expression::{Expression, Wanted};
use crate::admission::request::request_type;
use crate::cel::{Library, Program, Scope, Type};
use crate::kinds::Look;
use crate::registry::{Resource, Resources};

/// So many types are checked.
const TYPES: usize = 10;
/// So deep a type is looked into; some types hold themselves.
const DEPTH: usize = 16;

/// `status.typeChecking` of a policy.
pub fn check(policy: &Value, resources: &Resources) -> Value {
    let spec = policy.at("spec");
    let resources_meant = meant(spec, resources);
    let param = param_type(spec, resources);
    let scopes: Vec<(String, Scope)> = resources_meant
        .iter()
        .map(|resource| {
            let name = format!("{}, Kind={}", resource.api_version, resource.row.kind);
            (name, scope(spec, &type_of(resource), param.as_ref()))
        })
        .collect();
    let mut warnings = Vec::new();
    for (i, validation) in spec.items("validations").iter().enumerate() {
        for field in ["expression", "messageExpression"] {
            let wrong = wrong(validation.text(field), &scopes);
            if !wrong.is_empty() {
                let at = format!("spec.validations[{i}].{field}");
                warnings.push(json!({"fieldRef": at, "warning": wrong.join("\n")}));
            }
        }
    }
    if warnings.is_empty() { json!({}) } else { json!({"expressionWarnings": warnings}) }
}

fn wrong(expression: &str, scopes: &[(String, Scope)]) -> Vec<String> {
    if expression.is_empty() {
        return Vec::new();
    }
    let check = |(name, scope): &(String, Scope)| {
        let error = Program::compile(expression, scope).err()?;
        Some(format!("{name}: {}\n", error.issues()))
    };
    scopes.iter().filter_map(check).collect()
}

/// The resources that the rules name without a star.
fn meant(spec: &Value, resources: &Resources) -> Vec<Arc<Resource>> {
    let mut found: Vec<Arc<Resource>> = Vec::new();
    for rule in spec.items("matchConstraints.resourceRules") {
        let names = |field: &str| rule.items(field).iter().filter_map(Value::as_str).collect::<Vec<_>>();
        let (groups, versions) = (names("apiGroups"), names("apiVersions"));
        for resource in names("resources") {
            for group in &groups {
                for version in &versions {
                    found.extend(resources.find(group, version, resource).cloned());
                }
            }
        }
    }
    found.sort_by(|a, b| (&a.api_version, &a.row.kind).cmp(&(&b.api_version, &b.row.kind)));
    found.dedup_by(|a, b| a.api_version == b.api_version && a.row.kind == b.row.kind);
    found.truncate(TYPES);
    found
}

fn param_type(spec: &Value, resources: &Resources) -> Option<Type> {
    if !spec.has("paramKind") {
        return None;
    }
    let api_version = spec.text("paramKind.apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let found = resources.of_kind(group, version, spec.text("paramKind.kind"));
    Some(found.map_or(Type::Dyn, |resource| type_of(resource)))
}

fn scope(spec: &Value, object: &Type, param: Option<&Type>) -> Scope {
    let base = || {
        let scope = Scope::new()
            .with("object", object.clone())
            .with("oldObject", object.clone())
            .with("request", request_type())
            .with("namespaceObject", Type::Dyn)
            .with("authorizer", Type::Library(Library::Authorizer))
            .with("authorizer.requestResource", Type::Library(Library::ResourceCheck));
        match param {
            Some(param) => scope.with("params", param.clone()),
            None => scope,
        }
    };
    let composed =
        |known: &[(String, Type)]| base().with("variables", Type::object("kubernetes.variables", known.to_vec()));
    let mut known: Vec<(String, Type)> = Vec::new();
    for variable in spec.items("variables") {
        let expression = Expression::new(variable.text("expression"), &composed(&known), Wanted::Anything);
        let ty = expression.program().map_or(Type::Dyn, |program| program.output().clone());
        known.push((variable.text("name").to_owned(), ty));
    }
    composed(&known)
}

fn type_of(resource: &Resource) -> Type {
    resource.built_in_type().map_or(Type::Dyn, |ty| of_struct(ty, DEPTH))
}

fn of_struct(ty: TypeRef<'_>, depth: usize) -> Type {
    if depth == 0 {
        return Type::Dyn;
    }
    let fields = ty.fields().iter().map(|field| (field.name.to_string(), of_shape(ty, &field.shape, depth - 1)));
    Type::object(&ty.name, fields)
}

fn of_shape(ty: TypeRef<'_>, shape: &Shape, depth: usize) -> Type {
    match shape {
        Shape::String | Shape::Quantity => Type::String,
        Shape::Bool => Type::Bool,
        Shape::Int32 | Shape::Int64 => Type::Int,
        Shape::Float => Type::Double,
        Shape::Bytes => Type::Bytes,
        Shape::Time | Shape::MicroTime => Type::Timestamp,
        Shape::Struct(id) => of_struct(ty.at(*id), depth),
        Shape::List(item) | Shape::Wrapped(item) => Type::list(of_shape(ty, item, depth)),
        Shape::Map(value) => Type::text_map(of_shape(ty, value, depth)),
        Shape::IntOrString
        | Shape::Raw
        | Shape::Json
        | Shape::Fields
        | Shape::SchemaOrArray(_)
        | Shape::SchemaOrBool(_)
        | Shape::SchemaOrStrings(_) => Type::Dyn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(expressions: &[&str]) -> Value {
        let validations: Vec<Value> = expressions.iter().map(|text| json!({"expression": text})).collect();
        let rules = json!([{"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments", "*/*"]}]);
        let variables = json!([{"name": "n", "expression": "object.spec.replicas"}]);
        let spec =
            json!({"matchConstraints": {"resourceRules": rules}, "variables": variables, "validations": validations});
        check(&json!({"spec": spec}), &Resources::built_in())
    }

    #[test]
    fn expressions_that_cannot_hold_are_told() {
        let fine = ["object.spec.replicas > 1", "variables.n > 1", "object.metadata.labels.all(k, k != 'x')"];
        assert_eq!(warnings(&fine), json!({}));
        assert_eq!(
            warnings(&["object.replicas > 1", "variables.n > '1'"]),
            json!({"expressionWarnings": [
                {
                    "fieldRef": "spec.validations[0].expression",
                    "warning": "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n",
                },
                {
                    "fieldRef": "spec.validations[1].expression",
                    "warning": "apps/v1, Kind=Deployment: ERROR: <input>:1:13: found no matching overload for '_>_' applied to '(int, string)'\n | variables.n > '1'\n | ............^\n",
                },
            ]})
        );
    }
}
