//! The host of a pod: `sampan:toolbox` and what the standard library leaves out of WASI.

use std::path::PathBuf;
use std::time::Duration;

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll;

use super::{Program, Running, Signal, Sink, Source};
use sampan::toolbox::{processes, terminal};

wit_bindgen::generate!({ path: "../../runtime/wit/toolbox", world: "shell" });

/// A bounded pipe in memory, which programs are started on.
pub struct Pipe(processes::Pipe);

impl Pipe {
    /// # Errors
    /// None here.
    pub fn new() -> std::io::Result<Pipe> {
        Ok(Pipe(processes::Pipe::new()))
    }

    /// Waits for bytes; empty at the end.
    pub fn read(&self, most: u32) -> Vec<u8> {
        self.0.read(most)
    }

    /// Whether somebody still reads.
    pub fn write(&self, bytes: &[u8]) -> bool {
        self.0.write(bytes).is_ok()
    }

    pub fn close_write(&self) {
        self.0.close_write();
    }

    pub fn close_read(&self) {
        self.0.close_read();
    }
}

/// A program that was started.
pub struct Process(processes::Process);

impl Process {
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    pub fn wait(&self) -> u8 {
        self.0.wait()
    }

    pub fn try_wait(&self) -> Option<u8> {
        self.0.try_wait()
    }
}

pub fn spawn(program: Program) -> Result<Process, String> {
    let input = match program.input {
        Source::Inherit => processes::Source::Inherit,
        Source::Empty => processes::Source::Empty,
        Source::Pipe(pipe) => processes::Source::Pipe(&pipe.0),
    };
    let program = processes::Program {
        arguments: program.arguments,
        environment: program.environment,
        directory: program.directory,
        input,
        output: sink(program.output),
        error: sink(program.error),
    };
    processes::spawn(&program).map(Process)
}

fn sink(sink: Sink<'_>) -> processes::Sink<'_> {
    match sink {
        Sink::Inherit => processes::Sink::Inherit,
        Sink::Discard => processes::Sink::Discard,
        Sink::Pipe(pipe) => processes::Sink::Pipe(&pipe.0),
    }
}

/// The number of this program. Nobody tells it; but a child's parent is listed.
pub fn own_id() -> u32 {
    let Ok(pipe) = Pipe::new() else { return 0 };
    let child = spawn(Program {
        arguments: vec!["cat".to_owned()],
        environment: Vec::new(),
        directory: "/".to_owned(),
        input: Source::Pipe(&pipe),
        output: Sink::Discard,
        error: Sink::Discard,
    });
    let Ok(child) = child else { return 0 };
    let parent = list().into_iter().find(|running| running.id == child.id()).map_or(0, |running| running.parent);
    pipe.close_write();
    child.wait();
    parent
}

pub fn list() -> Vec<Running> {
    let running = |p: processes::Running| Running {
        id: p.id,
        parent: p.parent,
        container: p.container,
        command: p.command,
        started: p.started,
        cpu: p.cpu,
        memory: p.memory,
    };
    processes::list().into_iter().map(running).collect()
}

pub fn send(id: u32, signal: Signal) -> Result<(), String> {
    let signal = match signal {
        Signal::None => processes::Signal::None,
        Signal::Terminate => processes::Signal::Terminate,
        Signal::Kill => processes::Signal::Kill,
        Signal::Interrupt => processes::Signal::Interrupt,
    };
    processes::send(id, signal)
}

/// Columns and rows of the terminal that standard input is; one that does not know its size has the usual one.
pub fn size() -> Option<(usize, usize)> {
    let known = |count: u16, usual| if count == 0 { usual } else { usize::from(count) };
    terminal::window().map(|size| (known(size.columns, 80), known(size.rows, 24)))
}

pub fn set_raw(raw: bool) {
    terminal::set_raw(raw);
}

pub fn take_interrupt() -> bool {
    terminal::take_interrupt()
}

pub fn initial_directory() -> Option<PathBuf> {
    wasip2::cli::environment::initial_cwd().map(PathBuf::from)
}

/// The directories that the pod gives, by their paths.
pub fn directories() -> Vec<PathBuf> {
    wasip2::filesystem::preopens::get_directories().into_iter().map(|(_, path)| path.into()).collect()
}

/// Waits until something can be read from standard input, or the time is over.
pub fn input_ready(patience: Duration) -> bool {
    let input = wasip2::cli::stdin::get_stdin();
    let ready = input.subscribe();
    let late = subscribe_duration(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX));
    poll::poll(&[&ready, &late]).contains(&0)
}

pub fn exit(code: u8) -> ! {
    wasip2::cli::exit::exit_with_code(code);
    unreachable!("exit returned");
}
