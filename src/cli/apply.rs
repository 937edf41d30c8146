//! Applying the objects of `sampan run`: create what is not there, patch what is. As strict as `kubectl apply`: a
//! misspelt field is an error, and what the server warns of is said.

use anyhow::{Context as _, anyhow, bail};
use http::header::{CONTENT_TYPE, WARNING};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::api::DynamicObject;
use kube::client::Body;
use kube::core::GroupVersionKind;
use kube::core::response::Status;
use kube::discovery::{Scope, pinned_kind};
use kube::{Client, Resource as _, ResourceExt as _};
use serde_json::Value;

/// An object as the server has it, and what to call it.
pub struct Applied {
    /// The object.
    pub object: DynamicObject,
    /// `deployment.apps/web`.
    pub title: String,
}

/// Applies one object.
pub async fn apply(client: &Client, manifest: &Value) -> anyhow::Result<Applied> {
    let object: DynamicObject = serde_json::from_value(manifest.clone()).context("an object without metadata")?;
    let types = object.types.clone().unwrap_or_default();
    let kind = GroupVersionKind::try_from(&types)?;
    let (resource, capabilities) = pinned_kind(client, &kind).await.map_err(|error| match error {
        kube::Error::Api(_) | kube::Error::Discovery(_) => {
            anyhow!("there is no kind {} in {}", types.kind, types.api_version)
        }
        other => other.into(),
    })?;
    let name = object.name_any();
    let title = match resource.group.as_str() {
        "" => format!("{}/{name}", resource.kind.to_lowercase()),
        group => format!("{}.{group}/{name}", resource.kind.to_lowercase()),
    };
    let namespace = match capabilities.scope {
        Scope::Namespaced => Some(object.namespace().unwrap_or_else(|| "default".to_owned())),
        Scope::Cluster => None,
    };
    let collection = DynamicObject::url_path(&resource, namespace.as_deref());
    let body = serde_json::to_vec(manifest)?;
    let create = send(client, Method::POST, &collection, "application/json", body.clone()).await;
    let answer = match create.with_context(|| title.clone())? {
        Answer::Refused(status) if status.reason == "AlreadyExists" => {
            let one = format!("{collection}/{name}");
            send(client, Method::PATCH, &one, "application/merge-patch+json", body)
                .await
                .with_context(|| title.clone())?
        }
        answer => answer,
    };
    match answer {
        Answer::Object(object) => Ok(Applied { object: *object, title }),
        Answer::Refused(status) => bail!("{title}: {}", status.message),
    }
}

/// What the server makes of a manifest.
enum Answer {
    Object(Box<DynamicObject>),
    Refused(Box<Status>),
}

/// One request by hand: kube's own would hide the warnings, and ask for no strictness.
async fn send(client: &Client, method: Method, path: &str, format: &str, body: Vec<u8>) -> anyhow::Result<Answer> {
    let request = Request::builder().method(method).uri(format!("{path}?fieldValidation=Strict"));
    let request = request.header(CONTENT_TYPE, format).body(Body::from(body))?;
    let (head, body) = client.send(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    warnings(&head.headers).for_each(|warning| eprintln!("Warning: {warning}"));
    match head.status {
        StatusCode::OK | StatusCode::CREATED => Ok(Answer::Object(serde_json::from_slice(&body)?)),
        _ => Ok(Answer::Refused(serde_json::from_slice(&body)?)),
    }
}

/// The texts of `299 - "text"` headers.
fn warnings(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let values = headers.get_all(WARNING).into_iter().filter_map(|value| value.to_str().ok());
    values.map(|value| {
        let text = value.strip_prefix("299 - ").unwrap_or(value);
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        text.replace("\\\"", "\"").replace("\\\\", "\\")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_read_from_their_headers() {
        let mut headers = HeaderMap::new();
        headers.append(WARNING, r#"299 - "unknown field \"spec.x\"""#.parse().expect("value"));
        headers.append(WARNING, r#"299 - "spec.os: ignored""#.parse().expect("value"));
        let said: Vec<_> = warnings(&headers).collect();
        assert_eq!(said, [r#"unknown field "spec.x""#, "spec.os: ignored"]);
    }
}
