//! `set`, `trap`, `umask`.

use super::variables;
use crate::shell::simple::quoted;
use crate::shell::{Run, Shell, Stop};

pub fn set(shell: &mut Shell, arguments: &[String]) -> Run {
    if arguments.len() == 1 {
        let all = variables::all(shell);
        return shell.say(&all);
    }
    let mut rest = arguments[1..].iter();
    while let Some(argument) = rest.next() {
        let on = argument.starts_with('-');
        match argument.as_str() {
            "--" => {
                shell.positional = rest.cloned().collect();
                return Ok(0);
            }
            "-" | "+" => break,
            "-o" | "+o" => match rest.next() {
                Some(name) => match shell.options.by_name(name) {
                    Some(option) => *option = on,
                    None if name == "posix" || name == "errtrace" => {}
                    None => return Err(Stop::Fatal(format!("set: illegal option -o {name}"))),
                },
                None => return shown(shell),
            },
            letters if on || letters.starts_with('+') => {
                for letter in letters[1..].chars() {
                    match (letter, shell.options.by_letter(letter)) {
                        (_, Some(option)) => *option = on,
                        ('o', None) => {
                            let name = rest.next().cloned().unwrap_or_default();
                            match shell.options.by_name(&name) {
                                Some(option) => *option = on,
                                None => return Err(Stop::Fatal(format!("set: illegal option -o {name}"))),
                            }
                        }
                        ('m' | 'b' | 'h' | 'E', None) => {}
                        _ => return Err(Stop::Fatal(format!("set: illegal option {}{letter}", &letters[..1]))),
                    }
                }
            }
            first => {
                shell.positional = std::iter::once(first.to_owned()).chain(rest.cloned()).collect();
                return Ok(0);
            }
        }
    }
    Ok(0)
}

fn shown(shell: &mut Shell) -> Run {
    let line = |(name, on): (&str, bool)| format!("{name:<16}{}\n", if on { "on" } else { "off" });
    let all: String = shell.options.all().into_iter().map(line).collect();
    shell.say(&all)
}

/// The signals that can reach a script here: its end, and Ctrl-C. Others are noted and never come.
pub fn trap(shell: &mut Shell, arguments: &[String]) -> Run {
    let mut rest: Vec<&String> = arguments[1..].iter().filter(|argument| *argument != "--").collect();
    if rest.is_empty() {
        let lines: String =
            shell.traps.iter().map(|(signal, action)| format!("trap -- {} {signal}\n", quoted(action))).collect();
        return shell.say(&lines);
    }
    let only_signals = rest.len() == 1 || rest[0].bytes().all(|byte| byte.is_ascii_digit());
    let action = if only_signals { "-".to_owned() } else { rest.remove(0).clone() };
    for signal in rest {
        let Some(name) = signal_name(signal) else {
            return Ok(shell.fail(&format!("trap: {signal}: bad trap"), 1));
        };
        match action.as_str() {
            "-" => shell.traps.remove(name),
            action => shell.traps.insert(name.to_owned(), action.to_owned()),
        };
    }
    Ok(0)
}

fn signal_name(signal: &str) -> Option<&'static str> {
    Some(match signal.trim_start_matches("SIG") {
        "0" | "EXIT" => "EXIT",
        "1" | "HUP" => "HUP",
        "2" | "INT" => "INT",
        "3" | "QUIT" => "QUIT",
        "13" | "PIPE" => "PIPE",
        "15" | "TERM" => "TERM",
        "10" | "USR1" => "USR1",
        "12" | "USR2" => "USR2",
        "17" | "CHLD" => "CHLD",
        "28" | "WINCH" => "WINCH",
        "ERR" => "ERR",
        _ => return None,
    })
}

/// Files have no modes on WASI; the mask is the usual one, and may be said.
pub fn umask(shell: &mut Shell, arguments: &[String]) -> Run {
    match arguments.len() {
        1 => shell.say("0022\n"),
        _ => Ok(0),
    }
}
