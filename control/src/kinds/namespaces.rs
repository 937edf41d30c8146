//! Namespaces.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells, metadata};

const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// What namespaces do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create,
    prepare_update,
    name: metadata::label,
    columns: &[NAME, Column::text("Status", "The status of the namespace"), AGE],
    row: |namespace, now: Timestamp| {
        vec![cells::name(namespace), namespace.text("status.phase").into(), cells::age(namespace, now)]
    },
    fields: &["status.phase"],
    ..Behavior::GENERIC
};

fn default(namespace: &mut Value) {
    label_with_name(namespace);
    namespace.set_default("status", "phase", "Active");
}

/// Every namespace can be selected by its name. A generated name is there only after the defaults.
fn label_with_name(namespace: &mut Value) {
    let name = namespace.text("metadata.name").to_owned();
    if !name.is_empty() {
        namespace.set("metadata.labels", NAME_LABEL, name);
    }
}

/// The finalizer holds a deleted namespace until it is empty.
fn prepare_create(namespace: &mut Value) {
    label_with_name(namespace);
    let mut finalizers = namespace.items("spec.finalizers").to_vec();
    if !finalizers.iter().any(|f| f == "kubernetes") {
        finalizers.push("kubernetes".into());
    }
    namespace.set("spec", "finalizers", finalizers);
    namespace.set("", "status", json!({"phase": "Active"}));
}

/// Finalizers change only through the `finalize` endpoint.
fn prepare_update(new: &mut Value, old: &Value) {
    new.restore("spec", "finalizers", old);
    keep_status(new, old);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_namespace_is_active_and_held() {
        let mut namespace = json!({"metadata": {"name": "golden"}, "status": {"phase": "Terminating"}});
        (BEHAVIOR.default)(&mut namespace);
        (BEHAVIOR.prepare_create)(&mut namespace);
        assert_eq!(
            namespace,
            json!({"metadata": {"name": "golden", "labels": {"kubernetes.io/metadata.name": "golden"}},
                "status": {"phase": "Active"}, "spec": {"finalizers": ["kubernetes"]}})
        );
    }
}
