//! `test` and `[`.

use crate::failure::Failure;
use crate::files::{self, Kind};
use crate::io::Io;
use crate::stream::Stream;

/// Nested `!` and parentheses.
const DEPTH: u32 = 64;

pub fn test(arguments: &[String], _: &mut Io) -> Result<u8, Failure> {
    let holds = judge(arguments).map_err(|message| Failure::new(2, message))?;
    Ok(u8::from(!holds))
}

pub fn bracket(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    match arguments.split_last() {
        Some((last, rest)) if last == "]" => test(rest, io),
        _ => Err(Failure::new(2, "missing ]")),
    }
}

/// Whether an expression holds. Short ones mean what POSIX says of so many arguments, whatever is in them.
fn judge(words: &[String]) -> Result<bool, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => Ok(false),
        [word] => Ok(!word.is_empty()),
        ["!", word] => Ok(word.is_empty()),
        [operator, word] if is_unary(operator) => unary(operator, word),
        [left, operator, right] if is_binary(operator) => binary(left, operator, right),
        ["!", left, operator, right] if is_binary(operator) => Ok(!binary(left, operator, right)?),
        _ => {
            let mut expression = Expression { words: &words, at: 0, depth: 0 };
            let value = expression.or()?;
            match words.get(expression.at) {
                None => Ok(value),
                Some(word) => Err(format!("{word}: unexpected operator")),
            }
        }
    }
}

struct Expression<'a> {
    words: &'a [&'a str],
    at: usize,
    depth: u32,
}

impl Expression<'_> {
    fn peek(&self, ahead: usize) -> Option<&str> {
        self.words.get(self.at + ahead).copied()
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut value = self.and()?;
        while self.peek(0) == Some("-o") {
            self.at += 1;
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut value = self.not()?;
        while self.peek(0) == Some("-a") {
            self.at += 1;
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("nested too deeply".to_owned());
        }
        let negated = self.peek(0) == Some("!");
        let value = match negated {
            true => {
                self.at += 1;
                !self.not()?
            }
            false => self.primary()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn primary(&mut self) -> Result<bool, String> {
        let first = self.peek(0).ok_or("argument expected")?.to_owned();
        if let (Some(operator), Some(right)) = (self.peek(1), self.peek(2))
            && is_binary(operator)
        {
            let value = binary(&first, operator, right);
            self.at += 3;
            return value;
        }
        if first == "(" {
            self.at += 1;
            let value = self.or()?;
            if self.peek(0) != Some(")") {
                return Err("closing paren expected".to_owned());
            }
            self.at += 1;
            return Ok(value);
        }
        self.at += 1;
        match self.peek(0).map(str::to_owned) {
            Some(word) if is_unary(&first) => {
                self.at += 1;
                unary(&first, &word)
            }
            _ => Ok(!first.is_empty()),
        }
    }
}

fn is_unary(operator: &str) -> bool {
    matches!(operator.as_bytes(), [b'-', letter] if b"bcdefghknoprstuwxzGLNOS".contains(letter))
}

fn is_binary(operator: &str) -> bool {
    let words = ["=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"];
    words.contains(&operator)
}

fn unary(operator: &str, word: &str) -> Result<bool, String> {
    let is = |kind: Kind| files::facts(word).is_ok_and(|facts| facts.kind == kind);
    Ok(match operator {
        "-n" => !word.is_empty(),
        "-z" => word.is_empty(),
        "-e" | "-r" | "-x" | "-O" | "-G" => files::exists(word),
        "-w" => files::facts(word).is_ok_and(|facts| !facts.read_only),
        "-f" => is(Kind::File),
        "-d" => is(Kind::Directory),
        "-c" => is(Kind::Other),
        "-s" => files::facts(word).is_ok_and(|facts| facts.size > 0),
        "-L" | "-h" => files::link_facts(word).is_ok_and(|facts| facts.kind == Kind::Link),
        "-t" => word.parse().is_ok_and(|number| number < 3 && Stream::Own(number).is_terminal()),
        _ => false,
    })
}

fn binary(left: &str, operator: &str, right: &str) -> Result<bool, String> {
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("{text}: bad number"));
    let time = |path: &str| files::facts(path).map(|facts| facts.modified).ok();
    Ok(match operator {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "-nt" => time(left) > time(right),
        "-ot" => time(left) < time(right),
        "-ef" => files::absolute(left) == files::absolute(right),
        _ => {
            let (left, right) = (number(left)?, number(right)?);
            match operator {
                "-eq" => left == right,
                "-ne" => left != right,
                "-lt" => left < right,
                "-le" => left <= right,
                "-gt" => left > right,
                _ => left >= right,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(line: &str) -> Result<bool, String> {
        judge(&line.split_ascii_whitespace().map(|word| word.replace('_', "")).collect::<Vec<_>>())
    }

    #[test]
    fn expressions() {
        for (line, expected) in [
            ("", false),
            ("a", true),
            ("-n _", false),
            ("-z _", true),
            ("a = a", true),
            ("! a = a", false),
            ("3 -lt 10", true),
            ("= = =", true),
            ("-d /", true),
            ("-f /", false),
            ("a = b -o b = b", true),
            ("a = b -a b = b", false),
            ("! ( a = b ) -a -n x", true),
            ("-n", true),
            ("! _", true),
        ] {
            assert_eq!(holds(line), Ok(expected), "{line}");
        }
        assert_eq!(holds("a -eq 1"), Err("a: bad number".to_owned()));
        assert!(holds("a b").is_err() && holds("( a").is_err());
    }
}
