//! POST of `serviceaccounts/NAME/token`: a token for an account, bound to what it is to end with (KEP-1205).

use http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::asked::Asked;
use super::{Body, body, respond};
use crate::admission::{Operation, Review};
use crate::auth::{Bound, Grant, ServiceAccounts};
use crate::field::{Errors, Path};
use crate::kinds::Look;
use crate::registry::Registry;
use crate::status::Status;
use crate::store::Key;

/// A token lives at least so many seconds.
const SHORTEST: i64 = 10 * 60;
/// And at most so many.
const LONGEST: i64 = 1 << 32;

/// What a token can be bound to: API version, kind, resource.
const KINDS: [(&str, &str, &str); 3] = [("v1", "Pod", "pods"), ("v1", "Secret", "secrets"), ("v1", "Node", "nodes")];

/// Signs a token as it is asked for.
///
/// # Errors
/// 404 for the account or for what the token is to be bound to, 409 where that has another uid, 422 for a request that
/// makes no sense.
pub async fn create(asked: Asked<'_>, accounts: &ServiceAccounts, body: Body) -> Result<Response<Body>, Status> {
    let Asked { registry, target, .. } = asked;
    let account = registry.get(target)?.value();
    let mut request = request(asked, body).await?;
    fill(&mut request, target.namespace.as_ref(), &target.name, accounts);
    validate(&request)?;
    let options = asked.write_options("CreateOptions")?;
    let review = Review { operation: Operation::Create, target, subresource: "token", old: None, options: &options };
    registry.admit(&review, &mut request).await?;
    let (now, seconds) = (Timestamp::now().as_second(), request.at("spec.expirationSeconds").as_i64().unwrap_or(3600));
    let mut grant = Grant {
        namespace: &target.namespace,
        account: Bound { name: target.name.to_string(), uid: account.text("metadata.uid").to_owned() },
        audiences: request.items("spec.audiences").iter().filter_map(|a| a.as_str().map(str::to_owned)).collect(),
        seconds,
        pod: None,
        secret: None,
        node: None,
    };
    bind(&mut grant, registry, &request)?;
    let token = accounts.issue(grant, now).map_err(Status::internal)?;
    let end = Timestamp::from_second(now + seconds).map(|t| t.to_string()).unwrap_or_default();
    request["status"] = json!({"token": token, "expirationTimestamp": end});
    conform(&mut request)?;
    Ok(respond::value(StatusCode::CREATED, asked.form, &request))
}

/// The body as a TokenRequest.
async fn request(asked: Asked<'_>, body: Body) -> Result<Value, Status> {
    let mut request = body::decode(asked.content_type(), &body::read(body).await?)?.value;
    let kind = request.text("kind");
    if !matches!(kind, "" | "TokenRequest") {
        return Err(Status::bad_request(format!("the body is a {kind}, not a TokenRequest")));
    }
    conform(&mut request)?;
    if let Some(ty) = schema::builtin().kind("authentication.k8s.io", "v1", "TokenRequest") {
        schema::default::apply(ty, &mut request);
    }
    Ok(request)
}

fn conform(request: &mut Value) -> Result<(), Status> {
    request["kind"] = "TokenRequest".into();
    request["apiVersion"] = "authentication.k8s.io/v1".into();
    let Some(ty) = schema::builtin().kind("authentication.k8s.io", "v1", "TokenRequest") else { return Ok(()) };
    schema::admit::conform(ty, request).map(drop).map_err(|why| {
        Status::bad_request(format!("TokenRequest in version \"v1\" cannot be handled as a TokenRequest: {why}"))
    })
}

/// What upstream fills in: whose token it is, and for whom where nobody is named.
fn fill(request: &mut Value, namespace: &str, name: &str, accounts: &ServiceAccounts) {
    request["metadata"] = json!({
        "name": name,
        "namespace": namespace,
        "creationTimestamp": objects::time::text(&objects::time::now()),
    });
    if request.items("spec.audiences").is_empty() {
        request["spec"]["audiences"] = json!(accounts.audiences());
    }
}

fn validate(request: &Value) -> Result<(), Status> {
    let mut errors = Errors::default();
    let at = Path::new("spec").child("expirationSeconds");
    let seconds = request.at("spec.expirationSeconds").as_i64().unwrap_or(3600);
    if seconds < SHORTEST {
        errors.invalid(&at, seconds, "may not specify a duration less than 10 minutes");
    }
    if seconds > LONGEST {
        errors.invalid(&at, seconds, "may not specify a duration larger than 2^32 seconds");
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Status::invalid("TokenRequest.authentication.k8s.io", "", &errors))
}

/// Binds the token to the object that the request names.
fn bind(grant: &mut Grant<'_>, registry: &Registry, request: &Value) -> Result<(), Status> {
    if !request.has("spec.boundObjectRef") {
        return Ok(());
    }
    let wanted = request.at("spec.boundObjectRef");
    let known =
        KINDS.iter().find(|(version, kind, _)| wanted.text("apiVersion") == *version && wanted.text("kind") == *kind);
    let Some((_, _, resource)) = known else {
        let (version, kind) = (wanted.text("apiVersion"), wanted.text("kind"));
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let why = format!("cannot bind token to object of type {group}/{version}, Kind={kind}");
        return Err(Status::bad_request(why));
    };
    let name = wanted.text("name");
    let namespace = if *resource == "nodes" { "" } else { grant.namespace };
    let found = registry.store().get(&Key::new(resource, namespace, name));
    let found = found.ok_or_else(|| Status::not_found(resource, name))?.value();
    let (asked, uid) = (wanted.text("uid"), found.text("metadata.uid"));
    if !asked.is_empty() && asked != uid {
        let why = format!(
            "the UID in the bound object reference ({asked}) does not match the UID in record. The object might have \
             been deleted and then recreated"
        );
        return Err(Status::conflict(resource, name, &why));
    }
    let bound = Some(Bound { name: name.to_owned(), uid: uid.to_owned() });
    match *resource {
        "secrets" => grant.secret = bound,
        "nodes" => grant.node = bound,
        _ => {
            if found.text("spec.serviceAccountName") != grant.account.name {
                return Err(Status::bad_request(format!(
                    "cannot bind token for serviceaccount \"{}\" to pod running with different serviceaccount name.",
                    grant.account.name
                )));
            }
            grant.pod = bound;
            grant.node = node(registry, found.text("spec.nodeName"));
        }
    }
    Ok(())
}

/// The node of a pod, if it has one.
fn node(registry: &Registry, name: &str) -> Option<Bound> {
    if name.is_empty() {
        return None;
    }
    let found = registry.store().get(&Key::new("nodes", "", name));
    let uid = found.map(|entry| entry.value().text("metadata.uid").to_owned()).unwrap_or_default();
    Some(Bound { name: name.to_owned(), uid })
}
