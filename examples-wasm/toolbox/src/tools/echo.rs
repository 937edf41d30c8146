//! `echo` and `printf`.

use std::io::Write as _;

use crate::escapes::unescape;
use crate::failure::Failure;
use crate::io::Io;

pub fn echo(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let is_option = |word: &&String| {
        word.len() > 1 && word.starts_with('-') && word[1..].chars().all(|letter| "neE".contains(letter))
    };
    let options: String = arguments.iter().take_while(is_option).map(|word| &word[1..]).collect();
    let count = arguments.iter().take_while(is_option).count();
    let text = arguments[count..].join(" ");
    let (bytes, stopped) = match options.contains('e') {
        true => unescape(&text, true),
        false => (text.into_bytes(), false),
    };
    io.out.write_all(&bytes)?;
    if !stopped && !options.contains('n') {
        io.out.write_all(b"\n")?;
    }
    Ok(0)
}

/// The format is used again as long as arguments are left.
pub fn printf(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let Some((format, mut rest)) = arguments.split_first() else {
        return Err(Failure::new(2, "usage: printf format [arg ...]"));
    };
    loop {
        let before = rest.len();
        if !once(format, &mut rest, io)? || rest.is_empty() || rest.len() == before {
            return Ok(0);
        }
    }
}

/// What stands between `%` and the letter.
#[derive(Default)]
struct Spec {
    flags: String,
    width: usize,
    precision: Option<usize>,
}

/// Once through the format; false: `\c` has ended it.
fn once(format: &str, rest: &mut &[String], io: &mut Io) -> Result<bool, Failure> {
    let mut tail = format;
    while let Some(at) = tail.find('%') {
        let (bytes, stopped) = unescape(&tail[..at], false);
        io.out.write_all(&bytes)?;
        if stopped {
            return Ok(false);
        }
        tail = &tail[at + 1..];
        let spec = spec(&mut tail, rest);
        let mut letters = tail.chars();
        let letter = letters.next();
        tail = letters.as_str();
        if !conversion(letter, &spec, rest, io)? {
            return Ok(false);
        }
    }
    let (bytes, stopped) = unescape(tail, false);
    io.out.write_all(&bytes)?;
    Ok(!stopped)
}

fn spec(tail: &mut &str, rest: &mut &[String]) -> Spec {
    let flags = tail.len() - tail.trim_start_matches(['-', '+', ' ', '0', '#']).len();
    let mut spec = Spec { flags: tail[..flags].to_owned(), ..Spec::default() };
    *tail = &tail[flags..];
    let width = number(tail, rest).unwrap_or(0);
    if width < 0 {
        spec.flags.push('-');
    }
    spec.width = (width.unsigned_abs() as usize).min(1 << 16);
    if let Some(after) = tail.strip_prefix('.') {
        *tail = after;
        let precision = number(tail, rest).unwrap_or(0);
        spec.precision = usize::try_from(precision).ok().map(|precision| precision.min(1 << 16));
    }
    *tail = tail.trim_start_matches(['l', 'h', 'z', 'j']);
    spec
}

fn number(tail: &mut &str, rest: &mut &[String]) -> Option<i64> {
    if let Some(after) = tail.strip_prefix('*') {
        *tail = after;
        return next(rest).parse().ok();
    }
    let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
    let value = tail[..end].parse().ok();
    *tail = &tail[end..];
    value
}

fn next<'a>(rest: &mut &'a [String]) -> &'a str {
    match rest.split_first() {
        Some((first, tail)) => {
            *rest = tail;
            first
        }
        None => "",
    }
}

fn conversion(letter: Option<char>, spec: &Spec, rest: &mut &[String], io: &mut Io) -> Result<bool, Failure> {
    let text = match letter {
        Some('%') => return Ok(io.out.write_all(b"%").map(|()| true)?),
        Some('s') => cut(next(rest), spec.precision).to_owned().into_bytes(),
        Some('b') => {
            let (bytes, stopped) = unescape(next(rest), true);
            if stopped {
                io.out.write_all(&bytes)?;
                return Ok(false);
            }
            bytes
        }
        Some('c') => next(rest).chars().take(1).collect::<String>().into_bytes(),
        Some('q') => crate::shell::quoted(next(rest)).into_bytes(),
        Some(letter @ ('d' | 'i' | 'u' | 'x' | 'X' | 'o')) => integer(letter, whole(next(rest), io), spec).into_bytes(),
        Some(letter @ ('f' | 'F' | 'e' | 'E' | 'g' | 'G')) => {
            let text = next(rest);
            let value = text.parse().unwrap_or_else(|_| whole(text, io) as f64);
            float(letter, value, spec).into_bytes()
        }
        other => {
            return Err(Failure::from(format!("%{}: invalid directive", other.map(String::from).unwrap_or_default())));
        }
    };
    let numeric = letter.is_some_and(|letter| !"sbcq".contains(letter));
    io.out.write_all(&padded(text, spec, numeric))?;
    Ok(true)
}

fn cut(text: &str, most: Option<usize>) -> &str {
    let end = most.and_then(|most| text.char_indices().nth(most)).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// A whole number; `'a` is the letter's code.
fn whole(text: &str, io: &mut Io) -> i64 {
    let text = text.trim();
    if let Some(letter) = text.strip_prefix(['\'', '"']) {
        return letter.chars().next().map_or(0, |c| i64::from(u32::from(c)));
    }
    match crate::shell::number(text) {
        Ok(value) => value,
        Err(_) if text.is_empty() => 0,
        Err(_) => {
            io.complain(format!("{text}: invalid number"));
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
            text[..end].parse().unwrap_or(0)
        }
    }
}

fn integer(letter: char, value: i64, spec: &Spec) -> String {
    let digits = match letter {
        'x' => format!("{value:x}"),
        'X' => format!("{value:X}"),
        'o' => format!("{value:o}"),
        'u' => format!("{}", value as u64),
        _ => value.unsigned_abs().to_string(),
    };
    let digits = format!("{digits:0>width$}", width = spec.precision.unwrap_or(0));
    let sign = match letter {
        'd' | 'i' if value < 0 => "-",
        'd' | 'i' if spec.flags.contains('+') => "+",
        'd' | 'i' if spec.flags.contains(' ') => " ",
        'x' if spec.flags.contains('#') => "0x",
        'X' if spec.flags.contains('#') => "0X",
        'o' if spec.flags.contains('#') => "0",
        _ => "",
    };
    format!("{sign}{digits}")
}

fn float(letter: char, value: f64, spec: &Spec) -> String {
    let precision = spec.precision.unwrap_or(6);
    let sign = if spec.flags.contains('+') && value >= 0.0 { "+" } else { "" };
    let exponent = |value: f64, precision: usize| {
        let text = format!("{value:.precision$e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
    };
    let text = match letter {
        'e' | 'E' => exponent(value, precision),
        'g' | 'G' => {
            let precision = precision.max(1);
            let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
            match (-4..precision as i32).contains(&magnitude) {
                true => trimmed(&format!("{value:.*}", (precision as i32 - 1 - magnitude).max(0) as usize)),
                false => exponent(value, precision - 1),
            }
        }
        _ => format!("{value:.precision$}"),
    };
    format!("{sign}{}", if letter.is_uppercase() { text.to_uppercase() } else { text })
}

fn trimmed(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

fn padded(text: Vec<u8>, spec: &Spec, numeric: bool) -> Vec<u8> {
    let width = String::from_utf8_lossy(&text).chars().count();
    let missing = spec.width.saturating_sub(width);
    if spec.flags.contains('-') {
        return [text, vec![b' '; missing]].concat();
    }
    if numeric && spec.flags.contains('0') {
        let sign = usize::from(text.first().is_some_and(|first| b"+- ".contains(first)));
        return [&text[..sign], &vec![b'0'; missing], &text[sign..]].concat();
    }
    [vec![b' '; missing], text].concat()
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::run_with;

    fn printed(arguments: &[&str]) -> String {
        run_with(&arguments.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), "").1
    }

    #[test]
    fn echo_takes_few_options() {
        assert_eq!(printed(&["echo", "a", "b"]), "a b\n");
        assert_eq!(printed(&["echo", "-n", "a"]), "a");
        assert_eq!(printed(&["echo", "-e", "a\\tb\\c", "c"]), "a\tb");
        assert_eq!(printed(&["echo", "-x", "\\n"]), "-x \\n\n");
        assert_eq!(printed(&["echo", "-"]), "-\n");
    }

    #[test]
    fn printf_formats() {
        for (arguments, expected) in [
            (&["%s-%s\\n", "a", "b", "c"][..], "a-b\nc-\n"),
            (&["%5d|%-5d|%05d", "42", "42", "-42"], "   42|42   |-0042"),
            (&["%x %X %o %#x", "255", "255", "8", "255"], "ff FF 10 0xff"),
            (&["%.2f %e %g", "3.14159", "12345.678", "0.5"], "3.14 1.234568e+04 0.5"),
            (&["%.2s|%*s", "abc", "4", "x"], "ab|   x"),
            (&["%d %d", "0x10", "'A"], "16 65"),
            (&["100%%\\n"], "100%\n"),
            (&["%b", "a\\nb"], "a\nb"),
            (&["x"], "x"),
        ] {
            let arguments: Vec<&str> = ["printf"].iter().chain(arguments).copied().collect();
            assert_eq!(printed(&arguments), expected, "{arguments:?}");
        }
    }
}
