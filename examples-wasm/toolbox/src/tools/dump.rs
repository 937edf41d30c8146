//! `hexdump [-C]` and `od [-c] [-x] [-An] [-tx1]`.

use std::io::{Read as _, Write as _};

use crate::failure::Failure;
use crate::io::Io;
use crate::options;

/// How sixteen bytes are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `hexdump -C`.
    Canonical,
    /// Two bytes a number, the lower first.
    Words {
        octal: bool,
    },
    Bytes {
        octal: bool,
    },
    Letters,
}

pub fn hexdump(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "Cvn:s:x", &[("canonical", 'C')])?;
    let form = if options.has('C') { Form::Canonical } else { Form::Words { octal: false } };
    let dump = Dump {
        form,
        address: Some(if form == Form::Canonical { 8 } else { 7 }),
        octal_address: false,
        all: options.has('v'),
        skip: options.number('s')?.unwrap_or(0),
        most: options.number('n')?.unwrap_or(u64::MAX),
    };
    dump.run(&options.operands, io)
}

pub fn od(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "A:t:cbxvN:j:w:", &[])?;
    let form = match (options.value('t').and_then(|kind| kind.get(..2).or(Some(kind))), options.has('c')) {
        (Some("x1"), _) => Form::Bytes { octal: false },
        (Some("o1"), _) => Form::Bytes { octal: true },
        (Some("x" | "x2"), _) => Form::Words { octal: false },
        (Some("c" | "a"), _) | (None, true) => Form::Letters,
        (Some(other), _) if !other.starts_with('o') => return Err(format!("invalid type string '{other}'").into()),
        _ if options.has('b') => Form::Bytes { octal: true },
        _ => Form::Words { octal: !options.has('x') },
    };
    let dump = Dump {
        form,
        address: (options.value('A') != Some("n")).then_some(7),
        octal_address: options.value('A') != Some("x"),
        all: options.has('v'),
        skip: options.number('j')?.unwrap_or(0),
        most: options.number('N')?.unwrap_or(u64::MAX),
    };
    dump.run(&options.operands, io)
}

struct Dump {
    form: Form,
    /// How many digits.
    address: Option<usize>,
    octal_address: bool,
    /// Lines that repeat are shown, too.
    all: bool,
    skip: u64,
    most: u64,
}

impl Dump {
    fn run(&self, names: &[String], io: &mut Io) -> Result<u8, Failure> {
        let mut bytes = Vec::new();
        let enough = self.skip.saturating_add(self.most);
        io.each(names, |_, reader, _| {
            let left = enough.saturating_sub(bytes.len() as u64);
            reader.take(left).read_to_end(&mut bytes)?;
            Ok(())
        })?;
        let bytes = bytes.get(self.skip as usize..).unwrap_or_default();
        let (mut before, mut starred) = (None, false);
        for (at, line) in bytes.chunks(16).enumerate() {
            if !self.all && before == Some(line) && line.len() == 16 {
                if !starred {
                    writeln!(io.out, "*")?;
                }
                starred = true;
                continue;
            }
            (before, starred) = (Some(line), false);
            let address = self.place(self.skip + at as u64 * 16);
            writeln!(io.out, "{address}{}", shown(line, self.form))?;
        }
        if self.address.is_some() && !(bytes.is_empty() && self.form == Form::Canonical) {
            writeln!(io.out, "{}", self.place(self.skip + bytes.len() as u64))?;
        }
        Ok(0)
    }

    fn place(&self, at: u64) -> String {
        match self.address {
            None => String::new(),
            Some(width) if self.octal_address => format!("{at:0width$o}"),
            Some(width) => format!("{at:0width$x}"),
        }
    }
}

fn shown(line: &[u8], form: Form) -> String {
    match form {
        Form::Canonical => {
            let half = |bytes: &[u8]| bytes.iter().map(|byte| format!(" {byte:02x}")).collect::<String>();
            let hex = format!(" {}{}", half(&line[..line.len().min(8)]), half_behind(line, half));
            let letter = |byte: &u8| if (32..127).contains(byte) { char::from(*byte) } else { '.' };
            format!("{hex:<50}  |{}|", line.iter().map(letter).collect::<String>())
        }
        Form::Words { octal } => {
            let word = |two: &[u8]| u16::from(two[0]) | u16::from(*two.get(1).unwrap_or(&0)) << 8;
            let text = |word: u16| if octal { format!(" {word:06o}") } else { format!(" {word:04x}") };
            line.chunks(2).map(|two| text(word(two))).collect()
        }
        Form::Bytes { octal: false } => line.iter().map(|byte| format!(" {byte:02x}")).collect(),
        Form::Bytes { octal: true } => line.iter().map(|byte| format!(" {byte:03o}")).collect(),
        Form::Letters => line.iter().map(|byte| format!("{:>4}", letter(*byte))).collect(),
    }
}

fn half_behind(line: &[u8], half: impl Fn(&[u8]) -> String) -> String {
    match line.get(8..) {
        Some(rest) if !rest.is_empty() => format!(" {}", half(rest)),
        _ => String::new(),
    }
}

fn letter(byte: u8) -> String {
    match byte {
        0 => "\\0".to_owned(),
        7 => "\\a".to_owned(),
        8 => "\\b".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        32..127 => char::from(byte).to_string(),
        other => format!("{other:03o}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::output;

    #[test]
    fn bytes_are_shown() {
        let canonical = "00000000  61 62 63 64 65 66 67 68  0a                       |abcdefgh.|\n00000009\n";
        assert_eq!(output("hexdump -C", "abcdefgh\n"), canonical);
        assert_eq!(output("hexdump", "ab"), "0000000 6261\n0000002\n");
        assert_eq!(output("od -An -tx1", "ab\n"), " 61 62 0a\n");
        assert_eq!(output("od -c", "a\n"), "0000000   a  \\n\n0000002\n");
        assert_eq!(output("od", "ab"), "0000000 061141\n0000002\n");
        assert_eq!(output("od -An -tx1", &"a".repeat(48)).lines().nth(1), Some("*"));
    }
}
