//! Goes through directories, for `find`, `grep -r`, `du`, `cp -r`, `rm -r` and `tar`.

use std::io;

use crate::files::{self, Kind};

/// How deep a tree is followed; a link never is.
const DEPTH: usize = 200;

/// A path below another.
pub fn join(directory: &str, name: &str) -> String {
    match directory.ends_with('/') {
        true => format!("{directory}{name}"),
        false => format!("{directory}/{name}"),
    }
}

/// Calls `file` with each path below one (or itself) that is no directory.
pub fn files_below(path: &str, file: &mut dyn FnMut(&str), failed: &mut dyn FnMut(&str, &io::Error)) {
    below(path, DEPTH, file, failed);
}

fn below(path: &str, depth: usize, file: &mut dyn FnMut(&str), failed: &mut dyn FnMut(&str, &io::Error)) {
    match files::link_facts(path) {
        Ok(facts) if facts.kind == Kind::Directory && depth > 0 => match files::names(path) {
            Ok(names) => names.iter().for_each(|name| below(&join(path, name), depth - 1, file, failed)),
            Err(error) => failed(path, &error),
        },
        Ok(_) => file(path),
        Err(error) => failed(path, &error),
    }
}
