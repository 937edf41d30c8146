//! Programs beside a guest: exec, attach, terminals, and what a shell does with its host.

use std::sync::Arc;
use std::time::Duration;

use runtime::agent::directory::Directory;
use runtime::container::{Container, Exit, Handle, Stdin};
use runtime::exec::{self, Exec, Streams, TerminalSize};
use runtime::image::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::harness::{Ears, Net, exit, sample, scratch, start_with};

const DEADLINE: Duration = Duration::from_secs(60);

/// A node whose toolbox is the guest of these tests.
pub fn node() -> Exec {
    with_toolbox("images", "programs")
}

/// A node with the toolbox.
pub fn toolbox() -> Exec {
    with_toolbox("toolbox", "toolbox")
}

fn with_toolbox(directory: &str, guest: &str) -> Exec {
    let store = Store::open(scratch(directory)).expect("a store");
    store.import(&sample(guest), "localhost/toolbox").expect("imports");
    Exec::new(Arc::new(Directory::default()), store)
}

/// A line's words; a hard space stands for a space in one.
fn words(line: &str) -> Vec<String> {
    line.split(' ').map(|word| word.replace('\u{a0}', " ")).collect()
}

/// A container that waits, with what it has for its programs.
pub async fn waiting(net: &Net) -> (Container, Arc<Ears>) {
    let (container, ears) = start_with(&net.pod("pod"), &["programs", "wait"], |spec| {
        spec.name = "main".into();
        spec.program = "programs".into();
        spec.env = vec![("GREETING".into(), "hello".into())];
        spec.working_dir = Some("/work".into());
    })
    .await;
    ears.hear("waiting").await;
    (container, ears)
}

/// The client's ends of an exec.
pub struct Client {
    stdin: Option<DuplexStream>,
    stdout: DuplexStream,
    stderr: DuplexStream,
    resize: mpsc::Sender<TerminalSize>,
    seen: String,
}

pub fn streams(tty: bool) -> (Streams, Client) {
    let ((stdin, far_in), (stdout, far_out), (stderr, far_err)) = (duplex(1024), duplex(1024), duplex(1024));
    let (resize, sizes) = mpsc::channel(4);
    let streams = Streams {
        stdin: Some(Box::new(far_in)),
        stdout: Some(Box::new(far_out)),
        stderr: (!tty).then(|| Box::new(far_err) as exec::Writer),
        tty,
        resize: tty.then_some(sizes),
    };
    (streams, Client { stdin: Some(stdin), stdout, stderr, resize, seen: String::new() })
}

impl Client {
    pub async fn say(&mut self, text: &str) {
        self.stdin.as_mut().expect("open").write_all(text.as_bytes()).await.expect("somebody reads");
    }

    /// Reads until this has been seen, and forgets up to it.
    pub async fn see(&mut self, text: &str) {
        let reading = async {
            while !self.seen.contains(text) {
                let mut bytes = [0; 1024];
                match self.stdout.read(&mut bytes).await.expect("reads") {
                    0 => panic!("the end, after {:?}, before {text:?}", self.seen),
                    size => self.seen.push_str(&String::from_utf8_lossy(&bytes[..size])),
                }
            }
        };
        if timeout(DEADLINE, reading).await.is_err() {
            panic!("waited for {text:?}, saw {:?}", self.seen);
        }
        let end = self.seen.find(text).expect("seen") + text.len();
        self.seen.drain(..end);
    }

    /// All that comes, to the end.
    pub async fn rest(&mut self) -> (String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        let both = async { tokio::join!(self.stdout.read_to_string(&mut out), self.stderr.read_to_string(&mut err)) };
        let (a, b) = timeout(DEADLINE, both).await.expect("it ends");
        a.and(b).expect("text");
        (std::mem::take(&mut self.seen) + &out, err)
    }
}

pub fn begin(
    node: &Exec,
    container: &Handle,
    line: &str,
    tty: bool,
) -> (JoinHandle<Result<Exit, exec::Error>>, Client) {
    let (streams, client) = streams(tty);
    let (node, container, command) = (node.clone(), container.clone(), words(line));
    (tokio::spawn(async move { exec::run_in(&node, &container, command, streams).await }), client)
}

/// Runs a command whose input is empty: what it printed and how it ended.
pub async fn ask(node: &Exec, container: &Container, line: &str) -> (String, String, Exit) {
    let (task, mut client) = begin(node, container.handle(), line, false);
    client.stdin = None;
    let (out, err) = client.rest().await;
    (out, err, task.await.expect("runs").expect("is there"))
}

/// The same, or nothing where it does not start.
pub async fn try_ask(node: &Exec, container: &Container, line: &str) -> Option<String> {
    let (task, mut client) = begin(node, container.handle(), line, false);
    client.stdin = None;
    let (out, _) = client.rest().await;
    task.await.expect("runs").ok().map(|_| out)
}

#[tokio::test]
async fn a_program_runs_in_the_containers_place() {
    let (net, node) = (Net::new(), node());
    let (container, _) = waiting(&net).await;
    let (out, err, exit) = ask(&node, &container, "programs where").await;
    assert_eq!(out, "GREETING=hello\nHOSTNAME=pod\nin /work\nterminal false\n");
    assert_eq!((err.as_str(), exit), ("", Exit::Code(0)));
    assert_eq!(ask(&node, &container, "/bin/programs exit 42").await.2, Exit::Code(42));
    let (_, err, exit) = ask(&node, &container, "programs trap").await;
    assert_eq!(exit.code(), 134);
    assert!(err.contains("asked to panic") && err.contains("unreachable"), "{err}");
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_the_runtimes_words() {
    let (net, node) = (Net::new(), node());
    let (container, _) = waiting(&net).await;
    let nowhere = Exec::new(Arc::default(), Store::open(scratch("no-images")).expect("a store"));
    let refused = exec::run_in(&nowhere, container.handle(), words("bash"), Streams::default()).await;
    let error = refused.expect_err("no such program");
    assert_eq!(
        error.to_string(),
        "OCI runtime exec failed: exec failed: unable to start container process: exec: \"bash\": executable file not \
         found in $PATH: unknown"
    );
    assert_eq!(error.exit_code(), 127);
    let refused = exec::run_in(&node, container.handle(), words("/bin/nosuch -x"), Streams::default()).await;
    let error = refused.expect_err("no such tool").to_string();
    assert!(error.ends_with("exec: \"/bin/nosuch\": stat /bin/nosuch: no such file or directory: unknown"), "{error}");
    let tool = exec::run_in(&node, container.handle(), words("/bin/sh"), Streams::default()).await;
    assert_eq!(tool.expect("is listed"), Exit::Code(1));
    let error = exec::run(&node, "default", "gone", "x", words("ls"), Streams::default()).await.expect_err("no pod");
    assert_eq!(error.to_string(), "pod does not exist");
}

#[tokio::test]
async fn bytes_go_both_ways_and_input_ends_alone() {
    let (net, node) = (Net::new(), node());
    let (container, _) = waiting(&net).await;
    let (task, client) = begin(&node, container.handle(), "programs cat", false);
    let Client { stdin, mut stdout, .. } = client;
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let bytes = sent.clone();
    let writing = tokio::spawn(async move { stdin.expect("open").write_all(&bytes).await });
    let mut got = Vec::new();
    timeout(DEADLINE, stdout.read_to_end(&mut got)).await.expect("it ends").expect("reads");
    writing.await.expect("writes").expect("all of it");
    assert!(sent == got, "{} of {}", got.len(), sent.len());
    assert_eq!(task.await.expect("runs").expect("is there"), Exit::Code(0));
}

#[tokio::test]
async fn who_lets_go_ends_what_was_started_and_nothing_else() {
    let (net, node) = (Net::new(), node());
    let (mut container, _) = waiting(&net).await;
    let (task, mut client) = begin(&node, container.handle(), "programs run run wait", false);
    client.see("waiting").await;
    let (other, mut stays) = begin(&node, container.handle(), "programs wait", false);
    stays.see("waiting").await;
    let (list, ..) = ask(&node, &container, "programs list").await;
    assert_eq!(list.lines().filter(|line| line.ends_with("wait")).count(), 5, "{list}");
    task.abort();
    let gone = async {
        loop {
            let (list, ..) = ask(&node, &container, "programs list").await;
            if list.lines().filter(|line| line.ends_with("wait")).count() == 2 {
                return;
            }
        }
    };
    timeout(DEADLINE, gone).await.expect("its programs end");
    assert!(!other.is_finished() && container.exit().is_none());
    container.stop();
    exit(&mut container).await;
    drop(container);
    assert_eq!(timeout(DEADLINE, other).await.expect("ends").expect("runs").expect("is there"), Exit::Code(137));
}

#[tokio::test]
async fn programs_are_connected_listed_and_ended() {
    let (net, node) = (Net::new(), node());
    let (container, _) = waiting(&net).await;
    assert_eq!(ask(&node, &container, "programs pipeline").await.0, "1000000\ncodes 0 0\nwritten false\n");
    let (id, ..) = ask(&node, &container, "programs leave wait").await;
    let id: u32 = id.trim().parse().expect("a number");
    let (list, ..) = ask(&node, &container, "programs list").await;
    assert!(list.contains("1 0 main programs wait\n"), "{list}");
    assert!(list.contains(&format!("{id} 0 main programs wait\n")), "{list}");
    assert_eq!(ask(&node, &container, &format!("programs kill {id}")).await.2, Exit::Code(0));
    let (_, err, exit) = ask(&node, &container, "programs kill 9999").await;
    assert_eq!((err.as_str(), exit), ("kill: (9999) - No such process\n", Exit::Code(1)));
}

#[tokio::test]
async fn a_terminal_edits_lines_interrupts_and_ends() {
    let (net, node) = (Net::new(), node());
    let (container, _) = waiting(&net).await;
    let (task, mut shell) = begin(&node, container.handle(), "programs prompt", true);
    shell.resize.send(TerminalSize { width: 132, height: 43 }).await.expect("room");
    shell.see("$ ").await;
    shell.say("wheee\x7f\x7fre\r").await;
    shell.see("TERM=xterm\r\n").await;
    shell.see("terminal true\r\nsize 132x43\r\n").await;
    shell.see("code 0\r\n$ ").await;
    shell.say("run wait\r").await;
    shell.see("waiting\r\n").await;
    shell.say("\x03").await;
    shell.see("code 130\r\n$ ").await;
    shell.say("cat\rto the tool\r\x04").await;
    shell.see("to the tool\r\nto the tool\r\n").await;
    shell.see("code 0\r\n$ ").await;
    shell.say("\x04").await;
    shell.see("bye\r\n").await;
    assert_eq!(task.await.expect("runs").expect("is there"), Exit::Code(0));
    let (task, mut lone) = begin(&node, container.handle(), "programs wait", true);
    lone.see("waiting\r\n").await;
    lone.say("\x03").await;
    assert_eq!(timeout(DEADLINE, task).await.expect("ends").expect("runs").expect("is there"), Exit::Code(130));
}

#[tokio::test]
async fn a_raw_terminal_gives_every_key() {
    let (net, node) = (Net::new(), node());
    let (container, _) = waiting(&net).await;
    let (task, mut keys) = begin(&node, container.handle(), "programs keys", true);
    keys.see("ready\r\n").await;
    keys.say("\x1b[A\x03").await;
    keys.see("<1b><5b><41><03>").await;
    keys.say("q").await;
    assert_eq!(task.await.expect("runs").expect("is there"), Exit::Code(0));
}

#[tokio::test]
async fn clients_come_and_go_and_the_container_stays() {
    let net = Net::new();
    let (container, ears) = start_with(&net.pod("pod"), &["programs", "cat"], |spec| {
        spec.stdin = Stdin::Open { once: false };
    })
    .await;
    for word in ["one\n", "two\n"] {
        let (streams, mut client) = streams(false);
        let handle = container.handle().clone();
        let attached = tokio::spawn(async move { exec::attach_to(&handle, streams).await });
        client.say(word).await;
        client.see(word).await;
        drop(client);
        attached.abort();
        ears.hear(word).await;
    }
    assert!(container.exit().is_none());
}

#[tokio::test]
async fn the_first_client_ends_an_input_that_is_open_once() {
    let net = Net::new();
    let (mut container, ears) = start_with(&net.pod("pod"), &["programs", "count"], |spec| {
        spec.stdin = Stdin::Open { once: true };
    })
    .await;
    let (streams, mut client) = streams(false);
    let handle = container.handle().clone();
    let attached = tokio::spawn(async move { exec::attach_to(&handle, streams).await });
    client.say("hello").await;
    client.stdin = None;
    assert_eq!(exit(&mut container).await, Exit::Code(0));
    assert_eq!(client.rest().await.0, "5\n");
    timeout(DEADLINE, attached).await.expect("it returns").expect("well");
    assert_eq!(ears.text(), "5\n");
}

#[tokio::test]
async fn a_container_with_a_terminal_is_attached_to() {
    let net = Net::new();
    let (mut container, ears) = start_with(&net.pod("pod"), &["programs", "prompt"], |spec| {
        spec.stdin = Stdin::Open { once: true };
        spec.tty = true;
    })
    .await;
    ears.hear("$ ").await;
    let (streams, mut client) = streams(true);
    let handle = container.handle().clone();
    let attached = tokio::spawn(async move { exec::attach_to(&handle, streams).await });
    client.see("$ ").await;
    client.say("where\r").await;
    client.see("where\r\n").await;
    client.see("terminal true\r\n").await;
    client.say("exit 3\r").await;
    client.see("code 3\r\n$ ").await;
    client.say("\x04").await;
    assert_eq!(exit(&mut container).await, Exit::Code(0));
    client.see("bye\r\n").await;
    timeout(DEADLINE, attached).await.expect("it returns").expect("well");
}
