//! What a tool is given to read and to write.

use std::io::{self, BufRead, BufReader, BufWriter, LineWriter, Read, Write};

use crate::failure::{Failure, words};
use crate::files;
use crate::stream::{Stream, Table};

/// Bytes read or written at once.
const BUFFER: usize = 64 << 10;

/// The same for a tool that a shell runs itself, a thousand times maybe.
const SMALL: usize = 256;

/// The standard streams of a tool.
pub struct Io {
    pub input: BufReader<Stream>,
    pub out: Out,
    pub err: LineWriter<Stream>,
    /// What the tool is called, for its complaints.
    pub name: String,
    /// The code to end with, when some of the work could not be done.
    pub code: u8,
    /// For the programs that it starts.
    pub table: Table,
}

/// Output: line by line to a terminal, in large pieces to anything else.
pub enum Out {
    Lines(LineWriter<Stream>),
    Blocks(BufWriter<Stream>),
}

impl Io {
    pub fn new(name: &str, table: &Table) -> Io {
        let out = table.stream(1);
        let out = match out.is_terminal() {
            true => Out::Lines(LineWriter::new(out)),
            false => Out::Blocks(BufWriter::with_capacity(BUFFER, out)),
        };
        Io::with(name, table, out, BUFFER)
    }

    /// For a tool that prints little, all at once.
    pub fn small(name: &str, table: &Table) -> Io {
        Io::with(name, table, Out::Blocks(BufWriter::with_capacity(SMALL, table.stream(1))), SMALL)
    }

    fn with(name: &str, table: &Table, out: Out, buffer: usize) -> Io {
        Io {
            input: BufReader::with_capacity(buffer, table.stream(0)),
            out,
            err: LineWriter::with_capacity(SMALL, table.stream(2)),
            name: name.to_owned(),
            code: 0,
            table: table.clone(),
        }
    }

    /// Says what went wrong with one of several; the tool goes on and ends with 1.
    pub fn complain(&mut self, message: impl AsRef<str>) {
        self.code = self.code.max(1);
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{}: {}", self.name, message.as_ref());
    }

    /// Says why a file could not be worked on.
    pub fn complain_of(&mut self, name: &str, error: &io::Error) {
        self.complain(format!("{name}: {}", words(error)));
    }

    /// A file, or standard input for `-`.
    pub fn open(&mut self, name: &str) -> io::Result<Box<dyn BufRead + '_>> {
        match name {
            "-" => Ok(Box::new(&mut self.input)),
            path => Ok(Box::new(BufReader::with_capacity(BUFFER, files::open(path)?))),
        }
    }

    /// All of a file, or of standard input for `-`.
    pub fn read(&mut self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(name)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Does something with each file, `-` when there is none, and complains about those that cannot be read.
    pub fn each(
        &mut self,
        names: &[String],
        mut work: impl FnMut(&str, &mut dyn BufRead, &mut Out) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let input = [String::from("-")];
        for name in if names.is_empty() { &input } else { names } {
            if name == "-" {
                work(name, &mut self.input, &mut self.out)?;
                continue;
            }
            match files::open(name) {
                Ok(file) => work(name, &mut BufReader::with_capacity(BUFFER, file), &mut self.out)?,
                Err(error) => self.complain_of(name, &error),
            }
        }
        Ok(())
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::Lines(out) => out.write(bytes),
            Out::Blocks(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Lines(out) => out.flush(),
            Out::Blocks(out) => out.flush(),
        }
    }
}

/// The next line without its end, as bytes; None at the end. The second tells whether it had an end.
pub fn line(reader: &mut (impl BufRead + ?Sized)) -> io::Result<Option<(Vec<u8>, bool)>> {
    let mut bytes = Vec::new();
    if reader.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let ended = bytes.pop_if(|byte| *byte == b'\n').is_some();
    Ok(Some((bytes, ended)))
}

/// Copies until the end, whatever is there at once.
pub fn copy(reader: &mut (impl Read + ?Sized), out: &mut (impl Write + ?Sized)) -> io::Result<u64> {
    let mut bytes = vec![0; BUFFER];
    let mut all = 0;
    loop {
        match reader.read(&mut bytes)? {
            0 => return Ok(all),
            read => {
                out.write_all(&bytes[..read])?;
                all += read as u64;
            }
        }
    }
}
