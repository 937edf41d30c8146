//! `sed`: see [`script`] for its language and [`run`] for what it does.

mod replace;
mod run;
mod script;
mod syntax;

use crate::failure::Failure;
use crate::files;
use crate::io::Io;
use crate::matcher::Syntax;
use crate::options;
use run::Runner;

pub fn sed(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("quiet", 'n'), ("silent", 'n'), ("expression", 'e'), ("regexp-extended", 'E'), ("in-place", 'i')];
    // `-i` may have a suffix right behind it, which no other option has.
    let suffix = arguments.iter().find_map(|word| word.strip_prefix("-i").filter(|suffix| !suffix.is_empty()));
    let suffix = suffix.filter(|suffix| suffix.starts_with(['.', '~', '_'])).map(str::to_owned);
    let arguments: Vec<String> = arguments
        .iter()
        .map(|word| {
            if suffix.as_ref().is_some_and(|suffix| word[..] == format!("-i{suffix}")) {
                "-i".into()
            } else {
                word.clone()
            }
        })
        .collect();
    let mut options = options::parse(&arguments, "nre:f:Eisuz", &long)?;
    let mut text: Vec<String> = options.values('e').map(str::to_owned).collect();
    if let Some(file) = options.value('f') {
        let bytes = files::read(file).map_err(|error| Failure::of(file, &error))?;
        text.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    if text.is_empty() {
        if options.operands.is_empty() {
            return Err("no script".into());
        }
        text.push(options.operands.remove(0));
    }
    let syntax = if options.has('E') || options.has('r') { Syntax::Extended } else { Syntax::Basic };
    let text = text.join("\n");
    let quiet = options.has('n') || text.starts_with("#n\n");
    let commands = script::parse(&text, syntax)?;
    let mut runner = Runner::new(&commands, quiet, options.has('s') || options.has('i'));
    match options.has('i') {
        true => in_place(&options.operands, &mut runner, suffix.as_deref(), io),
        false => runner.run(&options.operands, io),
    }
}

/// Every file is replaced by what becomes of it.
fn in_place(names: &[String], runner: &mut Runner, suffix: Option<&str>, io: &mut Io) -> Result<u8, Failure> {
    for name in names {
        let bytes = match files::read(name) {
            Ok(bytes) => bytes,
            Err(error) => {
                io.complain_of(name, &error);
                continue;
            }
        };
        let mut changed = Vec::new();
        let code = runner.edit(&bytes, &mut changed)?;
        let path = files::absolute(name);
        if let Some(suffix) = suffix {
            std::fs::write(files::absolute(format!("{name}{suffix}")), &bytes)
                .map_err(|error| Failure::of(name, &error))?;
        }
        std::fs::write(&path, changed).map_err(|error| Failure::of(name, &error))?;
        if let Some(code) = code {
            return Ok(code);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::{run_on, run_with};

    fn sed(arguments: &[&str], input: &str) -> String {
        let arguments: Vec<String> = ["sed"].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        run_with(&arguments, input).1
    }

    const TEXT: &str = "one\ntwo\nthree\n";

    #[test]
    fn edits() {
        for (arguments, expected) in [
            (&["s/o/0/"][..], "0ne\ntw0\nthree\n"),
            (&["s/e/E/g"], "onE\ntwo\nthrEE\n"),
            (&["s/e/E/2"], "one\ntwo\nthreE\n"),
            (&["-n", "s/t/T/p"], "Two\nThree\n"),
            (&["s|\\(.\\)\\(.\\)|\\2\\1|"], "noe\nwto\nhtree\n"),
            (&["-E", "s/(t)(.)/[&]\\2/"], "one\n[tw]wo\n[th]hree\n"),
            (&["2d"], "one\nthree\n"),
            (&["$d"], "one\ntwo\n"),
            (&["-n", "2,$p"], "two\nthree\n"),
            (&["/two/,/three/d"], "one\n"),
            (&["2!d"], "two\n"),
            (&["-n", "/o/="], "1\n2\n"),
            (&["2q"], "one\ntwo\n"),
            (&["y/eo/EO/"], "OnE\ntwO\nthrEE\n"),
            (&["2a\\\nmore"], "one\ntwo\nmore\nthree\n"),
            (&["2i more"], "one\nmore\ntwo\nthree\n"),
            (&["2c\\\nless"], "one\nless\nthree\n"),
            (&["-e", "1d", "-e", "s/t/T/"], "Two\nThree\n"),
            (&["1{s/o/x/;s/n/y/}"], "xye\ntwo\nthree\n"),
            (&["$!N;s/\\n/-/"], "one-two\nthree\n"),
            (&[":a;N;$!ba;s/\\n/,/g"], "one,two,three\n"),
            (&["-n", "$="], "3\n"),
            (&["1~2d"], "two\n"),
            (&["s/ONE/x/I"], "x\ntwo\nthree\n"),
            (&["1!G;h;$!d"], "three\ntwo\none\n"),
            (&["s/x*/-/g"], "-o-n-e-\n-t-w-o-\n-t-h-r-e-e-\n"),
        ] {
            assert_eq!(sed(arguments, TEXT), expected, "{arguments:?}");
        }
    }

    #[test]
    fn what_has_no_newline_gets_none() {
        assert_eq!(sed(&["s/a/b/"], "a"), "b");
    }

    #[test]
    fn codes() {
        assert_eq!(run_on("sed q5", TEXT), (5, "one\n".to_owned(), String::new()));
        assert_eq!(run_on("sed s/a", TEXT).0, 1);
        assert_eq!(run_on("sed k", TEXT).0, 1);
        assert_eq!(run_on("sed {p", TEXT).0, 1);
    }
}
