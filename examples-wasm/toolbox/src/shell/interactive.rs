//! The shell at a terminal: prompts, and commands until Ctrl-D.

use super::builtins;
use super::invocation::{from_input, incomplete};
use super::{Run, Shell, Stop};
use crate::editor::{Editor, Line};
use crate::tools;

/// Reads and runs commands until the end of the input.
pub fn run(shell: &mut Shell) -> Run {
    shell.interactive = true;
    if crate::host::size().is_none() {
        return from_input(shell);
    }
    let mut editor = Editor::new();
    loop {
        for (job, code) in shell.jobs.reap() {
            shell.complain_plainly(&builtins::done(job.number, code, &job.text));
        }
        let Some(text) = command(shell, &mut editor) else {
            shell.complain_plainly("exit\n");
            return Ok(shell.status);
        };
        let result = shell.evaluate_text(&text);
        match result {
            Err(stop @ Stop::Exit(_)) => return Err(stop),
            result => {
                if matches!(result, Err(Stop::Interrupt)) {
                    shell.complain_plainly("\n");
                }
                shell.table = if result.is_ok() { shell.table.clone() } else { crate::stream::Table::default() };
                shell.status = shell.code(result);
                (shell.loops, shell.calls, shell.conditions, shell.depth) = (0, 0, 0, 0);
            }
        }
    }
}

/// One command, which may take several lines. None: Ctrl-D.
fn command(shell: &mut Shell, editor: &mut Editor) -> Option<String> {
    let mut text = String::new();
    loop {
        let prompt = shell.prompt(if text.is_empty() { "PS1" } else { "PS2" });
        let commands = commands(shell);
        match editor.line(&prompt, &commands) {
            Line::Text(line) => {
                text.push_str(&line);
                text.push('\n');
                let continued = text.ends_with("\\\n") && !text.ends_with("\\\\\n");
                if !continued && !incomplete(&text) {
                    editor.remember(text.trim_end());
                    return Some(text);
                }
            }
            Line::Interrupt => {
                shell.status = 130;
                text.clear();
            }
            Line::End if text.is_empty() => return None,
            Line::End => {
                shell.complain("syntax error: unexpected end of file");
                shell.status = 2;
                text.clear();
            }
        }
    }
}

/// What a first word can be.
fn commands(shell: &Shell) -> Vec<String> {
    let mut all: Vec<String> = builtins::names().chain(tools::names()).map(str::to_owned).collect();
    all.extend(shell.functions.keys().cloned());
    all.sort_unstable();
    all.dedup();
    all
}
