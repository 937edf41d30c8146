//! Which address a proxied request goes to.

use std::net::{IpAddr, SocketAddr};

use rand::seq::IndexedRandom as _;
use serde_json::Value;

use crate::http::asked::Asked;
use crate::registry::Target;
use crate::status::Status;
use crate::webhook::ready_endpoints;

/// Where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// To the agent of a node.
    Node {
        /// The node.
        name: String,
    },
    /// To an address.
    Address {
        /// A pod's, mostly.
        address: SocketAddr,
        /// Over TLS; nobody knows whose certificates to trust, so any will do, as upstream has it.
        tls: bool,
    },
}

/// `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.
#[derive(Debug, PartialEq, Eq)]
struct Id<'a> {
    tls: bool,
    name: &'a str,
    port: &'a str,
}

impl<'a> Id<'a> {
    fn parse(id: &'a str) -> Option<Self> {
        let parts: Vec<_> = id.split(':').collect();
        let (scheme, name, port) = match parts[..] {
            [name] => ("", name, ""),
            [name, port] => ("", name, port),
            [scheme, name, port] => (scheme, name, port),
            _ => return None,
        };
        let tls = match scheme {
            "" | "http" => false,
            "https" => true,
            _ => return None,
        };
        (!name.is_empty()).then_some(Self { tls, name, port })
    }
}

impl Place {
    /// Where the request leads.
    ///
    /// # Errors
    /// 404 for what is not there, 400 for a name that is none, 503 for a service that leads nowhere.
    pub fn find(asked: Asked<'_>) -> Result<Self, Status> {
        let (target, kind) = (asked.target, &*asked.target.resource.row.resource);
        let what = kind.strip_suffix('s').unwrap_or(kind);
        let invalid = || Status::bad_request(format!("invalid {what} request \"{}\"", target.name));
        let id = Id::parse(&target.name).ok_or_else(invalid)?;
        let object = |name: &str| asked.registry.get(&target.named(name)).map(|entry| entry.value());
        match kind {
            "pods" => of_pod(&object(id.name)?, &id),
            "services" => of_service(asked, &object(id.name)?, &id, target),
            _ => of_node(&object(id.name)?, &id),
        }
    }

    /// `10.42.0.7:80`, as a URL has it.
    pub fn authority(&self) -> String {
        match self {
            Self::Node { name } => name.clone(),
            Self::Address { address, .. } => address.to_string(),
        }
    }
}

/// The first port that a container names, where the client names none.
fn of_pod(pod: &Value, id: &Id<'_>) -> Result<Place, Status> {
    let list = |of: &Value, field: &str| of.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let containers = pod.get("spec").map(|spec| list(spec, "containers")).unwrap_or_default();
    let named =
        || containers.iter().find_map(|container| list(container, "ports").first()?.get("containerPort")?.as_u64());
    let port = match id.port {
        "" => named().and_then(|port| u16::try_from(port).ok()).unwrap_or(if id.tls { 443 } else { 80 }),
        port => number(port)?,
    };
    let ip = pod.pointer("/status/podIP").and_then(Value::as_str).unwrap_or_default();
    address(ip, port, id.tls)
}

/// A ready endpoint, by chance.
fn of_service(asked: Asked<'_>, service: &Value, id: &Id<'_>, target: &Target) -> Result<Place, Status> {
    let unavailable = |why: String| Status::new(503, "ServiceUnavailable", why);
    let name = match id.port.parse::<u64>() {
        Err(_) => id.port,
        Ok(number) => {
            let ports = service.pointer("/spec/ports").and_then(Value::as_array);
            let port = ports.into_iter().flatten().find(|p| p.get("port").and_then(Value::as_u64) == Some(number));
            let missing = || unavailable(format!("no service port {number} found for service \"{}\"", id.name));
            port.ok_or_else(missing)?.get("name").and_then(Value::as_str).unwrap_or_default()
        }
    };
    let endpoints = ready_endpoints(asked.registry.store(), &target.namespace, id.name, name);
    let chosen = endpoints.choose(&mut rand::rng());
    let address =
        chosen.ok_or_else(|| unavailable(format!("no endpoints available for service \"{}\"", target.name)))?;
    allowed(*address, id.tls)
}

/// Without a port, or at the kubelet's, the node's agent.
fn of_node(node: &Value, id: &Id<'_>) -> Result<Place, Status> {
    let agent = node.pointer("/status/daemonEndpoints/kubeletEndpoint/Port").and_then(Value::as_u64).unwrap_or(10250);
    if id.port.is_empty() || id.port.parse() == Ok(agent) {
        return Ok(Place::Node { name: id.name.to_owned() });
    }
    let addresses = node.pointer("/status/addresses").and_then(Value::as_array).into_iter().flatten();
    let internal = |a: &&Value| a.get("type").and_then(Value::as_str) == Some("InternalIP");
    let ip = addresses.into_iter().find(internal).and_then(|a| a.get("address")?.as_str()).unwrap_or_default();
    address(ip, number(id.port)?, id.tls)
}

fn number(port: &str) -> Result<u16, Status> {
    port.parse().map_err(|_| Status::bad_request(format!("invalid port \"{port}\"")))
}

fn address(ip: &str, port: u16, tls: bool) -> Result<Place, Status> {
    let ip: IpAddr = ip.parse().map_err(|_| not_allowed())?;
    allowed(SocketAddr::new(ip, port), tls)
}

/// Nobody is led to the loopback of the host by way of the API.
fn allowed(address: SocketAddr, tls: bool) -> Result<Place, Status> {
    let local = match address.ip().to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let ip = address.ip().to_canonical();
    if local || ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
        return Err(not_allowed());
    }
    Ok(Place::Address { address, tls })
}

fn not_allowed() -> Status {
    Status::bad_request("address not allowed")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_have_a_scheme_and_a_port() {
        assert_eq!(Id::parse("web"), Some(Id { tls: false, name: "web", port: "" }));
        assert_eq!(Id::parse("web:http"), Some(Id { tls: false, name: "web", port: "http" }));
        assert_eq!(Id::parse("https:web:443"), Some(Id { tls: true, name: "web", port: "443" }));
        assert_eq!(Id::parse(":web:"), Some(Id { tls: false, name: "web", port: "" }));
        for wrong in ["", ":80", "ftp:web:21", "a:b:c:d"] {
            assert_eq!(Id::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_pod_is_reached_at_its_first_port() {
        let pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b", "ports": [{"containerPort": 8080}]}]},
            "status": {"podIP": "10.42.0.7"}});
        let place = |pod: &Value, id: &str| {
            let place = of_pod(pod, &Id::parse(id).expect("an id"));
            place.map(|place| place.authority()).map_err(|status| status.message().to_owned())
        };
        assert_eq!(place(&pod, "p"), Ok("10.42.0.7:8080".to_owned()));
        assert_eq!(place(&pod, "p:81"), Ok("10.42.0.7:81".to_owned()));
        let local = json!({"status": {"podIP": "127.0.0.1"}});
        assert_eq!(place(&local, "p"), Err("address not allowed".to_owned()));
        assert_eq!(place(&json!({}), "p"), Err("address not allowed".to_owned()));
    }
}
