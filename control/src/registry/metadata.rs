//! The life of `metadata`: what the server sets, what a client may change, and what only a deletion changes.

use objects::time;
use serde_json::Value;

use super::object::{self, meta_str, set_meta};
use super::resources::Target;
use crate::kinds::Generation;
use crate::status::Status;

/// Fields that only the server writes; an update carries them over from the stored object.
const SERVER_OWNED: &[&str] =
    &["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"];

/// Checks that a body agrees with the path it was sent to, and fills in what the path knows.
pub fn match_path(target: &Target, object: &mut Value) -> Result<(), Status> {
    let named = meta_str(object, "name");
    if !target.name.is_empty() && !named.is_empty() && named != &*target.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({named}) does not match the name on the URL ({})",
            target.name
        )));
    }
    let namespace = meta_str(object, "namespace");
    if !namespace.is_empty() && namespace != &*target.namespace {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !target.name.is_empty() && named.is_empty() {
        set_meta(object, "name", Some(Value::from(&*target.name)));
    }
    if meta_str(object, "resourceVersion") == "0" {
        // Zero is no version; some clients send it.
        set_meta(object, "resourceVersion", None);
    }
    let namespace = Some(&*target.namespace).filter(|n| !n.is_empty() && target.resource.row.namespaced);
    set_meta(object, "namespace", namespace.map(Value::from));
    Ok(())
}

/// Takes out of a new object what only the server may say.
pub fn wipe(object: &mut Value) {
    for field in SERVER_OWNED {
        set_meta(object, field, None);
    }
}

/// Makes a new object's metadata: uid, creation time, first generation.
pub fn begin(object: &mut Value, counts: Generation) {
    wipe(object);
    set_meta(object, "uid", Some(uuid::Uuid::new_v4().to_string().into()));
    set_meta(object, "creationTimestamp", Some(time::text(&time::now()).into()));
    if counts != Generation::Absent {
        set_meta(object, "generation", Some(1.into()));
    }
}

/// Carries the server's own fields from the stored object into its successor.
pub fn carry_over(new: &mut Value, old: &Value) {
    for field in SERVER_OWNED {
        set_meta(new, field, object::metadata(old).and_then(|m| m.get(*field)).cloned());
    }
}

/// Counts a change.
pub fn next_generation(object: &mut Value) {
    let generation = object::metadata(object).and_then(|m| m.get("generation")).and_then(Value::as_i64).unwrap_or(0);
    set_meta(object, "generation", Some((generation + 1).into()));
}
