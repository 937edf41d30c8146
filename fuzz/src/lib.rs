//! What the targets have in common.

use serde_json::Value;

/// Makes a value of a type, if it is one, and checks that doing so twice changes nothing more. True where it is one.
///
/// # Panics
/// When the second time changes something: that is what the targets look for.
pub fn conforms_once(group: &str, version: &str, kind: &str, value: &mut Value) -> bool {
    let Some(ty) = schema::builtin().kind(group, version, kind) else { return false };
    if schema::admit::conform(ty, value).is_err() {
        return false;
    }
    schema::default::apply(ty, value);
    schema::admit::conform(ty, value).expect("defaults fit their type");
    let once = value.clone();
    schema::admit::conform(ty, value).expect("a value of the type stays one");
    assert_eq!(once.to_string(), value.to_string(), "conforming twice changed something");
    true
}

/// Two JSON documents, one after the other with a zero byte between them.
pub fn two(body: &[u8]) -> Option<[Value; 2]> {
    let at = body.iter().position(|byte| *byte == 0)?;
    let read = |bytes: &[u8]| schema::decode::json(bytes).ok().map(|decoded| decoded.value);
    Some([read(&body[..at])?, read(&body[at + 1..])?])
}
