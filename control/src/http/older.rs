//! Other versions of a kind: one shape is stored, the others are translated here, at the edge.
//!
//! Only whole objects are translated. A patch is applied to the stored shape, and a watch shows it.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{Body, body, respond};
use crate::kinds::horizontalpodautoscalers as hpa;
use crate::registry::Resource;
use crate::status::Status;

/// How one version relates to the stored one.
#[derive(Clone, Copy)]
pub struct Translation {
    /// The version that is stored.
    pub stored: &'static str,
    into_stored: fn(Value) -> Value,
    from_stored: fn(Value) -> Value,
}

/// The translation for a version that is not the stored one.
pub fn translation(resource: &Resource) -> Option<Translation> {
    match (&*resource.row.group, &*resource.row.version, &*resource.row.resource) {
        ("autoscaling", "v1", "horizontalpodautoscalers") => {
            Some(Translation { stored: "v2", into_stored: hpa::from_v1, from_stored: hpa::to_v1 })
        }
        _ => None,
    }
}

impl Translation {
    /// A request for the stored version: the body of a create or update is translated, others pass.
    ///
    /// # Errors
    /// As [`body::object`].
    pub async fn request(self, resource: &Resource, head: &mut Parts, sent: Body) -> Result<Body, Status> {
        if !matches!(head.method, Method::POST | Method::PUT) {
            return Ok(sent);
        }
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let decoded = body::object(resource, content_type, &body::read(sent).await?)?;
        let translated = (self.into_stored)(decoded.value).to_string();
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        head.headers.remove(CONTENT_LENGTH);
        Ok(respond::full(translated))
    }

    /// The answer in the version that was asked for. Tables, watches and what is not JSON pass.
    ///
    /// # Errors
    /// 500 where our own answer cannot be read.
    pub async fn response(self, resource: &Resource, response: Response<Body>) -> Result<Response<Body>, Status> {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.map_err(Status::internal)?.to_bytes();
        let translated = match serde_json::from_slice::<Value>(&bytes) {
            Ok(answer) => Bytes::from(self.answer(resource, answer).to_string()),
            Err(_) => bytes,
        };
        Ok(Response::from_parts(head, respond::full(translated)))
    }

    fn answer(self, resource: &Resource, mut answer: Value) -> Value {
        let kind = answer.get("kind").and_then(Value::as_str).unwrap_or_default();
        if kind == resource.row.kind {
            return (self.from_stored)(answer);
        }
        if kind.strip_suffix("List") == Some(resource.row.kind.as_str()) {
            answer["apiVersion"] = resource.api_version.as_str().into();
            for item in answer.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
                *item = (self.from_stored)(item.take());
                if let Some(fields) = item.as_object_mut() {
                    fields.shift_remove("apiVersion");
                }
            }
        }
        answer
    }
}
