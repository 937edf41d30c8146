//! Reviews: who am I, and what may I do? A question that is posted, answered and forgotten.

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::asked::Asked;
use super::{Body, body, respond};
use crate::auth::{Attributes, Authorizer, Caller};
use crate::field::{Errors, Path};
use crate::kinds::Look;
use crate::status::Status;

/// POST of a question.
///
/// # Errors
/// What the decoder says, and what the question lacks.
pub async fn create(asked: Asked<'_>, authorizer: &Authorizer, body: Body) -> Result<Response<Body>, Status> {
    let Asked { target, caller, form, .. } = asked;
    let resource = &target.resource;
    let mut review = body::object(resource, asked.content_type(), &body::read(body).await?)?.value;
    let conform = |review: &mut Value| {
        let (kind, version) = (&resource.row.kind, &resource.row.version);
        resource.conform(review).map(drop).map_err(|why| {
            Status::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
        })
    };
    conform(&mut review)?;
    let status = match resource.row.kind.as_str() {
        "SelfSubjectReview" => json!({"userInfo": user(caller)}),
        "SelfSubjectAccessReview" => json!({"allowed": authorizer.decide(caller, &wanted(&review)?).is_allowed()}),
        _ => rules(authorizer, caller, &review)?,
    };
    review["status"] = status;
    conform(&mut review)?;
    Ok(respond::value(StatusCode::CREATED, form, &review))
}

fn user(caller: &Caller) -> Value {
    let extra: Map<String, Value> = caller.extra.iter().map(|(name, values)| (name.clone(), json!(values))).collect();
    json!({"username": caller.user, "uid": caller.uid, "groups": caller.groups, "extra": extra})
}

/// What a SelfSubjectAccessReview asks about.
fn wanted(review: &Value) -> Result<Attributes, Status> {
    let text = |field: &str| review.text(field).to_owned();
    match (review.has("spec.resourceAttributes"), review.has("spec.nonResourceAttributes")) {
        (true, false) => Ok(Attributes::Resource {
            verb: text("spec.resourceAttributes.verb"),
            group: text("spec.resourceAttributes.group"),
            resource: text("spec.resourceAttributes.resource"),
            subresource: text("spec.resourceAttributes.subresource"),
            namespace: text("spec.resourceAttributes.namespace"),
            name: text("spec.resourceAttributes.name"),
        }),
        (false, true) => Ok(Attributes::Path {
            verb: text("spec.nonResourceAttributes.verb"),
            path: text("spec.nonResourceAttributes.path"),
        }),
        (both, _) => {
            let mut errors = Errors::default();
            let (field, why) = match both {
                true => ("nonResourceAttributes", "cannot be specified in combination with resourceAttributes"),
                false => (
                    "resourceAttributes",
                    "exactly one of nonResourceAttributes or resourceAttributes must be specified",
                ),
            };
            errors.invalid(&Path::new("spec").child(field), review.at("spec").at(field).clone(), why);
            Err(Status::invalid("SelfSubjectAccessReview.authorization.k8s.io", "", &errors))
        }
    }
}

/// All that the caller may do in a namespace. There is one rule: who is known may do everything.
fn rules(authorizer: &Authorizer, caller: &Caller, review: &Value) -> Result<Value, Status> {
    if review.text("spec.namespace").is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let all = Attributes::Path { verb: "*".to_owned(), path: "*".to_owned() };
    let (resources, paths) = match authorizer.decide(caller, &all).is_allowed() {
        true => (
            json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]),
            json!([{"verbs": ["*"], "nonResourceURLs": ["*"]}]),
        ),
        false => (json!([]), json!([])),
    };
    Ok(json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false}))
}
