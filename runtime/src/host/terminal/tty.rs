//! A terminal that programs share: the discipline, its screen, its size, and who is interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use streaming::TerminalSize;

use super::Discipline;
use crate::container::processes::{INTERRUPTED, Process, Processes};
use crate::host::pipe::Broken;
use crate::host::stdio::Out;

/// Until the client says how large it is.
const SIZE: TerminalSize = TerminalSize { width: 80, height: 24 };

/// One terminal. It lives as long as a program has it, or a client.
pub(crate) struct Tty {
    state: Mutex<State>,
    screen: Out,
    processes: Processes,
    interrupted: AtomicBool,
}

struct State {
    discipline: Discipline,
    size: TerminalSize,
    readers: Vec<Waker>,
    typists: Vec<Waker>,
    /// The programs that somebody waits for, the oldest first.
    foreground: Vec<Arc<Process>>,
}

impl Tty {
    /// A terminal whose screen is `screen`.
    pub(crate) fn new(screen: Out, processes: Processes) -> Arc<Tty> {
        let state = State {
            discipline: Discipline::default(),
            size: SIZE,
            readers: Vec::new(),
            typists: Vec::new(),
            foreground: Vec::new(),
        };
        Arc::new(Tty { state: Mutex::new(state), screen, processes, interrupted: AtomicBool::new(false) })
    }

    /// Types, waiting for room.
    pub(crate) async fn type_in(&self, bytes: &[u8]) {
        for piece in bytes.chunks(1024) {
            std::future::poll_fn(|cx| self.poll_typing(cx)).await;
            self.take_typing(piece);
        }
    }

    fn poll_typing(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.discipline.has_room() {
            return Poll::Ready(());
        }
        register(&mut state.typists, cx);
        Poll::Pending
    }

    fn take_typing(&self, bytes: &[u8]) {
        let (typed, readers) = {
            let mut state = self.state.lock();
            let typed = state.discipline.type_in(bytes);
            // Under the lock, so that an echo is on the screen before the answer to it.
            if typed.interrupt {
                self.screen.discard();
            }
            // A screen that is full, or gone, shows no echo.
            if !typed.echo.is_empty() && self.screen.has_room() {
                let _ = self.screen.push(&typed.echo);
            }
            (typed, std::mem::take(&mut state.readers))
        };
        if typed.interrupt {
            self.interrupt();
        }
        readers.into_iter().for_each(Waker::wake);
    }

    /// Ends the programs that somebody waits for and that do not look after interrupts themselves. When there are none,
    /// the interrupt is kept for who asks.
    fn interrupt(&self) {
        let foreground = self.state.lock().foreground.clone();
        let mut met = false;
        for process in foreground.iter().filter(|process| !process.heeds_interrupts()) {
            self.processes.end_tree(process, INTERRUPTED);
            met = true;
        }
        if !met {
            self.interrupted.store(true, SeqCst);
        }
    }

    /// Whether there was an interrupt since the last question.
    pub(crate) fn take_interrupt(&self) -> bool {
        self.interrupted.swap(false, SeqCst)
    }

    /// While the guard lives an interrupt is for this program. So is one that came between the last question and now: a
    /// shell that has asked, and then started a program, has not seen it.
    pub(crate) fn wait_for(self: &Arc<Tty>, process: Arc<Process>) -> Foreground {
        self.state.lock().foreground.push(process.clone());
        if !process.heeds_interrupts() && self.take_interrupt() {
            self.processes.end_tree(&process, INTERRUPTED);
        }
        Foreground { tty: self.clone(), process }
    }

    /// Nobody types any more.
    pub(crate) fn hang_up(&self) {
        let readers = {
            let mut state = self.state.lock();
            state.discipline.hang_up();
            std::mem::take(&mut state.readers)
        };
        readers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn set_raw(&self, raw: bool) {
        let readers = {
            let mut state = self.state.lock();
            state.discipline.set_raw(raw);
            std::mem::take(&mut state.readers)
        };
        readers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn size(&self) -> TerminalSize {
        self.state.lock().size
    }

    pub(crate) fn resize(&self, size: TerminalSize) {
        self.state.lock().size = size;
    }

    /// What a program reads; `None` is the end.
    pub(crate) fn take(&self, most: usize) -> Option<Bytes> {
        let (taken, typists) = {
            let mut state = self.state.lock();
            (state.discipline.take(most), std::mem::take(&mut state.typists))
        };
        typists.into_iter().for_each(Waker::wake);
        taken
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.discipline.is_readable() {
            return Poll::Ready(());
        }
        register(&mut state.readers, cx);
        Poll::Pending
    }

    /// How much a program may print now.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<usize, Broken>> {
        self.screen.poll_room(cx)
    }

    /// Prints.
    pub(crate) fn print(&self, bytes: &[u8]) -> Result<(), Broken> {
        let mut shown = Vec::new();
        let mut state = self.state.lock();
        state.discipline.show(bytes, &mut shown);
        self.screen.push(&shown)
    }
}

fn register(waiting: &mut Vec<Waker>, cx: &Context<'_>) {
    if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
        waiting.push(cx.waker().clone());
    }
}

/// Somebody waits for a program, at a terminal.
pub(crate) struct Foreground {
    tty: Arc<Tty>,
    process: Arc<Process>,
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let mut state = self.tty.state.lock();
        if let Some(at) = state.foreground.iter().position(|process| Arc::ptr_eq(process, &self.process)) {
            state.foreground.remove(at);
        }
    }
}
