//! What a shell does with its host, one thing at a time: `programs cat`, `programs exit 42`, `programs pipeline`.

use std::env;
use std::io::{self, IsTerminal, Read, Write};

use sampan::toolbox::processes::{self, Pipe, Process, Program, Signal, Sink, Source};
use sampan::toolbox::terminal;

wit_bindgen::generate!({ path: "../../runtime/wit/toolbox", world: "shell" });

fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["cat"] => copy(io::stdin(), io::stdout()),
        ["count"] => count(),
        ["flood", bytes] => flood(bytes.parse().unwrap_or(0)),
        ["exit", code] => end(code.parse().unwrap_or(255)),
        ["trap"] => panic!("asked to panic"),
        ["where"] => place(),
        ["wait"] => wait(),
        ["run", ..] => end(run(&args[1..], Source::Inherit, Sink::Inherit).wait()),
        ["leave", ..] => {
            println!("{}", run(&args[1..], Source::Empty, Sink::Discard).id());
            Ok(())
        }
        ["fork"] => fork(),
        ["pipeline"] => pipeline(),
        ["list"] => list(),
        ["kill", id] => kill(id.parse().unwrap_or(0)),
        ["prompt"] => prompt(),
        ["keys"] => keys(),
        [_, "--list"] | ["--list"] => {
            println!("programs\nsh");
            Ok(())
        }
        _ => Err(io::Error::other("no such thing to do")),
    }
}

fn end(code: u8) -> io::Result<()> {
    io::stdout().flush()?;
    wasip2::cli::exit::exit_with_code(code);
    Ok(())
}

fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.flush()
}

fn count() -> io::Result<()> {
    let size = io::copy(&mut io::stdin(), &mut io::sink())?;
    println!("{size}");
    Ok(())
}

fn flood(mut bytes: usize) -> io::Result<()> {
    let piece = [b'x'; 32 << 10];
    while bytes > 0 {
        let size = bytes.min(piece.len());
        io::stdout().write_all(&piece[..size])?;
        bytes -= size;
    }
    io::stdout().flush()
}

/// What it sees around it.
fn place() -> io::Result<()> {
    for (name, value) in env::vars() {
        println!("{name}={value}");
    }
    // The standard library starts everybody in the root.
    println!("in {}", wasip2::cli::environment::initial_cwd().unwrap_or_default());
    println!("terminal {}", io::stdin().is_terminal() && io::stdout().is_terminal());
    if let Some(size) = terminal::window() {
        println!("size {}x{}", size.columns, size.rows);
    }
    Ok(())
}

/// For ever, or until its input ends.
fn wait() -> io::Result<()> {
    println!("waiting");
    wasip2::clocks::monotonic_clock::subscribe_duration(3_600_000_000_000).block();
    Ok(())
}

fn program<'a>(args: &[&str], input: Source<'a>, output: Sink<'a>) -> Program<'a> {
    let arguments = std::iter::once("programs").chain(args.iter().copied()).map(str::to_owned).collect();
    let mut environment: Vec<_> = env::vars().collect();
    environment.push(("SPAWNED".to_owned(), "yes".to_owned()));
    Program { arguments, environment, directory: "/".to_owned(), input, output, error: Sink::Inherit }
}

fn run(args: &[&str], input: Source<'_>, output: Sink<'_>) -> Process {
    processes::spawn(&program(args, input, output)).expect("a program")
}

/// As many of itself as there can be, each of which does the same.
fn fork() -> io::Result<()> {
    let mut children = Vec::new();
    loop {
        match processes::spawn(&program(&["fork"], Source::Empty, Sink::Inherit)) {
            Ok(child) => children.push(child),
            Err(why) => {
                println!("fork: {why}");
                return wait();
            }
        }
    }
}

/// flood | count, and what is left of both.
fn pipeline() -> io::Result<()> {
    let pipe = Pipe::new();
    let writer = run(&["flood", "1000000"], Source::Empty, Sink::Pipe(&pipe));
    let reader = run(&["count"], Source::Pipe(&pipe), Sink::Inherit);
    pipe.close_write();
    pipe.close_read();
    println!("codes {} {}", writer.wait(), reader.wait());
    let broken = Pipe::new();
    let nobody = run(&["exit", "0"], Source::Pipe(&broken), Sink::Discard);
    broken.close_read();
    nobody.wait();
    println!("written {}", broken.write(b"x").is_ok());
    Ok(())
}

fn list() -> io::Result<()> {
    for one in processes::list() {
        println!("{} {} {} {}", one.id, one.parent, one.container, one.command.join(" "));
    }
    Ok(())
}

fn kill(id: u32) -> io::Result<()> {
    if let Err(why) = processes::send(id, Signal::Terminate) {
        eprintln!("kill: ({id}) - {why}");
        return end(1);
    }
    Ok(())
}

/// Reads lines at a prompt and runs them, in the foreground, until the input ends.
fn prompt() -> io::Result<()> {
    terminal::take_interrupt();
    loop {
        print!("$ ");
        io::stdout().flush()?;
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            println!("bye");
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if !words.is_empty() {
            println!("code {}", run(&words, Source::Inherit, Sink::Inherit).wait());
        }
    }
}

/// Shows every key as it comes, until a q.
fn keys() -> io::Result<()> {
    terminal::set_raw(true);
    println!("ready");
    io::stdout().flush()?;
    let mut key = [0; 1];
    while io::stdin().read(&mut key)? == 1 && key != *b"q" {
        print!("<{:02x}>", key[0]);
        io::stdout().flush()?;
    }
    terminal::set_raw(false);
    Ok(())
}
