//! The wires between a program's streams and those who hold their other ends.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::BytesMut;
use futures::future::{OptionFuture, join_all};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::{Reader, Streams, TerminalSize, Writer};
use crate::container::processes::Process;
use crate::container::{Exit, Processes, Setting};
use crate::host::pipe;
use crate::host::stdio::{self, Input, Out};
use crate::host::terminal::Tty;

/// Bytes that are moved at a time.
const PIECE: usize = 64 << 10;

/// What carries bytes for one program.
pub(super) struct Wires {
    input: Option<(Reader, Line)>,
    outputs: Vec<Output>,
    tty: Option<Arc<Tty>>,
    resize: Option<mpsc::Receiver<TerminalSize>>,
}

/// Where input goes.
enum Line {
    Pipe(pipe::Writer),
    Terminal(Arc<Tty>),
}

/// Where output comes from and goes to.
struct Output {
    reader: pipe::Reader,
    client: Writer,
    /// To end it with, whoever still writes.
    end: pipe::Writer,
}

impl Wires {
    /// Gives the program's ends of the streams, and the wires behind them.
    pub(super) fn connect(streams: Streams, processes: &Processes) -> (stdio::Streams, Wires) {
        let Streams { stdin, stdout, stderr, tty, resize } = streams;
        let (screen, output) = output(stdout);
        let mut outputs: Vec<_> = output.into_iter().collect();
        if tty {
            let tty = Tty::new(screen, processes.clone());
            let input = stdin.map(|stdin| (stdin, Line::Terminal(tty.clone())));
            return (stdio::Streams::terminal(&tty, None), Wires { input, outputs, tty: Some(tty), resize });
        }
        let (err, output) = self::output(stderr);
        outputs.extend(output);
        let (inner, input) = match stdin {
            None => (Input::Empty, None),
            Some(stdin) => {
                let (writer, reader) = pipe::pipe();
                (Input::Pipe(reader), Some((stdin, Line::Pipe(writer))))
            }
        };
        let inside = stdio::Streams { stdin: inner, stdout: screen, stderr: err, terminal: None };
        (inside, Wires { input, outputs, tty: None, resize: None })
    }

    /// Carries bytes until the program is over and what it has printed is delivered.
    pub(super) async fn carry(self, process: Arc<Process>) -> Exit {
        let Wires { input, outputs, tty, resize } = self;
        let _interrupts = tty.as_ref().map(|tty| tty.wait_for(process.clone()));
        let (ends, deliveries): (Vec<_>, Vec<_>) =
            outputs.into_iter().map(|Output { reader, client, end }| (end, deliver(reader, client))).unzip();
        let over = async {
            let exit = process.exited().await;
            // What it left in the background prints to nobody.
            ends.iter().for_each(pipe::Writer::hang_up);
            exit
        };
        let carried = async { tokio::join!(over, join_all(deliveries)).0 };
        let typing = async {
            let typed = OptionFuture::from(input.map(|(stdin, line)| type_in(stdin, line)));
            tokio::join!(typed, resized(resize, tty.as_deref()));
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            exit = carried => exit,
            never = typing => match never {},
        }
    }
}

fn output(client: Option<Writer>) -> (Out, Option<Output>) {
    let Some(client) = client else { return (Out::Discard, None) };
    let (writer, reader) = pipe::pipe();
    (Out::Pipe(writer.clone()), Some(Output { reader, client, end: writer }))
}

/// Hands on what is printed, to the end of it. Returns, and lets go of the reader, when the client has gone.
async fn deliver(reader: pipe::Reader, mut client: Writer) {
    while let Some(bytes) = reader.read(PIECE).await {
        if client.write_all(&bytes).await.is_err() || client.flush().await.is_err() {
            return;
        }
    }
    // A client that has gone by now has lost nothing.
    let _ = client.shutdown().await;
}

/// Hands on what is typed. A client that breaks off has finished typing.
async fn type_in(mut client: Reader, line: Line) {
    let mut bytes = BytesMut::with_capacity(PIECE);
    while let Ok(1..) = client.read_buf(&mut bytes).await {
        match &line {
            Line::Pipe(writer) => {
                if writer.write(&bytes).await.is_err() {
                    return;
                }
            }
            Line::Terminal(tty) => tty.type_in(&bytes).await,
        }
        bytes.clear();
    }
    if let Line::Terminal(tty) = line {
        tty.hang_up();
    }
}

async fn resized(sizes: Option<mpsc::Receiver<TerminalSize>>, tty: Option<&Tty>) {
    let (Some(mut sizes), Some(tty)) = (sizes, tty) else { return };
    while let Some(size) = sizes.recv().await {
        tty.resize(size);
    }
}

/// Connects a client to a container's own streams, until either is gone.
pub(super) async fn attach(container: &Setting, streams: Streams) {
    let Streams { stdin, stdout, stderr, resize, .. } = streams;
    // A terminal has one stream for both.
    let stderr = stderr.filter(|_| container.terminal.is_none());
    let (out, err) = container.console.attach(stdout.is_some(), stderr.is_some());
    let outputs = [out.zip(stdout), err.zip(stderr)].into_iter().flatten();
    let deliveries: Vec<_> = outputs.map(|(reader, client)| deliver(reader, client)).collect();
    let watches = !deliveries.is_empty();
    let delivered = async {
        join_all(deliveries).await;
        if !watches {
            std::future::pending::<()>().await;
        }
    };
    let typing = async {
        let typed = OptionFuture::from(stdin.map(|stdin| type_to(stdin, container)));
        tokio::join!(typed, resized(resize, container.terminal.as_deref()));
        if watches {
            std::future::pending::<()>().await;
        }
    };
    let over = async {
        container.gate.gone().await;
        if watches {
            // There may be some left to deliver.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = delivered => {}
        () = typing => {}
        () = over => {}
    }
}

async fn type_to(mut client: Reader, container: &Setting) {
    let _done = Done(container);
    let mut bytes = BytesMut::with_capacity(PIECE);
    while let Ok(1..) = client.read_buf(&mut bytes).await {
        if !container.keyboard.type_in(&bytes).await {
            return;
        }
        bytes.clear();
    }
}

/// A client that is gone has finished typing, however it went.
struct Done<'a>(&'a Setting);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.keyboard.client_done();
    }
}
