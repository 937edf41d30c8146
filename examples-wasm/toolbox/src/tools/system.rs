//! `id`, `whoami`, `hostname`, `uname`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::files;
use crate::io::Io;
use crate::options;

/// There are no users on WASI. Whoever is inside may do all that the pod may, which scripts know as root.
pub fn id(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "ugGnr", &[("user", 'u'), ("group", 'g'), ("name", 'n')])?;
    let numbers = options.has('u') || options.has('g') || options.has('G');
    let text = match (numbers, options.has('n')) {
        (true, true) => "root",
        (true, false) => "0",
        (false, _) => "uid=0(root) gid=0(root) groups=0(root)",
    };
    writeln!(io.out, "{text}")?;
    Ok(0)
}

pub fn whoami(_: &[String], io: &mut Io) -> Result<u8, Failure> {
    writeln!(io.out, "root")?;
    Ok(0)
}

fn name() -> String {
    let file = files::read("/etc/hostname").ok().map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let name = std::env::var("HOSTNAME").ok().or(file);
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

pub fn hostname(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    use std::net::ToSocketAddrs as _;
    let options = options::parse(arguments, "isfdI", &[("fqdn", 'f'), ("ip-address", 'i')])?;
    if !options.operands.is_empty() {
        return Err("sethostname: Operation not permitted".into());
    }
    let name = name();
    if options.has('i') || options.has('I') {
        let addresses = (name.as_str(), 0).to_socket_addrs().map_err(|error| Failure::of(&name, &error))?;
        let addresses: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
        writeln!(io.out, "{}", addresses.join(" "))?;
    } else if options.has('s') {
        writeln!(io.out, "{}", name.split('.').next().unwrap_or_default())?;
    } else {
        writeln!(io.out, "{name}")?;
    }
    Ok(0)
}

pub fn uname(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "asnrvmpio", &[("all", 'a')])?;
    let name = name();
    let parts = [('s', "WASI"), ('n', &name), ('r', "0.2"), ('v', "Sampan"), ('m', "wasm32"), ('o', "WASI")];
    let wanted = |letter: char| options.has('a') || options.has(letter) || (options.given.is_empty() && letter == 's');
    let parts: Vec<&str> = parts.into_iter().filter(|(letter, _)| wanted(*letter)).map(|(_, part)| part).collect();
    writeln!(io.out, "{}", parts.join(" "))?;
    Ok(0)
}
