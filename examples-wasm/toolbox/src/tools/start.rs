//! How `env`, `xargs`, `find -exec` and others run a command: as a shell would, and they wait for it.

use std::io::Write as _;

use crate::failure::Failure;
use crate::host::{self, Program, Sink, Source};
use crate::io::Io;
use crate::{files, tools};

/// Runs a command on the standard streams of this tool; its exit code.
pub fn start(command: &[String], environment: Vec<(String, String)>, io: &mut Io) -> Result<u8, Failure> {
    run(command, environment, Source::Inherit, io)
}

/// The same with nothing to read.
pub fn start_without_input(command: &[String], io: &mut Io) -> Result<u8, Failure> {
    run(command, std::env::vars().collect(), Source::Empty, io)
}

fn run(command: &[String], environment: Vec<(String, String)>, input: Source, io: &mut Io) -> Result<u8, Failure> {
    io.out.flush()?;
    let name = command.first().map_or("", String::as_str);
    let mut arguments = command.to_vec();
    if tools::find(tools::basename(name)).is_none() {
        match name.contains('/') && files::exists(name) {
            true => arguments.insert(0, "sh".to_owned()),
            false => return Err(Failure::new(127, format!("{name}: No such file or directory"))),
        }
    }
    let program = Program {
        arguments,
        environment,
        directory: files::working().to_string_lossy().into_owned(),
        input,
        output: Sink::Inherit,
        error: Sink::Inherit,
    };
    let process = host::spawn(program).map_err(|error| Failure::new(126, format!("{name}: {error}")))?;
    Ok(process.wait())
}
