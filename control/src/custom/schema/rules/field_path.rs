//! `fieldPath`: the field that a rule's failure is told of, `.spec.x` or `.map['key']`.

use super::super::Structural;

/// The path as errors show it, `spec.x`; none where the schema has no such field.
pub(in super::super) fn normalized(text: &str, schema: &Structural) -> Option<String> {
    let (mut path, mut rest, mut here) = (String::new(), text, schema);
    while !rest.is_empty() {
        let (name, after) = step(rest)?;
        match here.property(&name) {
            Some(property) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&name);
                here = property;
            }
            None if here.properties.is_empty() => {
                path.push_str(&format!("[{name}]"));
                here = here.additional()?;
            }
            None => return None,
        }
        rest = after;
    }
    Some(path)
}

fn step(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
        return (end > 0).then(|| (rest[..end].to_owned(), &rest[end..]));
    }
    let rest = text.strip_prefix("['")?;
    let (mut name, mut signs) = (String::new(), rest.char_indices());
    while let Some((at, c)) = signs.next() {
        match c {
            '\'' => return Some((name, rest[at + 1..].strip_prefix(']')?)),
            '\\' => name.push(unescaped(signs.next()?.1)?),
            c => name.push(c),
        }
    }
    None
}

fn unescaped(c: char) -> Option<char> {
    Some(match c {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\'' | '\\' => c,
        _ => return None,
    })
}
