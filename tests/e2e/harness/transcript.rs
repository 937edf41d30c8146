//! Terminal sessions as files: the commands that are typed, and what must come of them.
//!
//! | a line | means |
//! |---|---|
//! | `# words` | a comment |
//! | `$ command` | must succeed |
//! | `$! command` | must fail |
//! | `$~ command` | is repeated until its output is as it should be |
//! | `> words` | belongs to the command above: a here-document, for the most part |
//! | anything else | a line of output: `*` stands for any characters, a line `...` for any lines |
//!
//! A command without lines of output may say what it likes.

use super::eventually;
use super::session::Session;

struct Step {
    number: usize,
    ending: Ending,
    command: String,
    output: Vec<String>,
}

#[derive(Clone, Copy)]
enum Ending {
    Success,
    Failure,
    InTime,
}

/// Types all of it into `session`, and panics at the first thing that is not as it is written.
pub fn play(session: &Session, name: &str, text: &str) {
    for step in steps(text) {
        let place = format!("{name}:{}: $ {}", step.number, step.command);
        match step.ending {
            Ending::InTime => eventually(&place, || look(session, &step)),
            Ending::Success | Ending::Failure => look(session, &step).unwrap_or_else(|seen| panic!("{place}\n{seen}")),
        }
    }
}

fn look(session: &Session, step: &Step) -> Result<(), String> {
    let run = session.feed(&format!("{{ {}\n}} 2>&1", step.command), "");
    let seen: Vec<&str> = run.stdout.lines().map(str::trim_end).collect();
    let as_written = step.output.is_empty() || lines_match(&step.output, &seen);
    match (step.ending, run.well, as_written) {
        (Ending::Success | Ending::InTime, true, true) | (Ending::Failure, false, true) => Ok(()),
        (Ending::Failure, true, _) => Err(format!("should have failed:\n{}", run.stdout)),
        (_, false, _) => Err(format!("failed:\n{}", run.stdout)),
        (_, true, false) => Err(format!("should have said:\n{}\nsaid:\n{}", step.output.join("\n"), run.stdout)),
    }
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some((ending, command)) = command(line) {
            steps.push(Step { number: index + 1, ending, command: command.to_owned(), output: Vec::new() });
            continue;
        }
        let Some(step) = steps.last_mut() else { continue };
        match line {
            "" => {}
            ">" => step.command.push('\n'),
            line if line.starts_with('#') => {}
            line if line.starts_with("> ") => step.command.extend(["\n", &line[2..]]),
            line => step.output.push(line.trim_end().to_owned()),
        }
    }
    steps
}

fn command(line: &str) -> Option<(Ending, &str)> {
    let prefixes = [("$ ", Ending::Success), ("$! ", Ending::Failure), ("$~ ", Ending::InTime)];
    prefixes.into_iter().find_map(|(prefix, ending)| Some((ending, line.strip_prefix(prefix)?)))
}

fn lines_match(expected: &[String], seen: &[&str]) -> bool {
    match (expected.split_first(), seen.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((dots, rest)), _) if dots == "..." => (0..=seen.len()).any(|skipped| lines_match(rest, &seen[skipped..])),
        (Some((line, rest)), Some((first, others))) => matches(line, first) && lines_match(rest, others),
        (Some(_), None) => false,
    }
}

/// Whether `*` in the pattern can stand for something that makes it the line.
fn matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|&at| rest.is_char_boundary(at)).any(|at| matches(after, &rest[at..]))
        }),
    }
}
