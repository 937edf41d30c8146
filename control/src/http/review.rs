//! Reviews: who is that, and what may he do? A question that is posted, answered and forgotten.

mod access;
mod token;

use http::{Response, StatusCode};
use objects::time;
use serde_json::{Map, Value, json};

use super::asked::Asked;
use super::{Body, body, respond};
use crate::auth::{Authenticator, Authorizer, Caller, Rule};
use crate::kinds::{Change as _, Look as _};
use crate::status::Status;

/// POST of a question.
///
/// # Errors
/// What the decoder says, and what the question lacks.
pub async fn create(asked: Asked<'_>, authenticator: &Authenticator, body: Body) -> Result<Response<Body>, Status> {
    let Asked { target, caller, form, .. } = asked;
    let authorizer = asked.registry.authorizer();
    let resource = &target.resource;
    let mut review = body::object(resource, asked.content_type(), &body::read(body).await?)?.value;
    let conform = |review: &mut Value| {
        let (kind, version) = (&resource.row.kind, &resource.row.version);
        resource.conform(review).map(drop).map_err(|why| {
            Status::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
        })
    };
    conform(&mut review)?;
    place(&mut review, &target.namespace)?;
    if resource.row.kind != "SelfSubjectRulesReview" {
        asked.registry.account_for(resource, &mut review, &asked.write_options("CreateOptions")?);
    }
    let status = match resource.row.kind.as_str() {
        "SelfSubjectReview" => of_caller(caller, &mut review),
        "SelfSubjectAccessReview" => access::of_self(authorizer, caller, &review)?,
        "SubjectAccessReview" => access::of_subject(authorizer, &review)?,
        "LocalSubjectAccessReview" => access::of_local_subject(authorizer, &review)?,
        "TokenReview" => token::answer(authenticator, &review)?,
        "SelfSubjectRulesReview" => rules(authorizer, caller, &mut review)?,
        other => return Err(Status::internal(format!("nobody answers a {other}"))),
    };
    review["status"] = status;
    conform(&mut review)?;
    Ok(respond::value(StatusCode::CREATED, form, &review))
}

/// Puts the question into the namespace of its path.
fn place(review: &mut Value, namespace: &str) -> Result<(), Status> {
    match review.text("metadata.namespace") {
        own if own == namespace => Ok(()),
        "" => {
            review.set("metadata", "namespace", namespace);
            Ok(())
        }
        _ => Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
    }
}

/// Who is asking. The answer is new, and keeps nothing of the question.
fn of_caller(caller: &Caller, review: &mut Value) -> Value {
    review.set("", "metadata", json!({"creationTimestamp": time::text(&time::now())}));
    json!({"userInfo": user(caller)})
}

fn user(caller: &Caller) -> Value {
    let extra: Map<String, Value> = caller.extra.iter().map(|(name, values)| (name.clone(), json!(values))).collect();
    let mut user = json!({"username": caller.user});
    let mut set = |field: &str, value: Value, there: bool| {
        if there {
            user[field] = value;
        }
    };
    set("uid", json!(caller.uid), !caller.uid.is_empty());
    set("groups", json!(caller.groups), !caller.groups.is_empty());
    set("extra", extra.into(), !caller.extra.is_empty());
    user
}

/// All that the caller may do in a namespace. The answer does not repeat the question.
fn rules(authorizer: &Authorizer, caller: &Caller, review: &mut Value) -> Result<Value, Status> {
    let namespace = review.text("spec.namespace").to_owned();
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    review.set("", "metadata", json!({}));
    review.set("", "spec", json!({}));
    let all = authorizer.allowance(caller, &namespace);
    let of = |keep: fn(&Rule) -> bool| all.rules.iter().filter(|r| keep(r)).map(Rule::object).collect::<Vec<_>>();
    let (resources, paths) = (of(|rule| !rule.resources.is_empty()), of(|rule| !rule.non_resource_urls.is_empty()));
    let mut status = json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": all.incomplete});
    if let Some(error) = all.error {
        status.set("", "evaluationError", error);
    }
    Ok(status)
}
