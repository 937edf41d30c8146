//! The error at every edge of the control plane: Kubernetes' own `Status`.
//!
//! Whatever goes wrong below the API becomes one of these before it leaves a module, so that the HTTP layer,
//! the controllers and in-process clients all see the same code, reason, message and causes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use serde_json::{Value, json};

use crate::field;

/// A failed request, as Kubernetes words it. Cheap to move; the payload is boxed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.message())]
pub struct Status(Box<meta::Status>);

/// A failure as somebody else has put it.
impl From<meta::Status> for Status {
    fn from(status: meta::Status) -> Self {
        Self(Box::new(status))
    }
}

impl Status {
    /// A failure with an HTTP `code`, a machine-readable `reason` (`NotFound`, `Conflict`, …) and a message for people.
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self(Box::new(meta::Status {
            code: Some(code.into()),
            message: Some(message.into()),
            reason: Some(reason.into()).filter(|r: &String| !r.is_empty()),
            status: Some("Failure".into()),
            ..meta::Status::default()
        }))
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 401: the credentials are wrong.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 403: known, but not allowed. `resource` is `pods` or `deployments.apps`.
    pub fn forbidden(resource: &str, name: &str, why: &str) -> Self {
        let what = if name.is_empty() { format!("{resource} is") } else { format!("{resource} \"{name}\" is") };
        Self::new(403, "Forbidden", format!("{what} forbidden: {why}")).about(resource, name)
    }

    /// 404: no such object. `resource` is `pods` or `deployments.apps`.
    pub fn not_found(resource: &str, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{resource} \"{name}\" not found")).about(resource, name)
    }

    /// 404: no such path or resource. Clients look into the details, so these are there.
    pub fn no_such_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").with_empty_details()
    }

    /// 404: Kubernetes has it, Sampan has not. `what` is `jobs.batch`.
    pub fn not_supported(what: &str) -> Self {
        Self::new(404, "NotFound", format!("{what} is not supported by Sampan")).with_empty_details()
    }

    /// 405: the resource is there, the verb is not.
    pub fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
            .with_empty_details()
    }

    /// 405 of a custom resource. `resource` is `foos.example.com`, the verb the API's: `update`.
    pub fn verb_not_supported(resource: &str, verb: &str) -> Self {
        let words = format!("{verb} is not supported on resources of kind \"{resource}\"");
        Self::new(405, "MethodNotAllowed", words).about(resource, "")
    }

    /// 409: a create of something that is there.
    pub fn already_exists(resource: &str, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{resource} \"{name}\" already exists")).about(resource, name)
    }

    /// 409: a create of something that is on its way out.
    pub fn being_deleted(resource: &str, name: &str) -> Self {
        let words = format!("object is being deleted: {resource} \"{name}\" already exists");
        Self::new(409, "AlreadyExists", words).about(resource, name)
    }

    /// 409: the object changed since it was read.
    pub fn conflict(resource: &str, name: &str, why: &str) -> Self {
        Self::new(409, "Conflict", format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}"))
            .about(resource, name)
    }

    /// 409 with the words of a lost optimistic update.
    pub fn modified(resource: &str, name: &str) -> Self {
        Self::conflict(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 410: the resource version is older than the history that is kept.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 422: the object breaks rules. `kind` is `Pod` or `Deployment.apps`.
    pub fn invalid(kind: &str, name: &str, errors: &field::Errors) -> Self {
        let (short, group) = kind.split_once('.').unwrap_or((kind, ""));
        let mut status = Self::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {errors}"));
        status.0.details = Some(meta::StatusDetails {
            name: Some(name.to_owned()).filter(|n| !n.is_empty()),
            group: Some(group.to_owned()).filter(|g| !g.is_empty()),
            kind: Some(short.to_owned()).filter(|k| !k.is_empty()),
            causes: Some(errors.causes()),
            ..meta::StatusDetails::default()
        });
        status
    }

    /// 422: a patch that does not apply; upstream does not say why.
    pub fn unprocessable() -> Self {
        Self::new(422, "Invalid", "the server rejected our request due to an error in our request").with_empty_details()
    }

    /// 413: the body is over the limit, in bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {limit}"))
    }

    /// 415: a body type that the endpoint does not take.
    pub fn unsupported_media_type(accepted: &[&str]) -> Self {
        Self::new(
            415,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format - accepted media types include: {}",
                accepted.join(", ")
            ),
        )
    }

    /// 500: our fault.
    pub fn internal(message: impl std::fmt::Display) -> Self {
        let mut status = Self::new(500, "InternalError", format!("Internal error occurred: {message}"));
        status.0.details = Some(meta::StatusDetails {
            causes: Some(vec![meta::StatusCause { message: Some(message.to_string()), ..Default::default() }]),
            ..Default::default()
        });
        status
    }

    /// The HTTP status code.
    pub fn code(&self) -> u16 {
        self.0.code.and_then(|c| u16::try_from(c).ok()).unwrap_or(500)
    }

    /// The machine-readable reason, or an empty string.
    pub fn reason(&self) -> &str {
        self.0.reason.as_deref().unwrap_or_default()
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        self.0.message.as_deref().unwrap_or_default()
    }

    /// True for a 404.
    pub fn is_not_found(&self) -> bool {
        self.code() == 404
    }

    /// True for a 409 of any reason.
    pub fn is_conflict(&self) -> bool {
        self.code() == 409
    }

    /// Names the object that the failure is about: `resource` is `pods` or `deployments.apps`.
    #[must_use]
    pub fn about(mut self, resource: &str, name: &str) -> Self {
        let (short, group) = resource.split_once('.').unwrap_or((resource, ""));
        let details = self.0.details.get_or_insert_default();
        details.name = Some(name.to_owned()).filter(|n| !n.is_empty());
        details.group = Some(group.to_owned()).filter(|g| !g.is_empty());
        details.kind = Some(short.to_owned());
        self
    }

    /// The same failure under another code and reason.
    #[must_use]
    pub fn with_code(mut self, code: u16, reason: &str) -> Self {
        self.0.code = Some(code.into());
        self.0.reason = Some(reason.to_owned());
        self
    }

    /// Adds a cause.
    #[must_use]
    pub fn because(mut self, reason: &str, message: impl Into<String>, field: &str) -> Self {
        self.0.details.get_or_insert_default().causes.get_or_insert_default().push(meta::StatusCause {
            reason: Some(reason.to_owned()).filter(|r| !r.is_empty()),
            message: Some(message.into()),
            field: Some(field.to_owned()).filter(|f| !f.is_empty()),
        });
        self
    }

    /// Gives the status `details`, if only empty ones: some answers carry them so.
    #[must_use]
    pub fn with_empty_details(mut self) -> Self {
        self.0.details.get_or_insert_default();
        self
    }

    /// Asks the client to come back after some seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: i32) -> Self {
        self.0.details.get_or_insert_default().retry_after_seconds = Some(seconds);
        self
    }

    /// Hands the client a token with which its list goes on.
    #[must_use]
    pub fn to_continue(mut self, token: String) -> Self {
        self.0.metadata.continue_ = Some(token);
        self
    }

    /// The seconds after which the client should come back, if it was asked to.
    pub fn retry_after_seconds(&self) -> Option<i32> {
        self.0.details.as_ref()?.retry_after_seconds
    }

    /// The object as it is sent, in the order of Kubernetes' struct.
    pub fn object(&self) -> Value {
        let status = &self.0;
        let mut object = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}});
        if let Some(token) = &status.metadata.continue_ {
            object["metadata"]["continue"] = token.as_str().into();
        }
        let mut set = |field: &str, value: Value| match value {
            Value::Null => {}
            value => object[field] = value,
        };
        set("status", status.status.clone().into());
        set("message", status.message.clone().filter(|m| !m.is_empty()).into());
        set("reason", status.reason.clone().into());
        set("details", status.details.as_ref().map(details).into());
        set("code", status.code.into());
        object
    }
}

fn details(details: &meta::StatusDetails) -> Value {
    let mut object = json!({});
    let mut set = |field: &str, value: Value| match value {
        Value::Null => {}
        value => object[field] = value,
    };
    set("name", details.name.clone().into());
    set("group", details.group.clone().into());
    set("kind", details.kind.clone().into());
    set("uid", details.uid.clone().into());
    let causes = details.causes.as_ref().map(|causes| causes.iter().map(cause).collect::<Vec<_>>());
    set("causes", causes.into());
    set("retryAfterSeconds", details.retry_after_seconds.into());
    object
}

fn cause(cause: &meta::StatusCause) -> Value {
    let mut object = json!({});
    for (field, value) in [("reason", &cause.reason), ("message", &cause.message), ("field", &cause.field)] {
        if let Some(value) = value {
            object[field] = value.as_str().into();
        }
    }
    object
}

/// The `Status` that says that something worked: `details` name what it was about.
pub fn success(resource: &str, name: &str, uid: &str) -> Value {
    let (kind, group) = resource.split_once('.').unwrap_or((resource, ""));
    let mut about = json!({"name": name});
    if !group.is_empty() {
        about["group"] = group.into();
    }
    about["kind"] = kind.into();
    about["uid"] = uid.into();
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": about})
}
