//! `rm [-rf]`.

use std::fs;
use std::io;

use crate::failure::{Failure, words};
use crate::files::{self, Kind};
use crate::io::Io;
use crate::options;
use crate::tools::walk::join;

/// How deep a tree is followed.
const DEPTH: u32 = 200;

pub fn rm(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "rRfivd", &[("recursive", 'r'), ("force", 'f')])?;
    let (recursive, force) = (options.has('r') || options.has('R'), options.has('f'));
    if options.operands.is_empty() && !force {
        return Err("missing operand".into());
    }
    for path in &options.operands {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let result = match files::link_facts(path) {
            _ if matches!(name, "." | "..") => Err("refusing to remove '.' or '..'".to_owned()),
            Err(error) if force && error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(words(&error)),
            Ok(facts) if facts.kind == Kind::Directory && !recursive => Err("is a directory".to_owned()),
            Ok(_) => tree(path, DEPTH).map_err(|error| words(&error)),
        };
        if let Err(error) = result {
            io.complain(format!("can't remove '{path}': {error}"));
        }
    }
    Ok(0)
}

/// Removes a file or a directory with all that is in it. What cannot be removed does not keep the rest.
pub fn tree(path: &str, depth: u32) -> io::Result<()> {
    let whole = files::absolute(path);
    if files::link_facts(path)?.kind != Kind::Directory {
        return fs::remove_file(whole);
    }
    if depth == 0 {
        return Err(io::Error::other("nested too deeply"));
    }
    let mut result = Ok(());
    for name in files::names(path)? {
        result = result.and(tree(&join(path, &name), depth - 1));
    }
    result?;
    match files::is_virtual(&whole) {
        true => Err(io::ErrorKind::PermissionDenied.into()),
        false => fs::remove_dir(whole),
    }
}
