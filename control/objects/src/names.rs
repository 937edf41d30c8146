//! Which names are names, in Kubernetes' words where they are not.
//!
//! Each validator returns what is wrong, as upstream's `k8s.io/apimachinery/pkg/util/validation` says it: an empty list is a
//! good name.

mod ports;
mod qualified;

use rand::Rng;

pub use ports::{port_name, port_number};
pub use qualified::{label_value, qualified_name};

/// What generated names and hashes are written with: no vowels, no look-alikes.
pub const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

const LABEL_MAX: usize = 63;
const SUBDOMAIN_MAX: usize = 253;
const SUFFIX: usize = 5;

/// A name made of a prefix and five random characters, as `metadata.generateName` asks for.
pub fn generate(prefix: &str) -> String {
    let mut end = prefix.len().min(LABEL_MAX - SUFFIX);
    while !prefix.is_char_boundary(end) {
        end -= 1;
    }
    let mut name = prefix[..end].to_owned();
    let mut rng = rand::rng();
    name.extend((0..SUFFIX).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])));
    name
}

/// A lowercase RFC 1123 label: names of namespaces, containers, volumes.
pub fn dns1123_label(text: &str) -> Vec<String> {
    let mut wrong = longer_than(LABEL_MAX, text);
    if !is_label(text) {
        wrong.push(DNS1123_LABEL.into());
    }
    wrong
}

/// A lowercase RFC 1123 subdomain: names of most objects.
pub fn dns1123_subdomain(text: &str) -> Vec<String> {
    let mut wrong = longer_than(SUBDOMAIN_MAX, text);
    if !text.split('.').all(is_label) {
        wrong.push(DNS1123_SUBDOMAIN.into());
    }
    wrong
}

/// A DNS-1035 label: names of services.
pub fn dns1035_label(text: &str) -> Vec<String> {
    let mut wrong = longer_than(LABEL_MAX, text);
    if !(is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())) {
        wrong.push(DNS1035_LABEL.into());
    }
    wrong
}

/// A name that can stand in a URL's path.
pub fn path_segment(text: &str) -> Vec<String> {
    match text {
        "." | ".." => vec![format!("may not be '{text}'")],
        _ => ['/', '%'].iter().filter(|c| text.contains(**c)).map(|c| format!("may not contain '{c}'")).collect(),
    }
}

/// The name of an environment variable, as 1.32 and later take it.
pub fn env_var_name(text: &str) -> Vec<String> {
    if text.is_empty() {
        return vec!["environment variable name must be non-empty".into()];
    }
    if text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'=') {
        return Vec::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".into()]
}

/// A key of a ConfigMap or Secret.
pub fn config_map_key(text: &str) -> Vec<String> {
    let mut wrong = longer_than(SUBDOMAIN_MAX, text);
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        wrong.push(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
             'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                .into(),
        );
    }
    match text {
        "." | ".." => wrong.push(format!("must not be '{text}'")),
        _ if text.starts_with("..") => wrong.push("must not start with '..'".into()),
        _ => {}
    }
    wrong
}

const DNS1123_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and \
    must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS1123_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
    or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS1035_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
    alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
    validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    matches!((bytes.first(), bytes.last()), (Some(a), Some(z)) if *a != b'-' && *z != b'-') && bytes.iter().all(inner)
}

fn longer_than(max: usize, text: &str) -> Vec<String> {
    if text.len() > max { vec![format!("must be no more than {max} characters")] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_subdomains() {
        for good in ["a", "my-name", "123-abc", "0"] {
            assert_eq!(dns1123_label(good), Vec::<String>::new(), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a.b", "a_b", "ä"] {
            assert_eq!(dns1123_label(bad), [DNS1123_LABEL], "{bad}");
        }
        assert!(dns1123_subdomain("example.com").is_empty());
        assert!(!dns1123_subdomain("example..com").is_empty());
        assert!(!dns1035_label("1a").is_empty());
        assert_eq!(dns1123_label(&"a".repeat(64)), ["must be no more than 63 characters"]);
        assert_eq!(
            dns1123_subdomain("Example"),
            [
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ]
        );
    }

    #[test]
    fn generated_names_fit_a_label() {
        let name = generate(&"x".repeat(80));
        assert_eq!(name.len(), 63);
        let name = generate("web-");
        assert!(name.starts_with("web-") && name.len() == 9 && dns1123_label(&name).is_empty());
    }

    #[test]
    fn keys_and_segments() {
        assert!(config_map_key("a.b_c-D").is_empty());
        assert_eq!(config_map_key(".."), ["must not be '..'"]);
        assert_eq!(path_segment("a/b"), ["may not contain '/'"]);
    }
}
