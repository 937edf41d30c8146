//! `jobs`, `wait`, `kill`, `fg`.

use crate::shell::{Run, Shell};
use crate::tools;

pub fn jobs(shell: &mut Shell, _: &[String]) -> Run {
    let mut lines = String::new();
    for (job, code) in shell.jobs.reap() {
        lines += &done(job.number, code, &job.text);
    }
    for job in shell.jobs.iter() {
        lines += &format!("[{}]   Running                 {}\n", job.number, job.text);
    }
    shell.say(&lines)
}

/// How a job's end is told.
pub fn done(number: usize, code: u8, text: &str) -> String {
    let how = match code {
        0 => "Done".to_owned(),
        130 => "Interrupt".to_owned(),
        137 => "Killed".to_owned(),
        143 => "Terminated".to_owned(),
        code => format!("Done({code})"),
    };
    format!("[{number}]   {how:<24}{text}\n")
}

pub fn wait(shell: &mut Shell, arguments: &[String]) -> Run {
    if arguments.len() == 1 {
        let numbers: Vec<usize> = shell.jobs.iter().map(|job| job.number).collect();
        for number in numbers {
            wait_for(shell, &format!("%{number}"))?;
        }
        return Ok(0);
    }
    let mut code = 0;
    for name in &arguments[1..] {
        code = wait_for(shell, name)?;
    }
    Ok(code)
}

fn wait_for(shell: &mut Shell, name: &str) -> Run {
    let Some(job) = shell.jobs.find(name) else { return Ok(127) };
    let (number, code) = (job.number, job.wait());
    shell.jobs.remove(number);
    Ok(code)
}

pub fn foreground(shell: &mut Shell, arguments: &[String]) -> Run {
    let name = arguments.get(1).map_or("%%", String::as_str);
    match shell.jobs.find(name).map(|job| job.text.clone()) {
        Some(text) => {
            shell.say(&format!("{text}\n"))?;
            wait_for(shell, name)
        }
        None => Ok(shell.fail(&format!("{}: no such job", arguments[0]), 1)),
    }
}

/// Nothing is ever stopped, so there is nothing to resume.
pub fn resume(shell: &mut Shell, arguments: &[String]) -> Run {
    Ok(shell.fail(&format!("{}: no stopped job", arguments[0]), 1))
}

/// The tool, to which `%1` means nothing.
pub fn kill(shell: &mut Shell, arguments: &[String]) -> Run {
    let mut ids = Vec::new();
    for argument in arguments {
        match (argument.starts_with('%'), shell.jobs.find(argument)) {
            (true, Some(job)) => ids.extend(job.processes.iter().map(|process| process.id().to_string())),
            (true, None) => return Ok(shell.fail(&format!("kill: {argument}: no such job"), 1)),
            (false, _) => ids.push(argument.clone()),
        }
    }
    match tools::find("kill") {
        Some(tool) => Ok(tools::run(tool, &ids, &shell.table)),
        None => Ok(127),
    }
}
