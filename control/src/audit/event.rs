//! One event, as a line.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::USER_AGENT;
use http::request::Parts;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::auth::{Attributes, Caller, Decision};
use crate::status::Status;

/// The most of a text of a client's that is kept, in bytes: it bounds what waits for the file.
const LONGEST: usize = 4 << 10;

/// The address that a request came from, as an extension of it.
#[derive(Clone, Copy, Debug)]
pub struct Source(pub IpAddr);

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The header of an answer that goes on is sent.
    ResponseStarted,
    /// All is said.
    ResponseComplete,
}

/// What is known about a request.
pub struct Trail {
    pub(super) id: String,
    uri: String,
    agent: String,
    source: Option<IpAddr>,
    received: Timestamp,
    caller: Option<Arc<Caller>>,
    acting_as: Option<Arc<Caller>>,
    wanted: Option<Attributes>,
    decision: Option<Decision>,
}

impl Trail {
    /// A request that has just come in.
    pub fn begin(head: &Parts) -> Self {
        let agent = head.headers.get(USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            uri: clipped(&head.uri.path_and_query().map(ToString::to_string).unwrap_or_default()),
            agent: clipped(agent),
            source: head.extensions.get::<Source>().map(|source| source.0),
            received: Timestamp::now(),
            caller: None,
            acting_as: None,
            wanted: None,
            decision: None,
        }
    }

    /// Who asks, in whose name.
    pub fn asked_by(&mut self, caller: &Arc<Caller>, acting_as: Option<Arc<Caller>>) {
        self.caller = Some(caller.clone());
        self.acting_as = acting_as;
    }

    /// For what, and whether it is allowed, if it came so far.
    pub fn decided(&mut self, wanted: Attributes, decision: Option<Decision>) {
        self.wanted = Some(wanted);
        self.decision = decision;
    }

    /// True for a request whose answer has no end of its own.
    pub(super) fn goes_on(&self) -> bool {
        const STREAMS: [&str; 5] = ["attach", "exec", "log", "portforward", "proxy"];
        self.wanted.as_ref().is_some_and(|wanted| match wanted {
            Attributes::Resource(action) => action.verb == "watch" || STREAMS.contains(&&*action.subresource),
            Attributes::Path { .. } => false,
        })
    }
}

/// The event as a line of JSON.
pub(super) fn line(trail: &Trail, stage: Stage, code: u16, failure: Option<&Status>) -> Vec<u8> {
    let mut event = Map::new();
    let mut set = |field: &str, value: Value| {
        if !value.is_null() {
            event.insert(field.to_owned(), value);
        }
    };
    set("kind", "Event".into());
    set("apiVersion", "audit.k8s.io/v1".into());
    set("level", "Metadata".into());
    set("auditID", trail.id.as_str().into());
    set("stage", if stage == Stage::ResponseStarted { "ResponseStarted" } else { "ResponseComplete" }.into());
    set("requestURI", trail.uri.as_str().into());
    set("verb", trail.wanted.as_ref().map(Attributes::verb).into());
    set("user", trail.caller.as_deref().map_or_else(|| json!({}), user));
    set("impersonatedUser", trail.acting_as.as_deref().map(user).into());
    set("sourceIPs", trail.source.map(|source| json!([source])).into());
    set("userAgent", Some(trail.agent.as_str()).filter(|agent| !agent.is_empty()).into());
    set("objectRef", trail.wanted.as_ref().and_then(object).into());
    set("responseStatus", status(code, failure));
    set("requestReceivedTimestamp", stamp(trail.received));
    set("stageTimestamp", stamp(Timestamp::now()));
    set("annotations", trail.decision.as_ref().map(annotations).into());
    let mut line = Value::Object(event).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn user(caller: &Caller) -> Value {
    let extra: Map<String, Value> = caller.extra.iter().map(|(name, values)| (name.clone(), json!(values))).collect();
    let mut user = Map::new();
    user.insert("username".to_owned(), caller.user.as_str().into());
    if !caller.uid.is_empty() {
        user.insert("uid".to_owned(), caller.uid.as_str().into());
    }
    user.insert("groups".to_owned(), json!(caller.groups));
    if !extra.is_empty() {
        user.insert("extra".to_owned(), extra.into());
    }
    user.into()
}

fn object(wanted: &Attributes) -> Option<Value> {
    let Attributes::Resource(action) = wanted else { return None };
    let fields = [
        ("resource", &action.resource),
        ("namespace", &action.namespace),
        ("name", &action.name),
        ("apiGroup", &action.group),
        ("apiVersion", &action.version),
        ("subresource", &action.subresource),
    ];
    let there = fields.into_iter().filter(|(_, value)| !value.is_empty());
    Some(there.map(|(field, value)| (field.to_owned(), value.as_str().into())).collect::<Map<_, _>>().into())
}

fn status(code: u16, failure: Option<&Status>) -> Value {
    match failure {
        None => json!({"metadata": {}, "code": code}),
        Some(failure) => json!({"metadata": {}, "status": "Failure", "message": clipped(failure.message()),
            "reason": failure.reason(), "code": code}),
    }
}

fn annotations(decision: &Decision) -> Value {
    let word = if decision.is_allowed() { "allow" } else { "forbid" };
    json!({"authorization.k8s.io/decision": word, "authorization.k8s.io/reason": decision.reason()})
}

fn stamp(at: Timestamp) -> Value {
    format!("{at:.6}").into()
}

fn clipped(text: &str) -> String {
    match text.char_indices().find(|(at, _)| *at >= LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Request};

    use super::*;

    #[test]
    fn an_event_says_who_did_what() {
        let uri = "/api/v1/namespaces/a/pods/p?pretty=1";
        let (head, ()) = Request::get(uri).header(USER_AGENT, "kubectl/v1").body(()).unwrap().into_parts();
        let mut trail = Trail::begin(&head);
        let (bob, amy) = (Caller::authenticated("bob", []), Caller::authenticated("amy", []));
        trail.asked_by(&Arc::new(bob), Some(Arc::new(amy)));
        trail.decided(Attributes::of(&Method::GET, &head.uri), Some(Decision::NoOpinion("RBAC: no".to_owned())));
        let refusal = Status::forbidden("pods", "p", "no");
        let mut event: Value =
            serde_json::from_slice(&line(&trail, Stage::ResponseComplete, 403, Some(&refusal))).unwrap();
        for field in ["auditID", "requestReceivedTimestamp", "stageTimestamp"] {
            assert!(event.as_object_mut().unwrap().remove(field).is_some_and(|v| v.is_string()), "{field}");
        }
        let groups = json!(["system:authenticated"]);
        assert_eq!(
            event,
            json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
                "requestURI": uri, "verb": "get", "user": {"username": "bob", "groups": groups},
                "impersonatedUser": {"username": "amy", "groups": groups}, "userAgent": "kubectl/v1",
                "objectRef": {"resource": "pods", "namespace": "a", "name": "p", "apiVersion": "v1"},
                "responseStatus": {"metadata": {}, "status": "Failure", "message": "pods \"p\" is forbidden: no",
                    "reason": "Forbidden", "code": 403},
                "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "RBAC: no"}})
        );
    }
}
