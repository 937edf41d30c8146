//! `sort [-nrufbhVs] [-k KEY] [-t SEP] [-o FILE] [-c] [FILE…]`.

use std::cmp::Ordering;
use std::io::Write as _;

use crate::failure::Failure;
use crate::files;
use crate::io::{Io, line};
use crate::options;

/// How lines or keys are compared.
#[derive(Debug, Clone, Copy, Default)]
struct Order {
    numeric: bool,
    human: bool,
    version: bool,
    reverse: bool,
    fold: bool,
    blanks: bool,
    dictionary: bool,
}

impl Order {
    fn with(mut self, letters: impl Iterator<Item = char>) -> Order {
        for letter in letters {
            match letter {
                'n' | 'g' => self.numeric = true,
                'h' => self.human = true,
                'V' => self.version = true,
                'r' => self.reverse = true,
                'f' => self.fold = true,
                'b' => self.blanks = true,
                'd' => self.dictionary = true,
                _ => {}
            }
        }
        self
    }

    fn compare(self, a: &str, b: &str) -> Ordering {
        let (a, b) = if self.blanks { (a.trim_start(), b.trim_start()) } else { (a, b) };
        let order = match () {
            () if self.human => human(a).total_cmp(&human(b)),
            () if self.numeric => number(a).0.total_cmp(&number(b).0),
            () if self.version => version(a, b),
            () if self.fold => a.to_uppercase().cmp(&b.to_uppercase()),
            () if self.dictionary => letters(a).cmp(letters(b)),
            () => a.cmp(b),
        };
        if self.reverse { order.reverse() } else { order }
    }
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| c.is_alphanumeric() || c.is_whitespace())
}

/// The number that a text begins with, and what follows it.
fn number(text: &str) -> (f64, &str) {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with('-'));
    let end = text[sign..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(text.len(), |end| end + sign);
    (text[..end].parse().unwrap_or(0.0), &text[end..])
}

fn human(text: &str) -> f64 {
    let (value, rest) = number(text);
    let power = rest.chars().next().and_then(|unit| "KMGTPE".find(unit.to_ascii_uppercase()));
    value * 1024f64.powi(power.map_or(0, |power| power as i32 + 1))
}

/// Digits as numbers, the rest as letters.
fn version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let part = |text: &str, digits: bool| text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
        let (i, j) = (part(a, false), part(b, false));
        match a[..i].cmp(&b[..j]) {
            Ordering::Equal => (a, b) = (&a[i..], &b[j..]),
            order => return order,
        }
        let (i, j) = (part(a, true), part(b, true));
        let (x, y) = (a[..i].trim_start_matches('0'), b[..j].trim_start_matches('0'));
        match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
            Ordering::Equal if i == 0 && j == 0 => return Ordering::Equal,
            Ordering::Equal => (a, b) = (&a[i..], &b[j..]),
            order => return order,
        }
    }
}

/// `-k 2.3,4n`: where a key begins and ends.
#[derive(Debug)]
struct Key {
    from: (usize, usize),
    to: Option<(usize, usize)>,
    /// None: the order of the whole.
    order: Option<Order>,
}

impl Key {
    fn parse(text: &str) -> Result<Key, Failure> {
        let bad = || Failure::new(2, format!("invalid key '{text}'"));
        let (from, to) = text.split_once(',').map_or((text, None), |(from, to)| (from, Some(to)));
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let place = |text: &str| {
            let (field, letter) = text.split_once('.').unwrap_or((text, "0"));
            Some((field.parse::<usize>().ok()?, letter.parse::<usize>().ok()?))
        };
        let split = |text: &str| text.split_at(digits(text)).0.to_owned();
        let start = place(&split(from)).filter(|(field, _)| *field > 0).ok_or_else(bad)?;
        let end = to.map(|to| place(&split(to)).ok_or_else(bad)).transpose()?;
        let letters = from[digits(from)..].chars().chain(to.map_or("", |to| &to[digits(to)..]).chars());
        let letters: String = letters.collect();
        let order = (!letters.is_empty()).then(|| Order::default().with(letters.chars()));
        Ok(Key { from: start, to: end, order })
    }

    fn of<'a>(&self, line: &'a str, separator: Option<char>) -> &'a str {
        let fields = fields(line, separator);
        let (field, letter) = self.from;
        let Some((start, end)) = fields.get(field - 1).copied() else { return "" };
        let skip = |from: usize, to: usize, letters: usize| {
            line[from..to].char_indices().nth(letters).map_or(to, |(at, _)| from + at)
        };
        let from = skip(start, end, letter.saturating_sub(1));
        let to = match self.to {
            None => line.len(),
            Some((field, letter)) => match fields.get(field.max(1) - 1) {
                None => line.len(),
                Some((_, end)) if letter == 0 => *end,
                Some((start, end)) => skip(*start, *end, letter),
            },
        };
        line.get(from..to.max(from)).unwrap_or_default()
    }
}

/// Where the fields of a line are. Without a separator each has the blanks before it.
fn fields(line: &str, separator: Option<char>) -> Vec<(usize, usize)> {
    let mut fields = Vec::new();
    let mut start = 0;
    match separator {
        Some(separator) => {
            for (at, found) in line.match_indices(separator) {
                fields.push((start, at));
                start = at + found.len();
            }
        }
        None => {
            let mut in_field = false;
            for (at, c) in line.char_indices() {
                let blank = c == ' ' || c == '\t';
                if blank && in_field {
                    fields.push((start, at));
                    start = at;
                }
                in_field = !blank;
            }
        }
    }
    fields.push((start, line.len()));
    fields
}

pub fn sort(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [
        ("numeric-sort", 'n'),
        ("reverse", 'r'),
        ("unique", 'u'),
        ("key", 'k'),
        ("field-separator", 't'),
        ("human-numeric-sort", 'h'),
        ("version-sort", 'V'),
        ("stable", 's'),
    ];
    let options = options::parse(arguments, "nrufbdhVgsck:t:o:zm", &long)?;
    let order = Order::default().with(options.given.iter().map(|(letter, _)| *letter));
    let keys = options.values('k').map(Key::parse).collect::<Result<Vec<_>, _>>()?;
    let separator = options.value('t').and_then(|text| if text == "\\t" { Some('\t') } else { text.chars().next() });
    let mut lines = Vec::new();
    io.each(&options.operands, |_, reader, _| {
        while let Some((bytes, _)) = line(reader)? {
            lines.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(())
    })?;
    let by_keys = |a: &String, b: &String| match &keys[..] {
        [] => order.compare(a, b),
        keys => keys.iter().fold(Ordering::Equal, |so_far, key| {
            so_far.then_with(|| key.order.unwrap_or(order).compare(key.of(a, separator), key.of(b, separator)))
        }),
    };
    let last_resort = |a: &String, b: &String| match options.has('s') || options.has('u') {
        true => Ordering::Equal,
        false if order.reverse => b.cmp(a),
        false => a.cmp(b),
    };
    if options.has('c') {
        let wrong = lines.windows(2).position(|pair| by_keys(&pair[0], &pair[1]).is_gt());
        return match wrong {
            Some(at) => Err(format!("{}: disorder: {}", at + 2, lines[at + 1]).into()),
            None => Ok(0),
        };
    }
    lines.sort_by(|a, b| by_keys(a, b).then_with(|| last_resort(a, b)));
    if options.has('u') {
        lines.dedup_by(|a, b| by_keys(a, b).is_eq());
    }
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    match options.value('o') {
        Some(path) => Ok(std::fs::write(files::absolute(path), text).map(|()| 0).map_err(|e| Failure::of(path, &e))?),
        None => Ok(io.out.write_all(text.as_bytes()).map(|()| 0)?),
    }
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::{output, run_on};

    #[test]
    fn orders() {
        for (line, input, expected) in [
            ("sort", "b\na\nB\n", "B\na\nb\n"),
            ("sort -n", "10\n9\n-1\n", "-1\n9\n10\n"),
            ("sort -rn", "1\n10\n9\n", "10\n9\n1\n"),
            ("sort -u", "b\na\nb\n", "a\nb\n"),
            ("sort -k 2", "x b\ny a\n", "y a\nx b\n"),
            ("sort -t : -k 2,2n", "a:10\nb:9\n", "b:9\na:10\n"),
            ("sort -k2,2 -k1,1r", "a x\nb x\nc w\n", "c w\nb x\na x\n"),
            ("sort -h", "1M\n2K\n10\n", "10\n2K\n1M\n"),
            ("sort -V", "v1.10\nv1.9\n", "v1.9\nv1.10\n"),
            ("sort -f", "b\nA\n", "A\nb\n"),
            ("sort -k1.2", "ab\nba\n", "ba\nab\n"),
        ] {
            assert_eq!(output(line, input), expected, "{line}");
        }
        assert_eq!(run_on("sort -c", "b\na\n").0, 1);
    }
}
