//! One try of a probe, over the pod network from the host, in the words a kubelet reports failures with.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netproxy::fabric::{Fabric, Origin, SocketError};
use tokio::time::timeout;

use super::{Target, exec, grpc, http};
use crate::pod::inside::Inside;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The answer was bad, or there was none.
    Failed(String),
    /// It could not be asked, which says nothing about the container.
    Errored(String),
}

impl From<String> for Complaint {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

/// Asks once. `pod` is whom to ask when the probe names no host, `inside` where a command runs.
pub async fn attempt(
    fabric: &Fabric,
    inside: &Inside,
    target: &Target,
    pod: IpAddr,
    patience: Duration,
) -> Result<(), Complaint> {
    match target {
        Target::Exec(command) => exec::ask(inside, command, patience).await,
        Target::Grpc { port, service } => {
            let to = SocketAddr::new(pod, *port);
            Ok(grpc::ask(fabric.dial(Origin::Host, to), to, service, patience).await?)
        }
        Target::Tcp { host, port } => {
            let to = http::resolve(host.as_deref(), pod, *port).await?;
            match timeout(patience, fabric.dial(Origin::Host, to)).await {
                Ok(Ok(_stream)) => Ok(()),
                Ok(Err(error)) => Err(dial_failure(to, &error.source).into()),
                Err(_) => Err(format!("dial tcp {to}: i/o timeout").into()),
            }
        }
        Target::Http(get) => match timeout(patience, get.send(fabric, pod)).await {
            Ok(Ok(status)) if (200..400).contains(&status.as_u16()) => Ok(()),
            Ok(Ok(status)) => Err(format!("HTTP probe failed with statuscode: {}", status.as_u16()).into()),
            Ok(Err(message)) => Err(message.into()),
            Err(_) => Err(format!(
                "Get \"{}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
                get.url(pod)
            )
            .into()),
        },
    }
}

/// As Go's net package says it.
pub(super) fn dial_failure(to: SocketAddr, error: &SocketError) -> String {
    match error {
        SocketError::ConnectionRefused => format!("dial tcp {to}: connect: connection refused"),
        SocketError::HostUnreachable => format!("dial tcp {to}: connect: no route to host"),
        SocketError::Timeout => format!("dial tcp {to}: i/o timeout"),
        other => format!("dial tcp {to}: {other}"),
    }
}
