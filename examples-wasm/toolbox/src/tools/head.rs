//! `head` and, for what is there already, `tail`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::io::{Io, line};
use crate::options;

/// `-5` is `-n 5`.
pub fn modern(arguments: &[String]) -> Vec<String> {
    let number = |word: &str| word.len() > 1 && word.starts_with('-') && word[1..].bytes().all(|b| b.is_ascii_digit());
    let mut arguments = arguments.to_vec();
    if let Some(first) = arguments.first_mut().filter(|word| number(word)) {
        first.insert(1, 'n');
    }
    arguments
}

pub fn head(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("lines", 'n'), ("bytes", 'c'), ("quiet", 'q'), ("verbose", 'v')];
    let options = options::parse(&modern(arguments), "n:c:qv", &long)?;
    let bytes = options.value('c').map(amount).transpose()?;
    let lines = options.value('n').map_or(Ok(10), amount)?;
    let titles = (options.operands.len() > 1 || options.has('v')) && !options.has('q');
    let mut first = true;
    io.each(&options.operands, |name, reader, out| {
        if titles {
            writeln!(out, "{}==> {name} <==", if first { "" } else { "\n" })?;
            first = false;
        }
        match (bytes, lines) {
            (Some(most), _) if most < 0 => {
                let mut all = Vec::new();
                reader.read_to_end(&mut all)?;
                out.write_all(&all[..all.len().saturating_sub(most.unsigned_abs() as usize)])?;
            }
            (Some(mut most), _) => {
                while most > 0 {
                    let there = reader.fill_buf()?;
                    let part = there.len().min(most as usize);
                    if part == 0 {
                        break;
                    }
                    out.write_all(&there[..part])?;
                    reader.consume(part);
                    most -= part as i64;
                }
            }
            (None, most) if most < 0 => {
                let mut held = std::collections::VecDeque::new();
                while let Some((bytes, _)) = line(reader)? {
                    held.push_back(bytes);
                    if held.len() as u64 > most.unsigned_abs() {
                        out.write_all(&held.pop_front().unwrap_or_default())?;
                        out.write_all(b"\n")?;
                    }
                }
            }
            (None, most) => {
                for _ in 0..most {
                    let Some((bytes, ended)) = line(reader)? else { break };
                    out.write_all(&bytes)?;
                    if ended {
                        out.write_all(b"\n")?;
                    }
                }
            }
        }
        Ok(())
    })?;
    Ok(0)
}

/// A number with, maybe, `k` or `M` behind it.
pub fn amount(text: &str) -> Result<i64, Failure> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'b') => (&text[..text.len() - 1], 512),
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1 << 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let value: i64 = digits.parse().map_err(|_| Failure::from(format!("invalid number '{text}'")))?;
    Ok(value.saturating_mul(unit))
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::output;

    #[test]
    fn the_first_of_it() {
        assert_eq!(output("head -n 2", "a\nb\nc\n"), "a\nb\n");
        assert_eq!(output("head -1", "a\nb\n"), "a\n");
        assert_eq!(output("head -c 3", "abcdef"), "abc");
        assert_eq!(output("head -n -1", "a\nb\nc\n"), "a\nb\n");
    }
}
