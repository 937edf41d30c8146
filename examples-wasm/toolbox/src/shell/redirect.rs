//! Redirections.

use super::parser::Parser;
use super::syntax::{Redirect, Target, Word};
use super::{Run, Shell};
use crate::failure::words;
use crate::files::{self, Kind};
use crate::stream::{Mode, Stream, Table};

impl Shell {
    /// The descriptors as redirections make them. An error that the script can go on after is the inner one.
    pub(super) fn redirected(&mut self, mut table: Table, redirects: &[Redirect]) -> Run<Result<Table, String>> {
        for redirect in redirects {
            if let Err(error) = self.redirect(&mut table, redirect)? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(table))
    }

    fn redirect(&mut self, table: &mut Table, redirect: &Redirect) -> Run<Result<(), String>> {
        let number = |usual| redirect.number.unwrap_or(usual);
        Ok(match &redirect.to {
            Target::Read(word) => self.open(table, number(0), word, Mode::Read, false)?,
            Target::Write(word) => self.open(table, number(1), word, Mode::Append, true)?,
            Target::Append(word) => self.open(table, number(1), word, Mode::Append, false)?,
            Target::ReadWrite(word) => self.open(table, number(0), word, Mode::ReadWrite, false)?,
            Target::Both(word, append) => {
                let opened = self.open(table, 1, word, Mode::Append, !append)?;
                opened.map(|()| table.set(2, table.stream(1)))
            }
            Target::Duplicate(word, output) => {
                let name = self.text(word)?;
                duplicate(table, number(u32::from(*output)), &name)
            }
            Target::Here(body) => {
                let text = body.get().map_or_else(|| Ok(String::new()), |word| self.text(word))?;
                table.set(number(0), Stream::text(text));
                Ok(())
            }
            Target::HereString(word) => {
                let text = self.text(word)? + "\n";
                table.set(number(0), Stream::text(text));
                Ok(())
            }
        })
    }

    fn open(
        &mut self,
        table: &mut Table,
        number: u32,
        word: &Word,
        mode: Mode,
        truncate: bool,
    ) -> Run<Result<(), String>> {
        let path = self.text(word)?;
        let is_file = |path: &str| files::facts(path).is_ok_and(|facts| facts.kind == Kind::File);
        if truncate && self.options.noclobber && is_file(&path) {
            return Ok(Err(format!("can't create {path}: File exists")));
        }
        let standard = ["/dev/stdin", "/dev/stdout", "/dev/stderr"].iter().position(|device| *device == path);
        if let Some(own) = standard {
            return Ok(duplicate(table, number, &own.to_string()));
        }
        let what = if mode == Mode::Read { "open" } else { "create" };
        Ok(match Stream::open(&path, mode, truncate) {
            Ok(stream) => {
                table.set(number, stream);
                Ok(())
            }
            Err(error) => Err(format!("can't {what} {path}: {}", words(&error))),
        })
    }

    /// Text that is expanded as if between double quotes: prompts.
    pub(super) fn expanded(&mut self, text: &str) -> Run<String> {
        match Parser::here(text) {
            Ok(word) => self.text(&word),
            Err(_) => Ok(text.to_owned()),
        }
    }
}

fn duplicate(table: &mut Table, number: u32, name: &str) -> Result<(), String> {
    if name == "-" {
        table.close(number);
        return Ok(());
    }
    let stream = name.parse().ok().and_then(|from| table.get(from).cloned());
    match stream {
        Some(stream) => {
            table.set(number, stream);
            Ok(())
        }
        None => Err(format!("{name}: bad file descriptor")),
    }
}
