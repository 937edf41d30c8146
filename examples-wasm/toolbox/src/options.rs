//! A tool's command line: short and long options, values, operands.

use crate::failure::Failure;

/// Options and operands, in the order they came.
#[derive(Debug, Default)]
pub struct Options {
    pub given: Vec<(char, String)>,
    pub operands: Vec<String>,
}

/// Reads arguments (without the tool's name). `short` is getopt's: a letter with `:` behind it takes a value; a leading
/// `+` ends the options at the first operand. `long` maps names to letters.
pub fn parse(arguments: &[String], short: &str, long: &[(&str, char)]) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    let first_ends = short.starts_with('+');
    while let Some(argument) = rest.next() {
        match argument.strip_prefix('-') {
            Some("-") => {
                options.operands.extend(rest.by_ref().cloned());
            }
            Some("") | None => {
                options.operands.push(argument.clone());
                if first_ends {
                    options.operands.extend(rest.by_ref().cloned());
                }
            }
            Some(letters) => match letters.strip_prefix('-') {
                Some(name) => options.given.push(long_option(name, short, long, &mut rest)?),
                None => short_options(letters, short, &mut rest, &mut options)?,
            },
        }
    }
    Ok(options)
}

fn long_option<'a>(
    given: &str,
    short: &str,
    long: &[(&str, char)],
    rest: &mut impl Iterator<Item = &'a String>,
) -> Result<(char, String), Failure> {
    let (name, value) = given.split_once('=').map_or((given, None), |(name, value)| (name, Some(value.to_owned())));
    let known = long.iter().find(|(known, _)| *known == name);
    let (_, letter) = known.ok_or_else(|| Failure::new(2, format!("unrecognized option '--{name}'")))?;
    let value = match (takes_value(short, *letter), value) {
        (Some(true), Some(value)) => value,
        (Some(true), None) => rest.next().cloned().ok_or_else(|| missing(name))?,
        (_, value) => value.unwrap_or_default(),
    };
    Ok((*letter, value))
}

fn missing(name: &str) -> Failure {
    Failure::new(2, format!("option requires an argument -- '{name}'"))
}

fn short_options<'a>(
    letters: &str,
    short: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    options: &mut Options,
) -> Result<(), Failure> {
    for (at, letter) in letters.char_indices() {
        match takes_value(short, letter) {
            None => return Err(Failure::new(2, format!("invalid option -- '{letter}'"))),
            Some(false) => options.given.push((letter, String::new())),
            Some(true) => {
                let tail = &letters[at + letter.len_utf8()..];
                let value = match tail {
                    "" => rest.next().cloned().ok_or_else(|| missing(&letter.to_string()))?,
                    tail => tail.to_owned(),
                };
                options.given.push((letter, value));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// None: there is no such option.
fn takes_value(short: &str, letter: char) -> Option<bool> {
    let at = short.find(letter).filter(|_| letter != ':' && letter != '+')?;
    Some(short[at + letter.len_utf8()..].starts_with(':'))
}

impl Options {
    pub fn has(&self, letter: char) -> bool {
        self.given.iter().any(|(given, _)| *given == letter)
    }

    /// The last value given.
    pub fn value(&self, letter: char) -> Option<&str> {
        self.values(letter).last()
    }

    pub fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.given.iter().filter(move |(given, _)| *given == letter).map(|(_, value)| value.as_str())
    }

    /// A number.
    pub fn number<N: std::str::FromStr>(&self, letter: char) -> Result<Option<N>, Failure> {
        let parse = |value: &str| value.parse().map_err(|_| Failure::from(format!("invalid number '{value}'")));
        self.value(letter).map(parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn letters_values_and_operands() {
        let options = parse(&words("-vn3 a -k 2,2 - -- -x"), "vn:k:", &[]).unwrap();
        assert_eq!(options.given, [('v', String::new()), ('n', "3".into()), ('k', "2,2".into())]);
        assert_eq!(options.operands, ["a", "-", "-x"]);
    }

    #[test]
    fn long_names_and_their_values() {
        let long = [("lines", 'n'), ("quiet", 'q')];
        let options = parse(&words("--lines=3 --quiet --lines 4"), "n:q", &long).unwrap();
        assert_eq!(options.value('n'), Some("4"));
        assert!(options.has('q'));
        assert!(parse(&words("--lines"), "n:q", &long).is_err());
        assert!(parse(&words("-z"), "n:q", &long).is_err());
    }

    #[test]
    fn operands_can_end_the_options() {
        assert_eq!(parse(&words("-i cmd -i"), "+i", &[]).unwrap().operands, ["cmd", "-i"]);
    }
}
