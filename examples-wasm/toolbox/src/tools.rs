//! The tools, one a file.

mod base64;
mod cat;
mod copy;
mod curl;
mod cut;
mod date;
mod diff;
mod dump;
mod echo;
mod env;
mod expr;
mod find;
mod grep;
mod gzip;
mod head;
mod http;
mod httpd;
mod ls;
mod make;
mod nc;
mod nslookup;
mod paths;
mod ping;
mod processes;
mod remove;
mod sed;
mod seq;
mod sleep;
mod small;
mod sort;
mod start;
mod stat;
mod sums;
mod system;
mod tail;
mod tar;
mod test;
mod tr;
mod truth;
mod uniq;
mod walk;
mod wc;
mod wget;
mod xargs;

use std::io::Write as _;

use crate::failure::Failure;
use crate::io::Io;
use crate::stream::Table;

/// What a tool does with its arguments, its name left out: the code it ends with. Complaints made on the way count too.
pub type Work = fn(&[String], &mut Io) -> Result<u8, Failure>;

pub struct Tool {
    pub name: &'static str,
    /// Neither waits nor takes long, so that a shell runs it itself.
    pub quick: bool,
    work: Work,
}

impl Tool {
    pub fn is_shell(&self) -> bool {
        matches!(self.name, "sh" | "bash" | "ash")
    }
}

const fn tool(name: &'static str, work: Work) -> Tool {
    Tool { name, quick: false, work }
}

const fn quick(name: &'static str, work: Work) -> Tool {
    Tool { name, quick: true, work }
}

const TOOLS: &[Tool] = &[
    quick("[", test::bracket),
    tool("ash", shell),
    tool("base64", base64::base64),
    quick("basename", paths::basename),
    tool("bash", shell),
    tool("cat", cat::cat),
    tool("chmod", make::change),
    tool("chown", make::change),
    tool("cp", copy::cp),
    tool("curl", curl::curl),
    tool("cut", cut::cut),
    tool("date", date::date),
    tool("df", stat::df),
    tool("diff", diff::diff),
    quick("dirname", paths::dirname),
    tool("du", stat::du),
    quick("echo", echo::echo),
    tool("egrep", grep::egrep),
    tool("env", env::env),
    quick("expr", expr::expr),
    quick("false", truth::no),
    tool("fgrep", grep::fgrep),
    tool("find", find::find),
    tool("grep", grep::grep),
    tool("gunzip", gzip::gunzip),
    tool("gzip", gzip::gzip),
    tool("head", head::head),
    tool("hexdump", dump::hexdump),
    tool("hostname", system::hostname),
    tool("httpd", httpd::httpd),
    tool("id", system::id),
    tool("kill", processes::kill),
    tool("ln", make::ln),
    tool("ls", ls::ls),
    tool("md5sum", sums::md5sum),
    tool("mkdir", make::mkdir),
    tool("mv", copy::mv),
    tool("nc", nc::nc),
    tool("nslookup", nslookup::nslookup),
    tool("od", dump::od),
    tool("ping", ping::ping),
    tool("printenv", env::printenv),
    quick("printf", echo::printf),
    tool("ps", processes::ps),
    quick("pwd", paths::pwd),
    tool("readlink", paths::readlink),
    tool("realpath", paths::realpath),
    tool("rm", remove::rm),
    tool("rmdir", make::rmdir),
    tool("sed", sed::sed),
    tool("seq", seq::seq),
    tool("sh", shell),
    tool("sha256sum", sums::sha256sum),
    tool("sha512sum", sums::sha512sum),
    tool("sleep", sleep::sleep),
    tool("sort", sort::sort),
    tool("stat", stat::stat),
    tool("tail", tail::tail),
    tool("tar", tar::tar),
    tool("tee", small::tee),
    quick("test", test::test),
    tool("top", processes::top),
    tool("touch", make::touch),
    tool("tr", tr::tr),
    quick("true", truth::yes),
    tool("uname", system::uname),
    tool("uniq", uniq::uniq),
    tool("wc", wc::wc),
    tool("wget", wget::wget),
    tool("which", paths::which),
    tool("whoami", system::whoami),
    tool("xargs", xargs::xargs),
    tool("yes", small::yes),
    tool("zcat", gzip::zcat),
];

/// A shell takes more than arguments: see [`shell::main`](crate::shell::main).
fn shell(_: &[String], _: &mut Io) -> Result<u8, Failure> {
    Ok(0)
}

pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.name)
}

/// The name that a path ends with, when it leads to where programs are: `/bin/ls` is `ls`, `./ls` is a file.
pub fn basename(path: &str) -> &str {
    let programs = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/"];
    programs.iter().find_map(|directory| path.strip_prefix(directory)).unwrap_or(path)
}

/// Runs a tool to its end.
pub fn run(tool: &Tool, arguments: &[String], table: &Table) -> u8 {
    let mut io = if tool.quick { Io::small(tool.name, table) } else { Io::new(tool.name, table) };
    let result = (tool.work)(arguments.get(1..).unwrap_or_default(), &mut io);
    finish(result, &mut io)
}

fn finish(result: Result<u8, Failure>, io: &mut Io) -> u8 {
    let flushed = io.out.flush().map_err(Failure::from);
    match result.and_then(|code| flushed.map(|()| code)) {
        Ok(code) => code.max(io.code),
        Err(Failure { code, message }) => {
            if !message.is_empty() {
                let _ = writeln!(io.err, "{}: {message}", io.name);
            }
            code
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::stream::Stream;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// Runs a line such as `cut -d : -f 1` on a text: its code, what it printed and what it complained about.
    pub fn run_on(line: &str, input: &str) -> (u8, String, String) {
        run_with(&line.split(' ').map(str::to_owned).collect::<Vec<_>>(), input)
    }

    pub fn run_with(arguments: &[String], input: &str) -> (u8, String, String) {
        let (out, err) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
        let mut table = Table::empty();
        table.set(0, Stream::text(input.to_owned()));
        table.set(1, Stream::Memory(out.clone()));
        table.set(2, Stream::Memory(err.clone()));
        let code = run(find(&arguments[0]).expect("a tool"), arguments, &table);
        let text = |bytes: &RefCell<Vec<u8>>| String::from_utf8_lossy(&bytes.borrow()).into_owned();
        (code, text(&out), text(&err))
    }

    /// What a line prints.
    pub fn output(line: &str, input: &str) -> String {
        run_on(line, input).1
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(TOOLS.is_sorted_by_key(|tool| tool.name));
    }

    #[test]
    fn only_paths_of_programs_are_names() {
        assert_eq!(basename("/usr/bin/env"), "env");
        assert_eq!(basename("./env"), "./env");
    }
}
