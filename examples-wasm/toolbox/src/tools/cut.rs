//! `cut -d SEP -f LIST | -c LIST | -b LIST [-s] [--complement] [FILE…]`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::io::{Io, line};
use crate::options;

/// Places, counted from 1; both ends belong to it.
type Span = (usize, usize);

pub fn cut(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [
        ("delimiter", 'd'),
        ("fields", 'f'),
        ("characters", 'c'),
        ("bytes", 'b'),
        ("complement", 'C'),
        ("output-delimiter", 'O'),
        ("only-delimited", 's'),
    ];
    let options = options::parse(arguments, "d:f:c:b:snCO:", &long)?;
    let list = options.value('f').or(options.value('c')).or(options.value('b'));
    let list = list.ok_or_else(|| Failure::from("you must specify a list of bytes, characters, or fields"))?;
    let spans = list.split([',', ' ']).map(span).collect::<Result<Vec<_>, _>>()?;
    let chosen = |place: usize| spans.iter().any(|(from, to)| (*from..=*to).contains(&place)) != options.has('C');
    let separator = options.value('d').unwrap_or("\t").to_owned();
    let between = options.value('O').unwrap_or(&separator).to_owned();
    io.each(&options.operands, |_, reader, out| {
        while let Some((bytes, _)) = line(reader)? {
            if options.has('b') {
                let kept = bytes.iter().enumerate().filter(|(at, _)| chosen(at + 1));
                let kept: Vec<u8> = kept.map(|(_, byte)| *byte).chain([b'\n']).collect();
                out.write_all(&kept)?;
                continue;
            }
            let text = String::from_utf8_lossy(&bytes);
            if options.has('c') {
                let kept: String = text.chars().enumerate().filter(|(at, _)| chosen(at + 1)).map(|(_, c)| c).collect();
                writeln!(out, "{kept}")?;
            } else if !separator.is_empty() && text.contains(&separator) {
                let kept: Vec<&str> = text
                    .split(&separator)
                    .enumerate()
                    .filter(|(at, _)| chosen(at + 1))
                    .map(|(_, field)| field)
                    .collect();
                writeln!(out, "{}", kept.join(&between))?;
            } else if !options.has('s') {
                writeln!(out, "{text}")?;
            }
        }
        Ok(())
    })?;
    Ok(0)
}

fn span(text: &str) -> Result<Span, Failure> {
    let place = |text: &str| text.parse::<usize>().ok().filter(|place| *place > 0);
    let span = match text.split_once('-') {
        None => place(text).map(|place| (place, place)),
        Some(("", to)) => place(to).map(|to| (1, to)),
        Some((from, "")) => place(from).map(|from| (from, usize::MAX)),
        Some((from, to)) => place(from).zip(place(to)),
    };
    span.ok_or_else(|| format!("invalid range '{text}'").into())
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::{output, run_on};

    #[test]
    fn parts_of_lines() {
        assert_eq!(output("cut -d : -f 1,3", "a:b:c\nx\n"), "a:c\nx\n");
        assert_eq!(output("cut -d: -f2- -s", "a:b:c\nx\n"), "b:c\n");
        assert_eq!(output("cut -c 2-3", "héllo\n"), "él\n");
        assert_eq!(output("cut -b -2", "hello\n"), "he\n");
        assert_eq!(output("cut -f 2", "a\tb\n"), "b\n");
        assert_eq!(run_on("cut -f 0", "").0, 1);
        assert_eq!(run_on("cut", "").0, 1);
    }
}
