//! A command at a pseudo-terminal, and somebody who types: `script` has the terminal.

use super::PATIENCE;
use super::shell::{Shell, end_group};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

/// Its size, columns and rows.
pub const SIZE: (u16, u16) = (132, 43);

pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    pub(super) fn open(shell: &Shell, line: &str) -> Terminal {
        let (columns, rows) = SIZE;
        let line = format!("stty cols {columns} rows {rows}; {line}");
        let script = format!("exec script -qefc '{}' /dev/null", line.replace('\'', r"'\''"));
        let mut command = shell.command(&script);
        let mut child = command.env("TERM", "xterm").stderr(Stdio::inherit()).spawn().expect("script starts");
        let keys = child.stdin.take().expect("its keyboard");
        let mut output = child.stdout.take().expect("its screen");
        let (shown, screen) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(size @ 1..) = output.read(&mut bytes) {
                if shown.send(bytes[..size].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { child, keys, screen, seen: String::new() }
    }

    pub fn say(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("somebody reads the keys");
    }

    /// Waits until this is on the screen, and returns what came before it.
    pub fn see(&mut self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(words) {
                let rest = self.seen.split_off(at + words.len());
                let mut before = std::mem::replace(&mut self.seen, rest);
                before.truncate(at);
                return before;
            }
            match self.screen.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("waited for {words:?} ({error}), saw {:?}", self.seen),
            }
        }
    }

    /// The exit code, once it has ended by itself.
    pub fn code(mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(bytes) = self.screen.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        assert!(Instant::now() < deadline, "it does not end; saw {:?}", self.seen);
        self.child.wait().expect("its state").code()
    }

    /// Ends it without a word.
    pub fn kill(self) {}
}

impl Drop for Terminal {
    fn drop(&mut self) {
        end_group(&self.child);
        let _ = self.child.wait();
    }
}
