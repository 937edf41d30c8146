//! The grammar of label selectors, with upstream's error texts.

use std::collections::BTreeSet;

use super::labels::{LabelSelector, Operator, Requirement, SelectorError};
use super::lexer::{Token, words};
use crate::names;

/// Reads a whole selector; its requirements are ordered by key.
pub(super) fn parse(text: &str) -> Result<LabelSelector, SelectorError> {
    let mut parser = Parser { words: words(text), at: 0 };
    let mut requirements = parser.selector()?;
    requirements.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(LabelSelector::all_of(requirements))
}

/// Where a word stands decides whether `in` is an operator or a name.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    Operator,
    Values,
}

struct Parser {
    words: Vec<(Token, String)>,
    at: usize,
}

impl Parser {
    fn peek(&self, context: Context) -> (Token, &str) {
        let (token, literal) = match self.words.get(self.at).or(self.words.last()) {
            Some((token, literal)) => (*token, literal.as_str()),
            None => (Token::End, ""),
        };
        match (context, token) {
            (Context::Values, Token::In | Token::NotIn) => (Token::Identifier, literal),
            _ => (token, literal),
        }
    }

    fn next(&mut self, context: Context) -> (Token, String) {
        let (token, literal) = self.peek(context);
        let literal = literal.to_owned();
        self.at += 1;
        (token, literal)
    }

    fn selector(&mut self) -> Result<Vec<Requirement>, SelectorError> {
        let mut requirements = Vec::new();
        loop {
            match self.peek(Context::Values) {
                (Token::Identifier | Token::DoesNotExist, _) => {
                    requirements.push(self.requirement().map_err(SelectorError::Requirement)?);
                }
                (Token::End, _) => return Ok(requirements),
                (_, literal) => return syntax(literal, ", expected: !, identifier, or 'end of string'"),
            }
            match self.next(Context::Values) {
                (Token::End, _) => return Ok(requirements),
                (Token::Comma, _) => {
                    let (token, literal) = self.peek(Context::Values);
                    if !matches!(token, Token::Identifier | Token::DoesNotExist) {
                        return syntax(literal, ", expected: identifier after ','");
                    }
                }
                (_, literal) => return syntax(&literal, ", expected: ',' or 'end of string'"),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let (mut token, mut key) = self.next(Context::Values);
        let negated = token == Token::DoesNotExist;
        if negated {
            (token, key) = self.next(Context::Values);
        }
        if token != Token::Identifier {
            return found(&key, ", expected: identifier");
        }
        check("<nil>", &key, names::qualified_name(&key))?;
        let alone = matches!(self.peek(Context::Values).0, Token::End | Token::Comma);
        let operator = match (negated, alone) {
            (true, _) => Operator::DoesNotExist,
            (false, true) => Operator::Exists,
            (false, false) => self.operator()?,
        };
        let values = match operator {
            Operator::Exists | Operator::DoesNotExist => BTreeSet::new(),
            Operator::In | Operator::NotIn => self.values()?,
            _ => self.value()?,
        };
        validated(Requirement { key, operator, values })
    }

    fn operator(&mut self) -> Result<Operator, String> {
        Ok(match self.next(Context::Operator) {
            (Token::In, _) => Operator::In,
            (Token::NotIn, _) => Operator::NotIn,
            (Token::Equals, _) => Operator::Equals,
            (Token::DoubleEquals, _) => Operator::DoubleEquals,
            (Token::NotEquals, _) => Operator::NotEquals,
            (Token::GreaterThan, _) => Operator::GreaterThan,
            (Token::LessThan, _) => Operator::LessThan,
            (_, literal) => return found(&literal, ", expected: in, notin, =, ==, !=, gt, lt"),
        })
    }

    /// `(a,b)`; an empty place is an empty value.
    fn values(&mut self) -> Result<BTreeSet<String>, String> {
        match self.next(Context::Values) {
            (Token::OpenPar, _) => {}
            (_, literal) => return found(&literal, " expected: '('"),
        }
        match self.peek(Context::Values) {
            (Token::ClosedPar, _) => {
                self.at += 1;
                return Ok(BTreeSet::from([String::new()]));
            }
            (Token::Identifier | Token::Comma, _) => {}
            (_, literal) => return found(literal, ", expected: ',', ')' or identifier"),
        }
        let values = self.identifiers()?;
        match self.next(Context::Values) {
            (Token::ClosedPar, _) => Ok(values),
            (_, literal) => found(&literal, ", expected: ')'"),
        }
    }

    fn identifiers(&mut self) -> Result<BTreeSet<String>, String> {
        let mut values = BTreeSet::new();
        loop {
            match self.next(Context::Values) {
                (Token::Identifier, literal) => {
                    values.insert(literal);
                    match self.peek(Context::Values) {
                        (Token::Comma, _) => {}
                        (Token::ClosedPar, _) => return Ok(values),
                        (_, literal) => return found(literal, ", expected: ',' or ')'"),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.insert(String::new());
                    }
                    match self.peek(Context::Values).0 {
                        Token::ClosedPar => {
                            values.insert(String::new());
                            return Ok(values);
                        }
                        Token::Comma => {
                            self.at += 1;
                            values.insert(String::new());
                        }
                        _ => {}
                    }
                }
                (_, literal) => return found(&literal, ", expected: ',', or identifier"),
            }
        }
    }

    fn value(&mut self) -> Result<BTreeSet<String>, String> {
        if matches!(self.peek(Context::Values).0, Token::End | Token::Comma) {
            return Ok(BTreeSet::from([String::new()]));
        }
        match self.next(Context::Values) {
            (Token::Identifier, literal) => Ok(BTreeSet::from([literal])),
            (_, literal) => found(&literal, ", expected: identifier"),
        }
    }
}

fn syntax<T>(literal: &str, expected: &str) -> Result<T, SelectorError> {
    found(literal, expected).map_err(SelectorError::Syntax)
}

fn found<T>(literal: &str, expected: &str) -> Result<T, String> {
    Err(format!("found '{literal}'{expected}"))
}

fn validated(requirement: Requirement) -> Result<Requirement, String> {
    for (i, value) in requirement.values.iter().enumerate() {
        if matches!(requirement.operator, Operator::GreaterThan | Operator::LessThan) && value.parse::<i64>().is_err() {
            let why = "for 'Gt', 'Lt' operators, the value must be an integer";
            return Err(format!("values[{i}]: Invalid value: {value:?}: {why}"));
        }
        check(&format!("values[{i}][{}]", requirement.key), value, names::label_value(value))?;
    }
    Ok(requirement)
}

fn check(path: &str, value: &str, wrong: Vec<String>) -> Result<(), String> {
    if wrong.is_empty() { Ok(()) } else { Err(format!("{path}: Invalid value: {value:?}: {}", wrong.join("; "))) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn matches(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels: BTreeMap<_, _> = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        match parse(selector) {
            Ok(s) => s.matches(Some(&labels)),
            Err(e) => panic!("{selector}: {e}"),
        }
    }

    #[test]
    fn selects() {
        let web = [("app", "web"), ("env", "dev"), ("n", "5")];
        for yes in [
            "",
            "app=web",
            "app==web",
            "app!=db",
            "env in (dev,test)",
            "env in ( dev )",
            "tier notin (a)",
            "app",
            "!tier",
            "n>4",
            "n<6",
            "app=web,env=dev",
            "tier!=x",
            "env in (,dev)",
            " app = web ",
        ] {
            assert!(matches(yes, &web), "{yes}");
        }
        for no in ["app=db", "app!=web", "env in (test)", "env notin (dev)", "!app", "tier", "n>5", "app=", "app in ()"]
        {
            assert!(!matches(no, &web), "{no}");
        }
    }

    #[test]
    fn errors_have_upstreams_words() {
        for (text, want) in [
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("=a", "found '=', expected: !, identifier, or 'end of string'"),
            ("a,", "found '', expected: identifier after ','"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("!", "unable to parse requirement: found '', expected: identifier"),
        ] {
            assert_eq!(parse(text).map_err(|e| e.to_string()), Err(want.to_owned()), "{text}");
        }
        let long = parse("app=-x").map_err(|e| e.to_string());
        assert!(
            matches!(&long, Err(e) if e.starts_with("unable to parse requirement: values[0][app]: Invalid value: \"-x\": a valid label must be")),
            "{long:?}"
        );
        let key = parse("a@b=c").map_err(|e| e.to_string());
        assert!(
            matches!(&key, Err(e) if e.starts_with("unable to parse requirement: <nil>: Invalid value: \"a@b\": name part must consist of")),
            "{key:?}"
        );
    }

    #[test]
    fn text_reads_back() {
        for text in ["a=b,c in (d,e),!f,g!=h,i", "in=notin", "a>1"] {
            let selector = parse(text);
            let again = selector.as_ref().ok().map(|s| parse(&s.to_string()));
            assert_eq!(Some(selector), again);
        }
    }
}
