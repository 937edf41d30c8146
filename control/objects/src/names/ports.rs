//! Names and numbers of ports.

/// The name of a port (IANA service name).
pub fn port_name(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut unless = |good: bool, why: &str| {
        if !good {
            wrong.push(why.to_owned());
        }
    };
    unless(text.len() <= 15, "must be no more than 15 characters");
    unless(
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
    );
    unless(text.bytes().any(|b| b.is_ascii_lowercase()), "must contain at least one letter (a-z)");
    unless(!text.contains("--"), "must not contain consecutive hyphens");
    unless(!text.starts_with('-') && !text.ends_with('-'), "must not begin or end with a hyphen");
    wrong
}

/// The number of a port.
pub fn port_number(port: i64) -> Vec<String> {
    if (1..=65535).contains(&port) { Vec::new() } else { vec!["must be between 1 and 65535, inclusive".to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_names() {
        assert!(port_name("http").is_empty());
        assert_eq!(port_name("8080"), ["must contain at least one letter (a-z)"]);
        assert_eq!(port_name("a--b"), ["must not contain consecutive hyphens"]);
        assert_eq!(port_number(0), ["must be between 1 and 65535, inclusive"]);
    }
}
