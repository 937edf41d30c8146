//! The operating system in the place of a pod, for tests of whole scripts: programs are processes of this executable.

use std::cell::{Cell, RefCell};
use std::env;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Program, Running, Signal, Sink, Source};

/// A pipe of the operating system; each end is there until it is closed.
pub struct Pipe {
    reader: RefCell<Option<PipeReader>>,
    writer: RefCell<Option<PipeWriter>>,
}

impl Pipe {
    pub fn new() -> std::io::Result<Pipe> {
        let (reader, writer) = pipe()?;
        Ok(Pipe { reader: RefCell::new(Some(reader)), writer: RefCell::new(Some(writer)) })
    }

    pub fn read(&self, most: u32) -> Vec<u8> {
        let mut bytes = vec![0; most as usize];
        let read = self.reader.borrow_mut().as_mut().and_then(|reader| reader.read(&mut bytes).ok());
        bytes.truncate(read.unwrap_or(0));
        bytes
    }

    pub fn write(&self, bytes: &[u8]) -> bool {
        self.writer.borrow_mut().as_mut().is_some_and(|writer| writer.write_all(bytes).is_ok())
    }

    pub fn close_write(&self) {
        self.writer.take();
    }

    pub fn close_read(&self) {
        self.reader.take();
    }
}

pub struct Process {
    child: RefCell<Child>,
    code: Cell<Option<u8>>,
}

impl Process {
    pub fn id(&self) -> u32 {
        self.child.borrow().id()
    }

    pub fn wait(&self) -> u8 {
        if let Some(code) = self.code.get() {
            return code;
        }
        let code = self.child.borrow_mut().wait().map_or(127, code_of);
        self.code.set(Some(code));
        code
    }

    pub fn try_wait(&self) -> Option<u8> {
        let status = self.child.borrow_mut().try_wait().ok()??;
        self.code.set(Some(code_of(status)));
        self.code.get()
    }
}

fn code_of(status: std::process::ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(127);
    u8::try_from(code).unwrap_or(u8::MAX)
}

pub fn spawn(program: Program) -> Result<Process, String> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let (name, arguments) = program.arguments.split_first().ok_or("no program")?;
    let mut command = Command::new(this);
    command.arg0(name).args(arguments).env_clear().envs(program.environment).current_dir(program.directory);
    command.stdin(match program.input {
        Source::Inherit => Stdio::inherit(),
        Source::Empty => Stdio::null(),
        Source::Pipe(pipe) => {
            let reader = pipe.reader.borrow();
            reader.as_ref().ok_or("a closed pipe")?.try_clone().map_err(|error| error.to_string())?.into()
        }
    });
    command.stdout(sink(program.output)?).stderr(sink(program.error)?);
    let child = command.spawn().map_err(|error| error.to_string())?;
    Ok(Process { child: RefCell::new(child), code: Cell::new(None) })
}

fn sink(sink: Sink) -> Result<Stdio, String> {
    Ok(match sink {
        Sink::Inherit => Stdio::inherit(),
        Sink::Discard => Stdio::null(),
        Sink::Pipe(pipe) => {
            let writer = pipe.writer.borrow();
            writer.as_ref().ok_or("a closed pipe")?.try_clone().map_err(|error| error.to_string())?.into()
        }
    })
}

pub fn own_id() -> u32 {
    std::process::id()
}

pub fn list() -> Vec<Running> {
    Vec::new()
}

pub fn send(id: u32, signal: Signal) -> Result<(), String> {
    let number = match signal {
        Signal::None => "-0",
        Signal::Terminate => "-15",
        Signal::Kill => "-9",
        Signal::Interrupt => "-2",
    };
    match Command::new("/bin/kill").args([number, &id.to_string()]).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("No such process".to_owned()),
    }
}

pub fn size() -> Option<(usize, usize)> {
    None
}

pub fn set_raw(_raw: bool) {}

pub fn take_interrupt() -> bool {
    false
}

pub fn initial_directory() -> Option<PathBuf> {
    env::current_dir().ok()
}

pub fn directories() -> Vec<PathBuf> {
    vec![PathBuf::from("/")]
}

pub fn input_ready(patience: Duration) -> bool {
    std::thread::sleep(patience);
    false
}

pub fn exit(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
