//! The hash that names a ReplicaSet after its pod template.

use std::io;

use k8s_openapi::api::core::v1::PodTemplateSpec;

use crate::names::ALPHABET;

/// FNV-1a, 32 bits, fed by a serializer.
struct Fnv(u32);

impl Fnv {
    const fn new() -> Self {
        Self(0x811c_9dc5)
    }
}

impl io::Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The hash of a template: its typed JSON (fields in a fixed order, maps sorted) and, after a collision, a counter.
///
/// Upstream hashes a dump of Go structs, which nothing else can reproduce; only stability within one cluster matters,
/// and equality of templates is decided by comparing them, never by this hash.
pub fn pod_template(template: &PodTemplateSpec, collision_count: Option<i32>) -> String {
    let mut hash = Fnv::new();
    let written = serde_json::to_writer(&mut hash, template);
    debug_assert!(written.is_ok(), "a template is plain data");
    if let Some(count) = collision_count {
        let _ = io::Write::write(&mut hash, &i64::from(count).to_le_bytes());
    }
    safe(&hash.0.to_string())
}

/// A 32-bit hash of any bytes, in the same alphabet.
pub fn bytes(data: &[u8]) -> String {
    let mut hash = Fnv::new();
    let _ = io::Write::write(&mut hash, data);
    safe(&hash.0.to_string())
}

/// Every character mapped into the alphabet without vowels and look-alikes.
fn safe(text: &str) -> String {
    text.bytes().map(|b| char::from(ALPHABET[usize::from(b) % ALPHABET.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_templates_have_equal_hashes_and_collisions_move_them() {
        let template = PodTemplateSpec::default();
        let plain = pod_template(&template, None);
        assert_eq!(plain, pod_template(&template.clone(), None));
        assert_ne!(plain, pod_template(&template, Some(0)));
        assert_ne!(pod_template(&template, Some(1)), pod_template(&template, Some(2)));
        assert!(plain.bytes().all(|b| ALPHABET.contains(&b)));
    }

    #[test]
    fn fnv_is_the_published_one() {
        let mut hash = Fnv::new();
        let _ = io::Write::write(&mut hash, b"foobar");
        assert_eq!(hash.0, 0xbf9c_f968);
    }
}
