//! Requests that are passed on: streams into a pod, and whatever is asked of a pod, a service or a node by way of the API.
//!
//! The API decides who may, and where it leads; what is said then is between the client and the other side.

use bytes::Bytes;
use http::header::CONNECTION;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Empty};
use serde_json::{Map, Value, json};

use super::asked::Asked;
use super::node_proxy::{self, NodeTransport};
use super::{Body, RequestHead, proxy};
use crate::admission::{Operation, Review};
use crate::registry::WriteOptions;
use crate::status::Status;

/// What a path asks to be connected with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A program in a container.
    Exec,
    /// A container's own streams.
    Attach,
    /// Ports of a pod.
    PortForward,
    /// HTTP.
    Proxy,
}

impl Way {
    /// Of a sub-resource; none where it is one that is answered here.
    pub fn of(subresource: &str) -> Option<Self> {
        Some(match subresource {
            "exec" => Self::Exec,
            "attach" => Self::Attach,
            "portforward" => Self::PortForward,
            "proxy" => Self::Proxy,
            _ => return None,
        })
    }

    /// The path on the node.
    fn on_node(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::PortForward | Self::Proxy => "portForward",
        }
    }

    /// The kind of the options that admission is shown.
    fn kind(self, resource: &str) -> &'static str {
        match (self, resource) {
            (Self::Exec, _) => "PodExecOptions",
            (Self::Attach, _) => "PodAttachOptions",
            (Self::PortForward, _) => "PodPortForwardOptions",
            (Self::Proxy, "services") => "ServiceProxyOptions",
            (Self::Proxy, "nodes") => "NodeProxyOptions",
            (Self::Proxy, _) => "PodProxyOptions",
        }
    }

    fn takes(self, method: &Method) -> bool {
        match self {
            Self::Proxy => !matches!(*method, Method::CONNECT | Method::TRACE),
            _ => matches!(*method, Method::GET | Method::POST),
        }
    }
}

/// Connects the client with what it asks for.
///
/// # Errors
/// 404 for what is not there, 400 for what makes no sense, what admission has against it, and failures to get there.
pub async fn connect(asked: Asked<'_>, way: Way, nodes: &NodeTransport, body: Body) -> Result<Response<Body>, Status> {
    if !way.takes(&asked.head.method) {
        return Err(Status::method_not_allowed());
    }
    let options = admit(asked, way).await?;
    match way {
        Way::Proxy => proxy::proxy(asked, nodes, body).await,
        _ => stream(asked, way, &options, nodes).await,
    }
}

/// The options as admission leaves them.
async fn admit(asked: Asked<'_>, way: Way) -> Result<Value, Status> {
    let mut options = options(asked, way);
    let write = WriteOptions { caller: asked.caller.clone(), ..WriteOptions::default() };
    let review = Review {
        operation: Operation::Connect,
        target: asked.target,
        subresource: &asked.path.subresource,
        old: None,
        options: &write,
    };
    asked.registry.admit(&review, &mut options).await?;
    Ok(options)
}

/// The query, as the object that upstream makes of it.
fn options(asked: Asked<'_>, way: Way) -> Value {
    let mut options = Map::new();
    options.insert("kind".to_owned(), way.kind(&asked.target.resource.row.resource).into());
    options.insert("apiVersion".to_owned(), "v1".into());
    let query = asked.query;
    let mut set = |name: &str, value: Value| drop(options.insert(name.to_owned(), value));
    match way {
        Way::Exec | Way::Attach => {
            for name in ["stdin", "stdout", "stderr", "tty"].into_iter().filter(|name| query.flag(name)) {
                set(name, true.into());
            }
            if query.has("container") {
                set("container", query.text("container").into());
            }
            if way == Way::Exec {
                set("command", query.all("command").collect());
            }
        }
        Way::PortForward => {
            let ports = query.all("ports").flat_map(|list| list.split(','));
            let ports: Vec<u16> = ports.filter_map(|port| port.parse().ok()).collect();
            if !ports.is_empty() {
                set("ports", json!(ports));
            }
        }
        Way::Proxy => set("path", asked.path.rest.as_str().into()),
    }
    options.into()
}

/// Hands the connection over to the node of the pod.
async fn stream(asked: Asked<'_>, way: Way, options: &Value, nodes: &NodeTransport) -> Result<Response<Body>, Status> {
    let target = asked.target;
    let pod = asked.registry.get(target)?.value();
    let container = match way {
        Way::PortForward => String::new(),
        _ => format!("/{}", node_proxy::container(&target.name, &pod, text(options, "container"))?),
    };
    let node = pod.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or_default();
    if node.is_empty() {
        return Err(Status::bad_request(format!("pod {} does not have a host assigned", target.name)));
    }
    if !is_upgrade(asked.head) {
        return Err(Status::bad_request("Upgrade request required"));
    }
    let parameters = parameters(asked, way, options);
    let uri = format!("/{}/{}/{}{container}?{parameters}", way.on_node(), target.namespace, target.name);
    let request = passed_on(asked.head, uri).map_err(Status::internal)?;
    let unreachable = || Status::internal(format!("node \"{node}\" cannot be reached"));
    nodes(node, request).ok_or_else(unreachable)?.await.map_err(Status::internal)
}

/// What was admitted, in a kubelet's words.
fn parameters(asked: Asked<'_>, way: Way, options: &Value) -> String {
    let (query, mut parameters) = (asked.query, form_urlencoded::Serializer::new(String::new()));
    match way {
        Way::Exec | Way::Attach => {
            let names = [("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty")];
            for (_, name) in names.into_iter().filter(|(flag, _)| options.get(flag) == Some(&Value::Bool(true))) {
                parameters.append_pair(name, "1");
            }
            if way == Way::Exec {
                let words = options.get("command").and_then(Value::as_array).into_iter().flatten();
                parameters.extend_pairs(words.filter_map(Value::as_str).map(|word| ("command", word)));
            }
        }
        Way::PortForward | Way::Proxy => {
            let ports: Vec<&str> = query.all("ports").collect();
            if !ports.is_empty() {
                parameters.append_pair("port", &ports.join(","));
            }
        }
    }
    parameters.finish()
}

fn text<'a>(options: &'a Value, field: &str) -> &'a str {
    options.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The request as the node sees it. What it needs of the client's connection is in the extensions: the connection itself
/// once it is upgraded, and what is to be held as long as it lasts.
fn passed_on(head: &RequestHead, uri: String) -> http::Result<Request<Body>> {
    let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    let mut request = Request::builder().method(head.method.clone()).uri(uri).body(body)?;
    *request.headers_mut() = head.headers.clone();
    *request.extensions_mut() = head.extensions.clone();
    Ok(request)
}

/// True for a request that asks for another protocol.
pub fn is_upgrade(head: &RequestHead) -> bool {
    let values = head.headers.get_all(CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case("upgrade"))
}
