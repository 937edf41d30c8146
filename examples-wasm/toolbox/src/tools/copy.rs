//! `cp` and `mv`.

use std::fs::{self, File, FileTimes};
use std::io;
use std::path::Path;

use super::make::symlink;
use super::remove;
use crate::failure::{Failure, words};
use crate::files::{self, Kind};
use crate::io::Io;
use crate::options::{self, Options};
use crate::tools::walk::join;

/// How deep a tree is followed.
const DEPTH: u32 = 200;

pub fn cp(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("recursive", 'r'), ("archive", 'a'), ("preserve", 'p'), ("force", 'f'), ("no-clobber", 'n')];
    let options = options::parse(arguments, "rRafpnvdLPTi", &long)?;
    let archive = options.has('a');
    let copier = Copier {
        recursive: options.has('r') || options.has('R') || archive,
        links: archive || options.has('d') || options.has('P'),
        times: archive || options.has('p'),
        keep: options.has('n'),
    };
    for (from, to) in pairs(&options)? {
        if let Err(error) = copier.copy(&from, &to, DEPTH) {
            io.complain(error);
        }
    }
    Ok(0)
}

pub fn mv(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "fnivT", &[("force", 'f'), ("no-clobber", 'n')])?;
    for (from, to) in pairs(&options)? {
        if options.has('n') && files::exists(&to) {
            continue;
        }
        if let Err(error) = moved(&from, &to) {
            io.complain(error);
        }
    }
    Ok(0)
}

fn moved(from: &str, to: &str) -> Result<(), String> {
    let told = |error: io::Error| format!("can't rename '{from}': {}", words(&error));
    let facts = files::link_facts(from).map_err(told)?;
    match fs::rename(files::absolute(from), files::absolute(to)) {
        Ok(()) => Ok(()),
        // From one volume to another. WASI says so in several ways.
        Err(_) if facts.kind != Kind::Directory || !files::absolute(to).starts_with(files::absolute(from)) => {
            let copier = Copier { recursive: true, links: true, times: true, keep: false };
            copier.copy(from, to, DEPTH)?;
            remove::tree(from, DEPTH).map_err(told)
        }
        Err(error) => Err(told(error)),
    }
}

/// Each source with its target: a name, or a place in a directory.
fn pairs(options: &Options) -> Result<Vec<(String, String)>, Failure> {
    let Some((target, sources)) = options.operands.split_last().filter(|(_, sources)| !sources.is_empty()) else {
        return Err("missing file operand".into());
    };
    let into = files::is_directory(target) && !options.has('T');
    if sources.len() > 1 && !into {
        return Err(format!("target '{target}' is not a directory").into());
    }
    let name = |path: &str| files::absolute(path).file_name().map(|name| name.to_string_lossy().into_owned());
    let place = |from: &String| match (into, name(from)) {
        (true, Some(name)) if !from.ends_with("/.") => join(target, &name),
        _ => target.clone(),
    };
    Ok(sources.iter().map(|from| (from.clone(), place(from))).collect())
}

struct Copier {
    recursive: bool,
    links: bool,
    times: bool,
    keep: bool,
}

impl Copier {
    fn copy(&self, from: &str, to: &str, depth: u32) -> Result<(), String> {
        let told = |error: io::Error| format!("can't copy '{from}' to '{to}': {}", words(&error));
        let facts = match self.links {
            true => files::link_facts(from),
            false => files::facts(from),
        };
        let facts = facts.map_err(|error| format!("can't stat '{from}': {}", words(&error)))?;
        let (source, target) = (files::absolute(from), files::absolute(to));
        if source == target {
            return Err(format!("'{from}' and '{to}' are the same file"));
        }
        match facts.kind {
            Kind::Directory if !self.recursive => return Err(format!("omitting directory '{from}'")),
            Kind::Directory if target.starts_with(&source) => {
                return Err(format!("cannot copy '{from}' into itself, '{to}'"));
            }
            Kind::Directory if depth == 0 => return Err(format!("'{from}': nested too deeply")),
            Kind::Directory => {
                if !files::is_directory(to) {
                    fs::create_dir(&target).map_err(told)?;
                }
                for name in files::names(from).map_err(told)? {
                    self.copy(&join(from, &name), &join(to, &name), depth - 1)?;
                }
            }
            Kind::Link => {
                let link = fs::read_link(&source).map_err(told)?;
                let _ = fs::remove_file(&target);
                symlink(&link.to_string_lossy(), &target).map_err(told)?;
                return Ok(());
            }
            _ if self.keep && files::exists(to) => return Ok(()),
            _ => contents(from, &target).map_err(told)?,
        }
        if self.times {
            let times = FileTimes::new().set_modified(facts.modified);
            let _ = File::options()
                .append(facts.kind != Kind::Directory)
                .read(facts.kind == Kind::Directory)
                .open(&target)
                .and_then(|file| file.set_times(times));
        }
        Ok(())
    }
}

fn contents(from: &str, to: &Path) -> io::Result<()> {
    let mut reader = files::open(from)?;
    let mut writer = File::create(to)?;
    crate::io::copy(&mut *reader, &mut writer).map(drop)
}
