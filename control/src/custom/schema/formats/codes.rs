//! Formats of codes and numbers.

use std::iter::zip;

/// Twelve bytes in hexadecimal.
pub(super) fn is_object_id(text: &str) -> bool {
    text.len() == 24 && is_hex(text)
}

/// Standard base64 with its padding, of one byte at least.
pub(super) fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

/// Digits with the prefix of an issuer and a checksum; anything between the digits.
pub(super) fn is_credit_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let number: String = text.chars().filter(char::is_ascii_digit).collect();
    is_issued(&number) && luhn(&digits)
}

fn is_issued(number: &str) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| number.starts_with(prefix));
    match number.len() {
        13 => starts(&["4"]),
        14 => starts(&["300", "301", "302", "303", "304", "305", "36", "38"]),
        15 => starts(&["34", "37", "2131", "1800"]),
        16 => {
            starts(&["4", "51", "52", "53", "54", "55", "6011", "65", "35"])
                || number.get(..4).and_then(|n| n.parse().ok()).is_some_and(|n: u32| (2221..=2720).contains(&n))
        }
        _ => false,
    }
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |n: u32| if n > 4 { n * 2 - 9 } else { n * 2 };
    let sum: u32 = digits.iter().rev().enumerate().map(|(i, n)| if i % 2 == 1 { doubled(*n) } else { *n }).sum();
    sum.is_multiple_of(10)
}

/// `#fff` or `ffffff`
pub(super) fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && is_hex(digits)
}

/// `rgb(255, 255, 255)`
pub(super) fn is_rgb_color(text: &str) -> bool {
    let inner = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')'));
    let is_part = |part: &str| {
        let part = part.trim();
        let is_plain = part == "0" || !part.starts_with('0');
        is_plain && part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u8>().is_ok()
    };
    inner.is_some_and(|inner| inner.split(',').count() == 3 && inner.split(',').all(is_part))
}

/// Ten digits, the last of them maybe `X`, with a checksum.
pub(super) fn is_isbn10(text: &str) -> bool {
    let code = without_marks(text);
    let digit = |(at, c): (usize, char)| if at == 9 && c == 'X' { Some(10) } else { c.to_digit(10) };
    let digits: Option<Vec<u32>> = code.char_indices().map(digit).collect();
    digits.is_some_and(|d| d.len() == 10 && zip(&d, 1..).map(|(n, weight)| n * weight).sum::<u32>().is_multiple_of(11))
}

/// Thirteen digits with a checksum.
pub(super) fn is_isbn13(text: &str) -> bool {
    let digits: Option<Vec<u32>> = without_marks(text).chars().map(|c| c.to_digit(10)).collect();
    let sum = |d: &[u32]| -> u32 { zip(d, [1, 3].iter().cycle()).map(|(n, weight)| n * weight).sum() };
    digits.is_some_and(|d| d.len() == 13 && sum(&d).is_multiple_of(10))
}

/// Either of them.
pub(super) fn is_isbn(text: &str) -> bool {
    is_isbn10(text) || is_isbn13(text)
}

fn without_marks(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

/// `123-45-6789`, the marks may be blanks or missing.
pub(super) fn is_social_security_number(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_mark = |at: usize| text.get(at..=at).is_some_and(|c| c == "-" || c == " ");
    let marks = match text.len() {
        11 => is_mark(3) && is_mark(6),
        10 => is_mark(3) || is_mark(5),
        length => length == 9,
    };
    digits.len() == 9 && marks
}

/// A UUID with or without its dashes, of a version or any.
pub(super) fn is_uuid(text: &str, version: Option<char>) -> bool {
    let mut digits = String::with_capacity(32);
    for c in text.chars() {
        match c {
            '-' if matches!(digits.len(), 8 | 12 | 16 | 20) && !text.contains("--") => {}
            c if c.is_ascii_hexdigit() => digits.push(c.to_ascii_lowercase()),
            _ => return false,
        }
    }
    let at = |index: usize| digits[index..].chars().next();
    digits.len() == 32
        && !text.ends_with('-')
        && version.is_none_or(|version| at(12) == Some(version))
        && (!matches!(version, Some('4' | '5')) || matches!(at(16), Some('8' | '9' | 'a' | 'b')))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}
