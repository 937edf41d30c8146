//! `pwd`, `basename`, `dirname`, `realpath`, `readlink`, `which`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::files;
use crate::io::Io;
use crate::options;
use crate::tools;

pub fn pwd(_: &[String], io: &mut Io) -> Result<u8, Failure> {
    writeln!(io.out, "{}", files::working().display())?;
    Ok(0)
}

pub fn basename(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "+as:", &[])?;
    let Some(first) = options.operands.first() else { return Err("missing operand".into()) };
    let several = options.has('a') || options.has('s');
    let suffix = options.value('s').or(options.operands.get(1).filter(|_| !several).map(String::as_str));
    let paths = if several { &options.operands[..] } else { std::slice::from_ref(first) };
    for path in paths {
        let trimmed = path.trim_end_matches('/');
        let name =
            if trimmed.is_empty() && !path.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or_default() };
        let name = suffix.and_then(|suffix| name.strip_suffix(suffix)).filter(|name| !name.is_empty()).unwrap_or(name);
        writeln!(io.out, "{name}")?;
    }
    Ok(0)
}

pub fn dirname(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    if arguments.is_empty() {
        return Err("missing operand".into());
    }
    for path in arguments {
        writeln!(io.out, "{}", parent(path))?;
    }
    Ok(0)
}

pub fn parent(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rfind('/') {
        Some(at) if trimmed[..at].trim_end_matches('/').is_empty() => "/",
        Some(at) => trimmed[..at].trim_end_matches('/'),
        None if trimmed.is_empty() && path.starts_with('/') => "/",
        None => ".",
    }
}

pub fn realpath(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "emsqzL", &[])?;
    for path in &options.operands {
        match files::facts(path) {
            Err(error) if !options.has('m') => io.complain_of(path, &error),
            _ => writeln!(io.out, "{}", resolved(path))?,
        }
    }
    Ok(0)
}

/// The path that links lead to, as far as they stay within what the pod gives.
fn resolved(path: &str) -> String {
    let mut whole = files::absolute(path);
    for _ in 0..40 {
        let link = whole.ancestors().find_map(|part| Some((part.to_owned(), std::fs::read_link(part).ok()?)));
        let Some((link, target)) = link else { break };
        let rest = whole.strip_prefix(&link).map(std::path::Path::to_owned).unwrap_or_default();
        let parent = link.parent().map(std::path::Path::to_owned).unwrap_or_default();
        whole = files::absolute(parent.join(target).join(rest));
    }
    whole.to_string_lossy().into_owned()
}

pub fn readlink(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "fenmqsv", &[])?;
    let follow = options.has('f') || options.has('e') || options.has('m');
    let mut code = 0;
    for path in &options.operands {
        let target = match follow {
            true => Ok(resolved(path)),
            false => std::fs::read_link(files::absolute(path)).map(|target| target.to_string_lossy().into_owned()),
        };
        match target {
            Ok(target) if options.has('n') => write!(io.out, "{target}")?,
            Ok(target) => writeln!(io.out, "{target}")?,
            Err(_) => code = 1,
        }
    }
    Ok(code)
}

pub fn which(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let mut code = 0;
    for name in arguments.iter().filter(|argument| !argument.starts_with('-')) {
        match tools::find(tools::basename(name)) {
            Some(tool) => writeln!(io.out, "/bin/{}", tool.name)?,
            None => code = 1,
        }
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::{output, run_on};

    #[test]
    fn names_and_directories() {
        assert_eq!(output("basename /a/b.txt .txt", ""), "b\n");
        assert_eq!(output("basename /", ""), "/\n");
        assert_eq!(output("basename a/b/", ""), "b\n");
        assert_eq!(output("dirname /a/b /a a /", ""), "/a\n/\n.\n/\n");
        assert_eq!(output("realpath -m /a/../b", ""), "/b\n");
        assert_eq!(run_on("which sh nosuch", ""), (1, "/bin/sh\n".to_owned(), String::new()));
    }
}
