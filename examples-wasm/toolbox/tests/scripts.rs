//! Whole scripts on this machine, each in an empty directory. What they must print was compared with dash's output when
//! they were written. The node's end-to-end tests run the same scripts in a pod.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(name: &str, arguments: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toolbox"));
    command.arg0(name).args(arguments).current_dir(directory);
    command.env_clear().env("PATH", "/bin").env("HOME", "/").stdin(Stdio::null());
    command.output().expect("run the toolbox")
}

fn script(name: &str) {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let text = fs::read_to_string(scripts.join(format!("{name}.sh"))).expect("a script");
    let expected = fs::read_to_string(scripts.join(format!("{name}.out"))).expect("what it prints");
    let directory = std::env::temp_dir().join(format!("toolbox-{name}-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let output = run("sh", &["-c", &text], &directory);
    let _ = fs::remove_dir_all(&directory);
    let printed = String::from_utf8_lossy(&output.stdout);
    for (number, (printed, expected)) in printed.lines().zip(expected.lines()).enumerate() {
        assert_eq!(printed, expected, "{name}, line {}\n{}", number + 1, String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(printed.lines().count(), expected.lines().count(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn words() {
    script("words");
}

#[test]
fn flow() {
    script("flow");
}

#[test]
fn pipes() {
    script("pipes");
}

#[test]
fn tools() {
    script("tools");
}

#[test]
fn names_say_what_it_is() {
    let here = Path::new("/");
    let code = |name: &str, arguments: &[&str]| run(name, arguments, here).status.code();
    assert_eq!(code("/bin/sh", &["-c", "exit 3"]), Some(3));
    assert_eq!(code("toolbox", &["false"]), Some(1));
    let unknown = run("nosuch", &[], here);
    assert_eq!(unknown.status.code(), Some(127));
    assert_eq!(String::from_utf8_lossy(&unknown.stderr), "sh: nosuch: not found\n");
    let list = run("toolbox", &["--list"], here);
    assert!(String::from_utf8_lossy(&list.stdout).lines().any(|name| name == "bash"));
}

#[test]
fn mistakes_have_codes_and_words() {
    for (text, code, said) in [
        ("if true; then", 2, "unexpected end of file"),
        ("echo )", 2, "unexpected \")\""),
        ("fi", 2, "unexpected \"fi\""),
        ("echo ${x", 2, "missing '}'"),
        ("echo 'x", 2, "unterminated quoted string"),
        ("echo $((1/0))", 2, "division by zero"),
        ("f() { f; }; f", 2, "too deeply"),
        ("echo x > /nowhere/x", 1, "can't create /nowhere/x: No such file or directory"),
        ("/tmp", 126, "Permission denied"),
        ("x=${y:?is missing}", 2, "y: is missing"),
        ("cd /nowhere", 2, "can't cd to /nowhere"),
    ] {
        let output = run("sh", &["-c", text], Path::new("/"));
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{text}: {error}");
        assert!(error.contains(said), "{text}: {error}");
    }
    let deep = "(".repeat(10_000);
    assert_eq!(run("sh", &["-c", &deep], Path::new("/")).status.code(), Some(2));
}

#[test]
fn of_nothing_there_is_no_archive() {
    let output = run("tar", &["cf", "-", "/no/such/file"], &std::env::temp_dir());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Cannot stat: No such file or directory"));
}
