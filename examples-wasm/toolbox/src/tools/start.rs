//! How `env`, `xargs`, `find -exec` and others run a command: as a shell would, and they wait for it.

use std::io::Write as _;

use crate::failure::Failure;
use crate::host::{self, Program};
use crate::inherit::{encode, inherit};
use crate::io::Io;
use crate::stream::{Stream, Table};
use crate::{files, tools};

/// Runs a command on the streams of this tool; its exit code.
pub fn start(command: &[String], environment: Vec<(String, String)>, io: &mut Io) -> Result<u8, Failure> {
    let table = io.table.clone();
    run(command, environment, &table, io)
}

/// The same with nothing to read.
pub fn start_without_input(command: &[String], io: &mut Io) -> Result<u8, Failure> {
    let mut table = io.table.clone();
    table.set(0, Stream::Null);
    run(command, std::env::vars().collect(), &table, io)
}

fn run(command: &[String], environment: Vec<(String, String)>, table: &Table, io: &mut Io) -> Result<u8, Failure> {
    io.out.flush()?;
    let name = command.first().map_or("", String::as_str);
    let mut arguments = command.to_vec();
    if tools::find(tools::basename(name)).is_none() {
        match name.contains('/') && files::exists(name) {
            true => arguments.insert(0, "sh".to_owned()),
            false => return Err(Failure::new(127, format!("{name}: No such file or directory"))),
        }
    }
    let inherited = inherit(table);
    if !inherited.fields.is_empty() {
        arguments.insert(1, encode(&inherited.fields));
    }
    let program = Program {
        arguments,
        environment,
        directory: files::working().to_string_lossy().into_owned(),
        input: inherited.input,
        output: inherited.output,
        error: inherited.error,
    };
    let process = host::spawn(program).map_err(|error| Failure::new(126, format!("{name}: {error}")))?;
    Ok(process.wait())
}
