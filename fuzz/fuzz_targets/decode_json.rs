//! A body in JSON: read it, make a Deployment of it, and write that.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(mut decoded) = schema::decode::json(body) else { return };
    sampan_fuzz::conforms_once("apps", "v1", "Deployment", &mut decoded.value);
});
