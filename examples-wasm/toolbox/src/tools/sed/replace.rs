//! `s///`: finds and puts in.

use super::syntax::{Piece, Substitution};
use crate::matcher::Matcher;

/// The text with what matches replaced; None: nothing does.
pub fn substituted(text: &str, matcher: &Matcher, substitution: &Substitution) -> Option<String> {
    let mut result = String::new();
    let (mut at, mut count, mut copied) = (0, 0, 0);
    let mut last_end = None;
    while let Some(captures) = matcher.captures_at(text, at) {
        let whole = captures.get(0)?;
        let empty_again = whole.is_empty() && last_end == Some(whole.start());
        if !empty_again {
            count += 1;
            if count >= substitution.nth {
                result.push_str(&text[copied..whole.start()]);
                put(&mut result, &substitution.with, &captures);
                copied = whole.end();
                if !substitution.global {
                    break;
                }
            }
        }
        last_end = Some(whole.end());
        at = match whole.is_empty() {
            true => whole.end() + text[whole.end()..].chars().next().map_or(1, char::len_utf8),
            false => whole.end(),
        };
        if at > text.len() {
            break;
        }
    }
    (count >= substitution.nth).then(|| result + &text[copied..])
}

fn put(result: &mut String, with: &[Piece], captures: &regex_lite::Captures) {
    let (mut all, mut next) = (None, None);
    for piece in with {
        let text = match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Group(group) => captures.get(*group).map_or("", |group| group.as_str()),
            Piece::Case(case @ ('u' | 'l')) => {
                next = Some(*case);
                continue;
            }
            Piece::Case(case) => {
                all = (*case != 'E').then_some(*case);
                continue;
            }
        };
        let mut text = match all {
            Some('U') => text.to_uppercase(),
            Some('L') => text.to_lowercase(),
            _ => text.to_owned(),
        };
        if let (Some(case), Some(first)) = (next, text.chars().next()) {
            let rest = text.split_off(first.len_utf8());
            text = if case == 'u' { text.to_uppercase() } else { text.to_lowercase() } + &rest;
            next = None;
        }
        result.push_str(&text);
    }
}
