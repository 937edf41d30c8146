//! `env [-i] [-u NAME] [NAME=VALUE…] [COMMAND…]`.

use std::collections::BTreeMap;
use std::io::Write as _;

use crate::failure::Failure;
use crate::io::Io;
use crate::options;
use crate::tools::start::start;

pub fn env(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("ignore-environment", 'i'), ("unset", 'u'), ("null", '0')];
    let options = options::parse(arguments, "+iu:0", &long)?;
    let mut variables: BTreeMap<String, String> =
        if options.has('i') { BTreeMap::new() } else { std::env::vars().collect() };
    for name in options.values('u') {
        variables.remove(name);
    }
    let (mut order, mut rest) = (Vec::new(), &options.operands[..]);
    while let [first, tail @ ..] = rest
        && let Some((name, value)) = first.split_once('=')
    {
        order.push(name.to_owned());
        variables.insert(name.to_owned(), value.to_owned());
        rest = tail;
    }
    if !rest.is_empty() {
        return start(rest, variables.into_iter().collect(), io);
    }
    let end = if options.has('0') { '\0' } else { '\n' };
    for (name, value) in inherited_order(&variables, &order) {
        write!(io.out, "{name}={value}{end}")?;
    }
    Ok(0)
}

/// The environment's own order first, then what was added.
fn inherited_order<'a>(
    variables: &'a BTreeMap<String, String>,
    added: &[String],
) -> impl Iterator<Item = (String, &'a String)> {
    let mut names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    names.extend_from_slice(added);
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| variables.contains_key(name) && seen.insert(name.clone()));
    names.into_iter().filter_map(|name| variables.get(&name).map(|value| (name, value)))
}

pub fn printenv(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    if arguments.is_empty() {
        return env(arguments, io);
    }
    let mut code = 0;
    for name in arguments {
        match std::env::var(name) {
            Ok(value) => writeln!(io.out, "{value}")?,
            Err(_) => code = 1,
        }
    }
    Ok(code)
}
