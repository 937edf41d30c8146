//! `tail [-n [+]N] [-c [+]N] [-f|-F] [-s SECONDS] [FILE…]`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, Read as _, Seek as _, SeekFrom, Write as _};
use std::thread;
use std::time::Duration;

use super::head::{amount, modern};
use crate::failure::Failure;
use crate::files;
use crate::io::{Io, Out, copy, line};
use crate::options;

/// How often a followed file is looked at.
const INTERVAL: f64 = 0.25;

/// Which part is wanted.
#[derive(Clone, Copy)]
struct Part {
    bytes: bool,
    from_start: bool,
    count: usize,
}

pub fn tail(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("lines", 'n'), ("bytes", 'c'), ("follow", 'f'), ("quiet", 'q'), ("verbose", 'v')];
    let options = options::parse(&modern(arguments), "n:c:fFqvs:", &long)?;
    let told = options.value('c').or(options.value('n')).unwrap_or("10");
    let count = amount(told.trim_start_matches(['+', '-']))?;
    let part =
        Part { bytes: options.has('c'), from_start: told.starts_with('+'), count: usize::try_from(count).unwrap_or(0) };
    let titles = (options.operands.len() > 1 || options.has('v')) && !options.has('q');
    let mut first = true;
    let retry = options.has('F');
    io.each(&options.operands, |name, reader, out| {
        if titles {
            writeln!(out, "{}==> {name} <==", if first { "" } else { "\n" })?;
            first = false;
        }
        last(reader, part, out)
    })?;
    if !options.has('f') && !retry {
        return Ok(0);
    }
    let interval = options.number('s')?.unwrap_or(INTERVAL).clamp(0.01, 3600.0);
    follow(&options.operands, titles, retry, Duration::from_secs_f64(interval), io)
}

fn last(reader: &mut dyn BufRead, part: Part, out: &mut Out) -> Result<(), Failure> {
    match (part.from_start, part.bytes) {
        (true, true) => {
            std::io::copy(&mut reader.take(part.count.saturating_sub(1) as u64), &mut std::io::sink())?;
            copy(reader, out)?;
        }
        (true, false) => {
            for _ in 1..part.count {
                line(reader)?;
            }
            copy(reader, out)?;
        }
        (false, true) => {
            let mut held = VecDeque::new();
            loop {
                let bytes = reader.fill_buf()?;
                let read = bytes.len();
                if read == 0 {
                    break;
                }
                held.extend(bytes);
                held.drain(..held.len().saturating_sub(part.count));
                reader.consume(read);
            }
            out.write_all(held.make_contiguous())?;
        }
        (false, false) => {
            let mut held = VecDeque::new();
            while let Some(next) = line(reader)? {
                held.push_back(next);
                if held.len() > part.count {
                    held.pop_front();
                }
            }
            for (bytes, ended) in held {
                out.write_all(&bytes)?;
                if ended {
                    out.write_all(b"\n")?;
                }
            }
        }
    }
    Ok(())
}

/// A file that is followed, and how much of it was shown.
struct Followed {
    name: String,
    at: u64,
}

fn follow(names: &[String], titles: bool, retry: bool, interval: Duration, io: &mut Io) -> Result<u8, Failure> {
    let size = |name: &str| files::facts(name).map_or(0, |facts| facts.size);
    let mut all: Vec<Followed> = names
        .iter()
        .filter(|name| *name != "-" && (retry || files::exists(name)))
        .map(|name| Followed { name: name.clone(), at: size(name) })
        .collect();
    if all.is_empty() {
        return Ok(0);
    }
    let mut shown = all.len() - 1;
    loop {
        io.out.flush()?;
        thread::sleep(interval);
        for (at, followed) in all.iter_mut().enumerate() {
            let size = size(&followed.name);
            if size < followed.at {
                if files::exists(&followed.name) {
                    let _ = writeln!(io.err, "tail: {}: file truncated", followed.name);
                }
                followed.at = 0;
            }
            if size <= followed.at {
                continue;
            }
            if titles && shown != at {
                writeln!(io.out, "\n==> {} <==", followed.name)?;
            }
            shown = at;
            followed.at += more(followed, &mut io.out)?;
        }
    }
}

fn more(followed: &Followed, out: &mut Out) -> Result<u64, Failure> {
    let Ok(mut file) = File::open(files::absolute(&followed.name)) else { return Ok(0) };
    file.seek(SeekFrom::Start(followed.at))?;
    Ok(copy(&mut file, out)?)
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::output;

    #[test]
    fn the_last_of_it() {
        assert_eq!(output("tail -n 2", "a\nb\nc\n"), "b\nc\n");
        assert_eq!(output("tail -n +2", "a\nb\nc"), "b\nc");
        assert_eq!(output("tail -c 3", "abcdef"), "def");
        assert_eq!(output("tail -c +3", "abcdef"), "cdef");
        assert_eq!(output("tail -1", "a\nb"), "b");
    }
}
