//! APIServices: stored and shown; requests are not handed on to them.

use jiff::Timestamp;
use serde_json::Value;

use super::access::Look;
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells};

/// What API services do.
pub const BEHAVIOR: Behavior = Behavior {
    prepare_update: keep_status,
    columns: &[
        NAME,
        Column::text("Service", "The reference to the service that hosts this API endpoint."),
        Column::text("Available", "Whether this service is available."),
        AGE,
    ],
    row: |service: &Value, now: Timestamp| {
        let (namespace, name) = (service.text("spec.service.namespace"), service.text("spec.service.name"));
        let host = if service.has("spec.service") { format!("{namespace}/{name}") } else { "Local".into() };
        let available = service.items("status.conditions").iter().find(|c| c.text("type") == "Available");
        let available = match available {
            None => "Unknown".to_owned(),
            Some(c) if c.text("status") == "True" || c.text("reason").is_empty() => c.text("status").to_owned(),
            Some(c) => format!("{} ({})", c.text("status"), c.text("reason")),
        };
        vec![cells::name(service), host.into(), available.into(), cells::age(service, now)]
    },
    ..Behavior::GENERIC
};
