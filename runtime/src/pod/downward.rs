//! The downward API: what a pod may know about itself.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, ResourceFieldSelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use objects::quantity::Quantity;

use super::given::Given;

/// A field that cannot be had.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Not one of the fields that the downward API has.
    #[error("unsupported fieldPath: {0}")]
    Field(String),
    /// Not a resource of a container.
    #[error("unsupported container resource : {0}")]
    Resource(String),
    /// The volume names a container that the pod does not have.
    #[error("container {0:?} not found")]
    Container(String),
}

/// The value of a `fieldRef`.
pub fn field(pod: &Pod, given: &Given, path: &str) -> Result<String, Error> {
    let meta = &pod.metadata;
    let spec = pod.spec.as_ref();
    if let Some((map, key)) = subscript(path) {
        let map = match map {
            "metadata.labels" => meta.labels.as_ref(),
            "metadata.annotations" => meta.annotations.as_ref(),
            _ => return Err(Error::Field(path.to_owned())),
        };
        return Ok(map.and_then(|map| map.get(key)).cloned().unwrap_or_default());
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Ok(match path {
        "metadata.name" => text(&meta.name),
        "metadata.namespace" => text(&meta.namespace),
        "metadata.uid" => text(&meta.uid),
        "metadata.labels" => lines(meta.labels.as_ref()),
        "metadata.annotations" => lines(meta.annotations.as_ref()),
        "spec.nodeName" => spec.map(|spec| text(&spec.node_name)).unwrap_or_default(),
        "spec.serviceAccountName" => spec.map(|spec| text(&spec.service_account_name)).unwrap_or_default(),
        "status.hostIP" | "status.hostIPs" => given.host_ip.to_string(),
        "status.podIP" | "status.podIPs" => given.pod_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        _ => return Err(Error::Field(path.to_owned())),
    })
}

/// The value of a `resourceFieldRef`. A limit that is not set is all the node has.
pub fn resource(container: &Container, given: &Given, selector: &ResourceFieldSelector) -> Result<String, Error> {
    let unknown = || Error::Resource(selector.resource.clone());
    let (side, name) = selector.resource.split_once('.').ok_or_else(unknown)?;
    let resources = container.resources.as_ref();
    let limits = resources.and_then(|resources| resources.limits.as_ref());
    let find = |map: Option<&BTreeMap<String, Text>>| map.and_then(|map| map.get(name)).map(Quantity::lenient);
    let amount = match side {
        "limits" => find(limits).or_else(|| find(Some(&given.allocatable))),
        "requests" => find(resources.and_then(|resources| resources.requests.as_ref())),
        _ => return Err(unknown()),
    };
    if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !name.starts_with("hugepages-") {
        return Err(unknown());
    }
    // Thousandths on both sides, so that a divisor of `1m` is exact; rounded up, as Kubernetes does.
    let amount = amount.map_or(0, Quantity::milli);
    let divisor = selector.divisor.as_ref().map_or(0, |divisor| Quantity::lenient(divisor).milli());
    let divisor = if divisor <= 0 { 1000 } else { divisor };
    Ok((amount / divisor + i64::from(amount % divisor > 0)).to_string())
}

/// `metadata.labels['app']` → (`metadata.labels`, `app`).
fn subscript(path: &str) -> Option<(&str, &str)> {
    let (map, key) = path.strip_suffix("']")?.split_once("['")?;
    Some((map, key))
}

/// `key="value"` lines with Go's quoting of the value.
fn lines(map: Option<&BTreeMap<String, String>>) -> String {
    let lines: Vec<_> = map.into_iter().flatten().map(|(key, value)| format!("{key}={}", quote(value))).collect();
    lines.join("\n")
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() && u32::from(c) < 0x80 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn fields_of_the_pod() {
        let pod: Pod = from_value(json!({
            "metadata": {"name": "web-0", "namespace": "dev", "labels": {"app": "web", "quote": "a\"b"}},
            "spec": {"nodeName": "pi", "containers": []},
        }))
        .expect("pod");
        let given = Given::for_tests();
        let cases = [
            ("metadata.name", "web-0"),
            ("metadata.labels['app']", "web"),
            ("metadata.annotations['none']", ""),
            ("metadata.labels", "app=\"web\"\nquote=\"a\\\"b\""),
            ("spec.nodeName", "pi"),
            ("status.podIP", "10.42.0.7"),
            ("status.hostIP", "192.0.2.1"),
        ];
        for (path, value) in cases {
            assert_eq!(field(&pod, &given, path).as_deref(), Ok(value), "{path}");
        }
        assert!(field(&pod, &given, "status.phase").is_err());
    }

    #[test]
    fn resources_are_divided_and_rounded_up() {
        let container: Container = from_value(json!({
            "name": "c", "resources": {"limits": {"memory": "100Mi"}, "requests": {"cpu": "250m"}},
        }))
        .expect("container");
        let given = Given::for_tests();
        let value = |selector| resource(&container, &given, &from_value(selector).expect("selector")).expect("value");
        assert_eq!(value(json!({"resource": "limits.memory"})), "104857600");
        assert_eq!(value(json!({"resource": "limits.memory", "divisor": "1Mi"})), "100");
        assert_eq!(value(json!({"resource": "requests.cpu"})), "1");
        assert_eq!(value(json!({"resource": "requests.cpu", "divisor": "1m"})), "250");
        assert_eq!(value(json!({"resource": "limits.cpu"})), "4", "the node's");
        assert_eq!(value(json!({"resource": "requests.memory"})), "0");
    }
}
