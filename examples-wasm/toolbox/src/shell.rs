//! A shell as POSIX describes it, with a little of bash.
//!
//! A [parser] makes [syntax] of the text, line by line; [run] walks it. Words become arguments by [expand] and
//! [fields]. Nothing forks here: what has to run beside the shell, or apart from it, is another instance of the toolbox
//! ([launch]). A subshell, too: it is sent its text and the shell's [state].

mod arithmetic;
mod builtins;
mod compound;
mod expand;
mod fields;
mod heredoc;
mod interactive;
mod invocation;
mod jobs;
mod launch;
mod options;
mod parser;
pub mod pattern;
mod prompt;
mod redirect;
mod run;
mod simple;
mod state;
mod syntax;
mod variables;
mod words;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::rc::Rc;

use crate::stream::Table;
use jobs::Jobs;
use options::Options;
use syntax::Command;
use variables::Variables;

pub use invocation::main;

/// Functions within functions, and commands within commands. A guest's stack has an end, and so has the host's.
const CALLS: u32 = 100;
const DEPTH: u32 = 250;

/// Why a command was left before its end.
#[derive(Debug)]
pub enum Stop {
    /// `break`, out of so many loops.
    Break(u32),
    Continue(u32),
    Return(u8),
    /// The shell ends.
    Exit(u8),
    /// Ctrl-C.
    Interrupt,
    /// An error after which no script can go on.
    Fatal(String),
}

pub type Run<T = u8> = Result<T, Stop>;

/// A shell's state.
pub struct Shell {
    /// `$0`.
    name: String,
    variables: Variables,
    functions: BTreeMap<String, Rc<Command>>,
    /// `$1` and so on.
    positional: Vec<String>,
    options: Options,
    /// `$?`.
    status: u8,
    table: Table,
    jobs: Jobs,
    /// What to do at `EXIT`, `INT` and so on.
    traps: BTreeMap<String, String>,
    /// `$$`: a subshell has its parent's.
    id: OnceCell<u32>,
    interactive: bool,
    /// Whether it has a terminal, so that a program's end may have been Ctrl-C.
    terminal: bool,
    /// Loops and functions that run.
    loops: u32,
    calls: u32,
    /// Commands within commands that run.
    depth: u32,
    /// Within a condition, where `set -e` does not hold.
    conditions: u32,
}

impl Shell {
    fn new(name: &str, table: Table) -> Shell {
        let mut variables = Variables::default();
        for (name, value) in std::env::vars().filter(|(name, _)| parser::is_name(name)) {
            let _ = variables.set(&name, value);
            variables.export(&name, true);
        }
        for (name, value) in [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/"), ("OPTIND", "1")] {
            if variables.get(name).is_none() {
                let _ = variables.set(name, value);
            }
        }
        let _ = variables.set("IFS", " \t\n");
        let _ = variables.set("PWD", crate::files::working().to_string_lossy());
        Shell {
            name: name.to_owned(),
            variables,
            functions: BTreeMap::new(),
            positional: Vec::new(),
            options: Options::default(),
            status: 0,
            table,
            jobs: Jobs::default(),
            traps: BTreeMap::new(),
            id: OnceCell::new(),
            interactive: false,
            terminal: crate::host::size().is_some(),
            loops: 0,
            calls: 0,
            depth: 0,
            conditions: 0,
        }
    }

    /// `$$`.
    fn id(&self) -> u32 {
        *self.id.get_or_init(crate::host::own_id)
    }

    fn assign(&mut self, name: &str, value: String) -> Run<()> {
        self.variables.set(name, value).map_err(|error| Stop::Fatal(error.to_string()))
    }

    /// Prints to standard output.
    fn say(&self, text: &str) -> Run {
        match self.table.stream(1).write_all(text.as_bytes()) {
            Ok(()) => Ok(0),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Err(Stop::Exit(crate::failure::BROKEN_PIPE))
            }
            Err(error) => {
                self.complain(&format!("write error: {}", crate::failure::words(&error)));
                Ok(1)
            }
        }
    }

    /// Prints to standard error, with the shell's name.
    fn complain(&self, text: &str) {
        let _ = self.table.stream(2).write_all(format!("{}: {text}\n", self.name).as_bytes());
    }
}

/// A word as the shell would read it again.
pub fn quoted(text: &str) -> String {
    simple::quoted(text)
}

/// A number as the shell reads it, with `0x` and `0` for other bases.
pub fn number(text: &str) -> Result<i64, String> {
    arithmetic::number(text).map_err(|error| error.to_string())
}
