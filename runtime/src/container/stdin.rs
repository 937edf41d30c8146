//! A container's standard input, and who types into it.

use std::sync::Arc;

use parking_lot::Mutex;

use super::gate::Gate;
use crate::host::pipe::{self, Reader, Writer};
use crate::host::stdio::Input;
use crate::host::terminal::Tty;

/// What a container's manifest asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stdin {
    /// Empty from the start.
    #[default]
    Empty,
    /// Open and silent, unless somebody is attached and types; it ends when the container is told to stop.
    Open {
        /// It ends with the first client, too.
        once: bool,
    },
}

/// The other end of it.
pub(crate) struct Keyboard {
    once: bool,
    line: Line,
}

enum Line {
    Nowhere,
    Pipe { writer: Mutex<Option<Writer>>, reader: Reader },
    Terminal(Arc<Tty>),
}

impl Keyboard {
    pub(crate) fn new(stdin: Stdin, tty: Option<&Arc<Tty>>) -> Keyboard {
        let (once, line) = match (stdin, tty) {
            // A terminal is there to be read from, even if nobody can type.
            (Stdin::Empty, _) => (false, Line::Nowhere),
            (Stdin::Open { once }, Some(tty)) => (once, Line::Terminal(tty.clone())),
            (Stdin::Open { once }, None) => {
                let (writer, reader) = pipe::pipe();
                (once, Line::Pipe { writer: Mutex::new(Some(writer)), reader })
            }
        };
        Keyboard { once, line }
    }

    /// What the guest reads from, when it has no terminal.
    pub(crate) fn input(&self, gate: &Arc<Gate>) -> Input {
        match &self.line {
            Line::Pipe { reader, .. } => Input::Open(reader.clone(), gate.clone()),
            Line::Nowhere | Line::Terminal(_) => Input::Empty,
        }
    }

    /// Types, waiting for room. False when nobody reads any more.
    pub(crate) async fn type_in(&self, bytes: &[u8]) -> bool {
        match &self.line {
            Line::Nowhere => false,
            Line::Terminal(tty) => {
                tty.type_in(bytes).await;
                true
            }
            Line::Pipe { writer, .. } => {
                let writer = writer.lock().clone();
                match writer {
                    Some(writer) => writer.write(bytes).await.is_ok(),
                    None => false,
                }
            }
        }
    }

    /// A client has finished typing, or has gone.
    pub(crate) fn client_done(&self) {
        if !self.once {
            return;
        }
        match &self.line {
            Line::Nowhere => {}
            Line::Pipe { writer, .. } => *writer.lock() = None,
            Line::Terminal(tty) => tty.hang_up(),
        }
    }
}
