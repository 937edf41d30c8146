//! Patterns of schemas: written for Go's regular expressions, matched by Rust's, which are as linear and as bounded.
//!
//! The two differ in small ways, and a pattern is rewritten where they do: `\d`, `\w`, `\s` and `\b` mean ASCII, a brace
//! that repeats nothing is a brace, and there are no set operations in classes.

use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

use regex::{Regex, RegexBuilder};

/// The largest compiled pattern, in bytes.
const LARGEST: usize = 8 << 20;

/// What matching may keep of a pattern's automaton, in bytes.
const CACHE: usize = 256 << 10;

/// The most often that something may be repeated by count.
const MOST_REPEATED: u32 = 1000;

/// A pattern and what it compiled to.
#[derive(Debug)]
pub(super) struct Pattern {
    source: Box<str>,
    compiled: Result<Regex, Box<str>>,
}

impl Pattern {
    /// Compiles a pattern. One that is none matches nothing.
    pub fn new(source: &str) -> Self {
        Self { source: source.into(), compiled: compile(source).map_err(Into::into) }
    }

    /// True when the pattern is somewhere in the text.
    pub fn matches(&self, text: &str) -> bool {
        self.compiled.as_ref().is_ok_and(|regex| regex.is_match(text))
    }

    /// Why it is no pattern.
    pub fn error(&self) -> Option<&str> {
        self.compiled.as_ref().err().map(|words| &**words)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.compiled {
            Ok(_) => f.write_str(&self.source),
            Err(words) => write!(f, "{}, but pattern is invalid: {words}", self.source),
        }
    }
}

fn compile(source: &str) -> Result<Regex, String> {
    let said = |words: String| format!("error parsing regexp: {words}");
    let rewritten = rewrite(source).map_err(said)?;
    RegexBuilder::new(&rewritten)
        .size_limit(LARGEST)
        .dfa_size_limit(CACHE)
        .build()
        .map_err(|error| said(in_words_of_go(source, &error.to_string())))
}

/// What Go would have said, where the two complain of the same.
fn in_words_of_go(source: &str, error: &str) -> String {
    let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
    match last {
        "unclosed group" => format!("missing closing ): `{source}`"),
        "unopened group" => format!("unexpected ): `{source}`"),
        "repetition operator missing expression" => match source.find(['*', '+', '?', '{']) {
            Some(at) => format!("missing argument to repetition operator: `{}`", &source[at..=at]),
            None => last.to_owned(),
        },
        "invalid character class range, the start must be <= the end" => "invalid character class range".to_owned(),
        _ if error.contains("size limit") => "expression too large".to_owned(),
        _ => format!("{last}: `{source}`"),
    }
}

fn rewrite(source: &str) -> Result<String, String> {
    let mut rewriter = Rewriter { source, rest: source.char_indices().peekable(), out: String::new() };
    while let Some((at, c)) = rewriter.rest.next() {
        match c {
            '\\' => rewriter.escape(at, false)?,
            '[' => rewriter.class(at)?,
            '(' => rewriter.group(at)?,
            '{' => rewriter.repeat(at)?,
            '}' | ']' => rewriter.literal(c),
            _ => rewriter.out.push(c),
        }
    }
    Ok(rewriter.out)
}

struct Rewriter<'a> {
    source: &'a str,
    rest: Peekable<CharIndices<'a>>,
    out: String,
}

impl Rewriter<'_> {
    fn literal(&mut self, c: char) {
        if c.is_ascii_punctuation() {
            self.out.push_str(&format!("\\x{{{:x}}}", u32::from(c)));
        } else {
            self.out.push(c);
        }
    }

    fn escape(&mut self, at: usize, in_class: bool) -> Result<(), String> {
        let Some((_, c)) = self.rest.next() else {
            return Err("trailing backslash at end of expression: ``".to_owned());
        };
        match (c, in_class) {
            ('d', true) => self.out.push_str("0-9"),
            ('w', true) => self.out.push_str("0-9A-Za-z_"),
            ('s', true) => self.out.push_str("\\t\\n\\f\\r "),
            ('d', false) => self.out.push_str("[0-9]"),
            ('w', false) => self.out.push_str("[0-9A-Za-z_]"),
            ('s', false) => self.out.push_str("[\\t\\n\\f\\r ]"),
            ('D', _) => self.out.push_str("[^0-9]"),
            ('W', _) => self.out.push_str("[^0-9A-Za-z_]"),
            ('S', _) => self.out.push_str("[^\\t\\n\\f\\r ]"),
            ('b', false) => self.out.push_str("(?-u:\\b)"),
            ('Q', false) => self.quotation(),
            ('A' | 'z' | 'B', false) | ('a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P', _) => {
                self.out.push('\\');
                self.out.push(c);
                self.braces();
            }
            ('0'..='7', _) => self.octal(at, c)?,
            (c, _) if c.is_ascii_punctuation() => self.literal(c),
            _ => return Err(format!("invalid escape sequence: `{}`", &self.source[at..at + 1 + c.len_utf8()])),
        }
        Ok(())
    }

    /// What an escape names in braces: `\x{1F600}`, `\p{Greek}`.
    fn braces(&mut self) {
        if self.rest.next_if(|(_, c)| *c == '{').is_none() {
            return;
        }
        self.out.push('{');
        for (_, c) in self.rest.by_ref() {
            self.out.push(c);
            if c == '}' {
                return;
            }
        }
    }

    fn octal(&mut self, at: usize, first: char) -> Result<(), String> {
        let mut code = first.to_digit(8).unwrap_or_default();
        let mut digits = 1;
        while digits < 3 {
            let Some((_, c)) = self.rest.next_if(|(_, c)| c.is_digit(8)) else { break };
            code = code * 8 + c.to_digit(8).unwrap_or_default();
            digits += 1;
        }
        if first != '0' && digits == 1 {
            return Err(format!("invalid escape sequence: `{}`", &self.source[at..at + 2]));
        }
        self.out.push_str(&format!("\\x{{{code:x}}}"));
        Ok(())
    }

    /// `\Q…\E`
    fn quotation(&mut self) {
        while let Some((at, c)) = self.rest.next() {
            if self.source[at..].starts_with("\\E") {
                self.rest.next();
                return;
            }
            self.literal(c);
        }
    }

    fn class(&mut self, start: usize) -> Result<(), String> {
        self.out.push('[');
        if self.rest.next_if(|(_, c)| *c == '^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        while let Some((at, c)) = self.rest.next() {
            match c {
                ']' if !is_first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if self.source[at..].starts_with("[:") => self.posix(at),
                '\\' => self.escape(at, true)?,
                '-' if self.is_range(is_first) => {
                    self.out.push('-');
                    if let Some((_, c)) = self.rest.next_if(|(_, c)| *c != '\\') {
                        self.literal(c);
                    }
                }
                c => self.literal(c),
            }
            is_first = false;
        }
        Err(format!("missing closing ]: `{}`", &self.source[start..]))
    }

    /// True when a dash in a class has something on both sides.
    fn is_range(&mut self, is_first: bool) -> bool {
        !is_first && self.rest.peek().is_some_and(|(_, c)| *c != ']')
    }

    /// `[:alpha:]`, or a bracket that is only one.
    fn posix(&mut self, at: usize) {
        let Some(length) = self.source[at + 2..].find(":]").map(|end| end + 4) else { return self.literal('[') };
        let name = &self.source[at..at + length];
        if !name[2..length - 2].chars().all(|c| c == '^' || c.is_ascii_lowercase()) {
            return self.literal('[');
        }
        self.out.push_str(name);
        self.rest.nth(length - 2);
    }

    fn group(&mut self, at: usize) -> Result<(), String> {
        let rest = &self.source[at..];
        for perl in ["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?#"] {
            if rest.starts_with(perl) {
                return Err(format!("invalid or unsupported Perl syntax: `{}`", &perl[..3]));
            }
        }
        self.out.push('(');
        Ok(())
    }

    fn repeat(&mut self, at: usize) -> Result<(), String> {
        let Some(counts) = self.source[at + 1..].split_once('}').map(|(counts, _)| counts) else {
            self.literal('{');
            return Ok(());
        };
        let (low, high) = counts.split_once(',').unwrap_or((counts, ""));
        let is_count = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_count(low) || !(high.is_empty() || is_count(high)) {
            self.literal('{');
            return Ok(());
        }
        let is_too_often = |text: &str| !text.is_empty() && !text.parse::<u32>().is_ok_and(|n| n <= MOST_REPEATED);
        if is_too_often(low) || is_too_often(high) {
            return Err(format!("invalid repeat count: `{{{counts}}}`"));
        }
        self.out.push('{');
        self.out.push_str(counts);
        self.out.push('}');
        self.rest.nth(counts.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, text, is_match) in [
            (r"^\d+$", "42", true),
            (r"^\d+$", "٤٢", false),
            (r"^\w+$", "a_1", true),
            (r"^[\w.-]+$", "a.b-c", true),
            (r"^[^\s]+$", "a b", false),
            (r"^a{,2}$", "a{,2}", true),
            (r"^a{2,3}$", "aaa", true),
            (r"^[[]x[]]$", "[x]", true),
            (r"^[]a]+$", "]a]", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[+--]+$", "+,-", true),
            (r"^[a-]+$", "a-", true),
            (r"^[[:alpha:]]+$", "ab", true),
            (r"^[[:]+$", "[:", true),
            (r"^[[:é:]]$", "é]", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"^\x41\101$", "AA", true),
            (r"\bfoo\b", "a foo b", true),
            (r"^\<\>\/\-$", "<>/-", true),
            ("é+", "caféé", true),
            (r"^(\d|[1-9]\d)$", "42", true),
            (r"^\p{Greek}\pL$", "αb", true),
            ("^.$", "é", true),
            ("(?i)^abc$", "ABC", true),
            ("^a$", "a\n", false),
        ] {
            let compiled = Pattern::new(pattern);
            assert_eq!(compiled.error(), None, "{pattern}");
            assert_eq!(compiled.matches(text), is_match, "{pattern} in {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_told_in_words_of_go() {
        for (pattern, words) in [
            ("a(?=b)", "invalid or unsupported Perl syntax: `(?=`"),
            ("[abc", "missing closing ]: `[abc`"),
            ("(abc", "missing closing ): `(abc`"),
            ("abc)", "unexpected ): `abc)`"),
            ("*", "missing argument to repetition operator: `*`"),
            (r"\y", r"invalid escape sequence: `\y`"),
            (r"(a)\1", r"invalid escape sequence: `\1`"),
            ("a\\", "trailing backslash at end of expression: ``"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("((((a{1000}){1000}){1000}){1000})", "expression too large"),
        ] {
            let error = format!("error parsing regexp: {words}");
            assert_eq!(Pattern::new(pattern).error(), Some(&*error), "{pattern}");
            assert!(!Pattern::new(pattern).matches("a"));
        }
    }
}
