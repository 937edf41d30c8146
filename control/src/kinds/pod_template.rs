//! The pod template of a workload.

use serde_json::Value;

use super::access::{Change, Look};

use super::pod_spec;
use crate::field::Path;

/// Fills in the template at `path` of a workload, where there is one.
pub fn default(workload: &mut Value, path: &str) {
    if let Some(spec) = workload.map_mut(path).and_then(|template| template.get_mut("spec")) {
        pod_spec::default(spec);
    }
}

/// Fields of the template's pods that have no effect.
pub fn warnings(workload: &Value) -> Vec<String> {
    pod_spec::warnings(workload.at("spec.template.spec"), &Path::new("spec").child("template").child("spec"))
}
