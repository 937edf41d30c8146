//! Webhook configurations and admission policies: stored and shown; requests do not pass them yet.

use jiff::Timestamp;
use serde_json::Value;

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, cells};

const IGNORED: &str = "not supported by Sampan, ignored: requests do not pass it";

/// MutatingWebhookConfigurations and ValidatingWebhookConfigurations.
pub const WEBHOOKS: Behavior = Behavior {
    default: |configuration| {
        for webhook in configuration.items_mut("webhooks") {
            webhook.set_default("", "failurePolicy", "Fail");
            webhook.set_default("", "matchPolicy", "Equivalent");
            webhook.set_default("", "timeoutSeconds", 10);
        }
    },
    warnings: |_| vec![format!("webhooks: {IGNORED}")],
    columns: &[
        NAME,
        Column::integer("Webhooks", "Webhooks is a list of webhooks and the affected resources and operations."),
        AGE,
    ],
    row: |configuration: &Value, now: Timestamp| {
        let count = configuration.items("webhooks").len();
        vec![cells::name(configuration), count.into(), cells::age(configuration, now)]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

/// ValidatingAdmissionPolicies.
pub const POLICIES: Behavior = Behavior {
    default: |policy| policy.set_default("spec", "failurePolicy", "Fail"),
    prepare_update: keep_status,
    warnings: |_| vec![format!("spec: {IGNORED}")],
    columns: &[
        NAME,
        Column::integer("Validations", "Validations contain CEL expressions which is used to apply the validation."),
        Column::text("ParamKind", "ParamKind specifies the kind of resources used to parameterize this policy."),
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
