//! The toolbox: a POSIX-like shell and its tools, in one component.
//!
//! The name it is called by says what it is: `sh`, `/bin/ls`, or `toolbox ls`. A shell starts its tools as further
//! instances of this component ([host]), with the [stream]s that a redirection asks for ([inherit]). The [tools] are a
//! list of functions from arguments to an exit code; the [shell] is the largest of them.

mod calendar;
mod editor;
mod escapes;
mod failure;
mod files;
mod host;
mod inherit;
mod io;
mod matcher;
mod options;
mod shell;
mod stream;
mod tools;

use std::env;

fn main() {
    host::exit(run(env::args().collect()));
}

fn run(mut arguments: Vec<String>) -> u8 {
    let fields = arguments.get(1).and_then(|argument| inherit::decode(argument));
    if fields.is_some() {
        arguments.remove(1);
    }
    let fields = fields.unwrap_or_default();
    let table = match inherit::restore(&fields) {
        Ok(table) => table,
        Err(error) => {
            eprintln!("sh: can't open {error}");
            return 1;
        }
    };
    if is_toolbox(arguments.first().map_or("", String::as_str)) {
        arguments.drain(..arguments.len().min(1));
    }
    match arguments.first().map(String::as_str) {
        None => shell::main(&["sh".to_owned()], &fields, table),
        Some("--list") => {
            tools::names().for_each(|name| println!("{name}"));
            0
        }
        Some(name) => match tools::find(tools::basename(name)) {
            Some(tool) if tool.is_shell() => shell::main(&arguments, &fields, table),
            Some(tool) => tools::run(tool, &arguments, &table),
            None => {
                eprintln!("sh: {name}: not found");
                127
            }
        },
    }
}

/// Whether a name is this component's own, and the tool's comes after it.
fn is_toolbox(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.is_empty() || name.starts_with("toolbox")
}
