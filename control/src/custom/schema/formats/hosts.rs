//! Formats of places in a network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address in dots, or an IPv6 address that ends so.
pub(super) fn is_ipv4(text: &str) -> bool {
    text.contains('.') && text.parse::<IpAddr>().is_ok()
}

/// An address in colons.
pub(super) fn is_ipv6(text: &str) -> bool {
    text.contains(':') && text.parse::<IpAddr>().is_ok()
}

/// An address and the length of its prefix.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let longest = if address.parse::<Ipv4Addr>().is_ok() {
        32
    } else if address.parse::<Ipv6Addr>().is_ok() {
        128
    } else {
        return false;
    };
    length.bytes().all(|b| b.is_ascii_digit()) && length.parse().is_ok_and(|n: u32| n <= longest)
}

/// Six, eight or twenty bytes with colons or dashes between, or dots between pairs.
pub(super) fn is_mac(text: &str) -> bool {
    let is_group = |size: usize| move |group: &str| group.len() == size && group.bytes().all(|b| b.is_ascii_hexdigit());
    [(':', 2, [6, 8, 20]), ('-', 2, [6, 8, 20]), ('.', 4, [3, 4, 10])].iter().any(|(mark, size, counts)| {
        counts.contains(&text.split(*mark).count()) && text.split(*mark).all(is_group(*size))
    })
}

/// The name of a host, in letters of any script.
pub(super) fn is_hostname(text: &str) -> bool {
    let labels: Vec<Vec<char>> = text.split('.').map(|label| label.chars().collect()).collect();
    let is_short = text.len() <= 255 && text.split('.').all(|label| label.len() <= 63);
    let Some((last, others)) = labels.split_last() else { return false };
    is_short
        && if others.is_empty() { is_single(last) } else { others.iter().all(|label| is_label(label)) && is_last(last) }
}

/// A name without dots: at most one dash, and only as the second sign.
fn is_single(label: &[char]) -> bool {
    let Some((first, rest)) = label.split_first() else { return false };
    let rest = rest.strip_prefix(&['-']).unwrap_or(rest);
    is_sign(*first) && rest.iter().all(|c| is_sign(*c))
}

fn is_label(label: &[char]) -> bool {
    let ends = label.first().is_some_and(|c| is_sign(*c)) && label.last().is_some_and(|c| is_sign(*c));
    ends && label.iter().all(|c| is_sign(*c) || *c == '-')
}

/// The top-level domain: two signs at least, no two dashes in a row.
fn is_last(label: &[char]) -> bool {
    is_label(label) && label.len() > 1 && !label.windows(2).any(|pair| pair == ['-', '-'])
}

/// Letters, digits, and the symbols of other scripts.
fn is_sign(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~') || is_foreign(c)
}

fn is_foreign(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace() && !c.is_control() && !c.is_numeric()
}

/// An absolute URL, or an absolute path.
pub(super) fn is_uri(text: &str) -> bool {
    let is_written = !text.bytes().any(|b| b <= b' ' || b == 0x7f) && escapes_are_whole(text);
    let Some((scheme, rest)) = text.split_once(':').filter(|_| !text.starts_with('/')) else {
        return is_written && text.starts_with('/');
    };
    is_written && is_scheme(scheme) && rest.strip_prefix("//").is_none_or(|rest| is_authority(first_part(rest)))
}

fn first_part(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn is_authority(authority: &str) -> bool {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address, port),
            None => return false,
        },
        None => host.find(':').map_or((host, ""), |at| host.split_at(at)),
    };
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()));
    is_port && !host.contains(['<', '>', '"', '{', '}', '\\', '^', '`', '|'])
}

fn escapes_are_whole(text: &str) -> bool {
    let is_hex = |part: &[u8]| part.len() == 2 && part.iter().all(u8::is_ascii_hexdigit);
    text.bytes().enumerate().all(|(at, b)| b != b'%' || text.as_bytes().get(at + 1..at + 3).is_some_and(is_hex))
}

/// `someone@example.org`, also after a name: `Some One <someone@example.org>`.
pub(super) fn is_email(text: &str) -> bool {
    let text = text.trim();
    let address = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) if !name.contains(['@', '<', '>', ',', ';']) || name.trim().starts_with('"') => address,
        Some(_) => return false,
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let is_local = match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => !quoted.contains(['"', '\n', '\r']),
        None => is_dotted(local),
    };
    let is_literal = domain.starts_with('[') && domain.ends_with(']') && !domain[1..].contains('[');
    is_local && (is_literal || is_dotted(domain))
}

fn is_dotted(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
}

fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_foreign(c)
}
