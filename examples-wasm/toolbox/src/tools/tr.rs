//! `tr [-cds] SET1 [SET2]`.

use std::io::Write as _;

use crate::escapes::unescape;
use crate::failure::Failure;
use crate::io::{Io, line};
use crate::options;
use crate::shell::pattern::is_of_class;

pub fn tr(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options =
        options::parse(arguments, "+cCdst", &[("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c')])?;
    let (delete, squeeze) = (options.has('d'), options.has('s'));
    let complement = options.has('c') || options.has('C');
    let Some(first) = options.operands.first() else { return Err("missing operand".into()) };
    let from = set(first);
    let to = options.operands.get(1).map(|text| set(text)).unwrap_or_default();
    if to.is_empty() && !delete && !squeeze {
        return Err(format!("missing operand after '{first}'").into());
    }
    let place = |c: char| match (from.iter().rposition(|known| *known == c), complement) {
        (place, false) => place,
        (Some(_), true) => None,
        (None, true) => Some(usize::MAX),
    };
    let last_set = if to.is_empty() { &from } else { &to };
    let in_last = |c: char| if to.is_empty() { place(c).is_some() } else { last_set.contains(&c) };
    let mut before = None;
    while let Some((bytes, ended)) = line(&mut io.input)? {
        let text = String::from_utf8_lossy(&bytes);
        let mut result = String::with_capacity(text.len() + 1);
        for c in text.chars().chain(ended.then_some('\n')) {
            let c = match place(c) {
                Some(_) if delete => continue,
                Some(place) if !to.is_empty() => to[place.min(to.len() - 1)],
                _ => c,
            };
            if squeeze && before == Some(c) && in_last(c) {
                continue;
            }
            before = Some(c);
            result.push(c);
        }
        io.out.write_all(result.as_bytes())?;
    }
    Ok(0)
}

/// `a-z`, `[:upper:]`, `\n` and themselves.
fn set(text: &str) -> Vec<char> {
    let (bytes, _) = unescape(text, false);
    let text: Vec<char> = String::from_utf8_lossy(&bytes).chars().collect();
    let mut set = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(&['[', ':'])
            && let Some(length) = text[at..].windows(2).position(|pair| pair == [':', ']'])
        {
            let name: String = text[at + 2..at + length].iter().collect();
            set.extend((0..=127u8).map(char::from).filter(|c| is_of_class(&name, *c)));
            at += length + 2;
        } else if at + 2 < text.len() && text[at + 1] == '-' && text[at] <= text[at + 2] {
            set.extend(text[at]..=text[at + 2]);
            at += 3;
        } else {
            set.push(text[at]);
            at += 1;
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::output;

    #[test]
    fn letters_for_letters() {
        assert_eq!(output("tr a-z A-Z", "abc\n"), "ABC\n");
        assert_eq!(output("tr [:lower:] [:upper:]", "abc\n"), "ABC\n");
        assert_eq!(output("tr -d \\n", "a\nb\n"), "ab");
        assert_eq!(output("tr -s l", "hello  l\n"), "helo  l\n");
        assert_eq!(output("tr -cd 0-9", "a1b2\n"), "12");
        assert_eq!(output("tr -c a-z -", "a1b"), "a-b");
        assert_eq!(output("tr abc x", "abc"), "xxx");
        assert_eq!(output("tr -s a-z\\n x", "ab\n"), "x");
    }
}
