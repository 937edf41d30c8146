//! `cat [-n] [FILE…]`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::io::{Io, line};
use crate::options;

pub fn cat(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "nbsuvetA", &[("number", 'n')])?;
    let (number, filled) = (options.has('n'), options.has('b'));
    let mut count = 0;
    io.each(&options.operands, |_, reader, out| {
        if !number && !filled {
            loop {
                let bytes = reader.fill_buf()?;
                let read = bytes.len();
                if read == 0 {
                    return Ok(());
                }
                out.write_all(bytes)?;
                // What comes in pieces, as from a terminal or a server, is passed on at once.
                out.flush()?;
                reader.consume(read);
            }
        }
        while let Some((bytes, ended)) = line(reader)? {
            if number || !bytes.is_empty() {
                count += 1;
                write!(out, "{count:6}\t")?;
            }
            out.write_all(&bytes)?;
            if ended {
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    })?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::{output, run_on};

    #[test]
    fn copies_and_numbers() {
        assert_eq!(output("cat", "a\nb"), "a\nb");
        assert_eq!(output("cat -n", "a\nb\n"), "     1\ta\n     2\tb\n");
        let (code, _, complaint) = run_on("cat /nowhere/x", "");
        assert_eq!((code, complaint.as_str()), (1, "cat: /nowhere/x: No such file or directory\n"));
    }
}
