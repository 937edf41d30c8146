//! The rules for a whole pod spec, in the order in which Kubernetes reports them.

use std::collections::BTreeSet;

use objects::names;
use serde_json::Value;

use super::{affinity, containers, dns, gates, scheduling, security, volumes};
use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::metadata;
use crate::kinds::numbers::within;

/// What is wrong with the pod spec at `at`.
pub fn validate(spec: &Value, at: &Path, errors: &mut Errors) {
    let volumes = volumes::validate(spec.items("volumes"), &at.child("volumes"), errors);
    resource_claims(spec.items("resourceClaims"), &at.child("resourceClaims"), errors);
    containers::validate(spec, &volumes, at, errors);
    one_of(spec, "restartPolicy", &["Always", "OnFailure", "Never"], at, errors);
    one_of(spec, "dnsPolicy", &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], at, errors);
    metadata::labels(spec.at("nodeSelector"), &at.child("nodeSelector"), errors);
    security::pod(spec, &at.child("securityContext"), errors);
    affinity::validate(spec.at("affinity"), &at.child("affinity"), errors);
    dns::config(spec.at("dnsConfig"), spec.text("dnsPolicy"), &at.child("dnsConfig"), errors);
    gates::readiness(spec.items("readinessGates"), &at.child("readinessGates"), errors);
    gates::scheduling(spec.items("schedulingGates"), &at.child("schedulingGates"), errors);
    scheduling::spread(spec.items("topologySpreadConstraints"), &at.child("topologySpreadConstraints"), errors);
    users(spec, at, errors);
    named(spec, "serviceAccountName", names::dns1123_subdomain, at, errors);
    named(spec, "nodeName", names::dns1123_subdomain, at, errors);
    if let Some(seconds) = spec.int("activeDeadlineSeconds") {
        within(seconds, 1, i32::MAX.into(), &at.child("activeDeadlineSeconds"), errors);
    }
    named(spec, "hostname", names::dns1123_label, at, errors);
    named(spec, "subdomain", names::dns1123_label, at, errors);
    scheduling::tolerations(spec.items("tolerations"), &at.child("tolerations"), errors);
    dns::aliases(spec.items("hostAliases"), &at.child("hostAliases"), errors);
    named(spec, "priorityClassName", names::dns1123_subdomain, at, errors);
    named(spec, "runtimeClassName", names::dns1123_subdomain, at, errors);
    if spec.has("preemptionPolicy") {
        one_of(spec, "preemptionPolicy", &["Never", "PreemptLowerPriority"], at, errors);
    }
    gates::overhead(spec.at("overhead"), &at.child("overhead").child("limits"), errors);
    gates::system(spec, at, errors);
}

/// A pod with users of its own has the rest of its own, too.
fn users(spec: &Value, at: &Path, errors: &mut Errors) {
    if spec.at("hostUsers").as_bool() != Some(false) {
        return;
    }
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if spec.flag(field) {
            errors.forbidden(&at.child(field), "when `hostUsers` is false");
        }
    }
}

fn resource_claims(claims: &[Value], at: &Path, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, claim) in claims.iter().enumerate() {
        let at = at.index(i);
        match claim.text("name") {
            "" => errors.required(&at.child("name"), ""),
            name if !taken.insert(name) => errors.duplicate(&at.child("name"), name),
            name => errors.all_invalid(&at.child("name"), name, names::dns1123_label(name)),
        }
        let (by_name, by_template) = (claim.has("resourceClaimName"), claim.has("resourceClaimTemplateName"));
        let why = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
        match (by_name, by_template) {
            (false, false) => errors.invalid(&at, claim.clone(), why),
            (true, true) => {
                let why = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
                errors.invalid(&at, claim.clone(), why);
            }
            _ => {}
        }
    }
}

fn named(spec: &Value, field: &str, rule: fn(&str) -> Vec<String>, at: &Path, errors: &mut Errors) {
    let name = spec.text(field);
    if !name.is_empty() {
        errors.all_invalid(&at.child(field), name, rule(name));
    }
}

/// A field that must have one of a few values.
pub fn one_of(object: &Value, field: &str, values: &[&str], at: &Path, errors: &mut Errors) {
    match object.text(field) {
        "" => errors.required(&at.child(field), ""),
        value if !values.contains(&value) => errors.not_supported(&at.child(field), value, values),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(mut spec: Value) -> String {
        crate::kinds::pod_spec::default(&mut spec);
        let mut errors = Errors::default();
        validate(&spec, &Path::new("spec"), &mut errors);
        errors.to_string()
    }

    /// A spec of one container with the given fields.
    fn with(fields: Value) -> Value {
        let mut container = json!({"name": "c", "image": "web"});
        if let (Some(to), Value::Object(from)) = (container.as_object_mut(), fields) {
            to.extend(from);
        }
        json!({"containers": [container]})
    }

    #[test]
    fn words_of_the_reference() {
        assert_eq!(
            said(json!({"containers": [{"name": "A_b", "image": ""}], "restartPolicy": "X"})),
            "[spec.containers[0].name: Invalid value: \"A_b\": a lowercase RFC 1123 label must consist of lower case \
             alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or \
             '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'), spec.containers[0].image: \
             Required value, spec.restartPolicy: Unsupported value: \"X\": supported values: \"Always\", \"OnFailure\", \
             \"Never\"]"
        );
    }

    #[test]
    fn each_rule_has_its_words() {
        let cases = [
            (json!({"containers": []}), "spec.containers: Required value"),
            (
                json!({"containers": [{"name": "c", "image": "a"}, {"name": "c", "image": "a"}]}),
                "spec.containers[1].name: Duplicate value: \"c\"",
            ),
            (
                with(json!({"ports": [{"containerPort": 70000}]})),
                "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
            ),
            (
                with(json!({"ports": [{"containerPort": 80, "protocol": "ICMP"}]})),
                "spec.containers[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
            ),
            (
                with(json!({"ports": [{"name": "a", "containerPort": 80}, {"name": "a", "containerPort": 81}]})),
                "spec.containers[0].ports[1].name: Duplicate value: \"a\"",
            ),
            (
                with(json!({"env": [{"name": "A=B", "value": "x"}]})),
                "spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name must consist \
                 only of printable ASCII characters other than '='",
            ),
            (
                with(
                    json!({"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}),
                ),
                "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
            ),
            (
                with(json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.zzz"}}}]})),
                "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.zzz\": error converting \
                 fieldPath: field label not supported: spec.zzz",
            ),
            (
                with(json!({"envFrom": [{}]})),
                "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`",
            ),
            (
                with(json!({"volumeMounts": [{"name": "v", "mountPath": "/x"}]})),
                "spec.containers[0].volumeMounts[0].name: Not found: \"v\"",
            ),
            (
                with(json!({"resources": {"requests": {"memory": "2Mi"}, "limits": {"memory": "1Mi"}}})),
                "spec.containers[0].resources.requests: Invalid value: \"2Mi\": must be less than or equal to memory limit \
                 of 1Mi",
            ),
            (
                with(json!({"resources": {"limits": {"memory": "-1"}}})),
                "spec.containers[0].resources.limits[memory]: Invalid value: \"-1\": must be greater than or equal to 0",
            ),
            (
                with(json!({"resources": {"limits": {"zzz": "1"}}})),
                "[spec.containers[0].resources.limits[zzz]: Invalid value: \"zzz\": must be a standard resource type or \
                 fully qualified, spec.containers[0].resources.limits[zzz]: Invalid value: \"zzz\": must be a standard \
                 resource for containers]",
            ),
            (
                with(json!({"livenessProbe": {"periodSeconds": 1}})),
                "spec.containers[0].livenessProbe: Required value: must specify a handler type",
            ),
            (
                with(json!({"livenessProbe": {"tcpSocket": {"port": 80}, "successThreshold": 2}})),
                "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
            ),
            (
                with(json!({"readinessProbe": {"httpGet": {"port": 0}, "initialDelaySeconds": -1}})),
                "[spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive, \
                 spec.containers[0].readinessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0]",
            ),
            (
                with(json!({"imagePullPolicy": "Often"})),
                "spec.containers[0].imagePullPolicy: Unsupported value: \"Often\": supported values: \"Always\", \
                 \"IfNotPresent\", \"Never\"",
            ),
            (
                json!({"volumes": [{"name": "v", "emptyDir": {}, "secret": {"secretName": "s"}}],
                    "containers": [{"name": "c", "image": "a"}]}),
                "spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type",
            ),
            (
                json!({"volumes": [{"name": "v", "configMap": {}}], "containers": [{"name": "c", "image": "a"}]}),
                "spec.volumes[0].configMap.name: Required value",
            ),
            (
                json!({"tolerations": [{"operator": "Equal"}], "containers": [{"name": "c", "image": "a"}]}),
                "spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, which \
                 means \"match all values and all keys\"",
            ),
            (
                json!({"tolerations": [{"operator": "Exists", "value": "x", "key": "k"}],
                    "containers": [{"name": "c", "image": "a"}]}),
                "spec.tolerations[0].operator: Invalid value: core.Toleration{Key:\"k\", Operator:\"Exists\", Value:\"x\", \
                 Effect:\"\", TolerationSeconds:(*int64)(nil)}: value must be empty when `operator` is 'Exists'",
            ),
            (
                json!({"activeDeadlineSeconds": 0, "hostname": "a.b", "containers": [{"name": "c", "image": "a"}]}),
                "[spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive, spec.hostname: \
                 Invalid value: \"a.b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
                 '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
                 validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')]",
            ),
        ];
        for (spec, words) in cases {
            assert_eq!(said(spec), words);
        }
        assert!(said(with(json!({}))) == "[]");
    }
}
