//! Where a container's standard streams meet those who look at them: the log, and every client that is attached.
//!
//! Output goes to the log and to the clients. A client that reads slowly slows the container down for as long as it is
//! attached, as with containerd; one that goes away is forgotten. What an interactive container says before anybody
//! was attached is kept, a little of it, for the first who comes: its prompt.

use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;

use super::output::{Output, Stdio};
use crate::host::pipe::{self, Reader, Writer};

/// Bytes kept for the first client. A container that said more than that has it in its log.
const EARLY: usize = 16 << 10;

/// One container's.
pub(crate) struct Console {
    log: Arc<dyn Output>,
    clients: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    attached: Vec<Attached>,
    /// What was said before the first client came.
    early: Option<Vec<(Stdio, Vec<u8>)>>,
    closed: bool,
}

struct Attached {
    stdout: Option<Writer>,
    stderr: Option<Writer>,
}

impl Attached {
    fn of(&self, stream: Stdio) -> Option<&Writer> {
        match stream {
            Stdio::Stdout => self.stdout.as_ref(),
            Stdio::Stderr => self.stderr.as_ref(),
        }
    }

    /// False when it has gone.
    fn tell(&self, stream: Stdio, bytes: &[u8]) -> bool {
        self.of(stream).is_none_or(|writer| writer.push(bytes).is_ok())
    }
}

impl Console {
    pub(crate) fn new(log: Arc<dyn Output>, interactive: bool) -> Arc<Console> {
        let early = interactive.then(Vec::new);
        Arc::new(Console { log, clients: Mutex::new(Clients { early, ..Clients::default() }) })
    }

    /// Takes what the container says.
    pub(crate) fn write(&self, stream: Stdio, bytes: &[u8]) {
        self.log.write(stream, bytes);
        let mut clients = self.clients.lock();
        clients.attached.retain(|client| client.tell(stream, bytes));
        if let Some(early) = &mut clients.early {
            let said: usize = early.iter().map(|(_, bytes)| bytes.len()).sum();
            if said + bytes.len() > EARLY {
                clients.early = None;
                return;
            }
            match early.last_mut() {
                Some((last, said)) if *last == stream => said.extend_from_slice(bytes),
                _ => early.push((stream, bytes.to_vec())),
            }
        }
    }

    /// Ready when the log and all clients have room.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.log.poll_ready(cx).is_pending() {
            return Poll::Pending;
        }
        let clients = self.clients.lock();
        let writers = clients.attached.iter().flat_map(|client| [&client.stdout, &client.stderr]).flatten();
        let mut full = false;
        for writer in writers {
            full |= writer.poll_room(cx).is_pending();
        }
        if full { Poll::Pending } else { Poll::Ready(()) }
    }

    /// Listens to the streams that are wanted, until the reader is dropped or the container is over.
    pub(crate) fn attach(&self, stdout: bool, stderr: bool) -> (Option<Reader>, Option<Reader>) {
        let (out, out_reader) = stdout.then(pipe::pipe).unzip();
        let (err, err_reader) = stderr.then(pipe::pipe).unzip();
        let client = Attached { stdout: out, stderr: err };
        let mut clients = self.clients.lock();
        for (stream, bytes) in clients.early.take().into_iter().flatten() {
            client.tell(stream, &bytes);
        }
        if !clients.closed {
            clients.attached.push(client);
        }
        (out_reader, err_reader)
    }

    /// The container is over: whoever is attached reads to the end.
    pub(crate) fn close(&self) {
        let mut clients = self.clients.lock();
        clients.closed = true;
        clients.attached.clear();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    struct Log;

    impl Output for Log {
        fn write(&self, _: Stdio, _: &[u8]) {}
    }

    fn ready(console: &Console) -> bool {
        console.poll_ready(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn a_slow_client_slows_down_and_one_that_left_does_not() {
        let console = Console::new(Arc::new(Log), false);
        let (slow, _) = console.attach(true, false);
        console.write(Stdio::Stdout, &vec![0; pipe::ROOM]);
        assert!(!ready(&console));
        drop(slow);
        assert!(ready(&console));
        console.write(Stdio::Stdout, b"more");
        assert!(console.clients.lock().attached.is_empty());
    }

    #[test]
    fn the_first_client_hears_what_was_said_before() {
        let console = Console::new(Arc::new(Log), true);
        console.write(Stdio::Stdout, b"$ ");
        let (first, _) = console.attach(true, true);
        let (second, _) = console.attach(true, true);
        let (first, second) = (first.expect("wanted"), second.expect("wanted"));
        assert_eq!(first.take(9).as_deref(), Some(&b"$ "[..]));
        assert_eq!(second.take(9).as_deref(), Some(&b""[..]));
        console.close();
        assert_eq!(second.read(9).now_or_never(), Some(None));
    }
}
