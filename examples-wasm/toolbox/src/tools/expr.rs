//! `expr`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::io::Io;
use crate::matcher::{Matcher, Syntax};

/// Nested parentheses.
const DEPTH: u32 = 60;

pub fn expr(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let mut expression = Expression { words: arguments, at: 0, depth: 0 };
    let value = expression.level(0)?;
    if expression.at < arguments.len() {
        return Err(Failure::new(2, "syntax error"));
    }
    writeln!(io.out, "{value}")?;
    Ok(u8::from(is_nothing(&value)))
}

fn is_nothing(value: &str) -> bool {
    value.is_empty() || value == "0"
}

struct Expression<'a> {
    words: &'a [String],
    at: usize,
    depth: u32,
}

const LEVELS: &[&[&str]] =
    &[&["|"], &["&"], &["=", "==", "!=", "<", "<=", ">", ">="], &["+", "-"], &["*", "/", "%"], &[":"]];

impl Expression<'_> {
    fn next(&mut self) -> Option<&str> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    fn level(&mut self, level: usize) -> Result<String, Failure> {
        let Some(operators) = LEVELS.get(level) else { return self.primary() };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.words.get(self.at).filter(|word| operators.contains(&word.as_str())) {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = apply(operator, left, right)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<String, Failure> {
        let rest = self.words.len() - self.at;
        let word = self.next().ok_or_else(|| Failure::new(2, "syntax error"))?.to_owned();
        let mut operand = || self.next().map(str::to_owned).ok_or_else(|| Failure::new(2, "syntax error"));
        Ok(match word.as_str() {
            "length" if rest > 1 => operand()?.chars().count().to_string(),
            "match" if rest > 2 => matched(&operand()?, &operand()?)?,
            "index" if rest > 2 => {
                let (text, set) = (operand()?, operand()?);
                text.chars().position(|c| set.contains(c)).map_or(0, |at| at + 1).to_string()
            }
            "substr" if rest > 3 => {
                let (text, from, length) = (operand()?, operand()?, operand()?);
                let (from, length) = (from.parse().unwrap_or(0), length.parse().unwrap_or(0));
                if from == 0 { String::new() } else { text.chars().skip(from - 1).take(length).collect() }
            }
            "(" => {
                self.depth += 1;
                if self.depth > DEPTH {
                    return Err(Failure::new(2, "nested too deeply"));
                }
                let value = self.level(0)?;
                self.depth -= 1;
                match self.next() {
                    Some(")") => value,
                    _ => return Err(Failure::new(2, "syntax error: expecting ')'")),
                }
            }
            _ => word,
        })
    }
}

fn apply(operator: &str, left: String, right: String) -> Result<String, Failure> {
    let number = |text: &str| text.parse::<i64>().map_err(|_| Failure::new(2, "non-integer argument"));
    let truth = |value: bool| Ok(u8::from(value).to_string());
    match operator {
        "|" => {
            return Ok(if is_nothing(&left) { if is_nothing(&right) { "0".to_owned() } else { right } } else { left });
        }
        "&" => return Ok(if is_nothing(&left) || is_nothing(&right) { "0".to_owned() } else { left }),
        ":" => return matched(&left, &right),
        "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" => {
            let order = match (left.parse::<i64>(), right.parse::<i64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                _ => left.cmp(&right),
            };
            return truth(match operator {
                "=" | "==" => order.is_eq(),
                "!=" => order.is_ne(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            });
        }
        _ => {}
    }
    let (left, right) = (number(&left)?, number(&right)?);
    let value = match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        _ if right == 0 => return Err(Failure::new(2, "division by zero")),
        "/" => left.checked_div(right),
        _ => left.checked_rem(right),
    };
    value.map(|value| value.to_string()).ok_or_else(|| Failure::new(2, "integer overflow"))
}

/// How much a pattern matches from the start on, or what its group does.
fn matched(text: &str, pattern: &str) -> Result<String, Failure> {
    let anchored = format!("^{}", pattern.trim_start_matches('^'));
    let matcher = Matcher::new(&anchored, Syntax::Basic, false).map_err(|error| Failure::new(2, error))?;
    let found = matcher.captures_at(text, 0);
    Ok(match (found, pattern.contains("\\(")) {
        (Some(found), true) => found.get(1).map_or("", |group| group.as_str()).to_owned(),
        (Some(found), false) => found.get(0).map_or(0, |whole| whole.as_str().chars().count()).to_string(),
        (None, true) => String::new(),
        (None, false) => "0".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::run_on;

    #[test]
    fn values() {
        for (line, code, expected) in [
            ("expr 1 + 2 * 3", 0, "7\n"),
            ("expr 5 - 5", 1, "0\n"),
            ("expr ( 1 + 2 ) * 3", 0, "9\n"),
            ("expr 10 > 9", 0, "1\n"),
            ("expr a = b", 1, "0\n"),
            ("expr abc : a.", 0, "2\n"),
            ("expr abc : a\\(.*\\)", 0, "bc\n"),
            ("expr length hello", 0, "5\n"),
            ("expr substr hello 2 3", 0, "ell\n"),
            ("expr 1 / 0", 2, ""),
            ("expr 1 +", 2, ""),
        ] {
            let (got, out, _) = run_on(line, "");
            assert_eq!((got, out.as_str()), (code, expected), "{line}");
        }
    }
}
