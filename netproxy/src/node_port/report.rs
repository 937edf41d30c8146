//! A port that does not open is told once, in the log and as an event of the service, until it opens or changes hands.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use k8s_openapi::api::core::v1::{Event, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::PostParams;
use kube::{Api, Client};
use objects::events::{Level, Report, Reporter, build};
use thiserror::Error;

use super::Key;
use crate::routes::ServicePort;

/// A node port was not opened.
#[derive(Debug, Error)]
#[error("listen on {at}: {source}")]
pub(super) struct ListenError {
    pub at: SocketAddr,
    pub source: io::Error,
}

pub(crate) struct Reports {
    client: Client,
    reporter: Reporter,
    /// The uid of the service for which the failure was told.
    told: HashMap<Key, String>,
}

impl Reports {
    pub fn new(client: Client, node: &str) -> Self {
        Self { client, reporter: Reporter::on("kube-proxy", node), told: HashMap::new() }
    }

    pub(super) fn outcome(&mut self, key: Key, service: &ServicePort, outcome: Result<(), ListenError>) {
        let Err(error) = outcome else {
            self.told.remove(&key);
            return;
        };
        if self.told.get(&key) == Some(&service.uid) {
            return;
        }
        self.told.insert(key, service.uid.clone());
        tracing::warn!(service = %service.service, port = key.1, %error, "a node port does not open");
        self.publish(service, format!("Node port {} does not open: {error}", key.1));
    }

    /// Tells it in a task of its own: the ports do not wait for the API.
    fn publish(&self, service: &ServicePort, message: String) {
        let regarding = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Service".to_owned()),
            namespace: Some(service.service.namespace.to_string()),
            name: Some(service.service.name.to_string()),
            uid: Some(service.uid.clone()),
            ..ObjectReference::default()
        };
        let report = Report { regarding, level: Level::Warning, reason: "NodePortNotOpen".to_owned(), message };
        let event = build(&self.reporter, &report, &Time(k8s_openapi::jiff::Timestamp::now()));
        let events: Api<Event> = Api::namespaced(self.client.clone(), &service.service.namespace);
        tokio::spawn(async move {
            if let Err(error) = events.create(&PostParams::default(), &event).await {
                tracing::debug!(%error, "an event was not written");
            }
        });
    }
}
