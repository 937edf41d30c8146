//! `ps`, `kill` and `top`.

use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

use crate::calendar::Moment;
use crate::failure::Failure;
use crate::host::{self, Running, Signal};
use crate::io::Io;
use crate::options;
use crate::tools::ls;

pub fn ps(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    // BSD's letters come without a dash.
    let letters: String = arguments.iter().map(|word| word.trim_start_matches('-')).collect();
    let mut all = host::list();
    all.sort_by_key(|running| running.id);
    let containers: std::collections::BTreeSet<&str> = all.iter().map(|running| running.container.as_str()).collect();
    let several = containers.len() > 1;
    let wide = letters.contains(['f', 'u', 'l']);
    let title = if several { format!("{:<16}", "CONTAINER") } else { String::new() };
    match wide {
        true => {
            writeln!(io.out, "{:>5} {:>5} {:>8} {:>8} {:>8} {title}COMMAND", "PID", "PPID", "RSS", "START", "TIME")?
        }
        false => writeln!(io.out, "{:>5} {:<8} {:>8} {title}COMMAND", "PID", "USER", "TIME")?,
    }
    for running in &all {
        let container = if several { format!("{:<16}", running.container) } else { String::new() };
        let (time, command) = (time(running.cpu), command(running));
        match wide {
            true => {
                let start = Moment::new(running.started as i64, 0).format("%H:%M:%S");
                let memory = ls::size(running.memory, true);
                let Running { id, parent, .. } = running;
                writeln!(io.out, "{id:>5} {parent:>5} {memory:>8} {start:>8} {time:>8} {container}{command}")?;
            }
            false => writeln!(io.out, "{:>5} {:<8} {time:>8} {container}{command}", running.id, "root")?,
        }
    }
    Ok(0)
}

/// What a shell has hidden among the arguments is left out.
fn command(running: &Running) -> String {
    let shown = running.command.iter().filter(|word| crate::inherit::decode(word).is_none());
    let line = shown.map(String::as_str).collect::<Vec<_>>().join(" ");
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn time(nanoseconds: u64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

const SIGNALS: &[(&str, &str, Signal)] = &[
    ("0", "0", Signal::None),
    ("1", "HUP", Signal::Terminate),
    ("2", "INT", Signal::Interrupt),
    ("3", "QUIT", Signal::Terminate),
    ("9", "KILL", Signal::Kill),
    ("15", "TERM", Signal::Terminate),
];

pub fn kill(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let mut signal = Signal::Terminate;
    let mut rest = arguments;
    match rest {
        [option, ..] if option == "-l" => {
            for (number, name, _) in &SIGNALS[1..] {
                writeln!(io.out, "{number:>2}) {name}")?;
            }
            return Ok(0);
        }
        [option, name, tail @ ..] if option == "-s" || option == "-n" => {
            (signal, rest) = (named(name)?, tail);
        }
        [option, tail @ ..] if option == "--" => rest = tail,
        [option, tail @ ..] if option.starts_with('-') && option.len() > 1 => {
            (signal, rest) = (named(&option[1..])?, tail);
        }
        _ => {}
    }
    if rest.is_empty() {
        return Err("usage: kill [-s SIGNAL | -SIGNAL] PID...".into());
    }
    for argument in rest {
        match argument.parse() {
            Err(_) => io.complain(format!("invalid number '{argument}'")),
            Ok(id) => {
                if let Err(error) = host::send(id, signal) {
                    io.complain(format!("({id}) - {error}"));
                }
            }
        }
    }
    Ok(0)
}

fn named(name: &str) -> Result<Signal, Failure> {
    let upper = name.to_ascii_uppercase();
    let bare = upper.trim_start_matches("SIG");
    let found = SIGNALS.iter().find(|(number, known, _)| *known == bare || *number == bare);
    found.map(|(_, _, signal)| *signal).ok_or_else(|| format!("bad signal name '{name}'").into())
}

/// One screen with `-b`, as many as `-n` says, until `q` otherwise.
pub fn top(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "bn:d:", &[])?;
    let terminal = host::size();
    let batch = options.has('b') || terminal.is_none();
    let most = options.number::<u64>('n')?.unwrap_or(if batch { 1 } else { u64::MAX });
    let interval = Duration::from_secs_f64(options.number('d')?.unwrap_or(2.0_f64).clamp(0.1, 3_600.0));
    if !batch {
        host::set_raw(true);
    }
    let result = screens(batch, most, interval, io);
    if !batch {
        host::set_raw(false);
    }
    result.map(|()| 0)
}

fn screens(batch: bool, most: u64, interval: Duration, io: &mut Io) -> Result<(), Failure> {
    let mut before: Vec<Running> = Vec::new();
    let mut since = Instant::now();
    for count in 0..most {
        let now = host::list();
        let (columns, rows) = host::size().filter(|_| !batch).unwrap_or((160, usize::MAX));
        let elapsed = if count == 0 { None } else { Some(since.elapsed()) };
        since = Instant::now();
        let lines = screen(&now, &before, elapsed);
        before = now;
        if !batch {
            write!(io.out, "\x1b[H\x1b[J")?;
        }
        let end = if batch { "\n" } else { "\r\n" };
        for line in lines.iter().take(rows.saturating_sub(1)) {
            write!(io.out, "{}{end}", line.chars().take(columns).collect::<String>())?;
        }
        io.out.flush()?;
        if count + 1 == most {
            break;
        }
        if quits(batch, interval)? {
            break;
        }
    }
    Ok(())
}

/// Waits; whether `q` or Ctrl-C was typed.
fn quits(batch: bool, interval: Duration) -> Result<bool, Failure> {
    use std::io::Read as _;
    if batch {
        std::thread::sleep(interval);
        return Ok(false);
    }
    if !host::input_ready(interval) {
        return Ok(false);
    }
    let mut byte = [0];
    let read = crate::stream::Stream::Own(0).read(&mut byte)?;
    Ok(read == 0 || matches!(byte[0], b'q' | b'Q' | 3 | 4))
}

fn screen(now: &[Running], before: &[Running], elapsed: Option<Duration>) -> Vec<String> {
    let memory: u64 = now.iter().map(|running| running.memory).sum();
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    // What it used since the last screen, or since it was started.
    let share = |running: &Running| {
        let known = before.iter().find(|other| other.id == running.id);
        let (cpu, time) = match (known, elapsed) {
            (Some(known), Some(elapsed)) => (running.cpu.saturating_sub(known.cpu), elapsed.as_secs_f64()),
            _ => (running.cpu, seconds.saturating_sub(running.started).max(1) as f64),
        };
        cpu as f64 / 1e7 / time.max(1e-3)
    };
    let mut rows: Vec<(f64, &Running)> = now.iter().map(|running| (share(running), running)).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.id.cmp(&b.1.id)));
    let clock = Moment::new(seconds as i64, 0).format("%T");
    let mut lines = vec![
        format!("top - {clock}, {} running, {} of memory", now.len(), ls::size(memory, true)),
        format!("{:>5} {:>5} {:<16} {:>8} {:>6} {:>8} COMMAND", "PID", "PPID", "CONTAINER", "MEM", "%CPU", "TIME"),
    ];
    for (share, running) in rows {
        lines.push(format!(
            "{:>5} {:>5} {:<16} {:>8} {share:>6.1} {:>8} {}",
            running.id,
            running.parent,
            running.container,
            ls::size(running.memory, true),
            time(running.cpu),
            command(running)
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::tests::run_on;

    fn running(id: u32, cpu: u64, command: &[&str]) -> Running {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        Running { id, parent: 0, container: "web".to_owned(), command, started: 0, cpu, memory: 1 << 20 }
    }

    #[test]
    fn the_busiest_comes_first_and_nothing_hidden_is_shown() {
        let hidden = crate::inherit::encode(&["n".to_owned()]);
        let before = [running(1, 0, &["a"]), running(2, 0, &["b"])];
        let now = [running(1, 100_000_000, &["a"]), running(2, 500_000_000, &["b", &hidden, "c\nd"])];
        let lines = screen(&now, &before, Some(Duration::from_secs(1)));
        assert!(lines[2].contains(" 50.0 ") && lines[2].ends_with("b c d"), "{lines:?}");
        assert!(lines[3].contains(" 10.0 "));
    }

    #[test]
    fn signals_have_names_and_numbers() {
        assert_eq!(named("SIGTERM").unwrap(), Signal::Terminate);
        assert_eq!(named("9").unwrap(), Signal::Kill);
        assert!(named("STOP").is_err());
        assert_eq!(run_on("kill x", "").0, 1);
        assert_eq!(run_on("kill", "").0, 1);
    }
}
