//! `ls [-a1ldhRtSrF] [FILE…]`.

use std::cmp::Reverse;
use std::io::Write as _;
use std::time::SystemTime;

use crate::calendar;
use crate::failure::Failure;
use crate::files::{self, Facts, Kind};
use crate::io::{Io, Out};
use crate::options::{self, Options};

struct Entry {
    name: String,
    path: String,
    facts: Facts,
}

pub fn ls(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("all", 'a'), ("color", 'G'), ("human-readable", 'h'), ("recursive", 'R')];
    let options = options::parse(arguments, "aA1ldhRtSrFpinoGCx", &long)?;
    let here = [String::from(".")];
    let names = if options.operands.is_empty() { &here[..] } else { &options.operands };
    let (mut single, mut directories) = (Vec::new(), Vec::new());
    for name in names {
        let facts = if options.has('l') && !name.ends_with('/') { files::link_facts(name) } else { files::facts(name) };
        match facts.or_else(|_| files::link_facts(name)) {
            Ok(facts) if facts.kind == Kind::Directory && !options.has('d') => directories.push(name.clone()),
            Ok(facts) => single.push(Entry { name: name.clone(), path: name.clone(), facts }),
            Err(error) => io.complain_of(name, &error),
        }
    }
    let titles = names.len() > 1 || options.has('R');
    let mut first = single.is_empty();
    show(single, &options, &mut io.out, false)?;
    // A stack, so that what is below a directory comes right behind it.
    directories.reverse();
    while let Some(directory) = directories.pop() {
        if titles {
            writeln!(io.out, "{}{directory}:", if first { "" } else { "\n" })?;
        }
        first = false;
        let entries = match entries(&directory, &options) {
            Ok(entries) => entries,
            Err(error) => {
                io.complain_of(&directory, &error);
                continue;
            }
        };
        if options.has('R') {
            let below =
                entries.iter().filter(|entry| entry.facts.kind == Kind::Directory && !entry.name.starts_with('.'));
            directories.extend(below.map(|entry| entry.path.clone()).rev());
        }
        show(entries, &options, &mut io.out, true)?;
    }
    Ok(0)
}

fn entries(directory: &str, options: &Options) -> std::io::Result<Vec<Entry>> {
    let mut names = files::names(directory)?;
    if !options.has('a') && !options.has('A') {
        names.retain(|name| !name.starts_with('.'));
    }
    if options.has('a') {
        names.splice(0..0, [".".to_owned(), "..".to_owned()]);
    }
    let entry = |name: String| {
        let path = format!("{}/{name}", directory.trim_end_matches('/'));
        let facts = files::link_facts(&path).ok()?;
        Some(Entry { name, path, facts })
    };
    let mut entries: Vec<Entry> = names.into_iter().filter_map(entry).collect();
    match () {
        () if options.has('t') => entries.sort_by_key(|entry| Reverse(entry.facts.modified)),
        () if options.has('S') => entries.sort_by_key(|entry| Reverse(entry.facts.size)),
        () => {}
    }
    if options.has('r') {
        entries.reverse();
    }
    Ok(entries)
}

fn show(entries: Vec<Entry>, options: &Options, out: &mut Out, total: bool) -> std::io::Result<()> {
    let name = |entry: &Entry| match (options.has('F') || options.has('p'), entry.facts.kind) {
        (true, Kind::Directory) => format!("{}/", entry.name),
        (true, Kind::Link) if options.has('F') && !options.has('l') => format!("{}@", entry.name),
        _ => entry.name.clone(),
    };
    if options.has('l') || options.has('n') || options.has('o') {
        if total {
            let blocks: u64 = entries.iter().map(|entry| entry.facts.size.div_ceil(4096) * 4).sum();
            writeln!(out, "total {blocks}")?;
        }
        let sizes: Vec<String> = entries.iter().map(|entry| size(entry.facts.size, options.has('h'))).collect();
        let width = sizes.iter().map(String::len).max().unwrap_or(0);
        for (entry, size) in entries.iter().zip(sizes) {
            let owner = if options.has('n') { "0        0       " } else { "root     root    " };
            let (mode, time) = (mode(&entry.facts), time(entry.facts.modified));
            let target = match entry.facts.kind {
                Kind::Link => std::fs::read_link(files::absolute(&entry.path)).ok(),
                _ => None,
            };
            let target = target.map(|target| format!(" -> {}", target.display())).unwrap_or_default();
            writeln!(out, "{mode}    1 {owner} {size:>width$} {time} {}{target}", name(entry))?;
        }
        return Ok(());
    }
    let names: Vec<String> = entries.iter().map(name).collect();
    match crate::host::size().filter(|_| matches!(out, Out::Lines(_)) && !options.has('1')) {
        Some((width, _)) => columns(&names, width, out),
        None => names.iter().try_for_each(|name| writeln!(out, "{name}")),
    }
}

/// Down, then across, as wide as the terminal allows.
fn columns(names: &[String], width: usize, out: &mut Out) -> std::io::Result<()> {
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2;
    let across = (width / longest).clamp(1, names.len().max(1));
    let down = names.len().div_ceil(across);
    for row in 0..down {
        let line: String = names.iter().skip(row).step_by(down).map(|name| format!("{name:<longest$}")).collect();
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// WASI has no modes: what may be done is all there is to say.
pub fn mode(facts: &Facts) -> &'static str {
    match (facts.kind, facts.read_only) {
        (Kind::Directory, false) => "drwxr-xr-x",
        (Kind::Directory, true) => "dr-xr-xr-x",
        (Kind::Link, _) => "lrwxrwxrwx",
        (Kind::Other, _) => "crw-rw-rw-",
        (Kind::File, false) => "-rw-r--r--",
        (Kind::File, true) => "-r--r--r--",
    }
}

/// A number of bytes, as `-h` shows it.
pub fn size(bytes: u64, human: bool) -> String {
    if !human || bytes < 1024 {
        return bytes.to_string();
    }
    let mut value = bytes as f64;
    let units = ["", "K", "M", "G", "T", "P", "E"];
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1}{}", units[unit])
}

/// The time of day within half a year, the year otherwise.
fn time(modified: SystemTime) -> String {
    let moment = calendar::Moment::from(modified);
    let age = SystemTime::now().duration_since(modified).map_or(0, |age| age.as_secs());
    moment.format(if age < 180 * 86_400 { "%b %e %H:%M" } else { "%b %e  %Y" })
}
