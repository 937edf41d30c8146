//! An API server in memory, and the requests and answers of its clients.

use std::sync::Arc;

use bytes::Bytes;
use control::auth::{Authenticator, Caller, ServiceAccounts, TokenKey, Tokens, bootstrap};
use control::custom;
use control::health::Health;
use control::http::{Body, Config, NodeTransport, Router};
use control::registry::Registry;
use control::store::{self, Store};
use http::header::{ACCEPT, CONTENT_TYPE, WARNING};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;
use tower::ServiceExt;

pub const JSON: &str = "application/json";
pub const YAML: &str = "application/yaml";
pub const JSON_PATCH: &str = "application/json-patch+json";
pub const MERGE: &str = "application/merge-patch+json";
pub const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
pub const METADATA: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";

pub const CONFIGMAPS: &str = "/api/v1/namespaces/golden/configmaps";
pub const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/golden/deployments";
pub const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
pub const NAMESPACES: &str = "/api/v1/namespaces";
pub const NODES: &str = "/api/v1/nodes";
pub const PODS: &str = "/api/v1/namespaces/golden/pods";
pub const SERVICES: &str = "/api/v1/namespaces/golden/services";

/// A server with the namespaces `default` and `golden`.
pub struct Server {
    router: Router,
    pub registry: Registry,
    /// Establishes definitions, as long as the server is there.
    _definitions: AbortOnDropHandle<()>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(store::Config::default()).await
    }

    pub async fn with(config: store::Config) -> Self {
        Self::with_nodes(config, Arc::new(|_: &str, _: Request<Body>| None)).await
    }

    /// A server whose nodes answer.
    pub async fn with_nodes(config: store::Config, nodes: NodeTransport) -> Self {
        let store = Store::open(config).expect("a store in memory opens");
        let registry = Registry::new(store, "10.43.0.0/16".parse().expect("a network"));
        custom::load(&registry);
        let definitions = AbortOnDropHandle::new(tokio::spawn(custom::run(registry.clone())));
        let health = Health::new(Vec::new(), Vec::new());
        let address = "127.0.0.1:6443".to_owned();
        let key = TokenKey::open(None).expect("a key");
        let accounts = Arc::new(ServiceAccounts::new(key, "cluster.local", registry.store().clone()));
        let mut tokens = Tokens::default();
        tokens.add("token-of-bob", Caller::authenticated("bob", ["dev".to_owned()]));
        let authenticator = Authenticator::new(tokens).with_accounts(accounts.clone());
        let config = Config {
            registry: registry.clone(),
            authenticator,
            audit: None,
            nodes,
            images: None,
            address,
            health,
            accounts,
        };
        let server = Self { router: Router::new(config), registry, _definitions: definitions };
        for name in ["default", "golden"] {
            server.namespace(name, json!({})).await;
        }
        server
    }

    /// The same with the roles that every cluster has.
    pub async fn with_roles() -> Self {
        let server = Self::start().await;
        for name in ["kube-system", "kube-public"] {
            server.namespace(name, json!({})).await;
        }
        bootstrap::apply(&server.registry).await.expect("roles are made");
        server
    }

    /// A namespace with these labels, and the account that a controller would make in it.
    pub async fn namespace(&self, name: &str, labels: Value) {
        self.make(NAMESPACES, json!({"metadata": {"name": name, "labels": labels}})).await;
        let accounts = format!("{NAMESPACES}/{name}/serviceaccounts");
        self.make(&accounts, json!({"metadata": {"name": "default"}})).await;
    }

    pub fn request(&self, method: &str, path: &str) -> Call {
        let admin = Arc::new(Caller::system("admin"));
        let call = Call::new(self.router.clone(), method, path);
        Call { request: call.request.extension(admin), ..call }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().await
    }

    pub async fn post(&self, path: &str, object: Value) -> Answer {
        self.request("POST", path).body(JSON, object.to_string()).send().await
    }

    pub async fn put(&self, path: &str, object: Value) -> Answer {
        self.request("PUT", path).body(JSON, object.to_string()).send().await
    }

    pub async fn patch(&self, path: &str, format: &str, patch: Value) -> Answer {
        self.request("PATCH", path).body(format, patch.to_string()).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).send().await
    }

    /// Creates an object that must be accepted.
    pub async fn make(&self, path: &str, object: Value) -> Value {
        self.post(path, object).await.with(201)
    }

    /// Creates `data: {key: value}` under a name.
    pub async fn config_map(&self, name: &str) -> Value {
        self.make(CONFIGMAPS, json!({"metadata": {"name": name}, "data": {"a": "b"}})).await
    }

    /// Creates a definition and waits until it is established.
    pub async fn define(&self, definition: Value) -> Value {
        let made = self.make(DEFINITIONS, definition).await;
        self.established(made["metadata"]["name"].as_str().expect("a name"), |d| {
            condition(d, "Established").0 == "True"
        })
        .await
    }

    /// Waits until a definition is as it is wanted.
    pub async fn established(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut events = self.watch(&format!("{DEFINITIONS}?watch=1&fieldSelector=metadata.name={name}")).await;
        loop {
            let event = events.next().await.expect("another event");
            if wanted(&event["object"]) {
                return event["object"].clone();
            }
        }
    }

    /// Reads an object that must be there.
    pub async fn read(&self, path: &str) -> Value {
        self.get(path).await.with(200)
    }

    pub async fn watch(&self, path: &str) -> Events {
        self.request("GET", path).events().await
    }
}

/// A request in the making.
pub struct Call {
    router: Router,
    request: http::request::Builder,
    body: Bytes,
}

impl Call {
    /// A request to another server than the one of [`Server`].
    pub fn new(router: Router, method: &str, path: &str) -> Self {
        Self { router, request: Request::builder().method(method).uri(path), body: Bytes::new() }
    }

    pub fn accept(mut self, accept: &str) -> Self {
        self.request = self.request.header(ACCEPT, accept);
        self
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.request = self.request.header(CONTENT_TYPE, content_type);
        self.body = body.into();
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn by(mut self, caller: Caller) -> Self {
        self.request = self.request.extension(Arc::new(caller));
        self
    }

    pub async fn send(self) -> Answer {
        let (head, body) = self.start().await.into_parts();
        let text = body.collect().await.expect("the body arrives").to_bytes();
        let text = String::from_utf8(text.to_vec()).expect("answers are text");
        Answer { code: head.status.as_u16(), headers: head.headers, text }
    }

    /// The code, the content type and the body of an answer that need not be text.
    pub async fn raw(self) -> (u16, String, Bytes) {
        let (head, body) = self.start().await.into_parts();
        let bytes = body.collect().await.expect("the body arrives").to_bytes();
        let kind = head.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        (head.status.as_u16(), kind, bytes)
    }

    pub async fn events(self) -> Events {
        let response = self.start().await;
        assert_eq!(response.status(), 200);
        Events { body: response.into_body(), pending: Vec::new() }
    }

    async fn start(self) -> http::Response<Body> {
        let request = self.request.body(Full::new(self.body)).expect("a well-formed request");
        self.router.oneshot(request).await.expect("the router always answers")
    }
}

/// What came back.
pub struct Answer {
    pub code: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body of an answer that must have this code.
    #[track_caller]
    pub fn with(self, code: u16) -> Value {
        assert_eq!(self.code, code, "{}", self.text);
        self.json()
    }

    /// The message of a failure that must have this code and reason.
    #[track_caller]
    pub fn refused(self, code: u16, reason: &str) -> String {
        let status = self.with(code);
        assert_eq!((&status["kind"], &status["status"]), (&json!("Status"), &json!("Failure")), "{status}");
        assert_eq!((&status["reason"], &status["code"]), (&json!(reason), &json!(code)), "{status}");
        status["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The answer to a path that nothing is behind.
    #[track_caller]
    pub fn not_routed(self) {
        assert_eq!((self.code, &*self.text), (404, "404 page not found\n"));
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub fn warnings(&self) -> Vec<&str> {
        self.headers.get_all(WARNING).iter().filter_map(|v| v.to_str().ok()).collect()
    }
}

/// The lines of a watch.
pub struct Events {
    body: Body,
    pending: Vec<u8>,
}

impl Events {
    /// The next event; none once the server has ended the watch.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.pending.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).expect("each line is an event"));
            }
            let frame = self.body.frame().await?.expect("a watch ends, and does not fail");
            self.pending.extend_from_slice(&frame.into_data().expect("no trailers"));
        }
    }

    /// Type and name of the next event.
    pub async fn step(&mut self) -> (String, String) {
        let event = self.next().await.expect("another event");
        let text = |at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("/type"), text("/object/metadata/name"))
    }

    /// The next events must be these, in order.
    #[track_caller]
    pub fn expect<'a>(&'a mut self, events: &'a [(&str, &str)]) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move {
            for (kind, name) in events {
                assert_eq!(self.step().await, ((*kind).to_owned(), (*name).to_owned()), "expected at {at}");
            }
        }
    }
}

/// The resource version of an object or list.
pub fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().expect("a resource version")
}

/// The names in a list.
pub fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("a list");
    items.iter().filter_map(|i| i["metadata"]["name"].as_str()).collect()
}

/// The first cells of a table's first row.
pub fn cells(table: &Value, count: usize) -> Value {
    let cells = table["rows"][0]["cells"].as_array().expect("a row");
    cells.iter().take(count).cloned().collect()
}

pub fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "echo"}]}})
}

pub fn deployment(name: &str) -> Value {
    let labels = json!({"app": name});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "echo"}]}});
    json!({"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}, "template": template}})
}

/// Assigns a pod of `golden` to a node.
pub async fn bind(server: &Server, pod: &str) {
    let binding = json!({"metadata": {"name": pod}, "target": {"kind": "Node", "name": "n1"}});
    server.post(&format!("{PODS}/{pod}/binding"), binding).await.with(201);
}

/// Status and reason of a condition; empty where there is none.
pub fn condition<'a>(object: &'a Value, kind: &str) -> (&'a str, &'a str) {
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = conditions.iter().find(|c| c["type"] == kind);
    found
        .map(|c| (c["status"].as_str().unwrap_or_default(), c["reason"].as_str().unwrap_or_default()))
        .unwrap_or_default()
}

/// The definition of CronTabs, with a schema for `spec`.
pub fn crontabs(spec: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"], "categories": ["all"]},
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": spec,
                    "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
                }}},
            }],
        },
    })
}

pub const CRONTABS: &str = "/apis/stable.example.com/v1/namespaces/golden/crontabs";

pub fn crontab(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": name}, "spec": spec})
}
