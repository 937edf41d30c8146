//! `sampan:toolbox/processes`: what a shell starts, connects, waits for and ends.
//!
//! A program is another instance of the caller's own component, in the caller's container. Nothing here blocks a
//! thread: who waits for a pipe or for a program is suspended.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::SystemTime;

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use super::Host;
use super::pipe::{self, Reader, Writer};
use super::stdio::{Input, Out, Streams};
use crate::container::Setting;
use crate::container::processes::{Parent, Process, Signal};
use crate::container::program::{Order, Program, launch};

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/toolbox",
        world: "sampan:toolbox/shell",
        imports: {
            default: trappable,
            "sampan:toolbox/processes.[method]pipe.read": async | trappable,
            "sampan:toolbox/processes.[method]pipe.write": async | trappable,
            "sampan:toolbox/processes.[method]process.wait": async | trappable,
        },
        require_store_data_send: true,
        with: {
            "sampan:toolbox/processes.pipe": super::Pipe,
            "sampan:toolbox/processes.process": super::Child,
        },
    });
}

use bindings::sampan::toolbox::processes as wit;

/// Bytes that one read of a pipe gives at most.
const READ: usize = pipe::ROOM;

/// Bytes of arguments and environment that a program is given at most.
const ARGUMENTS: usize = 1 << 20;

/// What the interfaces' functions work on.
pub(super) struct View<'a> {
    pub(super) table: &'a mut ResourceTable,
    pub(super) setting: &'a Arc<Setting>,
    pub(super) program: &'a Arc<Program>,
}

pub(super) struct Interfaces;

impl HasData for Interfaces {
    type Data<'a> = View<'a>;
}

pub(super) fn add_to_linker(linker: &mut Linker<Host>, view: fn(&mut Host) -> View<'_>) -> wasmtime::Result<()> {
    wit::add_to_linker::<Host, Interfaces>(linker, view)?;
    bindings::sampan::toolbox::terminal::add_to_linker::<Host, Interfaces>(linker, view)
}

/// The shell's own ends of a pipe.
pub struct Pipe {
    reader: Option<Reader>,
    writer: Option<Writer>,
    _room: OwnedSemaphorePermit,
}

/// A program that the shell has started.
pub struct Child(Arc<Process>);

impl View<'_> {
    fn input(&mut self, source: &wit::Source) -> wasmtime::Result<Input> {
        Ok(match source {
            wit::Source::Inherit => self.program.streams.stdin.clone(),
            wit::Source::Empty => Input::Empty,
            wit::Source::Pipe(pipe) => match &self.table.get(pipe)?.reader {
                Some(reader) => Input::Pipe(reader.clone()),
                None => Input::Empty,
            },
        })
    }

    fn out(&mut self, sink: &wit::Sink, own: fn(&Streams) -> &Out) -> wasmtime::Result<Out> {
        Ok(match sink {
            wit::Sink::Inherit => own(&self.program.streams).clone(),
            wit::Sink::Discard => Out::Discard,
            wit::Sink::Pipe(pipe) => match &self.table.get(pipe)?.writer {
                Some(writer) => Out::Pipe(writer.clone()),
                None => Out::Discard,
            },
        })
    }
}

impl wit::Host for View<'_> {
    fn spawn(&mut self, wanted: wit::Program) -> wasmtime::Result<Result<Resource<Child>, String>> {
        if size(&wanted) > ARGUMENTS {
            return Ok(Err("Argument list too long".to_owned()));
        }
        let streams = Streams {
            stdin: self.input(&wanted.input)?,
            stdout: self.out(&wanted.output, |own| &own.stdout)?,
            stderr: self.out(&wanted.error, |own| &own.stderr)?,
            terminal: self.program.streams.terminal.clone(),
        };
        let order = Order {
            guest: self.program.guest.clone(),
            args: wanted.arguments,
            env: wanted.environment,
            dir: Some(wanted.directory).filter(|dir| !dir.is_empty()),
            streams,
            by: Parent::Program(&self.program.process),
        };
        match launch(self.setting, order) {
            Ok(process) => Ok(Ok(self.table.push(Child(process))?)),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    fn own_id(&mut self) -> wasmtime::Result<u32> {
        Ok(self.program.process.id())
    }

    fn list(&mut self) -> wasmtime::Result<Vec<wit::Running>> {
        let all = self.setting.sandbox.processes.list();
        Ok(all.into_iter().map(|(process, parent)| running(&process, parent)).collect())
    }

    fn send(&mut self, id: u32, signal: wit::Signal) -> wasmtime::Result<Result<(), String>> {
        let Some(process) = self.setting.sandbox.processes.find(&self.setting.name, id) else {
            return Ok(Err("No such process".to_owned()));
        };
        process.send(match signal {
            wit::Signal::None => return Ok(Ok(())),
            wit::Signal::Terminate => Signal::Terminate,
            wit::Signal::Kill => Signal::Kill,
            wit::Signal::Interrupt => Signal::Interrupt,
        });
        Ok(Ok(()))
    }
}

fn size(program: &wit::Program) -> usize {
    // A vector's element is never free.
    const EACH: usize = 32;
    let arguments = program.arguments.iter().map(|argument| argument.len() + EACH);
    let environment = program.environment.iter().map(|(name, value)| name.len() + value.len() + EACH);
    arguments.chain(environment).sum::<usize>() + program.directory.len()
}

fn running(process: &Process, parent: u32) -> wit::Running {
    let started = process.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    wit::Running {
        id: process.id(),
        parent,
        container: process.container().to_owned(),
        command: process.command.clone(),
        started: started.as_secs(),
        cpu: process.meter.cpu.load(Relaxed),
        memory: process.meter.memory.load(Relaxed),
    }
}

impl wit::HostPipe for View<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<Pipe>> {
        let room = self.setting.pipes.clone().try_acquire_owned();
        let room = room.map_err(|_| wasmtime::format_err!("too many pipes in the container"))?;
        let (writer, reader) = pipe::pipe();
        Ok(self.table.push(Pipe { reader: Some(reader), writer: Some(writer), _room: room })?)
    }

    async fn read(&mut self, this: Resource<Pipe>, most: u32) -> wasmtime::Result<Vec<u8>> {
        let Some(reader) = &mut self.table.get_mut(&this)?.reader else { return Ok(Vec::new()) };
        let most = usize::try_from(most).unwrap_or(READ).min(READ);
        Ok(reader.read(most).await.map(Vec::from).unwrap_or_default())
    }

    async fn write(&mut self, this: Resource<Pipe>, bytes: Vec<u8>) -> wasmtime::Result<Result<(), ()>> {
        let Some(writer) = &mut self.table.get_mut(&this)?.writer else { return Ok(Err(())) };
        Ok(writer.write(&bytes).await.map_err(|pipe::Broken| ()))
    }

    fn close_write(&mut self, this: Resource<Pipe>) -> wasmtime::Result<()> {
        self.table.get_mut(&this)?.writer = None;
        Ok(())
    }

    fn close_read(&mut self, this: Resource<Pipe>) -> wasmtime::Result<()> {
        self.table.get_mut(&this)?.reader = None;
        Ok(())
    }

    fn drop(&mut self, this: Resource<Pipe>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl wit::HostProcess for View<'_> {
    fn id(&mut self, this: Resource<Child>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&this)?.0.id())
    }

    async fn wait(&mut self, this: Resource<Child>) -> wasmtime::Result<u8> {
        let process = self.table.get(&this)?.0.clone();
        let terminal = self.program.streams.terminal.as_ref();
        let _interrupts = terminal.map(|tty| tty.wait_for(process.clone()));
        Ok(process.exited().await.code())
    }

    fn try_wait(&mut self, this: Resource<Child>) -> wasmtime::Result<Option<u8>> {
        Ok(self.table.get(&this)?.0.exit().map(|exit| exit.code()))
    }

    fn drop(&mut self, this: Resource<Child>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
