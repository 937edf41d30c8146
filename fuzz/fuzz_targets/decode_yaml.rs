//! A body in YAML: read it, and make a Pod of it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(mut decoded) = schema::decode::yaml(body) else { return };
    sampan_fuzz::conforms_once("", "v1", "Pod", &mut decoded.value);
});
