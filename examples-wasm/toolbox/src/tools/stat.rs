//! `stat [-c FORMAT] FILE…`, `du`, `df`.

use std::io::Write as _;

use crate::calendar::Moment;
use crate::failure::Failure;
use crate::files::{self, Kind};
use crate::host;
use crate::io::Io;
use crate::options::{self, Options};
use crate::tools::ls;
use crate::tools::walk::join;

/// How deep a tree is followed.
const DEPTH: u32 = 200;

pub fn stat(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "c:Lft", &[("format", 'c'), ("dereference", 'L')])?;
    for path in &options.operands {
        let facts = if options.has('L') { files::facts(path) } else { files::link_facts(path) };
        let facts = match facts {
            Ok(facts) => facts,
            Err(error) => {
                io.complain(format!("can't stat '{path}': {}", crate::failure::words(&error)));
                continue;
            }
        };
        let kind = match facts.kind {
            Kind::File if facts.size == 0 => "regular empty file",
            Kind::File => "regular file",
            Kind::Directory => "directory",
            Kind::Link => "symbolic link",
            Kind::Other => "character special file",
        };
        let modified = Moment::from(facts.modified);
        let time = modified.format("%F %T.%N +0000");
        let mode = ls::mode(&facts);
        let octal = octal(mode);
        match options.value('c') {
            Some(format) => {
                let text = formatted(format, |letter| {
                    Some(match letter {
                        'n' => path.clone(),
                        's' => facts.size.to_string(),
                        'F' => kind.to_owned(),
                        'Y' | 'X' | 'Z' => modified.seconds.to_string(),
                        'y' | 'x' | 'z' => time.clone(),
                        'A' => mode.to_owned(),
                        'a' => octal.clone(),
                        'U' | 'G' => "root".to_owned(),
                        'u' | 'g' => "0".to_owned(),
                        'h' => "1".to_owned(),
                        'b' => facts.size.div_ceil(512).to_string(),
                        'B' => "512".to_owned(),
                        _ => return None,
                    })
                });
                writeln!(io.out, "{text}")?;
            }
            None => {
                writeln!(io.out, "  File: {path}")?;
                writeln!(io.out, "  Size: {:<10}\tBlocks: {:<10} {kind}", facts.size, facts.size.div_ceil(512))?;
                writeln!(io.out, "Access: (0{octal}/{mode})  Uid: (    0/    root)   Gid: (    0/    root)")?;
                writeln!(io.out, "Modify: {time}")?;
            }
        }
    }
    Ok(0)
}

fn octal(mode: &str) -> String {
    let bits =
        |part: &str| part.bytes().zip([4, 2, 1]).filter(|(letter, _)| *letter != b'-').map(|(_, bit)| bit).sum::<u8>();
    [&mode[1..4], &mode[4..7], &mode[7..10]].map(|part| bits(part).to_string()).concat()
}

fn formatted(format: &str, value: impl Fn(char) -> Option<String>) -> String {
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(c) = letters.next() {
        match (c, letters.as_str().chars().next()) {
            ('%', Some('%')) => {
                letters.next();
                text.push('%');
            }
            ('%', Some(letter)) => {
                letters.next();
                text.push_str(&value(letter).unwrap_or_else(|| format!("%{letter}")));
            }
            ('\\', Some('n')) => {
                letters.next();
                text.push('\n');
            }
            (c, _) => text.push(c),
        }
    }
    text
}

pub fn du(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long =
        [("summarize", 's'), ("human-readable", 'h'), ("all", 'a'), ("max-depth", 'd'), ("bytes", 'b'), ("total", 'c')];
    let options = options::parse(arguments, "shakmd:bcx", &long)?;
    let depth = if options.has('s') { Some(0) } else { options.number('d')? };
    let here = [String::from(".")];
    let mut total = 0;
    for path in if options.operands.is_empty() { &here[..] } else { &options.operands } {
        total += usage(path, 0, depth.unwrap_or(DEPTH), &options, io)?;
    }
    if options.has('c') {
        writeln!(io.out, "{}\ttotal", amount(total, &options))?;
    }
    Ok(0)
}

fn usage(path: &str, depth: u32, shown: u32, options: &Options, io: &mut Io) -> Result<u64, Failure> {
    let facts = match files::link_facts(path) {
        Ok(facts) => facts,
        Err(error) => {
            io.complain_of(path, &error);
            return Ok(0);
        }
    };
    let mut size = if options.has('b') { facts.size } else { facts.size.div_ceil(4096) * 4096 };
    if facts.kind == Kind::Directory && depth < DEPTH {
        match files::names(path) {
            Ok(names) => {
                for name in names {
                    size += usage(&join(path, &name), depth + 1, shown, options, io)?;
                }
            }
            Err(error) => io.complain_of(path, &error),
        }
    }
    if depth <= shown && (facts.kind == Kind::Directory || options.has('a') || depth == 0) {
        writeln!(io.out, "{}\t{path}", amount(size, options))?;
    }
    Ok(size)
}

fn amount(bytes: u64, options: &Options) -> String {
    match () {
        () if options.has('h') => ls::size(bytes, true),
        () if options.has('b') => bytes.to_string(),
        () if options.has('m') => bytes.div_ceil(1 << 20).to_string(),
        () => bytes.div_ceil(1024).to_string(),
    }
}

/// WASI does not tell how much room a file system has; what is mounted, and how much is in it, is all there is to say.
pub fn df(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "hkmTPia", &[("human-readable", 'h')])?;
    writeln!(
        io.out,
        "{:<20} {:>10} {:>9} {:>9} {:>4} Mounted on",
        "Filesystem", "1K-blocks", "Used", "Available", "Use%"
    )?;
    let mut quiet = Io::new("df", &crate::stream::Table::empty());
    for directory in host::directories() {
        let path = directory.to_string_lossy().into_owned();
        let used = usage(&path, 0, 0, &options, &mut quiet).unwrap_or(0);
        writeln!(io.out, "{:<20} {:>10} {:>9} {:>9} {:>4} {path}", "volume", "-", amount(used, &options), "-", "-")?;
    }
    Ok(0)
}
