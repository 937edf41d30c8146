//! `read` and `getopts`.

use std::io::Read as _;

use crate::shell::parser::is_name;
use crate::shell::{Run, Shell, Stop};

pub fn read(shell: &mut Shell, arguments: &[String]) -> Run {
    let options = match crate::options::parse(&arguments[1..], "+rsp:t:n:d:u:", &[]) {
        Ok(options) => options,
        Err(error) => return Ok(shell.fail(&format!("read: {}", error.message), 2)),
    };
    if let Some(prompt) = options.value('p').filter(|_| shell.table.stream(0).is_terminal()) {
        shell.complain_plainly(prompt);
    }
    let limits = Limits {
        raw: options.has('r'),
        end: options.value('d').map_or(b'\n', |end| end.bytes().next().unwrap_or(0)),
        most: options.value('n').and_then(|most| most.parse().ok()),
    };
    let descriptor = options.value('u').and_then(|number| number.parse().ok()).unwrap_or(0);
    if let Some(patience) = options.value('t').and_then(|seconds| seconds.parse::<f64>().ok())
        && descriptor == 0
        && matches!(shell.table.get(0), Some(crate::stream::Stream::Own(0)))
        && !crate::host::input_ready(std::time::Duration::from_secs_f64(patience.clamp(0.0, 1e6)))
    {
        return Ok(142);
    }
    let (line, ended) = line(shell, descriptor, &limits);
    let reply = [String::from("REPLY")];
    let names = if options.operands.is_empty() { &reply[..] } else { &options.operands };
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        return Ok(shell.fail(&format!("read: {name}: bad variable name"), 2));
    }
    let separators = shell.variables.get("IFS").unwrap_or(" \t\n").to_owned();
    let whole = options.operands.is_empty();
    for (name, value) in names.iter().zip(fields(&line, &separators, if whole { 0 } else { names.len() })) {
        shell.assign(name, value)?;
    }
    Ok(u8::from(!ended))
}

struct Limits {
    raw: bool,
    end: u8,
    most: Option<usize>,
}

/// A character and whether a backslash stood before it.
type Letter = (char, bool);

/// Byte by byte: what follows the line is for others.
fn line(shell: &Shell, descriptor: u32, limits: &Limits) -> (Vec<Letter>, bool) {
    let mut input = shell.table.stream(descriptor);
    let mut bytes: Vec<(u8, bool)> = Vec::new();
    let mut escaped = false;
    let ended = loop {
        let mut byte = [0];
        if limits.most.is_some_and(|most| bytes.len() >= most) {
            break true;
        }
        match input.read(&mut byte) {
            Ok(1..) => {}
            _ => break false,
        }
        match byte[0] {
            b'\\' if !limits.raw && !escaped => escaped = true,
            b'\n' if escaped => escaped = false,
            end if end == limits.end && !escaped => break true,
            0 => {}
            other => {
                bytes.push((other, escaped));
                escaped = false;
            }
        }
    };
    let all: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
    let text = String::from_utf8_lossy(&all);
    let exact = text.len() == all.len();
    let letters = text.char_indices().map(|(at, c)| (c, exact && bytes[at].1)).collect();
    (letters, ended)
}

/// A line in so many fields; the last has the rest. 0: all of it, as it is.
fn fields(line: &[Letter], separators: &str, count: usize) -> Vec<String> {
    let text = |letters: &[Letter]| letters.iter().map(|(c, _)| *c).collect::<String>();
    if count == 0 {
        return vec![text(line)];
    }
    let parts = |&(c, escaped): &Letter| !escaped && separators.contains(c);
    let blank = |letter: &Letter| parts(letter) && letter.0.is_ascii_whitespace();
    let mut rest = line;
    let mut found = Vec::new();
    let skip = |rest: &[Letter]| rest.iter().take_while(|letter| blank(letter)).count();
    rest = &rest[skip(rest)..];
    while found.len() + 1 < count {
        let end = rest.iter().position(&parts).unwrap_or(rest.len());
        found.push(text(&rest[..end]));
        rest = &rest[end..];
        rest = &rest[skip(rest)..];
        if rest.first().is_some_and(&parts) && !rest.is_empty() && end < line.len() {
            rest = &rest[1..];
            rest = &rest[skip(rest)..];
        }
    }
    let mut end = rest.len();
    while end > 0 && blank(&rest[end - 1]) {
        end -= 1;
    }
    // One separator that ends the last field is no part of it.
    if end > 0 && parts(&rest[end - 1]) && rest[..end - 1].iter().all(|letter| !parts(letter)) {
        end -= 1;
    }
    found.push(text(&rest[..end]));
    found
}

/// `getopts optstring name [argument…]`.
pub fn getopts(shell: &mut Shell, arguments: &[String]) -> Run {
    let [_, known, name, given @ ..] = arguments else {
        return Ok(shell.fail("getopts: usage: getopts optstring name [arg]", 2));
    };
    let given = if given.is_empty() { shell.positional.clone() } else { given.to_vec() };
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
    let mut index = number(shell.variables.get("OPTIND")).unwrap_or(1).max(1);
    // How far it is within a word of several letters; a script that sets OPTIND starts anew.
    let offset =
        number(shell.variables.get("_OPTOFF")).filter(|_| index > 1 || shell.variables.get("_OPTOFF").is_some());
    let offset = offset.unwrap_or(1);
    let word = given.get(index - 1).cloned().unwrap_or_default();
    let letter = word.chars().nth(offset).filter(|_| word.starts_with('-') && word != "--");
    let Some(letter) = letter else {
        if word == "--" {
            index += 1;
        }
        shell.assign("OPTIND", index.to_string())?;
        shell.assign(name, "?".to_owned())?;
        let _ = shell.variables.unset("_OPTOFF");
        return Ok(1);
    };
    let silent = known.starts_with(':');
    let place = known.find(letter).filter(|_| letter != ':');
    let wants = place.is_some_and(|at| known[at + letter.len_utf8()..].starts_with(':'));
    let rest: String = word.chars().skip(offset + 1).collect();
    let _ = shell.variables.unset("OPTARG");
    let (mut result, mut next_word) = (letter.to_string(), rest.is_empty());
    if place.is_none() {
        result = bad(shell, silent, letter, "Illegal option")?;
    } else if wants {
        next_word = true;
        let value = if rest.is_empty() { given.get(index).cloned() } else { Some(rest) };
        index += usize::from(word.chars().count() == offset + 1);
        match value {
            Some(value) => shell.assign("OPTARG", value)?,
            None => {
                result = bad(shell, silent, letter, "No arg for option")?;
                result = if silent { ":".to_owned() } else { result };
            }
        }
    }
    match next_word {
        true => {
            index += 1;
            let _ = shell.variables.unset("_OPTOFF");
        }
        false => shell.assign("_OPTOFF", (offset + 1).to_string())?,
    }
    shell.assign("OPTIND", index.to_string())?;
    shell.assign(name, result)?;
    Ok(0)
}

fn bad(shell: &mut Shell, silent: bool, letter: char, why: &str) -> Result<String, Stop> {
    match silent {
        true => shell.assign("OPTARG", letter.to_string())?,
        false => shell.complain(&format!("{why} -{letter}")),
    }
    Ok("?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str, separators: &str, count: usize) -> Vec<String> {
        fields(&line.chars().map(|c| (c, false)).collect::<Vec<_>>(), separators, count)
    }

    #[test]
    fn the_last_name_gets_the_rest() {
        assert_eq!(plain("  a b  c d ", " ", 2), ["a", "b  c d"]);
        assert_eq!(plain("a", " ", 3), ["a", "", ""]);
        assert_eq!(plain("a:b:c", ":", 2), ["a", "b:c"]);
        assert_eq!(plain("a::c", ":", 3), ["a", "", "c"]);
        assert_eq!(plain(" a ", " ", 0), [" a "]);
        assert_eq!(plain(" a b ", "", 1), [" a b "]);
    }
}
