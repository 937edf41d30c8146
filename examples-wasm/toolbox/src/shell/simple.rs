//! Simple commands: assignments, words, redirections.

use std::io::Write as _;

use super::syntax::{Redirect, Word};
use super::{Run, Shell, Stop, builtins};
use crate::failure::BROKEN_PIPE;
use crate::files;
use crate::stream::Table;
use crate::tools;

/// Assignments before a command.
type Extra = Vec<(String, String)>;

impl Shell {
    pub(super) fn simple(&mut self, assignments: &[(String, Word)], words: &[Word], redirects: &[Redirect]) -> Run {
        // Only the status of a `$( )` within it is asked for when there is no command.
        if words.is_empty() {
            self.status = 0;
        }
        let arguments = self.arguments(words)?;
        let mut extra = Extra::new();
        for (name, word) in assignments {
            let value = self.text(word)?;
            if arguments.is_empty() {
                self.assign_traced(name, value)?;
            } else {
                extra.push((name.clone(), value));
            }
        }
        self.trace(&extra, &arguments)?;
        let table = match self.redirected(self.table.clone(), redirects)? {
            Ok(table) => table,
            Err(error) => return Ok(self.fail(&error, 1)),
        };
        let Some(name) = arguments.first() else { return Ok(self.status) };
        let code = self.dispatch(name, &arguments, &extra, table)?;
        self.status = code;
        Ok(code)
    }

    fn assign_traced(&mut self, name: &str, value: String) -> Run<()> {
        if self.options.xtrace {
            self.complain_plainly(&format!("+ {name}={}\n", quoted(&value)));
        }
        self.assign(name, value)?;
        if self.options.allexport {
            self.variables.export(name, true);
        }
        Ok(())
    }

    fn trace(&mut self, extra: &Extra, arguments: &[String]) -> Run<()> {
        if !self.options.xtrace || arguments.is_empty() {
            return Ok(());
        }
        let prefix = self.variables.get("PS4").unwrap_or("+ ").to_owned();
        let extra = extra.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        let words: Vec<String> = extra.chain(arguments.iter().map(|word| quoted(word))).collect();
        self.complain_plainly(&format!("{prefix}{}\n", words.join(" ")));
        Ok(())
    }

    /// To standard error, as it is.
    pub(super) fn complain_plainly(&self, text: &str) {
        let _ = self.table.stream(2).write_all(text.as_bytes());
    }

    fn dispatch(&mut self, name: &str, arguments: &[String], extra: &Extra, table: Table) -> Run {
        if let Some(builtin) = builtins::find(name).filter(|builtin| builtin.special) {
            return self.builtin(builtin.run, arguments, extra, table);
        }
        if let Some(body) = self.functions.get(name).cloned() {
            return self.within(extra, table, |shell| shell.call(&body, &arguments[1..]));
        }
        self.without_functions(name, arguments, extra, table)
    }

    /// `command` leaves functions out.
    pub(super) fn without_functions(
        &mut self,
        name: &str,
        arguments: &[String],
        extra: &[(String, String)],
        table: Table,
    ) -> Run {
        if let Some(builtin) = builtins::find(name) {
            return self.builtin(builtin.run, arguments, extra, table);
        }
        match tools::find(tools::basename(name)) {
            Some(tool) if tool.quick => self.within(extra, table, |shell| shell.quick(tool, arguments)),
            Some(_) => self.external(arguments.to_vec(), extra, &table),
            None => self.script_or_nothing(name, arguments, extra, table),
        }
    }

    fn builtin(
        &mut self,
        run: builtins::Builtin,
        arguments: &[String],
        extra: &[(String, String)],
        table: Table,
    ) -> Run {
        if arguments.first().is_some_and(|name| name == "exec") {
            for (name, value) in extra {
                self.assign(name, value.clone())?;
                self.variables.export(name, true);
            }
            self.table = table;
            return run(self, arguments);
        }
        self.within(extra, table, |shell| run(shell, arguments))
    }

    /// Does something with other descriptors and, for its time, other variables.
    fn within(&mut self, extra: &[(String, String)], table: Table, work: impl FnOnce(&mut Shell) -> Run) -> Run {
        let before = std::mem::replace(&mut self.table, table);
        let mut hidden = Vec::new();
        for (name, value) in extra {
            hidden.push((name, self.variables.take(name)));
            self.assign(name, value.clone())?;
            self.variables.export(name, true);
        }
        let result = work(self);
        for (name, variable) in hidden.into_iter().rev() {
            self.variables.put(name, variable);
        }
        self.table = before;
        result
    }

    /// A tool that neither waits nor takes long runs here.
    fn quick(&mut self, tool: &tools::Tool, arguments: &[String]) -> Run {
        match tools::run(tool, arguments, &self.table) {
            BROKEN_PIPE => Err(Stop::Exit(BROKEN_PIPE)),
            code => Ok(code),
        }
    }

    fn external(&mut self, arguments: Vec<String>, extra: &[(String, String)], table: &Table) -> Run {
        let name = arguments[0].clone();
        match self.start(arguments, Vec::new(), extra, table) {
            Ok(process) => self.wait(&[process]),
            Err(error) => Ok(self.fail(&format!("{name}: {error}"), 126)),
        }
    }

    /// A name that is no command: a script's path, or a mistake.
    fn script_or_nothing(&mut self, name: &str, arguments: &[String], extra: &[(String, String)], table: Table) -> Run {
        let slash = name.contains('/');
        let (message, code) = match slash {
            true if files::is_directory(name) => (format!("{name}: Permission denied"), 126),
            true if files::exists(name) => {
                let mut script = vec!["sh".to_owned()];
                script.extend_from_slice(arguments);
                return self.external(script, extra, &table);
            }
            _ => (format!("{name}: not found"), 127),
        };
        let before = std::mem::replace(&mut self.table, table);
        let code = self.fail(&message, code);
        self.table = before;
        Ok(code)
    }
}

/// A word as the shell would read it again.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./=:,+@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
