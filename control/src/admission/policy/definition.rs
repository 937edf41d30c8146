//! A policy and a binding, read and compiled.

use std::sync::Arc;

use serde_json::Value;

use crate::admission::expression::{Conditions, Expression, Wanted, scope};
use crate::admission::facts::Fact;
use crate::admission::matching::{Matcher, Request};
use crate::cel::{Scope, Type};
use crate::kinds::Look;
use crate::registry::{Registry, Resource};
use crate::status::Status;

/// A compiled ValidatingAdmissionPolicy.
#[derive(Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// An error denies.
    pub fails_closed: bool,
    /// API version and kind of its parameters.
    pub param_kind: Option<(String, String)>,
    /// Which requests it is about.
    pub constraints: Matcher,
    /// And under which conditions.
    pub conditions: Conditions,
    /// Computed where they are used.
    pub variables: Vec<(String, Expression)>,
    /// What has to hold.
    pub validations: Vec<Validation>,
    /// What is noted.
    pub annotations: Vec<Expression>,
}

/// Something that has to hold, and what is said where it doesn't.
#[derive(Debug)]
pub struct Validation {
    /// The rule.
    pub rule: Expression,
    /// Words that are computed.
    pub message_expression: Option<Expression>,
    /// Words.
    pub message: String,
    /// `Invalid` where nothing is said.
    pub reason: Option<String>,
}

impl Fact for Policy {
    const RESOURCE: &'static str = "validatingadmissionpolicies.admissionregistration.k8s.io";

    fn read(policy: &Value) -> Self {
        let spec = policy.at("spec");
        let has_params = spec.has("paramKind");
        let (variables, composed) = variables(spec, has_params, true);
        let without_authorizer = Self::variables_scope(&variables, scope(has_params, false));
        Self {
            name: policy.text("metadata.name").to_owned(),
            fails_closed: spec.text("failurePolicy") != "Ignore",
            param_kind: has_params
                .then(|| (spec.text("paramKind.apiVersion").to_owned(), spec.text("paramKind.kind").to_owned())),
            constraints: Matcher::resources(spec.at("matchConstraints")),
            conditions: Conditions::of(spec, &scope(has_params, true)),
            validations: spec
                .items("validations")
                .iter()
                .map(|one| Validation::of(one, &composed, &without_authorizer))
                .collect(),
            annotations: spec
                .items("auditAnnotations")
                .iter()
                .map(|one| Expression::new(one.text("valueExpression").trim(), &composed, Wanted::TextOrNull))
                .collect(),
            variables,
        }
    }
}

/// The variables of a policy, and the scope that has them all. Each may use those before it.
pub fn variables(spec: &Value, params: bool, authorizer: bool) -> (Vec<(String, Expression)>, Scope) {
    let mut variables = Vec::new();
    for variable in spec.items("variables") {
        let scope = Policy::variables_scope(&variables, scope(params, authorizer));
        let expression = Expression::new(variable.text("expression"), &scope, Wanted::Anything);
        variables.push((variable.text("name").to_owned(), expression));
    }
    let composed = Policy::variables_scope(&variables, scope(params, authorizer));
    (variables, composed)
}

impl Policy {
    fn variables_scope(variables: &[(String, Expression)], scope: Scope) -> Scope {
        let fields = variables.iter().map(|(name, expression)| {
            let ty = expression.program().map_or(Type::Dyn, |program| program.output().clone());
            (name.clone(), ty)
        });
        scope.with("variables", Type::object("kubernetes.variables", fields))
    }

    /// The resource of its parameters; none where it has none.
    ///
    /// # Errors
    /// Their kind is not served.
    pub fn param_resource(&self, registry: &Registry) -> Result<Option<Arc<Resource>>, String> {
        let Some((api_version, kind)) = &self.param_kind else { return Ok(None) };
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let found = registry.resources().of_kind(group, version, kind).cloned();
        let missing = || format!("failed to find resource referenced by paramKind: '{api_version}, Kind={kind}'");
        found.map(Some).ok_or_else(missing)
    }

    /// The resource in the version that its rules ask for, where it is about the request.
    ///
    /// # Errors
    /// What keeps it from being asked.
    pub fn seen(&self, request: &Request<'_>) -> Result<Option<Arc<Resource>>, String> {
        let seen = self.constraints.matched(request).map_err(|status| status.message().to_owned())?;
        if seen.is_some() {
            self.param_resource(request.registry)?;
        }
        Ok(seen)
    }
}

impl Validation {
    fn of(validation: &Value, scope: &Scope, for_message: &Scope) -> Self {
        let message = validation.text("messageExpression");
        let reason = validation.text("reason");
        Self {
            rule: Expression::new(validation.text("expression"), scope, Wanted::Bool),
            message_expression: (!message.is_empty()).then(|| Expression::new(message, for_message, Wanted::Text)),
            message: validation.text("message").trim().to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
        }
    }
}

/// A ValidatingAdmissionPolicyBinding.
#[derive(Debug)]
pub struct Binding {
    /// Its name.
    pub name: String,
    /// The policy's.
    pub policy: String,
    /// A failure refuses the request.
    pub denies: bool,
    /// A failure is said in a header.
    pub warns: bool,
    /// A failure is noted.
    pub audits: bool,
    /// `spec.paramRef`, or null.
    pub param_ref: Value,
    resources: Option<Matcher>,
}

impl Fact for Binding {
    const RESOURCE: &'static str = "validatingadmissionpolicybindings.admissionregistration.k8s.io";

    fn read(binding: &Value) -> Self {
        let spec = binding.at("spec");
        let acts = |action: &str| spec.items("validationActions").iter().any(|one| one == action);
        Self {
            name: binding.text("metadata.name").to_owned(),
            policy: spec.text("policyName").to_owned(),
            denies: acts("Deny"),
            warns: acts("Warn"),
            audits: acts("Audit"),
            param_ref: spec.at("paramRef").clone(),
            resources: spec.has("matchResources").then(|| Matcher::resources(spec.at("matchResources"))),
        }
    }
}

impl Binding {
    /// True where it puts its policy into force for this request.
    ///
    /// # Errors
    /// As [`Matcher::matched`].
    pub fn is_about(&self, request: &Request<'_>) -> Result<bool, Status> {
        self.resources.as_ref().map_or(Ok(true), |resources| resources.matched(request).map(|seen| seen.is_some()))
    }
}
