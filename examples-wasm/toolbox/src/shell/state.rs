//! A shell's state as fields, so that another shell can go on with it: for subshells, `$( )`, pipelines and `&`.
//!
//! Exported variables are in the environment already. Each field says by its first letter what it is; digits are
//! [descriptors](crate::inherit).

use super::Shell;
use super::parser::Parser;
use super::syntax::Kind;

impl Shell {
    /// What a subshell has to know.
    pub(super) fn state(&self) -> Vec<String> {
        let mut fields = vec![
            format!("i{}", self.id()),
            format!("n{}", self.name),
            format!("s{}", self.status),
            format!("o{}", self.options.letters(false)),
        ];
        if self.options.pipefail {
            fields.push("p".to_owned());
        }
        fields.extend(self.jobs.last_id().map(|id| format!("b{id}")));
        fields.extend(self.positional.iter().map(|argument| format!("a{argument}")));
        for (name, variable) in self.variables.iter() {
            match &variable.value {
                Some(value) if !variable.exported => fields.push(format!("v{name}={value}")),
                None if variable.exported => fields.push(format!("x{name}")),
                _ => {}
            }
            if variable.readonly {
                fields.push(format!("r{name}"));
            }
        }
        fields.extend(self.functions.iter().map(|(name, body)| format!("f{name}() {}", body.span.text())));
        fields
    }

    /// Goes on where another shell was.
    pub(super) fn take_over(&mut self, fields: &[String]) {
        for field in fields {
            let mut letters = field.chars();
            let kind = letters.next();
            let value = letters.as_str();
            match kind {
                Some('i') => drop(value.parse().map(|id| self.id.set(id))),
                Some('n') => value.clone_into(&mut self.name),
                Some('s') => self.status = value.parse().unwrap_or(0),
                Some('o') => value.chars().for_each(|letter| {
                    if let Some(option) = self.options.by_letter(letter) {
                        *option = true;
                    }
                }),
                Some('p') => self.options.pipefail = true,
                Some('b') => drop(value.parse().map(|id| self.jobs.set_last_id(id))),
                Some('a') => self.positional.push(value.to_owned()),
                Some('v') => {
                    if let Some((name, value)) = value.split_once('=') {
                        let _ = self.variables.set(name, value);
                    }
                }
                Some('x') => self.variables.export(value, true),
                Some('r') => self.variables.protect(value),
                Some('f') => self.define(value),
                _ => {}
            }
        }
    }

    /// A function, from its text.
    fn define(&mut self, text: &str) {
        let Ok(Some(mut list)) = Parser::new(text).line() else { return };
        let Some(item) = list.pop() else { return };
        let Some(command) = item.and_or.first.commands.into_iter().next() else { return };
        if let Kind::Function { name, body } = command.kind {
            self.functions.insert(name, body);
        }
    }
}
