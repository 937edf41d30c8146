//! Descriptors: what the numbers of a redirection lead to, and how a program's children come to have the same.
//!
//! A program of the pod is given three streams and no more. Files that it should have open are named in a hidden first
//! argument (see [`inherit`](crate::inherit)), and it opens them itself.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd as _;
use std::path::PathBuf;
use std::rc::Rc;

use crate::files;
use crate::host::Pipe;

/// Where a descriptor leads. Cloning one is what `dup` is.
#[derive(Clone)]
pub enum Stream {
    /// One of the three that the program was started with.
    Own(u8),
    /// The reading side of a pipe that this program made.
    Reader(Rc<Pipe>),
    /// Its writing side.
    Writer(Rc<Pipe>),
    File(Rc<Opened>),
    /// Text that was written into a script.
    Text(Rc<Text>),
    Null,
    /// Collected in memory.
    #[cfg(test)]
    Memory(Rc<std::cell::RefCell<Vec<u8>>>),
}

/// An open file, and how another program can open it again.
pub struct Opened {
    pub path: PathBuf,
    pub mode: Mode,
    pub file: File,
}

/// How a file is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Read,
    /// All that is written goes to its end: then several programs can write to one.
    Append,
    ReadWrite,
}

/// A here-document.
pub struct Text {
    pub text: String,
    pub at: Cell<usize>,
}

impl Stream {
    pub fn text(text: String) -> Stream {
        Stream::Text(Rc::new(Text { text, at: Cell::new(0) }))
    }

    /// Opens a file as a redirection does.
    pub fn open(path: &str, mode: Mode, truncate: bool) -> io::Result<Stream> {
        let path = files::absolute(path);
        match path.to_str() {
            Some("/dev/null") => return Ok(Stream::Null),
            Some("/dev/stdin") => return Ok(Stream::Own(0)),
            Some("/dev/stdout") => return Ok(Stream::Own(1)),
            Some("/dev/stderr") => return Ok(Stream::Own(2)),
            Some("/dev/tty") => return Ok(Stream::Own(if mode == Mode::Read { 0 } else { 1 })),
            _ => {}
        }
        if files::is_virtual(&path) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if truncate {
            File::create(&path)?;
        }
        let mut options = File::options();
        match mode {
            Mode::Read => options.read(true),
            Mode::Append => options.append(true).create(true),
            Mode::ReadWrite => options.read(true).write(true).create(true),
        };
        let file = options.open(&path)?;
        if file.metadata().is_ok_and(|data| data.is_dir()) && mode != Mode::Read {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Stream::File(Rc::new(Opened { path, mode, file })))
    }

    /// Whether this is the terminal.
    pub fn is_terminal(&self) -> bool {
        use std::io::IsTerminal as _;
        match self {
            Stream::Own(0) => io::stdin().is_terminal(),
            Stream::Own(1) => io::stdout().is_terminal(),
            Stream::Own(2) => io::stderr().is_terminal(),
            _ => false,
        }
    }
}

/// The standard stream without the standard library's buffer: what it has read ahead would be lost to the programs that
/// are started on the same stream.
fn own(number: u8) -> ManuallyDrop<File> {
    // SAFETY: 0, 1 and 2 are open for as long as the program runs, and `ManuallyDrop` leaves them so.
    ManuallyDrop::new(unsafe { File::from_raw_fd(i32::from(number)) })
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Own(number) => own(*number).read(bytes),
            Stream::Reader(pipe) => {
                let read = pipe.read(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                bytes[..read.len()].copy_from_slice(&read);
                Ok(read.len())
            }
            Stream::File(opened) => (&opened.file).read(bytes),
            Stream::Text(text) => {
                let rest = &text.text.as_bytes()[text.at.get()..];
                let most = rest.len().min(bytes.len());
                bytes[..most].copy_from_slice(&rest[..most]);
                text.at.set(text.at.get() + most);
                Ok(most)
            }
            Stream::Null => Ok(0),
            _ => Err(io::Error::other("Bad file descriptor")),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Own(number) => own(*number).write(bytes),
            Stream::Writer(pipe) => match pipe.write(bytes) {
                true => Ok(bytes.len()),
                false => Err(io::ErrorKind::BrokenPipe.into()),
            },
            Stream::File(opened) => (&opened.file).write(bytes),
            Stream::Null => Ok(bytes.len()),
            #[cfg(test)]
            Stream::Memory(all) => all.borrow_mut().write(bytes),
            _ => Err(io::Error::other("Bad file descriptor")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The descriptors of a program, by number.
#[derive(Clone)]
pub struct Table(BTreeMap<u32, Stream>);

impl Default for Table {
    fn default() -> Table {
        Table((0..3).map(|number| (u32::from(number), Stream::Own(number))).collect())
    }
}

impl Table {
    pub fn get(&self, number: u32) -> Option<&Stream> {
        self.0.get(&number)
    }

    /// A descriptor to write to or read from; one that is closed is as good as `/dev/null`.
    pub fn stream(&self, number: u32) -> Stream {
        self.get(number).cloned().unwrap_or(Stream::Null)
    }

    pub fn set(&mut self, number: u32, stream: Stream) {
        self.0.insert(number, stream);
    }

    pub fn close(&mut self, number: u32) {
        self.0.remove(&number);
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Stream)> {
        self.0.iter().map(|(number, stream)| (*number, stream))
    }

    /// Without any; for those that are told each.
    pub fn empty() -> Table {
        Table(BTreeMap::new())
    }
}
