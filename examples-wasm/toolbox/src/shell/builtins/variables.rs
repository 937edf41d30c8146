//! `export`, `readonly`, `unset`, `local`, `shift`, `let`.

use crate::shell::parser::is_name;
use crate::shell::simple::quoted;
use crate::shell::variables::Variable;
use crate::shell::{Run, Shell, Stop};

pub fn export(shell: &mut Shell, arguments: &[String]) -> Run {
    let remove = arguments.iter().any(|argument| argument == "-n");
    marked(
        shell,
        arguments,
        "export",
        |variable| variable.exported,
        |shell, name| {
            shell.variables.export(name, !remove);
        },
    )
}

pub fn readonly(shell: &mut Shell, arguments: &[String]) -> Run {
    let marked_so = |variable: &Variable| variable.readonly;
    marked(shell, arguments, "readonly", marked_so, |shell, name| shell.variables.protect(name))
}

/// Marks variables, or lists those that are.
fn marked(
    shell: &mut Shell,
    arguments: &[String],
    word: &str,
    is_marked: impl Fn(&Variable) -> bool,
    mark: impl Fn(&mut Shell, &str),
) -> Run {
    let names: Vec<_> = arguments[1..].iter().filter(|argument| !argument.starts_with('-')).collect();
    if names.is_empty() {
        let lines =
            shell.variables.iter().filter(|(_, variable)| is_marked(variable)).map(|(name, variable)| match &variable
                .value
            {
                Some(value) => format!("{word} {name}='{}'\n", value.replace('\'', "'\\''")),
                None => format!("{word} {name}\n"),
            });
        let lines: String = lines.collect();
        return shell.say(&lines);
    }
    for argument in names {
        let name = assigned(shell, argument, word)?;
        mark(shell, &name);
    }
    Ok(0)
}

/// Sets `name=value`; the name.
fn assigned(shell: &mut Shell, argument: &str, command: &str) -> Run<String> {
    let (name, value) = argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value)));
    if !is_name(name) {
        return Err(Stop::Fatal(format!("{command}: {name}: bad variable name")));
    }
    if let Some(value) = value {
        shell.assign(name, value.to_owned())?;
    }
    Ok(name.to_owned())
}

pub fn unset(shell: &mut Shell, arguments: &[String]) -> Run {
    let functions = arguments.get(1).is_some_and(|argument| argument == "-f");
    for name in arguments[1..].iter().filter(|argument| !argument.starts_with('-')) {
        if functions {
            shell.functions.remove(name);
        } else if let Err(error) = shell.variables.unset(name) {
            return Err(Stop::Fatal(format!("unset: {error}")));
        }
    }
    Ok(0)
}

/// `local`, and of `declare` what is the same.
pub fn local(shell: &mut Shell, arguments: &[String]) -> Run {
    let exported = arguments[1..].iter().any(|argument| argument == "-x");
    for argument in arguments[1..].iter().filter(|argument| !argument.starts_with('-')) {
        let name = argument.split('=').next().unwrap_or_default();
        if !shell.variables.local(name) && arguments[0] == "local" {
            return Err(Stop::Fatal("local: not in a function".to_owned()));
        }
        if !argument.contains('=') && arguments[0] == "local" {
            let _ = shell.variables.unset(name);
        }
        let name = assigned(shell, argument, &arguments[0])?;
        if exported {
            shell.variables.export(&name, true);
        }
    }
    Ok(0)
}

pub fn shift(shell: &mut Shell, arguments: &[String]) -> Run {
    let count = match arguments.get(1) {
        None => 1,
        Some(text) => text.parse::<usize>().map_err(|_| Stop::Fatal(format!("shift: Illegal number: {text}")))?,
    };
    if count > shell.positional.len() {
        return Err(Stop::Fatal("shift: can't shift that many".to_owned()));
    }
    shell.positional.drain(..count);
    Ok(0)
}

pub fn calculate(shell: &mut Shell, arguments: &[String]) -> Run {
    let mut value = 0;
    for expression in &arguments[1..] {
        value = shell.evaluate(expression)?;
    }
    Ok(u8::from(value == 0))
}

/// What `set` prints.
pub fn all(shell: &Shell) -> String {
    let set = shell.variables.iter().filter_map(|(name, variable)| Some((name, variable.value.as_ref()?)));
    set.map(|(name, value)| format!("{name}={}\n", quoted(value))).collect()
}
