//! Names with an optional prefix: keys of labels and annotations, resources; and the values of labels.

use super::{LABEL_MAX, dns1123_subdomain, longer_than};

const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// `name` or `prefix/name`.
pub fn qualified_name(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut parts = text.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(""), Some(name), None) => {
            wrong.push("prefix part must be non-empty".into());
            name
        }
        (Some(prefix), Some(name), None) => {
            wrong.extend(dns1123_subdomain(prefix).into_iter().map(|w| format!("prefix part {w}")));
            name
        }
        _ => {
            return vec![format!(
                "a qualified name {NAME} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".into());
    }
    wrong.extend(longer_than(LABEL_MAX, name).into_iter().map(|w| format!("name part {w}")));
    if !is_name(name) {
        wrong.push(format!("name part {NAME}"));
    }
    wrong
}

/// The value of a label.
pub fn label_value(text: &str) -> Vec<String> {
    let mut wrong = longer_than(LABEL_MAX, text);
    if !text.is_empty() && !is_name(text) {
        wrong.push(VALUE.into());
    }
    wrong
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for good in ["app", "kubernetes.io/metadata.name", "A_b.c-9"] {
            assert!(qualified_name(good).is_empty(), "{good}");
        }
        assert_eq!(qualified_name("/a"), ["prefix part must be non-empty"]);
        assert_eq!(qualified_name("-a"), [format!("name part {NAME}")]);
        assert!(qualified_name("a/b/c")[0].ends_with("(e.g. 'example.com/MyName')"));
        assert_eq!(qualified_name("").first().map(String::as_str), Some("name part must be non-empty"));
    }

    #[test]
    fn values() {
        assert!(label_value("").is_empty());
        assert_eq!(label_value("a b"), [VALUE]);
    }
}
