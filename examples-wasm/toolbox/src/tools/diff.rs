//! `diff [-uqr] [-s] A B`: lines that differ, as `-u` shows them or in the plain form.

use std::io::Write as _;

use crate::failure::Failure;
use crate::files;
use crate::io::Io;
use crate::options::{self, Options};
use crate::tools::walk::join;

/// Lines around a change.
const AROUND: usize = 3;

/// Lines that may differ: the table of them is its square.
const MOST: usize = 4_000;

/// A part that differs: from where to where, in either.
#[derive(Debug, PartialEq)]
struct Change {
    old: std::ops::Range<usize>,
    new: std::ops::Range<usize>,
}

pub fn diff(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long =
        [("unified", 'u'), ("brief", 'q'), ("recursive", 'r'), ("report-identical-files", 's'), ("new-file", 'N')];
    let options = options::parse(arguments, "uqrsNaU:bw", &long)?;
    let [old, new] = &options.operands[..] else { return Err(Failure::new(2, "usage: diff [-uqr] FILE1 FILE2")) };
    compare(old, new, &options, 50, io).map_err(|failure| Failure { code: failure.code.max(2), ..failure })
}

fn compare(old: &str, new: &str, options: &Options, depth: u32, io: &mut Io) -> Result<u8, Failure> {
    let name = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    match (files::is_directory(old), files::is_directory(new)) {
        (true, true) => directories(old, new, options, depth, io),
        (true, false) => compare(&join(old, &name(new)), new, options, depth, io),
        (false, true) => compare(old, &join(new, &name(old)), options, depth, io),
        (false, false) => two_files(old, new, options, io),
    }
}

fn directories(old: &str, new: &str, options: &Options, depth: u32, io: &mut Io) -> Result<u8, Failure> {
    let (a, b) = (names(old)?, names(new)?);
    let mut all: Vec<&String> = a.iter().chain(&b).collect();
    all.sort();
    all.dedup();
    let mut code = 0;
    for name in all {
        let (left, right) = (join(old, name), join(new, name));
        match (a.contains(name), b.contains(name)) {
            (true, true) if files::is_directory(&left) && (!options.has('r') || depth == 0) => {
                writeln!(io.out, "Common subdirectories: {left} and {right}")?;
            }
            (true, true) => code = code.max(compare(&left, &right, options, depth - 1, io)?),
            (there, _) => {
                writeln!(io.out, "Only in {}: {name}", if there { old } else { new })?;
                code = 1;
            }
        }
    }
    Ok(code)
}

fn names(path: &str) -> Result<Vec<String>, Failure> {
    files::names(path).map_err(|error| Failure::of(path, &error))
}

fn two_files(old: &str, new: &str, options: &Options, io: &mut Io) -> Result<u8, Failure> {
    let a = io.read(old).map_err(|error| Failure::of(old, &error))?;
    let b = io.read(new).map_err(|error| Failure::of(new, &error))?;
    if a == b {
        if options.has('s') {
            writeln!(io.out, "Files {old} and {new} are identical")?;
        }
        return Ok(0);
    }
    let binary = |bytes: &[u8]| bytes.iter().take(8_192).any(|byte| *byte == 0);
    if options.has('q') || binary(&a) || binary(&b) {
        let kind = if options.has('q') { "Files" } else { "Binary files" };
        writeln!(io.out, "{kind} {old} and {new} differ")?;
        return Ok(1);
    }
    let (a, b) = (String::from_utf8_lossy(&a).into_owned(), String::from_utf8_lossy(&b).into_owned());
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split_inclusive('\n').collect(), b.split_inclusive('\n').collect());
    let changes = changes(&a, &b);
    match options.has('u') || options.has('U') {
        true => {
            writeln!(io.out, "--- {old}\n+++ {new}")?;
            let around = options.number('U')?.unwrap_or(AROUND);
            io.out.write_all(unified(&a, &b, &changes, around).as_bytes())?;
        }
        false => changes.iter().try_for_each(|change| io.out.write_all(plain(&a, &b, change).as_bytes()))?,
    }
    Ok(1)
}

/// Where two texts differ, by their longest common subsequence.
fn changes(a: &[&str], b: &[&str]) -> Vec<Change> {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (rest_a, rest_b) = (&a[start..], &b[start..]);
    let end = rest_a.iter().rev().zip(rest_b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&rest_a[..rest_a.len() - end], &rest_b[..rest_b.len() - end]);
    if a.len() > MOST || b.len() > MOST {
        return vec![Change { old: start..start + a.len(), new: start..start + b.len() }];
    }
    let width = b.len() + 1;
    let mut table = vec![0u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i * width + j] = match a[i] == b[j] {
                true => table[(i + 1) * width + j + 1] + 1,
                false => table[(i + 1) * width + j].max(table[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut changes: Vec<Change> = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let removed = j == b.len() || (i < a.len() && table[(i + 1) * width + j] >= table[i * width + j + 1]);
        let (old, new) = (start + i, start + j);
        if removed {
            i += 1
        } else {
            j += 1
        }
        let (old_end, new_end) = (start + i, start + j);
        match changes.last_mut().filter(|last| last.old.end == old && last.new.end == new) {
            Some(last) => (last.old.end, last.new.end) = (old_end, new_end),
            None => changes.push(Change { old: old..old_end, new: new..new_end }),
        }
    }
    changes
}

fn marked(lines: &[&str], mark: &str) -> String {
    let line = |line: &&str| match line.ends_with('\n') {
        true => format!("{mark}{line}"),
        false => format!("{mark}{line}\n\\ No newline at end of file\n"),
    };
    lines.iter().map(line).collect()
}

fn plain(a: &[&str], b: &[&str], change: &Change) -> String {
    let range = |range: &std::ops::Range<usize>| match range.len() {
        0 => range.start.to_string(),
        1 => range.end.to_string(),
        _ => format!("{},{}", range.start + 1, range.end),
    };
    let (old, new) = (marked(&a[change.old.clone()], "< "), marked(&b[change.new.clone()], "> "));
    let (letter, between) = match (change.old.is_empty(), change.new.is_empty()) {
        (true, _) => ('a', ""),
        (_, true) => ('d', ""),
        _ => ('c', "---\n"),
    };
    format!("{}{letter}{}\n{old}{between}{new}", range(&change.old), range(&change.new))
}

fn unified(a: &[&str], b: &[&str], changes: &[Change], around: usize) -> String {
    let mut text = String::new();
    let mut rest = changes;
    while let Some(first) = rest.first() {
        let near = |pair: &[Change]| pair[1].old.start - pair[0].old.end <= 2 * around;
        let count = rest.windows(2).take_while(|pair| near(pair)).count() + 1;
        let (group, after) = rest.split_at(count);
        rest = after;
        let last = group.last().unwrap_or(first);
        let before = first.old.start.min(around);
        let behind = (a.len() - last.old.end).min(around);
        let (old, new) =
            (first.old.start - before..last.old.end + behind, first.new.start - before..last.new.end + behind);
        let range = |range: &std::ops::Range<usize>| match range.len() {
            0 => format!("{},0", range.start),
            1 => range.end.to_string(),
            length => format!("{},{length}", range.start + 1),
        };
        text += &format!("@@ -{} +{} @@\n", range(&old), range(&new));
        let mut at = old.start;
        for change in group {
            text += &marked(&a[at..change.old.start], " ");
            text += &marked(&a[change.old.clone()], "-");
            text += &marked(&b[change.new.clone()], "+");
            at = change.old.end;
        }
        text += &marked(&a[at..old.end], " ");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown() {
        let (a, b) = (["1\n", "2\n", "3\n", "4\n"], ["1\n", "x\n", "3\n", "4\n", "5"]);
        let changes = changes(&a, &b);
        assert_eq!(changes, [Change { old: 1..2, new: 1..2 }, Change { old: 4..4, new: 4..5 }]);
        assert_eq!(plain(&a, &b, &changes[0]), "2c2\n< 2\n---\n> x\n");
        assert_eq!(plain(&a, &b, &changes[1]), "4a5\n> 5\n\\ No newline at end of file\n");
        let expected = "@@ -1,4 +1,5 @@\n 1\n-2\n+x\n 3\n 4\n+5\n\\ No newline at end of file\n";
        assert_eq!(unified(&a, &b, &changes, 3), expected);
    }

    #[test]
    fn equal_texts_have_no_changes() {
        assert!(changes(&["a\n"], &["a\n"]).is_empty());
        assert_eq!(changes(&[], &["a\n"]), [Change { old: 0..0, new: 0..1 }]);
    }
}
