//! Lifecycle hooks: what a container is told right after its start and right before its end.

use std::net::IpAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, LifecycleHandler};
use netproxy::fabric::Fabric;

use super::inside::{Failure, Inside};
use crate::probe::http::Get;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `postStart`: the container does not count as running before it is done.
    PostStart,
    /// `preStop`: the container is not told to end before it is done.
    PreStop,
}

/// A hook of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// A command in the container.
    Exec(Vec<String>),
    /// A request; any answer will do.
    Http(Get),
    /// Some time.
    Sleep(Duration),
    /// It says nothing that a node could do. `tcpSocket` is such: Kubernetes has never carried it out.
    Void(String),
}

impl Hook {
    /// The container's hook of this kind, if it has one.
    pub fn of(container: &Container, kind: Kind) -> Option<Self> {
        let lifecycle = container.lifecycle.as_ref()?;
        let handler = match kind {
            Kind::PostStart => lifecycle.post_start.as_ref()?,
            Kind::PreStop => lifecycle.pre_stop.as_ref()?,
        };
        Some(Self::read(handler, container))
    }

    fn read(handler: &LifecycleHandler, container: &Container) -> Self {
        if let Some(exec) = &handler.exec {
            return Self::Exec(exec.command.clone().unwrap_or_default());
        }
        if let Some(get) = &handler.http_get {
            return Get::of(get, container).map_or_else(|error| Self::Void(error.to_string()), Self::Http);
        }
        if let Some(sleep) = &handler.sleep {
            return Self::Sleep(Duration::from_secs(u64::try_from(sleep.seconds).unwrap_or(0)));
        }
        Self::Void("Cannot run handler: invalid handler".to_owned())
    }

    /// Carries it out. Dropping the future ends what it has begun. The error is for the node's log: it may hold what an
    /// event must not.
    pub async fn run(self, fabric: &Fabric, inside: &Inside, pod: IpAddr) -> Result<(), String> {
        match self {
            Self::Exec(command) => inside.run(&command).await.map_err(|failure| match failure {
                Failure::Exit { code, output } => {
                    format!("command '{}' exited with {code}: {output}", command.join(" "))
                }
                Failure::NotRun(why) => why,
            }),
            Self::Http(get) => match get.send(fabric, pod).await {
                // Some have asked for HTTPS and been served HTTP for years: they still are.
                Err(_) if get.https => Get { https: false, ..get }.send(fabric, pod).await.map(drop),
                answer => answer.map(drop),
            },
            Self::Sleep(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Self::Void(why) => Err(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn hooks_are_read() {
        let container: Container = from_value(json!({
            "name": "web",
            "ports": [{"name": "http", "containerPort": 80}],
            "lifecycle": {
                "postStart": {"httpGet": {"port": "http", "path": "/warm"}},
                "preStop": {"sleep": {"seconds": 5}},
            },
        }))
        .expect("container");
        let Some(Hook::Http(get)) = Hook::of(&container, Kind::PostStart) else { panic!("a request") };
        assert_eq!(get.url([10, 42, 0, 7].into()), "http://10.42.0.7:80/warm");
        assert_eq!(Hook::of(&container, Kind::PreStop), Some(Hook::Sleep(Duration::from_secs(5))));
        assert_eq!(Hook::of(&Container::default(), Kind::PreStop), None);
    }

    #[test]
    fn what_no_node_can_do_is_void() {
        for handler in [json!({"tcpSocket": {"port": 80}}), json!({"httpGet": {"port": "none"}}), json!({})] {
            let container: Container =
                from_value(json!({"name": "web", "lifecycle": {"preStop": handler}})).expect("container");
            assert!(matches!(Hook::of(&container, Kind::PreStop), Some(Hook::Void(_))));
        }
    }
}
