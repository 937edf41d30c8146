//! Request bodies: bounded, and decoded from any of the encodings that clients use.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use schema::admit::word;
use schema::decode::{self, Decoded};
use serde_json::Value;

use tokio::time::timeout;

use super::Body;
use crate::registry::{Config, Resource};
use crate::status::Status;

/// The largest request body, in bytes: upstream's limit.
pub const LARGEST: usize = 3 << 20;

/// How long a client may take to send a body.
const PATIENCE: Duration = Duration::from_secs(60);

/// The encodings of objects.
const OBJECTS: &[&str] = &["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/// Refuses a body that is compressed: nothing here takes one apart, and nobody is to find out what it unfolds to.
///
/// # Errors
/// 415.
pub fn check_encoding(headers: &HeaderMap) -> Result<(), Status> {
    let encodings = headers.get_all(CONTENT_ENCODING).iter();
    match encodings.map(|v| String::from_utf8_lossy(v.as_bytes())).find(|v| !matches!(&**v, "" | "identity")) {
        None => Ok(()),
        Some(encoding) => {
            let words =
                format!("the body of the request has the content encoding \"{encoding}\", and none is supported");
            Err(Status::new(415, "UnsupportedMediaType", words))
        }
    }
}

/// Reads a body to its end.
///
/// # Errors
/// 413 beyond the limit, 400 where the client breaks off, 408 where it takes too long.
pub async fn read(body: Body) -> Result<Bytes, Status> {
    let late =
        |_| Status::new(408, "Timeout", format!("the body did not arrive within {} seconds", PATIENCE.as_secs()));
    timeout(PATIENCE, read_all(body)).await.map_err(late)?
}

async fn read_all(mut body: Body) -> Result<Bytes, Status> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Status::bad_request(format!("the body could not be read: {e}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > LARGEST {
            return Err(Status::too_large(LARGEST));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

/// Decodes an object of any kind by its content type (none: JSON).
///
/// # Errors
/// 415 for an encoding that is not one, 400 with the decoder's words.
pub fn decode(content_type: &str, bytes: &[u8]) -> Result<Decoded, Status> {
    let plain = |value| Decoded { value, duplicates: Vec::new() };
    match media_type(content_type) {
        "" | "application/json" => decode::json(bytes).map_err(|e| Status::bad_request(e.to_string())),
        "application/yaml" => decode::yaml(bytes).map_err(|e| Status::bad_request(e.to_string())),
        "application/vnd.kubernetes.protobuf" => {
            decode::protobuf(schema::builtin(), bytes).map(plain).map_err(|e| Status::bad_request(e.to_string()))
        }
        _ => Err(Status::unsupported_media_type(OBJECTS)),
    }
}

/// Decodes an object that must be of the resource's kind; kind and version may be left out.
///
/// # Errors
/// 400 for another kind, and as [`decode`].
pub fn object(resource: &Resource, content_type: &str, bytes: &[u8]) -> Result<Decoded, Status> {
    let mut decoded = match decode(content_type, bytes) {
        Err(unreadable) if unreadable.code() == 400 => {
            return Err(unrecognized(resource, unreadable.message(), bytes));
        }
        decoded => decoded?,
    };
    let Some(object) = decoded.value.as_object_mut() else {
        let why = format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct {{ \
             APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
            word(&decoded.value)
        );
        return Err(unrecognized(resource, &why, bytes));
    };
    let kind = &*resource.row.kind;
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    match (text("apiVersion").as_str(), text("kind").as_str()) {
        ("" | "v1", "") | ("", _) if text("kind").is_empty() || text("kind") == kind => {}
        (version, found) if found != kind && !found.is_empty() => {
            let short = version.rsplit('/').next().unwrap_or(version);
            let group = if resource.row.group.is_empty() { "core" } else { &*resource.row.group };
            return Err(Status::bad_request(format!(
                "{found} in version \"{short}\" cannot be handled as a {kind}: converting ({short}.{found}) to \
                 ({group}.{kind}): unknown conversion"
            )));
        }
        (version, found) if version != resource.api_version && !is_known(version, found, resource) => {
            let short = version.rsplit('/').next().unwrap_or(version);
            return Err(Status::bad_request(format!(
                "{kind} in version \"{short}\" cannot be handled as a {kind}: no kind \"{kind}\" is registered for version \
                 \"{version}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""
            )));
        }
        (version, _) if version != resource.api_version => {
            return Err(Status::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({})",
                resource.api_version
            )));
        }
        _ => {}
    }
    object.insert("apiVersion".to_owned(), resource.api_version.as_str().into());
    object.insert("kind".to_owned(), kind.into());
    Ok(decoded)
}

/// Versions of built-in kinds that are not served any more, and that upstream's server can still read.
const FORMER: &[(&str, &[&str])] = &[
    ("apps/v1beta1", &["ControllerRevision", "Deployment", "StatefulSet"]),
    ("apps/v1beta2", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("extensions/v1beta1", &["DaemonSet", "Deployment", "Ingress", "NetworkPolicy", "ReplicaSet"]),
    ("networking.k8s.io/v1beta1", &["Ingress", "IngressClass", "IPAddress", "ServiceCIDR"]),
    ("batch/v1beta1", &["CronJob"]),
    ("policy/v1beta1", &["PodDisruptionBudget"]),
    ("autoscaling/v2beta1", &["HorizontalPodAutoscaler"]),
    ("autoscaling/v2beta2", &["HorizontalPodAutoscaler"]),
    ("rbac.authorization.k8s.io/v1beta1", &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]),
    ("storage.k8s.io/v1beta1", &["CSIDriver", "CSINode", "CSIStorageCapacity", "StorageClass", "VolumeAttachment"]),
    ("coordination.k8s.io/v1beta1", &["Lease"]),
    ("discovery.k8s.io/v1beta1", &["EndpointSlice"]),
    ("events.k8s.io/v1beta1", &["Event"]),
];

/// Whether upstream's server can read this version of a kind, if only to say that it is the wrong one.
fn is_known(version: &str, kind: &str, resource: &Resource) -> bool {
    let former = FORMER.iter().any(|(at, kinds)| *at == version && kinds.contains(&kind));
    let (group, number) = version.split_once('/').unwrap_or(("", version));
    former || resource.is_custom() || schema::builtin().kind(group, number, kind).is_some()
}

/// A body that is no object: what is wrong, and how it begins.
fn unrecognized(resource: &Resource, why: &str, bytes: &[u8]) -> Status {
    let kind = &resource.row.kind;
    let shown = summary(bytes);
    Status::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {why} ({shown})"))
}

/// The first bytes of a body, as upstream shows them: text where it may be JSON, else hexadecimal.
fn summary(bytes: &[u8]) -> String {
    const SHOWN: usize = 30;
    let first = &bytes[..bytes.len().min(SHOWN)];
    let more = if bytes.len() > SHOWN { " ..." } else { "" };
    match first.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(first)),
        Some(_) => format!("{}{more}", first.iter().map(|b| format!("{b:02x}")).collect::<String>()),
    }
}

/// Decodes a configuration to apply.
///
/// # Errors
/// 400 with the decoder's words.
pub fn config(bytes: &[u8]) -> Result<Config, Status> {
    let bad = |why: &dyn std::fmt::Display| Status::bad_request(format!("error decoding YAML: {why}"));
    let Decoded { value, duplicates } = decode::yaml(bytes).map_err(|e| bad(&e))?;
    if !value.is_object() && !value.is_null() {
        let found = word(&value);
        return Err(bad(&format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type \
             map[string]interface {{}}"
        )));
    }
    Ok(Config { object: value, duplicates })
}

/// The media type of a `Content-Type`, without its parameters.
pub fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}
