//! Starts programs: other instances of the toolbox.

use std::rc::Rc;

use super::{Run, Shell, Stop};
use crate::host::{self, Pipe, Process, Program};
use crate::inherit;
use crate::stream::{Stream, Table};

/// Bytes read from a pipe at once.
const PIECE: u32 = 64 << 10;

impl Shell {
    /// Starts a tool. `extra` are the assignments before its name.
    pub(super) fn start(
        &self,
        mut arguments: Vec<String>,
        state: Vec<String>,
        extra: &[(String, String)],
        table: &Table,
    ) -> Result<Process, String> {
        let inherited = inherit::inherit(table);
        let fields: Vec<String> = inherited.fields.into_iter().chain(state).collect();
        if !fields.is_empty() {
            arguments.insert(1, inherit::encode(&fields));
        }
        let mut environment = self.variables.environment();
        environment.retain(|(name, _)| !extra.iter().any(|(other, _)| other == name));
        environment.extend_from_slice(extra);
        host::spawn(Program {
            arguments,
            environment,
            directory: crate::files::working().to_string_lossy().into_owned(),
            input: inherited.input,
            output: inherited.output,
            error: inherited.error,
        })
    }

    /// Starts a part of the script as a shell of its own that goes on with this one's state.
    pub(super) fn start_script(&self, text: &str, table: &Table) -> Result<Process, String> {
        let arguments = vec!["sh".to_owned(), "-c".to_owned(), text.to_owned()];
        self.start(arguments, self.state(), &[], table)
    }

    /// Waits for what runs in the foreground. Ctrl-C ends all of it, and what the script would have done next.
    pub(super) fn wait(&mut self, processes: &[Process]) -> Run {
        let mut codes = Vec::new();
        for (at, process) in processes.iter().enumerate() {
            let code = process.wait();
            if code == 130 && self.terminal {
                for other in &processes[at + 1..] {
                    let _ = host::send(other.id(), host::Signal::Interrupt);
                }
            }
            codes.push(code);
        }
        self.status = match self.options.pipefail {
            true => codes.iter().rev().find(|code| **code != 0).copied().unwrap_or(0),
            false => codes.last().copied().unwrap_or(0),
        };
        if self.terminal && codes.contains(&130) {
            host::take_interrupt();
            self.interrupted()?;
        }
        Ok(self.status)
    }

    /// What Ctrl-C does: its trap, or the end of what runs.
    pub(super) fn interrupted(&mut self) -> Run<()> {
        match self.traps.get("INT").cloned() {
            Some(action) => self.evaluate_text(&action).map(drop),
            None => Err(Stop::Interrupt),
        }
    }

    /// `$( )`.
    pub(super) fn output_of(&mut self, script: &str) -> Run<String> {
        let pipe = Rc::new(Pipe::new().map_err(|error| Stop::Fatal(error.to_string()))?);
        let mut table = self.table.clone();
        table.set(1, Stream::Writer(pipe.clone()));
        let process =
            self.start_script(script, &table).map_err(|error| Stop::Fatal(format!("can't start: {error}")))?;
        pipe.close_write();
        let mut output = Vec::new();
        loop {
            let piece = pipe.read(PIECE);
            if piece.is_empty() {
                break;
            }
            output.extend_from_slice(&piece);
        }
        self.wait(&[process])?;
        output.retain(|byte| *byte != 0);
        let mut text = String::from_utf8_lossy(&output).into_owned();
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }
}
