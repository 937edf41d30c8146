//! `break`, `continue`, `return`, `exit`, `eval`, `.`, `exec`, `:`.

use crate::failure::words;
use crate::files;
use crate::shell::{Run, Shell, Stop};

pub fn nothing(_: &mut Shell, _: &[String]) -> Run {
    Ok(0)
}

pub fn leave_loop(shell: &mut Shell, arguments: &[String]) -> Run {
    match levels(shell, arguments)? {
        0 => Ok(0),
        levels => Err(Stop::Break(levels)),
    }
}

pub fn continue_loop(shell: &mut Shell, arguments: &[String]) -> Run {
    match levels(shell, arguments)? {
        0 => Ok(0),
        levels => Err(Stop::Continue(levels)),
    }
}

/// How many loops are meant; not more than there are.
fn levels(shell: &mut Shell, arguments: &[String]) -> Run<u32> {
    let levels = match arguments.get(1) {
        None => 1,
        Some(text) => match text.parse() {
            Ok(levels @ 1..) => levels,
            _ => return Err(Stop::Fatal(format!("{}: Illegal number: {text}", arguments[0]))),
        },
    };
    shell.status = 0;
    Ok(levels.min(shell.loops))
}

pub fn leave_function(shell: &mut Shell, arguments: &[String]) -> Run {
    Err(Stop::Return(code(shell, arguments)?))
}

pub fn exit(shell: &mut Shell, arguments: &[String]) -> Run {
    Err(Stop::Exit(code(shell, arguments)?))
}

fn code(shell: &Shell, arguments: &[String]) -> Run {
    match arguments.get(1) {
        None => Ok(shell.status),
        Some(text) => match text.parse::<i64>() {
            Ok(code) => Ok((code & 0xff) as u8),
            Err(_) => Err(Stop::Fatal(format!("{}: Illegal number: {text}", arguments[0]))),
        },
    }
}

pub fn eval(shell: &mut Shell, arguments: &[String]) -> Run {
    let text = arguments[1..].join(" ");
    if text.trim().is_empty() {
        return Ok(0);
    }
    shell.deeper(|shell| shell.evaluate_text(&text))
}

pub fn source(shell: &mut Shell, arguments: &[String]) -> Run {
    let Some(path) = arguments.get(1) else {
        return Ok(shell.fail(".: filename argument required", 2));
    };
    let text = match files::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return Err(Stop::Fatal(format!(".: can't open '{path}': {}", words(&error)))),
    };
    let positional = (arguments.len() > 2).then(|| std::mem::replace(&mut shell.positional, arguments[2..].to_vec()));
    shell.status = 0;
    let result = shell.deeper(|shell| shell.evaluate_text(&text));
    if let Some(positional) = positional {
        shell.positional = positional;
    }
    match result {
        Err(Stop::Return(code)) => Ok(code),
        other => other,
    }
}

/// With a command: the shell ends as the command does. Without: its redirections stay.
pub fn exec(shell: &mut Shell, arguments: &[String]) -> Run {
    let Some(name) = arguments.get(1) else { return Ok(0) };
    let table = shell.table.clone();
    let arguments = &arguments[1..];
    let code = shell.without_functions(name, arguments, &[], table)?;
    shell.traps.remove("EXIT");
    Err(Stop::Exit(code))
}

impl Shell {
    /// Runs text within text, which is as deep as a function.
    fn deeper(&mut self, work: impl FnOnce(&mut Shell) -> Run) -> Run {
        if self.calls >= crate::shell::CALLS {
            return Err(Stop::Fatal("scripts run each other too deeply".to_owned()));
        }
        self.calls += 1;
        let result = work(self);
        self.calls -= 1;
        result
    }
}
