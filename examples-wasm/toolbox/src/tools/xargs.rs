//! `xargs [-0rt] [-n N] [-L N] [-I TEXT] [-d SEP] [COMMAND…]`.

use std::io::{Read as _, Write as _};

use super::start::start_without_input;
use crate::failure::Failure;
use crate::io::Io;
use crate::options;

/// Bytes of arguments that one command is given.
const MOST: usize = 128 << 10;

pub fn xargs(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("null", '0'), ("no-run-if-empty", 'r'), ("max-args", 'n'), ("replace", 'I'), ("delimiter", 'd')];
    let options = options::parse(arguments, "+0rtn:L:I:d:P:s:", &long)?;
    let mut command = options.operands.clone();
    if command.is_empty() {
        command.push("echo".to_owned());
    }
    let mut text = String::new();
    io.input.read_to_string(&mut text)?;
    let items = match (options.has('0'), options.value('d')) {
        (true, _) => text.split_terminator('\0').map(str::to_owned).collect(),
        (false, Some(end)) => {
            let end = if end == "\\n" { "\n" } else { end };
            text.trim_end_matches('\n').split(end).map(str::to_owned).collect()
        }
        (false, None) if options.has('I') || options.has('L') => {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        }
        (false, None) => words(&text)?,
    };
    let commands = match options.value('I') {
        Some(mark) => items.iter().map(|item| command.iter().map(|word| word.replace(mark, item)).collect()).collect(),
        None => {
            let most = options.number('n')?.or(options.number('L')?).unwrap_or(usize::MAX);
            batches(&command, &items, most, options.has('r'))
        }
    };
    let mut code = 0;
    for command in commands {
        if options.has('t') {
            let _ = writeln!(io.err, "{}", command.join(" "));
        }
        match start_without_input(&command, io)? {
            0 => {}
            255 => return Ok(124),
            stopped @ 128.. => return Ok(stopped),
            _ => code = 123,
        }
    }
    Ok(code)
}

/// Words, with quotes and backslashes.
fn words(text: &str) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some(end) if end == c => break,
                        Some(inner) => word.push(inner),
                        None => return Err("unmatched quote".into()),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(letters.next()),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn batches(command: &[String], items: &[String], most: usize, not_empty: bool) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut batch = command.to_vec();
    let mut bytes = 0;
    for item in items {
        let count = batch.len() - command.len();
        if count > 0 && (count >= most.max(1) || bytes + item.len() > MOST) {
            all.push(std::mem::replace(&mut batch, command.to_vec()));
            bytes = 0;
        }
        bytes += item.len() + 1;
        batch.push(item.clone());
    }
    if batch.len() > command.len() || (all.is_empty() && !not_empty) {
        all.push(batch);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_quoted() {
        assert_eq!(words("a 'b c'\n\"d\"e \\ f").unwrap(), ["a", "b c", "de", " f"]);
        assert!(words("'a").is_err());
    }

    #[test]
    fn arguments_come_in_batches() {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let all = batches(&text(&["echo"]), &text(&["a", "b", "c"]), 2, false);
        assert_eq!(all, [text(&["echo", "a", "b"]), text(&["echo", "c"])]);
        assert_eq!(batches(&text(&["echo"]), &[], 2, false).len(), 1);
        assert!(batches(&text(&["echo"]), &[], 2, true).is_empty());
        assert_eq!(batches(&text(&["x"]), &vec!["y".repeat(1000); 1000], usize::MAX, false).len(), 8);
    }
}
