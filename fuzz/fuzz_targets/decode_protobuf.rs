//! A body in protobuf: what can be read can be written, and reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let table = schema::builtin();
    let Ok(mut value) = schema::decode::protobuf(table, body) else { return };
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    if !sampan_fuzz::conforms_once(group, version, &kind, &mut value) {
        return;
    }
    let Ok(bytes) = schema::encode::protobuf(table, &value) else { return };
    let mut again = schema::decode::protobuf(table, &bytes).expect("what was written can be read");
    sampan_fuzz::conforms_once(group, version, &kind, &mut again);
    assert_eq!(again, value);
});
