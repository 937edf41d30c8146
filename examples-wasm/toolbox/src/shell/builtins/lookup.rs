//! `type`, `command`, `help`: what a name means.

use super::{find, names};
use crate::files;
use crate::shell::{Run, Shell};
use crate::tools;

enum Meaning {
    Function,
    Builtin,
    Tool,
    Script,
}

fn meaning(shell: &Shell, name: &str) -> Option<Meaning> {
    Some(match name {
        name if shell.functions.contains_key(name) => Meaning::Function,
        name if find(name).is_some() => Meaning::Builtin,
        name if tools::find(tools::basename(name)).is_some() => Meaning::Tool,
        name if name.contains('/') && files::exists(name) => Meaning::Script,
        _ => return None,
    })
}

pub fn kind(shell: &mut Shell, arguments: &[String]) -> Run {
    let mut code = 0;
    for name in &arguments[1..] {
        let line = match meaning(shell, name) {
            Some(Meaning::Function) => format!("{name} is a shell function\n"),
            Some(Meaning::Builtin) => format!("{name} is a shell builtin\n"),
            Some(Meaning::Tool) => format!("{name} is /bin/{}\n", tools::basename(name)),
            Some(Meaning::Script) => format!("{name} is {name}\n"),
            None => {
                code = 127;
                format!("{name}: not found\n")
            }
        };
        shell.say(&line)?;
    }
    Ok(code)
}

pub fn command(shell: &mut Shell, arguments: &[String]) -> Run {
    let mut rest = &arguments[1..];
    let mut ask = None;
    while let [option, tail @ ..] = rest
        && option.starts_with('-')
    {
        ask = match option.as_str() {
            "-v" | "-V" => Some(option.clone()),
            _ => ask,
        };
        rest = tail;
        if option == "--" {
            break;
        }
    }
    let Some(name) = rest.first() else { return Ok(0) };
    match ask.as_deref() {
        None => {
            let table = shell.table.clone();
            shell.without_functions(name, rest, &[], table)
        }
        Some("-V") => kind(shell, &[vec!["type".to_owned()], rest.to_vec()].concat()),
        Some(_) => match meaning(shell, name) {
            Some(Meaning::Function | Meaning::Builtin | Meaning::Script) => shell.say(&format!("{name}\n")),
            Some(Meaning::Tool) => shell.say(&format!("/bin/{}\n", tools::basename(name))),
            None => Ok(127),
        },
    }
}

pub fn help(shell: &mut Shell, _: &[String]) -> Run {
    let builtins: Vec<_> = names().collect();
    let tools: Vec<_> = tools::names().collect();
    shell.say(&format!("Built in: {}\n\nTools: {}\n", builtins.join(" "), tools.join(" ")))
}
