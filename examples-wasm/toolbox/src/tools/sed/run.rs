//! What a script of `sed` does to lines.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};

use super::replace::substituted;
use super::syntax::{Action, Address, Command, Range, Substitution, When};
use crate::failure::Failure;
use crate::files;
use crate::io::{Io, line};
use crate::matcher::Matcher;
use crate::stream::Stream;

/// Branches within one line: a script that goes round for ever does so alone, but says so.
const STEPS: u64 = 100_000_000;

pub struct Runner<'a> {
    commands: &'a [Command],
    quiet: bool,
    /// `$` and line numbers are those of each file.
    separate: bool,
    /// Where each range ends, when it is within one; `usize::MAX`: at a match.
    within: Vec<Option<usize>>,
    pattern: String,
    hold: String,
    number: usize,
    substituted: bool,
    last: Option<&'a Matcher>,
    after: Vec<After>,
    written: BTreeMap<String, Stream>,
}

/// What follows a line once it is over.
enum After {
    Text(String),
    File(String),
}

/// How the script left a line.
enum Left {
    End,
    /// Without printing it.
    Deleted,
    /// Again, with what is left of the pattern space.
    Restart,
    Quit(u8, bool),
}

/// Lines of several files, the next one known.
struct Lines<'r> {
    readers: VecDeque<Box<dyn BufRead + 'r>>,
    next: Option<(Vec<u8>, bool)>,
}

impl Lines<'_> {
    fn advance(&mut self) -> Result<Option<(Vec<u8>, bool)>, Failure> {
        let mut found = None;
        while let Some(reader) = self.readers.front_mut() {
            found = line(&mut **reader)?;
            if found.is_some() {
                break;
            }
            self.readers.pop_front();
        }
        Ok(std::mem::replace(&mut self.next, found))
    }

    fn is_last(&self) -> bool {
        self.next.is_none()
    }
}

impl<'a> Runner<'a> {
    pub fn new(commands: &'a [Command], quiet: bool, separate: bool) -> Runner<'a> {
        Runner {
            commands,
            quiet,
            separate,
            within: vec![None; commands.len()],
            pattern: String::new(),
            hold: String::new(),
            number: 0,
            substituted: false,
            last: None,
            after: Vec::new(),
            written: BTreeMap::new(),
        }
    }

    /// Files to standard output.
    pub fn run(&mut self, names: &[String], io: &mut Io) -> Result<u8, Failure> {
        let input = [String::from("-")];
        let mut opened = Vec::new();
        for name in if names.is_empty() { &input } else { names } {
            match name.as_str() {
                "-" => opened.push(None),
                path => match files::open(path) {
                    Ok(file) => opened.push(Some(file)),
                    Err(error) => io.complain_of(path, &error),
                },
            }
        }
        let mut input = Some(&mut io.input);
        let mut readers: VecDeque<Box<dyn BufRead + '_>> = VecDeque::new();
        for file in opened {
            match file {
                Some(file) => readers.push_back(Box::new(BufReader::new(file))),
                None => readers.extend(input.take().map(|input| Box::new(input) as Box<dyn BufRead>)),
            }
        }
        if !self.separate {
            return Ok(self.lines(readers, &mut io.out)?.unwrap_or(0));
        }
        for reader in readers {
            if let Some(code) = self.lines(VecDeque::from([reader]), &mut io.out)? {
                return Ok(code);
            }
        }
        Ok(0)
    }

    /// One text into another; the code, when the script has quit.
    pub fn edit(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<Option<u8>, Failure> {
        self.lines(VecDeque::from([Box::new(bytes) as Box<dyn BufRead>]), out)
    }

    fn lines(&mut self, readers: VecDeque<Box<dyn BufRead + '_>>, out: &mut dyn Write) -> Result<Option<u8>, Failure> {
        let mut lines = Lines { readers, next: None };
        lines.advance()?;
        self.number = 0;
        let mut keep = false;
        let mut ended = true;
        loop {
            if !keep {
                let Some((bytes, end)) = lines.advance()? else { return Ok(None) };
                self.pattern = String::from_utf8_lossy(&bytes).into_owned();
                self.number += 1;
                ended = end;
            }
            let left = self.cycle(&mut lines, &mut ended, out)?;
            keep = matches!(left, Left::Restart);
            if !self.quiet && matches!(left, Left::End | Left::Quit(_, false)) {
                self.print(out, ended)?;
            }
            self.afterwards(out)?;
            if let Left::Quit(code, _) = left {
                return Ok(Some(code));
            }
        }
    }

    fn print(&self, out: &mut dyn Write, ended: bool) -> Result<(), Failure> {
        out.write_all(self.pattern.as_bytes())?;
        if ended {
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn afterwards(&mut self, out: &mut dyn Write) -> Result<(), Failure> {
        for after in std::mem::take(&mut self.after) {
            match after {
                After::Text(text) => out.write_all(text.as_bytes())?,
                After::File(path) => out.write_all(&files::read(&path).unwrap_or_default())?,
            }
        }
        Ok(())
    }

    fn cycle(&mut self, lines: &mut Lines, ended: &mut bool, out: &mut dyn Write) -> Result<Left, Failure> {
        let commands = self.commands;
        let mut at = 0;
        let mut steps = 0;
        self.substituted = false;
        while let Some(command) = commands.get(at) {
            steps += 1;
            if steps > STEPS {
                return Err("the script goes round for ever".into());
            }
            let chosen = self.chosen(at, &command.range, lines)?;
            let here = at;
            at += 1;
            if !chosen {
                if let Action::Open(end) = command.action {
                    at = end + 1;
                }
                continue;
            }
            match &command.action {
                Action::Open(_) | Action::Close | Action::Label => {}
                Action::Branch(to, when) => {
                    let taken = match when {
                        When::Always => true,
                        When::Substituted => std::mem::take(&mut self.substituted),
                        When::NotSubstituted => !std::mem::take(&mut self.substituted),
                    };
                    if taken {
                        at = to.unwrap_or(commands.len());
                    }
                }
                Action::Next | Action::NextAppend => {
                    let append = matches!(command.action, Action::NextAppend);
                    if lines.is_last() {
                        // As GNU has it: the last line is printed.
                        return Ok(Left::Quit(0, false));
                    }
                    if !append && !self.quiet {
                        self.print(out, *ended)?;
                    }
                    self.afterwards(out)?;
                    let Some((bytes, end)) = lines.advance()? else { return Ok(Left::End) };
                    let text = String::from_utf8_lossy(&bytes);
                    match append {
                        true => self.pattern = format!("{}\n{text}", self.pattern),
                        false => self.pattern = text.into_owned(),
                    }
                    self.number += 1;
                    *ended = end;
                }
                Action::Change(text) => {
                    let more = self.within[here].is_some() && !command.range.inverted;
                    if !more {
                        out.write_all(text.as_bytes())?;
                    }
                    return Ok(Left::Deleted);
                }
                action => {
                    if let Some(left) = self.act(action, out)? {
                        return Ok(left);
                    }
                }
            }
        }
        Ok(Left::End)
    }

    /// What neither moves about in the script nor reads lines.
    fn act(&mut self, action: &'a Action, out: &mut dyn Write) -> Result<Option<Left>, Failure> {
        match action {
            Action::Substitute(substitution) => self.substitute(substitution, out)?,
            Action::Delete => return Ok(Some(Left::Deleted)),
            Action::DeleteFirst => match self.pattern.split_once('\n') {
                Some((_, rest)) => {
                    self.pattern = rest.to_owned();
                    return Ok(Some(Left::Restart));
                }
                None => return Ok(Some(Left::Deleted)),
            },
            Action::Print => self.print(out, true)?,
            Action::PrintFirst => writeln!(out, "{}", self.pattern.split('\n').next().unwrap_or_default())?,
            Action::Number => writeln!(out, "{}", self.number)?,
            Action::List => writeln!(out, "{}$", self.pattern.escape_default().to_string().replace("\\'", "'"))?,
            Action::Quit { code, quiet } => return Ok(Some(Left::Quit(*code, *quiet))),
            Action::Append(text) => self.after.push(After::Text(text.clone())),
            Action::Insert(text) => out.write_all(text.as_bytes())?,
            Action::Transliterate(pairs) => {
                let change = |c: char| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
                self.pattern = self.pattern.chars().map(change).collect();
            }
            Action::Hold => self.hold.clone_from(&self.pattern),
            Action::HoldAppend => self.hold = format!("{}\n{}", self.hold, self.pattern),
            Action::Get => self.pattern.clone_from(&self.hold),
            Action::GetAppend => self.pattern = format!("{}\n{}", self.pattern, self.hold),
            Action::Exchange => std::mem::swap(&mut self.pattern, &mut self.hold),
            Action::Read(path) => self.after.push(After::File(path.clone())),
            Action::Write(path) => self.write(path)?,
            _ => {}
        }
        Ok(None)
    }

    fn write(&mut self, path: &str) -> Result<(), Failure> {
        if !self.written.contains_key(path) {
            let stream = files::create(path).map_err(|error| Failure::of(path, &error))?;
            self.written.insert(path.to_owned(), stream);
        }
        if let Some(stream) = self.written.get_mut(path) {
            stream.write_all(format!("{}\n", self.pattern).as_bytes())?;
        }
        Ok(())
    }

    fn chosen(&mut self, at: usize, range: &'a Range, lines: &Lines) -> Result<bool, Failure> {
        let inside = match (&range.from, &range.to) {
            (None, _) => true,
            (Some(from), None) => self.is_at(from, lines)?,
            (Some(from), Some(to)) => match self.within[at] {
                Some(end) => {
                    let over = if end == usize::MAX { self.is_at(to, lines)? } else { self.number >= end };
                    if over {
                        self.within[at] = None;
                    }
                    end == usize::MAX || self.number <= end
                }
                None => {
                    let begins = self.is_at(from, lines)?;
                    let end = match to {
                        Address::Line(line) => (*line > self.number).then_some(*line),
                        Address::More(more) => (*more > 0).then_some(self.number.saturating_add(*more)),
                        Address::Last if lines.is_last() => None,
                        _ => Some(usize::MAX),
                    };
                    self.within[at] = end.filter(|_| begins);
                    begins
                }
            },
        };
        Ok(inside != range.inverted)
    }

    fn is_at(&mut self, address: &'a Address, lines: &Lines) -> Result<bool, Failure> {
        Ok(match address {
            Address::Line(line) => self.number == *line,
            Address::More(_) => false,
            Address::Last => lines.is_last(),
            Address::Step(first, 0) => self.number == *first,
            Address::Step(first, step) => self.number >= *first && (self.number - first).is_multiple_of(*step),
            Address::Match(matcher) => {
                let matcher = self.known(matcher.as_ref())?;
                matcher.is_match(&self.pattern)
            }
        })
    }

    fn known(&mut self, matcher: Option<&'a Matcher>) -> Result<&'a Matcher, Failure> {
        self.last = matcher.or(self.last);
        self.last.ok_or_else(|| "no previous regular expression".into())
    }

    fn substitute(&mut self, substitution: &'a Substitution, out: &mut dyn Write) -> Result<(), Failure> {
        let matcher = self.known(substitution.pattern.as_ref())?;
        let Some(changed) = substituted(&self.pattern, matcher, substitution) else { return Ok(()) };
        self.pattern = changed;
        self.substituted = true;
        if substitution.print {
            self.print(out, true)?;
        }
        match &substitution.write {
            Some(path) => self.write(path),
            None => Ok(()),
        }
    }
}
