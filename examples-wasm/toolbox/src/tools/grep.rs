//! `grep`.

use std::collections::VecDeque;
use std::io::{BufRead, Write as _};

use crate::failure::Failure;
use crate::files;
use crate::io::{Io, Out, line};
use crate::matcher::{Matcher, Syntax};
use crate::options::{self, Options};
use crate::tools::walk;

const LONG: &[(&str, char)] = &[
    ("ignore-case", 'i'),
    ("invert-match", 'v'),
    ("line-number", 'n'),
    ("count", 'c'),
    ("recursive", 'r'),
    ("files-with-matches", 'l'),
    ("files-without-match", 'L'),
    ("quiet", 'q'),
    ("silent", 'q'),
    ("extended-regexp", 'E'),
    ("fixed-strings", 'F'),
    ("only-matching", 'o'),
    ("word-regexp", 'w'),
    ("line-regexp", 'x'),
    ("after-context", 'A'),
    ("before-context", 'B'),
    ("context", 'C'),
    ("max-count", 'm'),
    ("no-messages", 's'),
    ("with-filename", 'H'),
    ("no-filename", 'h'),
    ("regexp", 'e'),
    ("color", 'G'),
    ("line-buffered", 'a'),
];

pub fn grep(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let mut options = options::parse(arguments, "ivncrRlLqEFPowxA:B:C:m:sHhe:f:Ga", LONG)?;
    let mut patterns: Vec<String> = options.values('e').flat_map(str::lines).map(str::to_owned).collect();
    patterns.extend(options.values('e').filter(|pattern| pattern.is_empty()).map(str::to_owned));
    if let Some(file) = options.value('f').map(str::to_owned) {
        let text = io.read(&file).map_err(|error| Failure::new(2, Failure::of(&file, &error).message))?;
        patterns.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
    } else if !options.has('e') {
        if options.operands.is_empty() {
            return Err(Failure::new(2, "usage: grep [OPTION]... PATTERN [FILE]..."));
        }
        let pattern = options.operands.remove(0);
        patterns.extend(pattern.split('\n').map(str::to_owned));
    }
    let syntax = match () {
        () if options.has('F') => Syntax::Fixed,
        () if options.has('E') || options.has('P') => Syntax::Extended,
        () => Syntax::Basic,
    };
    let around = if options.has('x') {
        ("^(?:", ")$")
    } else if options.has('w') {
        ("\\b(?:", ")\\b")
    } else {
        ("", "")
    };
    let matcher = Matcher::any(&patterns, syntax, options.has('i'), around).map_err(|error| Failure::new(2, error))?;
    let recursive = options.has('r') || options.has('R');
    let names = names(&options.operands, recursive, io);
    let wanted = Wanted::new(&options, matcher, recursive || options.operands.len() > 1)?;
    search(&names, &wanted, io)
}

pub fn egrep(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    grep(&[&["-E".to_owned()], arguments].concat(), io)
}

pub fn fgrep(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    grep(&[&["-F".to_owned()], arguments].concat(), io)
}

fn names(operands: &[String], recursive: bool, io: &mut Io) -> Vec<String> {
    if !recursive {
        return if operands.is_empty() { vec!["-".to_owned()] } else { operands.to_vec() };
    }
    let here = [String::from(".")];
    let mut names = Vec::new();
    for operand in if operands.is_empty() { &here } else { operands } {
        walk::files_below(operand, &mut |path| names.push(path.to_owned()), &mut |path, error| {
            io.complain_of(path, error)
        });
    }
    if operands.is_empty() {
        names.iter_mut().for_each(|name| *name = name.trim_start_matches("./").to_owned());
    }
    names
}

/// What is looked for and how it is shown.
struct Wanted {
    matcher: Matcher,
    invert: bool,
    numbers: bool,
    count: bool,
    list: Option<bool>,
    quiet: bool,
    only: bool,
    titles: bool,
    silent: bool,
    before: usize,
    after: usize,
    most: Option<u64>,
}

impl Wanted {
    fn new(options: &Options, matcher: Matcher, several: bool) -> Result<Wanted, Failure> {
        let context = options.number('C')?.unwrap_or(0);
        Ok(Wanted {
            matcher,
            invert: options.has('v'),
            numbers: options.has('n'),
            count: options.has('c'),
            list: if options.has('l') { Some(true) } else { options.has('L').then_some(false) },
            quiet: options.has('q'),
            only: options.has('o'),
            titles: (several || options.has('H')) && !options.has('h'),
            silent: options.has('s'),
            before: options.number('B')?.unwrap_or(context),
            after: options.number('A')?.unwrap_or(context),
            most: options.number('m')?,
        })
    }

    fn needs_lines(&self) -> bool {
        !self.quiet && !self.count && self.list.is_none()
    }
}

fn search(names: &[String], wanted: &Wanted, io: &mut Io) -> Result<u8, Failure> {
    let mut found = false;
    for name in names {
        if name != "-" && files::is_directory(name) {
            if !wanted.silent {
                io.complain(format!("{name}: Is a directory"));
            }
            continue;
        }
        let matches = match name.as_str() {
            "-" => matches("(standard input)", &mut io.input, wanted, &mut io.out)?,
            path => match files::open(path) {
                Ok(file) => matches(path, &mut std::io::BufReader::new(file), wanted, &mut io.out)?,
                Err(error) => {
                    if !wanted.silent {
                        io.complain_of(path, &error);
                    }
                    io.code = 2;
                    continue;
                }
            },
        };
        found |= matches > 0;
        if wanted.quiet && found {
            io.code = 0;
            return Ok(0);
        }
    }
    Ok(u8::from(!found))
}

/// How many lines of a file match; they are shown on the way.
fn matches(name: &str, reader: &mut dyn BufRead, wanted: &Wanted, out: &mut Out) -> Result<u64, Failure> {
    let mut shown = Shown { name, wanted, held: VecDeque::new(), rest: 0, last: 0 };
    let (mut number, mut count) = (0, 0);
    while wanted.most.is_none_or(|most| count < most) {
        let Some((bytes, _)) = line(reader)? else { break };
        number += 1;
        let text = String::from_utf8_lossy(&bytes);
        let matched = wanted.matcher.is_match(&text) != wanted.invert;
        count += u64::from(matched);
        if matched && (wanted.quiet || wanted.list.is_some()) {
            break;
        }
        if wanted.needs_lines() {
            shown.line(number, &bytes, &text, matched, out)?;
        }
    }
    if wanted.count && !wanted.quiet {
        let title = if wanted.titles { format!("{name}:") } else { String::new() };
        writeln!(out, "{title}{count}")?;
    }
    if !wanted.quiet && wanted.list == Some(count > 0) {
        writeln!(out, "{name}")?;
    }
    Ok(count)
}

/// What was shown of a file, for the lines around a match.
struct Shown<'a> {
    name: &'a str,
    wanted: &'a Wanted,
    held: VecDeque<(u64, Vec<u8>)>,
    rest: usize,
    last: u64,
}

impl Shown<'_> {
    fn line(&mut self, number: u64, bytes: &[u8], text: &str, matched: bool, out: &mut Out) -> std::io::Result<()> {
        let wanted = self.wanted;
        if matched {
            let held = std::mem::take(&mut self.held);
            let first = held.front().map_or(number, |(number, _)| *number);
            if (wanted.before > 0 || wanted.after > 0) && self.last > 0 && first > self.last + 1 {
                out.write_all(b"--\n")?;
            }
            for (number, bytes) in held {
                self.write(number, &bytes, '-', out)?;
            }
            if wanted.only && !wanted.invert {
                for part in wanted.matcher.all(text).into_iter().filter(|part| !part.is_empty()) {
                    self.write(number, part.as_bytes(), ':', out)?;
                }
            } else {
                self.write(number, bytes, ':', out)?;
            }
            self.last = number;
            self.rest = wanted.after;
        } else if self.rest > 0 {
            self.rest -= 1;
            self.write(number, bytes, '-', out)?;
            self.last = number;
        } else if wanted.before > 0 {
            self.held.push_back((number, bytes.to_vec()));
            if self.held.len() > wanted.before {
                self.held.pop_front();
            }
        }
        Ok(())
    }

    fn write(&self, number: u64, bytes: &[u8], mark: char, out: &mut Out) -> std::io::Result<()> {
        if self.wanted.titles {
            write!(out, "{}{mark}", self.name)?;
        }
        if self.wanted.numbers {
            write!(out, "{number}{mark}")?;
        }
        out.write_all(bytes)?;
        out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::{output, run_on};

    const TEXT: &str = "one\ntwo\nthree\nfour\nfive\n";

    #[test]
    fn lines_that_match() {
        for (line, expected) in [
            ("grep t", "two\nthree\n"),
            ("grep -v t", "one\nfour\nfive\n"),
            ("grep -n ^f", "4:four\n5:five\n"),
            ("grep -c e", "3\n"),
            ("grep -i ONE", "one\n"),
            ("grep -o [a-z]e", "ne\nre\nve\n"),
            ("grep -E ^(one|five)$", "one\nfive\n"),
            ("grep \\(e\\)\\{2\\}", "three\n"),
            ("grep -F o.e", ""),
            ("grep -w two", "two\n"),
            ("grep -x t", ""),
            ("grep -A1 two", "two\nthree\n"),
            ("grep -B 1 -n two", "1-one\n2:two\n"),
            ("grep -m1 t", "two\n"),
            ("grep -e one -e five", "one\nfive\n"),
            ("grep -H one", "(standard input):one\n"),
            ("grep -l one -", "(standard input)\n"),
            ("grep -C0 -A0 -e one -e five", "one\nfive\n"),
            ("grep -A1 -e one -e five", "one\ntwo\n--\nfive\n"),
        ] {
            assert_eq!(output(line, TEXT), expected, "{line}");
        }
    }

    #[test]
    fn the_code_says_whether_anything_did() {
        assert_eq!(run_on("grep -q one", TEXT).0, 0);
        assert_eq!(run_on("grep -q six", TEXT).0, 1);
        assert_eq!(run_on("grep six /nowhere/x", TEXT).0, 2);
        assert_eq!(run_on("grep -E (", TEXT).0, 2);
    }
}
