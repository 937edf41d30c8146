//! What a patch says in keys that begin with `$`.

use serde_json::{Map, Value};

use super::Error;

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
/// Before the name of a list: the order of its items.
pub(super) const SET_ORDER: &str = "$setElementOrder/";
/// Before the name of a list of scalars: what to take out of it.
pub(super) const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// The `$patch` of a map.
pub(super) enum Patch {
    Replace,
    Delete,
    Merge,
}

/// Takes the `$patch` out of a map.
pub(super) fn take(map: &mut Map<String, Value>) -> Result<Option<Patch>, Error> {
    let Some(directive) = map.shift_remove(PATCH) else { return Ok(None) };
    match directive.as_str() {
        Some("replace") => Ok(Some(Patch::Replace)),
        Some("delete") => Ok(Some(Patch::Delete)),
        Some("merge") => Ok(Some(Patch::Merge)),
        _ => Err(Error::Directive(super::list::go(&directive))),
    }
}

/// `$retainKeys`: what it does not list goes from the original; the patch may hold nothing else.
pub(super) fn retain_keys(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), Error> {
    let Some(keys) = patch.shift_remove(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(keys) = keys else { return Err(Error::RetainKeys) };
    let listed = |name: &str| keys.iter().any(|key| key.as_str() == Some(name));
    let allowed = |(name, value): (&String, &Value)| {
        value.is_null() || name.starts_with(SET_ORDER) || name.starts_with(DELETE_FROM) || listed(name)
    };
    if !patch.iter().all(allowed) {
        return Err(Error::RetainKeys);
    }
    original.retain(|name, _| listed(name));
    Ok(())
}

/// A patch that meets no original: without nulls and directives. Nothing, if it says that it is to be deleted.
pub(super) fn stripped(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) => {
            if map.get(PATCH).and_then(Value::as_str) == Some("delete") {
                return None;
            }
            let kept = map.into_iter().filter(|(name, value)| !name.starts_with('$') || !is_directive(name, value));
            let kept = kept.filter(|(_, value)| !value.is_null());
            Some(Value::Object(kept.filter_map(|(name, value)| Some((name, stripped(value)?))).collect()))
        }
        Value::Array(list) => Some(Value::Array(list.into_iter().filter_map(stripped).collect())),
        other => Some(other),
    }
}

fn is_directive(name: &str, value: &Value) -> bool {
    match name {
        PATCH => value.is_string(),
        RETAIN_KEYS => value.is_array(),
        _ => name.starts_with(SET_ORDER) || name.starts_with(DELETE_FROM),
    }
}
