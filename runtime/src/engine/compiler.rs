//! Compiling, in a process of its own where there is one.
//!
//! A compiler takes some twenty times the memory of what it compiles, and little of that comes back to the system once
//! it was on a heap: after one large guest a node would hold hundreds of megabytes for good. So a node that knows an
//! executable of its own version has it compile: what that takes goes with it, and so does a compiler that dies.
//!
//! ```text
//! node ── the component, on stdin ──► COMMAND ── a byte that says how it went, then the code or the words, on stdout ──► node
//! ```

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Signal, set_parent_process_death_signal};

use super::load::LoadError;
use super::plan::Plan;
use super::{Tasks, settings};
use crate::guest::sniff;

/// What the executable is called with, before the order.
pub const COMMAND: &str = "compile-guest";

/// The first byte of the answer: code follows.
const CODE: u8 = 0;
/// Words follow: why it is not valid.
const INVALID: u8 = 1;

/// For which engine to compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The layout of memory that the code is for.
    pub plan: Plan,
    /// For the engine of WASI 0.3.
    pub concurrent: bool,
}

/// Compiles for the engines of one node.
#[derive(Debug)]
pub(super) struct Compiler {
    /// An executable that [serves](serve) when it is called with [`COMMAND`].
    pub(super) program: Option<PathBuf>,
}

impl Compiler {
    /// The code of a component. Blocks.
    pub(super) fn compile(&self, order: Order, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        let Some(program) = &self.program else { return here(order, component) };
        match start(program, order) {
            Ok(child) => ask(child, component),
            Err(error) => {
                tracing::warn!(program = %program.display(), %error, "compiling in this process");
                here(order, component)
            }
        }
    }
}

/// In this process, with an engine that goes when its work is done: wasmtime keeps what it compiled with for the next time.
fn here(order: Order, component: &[u8]) -> Result<Vec<u8>, LoadError> {
    let tasks = if order.concurrent { Tasks::Many } else { Tasks::One };
    let engine = wasmtime::Engine::new(&settings(order.plan, tasks));
    let engine = engine.map_err(|error| LoadError::Compiler(sniff::brief(&error)))?;
    engine.precompile_component(component).map_err(|error| LoadError::Invalid(sniff::brief(&error)))
}

fn start(program: &Path, order: Order) -> io::Result<std::process::Child> {
    let Plan { slots, reservation, guard } = order.plan;
    let mut command = Command::new(program);
    command.arg(COMMAND).args([u64::from(slots), reservation, guard].map(|number| number.to_string()));
    if order.concurrent {
        command.arg("--concurrent");
    }
    // Nothing of the node's surroundings is the compiler's.
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()
}

fn ask(mut child: std::process::Child, component: &[u8]) -> Result<Vec<u8>, LoadError> {
    // It reads all before it says anything. One that died does not read: its status says more than that.
    let sent = child.stdin.take().map_or(Ok(()), |mut to| to.write_all(component));
    let answer = child.wait_with_output().map_err(|error| LoadError::Compiler(error.to_string()))?;
    if !answer.status.success() {
        return Err(LoadError::Compiler(answer.status.to_string()));
    }
    sent.map_err(|error| LoadError::Compiler(error.to_string()))?;
    let mut answer = answer.stdout;
    match answer.first().copied() {
        Some(CODE) => {
            answer.remove(0);
            Ok(answer)
        }
        Some(INVALID) => Err(LoadError::Invalid(String::from_utf8_lossy(&answer[1..]).into_owned())),
        _ => Err(LoadError::Compiler("no answer".to_owned())),
    }
}

/// The other side: compiles what comes, and answers. For the executable that was called with [`COMMAND`].
///
/// # Errors
/// The pipes break, or there is no compiler.
pub fn serve(order: Order, mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    // Nobody waits for the code of a node that is gone. Where that cannot be asked for, the pipe breaks in the end.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let mut component = Vec::new();
    from.read_to_end(&mut component)?;
    match here(order, &component) {
        Ok(code) => {
            to.write_all(&[CODE])?;
            to.write_all(&code)?;
        }
        Err(LoadError::Invalid(words)) => {
            to.write_all(&[INVALID])?;
            to.write_all(words.as_bytes())?;
        }
        Err(error) => return Err(io::Error::other(error)),
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::super::plan;
    use super::*;

    /// The smallest component.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn order() -> Order {
        Order { plan: plan::candidates(None, Some(1)).next().expect("a plan"), concurrent: false }
    }

    fn served(component: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        serve(order(), component, &mut answer).expect("served");
        answer
    }

    #[test]
    fn the_answer_says_how_it_went() {
        let good = served(COMPONENT);
        assert_eq!(good.split_first(), Some((&CODE, &*here(order(), COMPONENT).expect("code"))));
        let bad = served(&COMPONENT[..6]);
        assert_eq!(bad[0], INVALID);
        assert!(bad.len() > 1, "and why");
    }

    #[test]
    fn a_compiler_that_dies_takes_nobody_along() {
        let died = Compiler { program: Some("/bin/false".into()) }.compile(order(), COMPONENT);
        assert!(matches!(&died, Err(LoadError::Compiler(words)) if words.contains("exit status: 1")), "{died:?}");
        let mute = Compiler { program: Some("/bin/true".into()) }.compile(order(), COMPONENT);
        assert!(matches!(mute, Err(LoadError::Compiler(_))));
        let missing = Compiler { program: Some("/nowhere/sampan".into()) }.compile(order(), COMPONENT);
        assert!(missing.is_ok(), "then it is done here");
    }
}
