//! PodTemplates.

use jiff::Timestamp;
use serde_json::Value;

use super::access::Look;
use super::columns::{Column, NAME};
use super::{Behavior, Generation, cells, pod_template};
use crate::field::Path;

/// What pod templates do.
pub const BEHAVIOR: Behavior = Behavior {
    default: |template| pod_template::default(template, "template"),
    validate: |template, errors| pod_template::validate(template.at("template"), &Path::new("template"), errors),
    columns: &[
        NAME,
        Column::text("Containers", "Names of each container in the template."),
        Column::text("Images", "Images referenced by each container in the template."),
        Column::text("Pod Labels", "The labels for the pod template."),
    ],
    row: |template: &Value, _: Timestamp| {
        vec![
            cells::name(template),
            cells::containers(template.at("template.spec")),
            cells::images(template.at("template.spec")),
            cells::labels(template.at("template.metadata.labels")),
        ]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};
