//! ComponentStatuses: made up when they are asked for.

use jiff::Timestamp;
use serde_json::Value;

use super::access::Look;
use super::columns::{Column, NAME};
use super::{Behavior, cells};

/// What component statuses do.
pub const BEHAVIOR: Behavior = Behavior {
    deprecation: Some("v1 ComponentStatus is deprecated in v1.19+"),
    columns: &[
        NAME,
        Column::text("Status", "Status of the component conditions"),
        Column::text("Message", "Message of the component conditions"),
        Column::text("Error", "Error of the component conditions"),
    ],
    row: |component: &Value, _: Timestamp| {
        let healthy = component.items("conditions").iter().find(|c| c.text("type") == "Healthy");
        let (status, message, error) = match healthy {
            None => ("Unknown", "", ""),
            Some(c) => {
                let status = match c.text("status") {
                    "True" => "Healthy",
                    "False" => "Unhealthy",
                    _ => "Unknown",
                };
                (status, c.text("message"), c.text("error"))
            }
        };
        vec![cells::name(component), status.into(), message.into(), error.into()]
    },
    ..Behavior::GENERIC
};
