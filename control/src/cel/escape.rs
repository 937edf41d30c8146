//! Field names that are no identifiers of CEL: `a-b` is asked for as `self.a__dash__b`.

/// Words of CEL, which are written `__in__` where a field has that name.
const WORDS: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Longer sequences first: `__` is escaped itself.
const SEQUENCES: [(&str, &str); 4] =
    [("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/")];

/// The field that an identifier means: `a__dash__b` is `a-b`. An identifier that escapes nothing is the field.
pub fn field(identifier: &str) -> String {
    let word = identifier.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    if let Some(word) = word.filter(|word| WORDS.contains(word)) {
        return word.to_owned();
    }
    let mut plain = String::with_capacity(identifier.len());
    let mut rest = identifier;
    'next: while !rest.is_empty() {
        for (escaped, text) in SEQUENCES {
            if let Some(after) = rest.strip_prefix(escaped) {
                plain.push_str(text);
                rest = after;
                continue 'next;
            }
        }
        let end = rest.chars().next().map_or(rest.len(), char::len_utf8);
        plain.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    plain
}

/// True for what can be the name of a variable.
pub fn is_identifier(name: &str) -> bool {
    let start = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    start && !WORDS.contains(&name) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The identifier a field is asked for with; none where it can't be written.
pub fn identifier(field: &str) -> Option<String> {
    if WORDS.contains(&field) {
        return Some(format!("__{field}__"));
    }
    if field.is_empty() || field.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut escaped = field.replace("__", "__underscores__");
    for (sequence, text) in &SEQUENCES[1..] {
        escaped = escaped.replace(text, sequence);
    }
    escaped.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_').then_some(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_escaped_and_found_again() {
        for (plain, escaped) in [
            ("a-b", "a__dash__b"),
            ("a.b/c", "a__dot__b__slash__c"),
            ("namespace", "__namespace__"),
            ("a__b", "a__underscores__b"),
            ("int", "int"),
        ] {
            assert_eq!(identifier(plain).as_deref(), Some(escaped));
            assert_eq!(field(escaped), plain);
        }
        assert_eq!(identifier("1a"), None);
        assert_eq!(identifier("a b"), None);
    }
}
