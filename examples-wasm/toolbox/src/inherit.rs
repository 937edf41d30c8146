//! How a child comes to have its parent's descriptors and, when it is a part of a script, its parent's state.
//!
//! A program of the pod gets three streams: the parent's own or pipes. All else is said in a hidden first argument, a list
//! of fields: which of the three each descriptor is, and which files the child has to open.

use std::io::{Seek as _, SeekFrom};
use std::rc::Rc;

use crate::host::{Pipe, Sink, Source};
use crate::stream::{Mode, Opened, Stream, Table};

/// What the hidden argument starts with; no shell passes on such a character by chance.
const MARK: char = '\u{1d}';

/// What a child is started on.
pub struct Inherited<'a> {
    pub input: Source<'a>,
    pub output: Sink<'a>,
    pub error: Sink<'a>,
    /// What [`restore`] needs; empty when nothing is unusual.
    pub fields: Vec<String>,
}

/// One of the three streams of a child, as the parent sees it.
#[derive(Clone, Copy)]
enum Slot<'a> {
    Unused,
    Own,
    Pipe(&'a Rc<Pipe>),
}

/// What to start a child on so that it has these descriptors.
pub fn inherit(table: &Table) -> Inherited<'_> {
    let slots = slots(table);
    let mut fields: Vec<String> = table.iter().filter_map(|(number, stream)| field(number, stream, &slots)).collect();
    if fields == ["0o0", "1o1", "2o2"] {
        fields.clear();
    }
    let input = match slots[0] {
        Slot::Unused => Source::Empty,
        Slot::Own => Source::Inherit,
        Slot::Pipe(pipe) => Source::Pipe(pipe),
    };
    Inherited { input, output: sink(slots[1]), error: sink(slots[2]), fields }
}

fn sink(slot: Slot<'_>) -> Sink<'_> {
    match slot {
        Slot::Unused => Sink::Discard,
        Slot::Own => Sink::Inherit,
        Slot::Pipe(pipe) => Sink::Pipe(pipe),
    }
}

/// Which of the parent's streams the child is given. Its own ones keep their number, a pipe takes a free one.
fn slots(table: &Table) -> [Slot<'_>; 3] {
    let mut slots = [Slot::Unused; 3];
    for (_, stream) in table.iter() {
        if let Stream::Own(number) = stream {
            slots[usize::from(*number)] = Slot::Own;
        }
    }
    for (number, stream) in table.iter() {
        match stream {
            Stream::Reader(pipe) if number == 0 => slots[0] = Slot::Pipe(pipe),
            Stream::Writer(pipe) if slot_of(&slots, pipe).is_none() => {
                let order = if number == 2 { [2, 1] } else { [1, 2] };
                if let Some(free) = order.into_iter().find(|slot| matches!(slots[*slot], Slot::Unused)) {
                    slots[free] = Slot::Pipe(pipe);
                }
            }
            _ => {}
        }
    }
    slots
}

fn slot_of(slots: &[Slot<'_>; 3], wanted: &Rc<Pipe>) -> Option<usize> {
    slots.iter().position(|slot| matches!(slot, Slot::Pipe(pipe) if Rc::ptr_eq(pipe, wanted)))
}

/// What the child is told of a descriptor. None: it cannot have it, as there are no more than three streams.
fn field(number: u32, stream: &Stream, slots: &[Slot<'_>; 3]) -> Option<String> {
    Some(match stream {
        Stream::Own(0) if !matches!(slots[0], Slot::Own) => return None,
        Stream::Own(own) => format!("{number}o{own}"),
        Stream::Reader(pipe) | Stream::Writer(pipe) => format!("{number}o{}", slot_of(slots, pipe)?),
        Stream::Null => format!("{number}n"),
        Stream::Text(text) => format!("{number}t{}", &text.text[text.at.get()..]),
        Stream::File(opened) => file_field(number, opened),
        #[cfg(test)]
        Stream::Memory(_) => return None,
    })
}

fn file_field(number: u32, opened: &Opened) -> String {
    let path = opened.path.display();
    let at = || (&opened.file).stream_position().unwrap_or(0);
    match opened.mode {
        Mode::Read => format!("{number}r{} {path}", at()),
        Mode::Append => format!("{number}a{path}"),
        Mode::ReadWrite => format!("{number}w{} {path}", at()),
    }
}

/// The descriptors that a parent wanted this program to have; the fields that are none of them are left.
///
/// # Errors
/// A file that is gone since the parent had it open.
pub fn restore(fields: &[String]) -> Result<Table, String> {
    let own = |field: &&String| field.starts_with(|c: char| c.is_ascii_digit());
    let mut told = fields.iter().filter(own).peekable();
    if told.peek().is_none() {
        return Ok(Table::default());
    }
    let mut table = Table::empty();
    for field in told {
        let digits = field.find(|c: char| !c.is_ascii_digit()).unwrap_or(field.len());
        let (number, rest) = field.split_at(digits);
        let Ok(number) = number.parse() else { continue };
        table.set(number, restored(rest)?);
    }
    Ok(table)
}

fn restored(field: &str) -> Result<Stream, String> {
    let mut letters = field.chars();
    let kind = letters.next();
    let rest = letters.as_str();
    Ok(match kind {
        Some('o') => Stream::Own(rest.parse().map_err(|_| "no stream")?),
        Some('t') => Stream::text(rest.to_owned()),
        Some('a') => open(rest, Mode::Append)?,
        Some('r' | 'w') => {
            let (at, path) = rest.split_once(' ').unwrap_or(("0", rest));
            let stream = open(path, if kind == Some('r') { Mode::Read } else { Mode::ReadWrite })?;
            if let (Stream::File(opened), Ok(at @ 1..)) = (&stream, at.parse()) {
                (&opened.file).seek(SeekFrom::Start(at)).map_err(|error| error.to_string())?;
            }
            stream
        }
        _ => Stream::Null,
    })
}

fn open(path: &str, mode: Mode) -> Result<Stream, String> {
    Stream::open(path, mode, false).map_err(|error| format!("{path}: {}", crate::failure::words(&error)))
}

/// The hidden argument for these fields.
pub fn encode(fields: &[String]) -> String {
    fields.iter().fold(String::from(MARK), |all, field| format!("{all}{}:{field}", field.len()))
}

/// The fields of a hidden argument; None: it is a usual one.
pub fn decode(argument: &str) -> Option<Vec<String>> {
    let mut rest = argument.strip_prefix(MARK)?;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (length, tail) = rest.split_once(':')?;
        let (field, tail) = tail.split_at_checked(length.parse().ok()?)?;
        fields.push(field.to_owned());
        rest = tail;
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(table: &Table) -> Vec<String> {
        inherit(table).fields
    }

    #[test]
    fn what_is_usual_needs_no_words() {
        assert!(fields(&Table::default()).is_empty());
        let mut piped = Table::default();
        piped.set(1, Stream::Writer(Rc::new(Pipe::new().unwrap())));
        assert!(fields(&piped).is_empty());
    }

    #[test]
    fn both_outputs_can_be_one_pipe() {
        let mut table = Table::default();
        let pipe = Stream::Writer(Rc::new(Pipe::new().unwrap()));
        table.set(1, pipe.clone());
        table.set(2, pipe);
        assert_eq!(fields(&table), ["0o0", "1o1", "2o1"]);
        assert!(matches!(inherit(&table).error, Sink::Discard));
    }

    #[test]
    fn outputs_can_change_places() {
        let mut table = Table::default();
        table.set(1, Stream::Own(2));
        table.set(2, Stream::Own(1));
        assert_eq!(fields(&table), ["0o0", "1o2", "2o1"]);
    }

    #[test]
    fn a_pipe_finds_a_free_stream() {
        let mut table = Table::default();
        table.set(2, Stream::Writer(Rc::new(Pipe::new().unwrap())));
        table.set(3, Stream::Own(1));
        assert_eq!(fields(&table), ["0o0", "1o1", "2o2", "3o1"]);
    }

    #[test]
    fn a_hidden_argument_holds_any_text() {
        let fields = vec!["0tline\n12:é\u{1d}".to_owned(), String::new(), "vA=1".to_owned()];
        assert_eq!(decode(&encode(&fields)).unwrap(), fields);
        assert_eq!(decode("-la"), None);
        assert_eq!(decode("\u{1d}9:short"), None);
    }

    #[test]
    fn text_is_read_on_by_the_child() {
        let table = restore(&["0tabc".to_owned(), "x".to_owned()]).unwrap();
        assert!(matches!(table.get(0), Some(Stream::Text(text)) if text.text == "abc"));
        assert!(table.get(1).is_none());
    }
}
