//! `wc [-lwcm] [FILE…]`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::io::Io;
use crate::options;

#[derive(Default, Clone, Copy)]
struct Counts {
    lines: u64,
    words: u64,
    letters: u64,
    bytes: u64,
}

pub fn wc(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm')];
    let options = options::parse(arguments, "lwcmL", &long)?;
    let all = options.given.is_empty();
    let show = |counts: &Counts, name: &str| {
        let columns = [
            (all || options.has('l'), counts.lines),
            (all || options.has('w'), counts.words),
            (options.has('m'), counts.letters),
            (all || options.has('c'), counts.bytes),
        ];
        let columns: Vec<u64> = columns.into_iter().filter_map(|(shown, count)| shown.then_some(count)).collect();
        let width = if columns.len() > 1 { 7 } else { 1 };
        let columns: Vec<String> = columns.iter().map(|count| format!("{count:>width$}")).collect();
        let name = if name == "-" { String::new() } else { format!(" {name}") };
        format!("{}{name}", columns.join(" "))
    };
    let mut total = Counts::default();
    let mut files = 0;
    io.each(&options.operands, |name, reader, out| {
        let counts = count(reader)?;
        total.lines += counts.lines;
        total.words += counts.words;
        total.letters += counts.letters;
        total.bytes += counts.bytes;
        files += 1;
        Ok(writeln!(out, "{}", show(&counts, name))?)
    })?;
    if files > 1 {
        writeln!(io.out, "{}", show(&total, "total"))?;
    }
    Ok(0)
}

fn count(reader: &mut dyn std::io::BufRead) -> std::io::Result<Counts> {
    let mut counts = Counts::default();
    let mut in_word = false;
    loop {
        let bytes = reader.fill_buf()?;
        let read = bytes.len();
        if read == 0 {
            return Ok(counts);
        }
        for byte in bytes {
            counts.lines += u64::from(*byte == b'\n');
            counts.letters += u64::from(*byte & 0xc0 != 0x80);
            let blank = byte.is_ascii_whitespace();
            counts.words += u64::from(in_word && blank);
            in_word = !blank;
        }
        counts.bytes += read as u64;
        reader.consume(read);
        if reader.fill_buf()?.is_empty() {
            counts.words += u64::from(in_word);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::output;

    #[test]
    fn counts() {
        assert_eq!(output("wc", "a b\nc é"), "      1       4       8\n");
        assert_eq!(output("wc -l", "a\nb\n"), "2\n");
        assert_eq!(output("wc -m", "é\n"), "2\n");
        assert_eq!(output("wc -c", ""), "0\n");
    }
}
