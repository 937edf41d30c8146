//! Startup, liveness and readiness probes: when to ask, whom, and what the answers add up to.
//!
//! [`Gauge`] is the threshold machine, without I/O; [`attempt`] asks once. The pod's worker holds the gauges of its
//! containers and one timer for all of them.
//!
//! One thing differs from a kubelet, to the better: right after the start a probe is repeated at short intervals for
//! up to a second, and only the last of these tries counts when it fails. A guest that listens after 3 ms is ready
//! after 5, not after a whole period.

mod attempt;
pub mod exec;
mod gauge;
pub mod grpc;
pub mod http;
mod tls;

use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub use attempt::{Complaint, attempt};
pub use gauge::{Gauge, Outcome};

/// What a probe decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Has it started? Until then the others wait.
    Startup,
    /// Is it still alive? Else it is restarted.
    Liveness,
    /// May it get traffic?
    Readiness,
}

impl Kind {
    /// The word of the events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        }
    }
}

/// How often to ask and how much to believe, with the API's defaults filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From the container's start to the first try.
    pub initial_delay: Duration,
    /// Between tries.
    pub period: Duration,
    /// For one try.
    pub timeout: Duration,
    /// So many good answers in a row make it good.
    pub success_threshold: u32,
    /// So many bad ones make it bad.
    pub failure_threshold: u32,
}

impl Settings {
    /// The settings of one probe.
    pub fn of(probe: &Probe) -> Self {
        let at_least_one =
            |value: Option<i32>, default: i32| u32::try_from(value.unwrap_or(default)).unwrap_or(1).max(1);
        let seconds = |value, default| Duration::from_secs(at_least_one(value, default).into());
        let initial_delay = Duration::from_secs(u64::try_from(probe.initial_delay_seconds.unwrap_or(0)).unwrap_or(0));
        Self {
            initial_delay,
            period: seconds(probe.period_seconds, 10),
            timeout: seconds(probe.timeout_seconds, 1),
            success_threshold: at_least_one(probe.success_threshold, 1),
            failure_threshold: at_least_one(probe.failure_threshold, 3),
        }
    }
}

/// Whom to ask, with port names looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `httpGet`: 200 to 399 is good.
    Http(http::Get),
    /// `tcpSocket`: a connection is good.
    Tcp {
        /// Another host than the pod.
        host: Option<String>,
        /// The port.
        port: u16,
    },
    /// `grpc`: `SERVING` is good.
    Grpc {
        /// The port.
        port: u16,
        /// Which of the server's services; empty is the server as a whole.
        service: String,
    },
    /// `exec`: an exit with 0 is good.
    Exec(Vec<String>),
}

/// A probe or a hook that cannot be carried out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unaskable {
    /// A name that no port of the container has, or a number that is none.
    #[error("couldn't find port: {0} in container: {1}")]
    Port(String, String),
    /// It says nothing about whom to ask.
    #[error("missing probe handler for container {0}")]
    Empty(String),
}

impl Target {
    /// Reads what `probe` of `container` asks.
    pub fn of(probe: &Probe, container: &Container) -> Result<Self, Unaskable> {
        if let Some(exec) = &probe.exec {
            return Ok(Self::Exec(exec.command.clone().unwrap_or_default()));
        }
        if let Some(get) = &probe.http_get {
            return Ok(Self::Http(http::Get::of(get, container)?));
        }
        if let Some(tcp) = &probe.tcp_socket {
            let host = tcp.host.clone().filter(|host| !host.is_empty());
            return Ok(Self::Tcp { host, port: port(&tcp.port, container)? });
        }
        if let Some(grpc) = &probe.grpc {
            let port = port(&IntOrString::Int(grpc.port), container)?;
            return Ok(Self::Grpc { port, service: grpc.service.clone().unwrap_or_default() });
        }
        Err(Unaskable::Empty(container.name.clone()))
    }
}

/// A port by number or by its name in the container. The API server may have stored a number as text.
fn port(port: &IntOrString, container: &Container) -> Result<u16, Unaskable> {
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => {
            let mut ports = container.ports.iter().flatten();
            let named = ports.find(|port| port.name.as_deref() == Some(name)).map(|port| port.container_port);
            named.or_else(|| name.parse().ok())
        }
    };
    let number = number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
    let text = || match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    };
    number.ok_or_else(|| Unaskable::Port(text(), container.name.clone()))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn ports_are_found_by_name() {
        let container: Container =
            from_value(json!({"name": "web", "ports": [{"name": "http", "containerPort": 80}]})).expect("container");
        let of = |probe| Target::of(&from_value(probe).expect("probe"), &container);
        assert_eq!(
            of(json!({"httpGet": {"port": "http", "path": "healthz"}})),
            Ok(Target::Http(http::Get {
                https: false,
                host: None,
                port: 80,
                path: "/healthz".into(),
                headers: vec![]
            }))
        );
        assert_eq!(of(json!({"tcpSocket": {"port": 81}})), Ok(Target::Tcp { host: None, port: 81 }));
        assert_eq!(of(json!({"grpc": {"port": 9}})), Ok(Target::Grpc { port: 9, service: String::new() }));
        assert_eq!(of(json!({"exec": {"command": ["true"]}})), Ok(Target::Exec(vec!["true".into()])));
        let missing = of(json!({"tcpSocket": {"port": "https"}})).expect_err("no such port");
        assert_eq!(missing.to_string(), "couldn't find port: https in container: web");
    }
}
