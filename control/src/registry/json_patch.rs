//! RFC 6902 within bounds: `copy` and `move` could otherwise make a giant, or a tower, of a small object.
//!
//! # Guarantees
//! No value comes out that nests deeper than bodies may, so whatever is stored can be read again.

use json_patch::jsonptr::Pointer;
use json_patch::{AddOperation, Patch, PatchOperation};
use serde_json::Value;

/// The most operations of one patch, as upstream has it.
const OPERATIONS: usize = 10_000;

/// The most bytes that all `copy` and `move` operations of one patch may carry.
const CARRIED: usize = 3 << 20;

/// The depth that our own reader refuses.
const DEPTH: usize = 128;

/// Why a patch is not applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More operations than allowed.
    #[error("The allowed maximum operations in a JSON patch is {OPERATIONS}, got {0}")]
    TooMany(usize),
    /// Too much is copied, or the outcome would nest too deep.
    #[error("the patch copies too much or nests too deep")]
    TooLarge,
    /// A test failed, or a path leads nowhere.
    #[error(transparent)]
    Patch(#[from] json_patch::PatchError),
}

/// Applies `patch`; after an error the object is of no use.
pub fn apply(object: &mut Value, patch: &Patch) -> Result<(), Error> {
    if patch.0.len() > OPERATIONS {
        return Err(Error::TooMany(patch.0.len()));
    }
    let mut carried = 0;
    for operation in &patch.0 {
        let (value, carries) = match operation {
            PatchOperation::Add(add) => (Some(&add.value), false),
            PatchOperation::Replace(replace) => (Some(&replace.value), false),
            PatchOperation::Copy(copy) => (object.pointer(copy.from.as_str()), true),
            PatchOperation::Move(moved) => (object.pointer(moved.from.as_str()), true),
            PatchOperation::Remove(_) | PatchOperation::Test(_) => (None, false),
        };
        if let Some(value) = value {
            let below = depth(value);
            carried += if carries { size(value) } else { 0 };
            if carried > CARRIED || below + operation.path().count() >= DEPTH {
                return Err(Error::TooLarge);
            }
        }
        step(object, operation)?;
    }
    Ok(())
}

/// One operation, as upstream's library has it: a field that is not there can be tested to be `null`, as operators do
/// before they add their finalizer, and it can be replaced.
fn step(object: &mut Value, operation: &PatchOperation) -> Result<(), Error> {
    match operation {
        PatchOperation::Test(test) if test.value.is_null() && is_unset(object, &test.path) => return Ok(()),
        PatchOperation::Replace(replace) if is_unset(object, &replace.path) => {
            let (path, value) = (replace.path.clone(), replace.value.clone());
            let add = PatchOperation::Add(AddOperation { path, value });
            return Ok(json_patch::patch_unsafe(object, &[add])?);
        }
        _ => {}
    }
    // The step that undoes nothing: a failed patch is thrown away as a whole.
    Ok(json_patch::patch_unsafe(object, std::slice::from_ref(operation))?)
}

/// Whether the path names a field of an object that is there, and which lacks it.
fn is_unset(object: &Value, path: &Pointer) -> bool {
    let Some((parent, name)) = path.split_back() else { return false };
    let parent = object.pointer(parent.as_str()).and_then(Value::as_object);
    parent.is_some_and(|parent| !parent.contains_key(name.decoded().as_ref()))
}

/// How many levels a value has; no value here has more than [`DEPTH`].
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// About how many bytes a value has.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(list) => 2 + list.iter().map(size).sum::<usize>(),
        Value::Object(map) => 2 + map.iter().map(|(k, v)| k.len() + size(v)).sum::<usize>(),
        Value::String(text) => 2 + text.len(),
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(object: Value, patch: Value) -> Result<Value, Error> {
        let mut object = object;
        let patch: Patch = serde_json::from_value(patch).expect("a patch");
        apply(&mut object, &patch).map(|()| object)
    }

    #[test]
    fn operations_follow_one_another() {
        let patch = json!([{"op": "add", "path": "/b", "value": 1}, {"op": "copy", "from": "/b", "path": "/c"},
            {"op": "move", "from": "/a", "path": "/d"}, {"op": "test", "path": "/c", "value": 1}]);
        assert_eq!(applied(json!({"a": [1]}), patch).expect("applies"), json!({"b": 1, "c": 1, "d": [1]}));
        assert!(matches!(applied(json!({}), json!([{"op": "remove", "path": "/a"}])), Err(Error::Patch(_))));
    }

    #[test]
    fn a_field_that_is_not_there_is_null_and_can_be_replaced() {
        let patch =
            json!([{"op": "test", "path": "/a/b", "value": null}, {"op": "replace", "path": "/a/b", "value": 1}]);
        assert_eq!(applied(json!({"a": {}}), patch).expect("applies"), json!({"a": {"b": 1}}));
        for nowhere in ["/a/b", "/list/0"] {
            for patch in [
                json!([{"op": "test", "path": nowhere, "value": null}]),
                json!([{"op": "replace", "path": nowhere, "value": 1}]),
            ] {
                assert!(matches!(applied(json!({"list": []}), patch), Err(Error::Patch(_))));
            }
        }
        let patch = json!([{"op": "test", "path": "/a", "value": 0}]);
        assert!(matches!(applied(json!({}), patch), Err(Error::Patch(_))));
    }

    #[test]
    fn copies_do_not_grow_without_end() {
        let double = json!({"op": "copy", "from": "/a", "path": "/a/-"});
        let patch = Value::Array(vec![double; 60]);
        assert!(matches!(applied(json!({"a": ["x".repeat(1 << 16)]}), patch), Err(Error::TooLarge)));
    }

    #[test]
    fn nothing_nests_without_end() {
        let deeper: Vec<Value> = (1..200).map(|i| json!({"op": "add", "path": "/a".repeat(i), "value": {}})).collect();
        assert!(matches!(applied(json!({}), deeper.into()), Err(Error::TooLarge)));
        let many = Value::Array(vec![json!({"op": "test", "path": "", "value": {}}); OPERATIONS + 1]);
        assert!(matches!(applied(json!({}), many), Err(Error::TooMany(_))));
    }
}
