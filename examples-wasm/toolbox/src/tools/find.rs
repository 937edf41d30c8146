//! `find [PATH…] [EXPRESSION]`.

use std::io::Write as _;
use std::time::SystemTime;

use super::remove;
use super::start::start_without_input;
use super::walk::join;
use crate::failure::Failure;
use crate::files::{self, Facts, Kind};
use crate::io::Io;
use crate::matcher::{Matcher, Syntax};
use crate::shell::pattern;

/// How deep a tree is followed, and an expression.
const DEPTH: usize = 100;

enum Test {
    Name { pattern: String, ignore_case: bool },
    Path(String),
    Regex(Matcher),
    Type(char),
    Size { order: char, units: u64, unit: u64 },
    Newer(SystemTime),
    Age { order: char, count: u64, unit: u64 },
    Empty,
    True,
    False,
    Print { end: char },
    Delete,
    Prune,
    Exec { command: Vec<String>, together: bool },
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
}

struct Finder {
    test: Test,
    least: usize,
    most: usize,
    depth_first: bool,
    now: SystemTime,
    /// What `-exec … +` has collected, by its command.
    together: Vec<(Vec<String>, Vec<String>)>,
}

pub fn find(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let begins = |word: &String| word.starts_with('-') && word.len() > 1 || matches!(word.as_str(), "!" | "(");
    let count = arguments.iter().position(begins).unwrap_or(arguments.len());
    let (paths, expression) = arguments.split_at(count);
    let mut parser =
        Parser { words: expression, at: 0, depth: 0, least: 0, most: DEPTH, acts: false, depth_first: false };
    let mut test = match expression.is_empty() {
        true => Test::True,
        false => parser.or()?,
    };
    if parser.at < expression.len() {
        return Err(format!("unexpected '{}'", expression[parser.at]).into());
    }
    if !parser.acts {
        test = Test::And(Box::new(test), Box::new(Test::Print { end: '\n' }));
    }
    let (least, most, depth_first) = (parser.least, parser.most, parser.depth_first);
    let mut finder = Finder { test, least, most, depth_first, now: SystemTime::now(), together: Vec::new() };
    let here = [String::from(".")];
    for path in if paths.is_empty() { &here } else { paths } {
        finder.visit(path, 0, io)?;
    }
    for (command, paths) in std::mem::take(&mut finder.together) {
        if start_without_input(&[command, paths].concat(), io)? != 0 {
            io.code = 1;
        }
    }
    Ok(0)
}

struct Parser<'a> {
    words: &'a [String],
    at: usize,
    depth: usize,
    least: usize,
    most: usize,
    /// Whether it prints or does anything itself.
    acts: bool,
    depth_first: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(String::as_str)
    }

    fn argument(&mut self, of: &str) -> Result<String, Failure> {
        let word = self.words.get(self.at).ok_or_else(|| Failure::from(format!("missing argument to '{of}'")))?;
        self.at += 1;
        Ok(word.clone())
    }

    fn or(&mut self) -> Result<Test, Failure> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("the expression is nested too deeply".into());
        }
        let mut test = self.and()?;
        while matches!(self.peek(), Some("-o" | "-or")) {
            self.at += 1;
            test = Test::Or(Box::new(test), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(test)
    }

    fn and(&mut self) -> Result<Test, Failure> {
        let mut test = self.not()?;
        loop {
            match self.peek() {
                Some("-a" | "-and") => self.at += 1,
                None | Some("-o" | "-or" | ")") => return Ok(test),
                Some(_) => {}
            }
            test = Test::And(Box::new(test), Box::new(self.not()?));
        }
    }

    fn not(&mut self) -> Result<Test, Failure> {
        let mut negated = false;
        while matches!(self.peek(), Some("!" | "-not")) {
            self.at += 1;
            negated = !negated;
        }
        let test = self.primary()?;
        Ok(if negated { Test::Not(Box::new(test)) } else { test })
    }

    fn primary(&mut self) -> Result<Test, Failure> {
        let word = self.argument("expression")?;
        Ok(match word.as_str() {
            "(" => {
                let test = self.or()?;
                if self.argument("(")? != ")" {
                    return Err("missing ')'".into());
                }
                test
            }
            "-name" => Test::Name { pattern: self.argument(&word)?, ignore_case: false },
            "-iname" => Test::Name { pattern: self.argument(&word)?.to_lowercase(), ignore_case: true },
            "-path" | "-wholename" => Test::Path(self.argument(&word)?),
            "-regex" => Test::Regex(Matcher::new(&format!("^\\({}\\)$", self.argument(&word)?), Syntax::Basic, false)?),
            "-type" => Test::Type(self.argument(&word)?.chars().next().unwrap_or('f')),
            "-size" => {
                let argument = self.argument(&word)?;
                let (order, count, unit) = number(&argument, "cwbkMG")?;
                let unit = [('c', 1), ('w', 2), ('k', 1 << 10), ('M', 1 << 20), ('G', 1 << 30)]
                    .into_iter()
                    .find(|(letter, _)| *letter == unit)
                    .map_or(512, |(_, size)| size);
                Test::Size { order, units: count, unit }
            }
            "-newer" => {
                let path = self.argument(&word)?;
                Test::Newer(files::facts(&path).map_err(|error| Failure::of(&path, &error))?.modified)
            }
            "-mtime" | "-mmin" => {
                let (order, count, _) = number(&self.argument(&word)?, "")?;
                Test::Age { order, count, unit: if word == "-mtime" { 86_400 } else { 60 } }
            }
            "-empty" => Test::Empty,
            "-true" => Test::True,
            "-false" => Test::False,
            "-maxdepth" | "-mindepth" => {
                let argument = self.argument(&word)?;
                let depth: usize =
                    argument.parse().map_err(|_| Failure::from(format!("invalid depth '{argument}'")))?;
                if word == "-maxdepth" {
                    self.most = depth.min(DEPTH)
                } else {
                    self.least = depth
                }
                Test::True
            }
            "-depth" | "-xdev" | "-mount" | "-follow" => {
                self.depth_first |= word == "-depth";
                Test::True
            }
            "-print" | "-print0" => {
                self.acts = true;
                Test::Print { end: if word == "-print" { '\n' } else { '\0' } }
            }
            "-delete" => {
                (self.acts, self.depth_first) = (true, true);
                Test::Delete
            }
            "-prune" => Test::Prune,
            "-exec" => self.exec()?,
            other => return Err(format!("unrecognized: {other}").into()),
        })
    }

    fn exec(&mut self) -> Result<Test, Failure> {
        self.acts = true;
        let mut command = Vec::new();
        loop {
            match self.argument("-exec")?.as_str() {
                ";" => return Ok(Test::Exec { command, together: false }),
                "+" if command.last().is_some_and(|word| word == "{}") => {
                    command.pop();
                    return Ok(Test::Exec { command, together: true });
                }
                word => command.push(word.to_owned()),
            }
        }
    }
}

/// `+3k`: more than, less than or exactly so many of a unit.
fn number(text: &str, units: &str) -> Result<(char, u64, char), Failure> {
    let order = text.chars().next().filter(|c| "+-".contains(*c)).unwrap_or('=');
    let unit = text.chars().last().filter(|c| units.contains(*c)).unwrap_or(' ');
    let digits = text.trim_start_matches(['+', '-']).trim_end_matches(unit);
    let count = digits.parse().map_err(|_| Failure::from(format!("invalid number '{text}'")))?;
    Ok((order, count, unit))
}

fn compares(order: char, value: u64, with: u64) -> bool {
    match order {
        '+' => value > with,
        '-' => value < with,
        _ => value == with,
    }
}

impl Finder {
    fn visit(&mut self, path: &str, depth: usize, io: &mut Io) -> Result<(), Failure> {
        let facts = match files::link_facts(path) {
            Ok(facts) => facts,
            Err(error) => {
                io.complain_of(path, &error);
                return Ok(());
            }
        };
        let mut pruned = false;
        if !self.depth_first && depth >= self.least {
            self.judge(path, &facts, &mut pruned, io)?;
        }
        if facts.kind == Kind::Directory && depth < self.most && !pruned {
            match files::names(path) {
                Ok(names) => {
                    for name in names {
                        self.visit(&join(path, &name), depth + 1, io)?;
                    }
                }
                Err(error) => io.complain_of(path, &error),
            }
        }
        if self.depth_first && depth >= self.least {
            self.judge(path, &facts, &mut pruned, io)?;
        }
        Ok(())
    }

    fn judge(&mut self, path: &str, facts: &Facts, pruned: &mut bool, io: &mut Io) -> Result<(), Failure> {
        // Taken out for the time, so that what is collected can be changed.
        let test = std::mem::replace(&mut self.test, Test::True);
        let result = self.holds(&test, path, facts, pruned, io);
        self.test = test;
        result.map(drop)
    }

    fn holds(
        &mut self,
        test: &Test,
        path: &str,
        facts: &Facts,
        pruned: &mut bool,
        io: &mut Io,
    ) -> Result<bool, Failure> {
        Ok(match test {
            Test::And(a, b) => self.holds(a, path, facts, pruned, io)? && self.holds(b, path, facts, pruned, io)?,
            Test::Or(a, b) => self.holds(a, path, facts, pruned, io)? || self.holds(b, path, facts, pruned, io)?,
            Test::Not(test) => !self.holds(test, path, facts, pruned, io)?,
            Test::Print { end } => {
                write!(io.out, "{path}{end}")?;
                true
            }
            Test::Prune => {
                *pruned = true;
                true
            }
            Test::Delete => match remove::tree(path, 1) {
                Ok(()) => true,
                Err(error) => {
                    io.complain_of(path, &error);
                    false
                }
            },
            Test::Exec { command, together: true } => {
                match self.together.iter_mut().find(|(known, _)| known == command) {
                    Some((_, paths)) => paths.push(path.to_owned()),
                    None => self.together.push((command.clone(), vec![path.to_owned()])),
                }
                true
            }
            Test::Exec { command, together: false } => {
                let command: Vec<String> = command.iter().map(|word| word.replace("{}", path)).collect();
                start_without_input(&command, io)? == 0
            }
            simple => self.simple(simple, path, facts),
        })
    }

    fn simple(&self, test: &Test, path: &str, facts: &Facts) -> bool {
        match test {
            Test::Name { pattern, ignore_case } => {
                let trimmed = path.trim_end_matches('/');
                let name = trimmed.rsplit('/').next().unwrap_or(path);
                let name = if *ignore_case { name.to_lowercase() } else { name.to_owned() };
                pattern::matches(pattern, &name)
            }
            Test::Path(pattern) => pattern::matches(pattern, path),
            Test::Regex(matcher) => matcher.is_match(path),
            Test::Type(letter) => match letter {
                'd' => facts.kind == Kind::Directory,
                'l' => facts.kind == Kind::Link,
                'f' => facts.kind == Kind::File,
                _ => facts.kind == Kind::Other,
            },
            Test::Size { order, units, unit } => compares(*order, facts.size.div_ceil(*unit), *units),
            Test::Newer(than) => facts.modified > *than,
            Test::Age { order, count, unit } => {
                let age = self.now.duration_since(facts.modified).map_or(0, |age| age.as_secs());
                compares(*order, age / unit, *count)
            }
            Test::Empty => match facts.kind {
                Kind::Directory => files::names(path).is_ok_and(|names| names.is_empty()),
                _ => facts.size == 0,
            },
            Test::False => false,
            _ => true,
        }
    }
}
