//! Patterns: `*`, `?`, `[…]`, and `\` before what means itself.

/// Whether the whole text is as the pattern says.
///
/// Only the last `*` is ever tried again, so that no pattern takes more than the product of both lengths.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p + 1, t));
            p += 1;
        } else if t == text.len() && p == pattern.len() {
            return true;
        } else if let Some(next) = text.get(t).and_then(|c| one(&pattern, p, *c)) {
            (p, t) = (next, t + 1);
        } else if let Some((after, from)) = star.filter(|(_, from)| *from < text.len()) {
            (p, t) = (after, from + 1);
            star = Some((after, from + 1));
        } else {
            return false;
        }
    }
}

/// Where the pattern goes on when its next element is this character.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => match set(pattern, at, c) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => (c == '[').then_some(at + 1),
        },
        '\\' if at + 1 < pattern.len() => (pattern[at + 1] == c).then_some(at + 2),
        literal => (*literal == c).then_some(at + 1),
    }
}

/// Whether the character is in the set that starts here, and where the set ends. None: it has no end.
fn set(pattern: &[char], start: usize, c: char) -> Option<(bool, usize)> {
    let mut at = start + 1;
    let negated = matches!(pattern.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        match pattern.get(at)? {
            ']' if at > first => return Some((found != negated, at + 1)),
            '[' if pattern.get(at + 1) == Some(&':') => {
                let end =
                    (at + 2..pattern.len()).find(|end| pattern[*end] == ':' && pattern.get(end + 1) == Some(&']'))?;
                let name: String = pattern[at + 2..end].iter().collect();
                found |= is_of_class(&name, c);
                at = end + 2;
            }
            _ => {
                let (low, next) = member(pattern, at)?;
                at = next;
                let mut high = low;
                if pattern.get(at) == Some(&'-') && pattern.get(at + 1).is_some_and(|c| *c != ']') {
                    (high, at) = member(pattern, at + 1)?;
                }
                found |= (low..=high).contains(&c);
            }
        }
    }
}

fn member(pattern: &[char], at: usize) -> Option<(char, usize)> {
    match pattern.get(at)? {
        '\\' => Some((*pattern.get(at + 1)?, at + 2)),
        c => Some((*c, at + 1)),
    }
}

/// The classes of POSIX, `[:alpha:]` and so on.
pub fn is_of_class(class: &str, c: char) -> bool {
    match class {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_whitespace(),
        "blank" => c == ' ' || c == '\t',
        "punct" => c.is_ascii_punctuation(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && !c.is_whitespace(),
        "cntrl" => c.is_control(),
        "xdigit" => c.is_ascii_hexdigit(),
        _ => false,
    }
}

/// A pattern that means this text and nothing else.
pub fn escape(text: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\\' | '-' | '!' | '^');
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        if special(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

/// The text without what the pattern says at its start or its end.
pub fn trim<'a>(text: &'a str, pattern: &str, suffix: bool, longest: bool) -> &'a str {
    let mut cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    // The shortest match first: from the end for a suffix, from the start for a prefix.
    if suffix != longest {
        cuts.reverse();
    }
    let part = |cut: &usize| if suffix { &text[*cut..] } else { &text[..*cut] };
    match cuts.iter().find(|cut| matches(pattern, part(cut))) {
        Some(cut) if suffix => &text[..*cut],
        Some(cut) => &text[*cut..],
        None => text,
    }
}

/// The text with what the pattern matches, the longest first, replaced.
pub fn replace(text: &str, pattern: &str, with: &str, all: bool) -> String {
    let (anchor, pattern) = match pattern.chars().next() {
        Some('#') => (Some(true), &pattern[1..]),
        Some('%') => (Some(false), &pattern[1..]),
        _ => (None, pattern),
    };
    let mut result = String::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let here = anchor != Some(true) || at == 0;
        let ends = rest.char_indices().map(|(end, c)| end + c.len_utf8()).rev();
        let ends = ends.filter(|end| anchor != Some(false) || *end == rest.len());
        let found = if here { ends.into_iter().find(|end| matches(pattern, &rest[..*end])) } else { None };
        let Some(end) = found else {
            let c = rest.chars().next().unwrap_or_default();
            result.push(c);
            at += c.len_utf8();
            continue;
        };
        result.push_str(with);
        at += end;
        if !all {
            break;
        }
    }
    result + &text[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.gz", false),
            ("a*b*c", "aXXbYYc", true),
            ("?", "é", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[[:digit:]]*", "7up", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("[", "[", true),
            ("[\\]]", "]", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!matches(&"a*".repeat(40), &"a".repeat(5_000).replace("aaaaa", "aaaab")[..4_999].replace('a', "b")));
    }

    #[test]
    fn trims_the_shortest_and_the_longest() {
        assert_eq!(trim("a/b/c", "/*", true, false), "a/b");
        assert_eq!(trim("a/b/c", "/*", true, true), "a");
        assert_eq!(trim("a/b/c", "*/", false, false), "b/c");
        assert_eq!(trim("a/b/c", "*/", false, true), "c");
        assert_eq!(trim("abc", "x*", false, true), "abc");
    }

    #[test]
    fn replaces_once_or_everywhere() {
        assert_eq!(replace("a.b.c", ".", "-", false), "a-b.c");
        assert_eq!(replace("a.b.c", ".", "-", true), "a-b-c");
        assert_eq!(replace("aXb", "[A-Z]", "", true), "ab");
    }
}
