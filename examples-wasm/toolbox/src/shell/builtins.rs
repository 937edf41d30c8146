//! The commands that are the shell's own, because they change its state.

mod directory;
mod flow;
mod input;
mod jobs;
mod lookup;
mod settings;
mod variables;

use super::{Run, Shell};

/// What a builtin does with its arguments, its name first.
pub type Builtin = fn(&mut Shell, &[String]) -> Run;

pub struct Entry {
    pub name: &'static str,
    /// Found before functions.
    pub special: bool,
    pub run: Builtin,
}

pub use jobs::done;

const fn special(name: &'static str, run: Builtin) -> Entry {
    Entry { name, special: true, run }
}

const fn usual(name: &'static str, run: Builtin) -> Entry {
    Entry { name, special: false, run }
}

const BUILTINS: &[Entry] = &[
    special(".", flow::source),
    special(":", flow::nothing),
    special("break", flow::leave_loop),
    special("continue", flow::continue_loop),
    special("eval", flow::eval),
    special("exec", flow::exec),
    special("exit", flow::exit),
    special("export", variables::export),
    special("readonly", variables::readonly),
    special("return", flow::leave_function),
    special("set", settings::set),
    special("shift", variables::shift),
    special("times", flow::nothing),
    special("trap", settings::trap),
    special("unset", variables::unset),
    usual("bg", jobs::resume),
    usual("cd", directory::cd),
    usual("command", lookup::command),
    usual("declare", variables::local),
    usual("fg", jobs::foreground),
    usual("getopts", input::getopts),
    usual("hash", flow::nothing),
    usual("help", lookup::help),
    usual("jobs", jobs::jobs),
    usual("kill", jobs::kill),
    usual("let", variables::calculate),
    usual("local", variables::local),
    usual("pwd", directory::pwd),
    usual("read", input::read),
    usual("source", flow::source),
    usual("type", lookup::kind),
    usual("typeset", variables::local),
    usual("umask", settings::umask),
    usual("wait", jobs::wait),
];

pub fn find(name: &str) -> Option<&'static Entry> {
    BUILTINS.iter().find(|entry| entry.name == name)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|entry| entry.name)
}
