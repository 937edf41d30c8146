//! Services.

mod addresses;
mod default;
mod table;
mod traffic;
mod unsupported;
mod update;
mod validate;

use serde_json::json;

use super::access::Change;
use super::columns::{AGE, Column, NAME};
use super::{Behavior, metadata};

pub use addresses::{Addresses, Cidr, CidrError, Reservation};

/// What services do, but for their addresses, which [`Addresses`] hands out.
pub const BEHAVIOR: Behavior = Behavior {
    default: default::apply,
    prepare_create: |service| service.set("", "status", json!({"loadBalancer": {}})),
    prepare_update: update::prepare,
    validate: validate::validate,
    validate_update: validate::validate_update,
    warnings: unsupported::warnings,
    name: metadata::service,
    columns: &[
        NAME,
        Column::text(
            "Type",
            "type determines how the Service is exposed. Defaults to ClusterIP. Valid options are ExternalName, \
             ClusterIP, NodePort, and LoadBalancer.",
        ),
        Column::text("Cluster-IP", "clusterIP is the IP address of the service and is usually assigned randomly."),
        Column::text(
            "External-IP",
            "externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this \
             service.",
        ),
        Column::text(
            "Port(s)",
            "The list of ports that are exposed by this service. More info: \
             https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies",
        ),
        AGE,
        Column::text(
            "Selector",
            "Route service traffic to pods with label keys and values matching this selector. If empty or not present, \
             the service is assumed to have an external process managing its endpoints, which Kubernetes will not modify.",
        )
        .wide(),
    ],
    row: table::row,
    fields: &["spec.clusterIP", "spec.type"],
    ..Behavior::GENERIC
};
