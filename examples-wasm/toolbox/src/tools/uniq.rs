//! `uniq [-cdui] [-f N] [-s N] [INPUT [OUTPUT]]`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::files;
use crate::io::Io;
use crate::options::{self, Options};

pub fn uniq(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("count", 'c'), ("repeated", 'd'), ("unique", 'u'), ("ignore-case", 'i')];
    let options = options::parse(arguments, "cduif:s:w:", &long)?;
    let (fields, letters) = (options.number('f')?.unwrap_or(0), options.number('s')?.unwrap_or(0));
    let name = options.operands.first().map_or("-", String::as_str);
    let bytes = io.read(name).map_err(|error| Failure::of(name, &error))?;
    let text = String::from_utf8_lossy(&bytes);
    let key = |line: &str| {
        let mut rest = line;
        for _ in 0..fields {
            rest = rest.trim_start();
            rest = &rest[rest.find(char::is_whitespace).unwrap_or(rest.len())..];
        }
        let rest = rest.char_indices().nth(letters).map_or("", |(at, _)| &rest[at..]);
        if options.has('i') { rest.to_lowercase() } else { rest.to_owned() }
    };
    let mut result = String::new();
    let mut group: Option<(String, &str, usize)> = None;
    for line in text.lines() {
        let this = key(line);
        match &mut group {
            Some((known, _, count)) if *known == this => *count += 1,
            _ => {
                result += &shown(group.take(), &options);
                group = Some((this, line, 1));
            }
        }
    }
    result += &shown(group, &options);
    match options.operands.get(1) {
        Some(path) => std::fs::write(files::absolute(path), result).map_err(|error| Failure::of(path, &error))?,
        None => io.out.write_all(result.as_bytes())?,
    }
    Ok(0)
}

fn shown(group: Option<(String, &str, usize)>, options: &Options) -> String {
    match group {
        Some((_, _, 1)) if options.has('d') => String::new(),
        Some((_, _, 2..)) if options.has('u') => String::new(),
        Some((_, line, count)) if options.has('c') => format!("{count:7} {line}\n"),
        Some((_, line, _)) => format!("{line}\n"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::output;

    #[test]
    fn neighbours_that_are_alike() {
        assert_eq!(output("uniq", "a\na\nb\na\n"), "a\nb\na\n");
        assert_eq!(output("uniq -c", "a\na\nb\n"), "      2 a\n      1 b\n");
        assert_eq!(output("uniq -d", "a\na\nb\n"), "a\n");
        assert_eq!(output("uniq -u", "a\na\nb\n"), "b\n");
        assert_eq!(output("uniq -i", "a\nA\n"), "a\n");
        assert_eq!(output("uniq -f 1", "1 x\n2 x\n3 y\n"), "1 x\n3 y\n");
    }
}
