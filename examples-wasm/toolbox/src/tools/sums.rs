//! `sha256sum` and `md5sum`, `[-c] [FILE…]`.

use std::io::{BufRead, Write as _};

use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512};

use crate::failure::{Failure, words};
use crate::files;
use crate::io::Io;
use crate::options;

pub fn sha256sum(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    run::<Sha256>(arguments, io)
}

pub fn sha512sum(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    run::<Sha512>(arguments, io)
}

pub fn md5sum(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    run::<Md5>(arguments, io)
}

fn run<D: Digest>(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("check", 'c'), ("status", 's'), ("quiet", 'q'), ("binary", 'b'), ("text", 't')];
    let options = options::parse(arguments, "cbtsqw", &long)?;
    if options.has('c') {
        return check::<D>(&options.operands, options.has('s'), options.has('q'), io);
    }
    io.each(&options.operands, |name, reader, out| Ok(writeln!(out, "{}  {name}", digest::<D>(reader)?)?))?;
    Ok(0)
}

fn digest<D: Digest>(reader: &mut dyn BufRead) -> std::io::Result<String> {
    let mut digest = D::new();
    loop {
        let bytes = reader.fill_buf()?;
        let read = bytes.len();
        if read == 0 {
            return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        digest.update(bytes);
        reader.consume(read);
    }
}

fn check<D: Digest>(lists: &[String], silent: bool, quiet: bool, io: &mut Io) -> Result<u8, Failure> {
    let mut wrong = 0;
    let input = [String::from("-")];
    for list in if lists.is_empty() { &input } else { lists } {
        let text = io.read(list).map_err(|error| Failure::of(list, &error))?;
        for line in String::from_utf8_lossy(&text).lines() {
            let Some((expected, name)) = line.split_once([' ', '\t']) else { continue };
            let name = name.trim_start_matches([' ', '*']);
            let actual = files::open(name).and_then(|file| digest::<D>(&mut std::io::BufReader::new(file)));
            let right = match &actual {
                Ok(actual) => actual.eq_ignore_ascii_case(expected),
                Err(error) => {
                    let _ = writeln!(io.err, "{}: {name}: {}", io.name, words(error));
                    false
                }
            };
            wrong += usize::from(!right);
            if !silent && (!quiet || !right) {
                writeln!(io.out, "{name}: {}", if right { "OK" } else { "FAILED" })?;
            }
        }
    }
    match wrong {
        0 => Ok(0),
        _ if silent => Ok(1),
        wrong => Err(format!("WARNING: {wrong} computed checksums did NOT match").into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::output;

    #[test]
    fn known_sums() {
        assert_eq!(output("md5sum", "abc"), "900150983cd24fb0d6963f7d28e17f72  -\n");
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n";
        assert_eq!(output("sha256sum", "abc"), expected);
    }
}
