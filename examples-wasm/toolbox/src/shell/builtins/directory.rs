//! `cd` and `pwd`.

use crate::files::{self, Kind};
use crate::shell::{Run, Shell};

pub fn cd(shell: &mut Shell, arguments: &[String]) -> Run {
    let wanted = arguments[1..].iter().find(|argument| !matches!(argument.as_str(), "-P" | "-L" | "--"));
    let before = files::working().to_string_lossy().into_owned();
    let (target, say) = match wanted.map(String::as_str) {
        None => (shell.variables.get("HOME").unwrap_or("/").to_owned(), false),
        Some("-") => match shell.variables.get("OLDPWD") {
            Some(old) => (old.to_owned(), true),
            None => return Ok(shell.fail("cd: OLDPWD not set", 1)),
        },
        Some(path) => (path.to_owned(), false),
    };
    match files::facts(&target) {
        Ok(facts) if facts.kind == Kind::Directory => {}
        Ok(_) => return Ok(shell.fail(&format!("cd: can't cd to {target}: Not a directory"), 2)),
        Err(error) => {
            let why = crate::failure::words(&error);
            return Ok(shell.fail(&format!("cd: can't cd to {target}: {why}"), 2));
        }
    }
    let path = files::absolute(&target);
    shell.assign("OLDPWD", before)?;
    shell.assign("PWD", path.to_string_lossy().into_owned())?;
    files::set_working(path.clone());
    if say { shell.say(&format!("{}\n", path.display())) } else { Ok(0) }
}

pub fn pwd(shell: &mut Shell, _: &[String]) -> Run {
    shell.say(&format!("{}\n", files::working().display()))
}
