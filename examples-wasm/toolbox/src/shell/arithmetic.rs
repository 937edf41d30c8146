//! `$(( ))`: whole numbers of 64 bits, with C's operators. What overflows wraps.

use super::parser::is_name;

/// Nested parentheses and the like.
const DEPTH: u32 = 64;

/// Why an expression has no value.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ArithmeticError {
    #[error("arithmetic expression: expecting primary: \"{0}\"")]
    Syntax(String),
    #[error("division by zero")]
    Zero,
    #[error("Illegal number: {0}")]
    Number(String),
    #[error("arithmetic expression: nested too deeply")]
    Deep,
    #[error("{0}: readonly variable")]
    Readonly(String),
}

/// The variables of an expression.
pub trait Variables {
    fn value(&mut self, name: &str) -> String;
    fn assign(&mut self, name: &str, value: String) -> bool;
}

/// The value of an expression.
pub fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i64, ArithmeticError> {
    let mut expression = Expression { text, at: 0, depth: 0, live: true, variables };
    if expression.next().is_none() {
        return Ok(0);
    }
    let value = expression.comma()?;
    match expression.next() {
        None => Ok(value),
        Some(_) => Err(expression.syntax()),
    }
}

struct Expression<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    /// Not within a branch that is not taken, where nothing is assigned and nothing divides.
    live: bool,
    variables: &'a mut dyn Variables,
}

type Value = Result<i64, ArithmeticError>;

/// Binary operators, from the weakest on.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

const ASSIGNING: &[&str] = &["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "="];

impl Expression<'_> {
    fn next(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn syntax(&self) -> ArithmeticError {
        ArithmeticError::Syntax(self.text.trim().to_owned())
    }

    fn accept(&mut self, operator: &str) -> bool {
        self.next();
        let found = self.text[self.at..].starts_with(operator);
        if found {
            self.at += operator.len();
        }
        found
    }

    fn comma(&mut self) -> Value {
        let mut value = self.assignment()?;
        while self.accept(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Value {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(ArithmeticError::Deep);
        }
        let start = self.at;
        let value = match self.assigned() {
            Some((name, operator)) => {
                let right = self.assignment()?;
                let value = match operator {
                    "=" => right,
                    operator => {
                        let left = self.variable(&name)?;
                        self.binary(&operator[..operator.len() - 1], left, right)?
                    }
                };
                self.assign(&name, value)?
            }
            None => {
                self.at = start;
                self.conditional()?
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    fn assigned(&mut self) -> Option<(String, &'static str)> {
        let name = self.name()?;
        self.next();
        let rest = &self.text[self.at..];
        let operator = ASSIGNING.iter().find(|operator| rest.starts_with(**operator))?;
        if *operator == "=" && rest.starts_with("==") {
            return None;
        }
        self.at += operator.len();
        Some((name, operator))
    }

    fn assign(&mut self, name: &str, value: i64) -> Value {
        match !self.live || self.variables.assign(name, value.to_string()) {
            true => Ok(value),
            false => Err(ArithmeticError::Readonly(name.to_owned())),
        }
    }

    fn conditional(&mut self) -> Value {
        let condition = self.level(0)?;
        if !self.accept("?") {
            return Ok(condition);
        }
        let yes = self.branch(condition != 0, Self::assignment)?;
        if !self.accept(":") {
            return Err(self.syntax());
        }
        let no = self.branch(condition == 0, Self::assignment)?;
        Ok(if condition != 0 { yes } else { no })
    }

    /// Reads on; what is not taken has no effect.
    fn branch(&mut self, taken: bool, read: impl FnOnce(&mut Self) -> Value) -> Value {
        let live = self.live;
        self.live &= taken;
        let value = read(self);
        self.live = live;
        value
    }

    fn level(&mut self, level: usize) -> Value {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            left = match operator {
                "||" => i64::from(self.branch(left == 0, |e| e.level(level + 1))? != 0 || left != 0),
                "&&" => i64::from(self.branch(left != 0, |e| e.level(level + 1))? != 0 && left != 0),
                operator => {
                    let right = self.level(level + 1)?;
                    self.binary(operator, left, right)?
                }
            };
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        self.next();
        let rest = &self.text[self.at..];
        let operator = operators.iter().find(|operator| rest.starts_with(**operator))?;
        let longer = |longer: &str| longer.len() > operator.len() && rest.starts_with(longer);
        let longer_ones = ["||", "&&", "<<", ">>", "<=", ">="].iter().chain(ASSIGNING).any(|other| longer(other));
        if longer_ones && (*operator != "=") {
            return None;
        }
        self.at += operator.len();
        Some(operator)
    }

    fn binary(&self, operator: &str, left: i64, right: i64) -> Value {
        Ok(match operator {
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(right as u32),
            ">>" => left.wrapping_shr(right as u32),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 && self.live => return Err(ArithmeticError::Zero),
            "/" => left.wrapping_div(if right == 0 { 1 } else { right }),
            "%" => left.wrapping_rem(if right == 0 { 1 } else { right }),
            _ => return Err(self.syntax()),
        })
    }

    fn unary(&mut self) -> Value {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(ArithmeticError::Deep);
        }
        let value = match self.next() {
            Some('+' | '-') if self.text[self.at..].starts_with("++") || self.text[self.at..].starts_with("--") => {
                let step = if self.accept("++") { 1 } else { -i64::from(self.accept("--")) };
                let name = self.name().ok_or_else(|| self.syntax())?;
                let value = self.variable(&name)?.wrapping_add(step);
                self.assign(&name, value)
            }
            Some('-') if self.accept("-") => self.unary().map(i64::wrapping_neg),
            Some('+') if self.accept("+") => self.unary(),
            Some('!') if self.accept("!") => self.unary().map(|value| i64::from(value == 0)),
            Some('~') if self.accept("~") => self.unary().map(|value| !value),
            _ => self.primary(),
        };
        self.depth -= 1;
        value
    }

    fn primary(&mut self) -> Value {
        if self.accept("(") {
            let value = self.comma()?;
            return if self.accept(")") { Ok(value) } else { Err(self.syntax()) };
        }
        if let Some(name) = self.name() {
            let value = self.variable(&name)?;
            let step = if self.accept("++") { 1 } else { -i64::from(self.accept("--")) };
            if step != 0 {
                self.assign(&name, value.wrapping_add(step))?;
            }
            return Ok(value);
        }
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.syntax());
        }
        self.at += end;
        number(&rest[..end])
    }

    fn name(&mut self) -> Option<String> {
        self.next();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = &rest[..end];
        is_name(name).then(|| {
            self.at += end;
            name.to_owned()
        })
    }

    /// The value of a variable whose name another one holds.
    fn named_by(&mut self, name: &str) -> Value {
        self.depth += 1;
        let value = if self.depth > DEPTH { Err(ArithmeticError::Deep) } else { self.variable(name) };
        self.depth -= 1;
        value
    }

    fn variable(&mut self, name: &str) -> Value {
        let value = self.variables.value(name);
        match value.trim() {
            "" => Ok(0),
            text => number(text).or_else(|error| match is_name(text) && text != name {
                true => self.named_by(text),
                false => Err(error),
            }),
        }
    }
}

/// A number in base 10, 16 (`0x`) or 8 (`0`).
pub fn number(text: &str) -> Result<i64, ArithmeticError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let parsed = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => i64::from_str_radix(&digits[2..], 16),
        [b'0', _, ..] => i64::from_str_radix(&digits[1..], 8),
        _ => digits.parse(),
    };
    let value = parsed.map_err(|_| ArithmeticError::Number(text.to_owned()))?;
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    impl Variables for HashMap<String, String> {
        fn value(&mut self, name: &str) -> String {
            self.get(name).cloned().unwrap_or_default()
        }

        fn assign(&mut self, name: &str, value: String) -> bool {
            self.insert(name.to_owned(), value);
            true
        }
    }

    #[test]
    fn operators_bind_as_in_c() {
        for (text, expected) in [
            ("", 0),
            ("1 + 2 * 3", 7),
            ("(1+2)*3", 9),
            ("7 / 2 % 2", 1),
            ("-3 + +2", -1),
            ("1 << 4 | 1", 17),
            ("5 > 3 && 2 > 1", 1),
            ("0 || 0", 0),
            ("1 ? 10 : 20", 10),
            ("!5", 0),
            ("~0", -1),
            ("0x1f + 010", 39),
            ("3 == 3", 1),
            ("2 <= 1", 0),
            ("1, 2", 2),
            ("10 - 3 - 2", 5),
        ] {
            assert_eq!(evaluate(text, &mut HashMap::new()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn variables_are_read_and_set() {
        let mut variables = HashMap::from([("x".to_owned(), "5".to_owned()), ("y".to_owned(), "x".to_owned())]);
        assert_eq!(evaluate("x++ + y", &mut variables), Ok(11));
        assert_eq!(evaluate("x += 4", &mut variables), Ok(10));
        assert_eq!(evaluate("0 && (x = 1)", &mut variables), Ok(0));
        assert_eq!(variables["x"], "10");
        assert_eq!(evaluate("--x", &mut variables), Ok(9));
    }

    #[test]
    fn what_has_no_value_says_why() {
        assert_eq!(evaluate("1/0", &mut HashMap::new()), Err(ArithmeticError::Zero));
        assert_eq!(evaluate("0 && 1/0", &mut HashMap::new()), Ok(0));
        assert!(evaluate("1 +", &mut HashMap::new()).is_err());
        assert!(evaluate("09", &mut HashMap::new()).is_err());
        assert_eq!(evaluate(&"(".repeat(1000), &mut HashMap::new()), Err(ArithmeticError::Deep));
        let mut circle = HashMap::from([("a".to_owned(), "b".to_owned()), ("b".to_owned(), "a".to_owned())]);
        assert_eq!(evaluate("a", &mut circle), Err(ArithmeticError::Deep));
    }
}
