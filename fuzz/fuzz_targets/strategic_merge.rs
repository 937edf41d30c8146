//! Two documents, one patched with the other: the result is a Deployment again, or there is an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Some([mut object, patch]) = sampan_fuzz::two(body) else { return };
    let Some(ty) = schema::builtin().kind("apps", "v1", "Deployment") else { return };
    if schema::admit::conform(ty, &mut object).is_err() {
        return;
    }
    let Ok(mut patched) = schema::merge::strategic(ty, object, patch) else { return };
    sampan_fuzz::conforms_once("apps", "v1", "Deployment", &mut patched);
});
