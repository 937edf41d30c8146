//! What is spoken on a connection, by its first bytes: pure.

/// HTTP/2's greeting, with prior knowledge.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const METHODS: [&[u8]; 9] =
    [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"CONNECT ", b"OPTIONS ", b"TRACE ", b"PATCH "];

/// More bytes than this are never needed.
pub(super) const LONGEST: usize = PREFACE.len();

/// The judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Http1,
    Http2,
    Bytes,
    /// It may still become HTTP.
    More,
}

pub(super) fn judge(first: &[u8]) -> Verdict {
    if first.starts_with(PREFACE) {
        return Verdict::Http2;
    }
    if METHODS.iter().any(|method| first.starts_with(method)) {
        return Verdict::Http1;
    }
    if PREFACE.starts_with(first) || METHODS.iter().any(|method| method.starts_with(first)) {
        return Verdict::More;
    }
    Verdict::Bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes() {
        for (first, expected) in [
            (&b""[..], Verdict::More),
            (b"G", Verdict::More),
            (b"GET / HTTP/1.1\r\n", Verdict::Http1),
            (b"PATCH /x", Verdict::Http1),
            (b"P", Verdict::More),
            (b"PRI * HTTP/2.0\r\n", Verdict::More),
            (PREFACE, Verdict::Http2),
            (b"PING\r\n", Verdict::Bytes),
            (b"\x16\x03\x01", Verdict::Bytes),
            (b"get / ", Verdict::Bytes),
        ] {
            assert_eq!(judge(first), expected, "{}", first.escape_ascii());
        }
    }
}
