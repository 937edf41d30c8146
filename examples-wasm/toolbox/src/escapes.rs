//! Backslashes in `echo -e`, `printf`, `tr` and `$'…'`.

/// The bytes that a text with C's escapes means, and whether `\c` ended it early. `echo` wants a zero before the digits
/// of a number, others do not.
pub fn unescape(text: &str, zero: bool) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let Some((letter, tail)) = rest.split_first() else {
            bytes.push(b'\\');
            break;
        };
        rest = tail;
        match letter {
            b'a' => bytes.push(7),
            b'b' => bytes.push(8),
            b'e' => bytes.push(27),
            b'f' => bytes.push(12),
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'v' => bytes.push(11),
            b'\\' => bytes.push(b'\\'),
            b'c' => return (bytes, true),
            b'x' => match digits(&mut rest, 16, 2) {
                Some(value) => bytes.push(value as u8),
                None => bytes.extend_from_slice(b"\\x"),
            },
            b'u' => match digits(&mut rest, 16, 4).and_then(char::from_u32) {
                Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => bytes.extend_from_slice(b"\\u"),
            },
            b'0' if zero => bytes.push(digits(&mut rest, 8, 3).unwrap_or(0) as u8),
            b'0'..=b'7' if !zero => {
                rest = &text.as_bytes()[text.len() - rest.len() - 1..];
                bytes.push(digits(&mut rest, 8, 3).unwrap_or(0) as u8);
            }
            other => bytes.extend_from_slice(&[b'\\', *other]),
        }
    }
    (bytes, false)
}

/// Up to so many digits.
fn digits(rest: &mut &[u8], base: u32, most: usize) -> Option<u32> {
    let mut value = None;
    for _ in 0..most {
        let Some(digit) = rest.first().and_then(|byte| char::from(*byte).to_digit(base)) else { break };
        value = Some(value.unwrap_or(0) * base + digit);
        *rest = &rest[1..];
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_c() {
        assert_eq!(unescape("a\\tb\\n", false).0, b"a\tb\n");
        assert_eq!(unescape("\\101\\x42\\u00e9", false).0, "AB\u{e9}".as_bytes());
        assert_eq!(unescape("\\0101\\7", true).0, b"A\\7");
        assert_eq!(unescape("a\\cb", true), (b"a".to_vec(), true));
        assert_eq!(unescape("\\q\\", false).0, b"\\q\\");
    }
}
