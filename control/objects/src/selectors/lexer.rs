//! The words of the label selector grammar.

/// A word and what it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    End,
    Error,
    ClosedPar,
    Comma,
    DoesNotExist,
    DoubleEquals,
    Equals,
    GreaterThan,
    Identifier,
    In,
    LessThan,
    NotEquals,
    NotIn,
    OpenPar,
}

/// All words of a selector, the last one [`Token::End`].
pub(super) fn words(text: &str) -> Vec<(Token, String)> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let Some(first) = rest.chars().next() else { break };
        let (token, length) = if is_special(first) { symbol(rest) } else { word(rest) };
        let literal = match token {
            Token::Error => format!("error expected: keyword found '{}'", &rest[..length]),
            _ => rest[..length].to_owned(),
        };
        words.push((token, literal));
        rest = &rest[length..];
    }
    words.push((Token::End, String::new()));
    words
}

fn is_special(c: char) -> bool {
    "=!(),><".contains(c)
}

fn word(rest: &str) -> (Token, usize) {
    let end = rest.find(|c| is_special(c) || " \t\r\n".contains(c)).unwrap_or(rest.len());
    let token = match &rest[..end] {
        "in" => Token::In,
        "notin" => Token::NotIn,
        _ => Token::Identifier,
    };
    (token, end)
}

/// The longest symbol at the start.
fn symbol(rest: &str) -> (Token, usize) {
    let two = match rest.as_bytes() {
        [b'=', b'=', ..] => Some(Token::DoubleEquals),
        [b'!', b'=', ..] => Some(Token::NotEquals),
        _ => None,
    };
    let one = match rest.as_bytes().first() {
        Some(b')') => Token::ClosedPar,
        Some(b'(') => Token::OpenPar,
        Some(b',') => Token::Comma,
        Some(b'!') => Token::DoesNotExist,
        Some(b'=') => Token::Equals,
        Some(b'>') => Token::GreaterThan,
        Some(b'<') => Token::LessThan,
        _ => Token::Error,
    };
    two.map_or((one, 1), |token| (token, 2))
}
