//! Webhook configurations and admission policies: what may be in them. What they do is in `admission`.

mod bindings;
mod policies;
mod rules;
mod webhooks;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells};

/// MutatingWebhookConfigurations.
pub const MUTATING: Behavior = Behavior {
    default: |configuration| {
        for webhook in configuration.items_mut("webhooks") {
            webhook.set_default("", "reinvocationPolicy", "Never");
        }
        default_webhooks(configuration);
    },
    validate: |configuration, errors| webhooks::validate(configuration, true, errors),
    ..VALIDATING
};

/// ValidatingWebhookConfigurations.
pub const VALIDATING: Behavior = Behavior {
    default: default_webhooks,
    validate: |configuration, errors| webhooks::validate(configuration, false, errors),
    columns: &[
        NAME,
        Column::integer("Webhooks", "Webhooks indicates the number of webhooks registered in this configuration"),
        AGE,
    ],
    row: |configuration: &Value, now: Timestamp| {
        let count = configuration.items("webhooks").len();
        vec![cells::name(configuration), count.into(), cells::age(configuration, now)]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn default_webhooks(configuration: &mut Value) {
    for webhook in configuration.items_mut("webhooks") {
        webhook.set_default("", "failurePolicy", "Fail");
        webhook.set_default("", "matchPolicy", "Equivalent");
        webhook.set_default("", "namespaceSelector", json!({}));
        webhook.set_default("", "objectSelector", json!({}));
        webhook.set_default("", "timeoutSeconds", 10);
        if webhook.has("clientConfig.service") {
            webhook.set_default("clientConfig.service", "port", 443);
        }
        default_scopes(webhook.items_mut("rules"));
    }
}

fn default_scopes(rules: &mut [Value]) {
    for rule in rules {
        rule.set_default("", "scope", "*");
    }
}

/// What `matchConstraints` and `matchResources` mean where they leave something out.
fn default_resources(constraints: &mut Value) {
    constraints.set_default("", "matchPolicy", "Equivalent");
    constraints.set_default("", "namespaceSelector", json!({}));
    constraints.set_default("", "objectSelector", json!({}));
    default_scopes(constraints.items_mut("resourceRules"));
    default_scopes(constraints.items_mut("excludeResourceRules"));
}

/// ValidatingAdmissionPolicies.
pub const POLICIES: Behavior = Behavior {
    default: |policy| {
        policy.set_default("spec", "failurePolicy", "Fail");
        if policy.has("spec.matchConstraints") {
            default_resources(&mut policy["spec"]["matchConstraints"]);
        }
    },
    prepare_update: keep_status,
    validate: policies::validate,
    columns: &[
        NAME,
        Column::integer(
            "Validations",
            "Validations indicates the number of validation rules defined in this configuration",
        ),
        Column::text("ParamKind", "ParamKind specifies the kind of resources used to parameterize this policy"),
        AGE,
    ],
    row: |policy: &Value, now: Timestamp| {
        let kind = match policy.text("spec.paramKind.kind") {
            "" => "<unset>".to_owned(),
            kind => format!("{}/{kind}", policy.text("spec.paramKind.apiVersion")),
        };
        let count = policy.items("spec.validations").len();
        vec![cells::name(policy), count.into(), kind.into(), cells::age(policy, now)]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

/// ValidatingAdmissionPolicyBindings.
pub const BINDINGS: Behavior = Behavior {
    default: |binding| {
        if binding.has("spec.matchResources") {
            default_resources(&mut binding["spec"]["matchResources"]);
        }
    },
    validate: bindings::validate,
    columns: &[
        NAME,
        Column::text("PolicyName", "PolicyName indicates the policy definition which the policy binding binded to"),
        Column::text("ParamRef", "ParamRef indicates the param resource which sets the configration param"),
        AGE,
    ],
    row: |binding: &Value, now: Timestamp| {
        let (namespace, name) = (binding.text("spec.paramRef.namespace"), binding.text("spec.paramRef.name"));
        let reference = match (namespace, name) {
            ("", "") => "<unset>".to_owned(),
            ("", name) => name.to_owned(),
            (namespace, name) => format!("{namespace}/{name}"),
        };
        vec![cells::name(binding), binding.text("spec.policyName").into(), reference.into(), cells::age(binding, now)]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};
