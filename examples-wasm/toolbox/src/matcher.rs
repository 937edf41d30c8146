//! Regular expressions as `grep` and `sed` have them, by way of the `regex-lite` crate, which has Perl's.

use regex_lite::{Captures, Regex, RegexBuilder};

/// Bytes that a compiled expression may take.
const LIMIT: usize = 4 << 20;

/// How a pattern is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// POSIX's older one: `\(`, `\{` and `\|` are special, their bare forms are not.
    Basic,
    Extended,
    /// No pattern at all.
    Fixed,
}

#[derive(Debug)]
pub struct Matcher(Regex);

impl Matcher {
    pub fn new(pattern: &str, syntax: Syntax, ignore_case: bool) -> Result<Matcher, String> {
        Matcher::any(&[pattern.to_owned()], syntax, ignore_case, ("", ""))
    }

    /// What any of the patterns matches, with something put before and behind.
    pub fn any(
        patterns: &[String],
        syntax: Syntax,
        ignore_case: bool,
        (before, after): (&str, &str),
    ) -> Result<Matcher, String> {
        let one = |pattern: &String| match syntax {
            Syntax::Fixed => regex_lite::escape(pattern),
            syntax => translate(pattern, syntax),
        };
        let all: Vec<String> = patterns.iter().map(one).collect();
        // Nothing matches when there is no pattern.
        let text = match &all[..] {
            [] => "[^\\s\\S]".to_owned(),
            [one] => format!("{before}{one}{after}"),
            all => format!("{before}(?:{}){after}", all.join("|")),
        };
        let regex = RegexBuilder::new(&text).case_insensitive(ignore_case).size_limit(LIMIT).build();
        regex.map(Matcher).map_err(|error| format!("bad regex '{}': {error}", patterns.join("\\n")))
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Every part that matches.
    pub fn all<'a>(&self, text: &'a str) -> Vec<&'a str> {
        self.0.find_iter(text).map(|found| found.as_str()).collect()
    }

    pub fn captures_at<'a>(&self, text: &'a str, at: usize) -> Option<Captures<'a>> {
        self.0.captures_at(text, at)
    }
}

/// POSIX's syntax in Perl's.
fn translate(pattern: &str, syntax: Syntax) -> String {
    let basic = syntax == Syntax::Basic;
    let mut letters = pattern.chars().peekable();
    let mut text = String::new();
    // At the start of an expression `*` means itself, and only there `^` means the start of a line.
    let mut start = true;
    while let Some(c) = letters.next() {
        let at_start = std::mem::replace(&mut start, false);
        match c {
            '\\' => match letters.next() {
                Some(special @ ('(' | ')' | '{' | '}' | '|' | '+' | '?')) if basic => {
                    text.push(special);
                    start = matches!(special, '(' | '|');
                }
                Some('<') => text.push_str(r"\b"),
                Some('>') => text.push_str(r"\b"),
                Some('\'') => text.push_str(r"\z"),
                Some('`') => text.push_str(r"\A"),
                Some(c @ ('/' | '"' | '#' | '%' | ',' | ':' | ';' | '@' | '!' | '=' | '_' | '~' | '&' | ' ')) => {
                    text.push_str(&regex_lite::escape(c.encode_utf8(&mut [0; 4])));
                }
                Some('\n') => text.push('\n'),
                Some(other) => text.extend(['\\', other]),
                None => text.push_str("\\\\"),
            },
            '[' => bracket(&mut letters, &mut text),
            '*' if at_start => {
                text.push_str("\\*");
            }
            '^' if basic && !at_start => text.push_str("\\^"),
            '^' => {
                text.push('^');
                start = true;
            }
            '$' if basic && !ends(&letters) => text.push_str("\\$"),
            '(' | ')' | '{' | '}' | '|' | '+' | '?' if basic => text.extend(['\\', c]),
            '(' | '|' => {
                text.push(c);
                start = true;
            }
            '{' if !is_count(&letters) => text.push_str("\\{"),
            c => text.push(c),
        }
    }
    text
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Whether `$` stands at the end of an expression.
fn ends(letters: &Letters) -> bool {
    let rest: String = letters.clone().take(2).collect();
    rest.is_empty() || rest == "\\)" || rest == "\\|"
}

/// Whether a brace begins a repetition, as in `{2,3}`.
fn is_count(letters: &Letters) -> bool {
    letters.clone().next().is_some_and(|c| c.is_ascii_digit() || c == ',')
}

/// `[…]`, in which a backslash is nothing special, and neither are what Perl has beyond POSIX.
fn bracket(letters: &mut Letters, text: &mut String) {
    text.push('[');
    if letters.next_if_eq(&'^').is_some() {
        text.push('^');
    }
    if letters.next_if_eq(&']').is_some() {
        text.push_str("\\]");
    }
    while let Some(c) = letters.next() {
        match c {
            ']' => return text.push(']'),
            '[' if letters.peek() == Some(&':') => {
                text.push('[');
                for c in letters.by_ref() {
                    text.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '\\' => match letters.peek() {
                Some('n') => drop((letters.next(), text.push_str("\\n"))),
                Some('t') => drop((letters.next(), text.push_str("\\t"))),
                Some(']') | None => text.push_str("\\\\"),
                Some(_) => text.push_str("\\\\"),
            },
            '[' | '&' | '~' => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, syntax: Syntax, text: &str) -> bool {
        Matcher::new(pattern, syntax, false).unwrap().is_match(text)
    }

    #[test]
    fn posix_patterns_mean_what_posix_says() {
        use Syntax::{Basic, Extended, Fixed};
        for (pattern, syntax, text, expected) in [
            ("a+", Basic, "a+", true),
            ("a+", Basic, "aa", false),
            ("a\\+", Basic, "aa", true),
            ("*a", Basic, "*a", true),
            ("\\(ab\\)*c", Basic, "ababc", true),
            ("a^b", Basic, "a^b", true),
            ("a$b", Basic, "a$b", true),
            ("x{1}", Basic, "x{1}", true),
            ("(a|b)+$", Extended, "xab", true),
            ("a{2}", Extended, "aa", true),
            ("{", Extended, "{", true),
            ("[\\.]", Extended, "\\", true),
            ("[]x]", Extended, "]", true),
            ("[[:digit:]]", Basic, "7", true),
            ("\\<word\\>", Basic, "a word b", true),
            ("\\/", Basic, "/", true),
            ("a.c", Fixed, "abc", false),
        ] {
            assert_eq!(matches(pattern, syntax, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn bad_patterns_are_refused() {
        assert!(Matcher::new("(", Syntax::Extended, false).is_err());
        assert!(Matcher::new("a{1000}{1000}{1000}", Syntax::Extended, false).is_err());
    }
}
