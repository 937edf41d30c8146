//! Requests that only the node of a pod can answer: its logs.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value;

use super::asked::Asked;
use super::query::Query;
use super::{Body, BoxError, respond};
use crate::status::Status;

/// Sends a request to the agent server of the node with this name; none where no way leads there.
pub type NodeTransport = Arc<dyn Fn(&str, Request<Body>) -> Option<NodeAnswer> + Send + Sync>;

/// What the node will say.
pub type NodeAnswer = BoxFuture<'static, Result<Response<Body>, BoxError>>;

/// What `kubectl logs` may ask for, passed on as it is.
const PASSED_ON: &[&str] = &[
    "follow",
    "tailLines",
    "sinceSeconds",
    "sinceTime",
    "timestamps",
    "limitBytes",
    "previous",
    "stream",
    "insecureSkipTLSVerifyBackend",
];

/// GET of `pods/NAME/log`.
///
/// # Errors
/// 404 for the pod, 400 for a container that it does not have, and what the node answers.
pub async fn log(asked: Asked<'_>, nodes: &NodeTransport) -> Result<Response<Body>, Status> {
    let Asked { registry, target, query, .. } = asked;
    let pod = registry.get(target)?.value();
    let container = container(&target.name, &pod, query.text("container"))?;
    let node = pod.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
    if node.is_empty() {
        return Ok(respond::answer(http::StatusCode::OK, "text/plain", respond::full("")));
    }
    let uri = format!("/containerLogs/{}/{}/{container}?{}", target.namespace, target.name, passed_on(query));
    let request = Request::get(uri).body(respond::full("")).map_err(Status::internal)?;
    let asked = nodes(node, request);
    let asked = asked.ok_or_else(|| Status::internal(format!("node \"{node}\" cannot be reached")))?;
    let answer = asked.await.map_err(Status::internal)?;
    if answer.status().is_success() {
        return Ok(respond::answer(answer.status(), "text/plain", answer.into_body()));
    }
    Err(explained(answer).await)
}

fn passed_on(query: &Query) -> String {
    let mut passed = form_urlencoded::Serializer::new(String::new());
    for name in PASSED_ON.iter().filter(|n| query.has(n)) {
        passed.append_pair(name, query.text(name));
    }
    passed.finish()
}

/// The node's complaint, as a Status.
async fn explained(answer: Response<Body>) -> Status {
    let code = answer.status().as_u16();
    let text = match super::body::read(answer.into_body()).await {
        Ok(text) => String::from_utf8_lossy(&text).trim().to_owned(),
        Err(status) => return status,
    };
    match code {
        404 => Status::new(404, "NotFound", text),
        400 => Status::bad_request(text),
        _ => Status::internal(text),
    }
}

/// The container that is meant: the one that is asked for, the annotated one, or the only one.
///
/// # Errors
/// 400 where there is none, or several.
pub fn container(name: &str, pod: &Value, asked: &str) -> Result<String, Status> {
    let names = |list: &str| -> Vec<String> {
        let containers = pod.pointer(list).and_then(Value::as_array).into_iter().flatten();
        containers.filter_map(|c| c.get("name")?.as_str().map(str::to_owned)).collect()
    };
    let (own, init) = (names("/spec/containers"), names("/spec/initContainers"));
    let debuggers = names("/spec/ephemeralContainers");
    if !asked.is_empty() {
        let known = own.iter().chain(&init).chain(&debuggers).any(|c| c == asked);
        let why = format!("container {asked} is not valid for pod {name}");
        return if known { Ok(asked.to_owned()) } else { Err(Status::bad_request(why)) };
    }
    let default = pod.pointer("/metadata/annotations/kubectl.kubernetes.io~1default-container").and_then(Value::as_str);
    match (default, own.as_slice()) {
        (Some(default), _) if own.iter().any(|c| c == default) => Ok(default.to_owned()),
        (_, [only]) => Ok(only.clone()),
        (_, several) => Err(Status::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]{}",
            several.join(" "),
            if init.is_empty() {
                String::new()
            } else {
                format!(" or one of the init containers: [{}]", init.join(" "))
            }
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_container_is_asked_for_or_the_only_one() {
        let pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}});
        let words = |asked| container("p", &pod, asked).map_err(|s| s.message().to_owned());
        assert_eq!(words("a"), Ok("a".to_owned()));
        assert_eq!(words("c"), Err("container c is not valid for pod p".to_owned()));
        assert_eq!(words(""), Err("a container name must be specified for pod p, choose one of: [a b]".to_owned()));
        let single = json!({"spec": {"containers": [{"name": "a"}]}});
        assert_eq!(container("p", &single, "").ok(), Some("a".to_owned()));
    }
}
