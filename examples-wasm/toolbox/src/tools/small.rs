//! `yes` and `tee`.

use std::io::{Read as _, Write as _};

use crate::failure::Failure;
use crate::io::Io;
use crate::options;
use crate::stream::{Mode, Stream};

pub fn yes(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let text = if arguments.is_empty() { "y".to_owned() } else { arguments.join(" ") };
    loop {
        writeln!(io.out, "{text}")?;
    }
}

pub fn tee(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "ai", &[("append", 'a')])?;
    let mut files = Vec::new();
    for path in &options.operands {
        match Stream::open(path, Mode::Append, !options.has('a')) {
            Ok(file) => files.push((path, file)),
            Err(error) => io.complain_of(path, &error),
        }
    }
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = io.input.read(&mut bytes)?;
        if read == 0 {
            return Ok(0);
        }
        for (path, file) in &mut files {
            file.write_all(&bytes[..read]).map_err(|error| Failure::of(path, &error))?;
        }
        io.out.write_all(&bytes[..read])?;
        io.out.flush()?;
    }
}
