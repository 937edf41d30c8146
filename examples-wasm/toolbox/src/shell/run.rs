//! Runs commands.

use std::rc::Rc;

use super::parser::Parser;
use super::syntax::{AndOr, Arm, Command, Item, Join, Kind, List, Pipeline, Word};
use super::{CALLS, DEPTH, Run, Shell, Stop, builtins, pattern};
use crate::host::{self, Pipe, Process};
use crate::stream::{Stream, Table};
use crate::tools;

impl Shell {
    /// Runs a text, line by line: `eval`, `.`, `-c`.
    pub(super) fn evaluate_text(&mut self, text: &str) -> Run {
        let mut parser = Parser::new(text);
        loop {
            match parser.line() {
                Ok(Some(list)) => self.list(&list)?,
                Ok(None) => return Ok(self.status),
                Err(error) => {
                    self.complain(&error.to_string());
                    self.status = 2;
                    return if self.interactive { Ok(2) } else { Err(Stop::Exit(2)) };
                }
            };
        }
    }

    pub(super) fn list(&mut self, list: &List) -> Run {
        for item in list {
            self.item(item)?;
        }
        Ok(self.status)
    }

    fn item(&mut self, item: &Item) -> Run {
        if self.terminal && host::take_interrupt() {
            self.interrupted()?;
        }
        if self.options.noexec && !self.interactive {
            return Ok(0);
        }
        match item.background {
            true => self.background(&item.and_or),
            false => self.and_or(&item.and_or),
        }
    }

    fn background(&mut self, and_or: &AndOr) -> Run {
        let mut table = self.table.clone();
        if !self.interactive || matches!(table.get(0), Some(Stream::Own(0))) {
            table.set(0, Stream::Null);
        }
        let text = and_or.span.text().trim_end().to_owned();
        self.status = 0;
        match self.members(and_or, &table)? {
            Ok(processes) => {
                let number = self.jobs.add(processes, text);
                if self.interactive {
                    self.complain_plainly(&format!("[{number}] {}\n", self.jobs.last_id().unwrap_or(0)));
                }
            }
            Err(error) => {
                self.complain(&format!("can't start: {error}"));
                self.status = 1;
            }
        }
        Ok(self.status)
    }

    /// A pipeline has its members in the background; anything else is a shell there.
    fn members(&mut self, and_or: &AndOr, table: &Table) -> Run<Result<Vec<Process>, String>> {
        match (&and_or.rest[..], and_or.first.negated) {
            ([], false) => self.start_pipeline(&and_or.first, table),
            _ => Ok(self.start_script(&and_or.span.text(), table).map(|process| vec![process])),
        }
    }

    fn and_or(&mut self, and_or: &AndOr) -> Run {
        let last = and_or.rest.len();
        self.pipeline(&and_or.first, last > 0)?;
        for (at, (join, pipeline)) in and_or.rest.iter().enumerate() {
            if (self.status == 0) == (*join == Join::And) {
                self.pipeline(pipeline, at + 1 < last)?;
            }
        }
        Ok(self.status)
    }

    /// `tested`: what it ends with is asked for, so that `set -e` does not hold.
    fn pipeline(&mut self, pipeline: &Pipeline, tested: bool) -> Run {
        let tested = tested || pipeline.negated;
        self.conditions += u32::from(tested);
        let result = match &pipeline.commands[..] {
            [command] => self.command(command),
            _ => {
                let table = self.table.clone();
                match self.start_pipeline(pipeline, &table) {
                    Ok(Ok(processes)) => self.wait(&processes),
                    Ok(Err(error)) => Err(Stop::Fatal(format!("can't start: {error}"))),
                    Err(stop) => Err(stop),
                }
            }
        };
        self.conditions -= u32::from(tested);
        result?;
        if pipeline.negated {
            self.status = u8::from(self.status == 0);
        }
        let judged = match &pipeline.commands[..] {
            [command] => matches!(command.kind, Kind::Simple { .. } | Kind::Subshell(_)),
            _ => true,
        };
        if self.options.errexit && self.status != 0 && !tested && self.conditions == 0 && judged {
            return Err(Stop::Exit(self.status));
        }
        Ok(self.status)
    }

    /// Starts the members, each with a pipe to the next.
    fn start_pipeline(&mut self, pipeline: &Pipeline, table: &Table) -> Run<Result<Vec<Process>, String>> {
        let mut processes = Vec::new();
        let mut before: Option<Rc<Pipe>> = None;
        for (at, command) in pipeline.commands.iter().enumerate() {
            let mut table = table.clone();
            if let Some(pipe) = &before {
                table.set(0, Stream::Reader(pipe.clone()));
            }
            let after = match at + 1 < pipeline.commands.len() {
                true => Some(Rc::new(Pipe::new().map_err(|error| Stop::Fatal(error.to_string()))?)),
                false => None,
            };
            if let Some(pipe) = &after {
                table.set(1, Stream::Writer(pipe.clone()));
                if command.both {
                    table.set(2, Stream::Writer(pipe.clone()));
                }
            }
            let started = self.member(command, table)?;
            if let Some(pipe) = before.take() {
                pipe.close_read();
            }
            if let Some(pipe) = &after {
                pipe.close_write();
            }
            before = after;
            match started {
                Ok(process) => processes.push(process),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(processes))
    }

    /// Starts one member: a tool as itself, anything else as a shell.
    fn member(&mut self, command: &Command, table: Table) -> Run<Result<Process, String>> {
        if let Kind::Simple { words, .. } = &command.kind
            && words.first().and_then(Word::plain).is_some_and(|name| self.is_tool(name))
            && words.iter().all(is_harmless)
            && command.redirects.is_empty()
            && !self.options.xtrace
            && let Kind::Simple { assignments, .. } = &command.kind
            && assignments.is_empty()
        {
            let arguments = self.arguments(words)?;
            return Ok(self.start(arguments, Vec::new(), &[], &table));
        }
        Ok(self.start_script(&command.span.text(), &table))
    }

    fn command(&mut self, command: &Command) -> Run {
        if self.depth >= DEPTH {
            return Err(Stop::Fatal("commands are nested too deeply".to_owned()));
        }
        self.depth += 1;
        let result = self.command_here(command);
        self.depth -= 1;
        result
    }

    fn command_here(&mut self, command: &Command) -> Run {
        if let Kind::Simple { assignments, words } = &command.kind {
            return self.simple(assignments, words, &command.redirects);
        }
        if command.redirects.is_empty() {
            return self.compound_command(&command.kind);
        }
        match self.redirected(self.table.clone(), &command.redirects)? {
            Ok(table) => {
                let before = std::mem::replace(&mut self.table, table);
                let result = self.compound_command(&command.kind);
                self.table = before;
                result
            }
            Err(error) => Ok(self.fail(&error, 1)),
        }
    }

    fn compound_command(&mut self, kind: &Kind) -> Run {
        match kind {
            Kind::Simple { .. } => Ok(self.status),
            Kind::Group(list) => self.list(list),
            Kind::Subshell(span) => {
                let started = self.start_script(&span.text(), &self.table);
                match started {
                    Ok(process) => self.wait(&[process]),
                    Err(error) => Ok(self.fail(&format!("can't start: {error}"), 1)),
                }
            }
            Kind::If { arms, otherwise } => self.if_command(arms, otherwise.as_ref()),
            Kind::Loop { until, condition, body } => self.while_loop(*until, condition, body),
            Kind::For { name, words, body } => self.for_loop(name, words.as_deref(), body),
            Kind::Case { word, arms } => self.case(word, arms),
            Kind::Function { name, body } => {
                self.functions.insert(name.clone(), body.clone());
                self.status = 0;
                Ok(0)
            }
        }
    }

    fn condition(&mut self, list: &List) -> Run<bool> {
        self.conditions += 1;
        let result = self.list(list);
        self.conditions -= 1;
        Ok(result? == 0)
    }

    fn if_command(&mut self, arms: &[(List, List)], otherwise: Option<&List>) -> Run {
        for (condition, body) in arms {
            if self.condition(condition)? {
                return self.list(body);
            }
        }
        self.status = 0;
        otherwise.map_or(Ok(0), |body| self.list(body))
    }

    fn while_loop(&mut self, until: bool, condition: &List, body: &List) -> Run {
        let mut status = 0;
        self.loops += 1;
        let result = loop {
            match self.condition(condition) {
                Ok(holds) if holds == until => break Ok(()),
                Ok(_) => {}
                Err(stop) => match again(stop) {
                    Some(Ok(())) => continue,
                    Some(Err(stop)) => break Err(stop),
                    None => break Ok(()),
                },
            }
            match self.list(body).map(|code| status = code) {
                Ok(()) => {}
                Err(stop) => match again(stop) {
                    Some(Ok(())) => status = self.status,
                    Some(Err(stop)) => break Err(stop),
                    None => {
                        status = self.status;
                        break Ok(());
                    }
                },
            }
        };
        self.loops -= 1;
        result?;
        self.status = status;
        Ok(status)
    }

    fn for_loop(&mut self, name: &str, words: Option<&[Word]>, body: &List) -> Run {
        let values = match words {
            Some(words) => self.arguments(words)?,
            None => self.positional.clone(),
        };
        self.status = 0;
        self.loops += 1;
        let mut result = Ok(self.status);
        for value in values {
            result = self.assign(name, value).and_then(|()| self.list(body));
            if let Err(stop) = result {
                match again(stop) {
                    Some(Ok(())) => result = Ok(self.status),
                    Some(Err(stop)) => {
                        result = Err(stop);
                        break;
                    }
                    None => {
                        result = Ok(self.status);
                        break;
                    }
                }
            }
        }
        self.loops -= 1;
        result
    }

    fn case(&mut self, word: &Word, arms: &[Arm]) -> Run {
        let text = self.text(word)?;
        self.status = 0;
        let mut falls = false;
        for arm in arms {
            let mut chosen = falls;
            for pattern in &arm.patterns {
                chosen = chosen || pattern::matches(&self.pattern(pattern)?, &text);
            }
            if chosen {
                self.list(&arm.body)?;
                falls = arm.falls;
                if !falls {
                    break;
                }
            }
        }
        Ok(self.status)
    }

    /// Calls a function.
    pub(super) fn call(&mut self, body: &Rc<Command>, arguments: &[String]) -> Run {
        if self.calls >= CALLS {
            return Err(Stop::Fatal("functions call each other too deeply".to_owned()));
        }
        let positional = std::mem::replace(&mut self.positional, arguments.to_vec());
        let loops = std::mem::take(&mut self.loops);
        self.calls += 1;
        self.variables.enter();
        let result = self.command(body);
        self.variables.leave();
        self.calls -= 1;
        self.loops = loops;
        self.positional = positional;
        match result {
            Err(Stop::Return(code)) => {
                self.status = code;
                Ok(code)
            }
            other => other,
        }
    }

    pub(super) fn fail(&mut self, message: &str, code: u8) -> u8 {
        self.complain(message);
        self.status = code;
        code
    }

    /// Whether a name is one that runs as a program of its own.
    pub(super) fn is_tool(&self, name: &str) -> bool {
        !self.functions.contains_key(name)
            && builtins::find(name).is_none()
            && tools::find(tools::basename(name)).is_some()
    }
}

/// Whether expanding a word in the shell itself is the same as doing so in a subshell: nothing is assigned, nothing fails.
fn is_harmless(word: &Word) -> bool {
    use super::syntax::{Change, Part};
    word.0.iter().all(|part| match part {
        Part::Plain(_) | Part::Quoted(_) => true,
        Part::Parameter(parameter) => matches!(parameter.change, Change::None | Change::Length),
        Part::Command { .. } | Part::Arithmetic { .. } => false,
    })
}

/// What a loop does when its body was left: go on, pass it on, or, for None, end.
fn again(stop: Stop) -> Option<Result<(), Stop>> {
    match stop {
        Stop::Break(1) => None,
        Stop::Break(more) => Some(Err(Stop::Break(more - 1))),
        Stop::Continue(1) => Some(Ok(())),
        Stop::Continue(more) => Some(Err(Stop::Continue(more - 1))),
        other => Some(Err(other)),
    }
}
