//! `/v2/`: the registry of images that the node has. Who may is decided here, as for every other path; what is there the
//! node says.
//!
//! Docker's clients show a user and a password: any user, with a token of this API as the password.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use serde_json::json;

use super::{Body, respond};
use crate::auth::Caller;
use crate::status::Status;

/// Answers what is asked of the registry; none while there is no node.
pub type ImageRegistry = Arc<dyn Fn(Request<Body>) -> Option<BoxFuture<'static, Response<Body>>> + Send + Sync>;

/// True for the registry's paths.
pub fn is_registry(path: &str) -> bool {
    path == "/v2" || path.starts_with("/v2/")
}

/// Asks the node.
pub async fn answer(registry: Option<&ImageRegistry>, request: Request<Body>) -> Response<Body> {
    match registry.and_then(|registry| registry(request)) {
        Some(answer) => answer.await,
        None => failure(StatusCode::NOT_FOUND, "UNSUPPORTED", "no node of this server keeps images"),
    }
}

/// A refusal as registries have it. Who has shown no credentials is asked for them: clients come without at first.
pub fn refusal(status: &Status, caller: &Caller) -> Response<Body> {
    let stranger = status.code() == 401 || caller.is_anonymous();
    if !stranger {
        return failure(StatusCode::FORBIDDEN, "DENIED", status.message());
    }
    let mut response = failure(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"sampan\""));
    response
}

fn failure(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let errors = json!({"errors": [{"code": code, "message": message}]});
    let mut response = Response::new(respond::full(errors.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let version = HeaderName::from_static("docker-distribution-api-version");
    headers.insert(version, HeaderValue::from_static("registry/2.0"));
    response
}
