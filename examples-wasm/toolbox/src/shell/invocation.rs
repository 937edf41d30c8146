//! `sh` and its arguments: a script from `-c`, from a file or from standard input.

use std::io::Read as _;

use super::parser::{Parser, SyntaxError};
use super::{Run, Shell, Stop, interactive};
use crate::failure::words;
use crate::files;
use crate::stream::Table;

/// What the arguments ask for.
struct Invocation {
    command: bool,
    interactive: Option<bool>,
    rest: Vec<String>,
}

/// Runs a shell to its end. `fields` are those of a shell that this one goes on for.
pub fn main(arguments: &[String], fields: &[String], table: Table) -> u8 {
    let name = arguments.first().map_or("sh", String::as_str);
    let mut shell = Shell::new(name, table);
    let invocation = match invocation(&mut shell, arguments.get(1..).unwrap_or_default()) {
        Ok(invocation) => invocation,
        Err(letter) => {
            shell.complain(&format!("Illegal option {letter}"));
            return 2;
        }
    };
    let result = start(&mut shell, invocation, fields);
    shell.end(result)
}

fn invocation(shell: &mut Shell, arguments: &[String]) -> Result<Invocation, String> {
    let mut invocation = Invocation { command: false, interactive: None, rest: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--" | "-" => {
                invocation.rest.extend(rest.by_ref().cloned());
            }
            "--login" | "--norc" | "--noprofile" | "--posix" => {}
            letters if letters.len() > 1 && letters.starts_with(['-', '+']) && !letters.starts_with("--") => {
                for letter in letters[1..].chars() {
                    let on = letters.starts_with('-');
                    match letter {
                        'c' => invocation.command = true,
                        'i' => invocation.interactive = Some(true),
                        's' | 'l' | 'm' => {}
                        'o' => match rest.next().and_then(|name| shell.options.by_name(name)) {
                            Some(option) => *option = on,
                            None => return Err("-o".to_owned()),
                        },
                        letter => match shell.options.by_letter(letter) {
                            Some(option) => *option = on,
                            None => return Err(format!("-{letter}")),
                        },
                    }
                }
            }
            unknown if unknown.starts_with("--") => return Err(unknown.to_owned()),
            operand => {
                invocation.rest.push(operand.to_owned());
                invocation.rest.extend(rest.by_ref().cloned());
            }
        }
    }
    Ok(invocation)
}

fn start(shell: &mut Shell, invocation: Invocation, fields: &[String]) -> Run {
    let mut rest = invocation.rest.into_iter();
    if invocation.command {
        let Some(text) = rest.next() else {
            shell.complain("-c requires an argument");
            return Err(Stop::Exit(2));
        };
        if let Some(name) = rest.next() {
            shell.name = name;
        }
        shell.positional = rest.collect();
        shell.take_over(fields);
        return shell.evaluate_text(&text);
    }
    let path = rest.next();
    shell.positional = rest.collect();
    if let Some(path) = path {
        return script(shell, path);
    }
    let terminal = shell.table.stream(0).is_terminal() && crate::host::size().is_some();
    match invocation.interactive.unwrap_or(terminal) {
        true => interactive::run(shell),
        false => from_input(shell),
    }
}

fn script(shell: &mut Shell, path: String) -> Run {
    match files::read(&path) {
        Ok(bytes) if bytes.starts_with(b"\0asm") => {
            shell.complain(&format!("{path}: cannot execute a WebAssembly module from a shell"));
            Err(Stop::Exit(126))
        }
        Ok(bytes) => {
            shell.name = path;
            shell.evaluate_text(&String::from_utf8_lossy(&bytes))
        }
        Err(error) => {
            shell.complain(&format!("can't open '{path}': {}", words(&error)));
            Err(Stop::Exit(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 }))
        }
    }
}

/// Reads as much as one command needs, so that the command can read what follows.
pub(super) fn from_input(shell: &mut Shell) -> Run {
    let mut text = String::new();
    loop {
        let more = match line(shell) {
            Some(line) => {
                text.push_str(&line);
                true
            }
            None => false,
        };
        if shell.options.verbose {
            shell.complain_plainly(&text);
        }
        let continued = text.ends_with("\\\n") && !text.ends_with("\\\\\n");
        if more && (continued || incomplete(&text)) {
            continue;
        }
        if !text.is_empty() {
            shell.evaluate_text(&text)?;
            text.clear();
        }
        if !more {
            return Ok(shell.status);
        }
    }
}

/// Whether more lines may make commands of a text.
pub(super) fn incomplete(text: &str) -> bool {
    let mut parser = Parser::new(text);
    loop {
        match parser.line() {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(error) => return matches!(error, SyntaxError::Incomplete(_)),
        }
    }
}

fn line(shell: &Shell) -> Option<String> {
    let mut input = shell.table.stream(0);
    let mut bytes = Vec::new();
    let mut byte = [0];
    while let Ok(1..) = input.read(&mut byte) {
        bytes.push(byte[0]);
        if byte[0] == b'\n' {
            break;
        }
    }
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

impl Shell {
    /// The code that the shell ends with, after what `trap … EXIT` wants.
    pub(super) fn end(&mut self, result: Run) -> u8 {
        self.status = self.code(result);
        if let Some(action) = self.traps.remove("EXIT") {
            let status = self.status;
            let result = self.evaluate_text(&action);
            return match result {
                Err(Stop::Exit(code)) => code,
                _ => status,
            };
        }
        self.status
    }

    /// The code that a way to stop means, with a word about it.
    pub(super) fn code(&mut self, result: Run) -> u8 {
        match result {
            Ok(code) | Err(Stop::Exit(code) | Stop::Return(code)) => code,
            Err(Stop::Break(_) | Stop::Continue(_)) => self.status,
            Err(Stop::Interrupt) => 130,
            Err(Stop::Fatal(message)) => {
                self.complain(&message);
                2
            }
        }
    }
}
