//! Defaults that depend on other fields of the same struct, a function a type.

use serde_json::{Map, Value, json};

use super::Rule;

type Object = Map<String, Value>;

/// The rule of a type, if it has one.
pub(crate) fn rule(name: &str) -> Option<Rule> {
    let rule: Rule = match name.strip_prefix("io.k8s.")? {
        "api.core.v1.Container" | "api.core.v1.EphemeralContainer" => container,
        "api.core.v1.ImageVolumeSource" => image_volume,
        "api.core.v1.Volume" => volume,
        "api.core.v1.Pod" => pod,
        "api.core.v1.ServicePort" => service_port,
        "api.core.v1.ServiceSpec" => service,
        "api.core.v1.LimitRangeItem" => limit_range_item,
        "api.apps.v1.DeploymentStrategy"
        | "api.apps.v1.StatefulSetUpdateStrategy"
        | "api.apps.v1.DaemonSetUpdateStrategy" => rolling_update,
        "api.apps.v1.StatefulSetSpec" => stateful_set,
        "api.batch.v1.Job" => job,
        "api.autoscaling.v2.HorizontalPodAutoscalerSpec" => autoscaler,
        "api.networking.v1.NetworkPolicySpec" => network_policy,
        "api.rbac.v1.Subject" => subject,
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames" => definition_names,
        _ => return None,
    };
    Some(rule)
}

fn text<'a>(map: &'a Object, field: &str) -> &'a str {
    map.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn absent(map: &Object, field: &str) -> bool {
    match map.get(field) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(_) => false,
    }
}

fn set(map: &mut Object, field: &str, value: impl Into<Value>) {
    if absent(map, field) {
        map.insert(field.to_owned(), value.into());
    }
}

fn container(container: &mut Object) {
    let policy = pull_policy(text(container, "image"));
    set(container, "imagePullPolicy", policy);
}

fn image_volume(volume: &mut Object) {
    let policy = pull_policy(text(volume, "reference"));
    set(volume, "pullPolicy", policy);
}

/// Images that may change under their name are pulled always: tag `latest`, or neither tag nor digest.
fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let tag = name.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    match (tag, digest) {
        (Some("latest"), _) | (None, None) => "Always",
        _ => "IfNotPresent",
    }
}

/// A volume of no kind is an empty directory.
fn volume(volume: &mut Object) {
    if !volume.keys().any(|key| key != "name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
}

/// What a pod has and a template has not: service links, and requests taken from limits.
fn pod(pod: &mut Object) {
    let Some(Value::Object(spec)) = pod.get_mut("spec") else { return };
    set(spec, "enableServiceLinks", true);
    crate::default::reorder(spec, "io.k8s.api.core.v1.PodSpec");
    for list in ["initContainers", "containers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            requests_from_limits(container);
        }
    }
}

fn requests_from_limits(container: &mut Value) {
    let Some(Value::Object(resources)) = container.get_mut("resources") else { return };
    let Some(Value::Object(limits)) = resources.get("limits") else { return };
    let limits = limits.clone();
    if absent(resources, "requests") {
        resources.insert("requests".to_owned(), json!({}));
    }
    let Some(Value::Object(requests)) = resources.get_mut("requests") else { return };
    for (name, limit) in limits {
        requests.entry(name).or_insert(limit);
    }
    let mut sorted: Vec<_> = std::mem::take(requests).into_iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    requests.extend(sorted);
    crate::default::reorder(resources, "io.k8s.api.core.v1.ResourceRequirements");
}

fn service_port(port: &mut Object) {
    let unset = matches!(port.get("targetPort"), None | Some(Value::Null))
        || port["targetPort"].as_i64() == Some(0)
        || port["targetPort"].as_str() == Some("");
    if let (true, Some(number)) = (unset, port.get("port").cloned()) {
        port.insert("targetPort".to_owned(), number);
    }
}

fn service(spec: &mut Object) {
    if text(spec, "sessionAffinity") == "ClientIP" && absent(spec, "sessionAffinityConfig") {
        spec.insert("sessionAffinityConfig".to_owned(), json!({"clientIP": {"timeoutSeconds": 10800}}));
    }
    let kind = text(spec, "type").to_owned();
    let outside = matches!(&*kind, "NodePort" | "LoadBalancer");
    if outside || kind == "ClusterIP" && !absent(spec, "externalIPs") {
        set(spec, "externalTrafficPolicy", "Cluster");
    }
    if outside || kind == "ClusterIP" {
        set(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", true);
    }
}

/// For containers, the default limit is the maximum, and the default request the default limit or else the minimum.
fn limit_range_item(item: &mut Object) {
    if text(item, "type") != "Container" {
        return;
    }
    for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
        let Some(Value::Object(from)) = item.get(from).cloned() else { continue };
        if !item.get(to).is_some_and(Value::is_object) {
            item.insert(to.to_owned(), json!({}));
        }
        let Some(Value::Object(to)) = item.get_mut(to) else { continue };
        for (name, amount) in from {
            to.entry(name).or_insert(amount);
        }
        let mut sorted: Vec<_> = std::mem::take(to).into_iter().collect();
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        to.extend(sorted);
    }
}

fn rolling_update(strategy: &mut Object) {
    if text(strategy, "type") == "RollingUpdate" {
        set(strategy, "rollingUpdate", json!({}));
    }
}

/// Claim templates are whole objects and say so.
fn stateful_set(spec: &mut Object) {
    for claim in spec.get_mut("volumeClaimTemplates").and_then(Value::as_array_mut).into_iter().flatten() {
        let Value::Object(claim) = claim else { continue };
        set(claim, "kind", "PersistentVolumeClaim");
        set(claim, "apiVersion", "v1");
        crate::default::reorder(claim, "io.k8s.api.core.v1.PersistentVolumeClaim");
    }
}

/// A job has these; the job template of a cron job has not.
fn job(job: &mut Object) {
    let Some(Value::Object(spec)) = job.get_mut("spec") else { return };
    if absent(spec, "completions") && absent(spec, "parallelism") {
        set(spec, "completions", 1);
    }
    set(spec, "parallelism", 1);
    let unlimited = !absent(spec, "backoffLimitPerIndex");
    set(spec, "backoffLimit", if unlimited { i32::MAX } else { 6 });
    set(spec, "completionMode", "NonIndexed");
    set(spec, "suspend", false);
    set(spec, "manualSelector", false);
    let failed = !absent(spec, "podFailurePolicy");
    set(spec, "podReplacementPolicy", if failed { "Failed" } else { "TerminatingOrFailed" });
    crate::default::reorder(spec, "io.k8s.api.batch.v1.JobSpec");
}

fn autoscaler(spec: &mut Object) {
    let cpu = json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]);
    set(spec, "metrics", cpu);
    let Some(Value::Object(behavior)) = spec.get_mut("behavior") else { return };
    let up = json!({"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}]});
    let down = json!({"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]});
    for (name, defaults) in [("scaleUp", up), ("scaleDown", down)] {
        if absent(behavior, name) {
            behavior.insert(name.to_owned(), json!({}));
        }
        let (Some(Value::Object(rules)), Value::Object(defaults)) = (behavior.get_mut(name), defaults) else {
            continue;
        };
        defaults.into_iter().for_each(|(field, value)| set(rules, &field, value));
        crate::default::reorder(rules, "io.k8s.api.autoscaling.v2.HPAScalingRules");
    }
    crate::default::reorder(behavior, "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior");
}

fn network_policy(spec: &mut Object) {
    let egress = if absent(spec, "egress") { json!(["Ingress"]) } else { json!(["Ingress", "Egress"]) };
    set(spec, "policyTypes", egress);
}

fn subject(subject: &mut Object) {
    if matches!(text(subject, "kind"), "User" | "Group") {
        set(subject, "apiGroup", "rbac.authorization.k8s.io");
    }
}

fn definition_names(names: &mut Object) {
    let kind = text(names, "kind").to_owned();
    if !kind.is_empty() {
        set(names, "singular", kind.to_lowercase());
        set(names, "listKind", format!("{kind}List"));
    }
}
